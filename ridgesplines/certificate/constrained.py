r"""The lower bound that multipliers prove, by Lagrangian duality, whoever suggested them.

For a feasible f let :math:`\bar f'_j` be its mean slope between the sites :math:`s_j` and :math:`s_{j+1}`, which lies
within the bounds :math:`\ell` and :math:`h`. For any u, any :math:`\nu` and any m, positive only where :math:`\ell` is
finite and negative only where h is,

.. math:: \sum_n s_n L(y_n, f(x_n)) + \lambda \|D^2 f\|
          \;\ge\; D + \lambda \|D^2 f\| - \Big[\sum_n u_n f(x_n) + \sum_i \nu_i f(p_i) + \sum_j m_j \bar f'_j\Big],

.. math:: D = -\sum_n s_n L^*(y_n, -u_n/s_n) + \sum_i \nu_i v_i + \sum_j \ell\, m_j^+ - h\, m_j^-,

by Fenchel's inequality, since :math:`f(p_i) = v_i` and :math:`\ell m^+ - h m^- \le m \bar f'`. If the bracket vanishes
at 1 and at x, it equals :math:`\int \eta\, dD^2 f` with

.. math:: \eta(t) = \sum_n u_n \rho(x_n - t) + \sum_i \nu_i \rho(p_i - t)
                    + \sum_j m_j \frac{|[s_j, s_{j+1}] \cap [t, \infty)|}{s_{j+1} - s_j},

and D is a lower bound on the optimum as soon as :math:`\eta \le \lambda` where f may bend up and
:math:`\eta \ge -\lambda` where it may bend down. Mean slopes, rather than slopes at points, make :math:`\eta`
continuous and straight between the sites: its supremum is the largest value at a site, and exact.

Given u and :math:`\nu`, the best m follows by one scan: with c the part of :math:`\eta` that u and :math:`\nu` make up,
:math:`\eta - c` is a path from 0 at the last site to :math:`-c_0` at the first one whose steps are the m, and D falls
with its variation. The path that moves only when the band :math:`|\eta| \le \lambda` forces it to varies least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate.dual import best_factor
from ridgesplines.certificate.sites import Sites
from ridgesplines.constraints import Shape
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Multipliers of the fit, of the fixed values, and of the mean slopes between sites.

    Attributes
    ----------
    fit : u, shape (N,).
    points : nu, shape (F,).
    slopes : m, shape (K - 1,).
    """

    fit: Array
    points: Array
    slopes: Array

    def in_units_of(self, scaling: Scaling) -> Multipliers:
        """Multipliers of the scaled problem, in the units of the original one; u also for its rows of weight zero."""
        unit = scaling.factor / scaling.size
        return Multipliers(scaling.dual(self.fit), unit * self.points, unit * scaling.radius * self.slopes)

    def scaled(self, scaling: Scaling) -> Multipliers:
        """The inverse of `in_units_of`; zero where that lost everything, at lam = 0."""
        unit = scaling.size / scaling.factor if scaling.factor else 0.0
        return Multipliers(unit * self.fit[scaling.rows], unit * self.points, unit / scaling.radius * self.slopes)


@dataclass(frozen=True, eq=False)
class Bound:
    """The lower bound that multipliers prove.

    Attributes
    ----------
    multipliers : such that eta vanishes beyond the sites, with the signs that the constraints ask for.
    sup : the largest eta where f may bend up, or -eta where it may bend down.
    residual : how far the suggestion was from balance, relatively.
    scale : the factor, feasible, at which D is largest.
    value : D there: no feasible function has a smaller objective.
    """

    multipliers: Multipliers
    sup: float
    residual: float
    scale: float
    value: float


def best_bound(problem: Problem, sites: Sites, u: Array, nu: Array) -> Bound:
    """The bound from suggestions u (N,) and nu (F,), in scaled units."""
    multipliers, residual = completed(problem, sites, u, nu)
    u, nu, m = multipliers.fit, multipliers.points, multipliers.slopes
    sup = supremum(problem.constraint, eta_at_sites(sites, multipliers))
    linear = float(nu @ np.array(problem.constraint.values)) + _price(problem.constraint, m)

    def value(factor: float) -> float:
        conjugate = problem.loss.conjugate(problem.y, -factor * u / problem.sample_weight)
        return factor * linear - float(problem.sample_weight @ conjugate)

    most = problem.lam / sup if sup > 0.0 else 1.0
    if not _in_balance(sites, multipliers):
        most = 0.0  # no multiplier at all is always valid
    scale, best = best_factor(value, most, problem.loss.smooth)
    return Bound(multipliers, sup, residual, scale, best)


def supremum(shape: Shape, eta: Array) -> float:
    """The largest eta on the sides on which it counts; eta is zero at the ends."""
    up = float(eta.max()) if shape.bends_up else 0.0
    down = float(-eta.min()) if shape.bends_down else 0.0
    return max(up, down, 0.0)


