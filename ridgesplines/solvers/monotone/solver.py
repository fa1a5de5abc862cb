r"""Column generation where f must be monotone in some features.

As without constraints: neurons that violate the certificate join, all amplitudes are refitted, and sums of neurons that
no point separates join as well. With neurons of one feature, which sit at the data, that ends; with more directions
are found ever more precisely.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ridgesplines.amplitudes.minimiser import require_monotone_minimiser
from ridgesplines.certificate.dual import best_scale
from ridgesplines.certificate.monotone import MonotoneBound, monotone_bound, monotone_oracle
from ridgesplines.certificate.multipliers import MonotoneMultipliers
from ridgesplines.interrupt import check, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.strips import Strips
from ridgesplines.neurons.working_set import Neurons, distinct, merged, sums
from ridgesplines.numerics.fast import one_thread
from ridgesplines.objective import eta_rounding, relative
from ridgesplines.oracle.monotone import MonotoneOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.monotone.program import MonotoneFit, alone, refit
from ridgesplines.solvers.monotone.slide import slides
from ridgesplines.solvers.pace import FEWEST_JOINING, LOOSE_GAP, MOST_JOINING, SOLVING_SHARE, between
from ridgesplines.solvers.progress import near, print_round
from ridgesplines.validation import Array

#: A neuron violates the certificate where it exceeds lam by more than this, relatively; linear programs know less.
VIOLATION_RTOL, CUT_RTOL = 1e-13, 1e-9
#: The rounds end after this many without a larger bound, or an objective lower by this, relatively.
IDLE_ROUNDS, PROGRESS_RTOL = 20, 1e-12
#: From this gap on neurons slide, for smooth losses: where the oracle searches, which places them less well.
SLIDING_GAP = 0.1
#: A search that confirms a gap makes so many times the usual starts; it ends at what violates by this part of it
#: and leaves a larger one.
HARDER, CONFIRMING_SHARE = 8, 0.5


@dataclass(frozen=True)
class MonotoneRounds:
    """Settings of the rounds: the relative gap to reach, the seconds they may take, whether each prints a line."""

    tol: float
    max_time: float
    verbose: bool = False


def monotone_path(
    problem: Problem, lams: Sequence[float], settings: MonotoneRounds, start: RidgeSpline | Solution | None = None
) -> Iterator[Answer]:
    """An answer for each lam, from the neurons of the one before; first from those of `start`."""
    began = time.perf_counter()
    scaling = standardise(problem)
    require_monotone_minimiser(scaling.problem)
    oracle = monotone_oracle(scaling.problem)
    fit, last = affine(scaling.problem), None
    if start is not None:
        fit, last = _of_start(scaling, fit, start), scaling.lam(max(lams))
    for lam in lams:
        run = _Run(settings, problem.with_lam(lam), scaling, oracle, fit, began)
        try:
            with stoppable(), one_thread():
                run.follow(last)
        except KeyboardInterrupt:
            run.interrupted = True
        fit, last = run.fit, scaling.lam(lam)
        yield run.answer()
        if run.interrupted:
            return
        began = time.perf_counter()


def _of_start(scaling: Scaling, fit: MonotoneFit, start: RidgeSpline | Solution) -> MonotoneFit:
    """The neurons of a start; what violates the certificate of a solution joins them, at amplitude zero."""
    net = scaling.scaled_network(start.network if isinstance(start, Solution) else start)
    neurons = Neurons.of_network(net)
    if isinstance(start, Solution):
        (W, b), multipliers = start.certificate.peaks, start.certificate.multipliers
        eta = start.certificate.eta(W, b)
        taken = multipliers.penalty(W) if isinstance(multipliers, MonotoneMultipliers) else 0.0
        beyond = np.abs(eta) - taken > start.problem.lam
        found = Neurons.of_network(scaling.scaled_network(RidgeSpline(W[beyond], b[beyond], eta[beyond])))
        neurons = neurons.joined(replace(found, sizes=np.zeros(len(found))))
    return replace(fit, neurons=neurons, z=net(scaling.problem.X))


def affine(problem: Problem) -> MonotoneFit:
    """The best affine function that rises and falls as it must."""
    fit = refit(problem, alone(problem))
    if fit is None:  # zero is among them, and no loss is infinite
        raise RuntimeError("the best affine function that rises and falls as it must was not found")
    return fit


class _Run:
    """The work for one lam, and the best so far: the fit of least objective, the bound of largest value."""

    def __init__(
        self,
        settings: MonotoneRounds,
        problem: Problem,
        scaling: Scaling,
        oracle: MonotoneOracle,
        fit: MonotoneFit,
        began: float,
    ) -> None:
        self.settings, self.problem, self.scaling, self.oracle, self.began = settings, problem, scaling, oracle, began
        self.scaled = scaling.problem.with_lam(scaling.lam(problem.lam))
        self.fit = fit
        self.bound: MonotoneBound | None = None
        self.gaps: list[float] = []
        self.seconds: list[float] = []
        self.idle, self.interrupted, self.late, self.reached = 0, False, False, False
        self.end = began + SOLVING_SHARE * settings.max_time

    def follow(self, last: float | None) -> None:
        """From the fit at lam = `last`, by way of the lams between, to the gap that is asked for."""
        lam, fit = self.scaled.lam, self.fit
        if last is None:
            last = max(lam, monotone_bound(self.scaled, self.oracle, fit.u).supremum.value)
        for larger in between(last, lam):
            for state in rounds(self.scaled.with_lam(float(larger)), fit, self.oracle, 0.0, self.end):
                fit = state.fit
                if state.gap <= LOOSE_GAP or self._out_of_time():
                    break
        self.fit = affine(self.scaled)
        enough = 0.5 * self.settings.tol
        for state in rounds(self.scaled, fit, self.oracle, enough, self.end):
            self.reached = state.gap <= enough
            self._keep(state.fit, state.bound, self.reached)
            if self.oracle.scope.proven:
                self.reached = self.gaps[-1] <= enough  # of all bounds the largest is one
            if self.reached or self._idle() or self._out_of_time():
                break
        self._finish()

    def _finish(self) -> None:
        """Neurons that no point separates are one, which costs less."""
        together = merged(self.scaled.X, self.fit.alive, self.scaled.interactions)
        if len(together) < len(self.fit.alive):
            fit = refit(self.scaled, replace(self.fit, neurons=together))
            if fit is not None and fit.objective <= self.fit.objective * (1.0 + PROGRESS_RTOL):
                self._keep(fit, monotone_bound(self.scaled, self.oracle, fit.u))
                self.fit = fit

    def _keep(self, fit: MonotoneFit, bound: MonotoneBound, confirmed: bool = False) -> None:
        better = fit.objective < self.fit.objective - PROGRESS_RTOL * abs(fit.objective)
        if fit.objective <= self.fit.objective:
            self.fit = fit
        proven = self.oracle.scope.proven
        loose = 0.0 if proven else LOOSE_GAP * abs(fit.objective)  # what was searched may be too large
        if self.bound is None or bound.value > self.bound.value - loose or (confirmed and not proven):
            self.bound = bound
        lowest = self.fit.objective
        gap = relative(self.scaled, max(lowest - self.bound.value, 0.0), lowest)
        better |= gap < min(self.gaps, default=np.inf) * (1.0 - 1e-3)
        self.idle = 0 if better else self.idle + 1
        self.gaps.append(gap)
        self.seconds.append(time.perf_counter() - self.began - sum(self.seconds))
        near(self.gaps[-1])
        if self.settings.verbose:
            label, primal = f"lam = {self.problem.lam:.6g}", self.scaling.factor * lowest
            count = len(fit.alive)
            print_round(label, len(self.gaps), self.began, count, primal, self.gaps[-1], self.oracle.scope, "rounds")

    def _idle(self) -> bool:
        return self.idle >= IDLE_ROUNDS

    def _out_of_time(self) -> bool:
        check()
        self.late = time.perf_counter() > self.end
        return self.late

    def answer(self) -> Answer:
        """The answer in the problem's units."""
        network = self.scaling.network(self.fit.network(self.scaled))
        dual = None if self.bound is None else self.scaling.dual(self.bound.dual)
        history: dict[str, Any] = {"rounds": len(self.gaps), "gaps": tuple(self.gaps)}
        history |= {"phases": ("rounds",) * len(self.gaps), "seconds": tuple(self.seconds)}
        if self.late:
            history["stopped"] = f"after max_time = {self.settings.max_time:g} s"
        if dual is None:  # interrupted before the first round
            dual = np.zeros(self.problem.n_samples)
        end = self.began + self.settings.max_time
        reached = self.reached and not self.oracle.scope.proven  # a search for the certificate may find more
        return Answer(
            self.problem,
            network,
            dual,
            None,
            self.settings.tol,
            history,
            self.interrupted,
            end=end,
            reached=reached,
        )


