r"""The largest dual value under containment: of a problem's relaxation, in which f is a difference of convex functions.

.. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda (|g|_{el} + |h|_{el}), \qquad f = g - h + \text{affine}

with the size :math:`|g|_{el}` of `convex_part`. Networks are such f, so that the least value is at most the optimum.
Its multipliers are a dual vector u with two flows, of divergence u and -u, that bound :math:`\eta` and :math:`-\eta`
by lam: the best u for which containment proves that. Any u and flows on the way prove something.

Where neurons keep to groups of features, f is a sum of such differences, one for each group, of its features alone.
Where f has several outputs, so has each difference along each of some orthonormal :math:`a_c`; and as
:math:`\big( \sum_c (\sum_k |a_c^T v_k|)^2 \big)^{1/2} \le \sum_k \|v_k\|_2`, the size of a network is at least

.. math:: \Big( \sum_c (|g_c|_{el} + |h_c|_{el})^2 \Big)^{1/2}
          = \max_{\|\omega\|_2 = 1} \sum_c \omega_c (|g_c|_{el} + |h_c|_{el}).

Any :math:`\omega \ge 0` will do, lam omega_c being the price of c; the best is proportional to the sizes, and found in
rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from ridgesplines.interrupt import check, late
from ridgesplines.oracle.containment import first_pairs, next_pairs
from ridgesplines.oracle.containments import Flows, Group
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
#: A component that is this part of the largest at first has a price all the same.
LEAST_SHARE = 1e-2


class Relaxed(NamedTuple):
    """An iterate: a dual vector (N,) or (N, D); for each group and component flows for u and for -u between its points;
    and the axes of all ellipsoids, as directions in all d features (m, d)."""

    dual: Array
    flows: list[list[Flows]]
    axes: Array


class Summand(NamedTuple):
    """One convex function of f: of the points of a group, along a direction of the outputs (D,), a sign included."""

    group: Group
    along: Array
    part: ConvexPart


class Difference:
    """The tie of convex functions: the data term of their sum along the outputs, with an affine function of its own.

    `X` (N, r) are the rows in coordinates in which the affine function has its slope.
    """

    def __init__(self, term: DataTerm, X: Array, summands: Sequence[Summand]) -> None:
        self.term, self.X, self.summands = term, X, summands
        self.slope = np.zeros((X.shape[1], len(summands[0].along)))

    @property
    def size(self) -> int:
        return self.slope.size

    @property
    def parts(self) -> list[ConvexPart]:
        return [summand.part for summand in self.summands]

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
        f = self.X @ slope
        for g, (group, along, _) in zip(values, self.summands, strict=True):
            f += np.multiply.outer(g[group.place], along)
        return f.reshape(len(f), *self.term.problem.outputs)

    def add(self, K: Array, places: Sequence[slice]) -> None:
        (N, r), D = self.X.shape, self.slope.shape[1]
        H, own = self.term.curvature(self.fit).reshape(N, D, D), slice(len(K) - self.size, None)
        for one, (group, along, _) in zip(places, self.summands, strict=True):
            pull = along @ H  # (N, D)
            for other, (its, toward, _) in zip(places, self.summands, strict=True):
                n, m = len(group.points), len(its.points)
                where, weights = group.place * m + its.place, pull @ toward
                K[one, other] += np.bincount(where, weights, n * m).reshape(n, m)
            cross = group.sums((self.X[:, :, None] * pull[:, None]).reshape(N, r * D))
            K[one, own] += cross
            K[own, one] += cross.T
        K[own, own] += np.einsum("ni,nab,nj->iajb", self.X, H, self.X, optimize=True).reshape(r * D, r * D)

    def gradient(self, r: Array, places: Sequence[slice], aim: float) -> None:
        by_row = self.term.gradient(self.fit, aim).reshape(len(self.X), -1)
        for one, (group, along, _) in zip(places, self.summands, strict=True):
            r[one] += group.sums(by_row @ along)
        r[len(r) - self.size :] += (self.X.T @ by_row).ravel()

    def longest(self, own: Array, steps: Sequence[Step]) -> tuple[float, float]:
        return self.term.longest(self.fit, self._change(own, steps))

    def move(self, own: Array, steps: Sequence[Step], primal: float, dual: float) -> None:
        self.term.move(self.fit, self._change(own, steps), primal, dual)
        self.slope = self.slope + primal * own.reshape(self.slope.shape)

    def _change(self, own: Array, steps: Sequence[Step]) -> Array:
        return self._rows([step.g for step in steps], own.reshape(self.slope.shape))


def relax(
    problem: Problem,
    groups: Sequence[Group],
    basis: Array,
    omega: Array,
    end: float,
    prove: Callable[[Relaxed], float],
    seed: int = 0,
) -> None:
    """Hand iterates to `prove`, which returns what they prove, until that is near the relaxation's optimum.

    For a problem in scaled units, the `basis` of its outputs (r, D) and their prices omega at first, (groups, r). In
    rounds: of the pairs of points those stay between which something flows, and those join whose inequalities are
    violated most; and prices follow the sizes.
    """
    pairs = [first_pairs(group.points, seed) for group in groups for _ in range(2 * len(basis))]
    few = all(to.shape[1] == len(to) - 1 for to in pairs)  # every pair is there
    everything, previous = Group.of(problem.X, range(problem.n_features)), -np.inf
    for round_ in range(MAX_ROUNDS):
        summands = _started(problem, groups, basis, omega, pairs)
        tie = Difference(data_term(problem), everything.points[everything.place], summands)
        summands[0].part.g += problem.loss.shift(problem.y, tie.fit, problem.sample_weight)
        best = [-np.inf]
        for _ in range(MAX_STEPS):
            check()
            if late(end):
                return
            try:
                advance(tie.parts, tie, end)
            except TimeoutError:
                return
            except Diverged:
                break
            best.append(max(best[-1], prove(_read(tie, len(groups), len(basis)))))
            near = tie.objective - best[-1] <= (TOL if round_ or few else ROUGH) * abs(tie.objective)
            if near or (len(best) > 2 * PATIENCE and best[-1] <= best[-PATIENCE] + TOL * abs(best[-1])):
                break
        if (few and len(basis) == 1) or tie.objective <= previous + TOL * abs(previous):
            return
        previous = tie.objective
        omega = _prices(tie, omega)
        pairs = [part.to if few else next_pairs(part) for part in tie.parts]


def _started(
    problem: Problem, groups: Sequence[Group], basis: Array, omega: Array, pairs: Sequence[Array]
) -> list[Summand]:
    """For each group, component and sign a parabola; their sizes cost about as much as the data term of an affine f."""
    size = float(problem.sample_weight.sum()) / problem.lam
    kinds = product(zip(groups, omega, strict=True), enumerate(basis), (1.0, -1.0))
    summands = []
    for to, ((group, prices), (c, along), sign) in zip(pairs, kinds, strict=True):
        # in points of radius one a neuron of unit weight is `unit` times as steep
        lam, steep = problem.lam * prices[c] / group.unit, size * group.unit
        curvature = steep / (6.0 * np.sqrt(group.points.shape[1]))
        part = ConvexPart(group.points, to, lam, curvature, 1.0 / (1 + to.shape[1]))
        summands.append(Summand(group, sign * along, part))
    return summands


def _prices(tie: Difference, omega: Array) -> Array:
    """Prices nearer to the sizes of the components, for each group: the geometric mean of both."""
    sizes = np.array([s.part.cost / (s.part.lam * s.group.unit) for s in tie.summands]).reshape(*omega.shape, 2)
    return shares(np.sqrt(omega * np.maximum(sizes.sum(axis=2), 0.0)))


def shares(sizes: Array) -> Array:
    """Prices proportional to sizes (groups, r), squares with sum one for each group; none is nothing."""
    omega = np.maximum(sizes, LEAST_SHARE * sizes.max(axis=1, keepdims=True)) + np.finfo(float).tiny
    return omega / np.linalg.norm(omega, axis=1, keepdims=True)


def _read(tie: Difference, groups: int, r: int) -> Relaxed:
    """The dual vector of the data term, and the multipliers as flows for it."""
    u, d = tie.term.dual(tie.fit), tie.term.problem.n_features
    columns, flows, axes = u.reshape(len(u), -1), [], []
    for group, along, part in tie.summands:
        bare = Flow(part.to, part.T, np.ones(len(part.to)))
        flows.append(part.flow(bare.moments(group.points, group.sums(columns @ along))[0]))
        axes.append(group.lifted(np.linalg.eigh(part.S)[1].T, d))
    both = list(zip(flows[::2], flows[1::2], strict=True))
    return Relaxed(u, [both[i * r : (i + 1) * r] for i in range(groups)], np.concatenate(axes))
