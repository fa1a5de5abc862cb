r"""The functions that units of a second hidden layer see: the unit ball of a norm of ridge splines, modulo constants.

.. math:: \|g\|_\circ = \sum_k |a_k| \|w_k\|_2 + \sum_{i=1}^d |g(e_i) - g(0)|,
          \qquad g(x) = \sum_k a_k\, \rho(w_k^T x - b_k) + c^T x + c_0

Less its affine interpolant at the corners 0, :math:`e_1, \dots, e_d` a neuron vanishes there:
:math:`\varphi_{w,b} = \rho(w^T \cdot - b) - \ell_{w,b}`. In these the norm is that of the coefficients: the ball is
the closed convex hull of :math:`\pm\varphi_{w,b}` for :math:`\|w\|_2 = 1` and :math:`\pm x_i`, plus the constants,
which are free as biases are.

So the maximum over the ball of a linear functional :math:`\sum_n c_n g(x_n)` with :math:`\sum_n c_n = 0` is the larger
of all :math:`|\sum_n c_n x_{ni}|` and :math:`|\sum_n c_n \varphi_{w,b}(x_n)|`. The latter is :math:`|\eta|` of the data
with the corners, whose weights make c orthogonal to all affine functions: what the oracles of one hidden layer find.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle import continuum_oracle
from ridgesplines.oracle.base import Supremum
from ridgesplines.problem.corners import unit_corners
from ridgesplines.validation import Array


def size(network: RidgeSpline) -> float:
    r""":math:`\|g\|_\circ`, of several outputs the sum."""
    at = network.at(unit_corners(network.n_features).points)
    return float(np.abs(network.amplitudes).sum() + np.abs(at[1:] - at[0]).sum())


def norm(network: RidgeSpline) -> float:
    r""":math:`\|g\| = \|g\|_\circ + |g(0)|`, of several outputs the sum."""
    return size(network) + float(np.abs(network.at(np.zeros((1, network.n_features)))).sum())


class Ball:
    """The ball on data X (N, d)."""

    def __init__(self, X: Array, seed: int) -> None:
        self.X, self._corners = X, unit_corners(X.shape[1]).points
        self._oracle = continuum_oracle(np.vstack([X, self._corners]), seed=seed)

    @property
    def linear(self) -> Array:
        """The features at the data, less their means, (N, d)."""
        return self.X - self.X.mean(axis=0)

    def columns(self, W: Array, b: Array) -> Array:
        r""":math:`\varphi_{w,b}` at the data, less its mean, (N, K)."""
        at = np.maximum(self._corners @ W.T - b, 0.0)
        values = np.maximum(self.X @ W.T - b, 0.0) - self.X @ (at[1:] - at[0])
        return values - values.mean(axis=0)

    def largest(self, c: Array, level: float) -> Supremum:
        r"""The neurons of large :math:`|\sum_n c_n \varphi_{w,b}(x_n)|`, above a level if any are; the c sum to 0."""
        moments = c @ self.X
        return self._oracle(np.concatenate([c, [moments.sum() - c.sum()], -moments]), level)

    def function(self, W: Array, b: Array, amounts: Array, mean: float) -> RidgeSpline:
        r"""g of these amounts (d + K,) of the features and of :math:`\varphi`, and of this mean at the data."""
        d = self.X.shape[1]
        at = np.maximum(self._corners @ W.T - b, 0.0)
        g = RidgeSpline(W, b, amounts[d:], amounts[:d] - (at[1:] - at[0]) @ amounts[d:])
        return g.changed(offset=mean - float(g.at(self.X).mean()))
