"""Directions from which to search for large |eta|."""

from __future__ import annotations

import numpy as np

from ridgesplines.validation import Array

#: A normal through d nearby points: their number, times d, and of how many points neighbours are looked for.
NEARBY = 4
SAMPLE = 4096
#: How far to go from a known maximum, as the tangent of the angle; drawn log-uniformly.
NEAR_TANGENT, FAR_TANGENT = 0.05, 0.5


def fresh(X: Array, number: int, rng: np.random.Generator) -> Array:
    """Random directions, differences of data points, normals of hyperplanes through d points that lie together."""
    thirds = [number // 3, number // 3]
    kinds = [_differences(X, thirds[0], rng), _normals(X, thirds[1], rng)]
    return np.concatenate([rng.standard_normal((number - sum(map(len, kinds)), X.shape[1])), *kinds])


def _differences(X: Array, number: int, rng: np.random.Generator) -> Array:
    pairs = rng.integers(len(X), size=(number, 2))
    apart = X[pairs[:, 0]] - X[pairs[:, 1]]
    return apart[(apart != 0.0).any(axis=1)]


def _normals(X: Array, number: int, rng: np.random.Generator) -> Array:
    d = X.shape[1]
    points = X if len(X) <= SAMPLE else X[rng.choice(len(X), SAMPLE, replace=False)]
    if len(points) < d:
        return np.empty((0, d))
    near = min(NEARBY * d, len(points))
    normals = np.empty((number, d))
    for i in range(number):
        off = points - points[rng.integers(len(points))]
        chosen = rng.choice(np.argpartition((off**2).sum(axis=1), near - 1)[:near], d, replace=False)
        normals[i] = np.linalg.svd(points[chosen[1:]] - points[chosen[0]])[2][-1]
    return normals


def principal(X: Array, U: Array) -> Array:
    """Eigenvectors of sum u_n x_n x_n^T: eta is large where it is, to second order. 2 d for several outputs, else d."""
    columns = U if U.shape[1] == 1 else U @ np.linalg.svd(U, full_matrices=False)[2][:2].T
    return np.concatenate([np.linalg.eigh((X.T * u) @ X)[1].T for u in columns.T])


def around(W: Array, number: int, rng: np.random.Generator) -> Array:
    """Directions near unit vectors W, some nearer, some farther."""
    d = W.shape[1]
    far = np.exp(rng.uniform(np.log(NEAR_TANGENT), np.log(FAR_TANGENT), number)) / np.sqrt(d)
    return W[rng.integers(len(W), size=number)] + far[:, None] * rng.standard_normal((number, d))
