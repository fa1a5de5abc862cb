r"""Problems with shape constraints, by the exchange method or in CVXPY, made sparse and feasible to rounding.

An interior point satisfies every constraint a little off its boundary, and bends a little everywhere. Which bends
vanish and which bounds count is decided by complementarity, not by size; from there the active-set methods of the other
modules lead to exact zeros. A piecewise-linear loss has a vertex instead, which the simplex method finds. Every answer
is made feasible, and its gap proven, before it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.amplitudes.minimiser import require_shaped_minimiser
from ridgesplines.certificate.constrained import Bound, best_bound, interpolating
from ridgesplines.certificate.sites import Sites
from ridgesplines.certificate.violation import violation
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import asked, check, overdue, stoppable
from ridgesplines.losses.squared import Squared
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import data_fit, dual_of_fit, objective
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.backends import BACKENDS, Backend
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.constrained.kinked import Found, Kinked
from ridgesplines.solvers.constrained.networks import spline_of, without_rounding
from ridgesplines.solvers.constrained.program import Program, Solved
from ridgesplines.solvers.constrained.smooth import Smooth
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.validation import Array

#: Below this relative gap the sparser of two answers is the better one.
SPARSER_GAP = 1e-9
#: HiGHS's settings for a vertex.
SIMPLEX = tuple({"highs_options": o["highs_options"] | {"solver": "simplex"}} for o in BACKENDS["HIGHS"].options)
#: A relative gap that the active-set methods are asked for.
GOAL_GAP = 1e-10
#: A violation of constraints above this, relatively, is more than rounding.
VIOLATION_RTOL = 1e-9
#: Bends of a vertex below this, relative to the largest, may be rounding, as may slopes this near to a bound; the gap
#: tells.
ROUNDING_RTOL = 1e-9
#: How often a vertex is found again on the bends that it has.
MAX_ROUNDS = 4
#: Entries of the dense matrix of the fixed values, beyond which they are left as the backend met them.
MAX_ENTRIES = 2e7


@dataclass(frozen=True, eq=False)
class Candidate:
    """A feasible spline with the bound that its multipliers prove, in scaled units."""

    network: RidgeSpline
    bound: Bound
    gap: float


class ShapedProgram:
    """The program of a problem with constraints on all sites, compiled once for all lam.

    Parameters
    ----------
    problem : in the user's units.
    backend, refine : as for Grid.
    tol : the relative gap at which the exchange method's answer needs no backend; where it is zero, that is not tried.
    """

    def __init__(self, problem: Problem, backend: Backend, refine: bool = True, tol: float = 0.0) -> None:
        self.problem, self.backend, self.refine, self.tol = problem, backend, refine, tol
        self.scaling = standardise(problem)
        self.sites = Sites.of(self.scaling.problem)
        require_shaped_minimiser(self.scaling.problem)
        self.program: Program | None = None
        linear = tol > 0.0 and self.scaling.problem.loss.pieces(self.scaling.problem.y) is not None
        self.kinked = Kinked(self.scaling.problem, self.sites) if linear else None

    def answer(self, lam: float, near: RidgeSpline | None = None) -> Answer:
        """The answer for one lam; `near` is a network with which the exchange method begins."""
        scaled, sites = self.scaling.problem.with_lam(self.scaling.lam(lam)), self.sites
        history: dict[str, Any]
        if scaled.loss.interpolates:
            candidate, history, interrupted = _interpolant(scaled, sites), {"status": "in closed form"}, False
        elif (asked() or overdue()) and (rough := _rough(scaled, sites)) is not None:
            candidate, history, interrupted = rough, {"status": "not begun"}, True
        else:
            candidate, history, interrupted = self._found(scaled, near)
        target = self.problem.with_lam(lam)
        network = without_rounding(target, self.scaling.network(candidate.network))
        history["constraint violation"] = violation(target, network)
        dual = candidate.bound.multipliers.in_units_of(standardise(target))
        return Answer(target, network, dual, None, self.backend.tolerance, history, interrupted)

    def _found(self, scaled: Problem, near: RidgeSpline | None) -> tuple[Candidate, dict[str, Any], bool]:
        """By the exchange method, if that reaches the tolerance; otherwise the better one of it and a backend's."""
        sites, first, interrupted = self.sites, None, False
        if self.kinked is not None:
            start = None if near is None else self.scaling.scaled_network(near)
            first, interrupted = _best(scaled, None, _exchanged(scaled, sites, self.kinked, start))
            if first is None and interrupted:
                first = _rough(scaled, sites)
            if first is not None and (interrupted or first.gap <= self.tol):
                return first, {"status": "by exchange", "sites": len(sites.at)}, interrupted
        self.program = self.program or Program(scaled, sites)
        candidate, history, interrupted = _one(scaled, sites, self.program, self.backend, self.refine)
        return (candidate if first is None else min(candidate, first, key=lambda c: c.gap)), history, interrupted


