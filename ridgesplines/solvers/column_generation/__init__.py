"""Problem (32) off the grid: rounds, cutting planes, and neurons that slide."""

from ridgesplines.solvers.column_generation.solver import ColumnGeneration

__all__ = ["ColumnGeneration"]
