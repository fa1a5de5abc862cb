r"""The master problem for scalar fits and smooth losses: the amplitudes of given neurons, of given signs.

.. math:: \min_{a \ge 0,\, \beta} \; \sum_n s_n L(y_n, (Ba + Q\beta)_n) + \lambda \sum_k p_k a_k

with prices p of one, or of zero for what is not penalised but has a sign.
Newton's method over nonnegative least squares: each step minimises the quadratic model, with the affine part beta
eliminated. For squared error the second step is iterative refinement.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from ridgesplines.amplitudes.columns import Columns
from ridgesplines.amplitudes.newton import curvatures, line_search
from ridgesplines.amplitudes.nonnegative import nonnegative
from ridgesplines.interrupt import check
from ridgesplines.objective import dual_of_fit, objective_of_fit, slope_pull
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

MAX_STEPS = 50


class Model(NamedTuple):
    """The loss at z to second order: gradient, curvature (n,), and the factor of Q^T diag(curvature) Q."""

    gradient: Array
    curvature: Array
    affine: Any

    @classmethod
    def at(cls, problem: Problem, Q: Array, z: Array, steady: bool = False) -> Model:
        p = problem
        curvature = curvatures(p, z, steady)
        H = Q.T @ (curvature[:, None] * Q)
        if p.slope_penalty:
            G = p.slopes.T @ Q
            H += p.slope_penalty * (G.T @ G)
        H += 1e-15 * np.trace(H) * np.eye(len(H))
        return cls(slope_pull(p, z) - dual_of_fit(p, z), curvature, linalg.cho_factor(H))

    def reduced(self, Q: Array, gram: Array, cross: Array, gradient: Array) -> tuple[Array, Array]:
        """(S, g): Hessian and gradient with the affine part eliminated."""
        away = linalg.cho_solve(self.affine, cross.T)
        return gram - cross @ away, gradient - away.T @ (Q.T @ self.gradient)

    def affine_step(self, Q: Array, cross: Array, step: Array) -> Array:
        """The step of beta that goes with a step of the other unknowns."""
        return -linalg.cho_solve(self.affine, Q.T @ self.gradient + cross.T @ step)


def gram(problem: Problem, columns: Columns, curvature: Array) -> tuple[Array, Array]:
    """The Hessian of the loss, and of the penalty of the slope, by the columns, and by these and Q."""
    own, cross = columns.gram(curvature)
    if problem.slope_penalty:
        G, affine = columns.transposed(problem.slopes), problem.slopes.T @ columns.Q
        own, cross = own + problem.slope_penalty * (G @ G.T), cross + problem.slope_penalty * (G @ affine)
    return own, cross


def amplitudes(
    problem: Problem, columns: Columns, a: Array, beta: Array, prices: Array | float = 1.0
) -> tuple[Array, Array, Array]:
    """(a, beta, z) at the optimum of the master problem, from a start a >= 0, beta (r,); prices one number or (K,)."""
    z, p = columns.times(a) + columns.Q @ beta, np.broadcast_to(prices, a.shape)
    return (_of_parabola if problem.loss.quadratic else _by_newton)(problem, columns, p, a, beta, z)


class Step(NamedTuple):
    """The minimiser of a model, less where it is taken; and how the objective begins to change."""

    a: Array
    beta: Array
    z: Array
    slope: float


def _step(columns: Columns, cost: Array, model: Model, hessian: tuple[Array, Array], a: Array) -> Step:
    Q = columns.Q
    S, g = model.reduced(Q, *hessian, columns.transposed(model.gradient) + cost)
    da = nonnegative(S, S @ a - g, a) - a
    dbeta = model.affine_step(Q, hessian[1], da)
    dz = columns.times(da) + Q @ dbeta
    return Step(da, dbeta, dz, float(model.gradient @ dz) + float(cost @ da))


def _of_parabola(
    problem: Problem, columns: Columns, prices: Array, a: Array, beta: Array, z: Array
) -> tuple[Array, Array, Array]:
    """The model is the loss; a second step takes out its rounding."""
    hessian = None
    for _ in range(2):
        model = Model.at(problem, columns.Q, z)
        hessian = hessian or gram(problem, columns, model.curvature)
        step = _step(columns, problem.lam * prices, model, hessian, a)
        a, beta, z = a + step.a, beta + step.beta, z + step.z
    return a, beta, columns.times(a) + columns.Q @ beta


def _by_newton(
    problem: Problem, columns: Columns, prices: Array, a: Array, beta: Array, z: Array
) -> tuple[Array, Array, Array]:
    """Models until none descends; where that of the curvature does not, a parabola above the loss."""
    shift = columns.Q.T @ np.full(len(z), problem.loss.shift(problem.y, z, problem.sample_weight))
    beta, z = beta + shift, z + columns.Q @ shift
    value = objective_of_fit(problem, z, float(prices @ a))
    for _ in range(MAX_STEPS):
        check()
        for steady in (False, True):
            model = Model.at(problem, columns.Q, z, steady)
            step = _step(columns, problem.lam * prices, model, gram(problem, columns, model.curvature), a)
            along = partial(_along, problem, z, (float(prices @ a), float(prices @ step.a)), step)
            if (found := line_search(along, value, step.slope)) is not None:
                break
        else:
            break
        t, value = found
        a, beta, z = np.maximum(a + t * step.a, 0.0), beta + t * step.beta, z + t * step.z
        if step.slope >= -1e-15 * abs(value):
            break
    return a, beta, z


def _along(problem: Problem, z: Array, norm: tuple[float, float], step: Step, t: float) -> float:
    return objective_of_fit(problem, z + t * step.z, norm[0] + t * norm[1])
