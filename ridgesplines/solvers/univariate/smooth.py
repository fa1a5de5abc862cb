r"""Smooth losses: Newton's method, whose quadratic models the exchange method solves.

At a fit z the loss is replaced by its parabola, with curvatures :math:`H_n = s_n L''(y_n, z_n)`; the penalty stays as
it is. For squared error the parabola is the loss, and one step is all there is. Steps that go too far are halved.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ridgesplines.line.cells import Cells
from ridgesplines.line.kernels import times
from ridgesplines.network.spline import group_norms
from ridgesplines.solvers.univariate.active_set import last_digits, on_face
from ridgesplines.solvers.univariate.data import Line, Look
from ridgesplines.solvers.univariate.exchange import VIOLATION_RTOL, Quadratic, exchange
from ridgesplines.solvers.univariate.groups import least_squares
from ridgesplines.solvers.univariate.knots import Knots, between, with_ends
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.solvers.univariate.progress import Progress
from ridgesplines.validation import Array

MAX_STEPS = 60
#: Rounds of the exchange method while the parabola is still moving; in the first step one is enough.
MAX_ROUNDS = 2
#: |eta| may exceed lam by this, relatively, for the straight line to be optimal.
AFFINE = 1e-10
#: The moments of a dual vector that count as none, relatively.
ORTHOGONAL = 1e-12
#: Up to this many knots may be those of a straight line, up to rounding.
FEW_KNOTS = 4
#: How much of the majorant stands in for a curvature that has vanished.
STRAIGHT = 1e-14
EPS = np.finfo(float).eps
#: Of the weights this part is taken for light.
LIGHT = 0.1
#: Weights this far above the light ones are anchors, held at first by a curvature of so many times the light ones'; it
#: is raised where a step does not bring the gap below this part of what it was.
HEAVY, ANCHOR, STIFFER, QUICK, MAX_ANCHORED = 1e8, 1e5, 100.0, 0.01, 20
#: The part of the tolerance that squared error is brought to: with a gap above it another dual vector is tried, which
#: takes longer than a further round.
AIM = 0.1
#: The last step of Newton's method costs little, and its dual vector is that of the fit itself.
LAST = 1e-5


#: In so many rounds the gap need not have halved before all rows are looked at.
PATIENCE = 2


class Fitted(NamedTuple):
    """A spline, its values at the rows, where these were computed, and its objective."""

    knots: Knots
    z: Array
    objective: float


def smooth(line: Line, lam: float, tol: float, start: Knots | None, progress: Progress) -> None:
    """Report ever better splines to `progress`, until the relative gap is at most tol.

    Parameters
    ----------
    line : data with a smooth loss.
    lam : positive.
    tol : the relative gap to reach.
    start : knots near the optimum, with their values, if some are known.
    """
    quadratic = line.loss.quadratic
    if quadratic and start is None and _straight_is_best(line, lam, progress):
        return
    if quadratic and _has_anchors(line, lam):
        _anchored(line, lam, tol, start, progress)
    elif quadratic:
        _solved(line, Quadratic(line, *line.parabola), lam, tol, start, progress)
    else:
        _newton(line, lam, tol, start, progress)
    # For other losses the best straight line takes many steps: it is looked at only where hardly anything bends.
    if not quadratic and progress.knots is not None and len(progress.knots.active) <= FEW_KNOTS:
        _straight_is_best(line, lam, progress)


def _has_anchors(line: Line, lam: float) -> bool:
    H = line.parabola[0]
    return bool(H.max() > HEAVY * H.min() and H.max() > HEAVY * _light(line, lam))


def _light(line: Line, lam: float) -> float:
    """The weight of the light rows, among those that can move eta by more than the rounding of lam."""
    H = line.parabola[0]
    felt = H * np.abs(line.y).max() * len(H) > EPS * lam
    return float(np.quantile(H[felt], LIGHT)) if felt.any() else np.inf


def _anchored(line: Line, lam: float, tol: float, start: Knots | None, progress: Progress) -> None:
    """Rows of weights far above the others', by the method of multipliers; parameters as for `smooth`.

    Their residuals are so small that they are rounding, and u = H (y - z) has no digits. Here u is that of the step
    before, corrected by a parabola of a curvature that stays within the digits of z, and rises where that is too slow.
    """
    H, b = line.parabola
    stiff, u, previous = ANCHOR * _light(line, lam), np.zeros_like(b), np.inf
    for _ in range(MAX_ANCHORED):
        share = np.where(stiff < H, H / (H + stiff), 0.0)  # of the multipliers of the step before
        model = Quadratic(line, (1.0 - share) * H, times(1.0 - share, b) + times(share, u))
        fitted = _solved(line, model, lam, tol, start, progress)
        u, start = model.dual(fitted.z), fitted.knots
        if progress.gap <= tol or not share.any():
            return
        if not progress.gap < QUICK * previous:
            stiff *= STIFFER
        previous = progress.gap


def _newton(line: Line, lam: float, tol: float, start: Knots | None, progress: Progress) -> None:
    """The steps; parameters as for `smooth`."""
    warm, knots = start, start or _constant(line)
    z = line.spline(knots)
    now, off = Fitted(knots, z, line.objective(knots, z, lam)), np.inf
    for _ in range(MAX_STEPS):
        for steady in (False, True):
            goal = _solved(line, _parabola(line, now.z, steady), lam, tol, warm, progress)
            fitted = _shortened(line, lam, now, goal)
            if fitted is not None:
                break
        if fitted is None:
            return  # rounding hides any further descent
        stalled = fitted.objective >= now.objective * (1.0 - 1e-15)
        now, warm = fitted, fitted.knots
        if progress.gap <= LAST * tol:
            return
        if stalled:  # the objective no longer tells, the certificate does
            previous, off = off, _excess(line, now.z, lam)[1] - 1.0
            if not off < 0.5 * previous:
                return


def _constant(line: Line) -> Knots:
    """Zero, where a logistic loss has its curvature: the best line may lie where there is none. Or the mean count."""
    zero = Knots.none(line.outputs)
    if line.loss.quadratic:
        return zero
    shift = line.loss.shift(line.y, line.spline(zero), line.weight)
    return replace(zero, theta=zero.theta + shift)


def _excess(line: Line, z: Array, lam: float) -> tuple[Array, float]:
    """The dual vector of a fit, and sup|eta| / lam."""
    u = -line.weighted(line.loss.gradient(line.y, z))
    return u, float(group_norms(line.certificate(u)).max()) / lam


def _straight_is_best(line: Line, lam: float, progress: Progress) -> bool:
    """Whether the best straight line is the optimum, by its certificate; then, and where it is the first, report it."""
    if line.loss.quadratic and line.cells is not None and _bends(line, line.cells, lam, progress):
        return False
    best = straight(line)
    if line.loss.quadratic:
        look = line.squares(best.knots, lam)
        u, excess = look.u, look.largest / lam
    else:
        u, excess = _excess(line, best.z, lam)
    # Beside a weight far above the others' that row's part of u is rounding: then u is not orthogonal to the lines.
    if line.loss.quadratic and group_norms(line.affine_moments(u)).max() > ORTHOGONAL * np.abs(u).sum():
        u, excess = _last_digits(line, _parabola(line, best.z, False), lam, best.knots, best.z)
    optimal = excess <= 1.0 + AFFINE
    if optimal or progress.knots is None:
        progress.report(best.knots, u, best.objective, line.bound(u, excess))
    return optimal


def _bends(line: Line, cells: Cells, lam: float, progress: Progress) -> bool:
    """Whether sums over cells show already that the best straight line is not the optimum; then report it."""
    ends = np.array([0, len(line.t) - 1])
    theta = on_face(Moments(line.t[ends], *cells.moments(ends)), 0.0, np.empty(0))
    square, least = cells.of_a_line(theta[0], (theta[1] - theta[0]) / (line.t[-1] - line.t[0]))
    if least <= (1.0 + AFFINE) * lam:
        return False
    progress.report(replace(Knots.none(()), theta=theta), None, 0.5 * square, -np.inf)
    return True


def straight(line: Line) -> Fitted:
    """The best straight line, by Newton's method."""
    ends, knots = np.array([0, len(line.sites) - 1]), _constant(line)
    z = line.spline(knots)
    best = Fitted(knots, z, np.inf if line.loss.quadratic else line.data_fit(z))
    for _ in range(MAX_STEPS):
        for steady in (False, True):
            moments = _parabola(line, best.z, steady).moments(ends)
            theta = least_squares(moments) if line.outputs else on_face(moments, 0.0, knots.signs)
            z = line.fit(ends, theta)
            goal = _shortened(line, 0.0, best, Fitted(replace(knots, theta=theta), z, line.data_fit(z)))
            if goal is not None:
                break
        if goal is None:
            break
        fell = goal.objective < best.objective * (1.0 - 1e-15)
        best = goal  # the last step falls by rounding only, and doubles the digits
        if not fell or line.loss.quadratic:
            break
    return best


