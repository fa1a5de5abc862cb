"""The network: a ridge spline, on disk, and what it says of its features."""

from ridgesplines.network.components import Component, Components, components
from ridgesplines.network.composed import composed
from ridgesplines.network.importances import mean_squared_effects
from ridgesplines.network.interpret import RidgeFunction, partial_dependence, ridges
from ridgesplines.network.segments import Segments, segments
from ridgesplines.network.spline import Balanced, RidgeSpline, group_norms

__all__ = [
    "Balanced",
    "Component",
    "Components",
    "RidgeFunction",
    "RidgeSpline",
    "Segments",
    "components",
    "composed",
    "group_norms",
    "mean_squared_effects",
    "partial_dependence",
    "ridges",
    "segments",
]
