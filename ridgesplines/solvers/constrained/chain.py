r"""The quadratic program of a spline on nodes whose slopes, bends and values have bounds.

.. math:: \min_\theta \; \tfrac12 \theta^T G \theta - r^T \theta + \lambda \sum_k \pi_k |a_k|, \qquad
          a \le \theta \le b, \quad \ell \le d \le h, \quad a_k \ge 0 \text{ and/or } \le 0

with the slopes d between neighbouring nodes and their changes :math:`a_k`, the bends, of which those at free knots have
the price :math:`\pi_k = 0`, and all others one. G is tridiagonal, see
:mod:`ridgesplines.solvers.univariate.moments`. A part of the nodes is a chain again; a value that is fixed, and a place
where the bounds of the slope change, and a free knot, must be among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ridgesplines.certificate.sites import Sites, band
from ridgesplines.solvers.univariate.moments import Moments
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Limits:
    """What is asked of a spline on nodes.

    Attributes
    ----------
    up, down, price : whether it may bend up at each node, and down, and what that costs in units of lam, shape (c,).
    low, high : bounds of the values at the nodes, shape (c,).
    slope_low, slope_high : bounds of the slopes between them, shape (c - 1,).
    """

    up: Array
    down: Array
    price: Array
    low: Array
    high: Array
    slope_low: Array
    slope_high: Array

    @classmethod
    def of(cls, sites: Sites) -> Limits:
        """Those of a problem with every site as a node."""
        bends = sites.up, sites.down, sites.price
        return cls(*bends, sites.low, sites.high, sites.slope_low, sites.slope_high)

    def on(self, nodes: Array) -> Limits:
        """The same on some of the nodes, given by their indices."""
        up, down, price, low, high = (part[nodes] for part in (self.up, self.down, self.price, self.low, self.high))
        first = nodes[:-1]
        steep = np.maximum.reduceat(self.slope_low, first), np.minimum.reduceat(self.slope_high, first)
        return Limits(up, down, price, low, high, *steep)

    @cached_property
    def required(self) -> Array:
        """A mask of the nodes that are always among them, shape (c,)."""
        changes = np.zeros(len(self.low) - 2, dtype=bool)
        for bound in (self.slope_low, self.slope_high):
            changes |= bound[1:] != bound[:-1]
        held = np.isfinite(self.low) | np.isfinite(self.high)
        first = held[1:-1] & (self.low < self.high)[1:-1] & ~(held[:-2] & held[2:])
        return (self.low == self.high) | self.hinges | np.concatenate([[True], changes | first, [True]])

    @cached_property
    def hinges(self) -> Array:
        """A mask of the inner nodes at which it may bend either way free of charge, shape (c,)."""
        inner = np.ones(len(self.price), dtype=bool)
        inner[[0, -1]] = False
        return inner & self.up & self.down & (self.price == 0.0)

    def band(self, lam: float) -> tuple[Array, Array]:
        """The least and the largest eta that is allowed at each node, shapes (c,)."""
        return band(self.up, self.down, self.price, lam)

    def allowed(self, eta: Array) -> Array:
        """eta, or a bend, where one of its sign is allowed, zero elsewhere."""
        return np.clip(eta, np.where(self.down, -np.inf, 0.0), np.where(self.up, np.inf, 0.0))

    def excess(self, eta: Array, lam: float) -> Array:
        """How far eta is beyond its band, with its sign."""
        return eta - np.clip(eta, *self.band(lam))


@dataclass(frozen=True, eq=False)
class Chain:
    """A program: moments on c nodes, lam, and limits."""

    moments: Moments
    lam: float
    limits: Limits

    def on(self, nodes: Array) -> Chain:
        """The same on some of the nodes."""
        return Chain(self.moments.on(nodes), self.lam, self.limits.on(nodes))

    @property
    def t(self) -> Array:
        """The nodes, increasing, shape (c,)."""
        return self.moments.t


@dataclass(frozen=True, eq=False)
class Point:
    """Values theta at the nodes and all multipliers: eta (c,), of the slopes m (c - 1,), of the values nu (c,)."""

    theta: Array
    eta: Array
    m: Array
    nu: Array


def through_band(c: Array, nodes: Array, m: Array, lam: float, limits: Limits) -> Array:
    """eta at all of some points, from its part c by the fit and the multipliers m of the slopes between nodes.

    Between nodes off their bounds eta is c and a constant. Where m counts it is shared out so that eta leaves the band
    as late as it can, from right to left.
    """
    edges = np.append(np.cumsum(m[::-1])[::-1], 0.0)
    path = np.append(np.repeat(edges[1:], np.diff(nodes)), 0.0)
    path[nodes] = edges
    floor, ceiling = limits.band(lam)
    for k in np.flatnonzero((m != 0.0) & (np.diff(nodes) > 1)):
        inside = slice(nodes[k] + 1, nodes[k + 1])
        if m[k] > 0.0:
            least = np.maximum.accumulate((floor[inside] - c[inside])[::-1])[::-1]
        else:
            least = np.minimum.accumulate((ceiling[inside] - c[inside])[::-1])[::-1]
        path[inside] = np.clip(least, min(edges[k], edges[k + 1]), max(edges[k], edges[k + 1]))
    return c + path


def from_right(t: Array, masses: Array) -> Array:
    """The part of eta that masses at points t make up, at these points."""
    beyond = np.cumsum(masses[::-1])[::-1][1:]
    return np.append(np.cumsum((np.diff(t) * beyond)[::-1])[::-1], 0.0)
