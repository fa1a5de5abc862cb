"""From the answer of a solver to a solution: none of it is taken on trust, and all figures are computed here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.certificate.again import searched_again
from ridgesplines.certificate.by_rows import certify_by_rows
from ridgesplines.certificate.certificate import LOOSE_GAP, certify, looked_at
from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.certificate.norm import certify_with_norm
from ridgesplines.certificate.own_dual import proven_by_itself
from ridgesplines.certificate.own_neurons import warn_contradiction
from ridgesplines.evaluate import MAX_TIME, solver_dual
from ridgesplines.exceptions import ConvergenceWarning, warn
from ridgesplines.interrupt import asked, late
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import relative, targets_and_fit
from ridgesplines.oracle import Oracle
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solution.summary import heavy_words
from ridgesplines.solvers.base import Answer, Solver
from ridgesplines.verdict import Scope, Status

#: The exact oracle of data, or None.
Exact = Callable[..., Oracle | None]
#: Searches for one certificate, each of which may send the solver on.
MOST_SEARCHES = 10
#: So many more searches find nothing before a small gap is believed.
AGREEING = 3


def settled(solver: Solver, answer: Answer, start: float, exact: Exact) -> Solution:
    """The solution of an answer. Where a search for its certificate finds what the solver had missed, that goes on.

    `start` is when the solver began, a reading of ``time.perf_counter``.
    """
    solution, agreed = _certified(solver, answer, start, exact), 0
    for search in range(1, MOST_SEARCHES):
        if not answer.reached or late(answer.end):
            break
        if solution.relative_gap <= answer.tolerance:
            if agreed == AGREEING or not _rests_on_a_search(solution):
                break
            solution, agreed = _searched_again(solution, search, start, answer.end), agreed + 1
        if solution.relative_gap > answer.tolerance:
            resumed = solver.resumed(solution, answer.end - time.perf_counter())
            if resumed is None:
                break
            (again,) = resumed.path(answer.problem, [answer.problem.lam])
            answer = replace(again, history=_joined(answer.history, again.history))
            solution, agreed = _certified(solver, answer, start, exact, search), 0
    return _judged(solver, solution, answer.interrupted or asked())


def _rests_on_a_search(solution: Solution) -> bool:
    """Whether it claims a gap so small that further searches are worth their time."""
    plain = solution.problem.in_blocks is None and not solution.problem.norm and solution.problem.signs is None
    return plain and solution.certificate.scope is Scope.SEARCHED and solution.tolerance < LOOSE_GAP


def _searched_again(solution: Solution, search: int, start: float, end: float) -> Solution:
    """The solution, its certificate raised to what one more search finds."""
    problem, network = solution.problem, solution.network
    certificate = searched_again(problem, network, solution.certificate, search, end)
    return replace(solution, certificate=certificate, seconds=time.perf_counter() - start)


def _joined(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """The notes on work that was resumed: counts and tuples go on."""
    return {name: first[name] + note if isinstance(note, int | tuple) else note for name, note in then.items()}


def _certified(solver: Solver, answer: Answer, start: float, exact_of: Exact, search: int = 0) -> Solution:
    """The solution of a solver's answer, its figures recomputed."""
    problem, network = answer.problem, named(answer.network, answer.problem)
    if problem.in_blocks is not None:
        by_rows = certify_by_rows(problem, network, answer.peaks, answer.end, search)
        return answer.solution(network, by_rows, repr(solver), start)
    if problem.norm:
        return _certified_with_norm(solver, answer, network, start, search)
    if answer.limits is None and (proven := proven_by_itself(problem, network, 0.1 * answer.tolerance)) is not None:
        return answer.solution(network, proven.certificate, repr(solver), start).evaluated(proven)
    exact = None if problem.penalise_bias else exact_of(problem.data.reduced)
    fit = targets_and_fit(problem.reduced, network)
    certificate, inner = None, None
    if answer.limits is None or exact is not None:
        dual = answer.any_dual()
        if dual is None and not problem.constraints:  # a solver that has a dual vector has looked already
            require_minimiser(problem.reduced)
        if dual is None and not problem.loss.smooth:
            dual = solver_dual(problem, network, MAX_TIME)
        certificate = certify(problem, network, dual, exact, 0.1 * answer.tolerance, fit, answer.end, search)
        certificate = looked_at(problem, certificate, *answer.peaks) if answer.peaks else certificate
    if answer.limits is not None:
        inner = certify(problem, network, answer.dual, answer.limits, fit=fit)
    shown = certificate or inner
    assert shown is not None
    solution = answer.solution(network, shown, repr(solver), start).evaluated(fit)
    if inner is not None and inner.scope is Scope.DICTIONARY:
        # What no function does better, no neuron of the grid does better.
        within = Solution(problem, network, inner).evaluated(fit).relative_gap
        within = min(within, solution.relative_gap) if shown.scope.proven else within
        solution = replace(solution, dictionary_gap=within).evaluated(fit)
    return solution


