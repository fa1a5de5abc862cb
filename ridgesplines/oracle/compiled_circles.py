"""The best point of great circles, compiled by numba; imported only where it is installed. See `circles`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    rx, ry, keys = np.empty(N), np.empty(N), np.empty(N)
    order, starts = np.empty(N, np.int32), np.empty(N + 1, np.int32)
    M, u = np.empty((D, 2)), U[:, 0].copy()
    for i in range(m):
        project(columns, W[i], held[i], rx)
        project(columns, C[i], held[i], ry)
        count = crossing_order(rx, ry, keys, order, starts)
        squares[i], along_w[i], along_c[i], crossed[i] = swept(rx, ry, U, u, order[:count], M, linear, W[i], C[i])
    return squares, along_w, along_c, crossed


@njit(nogil=True, cache=True)
def swept(
    rx: Array, ry: Array, U: Array, u: Array, order: NDArray, M: Array, linear: Array, w: Array, c: Array
) -> tuple[float, float, float, int]:
    """The largest eta^2 of a circle through w and c, its direction in their plane, and the point crossed there or -1.

    Half of it will do for even functions: with a linear one added it is swept twice.
    """
    best, x, y, at = half_swept(rx, ry, U, u, order, M, linear, w, c, 1.0)
    if len(linear) == 0:
        return best, x, y, at
    if y < 0.0:  # a sweep has directions up to their sign, and is of the half of positive y
        x, y = -x, -y
    other, ox, oy, there = half_swept(rx, ry, U, u, order, M, linear, w, c, -1.0)
    if other <= best:
        return best, x, y, at
    return (other, -ox, -oy, there) if oy > 0.0 else (other, ox, oy, there)


@njit(nogil=True, cache=True)
def half_swept(
    rx: Array, ry: Array, U: Array, u: Array, order: NDArray, M: Array, linear: Array, w: Array, c: Array, sign: float
) -> tuple[float, float, float, int]:
    """The same of half a circle, on which the linear function has this sign; the direction up to its own."""
    M[:] = 0.0
    for j in range(len(linear)):
        for k in range(U.shape[1]):
            M[k, 0] += sign * w[j] * linear[j, k]
            M[k, 1] += sign * c[j] * linear[j, k]
    if U.shape[1] == 1:
        return scalar_sweep(rx, ry, u, order, M)
    return vector_sweep(rx, ry, U, order, M)


@njit(nogil=True, cache=True)
def project(columns: Array, w: Array, held: NDArray, p: Array) -> None:
    """Write w^T (x_n - x_p) into p, zero at points that are held."""
    offset = 0.0
    for j in range(len(w)):
        offset += w[j] * columns[j, held[0]]
    p[:] = -offset
    for j in range(len(w)):
        p += w[j] * columns[j]
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
def scalar_sweep(rx: Array, ry: Array, u: Array, order: NDArray, M: Array) -> tuple[float, float, float, int]:
    """The largest eta^2, its direction in the plane, and the point crossed there or -1. For scalar u.

    M (1, 2) is the linear function that joins eta.
    """
    mx, my = M[0, 0], M[0, 1]
    for n in range(len(u)):  # in the order of memory; what is never crossed is (0, 0)
        mx += 0.5 * u[n] * rx[n]
        my += 0.5 * u[n] * ry[n]
    best, wx, wy, at = 0.0, 1.0, 0.0, -1
    before = -my  # the half circle begins at (0, -1), as if crossed there, and ends at (0, 1)
    for n in order:
        x, y = rx[n], ry[n]
        after = x * mx + y * my
        peak = mx * mx + my * my
        if (before * after < 0.0) & (peak > best):
            best, wx, wy, at = peak, mx, my, -1
        size = x * x + y * y
        end = x * my - y * mx
        if end * end > best * size:
            best, wx, wy, at = end * end / size, -y, x, n
        mx -= u[n] * x
        my -= u[n] * y
        before = x * mx + y * my
    peak = mx * mx + my * my
    if (before * my < 0.0) & (peak > best):
        best, wx, wy, at = peak, mx, my, -1
    return best, wx, wy, at


@njit(nogil=True, cache=True)
def vector_sweep(rx: Array, ry: Array, U: Array, order: NDArray, M: Array) -> tuple[float, float, float, int]:
    """The same for vector outputs, U (N, D); M (D, 2) changes."""
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
