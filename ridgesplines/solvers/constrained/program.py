r"""The finite convex program of a problem with constraints, in CVXPY.

.. math:: \min_{g, d} \; \sum_n s_n L(y_n, g_{k(n)}) + \lambda \sum_r \pi_r |d_{r+1} - d_r|, \qquad
          g_{k+1} - g_k = h_k d_{r(k)}, \quad \ell \le d \le h, \quad a \le g \le b

Unknowns are the values g at the sites and the slopes d of the pieces, each of them one or several intervals between
sites; a bend at a free knot has the price :math:`\pi_r = 0`, any other one. Every matrix is sparse, and every
constraint a bound on an unknown or on a difference of two.
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
    points: Array  # of the bounds of values, at the sites that have any
    pressure: Array  # of the bounds on each piece's slope: positive from below, negative from above
    status: str


class Program:
    """The program, compiled once; `solve(lam)` changes a parameter.

    Parameters
    ----------
    problem : in scaled units.
    sites : its sites.
    pieces : which piece each interval belongs to, shape (K - 1,), rising from 0 by steps of at most one; by default as
        many as there are sites at which f may bend.
    """

    def __init__(self, problem: Problem, sites: Sites, pieces: Array | None = None) -> None:
        import cvxpy as cp

        k = len(sites.at)
        pieces = sites.pieces(sites.up | sites.down) if pieces is None else pieces
        count = int(pieces[-1]) + 1
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
        edges = 1 + np.flatnonzero(np.diff(pieces) > 0)
        norm, bends = _seminorm(self.slopes, *(part[edges] for part in (sites.up, sites.down, sites.price)))
        first = np.flatnonzero(np.append(True, np.diff(pieces) > 0))
        low, high = np.maximum.reduceat(sites.slope_low, first), np.minimum.reduceat(sites.slope_high, first)
        self.steep = Box(self.slopes, low, high)
        self.bounded = Box(self.values, sites.low, sites.high)
        self.held = sites.held
        constraints += [*bends, *self.steep.constraints, *self.bounded.constraints]
        self.problem = cp.Problem(cp.Minimize(data + self.lam * norm), constraints)

    def solve(self, lam: float, name: str = "CLARABEL", options: Sequence[Mapping[str, Any]] = CLARABEL) -> Solved:
        """The solution for one lam, by the CVXPY solver of that name, with the first settings that succeed."""
        self.lam.value = lam
        status = solve_program(self.problem, self.link, name, options)
        if self.slopes.value is not None and self.link.dual_value is not None:
            fit = np.asarray(self.link.dual_value).reshape(-1)
            values, slopes = np.array(self.values.value), np.array(self.slopes.value)
            points = self.bounded.multipliers[self.held]
            return Solved(values, slopes, fit, points, self.steep.multipliers, status)
        raise SolverRefusal(
            f"Grid(backend={name!r})",
            "a program that it can solve",
            f"status {status!r}",
            "Try another backend, or constraints and a lam of which less is asked.",
        )


class Box:
    """Bounds low <= x <= high of a variable's entries: equations where they are equal, nothing where infinite."""

    def __init__(self, x: Any, low: Array, high: Array) -> None:
        self.size = len(low)
        fixed = low == high
        sides = (fixed, np.isfinite(low) & ~fixed, np.isfinite(high) & ~fixed)
        self.places = [np.flatnonzero(side) for side in sides]
        equal, over, under = self.places
        made = (
            lambda: x[equal] == low[equal],
            lambda: x[over] >= low[over],
            lambda: x[under] <= high[under],
        )
        self.each = [make() if len(place) else None for make, place in zip(made, self.places, strict=True)]

    @property
    def constraints(self) -> list[Any]:
        """For CVXPY."""
        return [constraint for constraint in self.each if constraint is not None]

    @property
    def multipliers(self) -> Array:
        """Positive where the lower bound counts, negative where the upper one does."""
        out = np.zeros(self.size)
        for constraint, place, sign in zip(self.each, self.places, (-1.0, 1.0, -1.0), strict=True):
            if constraint is not None:
                out[place] += sign * np.asarray(constraint.dual_value).reshape(-1)
        return out


def _seminorm(slopes: Any, up: Array, down: Array, price: Array) -> tuple[Any, list[Any]]:
    """The variation of the slopes, and the constraints on their bends. It is linear where they bend one way only."""
    import cvxpy as cp

    count = len(price)
    if not count:
        return 0.0, []
    change = sparse.diags_array([-np.ones(count), np.ones(count)], offsets=[0, 1], shape=(count, count + 1))
    bends = change.tocsr() @ slopes
    norm, constraints = 0.0, []
    for ways, sign in ((up & ~down, 1.0), (down & ~up, -1.0)):
        if (at := np.flatnonzero(ways)).size:
            constraints.append(sign * bends[at] >= 0.0)
            norm += sign * (price[at] @ bends[at])
    if (at := np.flatnonzero(up & down & (price > 0.0))).size:
        norm += cp.norm1(bends[at])
    if (at := np.flatnonzero(~(up | down))).size:
        constraints.append(bends[at] == 0.0)
    return norm, constraints
