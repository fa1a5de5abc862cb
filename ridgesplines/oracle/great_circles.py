r"""Maxima of a sum of ReLUs over great circles, and over the sphere that they divide.

.. math:: \eta(w) = \sum_n u_n\, \rho(w^T p_n), \qquad \|w\|_2 = 1

Each point divides a great circle at the two places where :math:`w^T p_n = 0`. On an arc between them
:math:`\eta(w) = M^T w` with :math:`M = \sum u_n p_n` over the points that are active there, and :math:`\|M^T w\|` is
largest at an end or at the top eigenvector of :math:`M M^T` within the circle's plane: closed form, O(N log N).

On the sphere of three dimensions the points' own great circles bound cells on each of which :math:`\eta` is linear.
Its maximum over a cell is on the boundary, which consists of arcs, or is the top eigenvector of :math:`M M^T`; each
cell lies beside some arc. O(N^2 log N) for all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.network.spline import group_norms
from ridgesplines.validation import Array

#: A unit point this near to a circle's plane, or to a hyperplane, is on it.
TOUCH = 1e-11
#: How far a direction may leave a cell by rounding; to look at it once too often does no harm.
SLACK = 1e-9
#: Entries of the arcs of many circles that are held at once, and of the values at many directions.
BLOCK_ENTRIES = 2**21


def values_at(points: Array, u: Array, directions: Array) -> Array:
    """eta at unit directions (K, p), shape (K, D)."""
    step = max(1, BLOCK_ENTRIES // len(points))
    parts = [np.maximum(directions[i : i + step] @ points.T, 0.0) @ u for i in range(0, len(directions), step)]
    return np.concatenate(parts) if parts else np.empty((0, u.shape[1]))


class Arcs(NamedTuple):
    """The arcs of B great circles, A on each, in the order of their angles.

    Attributes
    ----------
    planes : orthonormal bases of the circles' planes, (B, 2, p).
    start, length : the angle at which an arc begins, and how long it is, (B, A).
    moments : M of each arc, (B, A, p, D).
    event, enters : the point at which the arc begins, and whether it is active from there on, (B, A).
    """

    planes: Array
    start: Array
    length: Array
    moments: Array
    event: Array
    enters: Array

    def maxima(self) -> tuple[Array, Array]:
        """The direction of the largest |eta| of each arc, (B, A, p), and the value there."""
        angle, value = _peaks(np.einsum("bip,bapd->baid", self.planes, self.moments), self.start, self.length)
        return _turned(self.planes, angle), value


def _peaks(M: Array, start: Array, length: Array) -> tuple[Array, Array]:
    """The angle of the largest |M^T w| on each arc, for M (B, A, 2, D) within the planes, and the value there."""
    first, second = M[..., 0, :], M[..., 1, :]
    a, b, cross = (first**2).sum(axis=-1), (second**2).sum(axis=-1), (first * second).sum(axis=-1)
    half = (a - b) / 2.0
    ahead = np.mod(0.5 * np.arctan2(cross, half) - start, np.pi)  # |M^T w| is the same at -w
    inside, c, s = ahead <= length, np.cos(start), np.sin(start)
    at_end = a * c * c + 2.0 * cross * c * s + b * s * s
    square = np.where(inside, (a + b) / 2.0 + np.hypot(half, cross), at_end)
    return np.where(inside, start + ahead, start), np.sqrt(np.maximum(square, 0.0))


def _turned(planes: Array, angle: Array) -> Array:
    """Directions at angles (B, A) in planes (B, 2, p)."""
    directions: Array = np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ planes
    return directions


def arcs(points: Array, u: Array, planes: Array) -> Arcs:
    """The arcs into which unit points (N, p) divide the great circles of planes (B, 2, p)."""
    q = np.einsum("bip,np->bni", planes, points)
    on = np.hypot(q[..., 0], q[..., 1]) > TOUCH  # others vanish on all of the circle
    middle = np.arctan2(q[..., 1], q[..., 0])
    angle = np.mod(np.concatenate([middle - np.pi / 2.0, middle + np.pi / 2.0], axis=1), 2.0 * np.pi)
    order = np.argsort(angle, axis=1)
    start, n = np.take_along_axis(angle, order, axis=1), len(points)
    length = np.diff(start, axis=1, append=start[:, :1] + 2.0 * np.pi)
    event, enters = order % n, order < n
    signs = np.where(enters, 1.0, -1.0) * np.take_along_axis(on, event, axis=1)
    changes = np.einsum("ba,bap,bad->bapd", signs, points[event], u[event])
    moments = np.cumsum(changes, axis=1)
    widest, active = _surely_active(q, on, start, length)
    known = np.einsum("bn,np,nd->bpd", active, points, u)
    moments += (known - moments[np.arange(len(planes)), widest])[:, None]
    return Arcs(planes, start, length, moments, event, enters)


def _surely_active(q: Array, on: Array, start: Array, length: Array) -> tuple[Array, Array]:
    """The widest arc of each circle, and who is active in its middle, of which there is no doubt, (B, N)."""
    each, widest = np.arange(len(q)), length.argmax(axis=1)
    at = start[each, widest] + length[each, widest] / 2.0
    return widest, on & (q[..., 0] * np.cos(at)[:, None] + q[..., 1] * np.sin(at)[:, None] > 0.0)


def blocks_of(planes: Array, points: Array, u: Array) -> list[slice]:
    """Circles, so many at a time that their arcs can be held."""
    step = max(1, BLOCK_ENTRIES // (8 * points.size * u.shape[1]))
    return [slice(i, i + step) for i in range(0, len(planes), step)]


def largest_on_circle(points: Array, u: Array) -> Array:
    """p = 2: the directions at which the arcs of the one circle have their maxima, (A, 2)."""
    return arcs(points, u, np.eye(2)[None]).maxima()[0][0]


def largest_on_sphere(points: Array, u: Array) -> Array:
    """p = 3: directions (K, 3) among which is one of the largest |eta| on the sphere."""
    planes, found, cells = _own_planes(points), [], []
    best = 0.0
    for rows in blocks_of(planes, points, u):
        of_block = arcs(points, u, planes[rows])
        directions, values = of_block.maxima()
        each, top = np.arange(len(values)), values.argmax(axis=1)
        found.append(directions[each, top])
        best = max(best, float(values.max()))
        cells.append(_peaks_of_cells(points, u, of_block, rows, best))
    every = np.concatenate([*found, *(directions for directions, _ in cells)])
    bounds = np.concatenate([np.full(len(planes), np.inf), *(bounds for _, bounds in cells)])
    return every[bounds > best * (1.0 - SLACK)]


def _own_planes(points: Array) -> Array:
    """For each point an orthonormal basis of the plane orthogonal to it, (N, 2, 3)."""
    axes = np.eye(3)[np.abs(points).argmin(axis=1)]
    first = np.cross(points, axes)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.stack([first, np.cross(points, first)], axis=1)


def _peaks_of_cells(points: Array, u: Array, of: Arcs, rows: slice, best: float) -> tuple[Array, Array]:
    """The top eigenvectors of the cells beside arcs that may lie in them and exceed `best`, and their values."""
    own, own_u = points[rows], u[rows]
    after, after_enters = np.roll(of.event, -1, axis=1), np.roll(of.enters, -1, axis=1)
    wanted = [(of.event, np.where(of.enters, 1.0, -1.0)), (after, np.where(after_enters, -1.0, 1.0))]
    directions, bounds = [], []
    for side in (-1.0, 1.0):
        M = of.moments + (side > 0.0) * np.einsum("bp,bd->bpd", own, own_u)[:, None]
        value, top = _top(M, best)
        for sign in (1.0, -1.0):
            w = sign * top
            inside = (value > best) & (side * np.einsum("bp,bap->ba", own, w) >= -SLACK)
            for event, towards in wanted:
                inside &= towards * np.einsum("bap,bap->ba", points[event], w) >= -SLACK
            directions.append(w[inside])
            bounds.append(value[inside])
    return np.concatenate(directions), np.concatenate(bounds)


def _top(M: Array, least: float) -> tuple[Array, Array]:
    """The largest singular values of matrices M (..., p, D), and the vectors (..., p); zero where below `least`."""
    if M.shape[-1] == 1:
        size = np.linalg.norm(M[..., 0], axis=-1)
        return size, M[..., 0] / np.where(size > 0.0, size, 1.0)[..., None]
    value, top = np.zeros(M.shape[:-2]), np.zeros(M.shape[:-1])
    large = np.linalg.norm(M, axis=(-2, -1)) > least
    squares, vectors = np.linalg.eigh(M[large] @ np.swapaxes(M[large], -1, -2))
    value[large], top[large] = np.sqrt(np.maximum(squares[:, -1], 0.0)), vectors[..., -1]
    return value, top


def ordered(points: Array, u: Array, directions: Array, most: int) -> tuple[Array, Array]:
    """The `most` directions of largest |eta|, the largest first, and their values."""
    size = group_norms(values_at(points, u, directions))
    top = np.argsort(-size, kind="stable")[:most]
    return directions[top], size[top]
