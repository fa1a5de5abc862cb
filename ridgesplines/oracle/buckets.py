r"""The supremum of :math:`|\eta|` over neurons of one feature, exactly, by a few passes over rows in blocks.

For u orthogonal to the affine functions :math:`\eta_j(b) = \tfrac12 \sum_n u_n |x_{nj} - b|` is linear between
neighbouring values of feature j. Intervals, and what rows have their feature in each of them, give it without any sort:
with the sums :math:`C_0, C_1` of u and :math:`u x_j` of all rows below b, and T of all rows,

.. math:: \eta_j(b) = b\, C_0 - C_1 + \tfrac12 (T_1 - b\, T_0),

exactly at both ends of an interval. Within [l, h] it leaves the line through its ends by at most

.. math:: \sum_{l < x_{nj} < h} u_n^{\pm}\, \frac{(x_{nj} - l)(h - x_{nj})}{h - l}

(upwards that of the negative part, downwards that of the positive). Intervals shrink to the values that they hold, so
that their ends are such values; those in which the bound exceeds what is known are divided, until the rows in them are
few: these rows alone are brought here, and sorted. So the supremum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line.kernels import local_maxima
from ridgesplines.oracle.by_rows import Dual, Found
from ridgesplines.oracle.starts import Sites
from ridgesplines.rows import Block, Rows
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Intervals of each feature in the first pass, by quantiles of a sample; and parts of one that is divided.
FIRST, PARTS = 1024, 64
#: Rows that are brought here, at most, counted once for each interval; and divisions before more of them are.
FEW, DIVISIONS = 2**17, 12
#: What an interval may exceed by is rounding, relatively.
ROUNDING = 1e-13
#: Neurons that are listed.
LISTED = 256


@dataclass(frozen=True, eq=False)
class Intervals:
    """[low, high] of a feature each, (m,); those of a feature are disjoint but for their ends, and in order."""

    feature: NDArray[np.intp]
    low: Array
    high: Array

    def within(self, X: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(row, interval) of each value of X (n, d) that lies in one."""
        rows, places = [], []
        for j in np.unique(self.feature):
            own = np.flatnonzero(self.feature == j)
            k = np.searchsorted(self.low[own], X[:, j], side="right") - 1
            inside = np.flatnonzero((k >= 0) & (X[:, j] <= self.high[own[k]]))
            rows.append(inside)
            places.append(own[k[inside]])
        return np.concatenate(rows), np.concatenate(places)


class Held(NamedTuple):
    """What the rows of intervals say: extremes (m,) of the feature, and moments (m, 2, 3) about the middle.

    Of the positive and the negative part of u, of orders 0, 1 and 2; and how many rows there are, (m,).
    """

    first: Array
    last: Array
    moments: Array
    number: Array


def _held(block: Block, dual: Dual, intervals: Intervals) -> Held:
    m, u, middle = len(intervals.low), dual(block), 0.5 * (intervals.low + intervals.high)
    rows, places = intervals.within(block.X)
    x, v = block.X[rows, intervals.feature[places]], u[rows]
    kept = v != 0.0
    x, v, places = x[kept], v[kept], places[kept]
    first, last, t = np.full(m, np.inf), np.full(m, -np.inf), x - middle[places]
    np.minimum.at(first, places, x)
    np.maximum.at(last, places, x)
    sums = [np.bincount(places, part * t**k, m) for part in (np.maximum(v, 0.0), np.minimum(v, 0.0)) for k in range(3)]
    return Held(first, last, np.stack(sums, axis=1).reshape(m, 2, 3), np.bincount(places, minlength=m).astype(float))


def _both(one: Held, other: Held) -> Held:
    ends = np.minimum(one.first, other.first), np.maximum(one.last, other.last)
    return Held(*ends, one.moments + other.moments, one.number + other.number)


def _brought(block: Block, dual: Dual, intervals: Intervals) -> tuple[list[Array]]:
    """The place, the value and u of each row in an interval, (n, 3); in a list, which sums lengthen."""
    rows, places = intervals.within(block.X)
    x, u = block.X[rows, intervals.feature[places]], dual(block)[rows]
    return ([np.column_stack([places, x, u])],)


class LinesByRows:
    r"""The largest :math:`|\eta|` over neurons of one of some features, for scaled rows in blocks: exact.

    Parameters
    ----------
    features : their columns.
    low, high : the extremes of all columns, over the rows of positive weight, (d,).
    sample : some rows, whose quantiles are the first ends.

    Notes
    -----
    Two passes, or three, of O(n d log m) a block for m intervals.
    """

    def __init__(self, rows: Rows, sample: Block, low: Array, high: Array, features: Sequence[int]) -> None:
        self._rows, self._d = rows, rows.n_features
        parts, X = np.linspace(0.0, 1.0, FIRST + 1), sample.X[sample.weight > 0.0]
        ends = [
            np.unique(np.append(np.quantile(X[:, j], parts, method="nearest"), [low[j], high[j]])) for j in features
        ]
        pairs = [(e[:-1], e[1:]) if len(e) > 1 else (e, e) for e in ends]
        owner = np.repeat(np.array(features, dtype=np.intp), [len(pair[0]) for pair in pairs])
        self._first = Intervals(owner, *(np.concatenate(side) for side in zip(*pairs, strict=True)))

    def __call__(self, dual: Dual, near: Sites, end: float = np.inf, hard: bool = False) -> Found:
        """All of it whatever is asked: neurons of large |eta|, the largest first."""
        intervals, before, found = self._first, None, []
        for division in range(DIVISIONS + 1):
            held: Held = self._rows.reduce(_held, dual, intervals, combine=_both)
            state = _Divided(intervals, held, before)
            found.append(state.ends)
            best = max(float(np.abs(eta).max(initial=0.0)) for _, _, eta in found)
            open_ = np.flatnonzero(state.bounds() > best * (1.0 + ROUNDING))
            if not len(open_):
                break
            intervals = state.shrunk(open_)
            if held.number[open_].sum() <= FEW or division == DIVISIONS:
                (parts,) = self._rows.reduce(_brought, dual, intervals)
                found.append(_sorted(np.concatenate(parts), intervals, state.below[open_], state.total[open_]))
                break
            intervals, before = _divided(intervals), state.base(open_)
        return self._listed(found)

    def _listed(self, found: list[tuple[NDArray[np.intp], Array, Array]]) -> Found:
        feature, b, eta = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.lexsort((b, feature))
        peak = local_maxima(np.abs(eta[order])) | (np.diff(feature[order], prepend=-1) != 0)
        order = order[peak]
        order = order[np.argsort(-np.abs(eta[order]), kind="stable")][:LISTED]
        W = np.zeros((len(order), self._d))
        W[np.arange(len(order)), feature[order]] = 1.0
        return Found(W, b[order], eta[order], 0, Scope.EXACT)


