r"""Losses with a bounded dual vector (absolute, quantile, hinge, Huber): an interior point over the exchange.

The interior point finds values and dual vector for knots among few candidates; where the certificate is violated
between them, more sites join. What it returns has no exact zeros. Its dual vector says on which piece of the loss each
row lies, or that it lies on the kink, u strictly between its bounds. A step of the method of multipliers [1]_ with
parabolas on those rows is then a problem for the active set, which ends with few knots:

.. math:: \min_f \; \sum_{\text{on the kink}} \tfrac{\rho_n}{2} (y_n - z_n)^2 - \sum_n u_n z_n + \lambda \|f\|

References
----------
.. [1] R. T. Rockafellar, Augmented Lagrangians and applications of the proximal point algorithm in convex programming,
   Math. Oper. Res. 1 (1976), doi:10.1287/moor.1.2.97
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.line.boxes import Rows
from ridgesplines.problem import Problem
from ridgesplines.solvers.univariate.active_set import active_set
from ridgesplines.solvers.univariate.data import Line
from ridgesplines.solvers.univariate.exchange import BLOCK_SITES, FEW_SITES, around, every, union, violators
from ridgesplines.solvers.univariate.interior import Interior, Point
from ridgesplines.solvers.univariate.knots import Knots, between
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.solvers.univariate.progress import Progress
from ridgesplines.validation import Array

MAX_ROUNDS = 30
#: Where more than one in this many sites is a candidate, all sites are.
DENSE_SITES = 4
#: The interior point is asked for this part of the gap to be reached.
MARGIN = 0.05
#: Smaller kinks than this part of the largest are no knots to start from.
BENDS = 1e-3
#: A gap this large is reached by the way, and needs no exact zeros.
ROUGH = 1e-4
#: Where rows are many, one in so many is near the spline of the first round, or of the lam before, and may change its
#: side.
NEAR = 5
#: Of the heaviest weight less than this changes no digit: lam is 1e-50 at least, and squares must stay in range.
LIGHTEST = 1e-100
#: Steps of the method of multipliers.
MAX_STEPS = 8


def _in_range(line: Line) -> Line:
    """The line, its weights no smaller than `LIGHTEST`; the heaviest is one."""
    return line if line.weight.min() >= LIGHTEST else replace(line, weight=np.maximum(line.weight, LIGHTEST))


def boxes(line: Line, lam: float = np.inf) -> Rows:
    """The rows, weighted, as boxes of the dual vector; no larger than it can be where |eta| <= lam.

    A weight beyond what lam can pull holds its row, and how far beyond it is makes no difference to the minimisers, but
    to the digits of all other rows.
    """
    form = line.loss.box(line.y)
    assert form is not None  # the losses that come here have this form
    centre, bend, low, high = form
    s = line.weight
    most = _pull(line, lam, s * np.maximum(high, -low))
    return Rows(line.t, centre, bend / s, np.maximum(s * low, -most), np.minimum(s * high, most))


def capped(line: Line, lam: float) -> Array:
    """The weights, no larger than what lets each side of a loss pull as hard as it ever can: the same minimisers."""
    form = line.loss.box(line.y)
    assert form is not None
    sides = np.maximum(form[3], 0.0), np.maximum(-form[2], 0.0)
    steepest, flattest = np.maximum(*sides), np.minimum(*sides)
    most = _pull(line, lam, line.weight * steepest)
    return np.minimum(line.weight, most / np.where(flattest > 0.0, flattest, steepest))


def _pull(line: Line, lam: float, size: Array) -> Array:
    """More than any |u_n| where |eta| <= lam: what the slopes of eta allow at a site, and what its other rows push."""
    if len(line.sites) < 3 or lam == np.inf:
        return np.full(len(size), np.inf)
    slopes = 2.0 * lam / np.diff(line.sites)
    site = np.append(slopes, 0.0) + np.append(0.0, slopes)
    if line.first is None:
        return 2.0 * site
    counts = np.diff(np.append(line.first, len(size)))
    total = np.repeat(line.per_site(size), counts)
    largest = size > 0.5 * total  # one of a site at most: what it has beside it, the total has no digits for
    others = np.where(largest, np.repeat(line.per_site(np.where(largest, 0.0, size)), counts), total - size)
    return 2.0 * (np.repeat(site, counts) + others)


def kinked(line: Line, lam: float, tol: float, start: Knots | None, progress: Progress) -> None:
    """Report ever better splines to `progress`, until the relative gap is at most tol.

    Parameters
    ----------
    line : data with a loss that has a box.
    lam : positive.
    tol : the relative gap to reach.
    start : knots near the optimum, if some are known: they are candidates.
    """
    line = _in_range(line)
    rows, m = boxes(line, lam), len(line.sites)
    candidates = np.arange(m) if m <= FEW_SITES else every(BLOCK_SITES, m)
    if start is not None and m > FEW_SITES:
        candidates = union(candidates, around(_bending(line, start), m))
    band = Band.all(len(line.t))
    if start is not None:
        band, _ = band.around(rows, line.spline(start))
    accuracy = max(1e-4, 0.3 * tol) if m > FEW_SITES else MARGIN * tol
    knots = start or Knots.none()
    for _ in range(MAX_ROUNDS):
        solved = candidates
        theta = between(line.sites, knots.nodes(m), knots.theta)
        point, band = band.solved(line, lam, rows, candidates, accuracy, theta[candidates])
        eta = line.certificate(point.u)
        dense = Knots(candidates[1:-1], np.sign(point.eta), point.theta)
        z = line.spline(dense)
        _report(progress, line, lam, dense, z, point.u, eta)
        gap = progress.gap
        active, signs = complementary(point.under, point.over, point.eta, lam)
        knots = Knots(candidates[active], signs, point.theta[np.concatenate([[0], active, [-1]])])
        joining = np.setdiff1d(around(violators(eta, lam, knots.nodes(m)), m), candidates)
        band, crossed = band.around(rows, z)
        if gap <= tol or not (len(joining) or crossed):
            rough = gap <= tol and tol >= ROUGH
            if rough and m > FEW_SITES:  # predictions from few rows would feel what bends too much
                return
            if rough or accuracy <= MARGIN * tol:
                break
            accuracy = MARGIN * tol
            continue
        candidates = union(candidates, joining)
        if len(candidates) > m / DENSE_SITES:
            candidates = np.arange(m)
        accuracy = max(MARGIN * tol, min(accuracy, 0.01 * gap))
    _multipliers(line, lam, solved, point, knots, tol, progress)


@dataclass(frozen=True)
class Band:
    """The rows near the spline. Of the others it is known on which side they lie: their dual vector is at a bound.

    Attributes
    ----------
    near : whether a row may lie on its kink, shape (n,).
    above : whether it lies above the spline, where it is not near.
    """

    near: Array
    above: Array

    @classmethod
    def all(cls, n: int) -> Band:
        """All n rows."""
        return cls(np.ones(n, dtype=bool), np.ones(n, dtype=bool))

    def solved(
        self, line: Line, lam: float, rows: Rows, candidates: Array, accuracy: float, theta: Array
    ) -> tuple[Point, Band]:
        """The interior point's answer, with the dual vector and multipliers of all rows, and the band it is for."""
        first = line.rows(candidates)
        if self.near.all():
            return Interior(line.sites[candidates], lam, rows, first).solve(theta, accuracy), self
        near = self.near.copy()
        near[first] = True  # no interval is empty
        where = np.flatnonzero(near)
        u = np.where(self.above, rows.high, rows.low)
        fixed = np.where(near, 0.0, u)
        linear = float(fixed @ rows.y), line.moments(np.zeros_like(u), fixed, candidates).load
        few = Rows(*(part[where] for part in vars(rows).values()))
        interior = Interior(line.sites[candidates], lam, few, np.searchsorted(where, first), linear)
        point = interior.solve(theta, accuracy)
        if not interior.converged:  # too many rows were given a side: the objective may have no minimum
            return self.all(len(u)).solved(line, lam, rows, candidates, accuracy, theta)
        residual = rows.y - line.fit(candidates, point.theta)
        below, above = np.maximum(-residual, 0.0), np.maximum(residual, 0.0)
        u[where], below[where], above[where] = point.u, point.below, point.above
        return replace(point, u=u, below=below, above=above), self

    def around(self, rows: Rows, z: Array) -> tuple[Band, bool]:
        """The band for the next round, after a fit z; and whether rows lie on another side than they should."""
        n, residual = len(z), rows.y - z
        crossed = ~self.near & (self.above != (residual > 0.0))
        if not self.near.all() or n <= FEW_SITES or (rows.bend > 0.0).any():
            return replace(self, near=self.near | crossed), bool(crossed.any())
        size = np.abs(residual)
        return Band(size <= np.partition(size, n // NEAR)[n // NEAR], residual > 0.0), False


def _bending(line: Line, knots: Knots) -> Array:
    """The knots of an interior point's spline that bend; the others do so only because it has no exact zeros."""
    size = np.abs(kinks(line.sites[knots.nodes(len(line.sites))], knots.theta))
    return knots.active[size > BENDS * size.max(initial=0.0)]


def complementary(under: Array, over: Array, eta: Array, lam: float) -> tuple[Array, Array]:
    """Nodes whose kink outweighs their slack, relatively, and the signs of their kinks."""
    size = np.maximum(under, over)
    active = 1 + np.flatnonzero(size > (1.0 - np.abs(eta) / lam) * size.max(initial=0.0))
    return active, np.where(over > under, 1.0, -1.0)[active - 1]


def nearby_line(problem: Problem) -> Array | None:
    """Values of a line near the best one, for ReLU in one dimension and a loss with kinks; None elsewhere."""
    if problem.n_features > 1 or not isinstance(problem.activation, ReLU) or problem.n_outputs is not None:
        return None
    if problem.loss.box(problem.y[:1]) is None or len((line := Line.of(problem)).sites) < 2:
        return None
    return line.original(straight_fit(line))


def straight_fit(line: Line) -> Array:
    """Values of a best straight line at the sorted rows, to the accuracy of the interior point."""
    line, ends = _in_range(line), np.array([0, len(line.sites) - 1])
    point = Interior(line.sites[ends], 1.0, boxes(line), line.rows(ends)).solve(np.zeros(2), 1e-10)
    return line.fit(ends, point.theta)


def _stiffness(rows: Rows, u: Array, large: float, spread: float) -> Array:
    """rho: the multipliers converge the faster the larger it is; but rho times the rounding of z is that of u."""
    span = rows.high - rows.low
    most = 1e5 * float(np.abs(u).mean()) / spread if len(u) and spread > 0.0 else np.inf
    return span * min(1.0 / large, most / float(span.mean()))


def _report(progress: Progress, line: Line, lam: float, knots: Knots, z: Array, u: Array, eta: Array) -> None:
    progress.report(knots, u, line.objective(knots, z, lam), line.bound(u, float(np.abs(eta).max()) / lam))


def _multipliers(
    line: Line, lam: float, candidates: Array, point: Point, start: Knots, tol: float, progress: Progress
) -> None:
    """From the interior point's answer to one with exact zeros."""
    rows = boxes(line, lam)
    residual = rows.y - line.fit(candidates, point.theta)
    bent = bool((rows.bend > 0.0).any())
    slack = np.minimum(point.u - rows.low, rows.high - point.u) / (rows.high - rows.low)
    weight = np.maximum(point.below, point.above)
    # What counts as a large residual; where nearly all are zero, a small part of the spread of y.
    spread = float(rows.y.std())
    large = max(float(np.abs(residual).mean()), 1e-6 * spread, 1e-300)
    inner = slack * large > weight
    rho = 1.0 / rows.bend if bent else _stiffness(rows, point.u[inner], large, spread)
    curvature = np.where(inner, rho, 0.0)
    u = np.where(inner, point.u, np.where(residual > 0.0, rows.high, rows.low))
    knots = Knots(np.searchsorted(candidates, start.active), start.signs, start.theta)
    best, settled = np.inf, not bent
    for _ in range(MAX_STEPS):
        target = curvature * rows.y + (np.where(inner, 0.0, u) if bent else u)
        knots = active_set(line.moments(curvature, target, candidates), lam, knots)
        spline = Knots(candidates[knots.active], knots.signs, knots.theta)
        z = line.spline(spline)
        u = target - curvature * z
        objective = line.objective(spline, z, lam)
        inside = np.clip(u, rows.low, rows.high)
        _report(progress, line, lam, spline, z, inside, line.certificate(inside))
        if bent:  # rows may have changed their piece
            r = rows.y - z
            previous, inner = inner, np.abs(r) <= rows.bend * rows.high
            settled = bool((inner == previous).all())
            curvature, u = np.where(inner, rho, 0.0), np.where(inner, u, np.where(r > 0.0, rows.high, rows.low))
        if settled and (objective >= best * (1.0 - 1e-14) or progress.gap <= 0.01 * tol):
            break
        best = objective
