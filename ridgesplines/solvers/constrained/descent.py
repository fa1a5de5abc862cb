r"""A chain's program to rounding, with an objective that falls in every step: the primal active-set method.

From a feasible spline towards the optimum for what is active, as far as every bend keeps its sign and every bound
holds; what stops the way becomes active. Once the optimum is reached, the one bound that pulls most leaves, or the one
bend that :math:`\eta` asks for most joins. It takes more steps than changing everything at once, and does not go round
in circles.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.interrupt import check
from ridgesplines.solvers.constrained.active_set import (
    MULTIPLIER_RTOL,
    Active,
    certificate,
    compact,
    joined,
    moved,
    on_face,
    opened,
    straight_asked,
    violators,
)
from ridgesplines.solvers.constrained.chain import Chain, Point
from ridgesplines.validation import Array

MAX_STEPS = 400
#: Values that change by less, relatively, have not moved: what has been tried in vain since is not tried again.
MOVED = 1e-12


def descended(chain: Chain, active: Active, theta: Array) -> tuple[Active, Point] | None:
    """The optimum of the chain and what is active there; None where it is not reached.

    Parameters
    ----------
    active, theta : what is active, and values at its nodes that satisfy everything.
    """
    tabu: set[int] = set()
    for _ in range(MAX_STEPS):
        check()
        part = chain.on(active.nodes)
        point = on_face(part, active)
        if point is None:
            return None
        step, blocked = _way(part, active, theta, point.theta)
        new = theta + step * (point.theta - theta)
        if np.abs(new - theta).max() > MOVED * np.abs(theta).max():
            tabu = set()
        if blocked is not None:
            smaller = compact(chain, blocked)
            theta, active = new[np.searchsorted(active.nodes, smaller.nodes)], smaller
            continue
        better = _released(chain, active, point, tabu)
        if better is None:  # what was tried in vain and still is asked for has multipliers that are not unique
            return None if tabu and _released(chain, active, point, set()) else (active, point)
        theta = np.interp(chain.t[better.nodes], part.t, point.theta)
        active = better
    return None


def _way(part: Chain, active: Active, old: Array, new: Array) -> tuple[float, Active | None]:
    """How far the way from old to new values goes, and what is active where it ends early."""
    h, limits = np.diff(part.t), part.limits
    d = [np.diff(theta) / h for theta in (old, new)]
    bends = [np.diff(each) * active.bend[1:-1] for each in d]
    where = [_crossing(bends[0], bends[1], active.bend[1:-1] != 0)]
    for side, now, then, low, high in (
        (active.hold, d[0], d[1], limits.slope_low, limits.slope_high),
        (active.value, old, new, limits.low, limits.high),
    ):
        free = side == 0
        where += [_crossing(now - low, then - low, free), _crossing(high - now, high - then, free)]
    firsts = [float(each.min(initial=2.0)) for each in where]
    kind = int(np.argmin(firsts))
    if firsts[kind] >= 1.0:
        return 1.0, None
    k = int(np.argmin(where[kind]))
    bend, hold, value = active.bend.copy(), active.hold.copy(), active.value.copy()
    if kind == 0:
        bend[k + 1] = 0
    else:
        (hold if kind < 3 else value)[k] = -1.0 if kind in (1, 3) else 1.0
    return max(firsts[kind], 0.0), Active(active.nodes, bend, hold, value)


def _crossing(now: Array, then: Array, counts: Array) -> Array:
    """Where, on the way from now to then, what must not be negative becomes so; 2 where it does not."""
    where = np.full(len(now), 2.0)
    falls = counts & (then < -1e-12 * (1.0 + np.abs(now)))
    falls &= np.isfinite(now)
    start = np.maximum(now[falls], 0.0)
    where[falls] = start / (start - then[falls])
    return where


def _released(chain: Chain, active: Active, point: Point, tabu: set[int]) -> Active | None:
    """What is active without the bound that pulls most, or with the bend that is asked for most; None for neither."""
    limits, lam = chain.limits.on(active.nodes), chain.lam
    pulls = [
        np.where(limits.slope_low < limits.slope_high, active.hold * point.m / lam, 0.0),
        np.where(limits.low < limits.high, active.value * point.nu / (np.abs(point.nu).max() or 1.0), 0.0),
    ]
    values = np.interp(chain.t, chain.t[active.nodes], point.theta)
    eta, _, moves = certificate(chain.t, chain.moments.residual(values), active, point, lam, chain.limits)
    if moves:
        return moved(chain.limits, active, moves[:1])
    joining = violators(eta, active.nodes, lam, chain.limits, np.array(sorted(tabu), dtype=int))
    asked = np.abs(chain.limits.excess(eta, lam)[joining]) / lam
    straight = straight_asked(chain, active, point)
    straight[np.isin(active.nodes, sorted(tabu))] = -1.0
    most = [float(each.max(initial=0.0)) for each in (*pulls, asked, straight)]
    kind = int(np.argmax(most))
    if most[kind] <= MULTIPLIER_RTOL:
        return None
    if kind == 2:
        worst = joining[[int(np.argmax(asked))]]
        tabu.add(int(worst[0]))
        return joined(chain.limits, active, worst, np.sign(eta[worst]))
    if kind == 3:
        fresh = np.arange(len(straight)) == int(np.argmax(straight))
        tabu.add(int(active.nodes[fresh][0]))
        bend = np.where(fresh, np.sign(point.eta), active.bend)
        return opened(Active(active.nodes, bend, active.hold, active.value), fresh).pinned(limits)
    hold, value = active.hold.copy(), active.value.copy()
    (hold, value)[kind][int(np.argmax(pulls[kind]))] = 0.0
    return Active(active.nodes, active.bend, hold, value).pinned(limits)
