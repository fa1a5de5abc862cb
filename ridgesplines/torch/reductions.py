"""A hidden layer between two linear maps with fewer neurons: exactly on given data, or within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg
from torch import nn

from ridgesplines.amplitudes.group_lasso import fewest
from ridgesplines.torch.layer import numbers
from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Hidden:
    """K neurons: W (K, d), b (K,), V (K, D), c (D,) or None without a bias; activations H (N, K) on the data.

    `straight` are the neurons whose activation is the identity on all data; `eps` is the precision of the weights.
    """

    W: Array
    b: Array
    V: Array
    c: Array | None
    H: Array
    straight: Array
    eps: float

    @classmethod
    def of(cls, before: nn.Linear, after: nn.Linear, inner: Array, H: Array, eps: float) -> Hidden:
        """The layer between two maps, with the values before and behind the activation."""
        b = np.zeros(before.out_features) if before.bias is None else numbers(before.bias)
        c = None if after.bias is None else numbers(after.bias)
        return cls(numbers(before.weight), b, numbers(after.weight).T, c, H, (inner == H).all(axis=0), eps)

    def only(self, kept: Array) -> Hidden:
        return replace(
            self, W=self.W[kept], b=self.b[kept], V=self.V[kept], H=self.H[:, kept], straight=self.straight[kept]
        )

    def without_dead(self) -> Hidden:
        """Without the neurons that are zero on all data."""
        return self.only(np.flatnonzero(self.H.any(axis=0)))

    def without_parallel(self) -> Hidden:
        """Neurons whose weights and biases are positive multiples of another's are that one: the same function."""
        rows = np.column_stack([self.W, self.b])
        lengths = np.linalg.norm(rows, axis=1)
        rows = rows / lengths[:, None]
        V, first = self.V.copy(), np.full(len(rows), -1)
        for k, row in enumerate(rows):
            same = (np.abs(rows - row).max(axis=1) <= 8.0 * self.eps) & (first < 0)
            if first[k] < 0:
                first[same] = k
                V[k] = (lengths[same] / lengths[k]) @ self.V[same]
        return replace(self, V=V).only(np.flatnonzero(first == np.arange(len(rows))))

    def without_straight(self) -> Hidden:
        """Neurons that are straight on all data are one linear map: as many as its rank remain, at most d.

        Without a bias behind them, at most d + 1.
        """
        A = np.flatnonzero(self.straight)
        if not len(A):
            return self
        rows = self.W[A] if self.c is not None else np.column_stack([self.W[A], self.b[A]])
        triangle, order = linalg.qr(rows.T, mode="r", pivoting=True)[:2]
        pivots = np.abs(np.diag(triangle))
        rank = max(int((pivots > 8.0 * self.eps * max(rows.shape) * pivots[0]).sum()), 1)
        basis, rest = A[order[:rank]], A[order[rank:]]
        T = np.linalg.lstsq(rows[order[:rank]].T, rows[order[rank:]].T, rcond=None)[0].T
        V = self.V.copy()
        V[basis] += T.T @ self.V[rest]
        c = None if self.c is None else self.c + (self.b[rest] - T @ self.b[basis]) @ self.V[rest]
        return replace(self, V=V, c=c).only(np.setdiff1d(np.arange(len(V)), rest))

    def reduced(self) -> Hidden:
        """The same values on the data with no neuron that is dead, another's multiple, or needlessly straight."""
        return self.without_dead().without_parallel().without_straight()

    def sparse(self, Z: Array, tol: float) -> Hidden:
        """A refit of Z (N, D) on few neurons within `tol`, relative to Z less its mean; self where there is none."""
        mean, centre = (0.0, np.zeros(self.H.shape[1])) if self.c is None else (Z.mean(axis=0), self.H.mean(axis=0))
        found = fewest(self.H - centre, Z - mean, tol)
        if found is None:
            return self
        kept, V, _ = found
        c = None if self.c is None else mean - centre[kept] @ V
        return replace(self.only(kept), V=V, c=c)
