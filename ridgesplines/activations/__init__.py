"""Activations, one file each. A new activation is one file and one line here."""

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU

ACTIVATIONS: tuple[type[Activation], ...] = (ReLU,)

__all__ = ["ACTIVATIONS", "Activation", "ReLU"]
