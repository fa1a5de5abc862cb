r"""The finite convex program of a problem with constraints, in CVXPY.

.. math:: \min_{g, d} \; \sum_n s_n L(y_n, g_{k(n)}) + \lambda \sum_r |d_{r+1} - d_r|, \qquad
          g_{k+1} - g_k = h_k d_{r(k)}, \quad \ell \le d \le h, \quad g_{k(p_i)} = v_i

Unknowns are the values g at the sites and the slopes d of the pieces, each of them one or several intervals between
sites; every matrix is sparse, and every constraint a bound on an unknown or on a difference of two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ridgesplines.certificate.sites import Sites
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.problem import Problem
from ridgesplines.solvers.backends import solve_program
from ridgesplines.validation import Array

#: CLARABEL's settings where nobody chose others.
CLARABEL: tuple[Mapping[str, Any], ...] = (
    {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9, "max_iter": 500},
    {"max_iter": 500, "max_step_fraction": 0.8},
)


class Solved(NamedTuple):
    """An approximate solution: the values at the sites, the slopes of the pieces, and suggestions for multipliers."""

    values: Array
    slopes: Array
    fit: Array
    points: Array
    pressure: Array  # of the bounds on each piece's slope: positive from below, negative from above
    status: str


class Program:
    """The program, compiled once; `solve(lam)` changes a parameter.

    Parameters
    ----------
    problem : in scaled units.
    sites : its sites.
    pieces : which piece each interval belongs to, shape (K - 1,), rising from 0 by steps of at most one; one each by
        default.
    held : the slope at which a piece is held, NaN where it is not; shape (R,).
    """

    def __init__(self, problem: Problem, sites: Sites, pieces: Array | None = None, held: Array | None = None) -> None:
        import cvxpy as cp

        shape, k = problem.constraint, len(sites.at)
        pieces = np.arange(k - 1) if pieces is None else pieces
        count = int(pieces[-1]) + 1
        if held is None:
            held = np.full(count, shape.slope_low if shape.slope_low == shape.slope_high else np.nan)
        self.lam = cp.Parameter(nonneg=True)
        self.values, self.slopes = cp.Variable(k), cp.Variable(count)
        fit = cp.Variable(problem.n_samples)
        data, constraints = problem.loss.expression(problem.y, fit, problem.sample_weight)
        n = problem.n_samples
        at_data = sparse.csr_array((np.ones(n), (np.arange(n), sites.rows)), (n, k))
        self.link = fit == at_data @ self.values
        rises = sparse.diags_array([-np.ones(k - 1), np.ones(k - 1)], offsets=[0, 1], shape=(k - 1, k))
        widths = sparse.csr_array((sites.widths, (np.arange(k - 1), pieces)), (k - 1, count))
        constraints += [self.link, rises @ self.values == widths @ self.slopes]
        norm, bends = _seminorm(self.slopes, count, shape.bends_up, shape.bends_down)
        constraints += bends
        self._bounds(problem, held)
        self.through = self.values[sites.points] == np.array(shape.values) if shape.points else None
        constraints += [c for c in (self.through, self.hold, self.low, self.high) if c is not None]
        self.problem = cp.Problem(cp.Minimize(data + self.lam * norm), constraints)

    def _bounds(self, problem: Problem, held: Array) -> None:
        """Bounds of the slopes; equations for pieces that are held at one."""
        self.tight, self.loose = np.flatnonzero(~np.isnan(held)), np.flatnonzero(np.isnan(held))
        low, high = problem.constraint.slope_low, problem.constraint.slope_high
        free = self.slopes[self.loose] if len(self.loose) else None
        self.hold = self.slopes[self.tight] == held[self.tight] if len(self.tight) else None
        self.low = free >= low if free is not None and np.isfinite(low) else None
        self.high = free <= high if free is not None and np.isfinite(high) else None

    def solve(self, lam: float, name: str = "CLARABEL", options: Sequence[Mapping[str, Any]] = CLARABEL) -> Solved:
        """The solution for one lam, by the CVXPY solver of that name, with the first settings that succeed."""
        self.lam.value = lam
        status = solve_program(self.problem, self.link, name, options)
        if self.slopes.value is not None and self.link.dual_value is not None:
            return self._read(status)
        raise SolverRefusal(
            f"Grid(backend={name!r})",
            "a program that it can solve",
            f"status {status!r}",
            "Try another backend, or constraints and a lam of which less is asked.",
        )

    def _read(self, status: str) -> Solved:
        pressure = np.zeros(self.slopes.size)
        for constraint, where, sign in (
            (self.hold, self.tight, -1.0),
            (self.low, self.loose, 1.0),
            (self.high, self.loose, -1.0),
        ):
            if constraint is not None:
                pressure[where] += sign * np.asarray(constraint.dual_value)
        empty = np.empty(0)
        points = empty if self.through is None else -np.asarray(self.through.dual_value).reshape(-1)
        fit = np.asarray(self.link.dual_value).reshape(-1)
        return Solved(np.array(self.values.value), np.array(self.slopes.value), fit, points, pressure, status)


def _seminorm(slopes: Any, count: int, up: bool, down: bool) -> tuple[Any, list[Any]]:
    """The variation of the slopes, and the constraints on their bends. It is linear where they bend one way only."""
    import cvxpy as cp

    if count == 1:
        return 0.0, []
    bends = sparse.diags_array([-np.ones(count - 1), np.ones(count - 1)], offsets=[0, 1], shape=(count - 1, count))
    if up and down:
        return cp.norm1(bends @ slopes), []
    if not (up or down):
        return 0.0, [bends @ slopes == 0.0]
    sign = 1.0 if up else -1.0
    return sign * (slopes[count - 1] - slopes[0]), [sign * (bends @ slopes) >= 0.0]
