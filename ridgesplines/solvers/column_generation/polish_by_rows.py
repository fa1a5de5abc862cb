r"""Exact polish over rows in blocks: Newton steps of all neurons through their kinks, a pass a step.

All rows enter as sums, those in a band about each hyperplane one by one: see
:mod:`ridgesplines.amplitudes.band_by_rows`. The step is the minimiser of that model,

.. math:: \min_\Delta\; g^T \Delta + \tfrac12 \Delta^T H \Delta + \sum_{B} c\, |A (\theta + \Delta)|
          \;=\; \max_{|\mu| \le c} \min_\Delta \dots, \qquad \Delta = -H^{-1} (g + A^T \mu),

by bounded least squares: with :math:`H = L L^T` and :math:`M = L^{-1} A^T` the dual problem is
:math:`\min_{|\mu| \le c} \|M \mu - (L^T \theta - L^{-1} g)\|^2`. A row with :math:`|\mu| < c` is one that its neuron
comes to touch: of the optimal neurons most do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.optimize import lsq_linear

from ridgesplines.amplitudes.band_by_rows import Local, joined_locals, local_of
from ridgesplines.amplitudes.by_rows import Point
from ridgesplines.interrupt import check, late
from ridgesplines.problem import Problem
from ridgesplines.rows.data import BlockedData
from ridgesplines.solvers.column_generation.steps_by_rows import MOST_UNKNOWNS, free_unknowns
from ridgesplines.validation import Array

#: Steps, and halvings of one.
STEPS, HALVINGS = 12, 5
#: A step that promises less, relative to the objective, is rounding.
PROGRESS_RTOL = 1e-15
#: Added to the Hessian's diagonal, relative to its mean.
DAMPING = 1e-12
#: Of the bounded least squares: iterations for each row of the band, and progress that is rounding.
ITERATIONS, OPTIMAL = 4, 1e-15


def polished(data: BlockedData, scaled: Problem, point: Point, end: float = np.inf) -> Point:
    """The point after steps of all neurons and the affine part together, signs held, for as long as they descend."""
    free = free_unknowns(point, scaled.interactions)
    if not len(point.signs) or len(free) > MOST_UNKNOWNS:
        return point
    local = _at(data, point)
    for _ in range(STEPS):
        found = _lower(data, scaled, point, local, free, end)
        if found is None and not data.loss.quadratic:  # a parabola above the loss descends
            found = _lower(data, scaled, point, _at(data, point, True), free, end)
        if found is None or late(end):
            break
        point, local = found
    return point


def _lower(
    data: BlockedData, scaled: Problem, point: Point, local: Local, free: NDArray[np.intp], end: float
) -> tuple[Point, Local] | None:
    """Where a step, halved until it descends, leads, and what all rows say there; None where it does not descend."""
    value = local.value + scaled.lam * point.norm
    step, promise = _step(local, scaled.lam, point, free)
    if promise <= PROGRESS_RTOL * abs(value):
        return None
    for halving in range(HALVINGS):
        check()
        if late(end):
            return None
        trial = _moved(point, 0.5**halving * step)
        there = _at(data, trial)
        if there.value + scaled.lam * trial.norm < value:
            return trial, there
    return None


def _at(data: BlockedData, point: Point, steady: bool = False) -> Local:
    """What all rows say near a point: one pass."""
    local: Local = data.blocks.reduce(local_of, data.loss, point, steady, combine=joined_locals)
    return local


def _moved(point: Point, step: Array) -> Point:
    K, p = point.theta.shape
    return replace(point, theta=point.theta + step[: K * p].reshape(K, p), beta=point.beta + step[K * p :])


def _step(local: Local, lam: float, point: Point, free: NDArray[np.intp]) -> tuple[Array, float]:
    """The step (P,) to the minimiser of the model, and by how much that is lower."""
    gradient, H = _penalised(local, lam, point)
    p, width = point.theta.shape[1], len(gradient)
    owner, c, points = local.band[:, 0].astype(np.intp), local.band[:, 2], local.band[:, 3:]
    A = np.zeros((len(c), width))
    A[np.arange(len(c))[:, None], owner[:, None] * p + np.arange(p)] = points
    here = np.einsum("np,np->n", points, point.theta[owner])
    smooth = gradient - (c * np.copysign(1.0, here)) @ A
    g, H, A = smooth[free], H[np.ix_(free, free)], A[:, free]
    H[np.diag_indices(len(free))] += DAMPING * np.trace(H) / len(free)
    L = linalg.cholesky(H, lower=True)
    M, g_there = (linalg.solve_triangular(L, part, lower=True) for part in (A.T, g))
    mu = _multipliers(M, L.T @ np.append(point.theta.ravel(), point.beta)[free] - g_there, c)
    way = -linalg.solve_triangular(L, g_there + M @ mu, lower=True, trans="T")
    after = float(g @ way + 0.5 * way @ (H @ way) + c @ np.abs(here + A @ way))
    step = np.zeros(width)
    step[free] = way
    return step, float(c @ np.abs(here)) - after


def _penalised(local: Local, lam: float, point: Point) -> tuple[Array, Array]:
    """Gradient and Hessian with those of the penalty."""
    (K, p), gradient, H = point.theta.shape, local.gradient.copy(), local.hessian.copy()
    size = np.linalg.norm(point.theta[:, :-1], axis=1)
    for k in range(K):
        w, at = point.theta[k, :-1] / size[k], slice(k * p, (k + 1) * p - 1)
        gradient[at] += lam * w
        H[at, at] += lam / size[k] * (np.eye(p - 1) - np.outer(w, w))
    return gradient, H


def _multipliers(M: Array, target: Array, c: Array) -> Array:
    """Bounded least squares, by active sets."""
    return lsq_linear(M, target, (-c, c), "bvls", OPTIMAL, max_iter=ITERATIONS * len(c)).x if len(c) else c
