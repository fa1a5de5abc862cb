"""A grid of ReLU neurons: the sparse program of splines in CVXPY, then the grid's optimum to rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ridgesplines.amplitudes.design import fitted, fitted_alone
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.certificate.affine_optimum import affine_optimum
from ridgesplines.certificate.certificate import certify
from ridgesplines.certificate.dual import levelled
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.objective import objective, relative
from ridgesplines.oracle import dictionary_oracle, peaks_oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.backends import Backend
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.exchange import State, best_of, continuation
from ridgesplines.solvers.grid.answers import Found, answers
from ridgesplines.solvers.grid.polish import polish
from ridgesplines.solvers.grid.program import SplineProgram
from ridgesplines.solvers.univariate.kinked import nearby_line
from ridgesplines.validation import Array

#: A refinement with a relative gap below this is good enough; otherwise continuation in lam is tried.
GOAL_GAP = 1e-6


def splines_path(
    problem: Problem, lams: Sequence[float], dictionary: Dictionary, backend: Backend, refine: bool
) -> Iterator[Answer]:
    """An answer for each lam; the program is compiled once for all.

    Parameters
    ----------
    problem : of ReLU.
    dictionary : in scaled units.
    backend : of the program.
    refine : whether the backend's answer is refined until it is the dictionary's optimum to rounding.
    """
    scaling = standardise(problem)
    work = _Work(scaling.problem, dictionary, backend, refine)
    limits = dictionary_oracle(problem.reduced.X, dictionary.moved(scaling.centre, scaling.radius))
    yield from answers(problem, lams, scaling, work.one, limits, backend.tolerance)


class _Work:
    """The parts that all lam share: the dictionary, its oracle, the affine optimum, and the compiled program."""

    def __init__(self, problem: Problem, dictionary: Dictionary, backend: Backend, refine: bool) -> None:
        self.dictionary, self.backend, self.refine = dictionary, backend, refine
        self.oracle = dictionary_oracle(problem.X, dictionary)
        self.affine = affine_optimum(problem, self.oracle, nearby_line(problem))
        if self.affine is None and not len(dictionary):
            raise _nothing_interpolates()
        self.threshold = np.inf if self.affine is None else self.oracle(levelled(problem, self.affine[1])).value
        self.program: SplineProgram | None = None

    def one(self, problem: Problem) -> Found:
        """(network, dual vector, history) for one lam."""
        if self.affine is None:
            return self._of_neurons(problem)
        alone = fitted_alone(problem, self.affine[0]), self.affine[1]
        if problem.lam >= self.threshold * (1.0 - 1e-10):
            return *alone, {"status": "affine"}
        try:
            with stoppable():
                return self._of_neurons(problem)
        except KeyboardInterrupt:  # before the backend had an answer: the affine fit is the best so far
            return *alone, {"status": "affine", "interrupted": True}

    def _of_neurons(self, problem: Problem) -> Found:
        """The backend's answer, refined and purified."""
        self.program = self.program or SplineProgram(problem, self.dictionary, self.backend)
        amplitudes, fit, dual, status = self.program.solve(problem.lam)
        best = fitted(problem, *self.dictionary.neurons, amplitudes, fit)
        gap = self._gap(problem, best, dual)
        history: dict[str, Any] = {
            "status": status,
            "neurons offered": len(self.dictionary),
            "gap before refinement": gap,
            "refined": False,
        }
        for attempt in self._refinements(problem, amplitudes, fit, dual):
            try:
                refined = attempt()
            except KeyboardInterrupt:
                history["interrupted"] = True
                break
            # A refined answer of a somewhat larger gap, far below the tolerance, is still the sparser one.
            if refined is None or (new := self._gap(problem, refined.network, refined.dual)) > max(gap, 1e-9):
                continue
            best, dual, gap, history["refined"] = refined.network, refined.dual, new, True
            if gap <= GOAL_GAP:
                break
        history["neurons before purification"] = best.n_neurons
        return purify(problem, best), dual, history

    def _refinements(
        self, problem: Problem, amplitudes: Array, fit: Array, dual: Array
    ) -> Iterator[Callable[[], State | None]]:
        """The attempts to refine the backend's answer, in turn."""
        if not self.refine:
            return
        peaks = peaks_oracle(problem.X, self.dictionary)
        yield lambda: polish(problem, self.dictionary, amplitudes, fit, dual, peaks)
        if self.affine is not None:
            alone = fitted_alone(problem, self.affine[0])
            yield lambda: best_of(continuation(problem, alone, peaks, self.threshold))

    def _gap(self, problem: Problem, network: RidgeSpline, dual: Array) -> float:
        """The relative gap in the dictionary, computed."""
        primal = objective(problem, network)
        return relative(problem, primal - certify(problem, network, dual, self.oracle).value, primal)


def _nothing_interpolates() -> ProblemError:
    return ProblemError(
        "biases",
        "neurons that bend within the data",
        "a grid with none of them",
        'Pass biases="data", or biases inside the range of the projections.',
    )
