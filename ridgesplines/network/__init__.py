"""The network: a ridge spline, on disk, and what it says of its features."""

from ridgesplines.network.activity import ActiveSubspace, Activity
from ridgesplines.network.components import Component, Components, components
from ridgesplines.network.composed import composed
from ridgesplines.network.exchange.reading import as_network
from ridgesplines.network.exchange.scikit_learn import lam_of_alpha
from ridgesplines.network.importances import mean_squared_effects
from ridgesplines.network.interpret import RidgeFunction, partial_dependence, ridges
from ridgesplines.network.segments import Segments, segments
from ridgesplines.network.spline import Balanced, RidgeSpline, group_norms

__all__ = [
    "ActiveSubspace",
    "Activity",
    "Balanced",
    "Component",
    "Components",
    "RidgeFunction",
    "RidgeSpline",
    "Segments",
    "as_network",
    "components",
    "composed",
    "group_norms",
    "lam_of_alpha",
    "mean_squared_effects",
    "partial_dependence",
    "ridges",
    "segments",
]
