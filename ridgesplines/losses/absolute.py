"""Absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Absolute(Loss):
    r"""Absolute error, whose minimiser estimates a conditional median.

    .. math:: L(y, z) = |y - z|

    Notes
    -----
    The conjugate is :math:`v y` on :math:`|v| \le 1`. It is twice ``Quantile(0.5)``.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Absolute().value(np.array([1.0, -1.0]), np.array([3.0, -1.5]))
    array([2. , 0.5])
    """

    cone: ClassVar[str] = "linear"
    smooth: ClassVar[bool] = False

    def value(self, y: Array, z: Array) -> Array:
        return abs(y - z)

    def gradient(self, y: Array, z: Array) -> Array:
        return np.sign(z - y)

    def conjugate(self, y: Array, v: Array) -> Array:
        return np.where(np.abs(v) <= 1.0, v * y, np.inf)

    def nearest(self, y: Array, v: Array) -> Array:
        return np.clip(v, -1.0, 1.0)

    def room(self, y: Array, v: Array) -> Array:
        return np.maximum(1.0 - v**2, 0.0)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        return cp.sum(cp.multiply(weight, cp.abs(y - z))), []

    def pieces(self, y: Array) -> list[tuple[Array, Array]]:
        one = np.ones_like(y)
        return [(-one, y), (one, -y)]

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return self, scale
