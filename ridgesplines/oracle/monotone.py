r"""The supremum for functions that must be monotone in some features: exact over neurons of one or two, or searched.

The dual vector u is orthogonal to 1 and to the other features only, and :math:`\mu_j = -s_j \sum_n u_n x_{nj} \ge 0`
is the multiplier of the sign that the slope in feature j must have. What counts at a neuron is

.. math:: |\eta(w, b)| - \tfrac12 \sum_j \mu_j |w_j|, \qquad \eta(w, b) = \tfrac12 \sum_n u_n |w^T x_n - b|:

to bend may cost slope, and a neuron pays for what it takes in the worst place. Along one such feature two neurons may
share what they take, a strip (:class:`ridgesplines.neurons.strips.Strips`): what counts is then

.. math:: \tfrac12 s_j (\eta(e_j, b) - \eta(e_j, b')), \qquad b < b'.

Beyond the data :math:`|\eta| = \tfrac12 |\sum_j s_j \mu_j w_j|`, so that no neuron is above zero there, no strip is
above what one neuron is, and biases at the data are enough.
In a plane the penalty is linear within each quadrant of w, and the sweep about a pivot stays in closed form: arcs
between crossings end at the axes too. O(N^2) for each pair, once the order of crossings is known. Neurons of three and
more features are searched (:mod:`ridgesplines.oracle.monotone_search`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check
from ridgesplines.line.kernels import local_maxima
from ridgesplines.neurons.strips import Strips
from ridgesplines.numerics import fast
from ridgesplines.oracle.base import FEWEST_LISTED, MAX_LISTED, Supremum
from ridgesplines.oracle.monotone_search import MonotoneSearch, ascents
from ridgesplines.oracle.starts import Sites
from ridgesplines.oracle.sweep import crossing_orders, stretch
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: From so many entries (pairs times pivots times points) on, compiled code is worth its loading.
COMPILED_ENTRIES = 500**2
#: Bytes that the orders of crossings of all pairs may fill; those of further pairs are sorted again each time.
MAX_BYTES = 2**29
#: Entries (pivots times points) of a block in numpy.
BLOCK_ENTRIES = 2**16


@dataclass(frozen=True)
class MonotoneSupremum(Supremum):
    """The largest of what counts, where it is for neurons, and strips for which it is large, the largest first."""

    strips: Strips = field(default_factory=Strips.none)


class Found(NamedTuple):
    """What counts at neurons of all features."""

    values: Array
    weights: Array
    biases: Array


class MonotoneOracle:
    r"""The supremum of :math:`|\eta| - \frac12 \sum_j \mu_j |w_j|` over neurons of one group's features, and of strips.

    Parameters
    ----------
    X : (N, d), about the origin, of size one.
    signs : +1, -1 or 0 for each feature, (d,).
    groups : groups of columns.
    seed : of the search, where a group has more than two columns; then the scope is "searched".
    """

    def __init__(
        self, X: Array, signs: Array, groups: Iterable[tuple[int, ...]], seed: int | Sequence[int] = 0
    ) -> None:
        self.X, self.signs = X, signs
        groups = list(groups)
        large = tuple(group for group in groups if len(group) > 2)
        self._search = MonotoneSearch(X, Interactions(large, X.shape[1]), seed) if large else None
        self._lines = sorted({j for group in groups for j in group})
        self._sorted = {j: np.argsort(X[:, j], kind="stable") for j in self._lines}
        pairs = [group for group in groups if len(group) == 2]
        many = len(pairs) * len(X) ** 2 >= COMPILED_ENTRIES
        kept = MAX_BYTES // (np.min_scalar_type(len(X)).itemsize * len(X) ** 2)
        self._planes = [(pair, Plane(X[:, pair], many, i < kept)) for i, pair in enumerate(pairs)]
        self._most = max(FEWEST_LISTED, 4 * MAX_LISTED // (len(groups) or 1))

    def multipliers(self, u: Array) -> Array:
        """mu >= 0, (d,)."""
        return np.maximum(-self.signs * (self.X.T @ u), 0.0)

    @property
    def scope(self) -> Scope:
        """Searched where any group has more than two features."""
        return Scope.EXACT if self._search is None else Scope.SEARCHED

    def __call__(
        self,
        u: Array,
        level: float = -np.inf,
        near: Sites | None = None,
        harder: int = 1,
        until: Callable[[float], bool] | None = None,
        end: float = np.inf,
    ) -> MonotoneSupremum:
        """The supremum, zero at least; the neurons that exceed the level, one at least, and the strips that do.

        A search also looks near the neurons `near`, from so many times the usual number of starts, until a value
        makes `until` true or until `end`, a reading of ``time.perf_counter``.
        """
        mu, found, strips, most = self.multipliers(u), [], Strips.none(), 0.0
        for j in self._lines:
            x, eta = self._sites(j, u)
            found.append(self._along(j, x, np.abs(eta) - 0.5 * mu[j], level))
            if self.signs[j]:
                between, largest = _strips(j, x, self.signs[j] * eta, level, self._most)
                strips, most = strips.joined(between), max(most, largest)
        for pair, plane in self._planes:
            check()
            found.append(self._within(pair, plane, u, mu, level))
        if self._search is not None:
            W, b = self._search(u, mu, near, harder, until, end)
            found.append(Found(self.at(u, W, b)[1], W, b))
        values, W, b = (np.concatenate(parts) for parts in zip(*found, strict=True))
        top = np.argsort(-values, kind="stable")[:MAX_LISTED]
        return MonotoneSupremum(max(float(values[top[0]]), most), self.scope, W[top], b[top], strips=strips)

    def at(self, u: Array, W: Array, b: Array) -> tuple[Array, Array]:
        """eta, and what counts of it, at neurons (K, d), (K,)."""
        eta = np.abs(W @ self.X.T - b[:, None]) @ (0.5 * u)
        return eta, np.abs(eta) - 0.5 * (np.abs(W) @ self.multipliers(u))

    def between(self, u: Array, strips: Strips) -> Array:
        """What counts at strips, (m,)."""
        return 0.5 * (strips.columns(self.X, self.signs).T @ u)

    def _sites(self, j: int, u: Array) -> tuple[Array, Array]:
        """The values of a feature, rising, and eta there."""
        order = self._sorted[j]
        x = self.X[order, j]
        mass = np.cumsum(u[order][::-1])[::-1]
        eta = np.zeros(len(x))
        eta[:-1] = np.cumsum((mass[1:] * np.diff(x))[::-1])[::-1]
        return x, eta - 0.5 * float(x @ u[order])

    def _along(self, j: int, x: Array, values: Array, level: float) -> Found:
        """Neurons of one feature, at its values."""
        kept = np.flatnonzero(local_maxima(values) & (values >= min(level, values.max())))
        kept = kept[np.argsort(-values[kept], kind="stable")][: self._most]
        W = np.zeros((len(kept), self.X.shape[1]))
        W[:, j] = 1.0
        return Found(values[kept], W, x[kept])

    def _within(self, pair: tuple[int, ...], plane: Plane, u: Array, mu: Array, level: float) -> Found:
        """Neurons of two features: the largest value about each point."""
        columns = list(pair)
        rough = plane.sweep(u, mu[columns])
        top = np.argsort(-rough[:, 0], kind="stable")[: self._most]
        top = top[: max(1, int((rough[top, 0] > level).sum()))]
        direction = rough[top, 1:] / np.hypot(*rough[top, 1:].T)[:, None]
        W = np.zeros((len(top), self.X.shape[1]))
        W[:, columns] = direction
        b = np.einsum("kd,kd->k", direction, plane.points[top])
        return Found(self.at(u, W, b)[1], W, b)  # again, for running sums drift


def _strips(j: int, x: Array, eta: Array, level: float, most: int) -> tuple[Strips, float]:
    """The strips of a feature, from each dip of s eta the best to its left, from each peak the best to its right."""
    largest, at = np.maximum.accumulate(eta), np.arange(len(x))
    first = np.maximum.accumulate(np.where(eta == largest, at, 0))
    smallest = np.minimum.accumulate(eta[::-1])[::-1]
    last = np.minimum.accumulate(np.where(eta == smallest, at, len(x))[::-1])[::-1]
    dips, tops = np.flatnonzero(local_maxima(-eta)), np.flatnonzero(local_maxima(eta))
    ends = np.unique(np.column_stack([np.append(first[dips], tops), np.append(dips, last[tops])]), axis=0)
    values = 0.5 * (eta[ends[:, 0]] - eta[ends[:, 1]])
    top = np.argsort(-values, kind="stable")[:most]
    ends, listed = ends[top], values[top]
    ends = ends[(listed > level) & (x[ends[:, 0]] < x[ends[:, 1]])]
    low, high = x[ends.T]
    return Strips(np.full(len(low), j), low, high, np.zeros(len(low))), float(values.max())


class Plane:
    """The sweep about the distinct points of two features, X (N, 2), in their order."""

    def __init__(self, X: Array, compiled: bool, keep: bool) -> None:
        points, self._place = np.unique(X * [1.0, -1.0], axis=0, return_inverse=True)
        self.points = points * [1.0, -1.0]  # sorted by x, equal x by falling y
        self._x, self._y = np.ascontiguousarray(self.points.T)
        self._stretch, self._keep = stretch(self.points), keep
        self._orders: NDArray[Any] | None = None
        self._compiled = fast.compiled("oracle.compiled_monotone") if compiled else None

    def sweep(self, u: Array, mu: Array) -> Array:
        """For each point the largest value about it, and a direction of any length that reaches it: (m, 3)."""
        m = len(self.points)
        if m < 2:
            return np.column_stack([np.full(m, -0.5 * mu.min()), *np.tile(np.eye(2)[[mu.argmin()]], (m, 1)).T])
        U = np.bincount(self._place.ravel(), u, m)
        if self._compiled is not None:
            known, orders = self._orders is not None, self._orders
            if orders is None:
                orders = np.empty((m if self._keep else 1, m - 1), np.min_scalar_type(m))
                self._orders = orders if self._keep else None
            found: Array = self._compiled.sweeps(self._x, self._y, self._stretch, U, mu, orders, known)
            return found
        step = max(1, BLOCK_ENTRIES // m)
        return np.concatenate([self._block(U, mu, np.arange(i, min(i + step, m))) for i in range(0, m, step)])

    def _block(self, U: Array, mu: Array, pivots: NDArray[np.intp]) -> Array:
        """The same for some pivots, in numpy."""
        order = crossing_orders(self._x, self._y, self._stretch, pivots)
        turn = np.where(order > pivots[:, None], 1.0, -1.0)
        r = np.stack([self._x[order] - self._x[pivots][:, None], self._y[order] - self._y[pivots][:, None]]) * turn
        moments = _moments(r, U[order])
        size = np.hypot(*r)
        ends = np.abs(r[0] * moments[1, :, :-1] - r[1] * moments[0, :, :-1])
        ends = (ends - 0.5 * (mu[0] * np.abs(r[1]) + mu[1] * r[0])) / size
        best = _largest(ends, -r[1], r[0])
        for direction in np.eye(2):  # the axes, at which arcs end as well
            eta = 0.5 * (np.abs(np.einsum("d,dmn->mn", direction, r)) * U[order]).sum(axis=1)
            best = _better(best, np.abs(eta) - 0.5 * float(mu @ direction), *direction)
        one = np.ones((1, len(pivots), 1))
        before = np.concatenate([np.stack([0.0 * one[0], -one[0]]), r], axis=2)
        after = np.concatenate([r, np.stack([0.0 * one[0], one[0]])], axis=2)
        for side in (1.0, -1.0):
            penalty = 0.5 * mu * [side, 1.0]
            for sign in (1.0, -1.0):
                v = sign * moments - penalty[:, None, None]
                inside = (v[1] > 0.0) & (side * v[0] > 0.0)
                inside &= ((before * v).sum(axis=0) < 0.0) & ((after * v).sum(axis=0) > 0.0)
                best = _better(best, *_largest(np.where(inside, np.hypot(*v), -np.inf), *v))
        return np.column_stack(best)


def _moments(r: Array, u: Array) -> Array:
    """M on each arc: before the first crossing, between crossings, after the last; (2, m, N)."""
    falls = r * u
    start = 0.5 * falls.sum(axis=2, keepdims=True)
    return np.concatenate([start, start - np.cumsum(falls, axis=2)], axis=2)


def _largest(values: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """The largest value of each row, and its direction."""
    at = np.arange(len(values)), np.argmax(values, axis=1)
    return values[at], x[at], y[at]


def _better(best: tuple[Array, Array, Array], value: Array, x: Any, y: Any) -> tuple[Array, Array, Array]:
    """The larger of two values for each row, with its direction."""
    wins = value > best[0]
    return np.where(wins, value, best[0]), np.where(wins, x, best[1]), np.where(wins, y, best[2])


def compile_ahead(N: int, sizes: Sequence[int]) -> None:
    """Compile what the oracle calls for N points and groups of these sizes: numba does so once, in 10 s for each."""
    many = sizes.count(2) * N**2 >= COMPILED_ENTRIES
    if many and (pairs := fast.compiled("oracle.compiled_monotone")) is not None:
        orders = np.empty((3, 2), np.min_scalar_type(N))
        pairs.sweeps(np.arange(3.0), np.zeros(3), 1.0, np.zeros(3), np.ones(2), orders, False)
    if max(sizes, default=0) > 2:
        points = np.array([[0.0, 0.0, 0.0, -1.0], [1.0, 0.0, 0.0, 0.0]])
        ascents(points, fast.compiled("oracle.compiled_steepest"))(np.zeros(2), np.eye(1, 4))
