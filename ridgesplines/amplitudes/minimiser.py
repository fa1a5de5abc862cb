"""The check that a problem with constraints attains its infimum."""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.affine import no_minimiser, recedes
from ridgesplines.constraints import Shape
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def require_monotone_minimiser(problem: Problem) -> None:
    """The same where slopes in some features have signs: fewer functions may be added forever."""
    if not problem.loss.separable() or problem.signs is None:
        return
    bounds = [(None, None), *((0.0 if s > 0.0 else None, 0.0 if s < 0.0 else None) for s in problem.signs)]
    if recedes(problem, np.column_stack([np.ones(problem.n_samples), problem.X]), bounds):
        raise no_minimiser(problem, "affine function of these signs", "or use fewer features")


def require_shaped_minimiser(problem: Problem) -> None:
    """Raise a ProblemError where an affine function that may be added forever separates classes or sets zeros apart.

    The constraints leave fewer such functions: with a slope bounded on both sides, or a fixed value, data that an
    affine function separates may well have a minimiser. The problem is in scaled units.
    """
    if not problem.loss.separable():
        return
    shape, x = problem.constraint, problem.X[:, 0]
    knots = np.array([t for t in shape.free_knots if x.min() < t < x.max()])
    slopes = [(shape.slope_low, shape.slope_high)] * (len(knots) + 1)
    bounds = [(shape.low, shape.high), *slopes]
    for end, outer in zip((1, -1), shape.outer, strict=True):
        bounds[end] = max(bounds[end][0], outer[0]), min(bounds[end][1], outer[1])
    receding = [tuple(0.0 if np.isfinite(bound) else None for bound in pair) for pair in bounds]
    points = np.array(shape.points)
    zeros = _lengths(points, knots, x) if len(points) else None
    if recedes(problem, _lengths(x, knots, x), receding, zeros, _other_ways(shape, knots, x)):
        kind = "affine function" if not len(knots) else "spline with free knots"
        remedy = "or bound the slope on both sides with Lipschitz, or the values with Bounds"
        raise no_minimiser(problem, f"{kind} within the constraints", remedy)


def _other_ways(shape: Shape, knots: Array, x: Array) -> Array:
    """Rows whose products with these coefficients must not be positive: bends of the wrong sign, values at knots."""
    values = _lengths(knots, knots, x)
    bends = np.diff(np.eye(len(knots) + 2)[1:], axis=0)
    asked = [(-bends, not shape.bends_down), (bends, not shape.bends_up)]
    asked += [(-values, shape.low > -np.inf), (values, shape.high < np.inf)]
    return np.vstack([np.zeros((0, len(knots) + 2)), *(rows for rows, counts in asked if counts)])


def _lengths(at: Array, knots: Array, x: Array) -> Array:
    """The constant, and how far each piece between knots lies before some places, from the least x on: (n, P)."""
    edges = np.concatenate([[-np.inf], knots, [np.inf]])
    start = np.clip(x.min(), edges[:-1], edges[1:])
    return np.column_stack([np.ones(len(at)), np.clip(at[:, None], edges[:-1], edges[1:]) - start])
