r"""sup |eta| in one dimension, exactly.

eta is piecewise linear in the bias with breakpoints at the data, and vanishes beyond them (the dual vector is
orthogonal to all affine functions): the supremum is the largest value at a data site. O(N log N).
"""

from __future__ import annotations

import numpy as np

from ridgesplines.line.kernels import certificate, summits
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


class LineOracle:
    """The supremum for data x (N,) along a unit `direction` of R^d; neurons are reported along it. Sorted once."""

    def __init__(self, x: Array, direction: Array) -> None:
        self._order = None if (x[1:] >= x[:-1]).all() else np.argsort(x, kind="stable")
        self._x = x if self._order is None else x[self._order]
        self._direction = direction[None]

    def __call__(self, u: Array, level: float | None = None, **_: object) -> Supremum:
        eta = certificate(self._x, u if self._order is None else u[self._order])
        peak = summits(eta)  # others lead to the same knots
        size = group_norms(eta[peak])
        if level is not None and size.max() <= level:
            peak = peak[size.argmax()][None]
        return ranked(Scope.EXACT, eta[peak], np.repeat(self._direction, len(peak), axis=0), self._x[peak])
