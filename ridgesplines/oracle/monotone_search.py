r"""What counts of eta where f must be monotone in some features, searched: groups of three and more features.

.. math:: |\eta(w, b)| - \tfrac12 \sum_j \mu_j |w_j| = \tfrac12 \sum_i a_i |p_i^T \theta|, \qquad \theta = (w, b)

once the sign s of eta is chosen: over the data, :math:`p_n = (x_n, -1)` and :math:`a_n = s u_n`, and over the features,
:math:`p_j = (e_j, 0)` and :math:`a_j = -\mu_j`, points at infinity that weigh as the multipliers do. Batches of ascents
propose (:mod:`ridgesplines.oracle.batches`); the best follow the steepest way up to a maximum, each step the best of a
whole great circle :math:`\theta \cos t + \gamma \sin t`, on which the sum is a sinusoid between crossings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check, late
from ridgesplines.numerics import fast
from ridgesplines.numerics.fast import one_thread
from ridgesplines.oracle.batches import STEPS, Batch, Scout
from ridgesplines.oracle.circles import Rows
from ridgesplines.oracle.passes import Host
from ridgesplines.oracle.quasi_newton import FIRST_STEP
from ridgesplines.oracle.starts import Sites, around, joined, nowhere, within
from ridgesplines.validation import Array

#: Random starts of a call for each feature, and for each group at least.
STARTS_PER_FEATURE, FEWEST_STARTS = 64, 8
#: Hyperplanes that are followed to their maxima, compiled and not; how many are kept for the next dual vector.
FOLLOWED, FEWER_FOLLOWED, KEPT = 256, 64, 64
#: Steps of one that is followed, at most; a slope relative to the value, and a gain, that are rounding.
MAX_STEPS, FLAT, GAIN = 100, 1e-10, 1e-12
#: A slope that is rounding, relative to the sum of the weights.
ROUNDING = 8.0 * np.finfo(float).eps
#: Relative to the largest distance: a point as near as this is on the hyperplane.
TOUCH = 1e-12
#: Relative to its weight: by how much a point may be pulled that holds. Points nearer than this to the span of others
#: depend on them.
TIGHT, DEPENDENT = 1e-12, 1e-9
#: Points times steps of ascents that compiled code takes in one call, some tenths of a second.
TOGETHER = 2**14


class MonotoneSearch:
    """Neurons for which what counts is large, of data X (N, d) about the origin and of size one; of some groups."""

    def __init__(self, X: Array, groups: Interactions, seed: int | Sequence[int] = 0) -> None:
        self._X, self._groups, self._rng = X, groups, np.random.default_rng(seed)
        self._scout = Scout(X, Host())
        self._kept = nowhere(X.shape[1])
        self._number = max(STARTS_PER_FEATURE * X.shape[1], FEWEST_STARTS * len(groups))
        self._compiled = fast.compiled("oracle.compiled_steepest")  # ten times as fast, whatever N
        self._most = FEWER_FOLLOWED if self._compiled is None else FOLLOWED

    def __call__(
        self,
        u: Array,
        mu: Array,
        near: Sites | None = None,
        harder: int = 1,
        until: Callable[[float], bool] | None = None,
        end: float = np.inf,
    ) -> Sites:
        """Maxima, and what else is large; from `harder` batches, each of which also starts near what others found.

        The first that finds so large a value that `until` is true is the last.
        """
        near = nowhere(self._X.shape[1]) if near is None else self._own(near)
        found = joined(near, self._own(self._kept))
        for _ in range(harder):
            W, b, size = self._batch(u, mu, found, end)
            top = self._scout.distinct(W, b, size, self._most, found)
            found = joined(self._followed(u, mu, W[top], b[top], end), found)
            values = self._values(u, mu, *found)
            if until is not None and until(float(values.max(initial=0.0))):
                break
        top = np.argsort(-values, kind="stable")[:KEPT]
        self._kept = found[0][top], found[1][top]
        return found

    def _batch(self, u: Array, mu: Array, known: Sites, end: float) -> tuple[Array, Array, Array]:
        """Where a batch of ascents leads, each within the features of its start."""
        rng, members, number = self._rng, self._groups.members, self._number
        dealt = rng.permutation(len(members))[np.arange(number) % len(members)]
        fresh = within(self._X, some_features(members[dealt], rng), rng)
        beside = around(known, number // 2, rng, known[0] != 0.0)
        W, b = joined(joined(fresh, beside), known)
        scale = float(np.abs(u).max()) or 1.0
        prices = np.append(0.5 * mu / scale, 0.0)
        columns = self._groups.columns[self._groups.any_containing(W, rng)]
        none = W.shape[1]
        padded = np.column_stack([W, np.zeros(len(W))])
        columns = np.where(np.take_along_axis(padded, columns, axis=1) != 0.0, columns, none)
        with one_thread():
            batch = Penalised(self._X, u[:, None] / scale, Host(), prices[columns])
            return batch.climb(W, b, STEPS, FIRST_STEP, end, columns)

    def _values(self, u: Array, mu: Array, W: Array, b: Array) -> Array:
        """What counts at neurons."""
        return np.asarray(np.abs(np.abs(W @ self._X.T - b[:, None]) @ (0.5 * u)) - 0.5 * np.abs(W) @ mu)

    def _own(self, sites: Sites) -> Sites:
        """Those that keep to one of the groups."""
        own = self._groups.allow(sites[0])
        return sites[0][own], sites[1][own]

    def _followed(self, u: Array, mu: Array, W: Array, b: Array, end: float) -> Sites:
        """The maxima to which neurons lead, each within a group that has it; as they are where time is over."""
        W, b = W.copy(), b.copy()
        of = self._groups.any_containing(W, self._rng)
        for group in np.unique(of):
            columns, rows = list(self._groups.groups[group]), np.flatnonzero(of == group)
            X, k = self._X[:, columns], len(columns)
            points = np.vstack([np.column_stack([X, -np.ones(len(X))]), np.eye(k, k + 1)])
            ascend = ascents(points, self._compiled)
            theta = np.column_stack([W[np.ix_(rows, columns)], b[rows]])
            theta /= np.linalg.norm(theta[:, :-1], axis=1, keepdims=True)
            signs = np.where(np.abs(X @ theta[:, :-1].T - theta[:, -1]).T @ u < 0.0, -1.0, 1.0)
            for sign in np.unique(signs):
                a = np.concatenate([sign * u, -mu[columns]])
                own = np.flatnonzero(signs == sign)
                for few in np.array_split(own, -(-len(own) * len(X) // TOGETHER)):
                    check()
                    if late(end):
                        return W, b
                    best = ascend(a, theta[few])
                    W[np.ix_(rows[few], columns)], b[rows[few]] = best[:, :-1], best[:, -1]
        return np.where(np.abs(W) <= TOUCH, 0.0, W), b  # a feature left out is


def some_features(members: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Of the features of each row, (m, d), a random set of any size: where each has a price, few may be worth it."""
    rank = np.where(members, rng.random(members.shape), 2.0).argsort(axis=1).argsort(axis=1)
    return rank < rng.integers(1, members.sum(axis=1) + 1)[:, None]


