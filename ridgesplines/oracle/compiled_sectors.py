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
for all pivots at once, in O(N) beside the sort; what it proves to be too small to matter is left. Of the rest each band
of pivots whose windows overlap is halved on its own: no point outside of the windows is crossed, and only the sums of
those on either side are kept. Once windows are short they are swept: exactly, kink by kink. Where :math:`|\eta|` is
near its supremum in few places, as about the neurons of a solution, nearly all of the work is O(N log N) for each of
the first sectors, in the place of N sweeps of N crossings.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_sort import arrange, bucket_sort
from ridgesplines.validation import Array

#: Sectors of the half circle at first.
SECTORS = 16
#: A band is swept where its windows hold so many points in all for each of its own, or where its sector is as narrow.
SWEPT, NARROWEST = 8, 1e-9
#: Of sums, which are known to so much relative to what is added.
EPSILON = 2.0**-51
#: Neurons are listed by their direction and by their bias, between -3 and 3 (coordinates are below two): the largest of
#: each of so many cells.
ANGLES, PLACES, FARTHEST = 64, 32, 3.0
#: What is known of a band along a direction, see `turned`.
Line = tuple[Array, NDArray, NDArray, Array, Array, Array, Array]
#: A band of a sector: angle, half width; its points; of these the pivots that matter, (k,), and eta of them at both
#: ends, (k, 2); the sums of u (1, x, y) over what lies to the left of it, (3, D).
Band = tuple[float, float, NDArray, NDArray, Array, Array]


@njit(nogil=True, cache=True)
def supremum(x: Array, y: Array, U: Array, limits: tuple[float, float, float]) -> tuple[Array, float]:
    """The largest |eta| at a pivot, and others, one for each cell: (m, 4), in no order; and what none exceeds.

    Each row: |eta|, the direction, the pivot. `limits`: a level; what exceeds it by half of what the largest does is
    found too. A floor: a supremum at or below it need not be found. And what may be rounding.
    """
    n, h = len(x), 0.5 * np.pi / SECTORS
    listed, ends = np.zeros((ANGLES * PLACES, 4)), np.empty((SECTORS + 1, n))
    total, everything, nothing = sums_of(x, y, U), np.arange(n), np.zeros((3, U.shape[1]))
    best, most = 0.0, 0.0
    for i in range(SECTORS):
        line = turned(x, y, U, everything, 2.0 * i * h, nothing)
        best = max(best, at_sites(line, total, everything, 2.0 * i * h, ends[i], listed))
    ends[SECTORS] = ends[0]
    for i in largest_first(ends):
        values = np.empty((n, 2))
        values[:, 0], values[:, 1] = ends[i], ends[i + 1]
        stack = [((2 * i + 1) * h, h, everything, everything, values, nothing)]
        while len(stack):
            best, most = halved(x, y, U, total, stack, best, most, limits, listed)
    return listed[listed[:, 0] > 0.0], max(best, most)


@njit(nogil=True, cache=True)
def along(x: Array, y: Array, U: Array, directions: int) -> Array:
    """The largest |eta| along so many evenly spread directions, and other maxima: rows as above, in no order."""
    listed, eta = np.zeros((ANGLES * PLACES, 4)), np.empty(len(x))
    total, everything, nothing = sums_of(x, y, U), np.arange(len(x)), np.zeros((3, U.shape[1]))
    for i in range(directions):
        line = turned(x, y, U, everything, np.pi * i / directions, nothing)
        at_sites(line, total, everything, np.pi * i / directions, eta, listed)
    return listed[listed[:, 0] > 0.0]


@njit(nogil=True, cache=True)
def sums_of(x: Array, y: Array, U: Array) -> Array:
    """The sums of u, u x and u y, (3, D)."""
    total = np.zeros((3, U.shape[1]))
    for n in range(len(x)):
        for j in range(U.shape[1]):
            total[0, j] += U[n, j]
            total[1, j] += U[n, j] * x[n]
            total[2, j] += U[n, j] * y[n]
    return total


