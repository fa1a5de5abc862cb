r"""Piecewise-linear losses and interpolation on given neurons: a linear program, solved by HiGHS' simplex method.

A vertex has exact zeros, and the multipliers of its rows are the dual vector that the fit alone does not determine:
where a residual is zero the loss has a kink, and every slope within it is a subgradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.amplitudes.design import Design
from ridgesplines.interrupt import seconds_left
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

FEASIBLE_TOL = 1e-10
OPTIONS = {"primal_feasibility_tolerance": FEASIBLE_TOL, "dual_feasibility_tolerance": FEASIBLE_TOL}
#: SciPy's status where HiGHS met numerical difficulties.
GAVE_UP = 4
#: Rows that may change their piece in the first program, at least, where a fit nearby is known.
ROWS = 1000


def within_time() -> dict[str, float]:
    """The option of HiGHS for the seconds that are left; none without a limit."""
    seconds = seconds_left()
    return {} if seconds == float("inf") else {"time_limit": seconds}


def linear_program(problem: Problem, design: Design, nearby: Array | None = None) -> tuple[Array, Array, Array] | None:
    """(theta, amplitudes, dual vector) at the optimum, or None where the program is infeasible or HiGHS fails.

    Parameters
    ----------
    problem : with a piecewise-linear loss, or interpolation.
    design : the neurons.
    nearby : a fit near the optimal one, if one is known. Rows far from their kink there keep their piece, which is a
        linear function, and need no variable of their own; a row that turns out to be on another piece joins.
    """
    pieces = problem.loss.pieces(problem.y)
    if pieces is None:
        return _interpolating(problem, design)
    slopes, intercepts = (np.array(part) for part in zip(*pieces, strict=True))
    n, P = design.basis.shape
    piece, order, count = np.zeros(n, dtype=int), np.arange(n), n
    if nearby is not None:
        values = slopes * nearby + intercepts
        piece = np.argmax(values, axis=0)
        order = np.argsort(np.ptp(values, axis=0), kind="stable")  # the rows nearest to their kink first
        count = min(n, max(ROWS, 4 * P))
    near = np.isin(np.arange(n), order[:count])
    while True:
        answer = _with_rows(problem, design, slopes, intercepts, near, piece)
        if answer is None and near.all():
            return None
        if answer is None:  # unbounded, since too many rows were held to one piece
            count = min(n, 4 * count)
            near[order[:count]] = True
            continue
        values = slopes * (design.basis @ answer[0]) + intercepts
        wrong = ~near & (values.max(axis=0) > values[piece, np.arange(n)] + 1e-12)
        if not wrong.any():
            return answer
        near |= wrong


def _with_rows(
    problem: Problem, design: Design, slopes: Array, intercepts: Array, near: Array, piece: Array
) -> tuple[Array, Array, Array] | None:
    """The program in which only the rows `near` may change their piece.

    Unknowns: theta, amplitudes a+ and a- with a+ - a- = C theta, and for each near row its loss t_n.
    """
    B, C, s = sparse.csr_array(design.basis), design.kinks, problem.sample_weight
    (n, P), K, m = B.shape, C.shape[0], int(near.sum())
    held = np.where(near, 0.0, s * slopes[piece, np.arange(n)])
    rows = [
        sparse.hstack([sparse.diags_array(slope[near]) @ B[near], sparse.csr_array((m, 2 * K)), -sparse.eye_array(m)])
        for slope in slopes
    ]
    eye = sparse.eye_array(K)
    out = solved(
        np.concatenate([B.T @ held, np.full(2 * K, problem.lam), s[near]]),
        A_ub=sparse.vstack(rows),
        b_ub=-intercepts[:, near].ravel(),
        A_eq=sparse.hstack([C, -eye, eye, sparse.csr_array((K, m))]) if K else None,
        b_eq=np.zeros(K) if K else None,
        bounds=[(None, None)] * P + [(0.0, None)] * (2 * K) + [(None, None)] * m,
    )
    if out.status != 0:
        return None
    dual = -held
    dual[near] = (slopes[:, near] * out.ineqlin.marginals.reshape(len(slopes), m)).sum(axis=0)
    return out.x[:P], _amplitudes(out.x, P, K), dual


def _interpolating(problem: Problem, design: Design) -> tuple[Array, Array, Array] | None:
    """B theta = y, and the least norm."""
    B, C = sparse.csr_array(design.basis), design.kinks
    (n, P), K = B.shape, C.shape[0]
    eye = sparse.eye_array(K)
    A = sparse.vstack([sparse.hstack([C, -eye, eye]), sparse.hstack([B, sparse.csr_array((n, 2 * K))])])
    out = solved(
        np.concatenate([np.zeros(P), np.full(2 * K, problem.lam)]),
        A_eq=A,
        b_eq=np.concatenate([np.zeros(K), problem.y]),
        bounds=[(None, None)] * P + [(0.0, None)] * (2 * K),
    )
    return (out.x[:P], _amplitudes(out.x, P, K), out.eqlin.marginals[K:]) if out.status == 0 else None


def solved(cost: Array, options: Mapping[str, float] = OPTIONS, **program: Any) -> Any:
    """By the dual simplex method; where it gives up, by an interior point and crossover: at a vertex too."""
    for method in ("highs-ds", "highs-ipm"):
        out = linprog(cost, **program, method=method, options=dict(options))
        if out.status != GAVE_UP:
            break
    return out


def _amplitudes(unknowns: Array, P: int, K: int) -> Array:
    return unknowns[P : P + K] - unknowns[P + K : P + 2 * K]
