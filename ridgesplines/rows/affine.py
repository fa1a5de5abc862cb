r"""The affine functions of rows in blocks: coordinates in which they are orthonormal at the data, and least squares.

Two passes: the Gram matrix of the rows, each feature centred and divided by its spread, has eigenvectors in which a
second pass has a Gram matrix near the identity; its Cholesky factor gives what rounding is left [1]_.

References
----------
.. [1] Y. Yamamoto, Y. Nakatsukasa, Y. Yanagisawa, T. Fukaya, Roundoff error analysis of the CholeskyQR2 algorithm,
   ETNA 44 (2015), 306
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ridgesplines.rows.base import Block, Rows
from ridgesplines.rows.facts import Facts
from ridgesplines.validation import Array

#: Eigenvalues below this, relative to the largest, are of features that others make up: a Gram matrix squares rounding.
DEPENDENT_RTOL = 1e-13


@dataclass(frozen=True, eq=False)
class Affine:
    r"""Orthonormal affine functions: their values at x are (x, 1) @ `matrix`, of shape (d + 1, r)."""

    matrix: Array

    @classmethod
    def of(cls, rows: Rows, facts: Facts) -> Affine:
        """Those of the rows of positive weight, each counted once; without directions in which X does not vary."""
        centre, spread = (facts.low + facts.high) / 2.0, (facts.high - facts.low) / 2.0
        alive = spread > 8.0 * np.finfo(float).eps * np.maximum(np.abs(facts.low), np.abs(facts.high))
        to = np.zeros((len(centre) + 1, int(alive.sum()) + 1))
        to[:-1, 1:][alive] = np.diag(1.0 / spread[alive])
        to[-1, 1:] = -(centre / np.where(alive, spread, np.inf))[alive]
        to[-1, 0] = 1.0
        G = rows.reduce(_gram, centre, spread, alive)
        mean = G[0, 1:] / G[0, 0]
        sizes, turn = np.linalg.eigh(G[1:, 1:] - G[0, 0] * np.outer(mean, mean))
        kept = sizes > DEPENDENT_RTOL * sizes.max(initial=0.0)
        turn = turn[:, kept] / np.sqrt(sizes[kept])
        first = np.zeros((len(G), 1 + turn.shape[1]))
        first[0, 0], first[1:, 1:], first[0, 1:] = 1.0 / np.sqrt(G[0, 0]), turn, -mean @ turn
        again = rows.reduce(_gram, centre, spread, alive, first)
        upper = linalg.cholesky(again)
        return cls(to @ linalg.solve_triangular(upper, first.T, trans="T").T)

    @property
    def rank(self) -> int:
        return self.matrix.shape[1]

    def at(self, X: Array) -> Array:
        """Their values, (n, r)."""
        return X @ self.matrix[:-1] + self.matrix[-1]

    def coefficients(self, slope: Array, offset: float) -> Array:
        """The coefficients (r,) of slope^T x + offset, or of what is nearest to it."""
        return np.linalg.lstsq(self.matrix, np.append(slope, offset), rcond=None)[0]


def _gram(block: Block, centre: Array, spread: Array, alive: Array, first: Array | None = None) -> Array:
    """Of (1, x) in units of the spread, or of these times `first`."""
    X = block.X[block.weight > 0.0]
    columns = np.column_stack([np.ones(len(X)), ((X - centre) / np.where(alive, spread, 1.0))[:, alive]])
    columns = columns if first is None else columns @ first
    return columns.T @ columns


def moments(block: Block, affine: Affine) -> Array:
    """Q^T y, of the rows of positive weight."""
    counts = block.weight > 0.0
    return affine.at(block.X[counts]).T @ block.y[counts]


def farthest(block: Block, centre: Array) -> float:
    """The largest distance from the centre, of the rows of positive weight."""
    X = block.X[block.weight > 0.0]
    return float(np.linalg.norm(X - centre, axis=1).max(initial=0.0))
