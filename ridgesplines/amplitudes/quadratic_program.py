r"""Losses with a kink on given neurons where the slope is penalised: a quadratic program, by an interior point.

.. math:: \max_{u, q} \; \sum_n c_n u_n - \frac{\|q\|^2}{2 \mu} \quad \text{with} \quad
          s_n l_n \le u_n \le s_n h_n, \quad Q^T (u - A q) = 0, \quad |B^T (u - A q)| \le \lambda

for losses :math:`L(y, z) = \max_{l \le v \le h} v (c - z)`. Its multipliers are the coefficients of Q and amplitudes
of the columns B; A is such that :math:`A^T z` is the slope of the affine function nearest to z, and q is :math:`\mu`
times that of the fit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ridgesplines.problem import Problem
from ridgesplines.validation import Array

TOL = 1e-11
#: An amplitude that is no larger than this, relative to the largest, is taken for zero.
ZERO = 1e-12


class Optimum(NamedTuple):
    """Of the quadratic program.

    Attributes
    ----------
    a : amplitudes, (K,).
    z : the fit, (N,).
    u : its dual vector, (N,).
    active : a guess of which amplitudes are not zero, (K,): an interior point is not sparse, but of an amplitude and of
        what its constraint lacks of being active the smaller one is zero at an optimum.
    """

    a: Array
    z: Array
    u: Array
    active: NDArray[np.bool_]


#: Clarabel's words for an answer that can be used.
USABLE = ("Solved", "AlmostSolved", "InsufficientProgress")


def quadratic_program(problem: Problem, B: Array, seconds: float = np.inf) -> Optimum | None:
    """The optimum on columns B (N, K), or None where there is no answer.

    Parameters
    ----------
    problem : with a loss of one kink a row, and a positive `slope_penalty`.
    B : values of the neurons at the data, less affine functions.
    seconds : that the interior point may take.
    """
    import clarabel

    form = problem.loss.box(problem.y)
    assert form is not None
    centre, _, low, high = form
    s, Q, A = problem.sample_weight, problem.null_space, problem.slopes
    (n, K), d, root = B.shape, A.shape[1], np.sqrt(problem.slope_penalty)
    columns = np.hstack([Q, B])
    rows = sparse.csc_array(np.hstack([columns.T, -root * (columns.T @ A)]))
    r, box = Q.shape[1], sparse.hstack([sparse.eye_array(n), sparse.csc_array((n, d))])
    limits = sparse.vstack([rows, box, -box, -rows[r:]], format="csc")
    lam = np.full(K, problem.lam)
    right = np.concatenate([np.zeros(r), lam, s * high, -s * low, lam])
    cost = np.concatenate([-centre, np.zeros(d)])
    curvature = sparse.diags_array(np.repeat([0.0, 1.0], [n, d]), format="csc")
    cones = [clarabel.ZeroConeT(r), clarabel.NonnegativeConeT(2 * (n + K))]
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads = False, 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOL
    settings.time_limit = min(max(seconds, 0.0), 1e9)
    matrices = sparse.csc_matrix(curvature), cost, sparse.csc_matrix(limits), right
    out = clarabel.DefaultSolver(*matrices, cones, settings).solve()
    x, multipliers = np.array(out.x), np.array(out.z)
    if str(out.status) not in USABLE or not np.isfinite(multipliers).all():
        return None
    a = multipliers[r : r + K] - multipliers[r + K + 2 * n :]
    slack = 1.0 - np.abs(rows[r:] @ x) / problem.lam
    active = np.abs(a) > np.maximum(slack, ZERO) * np.abs(a).max(initial=0.0)
    return Optimum(a, Q @ multipliers[:r] + B @ a, np.clip(x[:n], s * low, s * high), active)