def ascents(points: Array, compiled: Any) -> Callable[[Array, Array], Array]:
    """From weights of the points (M,) and starts (m, p) to local maxima, (m, p)."""
    if compiled is None:
        return lambda a, starts: np.array([ascended(points, a, theta) for theta in starts])
    columns, constants = np.ascontiguousarray(points.T), (TOUCH, FLAT, GAIN, TIGHT, DEPENDENT)
    return lambda a, starts: compiled.ascended(columns, a, starts, np.array([*constants, _rounding(a)]), MAX_STEPS)


def _rounding(a: Array) -> float:
    """Of a slope of the sum, for points of size one."""
    return ROUNDING * float(np.abs(a).sum())


class Penalised(Batch):
    """Ascents of |eta| less prices of the weights' sizes, (m, k)."""

    def __init__(self, X: Array, U: Array, machine: Host, prices: Array) -> None:
        super().__init__(X, U, machine)
        self._prices = prices.astype(np.float32)

    def _way_up(self, theta: Rows) -> tuple[Rows, Rows]:
        size, way = super()._way_up(theta)
        w = theta[:, :-1]
        pull = self._prices * np.sign(w)
        cost = (pull * w).sum(1)
        way[:, :-1] -= pull - cost[:, None] * w
        return size - cost, way


