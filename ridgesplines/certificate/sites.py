r"""The sites at which an optimal spline may bend: the data, the fixed points and the places named for knots.

The linear interpolant of f at these sites, prolonged with the slopes that f has far out, has the same values at the
data and at the fixed points and no larger a seminorm; its slopes are averages of those of f, or limits of such, so that
it satisfies every constraint that f satisfies. A spline with knots at the sites is therefore optimal, and the problem
is finite. The outermost sites are knots only where the slopes far out have bounds of their own: elsewhere the
interpolant is prolonged straight. Where they have, a further site is put beyond, one radius away, so that all slopes
are those of intervals between sites; what happens at that site counts nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ridgesplines.constraints import Shape
from ridgesplines.neurons.dictionary import TIE, distinct
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Sites:
    """The sites of a problem, at least two: for a single one another is put beside it, which constrains nothing.

    Attributes
    ----------
    at : shape (K,), increasing.
    rows, points : which site each row of the data and each fixed point is.
    alone : whether the second site is not the problem's own.
    ends : whether the first and the last site stand for what is far out.
    low, high : bounds of the values, shape (K,); equal at fixed points.
    up, down : whether f may bend up there, and down, shape (K,).
    price : what a bend costs in units of lam, shape (K,): one, or zero at free knots.
    slope_low, slope_high : bounds of the slopes of the intervals between sites, shape (K - 1,).
    """

    at: Array
    rows: Array
    points: Array
    alone: bool
    ends: tuple[bool, bool]
    low: Array
    high: Array
    up: Array
    down: Array
    price: Array
    slope_low: Array
    slope_high: Array

    @classmethod
    def of(cls, problem: Problem) -> Sites:
        """For a problem in scaled units, without rows of weight zero."""
        shape = problem.constraint
        x, p = problem.X[:, 0], np.array(shape.points)
        ends = shape.ends
        at = distinct(np.concatenate([x, p, _known(shape, np.append(x, p))]))
        alone = len(at) == 1 and not any(ends)
        beyond = [at[:1] - 1.0] * ends[0], [at[-1:] + 1.0] * (ends[1] or alone)
        at = np.concatenate([*beyond[0], at, *beyond[1]])
        rows, points = (np.searchsorted(at, q + TIE, side="right") - 1 for q in (x, p))
        low, high = np.full(len(at), shape.low), np.full(len(at), shape.high)
        low[points] = high[points] = shape.values
        for end, place in zip(ends, (0, -1), strict=True):
            if end:
                low[place], high[place] = -np.inf, np.inf
        slope_low = np.full(len(at) - 1, shape.slope_low)
        slope_high = np.full(len(at) - 1, shape.slope_high)
        slope_low[0], slope_high[0] = shape.outer[0] if ends[0] else (slope_low[0], slope_high[0])
        slope_low[-1], slope_high[-1] = shape.outer[1] if ends[1] else (slope_low[-1], slope_high[-1])
        may, price = shape.allows(at, 1.0), shape.costs(at, 1.0).astype(float)
        up, down = may & shape.bends_up, may & shape.bends_down
        return cls(at, rows, points, alone, ends, low, high, up, down, price, slope_low, slope_high)

    @property
    def widths(self) -> Array:
        """The widths of the K - 1 intervals between sites."""
        return np.diff(self.at)

    @cached_property
    def held(self) -> Array:
        """The sites at which values have bounds, or are fixed, shape (H,)."""
        return np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high))

    @property
    def inner(self) -> slice:
        """The sites that are the problem's own."""
        return slice(int(self.ends[0]), len(self.at) - int(self.ends[1]))

    @cached_property
    def hinges(self) -> Array:
        """The sites at which f may bend either way free of charge: there eta must be zero."""
        return np.flatnonzero((self.price == 0.0) & self.up & self.down)

    def pieces(self, may: Array) -> Array:
        """Which piece each interval belongs to, (K - 1,), where f bends only at the sites of a mask."""
        return np.append(0, np.cumsum(may[1:-1]))

    def band(self, lam: float) -> tuple[Array, Array]:
        """The least and the largest eta that is allowed at each site, shapes (K,)."""
        return band(self.up, self.down, self.price, lam)

    def masses(self, u: Array, nu: Array) -> Array:
        """The sums of the multipliers of the data and of the bounds of values at each site, shape (K,)."""
        masses = np.bincount(self.rows, u, len(self.at))
        masses[self.held] += nu
        return masses

    def eta(self, masses: Array) -> Array:
        r""":math:`\sum_j q_j \rho(s_j - s_k)` for the masses q, shape (K,); zero at the last site."""
        beyond = np.cumsum(masses[::-1])[::-1][1:]
        return np.append(np.cumsum((self.widths * beyond)[::-1])[::-1], 0.0)


def band(up: Array, down: Array, price: Array, lam: float) -> tuple[Array, Array]:
    """Between which bounds eta is to be, where f may bend up or down at a price in units of lam."""
    return np.where(down, -lam * price, -np.inf), np.where(up, lam * price, np.inf)


def _known(shape: Shape, at: Array) -> Array:
    """The places named for knots: those among the data and fixed points, and the next beyond where f may bend there.

    Those further out do nothing that these do not.
    """
    places, (left, right) = np.unique((*shape.free_knots, *(shape.only_at or ()))), shape.ends
    before, after = places[places < at.min()][-1:], places[places > at.max()][:1]
    among = places[(places > at.min()) & (places < at.max())]
    return np.concatenate([before[:left], among, after[:right]])
