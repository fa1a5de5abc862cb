"""The fast phase: batches find neurons, and all neurons slide at once.

A round is as cheap as the data allow: it asks for large |eta|, not for maxima, and leaves it to the slide to bring the
neurons to where they belong. It ends where that no longer lowers the objective fast. Where there are many more data
than neurons have parameters it comes near the optimum; otherwise neurons sit on data points, which only the exact
rounds see.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.interrupt import check, late
from ridgesplines.objective import objective_of_fit
from ridgesplines.oracle.base import Supremum
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.joint_slide import slid_together
from ridgesplines.solvers.column_generation.refits import Fit, refit
from ridgesplines.solvers.column_generation.rounds import fewest_joining, joining
from ridgesplines.solvers.column_generation.state import Phase, State
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Steps of a slide.
STEPS = 40
#: A round is slow where the objective falls by less than this, relatively; so many of them in a row are the last.
SLOW, SLOW_AMONG_FEW, SLOW_ROUNDS = 1e-4, 1e-3, 2
#: Data are few where there are fewer than so many for each parameter of a neuron.
FEW = 2.0
#: The gap from which on neurons are worth their exact places.
NEAR = 1e-3
#: Neurons join where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-7
#: Starts for each dimension of the batch that confirms a gap where that is all that is asked for.
CONFIRMING_STARTS = 64
MOST_JOINING = 256


def descent(problem: Problem, fit: Fit, scout: SearchOracle, tol: float, end: float = np.inf) -> Iterator[State]:
    """One state a round, until its gap (searched, by a batch) is at most `tol`, or rounds are slow."""
    slow = 0
    while True:
        u, _ = projected(problem, fit.u)
        state, found = _stands(problem, fit, u, scout, tol, end)
        yield state
        check()
        if state.gap <= max(tol, NEAR) or slow >= SLOW_ROUNDS or time.perf_counter() > end:
            return
        most = max(fewest_joining(problem), len(fit.neurons) // 2)
        new = joining(problem, u, found, VIOLATION_RTOL, min(most, MOST_JOINING))
        larger = refit(problem, fit.neurons.joined(new), fit.z) if len(new) else None
        if larger is None:
            return
        few = len(larger.neurons) * (problem.n_features + 1) * FEW > len(problem.y)
        fit = _slid(problem, larger, end)
        enough = (SLOW_AMONG_FEW if few else SLOW) * abs(state.fit.objective)
        slow = slow + 1 if state.fit.objective - fit.objective < enough else 0


def _stands(
    problem: Problem, fit: Fit, u: Array, scout: SearchOracle, tol: float, end: float
) -> tuple[State, Supremum]:
    """The state of a fit, and what a batch found; a small gap is confirmed by another from other starts."""
    primal = objective_of_fit(problem, fit.z, float(fit.neurons.sizes.sum()))

    def state(found: Supremum) -> State:
        value = -np.inf if late(end) else best_scale(problem, u, found.value)[1]
        return State(problem, fit, primal, found.value, value, Scope.SEARCHED, phase=Phase.FAST)

    near = fit.neurons.W, fit.neurons.b
    found = scout(u, near=near, end=end, rough=True)
    if state(found).gap <= tol:
        again = scout(u, near=near, end=end, afresh=CONFIRMING_STARTS, rough=True)
        found = max(found, again, key=lambda answer: answer.value)
    return state(found), found


def _slid(problem: Problem, fit: Fit, end: float) -> Fit:
    """The fit after a slide, its amplitudes at their best; as it was where that is no better."""
    if not len(fit.neurons):
        return fit
    moved = refit(problem, *slid_together(problem, fit.neurons, fit.z, STEPS, end))
    return moved if moved is not None and moved.objective < fit.objective else fit
