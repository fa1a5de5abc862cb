"""The interface: map a pure function over cells of rows, reduce by a tree.

What is sent with the function is small: neurons, not vectors of N entries. A dual vector is sent as the network that it
belongs to, and each cell computes its own part. So no cell has a state, and one that is lost is computed again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: A function of a block, and of what is sent with it; whoever sends it elsewhere pickles it.
Function = Callable[..., Any]


class Block(NamedTuple):
    """Rows that follow one another, of float64.

    Attributes
    ----------
    X, y, weight : shapes (n, d), (n,), (n,).
    first : the number of the first of them among all rows.
    """

    X: Array
    y: Array
    weight: Array
    first: int


class Rows(ABC):
    """N rows of features, targets and weights, in blocks.

    Attributes
    ----------
    n_rows, n_features : N and d.
    place : where the rows are, in words.
    """

    n_rows: int
    n_features: int
    place: str
    _steps: tuple[Callable[[Block], Block], ...] = ()

    @abstractmethod
    def reduce(self, function: Function, *shared: Any, combine: Function | None = None) -> Any:
        """What function(cell, *shared) returns for all cells, put together by a tree; sums where `combine` is None.

        Sums are of numbers, of arrays, or entry by entry of tuples of them. They do not depend on where the rows are,
        or on how they are cut: see :mod:`ridgesplines.rows.sums`.
        """

    @abstractmethod
    def take(self, rows: NDArray[np.intp]) -> Block:
        """A few rows by number, increasing: in memory, here."""

    @abstractmethod
    def column(self, function: Function, *shared: Any) -> Any:
        """function(block, *shared) of shape (n,) for all blocks, one after the other; chunked where the rows are."""

    def mapped(self, step: Callable[[Block], Block]) -> Self:
        """The same rows, each block after this pure function of it, whenever it is needed."""
        other = copy(self)
        other._steps = (*self._steps, step)
        return other


def prepared(block: Block, steps: Iterable[Callable[[Block], Block]]) -> Block:
    """A block after all steps."""
    for step in steps:
        block = step(block)
    return block
