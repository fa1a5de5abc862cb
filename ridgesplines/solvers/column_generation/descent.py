"""The fast phase: batches find neurons, and all neurons slide at once.

A round is as cheap as the data allow: it asks for large |eta|, not for maxima, and leaves it to the slide to bring the
neurons to where they belong. It ends where that no longer lowers the objective fast. Where there are many more data
than neurons have parameters it comes near the optimum; otherwise neurons sit on data points, which only the exact
rounds see.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ridgesplines.certificate.dual import projected
from ridgesplines.interrupt import check
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.joint_slide import slid_together
from ridgesplines.solvers.column_generation.refits import Fit, refit
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP, joining, most_joining, stands
from ridgesplines.solvers.column_generation.state import Phase, State

#: Steps of a slide.
STEPS = 40
#: Data are few where there are fewer than so many for each parameter of a neuron.
FEW = 2.0
#: Neurons join where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-7


class Pace(NamedTuple):
    """When a round is slow: where the objective falls by less, relatively; and how many of them in a row are the last.

    Attributes
    ----------
    enough, among_few : what is enough for a round, and for one where data are few.
    rounds : the slow ones in a row.
    confirmed : whether a small gap is looked at once more, from other starts.
    """

    enough: float
    among_few: float
    rounds: int
    confirmed: bool


#: For what comes as near to the optimum as it can, and for what is only to predict about as well.
PATIENT, BRIEF = Pace(1e-4, 1e-3, 2, True), Pace(2e-3, 2e-3, 1, False)


def descent(
    problem: Problem, fit: Fit, oracle: Oracle, tol: float, end: float = np.inf, pace: Pace = PATIENT
) -> Iterator[State]:
    """One state a round, until its gap (searched, by a batch) is at most `tol`, or rounds are slow."""
    slow = 0
    while True:
        u, _ = projected(problem, fit.u)
        state, found = stands(problem, fit, u, oracle, tol if pace.confirmed else 0.0, end, rough=True)
        state = state._replace(phase=Phase.FAST)
        yield state
        check()
        if state.gap <= max(tol, SLIDING_GAP) or slow >= pace.rounds or time.perf_counter() > end:
            return
        new = joining(problem, u, found, VIOLATION_RTOL, most_joining(problem, fit))
        larger = refit(problem, fit.neurons.joined(new), fit.z) if len(new) else None
        if larger is None:
            return
        few = data_are_few(problem, larger)
        fit = _slid(problem, larger, end)
        enough = (pace.among_few if few else pace.enough) * abs(state.fit.objective)
        slow = slow + 1 if state.fit.objective - fit.objective < enough else 0


def data_are_few(problem: Problem, fit: Fit) -> bool:
    """Whether there are few for so many neurons."""
    return len(fit.neurons) * (problem.n_features + 1) * FEW > len(problem.y)


def _slid(problem: Problem, fit: Fit, end: float) -> Fit:
    """The fit after a slide, its amplitudes at their best; as it was where that is no better."""
    if not len(fit.neurons):
        return fit
    moved = refit(problem, *slid_together(problem, fit.neurons, fit.z, STEPS, end))
    return moved if moved is not None and moved.objective < fit.objective else fit