@njit(nogil=True, cache=True)
def turned(x: Array, y: Array, U: Array, points: NDArray, angle: float, left: Array) -> Line:
    """A band along a direction: (p, q) in order, the order, the rank of each of the points, the direction, u in order.

    And prefix sums: of u (1, p, q), beginning with what lies to the left, and of the sizes (1, q, q^2) of u below zero
    and above, or of all u twice for several outputs.
    """
    n, D, w = len(points), U.shape[1], np.array([np.cos(angle), np.sin(angle)])
    order, ranks, at, u = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((2, n)), np.empty((n, D))
    sums, sizes = np.empty((n + 1, 3, D)), np.zeros((n + 1, 2, 3))
    sort(x, y, points, w, order)
    for j in range(D):
        sums[0, 0, j] = left[0, j]
        sums[0, 1, j] = w[0] * left[1, j] + w[1] * left[2, j]
        sums[0, 2, j] = w[0] * left[2, j] - w[1] * left[1, j]
    for i in range(n):
        ranks[order[i]] = i
        k, square = points[order[i]], 0.0
        p, q = w[0] * x[k] + w[1] * y[k], w[0] * y[k] - w[1] * x[k]
        at[0, i], at[1, i] = p, q
        for j in range(D):
            u[i, j] = U[k, j]
            sums[i + 1, 0, j] = sums[i, 0, j] + u[i, j]
            sums[i + 1, 1, j] = sums[i, 1, j] + u[i, j] * p
            sums[i + 1, 2, j] = sums[i, 2, j] + u[i, j] * q
            square += u[i, j] * u[i, j]
        for side in range(2):  # the kinks that are concave for eta, and for -eta
            size = np.sqrt(square) if D > 1 or (u[i, 0] < 0.0) == (side == 0) else 0.0
            sizes[i + 1, side, 0] = sizes[i, side, 0] + size
            sizes[i + 1, side, 1] = sizes[i, side, 1] + size * q
            sizes[i + 1, side, 2] = sizes[i, side, 2] + size * q * q
    return at, order, ranks, w, u, sums, sizes


@njit(nogil=True, cache=True)
def sort(x: Array, y: Array, points: NDArray, w: Array, order: NDArray) -> None:
    """Write the places of the points into `order`, as they come along a direction."""
    n, low, high = len(points), np.inf, -np.inf
    keys, starts = np.empty(n), np.empty(n + 1, np.int64)
    for k in range(n):
        keys[k] = w[0] * x[points[k]] + w[1] * y[points[k]]
        low, high = min(low, keys[k]), max(high, keys[k])
    half = 0.5 * (high - low)
    middle, scale = low + half, 1.0 / half if half > 0.0 else 0.0
    for k in range(n):
        keys[k] = min(1.0, max(-1.0, (keys[k] - middle) * scale))
    bucket_sort(keys, order, starts)


@njit(nogil=True, cache=True)
def eta_at_rank(i: int, line: Line, total: Array) -> float:
    """eta with the bias at the i-th point in order; its norm for several outputs."""
    at, _, _, w, _, sums, _ = line
    D, square, eta = total.shape[1], 0.0, 0.0
    for j in range(D):
        moment = w[0] * total[1, j] + w[1] * total[2, j] - 2.0 * sums[i + 1, 1, j]
        eta = 0.5 * (moment - at[0, i] * (total[0, j] - 2.0 * sums[i + 1, 0, j]))
        square += eta * eta
    return eta if D == 1 else np.sqrt(square)


@njit(nogil=True, cache=True)
def at_sites(line: Line, total: Array, points: NDArray, angle: float, eta: Array, listed: Array) -> float:
    """eta at all points along the direction, and the largest |eta|; local maxima are listed."""
    at, order, _, w, _, _, _ = line
    n = len(points)
    first = int(np.int64(0))  # see `arrange`
    largest, before, here = 0.0, 0.0, eta_at_rank(first, line, total)
    for i in range(n):
        eta[order[i]] = here
        after = eta_at_rank(i + 1, line, total) if i + 1 < n else 0.0
        if abs(here) >= before and abs(here) >= abs(after):
            noted(listed, angle, at[0, i], abs(here), w[0], w[1], points[order[i]])
            largest = max(largest, abs(here))
        before, here = abs(here), after
    return largest


