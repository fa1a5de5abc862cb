r"""The objective of a network, and the rounding error that it may have.

.. math:: \sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|

The network is evaluated where its terms are small: about an origin near the data, which x is moved to exactly, and with
an affine part that is summed as if in twice the working precision. The rounding error follows from the terms that
are summed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.relu import ReLU
from ridgesplines.line import kernels
from ridgesplines.losses.base import Loss
from ridgesplines.network.pieces import Pieces
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.precise import plus_products
from ridgesplines.problem import Problem
from ridgesplines.rows import Block
from ridgesplines.rows.data import PERFECT
from ridgesplines.validation import Array

#: Entries of a block of pre-activations.
BLOCK_ENTRIES = 2**22
#: Rows whose terms fit in a processor's cache.
BLOCK_ROWS = 2**12
#: What rounding takes of a term, and of a sum of many of one sign.
EPS = np.finfo(float).eps
SUM = 4.0 * EPS


def blocks(n: int) -> Iterator[slice]:
    """The rows of sums over n terms, so many at a time that what is computed on the way stays in the cache."""
    return (slice(i, i + BLOCK_ROWS) for i in range(0, n, BLOCK_ROWS))


def moved(problem: Problem, network: RidgeSpline) -> RidgeSpline:
    """The same function of x less the problem's origin."""
    origin = problem.origin
    if not origin.any():
        return network
    return network.changed(
        biases=plus_products(network.biases, -network.weights, origin),
        offset=plus_products(np.asarray(network.offset)[None], origin[None], network.slope)[0],
        polynomial=network.polynomial and network.polynomial.moved(-origin, 1.0, 1.0),
        dates=None,
    )


@dataclass(frozen=True, eq=False)
class Fit:
    """A network at the data, evaluated once for all who ask; see `targets_and_fit`.

    Attributes
    ----------
    problem : whose data these are.
    y, z : the targets and the fit, both less the same affine function where only their difference counts.
    pieces : the straight pieces of which z was read off; None in many dimensions, and for other activations.
    """

    problem: Problem
    y: Array
    z: Array
    pieces: Pieces | None = None

    def __iter__(self) -> Iterator[Array]:
        """y and z."""
        return iter((self.y, self.z))

    @cached_property
    def data_fit(self) -> float:
        """The weighted sum of the losses."""
        p, y, z = self.problem, self.y, self.z
        if p.output_scales is not None:
            y, z = y / p.output_scales, z / p.output_scales
        if p.loss.quadratic:
            return kernels.weighted_squares(p.sample_weight, y, z)
        return float(p.sample_weight @ p.loss.value(y, z))


def targets_and_fit(problem: Problem, network: RidgeSpline) -> Fit:
    """(y, f(x)), both less the same affine function where only their difference counts: it may be far larger than that.

    In one dimension a linear spline is evaluated piece by piece, and only a constant near y is taken off.
    """
    loss = problem.loss
    apart = loss.translates and not loss.interpolates
    if network.n_features == 1 and isinstance(network.activation, ReLU):
        y, level = (problem.data.above_level, problem.data.level) if apart else (problem.y, 0.0)
        pieces = network.pieces(level)
        return Fit(problem, y, pieces.at(problem.X[:, 0]), pieces)
    net, X = moved(problem, network), problem.centred
    zero = np.zeros_like(net.offset)
    hidden = net.changed(offset=zero, slope=np.zeros_like(net.slope)).at(X)
    columns, affine = np.column_stack([X, np.ones(len(X))]), np.concatenate([net.slope, np.asarray(net.offset)[None]])
    if apart:
        return Fit(problem, plus_products(problem.y, columns, -affine), hidden)
    return Fit(problem, problem.y, plus_products(hidden, columns, affine))


def data_fit(problem: Problem, network: RidgeSpline, fit: Fit | None = None) -> float:
    """The weighted sum of the losses of a network; `fit` is its `targets_and_fit`, where that is known."""
    if problem.in_blocks is not None:
        return float(problem.in_blocks.blocks.reduce(block_data_fit, problem.loss, network))
    return (fit or targets_and_fit(problem, network)).data_fit


def seminorm(problem: Problem, network: RidgeSpline) -> float:
    r"""What lam multiplies: :math:`\sum_k |v_k| \|w_k\|`, with scales :math:`\sum_k |v_k| \|S w_k\|`.

    With ``norm=True`` what f is at the corners joins it; with penalised biases it is
    :math:`\sum_k |v_k| \|(w_k, b_k)\|`, and where nothing is free :math:`|c_0|` as well.
    """
    if problem.penalise_bias:
        constant = 0.0 if problem.skip else float(np.linalg.norm(network.offset))
        return float(group_norms(network.amplitudes) @ neuron_lengths(problem, network)) + constant
    if problem.corners is not None:
        at_corners = problem.corners.coefficients(network.at(problem.corners.points))
        scale = 1.0 if problem.output_scales is None else problem.output_scales
        return _bends(problem, network) + float(group_norms(at_corners / scale).sum())
    return _bends(problem, network)


