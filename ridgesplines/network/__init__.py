"""The network: a ridge spline, on disk, and what it says of its features."""

from ridgesplines.network.interpret import RidgeFunction, partial_dependence, ridges
from ridgesplines.network.spline import Balanced, RidgeSpline, group_norms

__all__ = ["Balanced", "RidgeFunction", "RidgeSpline", "group_norms", "partial_dependence", "ridges"]
