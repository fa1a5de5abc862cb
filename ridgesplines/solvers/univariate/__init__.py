"""Problem (17): nodes by exchange; Newton's method and an interior point for other losses."""

from ridgesplines.solvers.univariate.solver import Univariate

__all__ = ["Univariate"]
