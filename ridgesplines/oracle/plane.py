r"""sup |eta| in two dimensions, exactly, by an angular sweep.

The bias may be taken at a data point, the pivot :math:`x_m`. As the direction :math:`w(\theta)` turns over the half
circle, the other points cross the line through the pivot one by one; between two crossings, with
:math:`r_n = x_n - x_m` and fixed signs :math:`s_n`,

.. math:: \eta = \tfrac12 \sum_n u_n |w^T r_n| = M^T w(\theta), \qquad M = \tfrac12 \sum_n s_n r_n u_n^T

(a dual vector that is orthogonal to all affine functions cannot tell :math:`\rho(t)` from :math:`|t|/2`). The maximum
of :math:`\|M^T w\|` over an arc is in closed form: the leading eigenvector of the 2 x 2 matrix :math:`M M^T` if it lies
within, an end of the arc otherwise. One sort a pivot: O(N^2 log N), in blocks of pivots.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.validation import Array

#: Entries (pivots times points) of a block.
BLOCK = 2**19


def plane_oracle(X: Array, u: Array) -> Supremum:
    """The exact supremum for data X (N, 2) and a dual vector u (N,) or (N, D)."""
    U = u.reshape(len(u), -1)
    step = max(1, BLOCK // len(X))
    found = [_sweep(X, U, np.arange(i, min(i + step, len(X)))) for i in range(0, len(X), step)]
    value, angle = (np.concatenate(parts) for parts in zip(*found, strict=True))
    W = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return ranked("exact", value, W, np.einsum("nd,nd->n", W, X))


def _sweep(X: Array, U: Array, pivots: Array) -> tuple[Array, Array]:
    """The largest |eta| for each pivot, and the angle at which it is reached."""
    R = X[None] - X[pivots][:, None]
    angle, positive = _crossings(R)
    order = np.argsort(angle, axis=1)
    angle = np.take_along_axis(angle, order, axis=1)
    # Each crossing turns the sign of one point: M falls by s_n r_n u_n^T.
    flips = np.where(positive, 1.0, -1.0)[..., None, None] * R[..., :, None] * U[None, :, None, :]
    start = 0.5 * flips.sum(axis=1, keepdims=True)
    M = start - np.cumsum(np.take_along_axis(flips, order[..., None, None], axis=1), axis=1)
    width = np.diff(angle, axis=1, append=angle[:, :1] + np.pi)
    peak = _leading_angle(M)
    inside = np.mod(peak - angle, np.pi) < width
    best = np.where(inside, peak, angle)  # otherwise the left end; the right end is the next arc's left
    value = np.linalg.norm(M[..., 0, :] * np.cos(best)[..., None] + M[..., 1, :] * np.sin(best)[..., None], axis=-1)
    top = np.argmax(value, axis=1)[:, None]
    return np.take_along_axis(value, top, axis=1)[:, 0], np.take_along_axis(best, top, axis=1)[:, 0]


def _crossings(R: Array) -> tuple[Array, Array]:
    """When w(theta)^T r changes sign, theta in [0, pi), and whether it is positive before.

    Both come from one angle, so that they cannot contradict each other: on lattices, where many crossings
    coincide, signs taken from the coordinates instead would give violators that do not exist.
    """
    alpha = np.arctan2(R[..., 1], R[..., 0])
    half = np.pi / 2.0
    positive = (alpha >= -half) & (alpha < half)
    late = alpha < -half
    return np.where(positive, alpha + half, np.where(late, alpha + 3.0 * half, alpha - half)), positive


def _leading_angle(M: Array) -> Array:
    """The angle of the leading eigenvector of M M^T, in (-pi/2, pi/2]."""
    a, b = M[..., 0, :], M[..., 1, :]
    cross = np.einsum("...d,...d->...", a, b)
    skew = np.einsum("...d,...d->...", a - b, a + b)
    return 0.5 * np.arctan2(2.0 * cross, skew)
