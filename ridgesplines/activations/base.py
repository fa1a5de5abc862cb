"""What an activation is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from ridgesplines.validation import Array


class Activation(ABC):
    r"""An activation :math:`\sigma` that a sparsifying operator H turns into an impulse (Table 1 of [1]_).

    Attributes
    ----------
    homogeneous : whether :math:`\sigma(\gamma t) = \gamma\,\sigma(t)` for :math:`\gamma > 0`, which is what ties
        weight decay to sparsity.
    degree : the degree of the polynomials that H annihilates: the unpenalised null space; -1 for none.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988
    """

    homogeneous: ClassVar[bool]
    degree: ClassVar[int]

    @abstractmethod
    def value(self, t: Array) -> Array:
        r""":math:`\sigma(t)`, like `t`."""

    @abstractmethod
    def derivative(self, t: Array) -> Array:
        r""":math:`\sigma'(t)`, like `t`."""

    @abstractmethod
    def symbol(self, omega: Array) -> Array:
        r"""The frequency response :math:`\widehat H(\omega)` of the sparsifying operator."""
