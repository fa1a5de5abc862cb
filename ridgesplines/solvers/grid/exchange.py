r"""The optimum over all biases along given directions, for any activation: an exchange method with sliding.

.. math:: \min_{K, v, w_k \in \{w^1, \ldots, w^M\}, b, q} \; \sum_n s_n L\Big(y_n, \sum_k v_k \sigma(w_k^T x_n - b_k)
          + q(x_n)\Big) + \lambda \sum_k |v_k|

The problem on finitely many neurons is solved to rounding; its dual certificate tells along each direction at which
biases neurons are missing, and they join, until none is. Two neurons that approach one bias from both sides become one,
and biases slide by Newton steps, which is what makes the last digits quick: the exchange alone converges linearly [1]_.
Vector outputs and losses with kinks do without that.

References
----------
.. [1] A. Flinth, F. de Gournay, P. Weiss, On the linear convergence rates of exchange and continuous methods for total
   variation minimization, Math. Program. 190 (2021), doi:10.1007/s10107-020-01530-0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from ridgesplines.amplitudes.design import fitted
from ridgesplines.amplitudes.newton import curvatures, damped_solve, line_search
from ridgesplines.amplitudes.refit import newton_refit, vertex_refit
from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.interrupt import check
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import dual_of_fit, objective, relative
from ridgesplines.oracle.base import Oracle, Supremum
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

MAX_ROUNDS = 100
#: A neuron is missing where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-10
#: Neurons that join in one round.
MOST_JOINING = 64
#: Biases slide once the relative gap is below this, by at most this many Newton steps a round.
SLIDING_GAP = 1e-1
MAX_STEPS = 8
#: Neighbours along a direction whose biases differ by less than this, in units of the data's radius, may be one.
CLOSE = 0.2


@dataclass(frozen=True)
class State:
    """The state of the exchange: a network, its dual vector, the supremum along the directions, the relative gap."""

    network: RidgeSpline
    dual: Array
    found: Supremum
    gap: float


def exchange(problem: Problem, network: RidgeSpline, oracle: Oracle, tol: float) -> Iterator[State]:
    """The states of the exchange, from a network's neurons, until the gap along the directions is at most `tol`.

    Parameters
    ----------
    problem : in scaled units.
    network : where to start. For Interpolation its neurons must be enough to interpolate.
    oracle : of the directions.
    tol : relative gap.
    """
    for _ in range(MAX_ROUNDS):
        check()
        answer = _refitted(problem, network)
        if answer is None:
            return
        network, raw, kept = answer
        u, _ = projected(problem, raw)
        supremum = oracle(u)
        state = State(network, raw, supremum, relative_gap(problem, network, u, supremum.value))
        if state.gap <= SLIDING_GAP and problem.loss.smooth and problem.n_outputs is None:
            state = _slid(problem, state, oracle)
        yield state
        joining = _missing(problem, state, kept)
        if state.gap <= tol or joining is None:
            return
        network = joining


def relative_gap(problem: Problem, network: RidgeSpline, u: Array, sup: float) -> float:
    """(primal - dual) / |primal| for a dual vector that is orthogonal to the null space."""
    primal = objective(problem, network)
    return relative(problem, primal - best_scale(problem, u, sup)[1], primal)


def _refitted(problem: Problem, network: RidgeSpline) -> tuple[RidgeSpline, Array, RidgeSpline] | None:
    """The optimum on the network's neurons, its dual vector, and these neurons, those at zero included if they stay."""
    refit = newton_refit if problem.loss.smooth else vertex_refit
    answer = refit(problem, network.weights, network.biases, network.amplitudes, network(problem.X))
    if answer is None:
        return None
    kept = network.changed(
        weights=network.weights[answer.kept], biases=network.biases[answer.kept], amplitudes=answer.amplitudes
    )
    return answer.network, answer.dual, kept


def _missing(problem: Problem, state: State, kept: RidgeSpline) -> RidgeSpline | None:
    """The network with the neurons that are missing, at amplitude next to zero; None where none is."""
    old = state.network if problem.loss.smooth else kept
    u, _ = projected(problem, state.dual)
    W, b = state.found.weights, state.found.biases
    eta = eta_at(problem.X, u, W, b, problem.activation)
    size = group_norms(eta)
    known = [bool(((old.weights == w).all(axis=1) & (old.biases == at)).any()) for w, at in zip(W, b, strict=True)]
    new = np.flatnonzero((size > problem.lam * (1.0 + VIOLATION_RTOL)) & ~np.array(known, dtype=bool))[:MOST_JOINING]
    if not len(new):
        return None
    start = 1e-6 * max(float(group_norms(old.amplitudes).max(initial=0.0)), 1e-6) if eta.ndim > 1 else 1e-300
    return old.changed(
        weights=np.concatenate([old.weights, W[new]]),
        biases=np.append(old.biases, b[new]),
        amplitudes=np.concatenate([old.amplitudes, start * (eta[new].T / size[new]).T]),
    )


