r"""The second-order cone program over the cells of activation patterns, in CVXPY, compiled once, lam its parameter.

Within a cell a neuron is linear in (w, b), so a network with at most one neuron of either sign a cell is

.. math:: f(x_n) = \sum_i \tfrac12 s_i \sigma_{in} (w_i^T x_n - b_i) + \text{affine}, \qquad
          \sigma_{in} (w_i^T x_n - b_i) \ge 0, \qquad \|f\| = \sum_i \|w_i\|_2

with signs :math:`s_i` of the amplitudes and the side :math:`\sigma_{in} = \pm 1` of each point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from ridgesplines.neurons.patterns import activation_patterns, bounding
from ridgesplines.oracle.base import Supremum
from ridgesplines.problem import Problem
from ridgesplines.solvers.backends import FAILED, Backend, solve_program
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: An inequality that was left out counts as violated above this, relative to the largest |w| and to the data.
VIOLATION_RTOL = 1e-9


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of neurons, each with the sign of their amplitude.

    Attributes
    ----------
    sides : 1 or -1 for each data point, shape (m, N).
    held : whether the inequality at that point is in the program, shape (m, N).
    signs : 1 or -1, of the amplitudes, shape (m,).
    """

    sides: Array
    held: NDArray[np.bool_]
    signs: Array

    def __len__(self) -> int:
        return len(self.signs)

    def some(self, chosen: Array) -> Cells:
        """The chosen cells alone."""
        return Cells(self.sides[chosen], self.held[chosen], self.signs[chosen])

    def holding(self, rows: NDArray[np.bool_]) -> Cells:
        """The same cells with further inequalities."""
        return replace(self, held=self.held | rows)


class Neurons(NamedTuple):
    """The answer of a backend.

    Attributes
    ----------
    weights, biases : w, of any length, and b of each cell, (m, r) and (m,).
    fit, dual : of the data, (N,).
    pull : the sum that a cell's multipliers add to the slopes of eta there, in w and in -b, (m, r + 1).
    status : CVXPY's.
    """

    weights: Array
    biases: Array
    fit: Array
    dual: Array
    pull: Array
    status: str


def all_cells(X: Array, rank: int) -> Cells:
    """Every cell with either sign, without the one in which all neurons are affine at the data.

    Parameters
    ----------
    X : the data in units in which their positions are exact, shape (N, d).
    rank : their affine rank, in which rounding does not count.

    Notes
    -----
    Of the N inequalities of a cell those at its bounding points imply the rest, and are held. Where affine functions
    have any values at the data there is nothing to gain, and no cell.
    """
    points, first, place = np.unique(_columns(X, rank) + 0.0, axis=0, return_index=True, return_inverse=True)
    if len(points) == rank + 1:
        return Cells(np.empty((0, len(X))), np.empty((0, len(X)), dtype=bool), np.empty(0))
    patterns = activation_patterns(points)
    bends = ~patterns.all(axis=1)
    sides = np.where(patterns[bends], 1.0, -1.0)[:, place.ravel()]
    held = np.zeros((len(sides), len(X)), dtype=bool)
    held[:, first] = bounding(patterns)[bends]
    signs = np.repeat([1.0, -1.0], len(sides))
    return Cells(np.concatenate([sides, sides]), np.concatenate([held, held]), signs)


def _columns(X: Array, rank: int) -> Array:
    """Columns of X of which the others are affine functions, to rounding: patterns are the same in them."""
    if rank == X.shape[1]:
        return X
    centred = X - X.mean(axis=0)
    spread = np.abs(centred).max(axis=0)
    spread[spread <= 8.0 * np.finfo(float).eps * np.abs(X).max(axis=0)] = np.inf  # constant columns
    pivots = linalg.qr(centred / spread, mode="r", pivoting=True)[1]
    return X[:, np.sort(pivots[:rank])]


