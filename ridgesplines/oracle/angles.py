r"""sup |eta| over all directions of the plane, bounded, for activations other than ReLU.

At a fixed bias :math:`\eta` is a function of the angle with

.. math:: |\partial_\varphi \eta| \le s_1 \sum_n |u_n| \|x_n\|, \qquad
          |\partial_\varphi^2 \eta| \le \sum_n |u_n| \big(s_2 \|x_n\|^2 + s_1 \|x_n\|\big),

where :math:`|\sigma'| \le s_1` and :math:`|\sigma''| \le s_2`. So between two angles that are h apart the supremum over
the biases exceeds the larger of its values at both by h/2 times the first, or :math:`h^2/8` times the second. Intervals
that may hold more than the largest value that is known are halved, until none does or time is over.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.oracle.eta import eta_at
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Intervals to begin with; halved where they may exceed the largest value known by more than this, relatively; by the
#: second number where the derivative jumps, for there intervals shrink but in proportion to it. And directions at most.
FIRST, SHARP, SHARP_WITH_KINKS, MOST = 64, 1e-7, 1e-4, 2**14


class AnglesOracle:
    """The supremum of an activation's certificate over all directions of the plane: scope ``"bounded"``.

    Parameters
    ----------
    X : shape (N, 2).
    activation : of the neurons; with a bounded derivative.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> from ridgesplines.oracle import AnglesOracle
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> u = np.array([1.0, -1.0, -1.0, 1.0])
    >>> found = AnglesOracle(X, rs.Sigmoid(0.5))(u)
    >>> attained = rs.Sigmoid(0.5).value(X @ found.weights[0] - found.biases[0]) @ u
    >>> found.scope, float(round(found.value / abs(attained), 6))
    ('bounded', 1.0)
    """

    def __init__(self, X: Array, activation: Activation) -> None:
        self._X, self._activation = X, activation
        self._centre = (X.max(axis=0) + X.min(axis=0)) / 2.0
        self._centred = X - self._centre
        self._far = np.linalg.norm(self._centred, axis=1)

    def __call__(
        self, u: Array, level: float | None = None, *, near: tuple[Array, Array] | None = None, end: float = np.inf
    ) -> Supremum:
        """The supremum; `near`, neurons of large |eta|, make for fewer intervals."""
        first, second = self._activation.steepness(2.0 * float(self._far.max(initial=0.0)))
        weight = group_norms(u)
        slope = first * float(weight @ self._far)
        bend = float(weight @ (second * self._far**2 + first * self._far)) if np.isfinite(second) else np.inf
        W, b = (np.empty((0, 2)), np.empty(0)) if near is None else near
        best = float(group_norms(eta_at(self._X, u, W, b, self._activation)).max(initial=0.0))
        edges = np.pi * np.arange(FIRST) / FIRST
        values, W, b = self._along(u, edges, W, b)
        low, width, left, right = edges, np.full(FIRST, np.pi / FIRST), values, np.roll(values, -1)
        best, bound = max(best, float(values.max())), 0.0
        while len(low):
            upper = np.maximum(left, right) + np.minimum(width / 2.0 * slope, width**2 / 8.0 * bend)
            open_ = upper > best * (1.0 + (SHARP if np.isfinite(bend) else SHARP_WITH_KINKS))
            bound = max(bound, float(upper[~open_].max(initial=0.0)))
            low, width, left, right, upper = (a[open_] for a in (low, width, left, right, upper))
            if late(end) or len(W) + len(low) > MOST:
                bound = max(bound, float(upper.max(initial=0.0)))
                break
            check()
            width = width / 2.0
            at, W, b = self._along(u, low + width, W, b)
            best = max(best, float(at.max(initial=0.0)))
            low, width = np.concatenate([low, low + width]), np.concatenate([width, width])
            left, right = np.concatenate([left, at]), np.concatenate([at, right])
        found = ranked(Scope.BOUNDED, eta_at(self._X, u, W, b, self._activation), W, b)
        return Supremum(max(bound, best, found.value), Scope.BOUNDED, found.weights, found.biases)

    def _along(self, u: Array, angles: Array, W: Array, b: Array) -> tuple[Array, Array, Array]:
        """The proven supremum over the biases at each angle; and the neurons, with the largest peak at each."""
        values, biases = np.empty(len(angles)), np.empty(len(angles))
        directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        for i, w in enumerate(directions):
            check()
            p = self._centred @ w
            order = np.argsort(p, kind="stable")
            peaks = self._activation.peaks(p[order], u[order], True)
            eta = group_norms(
                eta_at(self._centred, u, np.tile(w, (len(peaks.biases), 1)), peaks.biases, self._activation)
            )
            top = int(eta.argmax())
            values[i], biases[i] = max(peaks.bound, float(eta[top])), peaks.biases[top] + w @ self._centre
        return values, np.concatenate([W, directions]), np.append(b, biases)
