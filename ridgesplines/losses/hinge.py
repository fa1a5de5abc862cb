"""The hinge loss of a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.losses.base import Margin
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Hinge(Margin):
    r"""The hinge loss of a margin, for labels in {-1, +1}.

    .. math:: L(y, z) = \max(0, 1 - y z)

    Notes
    -----
    With :math:`p = -y v` the conjugate is :math:`-p` on :math:`0 \le p \le 1`. Separable data are no trouble:
    the infimum is attained.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Hinge().value(np.array([1.0, -1.0]), np.array([3.0, 0.5]))
    array([0. , 1.5])
    """

    cone: ClassVar[str] = "linear"
    smooth: ClassVar[bool] = False

    def value(self, y: Array, z: Array) -> Array:
        return (1.0 - y * z).clip(0.0)

    def gradient(self, y: Array, z: Array) -> Array:
        return np.where(y * z < 1.0, -y, 0.0)

    def conjugate(self, y: Array, v: Array) -> Array:
        p = -y * v
        return np.where((p >= 0.0) & (p <= 1.0), -p, np.inf)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        return cp.sum(cp.multiply(weight, cp.pos(1.0 - cp.multiply(y, z)))), []

    def pieces(self, y: Array) -> list[tuple[Array, Array]]:
        return [(np.zeros_like(y), np.zeros_like(y)), (-y, np.ones_like(y))]
