r"""The lower bound that multipliers prove, by Lagrangian duality, whoever suggested them.

For a feasible f let :math:`\bar f'_j` be its mean slope between the sites :math:`s_j` and :math:`s_{j+1}`, or far out
its limit, which lies within the bounds :math:`\ell_j` and :math:`h_j`; let the values at some sites :math:`p_i` lie
between :math:`a_i` and :math:`b_i`, which are equal at a fixed point. For any u, and any :math:`\nu` and m that are
positive only where the lower bound is finite, and negative only where the upper one is,

.. math:: \sum_n s_n L(y_n, f(x_n)) + \lambda \|D^2 f\|
          \;\ge\; D + \lambda \|D^2 f\| - \Big[\sum_n u_n f(x_n) + \sum_i \nu_i f(p_i) + \sum_j m_j \bar f'_j\Big],

.. math:: D = -\sum_n s_n L^*(y_n, -u_n/s_n) + \sum_i a_i \nu_i^+ - b_i \nu_i^- + \sum_j \ell_j m_j^+ - h_j m_j^-,

by Fenchel's inequality, since :math:`a \nu^+ - b \nu^- \le \nu f` and :math:`\ell m^+ - h m^- \le m \bar f'`. If the
bracket vanishes at 1 and at x, it equals :math:`\int \eta\, dD^2 f` with

.. math:: \eta(t) = \sum_n u_n \rho(x_n - t) + \sum_i \nu_i \rho(p_i - t)
                    + \sum_j m_j \frac{|[s_j, s_{j+1}] \cap [t, \infty)|}{s_{j+1} - s_j},

and D is a lower bound on the optimum as soon as :math:`\eta \le \lambda` where f may bend up and
:math:`\eta \ge -\lambda` where it may bend down. (At free knots, whose bends do not count in the norm, zero stands in
the place of :math:`\lambda`, so that :math:`\eta` vanishes there, unless f may bend one way only; elsewhere nothing is
asked where f may not bend.) Mean slopes, rather than slopes at points, make :math:`\eta` continuous and straight
between the sites: its supremum is the largest value at a site, and exact. (The multiplier of a slope far to the right
belongs to all t, that of one far to the left to none: there :math:`\eta` is constant.)

Given u and :math:`\nu`, the best m follows by one scan: with c the part of :math:`\eta` that u and :math:`\nu` make up,
:math:`\eta - c` is a path from 0 at the last site to :math:`-c_0` at the first one whose steps are the m, and D falls
with its variation. The path that moves only when the band :math:`|\eta| \le \lambda` forces it to varies least. Where
the slopes far out have bounds of their own, their multipliers are suggested too: the path begins and ends with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate.dual import best_factor
from ridgesplines.certificate.paths import steps
from ridgesplines.certificate.sites import Sites
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Multipliers:
    """Multipliers of the fit, of the bounds of values, and of the mean slopes between sites.

    Attributes
    ----------
    fit : u, shape (N,).
    points : nu, shape (H,), at the sites whose values have bounds.
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
    sup : the largest eta where f may bend up, or -eta where it may bend down, at a price.
    residual : how far the suggestion was from balance, relatively.
    scale : the factor, feasible, at which D is largest.
    value : D there: no feasible function has a smaller objective.
    """

    multipliers: Multipliers
    sup: float
    residual: float
    scale: float
    value: float


def best_bound(problem: Problem, sites: Sites, u: Array, nu: Array, ends: tuple[float, float] = (0.0, 0.0)) -> Bound:
    """The bound from suggestions u (N,), nu (H,) and the multipliers of the slopes far out, in scaled units."""
    multipliers, residual = completed(problem, sites, u, nu, ends)
    u, nu, m = multipliers.fit, multipliers.points, multipliers.slopes
    eta = eta_at_sites(sites, multipliers)
    sup = supremum(sites, eta)
    linear = _price(sites.low[sites.held], sites.high[sites.held], nu) + _price(sites.slope_low, sites.slope_high, m)

    def value(factor: float) -> float:
        conjugate = problem.loss.conjugate(problem.y, -factor * u / problem.sample_weight)
        return (factor * linear if factor else 0.0) - float(problem.sample_weight @ conjugate)

    most = problem.lam / sup if sup > 0.0 else 1.0
    if not (_in_balance(sites, multipliers, eta) and np.isfinite(linear)):
        most = 0.0  # no multiplier at all is always valid
    scale, best = best_factor(value, most, problem.loss.smooth)
    return Bound(multipliers, sup, residual, scale, best)


def supremum(sites: Sites, eta: Array) -> float:
    """The largest eta on the sides on which it counts, at the sites where bends have a price."""
    up, down = ((side & (sites.price > 0.0)) for side in (sites.up, sites.down))
    return max(float(eta[up].max(initial=0.0)), float(-eta[down].min(initial=0.0)))


def completed(
    problem: Problem, sites: Sites, u: Array, nu: Array, ends: tuple[float, float]
) -> tuple[Multipliers, float]:
    """u and nu brought into their domains and into balance, with the m that suits them best; and how far off balance
    they were.
    """
    s, held = problem.sample_weight, sites.held
    size = float(np.abs(u).sum() + np.abs(nu).sum()) or 1.0
    imbalance, free = 0.0, sites.hinges if _no_slope(sites) else sites.hinges[:0]
    for attempt in range(4):
        u = -s * problem.loss.nearest(problem.y, -u / s)
        nu = np.clip(
            nu,
            np.where(np.isfinite(sites.high[held]), -np.inf, 0.0),
            np.where(np.isfinite(sites.low[held]), np.inf, 0.0),
        )
        c = sites.eta(sites.masses(u, nu))
        # A bounded slope takes up the moment about the data; the part of it with the wrong sign must go.
        moment = not _fits(sites, -c[0])
        off = abs(u.sum() + nu.sum()) + (abs(c[0]) if moment else 0.0) + float(np.abs(c[free]).sum())
        imbalance = imbalance if attempt else off / size
        u, nu = balanced(problem, sites, u, nu, moment, free)
    m = steps(problem.constraint, sites, problem.lam, sites.eta(sites.masses(u, nu)), ends)
    if any(sites.ends) or len(sites.hinges):  # what signs and band have taken from the slopes, the fit gives
        u, nu = balanced(problem, sites, u, nu, True, sites.hinges, m)
    return Multipliers(u, nu, m), imbalance


def _fits(sites: Sites, total: float) -> bool:
    """Whether multipliers of the slopes may add up to this."""
    bounds = sites.slope_low if total > 0.0 else -sites.slope_high
    return bool(total != 0.0 and np.isfinite(bounds).any())


def _no_slope(sites: Sites) -> bool:
    """Whether no slope has a bound, so that there are no multipliers of slopes."""
    return not (np.isfinite(sites.slope_low).any() or np.isfinite(sites.slope_high).any())


def balanced(
    problem: Problem, sites: Sites, u: Array, nu: Array, moment: bool, free: Array, m: Array | None = None
) -> tuple[Array, Array]:
    """u and nu that leave, with m, no mass, no moment if asked, and no eta at some sites: the smallest change in the
    metric of u's room.

    Multipliers of fixed values are free to move, as far as the freest sample; those of one bound as far as they are
    from zero.
    """
    s, held = problem.sample_weight, sites.held
    room = s * problem.loss.room(problem.y, -u / s)
    most = room.max() if len(nu) and room.max() > 0.0 else 1.0
    both_sides = np.isfinite(sites.low[held]) & np.isfinite(sites.high[held])
    size = np.abs(nu).max(initial=0.0)
    metric = np.append(room, np.where(both_sides, most, most * np.abs(nu) / size if size > 0.0 else 0.0))
    at = sites.at[np.append(sites.rows, held).astype(int)]
    hinges = [np.maximum(at - sites.at[k], 0.0) for k in free]
    rows = np.stack([np.ones_like(at), *[at] * moment, *hinges])
    both = np.append(u, nu)
    goal = np.zeros(len(rows))
    if m is not None:
        beyond = np.append(np.cumsum(m[::-1])[::-1], 0.0)
        goal[1:] = -beyond[np.append(np.zeros(int(moment), dtype=int), free)]
    gram = (rows * metric) @ rows.T
    for _ in range(1 + (len(free) > 0)):  # of many functions the second time leaves what the first one rounds
        both = both - metric * (np.linalg.lstsq(gram, rows @ both - goal, rcond=1e-13)[0] @ rows)
    return both[: len(u)], both[len(u) :]


def eta_at_sites(sites: Sites, multipliers: Multipliers) -> Array:
    """eta at the sites, shape (K,)."""
    c = sites.eta(sites.masses(multipliers.fit, multipliers.points))
    return c + np.append(np.cumsum(multipliers.slopes[::-1])[::-1], 0.0)


def _in_balance(sites: Sites, multipliers: Multipliers, eta: Array) -> bool:
    """Whether the bracket vanishes at 1 and at x, to rounding, and eta is as it must be at free knots."""
    u, nu, m = multipliers.fit, multipliers.points, multipliers.slopes
    size = np.linalg.norm(u) + np.linalg.norm(nu)
    reach = float(np.abs(sites.at - sites.at[0]).max())
    moment = sites.eta(sites.masses(u, nu))[0] + m.sum()
    floor, ceiling = sites.band(0.0)
    at_free = np.where(sites.price == 0.0, np.maximum(floor - eta, eta - ceiling), 0.0)
    off = max(abs(u.sum() + nu.sum()), abs(moment) / reach, float(at_free.max()) / reach)
    return bool(off <= 1e-11 * size + 1e-300)


def _price(low: Array, high: Array, multipliers: Array) -> float:
    """The least of sum m_j x_j over x within the bounds."""
    up, down = multipliers > 0.0, multipliers < 0.0
    return float(multipliers[up] @ low[up] + multipliers[down] @ high[down])


def interpolating(problem: Problem, sites: Sites, slopes: Array) -> tuple[Array, Array, tuple[float, float]]:
    """u, nu and the multipliers far out for Interpolation, where the slopes between sites are given.

    eta is lam times the sign of each bend at its knot, straight in between and constant far out; its second differences
    are u and nu.
    """
    eta = np.concatenate([[0.0], problem.lam * np.sign(np.diff(slopes)), [0.0]])
    rises = np.diff(eta) / sites.widths
    ends = (-eta[1] if sites.ends[0] else 0.0, eta[-2] if sites.ends[1] else 0.0)
    for end, place in zip(sites.ends, (0, -1), strict=True):
        rises[place] = 0.0 if end else rises[place]
    masses = np.diff(np.concatenate([[0.0], rises, [0.0]]))
    # A fixed point on the data adds nothing to the sample there.
    return masses[sites.rows], np.where(np.isin(sites.held, sites.rows), 0.0, masses[sites.held]), ends
