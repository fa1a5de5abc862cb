r"""sup |eta| in many dimensions, searched: a lower bound on the supremum, and no more than that.

From many starting directions: the best bias by one sort and cumulative sums; then, the activation pattern held,
:math:`\eta` is linear, :math:`M^T w`, and its best direction is the leading left singular vector of M. A step is kept
where it climbs.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.network import group_norms
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.validation import Array

STARTS = 512
STEPS = 40


def search_oracle(X: Array, u: Array, starts: Array | None = None, seed: int = 0) -> Supremum:
    """The best violator found from seeded random directions, differences of data points and `starts` (m, d)."""
    rng = np.random.default_rng(seed)
    d = X.shape[1]
    pairs = rng.integers(len(X), size=(STARTS // 2, 2))
    candidates = [rng.standard_normal((STARTS, d)), X[pairs[:, 0]] - X[pairs[:, 1]]]
    if starts is not None:
        candidates.append(starts)
    W = np.concatenate(candidates)
    W = W[np.linalg.norm(W, axis=1) > 0.0]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    U = u.reshape(len(u), -1)
    found = [_ascend(X, U, w) for w in W]
    eta, weights, biases = (np.array(part) for part in zip(*found, strict=True))
    return ranked("searched", eta, weights, biases)


def _ascend(X: Array, U: Array, w: Array) -> tuple[float, Array, float]:
    value, bias, M = _best_bias(X, U, w)
    for _ in range(STEPS):
        trial = np.linalg.svd(M, full_matrices=False)[0][:, 0]
        higher, b, N = _best_bias(X, U, trial)
        if higher <= value * (1.0 + 1e-12):
            break
        value, bias, M, w = higher, b, N, trial
    return value, w, bias


def _best_bias(X: Array, U: Array, w: Array) -> tuple[float, float, Array]:
    """The largest |eta(w, .)|, its bias, and the matrix M of its activation pattern."""
    p = X @ w
    order = np.argsort(p)
    p, V = p[order], U[order]
    mass = np.cumsum(V[::-1], axis=0)[::-1]
    moment = np.cumsum((V.T * p).T[::-1], axis=0)[::-1]
    size = group_norms(moment - p[:, None] * mass)
    k = int(np.argmax(size))
    active = order[k:]
    return float(size[k]), float(p[k]), (X[active] - X[order[k]]).T @ U[active]
