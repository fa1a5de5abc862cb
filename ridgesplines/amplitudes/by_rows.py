r"""Sums over rows in blocks, for networks that are sent to them: values, gradients and Gram matrices.

A network is a `Point`: :math:`z(x) = \sum_k \tfrac12 \sigma_k |\theta_k^T \bar x| + \beta^T q(x)` with
:math:`\bar x = (x, -1)`, :math:`\theta_k = |a_k| (w_k, b_k)` and q the orthonormal affine functions;
:math:`\tfrac12 |t|` is :math:`\rho(t)` up to an affine function. O(n K d) a block, in pieces that stay in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ridgesplines.amplitudes.newton import weighted_curvature
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.working_set import Neurons, blocks
from ridgesplines.rows import Block
from ridgesplines.rows.affine import Affine
from ridgesplines.validation import Array

#: Entries of a piece of distances: it stays in the cache.
PIECE_ENTRIES = 2**17


@dataclass(frozen=True, eq=False)
class Point:
    """A network in the coordinates of the sums: theta (K, d + 1), signs (K,), beta (r,) of the affine functions."""

    theta: Array
    signs: Array
    beta: Array
    affine: Affine

    @classmethod
    def of_network(cls, net: RidgeSpline, affine: Affine) -> Point:
        """A network of scalar values."""
        neurons = Neurons.of_network(net)
        theta, signs = neurons.theta, neurons.signs
        middle = 0.5 * signs @ theta
        return cls(theta, signs, affine.coefficients(net.slope + middle[:-1], float(net.offset) - middle[-1]), affine)

    @property
    def network(self) -> RidgeSpline:
        neurons, c, middle = self.neurons, self.affine.matrix @ self.beta, 0.5 * self.signs @ self.theta
        return RidgeSpline(neurons.W, neurons.b, neurons.amplitudes, c[:-1] - middle[:-1], c[-1] + middle[-1])

    @property
    def neurons(self) -> Neurons:
        return Neurons.from_theta(self.theta, self.signs)

    @property
    def norm(self) -> float:
        """The seminorm."""
        return float(np.linalg.norm(self.theta[:, :-1], axis=1).sum())

    def at(self, X: Array) -> Array:
        """Its values at the rows of X, (n,)."""
        z = self.affine.at(X) @ self.beta
        for piece in blocks(len(X), len(self.signs), PIECE_ENTRIES):
            z[piece] += 0.5 * (np.abs(distances(X[piece], self.theta)) @ self.signs)
        return z


def distances(X: Array, theta: Array) -> Array:
    """theta^T (x, -1), shape (n, K)."""
    return X @ theta[:, :-1].T - theta[:, -1]


class Descent(NamedTuple):
    """The data fit of a point, and its gradient along theta (K, d + 1) and beta (r,)."""

    value: float
    theta: Array
    beta: Array


def descent_of(block: Block, loss: Loss, point: Point) -> Descent:
    """A block's part of the data fit and of its gradient."""
    total = Descent(0.0, np.zeros(point.theta.shape), np.zeros(point.beta.shape))
    sums, beta, value = total.theta, total.beta, 0.0
    for piece in blocks(len(block.X), len(point.signs) or 1, PIECE_ENTRIES):
        X, y, weight = block.X[piece], block.y[piece], block.weight[piece]
        t, Q = distances(X, point.theta), point.affine.at(X)
        z = 0.5 * (np.abs(t) @ point.signs) + Q @ point.beta
        pull = weight * loss.gradient(y, z)
        sides = np.copysign(1.0, t, out=t)
        sums[:, :-1] += sides.T @ (pull[:, None] * X)
        sums[:, -1] -= pull @ sides
        beta += pull @ Q
        value += float(weight @ loss.value(y, z))
    return Descent(value, 0.5 * point.signs[:, None] * sums, beta)


class Parabola(NamedTuple):
    """The data fit of amplitudes and beta to second order: value, gradient (K + r,), and Hessian."""

    value: float
    gradient: Array
    hessian: Array


def parabola_of(block: Block, loss: Loss, unit: Point, coefficients: Array, steady: bool) -> Parabola:
    """A block's part of the model about `coefficients` (K + r,): sizes of given neurons, and beta.

    The curvature is that of the loss, or of a parabola above it if `steady`.

    Parameters
    ----------
    unit : the neurons with amplitudes of size one.
    """
    width = len(coefficients)
    value, gradient, hessian = 0.0, np.zeros(width), np.zeros((width, width))
    for piece in blocks(len(block.X), width, PIECE_ENTRIES):
        X, y, weight = block.X[piece], block.y[piece], block.weight[piece]
        B = np.hstack([0.5 * np.abs(distances(X, unit.theta)) * unit.signs, unit.affine.at(X)])
        z = B @ coefficients
        gradient += (weight * loss.gradient(y, z)) @ B
        hessian += B.T @ (weighted_curvature(loss, y, z, weight, steady)[:, None] * B)
        value += float(weight @ loss.value(y, z))
    return Parabola(value, gradient, hessian)


def value_of(block: Block, loss: Loss, point: Point) -> float:
    """A block's part of the data fit."""
    return float(block.weight @ loss.value(block.y, point.at(block.X)))
