"""What neurons do on data: which of them bend, and the few directions that all of them look in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.validation import Array

#: Roundings of a pre-activation within which it counts as zero: knots lie at data.
ROUNDINGS = 8.0
#: Singular values up to this share of the largest count as zero.
RANK_RTOL = 1e-9


@dataclass(frozen=True, eq=False)
class Activity:
    """The rows at which each neuron of a network is active, :math:`w_k^T x_n > b_k`.

    Attributes
    ----------
    counts : how many rows activate each neuron, shape (K,).
    inactive : how many rows lie strictly on the other side of its hyperplane, shape (K,).
    n_samples : N.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0], [1.0], [1.0]], [0.5, 7.0, -7.0], [1.0, 1.0, 1.0])
    >>> net.activity([0.0, 1.0, 2.0])
    1 of 3 neurons bend among the data, 1 dead, 1 always active
    """

    counts: Array
    inactive: Array
    n_samples: int

    @property
    def dead(self) -> Array:
        """Whether a neuron is zero at all rows, shape (K,)."""
        return self.counts == 0

    @property
    def always(self) -> Array:
        """Whether a neuron is affine on the rows, active or at its bend at all of them, shape (K,)."""
        return (self.inactive == 0) & ~self.dead

    @property
    def n_dead(self) -> int:
        """The number of dead neurons: they cost seminorm, and change f only away from the data."""
        return int(self.dead.sum())

    @property
    def n_always(self) -> int:
        """The number of always active neurons: at the data the affine part could do their work free of charge."""
        return int(self.always.sum())

    def __str__(self) -> str:
        bent = len(self.counts) - self.n_dead - self.n_always
        rest = f"{self.n_dead} dead, {self.n_always} always active"
        return f"{bent} of {len(self.counts)} neurons bend among the data, {rest}"

    __repr__ = __str__


def activity(net: RidgeSpline, X: Array) -> Activity:
    """The rows of X, numbers of shape (N, d), at which each neuron is active; see `RidgeSpline.activity`."""
    net.require_relu("activity")
    points = X[:, None] if X.ndim == 1 else X
    active, inactive = np.zeros(net.n_neurons, dtype=int), np.zeros(net.n_neurons, dtype=int)
    step = max(1, 2**22 // max(1, net.n_neurons))
    for i in range(0, len(points), step):
        block = points[i : i + step]
        t = block @ net.weights.T - net.biases
        rounding = ROUNDINGS * np.finfo(float).eps * (np.abs(block) @ np.abs(net.weights.T) + np.abs(net.biases))
        active += (t > rounding).sum(axis=0)
        inactive += (t < -rounding).sum(axis=0)
    return Activity(active, inactive, len(points))


@dataclass(frozen=True, eq=False)
class ActiveSubspace:
    r"""The directions in which a network bends: :math:`f(x) = g(Q_r^T x) + c^T x`.

    Attributes
    ----------
    directions : the rows :math:`q_1, q_2, \dots`, orthonormal, shape (min(K, d), d); signs are arbitrary.
    singular_values : :math:`s_1 \ge s_2 \ge \dots \ge 0`, shape (min(K, d),).

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0, 0.0], [-1.0, 0.0]], [0.0, 1.0], [3.0, 4.0])
    >>> net.active_subspace().rank, net.active_subspace().singular_values.tolist()
    (1, [5.0, 0.0])
    """

    directions: Array
    singular_values: Array

    @property
    def rank(self) -> int:
        """r, the number of singular values above 1e-9 of the first."""
        s = self.singular_values
        return int((s > RANK_RTOL * s.max(initial=0.0)).sum())

    @property
    def shares(self) -> Array:
        r""":math:`s_i^2 / \sum_j s_j^2`: the part of :math:`\sum_k \|v_k\|^2` along each direction."""
        squares = self.singular_values**2
        return squares / squares.sum() if squares.any() else squares


def active_subspace(net: RidgeSpline) -> ActiveSubspace:
    """See `RidgeSpline.active_subspace`."""
    _, s, Q = np.linalg.svd(group_norms(net.amplitudes)[:, None] * net.weights, full_matrices=False)
    return ActiveSubspace(Q, s)
