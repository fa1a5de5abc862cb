r"""sup |eta| in any dimension, bounded by flows between the points: a convex program, polynomial in d and N."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import check, late
from ridgesplines.oracle.base import Supremum, by_components
from ridgesplines.oracle.convex_part import ConvexPart, Step
from ridgesplines.oracle.flows import Containment, Flow
from ridgesplines.oracle.interior_point import Diverged, advance
from ridgesplines.oracle.search import SearchOracle, span
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Points beyond which the matrices fill the memory.
MAX_POINTS = 3000
#: Points to which each may flow; all others, where there are so few.
PAIRS, FEW = 48, 128
#: A round ends, and the last one does, where the bound is this near to the least one, relatively.
ROUGH, TOL = 1e-2, 1e-3
#: Steps of one round, of which the last so many have to lower the bound; rounds.
MAX_STEPS, PATIENCE, MAX_ROUNDS = 60, 8, 6
#: Random starts of the search for the neurons of an answer.
STARTS = 64
#: The price of size, relative to the largest eta found, or to a crude bound where none was.
PRICE, LEAST_PRICE = 0.5, 1e-3


class ContainmentOracle:
    r"""A proven upper bound on :math:`\sup |\eta|` for data X (N, d), by flows between the points.

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2 \le \text{value}

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. For one output the bound is the least
    that a flow proves (see `flows`), to a thousandth: the supremum of :math:`\sum_n u_n g(x_n)` over convex functions g
    whose gradients lie in an ellipsoid of trace one, of which neurons are special ones. How much larger that is depends
    on u. For vector outputs it is the root of the sum of squares for the principal components of u: too large by a
    factor up to sqrt(D) besides.

    Parameters
    ----------
    X : the data, shape (N, d); they may be degenerate. Equal rows count as one point.
    seed : of the search's random starts, and of the first pairs of points.

    Raises
    ------
    SolverRefusal
        For more than 3000 distinct points.

    Notes
    -----
    At a dual vector near the optimum the bound is 1.1 to 1.5 times the supremum in 2 to 30 dimensions, where that of
    Cauchy and Schwarz is ten times too large; it grows as lam falls and N rises. No bound in polynomial time can be
    tight for all networks over a ball unless P = NP [1]_. An interior-point method, some 15 steps for each round of
    pairs of points, O(n m^2 d + n^3) each for n points that may flow to m others each. The proof is checked in
    O(n m d) by code that knows nothing of the method.

    References
    ----------
    .. [1] V. Froese, M. Grillo, C. Hertrich, M. Stargalla, Parameterized hardness of zonotope containment and neural
       network verification (2025), arXiv:2509.22849

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import BoundedOracle, ContainmentOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> parity = (-1.0) ** corners.sum(axis=1)
    >>> BoundedOracle(corners)(parity).value <= ContainmentOracle(corners)(parity).value <= 0.9
    True
    """

    def __init__(self, X: Array, seed: int = 0) -> None:
        self._seed, self._search = seed, SearchOracle(X, seed, effort=STARTS)
        self._distinct, self._place = distinct_points(X)
        require_few(len(self._distinct))
        self._points, self._unit, _ = unit_points(self._distinct)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        max_time: float = np.inf,
        near: tuple[Array, Array] | None = None,
    ) -> Supremum:
        """The bound; with `level` it stops once the supremum is proven not to exceed it. `near` as for a search."""
        end = time.perf_counter() + max_time
        found = self._search(u, near=near, end=end)

        def component(part: Array, until: float, negligible: bool) -> float:
            if negligible:
                return crude(part, self._unit)
            return self._bound(part, self._search(part, end=until).value, None, until)

        bound = self._bound(u, found.value, level, end) if u.ndim == 1 else by_components(u, end, component)
        return replace(found, value=max(bound, found.value), scope=Scope.BOUNDED)

    def _bound(self, u: Array, found: float, level: float | None, end: float) -> float:
        return min(proof.bound for proof in self._proofs(u, found, level, end))

    def proof(self, u: Array, max_time: float = np.inf) -> Containment:
        """The proof of the least bound for u (N,), for the distinct points less their mean."""
        if u.ndim == 2:
            remedy = "Ask for the proof of each column."
            raise SolverRefusal("ContainmentOracle.proof", "one output", f"D = {u.shape[1]}", remedy)
        end = time.perf_counter() + max_time
        return min(self._proofs(u, self._search(u, end=end).value, None, end), key=lambda proof: proof.bound)

    def _proofs(self, u: Array, found: float, level: float | None, end: float) -> Iterator[Containment]:
        """Proofs, one after the other."""
        points, dual = self._distinct, np.bincount(self._place, u, len(self._points))
        none = nothing(points)
        proof = Containment(points, dual, none, none)
        yield proof
        if len(self._points) < 2 or not dual.any() or not np.isfinite(proof.bound):
            return
        price = max(PRICE * found, LEAST_PRICE * proof.bound) / self._unit
        ways = [least_flows(self._points, sign * dual / price, self._seed, end) for sign in (1.0, -1.0)]
        for forth, back in _together(*ways):
            proof = Containment(points, dual, _times(forth, price), _times(back, price))
            yield proof
            if level is not None and proof.bound <= level:
                return


def crude(u: Array, radius: float) -> float:
    """A bound on |eta| by the size of u (n,) alone, for points with mean zero."""
    return 2.0 * radius * float(np.abs(u).sum())


def require_few(n: int) -> None:
    """Refuse more points than there is memory for."""
    if n > MAX_POINTS:
        raise SolverRefusal(
            "ContainmentOracle", f"at most {MAX_POINTS} distinct points", f"{n}", "Use a part of the data, or d <= 2."
        )


def distinct_points(X: Array) -> tuple[Array, NDArray[np.intp]]:
    """The distinct rows of X (N, d) less their mean, and which of them each row is."""
    points, place = np.unique(X, axis=0, return_inverse=True)
    return points - points.mean(axis=0), place.ravel()


def unit_points(points: Array) -> tuple[Array, float, Array]:
    """The same in coordinates of their span, divided by the largest of their lengths; that, and the axes."""
    axes = span(points)
    points = points @ axes.T
    unit = float(np.linalg.norm(points, axis=1).max(initial=0.0)) or 1.0
    return points / unit, unit, axes


def nothing(points: Array) -> Flow:
    """No flow between points (n, d): what is missing is then all there is."""
    n = len(points)
    return Flow(np.empty((n, 0), dtype=np.intp), np.empty((n, 0)), np.ones(n))


def first_pairs(points: Array, seed: int) -> NDArray[np.intp]:
    """For each of n points others, half of them the nearest and the rest at random; all where there are few."""
    n = len(points)
    most = n - 1 if n <= FEW else PAIRS
    square = (points**2).sum(axis=1)
    distance = square[:, None] + square - 2.0 * points @ points.T
    np.fill_diagonal(distance, -np.inf)
    order = np.argsort(distance, axis=1)[:, 1:]
    if most == n - 1:
        return order
    rest = np.random.default_rng(seed).permuted(order[:, most // 2 :], axis=1)
    return np.concatenate([order[:, : most // 2], rest[:, : most - most // 2]], axis=1)


def next_pairs(part: ConvexPart) -> NDArray[np.intp]:
    """The half of the pairs that flows most, and as many whose inequalities are violated most, or nearest to it."""
    most = part.to.shape[1]
    kept = np.take_along_axis(part.to, np.argsort(-part.T, axis=1)[:, : most // 2], axis=1)
    heights = part.g - part.g[:, None] - part.Y @ part.points.T + (part.Y * part.points).sum(axis=1)[:, None]
    np.put_along_axis(heights, kept, np.inf, axis=1)
    np.fill_diagonal(heights, np.inf)
    return np.concatenate([kept, np.argsort(heights, axis=1)[:, : most - most // 2]], axis=1)


class _Value:
    """The tie of one function: what 1 - u^T g costs, half its square, for one dual vector."""

    size = 0

    def __init__(self, u: Array, part: ConvexPart) -> None:
        self.u, self.part = u, part

    @property
    def missing(self) -> float:
        return 1.0 - float(self.u @ self.part.g)

    def add(self, K: Array, places: Sequence[slice]) -> None:
        K[places[0], places[0]] += np.outer(self.u, self.u)

    def gradient(self, r: Array, places: Sequence[slice], aim: float) -> None:
        r[places[0]] -= self.missing * self.u

    def longest(self, own: Array, steps: Sequence[Step]) -> tuple[float, float]:
        return np.inf, np.inf

    def move(self, own: Array, steps: Sequence[Step], primal: float, dual: float) -> None:
        """It has no unknowns of its own."""


def least_flows(points: Array, u: Array, seed: int, end: float) -> Iterator[Flow]:
    """Ever better flows for u (n,), of which some convex functions of size s have u^T g > s."""
    pairs = first_pairs(points, seed)
    n, d = points.shape
    few, previous = pairs.shape[1] == n - 1, np.inf
    for round_ in range(MAX_ROUNDS):
        part = ConvexPart(points, pairs, 1.0, 0.3 / np.sqrt(d), 1.0 / (1 + pairs.shape[1]))
        tie, best, waited = _Value(u, part), np.inf, 0
        for _ in range(MAX_STEPS):
            check()
            if late(end):
                return
            try:
                advance([part], tie, end)
            except TimeoutError:
                return
            except Diverged:
                break
            if tie.missing <= 0.0:
                continue
            flow = Flow(part.to, part.T / tie.missing, np.ones(n))
            flow = replace(flow, shares=part.flow(flow.moments(points, u)[0]).shares)
            bound = flow.bound(points, u)
            waited = 0 if bound < best * (1.0 - TOL) else waited + 1
            if bound < best:
                best = bound
                yield flow
            # the size that 1 - u^T g buys is a lower bound on the least flow of these pairs
            least = float(u @ part.g) / max(part.cost + part.missing, 1e-300)
            if best - least <= (TOL if round_ or few else ROUGH) * best or waited > PATIENCE:
                break
        if few or best >= previous * (1.0 - TOL):
            return
        previous, pairs = best, next_pairs(part)


def _times(flow: Flow, factor: float) -> Flow:
    return replace(flow, amounts=factor * flow.amounts)


def _together(*ways: Iterator[Flow]) -> Iterator[tuple[Flow, ...]]:
    """The last of each way, all ways in turn, until all have ended."""
    last: list[Flow | None] = [None] * len(ways)
    for new in zip_longest(*ways):
        last = [before if flow is None else flow for flow, before in zip(new, last, strict=True)]
        flows = tuple(flow for flow in last if flow is not None)
        if len(flows) == len(ways):
            yield flows
