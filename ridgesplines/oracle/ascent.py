r"""Ascent of |eta| over hyperplanes by exact search of great circles, to a maximum that touches data points.

eta is piecewise linear in (w, b) with kinks where a data point is crossed, so that its maxima usually lie on kinks, d
of them at a vertex. The state of an ascent is a direction w and the points held on the hyperplane. On the face that
keeps them there, eta is linear: its gradient, projected, is the way up. Where that vanishes,

.. math:: \nabla \eta = \eta\, w - \sum_n c_n r_n, \qquad |c_n| \le |u_n| / 2

for the held points is what a local maximum satisfies; the point that breaks it worst is let go. In both cases a whole
great circle is searched, through all its crossings: the ascent leaps over the maxima that lie between. What is crossed
there is held from then on.

A circle proposes: it takes held points to be on the hyperplane, which rounding may have moved off them where their
differences are nearly dependent. Wherever it leads, eta is evaluated again from the hyperplane and all data, points
that are not on it are let go, and a step that does not rise is taken back.

All ascents take their steps together, so that the work is in large arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import late
from ridgesplines.oracle.passes import TOUCH, Passes, Slopes, compact
from ridgesplines.validation import Array

#: A slope relative to |eta|, and a gain, below which they are rounding.
FLAT = 1e-9
GAIN = 1e-11
#: Steps at most: far more than any ascent was seen to take.
MAX_STEPS = 1000
#: Hyperplanes times points that compiled code takes in one call, some tenths of a second.
TOGETHER = 2**16
#: Points are held together where each one's distance to the plane through those before exceeds this, relatively: it is
#: on the diagonal of a QR factorisation of their differences.
DEPENDENT_RTOL = 1e-8
#: Hyperplanes that agree so far are the same.
SAME = 1e-8
#: A leap lets go of so many held points, and turns by so much: the least and the most, drawn log-uniformly.
LET_GO, LEAST_TURN, MOST_TURN = (2, 8), 0.02, 1.5
#: Touched points that are tried, times d: on a lattice there may be very many.
TRIED = 4


@dataclass(frozen=True)
class Hyperplanes:
    """Hyperplanes through data points.

    Attributes
    ----------
    W : unit vectors, (m, d).
    held : the points they are held to, independent, the first being the pivot, (m, d); -1 where there are no more.
    value : |eta|, (m,).
    """

    W: Array
    held: NDArray[np.intp]
    value: Array

    def __len__(self) -> int:
        return len(self.W)

    def __getitem__(self, rows: NDArray | slice) -> Hyperplanes:
        return Hyperplanes(self.W[rows], self.held[rows], self.value[rows])

    def biases(self, X: Array) -> Array:
        """w^T x of the pivots, (m,)."""
        return np.einsum("md,md->m", self.W, X[self.held[:, 0]])

    def joined(self, other: Hyperplanes) -> Hyperplanes:
        """These hyperplanes, then the others."""
        pairs = (self.W, other.W), (self.held, other.held), (self.value, other.value)
        return Hyperplanes(*map(np.concatenate, pairs))

    def distinct(self, X: Array, most: int) -> Hyperplanes:
        """One of each set of equal ones, up to rounding and sign: the `most` largest, from the largest on."""
        order = np.argsort(-self.value, kind="stable")
        W, pivots, value = self.W[order], self.held[order, 0], self.value[order]
        along = W @ np.cos(np.arange(1, W.shape[1] + 1))  # any fixed vector
        biases = np.einsum("md,md->m", W, X[pivots]) * np.sign(along)
        scale = max(value.max(initial=0.0), 1e-300), 1.0, max(np.abs(X).max(), 1e-300)
        keys = [np.round(key / size / SAME) for key, size in zip((value, np.abs(along), biases), scale, strict=True)]
        first = np.unique(np.column_stack(keys), axis=0, return_index=True)[1]
        return self[order[np.sort(first)[:most]]]


def through(passes: Passes, W: Array, pivots: NDArray[np.intp]) -> Hyperplanes:
    """Hyperplanes of unit normals W through data points, held to what else lies on them."""
    held = np.full(W.shape, -1)
    held[:, 0] = pivots
    rows, points = passes.touched(W, pivots)
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    for j in range(min(int(rank.max(initial=-1)) + 1, TRIED * W.shape[1])):
        now, crossed = rows[rank == j], points[rank == j]
        held[now] = _holding(passes.X, held[now], crossed)
    W = _onto(passes.X, W, held)
    slopes = passes.slopes(W, held)
    return Hyperplanes(W, slopes.held, slopes.value)


def climb(passes: Passes, start: Hyperplanes, end: float = np.inf) -> Hyperplanes:
    """Ascend from each until nothing helps: local maxima, but for degenerate data and the limits of steps and time.

    Values are those of the dual vector at hand, whatever they were at the start.
    """
    if (compiled := passes.compiled("oracle.compiled_ascent")) is not None:
        return _compiled(compiled, passes, start, end)
    W, active, slopes = start.W.copy(), np.arange(len(start)), passes.slopes(start.W, start.held)
    held, value = slopes.held.copy(), slopes.value.copy()
    for _ in range(MAX_STEPS):
        if not len(active) or late(end):
            break
        rows, proposed, on = _moves(passes, W[active], slopes)
        slopes, active = passes.slopes(proposed, on), active[rows]
        up = _rises(passes, slopes.value, value[active])
        slopes, active = slopes[up], active[up]
        W[active], held[active], value[active] = proposed[up], slopes.held, slopes.value
    return Hyperplanes(W, held, value)


def _compiled(compiled: Any, passes: Passes, start: Hyperplanes, end: float) -> Hyperplanes:
    """The same one by one, a few at a time: only between calls of compiled code is there a look at the time."""
    limits = np.array([TOUCH, FLAT, GAIN, DEPENDENT_RTOL, passes.rounding])

    def few(rows: slice) -> tuple[Array, ...]:
        steps = 0 if late(end) else MAX_STEPS  # without a step their values at least
        given = start.W[rows], start.held[rows], limits, steps, passes.coefficients, passes.pinned
        return compiled.climb(passes.columns, passes.U, *given)

    d = start.W.shape[1]
    W, held, value = passes.blocks(few, len(start), (d,), (d,), (), most=max(1, TOGETHER // len(passes.X)))
    return Hyperplanes(W, held.astype(np.intp), value)


def _rises(passes: Passes, value: Array, before: Array) -> NDArray[np.bool_]:
    """Whether a value is higher by more than rounding."""
    return value > before * (1.0 + GAIN) + passes.rounding


def _moves(passes: Passes, W: Array, slopes: Slopes) -> tuple[NDArray[np.intp], Array, NDArray[np.intp]]:
    """For the hyperplanes that may rise, their indices, to where, and what is held there."""
    held = slopes.held
    C, let_go = _ways_up(passes.X, W, slopes, passes.pinned)
    moves = np.linalg.norm(C, axis=1) > 0.5
    shifts = ~moves & (held[:, 1:] < 0).all(axis=1) & (not passes.pinned)
    turned, shifted = np.flatnonzero(moves), np.flatnonzero(shifts)
    on = _without(held[turned], let_go[turned])
    high, best, crossed = passes.around(W[turned], C[turned], on)
    up = _rises(passes, high, slopes.value[turned])
    turned, best, on = turned[up], best[up], _holding(passes.X, on[up], crossed[up])
    high, pivots = passes.along(W[shifted])  # the best direction about this pivot: try all others
    up = _rises(passes, high, slopes.value[shifted])
    shifted, alone = shifted[up], held[shifted[up]]
    alone[:, 0] = pivots[up]
    return tuple(map(np.concatenate, ((turned, shifted), (best, W[shifted]), (on, alone))))  # type: ignore[return-value]


def exchange(passes: Passes, maxima: Hyperplanes, rng: np.random.Generator, end: float = np.inf) -> Hyperplanes:
    """Let go of each held point in turn, search the great circle that this frees, climb from where it is higher.

    Until no exchange helps any of them, or the time is over. Where fewer than d points are held, more than a
    circle is free: a random one.
    """
    done, todo = maxima[:0], maxima
    while len(todo) and not late(end):
        count = (todo.held >= 0).sum(axis=1)
        rows = np.repeat(np.arange(len(todo)), count)
        which = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
        on = _without(todo.held[rows], which)
        free = (which > 0) if passes.pinned else (on[:, 0] >= 0)
        rows, on = rows[free], on[free]
        W = todo.W[rows]
        C = rng.standard_normal(W.shape)
        C = _onto(passes.X, C - np.einsum("md,md->m", C, W)[:, None] * W, on)
        C = _perpendicular(C, W)
        high, best, crossed = passes.around(W, C, on)
        top = np.lexsort((-high, rows))
        top = top[np.append(True, np.diff(rows[top]) > 0)[: len(top)]]  # the best of each
        top = top[_rises(passes, high[top], todo.value[rows[top]])]
        done, previous = done.joined(todo), todo.value[rows[top]]
        todo = climb(passes, Hyperplanes(best[top], _holding(passes.X, on[top], crossed[top]), high[top]), end)
        todo = todo[_rises(passes, todo.value, previous)]
    return done.joined(todo)


def leaps(passes: Passes, maxima: Hyperplanes, number: int, rng: np.random.Generator) -> Hyperplanes:
    """So many hyperplanes near maxima: several points of one are let go, and it turns at random about the others.

    Their values are not known yet: `climb` evaluates them.
    """
    rows = rng.integers(len(maxima), size=number)
    W, held = maxima.W[rows], maxima.held[rows]
    places = np.where(held >= 0, rng.random(held.shape), 2.0)
    places[:, : int(passes.pinned)] = -1.0
    held = np.take_along_axis(held, places.argsort(axis=1), axis=1)
    kept = (held >= 0).sum(axis=1) - rng.integers(LET_GO[0], LET_GO[1] + 1, size=number)
    held = np.where(np.arange(held.shape[1]) < np.maximum(kept, 1)[:, None], held, -1)
    C = rng.standard_normal(W.shape)
    C = _perpendicular(_onto(passes.X, C - np.einsum("md,md->m", C, W)[:, None] * W, held), W)
    angle = np.exp(rng.uniform(np.log(LEAST_TURN), np.log(MOST_TURN), number))[:, None]
    turned = np.where((C != 0.0).any(axis=1, keepdims=True), np.cos(angle) * W + np.sin(angle) * C, W)
    return Hyperplanes(turned, held, np.zeros(number))


def _ways_up(X: Array, W: Array, slopes: Slopes, pinned: bool = False) -> tuple[Array, NDArray[np.intp]]:
    """For each hyperplane the direction in which |eta| rises fastest, perpendicular to w, zero where none does.

    And which of the held points is let go for it, or -1. The steepest of: the gradient along the face; for each held
    point, the way that leaves it and keeps the others; but for pivots that are pinned.
    """
    C, let_go, held = np.zeros(W.shape), np.full(len(W), -1), slopes.held
    count = (held >= 0).sum(axis=1)
    rest = slopes.by_direction - slopes.value[:, None] * W
    for k in range(W.shape[1]):
        rows = np.flatnonzero(count == k + 1)
        if not len(rows):
            continue
        flat, g = FLAT * slopes.value[rows], rest[rows]
        if k > 0:
            Q, dual = _frames(X, held[rows], k)
            c = -np.einsum("mdk,md->mk", dual, g)
            g = g - np.einsum("mdk,mk->md", Q, np.einsum("mdk,md->mk", Q, g))
            # To leave the pivot and keep the others is to approach all others from the pivot alike.
            ways = np.concatenate([dual.sum(axis=2, keepdims=True), -dual], axis=2)
            c = np.concatenate([(-slopes.by_bias[rows] - c.sum(axis=1))[:, None], c], axis=1)
            length = np.linalg.norm(ways, axis=1)
            steepness = (np.abs(c) - 0.5 * np.maximum(-slopes.weights[rows, : k + 1], 0.0)) / length
            steepness[:, : int(pinned)] = -1.0
            worst = np.argmax(steepness, axis=1)
            at = np.arange(len(rows)), worst
            leave = steepness[at] > np.maximum(np.linalg.norm(g, axis=1), flat)
            g = np.where(leave[:, None], ways[at[0], :, worst], g)
            flat = np.where(leave, 0.0, flat)
            let_go[rows[leave]] = worst[leave]
        g[np.linalg.norm(g, axis=1) <= flat] = 0.0
        C[rows] = g
    left = np.flatnonzero(let_go >= 0)  # where differences are nearly dependent, the dual basis rounds
    C[left] = _onto(X, C[left], _without(held[left], let_go[left]))
    return _perpendicular(C, W), let_go


def _perpendicular(C: Array, W: Array) -> Array:
    """C perpendicular to unit vectors W, of length one, or zero where C is."""
    C = C / np.maximum(np.linalg.norm(C, axis=1, keepdims=True), 1e-300)
    C = C - np.einsum("md,md->m", C, W)[:, None] * W
    length = np.linalg.norm(C, axis=1, keepdims=True)
    return np.where(length > 1e-8, C / np.maximum(length, 1e-300), 0.0)


def _frames(X: Array, held: NDArray[np.intp], k: int) -> tuple[Array, Array]:
    """An orthonormal basis of the differences of k + 1 held points from their pivot, and the dual basis; (m, d, k)."""
    Q, T = np.linalg.qr(np.swapaxes(X[held[:, 1 : k + 1]] - X[held[:, :1]], 1, 2))
    diagonal = np.arange(k)
    T[:, diagonal, diagonal] += np.where(T[:, diagonal, diagonal] == 0.0, 1e-300, 0.0)  # never singular outright
    return Q, Q @ np.swapaxes(np.linalg.inv(T), 1, 2)


def _onto(X: Array, C: Array, held: NDArray[np.intp]) -> Array:
    """The part of C that keeps to the held points, of length one."""
    C, count = C.copy(), (held >= 0).sum(axis=1)
    for k in range(1, X.shape[1]):
        rows = np.flatnonzero(count == k + 1)
        if len(rows):
            Q = _frames(X, held[rows], k)[0]
            for _ in range(2):  # twice is enough
                C[rows] -= np.einsum("mdk,mk->md", Q, np.einsum("mdk,md->mk", Q, C[rows]))
    return C / np.maximum(np.linalg.norm(C, axis=1, keepdims=True), 1e-300)


def _without(held: NDArray[np.intp], let_go: NDArray[np.intp]) -> NDArray[np.intp]:
    """The held points without one of them (-1: with all), the others moved up."""
    held = held.copy()
    rows = np.flatnonzero(let_go >= 0)
    held[rows, let_go[rows]] = -1
    return compact(held)


def _holding(X: Array, held: NDArray[np.intp], crossed: NDArray[np.intp]) -> NDArray[np.intp]:
    """The held points and the one that is crossed (-1: none), where it is independent of them and there is room."""
    held, count = held.copy(), (held >= 0).sum(axis=1)
    for k in range(1, X.shape[1]):
        rows = np.flatnonzero((count == k) & (crossed >= 0))
        if not len(rows):
            continue
        with_it = np.concatenate([held[rows, 1:k], crossed[rows][:, None]], axis=1)
        T = np.linalg.qr(np.swapaxes(X[with_it] - X[held[rows, :1]], 1, 2), mode="r")
        sizes = np.abs(np.diagonal(T, axis1=1, axis2=2))
        rows = rows[sizes[:, -1] > DEPENDENT_RTOL * np.abs(T).max(axis=(1, 2))]
        held[rows, k] = crossed[rows]
    return held
