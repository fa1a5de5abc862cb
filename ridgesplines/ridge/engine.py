"""Column generation: violators of the certificate join, amplitudes are refitted, neurons merge and slide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ridgesplines.duals import best_scale, projected
from ridgesplines.network import group_norms
from ridgesplines.oracle import Oracle, SearchOracle, Supremum, eta_at
from ridgesplines.problem import Problem
from ridgesplines.ridge.master import objective
from ridgesplines.ridge.neurons import Neurons, distinct, merged
from ridgesplines.ridge.refits import Fit, refit
from ridgesplines.ridge.slide import slid
from ridgesplines.ridge.smoothed import first_delta, smoothed
from ridgesplines.validation import Array

#: Neurons that join in one round: half as many as there are, within these.
FEWEST, MOST = 16, 64
#: A neuron violates the certificate where |eta| exceeds lam by more than this, relatively.
VIOLATION = 1e-13
SLIDES = 3
#: A slide that lowers the objective by less than this, relatively, is the round's last.
LITTLE = 1e-15
#: Starts for each dimension of the search that confirms an answer.
CONFIRMING = 512
#: A smoothed problem is solved to this part of the gap so far, in at most so many rounds.
INNER, MOST_INNER = 0.03, 20
#: Where its gap is not this part of the one before, the next is so much sharper, down to so much of the first.
ENOUGH, SHARPER, SHARPEST = 0.3, 0.3, 1e-2
#: Interpolation makes quadratic problems, whose Newton steps do not mind.
SHARPEST_QUADRATIC = 1e-6


class State(NamedTuple):
    """Where a round stands.

    Attributes
    ----------
    fit : the neurons and the fit, with the objective that the round minimises.
    objective : that of the problem posed.
    sup : sup|eta| of the dual vector, exact or searched.
    value : the dual value that it gives; no bound where the supremum was searched.
    residual : for interpolation, how far the fit is from the data.
    """

    fit: Fit
    objective: float
    sup: float
    value: float
    residual: float = 0.0

    @property
    def left(self) -> float:
        """What falls from round to round: the gap, or before that the residual."""
        return self.gap if np.isfinite(self.gap) else 1.0 + self.residual

    @property
    def gap(self) -> float:
        if not np.isfinite(self.objective):
            return np.inf
        return max(self.objective - self.value, 0.0) / max(abs(self.objective), 1e-300)


def states(problem: Problem, fit: Fit, oracle: Oracle, tol: float) -> Iterator[State]:
    """One state a round, from a fit, until no neuron violates the certificate; a search looks for gaps above `tol`."""
    if problem.loss.smooth:
        return rounds(problem, problem, fit, oracle, tol)
    return multipliers(problem, fit, oracle, tol)


def rounds(problem: Problem, posed: Problem, fit: Fit, oracle: Oracle, tol: float) -> Iterator[State]:
    """Column generation for a smooth loss; the gaps of its states are those of the problem posed."""
    while True:
        u, _ = projected(posed, fit.u)
        found = _asked(problem, oracle, u, fit.neurons)
        state = _stands(problem, posed, fit, u, found)
        if state.gap <= tol and isinstance(oracle, SearchOracle):
            found = max(found, _searched_anew(problem, u, fit.neurons), key=lambda answer: answer.value)
            state = _stands(problem, posed, fit, u, found)
        yield state
        joining = _joining(problem, fit.neurons, u, found.weights, found.biases)
        larger = refit(problem, fit.neurons.joined(joining), fit.z) if len(joining) else None
        if larger is None:
            return
        fit = slides(problem, larger)


def _stands(problem: Problem, posed: Problem, fit: Fit, u: Array, found: Supremum) -> State:
    reached = fit.objective if posed is problem else objective(posed, fit.z, float(fit.neurons.sizes.sum()))
    residual = float(np.abs(posed.y - fit.z).max()) if posed.loss.constraint else 0.0
    return State(fit, reached, found.value, best_scale(posed, u, found.value)[1], residual)


def _asked(problem: Problem, oracle: Oracle, u: Array, neurons: Neurons) -> Supremum:
    if isinstance(oracle, SearchOracle):
        return oracle(u, problem.lam, near=(neurons.W, neurons.b))
    return oracle(u, problem.lam)


def _searched_anew(problem: Problem, u: Array, neurons: Neurons) -> Supremum:
    """A second search, with starts of its own: the first may have stopped at violators that do not matter."""
    effort = CONFIRMING * problem.n_features
    return SearchOracle(problem.X, 1, effort, neurons.W)(u, near=(neurons.W, neurons.b))


def multipliers(problem: Problem, fit: Fit, oracle: Oracle, tol: float) -> Iterator[State]:
    """A loss with kinks: rounds of smoothed problems, each near the dual vector of the one before."""
    delta, gap = first_delta(problem, fit.z, oracle), 1.0
    least = (SHARPEST_QUADRATIC if problem.loss.constraint else SHARPEST) * delta
    while True:
        smooth = smoothed(problem, fit.u, delta)
        start = refit(smooth, fit.neurons, fit.z)
        if start is None:
            return
        for i, state in enumerate(rounds(smooth, problem, start, oracle, tol)):
            fit = state.fit
            yield state
            if state.sup <= problem.lam * (1.0 + INNER * gap) or i == MOST_INNER:
                break
        left = state.gap if np.isfinite(state.gap) else state.residual
        if left > ENOUGH * gap:
            delta = max(SHARPER * delta, least)
        gap = min(gap, max(left, 1e-9))


def _joining(problem: Problem, neurons: Neurons, u: Array, W: Array, b: Array) -> Neurons:
    """Violators that data separate from each other, at amplitude zero with the sign of eta."""
    eta = eta_at(problem.X, u, W, b)
    beyond = group_norms(eta) > problem.lam * (1.0 + VIOLATION)
    W, b, eta = W[beyond], b[beyond], eta[beyond]
    most = min(max(FEWEST, len(neurons) // 2), MOST)
    kept = distinct(problem.X, W, b, most)
    return Neurons(W[kept], b[kept], np.zeros(len(kept)), (eta[kept].T / group_norms(eta[kept])).T)


def slides(problem: Problem, fit: Fit) -> Fit:
    """Merge and slide, for as long as that lowers the objective."""
    for _ in range(SLIDES):
        before = fit.objective
        if problem.n_outputs is None:
            together = merged(problem.X, fit.neurons)
            if len(together) < len(fit.neurons):
                fit = refit(problem, together, fit.z) or fit
        if not len(fit.neurons):
            break
        best = fit
        for moved in slid(problem, fit.neurons, fit.z):
            trial = refit(problem, moved, fit.z)
            if trial is not None and trial.objective < best.objective:
                best = trial
        fit = best
        if not fit.objective < before - LITTLE * abs(before):
            break
    return fit
