r"""A finite problem: K given neurons and the null space, for ReLU the affine functions.

With unknowns :math:`\theta` the fit is :math:`z = B\theta` and the amplitudes are :math:`a = C\theta`:

.. math:: \min_\theta \; \sum_n s_n L(y_n, (B\theta)_n) + \lambda \sum_k \|(C\theta)_k\|

In one dimension :math:`\theta` holds the spline's values at its knots and ends, B is the sparse matrix of hat
functions and C that of slope changes; in more dimensions, and for other activations than ReLU, :math:`\theta` holds
amplitudes and the coefficients of an orthonormal basis of the null space, and B is dense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ridgesplines.activations.relu import ReLU
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.polynomials import least_squares
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Design:
    """The matrices B (n, P) and C (K, P), and how to read a solution back.

    Attributes
    ----------
    basis : B, dense or sparse.
    kinks : C, sparse.
    weights, biases : the K neurons.
    read : theta -> the network.
    """

    basis: Any
    kinks: Any
    weights: Array
    biases: Array
    read: Callable[[Array], RidgeSpline]


def design(problem: Problem, weights: Array, biases: Array) -> tuple[Design, Callable[[RidgeSpline], Array]]:
    """The finite problem on these neurons, and a map from networks on them to theta."""
    if problem.n_features == 1 and len(biases) and isinstance(problem.activation, ReLU) and not problem.slope_penalty:
        return _hats(problem, biases * weights[:, 0])
    return _dense(problem, weights, biases)


def _hats(problem: Problem, knots: Array) -> tuple[Design, Callable[[RidgeSpline], Array]]:
    x = problem.X[:, 0]
    knots = np.unique(knots)
    t = np.concatenate([[x.min()], knots, [x.max()]])
    h = np.diff(t)
    basis, kinks = hat_values(t, x), slope_changes(t)
    weights = np.ones((len(knots), 1))

    def read(theta: Array) -> RidgeSpline:
        # Slope changes from slopes: the kinks as the solver sees them.
        slopes = (np.diff(theta, axis=0).T / h).T
        return RidgeSpline(
            weights,
            knots,
            np.diff(slopes, axis=0),
            slopes[:1].reshape(1, *theta.shape[1:]),
            theta[0] - slopes[0] * t[0],
        )

    return Design(basis, kinks, weights, knots, read), lambda net: net(t)


def hat_values(t: Array, x: Array) -> Any:
    """The sparse matrix from values at the nodes t to those at x of the linear spline through them, affine beyond."""
    h = np.diff(t)
    piece = np.clip(np.searchsorted(t, x, side="right") - 1, 0, len(h) - 1)
    share = (x - t[piece]) / h[piece]
    row = np.arange(len(x))
    return sparse.csr_array(
        (np.concatenate([1.0 - share, share]), (np.tile(row, 2), np.concatenate([piece, piece + 1]))),
        shape=(len(x), len(t)),
    )


def slope_changes(t: Array) -> Any:
    """The sparse matrix from values at the nodes t to the changes of slope at all but the first and the last."""
    h = np.diff(t)
    bands = [1.0 / h[:-1], -1.0 / h[:-1] - 1.0 / h[1:], 1.0 / h[1:]]
    return sparse.diags_array(bands, offsets=[0, 1, 2], shape=(len(t) - 2, len(t))).tocsr()


def _dense(problem: Problem, weights: Array, biases: Array) -> tuple[Design, Callable[[RidgeSpline], Array]]:
    Q = problem.null_space
    basis = np.hstack([project(Q, problem.activation.value(problem.X @ weights.T - biases)), Q])

    def start(net: RidgeSpline) -> Array:
        return np.concatenate([net.amplitudes, Q.T @ net(problem.X)])

    return dense_design(problem, weights, biases, basis), start


def dense_design(problem: Problem, weights: Array, biases: Array, basis: Array) -> Design:
    """The finite problem whose basis, a column a neuron and then those of the null space, is known."""
    kinks = sparse.eye_array(len(biases), basis.shape[1]).tocsr()

    def read(theta: Array) -> RidgeSpline:
        return fitted(problem, weights, biases, theta[: len(biases)], basis @ theta)

    return Design(basis, kinks, weights, biases, read)


def fitted(problem: Problem, weights: Array, biases: Array, amplitudes: Array, fit: Array) -> RidgeSpline:
    """The network with these neurons whose part in the null space comes nearest to the fit, values at the data."""
    slope = np.zeros((problem.n_features, *amplitudes.shape[1:]))
    hidden = RidgeSpline(weights, biases, amplitudes, slope, activation=problem.activation)
    if not problem.skip:
        return hidden
    slope, offset, polynomial = least_squares(problem.X, fit - hidden(problem.X), problem.activation.degree)
    return hidden.changed(slope=slope, offset=offset, polynomial=polynomial)


def fitted_alone(problem: Problem, fit: Array) -> RidgeSpline:
    """The function in the null space that comes nearest to the fit, a network without neurons."""
    empty = np.empty((0, problem.n_features)), np.empty(0), np.empty((0, *fit.shape[1:]))
    return fitted(problem, *empty, fit)


def project(Q: Array, columns: Array) -> Array:
    """The part of the columns that is orthogonal to the orthonormal basis Q; twice is enough for rounding."""
    for _ in range(2):
        columns = columns - Q @ (Q.T @ columns)
    return columns
