"""The check that a problem with constraints attains its infimum."""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.affine import no_minimiser, recedes
from ridgesplines.problem import Problem


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
    every = [(shape.slope_low, shape.slope_high), *shape.outer]
    low, high = (0.0 if np.isfinite([pair[side] for pair in every]).any() else None for side in (0, 1))
    above, below = (0.0 if np.isfinite(bound) else None for bound in (shape.low, shape.high))
    fixed = np.array([[1.0, p] for p in shape.points]) if shape.points else None
    if recedes(problem, np.column_stack([np.ones_like(x), x]), [(above, below), (low, high)], fixed):
        remedy = "or bound the slope on both sides with Lipschitz, or the values with Bounds"
        raise no_minimiser(problem, "affine function within the constraints", remedy)