def _certified_with_norm(solver: Solver, answer: Answer, network: RidgeSpline, start: float, search: int) -> Solution:
    """The same where the norm counts."""
    assert not isinstance(answer.dual, Multipliers)  # only constraints have them
    certificate = certify_with_norm(answer.problem, network, answer.dual, answer.end, search, answer.peaks)
    return answer.solution(network, certificate, repr(solver), start)


def _judged(solver: Solver, solution: Solution, interrupted: bool) -> Solution:
    """The solution with its status, and a warning where it is not what was asked for."""
    at = f"at lam = {solution.problem.lam:g}"
    gap = solution.relative_gap if solution.dictionary_gap is None else solution.dictionary_gap
    if solution.contradiction:
        warn_contradiction(f"{solver.name} {at}: {solution.contradiction}")
        return replace(solution, status=Status.NOT_CONVERGED)
    if interrupted:
        _warn(f"{solver.name} was interrupted {at}, with a relative gap of {gap:.1e}.")
        return replace(solution, status=Status.INTERRUPTED)
    if np.isinf(solution.tolerance):  # the gap is the result, not a promise
        return replace(solution, status=Status.TRAINED)
    if gap <= solution.tolerance:
        return solution
    late = f", {stopped}" if (stopped := solution.history.get("stopped")) else ""
    words = f"{solver.name} reached a relative gap of {gap:.1e}, not {solution.tolerance:.0e}, {at}{late}."
    _warn(words, " Allow more time, or a larger lam." if late else _remedy(solution))
    return replace(solution, status=Status.NOT_CONVERGED)


def _remedy(solution: Solution) -> str:
    """The remedy for a gap: another one for rounding than for lack of time."""
    if relative(solution.problem, solution.rounding, solution.objective) <= solution.tolerance:
        return " Try a larger lam, or another solver or backend."
    if words := heavy_words(solution.problem):
        instead = "FixedValues at these x, with weight zero" if solution.problem.n_features == 1 else "smaller weights"
        return f" So much is rounding alone, and {words}. Use {instead} instead."
    return (
        " So much is rounding alone: the problem is badly conditioned. Try a larger lam, or columns of X that are "
        "less nearly dependent and nearer to zero."
    )


def _warn(what: str, remedy: str = "") -> None:
    warn(f"{what} The best network found is returned.{remedy}", ConvergenceWarning)


def named(network: RidgeSpline, problem: Problem) -> RidgeSpline:
    """The network with the problem's names and dates, and of equivalent affine parts the one that sums to zero."""
    slope, offset = network.slope, np.asarray(network.offset)
    if problem.loss.invariant and not problem.norm:
        offset = offset - offset.mean()
        slope = slope if problem.slope_penalty else slope - slope.mean(axis=1, keepdims=True)
    elif (network.feature_names, network.dates) == (problem.feature_names, problem.dates):
        return network
    return network.changed(slope=slope, offset=offset, feature_names=problem.feature_names, dates=problem.dates)
