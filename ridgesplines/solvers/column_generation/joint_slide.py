r"""All neurons slide at once, by L-BFGS: what lowers the objective fast while it is far from its minimum.

.. math:: \min_{\theta, \beta} \; \sum_n s_n L(y_n, z_n) + \lambda \sum_k \|\theta_{k, w}\|, \qquad
          z = (1 - Q Q^T)\, \tfrac12 |\bar X \Theta^T|\, S + Q \beta

over :math:`\theta_k = |a_k| (w_k, b_k)`, the signs of the amplitudes (for vector outputs their directions, the rows of
S) held; :math:`\tfrac12 |t|` is :math:`\rho(t)` up to an affine function, which joins z where none is free. It has
kinks where a hyperplane meets a data point, and optimal neurons sit on them: near the end Newton steps on the faces
take over (`slide`). O(N K d) for each value with its gradient, in blocks that stay in the cache; no matrix of N rows is
held.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ridgesplines.interrupt import check, late
from ridgesplines.neurons.working_set import Neurons, blocks
from ridgesplines.objective import dual_of_fit, slope_cost, slope_pull
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Steps that L-BFGS remembers.
MEMORY = 20
#: Rounds the tip of the norm at zero, in scaled units.
TIP = 1e-7
#: Neurons smaller than this, relative to the largest, have gone.
GONE = 1e-8
#: Entries of a block of distances: it stays in the cache.
BLOCK_ENTRIES = 2**17


class Joint:
    """The objective and its gradient as functions of all (theta, beta) in one vector."""

    def __init__(self, problem: Problem, weights: Array, signs: Array) -> None:
        self._problem, self._signs = problem, signs.reshape(len(signs), -1)
        self._free = None if problem.interactions is None else problem.interactions.free(weights)
        n, hinge = len(problem.X), 0.0 if problem.through_origin else -1.0
        self._points = np.column_stack([problem.X, np.full(n, hinge)])
        self._shape = len(signs), self._points.shape[1]
        self._blocks = [*blocks(len(self._points), len(signs), BLOCK_ENTRIES)]

    def parts(self, unknowns: Array) -> tuple[Array, Array]:
        """theta (K, d + 1), beta (r, D)."""
        K, p = self._shape
        return unknowns[: K * p].reshape(K, p), unknowns[K * p :].reshape(-1, self._signs.shape[1])

    def __call__(self, unknowns: Array) -> tuple[float, Array]:
        problem, Q = self._problem, self._problem.null_space
        theta, beta = self.parts(unknowns)
        z = np.empty((len(Q), beta.shape[1]))
        for rows in self._blocks:
            distances = self._points[rows] @ theta.T
            z[rows] = np.abs(distances, out=distances) @ self._signs
        z *= 0.5
        if not problem.skip:
            z += 0.5 * (self._points @ (theta.T @ self._signs))
        z += Q @ (beta - Q.T @ z)
        fit = z.reshape(problem.y.shape if problem.n_outputs is None else z.shape)
        pull = (slope_pull(problem, fit) - dual_of_fit(problem, fit)).reshape(z.shape)
        along = Q.T @ pull
        pull = 0.5 * (pull - Q @ along)
        linear = np.zeros(theta.shape[1] * z.shape[1]) if problem.skip else (self._points.T @ pull).ravel()
        gradient = np.tile(linear, (len(theta), 1))
        for rows in self._blocks:
            distances = self._points[rows] @ theta.T
            sides = np.copysign(1.0, distances, out=distances)
            moments = self._points[rows][:, :, None] * pull[rows][:, None, :]
            gradient += sides.T @ moments.reshape(len(moments), -1)
        gradient = np.einsum("kpi,ki->kp", gradient.reshape(*theta.shape, -1), self._signs)
        size = np.sqrt((theta[:, :-1] ** 2).sum(axis=1) + TIP**2)
        gradient[:, :-1] += problem.lam * theta[:, :-1] / size[:, None]
        if self._free is not None:
            gradient[:, :-1] *= self._free
        loss = float(problem.sample_weight @ problem.loss.value(problem.y, fit)) + slope_cost(problem, fit)
        return loss + problem.lam * float(size.sum()), np.concatenate([gradient.ravel(), along.ravel()])


def slid_together(
    problem: Problem, neurons: Neurons, z: Array, steps: int, end: float = np.inf
) -> tuple[Neurons, Array]:
    """The neurons and their fit after at most so many steps of all of them, from amplitudes that fit z."""
    joint = Joint(problem, neurons.W, neurons.signs)
    beta = problem.null_space.T @ z

    def stop(intermediate_result: OptimizeResult) -> None:
        check()
        if late(end):
            raise StopIteration

    start = np.concatenate([neurons.theta.ravel(), beta.ravel()])
    options = {"maxiter": steps, "maxcor": MEMORY}
    answer = minimize(joint, start, jac=True, method="L-BFGS-B", options=options, callback=stop)
    theta, beta = joint.parts(answer.x)
    size = np.linalg.norm(theta[:, :-1], axis=1)
    kept = size > GONE * size.max(initial=0.0)
    return Neurons.from_theta(theta[kept], neurons.signs[kept]), problem.null_space @ beta.reshape(-1, *z.shape[1:])
