r"""sup |eta| in many dimensions, bounded from above by branch and bound, and from below by what was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np

from ridgesplines.interrupt import late
from ridgesplines.numerics import fast
from ridgesplines.oracle.base import Supremum, by_components
from ridgesplines.oracle.cones import Cones, fan, refine
from ridgesplines.oracle.search import SearchOracle, span
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Called now and then with the seconds passed, the largest |eta| found, the bound on it, and the number of cones.
Report = Callable[[float, float, float, int], None]

#: Random starts of the search for large |eta| before the cones are split.
STARTS = 64
#: From this many entries (points times cones) on, compiled code is worth its loading.
COMPILED_ENTRIES = 2**14
#: Bytes that the cones may fill; above this many dimensions there are too many to begin with.
MAX_BYTES = 2**29
MAX_DIMENSIONS = 12
#: Cones that come of one share of work, at most, and such that its time is some tenths of a second.
THREAD_CONES, THREAD_ENTRIES = 2**12, 2**28
#: Hyperplanes in cones from which the search climbs when one of them is the largest so far.
CLIMBERS = 32


class BoundedOracle:
    r"""A proven upper bound on :math:`\sup |\eta|` for data X (N, d), by branch and bound.

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2 \le \text{value}

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. Whenever it stops (at `tol`, at
    `max_time` seconds, at Ctrl-C, or when its memory is full) `value` is a bound. The neurons of the answer are the
    largest that were found, by a search too, so that the supremum lies between :math:`|\eta|` at the first and `value`.

    Parameters
    ----------
    X : the data, shape (N, d); they may be degenerate. Equal rows count as one point.
    seed : of the search's random starts.

    Notes
    -----
    Simplicial cones of hyperplanes (w, b) are bounded (see `cones`), the largest bounds first, and those above what was
    found cut in two at their longest edge. A cone costs O(M d^2) for the M points that its hyperplanes may touch. Once
    cones are so small that only concave points are left undecided, bounds are exact: a bound of some percent and one of
    1e-9 cost nearly the same. How many cones that takes is the question: at a dual vector near the optimum, one core,
    d = 3 and N = 500 a third of a second, d = 4 and N = 500 three, d = 5 and N = 200 fifteen; each further dimension
    many times more, and for more than 12 the answer is the bound of Cauchy and Schwarz. For vector outputs each of the
    principal components of u is bounded, and the value is the root of the sum of squares: too large by a factor up to
    sqrt(D). With numba, the first call after installation compiles for some seconds, beyond `max_time` if need be.

    It is no `Oracle`: those answer as well as they can, and this as well as the seconds that it is given, which it
    reports on the way.

    The bound holds for computation in floating point: it has an allowance for the rounding of sums of N terms, which is
    an estimate of the worst case and no interval arithmetic.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import BoundedOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> parity = (-1.0) ** corners.sum(axis=1)
    >>> found = BoundedOracle(corners)(parity)
    >>> round(found.value, 6), found.scope
    (0.57735, 'bounded')
    """

    def __init__(self, X: Array, seed: int = 0) -> None:
        self._centre, self._axes = X.mean(axis=0), span(X)
        self._search = SearchOracle(X, seed, effort=STARTS)
        distinct, self._place = np.unique(X, axis=0, return_inverse=True)
        points = (distinct - self._centre) @ self._axes.T
        self._unit = float(np.sqrt(np.mean(points**2))) if points.any() else 1.0
        self._points = points / self._unit

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        max_time: float = 60.0,
        near: tuple[Array, Array] | None = None,
        tol: float = 1e-9,
        report: Report | None = None,
    ) -> Supremum:
        """The bound. With `level` it stops as soon as the supremum is proven not to exceed it, or seen to.

        `near` as for `SearchOracle`; `tol` is the relative distance between bound and found that is small enough.
        """
        end = time.perf_counter() + max_time
        supremum = self._search(u, near=near, end=end)
        if u.ndim == 1:
            branching = _Branching(self, u, supremum, tol, report)
            bound = branching.follow(end, level)
            return replace(branching.found, value=bound, scope=Scope.BOUNDED)

        def component(part: Array, until: float, negligible: bool) -> float:
            branching = _Branching(self, part, self._search(part, end=until), tol, report)
            return branching.follow(until, np.inf if negligible else None)

        return replace(supremum, value=by_components(u, end, component), scope=Scope.BOUNDED)

    def neurons(self, hyperplanes: Array) -> tuple[Array, Array]:
        """Weights and biases, for X, of (w, b) in the coordinates of the cones."""
        weights = hyperplanes[:, :-1] @ self._axes
        return weights, hyperplanes[:, -1] * self._unit + weights @ self._centre


class _Branching:
    """Branch and bound for one dual vector (N,): the cones still open, and the largest |eta| found."""

    def __init__(self, oracle: BoundedOracle, u: Array, found: Supremum, tol: float, report: Report | None) -> None:
        self.oracle, self.u, self.found, self.tol, self.report = oracle, u, found, tol, report
        X = oracle._points
        self.A = np.column_stack([X, -np.ones(len(X))])
        self.half, size = np.zeros(len(X)), np.zeros(len(X))
        np.add.at(self.half, oracle._place.ravel(), 0.5 * oracle._unit * u)
        np.add.at(size, oracle._place.ravel(), 0.5 * oracle._unit * np.abs(u))
        self.rounding = _rounding(self.A, self.half, size)
        self.most = _crude(X, self.half)
        few = 0 < X.shape[1] <= MAX_DIMENSIONS and self.most > 0.0
        self.cones = fan(X) if few else None
        self.began = time.perf_counter()

    @property
    def floor(self) -> float:
        """The bound below which cones need not be split: they hold little more than the largest value found."""
        return max(self.found.value * (1.0 + self.tol), self.tol * self.most)

    @property
    def bound(self) -> float:
        """A bound on sup |eta| but for rounding."""
        return self.most if self.cones is None else min(self.most, float(self.cones.bounds.max(initial=self.floor)))

    def follow(self, end: float, level: float | None) -> float:
        """Split cones until the bound is as wanted, or the time over: the bound, rounding allowed for."""
        try:
            while self.cones is not None and len(self.cones) and not self._over(end, level):
                self._round(end)
                if self.report is not None:
                    passed = time.perf_counter() - self.began
                    self.report(passed, self.found.value, self.bound + self.rounding, len(self.cones))
        except KeyboardInterrupt:
            pass  # what is proven so far stays proven
        return float(self.bound + self.rounding)

    def _over(self, end: float, level: float | None) -> bool:
        assert self.cones is not None
        decided = level is not None and (self.bound + self.rounding <= level or self.found.value > level)
        return decided or late(end) or self.cones.generators.nbytes > MAX_BYTES

    def _round(self, end: float) -> None:
        """Split the cones of the largest bounds until these are halfway down to what was found."""
        assert self.cones is not None
        floor = self.floor
        level = floor + 0.5 * (self.bound - floor)
        order = np.argsort(-self.cones.bounds, kind="stable")
        above = int((self.cones.bounds > level).sum())
        above = min(above, max(THREAD_CONES, len(order) // 4))
        leaves, points = self._split(self.cones[order[:above]], floor, level, end)
        self.cones = self.cones[order[above:]].joined(leaves)
        points = points[np.isfinite(points[:, 0])]  # of those that were split
        points = points[np.argsort(-points[:, 0], kind="stable")][:CLIMBERS]
        if len(points) and points[0, 0] > self.found.value:
            supremum = self.oracle._search(self.u, near=self.oracle.neurons(points[:, 1:]), end=end)
            self.found = max(self.found, supremum, key=lambda answer: answer.value)
            self.cones = self.cones[self.cones.bounds > self.floor]

    def _split(self, cones: Cones, floor: float, level: float, end: float) -> tuple[Cones, Array]:
        """The cones split, in shares; those whose turn comes after the time is over stay as they are."""
        N, k = self.A.shape
        room = int(np.clip(THREAD_ENTRIES // (N * k**2), 16, THREAD_CONES))
        step = max(1, room // 64)
        compiled = fast.compiled("oracle.compiled_cones") if len(cones) * N >= COMPILED_ENTRIES else None
        stopped = Event()

        def share(first: int) -> tuple[Cones, Array]:
            some = cones[first : first + step]
            if stopped.is_set() or late(end):
                return some, np.empty((0, 1 + k))
            if compiled is None:
                return refine(self.A, self.half, some, floor, level, room)
            *leaves, best = compiled.refine(
                self.A, self.half, some.generators, some.signs, some.bounds, floor, level, room
            )
            return Cones(*leaves), best

        with ThreadPoolExecutor(fast.threads() if compiled is not None else 1) as pool:
            try:
                shares = [*pool.map(share, range(0, len(cones), step))]
            except KeyboardInterrupt:
                stopped.set()
                raise
        leaves, points = zip(*shares, strict=True)
        return cones[:0].joined(*leaves), np.concatenate(points)


def _crude(X: Array, half: Array) -> float:
    """A bound by Cauchy and Schwarz on sum half_n |w^T (x_n - x_m)| over unit w and points x_m, and on its negative."""
    bounds = [0.0]
    for weight in (np.maximum(half, 0.0), np.maximum(-half, 0.0)):
        total = float(weight.sum())
        middle = weight @ X / (total or 1.0)
        off = X - middle
        widest = float(np.linalg.eigvalsh((off.T * weight) @ off).max(initial=0.0))
        bounds.append(np.sqrt(total * (widest + total * float((off**2).sum(axis=1).max()))))
    return max(bounds)


def _rounding(A: Array, half: Array, size: Array) -> float:
    """The rounding of eta and of u's orthogonality, at most; `size` is |half| before equal rows were merged."""
    length = np.linalg.norm(A[:, :-1], axis=1)
    sums = float(size @ (length + length.max()))
    off = float(np.linalg.norm(half @ A[:, :-1])) + abs(float(half.sum())) * float(length.max())
    return (8.0 * len(A) + 64.0) * np.finfo(float).eps * sums + 2.0 * off  # some 64 halvings of the values, too
