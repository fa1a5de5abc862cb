"""Problem (32), off the grid."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.certificate.dual import levelled, projected
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.interrupt import check, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.working_set import merged
from ridgesplines.numerics.fast import one_thread
from ridgesplines.oracle import exact_oracle, search_oracle
from ridgesplines.oracle.sphere import FEW_CIRCLES, SphereOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer, Solver, require_seconds
from ridgesplines.solvers.column_generation.any_activation import ActivationRounds, activation_path
from ridgesplines.solvers.column_generation.by_rows import path_by_rows, sample_network
from ridgesplines.solvers.column_generation.homogeneous import homogeneous_path, homogeneous_start
from ridgesplines.solvers.column_generation.in_disguise import path_in_disguise, relu_network
from ridgesplines.solvers.column_generation.phases import states
from ridgesplines.solvers.column_generation.refits import Fit, at_lam, interpolating
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP
from ridgesplines.solvers.column_generation.start import first_fit, fit_of_start, goes_on, network_of
from ridgesplines.solvers.column_generation.state import Pricing, State
from ridgesplines.solvers.column_generation.with_norm import norm_path
from ridgesplines.solvers.pace import LAM_FACTOR, LOOSE_GAP, SOLVING_SHARE, between
from ridgesplines.solvers.progress import near, print_round
from ridgesplines.validation import Array, real_number, whole_number
from ridgesplines.verdict import Scope

#: From this fraction of lambda_max up the affine fit is start enough.
LARGE_LAM = 1e-3
#: The rounds end after this many without a smaller gap or an objective lower by this, relatively.
IDLE_ROUNDS, PROGRESS_RTOL = 30, 1e-12
#: From so many points on, times groups of features, rough calls go before those of an exact oracle.
MANY_POINTS = 500


@dataclass(frozen=True)
class ColumnGeneration(Solver):
    r"""Problem (32), d >= 2, to its optimum over all neurons, not only those of a grid.

    .. math:: \min_f \; \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_k \|v_k\| \|w_k\|, \qquad
              f(x) = \sum_k v_k \rho(w_k^T x - b_k) + c^T x + c_0

    Parameters
    ----------
    tol : the relative gap to reach, between 1e-14 and 1.
    max_time : seconds for each lam, after which the best so far is returned, with its certificate: a quarter of them is
        kept for that. Searches and linear programs stop in time; a round's refit and a pass over the data are finished.
    total_time : seconds for all lams of a path together; it ends with the lam at which these are over.
    random_state : seeds the search for violators where no exact one is affordable; the same seed gives the same answer.
    start : a network to start from: a grid's, or a trained one. Of the problem's inputs and outputs. Or a Solution:
        then neurons at which its certificate has :math:`|\eta| > \lambda` join its network.
    device : where PyTorch runs the search, such as ``"cuda"``; None for numpy, or numba where it is installed. Refits,
        slides and the certificate are the work of the host.
    briefly : whether to end with the phase of batches or envelopes, where there is one, though `tol` be not reached:
        for one who compares predictions, as the folds of a cross-validation do. The phase then ends at the first round
        that lowers the objective by less than a fifth of a per cent. It costs a small part of the time, and the
        objective is one or two per cent above its minimum at most, in practice; no gap is promised.
    verbose : whether a line is printed to standard error in every round.

    Notes
    -----
    The phases, each of which begins where the one before has come to; ``solution.history["phases"]`` names that of each
    round, and ``["seconds"]`` what it took.

    ``"batches"``, for smooth losses where the supremum of :math:`|\eta|` is searched, and in a plane of many points or
    with many groups of features: hundreds of ascents of :math:`|\eta|` at once, or in planes a few directions, propose
    neurons, those that data separate join, all amplitudes are refitted (nonnegative least squares within Newton's
    method; Newton's method on group norms for vector outputs), all neurons slide at once, by L-BFGS, and are refitted
    again. O(N K d) a step. It ends where that no longer pays.

    ``"rounds"``: the oracle is asked for neurons with :math:`|\eta| > \lambda`, exactly or with the best of a batch
    followed to their maxima; they join, and near the end neurons slide by Newton steps on the faces where they touch
    data [3]_. It stops on the gap of the round's dual vector: a bound where the supremum is exact (data in a line or a
    plane, groups of at most two features), an estimate where it is searched, which a search from 256 fresh starts for
    each dimension must confirm (64 where `tol` is 1e-3 or more; no more than 256 + 2^24 / (N d) in all, or 2^30 / N
    where N d > 2^16). The search for the certificate is another one, and for a `tol` below 1e-4 three more follow it:
    where one of them finds more, `solve` has the rounds go on.

    ``"envelopes"``, ``"interior"`` and ``"cuts"``, for Absolute, Quantile and Hinge: smooth envelopes of the loss find
    the first neurons where the supremum is searched; of more than 1000 points, and of many neurons, they have rounds,
    too. Neurons are then cutting planes of the dual problem, a linear program: of 300 to 1000 points for an interior
    point that stops at a part of the gap, where the supremum is searched, and at last for the simplex method.
    Interpolation has cuts only.

    With a `slope_penalty` or ``norm=True`` one feature will do, too; the latter has rounds only. For losses with a kink
    the program of the cuts is quadratic then, and solved anew in each round by an interior point.

    ``"sample"`` and ``"rows"``, where the rows are in blocks, of a file or of Dask: a sample is fitted in memory, then
    each round refits, slides and prices by passes over all rows. The supremum is exact with ``interactions=1``, where
    intervals of each feature bound it, and searched otherwise, also in a plane and for pairs of features.

    Other activations than ReLU have rounds in which all neurons slide by L-BFGS to the last digits; their supremum is
    searched. Losses with kinks are refitted by linear programs, do not slide, and converge slowly. No interpolation.

    With MonotoneFeatures there are rounds only, for every loss with the master problem of
    :mod:`ridgesplines.certificate.monotone`; the supremum is exact where no group has more than two features, and
    searched otherwise, where neurons slide, too, for smooth losses.

    With `penalise_bias` one feature will do, too: the same phases in homogeneous coordinates, where biases are zero.
    The supremum is exact for one feature and up to 300 points of two, for the certificate up to a thousand, and
    searched otherwise.

    Finally neurons that no point separates are merged. A round takes O(N K^2 + K^3) besides the oracle; for smooth
    losses and scalar fits matrices of N rows are formed in blocks. The linear algebra runs on one thread.

    Interpolation has nearly as many neurons as data: its linear programs are dense, fast for a few hundred points and
    slow from a thousand on. Where `max_time` or Ctrl-C ends it before it has met the data, what is missing is connected
    along one direction, at a cost in the seminorm that the gap shows.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eq. (32), doi:10.1109/MSP.2023.3286988
    .. [2] K. Bredies, H. K. Pikkarainen, Inverse problems in spaces of measures, ESAIM: COCV 19 (2013),
       doi:10.1051/cocv/2011205
    .. [3] Q. Denoyelle, V. Duval, G. Peyré, E. Soubies, The sliding Frank-Wolfe algorithm and its application to
       super-resolution microscopy, Inverse Problems 36 (2019), doi:10.1088/1361-6420/ab2a29

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    >>> problem = rs.Problem(X, np.abs(X @ [0.6, 0.8]), lam=0.1)
    >>> solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-10))
    >>> solution.certificate.scope, solution.relative_gap <= 1e-10
    ('exact', True)
    """

    takes_blocks: ClassVar[bool] = True
    tol: float = 1e-6
    max_time: float = float("inf")
    random_state: int = 0
    start: RidgeSpline | Solution | None = field(default=None, repr=False)
    device: str | None = None
    briefly: bool = False
    verbose: bool = False
    total_time: float = float("inf")

    def __post_init__(self) -> None:
        real_number("tol", self.tol, "a number between 1e-14 and 1", 1e-14, 1.0)
        for name in ("max_time", "total_time"):
            require_seconds(name, getattr(self, name))
        whole_number("random_state", self.random_state, 0)
        if not isinstance(self.start, RidgeSpline | Solution | None):
            remedy = "Pass a solution or its network, or start=None."
            raise ProblemError("start", "a RidgeSpline, a Solution or None", repr(self.start), remedy)

    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """A refusal of one dimension, losses of several kinks, starts of another shape; or None."""
        expected, got, remedy = None, None, "Use solver=rs.Grid(), which takes it."
        if problem.n_features < 2 and not (problem.slope_penalty or problem.norm or problem.penalise_bias):
            expected, got = "d >= 2 features", "d = 1"
            remedy = "Use solver=rs.Univariate(), which is exact in one dimension."
        elif not isinstance(problem.activation, ReLU) and problem.loss.interpolates:
            expected, got = "the activation ReLU() where data are interpolated", repr(problem.activation)
        elif not (problem.loss.smooth or problem.loss.interpolates) and problem.loss.box(problem.y) is None:
            expected, got = "at most one kink a row", repr(problem.loss)
        elif self.start is not None and _shape(self.start) != (problem.n_features, problem.n_outputs):
            expected = f"a start with (inputs, outputs) = {(problem.n_features, problem.n_outputs)}"
            got = str(_shape(self.start))
            remedy = "Pass a network of the problem's shape, or start=None."
        elif self.start is not None and not _within(problem, network_of(self.start)):
            expected, got = "a start whose neurons keep to the groups of interactions=", "one that leaves them"
            remedy = "Pass a network of the problem's groups, or start=None."
        if expected is None or got is None:
            return None
        return SolverRefusal("ColumnGeneration", expected, got, remedy)

    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam, from the neurons of the one before."""
        if problem.signs is not None:
            from ridgesplines.solvers.monotone.solver import MonotoneRounds, monotone_path  # few problems need it

            monotone = MonotoneRounds(self.tol, min(self.max_time, self.total_time), self.verbose)
            yield from monotone_path(problem, lams, monotone, self.start)
            return
        rounds = ActivationRounds(self.tol, self.max_time, self.total_time, self.random_state, self.verbose)
        if problem.norm:
            yield from norm_path(problem, lams, rounds, self.start)
            return
        if problem.penalise_bias:
            start = None if self.start is None else homogeneous_start(problem, self.start)
            yield from homogeneous_path(problem, lams, replace(self, start=start).path)
            return
        if not isinstance(problem.activation, ReLU):
            if problem.activation.of_relu is not None:
                start = None if self.start is None else relu_network(network_of(self.start))
                yield from path_in_disguise(problem, lams, replace(self, start=start).path)
                return
            yield from activation_path(problem, lams, rounds, self.start)
            return
        if problem.in_blocks is not None:
            held = replace(self, max_time=min(self.max_time, self.total_time))
            yield from path_by_rows(problem, lams, held, partial(sample_network, _for_sample(held)))
            return
        yield from self._in_memory(problem, lams)

    def _in_memory(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """The same of ReLU, for rows in memory, where no more than the slope of the affine part is penalised."""
        end = (began := time.perf_counter()) + self.total_time
        scaling = standardise(problem)
        scaled = scaling.problem
        require_minimiser(scaled)
        pricing = self._pricing(scaled)
        affine = fit = first_fit(scaled)
        last = None
        if self.start is not None:
            fit, last = fit_of_start(scaling, self.start), scaling.lam(max(lams))
        for lam in lams:
            known = lam == lams[0] and goes_on(scaling, lam, fit, self.start)
            phases = pricing._replace(fast=False) if known and not self.briefly else pricing
            run = _Run(self, problem.with_lam(lam), scaling, phases, fit, affine, began, end)
            try:
                with stoppable(), one_thread():
                    run.follow(last)
            except KeyboardInterrupt:
                run.interrupted = True
            fit, last = run.best.fit, scaling.lam(lam)
            yield run.answer()
            began = time.perf_counter()
            if run.interrupted or began >= end:
                return

    def isotropic(self, problem: Problem) -> ColumnGeneration:
        """These settings with the start in the coordinates of `problem.isotropic`."""
        if self.start is None or problem.isotropic is problem:
            return self
        there = Coordinates(problem)
        if isinstance(self.start, RidgeSpline):
            return replace(self, start=there.network(self.start))
        network, certificate = there.network(self.start.network), there.certificate(self.start.certificate)
        return replace(self, start=replace(self.start, network=network, certificate=certificate))

    def resumed(self, solution: Solution, seconds: float) -> ColumnGeneration:
        """These settings, to go on from a solution and what its certificate found beyond it."""
        return replace(self, start=solution, max_time=seconds)

    def _pricing(self, problem: Problem) -> Pricing:
        if problem.through_origin:
            sphere = SphereOracle(problem.X, self.random_state, FEW_CIRCLES, self.device)
            return Pricing(sphere, not sphere.exact, sphere.exact, self.briefly)
        groups = problem.interactions
        if (exact := exact_oracle(problem.X, interactions=groups)) is None:
            oracle = search_oracle(problem.X, seed=self.random_state, device=self.device, interactions=groups)
            return Pricing(oracle, True, False, self.briefly)
        many = len(problem.X) * (1 if groups is None else len(groups)) >= MANY_POINTS
        return Pricing(exact, many and (groups is not None or problem.rank > 2), True, self.briefly)


class _Run:
    """The work for one lam, from a fit at another, and the best state so far."""

    def __init__(
        self,
        settings: ColumnGeneration,
        problem: Problem,
        scaling: Scaling,
        pricing: Pricing,
        fit: Fit,
        affine: Fit,
        began: float,
        end: float = np.inf,
    ) -> None:
        self.affine = affine
        self.settings, self.problem, self.scaling, self.pricing = settings, problem, scaling, pricing
        self.scaled = scaling.problem.with_lam(scaling.lam(problem.lam))
        self.best = State(self.scaled, fit, np.inf, np.inf, -np.inf, Scope.SEARCHED, np.inf)
        self.dual: Array | None = None if problem.loss.smooth else fit.u
        self.value, self.exact = -np.inf, False
        self.log: list[tuple[str, float, float]] = []
        self.peaks: tuple[Array, Array] | None = None
        self.least, self.lowest, self.idle = np.inf, np.inf, 0
        self.began = self.before = began
        self.interrupted = self.out_of_time = False
        self.limit = min(settings.max_time, max(end - self.began, 0.0))
        self.end = self.began + SOLVING_SHARE * self.limit

    def follow(self, last: float | None) -> None:
        """From the fit at lam = `last`, by way of the lams between, to a loose gap there."""
        fit = self.best.fit
        if last is None:
            u, _ = projected(self.scaled, fit.u)
            last = max(self.scaled.lam, LARGE_LAM * self._supremum(u)) * LAM_FACTOR
        for lam in between(last, self.scaled.lam):
            problem = self.scaled.with_lam(float(lam))
            for state in states(problem, at_lam(problem, fit), self.pricing, LOOSE_GAP, self.end):
                fit = state.fit
                if state.gap <= LOOSE_GAP or self._late():
                    break
            if self._late():
                break
        enough = 0.5 * self.settings.tol
        for state in states(self.scaled, at_lam(self.scaled, fit), self.pricing, enough, self.end):
            self._keep(state)
            if state.gap <= enough or self._late() or self.idle >= IDLE_ROUNDS:
                return
        self._late()  # it may be that no round could end

    def _supremum(self, u: Array) -> float:
        return self.pricing.oracle(
            levelled(self.scaled, u), self.scaled.lam, rough=self.pricing.fast, end=self.end
        ).value

    def _keep(self, state: State) -> None:
        """The state of least objective; the dual vector of largest value.

        Where values are searched, and may be too large, the last that is not worse than others by a loose gap; one that
        is exact rather than any of these.
        """
        now = time.perf_counter()
        self.log.append((str(state.phase), state.gap, now - self.before))
        self.peaks, self.before = state.peaks or self.peaks, now
        values = (state.objective, self.best.objective), (state.fit.objective, self.lowest)
        better = state.left < self.least or any(now + PROGRESS_RTOL * abs(now) < before for now, before in values)
        self.idle = 0 if better else self.idle + 1
        self.least, self.lowest = min(self.least, state.left), min(self.lowest, state.fit.objective)
        nearer = np.isfinite(state.objective) or state.residual <= self.best.residual
        if state.objective <= self.best.objective and nearer:
            self.best = state
        exact = state.scope is Scope.EXACT
        trusted = self.value if exact else min(self.value, state.objective) - LOOSE_GAP * abs(state.objective)
        if exact > self.exact or (exact == self.exact and state.value > trusted):
            self.dual, self.value, self.exact = state.fit.u, state.value, exact
        near(state.gap)
        if self.settings.verbose:
            label, neurons = f"lam = {self.problem.lam:.6g}", len(state.fit.neurons)
            primal = self.scaling.factor * state.objective
            print_round(label, len(self.log), self.began, neurons, primal, state.gap, state.scope, state.phase)

    def _late(self) -> bool:
        check()
        self.out_of_time = time.perf_counter() > self.end
        return self.out_of_time

    def answer(self) -> Answer:
        """The answer in the problem's units, purified."""
        fit = self.best.fit
        if self.scaled.loss.interpolates and not np.isfinite(self.best.objective):
            fit = interpolating(self.scaled, fit, self.settings.random_state)
        elif not self.scaled.loss.interpolates and self.affine.objective <= fit.objective:
            fit = self.affine  # always a candidate
        if self.scaled.n_outputs is None:
            fit = replace(
                fit, neurons=merged(self.scaled.X, fit.neurons, self.scaled.interactions, turn=self.scaled.skip)
            )
        network = purify(self.problem, self.scaling.network(fit.network(self.scaled)))
        phases, gaps, seconds = zip(*self.log, strict=True) if self.log else ((), (), ())
        history: dict[str, Any] = {"rounds": len(gaps), "gaps": gaps, "phases": phases, "seconds": seconds}
        if self.out_of_time:
            history["stopped"] = f"after max_time = {self.limit:.3g} s"
        dual = None if self.dual is None else self.scaling.dual(self.dual)
        peaks = None
        if self.peaks is not None:
            W, b = self.peaks
            peaks = W, self.scaling.radius * b + W @ self.scaling.centre
        tol, end = self.settings.tol, self.began + self.limit
        reached = bool(gaps) and gaps[-1] <= tol
        return Answer(self.problem, network, dual, None, tol, history, self.interrupted, peaks, end, reached)


def _for_sample(solver: ColumnGeneration) -> ColumnGeneration:
    """The settings that fit a sample of rows, to a loose gap."""
    return replace(solver, tol=max(solver.tol, SLIDING_GAP), start=None, briefly=True)


def _within(problem: Problem, net: RidgeSpline) -> bool:
    """Whether each neuron keeps to one of the problem's groups of features."""
    return problem.interactions is None or bool(problem.interactions.allow(net.weights).all())


def _shape(start: RidgeSpline | Solution) -> tuple[int, int | None]:
    return network_of(start).n_features, network_of(start).n_outputs
