r"""sup |eta| in a plane by sectors of directions, compiled by numba; imported only where it is installed.

The bias may be taken at a data point, the pivot. In the sector of directions :math:`w_c + t w_c^\perp`,
:math:`|t| \le T`, with :math:`p = w_c^T x` and :math:`q = (w_c^\perp)^T x`, the pivot m has

.. math:: \eta_m(t) = \frac{1}{\sqrt{1 + t^2}} \, \tfrac12 \sum_n u_n |(p_n - p_m) + t (q_n - q_m)| ,

the sum a piecewise linear function of t, with a kink for each point that the line about the pivot crosses in the
sector: one of those with :math:`|p_n - p_m| \le T |q_n - q_m|`, a window of the points in their order along
:math:`w_c`. It lies above the largest of its values at the ends and in the middle by no more than

.. math:: \tfrac{T}{4} \sum_{n \text{ in the window}} \|u_n\| |q_n - q_m|
          \le \tfrac{T}{4} \Big( \sum \|u_n\| \sum \|u_n\| (q_n - q_m)^2 \Big)^{1/2},

over the concave kinks alone for a scalar u: on either half it is below its chord, but for those. Prefix sums give that
for all pivots at once, in O(N) beside the sort; what it proves to be too small to matter is left, the rest is halved.
Once windows are short they are swept: exactly, kink by kink. Where :math:`|\eta|` is near its supremum in few places,
as about the neurons of a solution, this is O(N log N) for each of a few hundred sectors, in the place of N sweeps of N
crossings.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_sort import bucket_sort
from ridgesplines.validation import Array

#: Sectors of the half circle at first.
SECTORS = 16
#: A sector is swept where its windows hold so many points in all for each data point, or where it is as narrow.
SWEPT, NARROWEST = 8, 1e-9
#: Of sums, which are known to so much relative to what is added.
EPSILON = 2.0**-51
#: Pairs of sector and pivot that wait at once, for each data point.
WAITING = 6
#: Maxima of one direction that are listed.
PEAKS = 6
#: A neuron that is listed: |eta|, its direction, its pivot.
Listed = tuple[float, float, float, float]
#: What is known along a direction, see `workspace`.
Line = tuple[Array, NDArray, NDArray, Array, Array, Array]


@njit(nogil=True, cache=True)
def supremum(x: Array, y: Array, U: Array, limits: tuple[float, float, float, float]) -> Array:
    """The largest |eta| at a pivot, and others, one for each sector: (m, 4), in no order.

    `limits`: a level; what exceeds it by half of what the largest does is found too. The least |eta| that is listed,
    besides the largest. A floor: a supremum at or below it need not be found. And what may be rounding.
    """
    n, D = U.shape
    line = workspace(n, D)
    listed, ends = np.empty((64, 4)), np.empty((SECTORS + 1, n))
    count, best = 0, 0.0
    for i in range(SECTORS):
        turn(x, y, U, np.pi * i / SECTORS, line)
        best, listed, count = at_sites(U, line, ends[i], best, limits[1], listed, count, False)
    ends[SECTORS] = ends[0]
    h = 0.5 * np.pi / SECTORS
    pairs, values = np.empty(WAITING * n, np.int64), np.empty((WAITING * n, 2))
    for i in np.argsort(-row_largest(ends)):
        for m in range(n):
            pairs[m], values[m, 0], values[m, 1] = m, ends[i, m], ends[i + 1, m]
        angle = np.pi * i / SECTORS + h
        best, listed, count = halved(x, y, U, angle, h, line, pairs, values, best, limits, listed, count)
    return listed[:count]


@njit(nogil=True, cache=True)
def along(x: Array, y: Array, U: Array, directions: int, least: float) -> Array:
    """The largest |eta| along so many evenly spread directions, and other maxima above `least`: (m, 4), in no order."""
    n, D = U.shape
    line, spare = workspace(n, D), np.empty(n)
    listed, count, best = np.empty((64, 4)), 0, 0.0
    for i in range(directions):
        turn(x, y, U, np.pi * i / directions, line)
        best, listed, count = at_sites(U, line, spare, best, least, listed, count, False)
    return listed[:count]


@njit(nogil=True, cache=True)
def workspace(n: int, D: int) -> Line:
    """Arrays of a direction: p, q, keys; order, its starts; w; prefix sums of u (1, p, q) and of sizes (1, q, q^2)."""
    floats, order, starts = np.empty((3, n)), np.empty(n, np.int64), np.empty(n + 1, np.int64)
    return floats, order, starts, np.empty(2), np.zeros((n + 1, 3, D)), np.zeros((n + 1, 2, 3))


@njit(nogil=True, cache=True)
def turn(x: Array, y: Array, U: Array, angle: float, line: Line) -> None:
    """Sort the points along a direction, and add up."""
    (p, q, keys), order, starts, w, sums, sizes = line
    n, D = U.shape
    w[0], w[1] = np.cos(angle), np.sin(angle)
    low, high = np.inf, -np.inf
    for k in range(n):
        keys[k] = w[0] * x[k] + w[1] * y[k]
        low, high = min(low, keys[k]), max(high, keys[k])
    half = 0.5 * (high - low)
    middle, scale = low + half, 1.0 / half if half > 0.0 else 0.0
    for k in range(n):
        keys[k] = min(1.0, max(-1.0, (keys[k] - middle) * scale))
    bucket_sort(keys, order, starts)
    for i in range(n):
        k = order[i]
        p[i], q[i] = w[0] * x[k] + w[1] * y[k], w[0] * y[k] - w[1] * x[k]
        size = 0.0
        for j in range(D):
            u = U[k, j]
            sums[i + 1, 0, j] = sums[i, 0, j] + u
            sums[i + 1, 1, j] = sums[i, 1, j] + u * p[i]
            sums[i + 1, 2, j] = sums[i, 2, j] + u * q[i]
            size += u * u
        size = np.sqrt(size)
        for side in range(2):  # the kinks that are concave for eta, and for -eta
            part = size if D > 1 or (U[k, 0] < 0.0) == (side == 0) else 0.0
            sizes[i + 1, side, 0] = sizes[i, side, 0] + part
            sizes[i + 1, side, 1] = sizes[i, side, 1] + part * q[i]
            sizes[i + 1, side, 2] = sizes[i, side, 2] + part * q[i] * q[i]


@njit(nogil=True, cache=True)
def eta_at_rank(i: int, n: int, D: int, p: Array, sums: Array) -> float:
    """eta with the bias at the i-th point in order; its norm for several outputs."""
    if D == 1:
        return 0.5 * ((sums[n, 1, 0] - 2.0 * sums[i + 1, 1, 0]) - p[i] * (sums[n, 0, 0] - 2.0 * sums[i + 1, 0, 0]))
    square = 0.0
    for j in range(D):
        eta = 0.5 * ((sums[n, 1, j] - 2.0 * sums[i + 1, 1, j]) - p[i] * (sums[n, 0, j] - 2.0 * sums[i + 1, 0, j]))
        square += eta * eta
    return np.sqrt(square)


@njit(nogil=True, cache=True)
def at_sites(
    U: Array, line: Line, eta: Array, best: float, least: float, listed: Array, count: int, alone: bool
) -> tuple[float, Array, int]:
    """eta at all points along the direction; its largest local maxima above `least` are listed, or one `alone`."""
    (p, _, _), order, _, w, sums, _ = line
    n, D = U.shape
    top, places = np.zeros(PEAKS), np.full(PEAKS, -1)
    before, here = 0.0, abs(eta_at_rank(0, n, D, p, sums))
    for i in range(n):
        eta[order[i]] = eta_at_rank(i, n, D, p, sums)
        after = abs(eta_at_rank(i + 1, n, D, p, sums)) if i + 1 < n else 0.0
        if here >= before and here >= after and here > top[PEAKS - 1]:
            k = PEAKS - 1
            while k > 0 and top[k - 1] < here:
                top[k], places[k] = top[k - 1], places[k - 1]
                k -= 1
            top[k], places[k] = here, i
        before, here = here, after
    for k in range(1 if alone else PEAKS):
        if places[k] >= 0 and top[k] > min(best, least):
            listed, count = noted(listed, count, (top[k], w[0], w[1], float(order[places[k]])))
    return max(best, top[0]), listed, count


@njit(nogil=True, cache=True)
def noted(listed: Array, count: int, neuron: Listed) -> tuple[Array, int]:
    """The list with one more."""
    if count == len(listed):
        listed = np.concatenate((listed, np.empty_like(listed)))
    listed[count, 0], listed[count, 1], listed[count, 2], listed[count, 3] = neuron
    return listed, count + 1


@njit(nogil=True, cache=True)
def row_largest(values: Array) -> Array:
    """For each sector the larger of its ends' largest."""
    top = np.empty(len(values) - 1)
    for i in range(len(top)):
        top[i] = max(np.abs(values[i]).max(), np.abs(values[i + 1]).max())
    return top


