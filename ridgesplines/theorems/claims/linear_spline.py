r"""(17) in closed form: the interpolating linear spline, its variation, and the fewest knots."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.plotting.style import DATA, FIT, KNOT
from ridgesplines.problem import Problem
from ridgesplines.solve import solve
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array


def instance(seed: int) -> tuple[Array, Array, RidgeSpline]:
    """Uneven data on an arch and a line, where several knots can be saved; and the solution for interpolation."""
    x = np.sort(np.random.default_rng(seed).uniform(0.0, 3.0, 25))
    y = np.where(x < 2.0, np.sin(1.5 * x), 0.3 * x)
    return x, y, solve(Problem(x, y, 1.0, Interpolation())).network


@timed
def check(x: Array, y: Array, network: RidgeSpline) -> Report:
    r"""Interpolation: (17) is solved by connecting the dots, and the fewest knots have a formula.

    .. math:: \min_{f(x_n) = y_n} \|D^2 f\|_M = \sum_{n=2}^{N-1} |s_n - s_{n-1}|, \qquad
              s_n = \frac{y_{n+1} - y_n}{x_{n+1} - x_n}

    A run of m neighbouring data at which the dots bend in the same sense needs :math:`\lceil m/2 \rceil` knots, and no
    more [1]_.

    Parameters
    ----------
    x, y : the data, shape (N,), x increasing.
    network : the solution, of one input.

    References
    ----------
    .. [1] T. Debarre, Q. Denoyelle, M. Unser, J. Fageot, Sparsest piecewise-linear regression of one-dimensional
       data, J. Comput. Appl. Math. 406 (2022), doi:10.1016/j.cam.2021.114044

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x, y = np.arange(4.0), np.array([0.0, 0.0, 1.0, 3.0])
    >>> net = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation())).network
    >>> rs.theorems.linear_spline(x, y, net).holds, net.n_neurons
    (True, 1)
    """
    bends = np.diff(np.diff(y) / np.diff(x))
    size = float(np.abs(bends).sum()) or 1.0
    signs = np.sign(np.where(np.abs(bends) > 1e-12 * size, bends, 0.0))
    fewest = sum((len(list(run)) + 1) // 2 for sign, run in groupby(signs) if sign)
    measures = (
        at_most("|f(x) - y|, relative", float(np.abs(network.at(x) - y).max() / (np.ptp(y) or 1.0)), 1e-9),
        at_most(
            "|seminorm less the variation of the dots|, relative",
            abs(network.seminorm - np.abs(bends).sum()) / size,
            1e-9,
        ),
        at_most("knots, against the fewest by the formula", network.n_neurons, fewest),
    )
    claim = "interpolation in closed form: the connected dots have the least variation; the fewest knots"
    return Report(claim, "(17)", measures, lambda figure: _draw(figure, x, y, network))


def _draw(figure: Figure, x: Array, y: Array, network: RidgeSpline) -> None:
    axes = figure.subplots()
    t = np.unique(np.concatenate([x, network.breakpoints]))
    axes.plot(x, y, color=DATA, linewidth=3.0, alpha=0.4, label="connected dots")
    axes.plot(t, network.at(t), color=FIT, label=f"the solution: {network.n_neurons} knots, N = {len(x)}")
    axes.plot(x, y, ".", color=DATA)
    axes.plot(network.breakpoints, network.at(network.breakpoints), "o", color=KNOT, label="knots")
    axes.set(xlabel="x", ylabel="y")
    axes.legend(frameon=False)