@njit(nogil=True, cache=True)
def noted(listed: Array, angle: float, bias: float, value: float, wx: float, wy: float, pivot: int) -> None:
    """A neuron is listed where it is the largest of its cell."""
    place = min(PLACES - 1, max(0, int((bias / FARTHEST + 1.0) * 0.5 * PLACES)))
    cell = listed[int(ANGLES * angle / np.pi) % ANGLES * PLACES + place]
    if value > cell[0]:
        cell[0], cell[1], cell[2], cell[3] = value, wx, wy, pivot


@njit(nogil=True, cache=True)
def largest_first(ends: Array) -> NDArray:
    """The sectors, in the order of the largest |eta| at their ends."""
    keys, order = np.zeros(SECTORS), np.arange(SECTORS)
    for i in range(SECTORS):
        for n in range(ends.shape[1]):
            keys[i] = min(keys[i], -abs(ends[i, n]), -abs(ends[i + 1, n]))
    arrange(keys, order, int(np.int64(0)), len(order))
    return order


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
    total: Array,
    stack: list[Band],
    best: float,
    most: float,
    limits: tuple[float, float, float],
    listed: Array,
) -> tuple[float, float]:
    """The last band of a stack: left, swept, or halved, its parts put on the stack.

    The largest value, and the largest bound of what was left.
    """
    angle, h, points, pivots, values, left = stack.pop()
    line = turned(x, y, U, points, angle, left)
    at, _, ranks, w, _, _, _ = line
    windows, over = above_chords(np.tan(h), line)
    middle = np.empty(len(pivots))
    for i in range(len(pivots)):
        middle[i] = eta_at_rank(ranks[pivots[i]], line, total)
        if abs(middle[i]) > best:
            best = abs(middle[i])
            noted(listed, angle, at[0, ranks[pivots[i]]], best, w[0], w[1], points[pivots[i]])
    enough, cosine = matters(best, limits[0], limits[1]) - limits[2], np.cos(h)
    kept, work = np.empty(len(pivots), np.int64), 0
    count = 0
    for i in range(len(pivots)):
        rank = ranks[pivots[i]]
        high = max(values[i, 0] / cosine, middle[i], values[i, 1] / cosine) + over[rank, 0]
        low = max(-values[i, 0] / cosine, -middle[i], -values[i, 1] / cosine) + over[rank, 1]
        if max(high, low) > enough:
            kept[count] = i
            count += 1
            work += windows[rank, 1] - windows[rank, 0]
        else:
            most = max(most, high, low)
    kept = kept[:count]
    if work <= SWEPT * len(points) or h < NARROWEST:
        return max(best, swept(np.tan(h), angle, line, total, points, pivots[kept], windows, listed)), most
    parted(angle, h, line, points, pivots[kept], values[kept], middle[kept], windows, stack)
    return best, most


@njit(nogil=True, cache=True)
def parted(
    angle: float,
    h: float,
    line: Line,
    points: NDArray,
    pivots: NDArray,
    values: Array,
    middle: Array,
    windows: NDArray,
    stack: list[Band],
) -> None:
    """The bands of these pivots, whose windows overlap, go on the stack, each for both halves of the sector."""
    _, order, ranks, w, _, sums, _ = line
    keys, places = np.empty(len(pivots)), np.arange(len(pivots))
    for i in range(len(pivots)):
        keys[i] = ranks[pivots[i]]
    arrange(keys, places, int(np.int64(0)), len(places))
    first = 0
    while first < len(places):
        low, high = windows[ranks[pivots[places[first]]], 0], windows[ranks[pivots[places[first]]], 1]
        last = first + 1
        while last < len(places) and windows[ranks[pivots[places[last]]], 0] < high:
            high = max(high, windows[ranks[pivots[places[last]]], 1])
            last += 1
        some = last - first
        within, before, after = np.empty(some, np.int64), np.empty((some, 2)), np.empty((some, 2))
        for k in range(some):
            i = places[first + k]
            within[k] = ranks[pivots[i]] - low
            before[k, 0], before[k, 1], after[k, 0], after[k, 1] = values[i, 0], middle[i], middle[i], values[i, 1]
        left = np.empty((3, sums.shape[2]))
        for j in range(sums.shape[2]):
            left[0, j] = sums[low, 0, j]
            left[1, j] = w[0] * sums[low, 1, j] - w[1] * sums[low, 2, j]
            left[2, j] = w[1] * sums[low, 1, j] + w[0] * sums[low, 2, j]
        inside = points[order[low:high]]
        stack.append((angle - 0.5 * h, 0.5 * h, inside, within, before, left))
        stack.append((angle + 0.5 * h, 0.5 * h, inside, within, after, left))
        first = last


