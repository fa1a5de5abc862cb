r"""The master problem: the best amplitudes of given neurons where f must be monotone in some features.

.. math:: \min_{a, t, \gamma \ge 0,\, \beta} \; \sum_n s_n L(y_n, z_n)
          + \lambda \Big(\sum_k a_k + 2 \sum_i t_i\Big), \qquad z = \Phi a + \Psi t + \sum_j \gamma_j s_j x_j + Q\beta

with the columns of :mod:`ridgesplines.certificate.monotone`, and Q a basis of 1 and the other features. Smooth losses
by Newton's method over nonnegative least squares; losses of two linear pieces by a linear program, whose multipliers
are the dual vector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from ridgesplines.amplitudes.columns import AFFINE, Columns
from ridgesplines.amplitudes.design import project
from ridgesplines.amplitudes.master import amplitudes
from ridgesplines.certificate.monotone import signs_of
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.strips import Strips
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.numerics.polynomials import affine_least_squares
from ridgesplines.objective import dual_of_fit, objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class MonotoneFit:
    """Neurons, strips, the slopes gamma (d,) beyond them, the fit, its dual vector, and the objective."""

    neurons: Neurons
    strips: Strips
    slopes: Array
    z: Array
    u: Array
    objective: float

    @property
    def alive(self) -> Neurons:
        """The neurons of positive amplitude."""
        return self.neurons.take(self.neurons.sizes > 0.0)

    def network(self, problem: Problem) -> RidgeSpline:
        """The network, each neuron turned the way in which it takes least of the slopes."""
        signs, X, neurons = signs_of(problem), problem.X, self.neurons
        middle = signs * self.slopes + 0.5 * signs * (neurons.sizes @ np.abs(neurons.W))
        W, b, v = _together(neurons, self.strips, signs)
        turn = np.where((v[:, None] * W) @ signs < 0.0, -1.0, 1.0)
        W, b = turn[:, None] * W, turn * b
        slope = np.where(signs == 0.0, 0.0, middle - 0.5 * (v @ W))
        held = RidgeSpline(W, b, v, slope)
        free, offset = affine_least_squares(np.where(signs == 0.0, X, 0.0), self.z - held(X))
        return held.changed(slope=np.where(signs == 0.0, free, slope), offset=offset)


def _together(neurons: Neurons, strips: Strips, signs: Array) -> tuple[Array, Array, Array]:
    """Weights, biases and amplitudes of all neurons, the ends of strips among them; equal ones are one."""
    rises = signs[strips.features] * strips.sizes
    ends = np.eye(len(signs))[strips.features]
    W = np.concatenate([neurons.W, ends, ends])
    b = np.concatenate([neurons.b, strips.low, strips.high])
    v = np.concatenate([neurons.amplitudes, rises, -rises])
    _, first, which = np.unique(np.column_stack([W, b]), axis=0, return_index=True, return_inverse=True)
    v = np.bincount(which.ravel(), v, len(first))
    return W[first][v != 0.0], b[first][v != 0.0], v[v != 0.0]


def alone(problem: Problem) -> MonotoneFit:
    """No neurons."""
    neurons = Neurons(np.empty((0, problem.n_features)), np.empty(0), np.empty(0), np.empty(0))
    zero = np.zeros_like(problem.y)
    z = zero + problem.loss.shift(problem.y, zero, problem.sample_weight)
    return MonotoneFit(neurons, Strips.none(), np.zeros(problem.n_features), z, zero, np.inf)


def refit(problem: Problem, fit: MonotoneFit) -> MonotoneFit | None:
    """The best amplitudes and slopes, from a fit nearby; None if that fails.

    For smooth losses what has the amplitude zero leaves.
    """
    held = held_features(problem)
    columns, ends = _columns(problem, fit, held), np.cumsum([len(fit.neurons), len(fit.strips)])
    prices = np.repeat([1.0, 2.0, 0.0], [len(fit.neurons), len(fit.strips), len(held)])
    if problem.loss.smooth:
        start = np.concatenate([fit.neurons.sizes, fit.strips.sizes, fit.slopes[held]])
        a, _, z = amplitudes(problem, columns, start, columns.Q.T @ fit.z, prices)
        u = dual_of_fit(problem, z)
    else:
        answer = _linear_program(problem, columns, prices)
        if answer is None:
            return None
        a, z, u = answer
    of_neurons, of_strips, gamma = np.split(a, ends)
    slopes = np.zeros(problem.n_features)
    slopes[held] = gamma
    neurons, strips = replace(fit.neurons, sizes=of_neurons), replace(fit.strips, sizes=of_strips)
    if problem.loss.smooth:  # multipliers of a linear program could ask for them again, forever
        neurons, strips = neurons.take(of_neurons > 0.0), strips.take(of_strips > 0.0)
    return MonotoneFit(neurons, strips, slopes, z, u, objective_of_fit(problem, z, float(prices @ a)))


def held_features(problem: Problem) -> NDArray[np.intp]:
    """The features that must be monotone and are no combination of the others, up to rounding."""
    held = np.flatnonzero(signs_of(problem))
    off = project(problem.free_space, problem.X[:, held])
    return held[np.sqrt((off**2).mean(axis=0)) > AFFINE]


def _columns(problem: Problem, fit: MonotoneFit, held: NDArray[np.intp]) -> Columns:
    """phi, psi and s_j x_j at the data, orthogonal to the free functions."""
    neurons, strips, signs, X = fit.neurons, fit.strips, signs_of(problem), problem.X
    W, b = neurons.W, neurons.b
    slopes = 0.5 * signs[:, None] * np.abs(W.T)

    def make(rows: slice) -> Array:
        bent = 0.5 * neurons.signs * np.abs(X[rows] @ W.T - b) + X[rows] @ slopes
        return np.hstack([bent, strips.columns(X[rows], signs), X[rows][:, held] * signs[held]])

    return Columns(problem.free_space, len(b) + len(strips) + len(held), make)


def _linear_program(problem: Problem, columns: Columns, prices: Array) -> tuple[Array, Array, Array] | None:
    r"""(a, z, u) for a loss :math:`\max_{low \le v \le high} v (centre - z)`; None where the solver fails.

    Unknowns: those of the columns, beta, and the two parts of centre - z, with what they cost.
    """
    form = problem.loss.box(problem.y)
    assert form is not None
    centre, _, low, high = form
    (n, q), s, eye = columns.Q.shape, problem.sample_weight, np.eye(problem.n_samples)
    B = columns.times(np.eye(columns.width))
    cost = np.concatenate([problem.lam * prices, np.zeros(q), s * high, -s * low])
    bounds = [(0.0, None)] * columns.width + [(None, None)] * q + [(0.0, None)] * (2 * n)
    out = linprog(cost, A_eq=np.hstack([B, columns.Q, eye, -eye]), b_eq=centre, bounds=bounds, method="highs")
    if out.status != 0:
        return None
    a, beta = np.maximum(out.x[: columns.width], 0.0), out.x[columns.width : columns.width + q]
    return a, B @ a + columns.Q @ beta, np.asarray(out.eqlin.marginals)
