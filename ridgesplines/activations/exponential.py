"""The two-sided exponential."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import Scaled
from ridgesplines.activations.peaks import Peaks, size, sums
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Exponential(Scaled):
    r"""The two-sided exponential: sums of it are exponential splines.

    .. math:: \sigma(t) = \frac{e^{-|t|/s}}{2}, \qquad H = \frac{1}{s} - s D^2, \qquad
              \widehat H(\omega) = \frac1s + s\,\omega^2

    Parameters
    ----------
    scale : s, in the units of x, positive; Table 1 of [1]_ has s = 1. All neurons have it: w is of unit length, and
        without homogeneity its length could not move into the amplitude.

    Notes
    -----
    :math:`\widehat H` has no zero: there is no null space, and nothing is unpenalised. The activation is even, so half
    the sphere is enough. Not homogeneous: neither the balance theorem nor the sparsity of weight decay holds.

    Between data :math:`\eta(b) = A e^{b/s} + B e^{-b/s}`, and :math:`|\eta|^2` is convex there: along a direction it
    peaks at a projection of the data. Biases at the data are enough, as for ReLU.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       Table 1, doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Exponential().value(np.array([0.0]))
    array([0.5])
    """

    @property
    def degree(self) -> int:
        return -1

    def value(self, t: Array) -> Array:
        return np.exp(-np.abs(t) / self.scale) / 2.0

    def derivative(self, t: Array) -> Array:
        return -np.sign(t) / self.scale * self.value(t)

    def steepness(self, reach: float) -> tuple[float, float]:
        return 0.5 / self.scale, np.inf

    def symbol(self, omega: Array) -> Array:
        return 1.0 / self.scale + self.scale * np.asarray(omega, dtype=float) ** 2

    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        return Peaks(p, float(size(sums(self.value, p, p, u)).max()), True)