@njit(nogil=True, cache=True)
def matters(best: float, level: float, floor: float) -> float:
    """What exceeds this is looked at."""
    if level < best:
        return best - 0.5 * (best - level)
    return max(best, min(floor, level))


@njit(nogil=True, cache=True)
def halved(
    x: Array,
    y: Array,
    U: Array,
    angle: float,
    h: float,
    line: Line,
    pairs: NDArray,
    values: Array,
    best: float,
    limits: tuple[float, float, float, float],
    listed: Array,
    count: int,
) -> tuple[float, Array, int]:
    """A sector with all pivots: halved, and what is left of it again, until it is swept or nothing is left.

    A stack of sectors; each has its pairs (pivot, eta at both ends) on the stack of pairs, the last on top.
    """
    n = len(x)
    level, least, floor, rounding = limits
    over, middle = np.empty((n, 2)), np.empty(n)
    windows, ranks = np.empty((n, 2), np.int64), np.empty(n, np.int64)
    stack = [(angle, h, 0, n)]
    while len(stack):
        angle, h, first, last = stack.pop()
        turn(x, y, U, angle, line)
        best, listed, count = at_sites(U, line, middle, best, least, listed, count, True)
        above_chords(np.tan(h), line, ranks, windows, over)
        enough = matters(best, level, floor) - rounding
        kept, work = first, 0
        for i in range(first, last):
            rank, left, right = ranks[pairs[i]], values[i, 0], values[i, 1]
            centre = middle[pairs[i]]  # the chords of both halves
            high = max(left / np.cos(h), centre, right / np.cos(h)) + over[rank, 0]
            low = max(-left / np.cos(h), -centre, -right / np.cos(h)) + over[rank, 1]
            if max(high, low) > enough:
                pairs[kept], values[kept, 0], values[kept, 1] = pairs[i], left, right
                work += windows[rank, 1] - windows[rank, 0]
                kept += 1
        end = 2 * kept - first
        if work <= SWEPT * n or h < NARROWEST or end > len(pairs):
            sweep = swept(U, np.tan(h), line, pairs[first:kept], ranks, windows)
            if sweep[0] > min(best, least):
                listed, count = noted(listed, count, sweep)
            best = max(best, sweep[0])
            continue
        pairs[kept:end] = pairs[first:kept]
        for i in range(first, kept):  # the left half below, the right half on top
            other = kept + i - first
            values[other, 0], values[other, 1] = middle[pairs[i]], values[i, 1]
            values[i, 1] = middle[pairs[i]]
        stack.append((angle - 0.5 * h, 0.5 * h, first, kept))
        stack.append((angle + 0.5 * h, 0.5 * h, kept, end))
    return best, listed, count


