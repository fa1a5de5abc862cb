r"""Smooth losses: Newton's method, whose quadratic models the exchange method solves.

At a fit z the loss is replaced by its parabola, with curvatures :math:`H_n = s_n L''(y_n, z_n)`; the penalty stays as
it is. For squared error the parabola is the loss, and one step is all there is. Steps that go too far are halved.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.line.active_set import Knots, active_set, last_digits
from ridgesplines.line.data import Line
from ridgesplines.line.exchange import Quadratic, exchange
from ridgesplines.line.moments import kinks
from ridgesplines.line.progress import Progress
from ridgesplines.validation import Array

STEPS = 60
#: Rounds of the exchange method while the parabola is still moving.
ROUNDS = 4
#: How much of the majorant stands in for a curvature that has vanished.
STRAIGHT = 1e-14
#: |eta| may exceed lam by this, relatively, for the straight line to be optimal.
AFFINE = 1e-10
#: How far from the conjugate's domain a dual vector may be, by rounding.
ROUNDING = 1e-10
#: The last step of Newton's method costs little, and its dual vector is that of the fit itself.
LAST = 1e-5


def smooth(line: Line, lam: float, tol: float, start: Knots | None, progress: Progress) -> None:
    """Report ever better splines to `progress`, until the relative gap is at most tol.

    Parameters
    ----------
    line : data with a smooth loss.
    lam : positive.
    tol : the relative gap to reach.
    start : knots near the optimum, with their values, if some are known.
    """
    m = len(line.sites)
    if start is None and _straight_is_best(line, lam, progress):
        return
    # From zero, where a logistic loss has its curvature: the best line may lie where there is none.
    warm, knots = start, start or Knots(np.empty(0, dtype=int), np.empty(0), np.zeros(2))
    z = line.fit(knots.nodes(m), knots.theta)
    value, off = line.objective(z) + lam * seminorm(line, knots), np.inf
    for _ in range(STEPS):
        for steady in (False, True):
            goal, fit = _solved(line, _parabola(line, z, steady), lam, tol, warm, progress)
            found = _shortened(line, lam, (knots, z, value), (goal, fit))
            if found is not None or line.loss.quadratic:
                break
        if found is None:
            return  # rounding hides any further descent
        stalled = found[2] >= value * (1.0 - 1e-15)
        knots, z, value = found
        warm = knots
        if line.loss.quadratic or progress.gap <= LAST * tol:
            return
        if stalled:  # the objective no longer tells, the certificate does
            before, off = off, _violation(line, z, lam)
            if not off < 0.5 * before:
                return


def _violation(line: Line, z: Array, lam: float) -> float:
    """How far the certificate of the fit itself exceeds lam, relatively."""
    u = -line.weight * line.loss.gradient(line.y, z)
    return float(np.abs(line.certificate(u)).max()) / lam - 1.0


def _straight_is_best(line: Line, lam: float, progress: Progress) -> bool:
    """Report the best straight line, and say whether its certificate makes it the optimum."""
    knots = straight(line)
    z = line.fit(np.array([0, len(line.sites) - 1]), knots.theta)
    u = -line.weight * line.loss.gradient(line.y, z)
    excess = float(np.abs(line.certificate(u)).max()) / lam
    progress.report(knots, u, line.objective(z), _bound(line, u, excess))
    return excess <= 1.0 + AFFINE


def straight(line: Line) -> Knots:
    """The best straight line, by Newton's method."""
    ends = np.array([0, len(line.sites) - 1])
    none = np.empty(0, dtype=int), np.empty(0)
    theta, value, z = np.zeros(2), np.inf, np.zeros(len(line.t))
    for _ in range(STEPS):
        for steady in (False, True):
            model = _parabola(line, z, steady)
            goal = active_set(model.moments(ends), 1.0)[0].theta
            fit = line.fit(ends, goal)
            lower = line.objective(fit)
            if lower < value or line.loss.quadratic:
                break
        if not lower < value * (1.0 - 1e-15):
            break
        theta, value, z = goal, lower, fit
        if line.loss.quadratic:
            break
    return Knots(*none, theta)


def seminorm(line: Line, knots: Knots) -> float:
    """The sum of the sizes of the kinks."""
    return float(np.abs(kinks(line.sites[knots.nodes(len(line.sites))], knots.theta)).sum())


