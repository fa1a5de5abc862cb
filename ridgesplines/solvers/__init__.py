"""Solvers, one file each. A new one is a file and a place in the list here; the contract tests pick it up."""

from ridgesplines.solvers.arrangement.solver import Arrangement
from ridgesplines.solvers.base import Answer, Solver
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.solvers.univariate.solver import Univariate

SOLVERS: tuple[type[Solver], ...] = (Arrangement, ColumnGeneration, Grid, Univariate)

__all__ = ["SOLVERS", "Answer", "Arrangement", "ColumnGeneration", "Grid", "Solver", "Univariate"]
