r"""The certificate where rows are in blocks: a dual vector that is sent as the network that it belongs to.

.. math:: u_n = -s_n L'(y_n, f(x_n)), \qquad u \leftarrow u - s_n m_n\, q(x_n)^T c

the second for each correction c, which makes u orthogonal to the affine functions q over all rows, in the metric m of
the room that the conjugate's domain leaves it. Everything is a sum over rows; no vector of N entries is formed but u
for the user: lazily of Dask's rows, in memory of a file's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ridgesplines.amplitudes.by_rows import Point
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import EPS, SUM, block_rounding
from ridgesplines.oracle.by_rows import eta_of
from ridgesplines.oracle.groups_by_rows import OracleByRows, oracle_by_rows
from ridgesplines.oracle.starts import Sites, joined
from ridgesplines.problem import Problem
from ridgesplines.rows import Block
from ridgesplines.rows.data import BlockedData
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.validation import Array, real_array

#: Corrections at most, and the part of u in the affine functions that is rounding.
CORRECTIONS, ROUNDING = 3, 1e-13
#: The same part, beyond which u is not orthogonal.
ORTHOGONAL = 1e-9
#: Parts of the largest feasible factor of u that are tried.
PARTS = (1.0, 0.999, 0.99, 0.9, 0.5, 0.0)


@dataclass(frozen=True, eq=False)
class DualByRows:
    """The dual vector of a network, less corrections (r,) each; called with a block it gives u of its rows.

    Where corrections do not make it `orthogonal` to the affine functions it bounds nothing, and zero takes its place.
    """

    loss: Loss
    point: Point
    corrections: tuple[Array, ...] = ()
    orthogonal: bool = True

    def __call__(self, block: Block) -> Array:
        z, Q = self.point.at(block.X), self.point.affine.at(block.X)
        v = self.loss.gradient(block.y, z)
        for c in self.corrections:
            v = self.loss.nearest(block.y, v)
            v = self.loss.nearest(block.y, v + self.loss.room(block.y, v) * (Q @ c))
        return -block.weight * v


def _moments(block: Block, dual: DualByRows) -> tuple[Array, Array, float]:
    """Q^T u, Q^T (room) Q and |u|^2."""
    u, Q, loss = dual(block), dual.point.affine.at(block.X), dual.loss
    v = -np.divide(u, block.weight, out=np.zeros_like(u), where=block.weight > 0.0)
    metric = block.weight * loss.room(block.y, loss.nearest(block.y, v))
    return Q.T @ u, Q.T @ (metric[:, None] * Q), float(u @ u)


def dual_of(data: BlockedData, point: Point) -> tuple[DualByRows, float, Array]:
    """The dual vector of a point, projected; the relative size of what was taken off, and what is left of Q^T u."""
    dual, residual = DualByRows(data.loss, point), 0.0
    for step in range(CORRECTIONS + 1):
        left, metric, square = data.blocks.reduce(_moments, dual)
        size = float(np.linalg.norm(left))
        residual = residual if step else size / (square**0.5 or 1.0)
        if step == CORRECTIONS or size <= ROUNDING * square**0.5:
            break
        c = np.linalg.lstsq(metric, left, rcond=1e-13)[0]
        dual = replace(dual, corrections=(*dual.corrections, c))
    return replace(dual, orthogonal=size <= ORTHOGONAL * square**0.5), residual, left


def _values(block: Block, dual: DualByRows, factors: Array) -> Array:
    """A block's part of D(tau u) for each factor tau."""
    u, s = dual(block), block.weight
    v = -np.divide(u, s, out=np.zeros_like(u), where=s > 0.0)
    return np.array([-float(s @ dual.loss.conjugate(block.y, tau * v)) for tau in factors])


def best_value(problem: Problem, data: BlockedData, dual: DualByRows, sup: float) -> tuple[float, float]:
    """(tau, D(tau u)) for the best tau of a few with tau sup|eta| <= lam."""
    most = problem.lam / sup if sup > 0.0 else 1.0
    most = most if dual.orthogonal else 0.0
    factors = np.unique(np.append(np.array(PARTS) * min(most, 1.0), min(most, 1.0 + 1e-3)))
    values = data.blocks.reduce(_values, dual, factors)
    best = int(np.argmax(values))
    return float(factors[best]), float(values[best])


