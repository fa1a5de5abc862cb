r"""A search for the largest :math:`|\eta|` on a sphere of any dimension, by exact steps along great circles.

Many random starts go a few steps each, and the best of them go on. At a direction w the points with
:math:`w^T p_n = 0` are touched: there :math:`\eta` has a kink, and maxima tend to sit on many of them. A step goes
along the best of several great circles through w, to the maximum of all of that circle: along the gradient, freely and
with all touched points held; with all of them held but one; and along a random one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.great_circles import best_on_circles, ordered, values_at
from ridgesplines.validation import Array

#: Random starts for each dimension, and at how many of the largest values an ascent begins.
STARTS, ASCENTS = 64, 12
#: So many times as many ascents where the search knows nothing of earlier ones.
CONFIRMING = 16
#: Random starts times points times their dimension, at most.
MOST_ENTRIES = 2**20
#: Steps of an ascent at most; it ends where one gains less than this, relatively.
STEPS, PROGRESS_RTOL = 60, 1e-13
#: A unit point so near to the hyperplane is touched.
TOUCHED = 1e-9
#: Directions nearer than this are one.
SAME = 1e-9
#: Steps of all random starts; of those whose cosine is larger afterwards only one goes on.
FIRST_STEPS, ALIKE = 6, 0.999
#: A step whose part along the sphere is this short, relatively, is none.
LEVEL = 1e-7


class SphereSearch:
    """Directions of large |eta| for unit points (N, p); see the module."""

    def __init__(self, points: Array, seed: int | Sequence[int] = 0) -> None:
        self._points, self._rng = points, np.random.default_rng(seed)
        self._kept = np.empty((0, points.shape[1]))

    def __call__(
        self,
        u: Array,
        near: Array | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> tuple[Array, int]:
        """(directions (K, p), how many random starts there were) for u (N, D)."""
        p = self._points.shape[1]
        random = self._random(min(STARTS if afresh is None else afresh, MOST_ENTRIES // self._points.size) * p)
        known = [] if near is None or not len(near) else [near / np.linalg.norm(near, axis=1, keepdims=True)]
        if afresh is None:
            known.append(self._kept)
        every = np.concatenate(
            [self._promising(u, random, ASCENTS if afresh is None else CONFIRMING * ASCENTS), *known]
        )
        found = self._ascents(u, every, 3 if rough else STEPS, end)
        self._kept = ordered(self._points, u, found, ASCENTS)[0]
        return found, len(random)

    def _random(self, count: int) -> Array:
        """Unit vectors: half of them anywhere, half normal to hyperplanes through p - 1 random points."""
        n, p = self._points.shape
        anywhere = self._rng.standard_normal((count - count // 2, p))
        touching = self._points[self._rng.integers(n, size=(count // 2, p - 1))]
        normal = np.linalg.svd(touching)[2][:, -1]
        normal *= self._rng.choice([-1.0, 1.0], size=(len(normal), 1))
        every = np.concatenate([anywhere, normal])
        return every / np.linalg.norm(every, axis=1, keepdims=True)

    def _promising(self, u: Array, directions: Array, most: int) -> Array:
        """The best of many directions after a few steps along their gradients, and along random tangents."""
        for count in range(FIRST_STEPS):
            check()
            steps = self._rng.standard_normal(directions.shape)
            if count % 2 == 0:
                steps = self._gradients(u, directions)
            planes, owner = _planes_through(directions, steps)
            if len(planes):
                directions[owner] = best_on_circles(self._points, u, planes)[0]
        directions, _ = ordered(self._points, u, directions, len(directions))
        kept: list[int] = []
        for k, w in enumerate(directions):
            if len(kept) < most and (directions[kept] @ w < ALIKE).all():
                kept.append(k)
        return directions[kept]

    def _gradients(self, u: Array, W: Array) -> Array:
        """Those of |eta|, up to their length, where there are any: touched points are taken for inactive."""
        distances = W @ self._points.T
        eta = np.maximum(distances, 0.0) @ u
        gradients: Array = ((distances > TOUCHED) * (eta @ u.T)) @ self._points
        return gradients / np.maximum(np.linalg.norm(gradients, axis=1, keepdims=True), 1e-300)

    def _ascents(self, u: Array, directions: Array, steps: int, end: float) -> Array:
        """All directions, each after exact steps along great circles for as long as they gain."""
        W, values = directions.copy(), group_norms(values_at(self._points, u, directions))
        rising = np.ones(len(W), dtype=bool)
        for _ in range(steps):
            check()
            if not rising.any() or late(end):
                break
            active = np.flatnonzero(rising)
            planes, owner = self._planes(u, W[active])
            if not len(planes):
                break
            best, value = best_on_circles(self._points, u, planes)
            for j, k in enumerate(active):
                own = np.flatnonzero(owner == j)
                top = own[value[own].argmax()] if len(own) else -1
                rising[k] = top >= 0 and value[top] > values[k] * (1.0 + PROGRESS_RTOL)
                if rising[k]:
                    W[k], values[k] = best[top], value[top]
            rising = self._apart(W, values, rising)
        return W

    def _apart(self, W: Array, values: Array, rising: Array) -> Array:
        """Of ascents that have met only the first goes on."""
        order = np.argsort(-values, kind="stable")
        close = np.linalg.norm(W[order][:, None] - W[order][None], axis=2) < SAME
        repeated = np.tril(close, -1).any(axis=1)
        rising[order[repeated]] = False
        return rising

    def _planes(self, u: Array, W: Array) -> tuple[Array, Array]:
        """Bases of the planes of the circles of each direction (B, 2, p), and whose they are."""
        distances, gradients = W @ self._points.T, self._gradients(u, W)
        steps = [
            self._tangents(w, gradients[k], self._points[np.abs(distances[k]) <= TOUCHED]) for k, w in enumerate(W)
        ]
        whose = np.repeat(np.arange(len(W)), [len(of_one) for of_one in steps])
        planes, kept = _planes_through(W[whose], np.vstack(steps))
        return planes, whose[kept]

    def _tangents(self, w: Array, gradient: Array, touched: Array) -> list[Array]:
        """The ways to go from a direction w, of any length, not yet orthogonal to it."""
        tangents = [gradient, self._rng.standard_normal(len(w))]
        if len(touched):
            if len(touched) > len(w) - 1:  # so many are dependent
                touched = touched[self._rng.permutation(len(touched))[: len(w) - 1]]
            held = np.vstack([w, touched])
            off = np.linalg.pinv(held, rcond=1e-9)  # each column leaves one of the rows, and no other
            tangents += [gradient - off @ (held @ gradient), *off.T[1:]]
        return tangents


def _planes_through(W: Array, steps: Array) -> tuple[Array, Array]:
    """Orthonormal bases (B, 2, p) of the planes of directions W and steps from them, and whose: others are none."""
    size = np.linalg.norm(steps, axis=1)
    steps = steps / np.where(size > 0.0, size, 1.0)[:, None]
    for _ in range(2):  # twice is enough for rounding
        steps = steps - np.einsum("kp,kp->k", steps, W)[:, None] * W
    size = np.linalg.norm(steps, axis=1)
    steep = np.flatnonzero(size > LEVEL)
    return np.stack([W[steep], steps[steep] / size[steep, None]], axis=1), steep