def ascended(points: Array, a: Array, theta: Array) -> Array:
    """A local maximum of sum a |p^T theta| over |w| = 1, the last coordinate free, by the steepest ways up."""
    value = float(a @ np.abs(points @ theta))
    for _ in range(MAX_STEPS):
        distances = points @ theta
        held = np.abs(distances) <= TOUCH * np.abs(distances).max(initial=0.0)
        distances[held] = 0.0
        way = (a * np.sign(distances)) @ points
        way[:-1] -= value * theta[:-1]
        way = _steepest(way, points[held], a[held])
        way -= (way[:-1] @ theta[:-1]) * theta  # what only lengthens w does nothing
        length, least = np.linalg.norm(way[:-1]), max(FLAT * abs(value), _rounding(a))
        if np.linalg.norm(way) <= least:
            break
        if length <= least:
            trial = _shifted(points, a, theta)
        else:
            t = best_angle(distances, points @ (way / length), a)
            trial = np.cos(t) * theta + np.sin(t) * way / length
            trial /= np.linalg.norm(trial[:-1])
        after = float(a @ np.abs(points @ trial))
        if not after > value + GAIN * abs(value):
            break
        theta, value = trial, after
    return theta


def _steepest(way: Array, held: Array, a: Array) -> Array:
    """The way in which the sum rises fastest: points on the hyperplane of weight a < 0 hold it, to that extent."""
    way = way + (np.maximum(a, 0.0) * np.sign(held @ way)) @ held  # to leave the others is a gain either way
    holding = a < 0.0
    held, limits = held[holding], -a[holding]
    while len(held):
        pulls = np.linalg.lstsq(held.T, way, rcond=None)[0]
        excess = np.abs(pulls) - limits
        worst = int(excess.argmax())
        if excess[worst] <= TIGHT * limits[worst]:
            return way - pulls @ held
        way = way - np.sign(pulls[worst]) * limits[worst] * held[worst]
        held, limits = np.delete(held, worst, axis=0), np.delete(limits, worst)
    return way


def best_angle(x: Array, y: Array, a: Array) -> float:
    """The t in [0, pi) at which sum a |x cos t + y sin t| is largest."""
    side = np.where(x != 0.0, np.sign(x), np.sign(y))
    crossing = np.where(x != 0.0, np.arctan2(-x * side, y * side) % np.pi, np.pi)
    order = np.argsort(crossing)
    pulls = (a * side)[order]
    falls = np.cumsum(np.column_stack([pulls * x[order], pulls * y[order]]), axis=0)
    moments = np.vstack([np.zeros((1, 2)), -2.0 * falls]) + falls[-1]
    edges = np.concatenate([[0.0], crossing[order], [np.pi]])
    peak = np.arctan2(moments[:, 1], moments[:, 0])
    inside = (peak > edges[:-1]) & (peak < edges[1:])
    t = np.concatenate([np.where(inside, peak, edges[:-1]), edges[1:]])
    twice = np.concatenate([moments, moments])
    return float(t[np.argmax(twice[:, 0] * np.cos(t) + twice[:, 1] * np.sin(t))])


def _shifted(points: Array, a: Array, theta: Array) -> Array:
    """The best bias for the weights: at one of the data."""
    data = points[points[:, -1] < 0.0]
    biases = data[:, :-1] @ theta[:-1]
    distances = (points[:, :-1] @ theta[:-1])[:, None] + points[:, -1:] * biases
    return np.append(theta[:-1], biases[np.argmax(a @ np.abs(distances))])
