"""Cones split and bounded, compiled by numba; imported only where it is installed. See `cones` for what it does."""

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
    RIDGE,
    SLOW,
    SMOOTH,
    STEEPEST,
    STEPS,
    TIGHT,
    WIDEST,
)
from ridgesplines.validation import Array

#: For loops over points, innermost so that they run on vectors: sums in any order, and no test for division by zero.
SUMS: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": {"reassoc", "contract"}, "error_model": "numpy"}
#: Cones that wait on the way down, one for each split: at most, and such that their values fill so many numbers.
DEPTH, ENTRIES = 256, 2**24


@njit(nogil=True, cache=True)
def refine(
    A: Array, u: Array, cones: Array, signs: Array, bounds: Array, floor: float, level: float, room: int
) -> tuple[Array, Array, Array, Array]:
    """As the function of this name in `cones`, but depth-first down to the level as far as there is room.

    On the way down the values t at the generators are kept: the middle of an edge has the mean of the values at its
    ends. Points on one side of a cone are summed into one linear function, and not looked at again below it.
    """
    N, k = A.shape
    leaves, heights, limits = np.empty((room, k, k)), np.empty(room), np.empty(room)
    best = np.full((len(cones), 1 + k), -np.inf)
    depth = max(8, min(DEPTH, ENTRIES // (N * k)))
    stack, above, linear = np.empty((depth, k, k)), np.empty(depth), np.empty((depth, k))
    values, weights, counts = np.empty((depth, N, k)), np.empty((depth, N)), np.empty(depth, np.int64)
    p, T, v, c = np.empty(k), np.empty((k, N)), np.empty(N), np.empty(k)
    S, work = np.empty((6, N)), np.empty((k + 5, k))
    count = 0
    for i in range(len(cones)):
        sign, left = signs[i], len(cones) - i - 1
        stack[0], above[0], counts[0] = cones[i], bounds[i], N
        begin(A, u, sign, stack[0], values[0], weights[0], linear[0])
        top, given = 0, True
        while top >= 0 and count + top + 2 + left <= room and top + 1 < depth:
            m, concave = classify(values[top], weights[top], counts[top], linear[top], p, T, v)
            if not given:
                G = stack[top]
                above[top] = min(above[top], relax(p, T, concave, v, G, floor, level, c, S, work))
                note(values[top], weights[top, :m], linear[top], G, c, work[0], best[i])
                if above[top] <= level:
                    if above[top] > floor:
                        leaves[count], heights[count], limits[count] = G, sign, above[top]
                        count += 1
                    top -= 1
                    continue
            given = False
            first, second, scale = bisect(stack[top], stack[top + 1])
            halve(values[top], values[top + 1], m, first, second, scale)
            halve(linear[top : top + 1], linear[top + 1 : top + 2], 1, first, second, scale)
            weights[top + 1, :m] = weights[top, :m]
            above[top + 1], counts[top], counts[top + 1] = above[top], m, m
            top += 1
        for j in range(top + 1):  # no room for them
            leaves[count], heights[count], limits[count] = stack[j], sign, above[j]
            count += 1
    return leaves[:count], heights[:count], limits[:count], best


@njit(nogil=True, cache=True)
def begin(A: Array, u: Array, sign: float, G: Array, values: Array, weights: Array, linear: Array) -> None:
    """The values of all points at the generators."""
    k = len(G)  # by loops, here and below: expressions of whole arrays would make arrays anew
    for n in range(len(A)):
        weights[n] = sign * u[n]
        for i in range(k):
            values[n, i] = 0.0
            for j in range(k):
                values[n, i] += A[n, j] * G[i, j]
    for i in range(k):
        linear[i] = 0.0


@njit(nogil=True, cache=True)
def classify(values: Array, weights: Array, many: int, linear: Array, p: Array, T: Array, v: Array) -> tuple[int, int]:
    """Sum points on one side into `linear`, move the others up, write p, T, v as in `cones`.

    Returns how many are undecided, and how many of them concave.
    """
    k = len(p)
    undecided = concave = 0
    for i in range(k):
        p[i] = 0.0
    for n in range(many):
        t, weight = values[n], weights[n]
        above = below = 0
        for i in range(k):
            above += t[i] > 0.0
            below += t[i] < 0.0
        if above == 0 or below == 0:
            side = weight if below == 0 else -weight
            for i in range(k):
                linear[i] += side * t[i]
            continue
        if weight < 0.0:
            v[concave] = -weight
            for i in range(k):
                T[i, concave] = t[i]
            concave += 1
        else:
            for i in range(k):
                p[i] += weight * abs(t[i])
        if undecided < n:
            weights[undecided] = weight
            for i in range(k):
                values[undecided, i] = t[i]
        undecided += 1
    for i in range(k):
        p[i] += linear[i]
    return undecided, concave


@njit(nogil=True, cache=True)
def note(values: Array, weights: Array, linear: Array, G: Array, c: Array, theta: Array, best: Array) -> None:
    """Keep the hyperplane of the last iterate where sign * eta / |w| is larger than in `best`."""
    k, value, length = len(c), 0.0, 0.0
    for j in range(k):
        value += linear[j] * c[j]
        theta[j] = 0.0
        for i in range(k):
            theta[j] += c[i] * G[i, j]
        length += theta[j] ** 2 if j < k - 1 else 0.0
    for n in range(len(weights)):
        t = 0.0
        for i in range(k):
            t += values[n, i] * c[i]
        value += weights[n] * abs(t)
    length = np.sqrt(length)
    if value > best[0] * length:
        best[0] = value / length
        for j in range(k):
            best[1 + j] = theta[j] / length


@njit(nogil=True, cache=True)
def bisect(G: Array, other: Array) -> tuple[int, int, float]:
    """Cut a cone at the middle of its longest edge, scale * (its ends): one half in its place, the other beside it."""
    k = len(G)
    longest, first, second = -1.0, 0, 1
    for i in range(k):
        for j in range(i + 1, k):
            edge = 0.0
            for e in range(k):
                edge += (G[i, e] - G[j, e]) ** 2
            if edge > longest:
                longest, first, second = edge, i, j
    length = 0.0
    for e in range(k - 1):
        length += (G[first, e] + G[second, e]) ** 2
    scale = 1.0 / np.sqrt(length)
    halve(G.T, other.T, k, first, second, scale)
    return first, second, scale


@njit(nogil=True, cache=True)
def halve(rows: Array, other: Array, many: int, first: int, second: int, scale: float) -> None:
    """Rows of values at the generators, for either half."""
    for n in range(many):
        middle = scale * (rows[n, first] + rows[n, second])
        for i in range(rows.shape[1]):
            other[n, i] = rows[n, i]
        other[n, second] = rows[n, first] = middle


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
    for _ in range(STEPS):
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
