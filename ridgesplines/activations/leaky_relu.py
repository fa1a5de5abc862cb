"""The leaky rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import PiecewiseLinear
from ridgesplines.validation import Array, real_number


@dataclass(frozen=True)
class LeakyReLU(PiecewiseLinear):
    r"""The leaky rectified linear unit, sparsified by a multiple of the second derivative.

    .. math:: \sigma(t) = \max\{t, a t\} = (1 - a)\,\rho(t) + a t, \qquad \frac{D^2 \sigma}{1 - a} = \delta, \qquad
              \widehat H(\omega) = -\frac{\omega^2}{1 - a}

    Parameters
    ----------
    slope : a, the slope for t < 0, at least zero and below one; 0.01 as in PyTorch.

    Notes
    -----
    The same functions as with :class:`ReLU`, whose null space and homogeneity it shares: the affine part takes a t. The
    seminorm is that of ReLU divided by 1 - a, so that lam means 1 - a times as much. In one dimension
    ReLU has a faster solver: fit with it and lam / (1 - a) where the network need not have leaky units.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.LeakyReLU(0.25).value(np.array([-1.0, 2.0]))
    array([-0.25,  2.  ])
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        real_number("slope", self.slope, "a number of at least 0 and below 1", 0.0, np.nextafter(1.0, 0.0))

    @property
    def of_relu(self) -> tuple[float, float]:
        return 1.0 - self.slope, self.slope

    def value(self, t: Array) -> Array:
        return np.maximum(t, self.slope * np.asarray(t))

    def derivative(self, t: Array) -> Array:
        return np.where(np.asarray(t) > 0.0, 1.0, self.slope)