def _parabola(line: Line, z: Array, steady: bool) -> Quadratic:
    """The loss near z; `steady` asks for a parabola that lies above it."""
    if line.loss.quadratic:
        return Quadratic(line, *line.parabola)
    curvature = (line.loss.majorant if steady else line.loss.curvature)(line.y, z)
    if line.outputs:
        curvature = _regular(curvature, line.loss.majorant(line.y, z))
    elif curvature.min() <= STRAIGHT:
        curvature = np.maximum(curvature, STRAIGHT * line.loss.majorant(line.y, z))
    H = line.weighted(curvature)
    return Quadratic(line, H, times(H, z) - line.weighted(line.loss.gradient(line.y, z)))


def _regular(curvature: Array, majorant: Array) -> Array:
    """The curvature of D logits made definite.

    A function common to all of them changes no loss, and the optimum has none that bends: here it has a curvature too.
    """
    D = curvature.shape[-1]
    return curvature + STRAIGHT * majorant + 1.0 / D**2


def _solved(line: Line, model: Quadratic, lam: float, tol: float, start: Knots | None, progress: Progress) -> Fitted:
    """The spline of least parabola plus penalty; every round is reported with its gap in the true problem."""
    constant, objective, far, patience = line.loss.quadratic, np.inf, np.inf, PATIENCE
    aim = AIM * tol if constant else tol

    def glancing(knots: Knots) -> Array | None:
        nonlocal far, patience
        if (cells := model.cells) is None:
            return None
        seen = cells.glance(knots.nodes(len(line.sites)), knots.theta, lam * (1.0 + VIOLATION_RTOL))
        value = 0.5 * seen.square + lam * line.seminorm(knots)
        bound = line.bound(np.empty(0), max(seen.largest / lam, 1.0), (0.5 * seen.square, seen.linear))
        previous, far = far, (value - bound) / max(value, 1e-300)
        if far <= aim and cells.rounding <= aim * value:
            progress.report(knots, None, value, bound)
            return seen.peaks[:0]
        patience -= far >= 0.5 * previous
        if not len(seen.peaks) or far <= 2.0 * aim or patience < 0:
            return None
        progress.glanced(knots, value, far)
        return seen.peaks

    def enough(knots: Knots, look: Look) -> bool:
        nonlocal objective
        fit = look.squares[0] if look.squares else line.data_fit(look.z)
        previous, gap, objective = objective, progress.gap, fit + lam * line.seminorm(knots)
        excess = look.largest / lam
        progress.report(knots, look.u, objective, line.bound(look.u, excess, look.squares))
        stalled = objective >= previous * (1.0 - 1e-15) and excess < 1.0 + 1e-6 and progress.gap > 0.5 * gap
        return progress.gap <= aim or stalled or (not constant and excess < 1.0 + 0.1 * tol)

    if constant:
        knots, look = exchange(model, lam, start, enough, glancing=glancing)
    else:
        knots, look = exchange(model, lam, start, enough, 1 if start is None else MAX_ROUNDS)
    z = np.empty(0) if look is None else look.z
    if constant and progress.gap > aim:
        u, excess = _last_digits(line, model, lam, knots, z)
        progress.report(knots, u, objective, line.bound(u, excess))
    return Fitted(knots, z, objective)


