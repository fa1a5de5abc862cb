r"""Rounds where lam multiplies the norm, in any dimension: all atoms are priced, those of the affine part too.

A round refits the amplitudes of all atoms, lets the neurons slide where the loss is smooth, and asks the oracle of rows
and corners for neurons with :math:`|\eta| > \lambda`, which join, as do affine functions with
:math:`|\sum_n u_n|` or :math:`|\sum_n u_n x_{nj}|` above lam. It stops on the gap of the round's dual vector.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ridgesplines.amplitudes.atoms import Atoms, affine_atoms, atoms_objective, corners_of, refitted
from ridgesplines.amplitudes.atoms_slide import slid
from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.certificate.norm import lifted, lifted_oracle, moments
from ridgesplines.interrupt import check, late, stoppable
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.fast import one_thread
from ridgesplines.objective import relative
from ridgesplines.oracle.base import Oracle, Supremum
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.problem.data import Data
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.column_generation.any_activation import ActivationRounds
from ridgesplines.solvers.pace import SOLVING_SHARE
from ridgesplines.solvers.progress import near, print_round
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Rounds at most; they end after so many without a lower objective or a smaller gap, relatively.
MAX_ROUNDS, IDLE_ROUNDS, PROGRESS_RTOL = 300, 12, 1e-10
#: Neurons that join in a round, and how far above lam, relatively, an atom is missing.
MOST_JOINING, VIOLATION_RTOL = 32, 1e-11
#: Atoms that join start so small, relative to the largest: at zero norms have no derivative.
FIRST = 1e-6
#: Steps of a slide.
STEPS = 100
#: From how many fresh starts for each dimension a small gap is confirmed.
CONFIRMING = 256


@dataclass(frozen=True)
class Units:
    """y in units of its size, weights in those of the heaviest; x stays as it is, and with it the corners.

    Attributes
    ----------
    problem : the scaled problem, of the rows of positive weight.
    of : the problem itself.
    size : y = size * scaled y.
    factor : objective = factor * scaled objective.
    """

    problem: Problem
    of: Problem
    size: float
    factor: float

    @classmethod
    def fitting(cls, problem: Problem) -> Units:
        p, size, loss, factor = problem.reduced, 1.0, problem.loss, 1.0
        if loss.translates:
            size = float(np.sqrt(np.mean(p.y**2))) or 1.0
            loss, factor = loss.rescaled(size)
        heaviest = float(p.sample_weight.max())
        factor = size if loss.interpolates else factor * heaviest
        y = p.y / size if loss.translates else p.y
        return cls(p.on(Data(p.X, y, p.sample_weight / heaviest, loss, p.activation)), problem, size, factor)

    def at(self, lam: float) -> Problem:
        """The scaled problem at lam; for interpolation at one, since lam only scales its objective."""
        return self.problem.with_lam(1.0 if self.problem.loss.interpolates else lam * self.size / self.factor)

    def dual(self, u: Array) -> Array:
        """A dual vector of the scaled problem, as one of the problem itself."""
        full = np.zeros((self.of.n_samples, *u.shape[1:]))
        full[self.of.rows] = self.factor / self.size * u
        return full

    def network(self, atoms: Atoms) -> RidgeSpline:
        """The network of atoms of the scaled problem."""
        return replace(atoms, v=self.size * atoms.v, a=self.size * atoms.a).network(corners_of(self.of))

    def atoms(self, network: RidgeSpline) -> Atoms:
        """The inverse of `network`."""
        atoms = Atoms.of_network(corners_of(self.of), network)
        return replace(atoms, v=atoms.v / self.size, a=atoms.a / self.size)


def norm_path(
    problem: Problem, lams: Sequence[float], settings: ActivationRounds, start: RidgeSpline | Solution | None
) -> Iterator[Answer]:
    """An answer for each lam, from the atoms of the one before; first from those of `start`."""
    began = time.perf_counter()
    end = began + settings.total_time
    units = Units.fitting(problem)
    oracle = lifted_oracle(units.problem, search=settings.random_state)
    atoms = affine_atoms(units.problem)
    if problem.loss.interpolates:
        atoms = _interpolating(units.problem, settings.random_state)
    if start is not None:
        atoms = _joined(atoms, _started(units, start), problem)
    for lam in lams:
        run = _Run(settings, problem.with_lam(lam), units, oracle, atoms, began, end)
        try:
            with stoppable(), one_thread():
                run.follow()
        except KeyboardInterrupt:
            run.interrupted = True
        atoms = run.atoms if problem.loss.smooth else run.tried
        yield run.answer()
        began = time.perf_counter()
        if run.interrupted or began >= end:
            return


def _started(units: Units, start: RidgeSpline | Solution) -> Atoms:
    """The atoms of a start; what violates the certificate of a solution joins its network."""
    if isinstance(start, RidgeSpline):
        return units.atoms(start)
    atoms, (W, b) = units.atoms(start.network), start.certificate.peaks
    return _with_neurons(units.problem, atoms, W, b, start.certificate.eta(W, b), start.problem.lam)


def _joined(atoms: Atoms, more: Atoms, problem: Problem) -> Atoms:
    """Atoms with those of a start, whose amplitudes count."""
    both = replace(atoms, v=0.0 * atoms.v).joined(corners_of(problem), more.W, more.b, more.v)
    return replace(both, a=more.a)


def _interpolating(problem: Problem, seed: int) -> Atoms:
    """Neurons at all data along one random direction, of each group of features: enough to interpolate, at zero."""
    rng, d, atoms = np.random.default_rng(seed), problem.n_features, affine_atoms(problem)
    for group in problem.interactions or [range(d)]:
        w = np.zeros(d)
        w[list(group)] = rng.standard_normal(len(group))
        w /= np.linalg.norm(w)
        b = np.unique(problem.X @ w)
        atoms = atoms.joined(corners_of(problem), np.tile(w, (len(b), 1)), b, np.zeros(len(b)))
    return atoms


@dataclass(frozen=True)
class _State:
    """Atoms that are optimal among themselves, those that were tried for them, objective, dual vector, and its gap."""

    atoms: Atoms
    tried: Atoms
    primal: float
    u: Array
    found: Supremum
    gap: float

    @classmethod
    def of(
        cls, problem: Problem, tried: Atoms, dual: Array, oracle: Oracle, end: float, afresh: int | None = None
    ) -> _State:
        atoms = tried.of_amounts(tried.amounts)
        u, _ = projected(problem, dual)
        found = oracle(lifted(problem, u), problem.lam, near=(atoms.W, atoms.b), end=end, afresh=afresh)
        primal = atoms_objective(problem, atoms)
        sup = max(found.value, float(moments(problem, u).max()))
        gap = relative(problem, primal - best_scale(problem, u, sup)[1], primal)
        return cls(atoms, tried, primal, u, found, gap)

    def more(self, problem: Problem) -> Atoms | None:
        """The atoms with those that are missing, next to zero; None where none is."""
        old = self.tried
        W, b = self.found.weights, self.found.biases
        eta = eta_at(np.vstack([problem.X, corners_of(problem).points]), lifted(problem, self.u), W, b)
        new = _with_neurons(problem, old, W, b, eta, problem.lam)
        size = moments(problem, self.u)
        joining = (size > problem.lam * (1.0 + VIOLATION_RTOL)) & (group_norms(old.a) == 0.0)
        if joining.any():
            a = old.a.copy()
            first = _first(old) / size[joining]
            a[joining] = (corners_of(problem).moments(problem.X, self.u)[joining].T * first).T
            return replace(new, a=a)
        return None if len(new.b) == len(old.b) else new


def _first(atoms: Atoms) -> float:
    return FIRST * max(float(group_norms(atoms.amounts).max(initial=0.0)), FIRST)


def _with_neurons(problem: Problem, atoms: Atoms, W: Array, b: Array, eta: Array, lam: float) -> Atoms:
    """The atoms with those neurons of large eta, the largest first, that exceed lam."""
    size = group_norms(eta)
    new = np.flatnonzero(size > lam * (1.0 + VIOLATION_RTOL))[: max(MOST_JOINING, len(atoms.b) // 2)]
    return atoms.joined(corners_of(problem), W[new], b[new], _first(atoms) * (eta[new].T / size[new]).T)


class _Run:
    """The work for one lam, and the best so far: the atoms of least objective, and the dual vector of least gap."""

    def __init__(
        self,
        settings: ActivationRounds,
        problem: Problem,
        units: Units,
        oracle: Oracle,
        atoms: Atoms,
        began: float,
        end: float,
    ) -> None:
        self.settings, self.problem, self.units, self.oracle, self.began = settings, problem, units, oracle, began
        self.scaled = units.at(problem.lam)
        self.atoms = self.tried = atoms
        self.lowest, self.least = np.inf, np.inf
        self.dual: Array | None = None
        self.peaks: tuple[Array, Array] | None = None
        self.log: list[tuple[float, float]] = []
        self.interrupted = self.reached = False
        self.limit = min(settings.max_time, max(end - began, 0.0))
        self.end = began + SOLVING_SHARE * self.limit

    def follow(self) -> None:
        """From the atoms at hand to the gap that is asked for."""
        idle = 0
        for state in self._rounds():
            lowest, least = self.lowest, self.least
            self._keep(state)
            self.reached = state.gap <= self.settings.tol
            better = self.lowest < lowest * (1.0 - PROGRESS_RTOL) or self.least < least * (1.0 - 1e-2)
            idle = 0 if better else idle + 1
            if self.reached or idle >= IDLE_ROUNDS or late(self.end):
                return

    def _rounds(self) -> Iterator[_State]:
        """The states of the rounds, until no atom that was found is missing."""
        p = self.scaled
        for _ in range(MAX_ROUNDS):
            check()
            answer = refitted(p, self.tried)
            if answer is None:
                return
            if p.loss.smooth:
                answer = _slid(p, answer, self.end)
            state = _State.of(p, *answer, self.oracle, self.end)
            if state.gap <= self.settings.tol and state.found.scope is Scope.SEARCHED:
                state = _State.of(p, *answer, self.oracle, self.end, CONFIRMING)
            yield state
            larger = state.more(p)
            if larger is None:
                return
            self.tried = larger

    def _keep(self, state: _State) -> None:
        if state.primal <= self.lowest:
            self.atoms, self.lowest, self.tried = state.atoms, state.primal, state.tried
        if state.gap <= self.least or self.dual is None:
            self.dual, self.least = state.u, state.gap
        self.peaks = state.found.weights, state.found.biases
        self.log.append((max(state.gap, 0.0), time.perf_counter() - self.began - sum(s for _, s in self.log)))
        near(self.log[-1][0])
        if self.settings.verbose:
            label, primal = f"lam = {self.problem.lam:.6g}", self.units.factor * state.primal
            count, scope = len(state.atoms.b), state.found.scope
            print_round(label, len(self.log), self.began, count, primal, self.log[-1][0], scope, "rounds")

    def answer(self) -> Answer:
        """The answer in the problem's units, purified."""
        gaps, seconds = zip(*self.log, strict=True) if self.log else ((), ())
        history: dict[str, Any] = {"rounds": len(gaps), "gaps": gaps, "phases": ("rounds",) * len(gaps)}
        history["seconds"] = seconds
        if late(self.end):
            history["stopped"] = f"after max_time = {self.limit:.3g} s"
        atoms, scaled = self.atoms.of_amounts(self.atoms.amounts), self.scaled
        if np.isfinite(self.lowest):
            pure = atoms.purified(scaled)
            atoms = pure if atoms_objective(scaled, pure) <= self.lowest * (1.0 + 1e-12) else atoms
        dual = np.zeros((scaled.n_samples, *scaled.outputs)) if self.dual is None else self.dual
        return Answer(
            self.problem,
            self.units.network(atoms),
            self.units.dual(dual),
            None,
            self.settings.tol,
            history,
            self.interrupted,
            self.peaks,
            self.began + self.limit,
            self.reached,
        )


def _slid(problem: Problem, answer: tuple[Atoms, Array], end: float) -> tuple[Atoms, Array]:
    """The same after a slide, where that lowers the objective; else as it was."""
    moved = refitted(problem, slid(problem, answer[0], STEPS, end))
    if moved is None or atoms_objective(problem, moved[0]) > atoms_objective(problem, answer[0]):
        return answer
    return moved
