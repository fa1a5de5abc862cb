"""A solution in a few lines of text."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.extreme_points import neuron_bound
from ridgesplines.constraints import Places
from ridgesplines.display import notebook
from ridgesplines.losses.huber import Huber
from ridgesplines.network.activity import activity
from ridgesplines.problem import Problem
from ridgesplines.validation import Array, rounded_up
from ridgesplines.verdict import Status

#: Pieces and outputs up to which the pieces of a spline are shown.
MOST_SEGMENTS, MOST_OUTPUTS = 12, 3
#: Outputs whose spreads differ by more than this are told.
MOST_RATIO = 30.0
#: Rows this many times as heavy as the median one act as fixed values; so many of them are named.
HEAVY, MOST_HEAVY = 1e10, 6
#: What a refit is, and is not.
UNPENALISED = {
    Status.REFITTED: "by the loss alone on given neurons: not shrunk, and no minimiser of the penalised problem",
    Status.KNOTS_MOVED: "by the loss alone, a local minimum over its knots too: no minimiser of the penalised problem",
}

#: The most knots, and lengths of features, that are written out.
MOST_KNOTS, MOST_SCALES = 12, 6


#: What a fit without neurons is, by the degree of what its activation leaves unpenalised.
WITHOUT_NEURONS = {-1: "zero", 0: "constant", 1: "affine"}


def text(solution: Any) -> str:
    """What was solved, how, and how well."""
    lines = rows(solution)
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in lines)


def neurons(network: Any) -> str:
    """The number of neurons, in words: "K = 7 neurons", "1 neuron", "no neuron (affine)"."""
    k, degree = network.n_neurons, network.activation.degree
    if k == 0:
        return f"no neuron ({WITHOUT_NEURONS.get(degree, f'a polynomial of degree {degree}')})"
    return "1 neuron" if k == 1 else f"K = {k} neurons"


def rows(solution: Any) -> list[tuple[str, str]]:
    """The same as names and texts."""
    p, c = solution.problem, solution.certificate
    n, d, bound = p.n_samples, p.n_features, _bound_words(p)
    lines = [
        ("problem", f"N = {n}, d = {d}, {p.loss!r}, lam = {p.lam:.6g}{_activation_words(p)}"),
        ("solver", f"{solution.solver.partition('(')[0]}, {solution.status}, {solution.seconds:.2f} s"),
        ("neurons", f"K = {solution.network.n_neurons} (some optimum has at most {bound} = {neuron_bound(p)})"),
        ("objective", f"{solution.objective:.10g} = {_sum_words(solution)}"),
        ("relative gap", f"{rounded_up(solution.relative_gap)} ({solution.scope_words})"),
    ]
    if idle := _idle_words(solution):
        lines.insert(3, ("", idle))
    if solution.status.unpenalised:
        lines.insert(2, ("", UNPENALISED[solution.status]))
    if p.constraints:
        lines.insert(1, ("constraints", ", ".join(map(repr, p.constraints))))
    if p.scales is not None:
        lines.insert(1, ("scales", f"weights are measured in {_scale_words(p.scales, p.feature_names, 'x')}"))
    lines[1:1] = _affine_rows(p)
    if p.interactions:
        lines.insert(1, ("interactions", p.interactions.words(p.feature_names)))
    if (words := solution.history.get("lam")) and not solution.status.unpenalised:
        lines.insert(1, ("lam", words))
    if solution.dictionary_gap is not None and c.scope.proven and (d > 1 or solution.relative_gap > solution.tolerance):
        among = "relative gap among the grid's own neurons" if d > 1 else "relative gap among its own places for knots"
        lines.append(("on the grid", f"{rounded_up(solution.dictionary_gap)} ({among})"))
    supremum = f"{c.sup / p.lam:.10g} ({c.scope})" if p.lam > 0.0 else f"sup|eta| = {c.sup:.6g}"
    lines.append(("sup|eta|/lam", supremum))
    if _is_squared_error(solution):
        lines.append(("loss", f"{p.loss!r} is squared error here: no residual exceeds delta"))
    if words := _outputs_words(p):
        lines.append(("outputs", words))
    if words := heavy_words(p):
        # No warning: the fit is the minimiser that was asked for, to its tolerance, and there is nothing to be done.
        # Where it misses the tolerance, the warning about that names these rows.
        heavy = _heavy_rows(p)
        off = float(np.abs(p.y[heavy] - solution.network.at(p.X[heavy])).max())
        lines.append(("weights", f"{words}: they act as fixed values, missed by no more than {off:.1e}"))
    if search := c.search_words(p.lam, solution.tolerance):
        lines.append(("search", search))
    if d == 1 and solution.network.n_neurons:
        beside, knots = p.written(np.sort(solution.network.breakpoints))
        name = ("knots" if p.activation.homogeneity else "biases") + beside
        lines.append((name, ", ".join(knots[:MOST_KNOTS]) + (", ..." if len(knots) > MOST_KNOTS else "")))
    return lines + _segment_rows(solution)


def _affine_rows(problem: Problem) -> list[tuple[str, str]]:
    """What the affine part costs, where it is not free."""
    if problem.slope_penalty:
        return [("slope penalty", f"mu = {problem.slope_penalty:.6g}: mu/2 |c|^2, c the slope of the affine part")]
    at = "s_j e_j" if problem.scales is not None else "e_j"
    words = f"lam multiplies seminorm + |f(0)| + the sum of |f({at}) - f(0)|"
    return [("norm", words)] if problem.norm else []


def _idle_words(solution: Any) -> str:
    """How many neurons of a network that was evaluated bend nowhere among the data."""
    p = solution.problem
    if solution.status is not Status.EVALUATED or not isinstance(p.activation, ReLU) or p.in_blocks is not None:
        return ""
    found = activity(solution.network, p.reduced.X)
    return str(found) if found.n_dead or found.n_always else ""


def _outputs_words(problem: Problem) -> str:
    """A word on outputs of very different scale: the loss of the largest rules the neurons that all share."""
    if problem.loss.labels or problem.n_outputs is None:
        return ""
    if problem.output_scales is not None:
        return f"measured in {_scale_words(problem.output_scales, problem.output_names, 'y')}"
    spread = problem.reduced.y.std(axis=0)
    least, most = int(spread.argmin()), int(spread.argmax())
    if not 0.0 < MOST_RATIO * spread[least] < spread[most]:
        return ""
    ratio = f"output {most} varies {spread[most] / spread[least]:.3g} times as much as output {least}"
    return f"{ratio}, and rules the neurons that they share: output_scales, or scale_outputs=True, weigh them equally"


def _heavy_rows(problem: Problem) -> Array:
    """The rows that outweigh all others; none where a loss knows no values that it could fix."""
    if problem.in_blocks is not None or problem.loss.interpolates or not problem.loss.translates:
        return np.empty(0, dtype=np.intp)
    weight = problem.sample_weight
    return np.flatnonzero(weight > HEAVY * np.median(weight[weight > 0.0]))


def heavy_words(problem: Problem) -> str:
    """Which rows, and how many, weigh so much more than the median that these act as fixed values."""
    heavy = _heavy_rows(problem)
    if not len(heavy):
        return ""
    named = ", ".join(map(str, heavy[:MOST_HEAVY])) + (", ..." if len(heavy) > MOST_HEAVY else "")
    rows = f"row {named} weighs" if len(heavy) == 1 else f"{len(heavy)} rows ({named}) weigh"
    return f"{rows} more than {HEAVY:.0e} times what the median row does"


def _sum_words(solution: Any) -> str:
    """The terms of the objective."""
    terms = f"{solution.data_fit:.10g} + lam * {solution.seminorm:.10g}"
    if solution.problem.constraint.free_knots:
        terms += ", of bends that are not at free knots"
    return terms + (f" + {solution.slope_cost:.10g} for the slope" if solution.problem.slope_penalty else "")


def _segment_rows(solution: Any) -> list[tuple[str, str]]:
    """The straight pieces of a spline that has few of them, one a line."""
    p, net = solution.problem, solution.network
    if p.n_features > 1 or not isinstance(p.activation, ReLU) or (p.n_outputs or 1) > MOST_OUTPUTS:
        return []
    if not 0 < net.n_neurons < MOST_SEGMENTS:
        return []
    names = itertools.chain(["segments"], itertools.repeat(""))
    return list(zip(names, str(solution.segments()).split("\n"), strict=False))


def _is_squared_error(solution: Any) -> bool:
    """Whether the loss is Huber's and all residuals are where it is squared error."""
    p = solution.problem.reduced
    return (
        p.in_blocks is None
        and isinstance(p.loss, Huber)
        and bool((np.abs(p.y - solution.network.at(p.X)) <= p.loss.threshold).all())
    )