def _last_digits(line: Line, model: Quadratic, lam: float, knots: Knots, z: Array) -> tuple[Array, float]:
    """The dual vector with digits that z, whose rounding may be larger than u, cannot hold; and sup|eta| / lam."""
    nodes, u = knots.nodes(len(line.sites)), model.dual(z)
    moments = model.moments(nodes)
    for _ in range(2):
        loads = line.moments(np.zeros_like(u), u, nodes).load
        u = u - times(model.curvature, line.fit(nodes, last_digits(moments, lam, knots, loads)))
    return u, float(group_norms(line.certificate(u)).max()) / lam


def _shortened(line: Line, lam: float, old: Fitted, new: Fitted) -> Fitted | None:
    """The new spline, or one on the way to it, whose objective is lower."""
    fitted, step = new, 1.0
    while not fitted.objective <= old.objective * (1.0 + 1e-14):
        step /= 2.0
        if step < 1e-6:
            return None
        knots, z = _between(line, old.knots, new.knots, step), (1.0 - step) * old.z + step * new.z
        fitted = Fitted(knots, z, line.objective(knots, z, lam))
    return fitted


def _between(line: Line, old: Knots, new: Knots, step: float) -> Knots:
    """(1 - step) old + step new."""
    m, t = len(line.sites), line.sites
    active = np.union1d(old.active, new.active)
    nodes = with_ends(active, m)
    ends = [between(t[nodes], np.searchsorted(nodes, knots.nodes(m)), knots.theta) for knots in (old, new)]
    theta = (1.0 - step) * ends[0] + step * ends[1]
    bends = kinks(t[nodes], theta)
    return Knots(active, (bends.T / np.maximum(group_norms(bends), 1e-300)).T, theta)
