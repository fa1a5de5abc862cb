"""Cones split and bounded, compiled by numba; imported only where it is installed. See `cones` for what it does."""

from __future__ import annotations

import numpy as np
from numba import njit

from ridgesplines.oracle.compiled_relax import relax
from ridgesplines.validation import Array

#: Cones that wait on the way down, one for each split: at most, and such that their values fill this many numbers.
DEPTH, ENTRIES = 256, 2**24


@njit(nogil=True, cache=True)
def refine(
    A: Array, u: Array, cones: Array, signs: Array, bounds: Array, floor: float, level: float, room: int
) -> tuple[Array, Array, Array, Array]:
    """The function of this name in `cones`, compiled, but depth-first down to the level as far as there is room.

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
    count, one = int(np.int64(0)), int(np.int64(1))  # written out, they would have `keep` and `halve` compiled twice
    for i in range(len(cones)):
        sign, left = signs[i], len(cones) - i - 1
        above[0], counts[0] = bounds[i], N
        copy(cones[i], stack[0])
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
                        count = keep(leaves, heights, limits, count, G, sign, above[top])
                    top -= 1
                    continue
            given = False
            first, second, scale = bisect(stack[top], stack[top + 1])
            halve(values[top], values[top + 1], m, first, second, scale)
            halve(linear[top : top + 1], linear[top + 1 : top + 2], one, first, second, scale)
            for n in range(m):
                weights[top + 1, n] = weights[top, n]
            above[top + 1], counts[top], counts[top + 1] = above[top], m, m
            top += 1
        for j in range(top + 1):  # no room for them
            count = keep(leaves, heights, limits, count, stack[j], sign, above[j])
    return leaves[:count], heights[:count], limits[:count], best


@njit(nogil=True, cache=True)
def keep(leaves: Array, heights: Array, limits: Array, count: int, G: Array, sign: float, limit: float) -> int:
    """One more leaf; their number."""
    copy(G, leaves[count])
    heights[count], limits[count] = sign, limit
    return count + 1


@njit(nogil=True, cache=True)
def copy(G: Array, other: Array) -> None:
    """Write a cone into another's place; by loops, as below: expressions of whole arrays would make new arrays."""
    for i in range(len(G)):
        for j in range(len(G)):
            other[i, j] = G[i, j]


@njit(nogil=True, cache=True)
def begin(A: Array, u: Array, sign: float, G: Array, values: Array, weights: Array, linear: Array) -> None:
    """The values of all points at the generators."""
    k = len(G)
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
    longest, first, second = -1.0, int(np.int64(0)), int(np.int64(1))
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
