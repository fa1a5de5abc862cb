"""Cutting planes on the dual problem where the slope is penalised: it is quadratic then, and solved by interior points.

The counterpart of :class:`ridgesplines.solvers.column_generation.cutting_planes.DualProgram`.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from ridgesplines.amplitudes.design import project
from ridgesplines.amplitudes.quadratic_program import quadratic_program
from ridgesplines.certificate.dual import projected
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.objective import objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.validation import Array

#: The neurons whose amplitudes seem not to be zero are enough where they raise the objective by no more, relatively.
SAME = 1e-9
#: Neurons that were at zero in so many solutions on end leave where there are so many for each that is not.
IDLE, CROWD = 4, 3


class QuadraticProgram:
    """The program over the neurons offered so far."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._W, self._b, self._idle = np.empty((0, problem.n_features)), np.empty(0), np.empty(0, dtype=int)
        self._lowest = np.inf

    def __len__(self) -> int:
        """The number of neurons that it holds."""
        return len(self._b)

    def offer(self, W: Array, b: Array) -> None:
        """Neurons join."""
        self._W, self._b = np.concatenate([self._W, W]), np.concatenate([self._b, b])
        self._idle = np.concatenate([self._idle, np.zeros(len(b), dtype=int)])

    def solve(self, end: float = np.inf) -> Fit | None:
        """The optimum on the neurons so far; None where there is no answer in time."""
        p = self._problem
        B = project(p.null_space, np.maximum(p.X @ self._W.T - self._b, 0.0))
        answer = quadratic_program(p, B, end - time.perf_counter())
        if answer is None:
            return None
        fit = self._fit(answer.a, np.full(len(self), True), answer.z, projected(p, answer.u)[0])
        if not answer.active.all() and (fewer := quadratic_program(p, B[:, answer.active])) is not None:
            sparse = self._fit(fewer.a, answer.active, fewer.z, fit.u)
            fit = sparse if sparse.objective <= fit.objective * (1.0 + SAME) else fit
        self._leave(answer.active, fit.objective)
        return fit

    def _fit(self, a: Array, of: NDArray[np.bool_], z: Array, u: Array) -> Fit:
        """A fit by the neurons `of`, with amplitudes a, none of them zero."""
        neurons = Neurons.of(self._W[of], self._b[of], np.where(a == 0.0, np.finfo(float).tiny, a))
        return Fit(neurons, z, u, objective_of_fit(self._problem, z, float(np.abs(a).sum())))

    def _leave(self, used: NDArray[np.bool_], objective: float) -> None:
        """Only where the objective has fallen since others left: or they might leave and return for ever."""
        self._idle = np.where(used, 0, self._idle + 1)
        if len(self) > CROWD * used.sum() and objective < self._lowest * (1.0 - 1e-6):
            self._lowest, kept = objective, self._idle < IDLE
            self._W, self._b, self._idle = self._W[kept], self._b[kept], self._idle[kept]

    def move_bounds(self, u: Array) -> bool:
        """Whether bounds of u were moved out: never, since those of the loss stay."""
        return False
