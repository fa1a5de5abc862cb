"""Passes over cells of sorted rows, compiled by numba; imported only where it is installed. See `cells`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array


@njit(cache=True)
def sums(t: Array, H: Array, b: Array, size: int) -> Array:
    count = (len(t) + size - 1) // size
    out = np.empty((count, 6))
    for c in range(count):
        f = g = h = r = s = square = 0.0
        for n in range(c * size, min((c + 1) * size, len(t))):
            x = t[n] - t[c * size]
            f += H[n]
            g += H[n] * x
            h += H[n] * x * x
            r += b[n]
            s += b[n] * x
            square += b[n] * b[n] / H[n]
        out[c, 0], out[c, 1], out[c, 2], out[c, 3], out[c, 4], out[c, 5] = f, g, h, r, s, square
    return out


@njit(cache=True)
def moments(t: Array, H: Array, b: Array, cells: Array, size: int, nodes: NDArray[np.intp]) -> tuple[Array, Array]:
    grams, loads = np.zeros((3, len(nodes) - 1)), np.zeros((2, len(nodes) - 1))
    for i in range(len(nodes) - 1):
        n, end = nodes[i], nodes[i + 1]
        if i == len(nodes) - 2:
            end += 1
        left, right = t[nodes[i]], t[nodes[i + 1]]
        rise = 1.0 / (right - left)
        f = g = h = r = s = 0.0
        while n < end:
            p = (t[n] - left) * rise
            q = 1.0 - p
            if n % size == 0 and n + size <= end:
                k = n // size
                a0, a1, a2 = cells[k, 0], cells[k, 1] * rise, cells[k, 2] * rise * rise
                b0, b1 = cells[k, 3], cells[k, 4] * rise
                f += a0 * q * q - 2.0 * a1 * q + a2
                g += a0 * p * q + a1 * (q - p) - a2
                h += a0 * p * p + 2.0 * a1 * p + a2
                r += b0 * q - b1
                s += b0 * p + b1
                n += size
            else:
                f += H[n] * q * q
                g += H[n] * q * p
                h += H[n] * p * p
                r += b[n] * q
                s += b[n] * p
                n += 1
        grams[0, i], grams[1, i], grams[2, i] = f, g, h
        loads[0, i], loads[1, i] = r, s
    return grams, loads


@njit(cache=True)
def across(cell: Array, value: float, tilt: float, wide: float) -> tuple[float, float, float, float, float]:
    of_u, moment = cell[3] - cell[0] * value - cell[1] * tilt, cell[4] - cell[1] * value - cell[2] * tilt
    along = cell[5] - cell[3] * value - cell[4] * tilt  # the sum of u b / H
    rest = along - value * of_u - tilt * moment  # the sum of u^2 / H
    # Between both ends eta leaves its chord by no more than this.
    sag = 0.25 * wide * np.sqrt(cell[0] * (max(rest, 0.0) + 1e-13 * cell[5]))
    return of_u, moment, along, rest, sag


@njit(cache=True)
def glance(
    t: Array,
    H: Array,
    b: Array,
    cells: Array,
    size: int,
    nodes: NDArray[np.intp],
    theta: Array,
    slopes: Array,
    level: float,
) -> tuple[NDArray[np.intp], float, float, float]:
    found, count = np.empty(len(t), dtype=np.intp), 0
    square = linear = mass = eta = largest = 0.0
    last = -1.0  # |eta| at the largest of the run so far; none where it is negative
    up = True
    i = n = 0
    while n < len(t):
        if i + 1 < len(slopes) and n >= nodes[i + 1]:
            i += 1
        end = min(n + size, len(t))
        if n % size == 0 and n + size < len(t) and (i + 1 == len(slopes) or end <= nodes[i + 1]):
            value, wide = theta[i] + (t[n] - t[nodes[i]]) * slopes[i], t[end] - t[n]
            of_u, moment, along, rest, sag = across(cells[n // size], value, slopes[i], wide)
            after = eta + mass * wide + of_u * wide - moment
            if max(abs(eta), abs(after)) + sag <= level:
                square += rest
                linear += along
                mass += of_u
                eta = after
                last = -1.0
                n = end
                continue
        for j in range(n, end):
            if i + 1 < len(slopes) and j >= nodes[i + 1]:
                i += 1
            z = theta[i] + (t[j] - t[nodes[i]]) * slopes[i]
            u = b[j] - H[j] * z
            square += u * u / H[j]
            linear += u * b[j] / H[j]
            here = 0.0 if j == nodes[i] else abs(eta)
            largest = max(largest, here)
            if not here > level:
                last = -1.0
            elif last < 0.0 or (eta > 0.0) != up:
                found[count], last, up = j, here, eta > 0.0
                count += 1
            elif here > last:
                found[count - 1], last = j, here
            mass += u
            if j + 1 < len(t):
                eta += mass * (t[j + 1] - t[j])
        n = end
    return found[:count].copy(), largest, square, linear