@dataclass(frozen=True, eq=False)
class CertificateByRows(DualCertificate):
    """The certificate of rows in blocks: of scope ``"exact"`` for neurons of one feature each, else ``"searched"``.

    Attributes
    ----------
    dual : u, shape (N,): of Dask's rows a Dask array, which is computed when it is asked for.
    X : no rows, shape (0, d): they are where they are.
    rounding : the rounding error that objective - value may have.
    coordinates : in which neurons are passed to the search, from those of x.
    scaling, sent : the units of the search, and the dual vector as it is sent to the blocks.
    """

    rounding: float = 0.0
    coordinates: Coordinates = field(kw_only=True, repr=False)
    scaling: Scaling = field(kw_only=True, repr=False)
    sent: DualByRows = field(kw_only=True, repr=False)

    def eta(self, W: object, b: object) -> Array:
        """eta at neurons W (K, d), b (K,), by one pass over all rows."""
        weights, biases = real_array("W", W), np.atleast_1d(real_array("b", b))
        scaling, scaled = self.scaling, self.scaling.problem.in_blocks
        assert scaled is not None
        weights = np.broadcast_to(weights.reshape(-1, scaled.n_features), (len(biases), scaled.n_features))
        weights, biases = self.coordinates.neurons(weights, biases)
        theta = np.column_stack([weights, (biases - weights @ scaling.centre) / scaling.radius])
        return _unit(scaling) * scaled.blocks.reduce(eta_of, self.sent, theta)

    def moved(self, problem: Problem, X: Array, peaks: Sites, multipliers: Any) -> Self:
        return replace(self, peaks=peaks, coordinates=Coordinates(problem))

    def search_words(self, lam: float, tol: float) -> str:
        """Nothing: its starts were told apart on a sample."""
        return ""


def _entries(block: Block, dual: DualByRows, unit: float) -> Array:
    return unit * dual(block)


def _unit(scaling: Scaling) -> float:
    """eta of the original problem over that of the scaled one."""
    return scaling.radius * scaling.factor / scaling.size


def oracle_of(scaled: Problem, seed: int | Sequence[int] = 0) -> OracleByRows:
    """The oracle of a scaled problem of rows in blocks."""
    data = scaled.in_blocks
    assert data is not None
    extremes = data.facts.low, data.facts.high
    return oracle_by_rows(data.blocks, data.sample[0], extremes, scaled.interactions, seed)


def certify_by_rows(
    problem: Problem, network: RidgeSpline, peaks: Sites | None = None, end: float = np.inf, search: int = 0
) -> CertificateByRows:
    """The certificate of a network's own dual vector: a search is from fresh starts, and at the neurons of `peaks`."""
    scaling = standardise(problem)
    scaled, data = scaling.problem, scaling.problem.in_blocks
    assert data is not None
    point = Point.of_network(scaling.scaled_network(network), data.affine)
    dual, residual, left = dual_of(data, point)
    near = point.neurons.W, point.neurons.b
    if peaks is not None:
        W, b = peaks
        near = joined(near, (W, (b - W @ scaling.centre) / scaling.radius))
    oracle = oracle_of(scaled, (search, 0, 2026))
    found = oracle(dual, near, end, hard=True)
    scale, value = best_value(scaled, data, dual, found.value)
    moments = scaling.factor * scale * float(np.abs(left) @ np.abs(point.beta))
    rounding = moments + scaling.factor * data.blocks.reduce(_rounding, dual) + _of_objective(problem, network)
    return CertificateByRows(
        data.blocks.column(_entries, dual, scaling.factor / scaling.size),
        _unit(scaling) * found.value,
        found.scope,
        residual,
        scale,
        scaling.factor * value,
        np.empty((0, problem.n_features)),
        problem.activation,
        (found.W, scaling.radius * found.b + found.W @ scaling.centre),
        starts=found.starts,
        rounding=rounding,
        coordinates=Coordinates(problem),
        scaling=scaling,
        sent=dual,
    )


def _rounding(block: Block, dual: DualByRows) -> float:
    """A block's part of the rounding error of D(u), and of eta times the seminorm; in units in which |x| <= 1."""
    u = np.abs(dual(block))
    return SUM * float(u @ np.abs(block.y)) + 4.0 * EPS * dual.point.norm * float(np.linalg.norm(u))


def _of_objective(problem: Problem, network: RidgeSpline) -> float:
    data = problem.in_blocks
    assert data is not None
    return SUM * problem.lam * network.seminorm + float(data.blocks.reduce(block_rounding, data.loss, network))
