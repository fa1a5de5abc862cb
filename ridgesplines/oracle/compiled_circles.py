"""The best point of great circles, compiled by numba; imported only where it is installed. See `circles`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_half_circle import PARTS, best_of_half_circle
from ridgesplines.oracle.compiled_sort import LEFT_OUT, bucket_sort
from ridgesplines.validation import Array


@njit(nogil=True, cache=True)
def best_on_circles(
    columns: Array, U: Array, W: Array, C: Array, held: NDArray, linear: Array
) -> tuple[Array, Array, Array, NDArray]:
    """The function of this name in `circles`, compiled, for circles through w and c; X comes as its columns, (d, N).

    A linear function of w joins eta, coefficients (d, D); (0, D) for none.
    """
    m, N, D = len(W), len(U), U.shape[1]
    squares, along_w, along_c, crossed = np.empty(m), np.empty(m), np.empty(m), np.empty(m, np.int64)
    room = np.empty((3, N))
    places, starts = np.empty((3, N), np.int32), np.empty(max(N, PARTS) + 1, np.int32)
    M, u = np.empty((D, 2)), U[:, 0].copy()
    for i in range(m):
        project(columns, W[i], held[i], room[0])
        project(columns, C[i], held[i], room[1])
        squares[i], along_w[i], along_c[i], crossed[i] = best_of_circle(
            room, U, u, linear, W[i], C[i], places, starts, M
        )
    return squares, along_w, along_c, crossed


@njit(nogil=True, cache=True)
def best_of_circle(
    room: Array, U: Array, u: Array, linear: Array, w: Array, c: Array, places: NDArray, starts: NDArray, M: Array
) -> tuple[float, float, float, int]:
    """The largest eta^2 of a circle through w and c, its direction in their plane, and the point crossed there or -1.

    room[:2] are the projections of the points. Half a circle will do for even functions: with a linear one added it
    takes both.
    """
    M[:] = 0.0
    for j in range(len(linear)):
        for k in range(U.shape[1]):
            M[k, 0] += w[j] * linear[j, k]
            M[k, 1] += c[j] * linear[j, k]
    other = -M if len(linear) > 0 else M
    best, x, y, at = best_of_half(room, U, u, places, starts, M)
    if len(linear) == 0:
        return best, x, y, at
    if y < 0.0:  # directions come up to their sign; the half is that of positive y
        x, y = -x, -y
    more, ox, oy, there = best_of_half(room, U, u, places, starts, other)
    if more <= best:
        return best, x, y, at
    return (more, -ox, -oy, there) if oy >= 0.0 else (more, ox, oy, there)


@njit(nogil=True, cache=True)
def best_of_half(
    room: Array, U: Array, u: Array, places: NDArray, starts: NDArray, M: Array
) -> tuple[float, float, float, int]:
    """The same of half a circle, up to the sign of the direction; M (D, 2) is a linear function that joins eta."""
    if U.shape[1] == 1:
        return best_of_half_circle(room, u, places, starts, M[0, 0], M[0, 1])
    count = crossing_order(room[0], room[1], room[2], places[0], starts[: len(U) + 1])
    return vector_sweep(room[0], room[1], U, places[0, :count], M)


@njit(nogil=True, cache=True)
def project(columns: Array, w: Array, held: NDArray, p: Array) -> None:
    """Write w^T (x_n - x_p) into p, zero at points that are held."""
    d, offset = len(w), 0.0
    for j in range(d):
        offset += w[j] * columns[j, held[0]]
    p[:] = -offset
    j = int(np.int64(0))
    while j + 4 <= d:  # four columns at a time: p is read and written less often
        c0, c1, c2, c3 = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
        w0, w1, w2, w3 = w[j], w[j + 1], w[j + 2], w[j + 3]
        for n in range(len(p)):
            p[n] += (w0 * c0[n] + w1 * c1[n]) + (w2 * c2[n] + w3 * c3[n])
        j += 4
    while j < d:
        w0, c0 = w[j], columns[j]
        for n in range(len(p)):
            p[n] += w0 * c0[n]
        j += 1
    for n in held:
        if n >= 0:
            p[n] = 0.0


@njit(nogil=True, cache=True)
def crossing_order(rx: Array, ry: Array, keys: Array, order: NDArray, starts: NDArray) -> int:
    """Turn points to their positive side and write those that are crossed into `order`; their number."""
    for n in range(len(rx)):
        if rx[n] < 0.0 or (rx[n] == 0.0 and ry[n] < 0.0):
            rx[n], ry[n] = -rx[n], -ry[n]
        size = rx[n] + abs(ry[n])
        keys[n] = ry[n] / size if size > 0.0 else LEFT_OUT
    return bucket_sort(keys, order, starts)


@njit(nogil=True, cache=True)
def vector_sweep(rx: Array, ry: Array, U: Array, order: NDArray, M: Array) -> tuple[float, float, float, int]:
    """What `best_of_half_circle` returns, for vector outputs U (N, D), from all crossings.

    M (D, 2) is a linear function that joins eta; it changes.
    """
    D = U.shape[1]
    for n in range(len(U)):
        for k in range(D):
            M[k, 0] += 0.5 * U[n, k] * rx[n]
            M[k, 1] += 0.5 * U[n, k] * ry[n]
    best, wx, wy, at = 0.0, 1.0, 0.0, -1
    lx, ly = 0.0, -1.0
    for i in range(len(order) + 1):
        n = order[i] if i < len(order) else -1
        x, y = (rx[n], ry[n]) if n >= 0 else (0.0, 1.0)
        a = b = c = end = 0.0
        for k in range(D):
            end += (x * M[k, 1] - y * M[k, 0]) ** 2  # not from a, b and c, where it would cancel
            a += M[k, 0] * M[k, 0]
            b += M[k, 0] * M[k, 1]
            c += M[k, 1] * M[k, 1]
        if a + c > best:
            peak = 0.5 * (a + c) + np.sqrt(0.25 * (a - c) * (a - c) + b * b)
            vx, vy = (peak - c, b) if a >= c else (b, peak - a)
            if (peak > best) & ((lx * vx + ly * vy) * (x * vx + y * vy) < 0.0):
                best, wx, wy, at = peak, vx, vy, -1
        if n < 0:
            break
        size = x * x + y * y
        if end > best * size:
            best, wx, wy, at = end / size, -y, x, n
        for k in range(D):
            M[k, 0] -= x * U[n, k]
            M[k, 1] -= y * U[n, k]
        lx, ly = x, y
    return best, wx, wy, at
