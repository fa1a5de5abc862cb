r"""Problems with shape constraints: a backend's answer, made sparse and feasible to rounding.

An interior point satisfies every constraint a little off its boundary, and bends a little everywhere. Which bends
vanish and which slopes lie on a bound is decided by complementarity, not by size. On the pieces that remain, with the
slopes on a bound held there exactly, the program is solved again; where its multipliers say that a bend is missing or
that a piece should let go, the next round follows. Every answer is made feasible, and its gap proven, before it counts.
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
from ridgesplines.interrupt import check, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import data_fit, dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.backends import BACKENDS, Backend
from ridgesplines.solvers.base import Answer
from ridgesplines.solvers.constrained.program import Program, Solved
from ridgesplines.validation import Array

MAX_ROUNDS = 10
#: Below this relative gap the sparser of two answers is the better one.
SPARSER_GAP = 1e-9
#: HiGHS's settings for a vertex.
SIMPLEX = tuple({"highs_options": o["highs_options"] | {"solver": "simplex"}} for o in BACKENDS["HIGHS"].options)
#: A relative gap that needs no further round.
GOAL_GAP = 1e-10
#: eta beyond lam by more than this, relatively, asks for a bend.
VIOLATION_RTOL = 1e-9
#: Bends of a vertex below this, relative to the largest, may be rounding, as may slopes this near to a bound; the gap
#: tells.
ROUNDING_RTOL = 1e-9
#: Entries of the dense matrix of the fixed values, beyond which they are left as the backend met them.
MAX_ENTRIES = 2e7


@dataclass(frozen=True, eq=False)
class Candidate:
    """A feasible spline with the bound that its multipliers prove, in scaled units."""

    network: RidgeSpline
    bound: Bound
    gap: float
    pieces: int


class ShapedProgram:
    """The program of a problem with constraints on all sites, compiled once for all lam.

    Parameters
    ----------
    problem : in the user's units.
    backend, refine : as for Grid.
    """

    def __init__(self, problem: Problem, backend: Backend, refine: bool = True) -> None:
        self.problem, self.backend, self.refine = problem, backend, refine
        self.scaling = standardise(problem)
        self.sites = Sites.of(self.scaling.problem)
        require_shaped_minimiser(self.scaling.problem)
        self.program: Program | None = None

    def answer(self, lam: float) -> Answer:
        """The answer for one lam."""
        scaled, sites = self.scaling.problem.with_lam(self.scaling.lam(lam)), self.sites
        history: dict[str, Any]
        if scaled.loss.interpolates:
            candidate, history, interrupted = _interpolant(scaled, sites), {"status": "in closed form"}, False
        else:
            self.program = self.program or Program(scaled, sites)
            candidate, history, interrupted = _one(scaled, sites, self.program, self.backend, self.refine)
        target, network = self.problem.with_lam(lam), self.scaling.network(candidate.network)
        history["constraint violation"] = violation(target, network)
        dual = candidate.bound.multipliers.in_units_of(standardise(target))
        return Answer(target, network, dual, None, self.backend.tolerance, history, interrupted)


def shaped_path(problem: Problem, lams: Sequence[float], backend: Backend, refine: bool) -> Iterator[Answer]:
    """An answer for each lam."""
    program = ShapedProgram(problem, backend, refine)
    for lam in lams:
        yield (answer := program.answer(lam))
        if answer.interrupted:
            return


def _one(
    problem: Problem, sites: Sites, program: Program, backend: Backend, refine: bool
) -> tuple[Candidate, dict[str, Any], bool]:
    """The best candidate for one lam, with notes, and whether Ctrl-C came."""
    solved = program.solve(problem.lam, backend.name, backend.options)
    best = _straight(problem, _candidate(problem, sites, np.arange(len(sites.at) - 1), solved))
    history = {"status": solved.status, "sites": len(sites.at), "gap before refinement": best.gap, "refined": False}
    if not refine:
        return best, history, False
    bound = best.bound
    try:
        with stoppable():
            for candidate in _refinements(problem, sites, solved, backend):
                # A bound holds for every spline: the best multipliers so far count, whoever found them.
                bound = max(candidate.bound, bound, key=lambda b: b.value)
                new = _measured(problem, candidate.network, bound, candidate.pieces)
                # A refined answer of a somewhat larger gap, far below the tolerance, is still the sparser one.
                if new.gap <= max(best.gap, SPARSER_GAP):
                    best, history["refined"] = new, True
                if new.gap <= GOAL_GAP and new.pieces < len(sites.widths):
                    break
    except SolverRefusal:  # pieces were held that cannot be held together: the best so far stands
        pass
    except KeyboardInterrupt:
        return best, history, True
    return best, history, False


def _refinements(problem: Problem, sites: Sites, solved: Solved, backend: Backend) -> Iterator[Candidate]:
    """Candidates of fewer pieces, each made from the one before."""
    if problem.loss.cone == "linear":
        # The simplex method ends in a vertex, exact to rounding, where an interior point stays in the middle of a face.
        backend = BACKENDS["HIGHS"]
        solved = Program(problem, sites).solve(problem.lam, backend.name, SIMPLEX)
        yield _candidate(problem, sites, np.arange(len(sites.at) - 1), solved)
    reduced: tuple[Array, Array] | None = _reduced(problem, sites, solved)
    for attempt in range(MAX_ROUNDS):
        check()
        if reduced is None:
            return
        pieces, held = reduced
        try:
            solved = Program(problem, sites, pieces, held).solve(problem.lam, backend.name, backend.options)
        except SolverRefusal:
            if attempt:
                return
            # Too few bends, or pieces held that cannot be held together, to pass through the fixed points.
            pieces, held = _spanning(problem, sites, pieces)
            solved = Program(problem, sites, pieces, held).solve(problem.lam, backend.name, backend.options)
        yield _candidate(problem, sites, pieces, solved, held)
        reduced = _next(problem, sites, pieces, held, solved)


def _spanning(problem: Problem, sites: Sites, pieces: Array) -> tuple[Array, Array]:
    """The pieces cut at the fixed points as well, and none held: their interpolant is among the splines."""
    cuts = np.diff(pieces) > 0
    inside = sites.points[(sites.points > 0) & (sites.points < len(sites.at) - 1)]
    cuts[inside - 1] = True
    new = np.append(0, np.cumsum(cuts))
    low, high = problem.constraint.slope_low, problem.constraint.slope_high
    return new, np.full(int(new[-1]) + 1, low if low == high else np.nan)


def _candidate(problem: Problem, sites: Sites, pieces: Array, solved: Solved, held: Array | None = None) -> Candidate:
    network = _feasible(problem, sites, pieces, solved, held)
    fits = [solved.fit]
    if problem.loss.smooth:
        fits.append(dual_of_fit(problem, network(problem.X)))
    bound = max((best_bound(problem, sites, u, solved.points) for u in fits), key=lambda b: b.value)
    return _measured(problem, network, bound, len(solved.slopes))


def _straight(problem: Problem, found: Candidate) -> Candidate:
    """The affine least-squares fit, zero in scaled units, where that is better: for data that it fits exactly."""
    zero = RidgeSpline(np.empty((0, 1)), [], [])
    worse = data_fit(problem, zero) > data_fit(problem, found.network)
    if not problem.loss.translates or worse or violation(problem, zero) > VIOLATION_RTOL:
        return found
    return _measured(problem, zero, found.bound, 1)


def _measured(problem: Problem, network: RidgeSpline, bound: Bound, pieces: int) -> Candidate:
    """A candidate with its relative gap."""
    objective = data_fit(problem, network) + problem.lam * network.seminorm
    return Candidate(network, bound, (objective - bound.value) / max(abs(objective), 1e-300), pieces)


def _reduced(problem: Problem, sites: Sites, solved: Solved) -> tuple[Array, Array]:
    """The pieces between the bends that complementarity keeps of a solution on all sites, and where they are held."""
    shape, eta = problem.constraint, _eta(problem, sites, np.arange(len(sites.widths)), solved)
    bends = np.diff(solved.slopes)  # of the signs that are allowed: others are a solver's tolerance
    bends = np.clip(bends, None if shape.bends_down else 0.0, None if shape.bends_up else 0.0)
    slack = np.maximum(1.0 - np.sign(bends) * eta / problem.lam, 0.0)
    size = np.abs(bends)
    if problem.loss.cone == "linear":  # from a vertex: bends are there or not, to rounding
        kept = size > ROUNDING_RTOL * size.max(initial=0.0)
    else:
        # In scaled units a bend of one is large: where all are small, they are small against that.
        kept = size > slack * size.max(initial=1.0)
        # A bend that an interior point spreads over neighbours is one; if it was several, they join in a later round.
        kept &= _peaks(np.where(kept, size, 0.0))
    pieces = np.append(0, np.cumsum(kept))
    width = np.bincount(pieces, sites.widths)
    slope = np.bincount(pieces, sites.widths * solved.slopes) / width
    pressure = np.bincount(pieces, solved.pressure) / problem.lam
    unit = float(np.ptp(solved.slopes)) or float(np.abs(solved.slopes).max()) or 1.0
    held = np.full(len(width), np.nan)
    held[pressure > np.maximum(slope - shape.slope_low, 0.0) / unit] = shape.slope_low
    held[-pressure > np.maximum(shape.slope_high - slope, 0.0) / unit] = shape.slope_high
    if problem.loss.cone == "linear":  # a vertex is on its bounds without being held
        held[:] = np.nan
    if shape.slope_low == shape.slope_high:
        held[:] = shape.slope_low
    return pieces, held


def _next(problem: Problem, sites: Sites, pieces: Array, held: Array, solved: Solved) -> tuple[Array, Array] | None:
    """More bends where eta asks for them, and fewer pieces held, those whose multipliers push; None if nothing changes.

    Bends only join and pieces are only let go, so that the rounds end.
    """
    shape, eta = problem.constraint, _eta(problem, sites, pieces, solved)
    excess = np.maximum(eta if shape.bends_up else 0.0 * eta, -eta if shape.bends_down else 0.0 * eta)
    joining = _peaks(excess) & (excess > problem.lam * (1.0 + VIOLATION_RTOL)) & (np.diff(pieces) == 0)
    pushes = np.where(held == shape.slope_low, solved.pressure, -solved.pressure)
    let_go = (pushes <= 0.0) & ~np.isnan(held) & (shape.slope_low < shape.slope_high)
    if not (joining.any() or let_go.any()):
        return None
    new = np.append(0, np.cumsum(joining | (np.diff(pieces) > 0)))
    old = pieces[np.append(True, np.diff(new) > 0)]
    return new, np.where(let_go, np.nan, held)[old]


def _eta(problem: Problem, sites: Sites, pieces: Array, solved: Solved) -> Array:
    """eta at the interior sites, where an optimal spline may bend, with the multipliers that the program itself has.

    A piece off its bounds has none, so that a bend it lacks shows; a piece on a bound has one for all its intervals,
    which is shared out among them so that eta stays within the band, if it can.
    """
    shape, c = problem.constraint, sites.eta(sites.masses(solved.fit, solved.points))
    floor = (-problem.lam if shape.bends_down else -np.inf) - c
    ceiling = (problem.lam if shape.bends_up else np.inf) - c
    edges = np.append(np.cumsum(solved.pressure[::-1])[::-1], 0.0)
    path, here = np.zeros(len(c)), 0.0
    for k in range(len(c) - 2, 0, -1):
        piece = pieces[k]
        left, right = edges[piece], edges[piece + 1]
        if pieces[k - 1] != piece:
            here = left
        elif left >= right:
            here = min(max(here, floor[k]), left)
        else:
            here = max(min(here, ceiling[k]), left)
        path[k] = here
    return (c + path)[1:-1]


def _peaks(values: Array) -> Array:
    """A mask of the values that are no smaller than their neighbours; beyond the ends there is zero."""
    return (values >= np.append(0.0, values[:-1])) & (values > np.append(values[1:], 0.0))


def _feasible(problem: Problem, sites: Sites, pieces: Array, solved: Solved, held: Array | None) -> RidgeSpline:
    """The spline with these slopes, moved the little that its constraints ask for."""
    shape = problem.constraint
    slopes = np.clip(solved.slopes, shape.slope_low, shape.slope_high)
    for bound in filter(np.isfinite, (shape.slope_low, shape.slope_high)):
        slopes[np.abs(slopes - bound) <= ROUNDING_RTOL * (1.0 + abs(bound))] = bound
    if held is not None:
        slopes = np.where(np.isnan(held), slopes, held)
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
    shape, v = problem.constraint, np.array(problem.constraint.values)
    reached = np.zeros((len(v), len(slopes)))  # how much of each piece lies before each fixed point
    ends = np.append(0.0, np.cumsum(np.bincount(pieces, sites.widths))) + sites.at[0]
    reached[:] = np.clip(sites.at[sites.points][:, None] - ends[:-1], 0.0, np.diff(ends))
    # From one fixed point to the next, each equation of length one: cumulative ones would be nearly dependent.
    matrix = np.diff(np.column_stack([np.ones(len(v)), reached]), axis=0, prepend=0.0)
    lengths = np.linalg.norm(matrix, axis=1)
    matrix /= lengths[:, None]
    for _ in range(2):
        room = np.minimum(slopes - shape.slope_low, shape.slope_high - slopes)
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
    slopes = np.diff(values) / sites.widths
    network = _spline(sites, np.arange(len(slopes)), float(values[0]), slopes)
    return Candidate(network, best_bound(problem, sites, *interpolating(problem, sites, slopes)), 0.0, len(slopes))
