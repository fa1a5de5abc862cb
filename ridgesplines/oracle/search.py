r"""sup |eta| in many dimensions, searched: a lower bound on the supremum, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from ridgesplines.interrupt import late
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle import starts as directions
from ridgesplines.oracle.ascent import Hyperplanes, climb, exchange, through
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.passes import Host, Passes, Points, Torch
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Random starts for each dimension, where nothing else is said.
STARTS_PER_DIMENSION = 128
#: Starts times points at most: with many points a start takes long.
MAX_WORK = 2**25
#: Starts that ascend together: at first, and at most.
FIRST_TOGETHER, MOST_TOGETHER = 64, 512
#: Of them, the part that begins near maxima already known.
FROM_KNOWN = 0.75
#: Violators that are enough to stop early.
ENOUGH_VIOLATORS = 64
#: The largest maxima whose held points are exchanged; those near which to look; those kept for the next dual vector.
EXCHANGED = 16
PARENTS = 256
KEPT = 128


class SearchOracle:
    r"""The largest :math:`|\eta|` that a search from many starts finds, for data X (N, d): a lower bound on

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. It lists local maxima, up to 256 whose
    activation patterns differ, the largest first.

    With `level` a call stops early once it has found many maxima above it, or some and further starts no more, and
    spends its whole effort only where it finds none; maxima below it are left out, all but the first. `near`, (weights
    (K, d), biases (K,)), are neurons near which to look, such as those that a solver holds: nothing finds violators as
    fast; the answer is never below them. From `end` on, a reading of ``time.perf_counter``, no further starts are made,
    and those under way stop where they are. Maxima are kept from call to call, as starts for the next dual vector, but
    for a call `afresh`: it makes that many starts for each dimension, with random numbers of its own, and neither knows
    of other calls nor leaves them anything. Every value is that of the dual vector at hand, evaluated at (w, b) and the
    data.

    Parameters
    ----------
    X : the data, shape (N, d); they may be degenerate. Equal rows count as one point.
    seed : of the random starts, a number or several. The same sequence of calls gives the same answers.
    effort : how many random starts a call makes at most; 128 d by default, and never more than 2^25 / N.
    starts : directions to start from besides, in every call, shape (m, d).
    device : where the passes over the data run: None for NumPy (and numba where it is installed), ``"cuda"`` or
        ``"cpu"`` for PyTorch. The answers agree to rounding.

    Raises
    ------
    SolverRefusal
        For a device without PyTorch.
    ProblemError
        For a device that there is not, or that lacks double precision.

    Notes
    -----
    Each start ascends by exact search of great circles, to a maximum that commonly touches d data points (see
    `ascent`); finally the held points of the largest maxima are exchanged one by one until no exchange helps.
    O(N (d + log N)) a circle, some 3 d circles a start; memory O(N d), and blocks of a few MiB. That it finds the
    supremum is likely where many starts arrive at the same largest value, and never proven. Not for calls from several
    threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle.search import SearchOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> parity = (-1.0) ** corners.sum(axis=1)
    >>> found = SearchOracle(corners)(parity)
    >>> round(found.value, 9), found.scope
    (0.577350269, 'searched')
    """

    def __init__(
        self,
        X: Array,
        seed: int | Sequence[int] = 0,
        effort: int | None = None,
        starts: Array | None = None,
        device: str | None = None,
    ) -> None:
        self._centre = X.mean(axis=0)
        self._X = X - self._centre
        distinct, self._place = np.unique(X, axis=0, return_inverse=True)
        self._axes = span(distinct)
        self._points = Points((distinct - self._centre) @ self._axes.T, Host() if device is None else Torch(device))
        self._effort = STARTS_PER_DIMENSION * X.shape[1] if effort is None else effort
        self._starts = np.empty((0, X.shape[1])) if starts is None else starts
        self._kept: Hyperplanes | None = None
        self._rng = np.random.default_rng(seed)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: tuple[Array, Array] | None = None,
        end: float = np.inf,
        afresh: int | None = None,
    ) -> Supremum:
        if afresh is not None:
            return self._another(afresh * self._X.shape[1])(u, level, near=near, end=end)
        size = float(np.abs(u).max(initial=0.0)) or 1.0
        U = np.zeros((len(self._points.X), u.size // len(u)))
        np.add.at(U, self._place.ravel(), u.reshape(len(u), -1) / size)
        if not len(self._axes) or not U.any():
            w = np.eye(1, self._X.shape[1])
            return self._answer(u, w, w @ self._X[0], near, 0)
        passes = Passes(self._points, U)
        scaled = np.inf if level is None else level / size
        maxima, spent = self._search(passes, scaled, near, end)
        self._kept = maxima[:KEPT]
        if level is not None:
            maxima = maxima[maxima.value >= min(level / size, maxima.value[0])]
        codes = passes.patterns(maxima.W, maxima.held[:, 0])
        first = np.sort(np.unique(np.round(codes, 9), return_index=True)[1])[:MAX_LISTED]
        weights, biases = self._neurons(self._kept)
        kept = weights, biases + weights @ self._centre
        return replace(self._answer(u, *self._neurons(maxima[first]), near, spent), kept=kept)

    def _another(self, effort: int) -> SearchOracle:
        """An oracle for the same data that knows nothing of what this one found, with random starts of its own."""
        other = copy(self)
        other._kept, other._rng, other._effort = None, self._rng.spawn(1)[0], effort
        return other

    def _neurons(self, maxima: Hyperplanes) -> tuple[Array, Array]:
        """For centred data: weights (m, d), biases (m,)."""
        return maxima.W @ self._axes, np.einsum("md,md->m", maxima.W, self._points.X[maxima.held[:, 0]])

    def _answer(
        self, u: Array, weights: Array, biases: Array, near: tuple[Array, Array] | None, spent: int
    ) -> Supremum:
        """The neurons found, for centred data, and of those known before the largest, where it exceeds them."""
        if near is not None and len(near[1]):
            known = near[0], near[1] - near[0] @ self._centre
            size = group_norms(eta_at(self._X, u, *known)) / np.maximum(np.linalg.norm(near[0], axis=1), 1e-300)
            top = int(size.argmax())
            if size[top] > group_norms(eta_at(self._X, u, weights, biases)).max(initial=0.0):
                w, b = known[0][top], known[1][top]
                length = np.linalg.norm(w)
                weights, biases = np.vstack([weights, w / length]), np.append(biases, b / length)
        eta = eta_at(self._X, u, weights, biases)
        supremum = ranked(Scope.SEARCHED, eta, weights, biases + weights @ self._centre)
        return replace(supremum, starts=spent)

    def _search(
        self, passes: Passes, level: float, near: tuple[Array, Array] | None, end: float
    ) -> tuple[Hyperplanes, int]:
        """Distinct local maxima, from the largest on, when the time is over what was reached; and the random starts."""
        X = passes.X
        peaks = climb(passes, self._known(passes, near), end).distinct(X, 4 * MAX_LISTED)
        effort = min(self._effort, max(FIRST_TOGETHER, MAX_WORK // len(X)))
        spent, number, above = 0, FIRST_TOGETHER, int((peaks.value > level).sum())
        stop = above >= ENOUGH_VIOLATORS
        while spent < effort and not stop and not late(end):
            number = min(number, effort - spent)
            W = self._directions(passes, peaks, number)
            peaks = peaks.joined(climb(passes, through(passes, W, passes.along(W)[1]), end)).distinct(X, 4 * MAX_LISTED)
            previous, above = above, int((peaks.value > level).sum())
            stop = above >= ENOUGH_VIOLATORS or above == previous > 0
            spent, number = spent + number, min(2 * number, MOST_TOGETHER)
        if not stop:
            peaks = peaks.joined(exchange(passes, peaks[:EXCHANGED], self._rng, end)).distinct(X, 4 * MAX_LISTED)
        return peaks, spent

    def _known(self, passes: Passes, near: tuple[Array, Array] | None) -> Hyperplanes:
        """The starts that are not random: earlier maxima, neurons given, directions given, principal ones."""
        W = _unit(np.concatenate([self._starts @ self._axes.T, directions.principal(passes.X, passes.U)]))
        known = through(passes, W, passes.along(W)[1])
        if near is not None:
            weights, biases = near[0] @ self._axes.T, near[1] - near[0] @ self._centre
            length = np.linalg.norm(weights, axis=1)
            weights, biases = (weights.T / length).T[length > 0.0], (biases / length)[length > 0.0]
            known = known.joined(through(passes, weights, passes.nearest(weights, biases)))
        if self._kept is not None:
            known = known.joined(self._kept)
        return known

    def _directions(self, passes: Passes, found: Hyperplanes, number: int) -> Array:
        """Unit vectors to start from at random: near what was found, and anywhere."""
        parents = found.W[:PARENTS]
        nearby = int(FROM_KNOWN * number) if len(parents) else 0
        fresh = directions.fresh(passes.X, number - nearby, self._rng)
        return _unit(np.concatenate([directions.around(parents, nearby, self._rng), fresh]))


def span(X: Array) -> Array:
    """Orthonormal rows that span the centred data; the unit vectors where they span everything."""
    centred = X - X.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rounding = 8.0 * np.finfo(float).eps * (sizes.max(initial=0.0) + np.linalg.norm(X, axis=0).max(initial=0.0))
    rank = int((sizes > rounding).sum())
    return np.eye(X.shape[1]) if rank == X.shape[1] else axes[:rank]


def _unit(W: Array) -> Array:
    W = W[(W != 0.0).any(axis=1)]
    return W / np.linalg.norm(W, axis=1, keepdims=True)