class _Divided:
    """Intervals after a pass; `before` are the sums below the first part of each that was divided, and those of all."""

    def __init__(self, intervals: Intervals, held: Held, before: tuple[Array, Array] | None) -> None:
        self._intervals, self._held = intervals, held
        middle = 0.5 * (intervals.low + intervals.high)
        own = held.moments.sum(axis=1)[:, :2]
        own[:, 1] += middle * own[:, 0]
        if before is None:  # all values of a feature lie in its intervals
            starts = np.flatnonzero(np.diff(intervals.feature, prepend=-1))
            totals = np.add.reduceat(own, starts)
            lengths = np.diff(np.append(starts, len(own)))
            below, self.total = np.zeros_like(totals), np.repeat(totals, lengths, axis=0)
        else:
            below, self.total = before[0], np.repeat(before[1], PARTS, axis=0)
            lengths = np.full(len(below), PARTS)
        self.below = _cumulated(own, below, lengths)
        self._above = self.below + own
        empty = held.number == 0.0
        self._first = np.where(empty, intervals.low, held.first)
        self._last = np.where(empty, intervals.high, held.last)

    def _at(self, b: Array, below: Array) -> Array:
        return b * below[:, 0] - below[:, 1] + 0.5 * (self.total[:, 1] - b * self.total[:, 0])

    @property
    def ends(self) -> tuple[NDArray[np.intp], Array, Array]:
        """Feature, bias and eta at the first and the last value of each."""
        b = np.concatenate([self._first, self._last])
        eta = np.concatenate([self._at(self._first, self.below), self._at(self._last, self._above)])
        return np.tile(self._intervals.feature, 2), b, eta

    def bounds(self) -> Array:
        """What |eta| cannot exceed between the first and the last value of each."""
        low, high = np.split(self.ends[2], 2)
        middle = 0.5 * (self._intervals.low + self._intervals.high)
        first, last = self._first - middle, self._last - middle
        m0, m1, m2 = np.moveaxis(self._held.moments, 2, 0)
        width = np.maximum(last - first, np.finfo(float).tiny)
        away = (
            np.maximum((-m2 + (first + last)[:, None] * m1 - (first * last)[:, None] * m0) * [1.0, -1.0], 0.0)
            / width[:, None]
        )
        away = np.where((last > first)[:, None], away, 0.0)
        return np.maximum(np.maximum(low, high) + away[:, 1], np.maximum(-low, -high) + away[:, 0])

    def shrunk(self, some: NDArray[np.intp]) -> Intervals:
        """Some of the intervals, from their first value to their last."""
        return Intervals(self._intervals.feature[some], self._first[some], self._last[some])

    def base(self, some: NDArray[np.intp]) -> tuple[Array, Array]:
        """The sums below some of them, and those of all rows."""
        return self.below[some], self.total[some]


def _cumulated(own: Array, below: Array, lengths: NDArray[np.intp]) -> Array:
    """The sums below each interval, (m, 2), from those below the first of each run."""
    sums, i = np.empty_like(own), 0
    for start, length in zip(below, lengths, strict=True):
        sums[i] = start
        sums[i + 1 : i + length] = start + np.cumsum(own[i : i + length - 1], axis=0)
        i += length
    return sums


def _divided(intervals: Intervals) -> Intervals:
    """Parts of equal length."""
    ends = np.linspace(intervals.low, intervals.high, PARTS + 1, axis=1)
    return Intervals(np.repeat(intervals.feature, PARTS), ends[:, :-1].ravel(), ends[:, 1:].ravel())


def _sorted(rows: Array, intervals: Intervals, below: Array, total: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Feature, bias and eta at every value that was brought here: the largest of each interval."""
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    place, x, u = rows[:, 0].astype(np.intp), rows[:, 1], rows[:, 2]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    lengths = np.diff(np.append(starts, len(place)))
    sums = _cumulated(np.column_stack([u, u * x]), below[place[starts]], lengths)
    eta = x * sums[:, 0] - sums[:, 1] + 0.5 * (total[place, 1] - x * total[place, 0])
    top = np.array([i + np.argmax(np.abs(eta[i : i + n])) for i, n in zip(starts, lengths, strict=True)])
    return intervals.feature[place[top]], x[top], eta[top]
