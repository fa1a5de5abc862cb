r"""The lower bound on the sum of D problems in one dimension with functions in order, :math:`f_1 \le \dots \le f_D`.

Two linear splines with knots at the sites :math:`t_k` are in order on all of R if they are so at the sites and their
slopes beyond both ends are. With multipliers :math:`\mu_{dk}, \alpha_d, \beta_d \ge 0` of these inequalities and any u,

.. math:: \sum_d \Big[\sum_n s_n L_d(y_n, f_d(x_n)) + \lambda_d \|D^2 f_d\|\Big]
          \;\ge\; -\sum_{d,n} s_n L_d^*(y_n, -u_{dn}/s_n) + \sum_d \Big[\lambda_d \|D^2 f_d\| - \ell_d(f_d)\Big],

.. math:: \ell_d(f) = \sum_n u_{dn} f(x_n) + \sum_k (\mu_{d-1,k} - \mu_{dk}) f(t_k)
                      + (\alpha_{d-1} - \alpha_d) f'(\infty) + (\beta_d - \beta_{d-1}) f'(-\infty)

for functions in order, by Fenchel's inequality. Where :math:`\ell_d` vanishes at 1 and at x it is
:math:`\int \eta_d\, dD^2 f` with :math:`\eta_d(t) = \ell_d(\rho(\cdot - t))`, straight between sites and constant
beyond them, and the last bracket is not negative as soon as :math:`|\eta_d| \le \lambda_d` at the sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.problem import Problem
from ridgesplines.validation import Array, ReadOnly

#: What l_d may leave of affine functions, relative to its masses: rounding.
BALANCE_RTOL = 1e-11


@dataclass(frozen=True, eq=False)
class OrderMultipliers(ReadOnly):
    """Multipliers of the fits and of the order of neighbouring functions.

    Attributes
    ----------
    fit : u, shape (N, D).
    sites : mu, nonnegative, shape (m, D - 1).
    left, right : beta and alpha, of the slopes beyond the ends, nonnegative, shape (D - 1,).
    """

    fit: Array
    sites: Array
    left: Array
    right: Array

    def masses(self, rows: NDArray[np.intp]) -> Array:
        """What l_d has at each site, shape (m, D); `rows` holds the site of each row."""
        total = np.zeros((len(self.sites), self.fit.shape[1]))
        np.add.at(total, rows, self.fit)
        total[:, 1:] += self.sites
        total[:, :-1] -= self.sites
        return total

    def slopes(self) -> tuple[Array, Array]:
        """What l_d has of the slopes beyond the left and the right end, shape (D,) each."""
        zero = np.zeros(1)
        left = np.concatenate([self.left, zero]) - np.concatenate([zero, self.left])
        return left, np.concatenate([zero, self.right]) - np.concatenate([self.right, zero])

    def times(self, factor: float) -> OrderMultipliers:
        return OrderMultipliers(factor * self.fit, factor * self.sites, factor * self.left, factor * self.right)


@dataclass(frozen=True, eq=False)
class OrderBound:
    """What multipliers prove.

    Attributes
    ----------
    multipliers : in balance and feasible.
    excess : the largest ratio of |eta_d| and lam_d before they were scaled by its inverse, where above one.
    value : no functions in order have a smaller sum of objectives.
    moments : what is left of l_d at 1 and at x, shape (2, D): rounding.
    """

    multipliers: OrderMultipliers
    excess: float
    value: float
    moments: Array


def order_bound(
    problems: Sequence[Problem], at: Array, rows: NDArray[np.intp], suggested: OrderMultipliers
) -> OrderBound:
    """The bound from any multipliers, which are brought into their domains, into balance, and scaled.

    Parameters
    ----------
    problems : one for each function, in scaled units; they differ in loss and lam.
    at : the sites, increasing, shape (m,).
    rows : the site of each row, shape (N,).
    suggested : whatever somebody suggests.
    """
    multipliers = _balanced(problems, at, rows, suggested)
    moments, size = _moments(at, rows, multipliers), np.abs(multipliers.fit).sum()
    if np.abs(moments).max() > BALANCE_RTOL * size:  # no multiplier at all is always valid
        multipliers, moments = multipliers.times(0.0), np.zeros_like(moments)
    lams = np.array([p.lam for p in problems])
    excess = float((np.abs(eta(at, rows, multipliers)).max(axis=0) / lams).max())
    multipliers = multipliers.times(1.0 / max(excess, 1.0))
    value = float((multipliers.fit.T @ problems[0].y).sum())
    if value < 0.0:
        multipliers, value = multipliers.times(0.0), 0.0
    return OrderBound(multipliers, excess, value, moments)


def eta(at: Array, rows: NDArray[np.intp], multipliers: OrderMultipliers) -> Array:
    """eta_d at the sites, shape (m, D), from the right end, where it is the multiplier of the slope."""
    masses, (_, right) = multipliers.masses(rows), multipliers.slopes()
    steps = np.diff(at)[:, None] * np.cumsum(masses[:0:-1], axis=0)[::-1]
    return right + np.concatenate([np.cumsum(steps[::-1], axis=0)[::-1], np.zeros((1, masses.shape[1]))])


def _moments(at: Array, rows: NDArray[np.intp], multipliers: OrderMultipliers) -> Array:
    """l_d at 1 and at x, shape (2, D)."""
    masses = multipliers.masses(rows)
    return np.stack([masses.sum(axis=0), at @ masses + sum(multipliers.slopes())])


def _balanced(
    problems: Sequence[Problem], at: Array, rows: NDArray[np.intp], suggested: OrderMultipliers
) -> OrderMultipliers:
    """The multipliers of the order with no sign that they may not have, and u changed as little as balance asks for, in
    the metric of the room that it has."""
    s, y, affine = problems[0].sample_weight, problems[0].y, np.stack([np.ones(len(rows)), at[rows]])
    order = [np.maximum(part, 0.0) for part in (suggested.sites, suggested.left, suggested.right)]
    multipliers = OrderMultipliers(suggested.fit, *order)
    for attempt in range(4):
        fit = np.stack([-s * p.loss.nearest(y, -u / s) for p, u in zip(problems, multipliers.fit.T, strict=True)], 1)
        multipliers = OrderMultipliers(fit, *order)
        moments = _moments(at, rows, multipliers)
        if attempt == 3 or np.abs(moments).max() <= 1e-15 * np.abs(fit).sum():
            break
        fit = fit.copy()
        for d, p in enumerate(problems):
            metric = s * p.loss.room(y, -fit[:, d] / s)
            change = np.linalg.lstsq((affine * metric) @ affine.T, moments[:, d], rcond=1e-13)[0]
            fit[:, d] -= metric * (change @ affine)
        multipliers = OrderMultipliers(fit, *order)
    return multipliers
