"""Splines on nodes, and the exchange of knots: violators of the certificate join for as long as the objective falls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ridgesplines.interrupt import check
from ridgesplines.line import kernels
from ridgesplines.line.kernels import certificate, peaks
from ridgesplines.network.spline import group_norms
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

#: A node violates the certificate where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-11
MAX_ROUNDS = 100
#: Violators that are tried one by one, in all.
SINGLY = 200
#: Changes of the objective below this, relative to the penalty, are rounding.
HIDDEN = 1e-12


@dataclass(frozen=True)
class Knots:
    """A spline on nodes: the indices of its active knots, the signs of their kinks, its values at ends and knots.

    For D outputs the signs are unit vectors, shape (K, D), and the values have shape (K + 2, D).
    """

    active: Array
    signs: Array
    theta: Array

    @classmethod
    def none(cls, outputs: tuple[int, ...] = ()) -> Knots:
        """The zero function."""
        return cls(np.empty(0, dtype=int), np.empty((0, *outputs)), np.zeros((2, *outputs)))

    def nodes(self, count: int) -> Array:
        """The active knots and both ends."""
        return with_ends(self.active, count)


@dataclass(frozen=True)
class State:
    """A spline with its values at all nodes, what is left of the dual vector there, and its seminorm."""

    knots: Knots
    values: Array
    residual: Array
    seminorm: float

    @classmethod
    def of(cls, moments: Moments, knots: Knots) -> State:
        """The state of a spline on the moments' nodes."""
        nodes = knots.nodes(len(moments.t))
        values = between(moments.t, nodes, knots.theta)
        seminorm = float(group_norms(kinks(moments.t[nodes], knots.theta)).sum())
        return cls(knots, values, moments.residual(values), seminorm)

    def change(self, new: State, lam: float) -> float:
        """By how much the objective of `new` is larger: no difference of large numbers that are nearly equal."""
        fall = 0.5 * float(np.vdot(new.values - self.values, self.residual + new.residual))
        return lam * (new.seminorm - self.seminorm) - fall


#: (state, violators, the signs of eta there) -> a state in which some of these nodes are knots too.
Joined = Callable[[State, Array, Array], State]


def exchanged(moments: Moments, lam: float, now: State, joined: Joined) -> Knots:
    r"""The optimum on the nodes, or the spline from which rounding hides any way down.

    Of every run of nodes that violate :math:`|\eta| \le \lambda` the worst joins, in every round.
    """
    joining, new, worst = _violators(moments, lam, now)
    patience = SINGLY
    for _ in range(MAX_ROUNDS):
        if not len(joining):
            break
        check()
        previous, better, alone = worst, None, min(len(joining), patience)
        # All violators together, or one by one where they stand in each other's way.
        for some in (slice(None), *(slice(k, k + 1) for k in range(alone))):
            patience -= some != slice(None)
            candidate = joined(now, joining[some], new[some])
            change, (others, signs_there, worst) = now.change(candidate, lam), _violators(moments, lam, candidate)
            # Where rounding hides what the objective does, the certificate decides.
            if change < 0.0 or (change <= HIDDEN * lam * now.seminorm and worst < 0.99 * previous):
                better = candidate
                break
        if better is None:
            break
        now, joining, new = better, others, signs_there
    return now.knots


def _violators(moments: Moments, lam: float, now: State) -> tuple[Array, Array, float]:
    """The nodes where |eta| exceeds lam most, see `kernels.peaks`; the signs there; by how much at most."""
    level = lam * (1.0 + VIOLATION_RTOL)
    eta = certificate(moments.t, now.residual)
    eta[now.knots.active] = 0.0
    size = group_norms(eta)
    worst = peaks(eta if eta.ndim == 1 else size, level)
    return worst, (eta[worst].T / size[worst]).T, float(size.max()) - lam


def between(t: Array, nodes: Array, theta: Array) -> Array:
    """The spline with values theta at some of the points t, given by their indices, at all of them."""
    return kernels.values(t, t[nodes], nodes[:-1], theta)


def with_ends(active: Array, count: int) -> Array:
    """The nodes `active` of `count`, with the first and the last."""
    return np.concatenate([[0], active, [count - 1]])


def with_joined(active: Array, joining: Array) -> tuple[Array, Array]:
    """Both sets of nodes in order, and the order."""
    both = np.concatenate([active, joining])
    order = np.argsort(both, kind="stable")
    return both[order], order
