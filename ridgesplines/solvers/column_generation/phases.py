"""The phases of the work, one after the other: what one has reached is where the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ridgesplines.oracle.base import Oracle
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.continuation import continuation
from ridgesplines.solvers.column_generation.descent import descent
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP, cutting_planes, rounds
from ridgesplines.solvers.column_generation.state import State


def states(
    problem: Problem, fit: Fit, oracle: Oracle, scout: SearchOracle | None, tol: float, end: float = np.inf
) -> Iterator[State]:
    """One state a round, from a fit, until no neuron violates the certificate; a search confirms gaps up to `tol`.

    Linear programs stop at `end`, a reading of ``time.perf_counter``, and searches early enough to use what they found;
    the rest of a round does not. Without a `scout` there is no fast phase.
    """
    if not problem.loss.smooth:
        if scout is not None and scout is oracle and not problem.loss.interpolates:
            start = fit.neurons  # an envelope may have left what a start knew
            for state in continuation(problem, fit, scout, tol, end):
                yield state
                fit = replace(state.fit, neurons=state.fit.neurons.joined(start))
        yield from cutting_planes(problem, fit, oracle, tol, end)
        return
    if scout is not None:
        for state in descent(problem, fit, scout, tol, end):
            fit = state.fit
            if state.gap <= tol < SLIDING_GAP:
                break  # so small a gap is for the exact rounds to confirm
            yield state
    if scout is not None and scout is not oracle:  # an exact oracle for many points: few calls of it, at the end
        for state in rounds(problem, fit, scout, tol, end):
            fit = state.fit
            if state.gap <= tol:
                break
            yield state
    yield from rounds(problem, fit, oracle, tol, end)
