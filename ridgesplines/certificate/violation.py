"""The violation of a problem's constraints by a network, everywhere."""

from __future__ import annotations

import numpy as np

from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import SUM
from ridgesplines.problem import Problem

#: Largest violation, as `violation` measures it, at which a network in floating point counts as feasible.
FEASIBLE_RTOL = 1e-9


def violation(problem: Problem, net: RidgeSpline) -> float:
    r"""The distance of a network from satisfying the constraints; zero where it does, up to rounding.

    The largest of: how far a slope is out of bounds and how large a bend of the wrong sign is, relative to the
    steepest slope and bound, and to the largest :math:`|y|` over the range of x; how far off a fixed value or beyond
    a bound the spline is, relative to the largest :math:`|y|`, :math:`|v|` and bound of the values. A linear spline
    has finitely many slopes, both outermost ones among them, so that this looks at the whole line. For features that
    are monotone, how much slope the affine part lacks, relative to the steepest that f can be in the feature, and to
    the largest :math:`|y|` over its range.
    """
    if problem.signs is not None:
        return _of_features(problem, problem.signs, net)
    shape = problem.constraint
    if shape.free:
        return 0.0
    slopes, eps = slopes_of(net), np.finfo(float).eps
    bounds = [abs(b) for b in (shape.slope_low, shape.slope_high, *shape.left, *shape.right) if np.isfinite(b)]
    overall = float(np.abs(problem.y).max()) / (float(np.ptp(problem.X)) or np.inf)
    steepest = max(float(np.abs(slopes).max()), overall, *bounds, 1e-300)
    rounding = 8.0 * eps * (abs(float(net.slope[0])) + net.seminorm)
    worst = max(0.0, _excess(problem, net, slopes) - rounding) / steepest
    at, low, high = _bounded_values(problem, net)
    if not len(at):
        return worst
    off = _beyond(net, at, low, high) - 8.0 * eps * (np.abs(at * net.slope[0]) + np.abs(net.offset))
    finite = np.abs(np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]])).max(initial=0.0)
    size = max(float(np.abs(problem.y).max()), float(finite), 1e-300)
    return max(worst, float(off.max()) / size)


def _bounded_values(problem: Problem, net: RidgeSpline) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points and the bounds of the values there: the fixed ones, and where a linear spline is largest and least."""
    shape, p = problem.constraint, np.array(problem.constraint.points)
    extremes = np.append(net.breakpoints, [problem.X.min(), problem.X.max()]) if shape.bounded else np.zeros(0)
    low, high = (np.append(shape.values, np.full(len(extremes), bound)) for bound in (shape.low, shape.high))
    return np.append(p, extremes), low, high


def _beyond(net: RidgeSpline, at: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How far the values at some points lie beyond their bounds."""
    z = net.at(at)
    return np.maximum(np.maximum(low - z, z - high), 0.0)


def slope_deficits(signs: np.ndarray, net: RidgeSpline) -> np.ndarray:
    """How much slope may be lacking in each feature, beyond rounding; (d,), not positive where none can.

    Neurons of one feature are followed along it; what others take counts as if all were at their worst at once.
    """
    bends = signs * (net.amplitudes[:, None] * net.weights)
    alone = np.count_nonzero(net.weights, axis=1) == 1
    taken = np.maximum(-bends[~alone], 0.0).sum(axis=0)
    for j in np.flatnonzero(signs):
        of_j = alone & (net.weights[:, j] != 0.0)
        w = net.weights[of_j, j]
        knots, which = np.unique(net.biases[of_j] / w, return_inverse=True)
        rises = np.bincount(which, np.sign(w) * bends[of_j, j], len(knots))
        left = bends[of_j, j][w < 0.0].sum()
        taken[j] -= (left + np.append(0.0, np.cumsum(rises))).min()
    rounding = 8.0 * np.finfo(float).eps * (np.abs(net.slope) + np.abs(net.amplitudes) @ np.abs(net.weights))
    return np.where(signs == 0.0, 0.0, taken - signs * net.slope - rounding)


def _of_features(problem: Problem, signs: np.ndarray, net: RidgeSpline) -> float:
    span = np.ptp(problem.X, axis=0)
    overall = float(np.abs(problem.y).max()) / np.where(span > 0.0, span, np.inf)
    steepest = np.abs(net.slope) + np.abs(net.amplitudes) @ np.abs(net.weights)
    return float((slope_deficits(signs, net) / np.maximum(np.maximum(steepest, overall), 1e-300)).max(initial=0.0))


def _excess(problem: Problem, net: RidgeSpline, slopes: np.ndarray) -> float:
    """The most that a slope is out of its bounds, or the largest bend of the wrong sign, or where there may be none."""
    shape, bends = problem.constraint, np.diff(slopes)
    excess = [slopes.max() - shape.slope_high, shape.slope_low - slopes.min()]
    for slope, (low, high) in zip(slopes[[0, -1]], shape.outer, strict=True):
        excess += [slope - high, low - slope]
    if shape.only_at is not None:
        barred = ~shape.allows(net.breakpoints, float(np.abs(problem.X).max()))
        excess.append(float(np.abs(net.amplitudes[barred]).max(initial=0.0)))
    if not shape.bends_up:
        excess.append(bends.max(initial=0.0))
    if not shape.bends_down:
        excess.append(-bends.min(initial=0.0))
    return float(max(excess))


def missed(problem: Problem, net: RidgeSpline, points: np.ndarray, nu: np.ndarray, slopes: np.ndarray) -> float:
    """The multipliers of values at points, (H,), and of slopes, times what the network misses of the constraints.

    And what rounds where they are summed.
    """
    steep, shape, eps = slopes_of(net), problem.constraint, np.finfo(float).eps
    if shape.of_knots_alone and shape.only_at is None:
        return 0.0  # free knots ask for nothing that could be missed
    size = float(np.abs(steep).max()) * (float(np.abs(problem.X).max()) + 1.0)
    off = max(_excess(problem, net, steep), 0.0) + 8.0 * eps * (abs(float(net.slope[0])) + net.seminorm)
    counts = nu != 0.0
    at, fixed = points[counts], dict(zip(shape.points, shape.values, strict=True))
    low, high = (np.array([fixed.get(p, bound) for p in at.tolist()]) for bound in (shape.low, shape.high))
    beyond = _beyond(net, at, low, high) + 8.0 * eps * (size + np.abs(net.offset)) if len(at) else np.zeros(0)
    # The dual value sums multipliers times bounds, which are the slopes and values of f where they count.
    sums = np.abs(slopes).sum() * np.abs(steep).max() + np.abs(nu[counts]) @ np.abs(net.at(at))
    return float(np.abs(slopes).sum() * off + np.abs(nu[counts]) @ beyond + problem.lam * off + SUM * sums)


def slopes_of(net: RidgeSpline) -> np.ndarray:
    """The slopes from left to right; knots that coincide are one."""
    t, which = np.unique(net.breakpoints, return_inverse=True)
    left = float(net.slope[0]) - float(net.amplitudes[net.weights[:, 0] < 0.0].sum())
    return left + np.append(0.0, np.cumsum(np.bincount(which, net.amplitudes, len(t))))
