"""The bound for one cone, compiled by numba; imported only where it is installed. See `cones.relaxed`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ridgesplines.oracle.cones import (
    BARRIER,
    DONE,
    FALL,
    INTERIOR,
    LONG,
    MAX_STEPS,
    RIDGE,
    SLOW,
    SMOOTH,
    STEEPEST,
    TIGHT,
    WIDEST,
)
from ridgesplines.validation import Array

#: For loops over points, innermost so that they run on vectors: sums in any order, and no test for division by zero.
SUMS: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": {"reassoc", "contract"}, "error_model": "numpy"}


@njit(nogil=True, cache=True)
def relax(
    p: Array, T: Array, m: int, v: Array, G: Array, floor: float, level: float, c: Array, S: Array, work: Array
) -> float:
    """The bound for one cone of m kinks, and the last iterate in c. See `cones.relaxed`.

    S (6, N) holds the slopes and the two parts of t of the kinks, t^T c, and room for two steps.
    """
    k, d = len(p), len(p) - 1
    y, zw, right, z, ell, H = work[0], work[1], work[2], work[3, :d], work[4], work[5:]
    c[:] = floor / k
    bound, target = np.inf, -1.0
    for _ in range(MAX_STEPS):
        if target < 0.0:
            start_kinks(T, m, c, S)
        kinks = multipliers(p, T, m, v, S, c, ell)
        length = combined(G, c, z, zw)
        ratio, off, value = -np.inf, 0.0, -kinks / length
        for i in range(k):
            value += p[i] * c[i] / length
            own = ell[i] / zw[i] if zw[i] > WIDEST * length else np.inf
            ratio = own if own > ratio or own != own else ratio  # what is no number proves nothing
            off = max(off, abs(ell[i] - zw[i]))
        if ratio * length < bound:
            bound = max(ratio, 0.0) * length
        if bound <= floor or value > level or bound - value <= TIGHT * (bound - floor):
            break
        if target < 0.0:
            for i in range(k):
                y[i] = max(zw[i] - ell[i], 0.0) + BARRIER * off
            target = BARRIER * off * floor / k
        for i in range(k):
            right[i] = ell[i] - zw[i] + target / c[i]
            for j in range(i + 1):
                H[i, j] = 0.0
                for e in range(d):
                    H[i, j] += G[i, e] * G[j, e]
            H[i, i] += y[i] / c[i] + RIDGE
        add_kinks(T, m, v, S, target, H, right)
        solve(H, right)
        part = step(T, m, v, S, c, y, right, target)
        target *= FALL if part > LONG else SLOW
        if target < DONE * floor**2:
            break
    return bound


@njit(**SUMS)
def start_kinks(T: Array, m: int, c: Array, S: Array) -> None:
    """Both parts of t and the slope between, off the boundary."""
    t, a, b = S[0], S[1], S[2]
    for n in range(m):
        t[n] = a[n] = 0.0
    for i in range(len(c)):
        for n in range(m):
            t[n] += T[i, n] * c[i]
            a[n] += abs(T[i, n]) * c[i]
    for n in range(m):
        width = SMOOTH * a[n]
        a[n] = max(t[n], 0.0) + width
        b[n] = max(-t[n], 0.0) + width
        t[n] = (a[n] - b[n]) / (a[n] + b[n])


@njit(**SUMS)
def multipliers(p: Array, T: Array, m: int, v: Array, S: Array, c: Array, ell: Array) -> float:
    """Write ell for the slopes at hand, and t^T c; returns sum v |t^T c|."""
    k, kinks = len(p), 0.0
    s, t = S[0], S[3]
    for n in range(m):
        t[n] = 0.0
    for i in range(k):
        total = 0.0
        for n in range(m):
            t[n] += T[i, n] * c[i]
            total += v[n] * s[n] * T[i, n]
        ell[i] = p[i] - total
    for n in range(m):
        kinks += v[n] * abs(t[n])
    return kinks


@njit(nogil=True, cache=True)
def combined(G: Array, c: Array, z: Array, zw: Array) -> float:
    """Write z = sum c_i w_i and z^T w_i; returns |z|."""
    k, d, square = len(c), len(z), 0.0
    for e in range(d):
        z[e] = 0.0
        for i in range(k):
            z[e] += c[i] * G[i, e]
        square += z[e] ** 2
    for i in range(k):
        zw[i] = 0.0
        for e in range(d):
            zw[i] += G[i, e] * z[e]
    return np.sqrt(square)


@njit(**SUMS)
def add_kinks(T: Array, m: int, v: Array, S: Array, target: float, H: Array, right: Array) -> None:
    """Their part of the system for the step of c: in the lower half of H, and on its right-hand side."""
    k = len(right)
    s, a, b, t, q, f = S[0], S[1], S[2], S[3], S[4], S[5]
    for n in range(m):
        q[n] = v[n] / (a[n] / (1.0 - s[n]) + b[n] / (1.0 + s[n]))
        f[n] = q[n] * (t[n] - 2.0 * s[n] * target / (v[n] * (1.0 - s[n] * s[n])))
    for i in range(k):
        total = 0.0
        for n in range(m):
            total += f[n] * T[i, n]
        right[i] -= total
        for j in range(i + 1):
            total = 0.0
            for n in range(m):
                total += q[n] * T[i, n] * T[j, n]
            H[i, j] += total


@njit(**SUMS)
def step(T: Array, m: int, v: Array, S: Array, c: Array, y: Array, move: Array, target: float) -> float:
    """Take the longest step that stays inside; its length, at most 1."""
    k, part = len(c), 1.0
    for i in range(k):
        part = shortened(part, c[i], move[i])
        part = shortened(part, y[i], (target - y[i] * move[i]) / c[i] - y[i])
    s, a, b, t, da, db = S[0], S[1], S[2], S[3], S[4], S[5]
    for i in range(k):
        for n in range(m):
            t[n] += T[i, n] * move[i]
    worst = 0.0
    for n in range(m):
        near, far, aim = 1.0 - s[n], 1.0 + s[n], target / v[n]
        ds = (t[n] - 2.0 * s[n] * aim / (near * far)) / (a[n] / near + b[n] / far)
        da[n] = (aim + a[n] * ds) / near - a[n]
        db[n] = (aim - b[n] * ds) / far - b[n]
        t[n] = ds
        worst = max(worst, max(max(ds / near, -ds / far), max(-da[n] / a[n], -db[n] / b[n])))
    if part * worst > INTERIOR:
        part = INTERIOR / worst
    for n in range(m):
        s[n] = min(max(s[n] + part * t[n], -STEEPEST), STEEPEST)
        a[n] += part * da[n]
        b[n] += part * db[n]
    for i in range(k):
        y[i] += part * ((target - y[i] * move[i]) / c[i] - y[i])
        c[i] += part * move[i]
    return part


@njit(nogil=True, cache=True)
def shortened(part: float, value: float, change: float) -> float:
    """A step that takes a positive value at most INTERIOR of the way to zero."""
    return -INTERIOR * value / change if -change * part > INTERIOR * value else part


@njit(nogil=True, cache=True)
def solve(H: Array, x: Array) -> None:
    """x becomes H^-1 x, by Cholesky in the lower half of H."""
    k = len(x)
    for i in range(k):
        for j in range(i + 1):
            rest = H[i, j]
            for e in range(j):
                rest -= H[i, e] * H[j, e]
            H[i, j] = np.sqrt(max(rest, 1e-300)) if i == j else rest / H[j, j]
        for e in range(i):
            x[i] -= H[i, e] * x[e]
        x[i] /= H[i, i]
    for i in range(k - 1, -1, -1):
        for e in range(i + 1, k):
            x[i] -= H[e, i] * x[e]
        x[i] /= H[i, i]
