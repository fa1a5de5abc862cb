r"""The search for large :math:`|\eta|` over rows in blocks: a sample proposes, all rows decide.

The same ascents as of :mod:`ridgesplines.oracle.batches`, many at once; a step over all rows is one pass, in which each
block adds up its part of their gradients. Only hyperplanes are sent to the blocks, and only sums come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interactions import Interactions
from ridgesplines.neurons.working_set import blocks
from ridgesplines.oracle import starts
from ridgesplines.oracle.batches import BLOCK_ENTRIES, FINALISTS, Batch, Scout
from ridgesplines.oracle.circles import Rows as Numbers
from ridgesplines.oracle.passes import Host
from ridgesplines.oracle.quasi_newton import SHORT_STEP
from ridgesplines.oracle.starts import Sites
from ridgesplines.rows import Block, Rows
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: u of a block, orthogonal over all rows to the affine functions; sent to where the block is.
Dual = Callable[[Block], Array]
#: Random starts for each dimension, on the sample; and steps over all rows, which the best of the sample begin.
STARTS_PER_DIMENSION, LAST_STEPS = 64, 8
#: The same for a search that confirms.
HARD_STARTS, HARD_STEPS = 256, 16
#: Random starts for each group of features, at least.
FEWEST_STARTS = 24
#: Hyperplanes that are kept for the next dual vector.
KEPT = 32


class Found(NamedTuple):
    """Neurons W (m, d), b (m,) with their eta (m,), the largest first; from how many random starts; the scope."""

    W: Array
    b: Array
    eta: Array
    starts: int
    scope: Scope = Scope.SEARCHED

    @property
    def value(self) -> float:
        return float(np.abs(self.eta).max(initial=0.0))


class SearchByRows:
    r"""The largest :math:`|\eta|` that ascents from many starts find, for scaled rows in blocks: a lower bound.

    Parameters
    ----------
    rows : :math:`|x| \le 1`.
    sample : some of them, in memory, on which ascents begin.
    seed : of the random starts.
    groups : of features that may act together; None for all of them.

    Notes
    -----
    LAST_STEPS + 1 passes of some O(100 N d), besides O(N K) each for a dual vector of K neurons.
    """

    def __init__(
        self, rows: Rows, sample: Block, seed: int | Sequence[int] = 0, groups: Interactions | None = None
    ) -> None:
        self._rows, self._sample, self._groups = rows, sample, groups
        self._scout, self._rng = Scout(sample.X, Host()), np.random.default_rng(seed)
        self._kept = starts.nowhere(rows.n_features)

    def __call__(self, dual: Dual, near: Sites, end: float = np.inf, hard: bool = False) -> Found:
        """What is found, the largest first; never below :math:`|\\eta|` of the neurons `near`.

        A `hard` search is to confirm. Ascents over all rows also go on from those neurons, where others may have parted
        from them, and from what the call before had found.
        """
        effort, steps = (HARD_STARTS, HARD_STEPS) if hard else (STARTS_PER_DIMENSION, LAST_STEPS)
        known = starts.joined(near, self._kept)
        wild, number = self._wild(known, effort * self._rows.n_features)
        W, b = starts.joined(wild, known)
        best = self._scout.best(dual(self._sample)[:, None], W, b, FINALISTS, end=end, columns=self._columns(W))
        W, b = starts.joined(best, known)
        W, b, size = BatchByRows(self._rows, dual).climb(W, b, steps, SHORT_STEP, end, self._columns(W))
        W, b = _distinct(W / np.linalg.norm(W, axis=1, keepdims=True), b, size)
        self._kept = W[:KEPT], b[:KEPT]
        W, b = starts.joined(near, (W, b))
        eta = self._rows.reduce(eta_of, dual, np.column_stack([W, b]))
        order = np.argsort(-np.abs(eta), kind="stable")
        return Found(W[order], b[order], eta[order], number)

    def _columns(self, W: Array) -> NDArray[np.intp] | None:
        """For each neuron the columns of the first group that has its features, padded; None for all."""
        return None if self._groups is None else self._groups.columns[self._groups.containing(W).argmax(axis=1)]

    def _wild(self, known: Sites, number: int) -> tuple[Sites, int]:
        """Random starts, and others around known neurons; how many of the former. For groups so many of each."""
        X, rng = self._sample.X, self._rng
        if self._groups is None:
            return starts.joined(starts.fresh(X, number, rng), starts.around(known, (number + 1) // 2, rng)), number
        each, wild = max(number // len(self._groups), FEWEST_STARTS), starts.nowhere(X.shape[1])
        within = self._groups.containing(known[0])
        for group, inside in zip(self._groups, within.T, strict=True):
            columns = [*group]
            own = known[0][inside][:, columns], known[1][inside]
            for W, b in (starts.fresh(X[:, columns], each, rng), starts.around(own, (each + 1) // 2, rng)):
                lifted = np.zeros((len(b), X.shape[1]))
                lifted[:, columns] = W
                wild = starts.joined(wild, (lifted, b))
        return wild, each * len(self._groups)


def eta_of(block: Block, dual: Dual, theta: Array) -> Array:
    r"""A block's part of :math:`\tfrac12 \sum_n u_n |\theta^T \bar x_n|`, (m,): eta, for u orthogonal to the affine."""
    u, eta, points = dual(block), np.zeros(len(theta)), np.column_stack([block.X, -np.ones(len(block.X))])
    for piece in blocks(len(points), len(theta), BLOCK_ENTRIES):
        eta += 0.5 * (u[piece] @ np.abs(points[piece] @ theta.T))
    return eta


class BatchByRows(Batch):
    """Ascents of which each step is a pass over all rows."""

    def __init__(self, rows: Rows, dual: Dual) -> None:
        self._machine, self._xp = Host(), np
        self._rows, self._dual = rows, dual

    def _derivatives(self, theta: Numbers) -> Numbers:
        return self._rows.reduce(_derivatives, self._dual, theta).astype(np.float32)[:, :, None]


def _derivatives(block: Block, dual: Dual, theta: Array) -> Array:
    """A block's part of G, (m, d + 1): products in single precision, sums of pieces in double."""
    points = np.column_stack([block.X, -np.ones(len(block.X))]).astype(np.float32)
    pulls, total = (0.5 * dual(block))[:, None].astype(np.float32) * points, np.zeros(theta.shape)
    for piece in blocks(len(points), len(theta), BLOCK_ENTRIES):
        t = theta @ points[piece].T
        total += np.copysign(np.float32(1.0), t, out=t) @ pulls[piece]
    return total


def _distinct(W: Array, b: Array, size: Array) -> Sites:
    """One of each set of hyperplanes that ascents have brought to the same place, the largest first."""
    order = np.argsort(-size, kind="stable")
    theta = np.column_stack([W, b])[order]
    along = theta @ np.cos(np.arange(theta.shape[1]))  # any fixed vector
    first = np.sort(np.unique(np.round(theta * np.sign(along)[:, None], 6), axis=0, return_index=True)[1])
    return W[order[first]], b[order[first]]
