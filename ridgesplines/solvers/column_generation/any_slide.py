r"""All neurons of any activation slide at once, by L-BFGS.

.. math:: \min_{w_k, b_k, v_k, \beta} \; \sum_n s_n L(y_n, z_n) + \lambda \sum_k \|v_k\|, \qquad
          z = \sigma(X \hat W^T - 1 b^T)\, V + Q \beta, \qquad \hat w_k = w_k / \|w_k\|

with Q an orthonormal basis of the null space at the data. Of one output the amplitudes keep their signs. O(N K d) for
each value with its gradient.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ridgesplines.amplitudes.design import fitted
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Steps that L-BFGS remembers.
MEMORY = 30
#: Rounds the tip of the norm at zero, in scaled units; and amplitudes smaller than this, relatively, have gone.
TIP, GONE = 1e-7, 1e-9


class Joint:
    """The objective and its gradient as functions of all (W, b, V, beta) in one vector."""

    def __init__(self, problem: Problem, network: RidgeSpline) -> None:
        self._problem = problem
        self._shape = network.n_neurons, problem.n_features, problem.n_outputs or 1
        self._free = None if problem.interactions is None else problem.interactions.free(network.weights)

    def start(self, network: RidgeSpline) -> Array:
        """The unknowns of a network."""
        problem = self._problem
        hidden = problem.activation.value(problem.X @ network.weights.T - network.biases)
        beta = problem.null_space.T @ (network(problem.X) - hidden @ network.amplitudes)
        parts = network.weights, network.biases, network.amplitudes, beta
        return np.concatenate([part.ravel() for part in parts])

    def bounds(self, network: RidgeSpline) -> list[tuple[float | None, float | None]]:
        """What keeps the signs of the amplitudes of one output."""
        K, d, D = self._shape
        free: list[tuple[float | None, float | None]] = [(None, None)]
        signs = [(0.0, None) if v > 0.0 else (None, 0.0) for v in network.amplitudes] if D == 1 else free * (K * D)
        return free * (K * (d + 1)) + signs + free * (self._problem.null_space.shape[1] * D)

    def parts(self, unknowns: Array) -> tuple[Array, Array, Array, Array]:
        """W (K, d), b (K,), V (K, D), beta (r, D)."""
        K, d, D = self._shape
        ends = np.cumsum([K * d, K, K * D])
        W, b, V, beta = np.split(unknowns, ends)
        return W.reshape(K, d), b, V.reshape(K, D), beta.reshape(-1, D)

    def __call__(self, unknowns: Array) -> tuple[float, Array]:
        problem, Q = self._problem, self._problem.null_space
        W, b, V, beta = self.parts(unknowns)
        length = np.linalg.norm(W, axis=1, keepdims=True)
        units = W / length
        t = problem.X @ units.T - b
        hidden = problem.activation.value(t)
        z = hidden @ V + Q @ beta
        fit = z.reshape(problem.y.shape if problem.n_outputs is None else z.shape)
        pull = -dual_of_fit(problem, fit).reshape(z.shape)
        size = np.sqrt((V**2).sum(axis=1) + (TIP**2 if V.shape[1] > 1 else 0.0))
        directions = V / np.where(size > 0.0, size, 1.0)[:, None]
        at = problem.activation.derivative(t) * (pull @ V.T)
        along = at.T @ problem.X
        along -= (along * units).sum(axis=1, keepdims=True) * units
        if self._free is not None:
            along *= self._free
        parts = along / length, -at.sum(axis=0), hidden.T @ pull + problem.lam * directions, Q.T @ pull
        loss = float(problem.sample_weight @ problem.loss.value(problem.y, fit))
        return loss + problem.lam * float(size.sum()), np.concatenate([part.ravel() for part in parts])


def slid(problem: Problem, network: RidgeSpline, steps: int, end: float = np.inf) -> RidgeSpline:
    """The network after at most so many steps of all of its neurons, without those whose amplitudes went to zero."""
    joint = Joint(problem, network)

    def stop(intermediate_result: OptimizeResult) -> None:
        check()
        if late(end):
            raise StopIteration

    answer = minimize(
        joint,
        joint.start(network),
        jac=True,
        method="L-BFGS-B",
        bounds=joint.bounds(network),
        options={"maxiter": steps, "maxcor": MEMORY, "ftol": 1e-15, "gtol": 1e-12},
        callback=stop,
    )
    W, b, V, beta = joint.parts(answer.x)
    W = W / np.linalg.norm(W, axis=1, keepdims=True)
    size = group_norms(V)
    kept = size > GONE * size.max(initial=0.0)
    hidden = problem.activation.value(problem.X @ W.T - b)
    z = (hidden @ V + problem.null_space @ beta).reshape(problem.y.shape)
    return fitted(problem, W[kept], b[kept], V[kept].reshape(-1, *problem.outputs), z)