def _slid(problem: Problem, state: State, oracle: Oracle) -> State:
    """The same after merging and Newton steps of the biases, where that lowers the gap; else as it was."""
    network = _newton(problem, _merged(problem, state.network))
    answer = _refitted(problem, network)
    if answer is None:
        return state
    u, _ = projected(problem, answer[1])
    supremum = oracle(u)
    gap = relative_gap(problem, answer[0], u, supremum.value)
    return State(answer[0], answer[1], supremum, gap) if gap < state.gap else state


def _merged(problem: Problem, network: RidgeSpline) -> RidgeSpline:
    """Neighbours of one direction and sign as one neuron, at the mean of their biases weighted by their amplitudes."""
    order = np.lexsort((network.biases, *network.weights.T))
    W, b, v = (getattr(network, name)[order] for name in ("weights", "biases", "amplitudes"))
    apart = (W[1:] != W[:-1]).any(axis=1) | (np.sign(v[1:]) != np.sign(v[:-1])) | (np.diff(b) > CLOSE)
    run = np.concatenate([[0], np.cumsum(apart)]) if len(b) else np.empty(0, dtype=int)
    total = np.bincount(run, v)
    first = np.flatnonzero(np.diff(run, prepend=-1))
    return fitted(problem, W[first], np.bincount(run, v * b) / total, total, network(problem.X))


def _newton(problem: Problem, network: RidgeSpline) -> RidgeSpline:
    """Newton steps in amplitudes, biases and null space together, each of which lowers the objective."""
    Q, W = problem.null_space, network.weights
    K, signs = len(W), np.sign(network.amplitudes)
    projections = problem.X @ W.T
    hidden = problem.activation.value(projections - network.biases)
    beta = Q.T @ (network(problem.X) - hidden @ network.amplitudes)
    theta = np.concatenate([network.amplitudes, network.biases, beta])

    def fit(theta: Array) -> Array:
        return problem.activation.value(projections - theta[K : 2 * K]) @ theta[:K] + Q @ theta[2 * K :]

    def objective(theta: Array) -> float:
        loss = problem.sample_weight @ problem.loss.value(problem.y, fit(theta))
        return float(loss + problem.lam * np.abs(theta[:K]).sum())

    value = objective(theta)
    for _ in range(MAX_STEPS if K else 0):
        gradient, hessian = _derivatives(problem, projections, theta, signs, fit(theta))
        step = -damped_solve(hessian, gradient)
        if (slope := float(gradient @ step)) >= -1e-14 * abs(value):
            break
        point = line_search(partial(_value_along, objective, theta, step), value, slope)
        if point is None or (np.sign((theta + point[0] * step)[:K]) != signs).any():
            break
        theta, value = theta + point[0] * step, point[1]
    return fitted(problem, W, theta[K : 2 * K], theta[:K], fit(theta))


def _value_along(objective: Callable[[Array], float], theta: Array, step: Array, t: float) -> float:
    return objective(theta + t * step)


def _derivatives(problem: Problem, projections: Array, theta: Array, signs: Array, z: Array) -> tuple[Array, Array]:
    """Gradient and Hessian in (v, b, beta), amplitudes keeping their signs; made definite where it is not."""
    K, Q, sigma = len(signs), problem.null_space, problem.activation
    v, t = theta[:K], projections - theta[K : 2 * K]
    hidden, slopes = sigma.value(t), sigma.derivative(t)
    u = dual_of_fit(problem, z)
    J = np.hstack([hidden, -slopes * v, Q])
    H = J.T @ (curvatures(problem, z)[:, None] * J)
    h = 1e-5  # of the second derivative only the model depends
    bend = u @ (sigma.derivative(t + h) - sigma.derivative(t - h)) / (2.0 * h)
    index = np.arange(K)
    H[index, K + index] += u @ slopes
    H[K + index, index] += u @ slopes
    H[K + index, K + index] += np.maximum(-v * bend, 0.0)
    gradient = -J.T @ u
    gradient[:K] += problem.lam * signs
    return gradient, H
