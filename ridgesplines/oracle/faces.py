r"""sup |eta| in more than two dimensions, exactly, by enumeration of all faces on which it can be.

Where the hyperplane is held to some data points and keeps the others on their sides, eta is linear in w: a maximum is
the peak w = M / |M| of its gradient M on such a face, or it lies on a smaller face. Faces with d - 1 independent points
held are arcs of great circles, and all of them are swept (see `circles`), with the vertices at which they end.

Larger faces follow from arcs. If the peak of a face lies within it, then the point of its boundary nearest to the peak
lies within a smaller face, one more point held, and is the peak of that one. So from every arc whose peak lies within
it, and again from every face so found, each held point is let go to either side, and the peak of the larger face is
kept if it lies within. For one output only: then |eta| has no other critical points.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import asked
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.circles import arcs, best_of
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.search import span
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Entries (circles times points) of a block.
BLOCK_ENTRIES = 2**17
#: Seconds of a circle, and of each point on it.
CIRCLE, POINT = 2e-5, 4e-7
#: In units of the radius. Points whose differences are dependent up to this are so; those that are not, but nearly,
#: have circles that rounding moves. Points as near as this to what is spanned lie in it, or may, or do not.
DEPENDENT_RTOL, INDEPENDENT_RTOL = 1e-12, 1e-5
HELD, APART = 1e-10, 1e-8
#: A peak this far on the wrong side of a point is still within its face: it is evaluated again.
INSIDE = 1e-9


class FaceOracle:
    r"""The exact supremum of :math:`|\eta|` for few data X (N, d), by enumeration.

    .. math:: \sup_{\|w\| = 1,\, b} \Big| \sum_n u_n\,\rho(w^T x_n - b) \Big|

    for dual vectors u, shape (N,), orthogonal to all affine functions.

    Parameters
    ----------
    X : the data, shape (N, d), of affine rank r >= 2. Equal rows count as one point; points may lie on common lines,
        planes and so on, as on a lattice.

    Notes
    -----
    :math:`O(N^r \log N)`: `seconds` is an estimate. Points that lie nearly, but to rounding not, on the line or plane
    that others span make circles that rounding moves: there is no exact answer then, and the call returns None. For
    that reason it is no `Oracle`, which always has an answer.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import FaceOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> parity = (-1.0) ** corners.sum(axis=1)
    >>> found = FaceOracle(corners)(parity)
    >>> round(found.value, 12), found.scope
    (0.57735026919, 'exact')
    """

    def __init__(self, X: Array) -> None:
        self._X, self._centre, self._axes = X, X.mean(axis=0), span(X)
        distinct, self._place = np.unique(X, axis=0, return_inverse=True)
        points = (distinct - self._centre) @ self._axes.T
        self._unit = float(np.linalg.norm(points, axis=1).max(initial=0.0)) or 1.0
        self._points = points / self._unit
        N, rank = self._points.shape
        self.seconds = comb(N, rank - 1) * (CIRCLE + POINT * N) if rank >= 2 else np.inf

    def __call__(self, u: Array, end: float = np.inf) -> Supremum | None:
        """The supremum; None where it would not be known at `end` (of ``time.perf_counter``), or not exactly."""
        half = np.zeros(len(self._points))
        np.add.at(half, self._place.ravel(), 0.5 * u)
        N, rank = self._points.shape
        best, began, done = np.empty((0, rank + 2)), time.perf_counter(), 0
        for held in self._subsets():
            candidates, done = self._on_circles(half, held), done + len(held)
            expected = began + (time.perf_counter() - began) * comb(N, rank - 1) / done
            if candidates is None or expected > end or asked():
                return None
            best = np.concatenate([best, candidates])
            best = best[np.argsort(-best[:, 0], kind="stable")][:MAX_LISTED]
        W, pivots = best[:, 1:-1], best[:, -1].astype(np.intp)
        biases = np.einsum("kd,kd->k", W, self._points[pivots])
        weights = W @ self._axes
        biases = biases * self._unit + weights @ self._centre
        return ranked(
            Scope.EXACT, eta_at(self._X - self._centre, u, weights, biases - weights @ self._centre), weights, biases
        )

    def _subsets(self) -> Iterator[NDArray[np.intp]]:
        """All sets of rank - 1 points, in blocks."""
        N, rank = self._points.shape
        every = combinations(range(N), rank - 1)
        while block := list(islice(every, max(1, BLOCK_ENTRIES // N))):
            yield np.array(block)

    def _on_circles(self, half: Array, held: NDArray[np.intp]) -> Array | None:
        """(|eta|, w, pivot) of the largest about each circle, and of the peaks of larger faces next to it."""
        X = self._points
        Q, T = np.linalg.qr(np.swapaxes(X[held[:, 1:]] - X[held[:, :1]], 1, 2), mode="complete")
        size = np.abs(np.diagonal(T, axis1=1, axis2=2)).min(axis=1, initial=np.inf)
        if ((size > DEPENDENT_RTOL) & (size < INDEPENDENT_RTOL)).any():
            return None
        held, plane = held[size > DEPENDENT_RTOL], Q[size > DEPENDENT_RTOL, :, -2:]
        r = np.einsum("nd,mdi->imn", X, plane)
        r -= np.take_along_axis(r, held[None, :, :1], axis=2)
        off = np.hypot(*r)
        if ((off > HELD) & (off < APART)).any():
            return None
        r[:, off <= HELD] = 0.0
        a = arcs(np, r[0], r[1], 2.0 * half[:, None])
        squares, vx, vy, _ = best_of(np, a)
        candidates = [self._listed(squares, _unit(np.einsum("mdi,im->md", plane, np.array([vx, vy]))), held)]
        rows, columns = np.nonzero(a.inside)
        W = _unit(np.einsum("mdi,im->md", plane[rows], np.array([a.vx[rows, columns], a.vy[rows, columns]])))
        held = held[rows]
        while held.shape[1] > 1 and len(held):
            squares, W, held = self._released(half, W, held)
            candidates.append(self._listed(squares, W, held))
        return np.concatenate(candidates)

    def _listed(self, squares: Array, W: Array, held: NDArray[np.intp]) -> Array:
        return np.column_stack([np.sqrt(squares), W, held[:, 0]])

    def _released(self, half: Array, W: Array, held: NDArray[np.intp]) -> tuple[Array, Array, NDArray[np.intp]]:
        """The peaks, within their faces, of faces that hold one point less than those of which W are the peaks."""
        X = self._points
        D = W @ X.T
        D -= np.take_along_axis(D, held[:, :1], axis=1)
        on = np.abs(D) <= HELD
        side, eta = np.where(on, 0.0, np.sign(D)), np.abs(D) @ half
        peaks = [(np.empty(0), W[:0], held[:0, 1:])]
        for j in range(held.shape[1]):
            rest = np.delete(held, j, axis=1)
            e = X[held[:, j]] - X[rest[:, 0]]
            if rest.shape[1] > 1:
                Q = np.linalg.qr(np.swapaxes(X[rest[:, 1:]] - X[rest[:, :1]], 1, 2))[0]
                for _ in range(2):  # twice is enough
                    e -= np.einsum("mdk,mk->md", Q, np.einsum("mdk,md->mk", Q, e))
            e = _unit(e)
            E = e @ X.T
            E -= np.take_along_axis(E, rest[:, :1], axis=1)
            slope, kink = (side * E) @ half, np.where(on, np.abs(E), 0.0) @ half
            for turned in (1.0, -1.0):
                beta = np.sign(eta) * (slope + turned * kink)
                up = np.flatnonzero(beta * turned > 0.0)
                length = np.hypot(eta[up], beta[up])
                steps = np.abs(eta[up]) / length, beta[up] / length
                there = steps[0][:, None] * D[up] + steps[1][:, None] * E[up]
                within = (there * side[up] >= -INSIDE).all(axis=1)
                w = steps[0][:, None] * W[up] + steps[1][:, None] * e[up]
                peaks.append((length[within] ** 2, w[within], rest[up][within]))
        squares, W, held = (np.concatenate(part) for part in zip(*peaks, strict=True))
        return squares, W, held


def _unit(W: Array) -> Array:
    return W / np.maximum(np.linalg.norm(W, axis=1, keepdims=True), 1e-300)