def shaped_path(problem: Problem, lams: Sequence[float], backend: Backend, refine: bool) -> Iterator[Answer]:
    """An answer for each lam."""
    program = ShapedProgram(problem, backend, refine)
    for lam in lams:
        answer = program.answer(lam)
        ended = answer.interrupted and not overdue()
        yield answer
        if ended:
            return


def _one(
    problem: Problem, sites: Sites, program: Program, backend: Backend, refine: bool
) -> tuple[Candidate, dict[str, Any], bool]:
    """The best candidate for one lam, with notes, and whether Ctrl-C came."""
    solved = program.solve(problem.lam, backend.name, backend.options)
    pieces = sites.pieces(sites.up | sites.down)
    best = _straight(problem, _candidate(problem, sites, pieces, solved))
    if violation(problem, best.network) > VIOLATION_RTOL:  # the backend's time was short
        best = _rough(problem, sites) or best
    history: dict[str, Any] = {"status": solved.status, "sites": len(sites.at), "gap before refinement": best.gap}
    history["refined"] = False
    if not refine:
        return best, history, False
    refinements = _exact if problem.loss.smooth else _vertices
    refined, interrupted = _best(problem, best, refinements(problem, sites, solved))
    history["refined"] = refined is not best
    return refined or best, history, interrupted


def _best(problem: Problem, best: Candidate | None, candidates: Iterator[Candidate]) -> tuple[Candidate | None, bool]:
    """The best of some candidates and the one before, None where there is none; and whether Ctrl-C came."""
    bound = None if best is None else best.bound
    try:
        with stoppable():
            for candidate in candidates:
                # A bound holds for every spline: the best multipliers so far count, whoever found them.
                bound = max(candidate.bound, bound or candidate.bound, key=lambda b: b.value)
                new = _measured(problem, candidate.network, bound)
                # A refined answer of a somewhat larger gap, far below the tolerance, is still the sparser one.
                least = np.inf if best is None else max(best.gap, SPARSER_GAP)
                if new.gap <= least and violation(problem, new.network) <= VIOLATION_RTOL:
                    best = new
    except SolverRefusal:  # the simplex method gave up: the best so far stands
        pass
    except KeyboardInterrupt:
        return best, True
    return best, False


def _exchanged(problem: Problem, sites: Sites, engine: Kinked, start: RidgeSpline | None) -> Iterator[Candidate]:
    """Ever better splines by the exchange method, then a vertex, and again on the bends that it has."""
    found, values, near = None, None, np.empty(0, dtype=int)
    if start is not None:
        values = start.at(sites.at)
        near = np.clip(np.searchsorted(sites.at, start.breakpoints), 0, len(sites.at) - 1)
    for found in engine.exchanged(problem.lam, near, values):
        yield _straight(problem, _of_nodes(problem, sites, engine, found))
    found = None if found is None else engine.vertex(problem.lam, found)
    for _ in range(MAX_ROUNDS):
        if found is None:
            return
        yield _of_nodes(problem, sites, engine, found)
        nodes = np.union1d(_bent(sites, found), np.flatnonzero(engine.limits.required))
        if len(nodes) == len(found.nodes):
            return
        found = engine.vertex_on(nodes, problem.lam, found.values)


def _bent(sites: Sites, found: Found) -> Array:
    """The nodes at which an optimum bends by more than rounding, and both ends."""
    bends = np.abs(kinks(sites.at[found.nodes], found.point.theta))
    bent = np.append(np.append(True, bends > ROUNDING_RTOL * bends.max(initial=0.0)), True)
    return found.nodes[bent]


