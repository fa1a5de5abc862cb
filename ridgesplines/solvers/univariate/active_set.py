r"""A spline on given nodes: the active-set method on 2 x 2 moments.

.. math:: \min_\theta \tfrac12 \theta^T G \theta - r^T \theta + \lambda \sum_k |(C\theta)_k|

With the active knots and the signs of their changes of slope given, the optimum is one tridiagonal solve. Knots of the
wrong sign leave, all at once if the objective falls, otherwise by exact line searches; then of every run of nodes that
violate :math:`|\eta| \le \lambda` the worst joins. The objective falls in every round.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.linalg import lapack

from ridgesplines.interrupt import check
from ridgesplines.line import kernels
from ridgesplines.line.kernels import face, kinks_transposed
from ridgesplines.solvers.univariate.knots import (
    HIDDEN,
    MAX_ROUNDS,
    SINGLY,
    VIOLATION_RTOL,
    Knots,
    State,
    exchanged,
    with_ends,
    with_joined,
)
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

#: Where nothing is known of the knots, one node in this many is one at first.
STRIDE = 8
#: Line searches in a row.
WALK = 25


def active_set(moments: Moments, lam: float, start: Knots | None = None) -> Knots:
    """The optimum on the nodes, or the spline from which rounding hides any way down.

    Parameters
    ----------
    moments : on c nodes.
    lam : positive.
    start : knots near the optimum, if some are known; their values do not matter.
    """
    active, signs = _guess(moments) if start is None else (start.active, start.signs)
    given = moments.t, moments.grams, moments.loads, lam, active, signs, lam * (1.0 + VIOLATION_RTOL)
    found = None
    for known in kernels.active_set(*given, (MAX_ROUNDS, SINGLY, WALK, HIDDEN)):
        check()
        found = known
    if found is not None:
        return Knots(*found)
    now = State.of(moments, _consistent(moments, lam, active, signs))
    return exchanged(moments, lam, now, partial(_joined, moments, lam))


def _guess(moments: Moments) -> tuple[Array, Array]:
    """Knots on some of the nodes, that bend as the spline of least squares does there: most signs are right."""
    active = np.arange(STRIDE, len(moments.t) - 1, STRIDE)
    part = moments.on(with_ends(active, len(moments.t)))
    return active, np.sign(kinks(part.t, on_face(part, 0.0, np.zeros(len(active)))))


def _joined(moments: Moments, lam: float, now: State, joining: Array, new: Array) -> State:
    """From the present spline to one with some of these nodes as knots too."""
    active, order = with_joined(now.knots.active, joining)
    signs = np.concatenate([now.knots.signs, new])[order]
    candidate = State.of(moments, _consistent(moments, lam, active, signs))
    if now.change(candidate, lam) < 0.0:
        return candidate
    return State.of(moments, _walk(moments, lam, now, active, signs))


def on_face(moments: Moments, lam: float, signs: Array) -> Array:
    """The optimum on the face of given signs: a tridiagonal solve."""
    (diagonal, right), beside = face(moments.t, moments.grams, moments.loads, lam * signs), moments.grams[1]
    theta, info = lapack.dptsv(diagonal, beside, right)[2:]
    for damping in (1e-15, 1e-12, 1e-9):  # a node without curvature of its own
        if info == 0:
            break
        size = diagonal.max()
        theta, info = lapack.dptsv(diagonal + damping * size, beside, right)[2:]
    return theta


def _consistent(moments: Moments, lam: float, active: Array, signs: Array) -> Knots:
    """Solve, let all knots of the wrong sign leave, solve again, until all signs are right."""
    part = moments.on(with_ends(active, len(moments.t)))
    while True:
        theta = on_face(part, lam, signs)
        right = kinks(part.t, theta) * signs > 0.0
        if right.all():
            return Knots(active, signs, theta)
        part = part.on(with_ends(1 + np.flatnonzero(right), len(part.t)))
        active, signs = active[right], signs[right]


def _walk(moments: Moments, lam: float, start: State, active: Array, signs: Array) -> Knots:
    """From a spline to an optimum with knots among `active`, the objective falling all the way.

    On the line towards the optimum for the present signs, kinks may pass through zero and change their sign; the
    objective is a convex parabola between those points, and its minimum on the line is known exactly.
    """
    nodes, fresh = with_ends(active, len(moments.t)), ~np.isin(active, start.knots.active)
    part, theta = moments.on(nodes), start.values[nodes]
    for _ in range(WALK):
        goal = on_face(part, lam, signs)
        now, then = kinks(part.t, theta) * signs, kinks(part.t, goal) * signs
        now[fresh] = 0.0
        now = np.maximum(now, 0.0)
        stuck = (now == 0.0) & (then <= 0.0)
        if not stuck.any():
            if (then > 0.0).all():
                theta = goal
                break
            curvature = float((goal - theta) @ (part.residual(theta) - part.residual(goal)))
            step, out = _line_minimum(now, then, lam, curvature)
            theta = theta + step * (goal - theta)
            signs = np.where(now + step * (then - now) < 0.0, -signs, signs)
            fresh[:] = False
            stuck[out] = True
        stays = with_ends(1 + np.flatnonzero(~stuck), len(part.t))
        part, theta, active, signs, fresh = part.on(stays), theta[stays], active[~stuck], signs[~stuck], fresh[~stuck]
    return Knots(active, signs, theta)


def _line_minimum(now: Array, then: Array, lam: float, curvature: float) -> tuple[float, Array]:
    """The step in (0, 1] with the least objective, and the kinks that are zero there.

    The derivative at t is -curvature (1 - t), and 2 lam |then - now| more for each kink that has changed its sign.
    """
    crossing = np.flatnonzero(then < 0.0)
    when = now[crossing] / (now[crossing] - then[crossing])
    order = np.argsort(when, kind="stable")
    crossing, when = crossing[order], when[order]
    lift = np.concatenate([[0.0], 2.0 * lam * np.cumsum(now[crossing] - then[crossing])])
    rising = lift[1:] >= curvature * (1.0 - when)
    j = int(np.argmax(rising)) if rising.any() else len(when)
    between = 1.0 - lift[j] / curvature if curvature > 0.0 else 1.0
    if j == len(when) or between < when[j]:
        return between, crossing[:0]
    return float(when[j]), crossing[j : j + 1]


def last_digits(moments: Moments, lam: float, knots: Knots, loads: Array) -> Array:
    """The values at ends and knots still missing for `loads` to be lam times the signs' own, on the face.

    Parameters
    ----------
    moments : on the ends and knots.
    loads : the dual vector, tested with each hat function.
    """
    diagonal, beside = moments.bands
    off = loads - lam * kinks_transposed(moments.t, knots.signs) if len(knots.signs) else loads
    step, info = lapack.dptsv(diagonal, beside, off)[2:]
    step = step.reshape(off.shape)
    return step if info == 0 else np.zeros_like(off)
