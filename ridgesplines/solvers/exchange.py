r"""The optimum among many neurons, given or all that directions hold: an exchange method, with sliding.

.. math:: \min_{K, v, (w_k, b_k) \in \mathcal{A}, q} \; \sum_n s_n L\Big(y_n, \sum_k v_k \sigma(w_k^T x_n - b_k)
          + q(x_n)\Big) + \lambda \sum_k |v_k|

The problem on a few neurons is solved to rounding; its dual certificate shows which neurons of the set
:math:`\mathcal{A}` are missing, and they join, until none is. The oracle that evaluates the certificate knows the set:
the neurons of a dictionary, or along given directions all biases, for any activation. There biases can slide: two
neurons that approach one bias from both sides become one, and Newton steps find the last digits quickly, to which the
exchange alone converges linearly [1]_. Vector outputs and losses with kinks do without that.

References
----------
.. [1] A. Flinth, F. de Gournay, P. Weiss, On the linear convergence rates of exchange and continuous methods for total
   variation minimization, Math. Program. 190 (2021), doi:10.1007/s10107-020-01530-0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ridgesplines.amplitudes.design import fitted
from ridgesplines.amplitudes.newton import curvatures, damped_solve, line_search
from ridgesplines.amplitudes.refit import newton_refit, vertex_refit
from ridgesplines.certificate.dual import best_scale, levelled, projected
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
#: Neurons that join in one round, or half as many as there are, if that is more.
MOST_JOINING = 64
#: A round that lowers the objective by less than this, relatively, is the last, if the violations are small.
STALL = 1e-14
SMALL_GAP = 1e-6
#: Entries of the dense matrix of the neurons, beyond which it is not formed.
MAX_ENTRIES = 4e7
#: Biases slide once the relative gap is below this, by at most this many Newton steps a round.
SLIDING_GAP = 1e-1
MAX_STEPS = 8
#: Neighbours along a direction whose biases differ by less than this, in units of the data's radius, may be one.
CLOSE = 0.2
#: The relative gap that is enough for a larger lam on the way.
PASSING_GAP = 1e-6


@dataclass(frozen=True)
class State:
    """The state of the exchange.

    Attributes
    ----------
    network, primal : a network, optimal on its neurons, and its objective.
    dual, u : its dual vector, and that vector projected off the null space.
    found : the supremum of u, with its peaks.
    gap : the relative gap among the neurons of the oracle.
    """

    network: RidgeSpline
    primal: float
    dual: Array
    u: Array
    found: Supremum
    gap: float

    @classmethod
    def of(cls, problem: Problem, network: RidgeSpline, dual: Array, oracle: Oracle, **further: Any) -> State:
        """The state of a network with a dual vector; `further` is told to the oracle, such as neurons `near`."""
        u, _ = projected(problem, dual)
        found = oracle(levelled(problem, u), **further)
        primal = objective(problem, network)
        gap = relative(problem, primal - best_scale(problem, u, found.value)[1], primal)
        return cls(network, primal, dual, u, found, gap)


def exchange(
    problem: Problem,
    network: RidgeSpline,
    oracle: Oracle,
    tol: float = 0.0,
    slides: bool = False,
    fit: Array | None = None,
) -> Iterator[State]:
    """The states of the exchange, until the gap is at most `tol`, no neuron is missing, or only rounding is left.

    Parameters
    ----------
    problem : in scaled units.
    network : where to start. For Interpolation its neurons must be enough to interpolate.
    oracle : of the neurons to choose from, of which it lists peaks.
    tol : relative gap; zero for what rounding allows.
    slides : whether all biases may be chosen, so that they can slide.
    fit : values at the data near those of the optimum; the network's own by default.
    """
    previous = np.inf
    for _ in range(MAX_ROUNDS):
        check()
        if problem.n_features > 1 and problem.n_samples * network.n_neurons > MAX_ENTRIES:
            return
        answer = refitted(problem, network, fit)
        if answer is None:
            return
        network, dual, kept = answer
        state = State.of(problem, network, dual, oracle)
        if slides and state.gap <= SLIDING_GAP and problem.loss.smooth and problem.n_outputs is None:
            state = _slid(problem, state, oracle)
        yield state
        larger = joined(problem, state.u, state.found, state.network if problem.loss.smooth else kept)
        # Small violations that no longer lower the objective are rounding; at large ones a linear program may pause.
        small = state.found.value <= problem.lam * (1.0 + SMALL_GAP)
        stalled = not tol and small and state.primal >= previous * (1.0 - STALL)
        if state.gap <= tol or larger is None or stalled:
            return
        network, fit, previous = larger, None, state.primal


def continuation(
    problem: Problem, network: RidgeSpline, oracle: Oracle, top: float, tol: float = 0.0, slides: bool = False
) -> Iterator[State]:
    """The states of the exchange for a small lam, by way of larger ones: three a decade, down from `top`.

    Parameters
    ----------
    problem, oracle, tol, slides : as for `exchange`.
    network : the solution at lam = `top` or above.
    """
    steps = max(2, int(np.ceil(3.0 * np.log10(top / problem.lam))))
    for lam in np.geomspace(top, problem.lam, steps)[1:-1]:
        for state in exchange(problem.with_lam(float(lam)), network, oracle, PASSING_GAP, slides):
            network = state.network
    yield from exchange(problem, network, oracle, tol, slides)


def best_of(states: Iterable[State]) -> State | None:
    """The state of the least gap, None where there is none."""
    return min(states, key=lambda state: state.gap, default=None)


def refitted(
    problem: Problem, network: RidgeSpline, fit: Array | None = None
) -> tuple[RidgeSpline, Array, RidgeSpline] | None:
    """The optimum on the network's neurons, its dual vector, and these neurons, those at zero included if they stay."""
    refit = newton_refit if problem.loss.smooth else vertex_refit
    fit = network(problem.X) if fit is None else fit
    answer = refit(problem, network.weights, network.biases, network.amplitudes, fit)
    if answer is None:
        return None
    kept = network.changed(
        weights=network.weights[answer.kept], biases=network.biases[answer.kept], amplitudes=answer.amplitudes
    )
    return answer.network, answer.dual, kept


