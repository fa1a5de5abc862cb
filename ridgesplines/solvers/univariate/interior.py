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
from scipy.linalg import lapack

from ridgesplines.interrupt import check
from ridgesplines.line import kernels
from ridgesplines.line.kernels import kinks_transposed
from ridgesplines.solvers.univariate.moments import Moments, kinks
from ridgesplines.validation import Array

MAX_ITERATIONS = 100
#: The central path is begun at so many times the mu at which complementarity is the objective. Nearer to its end
#: most rows are at bounds that some of them have to leave, and steps are short.
FAR = 100.0


@dataclass(frozen=True)
class Rows:
    """The terms phi_n: sorted points t, targets y, curvatures c >= 0 of the dual, bounds low < high; shapes (n,)."""

    t: Array
    y: Array
    bend: Array
    low: Array
    high: Array


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


class Residuals(NamedTuple):
    """What an iterate is off by.

    Attributes
    ----------
    data, kinks : y - B theta, and C theta.
    stationarity, rows, bends : of the equations for the values, for the terms, and for the kinks.
    """

    data: Array
    kinks: Array
    stationarity: Array
    rows: Array
    bends: Array


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
        h = np.diff(t)
        self.rise = 1.0 / h
        self.unit = np.minimum(h[:-1], h[1:])  # rows of C are multiplied by it: entries of size one
        self.places = _places(len(t))

    def fit(self, theta: Array) -> Array:
        """B theta."""
        return kernels.values(self.rows.t, self.t, self.first, theta)

    def weighted(self, weight: Array, load: Array) -> Moments:
        """Moments with B^T diag(weight) B, and B^T load."""
        return Moments.at(self.rows.t, weight, load, self.t, self.first)

    def start(self, theta: Array) -> Point:
        """Values theta, and all else as on the central path for these residuals and kinks, far from its end."""
        rows, lam = self.rows, self.lam
        residual, a = rows.y - self.fit(theta), kinks(self.t, theta)
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
            slacks = p.u - self.rows.low, self.rows.high - p.u, self.lam + p.eta, self.lam - p.eta
            duals = p.below, p.above, p.under, p.over
            gap = sum(float(s @ d) for s, d in zip(slacks, duals, strict=True))
            mu = gap / sum(map(len, slacks))
            off = self._residuals(p)
            objective, error = self._measure(p, gap, off)
            if error < best_error:
                best, best_error = Point(**vars(p)), error
            self.converged |= error <= tol
            if error <= tol or not np.isfinite(objective) or mu <= 1e-18 * objective or not error <= 1e6 * best_error:
                break
            self._step(p, slacks, duals, mu, off)
        return best

    def _residuals(self, p: Point) -> Residuals:
        rows, a, r = self.rows, kinks(self.t, p.theta), self.rows.y - self.fit(p.theta)
        tested = self.weighted(np.zeros_like(p.u), p.u).load
        stationarity = tested + self.load - kinks_transposed(self.t, p.eta)
        return Residuals(r, a, stationarity, r - rows.bend * p.u - p.above + p.below, a - p.over + p.under)

    def _measure(self, p: Point, gap: float, off: Residuals) -> tuple[float, float]:
        """The objective, and complementarity and residuals relative to it."""
        rows, a, r = self.rows, off.kinks, off.data
        u = np.clip(
            np.divide(r, rows.bend, out=np.where(r > 0.0, np.inf, -np.inf), where=rows.bend > 0.0), rows.low, rows.high
        )
        loss = float((u * r - 0.5 * rows.bend * u * u).sum()) + self.constant - float(self.load @ p.theta)
        objective = abs(loss) + self.lam * float(np.abs(a).sum())
        wander = float(np.abs(off.stationarity).sum()) * float(np.abs(p.theta).max())
        infeasible = float(np.abs(self.lam * off.bends).sum())
        infeasible += float(np.abs(p.u * off.rows).sum())
        return objective, (gap + wander + infeasible) / max(objective, 1e-300)

    def _step(self, p: Point, slacks: tuple[Array, ...], duals: tuple[Array, ...], mu: float, off: Residuals) -> None:
        """Mehrotra's predictor and corrector, in place."""
        rows = self.rows
        W = 1.0 / (rows.bend + p.below / slacks[0] + p.above / slacks[1])
        V = p.under / slacks[2] + p.over / slacks[3]
        factor = self._factorised(W, V)

        def direction(goals: list[Array]) -> tuple[list[Array], list[Array]]:
            # goals: what slack * change of multiplier + multiplier * change of slack shall be
            g = [goal / s for goal, s in zip(goals, slacks, strict=True)]
            rho = off.rows - g[1] + g[0]
            kappa = -off.bends + g[3] - g[2]
            dtheta, deta = self._solved(factor, off.stationarity + self.weighted(W, W * rho).load, kappa)
            du = W * (rho - self.fit(dtheta))
            dslacks = [du, -du, deta, -deta]
            dduals = [gi - d / s * ds for gi, d, s, ds in zip(g, duals, slacks, dslacks, strict=True)]
            return [dtheta, deta, du, *dslacks], dduals

        moves, dduals = direction([-s * d for s, d in zip(slacks, duals, strict=True)])
        ap, ad = _room(slacks, moves[3:]), _room(duals, dduals)
        after = sum(
            float((s + ap * ds) @ (d + ad * dd)) for s, ds, d, dd in zip(slacks, moves[3:], duals, dduals, strict=True)
        )
        centre = (after / (mu * sum(map(len, slacks)))) ** 3 * mu
        goals = [centre - s * d - ds * dd for s, d, ds, dd in zip(slacks, duals, moves[3:], dduals, strict=True)]
        moves, dduals = direction(goals)
        # One length for all: theta stands on both sides where the problem is quadratic.
        step = min(1.0, 0.995 * min(_room(slacks, moves[3:], 1e9), _room(duals, dduals, 1e9)))
        p.theta, p.eta, p.u = p.theta + step * moves[0], p.eta + step * moves[1], p.u + step * moves[2]
        p.below, p.above, p.under, p.over = (d + step * dd for d, dd in zip(duals, dduals, strict=True))

    def _factorised(self, W: Array, V: Array) -> tuple[Array, Array]:
        """LU of the system in (theta_0, theta_1, eta_1, theta_2, eta_2, ...)."""
        rows = self.weighted(W, np.zeros_like(W))
        diagonal, beside = rows.bands
        c, (where, which) = len(diagonal), self.places
        band = np.zeros((10, 2 * c - 2), order="F")  # LAPACK's layout: entry (i, j) in row 6 + i - j
        band[6, where] = diagonal
        _put(band, where[:-1], where[1:], beside)
        left, right = self.unit * self.rise[:-1], self.unit * self.rise[1:]
        _put(band, where[:-2], which, left)
        _put(band, where[1:-1], which, -left - right)
        _put(band, where[2:], which, right)
        band[6, which] = -self.unit * V * self.unit
        lu, pivots, _ = lapack.dgbtrf(band, 3, 3, overwrite_ab=True)
        return lu, pivots

    def _solved(self, factor: tuple[Array, Array], right: Array, kappa: Array) -> tuple[Array, Array]:
        where, which = self.places
        b = np.empty(2 * len(right) - 2)
        b[where], b[which] = right, self.unit * kappa
        x, _ = lapack.dgbtrs(factor[0], 3, 3, b, factor[1])
        return x[where], self.unit * x[which]


