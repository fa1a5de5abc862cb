"""Losses, one file each. A new one is a file and a place in the list here; the contract tests pick it up."""

from ridgesplines.losses.absolute import Absolute
from ridgesplines.losses.base import Loss
from ridgesplines.losses.hinge import Hinge
from ridgesplines.losses.huber import Huber
from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.losses.logistic import Logistic
from ridgesplines.losses.poisson import Poisson
from ridgesplines.losses.quantile import Quantile
from ridgesplines.losses.softmax import Softmax
from ridgesplines.losses.squared import Squared

LOSSES: tuple[type[Loss], ...] = (Squared, Absolute, Huber, Quantile, Logistic, Hinge, Softmax, Poisson, Interpolation)

__all__ = ["LOSSES", "Loss", *sorted(loss.__name__ for loss in LOSSES)]
