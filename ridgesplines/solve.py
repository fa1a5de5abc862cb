"""The verbs that run a solver: solve, solve_path, lambda_max."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.certificate.affine_optimum import bounded_affine_optimum
from ridgesplines.certificate.by_rows import certify_by_rows
from ridgesplines.certificate.certificate import certify, looked_at
from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.certificate.dual import levelled, projected
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.certificate.norm import certify_with_norm
from ridgesplines.certificate.norm_threshold import least_lam_of_norm
from ridgesplines.certificate.own_dual import proven_by_itself
from ridgesplines.certificate.own_neurons import warn_contradiction
from ridgesplines.evaluate import MAX_TIME, solver_dual
from ridgesplines.exceptions import ConvergenceWarning, ProblemError, SolverRefusal, warn
from ridgesplines.interrupt import Deferral, asked, check, late, until
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.null_quantile import null_quantile
from ridgesplines.objective import relative, targets_and_fit
from ridgesplines.oracle import Oracle, continuum_oracle, exact_oracle
from ridgesplines.oracle.sphere import SphereOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solution import Path, Solution
from ridgesplines.solution.summary import heavy_words
from ridgesplines.solvers.base import Answer, Solver, require_seconds
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.by_rows import supremum_by_rows
from ridgesplines.solvers.progress import Bar, step
from ridgesplines.solvers.univariate.kinked import nearby_line
from ridgesplines.validation import lam_given, real_array, whole_number
from ridgesplines.verdict import Scope, Status

#: The exact oracle of data, or None.
Exact = Callable[..., Oracle | None]
#: Searches for one certificate, each of which may send the solver on.
MOST_SEARCHES = 4
#: lambda_max is given without a word where it is known to this part of it.
SETTLED = 1e-6


def solve(problem: Problem, solver: Solver | None = None) -> Solution:
    r"""The solution of a problem, with its certificate.

    .. math:: \min_f \; \sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|

    Parameters
    ----------
    problem : data, loss and lam.
    solver : settings such as ``Grid(directions=64)``. By default ``Univariate()`` for d = 1, ``ColumnGeneration()``
        for d >= 2, and ``Grid()`` for other activations than ReLU.

    Returns
    -------
    Solution
        Purified, K <= N - rank[1 X] neurons (times D for D outputs; for other activations N less the dimension of their
        null space at the data), or as it was trained, with objective and gap computed from the network and the data.
        If the tolerance was not reached, or Ctrl-C came first, its status says so and a ConvergenceWarning is issued.

    Raises
    ------
    SolverRefusal
        Where the solver cannot take the problem; said before any long work.
    ProblemError
        Where the problem has no minimiser.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
    >>> solution.certificate.scope
    'exact'
    """
    return solve_path(problem, solver, lams=[problem.lam])[0]


def solve_path(
    problem: Problem, solver: Solver | None = None, lams: Any = None, n_lams: int = 50, verbose: bool = False
) -> Path:
    r"""Solutions for decreasing lam, each warm-started from the one before, or for a grid compiled once.

    Parameters
    ----------
    problem : its own lam does not matter, unless `lams` is given with it.
    solver : settings; picked for the problem by default.
    lams : the values, any order, numbers, fractions such as ``"0.05max"``, or ``"null"``, the null quantile of the
        estimators; by default `n_lams` values from lambda_max down to a thousandth of it, spaced evenly in the
        logarithm. Where constraints leave no affine function, lambda_max is that without them.
    n_lams : how many, if `lams` is not given.
    verbose : whether a bar on standard error says how far the path is; where that is no terminal, nothing is printed.

    Returns
    -------
    Path
        A sequence of Solution, the largest lam first. After Ctrl-C it ends with the solution that was interrupted.

    Raises
    ------
    ProblemError
        For Interpolation without `lams`: lam only scales its objective.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
    >>> [s.network.n_neurons for s in rs.solve_path(problem, lams=[0.01, 10.0])][0]
    0
    """
    with Bar(verbose), Deferral(answers=True):
        solver, own = _able(solver or picked(problem), problem), problem.isotropic
        found = _timed(solver.isotropic(problem), own, _decreasing(problem, lams, n_lams))
        if own is problem:  # as they are: a copy would evaluate its objective and rounding once more
            return Path(tuple(found))
        return Path(tuple(replace(solution.restored(problem), solver=repr(solver)) for solution in found))


def answers(problem: Problem, solver: Solver, lams: Any) -> Iterator[Answer]:
    """What the solver answers for each lam, with no certificate: for those who only ask what a network predicts."""
    solver, back = _able(solver, problem).isotropic(problem), Coordinates(problem)
    require_minimiser(problem.reduced)
    for answer in solver.path(problem.isotropic, [float(lam) for lam in lams]):
        network = back.restored(_named(answer.network, answer.problem))
        yield replace(answer, network=network, problem=problem.with_lam(answer.problem.lam))


def _able(solver: Solver, problem: Problem) -> Solver:
    """The solver, where it is one and takes the problem."""
    if not isinstance(solver, Solver):
        raise ProblemError("solver", "a solver's settings such as Grid()", repr(solver), "Pass solver=rs.Grid().")
    if problem.in_blocks is not None and not solver.takes_blocks:
        got, remedy = f"{problem.n_samples} rows {problem.in_blocks.blocks.place}", "Use solver=rs.ColumnGeneration()."
        raise SolverRefusal(solver.name, "rows in memory", got, remedy)
    if (reason := solver.refuses(problem)) is not None:
        raise reason
    return solver


def lambda_max(problem: Problem, max_time: float = float("inf")) -> float:
    r"""The smallest lam from which on the solution is affine, K = 0.

    .. math:: \lambda_{\max} = \sup_{w, b} |\eta(w, b)| \quad \text{at the affine fit}

    Parameters
    ----------
    problem : any problem; its own lam does not matter.
    max_time : seconds, after which no more cutting planes are sought: they are what takes long, for a loss with kinks
        in d >= 2. What comes before, the affine fit and one supremum, is finished.

    Returns
    -------
    float
        In units of lam. Exact for d = 1, d = 2 and interactions of at most two features; beyond, the value that a
        search found, from below; of a loss with kinks as the notes say. For other activations exact or a bound within
        1e-9 for d = 1, and searched beyond.
        Infinite for Interpolation of data that are not affine.

    Raises
    ------
    ProblemError
        For Logistic and Softmax on data that an affine function separates, and for Poisson where one sets zeros apart.

    Notes
    -----
    With ``norm=True`` it is the smallest lam from which on f = 0 is optimal: the largest of :math:`|\eta|`,
    :math:`|\sum_n u_n|` and :math:`|\sum_n u_n x_{nj}|` there. With constraints it is the smallest lam from which on an
    affine function is optimal among all that satisfy them, to about 1e-6 relative, and infinite where no affine
    function satisfies them. With MonotoneFeatures it is the supremum of :math:`|\eta|` less what their multipliers take
    off, at the best affine function that rises and falls as it must: exact for smooth losses, from above for losses
    with kinks. Without them the dual vector of the affine fit need not be unique for a loss with kinks: the least
    supremum counts, to 1e-9 for d = 1. For d >= 2 it is found from above by cutting planes, to 1e-9 or until 60 rounds
    or `max_time` are over. That leaves 1e-7 where most residuals are zero; where it leaves more than 1e-6, relative, a
    ConvergenceWarning names the values between which lambda_max lies.
    O(N log N) for d = 1, O(N^2 log N) at most for d = 2, for each round.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=1.0)
    >>> round(rs.lambda_max(problem), 6)
    0.666667
    """
    require_seconds("max_time", max_time)
    problem = problem.isotropic
    with Deferral(), until(time.perf_counter() + max_time):
        if problem.signs is not None:
            from ridgesplines.solvers.monotone.solver import largest_supremum  # few problems need it

            return largest_supremum(problem)
        if problem.in_blocks is not None:
            return supremum_by_rows(problem)
        if problem.norm:
            return least_lam_of_norm(problem)
        if problem.constraints:
            from ridgesplines.solvers.constrained.threshold import least_lam  # few problems need it

            return least_lam(problem)
        if problem.penalise_bias:
            problem = problem.homogeneous
        return _largest_supremum(problem)


def _largest_supremum(problem: Problem) -> float:
    """The supremum of |eta| at the affine fit, over all neurons."""
    scaling = standardise(problem)
    p = scaling.problem
    if p.through_origin:
        oracle: Oracle = SphereOracle(p.X)
    else:
        oracle = continuum_oracle(p.X, activation=p.activation, interactions=p.interactions)
    affine = bounded_affine_optimum(scaling.problem, oracle, nearby_line(scaling.problem))
    if affine is None:
        return float("inf")
    if problem.loss.interpolates:
        return 0.0
    _, u, least = affine
    sup, unit = oracle(levelled(p, projected(p, u)[0])).value, scaling.lam(1.0)
    if least < (1.0 - SETTLED) * sup:
        between = f"lambda_max lies between {least / unit:.6g} and {sup / unit:.6g}"
        warn(f"{between}, where its search ended; the larger value is returned.", ConvergenceWarning)
    return sup / unit


def _decreasing(problem: Problem, lams: Any, n_lams: int) -> list[float]:
    if lams is not None:
        values = np.atleast_1d(real_array("lams", in_numbers([problem], lams, "lams")))
        if not values.size:
            raise ProblemError("lams", "at least one value", "none", "Pass lams=None for an automatic path.")
        return [float(v) for v in np.sort(values.ravel())[::-1]]
    whole_number("n_lams", n_lams, 1)
    top = largest_lam(problem)
    if not np.isfinite(top):
        remedy = "lam only scales its objective: solve one problem."
        raise ProblemError("lams", "values of lam for Interpolation", "None", remedy)
    return [float(v) for v in np.geomspace(top, top * 1e-3, n_lams)]


def largest_lam(problem: Problem) -> float:
    """lambda_max, where it says something.

    Where no affine function satisfies the constraints that of the data alone; where the data are affine, so that every
    lam gives the same fit, one. Infinite for Interpolation.
    """
    top = lambda_max(problem)
    if not np.isfinite(top) and problem.constraints:
        top = lambda_max(problem.unconstrained)
    return top or 1.0


#: What the words of a lam stand for.
UNITS: dict[str, Callable[[Problem], float]] = {
    "max": lambda problem: 1.0 if problem.loss.interpolates else largest_lam(problem),
    "null": null_quantile,
}


def in_numbers(problems: Sequence[Problem], given: Any, name: str = "lam") -> Any:
    """One lam or several, where fractions of lambda_max such as ``"0.05max"``, and ``"null"``, are numbers; of several
    problems the largest. For Interpolation, which is the same for every lam, lambda_max is taken for one.
    """
    several = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.dtype.kind in "OU")
    parsed = [lam_given(name, lam) for lam in (list(given) if several else [given])]
    sizes = {"": 1.0, **{unit: max(map(UNITS[unit], problems)) for _, unit in parsed if unit}}
    numbers = [value * sizes[unit] if unit else value for value, unit in parsed]
    return numbers if several else numbers[0]


def _timed(solver: Solver, problem: Problem, lams: list[float]) -> Iterator[Solution]:
    start = time.perf_counter()
    # One for all lam: it depends on the data alone, and some answer the faster the more they are asked.
    exact = cache(lambda data: exact_oracle(data.X, data.activation, problem.interactions))
    step(0, len(lams), lams[0])
    for count, answer in enumerate(solver.path(problem, lams), 1):
        check()  # the best so far is no answer to one who needs more than this
        solution = _settled(solver, answer, start, exact)
        check()
        start = time.perf_counter()
        step(count, len(lams), lams[min(count, len(lams) - 1)])
        yield solution
        if asked():
            return


def _settled(solver: Solver, answer: Answer, start: float, exact: Exact) -> Solution:
    """The solution of an answer. Where a search for its certificate finds what the solver had missed, that goes on."""
    solution = _certified(solver, answer, start, exact)
    for search in range(1, MOST_SEARCHES):
        if not answer.reached or solution.relative_gap <= answer.tolerance or late(answer.end):
            break
        resumed = solver.resumed(solution, answer.end - time.perf_counter())
        if resumed is None:
            break
        (again,) = resumed.path(answer.problem, [answer.problem.lam])
        answer = replace(again, history=_joined(answer.history, again.history))
        solution = _certified(solver, answer, start, exact, search)
    return _judged(solver, solution, answer.interrupted or asked())


def _joined(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """The notes on work that was resumed: counts and tuples go on."""
    return {name: first[name] + note if isinstance(note, int | tuple) else note for name, note in then.items()}


def _certified(solver: Solver, answer: Answer, start: float, exact_of: Exact, search: int = 0) -> Solution:
    """The solution of a solver's answer, its figures recomputed."""
    problem, network = answer.problem, _named(answer.network, answer.problem)
    if problem.in_blocks is not None:
        by_rows = certify_by_rows(problem, network, answer.peaks, answer.end, search)
        return answer.solution(network, by_rows, repr(solver), start)
    if problem.norm:
        return _certified_with_norm(solver, answer, network, start, search)
    if answer.limits is None and (proven := proven_by_itself(problem, network, 0.1 * answer.tolerance)) is not None:
        return answer.solution(network, proven.certificate, repr(solver), start).evaluated(proven)
    exact = None if problem.penalise_bias else exact_of(problem.data.reduced)
    fit = targets_and_fit(problem.reduced, network)
    certificate, inner = None, None
    if answer.limits is None or exact is not None:
        dual = answer.any_dual()
        if dual is None and not problem.constraints:  # a solver that has a dual vector has looked already
            require_minimiser(problem.reduced)
        if dual is None and not problem.loss.smooth:
            dual = solver_dual(problem, network, MAX_TIME)
        certificate = certify(problem, network, dual, exact, 0.1 * answer.tolerance, fit, answer.end, search)
        certificate = looked_at(problem, certificate, *answer.peaks) if answer.peaks else certificate
    if answer.limits is not None:
        inner = certify(problem, network, answer.dual, answer.limits, fit=fit)
    shown = certificate or inner
    assert shown is not None
    solution = answer.solution(network, shown, repr(solver), start).evaluated(fit)
    if inner is not None and inner.scope is Scope.DICTIONARY:
        # What no function does better, no neuron of the grid does better.
        within = Solution(problem, network, inner).evaluated(fit).relative_gap
        within = min(within, solution.relative_gap) if shown.scope.proven else within
        solution = replace(solution, dictionary_gap=within).evaluated(fit)
    return solution