def _bends(problem: Problem, network: RidgeSpline) -> float:
    if problem.isotropic is problem and not problem.constraint.free_knots:
        return network.seminorm
    v = network.amplitudes if problem.output_scales is None else network.amplitudes / problem.output_scales
    return float((group_norms(v) * problem.lengths(network.weights))[charged(problem, network)].sum())


def neuron_lengths(problem: Problem, network: RidgeSpline) -> Array:
    """The lengths of a network's neurons by which they cost: one, or with penalised biases that of (w, b)."""
    return np.hypot(1.0, network.biases) if problem.penalise_bias else np.ones(network.n_neurons)


def charged(problem: Problem, network: RidgeSpline) -> NDArray[np.bool_]:
    """A mask of the neurons that lam counts: not those at free knots; d = 1 where there are any."""
    if not problem.constraint.free_knots:
        return np.ones(network.n_neurons, dtype=bool)
    return np.asarray(problem.constraint.costs(network.breakpoints, float(np.abs(problem.X).max())))


def block_data_fit(block: Block, loss: Loss, network: RidgeSpline) -> float:
    """A block's part of the data fit."""
    return data_fit(Problem.of_block(block, loss, network.activation), network)


def block_rounding(block: Block, loss: Loss, network: RidgeSpline) -> float:
    """A block's part of the data fit's rounding error."""
    return objective_rounding(Problem.of_block(block, loss, network.activation), network)


def objective(problem: Problem, network: RidgeSpline, fit: Fit | None = None) -> float:
    """data fit + lam * seminorm + the penalty of the slope."""
    penalties = problem.lam * seminorm(problem, network) + slope_cost_of(problem, network, fit)
    return data_fit(problem, network, fit) + penalties


def slope_cost(problem: Problem, z: Array) -> float:
    r"""The penalty :math:`\frac{\mu}{2} \|A^T z\|_F^2` of the mean slope of a fit z; zero where there is none."""
    if not problem.slope_penalty:
        return 0.0
    return float(0.5 * problem.slope_penalty * ((problem.slopes.T @ z) ** 2).sum())


def slope_cost_of(problem: Problem, network: RidgeSpline, fit: Fit | None = None) -> float:
    """The same of a network."""
    if not problem.slope_penalty:
        return 0.0
    y, z = fit or targets_and_fit(problem, network)
    return slope_cost(problem, z + (problem.y - y) if problem.loss.translates else z)


def slope_pull(problem: Problem, z: Array) -> Array | float:
    """The gradient of the penalty of the slope, shape of z; zero where there is none."""
    if not problem.slope_penalty:
        return 0.0
    pull: Array = problem.slopes @ (problem.slope_penalty * (problem.slopes.T @ z))
    return pull


def dual_of_fit(problem: Problem, z: Array) -> Array:
    """u_n = -s_n dL/dz(y_n, z_n): the dual vector of a fit z, shape of z; a subgradient where the loss has a kink."""
    return -(problem.loss.gradient(problem.y, z).T * problem.sample_weight).T


def objective_of_fit(problem: Problem, z: Array, norm: float) -> float:
    """The objective of a fit z whose network has the seminorm `norm`: for solvers, which know both."""
    data = float(problem.sample_weight @ problem.loss.value(problem.y, z))
    return data + problem.lam * norm + slope_cost(problem, z)


def objective_rounding(problem: Problem, network: RidgeSpline, fit: Fit | None = None) -> float:
    """The rounding error that the objective may have, from the terms that are summed for it."""
    fit, p = fit or targets_and_fit(problem, network), problem
    y, z = fit
    penalty = SUM * (p.lam * seminorm(p, network) + slope_cost_of(p, network, fit))
    if p.loss.interpolates:
        return penalty
    off = fit_rounding(p, network, fit)
    if p.slope_penalty:
        fitted = z + (p.y - y) if p.loss.translates else z
        penalty += float(np.vdot(np.abs(slope_pull(p, fitted)), off))
    s = p.sample_weight
    if p.loss.quadratic:
        return penalty + kernels.rounded_squares(s, y, z, off, SUM)
    return penalty + sum(float(s[rows] @ _worse(p.loss, y[rows], z[rows], off[rows])) for rows in blocks(len(y)))


