"""The rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.base import PiecewiseLinear
from ridgesplines.validation import Array


@dataclass(frozen=True)
class ReLU(PiecewiseLinear):
    r"""The rectified linear unit, sparsified by the second derivative.

    .. math:: \rho(t) = \max\{0, t\}, \qquad D^2 \rho = \delta, \qquad \widehat H(\omega) = -\omega^2

    Notes
    -----
    Its null space is the affine functions, and :math:`\rho(t) - \rho(-t) = t`, so a neuron and its mirror image
    differ by an affine function only. Biases at the projections of the data are enough (Table 1 of [1]_).

    It is homogeneous of degree one, :math:`\rho(\gamma t) = \gamma \rho(t)`: at the optimum of weight decay
    :math:`\|w\| = |v|` (neural balance), and weight decay is :math:`\sum |v| \|w\|`, the seminorm.

    :class:`LeakyReLU` and :class:`AbsoluteValue` are ReLU in disguise:
    :math:`\max\{t, a t\} = (1 - a)\rho(t) + a t` and :math:`|t| = 2\rho(t) - t`. The affine part takes the second
    terms, so that networks of either are the same functions, and :math:`\sum |v| \|w\|` of a leaky network is the
    seminorm divided by :math:`1 - a`, of one of absolute values by 2: fit with lam divided by that factor.

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

    @property
    def of_relu(self) -> tuple[float, float]:
        return 1.0, 0.0

    def value(self, t: Array) -> Array:
        return np.maximum(t, 0.0)

    def derivative(self, t: Array) -> Array:
        return (np.asarray(t) > 0.0).astype(float)
