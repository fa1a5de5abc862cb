r"""The lower bound that a dual vector proves where f must be monotone in some features.

With :math:`\tilde c = c + \frac12 \sum_k v_k w_k` a network is
:math:`\sum_k \frac12 v_k |w_k^T x - b_k| + \tilde c^T x + \tilde c_0`. In feature j it is at least as steep as
:math:`\tilde c_j` and its neurons of this feature alone are together, less :math:`\frac12 |v_k| |w_{kj}|` for each
other neuron; that this has the sign :math:`s_j` everywhere is what is asked for. Nonnegative slopes of one variable are
sums of those of strips, of single neurons and of lines, and their variations add up, so that

.. math:: f(x) = \sum_k a_k \varphi_k(x) + \sum_i t_i \psi_i(x) + \sum_j \gamma_j s_j x_j + \text{free}, \qquad
          \varphi_k(x) = \tfrac12 \sigma_k |w_k^T x - b_k| + \tfrac12 \sum_j s_j |w_{kj}| x_j, \qquad
          \psi_i(x) = s_j (\rho(x_j - b_i) - \rho(x_j - b_i'))

with nonnegative coefficients, the seminorm :math:`\sum a_k + 2 \sum t_i`, and free functions affine in the other
features. For any u orthogonal to these with :math:`s_j u^T x_j \le 0`,
:math:`-\sum_n s_n L^*(y_n, -\tau u_n / s_n)` is a lower bound as soon as :math:`\tau u^T \varphi \le \lambda` and
:math:`\tau u^T \psi \le 2 \lambda` for all of them: tau times the supremum of
:class:`ridgesplines.oracle.monotone.MonotoneOracle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.certificate.dual import along, best_scale, projected
from ridgesplines.numerics.polynomials import affine_basis
from ridgesplines.oracle.monotone import MonotoneOracle, MonotoneSupremum
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: A moment of the wrong sign below this, relative to the sum of its terms, is rounding.
ROUNDING = 4.0 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class MonotoneBound:
    """What a dual vector proves, in scaled units.

    Attributes
    ----------
    dual : u, in the cone.
    supremum : what counts of eta at its largest, and where.
    residual : how far the suggestion was from the cone, relatively.
    scale, value : tau, and the bound D(tau u); an estimate where the supremum was searched.
    """

    dual: Array
    supremum: MonotoneSupremum
    residual: float
    scale: float
    value: float


def signs_of(problem: Problem) -> Array:
    """The signs of the features; zero for those of a problem without any."""
    return np.zeros(problem.n_features) if problem.signs is None else problem.signs


def monotone_oracle(problem: Problem, seed: int | Sequence[int] = 0) -> MonotoneOracle:
    """The oracle of a problem in scaled units, exact where no group has more than two features."""
    groups = problem.interactions or [tuple(range(problem.n_features))]
    return MonotoneOracle(problem.X, signs_of(problem), groups, seed)


def monotone_bound(
    problem: Problem, oracle: MonotoneOracle, raw: Array, level: float = np.inf, **further: Any
) -> MonotoneBound:
    """The bound of a suggestion, in scaled units; neurons above the `level` are listed; `further` as for the oracle.

    No bound, but an estimate, where the oracle searches.
    """
    u, residual = into_cone(problem, raw)
    if not np.isfinite(along(problem, u)(0.0)):
        u = np.zeros_like(u)  # nothing near it is in the cone and inside the domain: zero always is
    supremum = oracle(u, level, **further)
    return MonotoneBound(u, supremum, residual, *best_scale(problem, u, supremum.value))


def into_cone(problem: Problem, raw: Array) -> tuple[Array, float]:
    r"""u orthogonal to the free functions with :math:`s_j u^T x_j \le 0`, and how far the suggestion was, relatively.

    Features whose moment has the wrong sign are taken for free, one after the other. The answer need not be the
    nearest, but near an optimum is.
    """
    signs, X = signs_of(problem), problem.X
    free, space = signs == 0.0, problem.free_space
    residual = 0.0
    for attempt in range(len(signs) + 1):
        u, off = projected(problem, raw, space)
        residual = off if not attempt else max(residual, off)
        wrong = ~free & (signs * (u @ X) > ROUNDING * (np.abs(u) @ np.abs(X)))
        if not wrong.any():
            break
        free = free | wrong
        space = affine_basis(np.where(free, X, 0.0))
    return u, residual
