"""The affine fit: the optimum without neurons, and whether it exists."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.amplitudes.design import design
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.amplitudes.newton import Face, descend
from ridgesplines.exceptions import ProblemError
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def affine_fit(problem: Problem, fixed: Array | float = 0.0, nearby: Array | None = None) -> tuple[Array, Array] | None:
    r"""(fit, dual vector) of the best affine function, added to a fixed fit: min over q of sum L(y, fixed + q).

    The dual vector of a minimiser is orthogonal to [1 X]. None where no affine function is feasible.
    Piecewise-linear losses take ``fixed = 0``; they are faster from `nearby`, values at the data of a function near the
    best one, by default the least-squares fit.
    """
    Q = problem.null_space
    if not Q.shape[1]:
        return _nothing(problem, fixed)
    if problem.loss.smooth:
        face = Face(problem, Q, sparse.csr_array((0, Q.shape[1])), fixed=fixed)
        theta, _, _ = descend(face, np.zeros((Q.shape[1], *problem.outputs)))
        z = fixed + Q @ theta
        return z, dual_of_fit(problem, z)
    empty, _ = design(problem, np.empty((0, problem.n_features)), np.empty(0))
    answer = linear_program(problem, empty, nearby=Q @ (Q.T @ problem.y) if nearby is None else nearby)
    if answer is None:
        return None
    theta, _, dual = answer
    return Q @ theta, dual


def _nothing(problem: Problem, fixed: Array | float) -> tuple[Array, Array] | None:
    """The same where no function is free: the fixed fit, and a subgradient there; for interpolation only of zeros."""
    z = fixed + np.zeros((problem.n_samples, *problem.outputs))
    if problem.loss.interpolates:
        return (z, np.zeros_like(z)) if (problem.y == z).all() else None
    return z, dual_of_fit(problem, z)


def require_minimiser(problem: Problem) -> None:
    """Raise a ProblemError where the null space separates the classes: an infimum, and no minimiser.

    A direction q of affine functions, or of what else is not penalised, along which no margin falls and one rises
    lowers the loss without end. A linear program looks for it; quasi-complete separation, where some points lie on the
    boundary, counts.
    """
    if not problem.loss.separable() or problem.activation.degree < 0:
        return
    if problem.n_features == 1 and problem.n_outputs is None and problem.activation.degree == 1:
        apart = _separable_on_a_line(problem)
    else:
        apart = separable(margin_rows(problem, problem.null_space))
    if apart:
        free = _free(problem.activation.degree)
        raise ProblemError(
            "y",
            f"classes that no {free} separates, for {problem.loss.name}",
            "separable classes",
            f"The {free} is unpenalised, so the loss falls towards an infimum without a minimiser. "
            "Use Hinge, which attains its minimum; use fewer features; or penalise the slope elsewhere "
            "(for example logistic regression with a penalty).",
        )


def _free(degree: int) -> str:
    """The functions in the null space, in words."""
    return {0: "constant", 1: "affine function"}.get(degree, f"polynomial of degree {degree}")


def _separable_on_a_line(problem: Problem) -> bool:
    """One class alone, or one to the left of the other; they may touch, unless all x are equal."""
    x, labels = problem.X[:, 0], problem.y > 0.0
    up, down = x[labels], x[~labels]
    if not len(up) or not len(down):
        return True
    apart = up.max() <= down.min() or down.max() <= up.min()
    return bool(apart and x.min() < x.max())


def separable(margins: sparse.csr_array, bounds: Any = (None, None), zeros: Array | None = None) -> bool:
    """Whether some coefficients give no negative margin and one that is positive: by a linear program.

    Parameters
    ----------
    margins : rows whose products with the coefficients are the margins, (m, P).
    bounds : of the coefficients, as ``linprog`` takes them.
    zeros : rows whose products with the coefficients must be zero, (q, P).
    """
    out = linprog(
        -margins.sum(axis=0),
        A_ub=sparse.vstack([-margins, margins]),
        b_ub=np.repeat([0.0, 1.0], margins.shape[0]),
        A_eq=zeros,
        b_eq=None if zeros is None else np.zeros(len(zeros)),
        bounds=bounds,
        method="highs",
    )
    return bool(out.status == 0 and -out.fun > 1e-6)


def margin_rows(problem: Problem, columns: Any) -> sparse.csr_array:
    """Rows whose products with the coefficients of columns are margins: one a sample, or D - 1 for Softmax."""
    Q, y = sparse.csr_array(columns), problem.y
    D = problem.n_outputs
    if D is None:
        return sparse.csr_array(sparse.diags_array(y) @ Q)
    own = np.eye(D)[y.astype(int)]
    blocks = []
    for j in range(D):
        rows = np.flatnonzero(y != j)  # the label's logit less the j-th
        difference = own[rows] - np.eye(D)[j]
        blocks.append(sparse.hstack([sparse.diags_array(difference[:, i]) @ Q[rows] for i in range(D)]))
    return sparse.csr_array(sparse.vstack(blocks))
