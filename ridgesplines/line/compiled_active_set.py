"""The active-set method on moments, compiled by numba; imported only where it is installed.

See `ridgesplines.solvers.univariate.active_set` and its `knots` for what it does; a state is a tuple of the knots'
nodes, signs and values, and of the values at all nodes, what is left of the dual vector there, and the seminorm.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.line.compiled import certificate, coarser, peaks, residual, values
from ridgesplines.validation import Array

State = tuple[NDArray[np.intp], Array, Array, Array, Array, float]
#: Nodes that violate the certificate, the signs of eta there, the largest \|eta\|.
Outside = tuple[NDArray[np.intp], Array, float]


@njit(cache=True)
def with_ends(active: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    nodes = np.empty(len(active) + 2, dtype=np.intp)
    nodes[0], nodes[1:-1], nodes[-1] = 0, active, count - 1
    return nodes


@njit(cache=True)
def face(t: Array, grams: Array, loads: Array, pull: Array) -> tuple[Array, Array]:
    diagonal, right = np.zeros(len(t)), np.zeros(len(t))
    for k in range(len(t) - 1):
        before = pull[k - 1] if k > 0 else 0.0
        after = pull[k] if k < len(pull) else 0.0
        slope = (after - before) / (t[k + 1] - t[k])
        diagonal[k] += grams[0, k]
        diagonal[k + 1] += grams[2, k]
        right[k] += loads[0, k] - slope
        right[k + 1] += loads[1, k] + slope
    return diagonal, right


@njit(cache=True)
def solved(diagonal: Array, beside: Array, right: Array) -> bool:
    for k in range(len(right) - 1):
        if not diagonal[k] > 0.0:
            return False
        factor = beside[k] / diagonal[k]
        diagonal[k + 1] -= factor * beside[k]
        right[k + 1] -= factor * right[k]
    if not diagonal[-1] > 0.0:
        return False
    right[-1] /= diagonal[-1]
    for k in range(len(right) - 2, -1, -1):
        right[k] = (right[k] - beside[k] * right[k + 1]) / diagonal[k]
    return True


@njit(cache=True)
def consistent(
    t: Array, grams: Array, loads: Array, lam: float, active: NDArray[np.intp], signs: Array
) -> tuple[NDArray[np.intp], Array, Array, bool]:
    nodes = with_ends(active, len(t))
    few, sums = coarser(t, grams, loads, nodes)
    at, kept, bends = t[nodes], active.copy(), signs.copy()
    while True:
        diagonal, theta = face(at, few, sums, lam * bends)
        if not solved(diagonal, few[1], theta):
            return kept, bends, theta, False
        slopes = (theta[1:] - theta[:-1]) / (at[1:] - at[:-1])
        right = (slopes[1:] - slopes[:-1]) * bends > 0.0
        if right.all():
            return kept, bends, theta, True
        inner = np.flatnonzero(right)
        nodes = with_ends(inner + 1, len(at))
        few, sums = coarser(at, few, sums, nodes)
        at, kept, bends = at[nodes], kept[inner], bends[inner]


@njit(cache=True)
def walk(
    t: Array,
    grams: Array,
    loads: Array,
    lam: float,
    active: NDArray[np.intp],
    signs: Array,
    values: Array,
    fresh: NDArray[np.bool_],
    most: int,
) -> tuple[NDArray[np.intp], Array, Array, bool]:
    nodes = with_ends(active, len(t))
    few, sums = coarser(t, grams, loads, nodes)
    at, kept, bends, new, theta = t[nodes], active.copy(), signs.copy(), fresh.copy(), values[nodes]
    for _ in range(most):
        diagonal, goal = face(at, few, sums, lam * bends)
        if not solved(diagonal, few[1], goal):
            return kept, bends, theta, False
        slopes, ends = (theta[1:] - theta[:-1]) / (at[1:] - at[:-1]), (goal[1:] - goal[:-1]) / (at[1:] - at[:-1])
        now = np.maximum(np.where(new, 0.0, (slopes[1:] - slopes[:-1]) * bends), 0.0)
        then = (ends[1:] - ends[:-1]) * bends
        stuck = (now == 0.0) & (then <= 0.0)
        if not stuck.any():
            if (then > 0.0).all():
                theta = goal
                break
            change = residual(few, sums, theta) - residual(few, sums, goal)
            step, out = line_minimum(now, then, lam, np.sum((goal - theta) * change))
            theta = theta + step * (goal - theta)
            bends = np.where(now + step * (then - now) < 0.0, -bends, bends)
            new[:] = False
            if out < 0:
                continue
            stuck[out] = True
        inner = np.flatnonzero(~stuck)
        nodes = with_ends(inner + 1, len(at))
        few, sums = coarser(at, few, sums, nodes)
        at, theta, kept, bends, new = at[nodes], theta[nodes], kept[inner], bends[inner], new[inner]
    return kept, bends, theta, True


@njit(cache=True)
def line_minimum(now: Array, then: Array, lam: float, curvature: float) -> tuple[float, int]:
    crossing = np.flatnonzero(then < 0.0)
    when = now[crossing] / (now[crossing] - then[crossing])
    lift, after, out = 0.0, 0.0, -1  # what the kinks that have crossed add to the derivative, and with the next one
    first = 1.0
    for j in np.argsort(when, kind="mergesort"):
        after = lift + 2.0 * lam * (now[crossing[j]] - then[crossing[j]])
        if after >= curvature * (1.0 - when[j]):
            out, first = crossing[j], when[j]
            break
        lift = after
    between = 1.0 - lift / curvature if curvature > 0.0 else 1.0
    if out < 0 or between < first:
        return between, -1
    return first, out


@njit(cache=True)
def state(t: Array, grams: Array, loads: Array, active: NDArray[np.intp], signs: Array, theta: Array) -> State:
    nodes = with_ends(active, len(t))
    slopes = (theta[1:] - theta[:-1]) / (t[nodes[1:]] - t[nodes[:-1]])
    z = values(t, t[nodes], nodes[:-1], theta, slopes)
    return active, signs, theta, z, residual(grams, loads, z), np.sum(np.abs(slopes[1:] - slopes[:-1]))


@njit(cache=True)
def violating(t: Array, u: Array, active: NDArray[np.intp], level: float, middle: int) -> Outside:
    eta = certificate(t, u, middle)
    eta[active] = 0.0
    worst = peaks(eta, level)
    return worst, np.sign(eta[worst]), np.abs(eta).max()


@njit(cache=True)
def change(now: State, new: State, lam: float) -> float:
    fall = 0.0
    for n in range(len(now[3])):
        fall += (new[3][n] - now[3][n]) * (now[4][n] + new[4][n])
    return lam * (new[5] - now[5]) - 0.5 * fall


@njit(cache=True)
def joined(
    t: Array, grams: Array, loads: Array, lam: float, now: State, joining: NDArray[np.intp], new: Array, most: int
) -> tuple[State, bool]:
    both = np.concatenate((now[0], joining))
    order = np.argsort(both, kind="mergesort")
    active, signs, fresh = both[order], np.concatenate((now[1], new))[order], order >= len(now[0])
    kept, bends, theta, definite = consistent(t, grams, loads, lam, active, signs)
    if not definite:
        return now, False
    candidate = state(t, grams, loads, kept, bends, theta)
    if change(now, candidate, lam) < 0.0:
        return candidate, True
    kept, bends, theta, definite = walk(t, grams, loads, lam, active, signs, now[3], fresh, most)
    return state(t, grams, loads, kept, bends, theta), definite


@njit(cache=True)
def begun(
    t: Array, grams: Array, loads: Array, lam: float, active: NDArray[np.intp], signs: Array, level: float, middle: int
) -> tuple[State, Outside, bool]:
    kept, bends, theta, definite = consistent(t, grams, loads, lam, active, signs)
    if not definite:
        return (kept, bends, theta, theta, theta, 0.0), (kept[:0], bends[:0], 0.0), False
    now = state(t, grams, loads, kept, bends, theta)
    return now, violating(t, now[4], now[0], level, middle), True


@njit(cache=True)
def exchanged(
    t: Array,
    grams: Array,
    loads: Array,
    lam: float,
    now: State,
    outside: Outside,
    level: float,
    middle: int,
    limits: tuple[int, int, int, float],
) -> tuple[State, Outside, int, bool]:
    rounds, patience, most, hidden = limits
    for _ in range(rounds):
        joining, new, previous = outside
        if not len(joining):
            break
        outside = joining[:0], new[:0], previous  # nothing joins any more, unless that pays
        for k in range(-1, min(len(joining), patience)):  # all of them first, then one by one
            if k >= 0:
                patience -= 1
            some = slice(0, len(joining)) if k < 0 else slice(k, k + 1)
            candidate, definite = joined(t, grams, loads, lam, now, joining[some], new[some], most)
            if not definite:
                return now, outside, patience, False
            others = violating(t, candidate[4], candidate[0], level, middle)
            risen = change(now, candidate, lam)
            if risen < 0.0 or (risen <= hidden * lam * now[5] and others[2] - lam < 0.99 * (previous - lam)):
                now, outside = candidate, others
                break
    return now, outside, patience, True
