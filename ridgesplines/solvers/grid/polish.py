r"""From a backend's approximate answer to the dictionary's optimum: a working set, refitted to rounding.

Interior-point and first-order methods leave every amplitude a little off zero. Which of them are zero at the optimum is
decided by complementarity, not size: an amplitude is kept where it is larger, relative to the largest, than the slack
:math:`1 - |\eta|/\lambda` of its neuron. The problem on the kept neurons is then solved to rounding, and neurons of the
dictionary that violate :math:`|\eta| \le \lambda` join, until none does. Nothing is dropped that is not re-examined.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.amplitudes.extreme_points import extreme_point
from ridgesplines.amplitudes.refit import newton_refit, vertex_refit
from ridgesplines.certificate.dual import projected
from ridgesplines.interrupt import check
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.objective import objective_of_fit
from ridgesplines.oracle.eta import eta_dictionary
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


class Polished(NamedTuple):
    """A network, its dual vector, and its amplitudes in the order of the dictionary."""

    network: RidgeSpline
    dual: Array
    amplitudes: Array


MAX_ROUNDS = 50
#: Neurons that join in one round.
MOST_JOINING = 64
#: A neuron violates the certificate where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-10
#: A round that lowers the objective by less than this, relatively, is the last, if the violations are small.
STALL = 1e-14
SMALL_GAP = 1e-6
#: Entries of the dense matrix of the working set, beyond which it is not formed.
MAX_ENTRIES = 4e7


def polish(problem: Problem, dictionary: Dictionary, amplitudes: Array, fit: Array, dual: Array) -> Polished | None:
    """The optimum of the dictionary, or None where this method does not get there.

    Parameters
    ----------
    problem : in scaled units.
    dictionary : G neurons.
    amplitudes, fit, dual : an approximate solution, (G,), (n,) and (n,); with outputs (G, D), (n, D), (n, D).
    """
    W, b = dictionary.neurons
    work = _complementary(problem, dictionary, amplitudes, dual)
    if problem.loss.interpolates:  # few neurons do not interpolate: start from as many as that takes
        work = np.union1d(work, _enough(problem, W, b, amplitudes))
    else:
        work, amplitudes = _thinned(dictionary, amplitudes, work)
    return working_set(problem, dictionary, amplitudes, fit, work)


def continuation(
    problem: Problem, dictionary: Dictionary, amplitudes: Array, fit: Array, top: float
) -> Polished | None:
    """The optimum of the dictionary for a small lam, by way of larger ones: three a decade, down from `top`.

    Parameters
    ----------
    problem, dictionary : as for `polish`.
    amplitudes, fit : the solution at lam = `top` or above.
    """
    answer = None
    for lam in np.geomspace(top, problem.lam, max(2, int(np.ceil(3.0 * np.log10(top / problem.lam)))))[1:]:
        work = np.flatnonzero(group_norms(amplitudes) > 0.0)
        answer = working_set(problem.with_lam(float(lam)), dictionary, amplitudes, fit, work)
        if answer is None:
            return None
        amplitudes, fit = answer.amplitudes, answer.network(problem.X)
    return answer


def working_set(
    problem: Problem, dictionary: Dictionary, amplitudes: Array, fit: Array, work: Array
) -> Polished | None:
    """Refit the working set `work`, indices of neurons, and let violators join, until there are none.

    Parameters
    ----------
    problem, dictionary : as for `polish`.
    amplitudes, fit : where to start, (G,) and (n,).
    """
    W, b = dictionary.neurons
    refit = newton_refit if problem.loss.smooth else vertex_refit
    previous = np.inf
    for _ in range(MAX_ROUNDS):
        check()
        if problem.n_features > 1 and problem.n_samples * len(work) > MAX_ENTRIES:
            return None
        answer = refit(problem, W[work], b[work], amplitudes[work], fit)
        if answer is None:
            return None
        network, u, kept, values = answer
        fit = network(problem.X)
        work, amplitudes = work[kept], np.zeros_like(amplitudes)
        amplitudes[work] = values
        eta = eta_dictionary(problem.X, projected(problem, u)[0], dictionary)
        joining = _violators(problem, dictionary, eta, work)
        objective = objective_of_fit(problem, fit, network.seminorm)
        # Small violations that no longer lower the objective are rounding; at large ones a linear program may pause.
        small = group_norms(eta).max(initial=0.0) <= problem.lam * (1.0 + SMALL_GAP)
        stalled, previous = small and objective >= previous * (1.0 - STALL), objective
        if stalled or not len(joining):
            return Polished(network, u, amplitudes)
        start = 1e-6 * max(float(group_norms(values).max(initial=0.0)), 1e-6) if eta.ndim > 1 else 1e-300
        amplitudes[joining] = start * (eta[joining].T / group_norms(eta[joining])).T
        work = np.sort(np.concatenate([work, joining]))
    return None


def _complementary(problem: Problem, dictionary: Dictionary, amplitudes: Array, dual: Array) -> Array:
    """Indices of the neurons whose amplitude outweighs their slack."""
    size = group_norms(amplitudes)
    eta = group_norms(eta_dictionary(problem.X, projected(problem, dual)[0], dictionary))
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


def _violators(problem: Problem, dictionary: Dictionary, eta: Array, work: Array) -> Array:
    """The largest violators, each a local maximum of |eta| along its direction."""
    size = group_norms(eta)
    peak = size > problem.lam * (1.0 + VIOLATION_RTOL)
    first = np.zeros(len(size), dtype=bool)
    starts = np.cumsum(dictionary.sizes) - dictionary.sizes
    first[starts[dictionary.sizes > 0]] = True
    peak[1:] &= (size[1:] >= size[:-1]) | first[1:]
    peak[:-1] &= (size[:-1] > size[1:]) | first[1:]
    peak[work] = False
    violators = np.flatnonzero(peak)
    most = max(MOST_JOINING, len(work) // 2)
    return violators[np.argsort(-size[violators], kind="stable")[:most]]
