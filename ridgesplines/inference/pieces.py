r"""Least squares of linear splines with given knots, for many targets at once, from cumulative sums over the data.

.. math:: F(t) = \min_\theta \sum_n s_n \Big(y_n - \sum_j \theta_j h_j(x_n)\Big)^2

:math:`h_j` is the hat function of node j: the ends of the data and the knots between them. All that the data say to a
segment are five sums, which differences of cumulative sums give: after O(N) for the data, F costs O(K) for each set of
knots, its derivative too. As in the variable projection of Golub and Pereyra [1]_ the values at the nodes are always
the best ones, so that F is a function of the knots alone.

References
----------
.. [1] G. H. Golub, V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose
   variables separate, SIAM J. Numer. Anal. 10 (1973), 413-432, doi:10.1137/0710036
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.validation import Array

#: What is added to the diagonals, relatively, where a segment has too few data to fix its line.
RIDGE = 1e-13


@dataclass(frozen=True)
class Sums:
    """The data, sorted, and what segments of them add up to.

    Attributes
    ----------
    x : sorted, shape (N,).
    counts : cumulative sums of s, s x and s x^2, shape (3, N + 1).
    loads : those of s y and s x y for each of B targets, shape (2, B, N + 1).
    squares : the sums of s y^2, shape (B,).
    """

    x: Array
    counts: Array
    loads: Array
    squares: Array

    @classmethod
    def of(cls, x: Array, y: Array, weight: Array) -> Sums:
        """Of x (N,), sorted, targets y (B, N) and weights (N,)."""
        moments = np.stack([weight, weight * x, weight * x**2])
        weighted = y * weight
        counts, loads = np.zeros((3, len(x) + 1)), np.zeros((2, len(y), len(x) + 1))
        np.cumsum(moments, axis=1, out=counts[:, 1:])
        np.cumsum(weighted, axis=1, out=loads[0, :, 1:])
        np.cumsum(weighted * x, axis=1, out=loads[1, :, 1:])
        return cls(x, counts, loads, np.einsum("bn,bn->b", weighted, y))

    def __getitem__(self, which: Array) -> Sums:
        """Those of some of the targets."""
        return Sums(self.x, self.counts, self.loads[:, which], self.squares[which])


@dataclass(frozen=True)
class Pieces:
    """The least-squares splines with these knots, one a target.

    Attributes
    ----------
    sums : the data.
    knots : t, increasing, within the data, shape (B, K).
    grams : of the hat functions of a segment's left and right end: LL, LR, RR, each (B, K + 1), stacked.
    loads : their products with the target, stacked: left, right.
    values : theta, those at the ends of the data and at the knots, shape (B, K + 2).
    loss : F, shape (B,).
    """

    sums: Sums
    knots: Array
    grams: Array
    loads: Array
    values: Array
    loss: Array

    @classmethod
    def at(cls, sums: Sums, knots: Array, split: Array | None = None) -> Pieces:
        """With knots (B, K); `split` says how many data are left of each, by default those up to the knot itself."""
        split = np.searchsorted(sums.x, knots, side="right") if split is None else split
        grams, loads = _products(sums, knots, split)
        gram, load = _assembled(grams, loads)
        size = np.trace(gram, axis1=1, axis2=2) / gram.shape[1]
        gram = gram + RIDGE * size[:, None, None] * np.eye(gram.shape[1])
        values = np.linalg.solve(gram, load[..., None])[..., 0]
        return cls(sums, knots, grams, loads, values, sums.squares - (values * load).sum(axis=1))

    @property
    def nodes(self) -> Array:
        """The ends of the data and the knots between them, shape (B, K + 2)."""
        return _nodes(self.sums.x, self.knots)

    @property
    def slopes(self) -> Array:
        """Of each segment, shape (B, K + 1)."""
        return np.diff(self.values, axis=1) / np.diff(self.nodes, axis=1)

    def residual_loads(self) -> Array:
        """The products of the hat functions of each segment with the residual, stacked: left, right."""
        (left, both, right), low, high = self.grams, self.values[:, :-1], self.values[:, 1:]
        return self.loads - np.stack([left * low + both * high, both * low + right * high])

    def jacobian(self) -> Array:
        r"""How values at the nodes and knots move the ends of the segments, shape (B, 2 K + 2, 2 K + 2).

        Rows: the left ends of all segments, then the right ends; columns: the K + 2 values, then the K knots. Where a
        knot moves, the lines that meet there keep their slopes: their ends move by :math:`-\text{slope}\,\delta t`.
        """
        (B, S), s = self.slopes.shape, self.slopes
        J, j, k = np.zeros((B, 2 * S, 2 * S)), np.arange(S), np.arange(S - 1)
        J[:, j, j] = J[:, S + j, j + 1] = 1.0
        J[:, k + 1, S + 1 + k] = -s[:, 1:]
        J[:, S + k, S + 1 + k] = -s[:, :-1]
        return J

    def normal(self) -> tuple[Array, Array]:
        """(J^T J, J^T residual) of all parameters: K + 2 values, then K knots; shapes (B, P, P) and (B, P)."""
        J, (left, both, right) = self.jacobian(), self.grams
        S = left.shape[1]
        low, high = J[:, :S], J[:, S:]
        products = np.concatenate(
            [left[..., None] * low + both[..., None] * high, both[..., None] * low + right[..., None] * high], axis=1
        )
        residual = np.concatenate(list(self.residual_loads()), axis=1)
        return J.transpose(0, 2, 1) @ products, np.einsum("bip,bi->bp", J, residual)


def _nodes(x: Array, knots: Array) -> Array:
    ends = np.ones((len(knots), 1))
    return np.concatenate([x[0] * ends, knots, x[-1] * ends], axis=1)


def _products(sums: Sums, knots: Array, split: Array) -> tuple[Array, Array]:
    """The products of each segment's two hat functions with one another and with the target."""
    B = len(knots)
    edges = np.concatenate([np.zeros((B, 1), int), split, np.full((B, 1), len(sums.x))], axis=1)
    n, first, second = np.diff(sums.counts[:, edges], axis=2)
    y, xy = np.diff(sums.loads[:, np.arange(B)[:, None], edges], axis=2)
    nodes = _nodes(sums.x, knots)
    low, high = nodes[:, :-1], nodes[:, 1:]
    h = high - low
    left = (high * (high * n - 2.0 * first) + second) / h**2
    both = ((low + high) * first - low * high * n - second) / h**2
    right = (low * (low * n - 2.0 * first) + second) / h**2
    return np.stack([left, both, right]), np.stack([high * y - xy, xy - low * y]) / h


def _assembled(grams: Array, loads: Array) -> tuple[Array, Array]:
    """The Gram matrix of the hat functions, shape (B, K + 2, K + 2), and their products with the target."""
    (left, both, right), S = grams, grams.shape[2]
    gram, load, j = np.zeros((len(left), S + 1, S + 1)), np.zeros((len(left), S + 1)), np.arange(S)
    gram[:, j, j] += left
    gram[:, j + 1, j + 1] += right
    gram[:, j, j + 1] = gram[:, j + 1, j] = both
    load[:, :-1] += loads[0]
    load[:, 1:] += loads[1]
    return gram, load