class State(NamedTuple):
    """A fit, the bound that its dual vector proves, and the relative gap between them."""

    fit: MonotoneFit
    bound: MonotoneBound
    gap: float


def rounds(problem: Problem, fit: MonotoneFit, oracle: MonotoneOracle, enough: float, end: float) -> Iterator[State]:
    """Column generation at a problem's lam; a gap that is `enough` is confirmed where it was searched."""
    larger = refit(problem, fit)
    while larger is not None:
        fit = larger
        check()
        look = partial(monotone_bound, problem, oracle, fit.u, problem.lam, near=(fit.alive.W, fit.alive.b), end=end)
        bound = look()
        gap = relative(problem, fit.objective - bound.value, fit.objective)
        most = min(max(FEWEST_JOINING, len(fit.alive) // 2), MOST_JOINING)
        new, strips = joining(problem, oracle, bound, most)
        if not oracle.scope.proven and (gap <= enough or not len(new) + len(strips)):
            again = look(harder=HARDER, until=partial(_too_large, problem, fit, bound.dual, enough))
            bound = min(bound, again, key=lambda bound: bound.value)
            gap = relative(problem, fit.objective - bound.value, fit.objective)
            new, strips = joining(problem, oracle, bound, most)
        yield State(fit, bound, gap)
        if not len(new) and not len(strips):
            return
        together = sums(problem.X, fit.alive, problem.interactions)
        together = replace(together, sizes=np.zeros(len(together)))
        neurons = fit.neurons.joined(new).joined(together)
        larger = refit(problem, replace(fit, neurons=neurons, strips=fit.strips.joined(strips)))
        if larger is not None and gap <= SLIDING_GAP and problem.loss.smooth and not oracle.scope.proven:
            larger = slides(problem, larger)


def _too_large(problem: Problem, fit: MonotoneFit, u: Array, enough: float, sup: float) -> bool:
    """Whether a supremum is above lam by more than a little, and leaves a gap that is not `enough`."""
    if sup <= problem.lam * (1.0 + CONFIRMING_SHARE * enough):
        return False
    return relative(problem, fit.objective - best_scale(problem, u, sup)[1], fit.objective) > enough


def joining(problem: Problem, oracle: MonotoneOracle, bound: MonotoneBound, most: int) -> tuple[Neurons, Strips]:
    """Violators that data separate from each other, at amplitude zero with the sign of eta; and all such strips."""
    W, b, strips = bound.supremum.weights, bound.supremum.biases, bound.supremum.strips
    eta, counts = oracle.at(bound.dual, W, b)
    least = problem.lam * (1.0 + (VIOLATION_RTOL if problem.loss.smooth else CUT_RTOL))
    least += eta_rounding(problem, bound.dual)
    strips, beyond = strips.take(oracle.between(bound.dual, strips) > least), counts > least
    W, b, eta = W[beyond], b[beyond], eta[beyond]
    kept = distinct(problem.X, W, b, most)
    return Neurons(W[kept], b[kept], np.zeros(len(kept)), np.sign(eta[kept])), strips


def largest_supremum(problem: Problem) -> float:
    """The least lam from which on an affine function is optimal; for smooth losses, in the problem's units."""
    scaling = standardise(problem)
    require_monotone_minimiser(scaling.problem)
    oracle = monotone_oracle(scaling.problem)
    bound = monotone_bound(scaling.problem, oracle, affine(scaling.problem).u)
    return bound.supremum.value / scaling.lam(1.0)