def _worse(loss: Loss, y: Array, z: Array, off: Array) -> Array:
    """What rounding may do to each L(y, z), where y - z, or z alone, is known to `off` only."""
    value = loss.value(y, z)
    if loss.translates:  # away from zero; beyond it the other side of a kink may be steeper
        r, zero = y - z, np.zeros_like(z)
        off = np.copysign(off, r)
        worst = loss.value(r + off, zero)
        if not loss.smooth:
            worst = np.maximum(worst, loss.value(r - off, zero))
    elif z.ndim == 1:
        worst = np.maximum(loss.value(y, z + off), loss.value(y, z - off))
    else:  # the gradient of logits, and at most one more for each
        worst = value + (np.abs(loss.gradient(y, z)) * off + off**2).sum(axis=1)
    rise = np.subtract(worst, value, out=np.full_like(value, np.inf), where=np.isfinite(worst))
    return rise + SUM * value


def perfect_fit(problem: Problem, network: RidgeSpline) -> float:
    """The data fit of a network whose coefficients are perfect but for their last digits."""
    p = problem
    terms = np.abs(p.X) @ np.abs(network.slope) + np.abs(network.offset)
    if network.polynomial is not None:
        terms = terms + np.abs(network.polynomial(p.X))
    if p.loss.interpolates:
        return 0.0
    if p.loss.translates:
        return float(p.sample_weight @ p.loss.value(SUM * (np.abs(p.y) + terms), np.zeros_like(terms)))
    off = SUM * (1.0 + (terms if terms.ndim == 1 else terms.max(axis=1)))
    return float(p.sample_weight @ p.loss.missed(p.y, off))


def fit_rounding(problem: Problem, network: RidgeSpline, fit: Fit) -> Array:
    """The rounding error that y - f(x) may have, as `targets_and_fit` has them, or f(x) alone; shape of f(x)."""
    y, z = fit
    if fit.pieces is not None:
        off = fit.pieces.rounding(problem.X[:, 0])
        return kernels.with_sizes(off, y, z, EPS) if problem.loss.translates else off + EPS * np.abs(z)
    net, X = moved(problem, network), problem.centred
    about = np.abs(net.offset) if problem.origin.any() else 0.0  # f at the origin is a number of so many digits
    far, size, terms = np.linalg.norm(X, axis=1), np.abs(net.amplitudes), np.abs(z) + about
    step = max(1, BLOCK_ENTRIES // max(1, net.n_neurons))
    for i in range(0, len(X), step):  # each neuron sums w^T x and b, and its slope passes on what that rounds
        hidden = X[i : i + step] @ net.weights.T - net.biases
        summed = np.abs(net.activation.derivative(hidden)) * (far[i : i + step, None] + np.abs(net.biases))
        terms[i : i + step] += (summed + np.abs(net.activation.value(hidden))) @ size
    if net.polynomial is not None:
        terms = terms + np.abs(net.polynomial(X))
    return EPS * (terms + np.abs(y) if problem.loss.translates else terms)


def resolution(problem: Problem) -> float:
    """The data fit of a perfect fit: a gap is relative to the objective, or to this where the objective is smaller.

    Perfect is a residual of a millionth of what y differs from its mean, of y itself where that is constant, of a
    margin, or of a mean of counts; with kinks, a hundred times that. For interpolation, where there is no residual:
    bends of a millionth of the slope of y over X.
    """
    p = problem.reduced
    if p.loss.interpolates:
        radius = float(np.linalg.norm(np.ptp(p.X, axis=0))) or 1.0
        return PERFECT * p.lam * float(np.abs(p.data.spread).max()) / radius + 1e-300
    return p.data.resolution


def relative(problem: Problem, gap: float, objective: float) -> float:
    """gap / |objective|, or over the `resolution` where that is larger; infinite where nothing is known."""
    return float(gap) / float(max(abs(objective), resolution(problem))) if np.isfinite(gap) else float("inf")


def double_sum_rounding(x: Array, mass: float, eta: float) -> float:
    """What rounds in eta at sorted points x: from the sums of squares of its partial sums, those of u and of eta."""
    return 2.0 * EPS * float(np.sqrt(mass) * (x[-1] - x[0]) / 2.0 + np.sqrt(eta))


def eta_rounding(problem: Problem, u: Array) -> float:
    r"""The rounding error that :math:`\eta` may have at any neuron whose hyperplane meets the data's own ball.

    Each term of a sum rounds by itself, so that the errors add up as their squares do. In one dimension, data sorted,
    the terms are those of the double cumulative sum. With penalised biases, of neurons with (w, b) of length one.
    """
    if problem.penalise_bias:
        return 2.0 * EPS * float(np.linalg.norm(group_norms(u) * np.hypot(1.0, np.linalg.norm(problem.X, axis=1))))
    if problem.n_features == 1:
        x = problem.X[:, 0]
        return double_sum_rounding(x, *kernels.sums_of_squares(x, u))
    X = problem.X - (problem.X.min(axis=0) + problem.X.max(axis=0)) / 2.0
    far = np.linalg.norm(X, axis=1)
    return 2.0 * EPS * float(np.linalg.norm(group_norms(u) * (far + far.max())))
