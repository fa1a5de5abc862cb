"""The best affine function, with the dual vector of least supremum."""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.certificate.least_supremum import least_supremum_dual
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Scaled targets are of size one, unless they are affine: then they are what rounding left.
ROUNDING = 1e-13


def affine_optimum(problem: Problem, oracle: Oracle, nearby: Array | None = None) -> tuple[Array, Array] | None:
    """(fit, dual vector of least supremum) of the best affine function, or None where none is feasible.

    Where the search for that dual vector ends early, it is the best so far.

    Parameters
    ----------
    problem : in scaled units.
    oracle : the neurons of which the supremum is taken.
    nearby : values at the data of a function near the best one, if one is known.
    """
    answer = bounded_affine_optimum(problem, oracle, nearby)
    return None if answer is None else answer[:2]


def bounded_affine_optimum(
    problem: Problem, oracle: Oracle, nearby: Array | None = None
) -> tuple[Array, Array, float] | None:
    """The same, and a bound that no dual vector's supremum is below; infinite where none is below the one given's."""
    require_minimiser(problem)
    if problem.loss.translates and not problem.loss.interpolates and float(np.abs(problem.y).max()) <= ROUNDING:
        # y is affine: no residual, and nothing to bend for
        return np.zeros_like(problem.y), np.zeros_like(problem.y), np.inf
    answer = affine_fit(problem, nearby=nearby)
    if answer is None:
        return None
    z, u = answer
    return z, *((u, np.inf) if problem.loss.smooth else least_supremum_dual(problem, z, u, oracle))
