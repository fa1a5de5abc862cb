"""The ascent of one hyperplane at a time, compiled by numba; imported only where it is installed. See `ascent`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.oracle.compiled_circles import best_of_circle, project
from ridgesplines.oracle.compiled_half_circle import PARTS
from ridgesplines.oracle.compiled_sort import bucket_sort
from ridgesplines.validation import Array

#: Sums over all points may be taken in any order, so in vectors; nothing is assumed of what is not finite or of zeros.
SUMS = {"reassoc", "contract"}


@njit(nogil=True, cache=True)
def climb(
    columns: Array, U: Array, W: Array, held: NDArray, limits: Array, most: int, linear: Array, pinned: bool
) -> tuple[Array, NDArray, Array]:
    """The local maxima above hyperplanes W (m, d), held (m, d), and |eta| there; X comes as its columns, (d, N).

    `limits` are the constants of `ascent` and `passes`: touch, flat, gain, dependent, and the rounding of eta. A linear
    function of w joins eta, coefficients (d, D); (0, D) for none. Hyperplanes that are `pinned` keep their pivots.
    """
    touch, flat, gain, dependent, rounding = limits
    W, held, value = W.copy(), held.copy(), np.empty(len(W))
    d, N = columns.shape
    room, places, starts = np.empty((3, N)), np.empty((3, N), np.int32), np.empty(max(N, PARTS) + 1, np.int32)
    g, weights, eta, M = np.empty(d), np.empty(d), np.empty(U.shape[1]), np.empty((U.shape[1], 2))
    duals = np.ascontiguousarray(U.T)
    Q, R = np.zeros((d, d)), np.zeros((d, d))
    for i in range(len(W)):
        w, on = W[i].copy(), held[i].copy()
        value[i], by_bias = slopes(columns, duals, linear, w, on, touch, room, eta, g, weights)
        write(w, W[i])
        write(on, held[i])
        k = frame(columns, on, Q, R)
        for _ in range(most):
            c, leave = way_up(Q, R, k, w, value[i], g, by_bias, weights, flat, pinned)
            if leave >= 0:
                let_go(on, leave)
                k = frame(columns, on, Q, R)
                onto(Q, k, c)
            if not perpendicular(c, w):
                if k > 0 or pinned:
                    break
                project(columns, w, on[:1], room[0])  # the best about this pivot: try all others
                high, on[0] = best_bias(room[0], U, room[1], places[0], starts[: N + 1], eta)
            else:
                high, crossed = around(columns, U, duals[0], linear, w, c, on, room, places, starts, M)
                k = hold(columns, on, crossed, Q, R, k, dependent)
            if not high > value[i] * (1.0 + gain) + rounding:
                break
            before = k
            size, by_bias = slopes(columns, duals, linear, w, on, touch, room, eta, g, weights)
            if not size > value[i] * (1.0 + gain) + rounding:
                break
            value[i] = size
            write(w, W[i])
            write(on, held[i])
            if (on >= 0).sum() != before + 1:
                k = frame(columns, on, Q, R)
    return W, held, value


@njit(nogil=True, cache=True)
def around(
    columns: Array,
    U: Array,
    u: Array,
    linear: Array,
    w: Array,
    c: Array,
    held: NDArray,
    room: Array,
    places: NDArray,
    starts: NDArray,
    M: Array,
) -> tuple[float, int]:
    """The largest |eta| on the great circle through w and c, and what is crossed there, or -1; turns w to it.

    The distances of `slopes` at w, in room[0], are used up.
    """
    project(columns, c, held, room[1])
    square, x, y, crossed = best_of_circle(room, U, u, linear, w, c, places, starts, M)
    for j in range(len(w)):
        w[j] = x * w[j] + y * c[j]
    w /= np.sqrt(dot(w, w))
    return np.sqrt(square), crossed


@njit(nogil=True, cache=True)
def slopes(
    columns: Array,
    duals: Array,
    linear: Array,
    w: Array,
    held: NDArray,
    touch: float,
    room: Array,
    eta: Array,
    g: Array,
    weights: Array,
) -> tuple[float, float]:
    """|eta| and its derivative by the bias; writes that by w about the pivot into g, and u of what is held.

    Held points that are not on the hyperplane are let go. The dual vector comes as `duals` (D, N); the distances are
    left in room[0], zero at what is held.
    """
    d, D, P, pull = len(columns), len(duals), room[0], room[1]
    project(columns, w, held[:1], P)
    near = touch * farthest(P)
    kept = 1
    for k in range(1, d):
        if held[k] >= 0 and abs(P[held[k]]) <= near:
            held[kept] = held[k]
            kept += 1
    held[kept:] = -1
    for j in range(D):
        eta[j] = 0.5 * distance_sum(duals[j], P)
        for i in range(len(linear)):
            eta[j] += w[i] * linear[i, j]
    for k in range(kept):
        P[held[k]] = 0.0
    size = np.sqrt((eta * eta).sum())
    if size > 0.0:
        eta /= size
    pull[:] = 0.0
    for j in range(D):
        for n in range(len(P)):
            pull[n] += 0.5 * eta[j] * duals[j, n]
    by_bias = pulled(P, pull)
    for j in range(d):
        g[j] = long_dot(columns[j], pull) - by_bias * columns[j, held[0]]
    for i in range(len(linear)):
        for j in range(D):
            g[i] += eta[j] * linear[i, j]
    for k in range(d):
        weights[k] = 0.0
        if k < kept:
            for j in range(D):
                weights[k] += eta[j] * duals[j, held[k]]
    return size, by_bias


@njit(nogil=True, cache=True, fastmath=SUMS)
def farthest(P: Array) -> float:
    """The largest distance."""
    far = 0.0
    for n in range(len(P)):
        size = abs(P[n])
        far = size if size > far else far
    return far


@njit(nogil=True, cache=True, fastmath=SUMS)
def distance_sum(u: Array, P: Array) -> float:
    """The sum of distances, weighted."""
    total = 0.0
    for n in range(len(P)):
        total += u[n] * abs(P[n])
    return total


@njit(nogil=True, cache=True, fastmath=SUMS)
def pulled(P: Array, pull: Array) -> float:
    """Give weights the sides of their points, zero for those on the hyperplane; their sum."""
    total = 0.0
    for n in range(len(P)):
        side = 1.0 if P[n] != 0.0 else 0.0
        pull[n] = pull[n] * np.copysign(side, P[n])
        total += pull[n]
    return total


@njit(nogil=True, cache=True, fastmath=SUMS)
def long_dot(a: Array, b: Array) -> float:
    """The inner product of long vectors."""
    total = 0.0
    for n in range(len(a)):
        total += a[n] * b[n]
    return total


@njit(nogil=True, cache=True)
def write(a: NDArray, b: NDArray) -> None:
    """Copy a into b by a loop: assignments of arrays bring a message for unlike shapes, seconds of compilation."""
    for j in range(len(a)):
        b[j] = a[j]


@njit(nogil=True, cache=True)
def dot(a: Array, b: Array) -> float:
    """The inner product of short vectors: a call of BLAS would take longer."""
    total = 0.0
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(nogil=True, cache=True)
def frame(columns: Array, held: NDArray, Q: Array, R: Array) -> int:
    """Orthonormal rows Q of the differences of held points from the pivot, which are R^T Q; their number."""
    k = int(np.int64(0))  # a 0 that is written out would have `extended` compiled twice
    while k + 1 < len(held) and held[k + 1] >= 0:
        k = extended(columns, held, Q, R, k)
    return k


@njit(nogil=True, cache=True)
def extended(columns: Array, held: NDArray, Q: Array, R: Array, k: int) -> int:
    """The frame of k differences and of one more."""
    for j in range(len(held)):
        Q[k, j] = columns[j, held[k + 1]] - columns[j, held[0]]
    R[:, k] = 0.0
    for _ in range(2):  # twice is enough
        for i in range(k):
            along = dot(Q[i], Q[k])
            R[i, k] += along
            for j in range(len(held)):
                Q[k, j] -= along * Q[i, j]
    R[k, k] = max(np.sqrt(dot(Q[k], Q[k])), 1e-300)
    for j in range(len(held)):
        Q[k, j] /= R[k, k]
    return k + 1


@njit(nogil=True, cache=True)
def onto(Q: Array, k: int, c: Array) -> None:
    """Make c orthogonal to the first k rows of Q."""
    for _ in range(2):  # twice is enough
        for i in range(k):
            along = dot(Q[i], c)
            for j in range(len(c)):
                c[j] -= along * Q[i, j]


@njit(nogil=True, cache=True)
def perpendicular(c: Array, w: Array) -> bool:
    """Make c perpendicular to w and of length one; whether anything is left."""
    length = max(np.sqrt(dot(c, c)), 1e-300)
    for j in range(len(c)):
        c[j] /= length
    along = dot(c, w)
    for j in range(len(c)):
        c[j] -= along * w[j]
    length = np.sqrt(dot(c, c))
    if length <= 1e-8:
        return False
    for j in range(len(c)):
        c[j] /= length
    return True


@njit(nogil=True, cache=True)
def way_up(
    Q: Array,
    R: Array,
    k: int,
    w: Array,
    value: float,
    g: Array,
    by_bias: float,
    weights: Array,
    flat: float,
    pinned: bool,
) -> tuple[Array, int]:
    """The direction in which |eta| rises fastest, zero where none does, and which held point is let go for it, or -1.

    A pivot that is pinned is kept. See `_ways_up` of `ascent`.
    """
    d = len(w)
    rest = g - value * w
    c = rest.copy()
    onto(Q, k, c)
    steepest, leave = np.sqrt(dot(c, c)), -1
    if steepest <= flat * value:
        steepest = flat * value
        c[:] = 0.0
    dual, total, slope = np.zeros((k, d)), np.zeros(d), -by_bias  # the rows of R^-1 Q
    for i in range(k - 1, -1, -1):
        for j in range(d):
            dual[i, j] = Q[i, j]
        for m in range(i + 1, k):
            for j in range(d):
                dual[i, j] -= R[i, m] * dual[m, j]
        for j in range(d):
            dual[i, j] /= R[i, i]
            total[j] += dual[i, j]
    for i in range(k):
        along = -dot(dual[i], rest)
        slope -= along
        steep = (abs(along) - 0.5 * max(-weights[i + 1], 0.0)) / np.sqrt(dot(dual[i], dual[i]))
        if steep > steepest:
            steepest, leave = steep, i + 1
            for j in range(d):
                c[j] = -dual[i, j]
    if k > 0 and not pinned and (abs(slope) - 0.5 * max(-weights[0], 0.0)) / np.sqrt(dot(total, total)) > steepest:
        leave = 0
        write(total, c)
    return c, leave


@njit(nogil=True, cache=True)
def let_go(held: NDArray, k: int) -> None:
    """Leave out one of the held points; the others move up."""
    for i in range(k, len(held) - 1):
        held[i] = held[i + 1]
    held[-1] = -1


@njit(nogil=True, cache=True)
def hold(columns: Array, held: NDArray, crossed: int, Q: Array, R: Array, k: int, dependent: float) -> int:
    """Hold one more point where there is one (not -1), independent of the others, and room; the size of the frame."""
    if crossed < 0 or k + 1 == len(held):
        return k
    held[k + 1] = crossed
    extended(columns, held, Q, R, k)
    largest = 0.0
    for i in range(k + 1):
        for j in range(i, k + 1):
            largest = max(largest, abs(R[i, j]))
    if R[k, k] > dependent * largest:
        return k + 1
    held[k + 1] = -1
    return k


@njit(nogil=True, cache=True)
def best_bias(P: Array, U: Array, keys: Array, order: NDArray, starts: NDArray, moment: Array) -> tuple[float, int]:
    """The largest |eta| along a direction over all biases, for projections P, and the point where it is."""
    N, D = U.shape
    low, high = P.min(), P.max()
    span = max(high - low, 1e-300)
    for n in range(N):
        keys[n] = (2.0 * (P[n] - low) / span - 1.0) * 0.999
    count = bucket_sort(keys, order, starts)
    largest, at = -1.0, 0
    mass = np.zeros(D)
    moment[:] = 0.0
    for j in range(D):
        for n in range(N):
            mass[j] -= 0.5 * U[n, j]
            moment[j] -= 0.5 * P[n] * U[n, j]
    for i in range(count):
        n = order[i]
        square = 0.0
        for j in range(D):
            mass[j] += U[n, j]
            moment[j] += P[n] * U[n, j]
            square += (P[n] * mass[j] - moment[j]) ** 2
        if square > largest:
            largest, at = square, n
    return np.sqrt(max(largest, 0.0)), at
