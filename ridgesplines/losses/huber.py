"""Huber's loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss, namespace
from ridgesplines.validation import Array, real_number


@dataclass(frozen=True)
class Huber(Loss):
    r"""Huber's loss: squared error near zero, absolute error in the tails.

    .. math:: L(y, z) = r^2 \text{ for } |r| \le \delta, \quad 2\delta|r| - \delta^2 \text{ beyond}, \quad r = y - z.

    Parameters
    ----------
    delta : the residual, in units of y, beyond which a sample counts as an outlier; positive.

    Notes
    -----
    The conjugate is that of squared error, :math:`v^2/4 + v y`, on the domain :math:`|v| \le 2\delta`.

    References
    ----------
    .. [1] P. J. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964),
       doi:10.1214/aoms/1177703732

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Huber(delta=1.0).value(np.zeros(2), np.array([0.5, 3.0]))
    array([0.25, 5.  ])
    """

    delta: float = 1.0
    cone: ClassVar[str] = "quadratic"
    lipschitz: ClassVar[float | None] = 2.0

    def __post_init__(self) -> None:
        real_number("delta", self.delta, "a positive finite number", 0.0, open_=True)

    def value(self, y: Array, z: Array) -> Array:
        r = abs(y - z)
        return namespace(z).where(r <= self.delta, r**2, self.delta * (2.0 * r - self.delta))

    def gradient(self, y: Array, z: Array) -> Array:
        return 2.0 * np.clip(z - y, -self.delta, self.delta)

    def curvature(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(y - z) <= self.delta, 2.0, 0.0)

    def majorant(self, y: Array, z: Array) -> Array:
        return 2.0 * self.delta / np.maximum(np.abs(y - z), self.delta)

    def conjugate(self, y: Array, v: Array) -> Array:
        inside = np.abs(v) <= 2.0 * self.delta
        return np.where(inside, v**2 / 4.0 + v * y, np.inf)

    def nearest(self, y: Array, v: Array) -> Array:
        return np.clip(v, -2.0 * self.delta, 2.0 * self.delta)

    def room(self, y: Array, v: Array) -> Array:
        return np.maximum(1.0 - (v / (2.0 * self.delta)) ** 2, 0.0)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        # CVXPY annotates the threshold as an int, and takes any positive number.
        return cp.sum(cp.multiply(weight, cp.huber(z - y, self.delta))), []  # type: ignore[arg-type]

    def box(self, y: Array) -> tuple[Array, Array, Array, Array]:
        edge = np.full(len(y), 2.0 * self.delta)
        return y, np.full(len(y), 0.5), -edge, edge

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return Huber(self.delta / scale), scale**2
