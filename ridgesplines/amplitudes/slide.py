r"""Neurons slide: a Newton step of all weights, biases and amplitudes together, on the faces where neurons touch data.

Most hyperplanes of the optimal neurons pass through data points. There the objective has a kink, along it it is smooth:
see :mod:`ridgesplines.amplitudes.faces`, whose :math:`\theta = |a| (w, b) = T c` are the unknowns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ridgesplines.amplitudes.columns import Columns
from ridgesplines.amplitudes.faces import face_columns, faces
from ridgesplines.amplitudes.master import Model, gram
from ridgesplines.amplitudes.newton import damped_solve
from ridgesplines.neurons.working_set import Neurons, blocks, sides
from ridgesplines.objective import dual_of_fit, slope_pull
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Unknowns of one step, at most; beyond, the smallest neurons only change their amplitude.
MAX_UNKNOWNS = 2500
#: Entries of the matrix of a step with vector outputs, beyond which neurons do not slide.
MAX_ENTRIES = 4e7
#: Added to the Hessian's diagonal, relative to its mean: where many neurons bend freely it is nearly singular.
DAMPINGS = (0.0, 1e-2)
#: A step that promises less, relative to the penalty, is not taken.
PROGRESS_RTOL = 1e-15


def slid(problem: Problem, neurons: Neurons, z: Array) -> Iterator[list[Neurons]]:
    """The neurons after Newton steps, each more damped than the one before: the first that descends is to be taken.

    Two answers a step: each neuron up to the first point that it crosses, and each all the way; one where none crosses
    any. Nothing where a step promises nothing, or where vector outputs would need too large a matrix.
    """
    X = problem.X
    size, theta = neurons.sizes, neurons.theta
    signs = sides(X, neurons.W, neurons.b)
    bases = faces(X, signs, theta, size, MAX_UNKNOWNS, problem.interactions, through_origin=problem.through_origin)
    width = np.array([T.shape[1] for T in bases])
    T, owner = np.hstack(bases), np.repeat(np.arange(len(size)), width)
    along = np.einsum("ip,pi->p", T[:-1], neurons.W[owner])  # T_w^T w of each unknown
    bend = bend_of_seminorm(T[:-1], along, owner, problem.lam / size)
    if problem.n_outputs is None:
        columns = face_columns(problem, signs > 0, T, owner, neurons.signs)
        H, g = scalar_model(problem, z, columns, problem.lam * along, bend)
    else:
        if (T.shape[1] + problem.rank * z.shape[1]) * z.size > MAX_ENTRIES:
            return
        moved = (signs > 0)[owner].T * (X @ T[:-1] - T[-1])
        H, g = outputs_model(problem, z, moved, neurons.signs[owner], along, bend)
    for damping in DAMPINGS:
        step = -damped_solve(H + damping * np.trace(H) / len(g) * np.eye(len(g)), g)
        if -(g @ step) <= PROGRESS_RTOL * problem.lam * size.sum():
            return
        step = np.add.reduceat((T * step[: len(owner)]).T, np.cumsum(width) - width)
        t = np.minimum(room(X, signs, theta, step), 1.0)[:, None]
        lengths = (t,) if (t == 1.0).all() else (t, 1.0)
        yield [moved_by(neurons, theta + length * step) for length in lengths]


def scalar_model(problem: Problem, z: Array, columns: Columns, gradient: Array, bend: Array) -> tuple[Array, Array]:
    """Hessian and gradient, the functions that are free eliminated; `gradient` and `bend` are those of the penalty."""
    model = Model.at(problem, columns.Q, z)
    own, cross = gram(problem, columns, model.curvature)
    return model.reduced(columns.Q, own + bend, cross, columns.transposed(model.gradient) + gradient)


def outputs_model(
    problem: Problem, z: Array, moved: Array, units: Array, along: Array, bend: Array
) -> tuple[Array, Array]:
    """The same for vector outputs, the affine part last; each amplitude keeps its direction, a row of units (P, D)."""
    Q, (n, D) = problem.null_space, z.shape
    affine = np.einsum("nr,ij->nirj", Q, np.eye(D)).reshape(n, D, -1)
    J = np.concatenate([moved[:, None, :] * units.T, affine], axis=2)
    curvature = problem.loss.curvature(problem.y, z) * problem.sample_weight[:, None, None]
    H = np.tensordot(J, curvature @ J, axes=([0, 1], [0, 1]))
    P = len(along)
    H[:P, :P] += bend
    if problem.slope_penalty:
        G = np.einsum("nc,nip->cip", problem.slopes, J).reshape(-1, J.shape[2])
        H += problem.slope_penalty * (G.T @ G)
    gradient = np.einsum("nip,ni->p", J, slope_pull(problem, z) - dual_of_fit(problem, z))
    gradient[:P] += problem.lam * along
    return H, gradient


def bend_of_seminorm(T: Array, along: Array, owner: Array, scale: Array) -> Array:
    """The second derivative of lam times the seminorm: block diagonal."""
    H = np.zeros((len(owner), len(owner)))
    ends = np.cumsum(np.bincount(owner))
    for k, (i, j) in enumerate(zip(np.concatenate([[0], ends[:-1]]), ends, strict=True)):
        H[i:j, i:j] = scale[k] * (T[:, i:j].T @ T[:, i:j] - np.outer(along[i:j], along[i:j]))
    return H


def room(X: Array, signs: Array, theta: Array, step: Array) -> Array:
    """The part of its step that each neuron can take before it crosses a point that it does not touch."""
    room = np.full(len(theta), np.inf)
    for rows in blocks(len(X), 2 * len(theta)):
        h = theta[:, :-1] @ X[rows].T - theta[:, -1:]
        dh = step[:, :-1] @ X[rows].T - step[:, -1:]
        nearer = (signs[:, rows] != 0) & (h * dh < 0.0)
        t = np.divide(-h, dh, out=np.full_like(h, np.inf), where=nearer)
        room = np.minimum(room, t.min(axis=1, initial=np.inf))
    return room


def moved_by(old: Neurons, theta: Array) -> Neurons:
    """The neurons of parameters |a| (w, b), without those that have turned around."""
    kept = np.einsum("kd,kd->k", theta[:, :-1], old.W) > 0.0
    return Neurons.from_theta(theta[kept], old.signs[kept])
