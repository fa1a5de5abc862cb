r"""sup |eta| in many dimensions, searched: a lower bound on the supremum, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from ridgesplines.interrupt import late
from ridgesplines.network.spline import group_norms
from ridgesplines.numerics.fast import one_thread
from ridgesplines.oracle import starts
from ridgesplines.oracle.ascent import Hyperplanes, climb, exchange, leaps, through
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.batches import Batch, Scout
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.passes import COMPILED_POINTS, Host, Passes, Points, Torch
from ridgesplines.oracle.starts import Sites, joined, nowhere
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Random starts for each dimension, where nothing else is said.
STARTS_PER_DIMENSION = 128
#: Starts times points at most: with many points a start takes long.
MAX_WORK = 2**30
#: Random starts that ascend together: in a rough call, else at first, and at most.
ROUGHLY_TOGETHER, FIRST_TOGETHER, MOST_TOGETHER = 128, 256, 2048
#: Of the starts that ascend together the best are followed to their maxima: at least so many, and one of so many.
FEWEST_FOLLOWED, ONE_OF = 192, 16
#: Entries of X times what is followed, at most: with many points a circle takes long; of a batch, and of a call that
#: follows all. Near an optimum what a few steps show of a start says nothing about where it leads.
CIRCLES, ALL_CIRCLES = 2**20, 2**24
#: Of the starts that are all followed: one of so many in random directions, through points, and near what is known; the
#: others are leaps, which most often lead to what is missing.
DIRECTIONS, THROUGH, NEARBY = 8, 8, 4
#: The next best, which are taken as they are.
AS_THEY_ARE = 32
#: A search with a level has enough with one maximum for so many neurons near which it looks; those count that exceed
#: the level by this part of what the largest does.
ONE_FOR, OF_THE_LARGEST = 8, 0.3
#: A batch finds nothing larger where the largest value rises by no more, relatively.
AGREE_RTOL = 1e-9
#: The largest maxima whose held points are exchanged; and those kept for the next dual vector.
EXCHANGED = 16
KEPT = 128


class SearchOracle:
    r"""The largest :math:`|\eta|` that a search from many starts finds, for data X (N, d): a lower bound on

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. It lists local maxima, up to 256 whose
    activation patterns differ, the largest first.

    Starts ascend by batches (`batches`); the best are followed to their maxima by exact search of great circles
    (`ascent`). Without `level` that ends when a larger batch finds nothing larger. With `level` it ends as soon as
    maxima above it are found, one for each eight neurons `near` which it looks, or a single one where it looks
    `afresh`: near an optimum of many neurons dozens of them wait, and a round that is told of one has little to do.
    Where there are fewer the whole effort is spent, so with infinity always; after the first batch, and from the
    beginning where it knows neurons and looks `afresh`, every start is then followed, unless points are many
    (N d > 2^16). Maxima below the level are left out, all but the first, unless it looks `afresh`: one who confirms a
    gap asks for more than lam, and has use for what lies between. `near`, (weights (K, d), biases (K,)), are neurons
    near which to look, such as those that a solver holds: nothing finds violators as fast; the answer is never below
    them. From `end` on, a reading of ``time.perf_counter``, no further starts are made, and those under way stop where
    they are. Maxima are kept from call to call, as starts for the next dual vector, but for a call `afresh`: it makes
    that many starts for each dimension, with random numbers of its own, and neither knows of other calls nor leaves
    them anything. A `rough` call is one batch, of which none is followed: large values, not maxima, at a small part of
    the cost. Every value is that of the dual vector at hand, evaluated at (w, b) and the data.

    Parameters
    ----------
    X : the data, shape (N, d); they may be degenerate. Equal rows count as one point.
    seed : of the random starts, a number or several. The same sequence of calls gives the same answers.
    effort : how many random starts a call makes at most; 128 d by default, and never more than 2^30 / N, or
        where all are followed 256 + 2^24 / (N d).
    starts : directions to start from besides, in every call, shape (m, d).
    device : where the passes over the data run: None for NumPy (and numba where it is installed), ``"cuda"`` or
        ``"cpu"`` for PyTorch. The answers agree to rounding.
    pinned : whether all hyperplanes go through the origin: biases are zero, and u may be any.

    Raises
    ------
    SolverRefusal
        For a device without PyTorch.
    ProblemError
        For a device that there is not, or that lacks double precision.

    Notes
    -----
    A batch of m starts takes O(m N d), on a sample of the points where there are many. What is followed ascends to a
    maximum that commonly touches d data points, by some 3 d circles of O(N (d + log N)); finally the held points of the
    largest maxima are exchanged one by one until no exchange helps. Memory O(N d), and blocks of a few MiB. That it
    finds the supremum is likely where many starts arrive at the same largest value, and never proven. Not for calls
    from several threads at once.

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
        pinned: bool = False,
    ) -> None:
        self._centre = np.zeros(X.shape[1]) if pinned else X.mean(axis=0)
        self._X, self._pinned = X - self._centre, pinned
        distinct, self._place = np.unique(X, axis=0, return_inverse=True)
        self._axes = span(distinct, pinned)
        machine = Host() if device is None else Torch(device)
        points = (distinct - self._centre) @ self._axes.T
        self._radius = float(np.abs(points).max(initial=0.0)) or 1.0
        self._points = Points(points / self._radius, machine, pinned)
        self._scout = Scout(self._points.X, machine, pinned)
        self._effort = STARTS_PER_DIMENSION * X.shape[1] if effort is None else effort
        self._starts = np.empty((0, X.shape[1])) if starts is None else starts
        self._kept, self._fresh = nowhere(len(self._axes)), False
        self._rng = np.random.default_rng(seed)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: Sites | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> Supremum:
        if afresh is not None:
            return self._another(afresh * self._X.shape[1])(u, level, near=near, end=end, rough=rough)
        with one_thread():
            return self._found(u, level, near, end, rough)

    def _found(self, u: Array, level: float | None, near: Sites | None, end: float, rough: bool) -> Supremum:
        U, size = self._gathered(u)
        if not len(self._axes) or not U.any():
            w = np.eye(1, self._X.shape[1])
            return self._answer(u, (w, np.zeros(1) if self._pinned else w @ self._X[0]), near, 0)
        known = self._inside(near)
        if rough:
            number = min(self._effort, MOST_TOGETHER if self._fresh else ROUGHLY_TOGETHER)
            W, b = self._scout.best(U, *self._batch(known, number), MAX_LISTED, end=end)
            self._kept = W[:KEPT], b[:KEPT]
            return self._answer(u, self._outside(W, b), near, number)
        passes = Passes(self._points, U)
        maxima, spent = self._search(passes, None if level is None else level / size / self._radius, known, end)
        W, b = maxima.W, maxima.biases(self._points.X)
        self._kept = W[:KEPT], b[:KEPT]
        if level is not None and not self._fresh:
            maxima = maxima[maxima.value >= min(level / size / self._radius, maxima.value[0])]
        codes = passes.patterns(maxima.W, maxima.held[:, 0])
        first = np.sort(np.unique(np.round(codes, 9), return_index=True)[1])[:MAX_LISTED]
        weights, biases = self._outside(*self._kept)
        kept = weights, biases + weights @ self._centre
        return replace(self._answer(u, self._outside(W[first], b[first]), near, spent), kept=kept)

    def climbed(self, u: Array, near: Sites, end: float = np.inf, exchanged: bool = False) -> Sites:
        """The maxima to which neurons lead, weights of length one; and what an exchange of held points leads to."""
        inside = self._inside(near)
        if not len(inside[1]):
            return nowhere(self._X.shape[1])
        passes = Passes(self._points, self._gathered(u)[0])
        maxima = self._followed(passes, inside, end)
        if exchanged:
            maxima = maxima.joined(exchange(passes, maxima, self._rng, end))
        W, b = self._outside(maxima.W, maxima.biases(self._points.X))
        return W, b + W @ self._centre

    def _gathered(self, u: Array) -> tuple[Array, float]:
        """The dual vector of the distinct points, (n, D), in units of its largest entry; and that."""
        size = float(np.abs(u).max(initial=0.0)) or 1.0
        U = np.zeros((len(self._points.X), u.size // len(u)))
        np.add.at(U, self._place.ravel(), u.reshape(len(u), -1) / size)
        return U, size

    def _another(self, effort: int) -> SearchOracle:
        """An oracle for the same data that knows nothing of what this one found, with random starts of its own."""
        other = copy(self)
        other._kept, other._rng = nowhere(len(self._axes)), self._rng.spawn(1)[0]
        other._effort, other._fresh = effort, True
        return other

    def _inside(self, near: Sites | None) -> Sites:
        """Neurons in the coordinates of the points, of unit weights; without those that are constant there."""
        if near is None:
            return nowhere(len(self._axes))
        W, b = near[0] @ self._axes.T, near[1] - near[0] @ self._centre
        length = np.linalg.norm(W, axis=1)
        bent = length > 0.0
        return (W[bent].T / length[bent]).T, b[bent] / length[bent] / self._radius

    def _outside(self, W: Array, b: Array) -> Sites:
        """The inverse, for centred data."""
        return W @ self._axes, self._radius * b

    def _answer(self, u: Array, found: Sites, near: Sites | None, spent: int) -> Supremum:
        """The neurons found, for centred data, and of those known before the largest, where it exceeds them."""
        weights, biases = found
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

    def _search(self, passes: Passes, level: float | None, near: Sites, end: float) -> tuple[Hyperplanes, int]:
        """Distinct local maxima, from the largest on, when the time is over what was reached; and the random starts."""
        X = passes.X
        affordable = CIRCLES // X.size
        peaks = self._followed(passes, self._largest(passes.U, near, max(1, X.shape[1] * affordable)), end)
        one_and_all = level is not None and ALL_CIRCLES // X.size >= FIRST_TOGETHER
        most = FIRST_TOGETHER + ALL_CIRCLES // X.size if one_and_all else max(FIRST_TOGETHER, MAX_WORK // len(X))
        effort, spent, number = min(self._effort, most), 0, FIRST_TOGETHER
        directed, settled = self._directed(passes), False
        while not settled:
            before = peaks.value.max(initial=0.0)
            if one_and_all and len(peaks) and (spent > 0 or self._fresh):
                number = min(FIRST_TOGETHER, effort - spent)
                found = self._one_and_all(passes, peaks, near, number, end)
            else:
                number = min(number, effort - spent)
                found = self._best_of_batch(passes, near, directed, number, end)
            peaks = peaks.joined(found).distinct(X, 4 * MAX_LISTED)
            again = spent > 0 and peaks.value[0] <= before * (1.0 + AGREE_RTOL)
            settled = again if level is None else self._enough(peaks.value, level, len(near[1]))
            if late(end):  # what did not end by itself says nothing
                break
            spent, number = spent + number, min(4 * number, MOST_TOGETHER)
            if spent >= effort:
                break
        if affordable and (level is None or not settled):
            peaks = peaks.joined(exchange(passes, peaks[:EXCHANGED], self._rng, end)).distinct(X, 4 * MAX_LISTED)
        return peaks, spent

    def _enough(self, value: Array, level: float, known: int) -> bool:
        """Whether a solver of so many neurons has enough to do with the maxima above the level."""
        excess = value - level
        asked = 1 if self._fresh else max(1, known // ONE_FOR)
        return bool((excess > OF_THE_LARGEST * excess.max(initial=0.0)).sum() >= asked)

    def _best_of_batch(self, passes: Passes, near: Sites, directed: Sites, number: int, end: float) -> Hyperplanes:
        """The best of a batch, followed to their maxima, and the next best as they are."""
        affordable = CIRCLES // passes.X.size
        W, b = joined(self._batch(near, number), directed)
        most = min(max(FEWEST_FOLLOWED, number // ONE_OF), affordable)
        W, b = self._scout.best(passes.U, W, b, most + AS_THEY_ARE, apart=near, end=end)
        rest = through(passes, W[most:], passes.nearest(W[most:], b[most:]))
        return self._followed(passes, (W[:most], b[:most]), end).joined(rest)

    def _one_and_all(self, passes: Passes, peaks: Hyperplanes, near: Sites, number: int, end: float) -> Hyperplanes:
        """The maxima to which so many starts of every kind lead."""
        X, rng = passes.X, self._rng
        W = _unit(rng.standard_normal((number // DIRECTIONS, X.shape[1])))
        wild = W, np.einsum("md,md->m", W, X[passes.along(W)[1]])
        wild = joined(wild, self._wild(number // THROUGH))
        wild = joined(wild, starts.around(near, number // NEARBY, rng, pinned=self._pinned))
        first = through(passes, wild[0], passes.nearest(*wild))
        return climb(passes, first.joined(leaps(passes, peaks, number - len(first), rng)), end)

    def _followed(self, passes: Passes, sites: Sites, end: float) -> Hyperplanes:
        return climb(passes, through(passes, sites[0], passes.nearest(*sites)), end)

    def _largest(self, U: Array, sites: Sites, most: int) -> Sites:
        """Those of largest |eta|."""
        if len(sites[1]) <= most:
            return sites
        top = np.argsort(-group_norms(eta_at(self._points.X, U, *sites)), kind="stable")[:most]
        return sites[0][top], sites[1][top]

    def _directed(self, passes: Passes) -> Sites:
        """The directions given and the principal ones, each with its best bias; and those of a linear part."""
        W = _unit(np.concatenate([self._starts @ self._axes.T, starts.principal(passes.X, passes.U)]))
        if passes.linear is not None:
            W = np.concatenate([W, -W, _unit(np.concatenate([passes.linear.T, -passes.linear.T]))])
        return W, np.einsum("md,md->m", W, passes.X[passes.along(W)[1]])

    def _batch(self, near: Sites, number: int) -> Sites:
        """Starts of a batch: so many at random, half as many near what is known, and what is known itself."""
        known = joined(near, self._kept)
        close = starts.around(known, number // 2, self._rng, pinned=self._pinned)
        return joined(joined(self._wild(number), close), known)

    def _wild(self, number: int) -> Sites:
        """Starts at random, through data points."""
        points = self._points.X[:-1] if self._pinned else self._points.X
        return starts.fresh(points, number, self._rng, self._pinned)


def compile_ahead(N: int, d: int) -> None:
    """Compile what ascents call for N points in d dimensions: numba does so once after an installation, in 25 s."""
    if (machine := Host()).compiled("oracle.compiled_ascent", N) is None:
        return
    X, w = np.random.default_rng(0).standard_normal((COMPILED_POINTS, d)), np.eye(1, d)
    passes = Passes(Points(X, machine), np.zeros((len(X), 1)))
    climb(passes, through(passes, w, np.array([0])), end=-np.inf)
    Batch(X, passes.U, machine).climb(w, np.zeros(1), 1)


def span(X: Array, pinned: bool = False) -> Array:
    """Orthonormal rows that span the data, centred unless `pinned`; the unit vectors where they span everything."""
    centred = X if pinned else X - X.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    rounding = 8.0 * np.finfo(float).eps * (sizes.max(initial=0.0) + np.linalg.norm(X, axis=0).max(initial=0.0))
    rank = int((sizes > rounding).sum())
    return np.eye(X.shape[1]) if rank == X.shape[1] else axes[:rank]


def _unit(W: Array) -> Array:
    W = W[(W != 0.0).any(axis=1)]
    return W / np.linalg.norm(W, axis=1, keepdims=True)
