r"""A quadratic with constraints at any size: the exchange method.

As without constraints, the chain's program is solved on few candidate nodes, and one pass over all sites tells where
:math:`\eta` leaves its band; the worst of every run of such sites joins, with its neighbours. The first active set is
an interior point's, the next ones are those of the round before with what joined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ridgesplines.line.kernels import values
from ridgesplines.solvers.constrained.active_set import (
    Active,
    certificate,
    guessed,
    joined,
    moved,
    on_face,
    settled,
    violators,
)
from ridgesplines.solvers.constrained.chain import Chain, Limits, Point
from ridgesplines.solvers.constrained.contacts import Move
from ridgesplines.solvers.constrained.descent import descended
from ridgesplines.solvers.constrained.interior import interior
from ridgesplines.solvers.univariate.exchange import BLOCK_SITES, DENSE_SITES, FEW_SITES, around, every, union
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

MAX_ROUNDS = 40
#: Sites of a rough answer, besides those that are always nodes.
COARSE_SITES = 32
#: In scaled units: two answers to one problem, the one to rounding and the other an interior point's, are as near as
#: this.
NEAR_ATOL = 1e-6


@dataclass(frozen=True, eq=False)
class Quadratic:
    """sum_k H_k z_k^2 / 2 - b_k z_k over the sites t, and limits at every site; shapes (K,)."""

    t: Array
    curvature: Array
    target: Array
    limits: Limits

    def chain(self, nodes: Array, lam: float) -> Chain:
        """The program on some of the sites."""
        moments = Moments.at(self.t, self.curvature, self.target, self.t[nodes], nodes[:-1])
        return Chain(moments, lam, self.limits.on(nodes))


@dataclass(frozen=True, eq=False)
class Spline:
    """The optimum among the splines with knots at candidate sites: what is active, and at its nodes its multipliers.

    Not `exact` where these are an interior point's.
    """

    active: Active
    point: Point
    exact: bool = True

    def at(self, t: Array) -> Array:
        """Its values at all sites t."""
        nodes = self.active.nodes
        return values(t, t[nodes], nodes[:-1], self.point.theta)

    def seminorm(self, t: Array, price: Array) -> float:
        """What the bends cost, at the prices of all sites."""
        nodes, bend = self.active.nodes, self.active.bend[1:-1]
        return float((price[nodes[1:-1]] * np.abs(kinks(t[nodes], self.point.theta)))[bend != 0].sum())


#: Whether the gap of a spline is small enough.
Enough = Callable[[Spline], bool]


def exchange(q: Quadratic, lam: float, start: Active | None, near: Array, enough: Enough) -> Spline | None:
    """The optimum; None where rounding leaves none.

    Parameters
    ----------
    q : the quadratic.
    lam : positive.
    start : what is active near the optimum, if that is known.
    near : sites that are candidates from the beginning.
    enough : when to stop, asked once a round.
    """
    m, best = len(q.t), None
    required = np.flatnonzero(q.limits.required)
    candidates = np.arange(m) if m <= FEW_SITES else union(every(BLOCK_SITES, m), around(near, m), required)
    if start is not None:
        candidates = union(candidates, start.nodes)
    for _ in range(MAX_ROUNDS):
        if len(candidates) > m / DENSE_SITES:
            candidates = np.arange(m)
        solved = _solved(q, lam, candidates, start)
        if solved is None:
            return best
        best = solved
        if enough(best) or len(candidates) == m:
            return best
        active, (eta, _, moves) = best.active, certificate_of(q, lam, best)
        joining = violators(eta, active.nodes, lam, q.limits)
        further = np.array([move.point for move in moves], dtype=int)
        if not len(joining) and not moves:
            return best
        start = (
            None
            if not best.exact
            else moved(q.limits, active, moves)
            if moves
            else joined(q.limits, active, joining, np.sign(eta[joining]))
        )
        candidates = union(around(joining, m), around(further, m), around(active.nodes, m), required)
    return best


def coarse(q: Quadratic, lam: float) -> Spline | None:
    """The optimum with knots at few sites: a feasible spline at once, at any size; None where rounding leaves none."""
    few = np.linspace(0, len(q.t) - 1, COARSE_SITES).astype(int)
    return _solved(q, lam, np.union1d(few, np.flatnonzero(q.limits.required)), None)


def _solved(q: Quadratic, lam: float, candidates: Array, start: Active | None) -> Spline | None:
    """The optimum with knots at the candidates; what is active is said in sites."""
    chain, found, exact = q.chain(candidates, lam), None, True
    if start is not None:
        local = np.searchsorted(candidates, start.nodes)
        found = settled(chain, Active(local, start.bend, start.hold, start.value))
    if found is None:
        near = interior(chain)
        if near is None:
            return None
        guess = guessed(chain, near)
        found = settled(chain, guess)
        if found is None and (rough := interior(chain.on(guess.nodes))) is not None:
            found = descended(chain, guess, rough.theta)
            exact, found = found is not None, found or _mixed(chain, near, guess, rough)
    if found is None:
        return None
    active, point = found
    return Spline(Active(candidates[active.nodes], active.bend, active.hold, active.value), point, exact)


def _mixed(chain: Chain, near: Point, guess: Active, rough: Point) -> tuple[Active, Point]:
    """Where multipliers are not unique and no active set settles: the interior point's, and the spline on its bends."""
    every, part = np.arange(len(chain.t)), chain.on(guess.nodes)
    exact = on_face(part, guess)
    if exact is None or np.abs(exact.theta - rough.theta).max() > NEAR_ATOL:
        exact = rough
    bend, hold = np.zeros(len(every)), np.repeat(guess.hold, np.diff(guess.nodes))
    bend[guess.nodes[1:-1]] = np.sign(kinks(part.t, exact.theta))
    bend = np.where(chain.limits.hinges, 0.0, chain.limits.allowed(bend))
    theta = np.interp(chain.t, part.t, exact.theta)
    return Active(every, bend, hold, np.zeros(len(every))), Point(theta, near.eta, near.m, near.nu)


def certificate_of(q: Quadratic, lam: float, spline: Spline) -> tuple[Array, Array, list[Move]]:
    """eta and the multipliers of the values at all sites, and what is to leave a bound."""
    masses = q.target - q.curvature * spline.at(q.t)
    return certificate(q.t, masses, spline.active, spline.point, lam, q.limits)
