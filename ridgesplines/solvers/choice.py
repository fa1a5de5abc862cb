"""The choice of a solver for a problem."""

from __future__ import annotations

from ridgesplines.problem import Problem
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.solvers.univariate.solver import Univariate


def picked(problem: Problem) -> Solver:
    """The solver that `solve` takes where none is named."""
    able: tuple[Solver, ...] = (Univariate(), ColumnGeneration())
    return next((s for s in able if s.refuses(problem) is None), Grid())
