r"""The proof, by the certificate, that there is one minimiser only, in the plane.

Every minimiser is an affine function and neurons at contacts, where :math:`|\eta^*(w, b)| = \lambda` for the optimal
dual vector. Along each direction :math:`\eta^*` is piecewise linear in b, with its kinks at the data. So contacts are
lines through data, but for intervals of b on which :math:`\eta^*` is constant, whose ends are. About a data point
:math:`x_p`, with the normal at the angle :math:`\varphi`,

.. math:: h(\varphi) = \eta^*(w(\varphi), w(\varphi)^T x_p) = G^T w(\varphi)

between the angles at which the line meets another point, where G jumps. There :math:`h'' = -h`: h is strictly concave
where it is positive. Where it meets a point with :math:`u_m^* < 0` its slope falls, too. So between two angles without
other points than these it has one maximum, and at most one contact. If all contacts are such, and the columns of their
neurons at the data are independent of each other and of the affine functions, wherever within what the gap leaves open
they lie, then one function only has the fit that the loss settles. (For contacts at :math:`-\lambda`, with the
signs changed.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import check
from ridgesplines.validation import Array

#: Angles and columns that differ by less, in radians and relatively, are taken to be the same.
SAME = 1e-9


@dataclass(frozen=True)
class Known:
    """What a certificate says of the optimal dual vector at the distinct data of a plane.

    points : shape (M, 2).
    u, wander : the dual vector there, and how far the optimal one may be from it, (M,).
    metric, radius : of the sum of u times a function the optimal one differs by `radius` times the norm of the function
        with the weights `metric`, (M,), at most.
    slack : what rounding may take of such a sum, or what else counts as nothing, in parts of its terms.
    lam : the level of the contacts.
    settled : the points at which all minimisers have one value, (M,).
    """

    points: Array
    u: Array
    wander: Array
    metric: Array
    radius: float
    slack: float
    lam: float
    settled: NDArray[np.bool_]

    def error(self, function: Array) -> float:
        """How far the sum of u times a function, of these |values| (M,), may be from that of the optimal one."""
        return float(self.radius * np.sqrt(self.metric @ function**2) + self.slack * (np.abs(self.u) @ function))


class Contact(NamedTuple):
    """One contact at most: through a point, within `width` of `angle`; and the points that it is known to meet."""

    pivot: int
    angle: float
    width: float
    meets: frozenset[int]


def leave_one_in_plane(known: Known) -> bool:
    """Whether there is one minimiser only: few contacts, and independent columns at the data that are settled.

    O(M^2 log M) for M points.
    """
    contacts: dict[object, Contact] = {}
    for pivot in range(len(known.points)):
        check()
        found = _about(known, pivot)
        if found is None:
            return False
        for contact in found:
            contacts[contact.meets if len(contact.meets) > 1 else contact] = contact
    return _independent(known.points, known.settled, list(contacts.values()))


@dataclass(frozen=True)
class _Turn:
    """Half a turn of the line about a point, by sectors between angles at which it meets others.

    edges : the angles, (S + 1,), the last one half a turn after the first.
    met : the points that are met at each of the first S edges.
    G : eta is G^T w within a sector, (S, 2).
    rest : the sum over the other points of u with the sign of the side, (S,).
    """

    edges: Array
    met: list[NDArray[np.intp]]
    G: Array
    rest: Array

    @classmethod
    def about(cls, known: Known, pivot: int) -> _Turn:
        others = np.flatnonzero(np.arange(len(known.points)) != pivot)
        r, u = known.points[others] - known.points[pivot], known.u[others]
        turned = np.arctan2(r[:, 1], r[:, 0]) + np.pi / 2.0
        angle = np.mod(turned, np.pi)
        before = np.where((turned >= 0.0) & (turned < np.pi), 1.0, -1.0)  # the side, until the line meets the point
        order = np.argsort(angle, kind="stable")
        first = np.flatnonzero(np.diff(angle[order], prepend=-1.0) > 0.0)
        signed = (before * u)[order]
        moments, masses = np.cumsum(signed[:, None] * r[order], axis=0), np.cumsum(signed)
        last = np.append(first[1:], len(order)) - 1  # of the points that are met at once
        return cls(
            np.append(angle[order][first], angle[order][0] + np.pi),
            np.split(others[order], first[1:]),
            0.5 * moments[-1] - moments[last],
            masses[-1] - 2.0 * masses[last],
        )


def _about(known: Known, pivot: int) -> list[Contact] | None:
    """The contacts on lines through a point, None where more than one may hide in one place."""
    turn, far = _Turn.about(known, pivot), 0.5 * np.linalg.norm(known.points - known.points[pivot], axis=1)
    error = known.error(far)
    heights, sign = _heights(turn)
    near = heights >= known.lam - error
    if not near.any():
        return []
    # The slopes of eta in b on both sides of the point: where one rises away from it there is no contact.
    left, right = (-0.5 * sign * (turn.rest + side * known.u[pivot]) for side in (1.0, -1.0))
    wander = known.error(np.full(len(far), 0.5))
    peak = (left > wander) & (right < -wander)
    if not (peak | (left < -wander) | (right > wander))[near].all():
        return None
    return _merged(known, pivot, turn, np.flatnonzero(near & peak), sign, error)


def _heights(turn: _Turn) -> tuple[Array, Array]:
    """The largest |eta| in each sector, and its sign there, (S,)."""
    ends = [np.einsum("sd,sd->s", turn.G, _unit(edges)) for edges in (turn.edges[:-1], turn.edges[1:])]
    top = np.arctan2(turn.G[:, 1], turn.G[:, 0])
    ahead = np.mod(top - turn.edges[:-1], np.pi)
    inside = ahead < np.diff(turn.edges)
    at = turn.edges[:-1] + ahead
    values = np.stack([*ends, np.where(inside, np.einsum("sd,sd->s", turn.G, _unit(at)), 0.0)])
    best = np.abs(values).argmax(axis=0)
    value = values[best, np.arange(len(best))]
    return np.abs(value), np.sign(value)


def _merged(
    known: Known, pivot: int, turn: _Turn, sectors: NDArray[np.intp], sign: Array, error: float
) -> list[Contact] | None:
    """One contact for each run of sectors between which eta is near its level; None where it may have two maxima."""
    count, chosen = len(turn.rest), set(sectors.tolist())
    linked = set()  # those that go on from the sector before
    for j in chosen:
        if (j - 1) % count in chosen and sign[j] * (turn.G[j] @ _unit(turn.edges[j])) >= known.lam - error:
            if not (sign[j] * known.u[turn.met[j]] < -known.wander[turn.met[j]]).all():
                return None  # the slope may rise there
            linked.add(j)
    starts = chosen - linked
    if chosen and not starts:
        return None
    contacts = []
    for start in sorted(starts):
        run = [start]
        while (run[-1] + 1) % count in linked:
            run.append((run[-1] + 1) % count)
        contact = _in(_Run(turn, run, sign[start]), pivot, error)
        if contact is None:
            return None
        contacts.append(contact)
    return contacts


class _Run(NamedTuple):
    """Sectors one after the other, in which `sign` times eta is concave."""

    turn: _Turn
    sectors: list[int]
    sign: float

    def slope(self, i: int, end: int) -> float:
        """The derivative at the beginning (0) or the end (1) of the sector that comes as number i."""
        j = self.sectors[i]
        angle = self.turn.edges[j + end]
        return float(self.sign * (self.turn.G[j] @ np.array([-np.sin(angle), np.cos(angle)])))

    def top(self, i: int) -> float:
        """The angle at which G^T w of the sector that comes as number i is largest, next to that sector."""
        j = self.sectors[i]
        G, middle = self.sign * self.turn.G[j], (self.turn.edges[j] + self.turn.edges[j + 1]) / 2.0
        return float(middle + np.mod(np.arctan2(G[1], G[0]) - middle + np.pi, 2.0 * np.pi) - np.pi)


def _in(run: _Run, pivot: int, error: float) -> Contact | None:
    """The contact of a run: at an angle at which a further point is met, or in a sector; None where that is open."""
    turn, last = run.turn, len(run.sectors)
    for i in range(last + 1):
        rises = i == 0 or run.slope(i - 1, 1) > error
        if rises and (i == last or run.slope(i, 0) < -error):
            edge = run.sectors[i] if i < last else run.sectors[-1] + 1
            met = turn.met[edge % len(turn.met)]
            return Contact(pivot, float(turn.edges[edge]), 0.0, frozenset({pivot, *met.tolist()}))
        if i < last and run.slope(i, 0) > error and run.slope(i, 1) < -error:
            # G is off by `error` at most, and its angle by so much over its length.
            width = float(np.arcsin(min(error / float(np.linalg.norm(turn.G[run.sectors[i]])), 1.0)))
            return Contact(pivot, run.top(i), width, frozenset({pivot}))
    return None


def _independent(points: Array, settled: NDArray[np.bool_], contacts: list[Contact]) -> bool:
    """Whether affine functions and neurons at the contacts are independent at the settled points, wherever they lie."""
    own = points[settled]
    if len(contacts) + 3 > len(own):
        return False
    affine = np.column_stack([np.ones(len(own)), own - own.mean(axis=0)])
    columns, moves = list(affine.T / np.linalg.norm(affine, axis=0)[:, None]), 0.0
    for contact in contacts:
        r = own - points[contact.pivot]
        column = 0.5 * np.abs(r @ _unit(contact.angle))
        size = float(np.linalg.norm(column))
        if size == 0.0:
            return False
        columns.append(column / size)
        moves += (contact.width * 0.5 * float(np.linalg.norm(r)) / size) ** 2
    least = float(np.linalg.svd(np.column_stack(columns), compute_uv=False)[-1])
    return least > np.sqrt(moves) + SAME


def _unit(angle: Array | float) -> Array:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
