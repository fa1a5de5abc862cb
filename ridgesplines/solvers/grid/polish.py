r"""From a backend's approximate answer to the dictionary's optimum: where its exchange begins.

Interior-point and first-order methods leave every amplitude a little off zero. Which of them are zero at the optimum is
decided by complementarity, not size: an amplitude is kept where it is larger, relative to the largest, than the slack
:math:`1 - |\eta|/\lambda` of its neuron. From the neurons that are kept the exchange finds the optimum to rounding:
those that violate :math:`|\eta| \le \lambda` join, so that nothing is dropped that is not re-examined.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.design import fitted
from ridgesplines.amplitudes.extreme_points import extreme_point
from ridgesplines.certificate.dual import levelled, projected
from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.oracle.base import Oracle
from ridgesplines.oracle.eta import eta_dictionary
from ridgesplines.problem import Problem
from ridgesplines.solvers.exchange import State, best_of, exchange
from ridgesplines.validation import Array


def polish(
    problem: Problem, dictionary: Dictionary, amplitudes: Array, fit: Array, dual: Array, oracle: Oracle
) -> State | None:
    """The optimum of the dictionary, or as near to it as this method gets; None where it gets nowhere.

    Parameters
    ----------
    problem : in scaled units.
    dictionary : G neurons.
    amplitudes, fit, dual : an approximate solution, (G,), (n,) and (n,); with outputs (G, D), (n, D), (n, D).
    oracle : of the dictionary's peaks.
    """
    W, b = dictionary.neurons
    work = _complementary(problem, dictionary, amplitudes, dual)
    if problem.loss.interpolates:  # few neurons do not interpolate: start from as many as that takes
        work = np.union1d(work, _enough(problem, W, b, amplitudes))
    else:
        work, amplitudes = _thinned(dictionary, amplitudes, work)
    network = fitted(problem, W[work], b[work], amplitudes[work], fit)
    return best_of(exchange(problem, network, oracle, fit=fit))


def _complementary(problem: Problem, dictionary: Dictionary, amplitudes: Array, dual: Array) -> Array:
    """Indices of the neurons whose amplitude outweighs their slack."""
    size = group_norms(amplitudes)
    seen = levelled(problem, projected(problem, dual)[0])
    eta = group_norms(eta_dictionary(problem.X, seen, dictionary))
    slack = np.maximum(1.0 - eta / problem.lam, 0.0)
    return np.flatnonzero(size > slack * size.max(initial=0.0))


def _enough(problem: Problem, W: Array, b: Array, amplitudes: Array) -> Array:
    """Indices of neurons that interpolate: an extreme point's, and in one dimension all."""
    if problem.n_features == 1:
        return np.arange(len(b))
    return extreme_point(problem, W, b, amplitudes)[0]


def _thinned(dictionary: Dictionary, amplitudes: Array, work: Array) -> tuple[Array, Array]:
    """The largest of neurons in a row, along one direction and of one sign, with their sum.

    Neighbours that both belong to the optimum come back as violators; without this the first working set holds
    bundles of nearly equal neurons.
    """
    direction = np.repeat(np.arange(len(dictionary.sizes)), dictionary.sizes)[work]
    size, sign = group_norms(amplitudes[work]), np.sign(amplitudes[work])
    apart = (np.diff(work) > 1) | (np.diff(direction) > 0)
    apart |= (np.diff(sign) != 0.0) if sign.ndim == 1 else (np.diff(sign, axis=0) != 0.0).any(axis=1)
    run = np.concatenate([[0], np.cumsum(apart)]) if len(work) else np.empty(0, dtype=int)
    order = np.lexsort((-size, run))
    chosen = order[np.concatenate([[True], np.diff(run[order]) > 0])] if len(work) else run
    total = np.zeros((len(chosen), *amplitudes.shape[1:]))
    np.add.at(total, run, amplitudes[work])
    thin = np.zeros_like(amplitudes)
    thin[work[chosen]] = total
    return work[chosen], thin
