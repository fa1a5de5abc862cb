"""The affine fit: the optimum without neurons, and whether it exists."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.optimize import linprog

from ridgesplines.amplitudes.design import design
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.amplitudes.newton import Face, descend
from ridgesplines.amplitudes.quadratic_program import quadratic_program
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
        start = np.zeros((problem.n_samples, *problem.outputs))
        start += problem.loss.shift(problem.y, fixed + start, problem.sample_weight)
        theta, _, _ = descend(face, Q.T @ start)
        z = fixed + Q @ theta
        return z, dual_of_fit(problem, z)
    if problem.slope_penalty:
        program = quadratic_program(problem, np.empty((problem.n_samples, 0)))
        return None if program is None else (program.z, program.u)
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
    """Raise a ProblemError where the null space separates classes, or the zeros of counts: an infimum, no minimiser.

    A direction q of affine functions, or of what else is not penalised, along which no margin falls and one rises
    lowers the loss without end. A linear program looks for it; quasi-complete separation, where some points lie on the
    boundary, counts. Of counts the zeros' means may fall and no others change. Where the norm counts nothing is free.
    """
    if problem.norm or not problem.loss.separable() or not has_no_minimiser(problem):
        return
    if problem.slope_penalty:  # only the constants may grow forever
        raise no_minimiser(problem, _free(0), "pass rows of another class, or other counts, as well")
    remedy = "or pass slope_penalty=1.0, say, which penalises the slope; or use fewer features"
    raise no_minimiser(problem, _free(problem.activation.degree), remedy)


def has_no_minimiser(problem: Problem) -> bool:
    """Whether what is not penalised lowers the loss, one that is `separable`, without end."""
    if problem.activation.degree < 0 or not problem.skip:
        return False
    on_a_line = problem.n_features == 1 and problem.n_outputs is None and problem.activation.degree == 1
    if on_a_line and not problem.slope_penalty:
        return _separable_on_a_line(problem)
    return recedes(problem, problem.free_space)


def no_minimiser(problem: Problem, free: str, remedy: str, smooth: bool = False) -> ProblemError:
    """The error that says that the functions `free`, in words, lower the loss without end.

    Where nothing but a `smooth` loss is taken, no loss with kinks is a remedy.
    """
    expected, got, other = problem.loss.unattained
    falls = f"The {free} is unpenalised, so the loss falls towards an infimum without a minimiser."
    remedy = f"{remedy[0].upper()}{remedy[1:]}" if smooth and problem.loss.labels else f"{other}; {remedy}"
    return ProblemError("y", f"{expected.format(free=free)}, for {problem.loss.name}", got, f"{falls} {remedy}.")


def _free(degree: int) -> str:
    """The functions in the null space, in words."""
    return {0: "constant", 1: "affine function"}.get(degree, f"polynomial of degree {degree}")


def _separable_on_a_line(problem: Problem) -> bool:
    """One class alone, or one to the left of the other; they may touch, unless all x are equal.

    Where the fit is held at some x: at one x alone, with all others on one side, or on both in opposite directions.
    """
    x, (direction, held) = problem.X[:, 0], problem.loss.recession(problem.y)
    if held.any():
        at = x[held]
        turned = direction[~held] * (x[~held] - at[0])
        return bool(at.min() == at.max() and turned.any() and ((turned >= 0.0).all() or (turned <= 0.0).all()))
    up, down = x[direction > 0.0], x[direction < 0.0]
    if not len(up) or not len(down):
        return True
    apart = up.max() <= down.min() or down.max() <= up.min()
    return bool(apart and x.min() < x.max())


def recedes(
    problem: Problem,
    columns: Array,
    bounds: Any = (None, None),
    zeros: Array | None = None,
    below: Array | None = None,
) -> bool:
    """Whether some coefficients of the columns may grow forever: no row's loss rises, and one falls.

    Parameters
    ----------
    problem : with a loss that is `separable`.
    columns : values at the data of the functions that are not penalised, (N, P).
    bounds, zeros, below : as for `separable`; scalar fits only.
    """
    if problem.n_outputs is not None:
        return separable(_margins(problem, columns))
    direction, held = problem.loss.recession(problem.y)
    fixed = linalg.qr(columns[held], mode="r")[0] if held.any() else columns[:0]  # zero where the rows are
    rank = np.linalg.matrix_rank(fixed) if len(fixed) else 0  # of no rows NumPy before 2.2 has none
    if held.all() or rank == columns.shape[1]:
        return False
    fixed = fixed[: columns.shape[1]] if zeros is None else np.vstack([fixed[: columns.shape[1]], zeros])
    margins = sparse.csr_array(direction[~held, None] * columns[~held])
    return separable(margins, bounds, fixed if len(fixed) else None, below)


def separable(
    margins: sparse.csr_array, bounds: Any = (None, None), zeros: Array | None = None, below: Array | None = None
) -> bool:
    """Whether some coefficients give no negative margin and one that is positive: by a linear program.

    Parameters
    ----------
    margins : rows whose products with the coefficients are the margins, (m, P).
    bounds : of the coefficients, as ``linprog`` takes them.
    zeros : rows whose products with the coefficients must be zero, (q, P).
    below : rows whose products with the coefficients must not be positive, (r, P).
    """
    others = margins[:0] if below is None else sparse.csr_array(below)
    out = linprog(
        -margins.sum(axis=0),
        A_ub=sparse.vstack([-margins, margins, others]),
        b_ub=np.repeat([0.0, 1.0, 0.0], [margins.shape[0], margins.shape[0], others.shape[0]]),
        A_eq=zeros,
        b_eq=None if zeros is None else np.zeros(len(zeros)),
        bounds=bounds,
        method="highs",
    )
    return bool(out.status == 0 and -out.fun > 1e-6)


def _margins(problem: Problem, columns: Array) -> sparse.csr_array:
    """Rows whose products with the coefficients of columns are margins, D - 1 of them a sample: for Softmax."""
    Q, y = sparse.csr_array(columns), problem.y
    D = problem.n_outputs
    assert D is not None
    own = np.eye(D)[y.astype(int)]
    blocks = []
    for j in range(D):
        rows = np.flatnonzero(y != j)  # the label's logit less the j-th
        difference = own[rows] - np.eye(D)[j]
        blocks.append(sparse.hstack([sparse.diags_array(difference[:, i]) @ Q[rows] for i in range(D)]))
    return sparse.csr_array(sparse.vstack(blocks))
