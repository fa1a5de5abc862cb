r"""The fast phase for losses with a kink: their Moreau envelopes, which near them as mu falls.

An envelope is smooth, and a fit of it is nearly one of the loss: with :math:`\delta = h - l` the objective and the dual
value of the loss itself differ by :math:`\mu N \delta^2 / 4` at most, besides what the fit lacks. The smaller mu is,
the more the curvature varies from row to row, and the slower the descent. So mu falls for as long as that pays; which
neurons it ends with is what matters to the cutting planes, not their amplitudes.

Where there are many points and many neurons, vertices of linear programs say little of what is missing: there the
envelopes get rounds, too, as a smooth loss does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.interrupt import late
from ridgesplines.objective import objective_of_fit
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.central_cuts import MOST_POINTS
from ridgesplines.solvers.column_generation.descent import BRIEF, data_are_few, descent
from ridgesplines.solvers.column_generation.envelope import Envelope
from ridgesplines.solvers.column_generation.refits import Fit, refit
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP, rounds
from ridgesplines.solvers.column_generation.state import Phase, State

#: mu in scaled units, where a fit starts without neurons, and where it starts with some; its factor; and the least.
FIRST, NEXT, FACTOR, LEAST = 1.0, 0.1, 0.25, 1e-2
#: An envelope that lowers the objective by less than this, relatively, is the last.
PAYS = 1e-3
#: Of rounds on envelopes: the first mu and the least, and how many there are of one mu at most.
WIDE, NARROW, MOST_ROUNDS = 0.25, 2e-4, 40


def continuation(problem: Problem, fit: Fit, oracle: Oracle, tol: float, end: float = np.inf) -> Iterator[State]:
    """One state of the problem a round, until its gap (searched, by a batch) is at most `tol`, or mu falls in vain."""
    mu, lowest = NEXT if len(fit.neurons) else FIRST, np.inf
    while mu >= LEAST and not late(end):
        smooth = problem.with_loss(Envelope(problem.loss, mu))
        start = refit(smooth, fit.neurons, fit.z)
        if start is None:
            return
        for state in descent(smooth, start, oracle, tol, end, BRIEF):
            state = _of_the_loss(problem, state)
            fit = state.fit
            yield state
        if state.gap <= tol or fit.objective > (1.0 - PAYS) * lowest:
            return
        mu, lowest = FACTOR * mu, fit.objective


def envelope_rounds(problem: Problem, fit: Fit, oracle: Oracle, tol: float, end: float = np.inf) -> Iterator[State]:
    """One state of the problem a round, for more points than interior points take, and many neurons; else nothing.

    An envelope's rounds end where its fit lacks no more of it than it lacks of the loss, or where neurons would slide:
    on an envelope that does not pay. Linear programs close the gap that is left.
    """
    if len(problem.y) <= MOST_POINTS or not data_are_few(problem, fit):
        return
    mu, gap = WIDE, np.inf
    while mu >= NARROW and gap > max(tol, SLIDING_GAP) and not late(end):
        smooth = problem.with_loss(Envelope(problem.loss, mu))
        start = refit(smooth, fit.neurons, fit.z)
        if start is None:
            return
        for round_, inner in enumerate(rounds(smooth, start, oracle, tol, end), 1):
            state = _of_the_loss(problem, inner)
            yield state
            fit, gap = state.fit, state.gap
            apart = (state.objective - inner.objective) / abs(inner.objective)
            if inner.gap <= max(apart, SLIDING_GAP) or round_ == MOST_ROUNDS:
                break
        mu *= FACTOR


def _of_the_loss(problem: Problem, state: State) -> State:
    """What a fit of the envelope is for the loss itself: their dual vectors are the same."""
    u, _ = projected(problem, state.fit.u)
    primal = objective_of_fit(problem, state.fit.z, float(state.fit.neurons.sizes.sum()))
    value = best_scale(problem, u, state.sup)[1] if np.isfinite(state.value) else state.value
    fit = Fit(state.fit.neurons, state.fit.z, u, primal)
    return state._replace(problem=problem, fit=fit, objective=primal, value=value, phase=Phase.ENVELOPE)
