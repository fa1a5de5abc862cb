"""The phases of the work, one after the other: what one has reached is where the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.central_cuts import central_cuts
from ridgesplines.solvers.column_generation.continuation import continuation, envelope_rounds
from ridgesplines.solvers.column_generation.descent import BRIEF, PATIENT, descent
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP, cutting_planes, rounds
from ridgesplines.solvers.column_generation.state import Pricing, State


def states(problem: Problem, fit: Fit, pricing: Pricing, tol: float, end: float = np.inf) -> Iterator[State]:
    """One state a round, from a fit, until no neuron violates the certificate; a search confirms gaps up to `tol`.

    Linear programs stop at `end`, a reading of ``time.perf_counter``, and searches early enough to use what they found;
    the rest of a round does not.
    """
    oracle, fast, exact, briefly = pricing
    if not problem.loss.smooth:
        if fast and not problem.loss.interpolates:
            start = fit.neurons  # an envelope may have left what a start knew
            for state in continuation(problem, fit, oracle, tol, end):
                if exact and state.gap <= tol and not briefly:
                    break
                yield state
                fit = replace(state.fit, neurons=state.fit.neurons.joined(start))
            if briefly:
                return
            if not exact:
                for state in envelope_rounds(problem, fit, oracle, tol, end):
                    yield state
                    fit = state.fit
                program = yield from central_cuts(problem, fit, oracle, tol, end)
                if program is not None:
                    yield from cutting_planes(problem, replace(fit, neurons=start), oracle, tol, end, program)
                    return
        yield from cutting_planes(problem, fit, oracle, tol, end)
        return
    if fast:
        for state in descent(problem, fit, oracle, tol, end, BRIEF if briefly else PATIENT):
            fit = state.fit
            if state.gap <= tol and (exact or tol < SLIDING_GAP) and not briefly:
                break  # for the exact rounds to confirm
            yield state
        if briefly:
            return
    yield from rounds(problem, fit, oracle, tol, end)
