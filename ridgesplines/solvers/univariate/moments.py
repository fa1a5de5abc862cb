r"""The quadratic program of a spline, reduced to its knots: 2 x 2 moments of the hat functions.

For sites :math:`t_j` with curvatures :math:`H_j \ge 0` and targets :math:`b_j`, and any set of nodes among the sites,

.. math:: \tfrac12 \sum_j H_j z_j^2 - \sum_j b_j z_j = \tfrac12 \theta^T G \theta - r^T \theta

where :math:`\theta` holds the values of the spline at the nodes. Between neighbouring nodes only their two hat
functions are nonzero, so that G is tridiagonal, a sum of one 2 x 2 matrix an interval. A hat function on few nodes is a
combination of those on more: coarse moments come from fine ones, without going back to the sites, and without
subtracting large sums of each other.

For D outputs the values at a node are a vector. Their curvature is one number, or, for losses that couple the outputs,
a D x D matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.line import kernels
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Moments:
    """Moments on the intervals between nodes.

    Attributes
    ----------
    t : the nodes, increasing, shape (c,).
    grams : the entries (0, 0), (0, 1), (1, 1) of the 2 x 2 matrices, shape (3, c - 1) or (3, c - 1, D, D).
    loads : the two entries of the linear part, shape (2, c - 1) or (2, c - 1, D).
    """

    t: Array
    grams: Array
    loads: Array

    @classmethod
    def at(cls, t: Array, curvature: Array, target: Array, nodes: Array, first: Array) -> Moments:
        """Moments of sorted points t on the nodes; see `kernels` for `first`."""
        return cls(nodes, *kernels.moments(t, curvature, target, nodes, first))

    def on(self, nodes: Array) -> Moments:
        """The moments on some of the nodes, among them the first and the last."""
        if len(nodes) == len(self.t):
            return self
        return Moments(self.t[nodes], *kernels.coarser(self.t, self.grams, self.loads, nodes))

    @property
    def bands(self) -> tuple[Array, Array]:
        """The diagonal of G and the one beside it."""
        diagonal = np.zeros((len(self.t), *self.grams.shape[2:]))
        diagonal[:-1] = self.grams[0]
        diagonal[1:] += self.grams[2]
        return diagonal, self.grams[1]

    @property
    def load(self) -> Array:
        """r, shape (c,) or (c, D)."""
        r = np.zeros((len(self.t), *self.loads.shape[2:]))
        r[:-1] = self.loads[0]
        r[1:] += self.loads[1]
        return r

    def residual(self, theta: Array) -> Array:
        """r - G theta, like theta: what is left of the dual vector, tested with each hat function."""
        return kernels.residual(self.grams, self.loads, theta)


def kinks(t: Array, theta: Array) -> Array:
    """The changes of slope at the inner nodes, shape (c - 2,) or (c - 2, D)."""
    slopes = ((theta[1:] - theta[:-1]).T / (t[1:] - t[:-1])).T  # np.diff takes longer where there are few
    return slopes[1:] - slopes[:-1]
