"""Problem (32) off the grid: the working set, its master problem, and neurons that slide."""

from ridgesplines.ridge.engine import SHARE, State, states
from ridgesplines.ridge.master import objective
from ridgesplines.ridge.neurons import Neurons, merged
from ridgesplines.ridge.refits import Fit, interpolating, refit

__all__ = ["SHARE", "Fit", "Neurons", "State", "interpolating", "merged", "objective", "refit", "states"]
