"""The cross-entropy of D logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import softmax, xlog1py, xlogy

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss, namespace
from ridgesplines.validation import Array, real_array


@dataclass(frozen=True)
class Softmax(Loss):
    r"""The cross-entropy of D logits, for labels 0, ..., D - 1.

    .. math:: L(y, z) = \log \sum_{j} e^{z_j} - z_y, \qquad z \in \mathbb{R}^D

    Notes
    -----
    With :math:`p = v + e_y` the conjugate is :math:`\sum_j p_j \log p_j` on the simplex. The number D of outputs
    is one more than the largest label, and every label must occur. Where affine functions separate a class from
    the others the problem has no minimiser: solvers detect it and say so. A function added to all logits changes
    nothing; solutions are reported with affine parts that sum to zero over the classes.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Softmax().value(np.array([0]), np.zeros((1, 3))).round(4)
    array([1.0986])
    """

    cone: ClassVar[str] = "exponential"
    vector: ClassVar[bool] = True
    invariant: ClassVar[bool] = True
    translates: ClassVar[bool] = False
    labels: ClassVar[bool] = True

    def check(self, y: Any) -> Array:
        labels = real_array("y", y)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        expected = "integer labels 0, ..., D - 1, each of them present, D >= 2, shape (N,)"
        remedy = "Encode the classes as 0, ..., D - 1, or use RidgeSplineClassifier, which does so."
        if labels.ndim != 1:
            raise ProblemError("y", expected, f"shape {labels.shape}", remedy)
        distinct = np.unique(labels)
        if not np.array_equal(distinct, np.arange(max(distinct.size, 2))):
            raise ProblemError("y", expected, f"labels {distinct[:8].tolist()}", remedy)
        return labels

    def n_outputs(self, y: Array) -> int:
        return int(y.max()) + 1

    @staticmethod
    def _one_hot(y: Array, n: int) -> Array:
        return np.eye(n)[y.astype(int)]

    def value(self, y: Array, z: Array) -> Array:
        xp = namespace(z)
        own = y[:, None] == xp.arange(z.shape[1], device=z.device)
        shifted = z - xp.amax(z, axis=1, keepdims=True)
        return xp.log(xp.exp(shifted).sum(axis=1)) - (own * shifted).sum(axis=1)

    def gradient(self, y: Array, z: Array) -> Array:
        return softmax(z, axis=1) - self._one_hot(y, z.shape[1])

    def curvature(self, y: Array, z: Array) -> Array:
        return _covariance(softmax(z, axis=1))

    def majorant(self, y: Array, z: Array) -> Array:
        D = z.shape[1]
        return np.broadcast_to(0.5 * (np.eye(D) - 1.0 / D), (len(z), D, D))

    def conjugate(self, y: Array, v: Array) -> Array:
        own = self._one_hot(y, v.shape[1])
        p = v + own
        # Rows of v sum to zero up to rounding; a larger sum lies outside the domain.
        inside = (p >= 0.0).all(axis=1) & (np.abs(v.sum(axis=1)) <= 1e-12)
        p = np.maximum(p, 0.0)
        logs = np.where(
            own > 0.0, xlog1py(p, np.maximum(v, -1.0)), xlogy(p, p)
        )  # log1p: weights show what 1 + v rounds
        return np.where(inside, logs.sum(axis=1), np.inf)

    def nearest(self, y: Array, v: Array) -> Array:
        own = self._one_hot(y, v.shape[1])
        p = np.maximum(v + own, 0.0)
        total = p.sum(axis=1, keepdims=True)
        return np.where(total > 0.0, p / np.where(total > 0.0, total, 1.0) - own, 0.0)

    def room(self, y: Array, v: Array) -> Array:
        return _covariance(np.maximum(v + self._one_hot(y, v.shape[1]), 0.0))

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        chosen = cp.sum(cp.multiply(self._one_hot(y, z.shape[1]), z), axis=1)
        return cp.sum(cp.multiply(weight, cp.log_sum_exp(z, axis=1) - chosen)), []

    def probabilities(self, z: Array) -> Array:
        return np.asarray(softmax(z, axis=-1))

    def separable(self) -> bool:
        return True


def _covariance(p: Array) -> Array:
    """diag(p) - p p^T for each row."""
    return p[:, :, None] * np.eye(p.shape[1]) - p[:, :, None] * p[:, None, :]
