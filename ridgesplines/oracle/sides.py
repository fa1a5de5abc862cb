r"""Bounds on :math:`\eta` over the neurons that have given data points on given sides.

With :math:`\sigma_k (w^T x_k - b) \ge 0` known for some points k, :math:`|w^T x_k - b|` is linear there. For any flow T
between the points, any :math:`\nu_k` for these k and any :math:`\kappa^\pm_n \ge 0` with

.. math:: u_n = \sum_m T_{nm} - \sum_m T_{mn} + \nu_n - \kappa^+_n - \kappa^-_n, \qquad
          \sum_{\sigma_k = 1} \nu_k = \sum_n \kappa^+_n, \quad \sum_{\sigma_k = -1} \nu_k = \sum_n \kappa^-_n,

the inequalities of `flows` and :math:`-|t| \le \mp t` give

.. math:: \eta(w, b) \le \sum_n |w^T r_n| + |w^T r_0|, \qquad
          r_0 = \tfrac12 \Big( \sum_k \nu_k \sigma_k x_k - \sum_n (\kappa^+_n - \kappa^-_n) x_n \Big),

so that one eigenvalue proves a bound as before. The best one is the supremum of :math:`\sum_n u_n g(x_n)` over convex
functions g and affine functions l of slope within the same ellipsoid with :math:`|l| \le g` at all points, equal up to
the sign :math:`\sigma_k` at those k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.oracle.convex_part import ConvexPart, Step, longest
from ridgesplines.oracle.flows import Flow, best_shares, spectral
from ridgesplines.oracle.interior_point import Diverged
from ridgesplines.validation import Array

#: The inverse of the curvature that stands in for equations; Newton's method meets them in full steps all the same.
STIFF = 1e-8
#: How far above |l| = 0 the function is at first, as a part of its range.
ROOM = 0.1


@dataclass(frozen=True, eq=False)
class Sides:
    """The points whose side is known, shape (k,), and which it is, 1.0 or -1.0 each."""

    at: NDArray[np.intp]
    signs: Array

    @classmethod
    def unknown(cls) -> Sides:
        return cls(np.empty(0, dtype=np.intp), np.empty(0))

    def joined(self, point: int, sign: float) -> Sides:
        """These, and one more."""
        return Sides(np.append(self.at, point), np.append(self.signs, sign))


@dataclass(frozen=True, eq=False)
class SidedFlow:
    """A flow with multipliers of the sides: nu (k,), kappa (2, n); `share` is that of r_0."""

    flow: Flow
    sides: Sides
    nu: Array
    kappa: Array
    share: float = 1.0

    def balanced(self) -> SidedFlow:
        """The same with sums that agree: a kappa that no point stands against is left out."""
        nu, kappa = self.nu.copy(), self.kappa.copy()
        for row, sign in enumerate((1.0, -1.0)):
            own = self.sides.signs == sign
            if own.any():
                nu[own] += (kappa[row].sum() - nu[own].sum()) / own.sum()
            else:
                kappa[row] = 0.0
        return SidedFlow(self.flow, self.sides, nu, kappa, self.share)

    def moments(self, points: Array, u: Array) -> tuple[Array, float]:
        """The r_n and, last, r_0, shape (n + 1, d); and a bound on their rounding. For balanced multipliers."""
        at, passed = self.sides.at, self.nu * self.sides.signs
        rest = u - np.bincount(at, self.nu, len(u)) + self.kappa.sum(axis=0)
        r, rounding = self.flow.moments(points, rest)
        across = self.kappa[0] - self.kappa[1]
        radius = float(np.linalg.norm(points, axis=1).max(initial=0.0))
        sums = float(np.abs(self.nu).sum() + self.kappa.sum())
        lost = 4.0 * (len(u) + len(at)) * np.finfo(float).eps * sums * radius  # of neurons that bend among the data
        return np.vstack([r, 0.5 * (passed @ points[at] - across @ points)]), rounding + lost

    def bound(self, points: Array, u: Array) -> float:
        """An upper bound on eta over neurons of these sides, rounding allowed for; infinite if nothing is proven."""
        shares = np.append(self.flow.shares, self.share)
        valid = (self.flow.amounts >= 0.0).all() and (self.kappa >= 0.0).all() and (shares > 0.0).all()
        if not valid or not np.isfinite(self.nu).all():
            return np.inf
        r, rounding = self.balanced().moments(points, u)
        bound = spectral(r, shares) * (1.0 + 64.0 * (len(u) + points.shape[1]) * np.finfo(float).eps) + rounding
        return float(bound) if bound == bound else np.inf


class Line:
    r"""The tie of one convex function g to an affine l, :math:`|l| \le g`, that it meets where sides are known.

    It costs :math:`(1 - u^T g)^2 / 2`, as without the affine function. l has d + 1 unknowns of its own, the slacks of
    its inequalities two multipliers for each point, and its slope is within the ellipsoid of the function's gradients.
    """

    def __init__(self, u: Array, part: ConvexPart, sides: Sides, product: float) -> None:
        self.u, self.part, self.sides = u, part, sides
        n, d = part.points.shape
        part.g = part.g - part.g.min() + ROOM * (np.ptp(part.g) or 1.0)
        self.A, self.own = np.column_stack([part.points, -np.ones(n)]), np.zeros(d + 1)
        self.kappa, self.nu = product / self._heights(), np.zeros(len(sides.at))
        self.delta, self.room, self.aim = part.lam / n, part.tau, product

    @property
    def size(self) -> int:
        return len(self.own)

    @property
    def missing(self) -> float:
        return 1.0 - float(self.u @ self.part.g)

    @property
    def values(self) -> Array:
        """l at the points."""
        return self.A @ self.own

    def proof(self) -> SidedFlow:
        """What the multipliers prove of u; `missing` has to be positive."""
        part, by = self.part, self.missing
        bare = Flow(part.to, part.T / by, np.ones(len(self.u)))
        sided = SidedFlow(bare, self.sides, self.nu / by, self.kappa / by).balanced()
        shares = best_shares(sided.moments(part.points, self.u)[0], part.S)
        flow = Flow(part.to, bare.amounts, shares[:-1])
        return SidedFlow(flow, self.sides, sided.nu, sided.kappa, float(shares[-1]))

    def _heights(self) -> Array:
        """The slacks g - l and g + l, shape (2, n)."""
        return self.part.g - np.array([[1.0], [-1.0]]) * self.values

    def _off(self, g: Array, own: Array) -> Array:
        """By how much g and l differ at the points of known sides."""
        return g[self.sides.at] - self.sides.signs * (self.A[self.sides.at] @ own)

    def _steepness(self) -> tuple[Array, Array, Array]:
        """The slope times the inverse of S, that inverse, and the gradient of its room by (S, tau, slope)."""
        inverse = np.linalg.inv(self.part.S)
        z = inverse @ self.own[:-1]
        return z, inverse, np.concatenate([self.part.coordinates(np.outer(z, z)), [1.0], -2.0 * z])

    def _missed(self) -> float:
        z, _, _ = self._steepness()
        return self.part.tau - float(z @ self.own[:-1]) - self.room

    def _size_and_slope(self, place: slice, last: int) -> NDArray[np.intp]:
        """Where (S, tau) and the slope are among `last` unknowns."""
        first = place.start + len(self.u)
        return np.r_[first : place.start + self.part.size, last - self.size : last - 1]

    def add(self, K: Array, places: Sequence[slice]) -> None:
        A, at, signs = self.A, self.sides.at, self.sides.signs
        g, own = places[0], slice(len(K) - self.size, len(K))
        heights = self._heights()
        if not (heights > 0.0).all():
            raise Diverged
        up, down = self.kappa / heights
        total, cross = up + down, (down - up)[:, None] * A
        cross[at] -= (signs / STIFF)[:, None] * A[at]
        total[at] += 1.0 / STIFF
        K[g, g] += np.outer(self.u, self.u) + np.diag(total)
        K[g, own] += cross
        K[own, g] += cross.T
        K[own, own] += (A.T * total) @ A
        z, inverse, gradient = self._steepness()
        turned = np.column_stack([-self.part.applied(z), np.zeros(len(z)), np.eye(len(z))])
        where = self._size_and_slope(g, len(K))
        square = 2.0 * self.delta * turned.T @ inverse @ turned
        K[np.ix_(where, where)] += square + self.delta / self.room * np.outer(gradient, gradient)

    def gradient(self, r: Array, places: Sequence[slice], aim: float) -> None:
        self.aim = aim
        kappa = aim / self._heights()
        nu = self.nu + self._off(self.part.g, self.own) / STIFF
        delta = (aim - self.delta * self._missed()) / self.room
        r[places[0]] -= self.missing * self.u + kappa.sum(axis=0)
        r[places[0].start + self.sides.at] += nu
        r[len(r) - self.size :] += self.A.T @ (kappa[0] - kappa[1]) - self.A[self.sides.at].T @ (self.sides.signs * nu)
        r[self._size_and_slope(places[0], len(r))] -= delta * self._steepness()[2]

    def _changes(self, own: Array, step: Step) -> tuple[Array, Array, float, float]:
        """How slacks and multipliers change along a step: heights, kappa, room, delta."""
        heights = step.g - np.array([[1.0], [-1.0]]) * (self.A @ own)
        kappa = (self.aim - self.kappa * heights) / self._heights() - self.kappa
        z = self._steepness()[0]
        room = step.tau - 2.0 * float(z @ own[:-1]) + float(z @ step.S @ z) + self._missed()
        return heights, kappa, room, (self.aim - self.delta * room) / self.room - self.delta

    def longest(self, own: Array, steps: Sequence[Step]) -> tuple[float, float]:
        heights, kappa, room, delta = self._changes(own, steps[0])
        primal = longest(np.append(self._heights(), self.room), np.append(heights, room))
        return primal, longest(np.append(self.kappa, self.delta), np.append(kappa, delta))

    def move(self, own: Array, steps: Sequence[Step], primal: float, dual: float) -> None:
        _, kappa, room, delta = self._changes(own, steps[0])
        nu = (self._off(self.part.g, self.own) + self._off(steps[0].g, own)) / STIFF
        self.kappa, self.nu = self.kappa + dual * kappa, self.nu + dual * nu
        self.own = self.own + primal * own
        self.room, self.delta = self.room + primal * room, self.delta + dual * delta
