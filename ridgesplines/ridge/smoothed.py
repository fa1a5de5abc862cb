r"""Losses with kinks, by the method of multipliers: smooth problems, each solved from the one before.

.. math:: L(y, z) = \max_{l \le v \le h} v (c - z)
          \quad\longrightarrow\quad
          \max_{l \le v \le h} v (c - z) - \tfrac{\delta}{2} (v - p)^2

with p the dual vector so far. At its fixed points the smooth problem has the solution of the original one, however
large delta is; the dual vector is inside the domain of the original loss all the while, and proves a bound there.

References
----------
.. [1] R. T. Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex programming,
   Math. Oper. Res. 1 (1976), doi:10.1287/moor.1.2.97
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.duals import projected
from ridgesplines.losses.base import Loss
from ridgesplines.oracle import Oracle
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: The first delta, in scaled units.
FIRST = 0.1


@dataclass(frozen=True, eq=False)
class Smoothed(Loss):
    """A loss with one kink a row, made smooth; its rows are those of one problem."""

    cone: ClassVar[str] = "quadratic"

    centre: Array
    low: Array | float
    high: Array | float
    near: Array
    delta: float

    @classmethod
    def of(cls, problem: Problem, near: Array, delta: float) -> Smoothed:
        """The loss of a problem with two pieces, or of interpolation, near the dual vector v = `near`."""
        form = problem.loss.box(problem.y)
        if form is None:  # interpolation
            return cls(problem.y, -np.inf, np.inf, near, delta)
        centre, _, low, high = form
        return cls(centre, low, high, near, delta)

    def check(self, y: Any) -> Array:
        return y

    def multipliers(self, z: Array) -> Array:
        """The v of the maximum."""
        return np.clip(self.near + (self.centre - z) / self.delta, self.low, self.high)

    def value(self, y: Array, z: Array) -> Array:
        v = self.multipliers(z)
        return v * (self.centre - z) - 0.5 * self.delta * (v - self.near) ** 2

    def gradient(self, y: Array, z: Array) -> Array:
        return -self.multipliers(z)

    def curvature(self, y: Array, z: Array) -> Array:
        v = self.near + (self.centre - z) / self.delta
        return np.where((self.low <= v) & (v <= self.high), 1.0 / self.delta, 0.0)

    def majorant(self, y: Array, z: Array) -> Array:
        return np.full(len(z), 1.0 / self.delta)

    def conjugate(self, y: Array, v: Array) -> Array:
        inside = (self.low <= -v) & (-v <= self.high)
        return np.where(inside, v * self.centre + 0.5 * self.delta * (v + self.near) ** 2, np.inf)

    def room(self, y: Array, v: Array) -> Array:
        return np.ones_like(v)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        raise NotImplementedError("a step of a method, not a loss to pose a problem with")


def smoothed(problem: Problem, u: Array, delta: float) -> Problem:
    """The problem with its loss smoothed near the dual vector u."""
    loss = Smoothed.of(problem, u / problem.sample_weight, delta)
    return Problem(problem.X, problem.y, problem.lam, loss, problem.activation, problem.sample_weight)


def first_delta(problem: Problem, z: Array, oracle: Oracle) -> float:
    """How smooth the first problem is: one in units of y and the multipliers, or such that few neurons are worth it."""
    if not problem.loss.constraint:
        return FIRST
    residual, _ = projected(problem, problem.y - z)
    return FIRST * oracle(residual).value / problem.lam or FIRST