def _of_nodes(problem: Problem, sites: Sites, engine: Kinked, found: Found) -> Candidate:
    """The candidate of an optimum on some nodes."""
    nodes, nu = _bent(sites, found), engine.masses(found, problem.lam)[sites.held]
    slopes = np.diff(found.values[nodes]) / np.diff(sites.at[nodes])
    pieces = sites.pieces(np.isin(np.arange(len(sites.at)), nodes))
    return _candidate(problem, sites, pieces, Solved(found.values, slopes, found.u, nu, found.point.m, "solved"))


def _exact(problem: Problem, sites: Sites, solved: Solved) -> Iterator[Candidate]:
    """The optimum by active sets, from what is active in an approximate one."""
    engine = Smooth(problem, sites, GOAL_GAP)
    values = np.zeros(len(sites.at))
    values[sites.held] = solved.points
    pieces = sites.pieces(sites.up | sites.down)
    share = sites.widths / np.bincount(pieces, sites.widths)[pieces]
    start = engine.near(solved.values, share * solved.pressure[pieces], values)
    fitted = engine.solve(np.empty(0, dtype=int), start)
    if fitted is not None:
        yield _measured(problem, spline_of(sites, fitted.spline), fitted.bound)


def _vertices(problem: Problem, sites: Sites, solved: Solved) -> Iterator[Candidate]:
    """A vertex, by the simplex method, and again on the bends that it has."""
    pieces = sites.pieces(sites.up | sites.down)
    for _ in range(MAX_ROUNDS):
        check()
        solved = Program(problem, sites, pieces).solve(problem.lam, "HIGHS", SIMPLEX)
        yield _candidate(problem, sites, pieces, solved)
        size = np.abs(np.diff(solved.slopes))
        kept = np.zeros(len(pieces) - 1, dtype=bool)
        kept[np.diff(pieces) > 0] = size > ROUNDING_RTOL * size.max(initial=0.0)
        fewer = np.append(0, np.cumsum(kept))
        if fewer[-1] == pieces[-1]:
            return
        pieces = fewer


def _candidate(problem: Problem, sites: Sites, pieces: Array, solved: Solved) -> Candidate:
    network = _feasible(problem, sites, pieces, solved)
    fits = [solved.fit]
    if problem.loss.smooth:
        fits.append(dual_of_fit(problem, network(problem.X)))
    ends = float(solved.pressure[0]), float(solved.pressure[-1])
    bound = max((best_bound(problem, sites, u, solved.points, ends) for u in fits), key=lambda b: b.value)
    return _measured(problem, network, bound)


def _straight(problem: Problem, found: Candidate) -> Candidate:
    """The affine least-squares fit, zero in scaled units, where that is better: for data that it fits exactly."""
    zero = RidgeSpline(np.empty((0, 1)), [], [])
    worse = data_fit(problem, zero) > data_fit(problem, found.network)
    if not problem.loss.translates or worse or violation(problem, zero) > VIOLATION_RTOL:
        return found
    return _measured(problem, zero, found.bound)


def _rough(problem: Problem, sites: Sites) -> Candidate | None:
    """A feasible spline on few sites, by least squares for losses with kinks; its dual vector proves little."""
    smooth = problem.loss.smooth
    fitted = Smooth(problem if smooth else problem.with_loss(Squared()), sites, GOAL_GAP).coarse()
    if fitted is None:
        return None
    network = spline_of(sites, fitted.spline)
    u = dual_of_fit(problem, network(problem.X)) if smooth else np.zeros_like(problem.y)
    return _measured(problem, network, best_bound(problem, sites, u, np.zeros(len(sites.held)), (0.0, 0.0)))


def _measured(problem: Problem, network: RidgeSpline, bound: Bound) -> Candidate:
    """A candidate with its relative gap."""
    primal = objective(problem, network)
    return Candidate(network, bound, (primal - bound.value) / max(abs(primal), 1e-300))


def _steepness(sites: Sites, pieces: Array) -> tuple[Array, Array]:
    """The bounds of the slopes of pieces."""
    first = np.flatnonzero(np.append(True, np.diff(pieces) > 0))
    return np.maximum.reduceat(sites.slope_low, first), np.minimum.reduceat(sites.slope_high, first)


