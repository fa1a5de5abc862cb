r"""(32), d = 2: one minimiser only, where that is proven; linear programs over many neurons find no other."""

from __future__ import annotations

from itertools import count

import numpy as np
import scipy.optimize
from matplotlib.figure import Figure

from ridgesplines.plotting.style import DATA, FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.theorems.report import Report, at_least, at_most, timed
from ridgesplines.validation import Array

#: Directions of the neurons through each data point, on half the circle.
N_ANGLES = 90
#: Points at which minimisers could differ: so many at random, in a box half as large again as the data.
N_POINTS, REACH = 4, 1.5
#: Rows of a user's data up to which the programs are run.
MAX_ROWS = 100
#: The least tolerance of HiGHS.
TOLERANCE = 1e-10


def instance(seed: int) -> tuple[Problem, Solution]:
    """A fold and a bend with noise: the first of a sequence of tables on which the proof succeeds."""
    tables = (np.random.default_rng([seed, member]) for member in count())
    solution = next(fit for fit in map(_fitted, tables) if fit.is_unique)
    return solution.problem, solution


def _fitted(rng: np.random.Generator) -> Solution:
    X = rng.standard_normal((25, 2))
    y = np.abs(X[:, 0] - 0.3) + 0.5 * np.maximum(X @ [0.6, 0.8], 0.0) + 0.1 * rng.standard_normal(25)
    return solve(Problem(X, y, 1.0))


@timed
def check(problem: Problem, solution: Solution) -> Report:
    r"""One minimiser of (32), where the certificate touches :math:`\pm\lambda` at isolated neurons with independent
    columns.

    All minimisers have the same values at the data, where the loss is strictly convex, and the same seminorm. So over
    the neurons of the solution, and those through every data point in many directions, the least and the largest value
    at a point x among all functions that good are two linear programs,

    .. math:: \min / \max \; f(x) \quad\text{with}\quad f(x_n) = f^*(x_n), \quad \textstyle\sum_k |v_k| \le \|f^*\|,

    which know nothing of the certificate. Where it proves that there is one minimiser, both are :math:`f^*(x)`.

    Parameters
    ----------
    problem : of two features and one output, with a loss that fixes the fit at the data.
    solution : its solution, for which ``is_unique`` is to hold.

    Returns
    -------
    Report
        It holds where ``solution.is_unique``, and the programs find no other function.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((12, 2))
    >>> problem = rs.Problem(X, np.abs(X[:, 0]), lam=0.3)
    >>> report = rs.theorems.one_minimiser(problem, rs.solve(problem))
    >>> report.holds
    True
    """
    X, network = problem.reduced.X, solution.network
    centre, reach = X.mean(axis=0), REACH * np.ptp(X, axis=0) / 2.0
    points = centre + reach * np.random.default_rng(0).uniform(-1.0, 1.0, (N_POINTS, 2))
    weights, biases = dictionary(solution)
    bounds = np.array([extremes(solution, weights, biases, x) for x in points])
    own, size = network.at(points), float(np.ptp(network.at(X))) or 1.0
    measures = (
        at_least("proven that there is one minimiser only, 1 for yes", int(solution.is_unique), 1),
        at_most("range of f(x) over all that are as good, relative", float(np.ptp(bounds, axis=1).max()) / size, 1e-4),
        at_most("distance of f from it, relative", float(np.abs(bounds - own[:, None]).max()) / size, 1e-4),
    )
    remarks = (f"linear programs over {len(biases)} neurons, at {N_POINTS} points",)
    claim = "one minimiser where the certificate touches lam at isolated neurons with independent columns"
    return Report(claim, "(32)", measures, lambda figure: _draw(figure, solution), remarks)


def dictionary(solution: Solution) -> tuple[Array, Array]:
    """Weights (K, 2) and biases (K,) of the solution's neurons, and of those through each data point."""
    X, network = solution.problem.reduced.X, solution.network
    angles = np.pi * (np.arange(N_ANGLES) + 0.5) / N_ANGLES
    w = np.column_stack([np.cos(angles), np.sin(angles)])
    weights = np.concatenate([network.weights, np.repeat(w, len(X), axis=0)])
    return weights, np.concatenate([network.biases, (w @ X.T).ravel()])


def extremes(solution: Solution, weights: Array, biases: Array, x: Array) -> tuple[float, float]:
    """The least and the largest value at x, shape (2,), of functions as good as the solution, over given neurons."""
    X, network = solution.problem.reduced.X, solution.network

    def columns(points: Array) -> Array:
        neurons = np.maximum(points @ weights.T - biases, 0.0)
        return np.hstack([neurons, -neurons, points, np.ones((len(points), 1))])

    sizes, free = np.r_[np.ones(2 * len(biases)), np.zeros(3)], [(None, None)] * 3
    values = []
    for sign in (1.0, -1.0):
        found = scipy.optimize.linprog(
            sign * columns(x[None])[0],
            A_ub=sizes[None],
            b_ub=[network.seminorm],
            A_eq=columns(X),
            b_eq=network.at(X),
            bounds=[(0.0, None)] * (2 * len(biases)) + free,
            method="highs",
            options={"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE},
        )
        values.append(sign * found.fun if found.status == 0 else np.nan)
    return values[0], values[1]


def _draw(figure: Figure, solution: Solution) -> None:
    """The largest certificate along each direction, which touches lam at the neurons' alone; the lines of these."""
    left, right = figure.subplots(1, 2)
    X, lam, net = solution.problem.reduced.X, solution.problem.lam, solution.network
    angles = np.linspace(0.0, np.pi, 721)
    w = np.column_stack([np.cos(angles), np.sin(angles)])
    eta = solution.certificate.eta(np.repeat(w, len(X), axis=0), (w @ X.T).ravel()).reshape(len(angles), len(X))
    left.semilogy(np.degrees(angles), 1.0 - np.abs(eta).max(axis=1) / lam, color=FIT, linewidth=1.2)
    for own in np.degrees(np.arctan2(net.weights[:, 1], net.weights[:, 0])) % 180.0:
        left.axvline(own, color=KNOT, linewidth=0.8, zorder=0)
    left.set(xlabel="direction, degrees", ylabel="1 - largest |eta| / lam", title="contacts are isolated")
    right.plot(*X.T, ".", color=DATA)
    for weight, bias in zip(net.weights, net.biases, strict=True):
        right.axline(bias * weight, bias * weight + [-weight[1], weight[0]], color=KNOT, linewidth=1.2)
    spans = np.ptp(X, axis=0) / 10.0
    low, high = X.min(axis=0) - spans, X.max(axis=0) + spans
    right.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), title="where f bends: lines through data")
