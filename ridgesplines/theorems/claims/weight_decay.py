r"""(5), (8) = (9), (31): training with weight decay is a (group) LASSO over neurons."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.network.spline import group_norms
from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.theorems.claims.balance import objective
from ridgesplines.theorems.instances import scattered
from ridgesplines.theorems.parameters import Parameters, train
from ridgesplines.theorems.report import NO_SOLUTION, Report, at_least, at_most, timed

#: How close to the optimum the best trained network must come, relatively.
CLOSE = 1e-2


def instance(seed: int, d: int = 1, outputs: int | None = None) -> tuple[Problem, Solution, list[Parameters]]:
    """The optimum of the LASSO, and three networks that L-BFGS trains with weight decay."""
    problem = scattered(seed, d=d, outputs=outputs)
    return problem, solve(problem), [train(problem, 60, start) for start in range(3)]


@timed
def check(problem: Problem, solution: Solution, trained: list[Parameters]) -> Report:
    r"""Weight decay and the (group) LASSO have the same minimum: (8) = (9), (31), and (5) for vector outputs.

    .. math:: \min_\theta \sum_n L(y_n, f_\theta(x_n)) + \frac{\lambda}{2} \sum_k \|v_k\|^2 + \|w_k\|^2
              = \min_\theta \sum_n L(y_n, f_\theta(x_n)) + \lambda \sum_k \|v_k\| \|w_k\|

    Parameters
    ----------
    problem, solution : the right side, solved.
    trained : networks trained on the left side, by whatever method; none are needed.

    Returns
    -------
    Report
        The solution rescaled to balance has the same objective on the left; no trained network is below the bound that
        the certificate proves; and the best of them comes within a percent of it.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> rs.theorems.weight_decay(problem, rs.solve(problem), []).holds
    True
    """
    balanced = Parameters.balanced(solution.network)
    size = abs(solution.objective) or 1.0
    measures = [
        at_most(
            "|(8) at balance - (9)|, relative", abs(objective(problem, balanced) - solution.objective) / size, 1e-10
        ),
        at_most(f"relative gap of (9) ({solution.certificate.scope})", solution.relative_gap, 1e-6),
    ]
    gamma = np.random.default_rng(0).uniform(0.5, 2.0, len(balanced.biases))
    raised = balanced.rescaled(gamma).decay - balanced.decay
    measures.append(at_least("weight decay off balance less that at balance", raised, 0.0))
    excess = [(objective(problem, p) - solution.certificate.value) / size for p in trained]
    if excess:
        measures += [
            at_least("trained on (8), least objective against the bound, relative", min(excess), -1e-9),
            at_most("the same: training comes this close", min(excess), CLOSE),
        ]
    number = "(5)" if problem.n_outputs else "(8), (9)" if problem.n_features == 1 else "(31)"
    kind = "group LASSO" if problem.n_outputs else "LASSO"
    claim = f"weight decay is a {kind} over neurons, d = {problem.n_features}: the same minimum"
    remarks = [f"neurons: {solution.network.n_neurons} in the network of (9)."]
    if trained:
        counts = ", ".join(str(p.network().n_active) for p in trained)
        remarks.append(f"active neurons of the trained networks: {counts}.")
    if not measures[1].holds:
        remarks.append(NO_SOLUTION)
    return Report(claim, number, tuple(measures), lambda f: _draw(f, solution, trained), tuple(remarks))


def _draw(figure: Figure, solution: Solution, trained: list[Parameters]) -> None:
    """Sizes of the neurons, largest first: both sides are sparse."""
    axes = figure.subplots()
    for i, parameters in enumerate(trained):
        sizes = np.sort(group_norms(parameters.network().amplitudes))[::-1]
        axes.semilogy(
            np.arange(len(sizes)) + 1,
            np.maximum(sizes, 1e-12),
            ".-",
            color=FIT,
            alpha=0.4,
            label="trained on (8)" if not i else None,
        )
    sizes = np.sort(group_norms(solution.network.amplitudes))[::-1]
    axes.semilogy(np.arange(len(sizes)) + 1, sizes, "o", color=KNOT, label="network of (9)")
    axes.set(
        xlabel="neuron, largest first", ylabel="$\\|v_k\\| \\|w_k\\|$", ylim=(1e-9, None), title="few neurons remain"
    )
    axes.legend(frameon=False)
