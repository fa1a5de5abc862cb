"""Problems (17) and (32) on a grid: a program in CVXPY, and what makes its answer exact."""

from ridgesplines.solvers.grid.solver import Grid

__all__ = ["Grid"]
