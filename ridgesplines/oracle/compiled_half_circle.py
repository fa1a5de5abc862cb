r"""The best point of a half circle, compiled by numba; imported only where it is installed. See `circles`.

Where the half circle is cut into parts, those in which |eta| cannot be largest need no order of crossings. In a part
that begins with :math:`M` and ends at a direction an angle :math:`\delta` farther,

.. math:: M^T w - s^- \le \eta(w) \le M^T w + s^+, \qquad s^\pm = \sin\delta \sum \max(\pm u_n, 0) \|r_n\|

over the points that are crossed there: once crossed, :math:`r_n` adds :math:`u_n |r_n^T w|`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_sort import sort_buckets
from ridgesplines.validation import Array

#: Parts of a half circle.
PARTS = 64
#: What is crossed where parts begin, and where the last one ends: unit vectors. And the sines of their lengths.
_KEYS = np.linspace(-1.0, 1.0, PARTS + 1)
_ENDS = np.array([1.0 - np.abs(_KEYS), _KEYS]).T / np.hypot(1.0 - np.abs(_KEYS), _KEYS)[:, None]
_SINES = np.abs(_ENDS[:-1, 0] * _ENDS[1:, 1] - _ENDS[:-1, 1] * _ENDS[1:, 0])
#: Values that differ less, relatively, may be equal but for rounding.
ROUNDING = 1e-9


@njit(nogil=True, cache=True)
def best_of_half_circle(
    room: Array, u: Array, places: NDArray, starts: NDArray, linear_x: float, linear_y: float
) -> tuple[float, float, float, int]:
    """The largest eta^2, its direction in the plane, and the point crossed there or -1. For scalar u.

    A linear function joins eta. The points room[:2] are turned to their positive side; room[2], places (3, N) and
    starts (PARTS + 1,) are spare.
    """
    rx, ry, keys = room[0], room[1], room[2]
    place, order, sums = places[0], places[1], np.zeros((PARTS + 1, 4))
    into_parts(rx, ry, keys, place)
    for n in range(len(rx)):
        x, y, v = rx[n], ry[n], u[n]
        part, size = sums[place[n]], x + abs(y)
        part[0] += v * x
        part[1] += v * y
        part[2] += v * size
        part[3] += abs(v) * size
    promising = np.zeros(PARTS + 1, np.int64)
    mx, my = promises(sums, promising, linear_x, linear_y)
    count = int(np.int64(0))
    for n in range(len(rx)):
        order[count] = n
        count += promising[place[n]]
    in_order(keys, place, order[:count], places[2], starts)
    return swept(rx, ry, u, places[2], starts, sums, promising, mx, my)


@njit(nogil=True, cache=True)
def into_parts(rx: Array, ry: Array, keys: Array, place: NDArray) -> None:
    """Turn points to their positive side; the keys by which they are crossed, and the parts, PARTS for (0, 0)."""
    for n in range(len(rx)):
        x, y = rx[n], ry[n]
        turn = (x < 0.0) | ((x == 0.0) & (y < 0.0))
        x, y = -x if turn else x, -y if turn else y
        size = x + abs(y)
        key = y / (size if size > 0.0 else 1.0)
        rx[n], ry[n], keys[n] = x, y, key
        place[n] = min(int((key + 1.0) * (0.5 * PARTS)), PARTS - 1) if size > 0.0 else PARTS


@njit(nogil=True, cache=True)
def promises(sums: Array, promising: NDArray, mx: float, my: float) -> tuple[float, float]:
    """Mark the parts where |eta| may be as large as where some part begins; M at the beginning of the first.

    M comes as the linear function that joins eta.
    """
    for k in range(PARTS):
        mx += 0.5 * sums[k, 0]
        my += 0.5 * sums[k, 1]
    begin, least, high = (mx, my), 0.0, np.empty(PARTS)
    for k in range(PARTS):
        first = _ENDS[k, 0] * my - _ENDS[k, 1] * mx
        last = _ENDS[k + 1, 0] * my - _ENDS[k + 1, 1] * mx
        largest, smallest, least = max(first, last), min(first, last), max(least, abs(first))
        if (_ENDS[k, 0] * mx + _ENDS[k, 1] * my) * (_ENDS[k + 1, 0] * mx + _ENDS[k + 1, 1] * my) < 0.0:
            peak = np.sqrt(mx * mx + my * my)
            largest, smallest = (peak, smallest) if first + last > 0.0 else (largest, -peak)
        rise, fall = 0.5 * (sums[k, 3] + sums[k, 2]), 0.5 * (sums[k, 3] - sums[k, 2])
        high[k] = max(largest + rise * _SINES[k], fall * _SINES[k] - smallest)
        mx -= sums[k, 0]
        my -= sums[k, 1]
    for k in range(PARTS):
        promising[k] = high[k] >= least * (1.0 - ROUNDING)
    return begin


@njit(nogil=True, cache=True)
def in_order(keys: Array, place: NDArray, points: NDArray, order: NDArray, starts: NDArray) -> None:
    """Write points into `order`, part by part and with rising keys; `starts` says where the next part begins."""
    starts[: PARTS + 1] = 0
    for n in points:
        starts[place[n] + 1] += 1
    for k in range(PARTS):
        starts[k + 1] += starts[k]
    for n in points:
        order[starts[place[n]]] = n
        starts[place[n]] += 1
    sort_buckets(keys, order, starts[:PARTS])


@njit(nogil=True, cache=True)
def swept(
    rx: Array,
    ry: Array,
    u: Array,
    order: NDArray,
    starts: NDArray,
    sums: Array,
    promising: NDArray,
    mx: float,
    my: float,
) -> tuple[float, float, float, int]:
    """What `best_of_half_circle` returns, from the parts that promise it."""
    best, wx, wy, at = 0.0, 1.0, 0.0, -1
    first = int(np.int64(0))
    for k in range(PARTS):
        next_x, next_y = mx - sums[k, 0], my - sums[k, 1]
        if promising[k]:
            last = int(np.int64(starts[k]))
            before = _ENDS[k, 0] * mx + _ENDS[k, 1] * my
            for i in range(first, last + 1):
                n = order[i] if i < last else -1
                x, y = (rx[n], ry[n]) if n >= 0 else (_ENDS[k + 1, 0], _ENDS[k + 1, 1])
                after = x * mx + y * my
                peak = mx * mx + my * my
                if (before * after < 0.0) & (peak > best):
                    best, wx, wy, at = peak, mx, my, -1
                if n < 0:
                    break
                size = x * x + y * y
                end = x * my - y * mx
                if end * end > best * size:
                    best, wx, wy, at = end * end / size, -y, x, n
                mx -= u[n] * x
                my -= u[n] * y
                before = x * mx + y * my
            first = last
        mx, my = next_x, next_y
    return best, wx, wy, at
