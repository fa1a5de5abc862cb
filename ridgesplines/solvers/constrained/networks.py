"""From splines on sites to networks: no rounding for knots, and as few knots as serve."""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.extreme_points import facing_right, merged
from ridgesplines.certificate.sites import Sites
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import charged
from ridgesplines.problem import Problem
from ridgesplines.solvers.constrained.exchange import Spline
from ridgesplines.validation import Array

#: Bends below this, relative to the steepest slope, in scaled units, are rounding.
ROUNDING_RTOL = 1e-13
#: Knots nearer to a site than this, relative to the range of the sites, are meant to be on it.
SITE_RTOL = 1e-13


def spline_of(sites: Sites, spline: Spline) -> RidgeSpline:
    """The network of a spline in scaled units: slopes that are on a bound are on it to the last digit."""
    active, theta = spline.active, spline.point.theta
    slopes = np.diff(theta) / np.diff(sites.at[active.nodes])
    bends = np.append(np.append(0.0, np.diff(slopes)), 0.0)
    # At a fixed point a bend may be none: what its neighbours round is no knot.
    turn = np.where(np.isin(active.nodes, sites.hinges), np.sign(bends), active.bend)
    bent = np.flatnonzero(turn * bends > ROUNDING_RTOL * (1.0 + np.abs(slopes).max()))
    kept = np.concatenate([[0], bent, [len(active.nodes) - 1]])
    t = sites.at[active.nodes[kept]]
    slopes = np.diff(theta[kept]) / np.diff(t)
    low, high = (bound[active.nodes[kept[:-1]]] for bound in (sites.slope_low, sites.slope_high))
    hold = active.hold[kept[:-1]]
    whole = np.add.reduceat(np.abs(active.hold), kept[:-1]) == np.diff(kept)
    slopes = np.where(whole & (hold < 0), low, np.where(whole & (hold > 0), high, slopes))
    slopes = np.clip(slopes, low, high)
    bends = np.diff(slopes)
    right = bends * turn[bent] > 0.0
    at = theta[kept[:1]] - slopes[:1] * t[:1]
    return RidgeSpline(np.ones((int(right.sum()), 1)), t[1:-1][right], bends[right], slopes[:1], at[0])


def without_rounding(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    """The same network with knots that are sites to the last digit, in the problem's units."""
    at, net = _sites(problem), facing_right(net)
    t = net.breakpoints
    if not len(t) or len(at) < 2:
        return net
    place = np.clip(np.searchsorted(at, t), 1, len(at) - 1)
    nearest = np.where(t - at[place - 1] < at[place] - t, at[place - 1], at[place])
    near = np.abs(nearest - t) <= SITE_RTOL * max(float(np.ptp(at)), float(np.abs(at).max()))
    order = np.argsort(t, kind="stable")
    knots = np.where(near, nearest, t)[order]
    ones = np.ones((len(t), 1))
    return RidgeSpline(ones, knots, net.amplitudes[order], net.slope, net.offset, net.feature_names)


def fewest_shaped(problem: Problem, net: RidgeSpline) -> RidgeSpline:
    """A network with the same values at the sites, the same seminorm, and the fewest knots, as without constraints.

    A knot between two sites lies on the prolonged pieces on either side, so that slopes stay within their bounds and
    bends keep their signs; where a value would leave its bounds the two knots stay. So do knots at places of their own.
    """
    at, shape, net = _sites(problem), problem.constraint, facing_right(net)
    if shape.only_at is not None:
        return net
    costs = charged(problem, net)
    t, v = merged(at, net.breakpoints[costs], net.amplitudes[costs])
    t, v = np.append(t, net.breakpoints[~costs]), np.append(v, net.amplitudes[~costs])
    t, v = t[np.argsort(t)], v[np.argsort(t)]
    new = RidgeSpline(np.ones((len(t), 1)), t, v, net.slope, net.offset, net.feature_names)
    if not shape.bounded or not len(t):
        return new
    z = new(t)
    beyond = ~np.isin(t, net.breakpoints) & ((z < shape.low) | (z > shape.high))
    right = np.searchsorted(net.breakpoints, t[beyond])
    old = np.concatenate([right - 1, right])
    t, v = np.append(t[~beyond], net.breakpoints[old]), np.append(v[~beyond], net.amplitudes[old])
    order = np.argsort(t, kind="stable")
    return RidgeSpline(np.ones((len(t), 1)), t[order], v[order], net.slope, net.offset, net.feature_names)


def _sites(problem: Problem) -> Array:
    return np.union1d(problem.sites, np.array(problem.constraint.places))
