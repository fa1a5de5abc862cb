"""Rows on this machine: arrays in memory, and files that are read block by block."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.rows.base import Block, Function, Rows, prepared
from ridgesplines.rows.mapped import Mapped
from ridgesplines.rows.sums import added, cell_rows, cells, nodes_of, total
from ridgesplines.validation import Array

#: Cells that are read from a file at once.
CELLS_AT_ONCE = 16
#: Scattered rows that are read at once.
FEW = 2**12


class _LocalRows(Rows):
    """Rows whose blocks are slices, one after the other."""

    cells_at_once = 1

    def __init__(self, X: Any, y: Any, weight: Any = None) -> None:
        self.n_rows, self.n_features = X.shape
        self._X, self._y, self._weight = X, y, weight

    def _blocks(self) -> Iterator[Block]:
        """Copies of consecutive rows, each of which begins with a cell."""
        size = self.cells_at_once * cell_rows(self.n_features)
        for first in range(0, self.n_rows, size):
            yield self._read(slice(first, first + size), first)

    def _read(self, rows: slice | NDArray[np.intp], first: int) -> Block:
        """These rows, copied."""
        X, y = (np.array(part[rows], dtype=np.float64, order="C") for part in (self._X, self._y))
        weight = np.ones(len(X)) if self._weight is None else np.array(self._weight[rows], dtype=np.float64)
        return Block(X, y.reshape(len(X)), weight, first)

    def reduce(self, function: Function, *shared: Any, combine: Function | None = None) -> Any:
        combine = combine or added
        return total(nodes_of(self._blocks(), self._steps, function, shared, combine), combine)

    def take(self, rows: NDArray[np.intp]) -> Block:
        return prepared(self._read(rows, 0), self._steps)

    def column(self, function: Function, *shared: Any) -> Array:
        each = (cell for block in self._blocks() for cell in cells(block))
        return np.concatenate([function(prepared(cell, self._steps), *shared) for cell in each])


class MemoryRows(_LocalRows):
    """Arrays in memory."""

    place = "in memory"


class FileRows(_LocalRows):
    """Arrays of which some are mapped files, ``numpy.memmap``: read block by block, and then let go.

    A pickle says where these files are; whoever reads it must have them there.
    """

    place = "in a file"
    cells_at_once = CELLS_AT_ONCE

    def __getstate__(self) -> dict[str, Any]:
        return {name: Mapped.of(part) if _is_mapped(part) else part for name, part in self.__dict__.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {name: part.opened() if isinstance(part, Mapped) else part for name, part in state.items()}

    def __copy__(self) -> FileRows:
        other = FileRows.__new__(FileRows)
        other.__dict__ |= self.__dict__
        return other

    def _read(self, rows: slice | NDArray[np.intp], first: int) -> Block:
        """Scattered rows few at a time: each brings its neighbours in the file."""
        if isinstance(rows, slice):
            block = super()._read(rows, first)
            self._let_go()
            return block
        parts = []
        for i in range(0, len(rows), FEW):
            parts.append(super()._read(rows[i : i + FEW], first))
            self._let_go()
        X, y, weight = (np.concatenate(part) for part in list(zip(*parts, strict=True))[:3])
        return Block(X, y, weight, first)

    def _let_go(self) -> None:
        for part in (self._X, self._y, self._weight):
            _let_go(part)


def _is_mapped(part: Any) -> bool:
    """Whether it is a mapped file or a part of one: what NumPy computes from them are memmaps without a map."""
    return isinstance(part, np.memmap) and getattr(part, "_mmap", None) is not None


def _let_go(array: Any) -> None:
    """Pages of a mapped file count as this process's memory until they are let go; the file keeps them."""
    pages = getattr(array, "_mmap", None)
    if pages is not None and array.mode in ("r", "r+") and hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)
