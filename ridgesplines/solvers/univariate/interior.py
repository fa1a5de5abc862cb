r"""A spline on given nodes, by a banded primal-dual interior point.

.. math:: \min_\theta \; \sum_n \varphi_n((B\theta)_n) + \lambda \sum_k |(C\theta)_k|, \qquad
          \varphi_n(z) = \max_{l_n \le u_n \le h_n} u_n (y_n - z) - c_n u_n^2 / 2

Losses that are piecewise linear or quadratic have this form: their dual vector u has bounds. So has the penalty:
:math:`\lambda |a| = \max_{|\eta| \le \lambda} \eta a`. The method follows the points at which every bound's slack times
its multiplier is :math:`\mu`, to :math:`\mu = 0`. A step solves one system in the values and the certificate at the
nodes, which alternate, so that the matrix has three bands on either side. (Eliminating the certificate would leave
fewer, and square the condition number, which uneven x does not survive.) Steps are Mehrotra's [1]_.

References
----------
.. [1] S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992),
   doi:10.1137/0802028
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ridgesplines.interrupt import check
from ridgesplines.line import boxes, kernels, saddle
from ridgesplines.line.boxes import Bounded, Look, Rows
from ridgesplines.line.kernels import kinks_transposed
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.validation import Array

MAX_ITERATIONS = 100
#: The central path is begun at so many times the mu at which complementarity is the objective. Nearer to its end
#: most rows are at bounds that some of them have to leave, and steps are short.
FAR = 100.0


@dataclass
class Point:
    """An iterate: values at the nodes, certificate at the inner nodes, dual vector, and a multiplier for each bound.

    `below` and `above` belong to u, `under` and `over` to eta.
    """

    theta: Array
    eta: Array
    u: Array
    below: Array
    above: Array
    under: Array
    over: Array

    @property
    def at_rows(self) -> Bounded:
        """What belongs to the rows."""
        return Bounded(self.u, self.below, self.above)


class Seen(NamedTuple):
    """What an iterate is off by.

    Attributes
    ----------
    rows : what it is at the rows.
    kinks, bends : C theta, and what the equations for the kinks are off by.
    stationarity : of the equations for the values.
    slacks : of eta, to -lam and to lam.
    """

    rows: Look
    kinks: Array
    bends: Array
    stationarity: Array
    slacks: tuple[Array, Array]


class Interior:
    """The problem on some nodes; `solve` follows the central path.

    Parameters
    ----------
    t : the nodes, increasing, shape (c,).
    lam : positive.
    rows : the terms phi_n.
    first : the row with which each interval begins.
    linear : (constant, load) of further terms, constant - load @ theta; none by default.
    """

    def __init__(
        self, t: Array, lam: float, rows: Rows, first: Array, linear: tuple[float, Array] | None = None
    ) -> None:
        self.t, self.lam, self.rows, self.first = t, lam, rows, first
        self.constant, self.load = linear or (0.0, np.zeros_like(t))
        self.converged = False

    def start(self, theta: Array) -> Point:
        """Values theta, and all else as on the central path for these residuals and kinks, far from its end."""
        rows, lam = self.rows, self.lam
        residual, a = rows.y - kernels.values(rows.t, self.t, self.first, theta), kinks(self.t, theta)
        size = np.maximum(rows.high * residual, rows.low * residual).sum() + lam * np.abs(a).sum()
        mu = FAR * max(float(size), 1e-8) / (2.0 * (len(residual) + len(a)))
        below, above = _central(residual, rows.high - rows.low, mu)
        under, over = _central(a, 2.0 * lam, mu)
        return Point(theta, mu / under - lam, rows.low + mu / below, below, above, under, over)

    def solve(self, theta: Array, tol: float) -> Point:
        """Follow the central path from values theta until the complementarity is below tol times the objective."""
        with np.errstate(all="ignore"):  # at the end of the path slacks may round to zero: the best point is kept
            return self._follow(self.start(theta), tol)

    def _follow(self, p: Point, tol: float) -> Point:
        best, best_error = Point(**vars(p)), np.inf
        for _ in range(MAX_ITERATIONS):
            check()
            seen = self._seen(p)
            gap = seen.rows.complementarity + float(seen.slacks[0] @ p.under) + float(seen.slacks[1] @ p.over)
            mu = gap / self._bounds
            objective, error = self._measure(p, gap, seen)
            if error < best_error:
                best, best_error = Point(**vars(p)), error
            self.converged |= error <= tol
            if error <= tol or not np.isfinite(objective) or mu <= 1e-18 * objective or not error <= 1e6 * best_error:
                break
            self._step(p, seen, mu)
        return best

    @property
    def _bounds(self) -> int:
        """How many there are."""
        return 2 * (len(self.rows.t) + len(self.t) - 2)

    def _seen(self, p: Point) -> Seen:
        rows, a = boxes.look(self.rows, p.at_rows, self.t, self.first, p.theta), kinks(self.t, p.theta)
        stationarity = _at_nodes(rows.tested) + self.load - kinks_transposed(self.t, p.eta)
        return Seen(rows, a, a - p.over + p.under, stationarity, (self.lam + p.eta, self.lam - p.eta))

    def _measure(self, p: Point, gap: float, seen: Seen) -> tuple[float, float]:
        """The objective, and complementarity and residuals relative to it."""
        loss = seen.rows.loss + self.constant - float(self.load @ p.theta)
        objective = abs(loss) + self.lam * float(np.abs(seen.kinks).sum())
        wander = float(np.abs(seen.stationarity).sum()) * float(np.abs(p.theta).max())
        infeasible = self.lam * float(np.abs(seen.bends).sum()) + seen.rows.infeasible
        return objective, (gap + wander + infeasible) / max(objective, 1e-300)

    def _step(self, p: Point, seen: Seen, mu: float) -> None:
        """Mehrotra's predictor and corrector, in place."""
        at, nodes, s, d = p.at_rows, (self.t, self.first), seen.slacks, (p.under, p.over)
        factor = saddle.factorised(self.t, seen.rows.grams, d[0] / s[0] + d[1] / s[1])
        right = seen.stationarity + _at_nodes(seen.rows.load)
        dtheta, deta = saddle.solved(factor, right, -seen.bends - p.over + p.under)
        there = boxes.predicted(self.rows, at, seen.rows, *nodes, dtheta)
        dd = -p.under - p.under / s[0] * deta, -p.over + p.over / s[1] * deta
        slack = min(1.0, _room(there.steepest[0], s, (deta, -deta)))
        multiplier = min(1.0, _room(there.steepest[1], d, dd))
        of_multiplier, of_slack, of_both = there.products
        of_multiplier += float(s[0] @ dd[0]) + float(s[1] @ dd[1])
        of_slack += float(deta @ (p.under - p.over))
        of_both += float(deta @ (dd[0] - dd[1]))
        after = mu * self._bounds + multiplier * of_multiplier + slack * of_slack + slack * multiplier * of_both
        centre = (after / (mu * self._bounds)) ** 3 * mu
        low, high, load = boxes.centred(self.rows, at, seen.rows, there.du, centre, *nodes)
        under, over = centre / s[0] - p.under - deta * dd[0] / s[0], centre / s[1] - p.over + deta * dd[1] / s[1]
        dtheta, deta = saddle.solved(factor, seen.stationarity + _at_nodes(load), -seen.bends + over - under)
        moves, steepest = boxes.corrected(self.rows, at, seen.rows, low, high, *nodes, dtheta)
        dd = under - p.under / s[0] * deta, over + p.over / s[1] * deta
        # One length for all: theta stands on both sides where the problem is quadratic.
        step = min(1.0, 0.995 * min(1e9, _room(steepest[0], s, (deta, -deta)), _room(steepest[1], d, dd)))
        p.theta, p.eta = p.theta + step * dtheta, p.eta + step * deta
        p.u, p.below, p.above = (value + step * move for value, move in zip(at, moves, strict=True))
        p.under, p.over = p.under + step * dd[0], p.over + step * dd[1]


def _central(difference: Array, span: Array | float, mu: float) -> tuple[Array, Array]:
    """Multipliers of both ends of an interval, whose difference is given, and whose product with their slack is mu."""
    size = np.abs(difference)
    small = (2.0 * mu - span * size + np.hypot(span * size, 2.0 * mu)) / (2.0 * span)
    small = mu * (1.0 + small / (size + small)) / span  # the same, without what the difference rounds
    up = difference > 0.0
    return np.where(up, small, small + size), np.where(up, small + size, small)


def _at_nodes(parts: Array) -> Array:
    """The sum over both intervals of each node, from the linear parts of the intervals' moments."""
    load = np.zeros(parts.shape[1] + 1)
    load[:-1] = parts[0]
    load[1:] += parts[1]
    return load


def _room(steepest: float, values: tuple[Array, Array], changes: tuple[Array, Array]) -> float:
    """The longest step that keeps all values, which are positive, from falling below zero.

    `steepest` is the largest fall, relative to the value, of others.
    """
    falls = ((-change / value).max(initial=-np.inf) for value, change in zip(values, changes, strict=True))
    steepest = max(steepest, *map(float, falls))
    return 1.0 / steepest if steepest > 0.0 else np.inf
