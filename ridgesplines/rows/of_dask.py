"""Rows in chunks of Dask arrays: blocks are computed where the scheduler has them, and again where a worker is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.rows.base import Block, Function, Rows, added, prepared
from ridgesplines.validation import Array

#: Results that one task puts together.
FAN_IN = 8


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

    def _tasks(self, function: Function, shared: tuple[Any, ...]) -> list[Any]:
        """One task a block; what is shared is in the graph once, so that a worker that is lost takes none of it."""
        from dask import delayed

        call, sent = delayed(_call, pure=False), delayed((function, self._steps, shared), traverse=False)
        return [call(sent, *part, int(first)) for part, first in zip(self._parts, self._firsts, strict=True)]

    def reduce(self, function: Function, *shared: Any, combine: Function | None = None) -> Any:
        from dask import delayed

        together, results = delayed(_together, pure=False), self._tasks(function, shared)
        while len(results) > 1:
            few = (results[i : i + FAN_IN] for i in range(0, len(results), FAN_IN))
            results = [together(combine or added, part) for part in few]
        return results[0].compute()

    def take(self, rows: NDArray[np.intp]) -> Block:
        from dask import compute, delayed

        ends, pick = np.searchsorted(rows, np.append(self._firsts, self.n_rows)), delayed(_picked, pure=False)
        picked = [
            pick(*part, rows[i:j] - first)
            for part, first, i, j in zip(self._parts, self._firsts, ends[:-1], ends[1:], strict=True)
            if j > i
        ]
        X, y, weight = map(np.concatenate, zip(*compute(*picked), strict=True))
        return prepared(Block(X, y, weight, 0), self._steps)

    def column(self, function: Function, *shared: Any) -> Any:
        import dask.array as da

        tasks = zip(self._tasks(function, shared), self._sizes, strict=True)
        return da.concatenate([da.from_delayed(task, (int(size),), float) for task, size in tasks])


def _call(sent: tuple[Any, ...], X: Array, y: Array, weight: Array | None, first: int) -> Any:
    function, steps, shared = sent
    return function(prepared(Block(*_floats(X, y, weight), first), steps), *shared)


def _picked(X: Array, y: Array, weight: Array | None, rows: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    return _floats(X[rows], y[rows], None if weight is None else weight[rows])


def _floats(X: Array, y: Array, weight: Array | None) -> tuple[Array, Array, Array]:
    X = np.asarray(X, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64).reshape(len(X))
    return X, y, np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)


def _together(combine: Function, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = combine(total, part)
    return total
