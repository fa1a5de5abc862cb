"""The quantile (pinball) loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss, namespace
from ridgesplines.validation import Array, real_number


@dataclass(frozen=True)
class Quantile(Loss):
    r"""The quantile, or pinball, loss, whose minimiser estimates a conditional quantile.

    .. math:: L(y, z) = \max(q r, (q - 1) r), \qquad r = y - z.

    Parameters
    ----------
    q : the quantile, between 0 and 1, both excluded.

    Notes
    -----
    The conjugate is :math:`v y` on :math:`-q \le v \le 1 - q`.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, Regression quantiles, Econometrica 46 (1978), doi:10.2307/1913643

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Quantile(q=0.9).value(np.array([1.0, -1.0]), np.zeros(2))
    array([0.9, 0.1])
    """

    q: float = 0.5
    cone: ClassVar[str] = "linear"
    smooth: ClassVar[bool] = False

    def __post_init__(self) -> None:
        real_number("q", self.q, "a number strictly between 0 and 1", 0.0, 1.0, open_=True)

    def value(self, y: Array, z: Array) -> Array:
        r = y - z
        return namespace(z).maximum(self.q * r, (self.q - 1.0) * r)

    def gradient(self, y: Array, z: Array) -> Array:
        return np.where(y > z, -self.q, np.where(y < z, 1.0 - self.q, 0.0))

    def conjugate(self, y: Array, v: Array) -> Array:
        return np.where((v >= -self.q) & (v <= 1.0 - self.q), v * y, np.inf)

    def nearest(self, y: Array, v: Array) -> Array:
        return np.clip(v, -self.q, 1.0 - self.q)

    def room(self, y: Array, v: Array) -> Array:
        return np.maximum((v + self.q) * (1.0 - self.q - v), 0.0)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        r = y - z
        return cp.sum(cp.multiply(weight, cp.maximum(self.q * r, (self.q - 1.0) * r))), []

    def pieces(self, y: Array) -> list[tuple[Array, Array]]:
        one = np.ones_like(y)
        return [(-self.q * one, self.q * y), ((1.0 - self.q) * one, (self.q - 1.0) * y)]

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return self, scale
