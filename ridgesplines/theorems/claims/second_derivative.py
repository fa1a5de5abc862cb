r"""(10)-(15): the second derivative of a univariate ReLU network is a train of impulses."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.theorems.parameters import Parameters
from ridgesplines.theorems.quadrature import pieces
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array

#: Test functions are Gaussians of these widths, in units of the knots' range.
WIDTHS = (0.05, 0.2, 0.5)


def instance(seed: int) -> tuple[Callable[[Array], Array], Parameters]:
    """The six neurons of Fig. 3, weights of any norm and sign."""
    rng = np.random.default_rng(seed)
    knots, w = (
        np.linspace(-0.8, 0.8, 6) + rng.uniform(-0.1, 0.1, 6),
        rng.uniform(0.5, 2.0, 6) * rng.choice([-1.0, 1.0], 6),
    )
    parameters = Parameters(w[:, None], w * knots, rng.standard_normal(6), rng.standard_normal(1), np.array(0.3))
    return parameters.network(), parameters


@timed
def check(function: Callable[[Array], Array], parameters: Parameters) -> Report:
    r"""The second derivative of (7) is :math:`\sum_k v_k |w_k|\, \delta(x - b_k/w_k)`, (10) to (15).

    In the sense of distributions, for every smooth test function :math:`\varphi` that vanishes at infinity,

    .. math:: -\int f \varphi' = \int \varphi\, \Big(\sum_k v_k w_k u(w_k x - b_k) + c\Big), \qquad
              \int f \varphi'' = \sum_k v_k |w_k|\, \varphi(b_k/w_k)

    and :math:`\int |D^2 f| = \sum_k |v_k| |w_k|`.

    Parameters
    ----------
    function : f, evaluated at arrays; a scalar function of one variable.
    parameters : the w, b, v, c of which (10) to (15) speak; knots must differ, or impulses add up.

    Returns
    -------
    Report
        Integrals against Gaussians of three widths, by quadrature; (15) by second differences of f.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[2.0], [-1.0]], [1.0, 0.5], [1.0, -3.0])
    >>> rs.theorems.second_derivative(net, rs.theorems.Parameters.balanced(net)).holds
    True
    """
    w, v, b = parameters.weights[:, 0], parameters.amplitudes, parameters.biases
    knots, span = b / w, float(np.ptp(b / w)) or 1.0
    total = float(np.abs(v) @ np.abs(w)) or 1.0
    first = second = 0.0
    for centre, width in product(np.linspace(knots.min(), knots.max(), 5), WIDTHS):
        s = width * span
        reach = centre + s * np.arange(-10.0, 11.0)
        x, dx = pieces(np.concatenate([reach, knots[np.abs(knots - centre) < 10.0 * s]]))
        z = (x - centre) / s
        phi, d1_phi, d2_phi = np.exp(-(z**2) / 2.0) * np.array([np.ones_like(z), -z / s, (z**2 - 1.0) / s**2])
        slope = (np.multiply.outer(x, w) > b) @ (v * w) + parameters.slope[0]
        first = max(first, abs(dx @ (function(x) * d1_phi + slope * phi)))
        impulses = (v * np.abs(w)) @ np.exp(-(((knots - centre) / s) ** 2) / 2.0)
        second = max(second, abs(dx @ (function(x) * d2_phi) - impulses))
    variation = _variation(function, knots, span)
    measures = (
        at_most("(10), (11): first derivative against test functions, relative", first / total, 1e-8),
        at_most("(13), (14): second derivative against test functions, relative", second / total, 1e-8),
        at_most("(15): |integral of |D^2 f| less sum |v||w||, relative", abs(variation / total - 1.0), 1e-6),
    )
    claim = "the second derivative of a univariate ReLU network is an impulse at each knot"
    return Report(claim, "(10)-(15)", measures, lambda figure: _draw(figure, function, knots, v * np.abs(w)))


def _variation(function: Callable[[Array], Array], knots: Array, span: float) -> float:
    """Sum of |change of slope| between neighbouring cells of a grid: the total change of slope, from values alone.

    Eight points between neighbouring knots, so that no cell holds two, and as many beyond them.
    """
    ends = np.unique(np.concatenate([[knots.min() - span, knots.max() + span], knots]))
    x = (ends[:-1, None] + np.diff(ends)[:, None] * (np.arange(1.0, 9.0) / 9.0)).ravel()
    return float(np.abs(np.diff(np.diff(function(x)) / np.diff(x))).sum())


def _draw(figure: Figure, function: Callable[[Array], Array], knots: Array, impulses: Array) -> None:
    """Fig. 3: the network, its slope, and its impulses."""
    span = float(np.ptp(knots)) or 1.0
    x = np.linspace(knots.min() - 0.2 * span, knots.max() + 0.2 * span, 2001)
    first, second, third = figure.subplots(1, 3, sharex=True)
    first.plot(x, function(x), color=FIT)
    first.plot(knots, function(knots), "o", color=KNOT)
    second.plot(x[1:], np.diff(function(x)) / np.diff(x), color=FIT)
    third.vlines(knots, 0.0, impulses, color=KNOT)
    third.plot(knots, impulses, "o", color=KNOT)
    third.axhline(0.0, color="black", linewidth=0.8)
    for axes, title in ((first, "f"), (second, "D f"), (third, "D² f: impulses")):
        axes.set(title=title, xlabel="x")
