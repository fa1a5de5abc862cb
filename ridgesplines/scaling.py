r"""Units: the problem in coordinates in which solvers work, and the way back.

X is centred and divided by *one* radius (scaling each feature would change the norm of the weights, and so the
problem), y loses its affine least-squares fit, or what of that is in the null space, and is divided by one scale, where
the loss allows. Then

.. math:: \sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|
          = c \Big( \sum_n \tilde s_n \tilde L(\tilde y_n, \tilde f(\tilde x_n)) + \tilde\lambda \|\tilde f\| \Big),
          \qquad f(x) = s \tilde f((x - m)/r) + \text{affine}.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.base import Activation
from ridgesplines.constraints import Constraint, MonotoneFeatures
from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import Interactions
from ridgesplines.line import kernels
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.polynomials import least_squares
from ridgesplines.problem import Problem
from ridgesplines.problem.corners import require_seminorm
from ridgesplines.problem.data import Data
from ridgesplines.rows import Block
from ridgesplines.rows.affine import farthest, moments
from ridgesplines.rows.data import BlockedData
from ridgesplines.rows.facts import Facts
from ridgesplines.validation import LARGEST, SMALLEST, Array, frozen


@dataclass(frozen=True)
class Scaling:
    """A change of units. `problem` is the problem in the new ones.

    Attributes
    ----------
    problem : the scaled problem.
    rows : the rows of the original problem that it holds, in its order: those of positive weight, and for
        interpolation one of each set of equal rows. Shape (n,).
    activation : that of the original problem.
    n_samples : N of the original problem.
    centre, radius : X = centre + radius * scaled X.
    slope, middle : of the affine function taken off y, where that is in the null space, and its value at the centre.
    size : y = affine + size * scaled y.
    factor : objective = factor * scaled objective.
    stretch : activation of the original problem at radius * t = stretch * activation of the scaled one at t; the radius
        itself for ReLU.
    """

    problem: Problem
    rows: NDArray[np.intp]
    activation: Activation
    n_samples: int
    centre: Array
    radius: float
    slope: Array
    middle: Array
    size: float
    factor: float
    stretch: float

    @property
    def offset(self) -> Array:
        """The value at zero of the affine function taken off y; far from the data it has fewer digits."""
        return self.middle - self.centre @ self.slope

    def network(self, net: RidgeSpline) -> RidgeSpline:
        """A network of the scaled problem, in the units of the original one."""
        slope = self.size / self.radius * net.slope
        return net.changed(
            activation=self.activation,
            biases=self.radius * net.biases + net.weights @ self.centre,
            amplitudes=self.size / self.stretch * net.amplitudes,
            slope=slope + self.slope,
            offset=self.size * net.offset - self.centre @ slope + self.offset,
            polynomial=net.polynomial and net.polynomial.moved(self.centre, self.radius, self.size),
        )

    def scaled_network(self, net: RidgeSpline) -> RidgeSpline:
        """The inverse of `network`."""
        slope = net.slope - self.slope
        return net.changed(
            activation=self.problem.activation,
            biases=(net.biases - net.weights @ self.centre) / self.radius,
            amplitudes=self.stretch / self.size * net.amplitudes,
            slope=self.radius / self.size * slope,
            offset=(net.offset - self.offset + self.centre @ slope) / self.size,
            polynomial=net.polynomial
            and net.polynomial.moved(-self.centre / self.radius, 1.0 / self.radius, 1.0 / self.size),
            dates=None,
        )

    def dual(self, u: Array) -> Array:
        """A dual vector of the scaled problem, in the units of the original one."""
        return kernels.scattered(u, self.factor / self.size, self.rows, self.n_samples)

    def lam(self, lam: float) -> float:
        """The scaled lam."""
        if self.problem.loss.interpolates:
            return 1.0  # lam only scales the objective, and may be zero
        scaled = lam * self.size / self.factor / self.stretch
        if lam > 0.0 and not SMALLEST <= scaled <= LARGEST:
            unit = lam / scaled if 0.0 < scaled < np.inf else self.factor / self.size * self.stretch
            raise ProblemError(
                "lam",
                f"between {SMALLEST:g} and {LARGEST:g} in units of the data, weight * loss * length / y = {unit:.3g}",
                f"{lam:g}",
                "Choose it as a part of rs.lambda_max(problem), from which on the solution is affine.",
            )
        return scaled


def standardise(problem: Problem) -> Scaling:
    """The problem in coordinates in which |x| <= 1 and the residual of the affine fit is of size one."""
    if problem.isotropic is not problem:
        remedy = "Pass problem.isotropic; rs.solve, rs.solve_path and rs.evaluate do so themselves."
        raise ProblemError("problem", "one without scales", repr(problem), remedy)
    require_seminorm("problem", problem)
    if problem.in_blocks is not None:
        return _by_blocks(problem, problem.in_blocks)
    rows, reduced = problem.rows, problem.reduced
    X, y, weight = reduced.X, reduced.y, reduced.sample_weight
    if problem.loss.interpolates:
        first = np.sort(np.unique(X, axis=0, return_index=True)[1])
        rows, X, y, weight = rows[first], X[first], y[first], weight[first]
    centre, radius, X, slope, offset, residual, square = _on_a_line(problem) or _centred(problem, X, y)
    size, loss, factor = 1.0, problem.loss, 1.0
    if loss.translates:
        size, largest = float(np.sqrt(square)), float(max(y.max(), -y.min()))
        if size <= 64.0 * np.finfo(float).eps * largest:
            size = largest or 1.0  # y is affine up to rounding: nothing to magnify
        slope = slope / radius
        y = np.divide(residual, size, out=residual)  # it is nobody else's
        loss, factor = loss.rescaled(size)
    heaviest = float(weight.max())
    activation, stretch = problem.activation.rescaled(radius)
    factor = problem.lam * size / stretch if loss.interpolates else factor * heaviest
    shape = _scaled_shape(problem, centre, radius, slope, offset - centre @ slope, size)
    weight = weight if heaviest == 1.0 else weight / heaviest
    data = Data(frozen(X), frozen(y), frozen(weight), loss, activation)
    scaled = _on_checked(data, shape, problem.interactions).through(problem)
    if problem.slope_penalty:
        scaled = scaled.with_slope_penalty(problem.slope_penalty * (size / radius) ** 2 / factor)
    scaling = Scaling(
        scaled, rows, problem.activation, problem.n_samples, centre, radius, slope, offset, size, factor, stretch
    )
    return replace(scaling, problem=scaled.with_lam(scaling.lam(problem.lam)))


class _Centred(NamedTuple):
    """The first steps: see `Scaling`; slope and offset by the new X, and the residual that is left, its mean square."""

    centre: Array
    radius: float
    X: Array
    slope: Array
    offset: Array
    residual: Array
    square: float


def _centred(problem: Problem, X: Array, y: Array) -> _Centred:
    centre = np.zeros(X.shape[1]) if problem.through_origin else (X.max(axis=0) + X.min(axis=0)) / 2.0
    X = X - centre
    radius = float(np.linalg.norm(X, axis=1).max() if X.shape[1] > 1 else max(X.max(), -X.min())) or 1.0
    X /= radius
    if problem.loss.interpolates and len(np.unique(X, axis=0)) < len(X):
        raise ProblemError(
            "X",
            "for Interpolation, distinct rows further apart than the rounding of their span",
            f"rows that coincide once they are divided by the radius {radius:.3g} of the data",
            "Change the units of X (a logarithm, say), or use a loss such as Squared.",
        )
    if not problem.loss.translates:
        zero = np.zeros((problem.n_features, *problem.outputs)), np.zeros(problem.outputs)
        return _Centred(centre, radius, X, *zero, y, 1.0)
    slope, offset = _taken_off(problem, X, y)
    residual = (y - offset) - X @ slope  # in this order: an offset far larger than the rest leaves no trace
    return _Centred(centre, radius, X, slope, offset, residual, float(np.mean(residual**2)))


def _on_a_line(problem: Problem) -> _Centred | None:
    """The same in compiled passes over sorted rows, where they are and nothing but their affine function leaves y."""
    free = problem.skip and not (problem.through_origin or problem.constraints or problem.slope_penalty)
    if not free or not isinstance(problem.data, Data) or (line := problem.data.reduced.weighted_line) is None:
        return None
    centre, radius, t, slope, offset, rest, square = line.standardised()
    return _Centred(np.array([centre]), radius, t[:, None], np.array([slope]), np.array(offset), rest, square)


def _on_checked(data: Data, shape: list[Constraint], groups: Interactions | None) -> Problem:
    """The problem of data that come from checked ones; constraints are held against them once more."""
    if not shape:
        return Problem.of_data(data, 1.0, groups)
    X, y, weight = data.X, data.y, data.sample_weight
    return Problem(X, y, 1.0, data.loss, data.activation, weight, constraints=shape, interactions=groups)


def _by_blocks(problem: Problem, data: BlockedData) -> Scaling:
    """The same for rows in blocks: four passes; blocks are scaled whenever they are read."""
    facts, loss = data.facts, problem.loss
    centre, no_slope = (facts.high + facts.low) / 2.0, np.zeros(problem.n_features)
    radius = float(data.blocks.reduce(farthest, centre, combine=max)) or 1.0
    slope, offset, size, factor = no_slope, 0.0, 1.0, 1.0
    if loss.translates:
        middle = facts.total[1] / facts.total[0]
        less = data.blocks.mapped(partial(_scaled_block, units=(0.0 * centre, 1.0, no_slope, middle, 1.0, 1.0)))
        affine = data.affine.matrix @ less.reduce(moments, data.affine)
        slope, offset = affine[:-1], float(affine[-1] + middle)
        square = less.reduce(_square, affine)
        size = float(np.sqrt(square / facts.n))
        if size <= 64.0 * np.finfo(float).eps * facts.largest:
            size = facts.largest or 1.0
        loss, factor = loss.rescaled(size)
    rows = data.blocks.mapped(partial(_scaled_block, units=(centre, radius, slope, offset, size, facts.heaviest)))
    scaled = problem.on(BlockedData(rows, loss, problem.activation, Facts.of(rows, loss)))
    factor *= facts.heaviest
    few = np.empty(0, dtype=np.intp)
    n, middle = problem.n_samples, np.array(offset + centre @ slope)
    scaling = Scaling(scaled, few, problem.activation, n, centre, radius, slope, middle, size, factor, radius)
    return replace(scaling, problem=scaled.with_lam(scaling.lam(problem.lam)))


def _scaled_block(block: Block, units: tuple[Array, float, Array, float, float, float]) -> Block:
    centre, radius, slope, offset, size, heaviest = units
    y = ((block.y - offset) - block.X @ slope) / size if slope.any() or offset or size != 1.0 else block.y
    return block._replace(X=(block.X - centre) / radius, y=y, weight=block.weight / heaviest)


def _square(block: Block, affine: Array) -> float:
    """Of y less an affine function, over the rows of positive weight."""
    rest = (block.y - affine[-1] - block.X @ affine[:-1])[block.weight > 0.0]
    return float(rest @ rest)


def _taken_off(problem: Problem, X: Array, y: Array) -> tuple[Array, Array]:
    """(slope, offset) of what leaves y: its affine fit, without slopes that must keep a sign, or a constant.

    Bounds of the values stay what they are when a constant leaves. Nothing where no affine function is free.
    """
    if not problem.skip:
        return np.zeros((problem.n_features, *problem.outputs)), np.zeros(problem.outputs)
    held = np.full(problem.n_features, problem.constraint.bounded or bool(problem.slope_penalty))
    if problem.signs is not None:
        held = problem.signs != 0.0
    slope, offset, _ = least_squares(np.where(held, 0.0, X), y, min(problem.activation.degree, 1))
    slope[held] = 0.0
    return slope, offset


def _scaled_shape(
    problem: Problem, centre: Array, radius: float, slope: Array, offset: Array, size: float
) -> list[Constraint]:
    """The constraints in the new units: a list of one, or empty."""
    if not problem.constraints:
        return []
    if problem.signs is not None:  # whatever leaves f has no slope there, and units are positive
        return [MonotoneFeatures([(j, int(sign)) for j, sign in enumerate(problem.signs) if sign])]
    return [problem.constraint.scaled(float(centre[0]), radius, float(slope[0]), float(offset), size)]
