"""From the arguments of a command and the table that they name to a problem."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.cli.table import Table, TableError, read_table

LOSSES: dict[str, Callable[[argparse.Namespace], rs.losses.Loss]] = {
    "squared": lambda args: rs.Squared(),
    "absolute": lambda args: rs.Absolute(),
    "huber": lambda args: rs.Huber(args.delta),
    "quantile": lambda args: rs.Quantile(args.q),
    "poisson": lambda args: rs.Poisson(),
    "logistic": lambda args: rs.Logistic(),
    "hinge": lambda args: rs.Hinge(),
    "softmax": lambda args: rs.Softmax(),
    "interpolation": lambda args: rs.Interpolation(),
}

ACTIVATIONS: dict[str, Callable[[argparse.Namespace], rs.activations.Activation]] = {
    "relu": lambda args: rs.ReLU(),
    "truncated_power": lambda args: rs.TruncatedPower(args.order),
    "sigmoid": lambda args: rs.Sigmoid(args.scale),
    "arctan": lambda args: rs.Arctan(args.scale),
    "exponential": lambda args: rs.Exponential(args.scale),
}


def problem_of(args: argparse.Namespace, activation: rs.activations.Activation) -> rs.Problem:
    """The problem that the arguments describe, at lam = 1."""
    table = read_table(args.data)
    names, X = _features(args, table)
    loss = LOSSES[args.loss](args)
    y = _labels(table, args.target, loss) if loss.labels else table.numbers(args.target)
    weight = None if args.weights is None else table.numbers(args.weights)
    groups = _groups(getattr(args, "interactions", None), names)
    return rs.Problem(X, y, 1.0, loss, activation, weight, feature_names=names, interactions=groups)


def _groups(text: str | None, known: Collection[str]) -> int | list[list[str]] | None:
    """What may act together: a number of features, or groups of column names, parted by semicolons."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return [split([group.strip()], known) for group in text.split(";") if group.strip()]


def _features(args: argparse.Namespace, table: Table) -> tuple[list[str], Any]:
    """The columns to predict from, and their numbers; printed where the user did not choose them."""
    if args.features:
        names = split(args.features, table.columns)
        if args.target in names:
            raise TableError(f"--features: {args.target!r} is the target; a function of it needs no fit")
        if len(set(names)) < len(names):
            raise TableError(f"--features: expected distinct columns; got {', '.join(names)}")
        return names, np.column_stack([table.numbers(name) for name in names])
    names = [name for name in table.numeric() if name not in (args.target, args.weights)]
    if not names:
        raise TableError(f"{args.data}: no numeric column is left to predict from; name some with --features")
    try:
        X = np.column_stack([table.numbers(name) for name in names])
    except TableError as error:
        raise TableError(f"{error}, or choose other columns with --features") from None
    print("features      " + ", ".join(names))
    return names, X


def split(parts: Sequence[str], known: Collection[str]) -> list[str]:
    """Column names, separated by spaces or commas; a known name may hold a comma itself."""
    pieces = [name.strip() for part in parts for name in ([part] if part in known else part.split(","))]
    return [name for name in pieces if name]


def _labels(table: Table, column: str, loss: rs.losses.Loss) -> Any:
    """Classes in the order of their names, numbered as the loss wants them; the numbering is printed."""
    names, number = np.unique(table.text(column), return_inverse=True)
    if isinstance(loss, rs.Softmax):
        codes = np.arange(len(names))
    elif len(names) == 2:
        codes = np.array([-1, 1])
    else:
        raise TableError(f"{column}: {loss.name} takes two classes; found {len(names)}. Use --loss softmax.")
    print("classes       " + ", ".join(f"{name} = {code:+d}" for name, code in zip(names, codes, strict=True)))
    return codes[number]


def with_lam(problem: rs.Problem, text: str) -> rs.Problem:
    """The problem at the lam that the user wrote: a number, or a fraction of lambda_max."""
    fraction = text.endswith("max")
    try:
        value = float(text.removesuffix("max") or 1.0) if fraction else float(text)
    except ValueError:
        raise TableError(f"--lam: expected a number, or a fraction such as 0.05max; got {text!r}") from None
    if fraction:
        top = rs.lambda_max(problem)
        if not np.isfinite(top):
            raise TableError("--lam: interpolation has no lambda_max, and lambda only scales its objective; pass 1")
        if top == 0.0:
            raise TableError("--lam: lambda_max is 0, an affine function is optimal for every lambda; pass 1")
        value *= top
    return problem.with_lam(value)
