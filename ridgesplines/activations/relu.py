"""The rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.validation import Array


@dataclass(frozen=True)
class ReLU(Activation):
    r"""The rectified linear unit, sparsified by the second derivative.

    .. math:: \rho(t) = \max\{0, t\}, \qquad D^2 \rho = \delta, \qquad \widehat H(\omega) = -\omega^2

    Notes
    -----
    Its null space is the affine functions, and :math:`\rho(t) - \rho(-t) = t`, so a neuron and its mirror image
    differ by an affine function only. Biases at the projections of the data are enough (Table 1 of [1]_).

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.ReLU().value(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    homogeneous: ClassVar[bool] = True
    degree: ClassVar[int] = 1

    def value(self, t: Array) -> Array:
        return np.maximum(t, 0.0)

    def derivative(self, t: Array) -> Array:
        return (np.asarray(t) > 0.0).astype(float)

    def symbol(self, omega: Array) -> Array:
        return -(np.asarray(omega, dtype=float) ** 2)
