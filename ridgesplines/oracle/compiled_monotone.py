"""The sweep with a penalty, compiled by numba; imported only where it is installed. See `monotone` for what it does."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_sort import crossing_order
from ridgesplines.validation import Array


@njit(nogil=True, cache=True)
def sweeps(x: Array, y: Array, stretch: float, u: Array, mu: Array, orders: NDArray, known: bool) -> Array:
    """For each point the largest value about it and a direction of any length, (N, 3). Fills in orders not known."""
    N = len(x)
    keys, starts, largest = np.empty(N), np.empty(N + 1, np.int64), np.empty((N, 3))
    for pivot in range(N):
        order = orders[pivot if len(orders) > 1 else 0]
        if not known:
            crossing_order(x, y, stretch, pivot, order, keys, starts)
        largest[pivot] = sweep(x, y, u, 0.5 * mu[0], 0.5 * mu[1], pivot, order)
    return largest


@njit(nogil=True, cache=True)
def sweep(x: Array, y: Array, u: Array, p: float, q: float, pivot: int, order: NDArray) -> tuple[float, float, float]:
    """The largest |eta| - p |w_x| - q |w_y| about one pivot, and its direction."""
    px, py = x[pivot], y[pivot]
    mx = my = ax = ay = 0.0
    for n in range(len(x)):
        rx, ry = x[n] - px, y[n] - py
        half = 0.5 * u[n] if n > pivot else -0.5 * u[n]
        mx += half * rx
        my += half * ry
        ax += 0.5 * u[n] * abs(rx)
        ay += 0.5 * u[n] * abs(ry)
    best, wx, wy = abs(ax) - p, 1.0, 0.0
    if abs(ay) - q > best:
        best, wx, wy = abs(ay) - q, 0.0, 1.0
    lx, ly = 0.0, -1.0  # the point whose crossing begins the arc, as seen from the pivot; here the x axis does
    for n in order:
        turn = 1.0 if n > pivot else -1.0
        rx, ry = (x[n] - px) * turn, (y[n] - py) * turn
        best, wx, wy = arc(mx, my, p, q, lx, ly, rx, ry, best, wx, wy)
        end = abs(rx * my - ry * mx) - p * abs(ry) - q * abs(rx)
        if end > 0.0 or best <= 0.0:
            end /= np.sqrt(rx * rx + ry * ry)
            if end > best:
                best, wx, wy = end, -ry, rx
        mx -= u[n] * rx
        my -= u[n] * ry
        lx, ly = rx, ry
    return arc(mx, my, p, q, lx, ly, 0.0, 1.0, best, wx, wy)


@njit(nogil=True, cache=True)
def arc(
    mx: float,
    my: float,
    p: float,
    q: float,
    lx: float,
    ly: float,
    rx: float,
    ry: float,
    best: float,
    wx: float,
    wy: float,
) -> tuple[float, float, float]:
    """The best so far, or the peak of a sinusoid less the penalty within an arc, in either quadrant."""
    for sign in (1.0, -1.0):
        vy = sign * my - q
        if vy <= 0.0:
            continue
        for side in (1.0, -1.0):
            vx = sign * mx - side * p
            if side * vx > 0.0 and lx * vx + ly * vy < 0.0 and rx * vx + ry * vy > 0.0:
                value = np.sqrt(vx * vx + vy * vy)
                if value > best:
                    best, wx, wy = value, vx, vy
    return best, wx, wy
