r"""Piecewise-linear losses with constraints: the exchange method over linear programs on few nodes, with few free rows.

As without constraints, an interior point solves the problem for knots among few candidate sites, and one pass over all
sites tells where :math:`\eta` leaves its band; the worst of every run of such sites joins, with its neighbours. Most
rows lie far from their kink: there their loss is linear, and is part of the cost; one that turns out to lie on the
other side is freed. The simplex method then finds a vertex, which has exact zeros, on the sites where :math:`\eta` is
near the ends of its band.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ridgesplines.amplitudes.linear_program import OPTIONS, solved, within_time
from ridgesplines.certificate.sites import Sites
from ridgesplines.interrupt import check
from ridgesplines.problem import Problem
from ridgesplines.solvers.constrained.active_set import Active, certificate, violators
from ridgesplines.solvers.constrained.chain import Chain, Limits, Point
from ridgesplines.solvers.constrained.interior import Groups, conic, program, read
from ridgesplines.solvers.univariate.exchange import around, every, union
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

#: Up to this many sites, all of them are candidates; of more, every one in so many.
FEW_SITES, BLOCK_SITES = 256, 32
MAX_ROUNDS = 20
#: What an interior point may leave of violations, relative to lam.
VIOLATION_RTOL = 1e-7
#: Multipliers of values below this, relative to the largest, are an interior point's for bounds that do not count.
NOTHING_RTOL = 1e-9
#: Rows that are free, at least; and at least one in so many, near another problem's spline and near this one's own.
FREE_ROWS, NEAR_OTHER, NEAR_OWN = 500, 5, 20
#: Nodes of a vertex: where eta is this near to an end of its band, relative to lam, but no more than so many.
CONTACT, MAX_NODES = 1e-3, 1000


class Found(NamedTuple):
    """An optimum on some nodes: its multipliers there, the dual vector of all rows, its values at all sites."""

    nodes: Array
    point: Point
    u: Array
    values: Array


class Kinked:
    """A problem with a piecewise-linear loss, in scaled units, without rows of weight zero, and its sites."""

    def __init__(self, problem: Problem, sites: Sites) -> None:
        pieces = problem.loss.pieces(problem.y)
        assert pieces is not None
        self.problem, self.sites, self.limits = problem, sites, Limits.of(sites)
        self.order = np.argsort(sites.rows, kind="stable")
        self.place = sites.rows[self.order]
        self.slopes, self.intercepts = (np.array(part)[:, self.order] for part in zip(*pieces, strict=True))
        self.weight = problem.sample_weight[self.order]

    def exchanged(self, lam: float, near: Array, values: Array | None) -> Iterator[Found]:
        """Ever better splines; the last is an approximate optimum on all sites, unless an interior point fails.

        Parameters
        ----------
        lam : positive.
        near : sites that are candidates from the beginning.
        values : those at the sites of a spline that may be near the optimum, if one is known.
        """
        m, required = len(self.sites.at), np.flatnonzero(self.limits.required)
        candidates = np.arange(m) if m <= FEW_SITES else union(every(BLOCK_SITES, m), around(near, m), required)
        for k in range(MAX_ROUNDS):
            check()
            part = NEAR_OWN if k else NEAR_OTHER
            found = self._on(candidates, lam, values, len(self.weight) // part, simplex=False)
            if found is None:
                return
            yield found
            eta, further = self._eta(found, lam)
            joining = violators(eta, candidates, lam * (1.0 + VIOLATION_RTOL), self.limits)
            more = np.append(joining, further)
            if np.isin(more, candidates).all():
                return
            candidates, values = union(candidates, around(more, m)), found.values

    def vertex(self, lam: float, near: Found) -> Found | None:
        """A vertex of the optima with knots where an approximate optimum may have them; None where there is none."""
        floor, ceiling = self.limits.band(lam)
        eta, _ = self._eta(near, lam)
        slack = np.minimum(np.abs(eta - floor), np.abs(ceiling - eta))
        slack[near.nodes[1:-1][np.abs(kinks(self.sites.at[near.nodes], near.point.theta)) > 1e-6]] = 0.0
        touching = np.argsort(slack, kind="stable")[:MAX_NODES]
        touching = touching[slack[touching] <= CONTACT * lam]
        return self.vertex_on(union(touching, np.flatnonzero(self.limits.required)), lam, near.values)

    def vertex_on(self, nodes: Array, lam: float, values: Array) -> Found | None:
        """A vertex of the optima with knots among these nodes, near values at the sites."""
        return self._on(nodes, lam, values, FREE_ROWS, simplex=True)

    def masses(self, found: Found, lam: float) -> Array:
        """The multipliers of the values at all sites."""
        return self._certificate(found, lam)[1]

    def _eta(self, found: Found, lam: float) -> tuple[Array, Array]:
        """eta at all sites, and sites that are to leave a bound of the values."""
        eta, _, moves = self._certificate(found, lam)
        return eta, np.array([move.point for move in moves], dtype=int)

    def _certificate(self, found: Found, lam: float) -> tuple[Array, Array, list[Any]]:
        masses = np.bincount(self.sites.rows, found.u, len(self.sites.at))
        p, t = found.point, self.sites.at[found.nodes]
        bend = np.concatenate([[0.0], np.sign(kinks(t, p.theta)), [0.0]])
        value = np.where(np.abs(p.nu) > NOTHING_RTOL * np.abs(p.nu).max(), -np.sign(p.nu), 0.0)
        active = Active(found.nodes, bend, -np.sign(p.m), value)
        return certificate(self.sites.at, masses, active, p, lam, self.limits)

    def _on(self, nodes: Array, lam: float, values: Array | None, least: int, simplex: bool) -> Found | None:
        """The optimum on the nodes. But for the `least`, rows far from their kink at given values keep their piece."""
        n = len(self.weight)
        side, order, count = np.zeros(n, dtype=int), np.arange(n), n
        if values is not None:
            levels = self.slopes * values[self.place] + self.intercepts
            side, order = np.argmax(levels, axis=0), np.argsort(np.ptp(levels, axis=0), kind="stable")
            count = max(FREE_ROWS, 4 * len(nodes), least)
        free = np.zeros(n, dtype=bool)
        free[order[:count]] = True
        while True:
            check()
            found = self._with_rows(nodes, lam, free, side, simplex)
            if found is None and free.all():
                check()  # it may be time that has ended it
                return None
            if found is None:  # unbounded, since too many rows were held to one piece
                count = min(n, 4 * count)
                free[order[:count]] = True
                continue
            levels = self.slopes * found.values[self.place] + self.intercepts
            wrong = ~free & (levels.max(axis=0) > levels[side, np.arange(n)] + 1e-12)
            if not wrong.any():
                return found
            free |= wrong

    def _with_rows(self, nodes: Array, lam: float, free: Array, side: Array, simplex: bool) -> Found | None:
        """The program in which only the free rows may change their piece.

        Unknowns: those of the chain's program, and for each free row its loss.
        """
        t, n = self.sites.at, len(free)
        u = np.where(free, 0.0, -self.weight * self.slopes[side, np.arange(n)])
        moments = Moments.at(t, np.zeros(len(t)), np.bincount(self.place, u, len(t)), t[nodes], nodes[:-1])
        chain = Chain(moments, lam, self.limits.on(nodes))
        P, q, groups = program(chain, 1.0)
        where = np.flatnonzero(free)
        fit = _interpolation(t, nodes, self.place[where], len(q))
        none, losses = sparse.csr_array((len(where), len(where))), sparse.eye_array(len(where), format="csr")
        groups = [(_beside(A, len(where)), b, equal) for A, b, equal in groups]
        for slope, intercept in zip(self.slopes[:, where], self.intercepts[:, where], strict=True):
            groups.append((sparse.hstack([sparse.diags_array(slope) @ fit, -losses], format="csr"), -intercept, False))
        P = sparse.block_diag([P, none], format="csc")
        q = np.concatenate([q, self.weight[where]])
        out = _vertex(q, groups) if simplex else conic(P, q, groups)
        if out is None:
            return None
        x, z = out
        pieces = len(self.slopes)
        u[where] = -(self.slopes[:, where] * np.array(z[-pieces:])).sum(axis=0)
        dual = np.empty(n)
        dual[self.order] = u
        theta = x[: len(nodes)]
        return Found(nodes, read(chain, theta, z[:-pieces]), dual, np.interp(t, t[nodes], theta))


def _vertex(q: Array, groups: Groups) -> tuple[Array, list[Array]] | None:
    """An optimal vertex of a linear program, and the multipliers of each group; None where there is no answer."""
    parts = [[group for group in groups if group[2] == equal] for equal in (False, True)]
    (A_ub, b_ub), (A_eq, b_eq) = (
        (sparse.vstack([A for A, _, _ in part], format="csr"), np.concatenate([b for _, b, _ in part]))
        for part in parts
    )
    out = solved(q, A_ub=A_ub, b_ub=b_ub, A_eq=A_eq, b_eq=b_eq, bounds=(None, None), options=OPTIONS | within_time())
    if out.status != 0:
        return None
    ends = [np.cumsum([A.shape[0] for A, _, _ in part])[:-1] for part in parts]
    shares = [iter(np.split(-of.marginals, end)) for of, end in zip((out.ineqlin, out.eqlin), ends, strict=True)]
    return out.x, [next(shares[int(equal)]) for _, _, equal in groups]


def _interpolation(t: Array, nodes: Array, place: Array, width: int) -> sparse.csr_array:
    """From the first unknowns, values at the nodes, to values at the sites `place`."""
    i = np.clip(np.searchsorted(nodes, place, side="right") - 1, 0, len(nodes) - 2)
    share = (t[place] - t[nodes[i]]) / (t[nodes[i + 1]] - t[nodes[i]])
    rows = np.arange(len(place))
    entries = np.concatenate([1.0 - share, share]), (np.tile(rows, 2), np.concatenate([i, i + 1]))
    return sparse.csr_array(entries, (len(place), width))


def _beside(A: sparse.csr_array, count: int) -> sparse.csr_array:
    """The same rows with so many further unknowns, which they do not see."""
    return sparse.hstack([A, sparse.csr_array((A.shape[0], count))], format="csr")
