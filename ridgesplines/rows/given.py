"""What a user passes as rows that need not fit into memory: Dask arrays and dataframes, and files mapped by NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.rows.base import Rows
from ridgesplines.rows.local import FileRows
from ridgesplines.rows.of_dask import DaskRows, of_dask

#: Mapped files up to so many bytes are read into memory: joblib maps what it sends to its workers, from a megabyte on.
IN_MEMORY = 2**28


def is_dask(values: Any) -> bool:
    """Whether it is an array or a dataframe of Dask; asked without loading Dask. Its other collections are refused."""
    package, _, part = type(values).__module__.partition(".")
    if package not in ("dask", "dask_expr") or not hasattr(values, "dask"):
        return False
    if package == "dask" and part.partition(".")[0] not in ("array", "dataframe"):
        remedy = "Make one of it: dask.array.from_delayed, or bag.to_dataframe()."
        raise ProblemError("X, y, sample_weight", "arrays, or dataframes of Dask", type(values).__name__, remedy)
    return True


def is_mapped(values: Any) -> bool:
    """Whether it is a large mapped file of several columns; one column is sorted, and so read into memory, as ever."""
    several = isinstance(values, np.memmap) and values.ndim == 2 and values.shape[1] > 1
    return several and values.nbytes > IN_MEMORY


def in_blocks(values: Any) -> bool:
    """Whether these rows are read block by block."""
    return is_dask(values) or is_mapped(values)


def rows_of(X: Any, y: Any, sample_weight: Any = None) -> Rows | None:
    """The rows in blocks; None where X is in memory."""
    if not in_blocks(X):
        for name, values in (("y", y), ("sample_weight", sample_weight)):
            if is_dask(values):
                remedy = f"Pass X as a Dask array too, or {name}.compute()."
                raise ProblemError(name, "an array in memory, as X is", "one of Dask", remedy)
        return None
    given = {"X": X, "y": y} | ({} if sample_weight is None else {"sample_weight": sample_weight})
    if is_dask(X):
        given = _of_dask(given)
    elif any(map(is_dask, given.values())):
        raise ProblemError(
            "y, sample_weight", "arrays in memory or in files, as X is", "one of Dask", "Pass y.compute()."
        )
    for name, values in given.items():
        _check(name, values, len(given["X"]) if is_mapped(X) else int(given["X"].shape[0]))
    if is_dask(X):
        return DaskRows(*given.values())
    return FileRows(*(values if isinstance(values, np.memmap) else np.asarray(values) for values in given.values()))


def _of_dask(given: dict[str, Any]) -> dict[str, Any]:
    """Arrays of Dask whose rows are chunked alike."""
    da = of_dask("array")
    arrays = {}
    for name, values in given.items():
        if hasattr(values, "to_dask_array"):  # of a dataframe, whose lengths are counted
            values = values.to_dask_array(lengths=True)
        elif not is_dask(values):
            values = da.from_array(np.asarray(values))
        elif np.isnan(np.array(values.shape, dtype=float)).any():
            values = values.compute_chunk_sizes()
        if values.ndim == 2 and values.shape[1] == 1 and name != "X":
            values = values[:, 0]
        arrays[name] = values
    X = arrays["X"]
    if X.ndim == 2 and len(X.chunks[1]) > 1:
        remedy = "Pass X.rechunk({1: -1})."
        raise ProblemError("X", "all features of a row in one chunk", f"{len(X.chunks[1])} chunks of columns", remedy)
    same = {name: values for name, values in arrays.items() if values.ndim == 1 and values.shape[0] == X.shape[0]}
    return arrays | {name: values.rechunk((X.chunks[0],)) for name, values in same.items()}


def _check(name: str, values: Any, n: int) -> None:
    """Shape and kind, before anything is read."""
    shape, kind = np.shape(values) if not is_dask(values) else values.shape, np.dtype(getattr(values, "dtype", float))
    if name == "X":
        fits = len(shape) == 2 and shape[0] > 0 and shape[1] > 1
        expected = "shape (N, d) with d >= 2 where rows are in blocks"
    else:
        fits, expected = shape in ((n,), (n, 1)), f"one number for each of the {n} rows of X"
    if not fits:
        remedy = "One feature is sorted as a whole: read it into memory, with .compute() or numpy.array."
        remedy = remedy if name == "X" and len(shape) in (1, 2) else "Pass one row a sample, and one output."
        raise ProblemError(name, expected, f"shape {tuple(shape)}", remedy)
    if kind.kind not in "fiub":
        raise ProblemError(name, "real numbers", f"entries of {kind}", "Encode them as numbers first.")