def _central(difference: Array, span: Array | float, mu: float) -> tuple[Array, Array]:
    """Multipliers of both ends of an interval, whose difference is given, and whose product with their slack is mu."""
    size = np.abs(difference)
    small = (2.0 * mu - span * size + np.hypot(span * size, 2.0 * mu)) / (2.0 * span)
    small = mu * (1.0 + small / (size + small)) / span  # the same, without what the difference rounds
    up = difference > 0.0
    return np.where(up, small, small + size), np.where(up, small + size, small)


def _places(c: int) -> tuple[Array, Array]:
    """The places of the values and of the certificate among the unknowns."""
    where = np.concatenate([[0], 2 * np.arange(1, c) - 1])
    return where, where[1:-1] + 1


def _put(band: Array, i: Array, j: Array, entries: Array) -> None:
    """Symmetric entries (i, j) and (j, i)."""
    band[6 + i - j, j] = entries
    band[6 + j - i, i] = entries


def _room(values: tuple[Array, ...], changes: list[Array], most: float = 1.0) -> float:
    """The longest step up to `most` that keeps all values, which are positive, from falling below zero."""
    steepest = max(
        (float((-change / value).max()) for value, change in zip(values, changes, strict=True) if len(value))
    )
    return min(most, 1.0 / steepest) if steepest > 0.0 else most