def joined(problem: Problem, u: Array, found: Supremum, old: RidgeSpline) -> RidgeSpline | None:
    """The old neurons with those that are missing, at amplitude next to zero, in order; None where none is."""
    eta = eta_at(problem.X, levelled(problem, u), found.weights, found.biases, problem.activation)
    size = group_norms(eta)
    new = np.array(
        [
            i
            for i in np.flatnonzero(size > problem.lam * (1.0 + VIOLATION_RTOL))
            if not ((old.biases == found.biases[i]) & (old.weights == found.weights[i]).all(axis=1)).any()
        ],
        dtype=int,
    )[: max(MOST_JOINING, old.n_neurons // 2)]
    if not len(new):
        return None
    start = 1e-6 * max(float(group_norms(old.amplitudes).max(initial=0.0)), 1e-6) if eta.ndim > 1 else 1e-300
    W = np.concatenate([old.weights, found.weights[new]])
    b = np.append(old.biases, found.biases[new])
    v = np.concatenate([old.amplitudes, start * (eta[new].T / size[new]).T])
    order = np.lexsort((b, *W.T))
    return old.changed(weights=W[order], biases=b[order], amplitudes=v[order])


def _slid(problem: Problem, state: State, oracle: Oracle) -> State:
    """The same after merging and Newton steps of the biases, where that lowers the gap; else as it was."""
    network = _newton(problem, _merged(problem, state.network))
    answer = refitted(problem, network)
    if answer is None:
        return state
    new = State.of(problem, answer[0], answer[1], oracle)
    return new if new.gap < state.gap else state


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
