r"""The smallest lam from which on zero is optimal, where lam multiplies the norm.

There a dual vector is a subgradient of the losses at f = 0, and lam is what the largest atom sees of it: the largest of
:math:`|\eta|`, :math:`|\sum_n u_n|` and :math:`|\sum_n u_n x_{nj}|`. A loss with a kink at zero leaves some entries of
u free; the least such value counts, by cutting planes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ridgesplines.amplitudes.atoms import corners_of
from ridgesplines.certificate.dual import subgradients
from ridgesplines.certificate.least_supremum import ACCURACY, CUTS, JOINING, least_maximum
from ridgesplines.certificate.norm import lifted, lifted_oracle, moments
from ridgesplines.exceptions import ConvergenceWarning, warn
from ridgesplines.interrupt import check, overdue
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: It is given without a word where it is known to this part of it.
SETTLED = 1e-6


def least_lam_of_norm(problem: Problem) -> float:
    """The smallest lam from which on f = 0 is optimal; infinite for interpolation of data that are not zero."""
    p = problem.reduced
    nothing = np.zeros((p.n_samples, *p.outputs))
    if p.loss.interpolates:
        return float("inf") if p.y.any() else 0.0
    oracle = lifted_oracle(problem)

    def largest(u: Array) -> tuple[float, tuple[Array, Array]]:
        found = oracle(lifted(problem, u), np.inf)
        return max(found.value, float(moments(problem, u).max())), (found.weights, found.biases)

    u = dual_of_fit(p, nothing)
    low, high = (u, u) if p.loss.smooth else subgradients(p, nothing)
    if (low == high).all():
        return largest(u)[0]
    return _by_cuts(p, low, high, largest)


def _by_cuts(
    p: Problem, low: Array, high: Array, largest: Callable[[Array], tuple[float, tuple[Array, Array]]]
) -> float:
    """The least over all u between low and high, from above; a warning says where it is not settled."""
    corners = corners_of(p)
    affine = corners.affine(p.X).T
    rows, least, bound = np.concatenate([affine, -affine]), np.inf, 0.0
    for _ in range(CUTS):
        check()
        u, bound = least_maximum(rows, low, high, np.empty((len(low), 0)))
        if u is None:
            break
        value, (W, b) = largest(u)
        least = min(least, value)
        if least <= bound * (1.0 + ACCURACY) or overdue():
            break
        cuts = corners.vanishing(p.X, W[:JOINING], b[:JOINING]).T
        rows = np.concatenate([rows, cuts, -cuts])
    if bound < (1.0 - SETTLED) * least:
        between = f"lambda_max lies between {bound:.6g} and {least:.6g}"
        warn(f"{between}, where its search ended; the larger value is returned.", ConvergenceWarning)
    return least
