r"""Problems with shape constraints, one lam after the other: without them first.

A minimiser among all functions that satisfies the constraints is one among those that do, and its dual vector, with
multipliers of zero, proves it. Only where it violates them the constraints are taken into account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.certificate.sites import Sites
from ridgesplines.certificate.violation import violation
from ridgesplines.exceptions import ProblemError
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.backends import BACKENDS
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.constrained.solver import ShapedProgram

#: Largest violation at which the constraints count as satisfied by the fit without them.
FREE_RTOL = 1e-13

Path = Callable[[Problem, Sequence[float]], Iterator[Answer]]


def constrained_path(problem: Problem, lams: Sequence[float], free: Path, tol: float) -> Iterator[Answer]:
    """An answer for each lam.

    Parameters
    ----------
    problem, lams : in the user's units.
    free : the path of a solver without constraints, with knots at the sites.
    tol : the relative gap to reach.
    """
    unconstrained = _free_answers(problem, lams, free)
    program: ShapedProgram | None = None
    for lam in lams:
        answer = next(unconstrained, None)
        if answer is not None and violation(problem, answer.network) <= FREE_RTOL:
            answer = _as_constrained(problem.with_lam(lam), answer)
        else:
            program = program or ShapedProgram(problem, BACKENDS["CLARABEL"])
            answer = program.answer(lam)
        yield answer
        if answer.interrupted:
            return


def _free_answers(problem: Problem, lams: Sequence[float], free: Path) -> Iterator[Answer]:
    """The answers without constraints; none where there is no minimiser without them."""
    if problem.loss.interpolates:
        return
    try:
        yield from free(problem.unconstrained, lams)
    except ProblemError:
        return


def _as_constrained(problem: Problem, answer: Answer) -> Answer:
    """An answer without constraints that satisfies them, as one with multipliers of zero."""
    sites = Sites.of(standardise(problem).problem)
    u = answer.dual if isinstance(answer.dual, np.ndarray) else np.zeros(problem.n_samples)
    dual = Multipliers(u, np.zeros(len(sites.points)), np.zeros(len(sites.widths)))
    history = {**answer.history, "constraints": "none of them is active"}
    return replace(answer, problem=problem, dual=dual, history=history)
