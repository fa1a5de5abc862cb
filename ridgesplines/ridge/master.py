r"""The master problem for scalar fits and smooth losses: the amplitudes of given neurons, of given signs.

.. math:: \min_{a \ge 0,\, \beta} \; \sum_n s_n L(y_n, (Ba + Q\beta)_n) + \lambda \sum_k a_k

Newton's method over nonnegative least squares: each step minimises the quadratic model, with the affine part beta
eliminated. For squared error the second step is iterative refinement.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from ridgesplines.problem import Problem
from ridgesplines.ridge.columns import Columns
from ridgesplines.ridge.nonnegative import nonnegative
from ridgesplines.validation import Array

STEPS = 50
#: How much of the majorant stands in for a curvature of zero.
STRAIGHT = 1e-6


class Model(NamedTuple):
    """The loss at z to second order: gradient, curvature (n,), and the factor of Q^T diag(curvature) Q."""

    gradient: Array
    curvature: Array
    affine: Any

    @classmethod
    def at(cls, problem: Problem, z: Array, steady: bool = False) -> Model:
        p, Q = problem, problem.null_space
        majorant = p.loss.majorant(p.y, z)
        curvature = majorant if steady else p.loss.curvature(p.y, z)
        curvature = p.sample_weight * np.where(curvature > 0.0, curvature, STRAIGHT * majorant)
        H = Q.T @ (curvature[:, None] * Q)
        H += 1e-15 * np.trace(H) * np.eye(len(H))
        return cls(p.sample_weight * p.loss.gradient(p.y, z), curvature, linalg.cho_factor(H))

    def reduced(self, Q: Array, gram: Array, cross: Array, gradient: Array) -> tuple[Array, Array]:
        """(S, g): Hessian and gradient with the affine part eliminated."""
        away = linalg.cho_solve(self.affine, cross.T)
        return gram - cross @ away, gradient - away.T @ (Q.T @ self.gradient)

    def affine_step(self, Q: Array, cross: Array, step: Array) -> Array:
        """The step of beta that goes with a step of the other unknowns."""
        return -linalg.cho_solve(self.affine, Q.T @ self.gradient + cross.T @ step)


def objective(problem: Problem, z: Array, norm: float) -> float:
    return float(problem.sample_weight @ problem.loss.value(problem.y, z)) + problem.lam * norm


def amplitudes(problem: Problem, columns: Columns, a: Array, beta: Array) -> tuple[Array, Array, Array]:
    """(a, beta, z) at the optimum of the master problem, from a start a >= 0, beta (r,)."""
    p, Q = problem, problem.null_space
    z = columns.times(a) + Q @ beta
    value, gram = objective(p, z, a.sum()), None
    for i in range(STEPS):
        moved = False
        for steady in (False, True):
            model = Model.at(p, z, steady)
            if gram is None or not p.loss.quadratic:
                gram = columns.gram(model.curvature)
            S, g = model.reduced(Q, *gram, columns.transposed(model.gradient) + p.lam)
            step = nonnegative(S, S @ a - g, a) - a
            affine = model.affine_step(Q, gram[1], step)
            dz = columns.times(step) + Q @ affine
            slope = float(model.gradient @ dz) + p.lam * float(step.sum())
            if p.loss.quadratic:  # the model is the loss; a second step takes out its rounding
                a, beta, z = a + step, beta + affine, z + dz
                if i:
                    return a, beta, columns.times(a) + Q @ beta
                moved = True
                break
            t, trial = _searched(p, z, dz, a, step, value, slope)
            if t > 0.0:
                a, beta, z = np.maximum(a + t * step, 0.0), beta + t * affine, z + t * dz
                moved = slope < -1e-15 * abs(value)
                value = trial
                break
        if not moved:
            break
    return a, beta, z


def _searched(
    problem: Problem, z: Array, dz: Array, a: Array, step: Array, value: float, slope: float
) -> tuple[float, float]:
    """The longest of the steps 1, 1/2, 1/4, ... that descends enough, and its objective; 0 if there is none."""
    t = 1.0
    for _ in range(30):
        trial = objective(problem, z + t * dz, float((a + t * step).sum()))
        if trial <= value + 1e-4 * t * slope + 1e-16 * abs(value):
            return t, trial
        t /= 2.0
    return 0.0, value
