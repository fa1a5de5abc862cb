r"""Whether some function satisfies a shape: decided exactly, and without a solver.

Replacing a function by its linear interpolant at the given points, prolonged with the slopes that the function has far
out, averages its slopes, so that it keeps every bound and every sign of curvature. So the interpolant of the points
satisfies the shape, with some slopes before the first and after the last of them, if any function does. Where knots
have places of their own, a linear program in the values and slopes of the spline decides.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.constraints.shape import Shape
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

#: What ``linprog`` says of a program that nothing satisfies.
INFEASIBLE = 2


def require_some_function(shape: Shape, x: Array, y: Array) -> None:
    """Raise a ProblemError where no function has this shape and passes through the points (x, y) as well.

    Rounding of points and values is allowed for; x may be empty.
    """
    _bounds_leave_something(shape)
    p, v = np.append(x, shape.points), np.append(y, shape.values)
    _within_bounds(shape, p, v)
    order = np.argsort(p, kind="stable")
    p, v = p[order], v[order]
    step, rise = np.diff(p), np.diff(v)
    noise = 4.0 * np.finfo(float).eps * (np.abs(v[1:]) + np.abs(v[:-1]))
    _no_contradiction(p, v, step, np.abs(rise) > noise)
    apart = step > 0.0
    left, right = np.flatnonzero(apart), np.flatnonzero(apart) + 1
    slope, doubt = rise[apart] / step[apart], noise[apart] / step[apart]
    doubt += 4.0 * np.finfo(float).eps * (np.abs(p[left]) + np.abs(p[right])) / step[apart] * np.abs(slope)
    steep = (slope > shape.slope_high + doubt) | (slope < shape.slope_low - doubt)
    if steep.any():
        k = int(np.argmax(steep))
        _unsatisfiable(
            f"slopes between {shape.slope_low:g} and {shape.slope_high:g}, and the points "
            f"({p[left[k]]:g}, {v[left[k]]:g}) and ({p[right[k]]:g}, {v[right[k]]:g}), which need {slope[k]:.6g}"
        )
    bend, unsure = np.diff(slope), doubt[1:] + doubt[:-1]
    wrong = ((bend > unsure) & (not shape.bends_up)) | ((bend < -unsure) & (not shape.bends_down))
    if wrong.any():
        k = int(np.argmax(wrong))
        three = ", ".join(f"({p[i]:g}, {v[i]:g})" for i in (left[k], right[k], right[k + 1]))
        _unsatisfiable(
            f"a function that is {_kind(shape)} and passes through {three}, where it must bend the other way"
        )
    _outer_slopes_fit(shape, slope, doubt)
    if shape.only_at is not None:
        _knots_suffice(shape, p, v)


def _bounds_leave_something(shape: Shape) -> None:
    """Bounds of slopes and values that are in order, far out too."""
    places = ("the slope", "the slope towards minus infinity", "the slope towards plus infinity", "the values")
    bounds = ((shape.slope_low, shape.slope_high), *shape.outer, (shape.low, shape.high))
    for place, (low, high) in zip(places, bounds, strict=True):
        if low > high:
            _unsatisfiable(f"bounds that ask {place} to be {low:g} at least and {high:g} at most")


def _within_bounds(shape: Shape, p: Array, v: Array) -> None:
    """Values at points that lie within the bounds of all values."""
    beyond = (v < shape.low - 4.0 * np.finfo(float).eps * np.abs(v)) | (
        v > shape.high + 4.0 * np.finfo(float).eps * np.abs(v)
    )
    if beyond.any():
        k = int(np.argmax(beyond))
        _unsatisfiable(f"values between {shape.low:g} and {shape.high:g}, and the point ({p[k]:g}, {v[k]:g})")


def _outer_slopes_fit(shape: Shape, slope: Array, doubt: Array) -> None:
    """Slopes before the first and after the last point that bend in the sense that is allowed."""
    (first, second), (third, fourth) = shape.outer
    lows = np.concatenate([[first], slope - doubt, [third]])
    highs = np.concatenate([[second], slope + doubt, [fourth]])
    fits = True
    if not shape.bends_down:  # the least slope that is left falls nowhere
        fits = bool((np.maximum.accumulate(lows) <= highs).all())
    if not shape.bends_up:
        fits = fits and bool((np.minimum.accumulate(highs) >= lows).all())
    if not (shape.bends_up or shape.bends_down):
        fits = bool(lows.max() <= highs.min())
    if not fits:
        between = f", the slopes {slope.min():g} to {slope.max():g} between points" if len(slope) else ""
        _unsatisfiable(
            f"a function that is {_kind(shape)}, with slopes between {first:g} and {second:g} towards minus infinity "
            f"and between {third:g} and {fourth:g} towards plus infinity{between}"
        )


def _knots_suffice(shape: Shape, p: Array, v: Array) -> None:
    """Some spline with knots at the places that are left for them: a linear program in its values and slopes."""
    knots = np.union1d(shape.only_at or (), shape.free_knots)
    t = np.union1d(knots, p)
    size, span = float(np.abs(v).max(initial=0.0)) or 1.0, float(np.ptp(t)) if len(t) > 1 else 1.0
    k, count = len(t), len(knots) + 1
    piece = np.searchsorted(knots, t[1:])  # to which each interval between t belongs
    rises = sparse.diags_array([-np.ones(k), np.ones(k)], offsets=[0, 1], shape=(max(k - 1, 0), k))
    widths = sparse.csr_array((np.diff(t) / span, (np.arange(k - 1), piece)), (max(k - 1, 0), count))
    bends = sparse.diags_array([-np.ones(count), np.ones(count)], offsets=[0, 1], shape=(count - 1, count))
    signs = [-bends] * (not shape.bends_down) + [bends] * (not shape.bends_up)
    low, high = np.full(k, shape.low / size), np.full(k, shape.high / size)
    low[np.searchsorted(t, p)] = high[np.searchsorted(t, p)] = v / size
    steep = np.tile([shape.slope_low, shape.slope_high], (count, 1))
    for end, (least, most) in zip((0, -1), shape.outer, strict=True):
        steep[end] = max(steep[end, 0], least), min(steep[end, 1], most)
    bounds = np.vstack([np.column_stack([low, high]), steep * span / size])
    A = sparse.hstack([sparse.csr_array((len(signs) * (count - 1), k)), sparse.vstack(signs)]) if signs else None
    out = linprog(
        np.zeros(k + count),
        A_ub=A,
        b_ub=None if A is None else np.zeros(A.shape[0]),
        A_eq=sparse.hstack([rises, -widths]) if k > 1 else None,
        b_eq=np.zeros(k - 1) if k > 1 else None,
        bounds=bounds,
    )
    if out.status == INFEASIBLE:
        _unsatisfiable(f"knots at {', '.join(f'{q:g}' for q in knots)} only, with which no spline satisfies the others")


def _kind(shape: Shape) -> str:
    return {(True, False): "convex", (False, True): "concave"}.get((shape.bends_up, shape.bends_down), "affine")


def _no_contradiction(p: Array, v: Array, step: Array, differs: Array) -> None:
    twice = (step == 0.0) & differs
    if twice.any():
        k = int(np.argmax(twice))
        _unsatisfiable(f"the values {v[k]:g} and {v[k + 1]:g} at one point, {p[k]:g}")


def _unsatisfiable(got: str) -> None:
    raise ProblemError(
        "constraints",
        "constraints that some function satisfies together",
        got,
        "No function satisfies them all: loosen or drop one; with Interpolation the data are constraints too, "
        "so there a loss such as Squared may help.",
    )
