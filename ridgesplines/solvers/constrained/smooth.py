r"""Smooth losses with constraints: Newton's method, whose quadratic models the exchange method solves.

For squared error the model is the loss, and one step is all there is. The set of feasible splines is convex, so that a
step which goes too far is halved without leaving it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.certificate.constrained import Bound, Multipliers, best_bound
from ridgesplines.certificate.sites import Sites
from ridgesplines.interrupt import check
from ridgesplines.objective import dual_of_fit, objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.solvers.constrained.active_set import Active, certificate, guessed
from ridgesplines.solvers.constrained.chain import Limits, Point, from_right, through_band
from ridgesplines.solvers.constrained.exchange import Quadratic, Spline, coarse, exchange
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.validation import Array

MAX_STEPS = 60
#: What nothing proves.
NOTHING = Bound(Multipliers(np.empty(0), np.empty(0), np.empty(0)), np.inf, np.inf, 0.0, -np.inf)
#: How much of the majorant stands in for a curvature that has vanished.
STRAIGHT = 1e-12


@dataclass(frozen=True, eq=False)
class Fitted:
    """A spline, its values at the rows, its objective, and the bound that its multipliers prove."""

    spline: Spline
    z: Array
    objective: float
    bound: Bound

    @property
    def gap(self) -> float:
        """The relative gap."""
        return (self.objective - self.bound.value) / max(abs(self.objective), 1e-300)


class Smooth:
    """A problem with a smooth loss, in scaled units.

    Parameters
    ----------
    problem, sites : the problem without rows of weight zero, and its sites.
    tol : the relative gap to reach.

    Attributes
    ----------
    best : the best spline that `solve` has found so far, or None.
    """

    def __init__(self, problem: Problem, sites: Sites, tol: float) -> None:
        self.problem, self.sites, self.tol = problem, sites, tol
        self.limits = Limits.of(sites)
        self.best: Fitted | None = None

    def solve(self, near: Array, start: Fitted | None = None) -> Fitted | None:
        """The best spline found; None where there is none.

        Parameters
        ----------
        near : sites where knots are likely.
        start : a spline near the optimum, such as that of a larger lam.
        """
        now = start
        active = None if start is None else start.spline.active
        for _ in range(MAX_STEPS):
            check()
            fitted = self._step(now, active, near)
            if fitted is None:
                return self.best
            if self.best is None or fitted.gap < self.best.gap:
                self.best = fitted
            stalled = now is not None and fitted.objective >= now.objective * (1.0 - 1e-15)
            now, active = fitted, fitted.spline.active
            slow = stalled and fitted.gap > 0.5 * self.best.gap
            if self.problem.loss.quadratic or fitted.gap <= 0.1 * self.tol or slow:
                return self.best
        return self.best

    def coarse(self) -> Fitted | None:
        """A feasible spline for those who cannot wait: one step from zero, with knots at few sites."""
        spline = coarse(self.model(None, True), self.problem.lam)
        return None if spline is None else self.measured(spline)

    def near(self, values: Array, pressure: Array, nu: Array) -> Fitted:
        """A start from an approximate optimum: values at all sites, multipliers of the slopes and of the values."""
        sites, everywhere = self.sites, np.arange(len(self.sites.at))
        z = values[sites.rows]
        masses = np.bincount(sites.rows, dual_of_fit(self.problem, z), len(values)) + nu
        eta = through_band(from_right(sites.at, masses), everywhere, pressure, self.problem.lam, self.limits)
        point = Point(values, eta, pressure, nu)
        nothing = Fitted(Spline(Active.of(self.limits, np.zeros(len(values)), pressure, nu), point), z, np.inf, NOTHING)
        active = guessed(self.model(nothing, False).chain(everywhere, self.problem.lam), point)
        part = Point(values[active.nodes], eta[active.nodes], np.zeros(len(active.nodes) - 1), nu[active.nodes])
        return Fitted(Spline(active, part), z, np.inf, NOTHING)

    def _step(self, now: Fitted | None, active: Active | None, near: Array) -> Fitted | None:
        """From one spline to the next, with the loss's own curvature or one of which the loss lies below."""
        for steady in (False, True):
            spline = exchange(self.model(now, steady), self.problem.lam, active, near, self._enough)
            if spline is None:
                continue
            goal = self.measured(spline)
            if now is None or np.isinf(now.objective) or self.problem.loss.quadratic:
                return goal
            step = 1.0
            while not goal.objective <= now.objective * (1.0 + 1e-14) and step > 1e-6:
                step /= 2.0
                goal = self.measured(self._between(now.spline, spline, step))
            if goal.objective <= now.objective * (1.0 + 1e-14):
                return goal
        return None

    def model(self, now: Fitted | None, steady: bool) -> Quadratic:
        """The parabola at a fit, summed up at the sites."""
        p = self.problem
        z = np.zeros_like(p.y) if now is None else now.z
        curvature = (p.loss.majorant if steady else p.loss.curvature)(p.y, z)
        if curvature.min() <= STRAIGHT:
            curvature = np.maximum(curvature, STRAIGHT * p.loss.majorant(p.y, z))
        H = p.sample_weight * curvature
        return self.quadratic(H, H * z + dual_of_fit(p, z))

    def quadratic(self, curvature: Array, target: Array) -> Quadratic:
        """Terms of the rows as terms of the sites."""
        rows, k = self.sites.rows, len(self.sites.at)
        return Quadratic(self.sites.at, np.bincount(rows, curvature, k), np.bincount(rows, target, k), self.limits)

    def measured(self, spline: Spline, u: Array | None = None) -> Fitted:
        """A spline with its objective, and the bound that its multipliers and the dual vector, its own or u, prove."""
        p, sites = self.problem, self.sites
        at = spline.at(sites.at)
        z = at[sites.rows]
        u, m = dual_of_fit(p, z) if u is None else u, spline.point.m
        masses = np.bincount(sites.rows, u, len(at))
        _, nu, _ = certificate(sites.at, masses, spline.active, spline.point, p.lam, self.limits)
        bound = best_bound(p, sites, u, nu[sites.held], (m[0], m[-1]))
        return Fitted(spline, z, objective_of_fit(p, z, spline.seminorm(sites.at, sites.price)), bound)

    def _enough(self, spline: Spline) -> bool:
        return self.problem.loss.quadratic and self.measured(spline).gap <= 0.1 * self.tol

    def _between(self, old: Spline, new: Spline, step: float) -> Spline:
        """(1 - step) old + step new, with the multipliers of the new one."""
        t = self.sites.at
        nodes = np.union1d(old.active.nodes, new.active.nodes)
        theta = (1.0 - step) * old.at(t)[nodes] + step * new.at(t)[nodes]
        bend = np.concatenate([[0.0], np.sign(kinks(t[nodes], theta)), [0.0]])
        bend[self.limits.hinges[nodes]] = 0.0
        nu, m = np.zeros(len(nodes)), np.zeros(len(nodes) - 1)
        places = np.searchsorted(nodes, new.active.nodes)
        nu[places] = new.point.nu
        m[places[:-1]] = new.point.m
        hold, value = np.zeros(len(m)), np.zeros(len(nodes))
        return Spline(Active(nodes, bend, hold, value), Point(theta, np.zeros(len(nodes)), m, nu))
