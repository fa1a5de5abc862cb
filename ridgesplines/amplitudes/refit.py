"""The optimum on given neurons, from an approximate one: which of them leave, and the dual vector."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.design import Design, dense_design, design, fitted
from ridgesplines.amplitudes.extreme_points import extreme_point
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.amplitudes.newton import Face, descend
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


class Refit(NamedTuple):
    """The optimum on given neurons.

    Attributes
    ----------
    network : without the neurons of amplitude zero.
    dual : its dual vector.
    kept : indices of the neurons that stay in the working set.
    amplitudes : theirs.
    """

    network: RidgeSpline
    dual: Array
    kept: Array
    amplitudes: Array


def newton_refit(problem: Problem, W: Array, b: Array, amplitudes: Array, fit: Array) -> Refit | None:
    """A smooth loss: Newton's method on the face, from which neurons leave. See `Refit`."""
    kept = np.arange(len(b))
    if problem.n_features > 1 or not isinstance(problem.activation, ReLU):
        # Dependent columns first: their face has no unique optimum.
        kept, amplitudes = extreme_point(problem, W, b, amplitudes)
    signs = np.sign(amplitudes) if amplitudes.ndim == 1 else None
    net = fitted(problem, W[kept], b[kept], amplitudes, fit)
    matrices, start = design(problem, W[kept], b[kept])
    theta = start(net)
    while True:
        theta, gone, converged = descend(Face(problem, matrices.basis, matrices.kinks, signs), theta)
        if converged or not gone.any():
            break
        kept = kept[~gone]
        signs = None if signs is None else signs[~gone]
        matrices, theta = _without(problem, matrices, theta, gone)
    z = matrices.basis @ theta
    u = dual_of_fit(problem, z)
    return Refit(matrices.read(theta), u, kept, matrices.kinks @ theta)


def _without(problem: Problem, old: Design, theta: Array, gone: Array) -> tuple[Design, Array]:
    """The finite problem without some neurons, at the same point."""
    if not sparse.issparse(old.basis):
        stays = np.concatenate([~gone, np.ones(old.basis.shape[1] - len(gone), dtype=bool)])
        return dense_design(problem, old.weights[~gone], old.biases[~gone], old.basis[:, stays]), theta[stays]
    new, _ = design(problem, old.weights[~gone], old.biases[~gone])
    if not gone.all():
        return new, theta[np.concatenate([[True], ~gone, [True]])]
    return new, new.basis.T @ (old.basis @ theta)


def vertex_refit(problem: Problem, W: Array, b: Array, amplitudes: Array, fit: Array) -> Refit | None:
    """A piecewise-linear loss: a vertex of the linear program, whose zeros are exact. See `Refit`."""
    matrices, _ = design(problem, W, b)
    answer = linear_program(problem, matrices, nearby=fit)
    if answer is None:
        return None
    theta, values, u = answer
    gone = values == 0.0
    matrices, theta = _without(problem, matrices, theta, gone)
    # Neurons at zero stay in the working set: without them the next multipliers could ask for them again, forever.
    return Refit(matrices.read(theta), u, np.arange(len(b)), values)
