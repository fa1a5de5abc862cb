"""Cones split and bounded, compiled by numba; imported only where it is installed. See `cones` for what it does."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.cones import BARRIER, FALL, INTERIOR, LONG, SHARPER, SMOOTH, STEPS, TIGHT, WIDEST
from ridgesplines.validation import Array

#: Cones that wait on the way down, one for each split.
DEPTH = 256


@njit(nogil=True, cache=True)
def refine(
    A: Array, u: Array, cones: Array, signs: Array, bounds: Array, floor: float, level: float, room: int
) -> tuple[Array, Array, Array, Array]:
    """As the function of this name in `cones`, but depth-first down to the level as far as there is room.

    Points on one side of a cone are summed into one linear function, and not looked at again below it.
    """
    N, k = A.shape
    leaves, heights, limits = np.empty((room, k, k)), np.empty(room), np.empty(room)
    best = np.full((len(cones), 1 + k), -np.inf)
    stack, above = np.empty((DEPTH, k, k)), np.empty(DEPTH)
    waiting, counts, sums = np.empty((DEPTH, N), np.int64), np.empty(DEPTH, np.int64), np.empty((DEPTH, k))
    here, linear = np.empty(N, np.int64), np.empty(k)
    p, T, v, c, work = np.empty(k), np.empty((N, k)), np.empty(N), np.empty(k), np.empty((k + 4, k))
    full, count = False, 0
    for i in range(len(cones)):
        sign, left = signs[i], len(cones) - i - 1
        stack[0], above[0], sums[0], counts[0] = cones[i], bounds[i], 0.0, N
        waiting[0] = np.arange(N)
        top, given = 0, True
        while top >= 0:
            full = count + top + 2 + left > room or top + 1 == DEPTH
            if full:
                break
            G = stack[top]
            linear[:] = sums[top]
            m, concave = classify(A, u, sign, G, waiting[top, : counts[top]], linear, p, T, v, here)
            if not given:
                above[top] = min(above[top], relax(p, T[:concave], v[:concave], G, floor, level, c, work))
                note(A, u, sign, G, c, linear, here[:m], work[0], best[i])
                if above[top] <= level:
                    if above[top] > floor:
                        leaves[count], heights[count], limits[count] = G, sign, above[top]
                        count += 1
                    top -= 1
                    continue
            given = False
            bisect(stack[top], stack[top + 1])
            for half in (top, top + 1):
                above[half], sums[half], counts[half] = above[top], linear, m
                waiting[half, :m] = here[:m]
            top += 1
        for j in range(top + 1):  # no room for them
            leaves[count], heights[count], limits[count] = stack[j], sign, above[j]
            count += 1
    return leaves[:count], heights[:count], limits[:count], best


@njit(nogil=True, cache=True)
def classify(
    A: Array,
    u: Array,
    sign: float,
    G: Array,
    points: NDArray,
    linear: Array,
    p: Array,
    T: Array,
    v: Array,
    here: NDArray,
) -> tuple[int, int]:
    """Sum points on one side into `linear`, write p, T, v as in `cones`, and into `here` the points undecided.

    Returns how many are undecided, and how many of them concave.
    """
    k = len(p)
    undecided = concave = 0
    p[:] = 0.0  # by loops, here and below: expressions of whole arrays would make arrays anew
    for n in points:
        weight = sign * u[n]
        t = T[concave]
        low, high = np.inf, -np.inf
        for i in range(k):
            t[i] = 0.0
            for j in range(k):
                t[i] += A[n, j] * G[i, j]
            low, high = min(low, t[i]), max(high, t[i])
        if low >= 0.0 or high <= 0.0:
            side = weight if low >= 0.0 else -weight
            for j in range(k):
                linear[j] += side * A[n, j]
        else:
            here[undecided] = n
            undecided += 1
            if weight < 0.0:
                v[concave] = -weight
                concave += 1
            else:
                for i in range(k):
                    p[i] += weight * abs(t[i])
    for i in range(k):
        for j in range(k):
            p[i] += G[i, j] * linear[j]
    return undecided, concave


@njit(nogil=True, cache=True)
def note(
    A: Array, u: Array, sign: float, G: Array, c: Array, linear: Array, points: NDArray, theta: Array, best: Array
) -> None:
    """Keep the hyperplane of the last iterate where sign * eta / |w| is larger than in `best`."""
    k = len(c)
    theta[:] = 0.0
    length = 0.0
    for j in range(k):
        for i in range(k):
            theta[j] += c[i] * G[i, j]
        length += theta[j] ** 2 if j < k - 1 else 0.0
    value = 0.0
    for j in range(k):
        value += linear[j] * theta[j]
    for n in points:
        t = 0.0
        for j in range(k):
            t += A[n, j] * theta[j]
        value += sign * u[n] * abs(t)
    length = np.sqrt(length)
    if value > best[0] * length:
        best[0] = value / length
        for j in range(k):
            best[1 + j] = theta[j] / length


@njit(nogil=True, cache=True)
def bisect(G: Array, other: Array) -> None:
    """Cut a cone at the middle of its longest edge: one half in its place, the other beside it."""
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
    other[:] = G
    for e in range(k):
        other[second, e] = (G[first, e] + G[second, e]) / np.sqrt(length)
    G[first] = other[second]


@njit(nogil=True, cache=True)
def relax(p: Array, T: Array, v: Array, G: Array, floor: float, level: float, c: Array, work: Array) -> float:
    """The bound for one cone, and the last iterate in c. See `cones.relaxed`."""
    k, d = len(p), len(p) - 1
    ell, zw, move, z, H = work[0], work[1], work[2], work[3, :d], work[4:]
    c[:] = floor / k
    bound, barrier, smooth = np.inf, -1.0, SMOOTH
    for _ in range(STEPS):
        kinks = derivatives(p, T, v, smooth, c, ell, H)
        z[:] = 0.0
        for i in range(k):
            for j in range(d):
                z[j] += c[i] * G[i, j]
        length = 0.0
        for j in range(d):
            length += z[j] ** 2
        length = np.sqrt(length)
        ratio, off, value = -np.inf, 0.0, -kinks / length
        for i in range(k):
            value += p[i] * c[i] / length
            zw[i] = 0.0
            for j in range(d):
                zw[i] += G[i, j] * z[j]
            ratio = max(ratio, ell[i] / zw[i] if zw[i] > WIDEST * length else np.inf)
            off = max(off, abs(ell[i] - zw[i]))
        bound = min(bound, max(ratio, 0.0) * length)
        if bound <= floor or value > level or bound - value <= TIGHT * (bound - floor):
            break
        if barrier < 0.0:
            barrier = BARRIER * off * floor / k
        for i in range(k):
            move[i] = ell[i] - zw[i] + barrier / c[i]
            for j in range(i + 1):
                for e in range(d):
                    H[i, j] += G[i, e] * G[j, e]
            H[i, i] += barrier / c[i] ** 2
        solve(H, move)
        part = 1.0
        for i in range(k):
            if -move[i] * part > INTERIOR * c[i]:
                part = -INTERIOR * c[i] / move[i]
        for i in range(k):
            c[i] += part * move[i]
        if part > LONG:
            barrier, smooth = barrier * FALL, smooth * SHARPER
    return bound


@njit(nogil=True, cache=True)
def derivatives(p: Array, T: Array, v: Array, smooth: float, c: Array, ell: Array, H: Array) -> float:
    """Write ell, and the curvature of the rounded kinks into the lower half of H; returns sum v |t^T c|."""
    k, kinks = len(p), 0.0
    ell[:] = p
    H[:] = 0.0
    for n in range(len(v)):
        t = width = 0.0
        for i in range(k):
            t += T[n, i] * c[i]
            width += abs(T[n, i]) * c[i]
        kinks += v[n] * abs(t)
        width = smooth * width + 1e-300
        root = np.sqrt(t * t + width * width)
        slope, curvature = v[n] * t / root, v[n] * width * width / (root * root * root)
        for i in range(k):
            ell[i] -= slope * T[n, i]
            for j in range(i + 1):
                H[i, j] += curvature * T[n, i] * T[n, j]
    return kinks


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
