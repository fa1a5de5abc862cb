"""The two passes over all data that prove a linear spline under squared error, compiled by numba; see `squares`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.line.compiled import SOME
from ridgesplines.validation import Array


@njit(cache=True)
def affine(t: Array, y: Array, weight: Array, level: float) -> tuple[float, float, Array]:
    """The means of t and y, and the sums of `WeightedLine`: spread, rise, gram and varied."""
    mean = height = 0.0
    for start in range(0, len(t), SOME):
        a = b = 0.0
        for n in range(start, min(start + SOME, len(t))):
            a += t[n] - t[0]
            b += y[n] - level
        mean += a
        height += b
    centre, height = t[0] + mean / len(t), height / len(t)
    sums = np.zeros(6)
    for start in range(0, len(t), SOME):
        a = b = c = d = e = f = 0.0
        for n in range(start, min(start + SOME, len(t))):
            x, away = t[n] - centre, (y[n] - level) - height
            a += x * x
            b += x * away
            f += weight[n] * away * away
            c += weight[n]
            d += weight[n] * x
            e += weight[n] * x * x
        for q, each in enumerate((a, b, c, d, e, f)):
            sums[q] += each
    return centre, height, sums


@njit(cache=True)
def standardised(
    t: Array, y: Array, centre: float, radius: float, slope: float, offset: float
) -> tuple[Array, Array, float]:
    """Points in [-1, 1], y less an affine function of them, and the sum of its squares."""
    x, rest, square = np.empty(len(t)), np.empty(len(t)), 0.0
    for start in range(0, len(t), SOME):
        some = 0.0
        for n in range(start, min(start + SOME, len(t))):
            x[n] = (t[n] - centre) / radius
            rest[n] = (y[n] - offset) - slope * x[n]  # in this order: a far larger offset leaves no trace
            some += rest[n] * rest[n]
        square += some
    return x, rest, square


@njit(cache=True)
def residuals(
    rows: tuple[Array, Array, Array, float],
    halves: tuple[NDArray[np.intp], Array, Array, Array, Array, Array],
    centre: float,
    parts: tuple[float, float],
) -> tuple[float, float, float, float]:
    """The first pass, piece by piece: data fit, its rounding, and both weighted moments of y - z."""
    (t, y, weight, level), (first, base, slope, value, steepest, least), (eps, of_value) = rows, halves, parts
    fit = error = one = two = 0.0
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for start in range(first[i], end, SOME):
            a = b = c = d = 0.0
            for n in range(start, min(start + SOME, end)):
                away, above = t[n] - base[i], y[n] - level
                z = value[i] + slope[i] * away
                r = above - z
                off = least[i] + steepest[i] * away + eps * (abs(above) + abs(z))
                a += weight[n] * r * r
                b += weight[n] * off * (2.0 * abs(r) + off)
                c += weight[n] * r
                d += weight[n] * r * (t[n] - centre)
            fit += a
            error += b
            one += c
            two += d
    return fit, error + of_value * fit, one, two


@njit(cache=True)
def sweep(
    rows: tuple[Array, Array, Array, float],
    halves: tuple[NDArray[np.intp], Array, Array, Array],
    lines: tuple[float, float, float, float, float, float, float, float],
    span: tuple[int, int],
    out: tuple[NDArray[np.intp], Array, Array, Array],
) -> tuple[Array, float, int]:
    """The second pass from one end to the middle: what `OwnDual` has, and eta as a double sum from that end."""
    (t, y, weight, level), (first, base, slope, value), (place, u, masses, moments) = rows, halves, out
    centre, drop, tilt, height, rise, origin, steep, offset = lines
    begin, end = span
    up, count = begin <= end, len(first)
    low, high = (begin, end) if up else (end + 1, begin + 1)
    totals, largest, top = np.zeros(11), -1.0, begin
    mass = eta = of_mass = of_eta = 0.0
    before = t[begin] if low < high else 0.0
    for k in range(count):
        i = k if up else count - 1 - k
        left, right = max(first[i], low), min(first[i + 1] if i + 1 < count else len(t), high)
        for start in range(left, right, SOME):
            stop = min(start + SOME, right)
            a = b = c = d = e = f = g = h = m = 0.0
            for j in range(start, stop):
                n = j if up else left + right - 1 - j
                x, above = t[n] - centre, y[n] - level
                rho = (above - (value[i] + slope[i] * (t[n] - base[i]))) - (drop + tilt * x)
                here = 2.0 * weight[n] * rho
                u[place[n]] = here
                detrended = (above - height) - rise * x
                beside = steep * (t[n] - origin) + offset - (above - detrended)
                eta += mass * abs(t[n] - before)
                before = t[n]
                mass += here
                of_mass += mass * mass
                of_eta += eta * eta
                if abs(eta) > largest:
                    largest, top = abs(eta), n
                a += here * detrended
                b += here * rho
                c += abs(here) * abs(detrended)
                d += here
                e += here * x
                f += beside
                g += beside * x
                h += here * beside
                m += here * here
            for q, each in enumerate((a, b, c, d, e, f, g, h, m)):
                totals[q] += each
            masses[i] += d
            moments[i] += e
    totals[9], totals[10] = of_mass, of_eta
    return totals, largest, top


@njit(cache=True)
def dual(
    rows: tuple[Array, Array, Array, float],
    halves: tuple[NDArray[np.intp], Array, Array, Array],
    lines: tuple[float, float, float, float, float, float, float, float],
    middle: int,
    place: NDArray[np.intp],
    size: int,
) -> tuple[Array, Array, Array, Array, float, int]:
    """The second pass, from both ends."""
    t, count = rows[0], len(halves[0])
    u = np.zeros(size) if len(t) < size else np.empty(size)
    masses, moments = np.zeros(count), np.zeros(count)
    left, largest, top = sweep(rows, halves, lines, (0, middle), (place, u, masses, moments))
    right, larger, other = sweep(rows, halves, lines, (len(t) - 1, middle - 1), (place, u, masses, moments))
    if larger > largest:
        largest, top = larger, other
    return u, masses, moments, left + right, largest, top
