"""The passes over all data, compiled by numba; imported only where it is installed. See `kernels` for what they do."""

from __future__ import annotations

import numpy as np
from numba import njit

from ridgesplines.validation import Array


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
