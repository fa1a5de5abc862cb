"""The passes over all data, compiled by numba; imported only where it is installed. See `kernels` for what they do."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: Where the last digits count so many terms are summed first, and then these sums: that rounds less than one by one.
SOME = 256


@njit(cache=True)
def moments(t: Array, curvature: Array, target: Array, nodes: Array, first: Array) -> tuple[Array, Array]:
    grams, loads = np.zeros((3, len(first))), np.zeros((2, len(first)))
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        rise = 1.0 / (nodes[i + 1] - nodes[i])
        a = b = c = r = s = 0.0
        for n in range(first[i], end):
            p = (t[n] - nodes[i]) * rise
            q = 1.0 - p
            a += curvature[n] * q * q
            b += curvature[n] * q * p
            c += curvature[n] * p * p
            r += target[n] * q
            s += target[n] * p
        grams[0, i], grams[1, i], grams[2, i] = a, b, c
        loads[0, i], loads[1, i] = r, s
    return grams, loads


@njit(cache=True)
def values(t: Array, nodes: Array, first: Array, theta: Array, slopes: Array) -> Array:
    z = np.empty(len(t))
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for n in range(first[i], end):
            z[n] = theta[i] + (t[n] - nodes[i]) * slopes[i]
    return z


@njit(cache=True)
def squares(
    t: Array, y: Array, weight: Array, nodes: NDArray[np.intp], theta: Array, slopes: Array, middle: int, level: float
) -> tuple[Array, Array, float, NDArray[np.intp], float, float]:
    z, u, eta = np.empty(len(t)), np.empty(len(t)), np.empty(len(t))
    fit = linear = mass = value = largest = 0.0
    for i in range(len(slopes)):
        end = nodes[i + 1] if i + 1 < len(slopes) else len(t)
        for n in range(nodes[i], end):
            z[n] = theta[i] + (t[n] - t[nodes[i]]) * slopes[i]
            r = y[n] - z[n]
            u[n] = 2.0 * weight[n] * r
            fit += weight[n] * r * r
            linear += u[n] * y[n]
            if n < middle:
                if n > 0:
                    value += mass * (t[n] - t[n - 1])
                eta[n] = value
                mass += u[n]
    mass = value = 0.0
    for n in range(len(t) - 1, middle - 1, -1):
        if n < len(t) - 1:
            value += mass * (t[n + 1] - t[n])
        eta[n] = value
        mass += u[n]
    for n in range(len(t)):
        largest = max(largest, abs(eta[n]))
    eta[nodes] = 0.0
    return z, u, largest, peaks(eta, level), fit, linear


@njit(cache=True)
def certificate(t: Array, u: Array, middle: int) -> Array:
    eta = np.empty(len(t))
    mass = value = 0.0
    for n in range(middle):
        if n > 0:
            value += mass * (t[n] - t[n - 1])
        eta[n] = value
        mass += u[n]
    mass = value = 0.0
    for n in range(len(t) - 1, middle - 1, -1):
        if n < len(t) - 1:
            value += mass * (t[n + 1] - t[n])
        eta[n] = value
        mass += u[n]
    return eta


@njit(cache=True)
def coarser(t: Array, grams: Array, loads: Array, nodes: Array) -> tuple[Array, Array]:
    few, sums = np.empty((3, len(nodes) - 1)), np.empty((2, len(nodes) - 1))
    for i in range(len(nodes) - 1):
        left = t[nodes[i]]
        rise = 1.0 / (t[nodes[i + 1]] - left)
        f = g = h = v = w = 0.0
        for k in range(nodes[i], nodes[i + 1]):
            p, q = (t[k] - left) * rise, (t[k + 1] - left) * rise
            p1, q1 = 1.0 - p, 1.0 - q
            a, b, c, r, s = grams[0, k], grams[1, k], grams[2, k], loads[0, k], loads[1, k]
            f += (a * p1 + 2.0 * b * q1) * p1 + c * q1 * q1
            g += (a * p + b * q) * p1 + (b * p + c * q) * q1
            h += (a * p + 2.0 * b * q) * p + c * q * q
            v += r * p1 + s * q1
            w += r * p + s * q
        few[0, i], few[1, i], few[2, i] = f, g, h
        sums[0, i], sums[1, i] = v, w
    return few, sums


@njit(cache=True)
def residual(grams: Array, loads: Array, theta: Array) -> Array:
    d = np.zeros(len(theta))
    for k in range(len(theta) - 1):
        d[k] += loads[0, k] - grams[0, k] * theta[k] - grams[1, k] * theta[k + 1]
        d[k + 1] += loads[1, k] - grams[1, k] * theta[k] - grams[2, k] * theta[k + 1]
    return d


@njit(cache=True)
def peaks(eta: Array, level: float) -> Array:
    indices, count = np.empty(len(eta), dtype=np.intp), 0
    last = -1.0  # |eta| at the run's largest so far; none where it is negative
    for n in range(len(eta)):
        size = abs(eta[n])
        if not size > level:
            last = -1.0
        elif last < 0.0 or (eta[n] > 0.0) != (eta[n - 1] > 0.0):
            indices[count], last = n, size
            count += 1
        elif size > last:
            indices[count - 1], last = n, size
    return indices[:count].copy()


@njit(cache=True)
def sums_of_squares(t: Array, u: Array) -> tuple[float, float]:
    mass = eta = of_mass = of_eta = 0.0
    for n in range(len(t)):
        if n > 0:
            eta += mass * (t[n] - t[n - 1])
            of_eta += eta * eta
        mass += u[n]
        of_mass += mass * mass
    return of_mass, of_eta


@njit(cache=True)
def pieces(t: Array, first: Array, base: Array, slope: Array, value: Array) -> Array:
    z = np.empty(len(t))
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for n in range(first[i], end):
            z[n] = value[i] + slope[i] * (t[n] - base[i])
    return z


@njit(cache=True)
def with_sizes(off: Array, y: Array, z: Array, part: float) -> Array:
    for n in range(len(off)):
        off[n] += part * (abs(y[n]) + abs(z[n]))
    return off


@njit(cache=True)
def rounded_squares(weight: Array, y: Array, z: Array, off: Array, of_value: float) -> float:
    total = 0.0
    for n in range(len(y)):
        r = abs(y[n] - z[n])
        total += weight[n] * (off[n] * (2.0 * r + off[n]) + of_value * r * r)
    return total


@njit(cache=True)
def affine_moments(
    t: Array, slope: float, offset: float, y: Array, rest: Array, first: Array, second: Array, u: Array
) -> tuple[float, float, float]:
    a = b = c = 0.0
    for n in range(len(t)):
        value = slope * t[n] + offset - (y[n] - rest[n])
        a += first[n] * value
        b += second[n] * value
        c += u[n] * value
    return a, b, c


@njit(cache=True)
def residual_moments(weight: Array, y: Array, z: Array, first: Array, second: Array) -> tuple[float, float]:
    a = b = 0.0
    for start in range(0, len(y), SOME):
        c = d = 0.0
        for n in range(start, min(start + SOME, len(y))):
            r = weight[n] * (y[n] - z[n])
            c += first[n] * r
            d += second[n] * r
        a += c
        b += d
    return a, b


@njit(cache=True)
def residual_beyond(weight: Array, y: Array, z: Array, first: Array, second: Array, a: float, b: float) -> Array:
    u = np.empty(len(y))
    for n in range(len(y)):
        u[n] = 2.0 * weight[n] * ((y[n] - z[n]) - (first[n] * a + second[n] * b))
    return u


@njit(cache=True)
def weighted_squares(weight: Array, y: Array, z: Array) -> float:
    total = 0.0
    for start in range(0, len(y), SOME):
        some = 0.0
        for n in range(start, min(start + SOME, len(y))):
            r = y[n] - z[n]
            some += weight[n] * r * r
        total += some
    return total


@njit(cache=True)
def parabola(u: Array, weight: Array, y: Array) -> tuple[float, float]:
    linear = square = 0.0
    for start in range(0, len(u), SOME):
        a = b = 0.0
        for n in range(start, min(start + SOME, len(u))):
            a += u[n] * y[n]
            b += u[n] * u[n] / weight[n]
        linear += a
        square += b
    return linear, 0.25 * square


@njit(cache=True)
def summits(eta: Array) -> NDArray[np.intp]:
    indices, count = np.empty(len(eta), dtype=np.intp), 0
    before, size = -1.0, abs(eta[0])
    for n in range(len(eta)):
        after = abs(eta[n + 1]) if n + 1 < len(eta) else -1.0
        if size >= before and size >= after:
            indices[count] = n
            count += 1
        before, size = size, after
    return indices[:count].copy()


@njit(cache=True)
def rectified(x: Array, u: Array, sides: Array, biases: Array) -> Array:
    eta = np.zeros(len(biases))
    for k in range(len(biases)):
        for start in range(0, len(x), SOME):
            some = 0.0
            for n in range(start, min(start + SOME, len(x))):
                some += u[n] * max(sides[k] * x[n] - biases[k], 0.0)
            eta[k] += some
    return eta


@njit(cache=True)
def scattered(values: Array, factor: float, rows: NDArray[np.intp], count: int) -> Array:
    full = np.zeros(count) if len(rows) < count else np.empty(count)
    for n in range(len(rows)):
        full[rows[n]] = factor * values[n]
    return full


@njit(cache=True)
def gathered(values: Array, factor: float, rows: NDArray[np.intp]) -> Array:
    some = np.empty(len(rows))
    for n in range(len(rows)):
        some[n] = factor * values[rows[n]]
    return some


@njit(cache=True)
def sums_between(t: Array, u: Array, first: Array) -> tuple[Array, Array]:
    masses, moments = np.empty(len(first)), np.empty(len(first))
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        mass = moment = 0.0
        for n in range(first[i], end):
            mass += u[n]
            moment += u[n] * t[n]
        masses[i], moments[i] = mass, moment
    return masses, moments
