r"""The sites at which an optimal spline may bend: the data and the fixed points.

The linear interpolant of f at these sites, extended straight beyond both ends, has the same values at the data and at
the fixed points and no larger a seminorm; its slopes are averages of those of f, so it satisfies every constraint that
f satisfies. A spline with knots at the *interior* sites is therefore optimal, and the problem is finite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    """

    at: Array
    rows: Array
    points: Array
    alone: bool

    @classmethod
    def of(cls, problem: Problem) -> Sites:
        """For a problem in scaled units, without rows of weight zero."""
        x, p = problem.X[:, 0], np.array(problem.constraint.points)
        at = distinct(np.concatenate([x, p]))
        alone = len(at) == 1
        if alone:
            at = np.array([at[0], at[0] + 1.0])
        where = [np.searchsorted(at, q + TIE, side="right") - 1 for q in (x, p)]
        return cls(at, where[0], where[1], alone)

    @property
    def widths(self) -> Array:
        """The widths of the K - 1 intervals between sites."""
        return np.diff(self.at)

    def masses(self, u: Array, nu: Array) -> Array:
        """The sums of the multipliers of the data and of the fixed points at each site, shape (K,)."""
        k = len(self.at)
        return np.bincount(self.rows, u, k) + np.bincount(self.points, nu, k)

    def eta(self, masses: Array) -> Array:
        r""":math:`\sum_j q_j \rho(s_j - s_k)` for the masses q, shape (K,); zero at the last site."""
        beyond = np.cumsum(masses[::-1])[::-1][1:]
        return np.append(np.cumsum((self.widths * beyond)[::-1])[::-1], 0.0)
