"""Interpolation: the fit passes through the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss
from ridgesplines.validation import Array

#: Largest residual, relative to the range of y, at which a fit in floating point counts as interpolating.
INTERPOLATES_RTOL = 1e-9


@dataclass(frozen=True)
class Interpolation(Loss):
    r"""Interpolation: zero where the fit meets the data, infinite elsewhere.

    .. math:: L(y, z) = 0 \text{ if } z = y, \quad \infty \text{ otherwise.}

    Only the seminorm remains in the objective, and lam only scales it; lam = 0 is allowed and gives the same
    function. In floating point, z = y is read as :math:`|y - z| \le 10^{-9} (\max y - \min y)`, plus rounding.

    Notes
    -----
    The conjugate is :math:`v y`, on all of R.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Interpolation().value(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    array([ 0., inf])
    """

    cone: ClassVar[str] = "linear"
    smooth: ClassVar[bool] = False
    interpolates: ClassVar[bool] = True

    def value(self, y: Array, z: Array) -> Array:
        rounding = 32.0 * np.finfo(float).eps * np.max(np.abs(y))
        close = np.abs(y - z) <= INTERPOLATES_RTOL * np.ptp(y) + rounding
        return np.where(close, 0.0, np.inf)

    def gradient(self, y: Array, z: Array) -> Array:
        return np.zeros_like(z)

    def conjugate(self, y: Array, v: Array) -> Array:
        return v * y

    def room(self, y: Array, v: Array) -> Array:
        return np.ones_like(v)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        return 0.0, [z == y]

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return self, scale
