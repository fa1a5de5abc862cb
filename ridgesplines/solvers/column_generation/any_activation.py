r"""Rounds for activations other than ReLU: neurons are found by batches, and all of them slide at once.

.. math:: \min_{K, v, w_k, b_k, q} \; \sum_n s_n L\Big(y_n, \sum_k v_k \sigma(w_k^T x_n - b_k) + q(x_n)\Big)
          + \lambda \sum_k \|v_k\|, \qquad \|w_k\| = 1

over all directions and biases, q in the null space of the activation. A round refits all amplitudes, lets all neurons
slide by L-BFGS, refits, and asks for neurons with :math:`|\eta| > \lambda`, which join. Here the objective is smooth in
(w, b), so that sliding alone finds the last digits. Losses with kinks are refitted by linear programs, and do not
slide.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.amplitudes.design import fitted_alone
from ridgesplines.amplitudes.extreme_points import purify
from ridgesplines.certificate.affine_optimum import affine_optimum
from ridgesplines.certificate.dual import projected
from ridgesplines.interrupt import check, late, stoppable
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.fast import one_thread
from ridgesplines.objective import objective
from ridgesplines.oracle import search_oracle
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.column_generation.any_slide import slid
from ridgesplines.solvers.exchange import State, joined, refitted
from ridgesplines.solvers.pace import LOOSE_GAP, SOLVING_SHARE, between
from ridgesplines.solvers.progress import near, print_round
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Rounds at most; they end after so many without a lower objective or a smaller gap, relatively.
MAX_ROUNDS, IDLE_ROUNDS, PROGRESS_RTOL = 200, 8, 1e-9
#: Steps of a slide, and at a lam between; entries of the values of all neurons at the data, beyond which none is added.
STEPS, FEWER_STEPS, MAX_ENTRIES = 200, 50, 4e7
#: From how many fresh starts for each dimension a small gap is confirmed; with a tolerance from the last number up.
CONFIRMING, FEWER, LOOSE_TOL = 256, 64, 1e-3


@dataclass(frozen=True)
class ActivationRounds:
    """Settings of the rounds: the relative gap to reach, seconds for each lam and for all, the seed, a line a round."""

    tol: float
    max_time: float
    total_time: float
    random_state: int
    verbose: bool = False


def activation_path(
    problem: Problem, lams: Sequence[float], settings: ActivationRounds, start: RidgeSpline | Solution | None
) -> Iterator[Answer]:
    """An answer for each lam, from the neurons of the one before; first from those of `start`, also those at zero."""
    began = time.perf_counter()
    end = began + settings.total_time
    scaling = standardise(problem)
    scaled = scaling.problem
    oracle = search_oracle(
        scaled.X, seed=settings.random_state, activation=scaled.activation, interactions=scaled.interactions
    )
    alone = affine_optimum(scaled, oracle)
    if alone is None:
        raise RuntimeError("no function of the null space has a finite loss, which only interpolation asks for")
    nothing = fitted_alone(scaled, alone[0])
    network = nothing if start is None else scaling.scaled_network(_with_peaks(start))
    last = oracle(projected(scaled, alone[1])[0]).value if start is None else scaling.lam(max(lams))
    for lam in lams:
        run = _Run(settings, problem.with_lam(lam), scaling, oracle, (nothing, alone[1]), began, end)
        try:
            with stoppable(), one_thread():
                run.follow(network, last)
        except KeyboardInterrupt:
            run.interrupted = True
        network, last = run.network, scaling.lam(lam)
        yield run.answer()
        began = time.perf_counter()
        if run.interrupted or began >= end:
            return


def _with_peaks(start: RidgeSpline | Solution) -> RidgeSpline:
    """The network, and of a Solution the neurons that its certificate found, next to zero."""
    if isinstance(start, RidgeSpline):
        return start
    net, (W, b) = start.network, start.certificate.peaks
    eta = start.certificate.eta(W, b)
    new = group_norms(eta) > start.problem.lam
    small = 1e-9 * max(float(group_norms(net.amplitudes).max(initial=0.0)), 1e-9) * (eta / start.problem.lam)[new]
    return net.changed(
        weights=np.concatenate([net.weights, W[new]]),
        biases=np.append(net.biases, b[new]),
        amplitudes=np.concatenate([net.amplitudes, small]),
    )


class _Run:
    """The work for one lam, and the best so far: the network of least objective, with its dual vector."""

    def __init__(
        self,
        settings: ActivationRounds,
        problem: Problem,
        scaling: Scaling,
        oracle: Oracle,
        nothing: tuple[RidgeSpline, Array],
        began: float,
        end: float,
    ) -> None:
        self.settings, self.problem, self.scaling, self.oracle, self.began = settings, problem, scaling, oracle, began
        self.scaled = scaling.problem.with_lam(scaling.lam(problem.lam))
        self.network, self.dual = nothing
        self.lowest = objective(self.scaled, self.network)
        self.log: list[tuple[float, float]] = []
        self.interrupted = self.reached = False
        limit = min(settings.max_time, max(end - began, 0.0))
        self.limit, self.end = limit, began + SOLVING_SHARE * limit

    def follow(self, network: RidgeSpline, last: float) -> None:
        """From the network for lam = `last`, by way of the lams between, to the gap that is asked for."""
        lam = self.scaled.lam
        for larger in between(last, lam):
            for state in rounds(self.scaled.with_lam(float(larger)), network, self.oracle, self.end, FEWER_STEPS):
                network = state.network
                if state.gap <= LOOSE_GAP or late(self.end):
                    break
        idle, least = 0, np.inf
        for state in rounds(self.scaled, network, self.oracle, self.end):
            lowest = self.lowest
            self._keep(state)
            if state.gap <= self.settings.tol:
                state = confirmed(self.scaled, state, self.oracle, self.settings.tol, self.end)
                self._keep(state)
                self.reached = state.gap <= self.settings.tol
            better = self.lowest < lowest * (1.0 - PROGRESS_RTOL) or state.gap < least * (1.0 - 1e-2)
            idle, least = 0 if better else idle + 1, min(least, state.gap)
            if self.reached or idle >= IDLE_ROUNDS or late(self.end):
                return

    def _keep(self, state: State) -> None:
        if state.primal <= self.lowest * (1.0 + PROGRESS_RTOL):
            self.network, self.lowest, self.dual = state.network, state.primal, state.dual
        self.log.append((max(state.gap, 0.0), time.perf_counter() - self.began - sum(s for _, s in self.log)))
        near(self.log[-1][0])
        if self.settings.verbose:
            label, primal = f"lam = {self.problem.lam:.6g}", self.scaling.factor * state.primal
            count, gap = state.network.n_neurons, self.log[-1][0]
            print_round(label, len(self.log), self.began, count, primal, gap, Scope.SEARCHED, "rounds")

    def answer(self) -> Answer:
        """The answer in the problem's units."""
        history: dict[str, Any] = {"rounds": len(self.log), "gaps": tuple(gap for gap, _ in self.log)}
        history |= {"phases": ("rounds",) * len(self.log), "seconds": tuple(s for _, s in self.log)}
        if late(self.end):
            history["stopped"] = f"after max_time = {self.limit:g} s"
        network = purify(self.scaled, self.network)
        return Answer(
            self.problem,
            self.scaling.network(network),
            self.scaling.dual(self.dual),
            None,
            self.settings.tol,
            history,
            self.interrupted,
            end=self.began + self.limit,
            reached=self.reached,
        )


