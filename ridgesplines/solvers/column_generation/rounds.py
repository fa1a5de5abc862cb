"""Column generation: violators of the certificate join, amplitudes are refitted, and near the end neurons slide.

Neurons that no point separates are left apart for as long as the rounds go on. To merge them lowers the objective, but
the sum has forgotten what it was made of: near interpolation hundreds of rounds then zigzag.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ridgesplines.amplitudes.columns import bends
from ridgesplines.amplitudes.slide import slid
from ridgesplines.certificate.dual import best_scale, levelled, projected
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.working_set import Neurons, distinct, sums
from ridgesplines.objective import eta_rounding, objective_of_fit
from ridgesplines.oracle.base import Oracle, Supremum
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.solvers.column_generation.cutting_planes import DualProgram
from ridgesplines.solvers.column_generation.quadratic_cuts import QuadraticProgram
from ridgesplines.solvers.column_generation.refits import Fit, refit
from ridgesplines.solvers.column_generation.state import Phase, State
from ridgesplines.solvers.pace import FEWEST_JOINING, MOST_JOINING
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: For linear programs the entries of the rows that join, within as many: an iteration passes over all of them.
CUT_ENTRIES = 2**17
#: By so many points they are told apart.
TOLD_APART = 2**13
#: Vector outputs have D times the unknowns of Newton's method.
FEWEST_VECTORS = 32
#: A neuron violates the certificate where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-13
#: The same for the linear programs, which are solved to 1e-10.
CUT_RTOL = 1e-9
#: Interpolation's bounds are moved out once no neuron violates the certificate by more.
MOVING_RTOL = 1e-2
#: From this gap on neurons are worth their exact places: they slide by Newton steps, at most this often a round.
SLIDING_GAP, MAX_SLIDES = 1e-3, 3
#: A slide that lowers the objective by less than this, relatively, is the round's last.
PROGRESS_RTOL = 1e-15
#: Starts for each dimension of the search that confirms an answer; and where a larger gap than for slides is asked for.
CONFIRMING_STARTS, CONFIRMING_LOOSELY = 256, 64
#: Of the time that is left a search may take this part.
SEARCH_SHARE = 0.5


def rounds(problem: Problem, fit: Fit, oracle: Oracle, tol: float, end: float) -> Iterator[State]:
    """Column generation for a smooth loss."""
    while True:
        u, _ = projected(problem, fit.u)
        state, supremum = stands(problem, fit, u, oracle, tol, end)
        yield state
        check()
        new = joining(problem, u, supremum, VIOLATION_RTOL, most_joining(problem, fit))
        larger = refit(problem, fit.neurons.joined(new), fit.z) if len(new) else None
        if larger is None:
            return
        fit = slides(problem, larger, fit.objective - larger.objective) if state.gap <= SLIDING_GAP else larger


def cutting_planes(
    problem: Problem,
    fit: Fit,
    oracle: Oracle,
    tol: float,
    end: float,
    program: DualProgram | QuadraticProgram | None = None,
) -> Iterator[State]:
    """A loss with kinks: linear programs, of the neurons of a fit and of those that a program has already.

    Sums of neurons that no point separates join as well.
    """
    if program is None:
        program = QuadraticProgram(problem) if problem.slope_penalty else DualProgram(problem)
    most = min(max(CUT_ENTRIES // len(problem.y), FEWEST_JOINING), MOST_JOINING)
    program.offer(fit.neurons.W, fit.neurons.b)
    while (vertex := program.solve(end)) is not None:
        state, supremum = stands(problem, vertex, vertex.u, oracle, tol, end)
        yield state._replace(phase=Phase.CUTS)
        if supremum.value <= problem.lam * (1.0 + MOVING_RTOL) and program.move_bounds(vertex.u):
            continue
        new = joining(problem, vertex.u, supremum, CUT_RTOL, most)
        if not len(new):
            return
        program.offer(new.W, new.b)
        together = sums(problem.X, vertex.neurons, problem.interactions, problem.skip)
        program.offer(together.W, together.b)


def stands(
    problem: Problem,
    fit: Fit,
    u: Array,
    oracle: Oracle,
    tol: float,
    end: float,
    rough: bool = False,
    near: Neurons | None = None,
) -> tuple[State, Supremum]:
    """The state of a fit with the dual vector u, and what violates its certificate; `rough` as for an oracle.

    A search starts near the fit's neurons, or near others.
    """
    starts = fit.neurons if near is None else near
    primal = objective_of_fit(problem, fit.z, float(fit.neurons.sizes.sum()))
    residual = float(np.abs(problem.y - fit.z).max()) if problem.loss.interpolates else 0.0

    def state(supremum: Supremum) -> State:
        value = best_scale(problem, u, supremum.value)[1]
        return State(problem, fit, primal, supremum.value, value, supremum.scope, residual, supremum.kept)

    now = time.perf_counter()
    end = now + SEARCH_SHARE * (end - now)
    look = partial(oracle, levelled(problem, u), near=(starts.W, starts.b), end=end, rough=rough)
    supremum = look(problem.lam)
    if supremum.scope is Scope.EXACT:
        return state(supremum), supremum
    if state(supremum).gap <= tol:  # once more, harder and from other starts: there may be more
        level = breaking(problem, lambda sup: state(replace(supremum, value=sup)).gap, tol)
        afresh = CONFIRMING_LOOSELY if rough or tol >= SLIDING_GAP else CONFIRMING_STARTS
        supremum = max(supremum, look(level, afresh=afresh), key=lambda answer: answer.value)
    return state(supremum)._replace(value=-np.inf) if late(end) else state(supremum), supremum


def breaking(problem: Problem, gap: Callable[[float], float], tol: float) -> float:
    """A supremum whose gap exceeds `tol`, though not by far: a search that ends at less would confirm it too soon."""
    excess = max(tol, np.finfo(float).eps)
    while excess < 1.0 and gap(problem.lam * (1.0 + excess)) <= tol:
        excess *= 2.0
    return problem.lam * (1.0 + excess)


def most_joining(problem: Problem, fit: Fit) -> int:
    """How many neurons may join a fit in a round."""
    fewest = FEWEST_JOINING if problem.n_outputs is None else FEWEST_VECTORS
    return min(max(fewest, len(fit.neurons) // 2), MOST_JOINING)


def joining(problem: Problem, u: Array, found: Supremum, least: float, most: int) -> Neurons:
    """Violators that data separate from each other, at amplitude zero with the sign of eta."""
    W, b = found.weights, found.biases
    u = levelled(problem, u)
    eta = eta_at(problem.X, u, W, b)
    beyond = group_norms(eta) > problem.lam * (1.0 + least) + eta_rounding(problem, u)
    beyond[beyond] = bends(problem.X, problem.null_space, W[beyond], b[beyond])
    W, b, eta = W[beyond], b[beyond], eta[beyond]
    X = problem.X
    if len(X) > TOLD_APART:
        X = X[np.random.default_rng(0).choice(len(X), TOLD_APART, replace=False)]
    kept = distinct(X, W, b, most)
    return Neurons(W[kept], b[kept], np.zeros(len(kept)), (eta[kept].T / group_norms(eta[kept])).T)


def slides(problem: Problem, fit: Fit, joined: float) -> Fit:
    """Slide, for as long as that lowers the objective by more than the neurons that joined have done."""
    for _ in range(MAX_SLIDES):
        previous = fit.objective
        fit = _stepped(problem, fit) if len(fit.neurons) else fit
        if not fit.objective < previous - max(joined, PROGRESS_RTOL * abs(previous)):
            break
    return fit


def _stepped(problem: Problem, fit: Fit) -> Fit:
    """The first step of all neurons that lowers the objective."""
    for answers in slid(problem, fit.neurons, fit.z):
        trials = [trial for moved in answers if (trial := refit(problem, moved, fit.z)) is not None]
        best = min(trials, key=lambda trial: trial.objective, default=fit)
        if best.objective < fit.objective:
            return best
    return fit
