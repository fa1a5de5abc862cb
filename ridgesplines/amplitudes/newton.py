r"""Smooth losses on given neurons: Newton's method within a face of the l1 (or group) ball.

While no amplitude changes its sign, the penalty is linear (for vector outputs, smooth). A step that would carry an
amplitude through zero stops there, and the neuron leaves; of vector amplitudes all leave that the model carries through
zero in turn. The objective never rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import linalg, sparse

from ridgesplines.interrupt import check
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import group_norms
from ridgesplines.objective import dual_of_fit, slope_cost, slope_pull
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

MAX_ITERATIONS = 200
#: How much of the majorant stands in for a curvature of zero.
STRAIGHT = 1e-6


@dataclass(frozen=True)
class Face:
    """The finite problem on a face: the problem, B, C, for scalar fits the signs of the amplitudes, and a fixed fit."""

    problem: Problem
    basis: Any
    kinks: Any
    signs: Array | None = None
    fixed: Array | float = 0.0

    def directions(self, a: Array) -> Array:
        """The derivative of the norm of each amplitude."""
        return self.signs if self.signs is not None else (a.T / group_norms(a)).T

    def objective(self, theta: Array) -> float:
        p = self.problem
        z = self.fixed + self.basis @ theta
        loss = p.sample_weight @ p.loss.value(p.y, z) + slope_cost(p, z)
        return float(loss + p.lam * group_norms(self.kinks @ theta).sum())

    def derivatives(self, theta: Array, steady: bool = False) -> tuple[Array, Any]:
        """Gradient, like theta, and Hessian over theta.ravel(), of a majorant if `steady`.

        For vector outputs the amplitudes must not be zero.
        """
        p = self.problem
        z, a = self.fixed + self.basis @ theta, self.kinks @ theta
        direction = self.directions(a)
        slope = slope_pull(p, z) - dual_of_fit(p, z)
        gradient = self.basis.T @ slope + p.lam * (self.kinks.T @ direction)
        curvature = curvatures(p, z, steady)
        if theta.ndim == 1:
            return gradient, self.basis.T @ _scaled(curvature, self.basis) + self._of_slopes()
        return gradient, self._vector_hessian(curvature, a, direction)

    def _of_slopes(self) -> Array | float:
        """The Hessian of the penalty of the slope, for each output; zero where there is none."""
        if not self.problem.slope_penalty:
            return 0.0
        G: Array = self.problem.slopes.T @ self.basis
        return self.problem.slope_penalty * (G.T @ G)

    def _vector_hessian(self, curvature: Array, a: Array, direction: Array) -> Array:
        D, P = a.shape[1], self.basis.shape[1]
        H = np.empty((D, P, D, P))
        dense = sparse.issparse(self.kinks) and not sparse.issparse(self.basis)
        kinks = self.kinks.toarray() if dense else self.kinks
        slopes = self._of_slopes()
        bend = np.eye(D) - direction[:, :, None] * direction[:, None, :]
        bend *= (self.problem.lam / group_norms(a))[:, None, None]
        for i in range(D):
            for j in range(i + 1):
                block = kinks.T @ _scaled(bend[:, i, j], kinks) + (slopes if i == j else 0.0)
                if curvature[:, i, j].any():  # squared error has none between outputs
                    block = block + self.basis.T @ _scaled(curvature[:, i, j], self.basis)
                H[i, :, j] = H[j, :, i] = block.toarray() if sparse.issparse(block) else block
        return H.transpose(1, 0, 3, 2).reshape(P * D, P * D)


def curvatures(problem: Problem, z: Array, steady: bool = False) -> Array:
    """The weighted curvature of the loss at z, (n,) or (n, D, D); of a majorant if `steady`.

    Where the loss is straight a little of its majorant keeps Hessians regular; the optimum stays.
    """
    return weighted_curvature(problem.loss, problem.y, z, problem.sample_weight, steady)


def weighted_curvature(loss: Loss, y: Array, z: Array, weight: Array, steady: bool) -> Array:
    """The same for any rows."""
    curvature = majorant = loss.majorant(y, z)
    if not steady:
        curvature = loss.curvature(y, z)
        curvature = np.where(curvature != 0.0, curvature, STRAIGHT * majorant)
    return (curvature.T * weight).T


def _scaled(weight: Array, matrix: Any) -> Any:
    return sparse.diags_array(weight) @ matrix if sparse.issparse(matrix) else weight[:, None] * matrix


def descend(face: Face, theta: Array) -> tuple[Array, Array, bool]:
    """Newton's method until it converges, or until an amplitude reaches zero.

    Where a Newton step does not descend (far from the optimum the curvature says little), a step on a parabola that
    lies above the loss does.

    Returns theta, a mask of the amplitudes that reached zero, and whether it converged.
    """
    none = np.zeros(face.kinks.shape[0], dtype=bool)
    if not theta.size:
        return theta, none, True
    value = face.objective(theta)
    for _ in range(MAX_ITERATIONS):
        check()
        for steady in (False, True):
            gradient, hessian = face.derivatives(theta, steady)
            solve = damped_inverse(hessian)
            step = -solve(gradient.ravel()).reshape(theta.shape)
            slope = float(np.vdot(gradient, step))
            small = float(np.abs(step).max()) <= 4.0 * np.finfo(float).eps * float(np.abs(theta).max(initial=0.0))
            if not steady and (small or slope > -1e-13 * abs(value)):
                return _last_digits(face, theta, gradient, step), none, True
            a = face.kinks @ theta
            room = _room(face.directions(a), a, face.kinks @ step)
            limit = float(room.min(initial=np.inf))
            point = line_search(partial(_along, face, theta, step), value, slope, min(1.0, limit))
            if point is not None:
                break
        else:
            return theta, none, True  # no descent left that rounding would show
        t, value = point
        if t == limit:
            several = _leaving_together(face, theta, step, solve, value)
            return several or (theta + t * step, room <= limit * (1.0 + 1e-12), False)
        theta = theta + t * step
    return theta, none, False


def _leaving_together(
    face: Face, theta: Array, step: Array, solve: Callable[[Array], Array], value: float
) -> tuple[Array, Array, bool] | None:
    r"""What `descend` returns where vector amplitudes leave, all that Newton's model carries through zero in turn.

    With m the model's minimiser, G the entries of an amplitude that leaves and Z the columns G of the inverse Hessian,
    the minimiser without it is :math:`m - Z Z_G^{-1} m_G`, and the inverse becomes that less :math:`Z Z_G^{-1} Z^T`. On
    the way there the next one leaves. None where the last minimiser is not better than `value`, where the first has
    left. Each that leaves alone takes a Hessian of its own.
    """
    if face.signs is not None or sparse.issparse(face.basis):
        return None
    (P, D), direction, least = theta.shape, face.directions(face.kinks @ theta), theta + step
    K, at = len(direction), theta
    gone, taken, given = np.zeros(K, dtype=bool), np.empty((P * D, 0)), np.empty((0, P * D))
    while not gone.all():
        room = np.where(gone, np.inf, _room(direction, at[:K], least[:K] - at[:K]))
        if room.min() >= 1.0:
            break
        first = int(room.argmin())
        G = slice(first * D, first * D + D)
        Z = solve(np.eye(P * D, D, -G.start)) - taken @ given[:, G]
        back = np.linalg.lstsq(Z[G], Z.T)[0]
        at, least = at + room[first] * (least - at), least - (back.T @ least.ravel()[G]).reshape(P, D)
        taken, given, gone[first] = np.hstack([taken, Z]), np.vstack([given, back]), True
        at[:K][gone] = least[:K][gone] = 0.0
    return (least, gone, False) if face.objective(least) < value else None


def _along(face: Face, theta: Array, step: Array, t: float) -> float:
    return face.objective(theta + t * step)


def line_search(
    objective: Callable[[float], float], value: float, slope: float, t: float = 1.0
) -> tuple[float, float] | None:
    """(t, objective) with sufficient decrease, by halving from t; None if thirty halvings find none."""
    for _ in range(30):
        trial = objective(t)
        if trial <= value + 1e-4 * t * slope:
            return t, trial
        t /= 2.0
    return None


def _last_digits(face: Face, theta: Array, gradient: Array, step: Array) -> Array:
    """Full steps for as long as each halves the gradient: the objective no longer tells, the dual vector does."""
    for _ in range(10):
        trial = theta + step
        if (_room(face.directions(face.kinks @ theta), face.kinks @ theta, face.kinks @ step) <= 1.0).any():
            break
        new, hessian = face.derivatives(trial)
        if not np.linalg.norm(new) < 0.5 * np.linalg.norm(gradient):
            break
        theta, gradient = trial, new
        step = -damped_solve(hessian, gradient.ravel()).reshape(theta.shape)
    return theta


def _room(direction: Array, a: Array, da: Array) -> Array:
    """The step at which each amplitude (for vectors, its part along itself) reaches zero; inf if it does not."""
    size, along = direction * a, direction * da
    if a.ndim > 1:
        size, along = size.sum(axis=1), along.sum(axis=1)
    room = np.full(len(along), np.inf)
    falls = along < 0.0
    with np.errstate(over="ignore"):  # of what hardly moves
        room[falls] = np.maximum(size[falls], 0.0) / -along[falls]
    return room


def damped_solve(H: Any, g: Array) -> Array:
    """H^{-1} g, with just enough damping where H is singular."""
    return damped_inverse(H)(g)


def damped_inverse(H: Any) -> Callable[[Array], Array]:
    """H^{-1} as a function of vectors (P,) or, where H is dense, columns (P, m); damped where H is singular."""
    if sparse.issparse(H):
        from scipy.sparse.linalg import spsolve

        damping = 1e-15 * float(H.diagonal().max(initial=1.0))
        damped = (H + damping * sparse.eye_array(H.shape[0])).tocsc()
        return lambda g: np.atleast_1d(spsolve(damped, g))
    scale = np.sqrt(np.diag(H))
    scale[scale == 0.0] = 1.0
    A = H / scale[:, None] / scale
    for damping in (0.0, 1e-14, 1e-12, 1e-10, 1e-8):
        try:
            factor = linalg.cho_factor(A + damping * np.eye(len(A)))
        except linalg.LinAlgError:
            continue
        return lambda g: (linalg.cho_solve(factor, (g.T / scale).T).T / scale).T
    return lambda g: (np.linalg.lstsq(A, (g.T / scale).T, rcond=1e-10)[0].T / scale).T