@njit(nogil=True, cache=True)
def above_chords(T: float, line: Line) -> tuple[NDArray, Array]:
    """For each rank its window, and how far eta and -eta may lie above their chords."""
    at, _, _, _, _, _, sizes = line
    p, q, n = at[0], at[1], at.shape[1]
    windows, over = np.empty((n, 2), np.int64), np.empty((n, 2))
    reach = T * (q.max() - q.min())
    low = high = 0
    for i in range(n):
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
    return windows, over


@njit(nogil=True, cache=True)
def swept(
    T: float,
    angle: float,
    line: Line,
    total: Array,
    points: NDArray,
    pivots: NDArray,
    windows: NDArray,
    listed: Array,
) -> float:
    """The largest |eta| about these pivots within the sector; the largest of each place is listed."""
    at, _, ranks, w, u, _, _ = line
    most, largest = 0, 0.0
    for m in pivots:
        most = max(most, windows[ranks[m], 1] - windows[ranks[m], 0])
    times, kinks = np.empty(most), np.empty((most, 2, u.shape[1]))
    for m in pivots:
        square, t = arcs(T, line, total, ranks[m], windows[ranks[m]], times, kinks)
        value = np.sqrt(square)
        noted(listed, angle, at[0, ranks[m]], value, w[0] - t * w[1], w[1] + t * w[0], points[m])
        largest = max(largest, value)
    return largest


@njit(nogil=True, cache=True)
def arcs(
    T: float, line: Line, total: Array, i: int, window: NDArray, times: Array, kinks: Array
) -> tuple[float, float]:
    """The largest |eta|^2 about the i-th pivot in order, and its t: from kink to kink along the sector."""
    at, _, _, w, u, sums, _ = line
    p, q = at[0], at[1]
    low, high = window[0], window[1]
    M = np.empty((2, u.shape[1]))  # the sum is M[0] + t M[1], from kink to kink
    for j in range(u.shape[1]):  # of what lies outside the window
        mass = total[0, j] - sums[high, 0, j] - sums[low, 0, j]
        along = w[0] * total[1, j] + w[1] * total[2, j] - sums[high, 1, j] - sums[low, 1, j]
        across = w[0] * total[2, j] - w[1] * total[1, j] - sums[high, 2, j] - sums[low, 2, j]
        M[0, j], M[1, j] = 0.5 * (along - p[i] * mass), 0.5 * (across - q[i] * mass)
    count = 0
    for k in range(low, high):
        c, d = p[k] - p[i], q[k] - q[i]
        crossed = abs(c) < T * abs(d)
        side = (-0.5 if d > 0.0 else 0.5) if crossed else (0.5 if c > 0.0 else -0.5)
        for j in range(u.shape[1]):
            M[0, j] += side * u[k, j] * c
            M[1, j] += side * u[k, j] * d
            if crossed:
                kinks[count, 0, j], kinks[count, 1, j] = -2.0 * side * u[k, j] * c, -2.0 * side * u[k, j] * d
        if crossed:
            times[count] = -c / d
            count += 1
    best, t, before = 0.0, 0.0, -T
    turns = np.argsort(times[:count])  # worth its compilation: this is where the time goes
    for k in range(count + 1):
        after = times[turns[k]] if k < count else T
        square, peak = piece(M, before, after)
        if square > best:
            best, t = square, peak
        if k < count:
            for j in range(u.shape[1]):
                M[0, j] += kinks[turns[k], 0, j]
                M[1, j] += kinks[turns[k], 1, j]
        before = after
    return best, t


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
