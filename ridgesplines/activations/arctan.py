"""The arctangent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import Scaled
from ridgesplines.activations.peaks import Peaks, smooth_peaks, tailed, unimodal
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Arctan(Scaled):
    r"""The arctangent.

    .. math:: \sigma(t) = \frac{\arctan(t/s)}{\pi}, \qquad \widehat H(\omega) = j\omega\, e^{s|\omega|}

    Parameters
    ----------
    scale : s, in the units of x, positive; Table 1 of [1]_ has s = 1. All neurons have it: w is of unit length, and
        without homogeneity its length could not move into the amplitude.

    Notes
    -----
    The null space is the constants: :math:`\widehat H` has a simple zero at :math:`\omega = 0`. The arctangent is odd,
    so half the sphere is enough. Not homogeneous: neither the balance theorem nor the sparsity of weight decay holds.
    Biases at the data are not enough; the dual certificate is smooth in the bias, and bounded by its second derivative.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       Table 1, doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Arctan().value(np.array([0.0, 1.0]))
    array([0.  , 0.25])
    """

    @property
    def degree(self) -> int:
        return 0

    def value(self, t: Array) -> Array:
        return np.arctan(np.asarray(t) / self.scale) / np.pi

    def derivative(self, t: Array) -> Array:
        return 1.0 / (np.pi * self.scale * (1.0 + (np.asarray(t) / self.scale) ** 2))

    def steepness(self, reach: float) -> tuple[float, float]:
        return 1.0 / (np.pi * self.scale), float(self._bend(np.array(0.0), np.array(np.inf)))

    def symbol(self, omega: Array) -> Array:
        omega = np.asarray(omega, dtype=float)
        return 1j * omega * np.exp(self.scale * np.abs(omega))

    def peaks(self, p: Array, u: Array, prove: bool) -> Peaks:
        edges, beyond = tailed(self.value, self.derivative, self.scale, p, u)
        return smooth_peaks(self.value, self.derivative, self._bend, p, u, edges, prove, beyond)

    def _bend(self, low: Array, high: Array) -> Array:
        """The largest second derivative, which peaks at t = 1 / sqrt 3 in units of the scale."""

        def second(t: Array) -> Array:
            return 2.0 * np.pi * np.abs(t) / self.scale * self.derivative(t) ** 2

        return unimodal(second, self.scale / np.sqrt(3.0), low, high)
