"""The Radon domain: where a neuron is one impulse, and the seminorm is a total variation.

For a network everything is known in closed form (`second_derivative`, `radon_measure`); for any other function there is
a grid (`RadonGrid`) with the Radon transform, its adjoint, the filter K and what is made of them.
"""

from ridgesplines.radon.filters import (
    backprojection_filter,
    filtered_back_projection,
    gaussian_filter,
    second_offset_derivative,
)
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.line import LineMeasure, second_derivative
from ridgesplines.radon.measure import RadonMeasure, radon_measure
from ridgesplines.radon.sparsifying import Window, cap_integral, sparsifying_transform, spike_mass
from ridgesplines.radon.transform import back_projection, even_projection, radon_transform

__all__ = [
    "LineMeasure",
    "RadonGrid",
    "RadonMeasure",
    "Window",
    "back_projection",
    "backprojection_filter",
    "cap_integral",
    "even_projection",
    "filtered_back_projection",
    "gaussian_filter",
    "radon_measure",
    "radon_transform",
    "second_derivative",
    "second_offset_derivative",
    "sparsifying_transform",
    "spike_mass",
]
