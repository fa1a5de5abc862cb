"""What is returned: a network with its proof, many of them along a path, on disk, in words."""

from ridgesplines.solution.path import Path
from ridgesplines.solution.solution import Solution

__all__ = ["Path", "Solution"]