def among(problem: Problem) -> str:
    """Of which functions a certificate speaks, where these are not all that are monotone."""
    pairs = problem.interactions is None or problem.interactions.most > 1
    return "; among those that satisfy the formula of MonotoneFeatures" if pairs else ""


def _scale_words(scales: Array, names: Sequence[str] | None, letter: str) -> str:
    """The length in which each feature or output is measured, of the first few."""
    names = names or tuple(f"{letter}{j}" for j in range(len(scales)))
    shown = [f"{scale:.4g} ({name})" for scale, name in zip(scales, names, strict=True)][:MOST_SCALES]
    return ", ".join(shown) + (", ..." if len(names) > MOST_SCALES else "")


def _activation_words(problem: Problem) -> str:
    if problem.penalise_bias:
        return ", biases penalised" + ("" if problem.skip else ", no affine part")
    return "" if isinstance(problem.activation, ReLU) else f", {problem.activation!r}"


def _bound_words(problem: Problem) -> str:
    if problem.norm:
        return "N D" if problem.n_outputs else "N"
    if problem.signs is not None:
        return "2 (N - rank[1 X], of X without monotone features)"
    if problem.constraints:
        if problem.constraint.only_at is not None:
            return "the places for knots"
        named = "distinct x" + (
            ", fixed points and free knots" if problem.constraint.free_knots else " and fixed points"
        )
        return named + ("", ", less 1", ", less 2")[2 - sum(problem.constraint.ends)]
    free = {-1: "N", 0: "(N - 1)", 1: "(N - rank[1 X])"}.get(problem.activation.degree, "(N - dim null space)")
    free = free if problem.skip else "N"
    return free + (" D" if problem.n_outputs else "")


def to_html(solution: Any) -> str:
    """The same, for a notebook."""
    return notebook.table(f"Solution: {neurons(solution.network)}", rows(solution))


def scope_words(solution: Any) -> str:
    """The meaning of the gap, where nothing contradicts it."""
    p, c = solution.problem, solution.certificate
    words = c.scope.words(_allowed(p))
    if p.signs is not None:
        return str(words) + among(p)
    return words + (f" from {c.starts} fresh random starts" if c.starts else "")


def _allowed(problem: Problem) -> str:
    """Among which functions the optimum is."""
    of = "of these groups" if problem.interactions is not None else ""
    if problem.constraint.only_at is not None:
        of = "with knots at these places only"
        if len(problem.constraints) > sum(isinstance(c, Places) for c in problem.constraints):
            of += " that satisfies the constraints"
    elif problem.constraints and not problem.constraint.of_knots_alone:
        of = "that satisfies the constraints"
    return of


def short(solution: Any) -> str:
    """The result in a line."""
    return (
        f"Solution(K={solution.network.n_neurons}, objective={solution.objective:.8g}, relative_gap="
        f"{rounded_up(solution.relative_gap)}, scope={solution.certificate.scope!r}, status={solution.status!r})"
    )
