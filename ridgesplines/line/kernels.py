"""The passes over all data or nodes: in numpy, and with numba where it is installed (the extra ``[fast]``).

Both do the same sums in a different order; results agree to rounding. Points t are sorted, and may repeat. Nodes are
distinct points, among them the first and the last; `first` says, for every interval between nodes, with which point
it begins, and the last point belongs to the last interval. Values at points or nodes may be vectors of D outputs, one a
row, and curvatures D x D matrices; these passes are always numpy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.numerics.fast import at_hand, compiled, loaded
from ridgesplines.validation import Array

#: From this many points on, compiled code is worth its loading; where numba has been loaded, from a part of that.
COMPILED_POINTS = 20_000
LOADED = 1e-3
#: So many nodes are gone over, round by round, before somebody may stop that.
UNASKED = 50_000


def fast_module(n: int, name: str) -> Any:
    """The compiled module of this name where numba is installed, and worth it for n points; or None."""
    enough = LOADED * COMPILED_POINTS if loaded() else COMPILED_POINTS
    return compiled(name) if n >= enough else None


def _fast(t: Array, values: Array | None = None) -> Any:
    return None if values is not None and values.ndim > 1 else fast_module(len(t), "line.compiled")


def middle(t: Array) -> int:
    """The first of sorted points beyond the middle of the interval."""
    return int(np.searchsorted(t, (t[0] + t[-1]) / 2.0))


def moments(t: Array, curvature: Array, target: Array, nodes: Array, first: Array) -> tuple[Array, Array]:
    """The 2 x 2 moments of the hat functions on the intervals between nodes: (3, c - 1) and (2, c - 1).

    For vectors (3, c - 1) or (3, c - 1, D, D), as the curvature is, and (2, c - 1, D).
    """
    if (fast := _fast(t, target)) is not None:
        return fast.moments(t, curvature, target, nodes, first)
    counts = np.diff(np.append(first, len(t)))
    p = t - np.repeat(nodes[:-1], counts)
    p *= np.repeat(1.0 / np.diff(nodes), counts)
    grams, loads = np.empty((3, len(counts), *curvature.shape[1:])), np.empty((2, len(counts), *target.shape[1:]))
    load = target.T * p
    loads[1] = np.add.reduceat(load, first, axis=-1).T
    np.subtract(target.T, load, out=load)
    loads[0] = np.add.reduceat(load, first, axis=-1).T
    weighted = curvature.T * p
    load = weighted * p
    grams[2] = np.add.reduceat(load, first, axis=-1).T
    np.subtract(weighted, load, out=load)
    grams[1] = np.add.reduceat(load, first, axis=-1).T
    np.subtract(curvature.T, weighted, out=weighted)
    np.subtract(weighted, load, out=weighted)
    grams[0] = np.add.reduceat(weighted, first, axis=-1).T
    return grams, loads


def values(t: Array, nodes: Array, first: Array, theta: Array) -> Array:
    """The spline with values theta at the nodes, at all points."""
    slopes = np.diff(theta.T) / np.diff(nodes)
    if (fast := _fast(t, theta)) is not None:
        return fast.values(t, nodes, first, theta, slopes)
    counts = np.diff(np.append(first, len(t)))
    z = np.repeat(slopes, counts, axis=-1)
    z *= t - np.repeat(nodes[:-1], counts)
    z += np.repeat(theta[:-1].T, counts, axis=-1)
    return z.T


def certificate(t: Array, u: Array) -> Array:
    """eta(1, t_n) at sorted points, shape (n,) or (n, D), by a double cumulative sum from the nearer end."""
    half = middle(t)
    if (fast := _fast(t, u)) is not None:
        return fast.certificate(t, u, half)
    from_left = _tail_sums(-t[:half][::-1], u[:half][::-1])[::-1]
    return np.concatenate([from_left, _tail_sums(t[half:], u[half:])])


def squares(
    t: Array, y: Array, weight: Array, nodes: Array, theta: Array, level: float
) -> tuple[Array, Array, float, Array, float, float]:
    """Of squared error at distinct points, of which some are nodes, given by their indices.

    The spline z, u = 2 weight (y - z), its largest |eta|, its `peaks` above the level between the nodes, weight r^2 and
    u y summed.
    """
    at = t[nodes]
    if (fast := _fast(t, theta)) is not None:
        return fast.squares(t, y, weight, nodes, theta, np.diff(theta) / np.diff(at), middle(t), level)
    z = values(t, at, nodes[:-1], theta)
    r = y - z
    u = times(2.0 * weight, r)
    size, worst = peaks_between(certificate(t, u), level, nodes)
    return z, u, size, worst, 0.5 * float(np.vdot(u, r)), float(np.vdot(u, y))


def _tail_sums(t: Array, u: Array) -> Array:
    mass = np.cumsum(u[::-1], axis=0)[::-1]
    rises = (mass[1:].T * (t[1:] - t[:-1])).T
    eta = np.zeros_like(u)
    eta[:-1] = np.cumsum(rises[::-1], axis=0)[::-1]
    return eta


def sums_of_squares(t: Array, u: Array) -> tuple[float, float]:
    """Those of the partial sums of u, and of eta summed from the left alone: what it rounds grows with both."""
    if (fast := _fast(t, u)) is not None:
        return fast.sums_of_squares(t, u)
    mass = np.cumsum(u, axis=0)
    eta = np.cumsum((mass[:-1].T * np.diff(t)).T, axis=0)
    return float(np.vdot(mass, mass)), float(np.vdot(eta, eta))


def pieces(t: Array, first: Array, base: Array, slope: Array, value: Array) -> Array:
    """value + slope (t - base) at sorted points, of the piece that each lies on; `first` has their first points.

    Pieces may be empty. Values and slopes may be vectors, one a row.
    """
    if (fast := _fast(t, value)) is not None:
        return fast.pieces(t, first, base, slope, value)
    counts = np.diff(np.append(first, len(t)))
    z = np.repeat(slope, counts, axis=0).T * (t - np.repeat(base, counts))
    return z.T + np.repeat(value, counts, axis=0)


def with_sizes(off: Array, y: Array, z: Array, part: float) -> Array:
    """off, to which a part of |y| + |z| was added."""
    if (fast := _fast(off, off)) is not None:
        return fast.with_sizes(off, y, z, part)
    off += part * (np.abs(y) + np.abs(z))
    return off


def rounded_squares(weight: Array, y: Array, z: Array, off: Array, of_value: float) -> float:
    """The sum of weight ((r + off)^2 - r^2 + of_value r^2), r = |y - z|, over all entries, (n,) or (n, D)."""
    if (fast := _fast(weight, y)) is not None:
        return float(fast.rounded_squares(weight, y, z, off, of_value))
    r = np.abs(y - z)
    return float((weight @ (off * (2.0 * r + off) + of_value * r**2)).sum())


def affine_moments(
    t: Array, slope: Array, offset: Array | float, y: Array, rest: Array, basis: Array, u: Array
) -> tuple[Array, float]:
    """What two functions, the columns of `basis`, and u see of slope t + offset - (y - rest); (2,) or (2, D), ()."""
    if basis.shape[1] == 2 and (fast := _fast(t, u)) is not None:
        *within, beyond = fast.affine_moments(t, float(slope), float(offset), y, rest, basis[:, 0], basis[:, 1], u)
        return np.array(within), beyond
    values = np.multiply.outer(t, slope) + offset - (y - rest)
    return basis.T @ values, float(np.vdot(u, values))


def residual_beyond(weight: Array, y: Array, z: Array, basis: Array, gram: Array) -> Array:
    """2 weight r, for r = y - z less what of it is in the span of a basis (N, q) with this Gram matrix."""
    if basis.shape[1] == 2 and (fast := _fast(weight, y)) is not None:
        one, two = basis[:, 0], basis[:, 1]
        moments = np.array(fast.residual_moments(weight, y, z, one, two))
        return fast.residual_beyond(weight, y, z, one, two, *np.linalg.lstsq(gram, moments, rcond=1e-13)[0])
    r = y - z
    r -= basis @ np.linalg.lstsq(gram, basis.T @ times(weight, r), rcond=1e-13)[0]
    return times(2.0 * weight, r)


def weighted_squares(weight: Array, y: Array, z: Array) -> float:
    """The sum of weight |y - z|^2, of numbers or vectors."""
    if (fast := _fast(weight, y)) is not None:
        return float(fast.weighted_squares(weight, y, z))
    r = y - z
    return float((weight @ r**2).sum())


def parabola(u: Array, weight: Array, y: Array) -> tuple[float, float]:
    """(a, b) of the dual value a tau - b tau^2 of tau u for squared error: the sums of u y and of u^2 / (4 weight)."""
    if (fast := _fast(weight, u)) is not None:
        return fast.parabola(u, weight, y)
    return float(np.vdot(u, y)), 0.25 * float(np.vdot(u, (u.T / weight).T))


def rectified(x: Array, u: Array, sides: Array, biases: Array) -> Array | None:
    """The sum of u_n max(side x_n - bias, 0) for each of few neurons; None where NumPy has to."""
    return None if (fast := _fast(x, u)) is None else fast.rectified(x, u, sides, biases)


def scattered(values: Array, factor: float, rows: Array, count: int) -> Array:
    """factor times the values, at these of so many rows; zero in the others."""
    if (fast := _fast(rows, values)) is not None:
        return fast.scattered(values, factor, rows, count)
    full = np.zeros((count, *values.shape[1:]))
    full[rows] = factor * values
    return full


def gathered(values: Array, factor: float, rows: Array) -> Array:
    """factor times the values at these rows."""
    if (fast := _fast(rows, values)) is not None:
        return fast.gathered(values, factor, rows)
    return factor * values[rows]


def sums_between(t: Array, u: Array, first: Array) -> tuple[Array, Array]:
    """The sums of u and of u t from each of the increasing places `first`, all of them points, up to the next."""
    if (fast := _fast(t, u)) is not None:
        return fast.sums_between(t, u, first)
    return np.add.reduceat(u, first, axis=0), np.add.reduceat((u.T * t).T, first, axis=0)


def coarser(t: Array, grams: Array, loads: Array, nodes: Array) -> tuple[Array, Array]:
    """Moments on some of the nodes t, given by their indices, from those on all of them."""
    if (fast := _fast(t, loads[0])) is not None:
        return fast.coarser(t, grams, loads, nodes)
    first = nodes[:-1]
    counts, at = nodes[1:] - first, t[nodes]
    rise, left = np.repeat(1.0 / (at[1:] - at[:-1]), counts), np.repeat(at[:-1], counts)
    p, q = (t[:-1] - left) * rise, (t[1:] - left) * rise  # the right hat at both ends of each small interval
    p1, q1 = 1.0 - p, 1.0 - q
    (a, b, c), (r, s) = (part.T for part in grams), (part.T for part in loads)
    ap, bp, bq, cq = a * p, b * p, b * q, c * q
    few = [(a * p1 + 2.0 * b * q1) * p1 + c * q1 * q1, (ap + bq) * p1 + (bp + cq) * q1, (ap + 2.0 * bq) * p + cq * q]
    sums = [r * p1 + s * q1, r * p + s * q]
    return _summed(few, first), _summed(sums, first)


def _summed(parts: list[Array], first: Array) -> Array:
    """The sums of each part over runs of its last axis that begin at `first`; that axis becomes the second."""
    return np.ascontiguousarray(np.add.reduceat(np.array(parts), first, axis=-1).swapaxes(1, -1))


def face(t: Array, grams: Array, loads: Array, pull: Array) -> tuple[Array, Array]:
    """Diagonal and right-hand side of the optimum on a face; `pull` is lam times the sign of each inner node's kink."""
    if (fast := fast_module(len(t), "line.compiled_active_set")) is not None:
        return fast.face(t, grams, loads, pull)
    diagonal, right = np.zeros(len(t)), np.zeros(len(t))
    diagonal[:-1], right[:-1] = grams[0], loads[0]
    diagonal[1:] += grams[2]
    right[1:] += loads[1]
    return diagonal, right - kinks_transposed(t, pull)


