r"""Interpolation in closed form: connect the dots.

Between neighbouring sites no function with the given values bends less than the straight line, so that the spline with
knots at the data is optimal. Its certificate is any :math:`\eta` between :math:`\pm\lambda` that takes the value
:math:`\lambda\,\mathrm{sign}(v_k)` where the spline bends. Here it is halfway to zero where it does not bend, so that
it touches :math:`\pm\lambda` nowhere else.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.line.kernels import kinks_transposed
from ridgesplines.solvers.univariate.data import Line
from ridgesplines.solvers.univariate.knots import Knots
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.validation import Array

#: No kink: where the values of the neighbours differ from a straight line by at most this many units in the last place.
ROUNDING_RTOL = 8.0 * np.finfo(float).eps


def connect(line: Line, lam: float) -> tuple[Knots, Array]:
    """The knots, and the dual vector of the sorted rows, of which each is a site."""
    t, y = line.t, line.y
    a, h = kinks(t, y), np.diff(t)
    bends = np.abs(a) * np.minimum(h[:-1], h[1:]) > ROUNDING_RTOL * np.abs(y).max()
    knots = _on(line, 1 + np.flatnonzero(bends), a)
    if np.abs(line.fit(knots.nodes(len(t)), knots.theta) - y).max() > 1e-12 * np.ptp(y):
        knots = _on(line, 1 + np.flatnonzero(a), a)  # many tiny bends in a row are one that is not
    eta = 0.5 * np.interp(t, t[knots.nodes(len(t))], lam * np.concatenate([[0.0], knots.signs, [0.0]]))
    eta[knots.active] = lam * knots.signs
    return knots, kinks_transposed(t, eta[1:-1])


def _on(line: Line, active: Array, a: Array) -> Knots:
    knots = Knots(active, np.sign(a[active - 1]), np.empty(0))
    return Knots(knots.active, knots.signs, line.y[knots.nodes(len(line.t))])
