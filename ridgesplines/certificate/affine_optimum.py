"""The best affine function, with the dual vector of least supremum."""

from __future__ import annotations

from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.certificate.dual import least_supremum_dual
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def affine_optimum(problem: Problem, oracle: Oracle, nearby: Array | None = None) -> tuple[Array, Array] | None:
    """(fit, dual vector of least supremum) of the best affine function, or None where none is feasible."""
    require_minimiser(problem)
    answer = affine_fit(problem, nearby=nearby)
    if answer is None or problem.loss.smooth:
        return answer
    z, u = answer
    return z, least_supremum_dual(problem, z, u, oracle)