def active_set(
    t: Array,
    grams: Array,
    loads: Array,
    lam: float,
    active: Array,
    signs: Array,
    level: float,
    limits: tuple[int, int, int, float],
) -> Iterator[tuple[Array, Array, Array] | None]:
    """See the active set, which does the same in NumPy: the knots after some rounds, at last the optimum's.

    None where NumPy has to, for want of numba or of curvature. In between a caller may stop.
    """
    name = "line.compiled_active_set"
    fast = compiled(name) if at_hand(name) else fast_module(len(t), name)  # of many rows few are nodes
    if loads.ndim > 2 or fast is None:
        yield None
        return
    rounds, patience, *others = limits
    given, ends = (t, grams, loads, lam), (level, middle(t))
    now, outside, definite = fast.begun(*given, active, signs, *ends)
    yield now[:3] if definite else None
    while definite and len(outside[0]) and rounds:
        together = min(rounds, 1 + UNASKED // len(t))
        now, outside, patience, definite = fast.exchanged(*given, now, outside, *ends, (together, patience, *others))
        yield now[:3] if definite else None
        rounds -= together


def kinks_transposed(t: Array, eta: Array) -> Array:
    """The transpose of `kinks`, from values at the inner nodes to all nodes; equal neighbours cancel exactly."""
    values, slopes = np.zeros((len(t), *eta.shape[1:])), np.zeros((len(t) + 1, *eta.shape[1:]))
    values[1:-1] = eta
    slopes[1:-1] = ((values[1:] - values[:-1]).T / (t[1:] - t[:-1])).T
    return slopes[1:] - slopes[:-1]


def residual(grams: Array, loads: Array, theta: Array) -> Array:
    """The load less the Gram matrix times theta, at all nodes."""
    if (fast := _fast(theta, theta)) is not None:
        return fast.residual(grams, loads, theta)
    left, right = theta[:-1], theta[1:]
    (a, b, c), (r, s) = grams, loads
    d = np.zeros_like(theta)
    d[:-1] = r - times(a, left) - times(b, right)
    d[1:] += s - times(b, left) - times(c, right)
    return d


def times(curvature: Array, values: Array) -> Array:
    """A curvature for each row, a number or a D x D matrix, times the row of values."""
    if curvature.ndim > 1:
        return np.einsum("nij,nj->ni", curvature, values)
    return (curvature * values.T).T


def summits(eta: Array) -> Array:
    """The indices of the local maxima of |eta|, (n,) or (n, D), n > 0; those that equal a neighbour are among them."""
    if (fast := _fast(eta, eta)) is not None:
        return fast.summits(eta)
    return np.flatnonzero(local_maxima(np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=1)))


