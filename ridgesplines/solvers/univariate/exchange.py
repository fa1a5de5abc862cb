r"""Squared error at any size: the exchange method.

The active-set method finds the optimum on few candidate knots fast; one pass over all sites then tells where
:math:`|\eta| \le \lambda` is violated. The worst of every run of such sites joins the candidates, with its
neighbours, until the gap is small. A coarse start, on every 32nd site, brings the first candidates near the optimum;
knots that are known already join these. Where the knots turn out to be dense, all sites are candidates at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ridgesplines.line import kernels
from ridgesplines.line.cells import Cells
from ridgesplines.line.kernels import times
from ridgesplines.solvers.univariate.active_set import active_set
from ridgesplines.solvers.univariate.data import Line, Look
from ridgesplines.solvers.univariate.groups import group_set
from ridgesplines.solvers.univariate.knots import Knots
from ridgesplines.solvers.univariate.moments import Moments
from ridgesplines.validation import Array

BLOCK_SITES = 32
#: Where so many sites are more than this, a coarser problem finds their first knots; it has a site of eight of theirs.
COARSE_SITES, COARSER = 8192, 8
#: Up to this many sites, all of them are candidates.
FEW_SITES = 2048
MAX_ROUNDS = 60
#: A site violates the certificate where |eta| exceeds lam by more than this, relatively.
VIOLATION_RTOL = 1e-12
#: Where more than one in this many sites is a candidate, all sites are.
DENSE_SITES = 8


@dataclass(frozen=True)
class Quadratic:
    """sum_n H_n z_n^2 / 2 - b_n z_n over the rows of some data; H and b have shape (n,).

    For D outputs b has shape (n, D), and H may hold D x D matrices.
    """

    line: Line
    curvature: Array
    target: Array

    @property
    def cells(self) -> Cells | None:
        """Those of the line, where this is its own parabola."""
        return self.line.cells if self.line.loss.quadratic and self.target is self.line.parabola[1] else None

    def moments(self, nodes: Array) -> Moments:
        if (cells := self.cells) is not None:
            return Moments(self.line.t[nodes], *cells.moments(nodes))
        return self.line.moments(self.curvature, self.target, nodes)

    def dual(self, z: Array) -> Array:
        return self.target - times(self.curvature, z)

    def look(self, knots: Knots, level: float) -> Look:
        if self.line.loss.quadratic and self.target is self.line.parabola[1]:
            return self.line.squares(knots, level)
        z = self.line.spline(knots)
        return self.line.look(knots, z, self.dual(z), level)


#: (knots, what they are at the rows) -> whether the gap is small enough.
Enough = Callable[[Knots, Look], bool]
#: knots -> the sites that violate the certificate most, none where the gap is small enough; None where it takes a look
#: at all rows to know.
Glancing = Callable[[Knots], Array | None]


def exchange(
    quadratic: Quadratic,
    lam: float,
    start: Knots | None,
    enough: Enough,
    rounds: int = MAX_ROUNDS,
    glancing: Glancing = lambda knots: None,
) -> tuple[Knots, Look | None]:
    """Knots (their indices are sites), and what they are at the rows; None where nobody had to look at them all.

    Parameters
    ----------
    quadratic : the data.
    lam : positive.
    start : knots near the optimum; by default a coarse problem finds some. With them the coarse sites are candidates.
    enough : when to stop; asked once a round, of what is returned too.
    rounds : the most rounds.
    glancing : what spares a round the passes over all rows.
    """
    q, m = quadratic, len(quadratic.line.sites)
    if m <= FEW_SITES:
        candidates = np.arange(m)
    elif start is None:
        for step in _steps(m):
            nodes = every(step, m)
            start = on_candidates(q.moments(nodes), lam, nodes, start)
        assert start is not None
        candidates = around(start.active, m)
    else:
        candidates = union(every(BLOCK_SITES, m), around(start.active, m))
    while True:
        if len(candidates) > m / DENSE_SITES:
            candidates = np.arange(m)
        start = knots = on_candidates(q.moments(candidates), lam, candidates, start)
        nodes, rounds = knots.nodes(m), rounds - 1
        joining = glancing(knots) if rounds and len(candidates) < m else None
        if joining is None:
            look = q.look(knots, lam * (1.0 + VIOLATION_RTOL))
            joining = look.peaks
            if enough(knots, look) or len(candidates) == m or not len(joining) or not rounds:
                return knots, look
        elif not len(joining):
            return knots, None
        candidates = union(around(joining, m), nodes)


def _steps(m: int) -> list[int]:
    """Coarse problems, the coarsest first: the distances of their sites, each a multiple of the next."""
    steps = [BLOCK_SITES]
    while m > COARSE_SITES * steps[0]:
        steps.insert(0, COARSER * steps[0])
    return steps


def on_candidates(moments: Moments, lam: float, candidates: Array, start: Knots | None) -> Knots:
    """The optimum with knots among the candidates; they and the knots are indices of sites."""
    local = None
    if start is not None:
        local = Knots(np.searchsorted(candidates, start.active), start.signs, start.theta)
    knots = (active_set if moments.loads.ndim == 2 else group_set)(moments, lam, local)
    return Knots(candidates[knots.active], knots.signs, knots.theta)


def every(step: int, m: int) -> Array:
    """Every `step`-th of m sites, and the last."""
    return np.append(np.arange(0, m - 1, step), m - 1)


def around(sites: Array, m: int) -> Array:
    """The sites, their neighbours, and both ends."""
    return union(np.maximum(sites - 1, 0), sites, np.minimum(sites + 1, m - 1), np.array([0, m - 1]))


def union(*parts: Array) -> Array:
    """The union of some sites, sorted."""
    sites = np.sort(np.concatenate(parts))
    first = np.ones(len(sites), dtype=bool)
    first[1:] = sites[1:] > sites[:-1]
    return sites[first]


def violators(eta: Array, lam: float, nodes: Array) -> Array:
    """The sites between nodes where |eta| exceeds lam most, see `kernels.peaks`."""
    return kernels.peaks_between(eta, lam * (1.0 + VIOLATION_RTOL), nodes)[1]