def rounds(
    problem: Problem, network: RidgeSpline, oracle: Oracle, end: float = np.inf, steps: int = STEPS
) -> Iterator[State]:
    """The states of the rounds at the problem's lam, until no neuron that was found is missing."""
    for _ in range(MAX_ROUNDS):
        check()
        answer = refitted(problem, network)
        if answer is None:
            return
        if problem.loss.smooth and answer[0].n_neurons:
            answer = _slid(problem, answer, steps, end)
        network, dual, kept = answer
        state = _state(problem, network, dual, oracle, end)
        yield state
        larger = joined(problem, state.u, state.found, network if problem.loss.smooth else kept)
        if larger is None or problem.n_samples * larger.n_neurons > MAX_ENTRIES:
            return
        network = larger


def _state(
    problem: Problem, network: RidgeSpline, dual: Array, oracle: Oracle, end: float, afresh: int | None = None
) -> State:
    """The state of a network with its dual vector; the search knows the network's own neurons."""
    near = network.weights, network.biases
    return State.of(problem, network, dual, oracle, near=near, end=end, afresh=afresh)


def confirmed(problem: Problem, state: State, oracle: Oracle, tol: float, end: float) -> State:
    """The same after a search from fresh starts, which knows nothing of earlier ones."""
    starts = FEWER if tol >= LOOSE_TOL else CONFIRMING
    again = _state(problem, state.network, state.dual, oracle, end, afresh=starts)
    return state if again.gap < state.gap else again


def _slid(
    problem: Problem, answer: tuple[RidgeSpline, Array, RidgeSpline], steps: int, end: float
) -> tuple[RidgeSpline, Array, RidgeSpline]:
    """The same after a slide, where that lowers the objective; else as it was."""
    moved = refitted(problem, slid(problem, answer[0], steps, end))
    if moved is None or objective(problem, moved[0]) > objective(problem, answer[0]):
        return answer
    return moved
