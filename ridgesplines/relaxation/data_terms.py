"""The data term in an interior-point method: smooth losses as they are, the others with slacks of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ridgesplines.oracle.convex_part import longest
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: The inverse of the curvature that stands in for Interpolation's, whose fit may not move; Newton's method corrects it.
STIFF = 1e-8
#: Curvatures below this part of the majorant's are lifted to it.
LEAST_CURVATURE = 1e-9
#: Slacks of a kinked loss begin this far from zero, in units of the data.
ROOM = 0.5


def data_term(problem: Problem) -> DataTerm:
    """The data term of a problem."""
    return BoxTerm(problem) if problem.loss.box(problem.y) or problem.loss.interpolates else SmoothTerm(problem)


class DataTerm(ABC):
    """The weighted losses of the rows at a fit f, with whatever unknowns they have themselves."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @abstractmethod
    def curvature(self, f: Array) -> Array:
        """The second derivatives, shape (N,), positive; for D outputs (N, D, D)."""

    @abstractmethod
    def gradient(self, f: Array, aim: float) -> Array:
        """The first derivatives that Newton's method is to see; products of slacks and multipliers aim at this."""

    @abstractmethod
    def dual(self, f: Array) -> Array:
        """A dual vector u (N,), or (N, D)."""

    def longest(self, f: Array, df: Array) -> tuple[float, float]:
        """How far unknowns and multipliers of its own may go along the step df of the fit."""
        return np.inf, np.inf

    @abstractmethod
    def move(self, f: Array, df: Array, primal: float, dual: float) -> None:
        """Go so far along it, from f."""


class SmoothTerm(DataTerm):
    """A smooth loss: its own derivatives."""

    def curvature(self, f: Array) -> Array:
        p = self.problem
        most, bend = p.loss.majorant(p.y, f), p.loss.curvature(p.y, f)
        if f.ndim == 2:
            return p.sample_weight[:, None, None] * (bend + LEAST_CURVATURE * most)
        return p.sample_weight * np.maximum(bend, LEAST_CURVATURE * np.maximum(most, np.finfo(float).tiny))

    def gradient(self, f: Array, aim: float) -> Array:
        return -self.dual(f)

    def dual(self, f: Array) -> Array:
        return -(self.problem.sample_weight * self.problem.loss.gradient(self.problem.y, f).T).T

    def longest(self, f: Array, df: Array) -> tuple[float, float]:
        """Where the curvature has no bound, as far as the loss itself can be trusted: a rise of one."""
        rise = float(df.max())
        return (1.0 / rise if self.problem.loss.lipschitz is None and rise > 0.0 else np.inf), np.inf

    def move(self, f: Array, df: Array, primal: float, dual: float) -> None:
        """It has no unknowns of its own."""


class BoxTerm(DataTerm):
    r"""A loss :math:`\max_{low \le u \le high} u (y - f) - bend\, u^2/2`, with u an unknown.

    Its residual :math:`y - f - bend\, u = q - p` has a part q >= 0 where u is at its upper end, p where at its lower.
    Interpolation has no ends, and no bend.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        s, n = problem.sample_weight, problem.n_samples
        if problem.loss.interpolates:
            self.y, self.stiff, self.bend = problem.y, STIFF, np.full(n, STIFF)
            self.low, self.high = np.full(n, -np.inf), np.full(n, np.inf)
            self.u = self.q = self.p = np.zeros(n)
        else:
            form = problem.loss.box(problem.y)
            assert form is not None
            self.y, bend, low, high = form
            self.stiff, self.bend, self.low, self.high = 0.0, bend / s, s * low, s * high
            self.u, self.q, self.p = 0.5 * (self.low + self.high), np.full(n, ROOM), np.full(n, ROOM)
        self.aim = 0.0

    def curvature(self, f: Array) -> Array:
        return 1.0 / (self.bend + self.q / (self.high - self.u) + self.p / (self.u - self.low))

    def gradient(self, f: Array, aim: float) -> Array:
        self.aim = aim
        return -self.u - self._missed(f) * self.curvature(f)

    def dual(self, f: Array) -> Array:
        return self.u

    def _missed(self, f: Array) -> Array:
        missed = self.y - f - self.aim / (self.high - self.u) + self.aim / (self.u - self.low)
        return missed - (self.bend - self.stiff) * self.u  # Interpolation has no bend: its own only slows u down

    def _step(self, f: Array, df: Array) -> tuple[Array, Array, Array]:
        up, down = self.high - self.u, self.u - self.low
        u = (self._missed(f) - df) * self.curvature(f)
        return u, self.aim / up - self.q + self.q / up * u, self.aim / down - self.p - self.p / down * u

    def longest(self, f: Array, df: Array) -> tuple[float, float]:
        u, q, p = self._step(f, df)
        primal = min(longest(self.q, q), longest(self.p, p))
        return primal, min(longest(self.high - self.u, -u), longest(self.u - self.low, u))

    def move(self, f: Array, df: Array, primal: float, dual: float) -> None:
        u, q, p = self._step(f, df)
        self.u, self.q, self.p = self.u + dual * u, self.q + primal * q, self.p + primal * p