def local_maxima(values: Array) -> NDArray[np.bool_]:
    """Which of values in a row are local maxima, those that are equal to a neighbour among them."""
    peak = np.ones(len(values), dtype=bool)
    peak[1:] &= values[1:] >= values[:-1]
    peak[:-1] &= values[:-1] >= values[1:]
    return peak


def peaks_between(eta: Array, level: float, nodes: Array) -> tuple[float, Array]:
    """The largest |eta|, and its `peaks` between nodes, given by their indices; vectors (n, D) count by their norms."""
    size = np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=1)
    largest = float(size.max())
    eta = eta.copy() if eta.ndim == 1 else size
    eta[nodes] = 0.0
    return largest, peaks(eta, level)


def peaks(eta: Array, level: float) -> Array:
    """Wherever |eta| exceeds the level, in a run of neighbours of one sign, the index of the largest of the run."""
    if (fast := _fast(eta)) is not None:
        return fast.peaks(eta, level)
    size = np.abs(eta)
    over = np.flatnonzero(size > level)
    if not len(over):
        return over
    up, size = eta[over] > 0.0, size[over]
    first = np.append(True, (over[1:] != over[:-1] + 1) | (up[1:] != up[:-1]))
    top = np.maximum.reduceat(size, np.flatnonzero(first))
    run = np.cumsum(first) - 1
    largest = np.flatnonzero(size == top[run])
    return over[largest[np.append(True, run[largest[1:]] != run[largest[:-1]])]]
