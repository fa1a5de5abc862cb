r"""Problems with shape constraints, one lam after the other: without them first.

A minimiser among all functions that satisfies the constraints is one among those that do, and its dual vector, with
multipliers of zero, proves it; unless bends at some places cost nothing. Only where it violates them the constraints
are taken into account: by active sets for smooth losses, by linear programs on few nodes for those with kinks, and by
CVXPY where these fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.amplitudes.minimiser import require_shaped_minimiser
from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.certificate.sites import Sites
from ridgesplines.certificate.violation import violation
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import overdue, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.backends import BACKENDS
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.constrained.networks import fewest_shaped, spline_of, without_rounding
from ridgesplines.solvers.constrained.smooth import Fitted, Smooth
from ridgesplines.solvers.constrained.solver import ShapedProgram
from ridgesplines.validation import Array

#: Largest violation at which the constraints count as satisfied by the fit without them.
FREE_RTOL = 1e-13
#: Largest violation that is left to rounding in a fit with them.
FEASIBLE_RTOL = 1e-11

Path = Callable[[Problem, Sequence[float]], Iterator[Answer]]


def constrained_path(
    problem: Problem, lams: Sequence[float], free: Path, tol: float, sparsest: bool
) -> Iterator[Answer]:
    """An answer for each lam.

    Parameters
    ----------
    problem, lams : in the user's units.
    free : the path of a solver without constraints, with knots at the sites.
    tol : the relative gap to reach.
    sparsest : whether knots may lie between sites where that takes fewer.
    """
    unconstrained = _free_answers(problem, lams, free)
    shaped = Shaped(problem, tol)
    for lam in lams:
        answer = next(unconstrained, None)
        if answer is not None and violation(problem, answer.network) <= FREE_RTOL:
            answer = _as_constrained(problem.with_lam(lam), answer)
        else:
            answer = shaped.answer(lam, None if answer is None else answer.network)
        if sparsest:
            answer = replace(answer, network=fewest_shaped(answer.problem, answer.network))
        history = {**answer.history, "constraint violation": violation(answer.problem, answer.network)}
        ended = answer.interrupted and not overdue()
        yield replace(answer, history=history)
        if ended:
            return


class Shaped:
    """A problem whose constraints count, for one lam after the other."""

    def __init__(self, problem: Problem, tol: float) -> None:
        self.problem, self.tol = problem, tol
        self.engine: Smooth | None = None
        self.program: ShapedProgram | None = None
        self.last: Fitted | None = None
        self.near: RidgeSpline | None = None

    def answer(self, lam: float, free: RidgeSpline | None) -> Answer:
        """The answer for one lam; `free` is the fit without constraints, where there is one."""
        loss = self.problem.loss
        if loss.smooth and not loss.interpolates and loss.box(self.problem.y[:1]) is None:
            answer = self._by_active_sets(lam, np.empty(0) if free is None else free.breakpoints)
            if answer is not None:
                return answer
        self.program = self.program or ShapedProgram(self.problem, BACKENDS["CLARABEL"], tol=self.tol)
        answer = self.program.answer(lam, free if self.near is None else self.near)
        self.near = answer.network
        return answer

    def _by_active_sets(self, lam: float, knots: Array) -> Answer | None:
        """The answer of the active-set methods; None where rounding stops them above the tolerance."""
        target = self.problem.with_lam(lam)
        scaling = standardise(target)
        engine = Smooth(scaling.problem, Sites.of(scaling.problem), self.tol)
        if self.last is None:
            require_shaped_minimiser(scaling.problem)
        near = np.searchsorted(engine.sites.at, (knots - scaling.centre[0]) / scaling.radius)
        start, interrupted = self.last and engine.measured(self.last.spline), False
        try:
            with stoppable():
                fitted = engine.solve(np.clip(near, 0, len(engine.sites.at) - 1), start)
        except KeyboardInterrupt:  # what satisfies the constraints is an answer, however far from the optimum
            fitted, interrupted = engine.best or start or engine.coarse(), True
        if fitted is None or (fitted.gap > self.tol and not interrupted):
            return None
        network = without_rounding(target, scaling.network(spline_of(engine.sites, fitted.spline)))
        if violation(target, network) > FEASIBLE_RTOL:
            return None
        self.last, dual = fitted, fitted.bound.multipliers.in_units_of(scaling)
        return Answer(target, network, dual, None, self.tol, {"knots at sites": network.n_neurons}, interrupted)


def _free_answers(problem: Problem, lams: Sequence[float], free: Path) -> Iterator[Answer]:
    """The answers without constraints; none where there is no minimiser without them."""
    if problem.loss.interpolates or problem.constraint.free_knots:
        return  # at free knots more is free than without them
    try:
        yield from free(problem.unconstrained, lams)
    except ProblemError:
        return


def _as_constrained(problem: Problem, answer: Answer) -> Answer:
    """An answer without constraints that satisfies them, as one with multipliers of zero."""
    sites = Sites.of(standardise(problem).problem)
    given = answer.any_dual()
    u = given if isinstance(given, np.ndarray) else np.zeros(problem.n_samples)
    dual = Multipliers(u, np.zeros(len(sites.held)), np.zeros(len(sites.widths)))
    history = {**answer.history, "constraints": "none of them is active"}
    return replace(answer, problem=problem, dual=dual, history=history)