@njit(nogil=True, cache=True)
def above_chords(T: float, line: Line, ranks: NDArray, windows: NDArray, over: Array) -> None:
    """For each rank its window and how far eta and -eta may lie above their chords; and the rank of each point."""
    (p, q, _), order, _, _, _, sizes = line
    n = len(order)
    reach = 2.0 * T * np.abs(q).max()
    low = high = 0
    for i in range(n):
        ranks[order[i]] = i
        while p[low] < p[i] - reach:
            low += 1
        while high < n and p[high] <= p[i] + reach:
            high += 1
        windows[i, 0], windows[i, 1] = low, high
        for side in range(2):
            size = sizes[high, side, 0] - sizes[low, side, 0]
            moment = sizes[high, side, 1] - sizes[low, side, 1]
            square = sizes[high, side, 2] - sizes[low, side, 2] + q[i] * (q[i] * size - 2.0 * moment)
            square = max(square, 0.0) + EPSILON * n * sizes[n, side, 2]
            over[i, side] = 0.25 * T * np.sqrt(size * square)


@njit(nogil=True, cache=True)
def swept(U: Array, T: float, line: Line, pivots: NDArray, ranks: NDArray, windows: NDArray) -> Listed:
    """The largest |eta| about these pivots within the sector, with its direction: (value, wx, wy, pivot)."""
    _, _, _, w, _, _ = line
    most = 0
    for m in pivots:
        most = max(most, windows[ranks[m], 1] - windows[ranks[m], 0])
    times, kinks = np.empty(most), np.empty((most, 2, U.shape[1]))
    best, at, pivot = 0.0, 0.0, -1
    for m in pivots:
        square, t = arcs(U, T, line, ranks[m], windows[ranks[m]], times, kinks)
        if square > best:
            best, at, pivot = square, t, m
    wx, wy = w[0] - at * w[1], w[1] + at * w[0]
    return np.sqrt(best), wx, wy, float(pivot)


