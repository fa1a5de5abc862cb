"""The sigmoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import Scaled
from ridgesplines.activations.peaks import Peaks, smooth_peaks, tailed, unimodal
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Sigmoid(Scaled):
    r"""The logistic sigmoid, shifted to be odd.

    .. math:: \sigma(t) = \frac{1}{1 + e^{-t/s}} - \frac12, \qquad
              \widehat H(\omega) = \frac{j}{\pi s} \sinh(\pi s \omega)

    Parameters
    ----------
    scale : s, in the units of x, positive; Table 1 of [1]_ has s = 1. All neurons have it: w is of unit length, and
        without homogeneity its length could not move into the amplitude.

    Notes
    -----
    The null space is the constants: :math:`\widehat H` has a simple zero at :math:`\omega = 0`. The sigmoid is odd, so
    half the sphere is enough. Not homogeneous: neither the balance theorem nor the sparsity of weight decay holds.
    Biases at the data are not enough; the dual certificate is smooth in the bias, and bounded by its second derivative.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       Table 1, doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Sigmoid().value(np.array([0.0, 800.0]))
    array([0. , 0.5])
    """

    @property
    def degree(self) -> int:
        return 0

    def value(self, t: Array) -> Array:
        return np.tanh(np.asarray(t) / (2.0 * self.scale)) / 2.0

    def derivative(self, t: Array) -> Array:
        with np.errstate(over="ignore"):  # 1 / cosh of a large argument is zero
            return 0.25 / (self.scale * np.cosh(np.asarray(t) / (2.0 * self.scale)) ** 2)

    def steepness(self, reach: float) -> tuple[float, float]:
        return 0.25 / self.scale, float(self._bend(np.array(0.0), np.array(np.inf)))

    def symbol(self, omega: Array) -> Array:
        return 1j / (np.pi * self.scale) * np.sinh(np.pi * self.scale * np.asarray(omega, dtype=float))

    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        edges, beyond = tailed(self.value, self.derivative, self.scale, p, u)
        return smooth_peaks(self.value, self.derivative, self._bend, p, u, edges, prove, beyond)

    def _bend(self, low: Array, high: Array) -> Array:
        """The largest second derivative, which peaks at t = log(2 + sqrt 3) in units of the scale."""

        def second(t: Array) -> Array:
            return 2.0 * self.derivative(t) * np.abs(self.value(t)) / self.scale

        return unimodal(second, np.log(2.0 + np.sqrt(3.0)) * self.scale, low, high)
