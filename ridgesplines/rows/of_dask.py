"""Rows in chunks of Dask arrays: cells are computed where the scheduler has them, and again where a worker is lost."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from ridgesplines.rows.base import Block, Function, Rows, prepared
from ridgesplines.rows.sums import Node, added, cell_rows, nodes_of, together, total
from ridgesplines.validation import Array

#: Results that one task puts together.
FAN_IN = 8


def of_dask(part: str) -> Any:
    """A module of Dask; an ImportError that says how to get it, such as where a pickle is read without."""
    try:
        return import_module(f"dask.{part}")
    except ImportError:
        raise ImportError("rows in Dask need it: pip install 'ridgesplines[dask]'") from None


class DaskRows(Rows):
    """Chunks of ``dask.array``: X (N, d) with rows chunked alone, y (N,) and weight (N,) chunked likewise."""

    place = "in Dask"

    def __init__(self, X: Any, y: Any, weight: Any = None) -> None:
        self.n_rows, self.n_features = map(int, X.shape)
        sizes = np.array(X.chunks[0], dtype=int)
        parts = [X.to_delayed()[:, 0], y.to_delayed()]
        parts.append([None] * len(sizes) if weight is None else weight.to_delayed())
        self._sizes, self._firsts = sizes[sizes > 0], (np.cumsum(sizes) - sizes)[sizes > 0]
        self._parts = [block for block, size in zip(zip(*parts, strict=True), sizes, strict=True) if size]

    def _groups(self) -> list[tuple[int, list[Any]]]:
        """The first row, and the pieces of chunks, of all cells that begin in a chunk: a few rows of the next are sent.

        So large chunks stay where they are, and small ones are gathered.
        """
        delayed = of_dask("delayed").delayed
        size, pick, groups = cell_rows(self.n_features), delayed(_picked, pure=False), []
        ends = self._firsts + self._sizes
        for i, (start, end) in enumerate(zip(self._firsts, ends, strict=True)):
            first, last = int(-(-start // size) * size), int(min(-(-end // size) * size, self.n_rows))
            if first >= end:
                continue
            pieces = []
            for j in range(i, int(np.searchsorted(ends, last)) + 1):
                rows = slice(max(first - int(self._firsts[j]), 0), int(min(last, ends[j]) - self._firsts[j]))
                whole = rows == slice(0, int(self._sizes[j]))
                pieces.append([*self._parts[j]] if whole else pick(*self._parts[j], rows))
            groups.append((first, pieces))
        return groups

    def reduce(self, function: Function, *shared: Any, combine: Function | None = None) -> Any:
        """One task a group of cells; what is shared is in the graph once, so that a lost worker takes none of it."""
        delayed = of_dask("delayed").delayed
        combine, name = combine or added, f"{function.__name__.strip('_')}-{uuid4().hex}"
        sent = delayed((function, self._steps, shared, combine), traverse=False)
        call, join = delayed(_nodes, pure=False), delayed(_together, pure=False)
        results = [
            call(sent, first, pieces, dask_key_name=(name, i)) for i, (first, pieces) in enumerate(self._groups())
        ]
        while len(results) > 1:
            few = (results[i : i + FAN_IN] for i in range(0, len(results), FAN_IN))
            results = [join(combine, part) for part in few]
        return total(results[0].compute(), combine)

    def take(self, rows: NDArray[np.intp]) -> Block:
        delayed, compute = of_dask("delayed").delayed, of_dask("base").compute
        ends, pick = np.searchsorted(rows, np.append(self._firsts, self.n_rows)), delayed(_picked, pure=False)
        picked = [
            pick(*part, rows[i:j] - first)
            for part, first, i, j in zip(self._parts, self._firsts, ends[:-1], ends[1:], strict=True)
            if j > i
        ]
        X, y, weight = map(np.concatenate, zip(*compute(*picked), strict=True))
        return prepared(Block(X, y, weight, 0), self._steps)

    def column(self, function: Function, *shared: Any) -> Any:
        da, delayed = of_dask("array"), of_dask("delayed").delayed
        call, sent = delayed(_entries, pure=False), delayed((function, self._steps, shared), traverse=False)
        tasks = [call(sent, *part, int(first)) for part, first in zip(self._parts, self._firsts, strict=True)]
        sizes = zip(tasks, self._sizes, strict=True)
        return da.concatenate([da.from_delayed(task, (int(size),), float) for task, size in sizes])


def _nodes(sent: tuple[Any, ...], first: int, pieces: list[Any]) -> list[Node]:
    """The sums over the cells of some pieces that lie side by side."""
    function, steps, shared, combine = sent
    X, y, weight = (np.concatenate(part) for part in zip(*(_floats(*piece) for piece in pieces), strict=True))
    return nodes_of([Block(X, y, weight, first)], steps, function, shared, combine)


def _entries(sent: tuple[Any, ...], X: Array, y: Array, weight: Array | None, first: int) -> Any:
    function, steps, shared = sent
    return function(prepared(Block(*_floats(X, y, weight), first), steps), *shared)


def _picked(X: Array, y: Array, weight: Array | None, rows: slice | NDArray[np.intp]) -> tuple[Array, Array, Array]:
    return _floats(X[rows], y[rows], None if weight is None else weight[rows])


def _floats(X: Array, y: Array, weight: Array | None) -> tuple[Array, Array, Array]:
    X = np.ascontiguousarray(X, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64).reshape(len(X))
    return X, y, np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)


def _together(combine: Function, parts: list[list[Node]]) -> list[Node]:
    return together(parts, combine)
