r"""Losses with kinks, and interpolation: cutting planes on the dual problem.

.. math:: \max_u \; \sum_n c_n u_n \quad \text{with} \quad s_n l_n \le u_n \le s_n h_n, \quad Q^T u = 0, \quad
          |\eta(w_k, b_k)| \le \lambda \text{ at the neurons so far}

for losses :math:`L(y, z) = \max_{l \le v \le h} v (c - z)`. It is a linear program whose multipliers are the amplitudes
of the neurons; the neurons at which its solution violates :math:`|\eta| \le \lambda` join, until none does [1]_. The
simplex method goes on from its last basis. Interpolation has no bounds l and h. It starts with bounds, as a steep
absolute loss, and they are moved out for as long as any of them counts.

References
----------
.. [1] J. E. Kelley, The cutting-plane method for solving convex programs, J. SIAM 8 (1960), doi:10.1137/0108053
"""

from __future__ import annotations

import sys
import time

import highspy
import numpy as np

from ridgesplines.amplitudes.design import project
from ridgesplines.amplitudes.linear_program import FEASIBLE_TOL
from ridgesplines.certificate.dual import projected
from ridgesplines.interactions import untouched
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.validation import Array

OPTIONS: dict[str, str | int | float] = {
    "presolve": "off",  # it would forget the basis
    "solver": "simplex",
    "simplex_scale_strategy": 0,  # data and lam are scaled, and rows of one scale need no other
    "parallel": "off",  # a number of threads is refused where HiGHS has run with another one in this process
    "primal_feasibility_tolerance": FEASIBLE_TOL,
    "dual_feasibility_tolerance": FEASIBLE_TOL,
}
BASIC, UPPER, LOWER = (getattr(highspy.HighsBasisStatus, name) for name in ("kBasic", "kUpper", "kLower"))
#: In the place of a zero whose ratio to another is asked for.
TINY = 1e-300
#: The first bounds of |u| for interpolation, in scaled units, and how much further they move where one of them counts.
BOUND, FURTHER = 100.0, 10.0
#: Beyond so many neurons for each that has an amplitude, those leave that had none in so many solutions on end: the
#: simplex method takes time and memory for each, and most neurons are wanted where they were found, or not at all. Only
#: where the objective has fallen by so much since others left, relatively: or they might leave and return for ever.
CROWD, IDLE, FALLS = 3, 4, 1e-8


