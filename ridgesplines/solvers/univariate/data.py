"""The data of a problem in one dimension, in the order of x: points, and the distinct sites among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.line.cells import Cells
from ridgesplines.line.kernels import times
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import group_norms
from ridgesplines.problem import Problem
from ridgesplines.solvers.univariate.knots import Knots
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

#: Points of scaled data closer than this share a site: a slope between them would be rounding.
TIE = 1e-14
#: How far from the conjugate's domain a dual vector may be, relatively, by rounding.
DOMAIN_RTOL = 1e-10


class Look(NamedTuple):
    """What a spline is at the rows: its values, its dual vector, the largest |eta| of that, and what violates a level.

    Of squared error also the weighted sums of (y - z)^2 and of u y, where they came with them.
    """

    z: Array
    u: Array
    largest: float
    peaks: NDArray[np.intp]
    squares: tuple[float, float] | None = None


@dataclass(frozen=True)
class Line:
    """Sorted data. A site is a distinct x; nodes are given as indices of sites.

    Attributes
    ----------
    order : the data's rows in the order of x, or None where they came sorted.
    t, y, weight : sorted, shape (n,); y of shape (n, D) for D outputs of a regression.
    loss : the loss.
    outputs : the end of the shape of values, () or (D,).
    """

    order: Array | None
    t: Array
    y: Array
    weight: Array
    loss: Loss
    outputs: tuple[int, ...] = ()

    @classmethod
    def of(cls, problem: Problem) -> Line:
        t = problem.X[:, 0]
        if (t[1:] >= t[:-1]).all():
            return cls(None, t, problem.y, problem.sample_weight, problem.loss, problem.outputs)
        order = np.argsort(t)  # several times as fast as a stable sort, from which it differs where there are ties
        if (t[order[1:]] == t[order[:-1]]).any():
            order = np.argsort(t, kind="stable")
        return cls(order, t[order], problem.y[order], problem.sample_weight[order], problem.loss, problem.outputs)

    @cached_property
    def first(self) -> Array | None:
        """For each site its first row, or None where every row is a site of its own, as interpolation asks."""
        return None if self.loss.interpolates or np.diff(self.t).min(initial=np.inf) > TIE else _apart(self.t)

    @cached_property
    def sites(self) -> Array:
        """The distinct points, increasing, shape (m,); the last is the last row's."""
        if self.first is None:
            return self.t
        sites = self.t[self.first]
        sites[-1] = self.t[-1]
        return sites

    @cached_property
    def parabola(self) -> tuple[Array, Array]:
        """(H, b) with terms H z^2 / 2 - b z and a constant, for squared error; shapes (n,) and like y."""
        H = 2.0 * self.weight
        return H, times(H, self.y)

    @cached_property
    def cells(self) -> Cells | None:
        """Cells of the rows, for their parabola; where every row is a site, of one output, and it is worth it."""
        return None if self.outputs or self.first is not None else Cells.of(self.t, *self.parabola)

    def weighted(self, values: Array) -> Array:
        """Values of the rows times their weights."""
        return times(self.weight, values)

    def rows(self, nodes: Array) -> Array:
        """The first row of each interval between nodes."""
        return nodes[:-1] if self.first is None else self.first[nodes[:-1]]

    def per_site(self, values: Array) -> Array:
        """Sums over the rows of each site."""
        return values if self.first is None else np.add.reduceat(values.T, self.first, axis=-1).T

    def fit(self, nodes: Array, theta: Array) -> Array:
        """The spline with these values at the nodes, for every row."""
        return kernels.values(self.t, self.sites[nodes], self.rows(nodes), theta)

    def moments(self, curvature: Array, target: Array, nodes: Array) -> Moments:
        """Moments of terms of the rows."""
        return Moments.at(self.t, curvature, target, self.sites[nodes], self.rows(nodes))

    def certificate(self, u: Array) -> Array:
        """eta at the sites, from u at the rows."""
        return kernels.certificate(self.sites, self.per_site(u))

    def affine_moments(self, u: Array) -> Array:
        """sum_n u_n and sum_n u_n t_n, shape (2,) or (2, D): zero for a dual vector."""
        return np.array([u.sum(axis=0), self.t @ u])

    def spline(self, knots: Knots) -> Array:
        """The spline with these knots, for every row."""
        return self.fit(knots.nodes(len(self.sites)), knots.theta)

    def look(self, knots: Knots, z: Array, u: Array, level: float) -> Look:
        """What a spline is whose values and dual vector are known."""
        return Look(z, u, *kernels.peaks_between(self.certificate(u), level, knots.nodes(len(self.sites))))

    def squares(self, knots: Knots, level: float) -> Look:
        """What a spline is for squared error, in one pass where every row is a site."""
        nodes = knots.nodes(len(self.sites))
        if self.first is not None:
            z = self.fit(nodes, knots.theta)
            return self.look(knots, z, self.weighted(2.0 * (self.y - z)), level)
        z, u, largest, peaks, *sums = kernels.squares(self.t, self.y, self.weight, nodes, knots.theta, level)
        return Look(z, u, largest, peaks, (sums[0], sums[1]))

    def seminorm(self, knots: Knots) -> float:
        """The sum of the sizes of the kinks."""
        return float(group_norms(kinks(self.sites[knots.nodes(len(self.sites))], knots.theta)).sum())

    def data_fit(self, z: Array) -> float:
        """The weighted sum of the losses."""
        if self.loss.quadratic:
            return kernels.weighted_squares(self.weight, self.y, z)
        return float(self.weight @ self.loss.value(self.y, z))

    def objective(self, knots: Knots, z: Array, lam: float) -> float:
        """The objective of the spline with these knots, whose values at the rows are z."""
        return self.data_fit(z) + lam * self.seminorm(knots)

    def bound(self, u: Array, excess: float, squares: tuple[float, float] | None = None) -> float:
        """The dual objective of u, scaled to feasibility; for a quadratic along the scale, its maximum.

        Parameters
        ----------
        u : a dual vector that is orthogonal to all straight lines, for every row.
        excess : its sup|eta| / lam.
        squares : those of the `Look` that u is from.
        """
        most, s, y = 1.0 / excess if excess > 0.0 else 1.0, self.weight, self.y
        if self.loss.quadratic:
            square, linear = squares or (0.25 * float(np.vdot(u, times(1.0 / s, u))), float(np.vdot(u, y)))
            most = min(most, linear / (2.0 * square)) if square > 0.0 else most
            return most * linear - most**2 * square
        v = -min(most, 1.0) * times(1.0 / s, u)
        inside = self.loss.nearest(y, v)
        # A parabola's dual vector, far from the optimum, is not one of the loss; what is near, relatively, is rounding.
        if (np.abs(v - inside) > DOMAIN_RTOL * np.abs(inside)).any():
            return -np.inf
        return -float(s @ self.loss.conjugate(y, inside))

    def original(self, u: Array) -> Array:
        """Values of the sorted rows in the order in which the data came."""
        if self.order is None:
            return u
        out = np.empty_like(u)
        out[self.order] = u
        return out


def _apart(t: Array) -> Array:
    """Indices of points more than TIE apart, the first among them; those between belong to the one before."""
    kept = np.flatnonzero(np.append(True, np.diff(np.floor((t - t[0]) / TIE)) > 0.0))  # one in a cell of that width
    close = np.flatnonzero(np.diff(t[kept]) <= TIE) + 1
    drop = close[np.append(True, np.diff(close) > 1)] if len(close) else close
    return np.delete(kept, drop)