def _certified_with_norm(solver: Solver, answer: Answer, network: RidgeSpline, start: float, search: int) -> Solution:
    """The same where the norm counts."""
    assert not isinstance(answer.dual, Multipliers)  # only constraints have them
    certificate = certify_with_norm(answer.problem, network, answer.dual, answer.end, search, answer.peaks)
    return answer.solution(network, certificate, repr(solver), start)


def _judged(solver: Solver, solution: Solution, interrupted: bool) -> Solution:
    """The solution with its status, and a warning where it is not what was asked for."""
    at = f"at lam = {solution.problem.lam:g}"
    gap = solution.relative_gap if solution.dictionary_gap is None else solution.dictionary_gap
    if solution.contradiction:
        warn_contradiction(f"{solver.name} {at}: {solution.contradiction}")
        return replace(solution, status=Status.NOT_CONVERGED)
    if interrupted:
        _warn(f"{solver.name} was interrupted {at}, with a relative gap of {gap:.1e}.")
        return replace(solution, status=Status.INTERRUPTED)
    if np.isinf(solution.tolerance):  # the gap is the result, not a promise
        return replace(solution, status=Status.TRAINED)
    if gap <= solution.tolerance:
        return solution
    late = f", {stopped}" if (stopped := solution.history.get("stopped")) else ""
    words = f"{solver.name} reached a relative gap of {gap:.1e}, not {solution.tolerance:.0e}, {at}{late}."
    _warn(words, " Allow more time, or a larger lam." if late else _remedy(solution))
    return replace(solution, status=Status.NOT_CONVERGED)


