r"""(17): the whole solution set, between two curves that minimisers reach and none leaves."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import objective
from ridgesplines.plotting.style import DATA, FIT, SERIES
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.theorems.report import Report, at_least, at_most, timed
from ridgesplines.validation import Array

#: How far beyond the envelope the functions lie that must not be minimisers, in units of its width.
BEYOND = 0.1


def instance(seed: int) -> tuple[Problem, Solution]:
    """Uneven data on a bump, between most of which knots may move."""
    x = np.sort(np.random.default_rng(seed).uniform(0.0, 3.0, 12))
    problem = Problem(x, np.sin(1.5 * x), 1.0, Interpolation())
    return problem, solve(problem)


@timed
def check(problem: Problem, solution: Solution) -> Report:
    r"""All minimisers of (17): functions that bend in one sense where the certificate is :math:`\pm\lambda`, and are
    lines elsewhere.

    So in such an interval all minimisers lie between the chord and the lines that go on from both sides, which are
    reached [1]_. Functions there are built at the two ends of :meth:`ridgesplines.Solution.envelope` and a tenth of
    its width beyond, and their objectives are computed.

    Parameters
    ----------
    problem : in one dimension, with a loss that fixes the fit at the data: Interpolation, Squared, Logistic, Poisson.
    solution : its solution.

    Returns
    -------
    Report
        It holds where those at the ends are as good as the solution, to a relative 1e-9, and those beyond are worse.

    References
    ----------
    .. [1] T. Debarre, Q. Denoyelle, M. Unser, J. Fageot, Sparsest piecewise-linear regression of one-dimensional
       data, J. Comput. Appl. Math. 406 (2022), doi:10.1016/j.cam.2021.114044

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 1.0, rs.Interpolation())
    >>> rs.theorems.solution_set(problem, rs.solve(problem)).holds
    True
    """
    gaps = solution.envelope(problem.X[0, 0]).free_gaps
    middles = gaps.mean(axis=1)
    found = solution.envelope(middles)
    least = solution.objective
    size = abs(least) or 1.0
    inside, beyond = [], []
    for t, length, low, high in zip(middles, np.ptp(gaps, axis=1), found.lower, found.upper, strict=True):
        far = BEYOND * (high - low)
        inside += [objective(problem, through(solution, t, value)) - least for value in (low, high)]
        worse = [objective(problem, through(solution, t, value)) - least for value in (low - far, high + far)]
        beyond += [excess / (problem.lam * far / length) for excess in worse]
    measures = (
        at_least("intervals between data in which knots are free", len(gaps), 0),
        at_most("excess of minimisers at both ends, relative", float(np.max(np.abs(inside), initial=0.0)) / size, 1e-9),
        at_least("excess beyond, over lam times the bend", float(np.min(beyond, initial=np.inf)), 1.0),
    )
    claim = "the whole solution set: convex or concave pieces where |eta| stays at lam, lines elsewhere"
    return Report(claim, "(17)", measures, lambda figure: _draw(figure, solution, gaps))


def through(solution: Solution, t: float, value: float) -> RidgeSpline:
    """The connected values of the solution at the data, and one more."""
    x = np.unique(solution.problem.X[:, 0])
    at, values = np.append(x, t), np.append(solution.network.at(x), value)
    order = np.argsort(at)
    return RidgeSpline.through(at[order], values[order])


def _draw(figure: Figure, solution: Solution, gaps: Array) -> None:
    axes = figure.subplots()
    x = np.unique(solution.problem.X[:, 0])
    t = np.union1d(np.linspace(x[0], x[-1], 1001), x)
    found = solution.envelope(t)
    axes.fill_between(t, found.lower, found.upper, color=FIT, alpha=0.3, linewidth=0, label="all minimisers")
    dots, fewest = RidgeSpline.through(x, solution.network.at(x)), solution.network
    for net, colour, name in ((dots, DATA, "connected values"), (fewest, SERIES[1], "fewest knots")):
        axes.plot(t, net.at(t), color=colour, linewidth=1.2, label=f"{name}: K = {net.n_neurons}")
    axes.plot(solution.problem.X[:, 0], solution.problem.y, ".", color=DATA)
    axes.set(xlabel="x", ylabel="y", title=f"{len(gaps)} intervals in which knots are free")
    axes.legend(frameon=False)