def completed(problem: Problem, sites: Sites, u: Array, nu: Array) -> tuple[Multipliers, float]:
    """u and nu brought into the conjugate's domain and into balance, with the m that suits them best; and how far off
    balance they were.
    """
    shape, s = problem.constraint, problem.sample_weight
    size = float(np.abs(u).sum() + np.abs(nu).sum()) or 1.0
    imbalance = 0.0
    for attempt in range(4):
        u = -s * problem.loss.nearest(problem.y, -u / s)
        c = sites.eta(sites.masses(u, nu))
        # A bounded slope takes up the moment about the data; the part of it with the wrong sign must go.
        held = not _fits(shape, -c[0])
        off = abs(u.sum() + nu.sum()) + (abs(c[0]) if held else 0.0)
        imbalance = imbalance if attempt else off / size
        u, nu = balanced(problem, sites, u, nu, held)
    c = sites.eta(sites.masses(u, nu))
    return Multipliers(u, nu, _steps(shape, problem.lam, c)), imbalance


def _fits(shape: Shape, total: float) -> bool:
    """Whether multipliers of the slopes may add up to this."""
    return (total > 0.0 and np.isfinite(shape.slope_low)) or (total < 0.0 and np.isfinite(shape.slope_high))


def balanced(problem: Problem, sites: Sites, u: Array, nu: Array, moment: bool) -> tuple[Array, Array]:
    """u and nu with total mass zero and, if asked, no moment: the smallest change in the metric of u's room.

    Multipliers of fixed values are free to move, as far as the freest sample.
    """
    s = problem.sample_weight
    room = s * problem.loss.room(problem.y, -u / s)
    metric = np.append(room, np.full(len(nu), room.max() if len(nu) and room.max() > 0.0 else 1.0))
    at = sites.at[np.append(sites.rows, sites.points).astype(int)]
    rows = np.stack([np.ones_like(at), at])[: 2 if moment else 1]
    both = np.append(u, nu)
    both = both - metric * (np.linalg.lstsq((rows * metric) @ rows.T, rows @ both, rcond=1e-13)[0] @ rows)
    return both[: len(u)], both[len(u) :]


def eta_at_sites(sites: Sites, multipliers: Multipliers) -> Array:
    """eta at the sites, shape (K,)."""
    c = sites.eta(sites.masses(multipliers.fit, multipliers.points))
    return c + np.append(np.cumsum(multipliers.slopes[::-1])[::-1], 0.0)


def _in_balance(sites: Sites, multipliers: Multipliers) -> bool:
    """Whether the bracket vanishes at 1 and at x, to rounding."""
    u, nu, m = multipliers.fit, multipliers.points, multipliers.slopes
    size = np.linalg.norm(u) + np.linalg.norm(nu)
    reach = float(np.abs(sites.at - sites.at[0]).max())
    moment = sites.eta(sites.masses(u, nu))[0] + m.sum()
    return bool(max(abs(u.sum() + nu.sum()), abs(moment) / reach) <= 1e-11 * size + 1e-300)


def _steps(shape: Shape, lam: float, c: Array) -> Array:
    """m (K - 1,): the steps of the least varying path that keeps c + path within the band."""
    low, high = np.isfinite(shape.slope_low), np.isfinite(shape.slope_high)
    if not (low or high):
        return np.zeros(len(c) - 1)
    floor = (-lam if shape.bends_down else -np.inf) - c
    ceiling = (lam if shape.bends_up else np.inf) - c
    total = -c[0]
    path = np.zeros(len(c))
    if low and high:
        here = 0.0
        for k in range(len(c) - 2, 0, -1):
            here = path[k] = min(max(here, floor[k]), ceiling[k])
    elif low and total > 0.0:  # steps up only, from right to left, and no higher than it ends
        path[1:-1] = np.clip(np.maximum.accumulate(floor[-2:0:-1])[::-1], 0.0, total)
    elif high and total < 0.0:
        path[1:-1] = np.clip(np.minimum.accumulate(ceiling[-2:0:-1])[::-1], total, 0.0)
    else:
        return np.zeros(len(c) - 1)
    path[0] = total
    return -np.diff(path)


def _price(shape: Shape, m: Array) -> float:
    """The least of sum m_j slope_j over slopes within the bounds."""
    up, down = float(np.maximum(m, 0.0).sum()), float(np.maximum(-m, 0.0).sum())
    return (shape.slope_low * up if up else 0.0) - (shape.slope_high * down if down else 0.0)


def interpolating(problem: Problem, sites: Sites, slopes: Array) -> tuple[Array, Array]:
    """u and nu for Interpolation, where the slopes between sites are given.

    eta is lam times the sign of each bend at its knot, and straight in between; its second differences are u and nu.
    """
    eta = np.concatenate([[0.0], problem.lam * np.sign(np.diff(slopes)), [0.0]])
    masses = np.diff(np.concatenate([[0.0], np.diff(eta) / sites.widths, [0.0]]))
    # A fixed point on the data adds nothing to the sample there.
    return masses[sites.rows], np.where(np.isin(sites.points, sites.rows), 0.0, masses[sites.points])
