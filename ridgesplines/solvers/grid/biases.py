"""A grid of directions for any activation: a dense program in CVXPY to start from, then all biases by exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ridgesplines.amplitudes.design import fitted, fitted_alone
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.certificate.affine_optimum import affine_optimum
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.oracle import neurons_oracle
from ridgesplines.oracle.base import Oracle
from ridgesplines.oracle.directions import DirectionsOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.backends import Backend
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.exchange import State, continuation, exchange
from ridgesplines.solvers.grid.answers import Found, answers
from ridgesplines.solvers.grid.program import DenseProgram
from ridgesplines.validation import Array

#: The gap to which the exchange works, and the one that counts as reached.
GOAL_GAP = 1e-8
REACHED_GAP = 1e-6


def biases_path(
    problem: Problem, lams: Sequence[float], dictionary: Dictionary, backend: Backend, refine: bool
) -> Iterator[Answer]:
    """An answer for each lam; the first program is compiled once for all.

    Parameters
    ----------
    problem : of any activation.
    dictionary : in scaled units.
    backend : of the program.
    refine : whether biases are refined until none is missing; otherwise the answer is the dictionary's.
    """
    scaling = standardise(problem)
    work = _Work(scaling.problem, dictionary, backend, refine)
    tolerance = REACHED_GAP if refine else backend.tolerance
    yield from answers(problem, lams, scaling, work.one, _limits(problem, scaling, dictionary, refine), tolerance)


def _limits(problem: Problem, scaling: Scaling, dictionary: Dictionary, refine: bool) -> Oracle | None:
    """An oracle of the neurons among which the answer is the best, in the problem's units; None for all neurons."""
    if not refine:
        moved = dictionary.moved(scaling.centre, scaling.radius)
        return neurons_oracle(problem.reduced.X, *moved.neurons, problem.activation)
    if problem.n_features == 1:
        return None
    return DirectionsOracle(problem.reduced.X, dictionary.directions, problem.activation)


class _Work:
    """The parts that all lam share: the dictionary, its oracle, the optimum without neurons, the compiled program."""

    def __init__(self, problem: Problem, dictionary: Dictionary, backend: Backend, refine: bool) -> None:
        self.dictionary, self.backend, self.refine = dictionary, backend, refine
        self.oracle: Oracle = (
            DirectionsOracle(problem.X, dictionary.directions, problem.activation)
            if refine
            else neurons_oracle(problem.X, *dictionary.neurons, problem.activation)
        )
        self.nothing = affine_optimum(problem, self.oracle)
        self.threshold = np.inf if self.nothing is None else self.oracle(self.nothing[1]).value
        self.program: DenseProgram | None = None

    def one(self, problem: Problem) -> Found:
        """(network, dual vector, history) for one lam, purified."""
        history: dict[str, Any] = {"neurons offered": len(self.dictionary), "rounds": 0}
        if self.nothing is not None and problem.lam >= self.threshold * (1.0 - 1e-10):
            return fitted_alone(problem, self.nothing[0]), self.nothing[1], history | {"status": "null space"}
        best: State | None = None
        network, dual = self._start(problem)
        try:
            with stoppable():
                network, dual, history["status"] = self._first(problem)
                for state in self._states(problem, network) if self.refine else ():
                    history["rounds"] += 1
                    best = state if best is None or state.gap < best.gap else best
        except KeyboardInterrupt:
            history["interrupted"] = True
        if best is not None:
            network, dual = best.network, best.dual
        history["neurons before purification"] = network.n_neurons
        return purify(problem, network), dual, history

    def _start(self, problem: Problem) -> tuple[RidgeSpline, Array]:
        """The optimum without neurons, or where that does not exist all neurons of the dictionary at zero."""
        if self.nothing is not None:
            return fitted_alone(problem, self.nothing[0]), self.nothing[1]
        zero = np.zeros_like(problem.y)
        return fitted(problem, *self.dictionary.neurons, np.zeros(len(self.dictionary)), zero), zero

    def _first(self, problem: Problem) -> tuple[RidgeSpline, Array, str]:
        """The backend's answer in the dictionary, purified; where it fails and is only to start from, `_start`."""
        if not len(self.dictionary):
            return *self._start(problem), "no neurons"
        if self.refine and self.nothing is not None and _slides_from_nothing(problem):
            return *self._start(problem), "no program"
        self.program = self.program or DenseProgram(problem, self.dictionary, self.backend)
        try:
            amplitudes, fit, dual, status = self.program.solve(problem.lam)
        except SolverRefusal:
            if not self.refine:
                raise
            return *self._start(problem), "failed"
        network = fitted(problem, *self.dictionary.neurons, amplitudes, fit)
        # To interpolate exactly takes more neurons than to interpolate nearly: the linear program chooses.
        return network if problem.loss.interpolates and self.refine else purify(problem, network), dual, status

    def _states(self, problem: Problem, network: RidgeSpline) -> Iterator[State]:
        """From the program's answer; if that does not get there, by way of larger lam, three a decade."""
        gap = np.inf
        for state in exchange(problem, network, self.oracle, GOAL_GAP, slides=True):
            gap = min(gap, state.gap)
            yield state
        if self.nothing is None or gap <= REACHED_GAP:
            return
        network = fitted_alone(problem, self.nothing[0])
        yield from continuation(problem, network, self.oracle, self.threshold, GOAL_GAP, slides=True)


def _slides_from_nothing(problem: Problem) -> bool:
    """Whether the exchange needs no program to start from: splines, whose biases slide."""
    splines = problem.n_features == 1 and problem.activation.homogeneity is not None
    return splines and problem.loss.smooth and problem.n_outputs is None
