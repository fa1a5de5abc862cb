"""Rows on this machine: arrays in memory, and files that are read block by block."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.rows.base import Block, Function, Rows, added, prepared, tree
from ridgesplines.validation import Array

#: Numbers of X in a block of a file.
BLOCK_ENTRIES = 2**20
#: Scattered rows that are read at once.
FEW = 2**12


class _LocalRows(Rows):
    """Rows whose blocks are slices, one after the other."""

    def __init__(self, X: Any, y: Any, weight: Any = None, *, size: int | None = None) -> None:
        self.n_rows, self.n_features = X.shape
        self._X, self._y, self._weight = X, y, weight
        self._size = size or self._usual()

    def _usual(self) -> int:
        return max(1, BLOCK_ENTRIES // self.n_features)

    def _blocks(self) -> Iterator[Block]:
        for first in range(0, self.n_rows, self._size):
            yield prepared(self._read(slice(first, first + self._size), first), self._steps)

    def _read(self, rows: slice | NDArray[np.intp], first: int) -> Block:
        """These rows, copied."""
        X, y = (np.array(part[rows], dtype=np.float64) for part in (self._X, self._y))
        weight = np.ones(len(X)) if self._weight is None else np.array(self._weight[rows], dtype=np.float64)
        return Block(X, y.reshape(len(X)), weight, first)

    def reduce(self, function: Function, *shared: Any, combine: Function | None = None) -> Any:
        return tree((function(block, *shared) for block in self._blocks()), combine or added)

    def take(self, rows: NDArray[np.intp]) -> Block:
        return prepared(self._read(rows, 0), self._steps)

    def column(self, function: Function, *shared: Any) -> Array:
        return np.concatenate([function(block, *shared) for block in self._blocks()])


class MemoryRows(_LocalRows):
    """Arrays in memory: one block, or blocks of `size` rows."""

    place = "in memory"

    def _usual(self) -> int:
        return self.n_rows


class FileRows(_LocalRows):
    """Arrays of which some are mapped files, ``numpy.memmap``: read block by block, and then let go."""

    place = "in a file"

    def _blocks(self) -> Iterator[Block]:
        for block in super()._blocks():
            yield block
            self._let_go()

    def take(self, rows: NDArray[np.intp]) -> Block:
        """Few at a time: each brings its neighbours in the file."""
        parts = []
        for i in range(0, len(rows), FEW):
            parts.append(super().take(rows[i : i + FEW]))
            self._let_go()
        X, y, weight = (np.concatenate(part) for part in list(zip(*parts, strict=True))[:3])
        return Block(X, y, weight, 0)

    def _let_go(self) -> None:
        for part in (self._X, self._y, self._weight):
            _let_go(part)


def _let_go(array: Any) -> None:
    """Pages of a mapped file count as this process's memory until they are let go; the file keeps them."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and array.mode in ("r", "r+") and hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)
