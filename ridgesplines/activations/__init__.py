"""Activations, one file each. A new one is a file and a place in the list here."""

from ridgesplines.activations.arctan import Arctan
from ridgesplines.activations.base import Activation
from ridgesplines.activations.exponential import Exponential
from ridgesplines.activations.peaks import Peaks
from ridgesplines.activations.relu import ReLU
from ridgesplines.activations.sigmoid import Sigmoid
from ridgesplines.activations.truncated_power import TruncatedPower

ACTIVATIONS: tuple[type[Activation], ...] = (ReLU, TruncatedPower, Sigmoid, Arctan, Exponential)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Arctan",
    "Exponential",
    "Peaks",
    "ReLU",
    "Sigmoid",
    "TruncatedPower",
]
