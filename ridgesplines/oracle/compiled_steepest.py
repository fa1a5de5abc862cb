"""Ascents of a sum of weighted distances, compiled by numba; imported only where it is installed.

See `monotone_search` for what they do.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_ascent import dot
from ridgesplines.oracle.compiled_circles import crossing_order
from ridgesplines.oracle.compiled_sort import bucket_sort
from ridgesplines.validation import Array


@njit(nogil=True, cache=True)
def ascended(columns: Array, a: Array, start: Array, limits: Array, most: int) -> Array:
    """Local maxima of sum a |p^T theta| over |w| = 1 from rows of `start` (m, p); the points come as columns, (p, M).

    `limits` are the constants of `monotone_search`: touch, flat, gain, tight, dependent; and a slope that is rounding.
    """
    touch, flat, gain, tight, dependent, rounding = limits
    p, M = columns.shape
    found, room = start.copy(), np.empty((3, M))
    order, starts = np.empty(M, np.int32), np.empty(M + 1, np.int32)
    way, trial = np.empty(p), np.empty(p)
    for i in range(len(found)):
        theta = found[i]
        value = along(columns, a, theta, room[0])
        for _ in range(most):
            held = touched(room[0], touch)
            gradient(columns, a, room[0], value, theta, way)
            steepest(columns, a, held, way, tight, dependent)
            size, length = perpendicular(way, theta)
            least = max(flat * abs(value), rounding)
            if size <= least:
                break
            if length > least:
                turned(columns, a, theta, way, length, room, order, starts, trial)
            else:
                shifted(columns, a, theta, room, order, starts, trial)
            after = along(columns, a, trial, room[0])
            if not after > value + gain * abs(value):
                break
            value = after
            for j in range(p):
                theta[j] = trial[j]
    return found


@njit(nogil=True, cache=True)
def along(columns: Array, a: Array, theta: Array, distances: Array) -> float:
    """Write the distances p^T theta; the sum of their sizes, weighted."""
    distances[:] = 0.0
    for j in range(len(theta)):
        distances += theta[j] * columns[j]
    total = 0.0
    for n in range(len(a)):
        total += a[n] * abs(distances[n])
    return total


@njit(nogil=True, cache=True)
def touched(distances: Array, touch: float) -> NDArray:
    """The points on the hyperplane, whose distances become zero."""
    near, count = touch * np.abs(distances).max(), 0
    for n in range(len(distances)):
        if abs(distances[n]) <= near:
            distances[n] = 0.0
            count += 1
    held, k = np.empty(count, np.int64), 0
    for n in range(len(distances)):
        if distances[n] == 0.0:
            held[k] = n
            k += 1
    return held


@njit(nogil=True, cache=True)
def gradient(columns: Array, a: Array, distances: Array, value: float, theta: Array, way: Array) -> None:
    """Write the gradient of the sum over its value in |w|, by the points that are not on the hyperplane."""
    pulls = a * np.sign(distances)
    for j in range(len(theta)):
        way[j] = np.dot(columns[j], pulls)
    for j in range(len(theta) - 1):
        way[j] -= value * theta[j]


@njit(nogil=True, cache=True)
def steepest(columns: Array, a: Array, held: NDArray, way: Array, tight: float, dependent: float) -> None:
    """Turn a gradient to the way in which the sum rises fastest, where points of negative weight hold it."""
    p = len(way)
    pulls, holding, count = np.zeros(len(held)), np.empty(len(held), np.int64), 0
    for k in range(len(held)):
        n, side = held[k], 0.0
        if a[n] < 0.0:
            holding[count] = n
            count += 1
            continue
        for j in range(p):
            side += columns[j, n] * way[j]
        pulls[k] = a[n] * np.sign(side)  # to leave it is a gain either way
    for k in range(len(held)):
        for j in range(p):
            way[j] += pulls[k] * columns[j, held[k]]
    while count > 0:
        worst, excess = -1, 0.0
        rest = pulled(columns, holding[:count], way, dependent, pulls)
        for k in range(count):
            limit = -a[holding[k]]
            if abs(pulls[k]) - limit > max(excess, tight * limit):
                worst, excess = k, abs(pulls[k]) - limit
        if worst < 0:
            for j in range(p):
                way[j] = rest[j]
            return
        n = holding[worst]
        for j in range(p):
            way[j] += np.sign(pulls[worst]) * a[n] * columns[j, n]
        count -= 1
        holding[worst] = holding[count]


@njit(nogil=True, cache=True)
def pulled(columns: Array, held: NDArray, way: Array, dependent: float, pulls: Array) -> Array:
    """Write the coefficients of held points in the least squares fit of a vector; what is left of it.

    By Gram and Schmidt; those that depend on others before them have none.
    """
    p = len(way)
    Q, R, rest, count = np.zeros((p, p)), np.zeros((p, p)), way.copy(), 0
    chosen, along_q = np.empty(p, np.int64), np.zeros(p)
    for k in range(len(held)):
        pulls[k] = 0.0
        if count == p:
            continue
        for j in range(p):
            Q[count, j] = columns[j, held[k]]
        whole = np.sqrt(dot(Q[count], Q[count]))
        R[:, count] = 0.0
        for _ in range(2):  # twice is enough
            for i in range(count):
                part = dot(Q[i], Q[count])
                R[i, count] += part
                for j in range(p):
                    Q[count, j] -= part * Q[i, j]
        length = np.sqrt(dot(Q[count], Q[count]))
        if length <= dependent * whole:
            continue
        R[count, count] = length
        for j in range(p):
            Q[count, j] /= length
        along_q[count] = dot(Q[count], rest)
        for j in range(p):
            rest[j] -= along_q[count] * Q[count, j]
        chosen[count] = k
        count += 1
    for i in range(count - 1, -1, -1):
        part = along_q[i]
        for m in range(i + 1, count):
            part -= R[i, m] * pulls[chosen[m]]
        pulls[chosen[i]] = part / R[i, i]
    return rest


@njit(nogil=True, cache=True)
def perpendicular(way: Array, theta: Array) -> tuple[float, float]:
    """Take from a way what only lengthens w; how long it is, and its weights alone."""
    last = len(way) - 1
    lengthens, square = dot(way[:last], theta[:last]), 0.0
    for j in range(len(way)):
        way[j] -= lengthens * theta[j]
    for j in range(last):
        square += way[j] * way[j]
    return np.sqrt(square + way[last] * way[last]), np.sqrt(square)


@njit(nogil=True, cache=True)
def turned(
    columns: Array,
    a: Array,
    theta: Array,
    way: Array,
    length: float,
    room: Array,
    order: NDArray,
    starts: NDArray,
    trial: Array,
) -> None:
    """Write the best of a great circle; room[0] has the distances at theta."""
    p = len(theta)
    for j in range(p):
        way[j] /= length
    along(columns, a, way, room[1])
    count = crossing_order(room[0], room[1], room[2], order, starts)
    x, y = best_of_circle(room[0], room[1], a, order[:count])
    for j in range(p):
        trial[j] = x * theta[j] + y * way[j]
    size = np.sqrt(dot(trial[: p - 1], trial[: p - 1]))
    for j in range(p):
        trial[j] /= size


@njit(nogil=True, cache=True)
def best_of_circle(rx: Array, ry: Array, a: Array, order: NDArray) -> tuple[float, float]:
    """The direction in which sum a |x cos t + y sin t| is largest; points are on their positive side."""
    mx = my = 0.0
    for n in range(len(a)):
        mx += a[n] * rx[n]
        my += a[n] * ry[n]
    best, wx, wy = mx, 1.0, 0.0
    lx, ly = 0.0, -1.0  # the point whose crossing begins the arc
    for i in range(len(order) + 1):
        n = order[i] if i < len(order) else -1
        x, y = (rx[n], ry[n]) if n >= 0 else (0.0, 1.0)
        if (lx * mx + ly * my < 0.0) & (x * mx + y * my > 0.0) & (mx * mx + my * my > best * abs(best)):
            best, wx, wy = np.sqrt(mx * mx + my * my), mx, my
        if n < 0:
            break
        size, end = np.sqrt(x * x + y * y), x * my - y * mx
        if end > best * size:
            best, wx, wy = end / size, -y, x
        mx -= 2.0 * a[n] * x
        my -= 2.0 * a[n] * y
        lx, ly = x, y
    size = np.sqrt(wx * wx + wy * wy)
    return wx / size, wy / size


@njit(nogil=True, cache=True)
def shifted(columns: Array, a: Array, theta: Array, room: Array, order: NDArray, starts: NDArray, trial: Array) -> None:
    """Write the best bias for the weights of theta: at one of the data."""
    p, N = len(theta), 0
    while len(a) > N and columns[p - 1, N] != 0.0:  # behind the data come the points at infinity
        N += 1
    places, keys = room[0, :N], room[1, :N]
    places[:] = 0.0
    for j in range(p - 1):
        places += theta[j] * columns[j, :N]
    low, span = places.min(), max(places.max() - places.min(), 1e-300)
    for n in range(N):
        keys[n] = (2.0 * (places[n] - low) / span - 1.0) * 0.999
    bucket_sort(keys, order[:N], starts[: N + 1])
    left = mass = moment = 0.0
    for n in range(N):
        mass += a[n]
        moment += a[n] * places[n]
    best, at, left_moment = -np.inf, places[0], 0.0
    for i in range(N):
        n = order[i]
        left += a[n]
        left_moment += a[n] * places[n]
        value = places[n] * (2.0 * left - mass) + moment - 2.0 * left_moment
        if value > best:
            best, at = value, places[n]
    for j in range(p - 1):
        trial[j] = theta[j]
    trial[p - 1] = at