def _feasible(problem: Problem, sites: Sites, pieces: Array, solved: Solved) -> RidgeSpline:
    """The spline with these slopes, moved the little that its constraints ask for."""
    shape, (low, high) = problem.constraint, _steepness(sites, pieces)
    slopes = np.clip(solved.slopes, low, high)
    for bound in (low, high):
        slopes = np.where(np.abs(slopes - bound) <= ROUNDING_RTOL * (1.0 + np.abs(slopes)), bound, slopes)
    width = np.bincount(pieces, sites.widths)
    if not shape.bends_up and not shape.bends_down:
        slopes[:] = (width @ slopes) / width.sum()
    elif not shape.bends_down:
        slopes = np.maximum.accumulate(slopes)
    elif not shape.bends_up:
        slopes = np.minimum.accumulate(slopes)
    if sites.alone:
        slopes[:] = min(max(0.0, shape.slope_low), shape.slope_high)
    start = float(solved.values[0])
    if shape.points and sites.points.size * len(slopes) <= MAX_ENTRIES:
        start, slopes = _through(problem, sites, pieces, start, slopes)
    return _spline(sites, pieces, start, slopes)


def _through(problem: Problem, sites: Sites, pieces: Array, start: float, slopes: Array) -> tuple[float, Array]:
    """Value at the first site and slopes that meet the fixed values: the smallest change, where slopes have room."""
    shape, v, (low, high) = problem.constraint, np.array(problem.constraint.values), _steepness(sites, pieces)
    reached = np.zeros((len(v), len(slopes)))  # how much of each piece lies before each fixed point
    ends = np.append(0.0, np.cumsum(np.bincount(pieces, sites.widths))) + sites.at[0]
    reached[:] = np.clip(sites.at[sites.points][:, None] - ends[:-1], 0.0, np.diff(ends))
    # From one fixed point to the next, each equation of length one: cumulative ones would be nearly dependent.
    matrix = np.diff(np.column_stack([np.ones(len(v)), reached]), axis=0, prepend=0.0)
    lengths = np.linalg.norm(matrix, axis=1)
    matrix /= lengths[:, None]
    for _ in range(2):
        room = np.minimum(slopes - low, high - slopes)
        room[~np.isfinite(room)] = 1.0
        if not (shape.bends_up and shape.bends_down):
            bends = np.append(np.append(np.inf, np.abs(np.diff(slopes))), np.inf)
            room = np.minimum(room, np.minimum(bends[1:], bends[:-1]))
        weight = np.append(1.0, np.minimum(np.maximum(room, 0.0), 1.0))
        missing = np.diff(v - (start + reached @ slopes), prepend=0.0) / lengths
        change = weight * (matrix.T @ np.linalg.lstsq((matrix * weight) @ matrix.T, missing, rcond=1e-13)[0])
        start, slopes = start + float(change[0]), slopes + change[1:]
    return start, slopes


def _spline(sites: Sites, pieces: Array, start: float, slopes: Array) -> RidgeSpline:
    """The network with these slopes between sites; pieces of equal slope are one."""
    knots, bends = sites.at[1:-1][np.diff(pieces) > 0], np.diff(slopes)
    alive = bends != 0.0
    ones = np.ones((int(alive.sum()), 1))
    return RidgeSpline(ones, knots[alive], bends[alive], slopes[:1], start - slopes[0] * sites.at[0])


def _interpolant(problem: Problem, sites: Sites) -> Candidate:
    """Interpolation leaves one value at every site, so that the spline is given."""
    values = np.empty(len(sites.at))
    values[sites.points] = problem.constraint.values
    values[sites.rows] = problem.y
    if sites.alone:
        values[1] = values[0] + min(max(0.0, problem.constraint.slope_low), problem.constraint.slope_high)
    between = np.diff(values[sites.inner]) / np.diff(sites.at[sites.inner])
    slopes = np.zeros(len(sites.widths))
    slopes[sites.inner.start : sites.inner.stop - 1] = between
    for end, place, beside in zip(sites.ends, (0, -1), (1, -2), strict=True):
        if end:  # as little of a bend as the slope far out leaves
            near = slopes[beside] if len(between) else 0.0
            slopes[place] = min(max(near, sites.slope_low[place]), sites.slope_high[place])
    first = sites.inner.start
    start = float(values[first]) - (slopes[0] * sites.widths[0] if first else 0.0)
    network = _spline(sites, np.arange(len(slopes)), start, slopes)
    return Candidate(network, best_bound(problem, sites, *interpolating(problem, sites, slopes)), 0.0)
