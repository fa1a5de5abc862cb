"""Lower bounds on the optimum by a convex relaxation: differences of convex functions in the place of networks."""

from ridgesplines.relaxation.bound import LowerBound, lower_bound

__all__ = ["LowerBound", "lower_bound"]
