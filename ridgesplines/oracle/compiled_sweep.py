"""The sweep about many pivots, compiled by numba; imported only where it is installed. See `sweep` for what it does."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_sort import LEFT_OUT, bucket_sort
from ridgesplines.validation import Array


@njit(nogil=True, cache=True)
def sweeps(
    x: Array, y: Array, stretch: float, U: Array, pivots: NDArray, orders: NDArray, known: NDArray[np.bool_]
) -> Array:
    """For each pivot the largest |eta|^2 and a direction of any length, (m, 3). Fills in the orders not yet known."""
    N, D = U.shape
    u = U[:, 0].copy()
    spare, keys = np.empty(N - 1, orders.dtype), np.empty(N)
    starts = np.empty(N + 1, np.int64)
    largest = np.empty((len(pivots), 3))
    for i in range(len(pivots)):
        pivot = pivots[i]
        order = orders[pivot] if pivot < len(orders) else spare
        if not known[pivot]:
            crossing_order(x, y, stretch, pivot, order, keys, starts)
            known[pivot] = pivot < len(orders)
        largest[i] = scalar_sweep(x, y, u, pivot, order) if D == 1 else vector_sweep(x, y, U, pivot, order)
    return largest


@njit(nogil=True, cache=True)
def crossing_order(
    x: Array, y: Array, stretch: float, pivot: int, order: NDArray, keys: Array, starts: NDArray
) -> None:
    """Write the other points into `order` as the line about the pivot meets them; the rest is spare."""
    for n in range(len(x)):
        rx, ry = x[n] - x[pivot], (y[n] - y[pivot]) * stretch
        turn = 1.0 if n > pivot else -1.0
        keys[n] = turn * ry / (abs(rx) + abs(ry)) if n != pivot else LEFT_OUT
    bucket_sort(keys, order, starts)


@njit(nogil=True, cache=True)
def scalar_sweep(x: Array, y: Array, u: Array, pivot: int, order: NDArray) -> tuple[float, float, float]:
    """The largest eta^2 about one pivot, and its direction. For scalar u."""
    px, py = x[pivot], y[pivot]
    mx = my = 0.0
    for n in range(len(x)):
        half = 0.5 * u[n] if n > pivot else -0.5 * u[n]
        mx += half * (x[n] - px)
        my += half * (y[n] - py)
    last = order[-1]
    before = (x[last] - px) * mx + (y[last] - py) * my
    before = -before if last > pivot else before  # the arc before the first crossing follows on the last one
    best, wx, wy = 0.0, 1.0, 0.0
    for n in order:
        turn = 1.0 if n > pivot else -1.0
        rx, ry = (x[n] - px) * turn, (y[n] - py) * turn
        after = rx * mx + ry * my
        peak = mx * mx + my * my
        if (before * after < 0.0) & (peak > best):
            best, wx, wy = peak, mx, my
        size = rx * rx + ry * ry
        end = rx * my - ry * mx
        if end * end > best * size:
            best, wx, wy = end * end / size, -ry, rx
        mx -= u[n] * rx
        my -= u[n] * ry
        before = rx * mx + ry * my
    return best, wx, wy


@njit(nogil=True, cache=True)
def vector_sweep(x: Array, y: Array, U: Array, pivot: int, order: NDArray) -> tuple[float, float, float]:
    """The largest |eta|^2 about one pivot, and its direction. For vector outputs, U (N, D)."""
    N, D = U.shape
    px, py = x[pivot], y[pivot]
    M = np.zeros((D, 2))
    for n in range(N):
        half = 0.5 if n > pivot else -0.5
        for d in range(D):
            M[d, 0] += half * (x[n] - px) * U[n, d]
            M[d, 1] += half * (y[n] - py) * U[n, d]
    last = order[-1]
    turn = -1.0 if last > pivot else 1.0  # the arc before the first crossing follows on the last one
    lx, ly = (x[last] - px) * turn, (y[last] - py) * turn
    best, wx, wy = 0.0, 1.0, 0.0
    for n in order:
        turn = 1.0 if n > pivot else -1.0
        rx, ry = (x[n] - px) * turn, (y[n] - py) * turn
        a = b = c = end = 0.0
        for d in range(D):
            end += (rx * M[d, 1] - ry * M[d, 0]) ** 2  # not from a, b and c, where it would cancel
            a += M[d, 0] * M[d, 0]
            b += M[d, 0] * M[d, 1]
            c += M[d, 1] * M[d, 1]
        if a + c > best:
            peak = 0.5 * (a + c) + np.sqrt(0.25 * (a - c) * (a - c) + b * b)
            vx, vy = (peak - c, b) if a >= c else (b, peak - a)
            if (peak > best) & ((lx * vx + ly * vy) * (rx * vx + ry * vy) < 0.0):
                best, wx, wy = peak, vx, vy
        size = rx * rx + ry * ry
        if end > best * size:
            best, wx, wy = end / size, -ry, rx
        for d in range(D):
            M[d, 0] -= rx * U[n, d]
            M[d, 1] -= ry * U[n, d]
        lx, ly = rx, ry
    return best, wx, wy
