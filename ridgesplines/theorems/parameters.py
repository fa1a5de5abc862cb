r"""A network as it is trained: input weights of any norm, and plain gradient training with weight decay.

A `RidgeSpline` is in normal form, with unit weights. Balance is a statement about the weights as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


class Parameters(NamedTuple):
    """w (K, d), b (K,), v (K,) or (K, D), c (d,) or (d, D) and c_0 of f(x) = sum v_k relu(w_k x - b_k) + c x + c_0.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> parameters = rs.theorems.Parameters.balanced(rs.RidgeSpline([[3.0, 4.0]], [0.0], [5.0]))
    >>> parameters.norms, parameters.decay
    ((array([5.]), array([5.])), 25.0)
    """

    weights: Array
    biases: Array
    amplitudes: Array
    slope: Array
    offset: Array

    @classmethod
    def balanced(cls, net: RidgeSpline) -> Parameters:
        """The network's neurons at balance."""
        return cls(*net.balanced(), net.slope, np.asarray(net.offset))

    def __call__(self, X: Array) -> Array:
        """f at the rows of X, as a network in training computes it."""
        return np.maximum(X @ self.weights.T - self.biases, 0.0) @ self.amplitudes + X @ self.slope + self.offset

    def network(self) -> RidgeSpline:
        """The function, in normal form."""
        return RidgeSpline(*self)

    @property
    def norms(self) -> tuple[Array, Array]:
        """Norms of the input weights and of the output weights, (K,) each."""
        return np.linalg.norm(self.weights, axis=1), group_norms(self.amplitudes)

    @property
    def decay(self) -> float:
        r""":math:`\frac12 \sum_k \|v_k\|^2 + \|w_k\|^2`, the regulariser of (8)."""
        inputs, outputs = self.norms
        return float((inputs**2 + outputs**2).sum() / 2.0)

    def rescaled(self, gamma: Array) -> Parameters:
        r"""The same function with :math:`(\gamma_k w_k, \gamma_k b_k, v_k/\gamma_k)`."""
        w, b, v = self.weights * gamma[:, None], self.biases * gamma, (self.amplitudes.T / gamma).T
        return self._replace(weights=w, biases=b, amplitudes=v)


def require_penalty(problem: Problem) -> None:
    """Interpolation allows lam = 0, where weight decay and certificate say nothing."""
    if problem.lam == 0.0:
        remedy = "Interpolation has the same solutions for every lam: take lam=1."
        raise ProblemError("problem", "lam > 0, to check a claim about the penalty", "lam = 0", remedy)


#: Corners of the objective stop L-BFGS early: it is restarted this many times.
RESTARTS = 6


def train(problem: Problem, width: int, seed: int) -> Parameters:
    r"""A local minimiser of (8), by L-BFGS from random weights; scalar or vector outputs.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \frac{\lambda}{2} \sum_k \|v_k\|_2^2 + \|w_k\|_2^2
    """
    rng = np.random.default_rng(seed)
    d, tail = problem.n_features, problem.outputs
    shapes = [(width, d), (width,), (width, *tail), (d, *tail), tail]
    start = np.concatenate([rng.standard_normal(shape).ravel() / np.sqrt(d) for shape in shapes])
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def unpacked(theta: Array) -> Parameters:
        return Parameters(*(p.reshape(s) for p, s in zip(np.split(theta, ends[:-1]), shapes, strict=True)))

    def objective(theta: Array) -> tuple[float, Array]:
        p = unpacked(theta)
        hidden, fit = problem.X @ p.weights.T - p.biases, p(problem.X)
        value = problem.sample_weight @ problem.loss.value(problem.y, fit) + problem.lam * p.decay
        slope = -dual_of_fit(problem, fit)
        back = (slope @ p.amplitudes.T if tail else np.multiply.outer(slope, p.amplitudes)) * (hidden > 0.0)
        parts = (
            back.T @ problem.X + problem.lam * p.weights,
            -back.sum(axis=0),
            np.maximum(hidden, 0.0).T @ slope + problem.lam * p.amplitudes,
            problem.X.T @ slope,
            slope.sum(axis=0),
        )
        return float(value), np.concatenate([np.ravel(part) for part in parts])

    limits = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 50}
    theta = start
    for _ in range(RESTARTS):
        theta = minimize(objective, theta, jac=True, method="L-BFGS-B", options=limits).x
    return unpacked(theta)
