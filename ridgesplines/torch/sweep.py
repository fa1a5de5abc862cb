"""One output of an inner layer, all else fixed: the convex problem that models it, and a step towards its solution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ridgesplines.amplitudes.atoms import purify_atoms
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.losses.squared import Squared
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

MAX_HALVINGS = 12
#: Rows whose output counts for less than this, relative to the largest, have no target.
FAINT = 1e-10


def model(problem: Problem, layers: Sequence[RidgeSpline], ell: int, i: int) -> Problem | None:
    r"""The second-order model of the objective in :math:`h = f_i^{(\ell)}`, a problem (32) with squared error.

    With J the derivative of the network by h at the data, and g and H gradient and curvature of the loss,
    :math:`g^T J (h - h_0) + \frac12 J^T H J (h - h_0)^2` is squared error with weights :math:`J^T H J / 2` and targets
    :math:`h_0 - g^T J / J^T H J`. None where h counts nowhere.
    """
    inputs = problem.X
    for layer in layers[:ell]:
        inputs = layer(inputs)
    z = layers[ell](inputs)
    own = z[:, i]
    J = np.broadcast_to(np.eye(z.shape[1])[i], z.shape)
    for layer in layers[ell + 1 :]:
        J, z = pushed(layer, z, J), layer(z)
    g, H = problem.loss.gradient(problem.y, z), problem.loss.majorant(problem.y, z)
    if z.ndim == 1:
        slope, bend = g * J, H * J**2
    else:
        slope, bend = (g * J).sum(axis=1), np.einsum("ni,nij,nj->n", J, H, J)
    counts = bend > FAINT * bend.max(initial=0.0)
    if not counts.any():
        return None
    target = own - np.where(counts, slope, 0.0) / np.where(counts, bend, 1.0)
    weight = np.where(counts, bend, 0.0) / 2.0 * problem.sample_weight
    return Problem(inputs, target, problem.lam, Squared(), problem.activation, weight, norm=problem.norm)


def pushed(layer: RidgeSpline, X: Array, direction: Array) -> Array:
    """The derivative of the layer at X in a direction at each row, shape (N,) or (N, D)."""
    rise = layer.activation.derivative(X @ layer.weights.T - layer.biases)
    return (rise * (direction @ layer.weights.T)) @ layer.amplitudes + direction @ layer.slope


def towards(model: Problem, layer: RidgeSpline, i: int, target: RidgeSpline, step: float) -> RidgeSpline:
    """The layer with output i moved to (1 - step) f_i + step target, purified at all data; the others as they are."""
    old, slope, offset = layer.amplitudes.copy(), layer.slope.copy(), np.array(layer.offset)
    mixed = RidgeSpline(
        np.concatenate([layer.weights, target.weights]),
        np.concatenate([layer.biases, target.biases]),
        np.concatenate([(1.0 - step) * old[:, i], step * target.amplitudes]),
        (1.0 - step) * slope[:, i] + step * target.slope,
        (1.0 - step) * offset[i] + step * target.offset,
        activation=layer.activation,
    )
    everywhere = Problem(model.X, model.y, model.lam, activation=layer.activation)  # rows without weight count as well
    own = purify_atoms(everywhere.with_norm(), mixed) if model.norm else purify(everywhere, mixed)
    new = np.zeros((own.n_neurons, layer.amplitudes.shape[1]))
    new[:, i] = own.amplitudes
    old[:, i], slope[:, i], offset[i] = 0.0, own.slope, own.offset
    v = np.concatenate([old, new])
    W, b = np.concatenate([layer.weights, own.weights]), np.concatenate([layer.biases, own.biases])
    used = v.any(axis=1)
    return RidgeSpline(W[used], b[used], v[used], slope, offset, layer.feature_names, layer.activation)
