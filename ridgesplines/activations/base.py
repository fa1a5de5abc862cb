"""The base class of activations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np

from ridgesplines.activations.peaks import Peaks, size, sums
from ridgesplines.validation import Array, real_number


class Activation(ABC):
    r"""An activation :math:`\sigma` that a sparsifying operator H turns into an impulse (Table 1 of [1]_).

    .. math:: H\sigma = \delta, \qquad \widehat H(\omega)\,\widehat\sigma(\omega) = 1

    A frozen dataclass. A new activation is one file and one line in ``activations/__init__.py``.

    Attributes
    ----------
    homogeneity : the k for which :math:`\sigma(\gamma t) = \gamma^k \sigma(t)` for all :math:`\gamma > 0`; None where
        there is none. Degree one is what ties weight decay to sparsity; without homogeneity the length of w matters,
        and the dictionary holds the neurons with :math:`\|w\|_2 = 1` alone.
    degree : the degree of the polynomials that H annihilates: the unpenalised null space; -1 for none. It is the order
        of the zero of :math:`\widehat H` at :math:`\omega = 0`, less one.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import ridgesplines as rs
    >>> [(each.homogeneity, each.degree) for each in (rs.ReLU(), rs.TruncatedPower(3), rs.Sigmoid(), rs.Exponential())]
    [(1, 1), (3, 3), (None, 0), (None, -1)]
    """

    @property
    def of_relu(self) -> tuple[float, float] | None:
        r"""(c, e) with :math:`\sigma(t) = c\,\rho(t) + e\,t`, c > 0: ReLU in disguise; None for what is not."""
        return None

    @property
    @abstractmethod
    def homogeneity(self) -> int | None:
        """k, or None."""

    @property
    @abstractmethod
    def degree(self) -> int:
        """The degree of the null space, -1 for none."""

    @abstractmethod
    def value(self, t: Array) -> Array:
        r""":math:`\sigma(t)`, like `t`."""

    @abstractmethod
    def derivative(self, t: Array) -> Array:
        r""":math:`\sigma'(t)`, like `t`."""

    @abstractmethod
    def steepness(self, reach: float) -> tuple[float, float]:
        r"""Bounds on :math:`|\sigma'(t)|` and :math:`|\sigma''(t)|` for :math:`|t| \le` reach; infinite for kinks."""

    @abstractmethod
    def symbol(self, omega: Array) -> Array:
        r"""The frequency response :math:`\widehat H(\omega)` of the sparsifying operator."""

    @abstractmethod
    def rescaled(self, radius: float) -> tuple[Activation, float]:
        r"""(another activation, factor) with :math:`\sigma(r t) = \text{factor} \cdot \text{another}(t)`."""

    @abstractmethod
    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        r"""The biases at which :math:`|\eta|` peaks along one direction, and a bound on all of them.

        .. math:: \eta(b) = \sum_n u_n\, \sigma(p_n - b)

        Parameters
        ----------
        p : projections of the data, shape (N,), increasing.
        u : a dual vector, shape (N,) or (N, D), orthogonal to the null space.
        prove : whether a proven bound is wanted, where peaks are found numerically.
        """


@dataclass(frozen=True)
class Scaled(Activation):
    """An activation of t / scale that is not homogeneous: all neurons have the same scale."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        real_number("scale", self.scale, "a positive length", 0.0, open_=True)

    @property
    def homogeneity(self) -> None:
        return None

    def rescaled(self, radius: float) -> tuple[Self, float]:
        return type(self)(self.scale / radius), 1.0


class PiecewiseLinear(Activation):
    r"""An activation of one kink, :math:`\sigma(t) = c\,\rho(t) + e\,t` (c, e) its `of_relu`; slopes at most one.

    All have the null space and the homogeneity of ReLU, and seminorms that differ by the factor c.
    """

    @property
    @abstractmethod
    def of_relu(self) -> tuple[float, float]:
        """(c, e)."""

    @property
    def homogeneity(self) -> int:
        return 1

    @property
    def degree(self) -> int:
        return 1

    def steepness(self, reach: float) -> tuple[float, float]:
        return 1.0, np.inf

    def symbol(self, omega: Array) -> Array:
        return -(np.asarray(omega, dtype=float) ** 2) / self.of_relu[0]

    def rescaled(self, radius: float) -> tuple[Self, float]:
        return self, radius

    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        """Between data eta is affine in the bias (for vectors its norm is convex): the data are enough, exactly."""
        return Peaks(p, float(size(sums(self.value, p, p, u)).max()), True)
