"""Hyperplanes from which to search for large |eta|."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ridgesplines.validation import Array

#: Hyperplanes: unit weights (m, d), biases (m,).
Sites = tuple[Array, Array]

#: A hyperplane through d nearby points: how many of them at most; and their neighbours, times d, of so many points.
MOST_NORMALS = 256
NEARBY = 4
SAMPLE = 512
#: How far to go from a known maximum, as the tangent of the angle; drawn log-uniformly.
NEAR_TANGENT, FAR_TANGENT = 0.02, 0.7


def nowhere(d: int) -> Sites:
    """No hyperplanes."""
    return np.empty((0, d)), np.empty(0)


def joined(first: Sites, second: Sites) -> Sites:
    """Those of both."""
    return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])


def fresh(X: Array, number: int, rng: np.random.Generator, pinned: bool = False) -> Sites:
    """Through data points: in random directions, across differences of points, through d points that lie together.

    Where hyperplanes are `pinned` to the origin they go through it too, and through d - 1 points at most.
    """
    W, pivots = _normals(X, min(number // 3, MOST_NORMALS), rng, pinned)
    differences = number // 3
    ends = rng.integers(len(X), size=differences)
    others = (ends + rng.integers(1, len(X), size=differences)) % len(X)  # points that differ
    V = np.concatenate([X[ends] - X[others], rng.standard_normal((number - len(W) - differences, X.shape[1]))])
    on = rng.integers(len(X), size=len(V))
    if pinned:
        V -= (np.einsum("md,md->m", V, X[on]) / np.einsum("md,md->m", X[on], X[on]))[:, None] * X[on]
    W, pivots = np.concatenate([W, V]), np.concatenate([pivots, on])
    length = np.linalg.norm(W, axis=1)
    W, pivots = (W.T / np.where(length > 0.0, length, 1.0)).T[length > 0.0], pivots[length > 0.0]
    return W, np.zeros(len(W)) if pinned else np.einsum("md,md->m", W, X[pivots])


def _normals(X: Array, number: int, rng: np.random.Generator, pinned: bool) -> tuple[Array, Array]:
    """Normals of hyperplanes through d points that lie together, and one of the points; d - 1 and the origin."""
    n, d = X.shape
    few = rng.choice(n, min(n, SAMPLE), replace=False)
    if len(few) < d or d == 1:
        return np.empty((0, d)), np.empty(0, np.intp)
    pivots, near = rng.integers(len(few), size=number), min(NEARBY * d, len(few))
    square = (X[few] ** 2).sum(axis=1) - 2.0 * X[few[pivots]] @ X[few].T  # less that of the pivot
    together = np.argpartition(square, near - 1, axis=1)[:, :near]
    chosen = np.take_along_axis(together, rng.random(together.shape).argsort(axis=1)[:, :d], axis=1)
    points = X[few[chosen]]
    Q = np.linalg.qr(np.swapaxes(points[:, 1:] - (0.0 if pinned else points[:, :1]), 1, 2))[0]
    W = rng.standard_normal((number, d))
    for _ in range(2):  # twice is enough
        W -= np.einsum("mdk,mk->md", Q, np.einsum("mdk,md->mk", Q, W))
    return W, few[chosen[:, 0]]


def principal(X: Array, U: Array) -> Array:
    """Eigenvectors of sum u_n x_n x_n^T: eta is large where it is, to second order. 2 d for several outputs, else d."""
    columns = U if U.shape[1] == 1 else U @ np.linalg.svd(U, full_matrices=False)[2][:2].T
    return np.concatenate([np.linalg.eigh((X.T * u) @ X)[1].T for u in columns.T])


def within(X: Array, members: NDArray[np.bool_], rng: np.random.Generator) -> Sites:
    """Through data points, in random directions or across differences of points; each of some features, (m, d)."""
    ends, others = rng.integers(len(X), size=(2, len(members)))
    W = (
        np.where(np.arange(len(members))[:, None] % 2, rng.standard_normal(members.shape), X[ends] - X[others])
        * members
    )
    length = np.linalg.norm(W, axis=1)
    W, ends = (W[length > 0.0].T / length[length > 0.0]).T, ends[length > 0.0]
    return W, np.einsum("md,md->m", W, X[ends])


def around(
    known: Sites,
    number: int,
    rng: np.random.Generator,
    members: NDArray[np.bool_] | None = None,
    pinned: bool = False,
) -> Sites:
    """Near known hyperplanes, some nearer, some farther; none where none is known. In some features of each, (K, d).

    Those `pinned` to the origin stay there.
    """
    W, b = known
    if not len(b):
        return known
    parents, d = rng.integers(len(b), size=number), W.shape[1]
    far = np.exp(rng.uniform(np.log(NEAR_TANGENT), np.log(FAR_TANGENT), number)) / np.sqrt(d)
    V = W[parents] + far[:, None] * rng.standard_normal((number, d))
    if members is not None:
        V *= members[parents]
    length = np.linalg.norm(V, axis=1)
    shift = np.zeros(number) if pinned else far * rng.standard_normal(number)
    return V / length[:, None], (b[parents] + shift) / length


def apart(W: Array, b: Array, near: float, most: int) -> NDArray[np.intp]:
    """The indices of at most so many, in the order given, none near an earlier one; (w, b) and (-w, -b) are one."""
    theta = np.column_stack([W, b])
    close = np.minimum(cdist(theta, theta, "chebyshev"), cdist(theta, -theta, "chebyshev")) < near
    kept = list[int]()
    for i in range(len(b)):
        if len(kept) < most and not close[i, kept].any():
            kept.append(i)
    return np.array(kept, dtype=np.intp)
