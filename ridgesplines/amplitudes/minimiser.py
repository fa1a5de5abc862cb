"""The check that a problem with constraints attains its infimum."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from ridgesplines.exceptions import ProblemError
from ridgesplines.problem import Problem


def require_shaped_minimiser(problem: Problem) -> None:
    """Raise a ProblemError where an affine function that may be added forever separates the classes.

    The constraints leave fewer such functions: with a slope bounded on both sides, or a fixed value, data that an
    affine function separates may well have a minimiser. The problem is in scaled units.
    """
    if not problem.loss.separable():
        return
    shape, x = problem.constraint, problem.X[:, 0]
    margins = problem.y[:, None] * np.column_stack([np.ones_like(x), x])
    fixed = np.array([[1.0, p] for p in shape.points])
    out = linprog(
        -margins.sum(axis=0),
        A_ub=np.vstack([-margins, margins]),
        b_ub=np.repeat([0.0, 1.0], len(x)),
        A_eq=fixed if len(fixed) else None,
        b_eq=np.zeros(len(fixed)) if len(fixed) else None,
        bounds=[
            (None, None),
            (0.0 if np.isfinite(shape.slope_low) else None, 0.0 if np.isfinite(shape.slope_high) else None),
        ],
        method="highs",
    )
    if out.status == 0 and -out.fun > 1e-6:
        raise ProblemError(
            "y",
            f"classes that no affine function within the constraints separates, for {problem.loss.name}",
            "separable classes",
            "The affine part is unpenalised, so the loss falls towards an infimum without a minimiser. Use Hinge, "
            "which attains its minimum, or bound the slope on both sides with Lipschitz.",
        )
