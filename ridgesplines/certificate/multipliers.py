r"""The multipliers of constraints, as a certificate shows them: what they add to :math:`\eta`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate.dual import levelled
from ridgesplines.certificate.violation import missed, slope_deficits
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import SUM, charged
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.validation import Array, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class ShapeMultipliers(ReadOnly):
    r"""The multipliers of shape constraints, which join u in :math:`\eta`; d = 1.

    Attributes
    ----------
    points, at_points : the sites whose values are fixed or have bounds, shape (H,), and nu, shape (H,): positive where
        the lower bound counts, negative where the upper one does.
    sites, slopes : the sites, increasing, shape (K,), and m, the multipliers of the mean slopes between them, shape
        (K - 1,): positive where the lower bound of the slope counts, negative where the upper one does.
    ends : those of the slopes towards minus and plus infinity, shape (2,).
    """

    points: Array
    at_points: Array
    sites: Array
    slopes: Array
    ends: Array

    def eta(self, W: Array, b: Array) -> Array:
        """Their part of eta at neurons w = +1 or -1, (K, 1), b (K,)."""
        w = W[:, 0]
        at_points = np.maximum(w[:, None] * self.points - b[:, None], 0.0) @ self.at_points
        knots = np.clip((w * b)[:, None], self.sites[:-1], self.sites[1:])
        beyond = (self.sites[1:] - knots) / np.diff(self.sites)  # the share of each interval to the right of the knot
        far = np.where(w > 0.0, self.ends[1], -self.ends[0])
        return at_points + far + np.where(w > 0.0, beyond @ self.slopes, (beyond - 1.0) @ self.slopes)

    def missed(self, problem: Problem, net: RidgeSpline, u: Array) -> float:
        """What they make of the distances by which a network misses the constraints, and of what rounds in u^T f."""
        f = net.at(problem.X)
        rounding = SUM * float(np.abs(u) @ np.abs(f - f.mean()))
        rounding += self._off_balance(problem, net, u)
        return rounding + missed(problem, net, self.points, self.at_points, np.append(self.slopes, self.ends))

    def _off_balance(self, problem: Problem, net: RidgeSpline, u: Array) -> float:
        """What is left, to rounding, of the mass, and of eta at the first site and at free knots, times what f and y
        make of it."""
        free = ~charged(problem, net)
        t = np.append(min(problem.X.min(), self.sites.min()), net.breakpoints[free])
        one = np.ones((len(t), 1))
        eta = eta_at(problem.X, u, one, t) + self.eta(one, t)
        reach = float(np.ptp(problem.y) + np.ptp(net.at(problem.X)))
        mass = abs(float(u.sum() + self.at_points.sum()))
        moment = float(np.abs(eta[0] + self.ends[0])) / (float(np.ptp(problem.X)) or np.inf)
        return reach * (mass + moment) + float(np.abs(eta[1:]) @ np.abs(net.amplitudes[free]))


@dataclass(frozen=True, eq=False)
class SlopeMultipliers(ReadOnly):
    r"""The multiplier of the slope where that is penalised: it joins u in :math:`\eta`.

    Attributes
    ----------
    X : the data, (N, d).
    dual : what makes u orthogonal to [1 X], (N,) or (N, D): -A X^T u, where A^T z is the slope of the affine function
        that is nearest to z. At an optimum X^T u is :math:`\mu c`.
    """

    X: Array
    dual: Array

    @classmethod
    def of(cls, problem: Problem, u: Array) -> SlopeMultipliers:
        """The multiplier that goes with a dual vector u, (N,) or (N, D)."""
        off = np.zeros_like(u)
        off[problem.rows] = levelled(problem.reduced, u[problem.rows]) - u[problem.rows]
        return cls(frozen(problem.X), frozen(off))

    def eta(self, W: Array, b: Array) -> Array:
        """Their part of eta at neurons W (K, d), b (K,)."""
        return eta_at(self.X, self.dual, W, b)

    def missed(self, problem: Problem, net: RidgeSpline, u: Array) -> float:
        """Nothing: the penalty is no constraint."""
        return 0.0


@dataclass(frozen=True, eq=False)
class CornerMultipliers(ReadOnly):
    r"""What the corners take over of u where the norm counts: rows and corners are orthogonal to [1 X].

    Attributes
    ----------
    points : the corners, the origin first, (d + 1, d).
    weights : theirs, (d + 1,) or (d + 1, D): :math:`\sum_n u_n (\sum_j x_{nj} - 1)`, then :math:`-\sum_n u_n x_{nj}`.
    moments : :math:`\sum_n u_n`, then :math:`\sum_n u_n x_{nj}`, none larger than lam at an optimum, (d + 1,) or
        (d + 1, D); for scales in their units.
    """

    points: Array
    weights: Array
    moments: Array

    @classmethod
    def of(cls, problem: Problem, u: Array) -> CornerMultipliers:
        """Those that go with a dual vector u, (N,) or (N, D), of a problem that has corners."""
        assert problem.corners is not None
        corners, X, u = problem.corners, problem.reduced.X, u[problem.rows]
        return cls(frozen(corners.points), frozen(corners.weights(X, u)), frozen(corners.moments(X, u)))

    def eta(self, W: Array, b: Array) -> Array:
        """Their part of eta at neurons W (K, d), b (K,)."""
        return eta_at(self.points, self.weights, W, b)

    def missed(self, problem: Problem, net: RidgeSpline, u: Array) -> float:
        """Nothing: the norm is no constraint."""
        return 0.0


@dataclass(frozen=True, eq=False)
class MonotoneMultipliers(ReadOnly):
    r"""The multipliers of features in which f must be monotone.

    .. math:: \mu_j = -s_j \sum_n u_n x_{nj} \ge 0, \qquad
              |\eta(w, b)| - \tfrac12 \sum_j \mu_j |w_j| \le \lambda, \qquad
              \eta(w, b) = \tfrac12 \sum_n u_n |w^T x_n - b|

    Attributes
    ----------
    signs : s, +1 or -1 where f must be monotone, 0 elsewhere, (d,).
    slopes : mu, (d,); zero where the slope is free to move.

    Two neurons of one such feature may share what they take: for b < b', half of
    :math:`s_j (\eta(e_j, b) - \eta(e_j, b'))` is at most :math:`\lambda` too.
    """

    signs: Array
    slopes: Array

    def eta(self, W: Array, b: Array) -> Array:
        r"""What makes :math:`\rho(t)` to :math:`|t|/2` in eta at neurons W (K, d)."""
        return 0.5 * (W @ (self.signs * self.slopes))

    def penalty(self, W: Array) -> Array:
        r""":math:`\frac12 \sum_j \mu_j |w_j|` at neurons W (K, d), which may be taken off :math:`|\eta|`."""
        return 0.5 * (np.abs(W) @ self.slopes)

    def missed(self, problem: Problem, net: RidgeSpline, u: Array) -> float:
        """What they make of the slopes that a network lacks, and of what rounds in u^T X; u (N,) in its rows."""
        rounding = SUM * (np.abs(self.signs) * np.abs(net.slope)) @ (np.abs(u) @ np.abs(problem.centred))
        return float(self.slopes @ np.maximum(slope_deficits(self.signs, net), 0.0) + rounding)
