"""Activations, one file each. A new one is a file and a place in the list here."""

from ridgesplines.activations.absolute_value import AbsoluteValue
from ridgesplines.activations.arctan import Arctan
from ridgesplines.activations.base import Activation
from ridgesplines.activations.exponential import Exponential
from ridgesplines.activations.leaky_relu import LeakyReLU
from ridgesplines.activations.peaks import Peaks
from ridgesplines.activations.relu import ReLU
from ridgesplines.activations.sigmoid import Sigmoid
from ridgesplines.activations.truncated_power import TruncatedPower

ACTIVATIONS: tuple[type[Activation], ...] = (
    ReLU,
    LeakyReLU,
    AbsoluteValue,
    TruncatedPower,
    Sigmoid,
    Arctan,
    Exponential,
)

__all__ = [
    "ACTIVATIONS",
    "AbsoluteValue",
    "Activation",
    "Arctan",
    "Exponential",
    "LeakyReLU",
    "Peaks",
    "ReLU",
    "Sigmoid",
    "TruncatedPower",
]
