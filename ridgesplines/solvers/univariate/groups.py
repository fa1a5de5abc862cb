r"""Vector outputs: a spline on given nodes, by Newton's method on the norms of its kinks.

.. math:: \min_\theta \tfrac12 \langle\theta, G \theta\rangle - \langle r, \theta\rangle
          + \lambda \sum_k \|(C\theta)_k\|_2, \qquad \theta_j \in \mathbb{R}^D

A kink is a vector, and its norm is smooth wherever it is not zero. A step solves one banded system, with :math:`3 D`
bands on either side of the diagonal. Knots leave whose kink would pass through zero, all at once if the objective
falls, otherwise where the first of them is zero; then nodes join at which :math:`\|\eta\|_2` exceeds
:math:`\lambda`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.linalg import lapack

from ridgesplines.interrupt import check
from ridgesplines.line.kernels import kinks_transposed
from ridgesplines.network.spline import group_norms
from ridgesplines.solvers.univariate.knots import Knots, State, between, exchanged, with_ends, with_joined
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

MAX_STEPS = 60
#: A new knot begins with this part of the largest kink: enough for its Hessian to leave digits to the others.
NEW = 1e-7
#: Steps that promise less than this, relative to the penalty, go on while each promises far less than the last.
LAST = 1e-9
#: After a step that promised less than this there is nothing left to gain: what it promised is squared by the next.
ENOUGH = 1e-20
#: Times that a step is halved.
HALVINGS = 30


def group_set(moments: Moments, lam: float, start: Knots | None = None) -> Knots:
    """The optimum on the nodes, or the spline from which rounding hides any way down.

    Parameters
    ----------
    moments : on c nodes, with D outputs.
    lam : positive.
    start : knots near the optimum, with their values, if some are known; otherwise a straight line: far from the
        optimum too many knots are slow to leave, while those that are missing join in a few rounds.
    """
    start = start or Knots.none(moments.loads.shape[2:])
    bends = kinks(moments.t[start.nodes(len(moments.t))], start.theta)
    now = State.of(moments, _optimum(moments, lam, start.active, start.theta, bends))
    return exchanged(moments, lam, now, partial(_joined, moments, lam))


def least_squares(moments: Moments) -> Array:
    """The spline with a knot at every node, with no penalty."""
    return _step(moments, -moments.load, np.empty((0, 1, 1)))


def _joined(moments: Moments, lam: float, now: State, joining: Array, new: Array) -> State:
    """From the present spline to one with some of these nodes as knots too."""
    active, order = with_joined(now.knots.active, joining)
    nodes = now.knots.nodes(len(moments.t))
    bends = kinks(moments.t[nodes], now.knots.theta)
    size = NEW * group_norms(bends).max(initial=0.0) or NEW * float(np.abs(now.values).max()) or NEW
    nodes = with_ends(active, len(moments.t))
    fresh = np.concatenate([np.zeros_like(bends), size * new])[order]
    bends = np.concatenate([bends, np.zeros_like(new)])[order] + fresh
    theta = now.values[nodes] + _bent(moments.t[nodes], fresh)
    return State.of(moments, _optimum(moments, lam, active, theta, bends))


def _bent(t: Array, bends: Array) -> Array:
    """Values at the nodes of the spline with these kinks at the inner ones, and zero at the first two."""
    slopes = np.cumsum(bends, axis=0)
    values = np.zeros((len(t), bends.shape[1]))
    values[2:] = np.cumsum((slopes.T * np.diff(t[1:])).T, axis=0)
    return values


def _optimum(moments: Moments, lam: float, active: Array, theta: Array, bends: Array) -> Knots:
    """The optimum with knots among `active`, by Newton's method from values theta; its objective falls in every step.

    Kinks are carried along: as differences of values they would lose digits where knots are close.
    """
    part, previous = moments.on(with_ends(active, len(moments.t))), np.inf
    for _ in range(MAX_STEPS):
        check()
        size = group_norms(bends)
        signs = (bends.T / np.where(size > 0.0, size, 1.0)).T
        gradient = lam * kinks_transposed(part.t, signs) - part.residual(theta)
        step = _step(part, gradient, _curvature(lam, size, signs))
        rise, slope = kinks(part.t, step), float(np.vdot(gradient, step))
        gone, penalty = size + (signs * rise).sum(axis=1) <= 0.0, lam * float(size.sum())
        if not gone.any() and -slope <= LAST * penalty:
            if not -slope < 0.25 * previous:
                break
            theta, bends, previous = theta + step, bends + rise, -slope
            if -slope <= ENOUGH * penalty:
                break
            continue
        if not len(size):  # a straight line: one step is all there is
            return Knots(active, signs, theta + step)
        stays, theta, bends = _moved(part, lam, theta, bends, step, rise, slope)
        if stays is None:
            break
        part, active = part.on(with_ends(1 + np.flatnonzero(stays), len(part.t))), active[stays]
    size = group_norms(bends)
    return Knots(active, (bends.T / np.where(size > 0.0, size, 1.0)).T, theta)


def _moved(
    part: Moments, lam: float, theta: Array, bends: Array, step: Array, rise: Array, slope: float
) -> tuple[Array | None, Array, Array]:
    """Which knots stay after a step that lowers the objective, values and kinks; None where rounding hides any."""
    change = partial(_change, part, lam, theta, bends)
    size, along = group_norms(bends), (bends * rise).sum(axis=1)
    room = np.full(len(size), np.inf)  # the step at which a kink would pass through zero
    room[along < 0.0] = size[along < 0.0] ** 2 / -along[along < 0.0]
    first = float(room.min(initial=np.inf))
    for most in (1.0, first) if first <= 1.0 else ():
        stays = room > most
        nodes = with_ends(1 + np.flatnonzero(stays), len(part.t))
        goal = between(part.t, nodes, (theta + most * step)[nodes])
        after = np.zeros_like(bends)
        after[stays] = kinks(part.t[nodes], goal[nodes])
        if change(goal - theta, after) < 0.0:
            return stays, goal[nodes], after[stays]
    t = min(1.0, 0.9 * first)
    for _ in range(HALVINGS):
        if change(t * step, bends + t * rise) <= 1e-4 * t * slope:
            return np.ones(len(size), dtype=bool), theta + t * step, bends + t * rise
        t /= 2.0
    return None, theta, bends


def _change(part: Moments, lam: float, theta: Array, bends: Array, step: Array, after: Array) -> float:
    """By how much a step raises the objective, with the kinks before and after it."""
    quadratic = -0.5 * float(np.vdot(step, part.residual(theta) + part.residual(theta + step)))
    return quadratic + lam * float((group_norms(after) - group_norms(bends)).sum())


def _curvature(lam: float, size: Array, signs: Array) -> Array:
    """The second derivative of lam times the norm of each kink, shape (K, D, D): none along the kink itself."""
    across = np.eye(signs.shape[1]) - signs[:, :, None] * signs[:, None, :]
    return across * (lam / np.maximum(size, 1e-300))[:, None, None]


def _step(moments: Moments, gradient: Array, bend: Array) -> Array:
    """The step of Newton's method, where `bend` is the curvature of the penalty at the inner nodes, if there is one."""
    blocks = _hessian(moments, gradient.shape[1], bend)
    m, width, D = blocks.shape
    band = np.zeros((width, m * D), order="F")
    for j in range(D):
        band[: width - j, j::D] = blocks[:, j:, j].T
    step, info = lapack.dpbsv(band, -gradient.ravel(), lower=1)[1:]
    for damping in (1e-15, 1e-12, 1e-9):  # nodes without curvature of their own
        if info == 0:
            break
        damped = band.copy(order="F")
        damped[0] *= 1.0 + damping
        step, info = lapack.dpbsv(damped, -gradient.ravel(), lower=1)[1:]
    return step.reshape(gradient.shape)


def _hessian(moments: Moments, D: int, bend: Array) -> Array:
    """The lower blocks of each column of blocks, of a node with itself and the next two; shape (m, 3 D, D)."""
    diagonal, beside = (part if part.ndim > 1 else np.multiply.outer(part, np.eye(D)) for part in moments.bands)
    blocks = np.zeros((len(diagonal), 3, D, D))
    blocks[:, 0], blocks[:-1, 1] = diagonal, beside
    if len(bend):
        rise = 1.0 / np.diff(moments.t)[:, None, None]
        left, right = rise[:-1], rise[1:]
        middle = -left - right
        for offset, entries in enumerate((left * left, middle * left, right * left)):
            blocks[:-2, offset] += entries * bend
        for offset, entries in enumerate((middle * middle, right * middle)):
            blocks[1:-1, offset] += entries * bend
        blocks[2:, 0] += right * right * bend
    return blocks.reshape(len(diagonal), 3 * D, D)
