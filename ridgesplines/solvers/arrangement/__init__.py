"""Problem (32) over all activation patterns, for few points."""

from ridgesplines.solvers.arrangement.solver import Arrangement

__all__ = ["Arrangement"]
