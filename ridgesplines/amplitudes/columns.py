"""Columns at the data, orthogonal to the affine functions, in blocks of rows: no matrix of N rows need be held."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ridgesplines.neurons.working_set import blocks
from ridgesplines.validation import Array

#: Columns off the affine functions, the root of their mean square: below this they are rounding.
AFFINE = 1e-12
#: Entries up to which the columns are kept; beyond, they are formed again whenever they are needed.
STORED = 2**25


class Columns:
    """The matrix B = (1 - Q Q^T) M, shape (n, P), whose rows M[rows] the function `make` forms.

    Parameters
    ----------
    Q : (n, r), an orthonormal basis of the affine functions.
    width : P.
    make : slice of rows -> (rows, P).
    """

    def __init__(self, Q: Array, width: int, make: Callable[[slice], Array]) -> None:
        self.Q, self.width, self._make = Q, width, make
        self.rows = list(blocks(len(Q), width))
        self._stored: list[Array] | None = None
        if len(Q) * width > STORED:
            self._shift = self._affine()
            return
        self._stored = [make(rows) for rows in self.rows]
        for _ in range(2):  # twice is enough for rounding
            shift = self._affine()
            for rows, part in zip(self.rows, self._stored, strict=True):
                part -= Q[rows] @ shift

    def _parts(self) -> Iterator[Array]:
        return iter(self._stored) if self._stored is not None else (self._make(rows) for rows in self.rows)

    def _affine(self) -> Array:
        """Q^T of the parts."""
        total = np.zeros((self.Q.shape[1], self.width))
        for rows, part in zip(self.rows, self._parts(), strict=True):
            total += self.Q[rows].T @ part
        return total

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Rows, and B[rows]."""
        for rows, part in zip(self.rows, self._parts(), strict=True):
            yield rows, part if self._stored is not None else part - self.Q[rows] @ self._shift

    def times(self, a: Array) -> Array:
        """B a."""
        product = np.empty((len(self.Q), *a.shape[1:]))
        for rows, part in self.blocks():
            product[rows] = part @ a
        return product

    def transposed(self, v: Array) -> Array:
        """B^T v."""
        total = np.zeros((self.width, *v.shape[1:]))
        for rows, part in self.blocks():
            total += part.T @ v[rows]
        return total

    def gram(self, weight: Array) -> tuple[Array, Array]:
        """B^T diag(weight) B and B^T diag(weight) Q."""
        gram, cross = np.zeros((self.width, self.width)), np.zeros((self.width, self.Q.shape[1]))
        for rows, part in self.blocks():
            scaled = weight[rows, None] * part
            gram += scaled.T @ part
            cross += scaled.T @ self.Q[rows]
        return gram, cross


def neuron_columns(X: Array, Q: Array, W: Array, b: Array, signs: Array) -> Columns:
    """The values of neurons at the data, times their signs."""

    def make(rows: slice) -> Array:
        hidden = X[rows] @ W.T - b
        return np.maximum(hidden, 0.0, out=hidden) * signs

    return Columns(Q, len(b), make)


def bends(X: Array, Q: Array, W: Array, b: Array) -> NDArray[np.bool_]:
    """A mask of the neurons that are not affine on the data, |x| <= 1: the columns of the others are rounding."""
    squares = np.zeros(len(b))
    for _, part in neuron_columns(X, Q, W, b, np.ones(len(b))).blocks():
        squares += (part**2).sum(axis=0)
    return np.sqrt(squares) > AFFINE * np.sqrt(len(X))