def _parabola(line: Line, z: Array, steady: bool) -> Quadratic:
    """The loss near z; `steady` asks for a parabola that lies above it."""
    majorant = line.loss.majorant(line.y, z)
    curvature = majorant if steady else line.loss.curvature(line.y, z)
    H = line.weight * np.maximum(curvature, STRAIGHT * majorant)
    return Quadratic(line, H, H * z - line.weight * line.loss.gradient(line.y, z))


def _solved(
    line: Line, model: Quadratic, lam: float, tol: float, start: Knots | None, progress: Progress
) -> tuple[Knots, Array]:
    """The spline of least parabola plus penalty; every round is reported with its gap in the true problem."""
    constant = line.loss.quadratic
    seen = {"objective": np.inf}

    def enough(knots: Knots, z: Array, eta: Array) -> bool:
        u = model.dual(z)
        objective = line.objective(z) + lam * seminorm(line, knots)
        excess = float(np.abs(eta).max()) / lam
        progress.report(knots, u, objective, _bound(line, u, excess))
        stalled = objective >= seen["objective"] * (1.0 - 1e-15) and excess < 1.0 + 1e-6
        seen["objective"] = objective
        return progress.gap <= tol or stalled or (not constant and excess < 1.0 + 0.1 * tol)

    if constant:
        knots, z, _ = exchange(model, lam, start, enough)
    else:
        knots, z, _ = exchange(model, lam, start, enough, ROUNDS, near=progress.rounds > ROUNDS)
    if constant and progress.gap > LAST * tol:
        u, excess = _last_digits(line, model, lam, knots, z)
        progress.report(knots, u, line.objective(z) + lam * seminorm(line, knots), _bound(line, u, excess))
    return knots, z


def _last_digits(line: Line, model: Quadratic, lam: float, knots: Knots, z: Array) -> tuple[Array, float]:
    """The dual vector with digits that z, whose rounding may be larger than u, cannot hold; and sup|eta| / lam."""
    nodes, u = knots.nodes(len(line.sites)), model.dual(z)
    moments = model.moments(nodes)
    for _ in range(2):
        loads = line.moments(np.zeros_like(u), u, nodes).load
        u = u - model.curvature * line.fit(nodes, last_digits(moments, lam, knots, loads))
    return u, float(np.abs(line.certificate(u)).max()) / lam


def _bound(line: Line, u: Array, excess: float) -> float:
    """The dual objective of u, scaled to feasibility; for a quadratic along the scale, its maximum."""
    most, s, y = 1.0 / excess if excess > 0.0 else 1.0, line.weight, line.y
    if line.loss.quadratic:
        linear = float(u @ y)
        square = linear + float(s @ line.loss.conjugate(y, -u / s))  # the conjugate is square - linear
        most = min(most, linear / (2.0 * square)) if square > 0.0 else most
        return most * linear - most**2 * square
    scale = min(most, 1.0)
    v = -scale * u / s
    inside = line.loss.nearest(y, v)
    if np.abs(v - inside).max() > ROUNDING:  # the parabola's dual vector, far from the optimum, is not the loss's
        return -np.inf
    return -float(s @ line.loss.conjugate(y, inside))


def _shortened(
    line: Line, lam: float, old: tuple[Knots, Array, float], new: tuple[Knots, Array]
) -> tuple[Knots, Array, float] | None:
    """The new spline, or one on the way to it, whose objective is lower."""
    (knots, z, value), (goal, fit) = old, new
    objective = line.objective(fit) + lam * seminorm(line, goal)
    step = 1.0
    while not objective <= value * (1.0 + 1e-14):
        step /= 2.0
        if step < 1e-6:
            return None
        fit = (1.0 - step) * z + step * new[1]
        goal = _between(line, knots, new[0], step)
        objective = line.objective(fit) + lam * seminorm(line, goal)
    return goal, fit, objective


def _between(line: Line, old: Knots, new: Knots, step: float) -> Knots:
    """(1 - step) old + step new."""
    m, t = len(line.sites), line.sites
    active = np.union1d(old.active, new.active)
    nodes = np.concatenate([[0], active, [m - 1]])
    ends = [np.interp(t[nodes], t[knots.nodes(m)], knots.theta) for knots in (old, new)]
    theta = (1.0 - step) * ends[0] + step * ends[1]
    return Knots(active, np.sign(kinks(t[nodes], theta)), theta)
