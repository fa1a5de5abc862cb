"""The lam of a fit of few neurons: the smallest that leaves no more than were asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from numbers import Integral
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import Deferral
from ridgesplines.problem import Problem
from ridgesplines.solve import answers, largest_lam
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.validation import Array

#: The path on which it is looked for: so many values, and the smallest as a part of the largest.
N_LAMS, RATIO = 61, 1e-6
#: Halvings of the logarithm of a step of that path.
HALVINGS = 12


def neuron_limit(given: Any) -> int | None:
    """The argument `max_neurons`: a whole number, or None for any number."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, Integral) or given < 0):
        remedy = "A spline of K neurons in one dimension has K + 1 segments: pass max_neurons=2 for three."
        raise ProblemError("max_neurons", "a whole number >= 0, or None", repr(given), remedy)
    return None if given is None else int(given)


def least_lam(problem: Problem, solver: Solver | None, most: int) -> float:
    """The smallest lam whose solution has at most so many neurons, on a path from lambda_max down, then by bisection.

    The number of neurons need not grow at each step as lam falls. The path ends once it is beyond twice as many and
    two; of what it has passed by then the smallest lam is taken, and bisected with the one after it.
    """
    if problem.loss.interpolates:
        raise ProblemError(
            "max_neurons",
            "None for Interpolation, whose fit does not depend on lam",
            f"{most}",
            "Use a loss whose fit may miss the data.",
        )
    solver = picked(problem) if solver is None else solver
    lams = _path(problem)
    counts = np.array(list(takewhile(lambda count: count <= 2 * most + 2, _counts(problem, solver, lams))), dtype=int)
    # Found on its own, as the one that is kept will be, a solution may have others' neurons.
    last = next((i for i in np.flatnonzero(counts <= most)[::-1] if _count(problem, solver, lams[i]) <= most), None)
    if last is None:
        raise ProblemError(
            "max_neurons",
            "no fewer neurons than the constraints ask for, whatever lam is" if problem.constraints else "at least 1",
            f"{most}",
            "Allow more neurons.",
        )
    lam = float(lams[last])
    if last + 1 == len(lams):
        return lam
    low = float(lams[last + 1])
    for _ in range(HALVINGS):
        middle = float(np.sqrt(low * lam))
        if _count(problem, solver, middle) <= most:
            lam = middle
        else:
            low = middle
    return lam


def _path(problem: Problem) -> Array:
    top = largest_lam(problem)
    return np.geomspace(top * (1.0 + 1e-6), top * RATIO, N_LAMS)


def _counts(problem: Problem, solver: Solver, lams: Array) -> Iterator[int]:
    """The neurons of the solutions of a path."""
    path = answers(problem.with_lam(float(lams[0])), solver, lams)
    for _ in lams:
        with Deferral():  # half of a search finds nothing
            answer = next(path)
        if answer.interrupted:
            raise KeyboardInterrupt
        yield answer.network.n_neurons


def _count(problem: Problem, solver: Solver, lam: float) -> int:
    """Those of one solution, found from no other."""
    return next(_counts(problem, solver, np.array([lam])))
