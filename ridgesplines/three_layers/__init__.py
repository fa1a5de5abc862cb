"""Two hidden layers as one convex problem, and what it says of deep networks."""

from ridgesplines.three_layers.bound import DeepLowerBound, deep_lower_bound
from ridgesplines.three_layers.solution import ThreeLayerSolution
from ridgesplines.three_layers.solve import solve_three_layers

__all__ = ["DeepLowerBound", "ThreeLayerSolution", "deep_lower_bound", "solve_three_layers"]