class Silent(highspy.Highs):
    """HiGHS, silent before it can print its banner."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


class DualProgram:
    """The program over the neurons offered so far; HiGHS keeps its basis from one solution to the next."""

    def __init__(self, problem: Problem) -> None:
        self._problem, form = problem, problem.loss.box(problem.y)
        assert form is not None or problem.loss.interpolates
        n, s = len(problem.y), problem.sample_weight
        self._bound = np.inf if form else BOUND
        centre, _, low, high = form or (problem.y, 0.0, -BOUND / s, BOUND / s)
        self._highs = Silent()
        for name, value in OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._columns = np.arange(n, dtype=np.int32)
        self._highs.addVars(n, s * low, s * high)
        self._highs.changeColsCost(n, self._columns, centre + np.zeros(n))
        self._highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self._free = problem.null_space
        if problem.loss.interpolates:  # where no neuron sees u, nor y, it would grow to its bounds
            self._free = np.hstack([self._free, untouched(problem.X, problem.interactions, problem.null_space)])
        self._add(self._free.T, 0.0)
        self._W, self._b, self._idle = np.empty((0, problem.n_features)), np.empty(0), np.empty(0, dtype=int)
        self._lowest = sys.float_info.max

    def __len__(self) -> int:
        """The number of neurons that it holds."""
        return len(self._b)

    def offer(self, W: Array, b: Array) -> None:
        """Neurons join."""
        hidden = np.maximum(self._problem.X @ W.T - b, 0.0)
        self._add(project(self._problem.null_space, hidden).T / self._problem.lam, 1.0)
        self._W, self._b = np.concatenate([self._W, W]), np.concatenate([self._b, b])
        self._idle = np.concatenate([self._idle, np.zeros(len(b), dtype=int)])

    def _add(self, rows: Array, bound: float) -> None:
        m, n = rows.shape
        starts, places = np.arange(m, dtype=np.int32) * n, np.tile(self._columns, m)
        self._highs.addRows(m, np.full(m, -bound), np.full(m, bound), m * n, starts, places, rows.ravel())

    def begin(self, u: Array, z: Array, amplitudes: Array, slacks: Array) -> None:
        """The next solution begins at the basis to which a point near the optimum points.

        Of each bound and its multiplier one is zero at a vertex: the smaller one, near the optimum.
        """
        form, s = self._problem.loss.box(self._problem.y), self._problem.sample_weight
        assert form is not None
        centre, _, low, high = form
        below, above = u - s * low, s * high - u
        room = np.concatenate([np.minimum(below, above), slacks / self._problem.lam])
        multipliers = np.concatenate([np.abs(centre - z), np.abs(amplitudes) * self._problem.lam])
        basic = np.zeros(len(room), dtype=bool)
        ratios = np.maximum(room, TINY) / np.maximum(multipliers, TINY)
        basic[np.argsort(-ratios)[: len(slacks) + self._free.shape[1]]] = True
        upper = np.concatenate([above < below, amplitudes > 0.0])
        statuses = [*np.where(basic, BASIC, np.where(upper, UPPER, LOWER))]
        basis = highspy.HighsBasis()
        basis.valid = basis.alien = True  # HiGHS replaces what is dependent
        basis.col_status = statuses[: len(u)]
        basis.row_status = [LOWER] * self._free.shape[1] + statuses[len(u) :]
        self._highs.setBasis(basis)

    def solve(self, end: float = np.inf) -> Fit | None:
        """The optimum on the neurons so far; None where HiGHS fails, also from the start, or is late."""
        for again in (False, True):
            if again:
                self._highs.clearSolver()
            left = max(end - time.perf_counter(), 0.0)
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)  # of all its runs together
            self._highs.run()
            if self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
                return self._read()
        return None

    def _read(self) -> Fit:
        p, solution = self._problem, self._highs.getSolution()
        multipliers, r = np.array(solution.row_dual), self._free.shape[1]
        used = multipliers[r:] != 0.0
        neurons = Neurons.of(self._W[used], self._b[used], multipliers[r:][used] / p.lam)
        hidden = project(p.null_space, np.maximum(p.X @ neurons.W.T - neurons.b, 0.0))
        z = hidden @ neurons.amplitudes + self._free @ multipliers[:r]
        u, _ = projected(p, np.array(solution.col_value))
        fit = Fit(neurons, z, u, self._highs.getObjectiveValue())
        self._idle = np.where(used, 0, self._idle + 1)
        if len(self._b) > CROWD * used.sum() and fit.objective < self._lowest - FALLS * abs(self._lowest):
            self._lowest = fit.objective
            self._drop(self._idle >= IDLE)
        return fit

    def _drop(self, gone: Array) -> None:
        rows = np.flatnonzero(gone).astype(np.int32) + self._free.shape[1]
        self._highs.deleteRows(len(rows), rows)
        self._W, self._b, self._idle = self._W[~gone], self._b[~gone], self._idle[~gone]

    def move_bounds(self, u: Array) -> bool:
        """For interpolation: whether a bound counts at u; they are moved out then."""
        if not np.isfinite(self._bound) or np.abs(u).max(initial=0.0) < self._bound * (1.0 - FEASIBLE_TOL):
            return False
        self._bound *= FURTHER
        self._lowest = sys.float_info.max  # it may rise again
        outer = np.full(len(u), self._bound)
        self._highs.changeColsBounds(len(u), self._columns, -outer, outer)
        return True
