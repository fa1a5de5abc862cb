"""Problem (17): which nodes, by exchange; Newton and an interior point for other losses."""

from ridgesplines.solvers.univariate.solver import Univariate

__all__ = ["Univariate"]
