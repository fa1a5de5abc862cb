r"""The proof, by the certificate, that there is one minimiser only: in one dimension, and with its help in the plane.

Every minimiser bends only where :math:`|\eta^*| = \lambda`, in the sense that the sign of :math:`\eta^*` says, for the
optimal dual vector :math:`u^*`. If no two neighbouring sites with contact of one sign stand side by side, all
minimisers have their knots at these sites; and if the loss fixes their values at enough data between those knots, they
are one (the condition of Schoenberg and Whitney [1]_).

For a smooth loss, whose curvature is at most M (for counts, at most :math:`M_n` between the fits of both), a gap g
bounds the distance of the given dual vector from the optimal one, :math:`\sum_n (u_n - u_n^*)^2 / (s_n M_n) \le 2g`,
and so that of :math:`\eta`.

References
----------
.. [1] I. J. Schoenberg, A. Whitney, On Polya frequency functions III, Trans. Amer. Math. Soc. 74 (1953),
   doi:10.1090/S0002-9947-1953-0053177-X
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.long_dual import LongDual, long_eta
from ridgesplines.certificate.uniqueness_in_plane import Known, leave_one_in_plane
from ridgesplines.line import kernels
from ridgesplines.objective import relative
from ridgesplines.problem import Problem
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: For losses whose dual vector the gap does not bound: contact, and the edge of an interval, within this, relatively.
CONTACT_RTOL = 1e-6
#: Contact within rounding, relatively.
ROUNDING_RTOL = 1e-12


@dataclass(frozen=True)
class Contacts:
    """What a certificate leaves open: where minimisers may bend, and which data fix their values.

    sites : the distinct data, in order, less the first one's place, shape (M,).
    sign : of the bends that are possible there, in {-1, 0, 1}; 0 where no minimiser bends. Shape (M,).
    rows : the first row of `problem.reduced` at each site, shape (M,).
    settled : the rows of `problem.reduced` in which all minimisers have one value, shape (N,), booleans.
    slopes : :math:`u_n / s_n`, how steeply each row's loss falls, shape (N,).
    """

    sites: Array
    sign: Array
    rows: Array
    settled: Array
    slopes: Array

    @property
    def settled_sites(self) -> Array:
        """The sites in which all minimisers have one value, shape (M,), booleans."""
        return np.logical_or.reduceat(self.settled, self.rows)

    @property
    def leave_one(self) -> bool:
        """Whether there is one minimiser only."""
        apart = (self.sign[1:] * self.sign[:-1] <= 0.0).all()
        x = self.sites
        return bool(apart) and _determined(x[self.sign != 0.0], x[self.settled_sites], float(x[-1]))


def proves_unique(problem: Problem, certificate: DualCertificate, gap: float) -> bool:
    """Whether no other function is a minimiser; d = 1 or 2, ReLU, scalar, and an exact scope.

    Parameters
    ----------
    problem, certificate : of a solution.
    gap : its gap, not relative.
    """
    if problem.n_features == 2:
        known = _known_in_plane(problem, certificate, gap)
        return known is not None and leave_one_in_plane(known)
    found = contacts(problem, certificate, gap)
    return found is not None and found.leave_one


def contacts(problem: Problem, certificate: DualCertificate, gap: float) -> Contacts | None:
    """What the certificate leaves open, None where it does not say: see :func:`proves_unique`; d = 1."""
    if problem.n_features > 1 or not _characterised(problem, certificate):
        return None
    p = problem.reduced
    x, s, y = p.X[:, 0] - p.X[0, 0], p.sample_weight, p.y
    u, low = certificate.scaled(problem.rows)
    lam = p.lam if p.scales is None else p.lam * float(p.scales[0])  # of a neuron with |w| = 1
    near = _near(problem, certificate, gap, u)
    if near is None:
        return None
    wander, metric = near
    error = np.full(len(x), CONTACT_RTOL * lam) if metric is None else np.sqrt(2.0 * gap) * _lever(x, metric)
    eta = kernels.certificate(x, u) if low is None else long_eta(p.X[:, 0], LongDual(u, low)).eta
    touched = np.abs(eta) >= lam * (1.0 - ROUNDING_RTOL) - error
    rows = np.flatnonzero(np.append(True, np.diff(x) > 0.0))
    sign = np.where(np.maximum.reduceat(touched, rows), np.sign(eta[rows]), 0.0)
    sign[[0, -1]] = 0.0
    return Contacts(x[rows], sign, rows, p.loss.settles(y, -u / s, wander / s), u / s)


def _characterised(problem: Problem, certificate: DualCertificate) -> bool:
    """Whether contacts are where minimisers may bend, and the certificate knows all of them."""
    if not isinstance(problem.activation, ReLU) or problem.slope_penalty or problem.n_outputs is not None:
        return False
    if problem.norm or problem.penalise_bias:
        return False
    return not problem.constraints and certificate.scope is Scope.EXACT


def _near(problem: Problem, certificate: DualCertificate, gap: float, u: Array) -> tuple[Array, Array | None] | None:
    """How far the optimal dual vector may be from u in each row, and the weights of a norm in which it is within
    sqrt(2 gap); no norm where it is taken to be u, for losses with kinks. None where the gap is too large for that.
    """
    p = problem.reduced
    steepest = p.loss.steepest(p.y, -u / p.sample_weight, gap / p.sample_weight)
    if steepest is not None:
        metric = steepest * p.sample_weight
        return np.sqrt(2.0 * gap * metric), metric
    if relative(problem, gap, certificate.value) > CONTACT_RTOL:
        return None
    return CONTACT_RTOL * p.sample_weight, None


def _known_in_plane(problem: Problem, certificate: DualCertificate, gap: float) -> Known | None:
    """What the certificate leaves open in the plane; None where it does not say, or the data are on a line."""
    p = problem.reduced
    if not _characterised(problem, certificate) or problem.interactions is not None or p.rank < 3:
        return None
    u = certificate.scale * certificate.dual[problem.rows]
    near = _near(problem, certificate, gap, u)
    if near is None:
        return None
    wander, metric = near
    points, place = np.unique(p.X - p.origin, axis=0, return_inverse=True)

    def total(values: Array) -> Array:
        return np.bincount(place.ravel(), values, len(points))

    smooth = metric is not None
    return Known(
        points,
        total(u),
        np.sqrt(2.0 * gap * total(metric)) if metric is not None else total(wander),
        total(metric) if metric is not None else np.zeros(len(points)),
        np.sqrt(2.0 * gap),
        ROUNDING_RTOL if smooth else CONTACT_RTOL,
        p.lam,
        total(p.loss.settles(p.y, -u / p.sample_weight, wander / p.sample_weight).astype(float)) > 0.0,
    )


def _lever(x: Array, weight: Array) -> Array:
    """The norm of rho(x_n - t) in the metric of the weights at every t = x_m, from the nearer side."""
    right = _second_moments(x, weight)
    left = _second_moments(-x[::-1], weight[::-1])[::-1]
    return np.sqrt(np.maximum(np.minimum(left, right), 0.0))


def _second_moments(x: Array, weight: Array) -> Array:
    """sum over x_n > t of weight_n (x_n - t)^2 at every t = x_m, an upper bound."""
    mass, moment, square = (np.cumsum((weight * (x[-1] - x) ** k)[::-1])[::-1] for k in range(3))
    h = x[-1] - x  # with d_n = x_last - x_n: (x_n - t)^2 = (h - d_n)^2
    return (mass * h**2 - 2.0 * moment * h + square) * (1.0 + 1e-12) + 1e-12 * mass * h**2


def _determined(knots: Array, points: Array, end: float) -> bool:
    """Whether values at the points fix a spline with these knots on [0, end]: each hat function gets a point."""
    nodes = np.concatenate([[-np.inf, 0.0], knots, [end, np.inf]])
    next_point = 0
    for left, right in zip(nodes[:-2], nodes[2:], strict=True):
        next_point = max(next_point, int(np.searchsorted(points, left, side="right")))
        if next_point == len(points) or points[next_point] >= right:
            return False
        next_point += 1
    return True
