"""The logistic loss of a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, xlog1py, xlogy

from ridgesplines.losses.base import Margin, namespace
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Logistic(Margin):
    r"""The logistic loss of a margin, for labels in {-1, +1}.

    .. math:: L(y, z) = \log(1 + e^{-y z})

    Notes
    -----
    With :math:`p = -y v` the conjugate is :math:`p\log p + (1-p)\log(1-p)` on :math:`0 \le p \le 1`. Where an
    affine function separates the classes the problem has no minimiser: solvers detect it and say so.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Logistic().value(np.array([1.0]), np.array([0.0])).round(4)
    array([0.6931])
    """

    cone: ClassVar[str] = "exponential"
    lipschitz: ClassVar[float | None] = 0.25
    likelihood: ClassVar[bool] = True

    def value(self, y: Array, z: Array) -> Array:
        xp, m = namespace(z), y * z
        return xp.maximum(-m, xp.zeros_like(m)) + xp.log1p(xp.exp(-abs(m)))

    def gradient(self, y: Array, z: Array) -> Array:
        m = y * z
        e = np.exp(-np.abs(m))
        return -y * np.where(m > 0.0, e, 1.0) / (1.0 + e)

    def curvature(self, y: Array, z: Array) -> Array:
        e = np.exp(-np.abs(z))
        return e / (1.0 + e) ** 2

    def majorant(self, y: Array, z: Array) -> Array:
        half = np.maximum(np.abs(z) / 2.0, 1e-8)
        return np.tanh(half) / (4.0 * half)

    def conjugate(self, y: Array, v: Array) -> Array:
        p = -y * v
        inside = (p >= 0.0) & (p <= 1.0)
        p = np.clip(p, 0.0, 1.0)
        # log1p: weights as large as 1 / p would show what 1 - p rounds.
        return np.where(inside, xlogy(p, p) + xlog1py(1.0 - p, -p), np.inf)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        return cp.sum(cp.multiply(weight, cp.logistic(cp.multiply(-y, z)))), []

    def probabilities(self, z: Array) -> Array:
        return np.stack([expit(-z), expit(z)], axis=-1)

    def separable(self) -> bool:
        return True
