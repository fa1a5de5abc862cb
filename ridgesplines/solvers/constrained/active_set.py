r"""A chain's program to rounding: the optimum for given active bends and bounds, and which of these are wrong.

With the bends' signs, the slopes on their bounds and the values on theirs given, the optimum solves a sparse linear
system (KKT). Then bends of the wrong sign and bounds whose multipliers pull leave, bounds that are violated and bends
that :math:`|\eta| > \lambda` asks for join, all at once [1]_, until nothing changes.

References
----------
.. [1] M. Hintermüller, K. Ito, K. Kunisch, The primal-dual active set strategy as a semismooth Newton method,
   SIAM J. Optim. 13 (2002), doi:10.1137/S1052623401383558
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from ridgesplines.interrupt import check
from ridgesplines.line.kernels import kinks_transposed, peaks
from ridgesplines.solvers.constrained.chain import Chain, Limits, Point, from_right, through_band
from ridgesplines.solvers.constrained.contacts import Move, shared_out, touches
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.validation import Array

MAX_ROUNDS = 30
#: Relative to lam: multipliers, and eta beyond it, below this are rounding.
MULTIPLIER_RTOL = 1e-10
#: In scaled units: slopes and values beyond their bounds by less are rounding.
BOUND_ATOL = 1e-11
#: What makes a system with dependent constraints one that can be solved, and how often that is made up for.
DAMPING, REFINEMENTS = 1e-11, 6


@dataclass(frozen=True, eq=False)
class Active:
    """What is active: nodes of a chain, among them the first and the last, and for these

    `bend` the sign of the bend, 0 where there is none and at free knots, (n,); `hold` -1 where the slope between two
    nodes is on its lower bound, 1 where it is on the upper one, 0 elsewhere, (n - 1,); `value` the same for the values,
    (n,).
    """

    nodes: Array
    bend: Array
    hold: Array
    value: Array

    @classmethod
    def of(cls, limits: Limits, bend: Array, m: Array, nu: Array) -> Active:
        """From signs of the bends at all nodes, and multipliers of all slopes and values where they count."""
        nodes = np.flatnonzero((bend != 0) | limits.required)
        hold = -np.sign(np.add.reduceat(m, nodes[:-1]))
        return cls(nodes, bend[nodes], hold, -np.sign(nu[nodes])).pinned(limits.on(nodes))

    def pinned(self, limits: Limits) -> Active:
        """The same with what the limits fix held; `limits` on these nodes."""
        value = np.where(limits.low == limits.high, -1.0, self.value)
        for end, beside, piece in ((1, 2, 0), (-2, -3, -1)):  # on a bound for ever: that of one value says so
            if len(value) > 3 and self.hold[piece] != 0 and self.bend[end] == 0 and value[end] == value[beside]:
                value[end] = -1.0 if limits.low[end] == limits.high[end] else 0.0
        # Between two values on one bound the slope is given.
        touches = (value[1:] == value[:-1]) & (value[1:] != 0.0) & (limits.low < limits.high)[1:]
        hold = np.where(touches & (limits.low < limits.high)[:-1], 0.0, self.hold)
        hold = np.where(limits.slope_low == limits.slope_high, -1.0, hold)
        return Active(self.nodes, self.bend, hold, value)

    @property
    def key(self) -> bytes:
        """To recognise it."""
        return b"".join(part.astype(np.int64).tobytes() for part in (self.nodes, self.bend, self.hold, self.value))


def settled(chain: Chain, active: Active) -> tuple[Active, Point] | None:
    """The optimum of the chain with its active set, from a guess; None where the guesses do not settle."""
    seen: set[bytes] = set()
    for _ in range(MAX_ROUNDS):
        check()
        point = on_face(chain.on(active.nodes), active)
        if point is None or active.key in seen:
            return None
        seen.add(active.key)
        new = _corrected(chain, active, point)
        if new is None:
            return active, point
        active = new
    return None


def on_face(chain: Chain, active: Active) -> Point | None:
    """The optimum for what is active, on a chain of the active nodes, and its multipliers; None where there is none."""
    t, limits, n = chain.t, chain.limits, len(chain.t)
    h = np.diff(t)
    straight = np.flatnonzero((active.bend == 0) & ~limits.hinges)[1:-1]
    held, valued = np.flatnonzero(active.hold), np.flatnonzero(active.value)
    unit = np.minimum(h[straight - 1], h[straight])
    before, after = unit / h[straight - 1], unit / h[straight]
    rows = [np.tile(np.arange(len(straight)), 3), len(straight) + np.tile(np.arange(len(held)), 2)]
    rows.append(len(straight) + len(held) + np.arange(len(valued)))
    columns = [np.concatenate([straight - 1, straight, straight + 1]), np.concatenate([held, held + 1]), valued]
    entries = [
        np.concatenate([before, -before - after, after]),
        np.repeat([-1.0, 1.0], len(held)),
        np.ones(len(valued)),
    ]
    count = len(straight) + len(held) + len(valued)
    A = sparse.csc_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), (count, n))
    steep = np.where(active.hold < 0.0, limits.slope_low, limits.slope_high)[held]
    level = np.where(active.value < 0.0, limits.low, limits.high)[valued]
    eta, m, nu = chain.lam * limits.price * active.bend, np.zeros(n - 1), np.zeros(n)
    right = chain.moments.load - kinks_transposed(t, eta[1:-1])
    solved = _saddle(chain, A, right, np.concatenate([np.zeros(len(straight)), steep * h[held], level]))
    if solved is None:
        return None
    theta, y = solved
    eta[straight] = y[: len(straight)] * unit
    m[held] = -y[len(straight) : len(straight) + len(held)] * h[held]
    nu[valued] = -y[len(straight) + len(held) :]
    _leave_to_fixed(chain, active, eta, m)
    return Point(theta, eta, m, nu)


def _leave_to_fixed(chain: Chain, active: Active, eta: Array, m: Array) -> None:
    """A piece that pulls away from its bound, and is straight on from one whose slope is fixed, leaves that its
    multiplier, in place: the two are dependent, and only their sum is known."""
    limits = chain.limits
    fixed = limits.slope_low == limits.slope_high
    for k in np.flatnonzero((active.bend == 0)[1:-1] & ~limits.hinges[1:-1] & (fixed[:-1] != fixed[1:])) + 1:
        piece, other, sign = (k, k - 1, -1.0) if fixed[k - 1] else (k - 1, k, 1.0)
        after = eta[k] + sign * m[piece]
        floor, ceiling = (bound[k] for bound in limits.band(chain.lam))
        if active.hold[piece] * m[piece] > 0.0 and floor <= after <= ceiling:
            eta[k], m[other], m[piece] = after, m[other] + m[piece], 0.0


def _saddle(chain: Chain, A: sparse.csc_array, right: Array, b: Array) -> tuple[Array, Array] | None:
    """theta and y with G theta + A^T y = right and A theta = b, which may be dependent; None where they contradict."""
    diagonal, beside = chain.moments.bands
    size = float(diagonal.max()) or 1.0
    n = len(diagonal)
    goal = np.concatenate([right / size, b])
    K, damped = _matrices(diagonal / size, beside / size, A)
    try:
        factor = splu(damped)
    except RuntimeError:
        return None
    x = factor.solve(goal)
    for _ in range(REFINEMENTS):
        x = x + factor.solve(goal - K @ x)
    if not np.isfinite(x).all() or np.abs(A @ x[:n] - b).max(initial=0.0) > 1e-9 * (1.0 + np.abs(b).max(initial=0.0)):
        return None
    return x[:n], size * x[n:]


def _matrices(diagonal: Array, beside: Array, A: sparse.csc_array) -> tuple[sparse.csc_array, sparse.csc_matrix]:
    """[G, A^T; A, 0] for a G of three bands, and the same with what makes it regular; from their entries."""
    n, k = len(diagonal), A.shape[0]
    at, A = np.arange(n), A.tocoo()
    i = np.concatenate([at, at[1:], at[:-1], n + A.row, A.col])
    j = np.concatenate([at, at[:-1], at[1:], A.col, n + A.row])
    entries = np.concatenate([diagonal, beside, beside, A.data, A.data])
    every, damping = np.arange(n + k), np.concatenate([np.full(n, 1e-3 * DAMPING), np.full(k, -DAMPING)])
    places = np.concatenate([i, every]), np.concatenate([j, every])
    damped = sparse.csc_matrix((np.concatenate([entries, damping]), places), (n + k, n + k))
    return sparse.csc_array((entries, (i, j)), (n + k, n + k)), damped


def _corrected(chain: Chain, active: Active, point: Point) -> Active | None:
    """The active set without what is wrong and with what is missing; None where that is nothing."""
    limits, t = chain.limits.on(active.nodes), chain.t[active.nodes]
    d, tol = np.diff(point.theta) / np.diff(t), MULTIPLIER_RTOL * chain.lam
    bend = active.bend.copy()
    # At a node that stays, a bend of zero may be what all around it leaves: its eta is on the band then.
    least = np.where(limits.required[1:-1], -BOUND_ATOL, 0.0)
    bend[1:-1][np.diff(d) * bend[1:-1] <= least] = 0
    joins = straight_asked(chain, active, point) > MULTIPLIER_RTOL
    bend[joins] = np.sign(point.eta[joins])
    hold = _on_bounds(active.hold, point.m, d, limits.slope_low, limits.slope_high, tol)
    value = _on_bounds(active.value, point.nu, point.theta, limits.low, limits.high, tol)
    # Of a piece on a bound the multipliers may be anywhere along it.
    along = (active.value[1:] == active.value[:-1]) & (active.value[1:] != 0)
    value = np.where(np.append(along, False) | np.append(False, along), active.value, value)
    new = Active(active.nodes, bend, hold, value)
    if new.key != active.key:
        return compact(chain, opened(new, joins))
    return _joined(chain, active, point)


def straight_asked(chain: Chain, active: Active, point: Point) -> Array:
    """By how much, relative to lam, eta is beyond its band at nodes without a bend where one is allowed."""
    limits = chain.limits.on(active.nodes)
    asked = np.abs(limits.excess(point.eta, chain.lam)) / chain.lam
    return np.where((active.bend == 0) & ~limits.hinges, asked, -1.0)


def _on_bounds(side: Array, multipliers: Array, x: Array, low: Array, high: Array, tol: float) -> Array:
    """Which bound each x is on: it leaves one whose multiplier pulls, and joins one that it violates."""
    near = BOUND_ATOL * (1.0 + np.abs(x))
    new = np.where((side * multipliers > tol) & (low < high), 0.0, side)
    new = np.where((side == 0) & (x < low - near), -1.0, new)
    return np.where((side == 0) & (x > high + near), 1.0, new)


def compact(chain: Chain, active: Active) -> Active:
    """Without the nodes that are not needed; a piece is held as the larger part of it was."""
    kept = np.flatnonzero((active.bend != 0) | chain.limits.required[active.nodes])
    width = np.diff(chain.t[active.nodes])
    share = np.add.reduceat(active.hold * width, kept[:-1]) / np.add.reduceat(width, kept[:-1])
    hold = np.where(np.abs(share) > 0.5, np.sign(share), 0.0)
    nodes = active.nodes[kept]
    return Active(nodes, active.bend[kept], hold, active.value[kept]).pinned(chain.limits.on(nodes))


def _joined(chain: Chain, active: Active, point: Point) -> Active | None:
    """The active set with the worst of every run of nodes that violate the band; None where there is none."""
    values = np.interp(chain.t, chain.t[active.nodes], point.theta)
    eta, _, moves = certificate(chain.t, chain.moments.residual(values), active, point, chain.lam, chain.limits)
    if moves:
        return moved(chain.limits, active, moves)
    joining = violators(eta, active.nodes, chain.lam, chain.limits)
    return joined(chain.limits, active, joining, np.sign(eta[joining])) if len(joining) else None


def certificate(
    t: Array, masses: Array, active: Active, point: Point, lam: float, limits: Limits
) -> tuple[Array, Array, list[Move]]:
    """eta at points t, the multipliers of the values there, and what is to leave a bound.

    For masses of the fit at the points and an optimum at some nodes among them.
    """
    everywhere = np.zeros(len(t))
    everywhere[active.nodes] = point.nu
    eta = through_band(from_right(t, masses + everywhere), active.nodes, point.m, lam, limits)
    value = np.where((limits.low < limits.high)[active.nodes], active.value, 0.0)
    pieces = touches(active.nodes, active.bend, active.hold, value)
    tol = MULTIPLIER_RTOL * float(np.abs(point.nu).max(initial=0.0))
    moves = shared_out(t, eta, everywhere, pieces, limits.band(lam), (tol, 1e-12 * lam))
    return eta, everywhere, moves


def moved(limits: Limits, active: Active, moves: list[Move]) -> Active:
    """With ends of pieces on a bound further in: there the spline bends away from it."""
    value = active.value.copy()
    value[np.searchsorted(active.nodes, [move.node for move in moves])] = 0.0
    left = Active(active.nodes, active.bend, active.hold, value)
    fresh = {move.point: move.side for move in moves if move.point not in set(active.nodes.tolist())}
    points = np.array(sorted(fresh), dtype=int)
    sides = np.array([fresh[p] for p in points.tolist()])
    new = joined(limits, left, points, -sides)
    new.value[np.searchsorted(new.nodes, points)] = sides
    return new.pinned(limits.on(new.nodes))


def violators(eta: Array, nodes: Array, lam: float, limits: Limits, others: Array | None = None) -> Array:
    """The points between nodes where eta leaves its band most, one of every run; not among some others."""
    excess = limits.excess(eta, lam)
    excess[nodes] = 0.0
    if others is not None:
        excess[others] = 0.0
    return peaks(excess, lam * MULTIPLIER_RTOL)


def joined(limits: Limits, active: Active, joining: Array, signs: Array) -> Active:
    """With bends at further nodes of these signs. A piece that is held bends away from its bound on one side only."""
    nodes = np.concatenate([active.nodes, joining])
    order = np.argsort(nodes, kind="stable")
    bend = np.concatenate([active.bend, signs])[order]
    value = np.concatenate([active.value, np.zeros(len(joining))])[order]
    fresh = np.concatenate([np.zeros(len(active.nodes), dtype=bool), np.ones(len(joining), dtype=bool)])[order]
    nodes = nodes[order]
    hold = active.hold[np.searchsorted(active.nodes, nodes[:-1], side="right") - 1]
    return opened(Active(nodes, bend, hold, value), fresh).pinned(limits.on(nodes))


def opened(active: Active, fresh: Array) -> Active:
    """Where fresh bends stand between two pieces on the same bound, one of these leaves it."""
    hold = active.hold.copy()
    for k in np.flatnonzero(fresh):
        if active.hold[k - 1] == active.hold[k]:
            right = active.bend[k] * active.hold[k] < 0.0  # up from a lower bound, or down from an upper one
            hold[k if right else k - 1] = 0.0
    return Active(active.nodes, active.bend, hold, active.value)


def guessed(chain: Chain, near: Point) -> Active:
    """What is active at an approximate optimum, by complementarity: what outweighs its slack, relatively."""
    limits, lam = chain.limits, chain.lam
    d, bends = np.diff(near.theta) / np.diff(chain.t), np.zeros(len(chain.t))
    bends[1:-1] = kinks(chain.t, near.theta)
    bends = limits.allowed(bends)
    bends[limits.hinges] = 0.0
    slack = np.maximum(limits.price - np.sign(bends) * near.eta / lam, 0.0)
    bend = np.where(np.abs(bends) > slack * np.abs(bends).max(initial=0.0), np.sign(bends), 0.0)
    steep = _counts(near.m, d, limits.slope_low, limits.slope_high, lam)
    level = _counts(near.nu, near.theta, limits.low, limits.high, float(np.abs(near.nu).max(initial=0.0)))
    return Active.of(limits, bend, steep, level)


def _counts(multipliers: Array, x: Array, low: Array, high: Array, size: float) -> Array:
    """The multipliers that outweigh how far x is from the bound, both relatively; zero for the others."""
    if size == 0.0:
        return np.zeros_like(multipliers)
    distance = np.where(multipliers > 0.0, x - low, high - x)
    spread = float(np.ptp(x)) or 1.0
    return np.where(np.abs(multipliers) / size > np.abs(distance) / spread, multipliers, 0.0)
