"""The check that a problem with constraints attains its infimum."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ridgesplines.amplitudes.affine import separable
from ridgesplines.exceptions import ProblemError
from ridgesplines.problem import Problem


def require_monotone_minimiser(problem: Problem) -> None:
    """The same where slopes in some features have signs: fewer functions may be added forever."""
    if not problem.loss.separable() or problem.signs is None:
        return
    margins = sparse.csr_array(problem.y[:, None] * np.column_stack([np.ones(problem.n_samples), problem.X]))
    bounds = [(None, None), *((0.0 if s > 0.0 else None, 0.0 if s < 0.0 else None) for s in problem.signs)]
    if separable(margins, bounds):
        raise ProblemError(
            "y",
            f"classes that no affine function of these signs separates, for {problem.loss.name}",
            "separable classes",
            "The affine part is unpenalised, so the loss falls towards an infimum without a minimiser. Use Hinge, "
            "which attains its minimum, or fewer features.",
        )


def require_shaped_minimiser(problem: Problem) -> None:
    """Raise a ProblemError where an affine function that may be added forever separates the classes.

    The constraints leave fewer such functions: with a slope bounded on both sides, or a fixed value, data that an
    affine function separates may well have a minimiser. The problem is in scaled units.
    """
    if not problem.loss.separable():
        return
    shape, x = problem.constraint, problem.X[:, 0]
    margins = sparse.csr_array(problem.y[:, None] * np.column_stack([np.ones_like(x), x]))
    low, high = (0.0 if np.isfinite(bound) else None for bound in (shape.slope_low, shape.slope_high))
    fixed = np.array([[1.0, p] for p in shape.points]) if shape.points else None
    if separable(margins, [(None, None), (low, high)], fixed):
        raise ProblemError(
            "y",
            f"classes that no affine function within the constraints separates, for {problem.loss.name}",
            "separable classes",
            "The affine part is unpenalised, so the loss falls towards an infimum without a minimiser. Use Hinge, "
            "which attains its minimum, or bound the slope on both sides with Lipschitz.",
        )
