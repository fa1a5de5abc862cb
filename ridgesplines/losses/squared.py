"""Squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Loss
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Squared(Loss):
    r"""Squared error, without a factor of one half.

    .. math:: L(y, z) = (y - z)^2, \qquad \|y - z\|_2^2 \text{ for vector outputs.}

    Notes
    -----
    The conjugate is :math:`L^*(y, v) = v^2/4 + v y`, so the dual objective of a dual vector u is
    :math:`u^T y - \|u\|^2/4`. Targets: any real numbers, shape (N,) or (N, D).

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Squared().value(np.array([1.0]), np.array([3.0]))
    array([4.])
    """

    cone: ClassVar[str] = "quadratic"
    lipschitz: ClassVar[float | None] = 2.0
    vector: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    likelihood: ClassVar[bool] = True

    def value(self, y: Array, z: Array) -> Array:
        r = (y - z) ** 2
        return r if r.ndim == 1 else r.sum(axis=1)

    def gradient(self, y: Array, z: Array) -> Array:
        return 2.0 * (z - y)

    def curvature(self, y: Array, z: Array) -> Array:
        if z.ndim == 1:
            return np.full(z.shape, 2.0)
        return np.broadcast_to(2.0 * np.eye(z.shape[1]), (*z.shape, z.shape[1]))

    def conjugate(self, y: Array, v: Array) -> Array:
        c = v**2 / 4.0 + v * y
        return c if c.ndim == 1 else c.sum(axis=1)

    def room(self, y: Array, v: Array) -> Array:
        return self.curvature(y, v) / 2.0

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        root = np.sqrt(weight)
        root = root if y.ndim == 1 else np.repeat(root[:, None], y.shape[1], axis=1)
        return cp.sum_squares(cp.multiply(root, z) - root * y), []

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return self, scale**2
