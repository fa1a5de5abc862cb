"""The absolute value as an activation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import PiecewiseLinear
from ridgesplines.validation import Array


@dataclass(frozen=True)
class AbsoluteValue(PiecewiseLinear):
    r"""The absolute value, sparsified by half of the second derivative.

    .. math:: \sigma(t) = |t| = 2\rho(t) - t, \qquad \tfrac12 D^2 \sigma = \delta, \qquad
              \widehat H(\omega) = -\tfrac12 \omega^2

    Notes
    -----
    The same functions as with :class:`ReLU`, whose null space and homogeneity it shares; the seminorm is half of that
    of ReLU, so that lam means twice as much. It is even: (w, b) and (-w, -b) are one neuron.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.AbsoluteValue().value(np.array([-1.0, 2.0]))
    array([1., 2.])
    """

    @property
    def of_relu(self) -> tuple[float, float]:
        return 2.0, -1.0

    def value(self, t: Array) -> Array:
        return np.abs(t)

    def derivative(self, t: Array) -> Array:
        return np.sign(np.asarray(t, dtype=float))
