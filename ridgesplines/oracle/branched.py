r"""sup |eta| by branch and bound on the sides of single points, with a convex program in each branch."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import check, late
from ridgesplines.oracle.base import Supremum, by_components
from ridgesplines.oracle.bounded import Report
from ridgesplines.oracle.containment import (
    LEAST_PRICE,
    PRICE,
    STARTS,
    crude,
    distinct_points,
    first_pairs,
    least_flows,
    nothing,
    require_few,
    unit_points,
)
from ridgesplines.oracle.convex_part import ConvexPart
from ridgesplines.oracle.flows import affine_part
from ridgesplines.oracle.interior_point import Diverged, advance
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.oracle.sides import Line, Sides
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: A branch is decided upon where its bound is known to this part of its distance from what was found, or to TOL.
DECIDED, TOL = 0.5, 3e-4
#: Multipliers are read once the products with their slacks are less than this part of the program's objective. (Not of
#: the size alone: where no neuron has the sides of a branch, that goes to zero.)
NEAR = 0.5
#: Steps of the interior point in one branch, of which the last so many have to lower the bound.
MAX_STEPS, PATIENCE = 40, 6


class SidesOracle:
    r"""A proven upper bound on :math:`\sup |\eta|` for data X (N, d), by branching on the sides of single points.

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2 \le \text{value}

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. A branch holds the neurons with some
    points on given sides; flows bound :math:`\eta` there, see `sides`. The branch of the largest bound is divided by
    one more point, that whose :math:`|u_n|` times the distance of the relaxation from a neuron's value is largest.
    Whenever it stops, at `tol`, at `max_time` seconds or at Ctrl-C, `value` is a bound. For vector outputs each of the
    principal components of u is bounded, and the value is the root of the sum of squares: too large by a factor up to
    sqrt(D).

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
    A branch costs what one bound by flows does, and how many it takes depends on the number of dimensions far less than
    with cones: at a dual vector near the optimum, lam a tenth of lambda_max and N = 50, about a hundred branches and 14
    s of one core for a thousandth in d = 6, and 19 s in d = 8; with N = 100 in d = 6, 4 % are left of 30 % after 40 s.
    Where rounding ends the program of a branch early, as on some lattices, the bound of the larger branch stays.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import SidesOracle
    >>> corners = np.argwhere(np.ones((2, 2, 2))).astype(float)
    >>> parity = (-1.0) ** corners.sum(axis=1)
    >>> found = SidesOracle(corners)(parity)
    >>> bool(0.57735 < found.value < 0.578), found.scope
    (True, 'bounded')
    """

    def __init__(self, X: Array, seed: int = 0) -> None:
        self._seed, self._search = seed, SearchOracle(X, seed, effort=STARTS)
        self._centre = np.unique(X, axis=0).mean(axis=0)
        self._distinct, self._place = distinct_points(X)
        require_few(len(self._distinct))
        self._points, self._unit, self._axes = unit_points(self._distinct)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        max_time: float = 60.0,
        near: tuple[Array, Array] | None = None,
        tol: float = 1e-3,
        report: Report | None = None,
    ) -> Supremum:
        """The bound, to a relative `tol` of what was found; arguments as for `BoundedOracle`."""
        end = time.perf_counter() + max_time
        found = self._search(u, near=near, end=end)
        if u.ndim == 1:
            return self._followed(u, found, level, end, tol, report)

        def component(part: Array, until: float, negligible: bool) -> float:
            if negligible:
                return crude(part, self._unit)
            return self._followed(part, self._search(part, end=until), None, until, tol, report).value

        return replace(found, value=by_components(u, end, component), scope=Scope.BOUNDED)

    def _followed(
        self, u: Array, found: Supremum, level: float | None, end: float, tol: float, report: Report | None
    ) -> Supremum:
        """The bound for u (N,)."""
        began = time.perf_counter()
        tree = _Tree(self._points, np.bincount(self._place, u, len(self._points)), self._unit, found.value)
        bound: float = tree.bound
        try:
            for bound in tree.bounds(tol, self._seed, end):
                if tree.peak > found.value * (1.0 + tol):
                    found = max(found, self._search(u, near=self._neuron(tree), end=end), key=lambda s: s.value)
                    tree.found = found.value
                if report is not None:
                    report(time.perf_counter() - began, found.value, bound, len(tree.heap))
                if level is not None and (bound <= level or found.value > level):
                    break
        except KeyboardInterrupt:
            pass  # what is proven so far stays proven
        return replace(found, value=max(bound, found.value), scope=Scope.BOUNDED)

    def _neuron(self, tree: _Tree) -> tuple[Array, Array]:
        """The largest neuron that the branches have come upon, for X."""
        weights = tree.neuron[None, :-1] @ self._axes
        return weights, self._unit * tree.neuron[-1:] + weights @ self._centre


@dataclass(frozen=True, eq=False)
class _Branch:
    """Neurons with some points on known sides: a bound on eta there, and the largest function and line for u (n,)."""

    u: Array
    pairs: NDArray[np.intp]
    sides: Sides
    bound: float
    g: Array
    line: Array

    @property
    def point(self) -> int:
        """The point that the relaxation is furthest from putting on either side, times what that matters."""
        loss = np.abs(self.u) * (self.g - np.abs(self.line))
        loss[self.sides.at] = -np.inf
        return int(np.argmax(loss))


class _Tree:
    """The open branches for a dual vector u (n,) at points (n, d) of radius one, for eta and for -eta.

    Bounds within are in units of a price, with which functions of size one are found.
    """

    def __init__(self, points: Array, u: Array, unit: float, found: float) -> None:
        self.points, self.u, self.found, none = points, u, found, nothing(points)
        # the coordinates of the points are rounded
        self.unit = unit * (1.0 + 64.0 * sum(points.shape) * np.finfo(float).eps)
        top = max(none.bound(points, sign * u) for sign in (1.0, -1.0))
        self.rounding = unit * affine_part(points, u)
        self.price = max(PRICE * found / self.unit, LEAST_PRICE * top)
        self.bound = float(top * self.unit) + self.rounding
        self.peak, self.neuron = 0.0, np.zeros(points.shape[1] + 1)
        self.heap: list[tuple[float, int, _Branch]] = []
        self.count, self.closed = 0, 0.0

    def bounds(self, tol: float, seed: int, end: float) -> Iterator[float]:
        """Ever better bounds on sup |eta|, until one is within `tol` of what was found."""
        if len(self.points) < 2 or not self.rounding <= tol * self.bound < np.inf or self.bound == 0.0:
            return  # nothing to gain
        for sign in (1.0, -1.0):
            self._plant(sign * self.u / self.price, seed, end)
        yield self._least()
        while self.heap and not late(end) and self.bound > self._floor(tol) + self.rounding:
            _, _, branch = heapq.heappop(self.heap)
            signs = (1.0, -1.0) if len(branch.sides.at) else (1.0,)  # of a neuron and its mirror image one will do
            floor = self._floor(tol) / (self.price * self.unit)
            for sign in signs:
                self._grow(branch, branch.sides.joined(branch.point, sign), floor, end)
            yield self._least()

    def _floor(self, tol: float) -> float:
        """What branches need not be bounded below: little more than what was found, or than nothing."""
        return max(self.found * (1.0 + tol), LEAST_PRICE * tol * self.price * self.unit)

    def _plant(self, u: Array, seed: int, end: float) -> None:
        """The root for one sign."""
        bound, flow = nothing(self.points).bound(self.points, u), None
        for flow in least_flows(self.points, u, seed, end):
            bound = min(bound, flow.bound(self.points, u))
        pairs = first_pairs(self.points, seed) if flow is None else flow.to
        zero = np.zeros(len(u))
        self._grow(_Branch(u, pairs, Sides.unknown(), bound, zero, zero), Sides.unknown(), 0.0, end)

    def _least(self) -> float:
        """The bound of all branches, which cannot rise."""
        largest = max(-self.heap[0][0], self.closed) if self.heap else self.closed
        self.bound = min(self.bound, largest * self.price * self.unit + self.rounding)
        return self.bound

    def _grow(self, branch: _Branch, sides: Sides, floor: float, end: float) -> None:
        """Bound eta over a part of a branch, and keep it where it is open."""
        part = ConvexPart(self.points, branch.pairs, 1.0, 0.3 / np.sqrt(self.points.shape[1]), 1.0 / len(branch.pairs))
        tie, bound = Line(branch.u, part, sides, 1.0 / len(branch.pairs)), branch.bound
        for value in _better(part, tie, floor, end):
            bound = min(bound, value)
        self._look(branch.u, tie.own)
        self.count += 1
        if bound <= floor or len(sides.at) == len(self.points):
            self.closed = max(self.closed, bound)
            return
        new = _Branch(branch.u, branch.pairs, sides, bound, part.g, tie.values)
        heapq.heappush(self.heap, (-bound, self.count, new))

    def _look(self, u: Array, line: Array) -> None:
        """Keep the line of a branch if |eta| is the largest there."""
        slope = float(np.linalg.norm(line[:-1]))
        if abs(line[-1]) < slope:  # it bends among the points
            value = abs(float(u @ np.abs(self.points @ line[:-1] - line[-1]))) / (2.0 * slope) * self.price * self.unit
            if value > self.peak:
                self.peak, self.neuron = value, line / slope


def _better(part: ConvexPart, tie: Line, floor: float, end: float) -> Iterator[float]:
    """Ever better bounds for one branch, until it is decided or nearly solved."""
    best, waited = np.inf, 0
    for _ in range(MAX_STEPS):
        check()
        try:
            advance([part], tie, end)
        except (TimeoutError, Diverged):
            return
        if tie.missing <= 0.0 or part.products > NEAR * (part.cost + 0.5 * tie.missing**2):
            continue
        try:
            bound = tie.proof().bound(part.points, tie.u)
            cost = part.cost + part.missing
        except np.linalg.LinAlgError:  # the function is zero, where no neuron has these sides
            return
        waited = 0 if bound < best * (1.0 - TOL) else waited + 1
        best = min(best, bound)
        yield best
        # the size that 1 - u^T g buys is a lower bound on what these pairs can prove
        least = float(tie.u @ part.g) / max(cost, 1e-300)
        if best <= floor or best - least <= max(DECIDED * (best - floor), TOL * best) or waited > PATIENCE:
            return