@njit(nogil=True, cache=True)
def arcs(U: Array, T: float, line: Line, i: int, window: NDArray, times: Array, kinks: Array) -> tuple[float, float]:
    """The largest |eta|^2 about the i-th pivot in order, and its t: from kink to kink along the sector."""
    (p, q, _), order, _, _, sums, _ = line
    n, D = U.shape
    low, high = window[0], window[1]
    M = np.empty((2, D))  # the sum is M[0] + t M[1], from kink to kink
    for j in range(D):  # of what lies outside the window
        mass = sums[n, 0, j] - sums[high, 0, j] - sums[low, 0, j]
        M[0, j] = 0.5 * (sums[n, 1, j] - sums[high, 1, j] - sums[low, 1, j] - p[i] * mass)
        M[1, j] = 0.5 * (sums[n, 2, j] - sums[high, 2, j] - sums[low, 2, j] - q[i] * mass)
    count = 0
    for k in range(low, high):
        c, d = p[k] - p[i], q[k] - q[i]
        crossed = abs(c) < T * abs(d)
        side = (-0.5 if d > 0.0 else 0.5) if crossed else (0.5 if c > 0.0 else -0.5)
        for j in range(D):
            u = U[order[k], j]
            M[0, j] += side * u * c
            M[1, j] += side * u * d
            if crossed:
                kinks[count, 0, j], kinks[count, 1, j] = -2.0 * side * u * c, -2.0 * side * u * d
        if crossed:
            times[count] = -c / d
            count += 1
    best, at, before = 0.0, 0.0, -T
    turns = np.argsort(times[:count])
    for k in range(count + 1):
        after = times[turns[k]] if k < count else T
        square, t = piece(M, before, after)
        if square > best:
            best, at = square, t
        if k < count:
            M += kinks[turns[k]]
        before = after
    return best, at


@njit(nogil=True, cache=True)
def piece(M: Array, before: float, after: float) -> tuple[float, float]:
    """The largest |M[0] + t M[1]|^2 / (1 + t^2) between two t, and its t."""
    a = b = c = 0.0
    for j in range(M.shape[1]):
        a += M[0, j] * M[0, j]
        b += M[0, j] * M[1, j]
        c += M[1, j] * M[1, j]
    peak = 0.5 * (a + c) + np.sqrt(0.25 * (a - c) * (a - c) + b * b)
    vx, vy = (peak - c, b) if a >= c else (b, peak - a)
    if vx != 0.0 and before < vy / vx < after:
        return peak, vy / vx
    first = (a + before * (2.0 * b + before * c)) / (1.0 + before * before)
    last = (a + after * (2.0 * b + after * c)) / (1.0 + after * after)
    return (first, before) if first >= last else (last, after)
