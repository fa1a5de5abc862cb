r"""The largest dual value under containment: of a problem's relaxation, in which f is a difference of convex functions.

.. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda (|g|_{el} + |h|_{el}), \qquad f = g - h + \text{affine}

with the size :math:`|g|_{el}` of `convex_part`. Networks are such f, so that the least value is at most the optimum.
Its multipliers are a dual vector u with two flows, of divergence u and -u, that bound :math:`\eta` and :math:`-\eta`
by lam: the best u for which containment proves that. Any u and flows on the way prove something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import check, late
from ridgesplines.oracle.containment import first_pairs, next_pairs
from ridgesplines.oracle.convex_part import ConvexPart, Step
from ridgesplines.oracle.flows import Flow
from ridgesplines.oracle.interior_point import Diverged, advance
from ridgesplines.problem import Problem
from ridgesplines.relaxation.data_terms import DataTerm, data_term
from ridgesplines.validation import Array

#: A round is over when this near to the relaxation's optimum, relatively, the first one earlier.
ROUGH, TOL = 1e-2, 3e-4
#: Steps of a round, of which the last so many have to raise the bound, some at the start apart; rounds.
MAX_STEPS, PATIENCE, MAX_ROUNDS = 60, 8, 6


class Relaxed(NamedTuple):
    """An iterate: a dual vector (N,), flows for u and for -u at the points, and the axes of both ellipsoids (m, d)."""

    dual: Array
    forth: Flow
    back: Flow
    axes: Array


class Difference:
    """The tie of two convex functions: the data term of their difference, with an affine function of its own."""

    def __init__(self, term: DataTerm, place: NDArray[np.intp], parts: Sequence[ConvexPart]) -> None:
        self.term, self.place, self.parts = term, place, parts
        self.points = parts[0].points
        self.slope = np.zeros(self.points.shape[1])

    @property
    def size(self) -> int:
        return len(self.slope)

    @property
    def fit(self) -> Array:
        """f at the rows."""
        return self._rows([part.g for part in self.parts], self.slope)

    @property
    def objective(self) -> float:
        """That of the relaxation, or a little more where its constraints do not hold yet."""
        p = self.term.problem
        data = 0.0 if p.loss.interpolates else float(p.sample_weight @ p.loss.value(p.y, self.fit))
        return data + sum(part.cost + part.missing for part in self.parts)

    def _rows(self, values: Sequence[Array], slope: Array) -> Array:
        return (values[0] - values[1] + self.points @ slope)[self.place]

    def sums(self, values: Array) -> Array:
        return np.bincount(self.place, values, len(self.points))

    def add(self, K: Array, places: Sequence[slice]) -> None:
        H, X = self.sums(self.term.curvature(self.fit)), self.points
        own, here = slice(len(K) - self.size, None), np.arange(len(X))
        signs = (1.0, -1.0)
        for one, sign in zip(places, signs, strict=True):
            for other, its in zip(places, signs, strict=True):
                K[one, other][here, here] += sign * its * H
            K[one, own] += sign * H[:, None] * X
            K[own, one] += sign * (H[:, None] * X).T
        K[own, own] += X.T @ (H[:, None] * X)

    def gradient(self, r: Array, places: Sequence[slice], aim: float) -> None:
        by_value = self.sums(self.term.gradient(self.fit, aim))
        r[places[0]] += by_value
        r[places[1]] -= by_value
        r[len(r) - self.size :] += by_value @ self.points

    def longest(self, own: Array, steps: Sequence[Step]) -> tuple[float, float]:
        return self.term.longest(self.fit, self._rows([step.g for step in steps], own))

    def move(self, own: Array, steps: Sequence[Step], primal: float, dual: float) -> None:
        self.term.move(self.fit, self._rows([step.g for step in steps], own), primal, dual)
        self.slope = self.slope + primal * own


def relax(
    problem: Problem,
    points: Array,
    place: NDArray[np.intp],
    seed: int,
    end: float,
    prove: Callable[[Relaxed], float],
) -> None:
    """Hand iterates to `prove`, which returns what they prove, until that is near the relaxation's optimum.

    For a problem in scaled units, whose distinct points (n, d) have radius one. In rounds: of the pairs of points those
    stay between which something flows, and those join whose inequalities are violated most.
    """
    if not points.shape[1]:
        return  # one point only
    pairs, previous = [first_pairs(points, seed)] * 2, -np.inf
    few = pairs[0].shape[1] == len(points) - 1
    for round_ in range(MAX_ROUNDS):
        parts = [_start(problem, points, to) for to in pairs]
        tie, best = Difference(data_term(problem), place, parts), [-np.inf]
        parts[0].g = parts[0].g + problem.loss.shift(problem.y, tie.fit, problem.sample_weight)
        for _ in range(MAX_STEPS):
            check()
            if late(end):
                return
            try:
                advance(parts, tie, end)
            except TimeoutError:
                return
            except Diverged:
                break
            best.append(max(best[-1], prove(_read(tie))))
            near = tie.objective - best[-1] <= (TOL if round_ or few else ROUGH) * abs(tie.objective)
            if near or (len(best) > 2 * PATIENCE and best[-1] <= best[-PATIENCE] + TOL * abs(best[-1])):
                break
        if few or tie.objective <= previous + TOL * abs(previous):
            return
        previous, pairs = tie.objective, [next_pairs(part) for part in parts]


def _start(problem: Problem, points: Array, to: NDArray[np.intp]) -> ConvexPart:
    """A parabola whose size costs about as much as the data term of an affine function."""
    size = float(problem.sample_weight.sum()) / problem.lam
    curvature = size / (6.0 * np.sqrt(points.shape[1]))
    return ConvexPart(points, to, problem.lam, curvature, 1.0 / (1 + to.shape[1]))


def _read(tie: Difference) -> Relaxed:
    """The dual vector of the data term, and the multipliers as flows for it."""
    u = tie.term.dual(tie.fit)
    at, flows = tie.sums(u), []
    for part, sign in zip(tie.parts, (1.0, -1.0), strict=True):
        bare = Flow(part.to, part.T, np.ones(len(at)))
        flows.append(part.flow(bare.moments(tie.points, sign * at)[0]))
    axes = np.concatenate([np.linalg.eigh(part.S)[1].T for part in tie.parts])
    return Relaxed(u, flows[0], flows[1], axes)
