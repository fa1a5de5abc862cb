"""Estimators of rows in blocks: fitted by passes over them, and predictions that stay where the rows are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from ridgesplines.activations.base import Activation
from ridgesplines.constraints import Constraint
from ridgesplines.exceptions import ProblemError, warn
from ridgesplines.losses.base import Loss
from ridgesplines.losses.huber import Huber
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.rows import Block
from ridgesplines.rows.given import in_blocks, is_dask
from ridgesplines.validation import Array, finite

#: Rows of a file of which predictions are made at once.
BLOCK_ROWS = 2**17


def problem_in_blocks(
    loss: Loss,
    X: Any,
    y: Any,
    sample_weight: Any,
    constraints: tuple[Constraint, ...],
    interactions: Any,
    activation: Activation | None,
) -> Problem:
    """The problem of the estimator's arguments, with lam = 1; or a ProblemError for what rows in blocks do not have."""
    if isinstance(loss, Huber) and loss.multiple is not None:
        got, remedy = repr(loss), "A sample of the rows in memory tells it: fit that with the same loss first."
        raise ProblemError("loss", "Huber with a number for delta, where rows are in blocks", got, remedy)
    shape, groups = constraints, interactions
    return Problem(X, y, 1.0, loss, activation, sample_weight, constraints=shape, interactions=groups)


def warn_of_memory(estimator: object, X: Any) -> None:
    """Say so where an estimator reads rows into memory that need not fit there."""
    if in_blocks(X):
        others = "RidgeSplineRegressor and RidgeSplineClassifier do not, of two features or more."
        warn(f"{type(estimator).__name__} reads all rows into memory. {others}", UserWarning)


def scaler_of(problem: Problem) -> StandardScaler:
    """The scaler of the features, by two passes."""
    data = problem.in_blocks
    assert data is not None
    rows = data.blocks
    mean = rows.reduce(_first_moment) / data.facts.total[0]
    scaler = StandardScaler()
    scaler.mean_, scaler.n_features_in_, scaler.n_samples_seen_ = mean, len(mean), data.facts.n
    scaler.var_ = rows.reduce(_second_moment, mean) / data.facts.total[0]
    flat = scaler.var_ <= (8.0 * np.finfo(float).eps * np.abs(mean)) ** 2
    scaler.scale_ = np.where(flat, 1.0, np.sqrt(scaler.var_))
    return scaler


def _first_moment(block: Block) -> Array:
    return block.weight @ block.X


def _second_moment(block: Block, mean: Array) -> Array:
    return block.weight @ (block.X - mean) ** 2


def classes_of(y: Any) -> Array:
    """The labels, sorted: two of them."""
    if hasattr(y, "to_dask_array"):
        y = y.to_dask_array()
    if is_dask(y):
        import dask.array as da

        classes = np.asarray(da.unique(y.ravel()).compute())
    else:
        classes = np.unique(np.asarray(y))
    if len(classes) != 2:
        remedy = "Fit one class against the rest, or rows in memory."
        raise ProblemError("y", "labels of 2 classes, where rows are in blocks", f"{len(classes)} classes", remedy)
    return classes


def signs_of(y: Any, classes: Array) -> Any:
    """-1 and +1 in the place of the two labels."""
    if hasattr(y, "to_dask_array"):
        y = y.to_dask_array(lengths=True)
    return each(partial(_signs, second=classes[1]), y) if is_dask(y) else _signs(np.asarray(y), classes[1])


def _signs(y: Array, second: Any) -> Array:
    return np.where(y == second, 1.0, -1.0)


def values(network: RidgeSpline, names: Any, X: Any) -> Any:
    """The network at rows in blocks: of Dask a Dask array that is computed when it is asked for, else (N,)."""
    at = partial(_values, network=network)
    if not is_dask(X):
        return np.concatenate([at(np.array(X[i : i + BLOCK_ROWS])) for i in range(0, len(X), BLOCK_ROWS)])
    if hasattr(X, "to_dask_array"):
        columns = [str(name) for name in X.columns]
        if names is not None and columns != list(names):
            raise ProblemError("X", f"the columns of the fit, {', '.join(names)}", ", ".join(columns), "Select these.")
        X = X.to_dask_array()
    if X.ndim != 2 or X.shape[1] != network.n_features:
        remedy = "Pass the features of the fit."
        raise ProblemError("X", f"shape (N, {network.n_features})", f"shape {X.shape}", remedy)
    one = {"drop_axis": 1} if network.n_outputs is None else {"chunks": (X.chunks[0], (network.n_outputs,))}
    return each(at, X.rechunk({1: -1}), **one)


def _values(X: Array, network: RidgeSpline) -> Array:
    return network.at(finite("X", np.asarray(X, dtype=np.float64)))


def each(function: Callable[[Array], Array], array: Any, dtype: Any = float, **shape: Any) -> Any:
    """A function of each block, once it is asked for: of a Dask array one, of others its value."""
    if not is_dask(array):
        return function(array)
    outputs = array.ndim - ("drop_axis" in shape)
    return array.map_blocks(function, dtype=dtype, meta=np.empty((0,) * outputs, dtype), **shape)