class CellProgram:
    """The program on some cells; `solve` changes a parameter and compiles nothing.

    Parameters
    ----------
    problem : in scaled units.
    points : the data in coordinates of their span, shape (N, r).
    cells : at least one.
    backend : the solver.
    """

    def __init__(self, problem: Problem, points: Array, cells: Cells, backend: Backend) -> None:
        import cvxpy as cp

        self.backend, self._points, self._sides = backend, points, cells.sides
        self._held = cells.held
        m, r = len(cells), points.shape[1]
        self.weights, self.biases = cp.Variable((m, r)), cp.Variable(m)
        self.fit, affine = cp.Variable(problem.n_samples), cp.Variable(problem.rank)
        halves = 0.5 * (cells.sides * cells.signs[:, None]).T
        hidden = -halves @ self.biases
        cell, row = np.nonzero(cells.held)
        at, side = (np.arange(len(cell)), cell), cells.sides[cell, row]
        inside = -sparse.csr_array((side, at), shape=(len(cell), m)) @ self.biases
        for j in range(r):
            hidden += (halves * points[:, [j]]) @ self.weights[:, j]
            inside += sparse.csr_array((side * points[row, j], at), shape=(len(cell), m)) @ self.weights[:, j]
        self.rate = cp.Parameter(nonneg=True)  # 1 / lam: small lam is then no worse scaled than large
        norm = cp.sum(cp.norm(self.weights, 2, axis=1))
        data, constraints = problem.loss.expression(problem.y, self.fit, problem.sample_weight)
        self.link = self.fit == problem.null_space @ affine + hidden
        self.inside = inside >= 0.0
        self.problem = cp.Problem(cp.Minimize(self.rate * data + norm), [self.link, self.inside, *constraints])

    def solve(self, lam: float, options: Mapping[str, Any]) -> Neurons | None:
        """The neurons for one lam, or None where the backend fails."""
        self.rate.value = 1.0 / lam
        status = solve_program(self.problem, self.link, self.backend.name, (options,))
        if status == FAILED or self.weights.value is None or self.link.dual_value is None:
            return None
        W, b, fit = (np.asarray(variable.value) for variable in (self.weights, self.biases, self.fit))
        multipliers = np.zeros(self._sides.shape)
        multipliers[self._held] = lam * np.maximum(self.inside.dual_value, 0.0)
        pull = (multipliers * self._sides) @ np.column_stack([self._points, np.ones(len(fit))])
        return Neurons(W, b, fit, lam * np.asarray(self.link.dual_value), pull, status)

    def violated(self, neurons: Neurons) -> NDArray[np.bool_]:
        """All inequalities of the cells in which one does not hold, shape (m, N).

        In exact arithmetic those that are held imply the others, but in thin cells by way of large multipliers.
        """
        margins = self._sides * (neurons.weights @ self._points.T - neurons.biases[:, None])
        size = max(1.0, float(np.linalg.norm(neurons.weights, axis=1).max()))
        return np.broadcast_to((margins < -VIOLATION_RTOL * size).any(axis=1, keepdims=True), margins.shape)


@dataclass(frozen=True, eq=False)
class CellBound:
    r"""An upper bound on :math:`\sup |\eta|`, proven cell by cell; an Oracle for dual vectors of the posed problem.

    .. math:: \eta(w, b) = g^T w - h b \le (g + v)^T w - (h + t) b \le \|g + v\|_2 + R\,|h + t|, \qquad \|w\|_2 = 1

    in a cell, where v and t gather the inequalities of the cell with multipliers :math:`\ge 0`, and
    :math:`|b| \le R = \max \|x_n\|` because the boundary of a neuron that bends separates points. Valid for any dual
    vector orthogonal to the affine functions and any multipliers; tight for those of a solved program.

    Attributes
    ----------
    points : in scaled units, (n, r).
    cells : all cells that bend.
    pull : (v, t) of each cell, (m, r + 1).
    place : for each row of the posed problem with positive weight its row in `points`.
    to_scaled, to_posed : factors of u and of eta between the units.
    """

    points: Array
    cells: Cells
    pull: Array
    place: NDArray[np.intp]
    to_scaled: float
    to_posed: float

    def __call__(self, u: Array, level: float | None = None, **_: object) -> Supremum:
        mass = np.bincount(self.place, self.to_scaled * u, minlength=len(self.points))
        halves = 0.5 * self.cells.sides * self.cells.signs[:, None]
        slopes = halves @ (mass[:, None] * np.column_stack([self.points, np.ones(len(mass))])) + self.pull
        radius = float(np.linalg.norm(self.points, axis=1).max())
        bounds = np.linalg.norm(slopes[:, :-1], axis=1) + radius * np.abs(slopes[:, -1])
        return Supremum(self.to_posed * float(bounds.max(initial=0.0)), Scope.BOUNDED, np.empty((0, 0)), np.empty(0))


def settings(backend: Backend, accuracy: float) -> tuple[Mapping[str, Any], ...]:
    """The backend's settings, to be tried in turn: its own at another accuracy first.

    Where many networks are optimal Clarabel may stall; other scaling or regularisation of its matrices then helps.
    """
    first = backend.options[0]
    exact = dict(first) | {name: accuracy for name in first if not name.startswith("max_iter")}
    if backend.name != "CLARABEL":
        return exact, *backend.options
    regular, unscaled = {"static_regularization_constant": 1e-7}, {"equilibrate_enable": False}
    return exact, exact | regular, exact | unscaled, *backend.options
