r"""The LASSO-type program of a dictionary, in CVXPY, compiled once, with lam as its parameter.

Along each direction the neurons add up to a univariate linear spline :math:`g_m`, and

.. math:: \min \; \sum_n s_n L(y_n, z_n) + \lambda \sum_{m,k} |v_{mk}|, \qquad
          z_n = \sum_m g_m(w_m^T x_n) + \text{affine}

Written with the values and the *slopes* of each spline as unknowns, rise = width times slope, every matrix is sparse
and well scaled: O(N) nonzeros a direction, where the dense matrix of the neurons would have O(N^2), and points that lie
close do no harm (second differences of values would divide by their distance twice).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from ridgesplines.exceptions import SolverRefusal
from ridgesplines.neurons.dictionary import TIE, Dictionary, distinct
from ridgesplines.objective import slope_pull
from ridgesplines.problem import Problem
from ridgesplines.solvers.backends import Backend, solve_program
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Splines:
    """The sparse matrices of the splines, stacked direction by direction.

    rises @ values == widths @ slopes ties them together; kinks @ slopes are the amplitudes, in the
    dictionary's order; at_data @ values is their part of the fit. A spline is zero up to its first knot.
    """

    rises: Any
    widths: Any
    kinks: Any
    at_data: Any


def splines(X: Array, dictionary: Dictionary) -> Splines:
    """Matrices for scaled data X (N, d)."""
    parts = [
        _spline(X @ w, knots) for w, knots in zip(dictionary.directions, dictionary.biases, strict=True) if len(knots)
    ]
    rises, widths, kinks, at_data = zip(*parts, strict=True)
    return Splines(
        sparse.block_diag(rises, format="csr"),
        sparse.block_diag(widths, format="csr"),
        sparse.block_diag(kinks, format="csr"),
        sparse.hstack(at_data, format="csr"),
    )


def _spline(p: Array, knots: Array) -> tuple[Any, Any, Any, Any]:
    sites = distinct(np.concatenate([knots, p]))
    sites = sites[sites >= knots[0] - TIE]  # where a point lies beside the knot, the first of both is their site
    steps = len(sites) - 1  # unknown values: at every site after the first knot
    piece = np.searchsorted(knots, sites[:-1] + TIE, side="right") - 1
    rises = sparse.diags_array([np.ones(steps), -np.ones(steps - 1)], offsets=[0, -1], shape=(steps, steps))
    widths = sparse.csr_array((np.diff(sites), (np.arange(steps), piece)), shape=(steps, len(knots)))
    k = len(knots)
    kinks = sparse.diags_array([np.ones(k), -np.ones(k - 1)], offsets=[0, -1], shape=(k, k))
    where = np.searchsorted(sites, p + TIE, side="right") - 2
    rows = np.flatnonzero(where >= 0)
    at_data = sparse.csr_array((np.ones(len(rows)), (rows, where[rows])), shape=(len(p), steps))
    return rises, widths, kinks, at_data


class Program:
    """A compiled program; `solve(lam)` changes a parameter and compiles nothing.

    A subclass sets `backend`, `lam`, `problem`, `link`, whose multiplier is the dual vector, and `fit`.
    """

    backend: Backend
    lam: Any
    problem: Any
    link: Any
    fit: Any

    def amplitudes(self) -> Array | None:
        """The amplitudes of the last answer, in the dictionary's order; None where there is none."""
        raise NotImplementedError

    def _compile(self, problem: Problem, hidden: Any, amplitudes: Any, ties: list[Any]) -> None:
        """min loss + lam norm of the amplitudes, where the fit is the neurons' part and one in the null space."""
        import cvxpy as cp

        outputs = problem.outputs
        self.lam = cp.Parameter(nonneg=True)
        self.fit = cp.Variable((problem.n_samples, *outputs))
        free = problem.null_space @ cp.Variable((problem.rank, *outputs)) if problem.rank else 0.0
        norm = cp.norm1(amplitudes) if not outputs else cp.sum(cp.norm(amplitudes, 2, axis=1))
        data, constraints = problem.loss.expression(problem.y, self.fit, problem.sample_weight)
        if problem.slope_penalty:
            data += 0.5 * problem.slope_penalty * cp.sum_squares(problem.slopes.T @ self.fit)
        self.pull = partial(slope_pull, problem)
        self.link = self.fit == free + hidden
        self.problem = cp.Problem(cp.Minimize(data + self.lam * norm), [self.link, *ties, *constraints])

    def solve(self, lam: float) -> tuple[Array, Array, Array, str]:
        """(amplitudes, fit, dual vector, CVXPY's status) for one lam; the backend's settings in turn."""
        self.lam.value = lam
        status = solve_program(self.problem, self.link, self.backend.name, self.backend.options)
        amplitudes = self.amplitudes()
        if amplitudes is not None and self.link.dual_value is not None:
            fit = np.asarray(self.fit.value)  # the multiplier of the link is what neurons see: u less the slope's pull
            return amplitudes, fit, np.asarray(self.link.dual_value) + self.pull(fit), status
        raise SolverRefusal(
            f"Grid(backend={self.backend.name!r})",
            "a feasible program that it can solve",
            f"status {status!r}",
            'For Interpolation offer more directions, with biases="data"; otherwise try another backend.',
        )


class SplineProgram(Program):
    """The program of a dictionary of ReLU neurons, as splines along its directions.

    Parameters
    ----------
    problem : in scaled units.
    dictionary : at least one neuron.
    backend : the solver, with its settings.
    """

    def __init__(self, problem: Problem, dictionary: Dictionary, backend: Backend) -> None:
        import cvxpy as cp

        self.backend = backend
        matrices = splines(problem.X, dictionary)
        outputs = problem.outputs
        values = cp.Variable((matrices.rises.shape[1], *outputs))
        slopes = cp.Variable((matrices.widths.shape[1], *outputs))
        hidden = matrices.at_data @ values
        ties = matrices.rises @ values == matrices.widths @ slopes
        self._kinks, self._slopes = matrices.kinks, slopes
        self._compile(problem, hidden, matrices.kinks @ slopes, [ties])

    def amplitudes(self) -> Array | None:
        return None if self._slopes.value is None else self._kinks @ self._slopes.value


class DenseProgram(Program):
    """The program of a dictionary of any activation, with the matrix of its values at the data.

    Parameters
    ----------
    problem : in scaled units.
    dictionary : at least one neuron.
    backend : the solver, with its settings.
    """

    def __init__(self, problem: Problem, dictionary: Dictionary, backend: Backend) -> None:
        import cvxpy as cp

        self.backend = backend
        W, b = dictionary.neurons
        outputs = problem.outputs
        self._amplitudes = cp.Variable((len(b), *outputs))
        self._compile(problem, problem.activation.value(problem.X @ W.T - b) @ self._amplitudes, self._amplitudes, [])

    def amplitudes(self) -> Array | None:
        return self._amplitudes.value