def _remedy(solution: Solution) -> str:
    """The remedy for a gap: another one for rounding than for lack of time."""
    if relative(solution.problem, solution.rounding, solution.objective) <= solution.tolerance:
        return " Try a larger lam, or another solver or backend."
    if words := heavy_words(solution.problem):
        instead = "FixedValues at these x, with weight zero" if solution.problem.n_features == 1 else "smaller weights"
        return f" So much is rounding alone, and {words}. Use {instead} instead."
    return (
        " So much is rounding alone: the problem is badly conditioned. Try a larger lam, or columns of X that are "
        "less nearly dependent and nearer to zero."
    )


def _warn(what: str, remedy: str = "") -> None:
    warn(f"{what} The best network found is returned.{remedy}", ConvergenceWarning)


def _named(network: RidgeSpline, problem: Problem) -> RidgeSpline:
    """The network with the problem's names and dates, and of equivalent affine parts the one that sums to zero."""
    slope, offset = network.slope, np.asarray(network.offset)
    if problem.loss.invariant and not problem.norm:
        offset = offset - offset.mean()
        slope = slope if problem.slope_penalty else slope - slope.mean(axis=1, keepdims=True)
    elif (network.feature_names, network.dates) == (problem.feature_names, problem.dates):
        return network
    return network.changed(slope=slope, offset=offset, feature_names=problem.feature_names, dates=problem.dates)
