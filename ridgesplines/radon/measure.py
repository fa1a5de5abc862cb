"""Many dimensions: the sparsifying transform of a network, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.radon.line import LineMeasure, require_network, second_derivative, total
from ridgesplines.validation import Array, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class RadonMeasure(ReadOnly):
    r"""A sum of impulses on the Radon domain :math:`S^{d-1} \times R`, even: what is at z is at -z too.

    .. math:: \mu = \sum_{a=1}^{2A} m_a\, \delta(\cdot - (\alpha_a, t_a))

    Attributes
    ----------
    directions : :math:`\alpha`, unit rows, shape (2A, d); rows A to 2A - 1 are the mirror images of the first A.
    offsets : t, shape (2A,).
    masses : m, shape (2A,), or (2A, D).

    Examples
    --------
    >>> import ridgesplines as rs
    >>> measure = rs.radon.radon_measure(rs.RidgeSpline([[0.6, 0.8]], [1.0], [-3.0]))
    >>> measure.masses, measure.norm, measure.n_hyperplanes
    (array([-1.5, -1.5]), 3.0, 1)
    """

    directions: Array
    offsets: Array
    masses: Array

    @property
    def norm(self) -> float:
        r""":math:`\|\mu\|_{\mathcal M} = \sum_a |m_a|`, Euclidean norms for D outputs."""
        return total(self.masses)

    def mollified_norm(self, eps: float) -> float:
        r"""The norm of :math:`\mu` convolved with a Gaussian in t; its supremum, and limit, is `norm`, as in (16).

        .. math:: \|\mu * g_\varepsilon\|_{\mathcal M} = \sum_\alpha \int_R
                  \Bigl|\sum_{a:\, \alpha_a = \alpha} m_a\, g_\varepsilon(t - t_a)\Bigr|\,dt

        Parameters
        ----------
        eps : :math:`\varepsilon`, the *variance* of the Gaussian, positive.

        Returns
        -------
        float
            At most `norm`, and rising to it as eps falls; each direction by `LineMeasure.mollified_norm`, and as
            accurate. Along the sphere nothing is smoothed.

        Examples
        --------
        >>> import ridgesplines as rs
        >>> hat = rs.RidgeSpline([[0.6, 0.8]] * 3, [-1.0, 0.0, 1.0], [1.0, -2.0, 1.0])
        >>> measure = rs.radon.radon_measure(hat)
        >>> [round(measure.mollified_norm(eps), 3) for eps in (1.0, 0.1, 0.01)], measure.norm
        ([0.827, 3.366, 4.0], 4.0)
        """
        directions, which = np.unique(self.directions, axis=0, return_inverse=True)
        lines = (LineMeasure(self.offsets[which == i], self.masses[which == i]) for i in range(len(directions)))
        return sum((line.mollified_norm(eps) for line in lines), 0.0)

    @property
    def n_hyperplanes(self) -> int:
        """A: (alpha, t) and (-alpha, -t) are one hyperplane."""
        return len(self.offsets) // 2


def radon_measure(net: Any, tol: float = 1e-12) -> RadonMeasure:
    r"""The sparsifying transform of a network, (30): an impulse a hyperplane, half of it at each of its two names.

    .. math:: D_t^2 K R f = \sum_k v_k \|w_k\|\,
              \frac{\delta(\cdot - (\tilde w_k, \tilde b_k)) + \delta(\cdot + (\tilde w_k, \tilde b_k))}{2}, \qquad
              \tilde w = w / \|w\|,\ \tilde b = b / \|w\|

    Parameters
    ----------
    net : a :class:`ridgesplines.RidgeSpline`; d = 1 and vector outputs included.
    tol : unit weights that differ by no more than this up to sign, and biases by no more than this relative to their
        size, are one hyperplane: what rounding makes different.

    Returns
    -------
    RadonMeasure
        Its norm is the seminorm :math:`\sum_k |v_k| \|w_k\|` where no two neurons share a hyperplane, or those that do
        have amplitudes of one sign (for D outputs: parallel). Otherwise it is smaller: there neurons cancel in part, up
        to an affine function, and f has a representation of smaller seminorm.

    Raises
    ------
    ProblemError
        For what is no network, or a tol that is not between 0 and 1.

    Notes
    -----
    Neurons of one direction are one ridge function, :math:`g(w^T x)`, and what stands above the line of offsets of that
    direction is :math:`D^2 g`, split in two: the transform extracts the univariate function and sparsifies that (Insert
    IN2). The affine part is annihilated.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[3.0, 4.0]], [5.0], [2.0])
    >>> measure = rs.radon.radon_measure(net)
    >>> measure.directions.tolist(), measure.offsets.tolist(), measure.masses.tolist()
    ([[0.6, 0.8], [-0.6, -0.8]], [1.0, -1.0], [5.0, 5.0])
    >>> measure.norm == net.seminorm
    True
    >>> mirrored = rs.RidgeSpline([[3.0, 4.0], [-3.0, -4.0]], [5.0, -5.0], [2.0, -2.0])  # an affine function
    >>> rs.radon.radon_measure(mirrored).norm, mirrored.seminorm
    (0.0, 20.0)
    """
    ridges = require_network(net).ridges(tol)
    lines = [second_derivative(ridge.profile, tol) for ridge in ridges]
    rows = [np.tile(r.direction, (len(line.sites), 1)) for r, line in zip(ridges, lines, strict=True)]
    W = np.concatenate([np.empty((0, net.n_features)), *rows])
    b = np.concatenate([np.empty(0), *(line.sites for line in lines)])
    half = np.concatenate([np.empty((0, *net.amplitudes.shape[1:])), *(line.masses for line in lines)]) / 2.0
    return RadonMeasure(*(frozen(np.concatenate(pair)) for pair in ((W, -W), (b, -b), (half, half))))
