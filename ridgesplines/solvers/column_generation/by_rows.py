"""Column generation over rows in blocks: a sample in memory is fitted first, then all rows decide.

Each round is a few dozen passes over the rows, of which none has more than sums of blocks to send: a refit, a slide of
all neurons, a refit, and a search from which violators of the certificate join. It starts at the fit of a sample, which
is as near to the optimum as chance allows, so that few rounds are left for all rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ridgesplines.amplitudes.affine import no_minimiser
from ridgesplines.amplitudes.by_rows import Point
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.certificate.by_rows import best_value, dual_of, oracle_of
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import check, late, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.working_set import Neurons, distinct
from ridgesplines.oracle.by_rows import Found
from ridgesplines.oracle.groups_by_rows import OracleByRows
from ridgesplines.problem import Problem
from ridgesplines.problem.data import Data
from ridgesplines.rows import Block
from ridgesplines.rows.data import BlockedData
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.column_generation.polish_by_rows import polished
from ridgesplines.solvers.column_generation.steps_by_rows import refitted, slid
from ridgesplines.solvers.progress import print_round
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Steps of a slide; one that lowers the objective by less than this part of the tolerance is the last.
STEPS, SLIDING_SHARE = 20, 0.002
#: From this gap on a slide ends with Newton steps through the kinks.
POLISHING_GAP = 1e-3
#: The rounds end after so many that lower the objective by less than this, relatively.
IDLE_ROUNDS, PROGRESS_RTOL = 3, 1e-10
#: Neurons join where |eta| exceeds lam by more than this part of the tolerance; half as many as there are, or so many.
VIOLATION_SHARE, FEWEST_JOINING = 0.1, 16
#: Of the time the solver takes this part, and the fit of the sample that part of it.
SOLVING_SHARE, SAMPLE_SHARE = 0.75, 0.5
#: The fit of a larger sample goes to this part of the tolerance, or to this.
LARGER_SHARE, LEAST_TOL = 0.25, 1e-4

#: The network that fits a problem in memory, at some lam.
FitSample = Callable[[Problem, float], RidgeSpline | None]


def path_by_rows(problem: Problem, lams: Sequence[float], settings: Any, fit_sample: FitSample) -> Iterator[Answer]:
    """An answer for each lam, from the neurons of the one before; `settings` are those of ColumnGeneration."""
    began = time.perf_counter()
    scaling = standardise(problem)
    data = scaling.problem.in_blocks
    assert data is not None
    affine = affine_point(problem, data)
    point, joining = (None, None) if settings.start is None else _of_start(scaling, data, settings.start)
    oracle = oracle_of(scaling.problem, settings.random_state)
    for lam in lams:
        run = _Run(settings, problem.with_lam(lam), scaling, data, oracle, began)
        try:
            with stoppable():
                run.follow(affine, point, joining, fit_sample)
        except KeyboardInterrupt:
            run.interrupted = True
        point, joining = run.best, None
        yield run.answer(affine)
        if run.interrupted:
            return
        began = time.perf_counter()


def supremum_by_rows(problem: Problem) -> float:
    """The largest |eta| that a search finds at the affine fit, in units of lam."""
    scaling = standardise(problem)
    data = scaling.problem.in_blocks
    assert data is not None
    point = affine_point(problem, data)
    dual, _, _ = dual_of(data, point)
    found = oracle_of(scaling.problem)(dual, (point.neurons.W, point.neurons.b))
    return found.value / scaling.lam(1.0)


def affine_point(problem: Problem, data: BlockedData) -> Point:
    """The best affine function; a ProblemError where it separates the classes."""
    none = np.empty((0, data.n_features + 1))
    point, _ = refitted(data, 0.0, Point(none, np.empty(0), np.zeros(data.affine.rank), data.affine))
    if data.loss.separable() and data.blocks.reduce(_least_margin, point, combine=min) > 0.0:
        raise no_minimiser(problem, "affine function", "use fewer features, or more rows", smooth=True)
    return point


def _least_margin(block: Block, point: Point) -> float:
    counts = block.weight > 0.0
    return float((block.y * point.at(block.X))[counts].min(initial=np.inf))


class _Run:
    """The work for one lam, and the best point so far."""

    def __init__(
        self, settings: Any, problem: Problem, scaling: Scaling, data: BlockedData, oracle: OracleByRows, began: float
    ) -> None:
        self.settings, self.problem, self.scaling, self.data, self.oracle = settings, problem, scaling, data, oracle
        self.scaled = scaling.problem.with_lam(scaling.lam(problem.lam))
        self.began = self.before = began
        self.end = began + SOLVING_SHARE * settings.max_time
        self.best: Point | None = None
        self.objective, self.gap, self.idle = np.inf, np.inf, 0
        self.peaks: tuple[Array, Array] | None = None
        self.log: list[tuple[str, float, float]] = []
        self.interrupted = self.out_of_time = self.reached = False
        self.phase = "rows"

    def follow(self, affine: Point, point: Point | None, joining: Neurons | None, fit_sample: FitSample) -> None:
        """From a start, or the fit of samples, until a search finds no more than the tolerance."""
        if point is None:
            self.best = point = self._from_sample(affine, fit_sample)
            for number in self.data.sample_sizes:
                self.best = point = self._from_larger(point, number)
        point, objective = refitted(self.data, self.scaled.lam, point, joining)
        self._keep(point, objective)
        while not self._late():
            point, objective = self._slid(point, objective)
            self._keep(point, objective)
            found, gap = self._priced(point, objective)
            if gap <= self.settings.tol or self.idle >= IDLE_ROUNDS or self._late():
                self.reached = gap <= self.settings.tol
                return
            point, objective = refitted(self.data, self.scaled.lam, point, self._joining(point, found))
            self._keep(point, objective)

    def _from_sample(self, affine: Point, fit_sample: FitSample) -> Point:
        """The fit of a sample; the affine one where a sample has none, or where that is no better."""
        sample, share = self.data.sample
        arrays = sample.X, sample.y, share * sample.weight
        problem = self.scaled.on(Data(*arrays, self.data.loss, self.data.activation))
        net = fit_sample(problem, SAMPLE_SHARE * (self.end - time.perf_counter()))
        self._note("sample", np.nan)
        return affine if net is None else Point.of_network(net, self.data.affine)

    def _from_larger(self, point: Point, number: int) -> Point:
        """A point fitted to so many rows at random, to a part of the tolerance: few passes over all rows are left."""
        data = self.data.larger_sample(number)
        settings = replace(self.settings, tol=max(LARGER_SHARE * self.settings.tol, LEAST_TOL))
        oracle = oracle_of(self.scaled.on(data), settings.random_state)
        run = _Run(settings, self.problem, self.scaling, data, oracle, self.began)
        run.end, run.phase = self.end - (1.0 - SAMPLE_SHARE) * (self.end - time.perf_counter()), "sample"
        run.follow(point, point, None, lambda problem, seconds: None)
        self.log += run.log  # an interrupted one leaves the point that it began with
        self.before = run.before
        return run.best or point

    def _slid(self, point: Point, objective: float) -> tuple[Point, float]:
        if not len(point.signs):
            return point, objective
        enough = SLIDING_SHARE * self.settings.tol * abs(objective)
        moved = slid(self.data, self.scaled, point, STEPS, enough, self.end)
        if self.gap <= POLISHING_GAP:
            moved = polished(self.data, self.scaled, moved, self.end)
        moved, lower = refitted(self.data, self.scaled.lam, moved)
        return (moved, lower) if lower < objective else (point, objective)

    def _priced(self, point: Point, objective: float) -> tuple[Found, float]:
        """What a search finds at the point's dual vector, and the gap that it leaves."""
        dual, _, _ = dual_of(self.data, point)
        neurons = point.neurons
        for hard in (False, True):
            found = self.oracle(dual, (neurons.W, neurons.b), self.end, hard)
            _, value = best_value(self.scaled, self.data, dual, found.value)
            gap = (objective - value) / max(abs(objective), self.data.resolution)
            enough = self.settings.tol >= POLISHING_GAP or (gap > self.settings.tol and not self.idle)
            if found.scope is Scope.EXACT or enough:  # the certificate is searched hard in any case
                break
        self.peaks, self.gap = (found.W, found.b), gap
        self._note(self.phase, gap)
        if self.settings.verbose:
            label, primal = f"lam = {self.problem.lam:.6g}", self.scaling.factor * objective
            print_round(label, len(self.log), self.began, len(neurons), primal, gap, found.scope, self.phase)
        return found, gap

    def _joining(self, point: Point, found: Found) -> Neurons:
        """Violators that the sample tells apart, at amplitude zero."""
        beyond = np.abs(found.eta) > self.scaled.lam * (1.0 + VIOLATION_SHARE * self.settings.tol)
        W, b, eta = found.W[beyond], found.b[beyond], found.eta[beyond]
        most = max(FEWEST_JOINING, len(point.signs) // 2)
        kept = distinct(self.data.sample[0].X, W, b, most)
        return Neurons(W[kept], b[kept], np.zeros(len(kept)), np.sign(eta[kept]))

    def _keep(self, point: Point, objective: float) -> None:
        self.idle = 0 if objective < self.objective - PROGRESS_RTOL * abs(self.objective) else self.idle + 1
        if objective < self.objective:
            self.best, self.objective = point, objective

    def _note(self, phase: str, gap: float) -> None:
        now = time.perf_counter()
        self.log.append((phase, gap, now - self.before))
        self.before = now

    def _late(self) -> bool:
        check()
        self.out_of_time = late(self.end)
        return self.out_of_time

    def answer(self, affine: Point) -> Answer:
        """The answer in the problem's units."""
        net = (self.best or affine).network
        sample, share = self.data.sample
        if share == 1.0:  # all rows: elsewhere there are far more of them than neurons
            arrays = sample.X, sample.y, sample.weight
            net = purify(self.scaled.on(Data(*arrays, self.data.loss, self.data.activation)), net)
        phases, gaps, seconds = zip(*self.log, strict=True) if self.log else ((), (), ())
        history: dict[str, Any] = {"rounds": len(gaps), "gaps": gaps, "phases": phases, "seconds": seconds}
        if self.out_of_time:
            history["stopped"] = f"after max_time = {self.settings.max_time:g} s"
        peaks = None
        if self.peaks is not None:
            W, b = self.peaks
            peaks = W, self.scaling.radius * b + W @ self.scaling.centre
        end, network = self.began + self.settings.max_time, self.scaling.network(net)
        tol = self.settings.tol
        return Answer(self.problem, network, None, None, tol, history, self.interrupted, peaks, end, self.reached)


def _of_start(scaling: Scaling, data: BlockedData, start: RidgeSpline | Solution) -> tuple[Point, Neurons | None]:
    """A start from any network, and what violates the certificate of a solution, at amplitude zero."""
    net = start.network if isinstance(start, Solution) else start
    point = Point.of_network(scaling.scaled_network(net), data.affine)
    if not isinstance(start, Solution):
        return point, None
    W, b = start.certificate.peaks
    eta = start.certificate.eta(W, b)
    beyond = np.abs(eta) > start.problem.lam
    W, b, eta = W[beyond], (b[beyond] - W[beyond] @ scaling.centre) / scaling.radius, eta[beyond]
    return point, Neurons(W, b, np.zeros(len(b)), np.sign(eta))


def sample_network(solver: Any, problem: Problem, seconds: float) -> RidgeSpline | None:
    """The network of a solver for a sample, to a loose gap; None where a sample has no minimiser."""
    try:
        (answer,) = replace(solver, max_time=max(seconds, 1e-9)).path(problem, [problem.lam])
    except ProblemError:
        return None
    return answer.network
