"""From the arguments of a command and the table that they name to a problem."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.cli.constraints import constraint_named
from ridgesplines.cli.missing import with_indicators, without_missing
from ridgesplines.cli.reading import TableError
from ridgesplines.cli.table import Table, read_table
from ridgesplines.estimators.separable import needed_penalty

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
    "leaky_relu": lambda args: rs.LeakyReLU(),
    "absolute_value": lambda args: rs.AbsoluteValue(),
    "truncated_power": lambda args: rs.TruncatedPower(args.order),
    "sigmoid": lambda args: rs.Sigmoid(args.scale),
    "arctan": lambda args: rs.Arctan(args.scale),
    "exponential": lambda args: rs.Exponential(args.scale),
}


def problem_of(args: argparse.Namespace, activation: rs.activations.Activation) -> rs.Problem:
    """The problem that the arguments describe, at lam = 1."""
    table = read_table(args.data)
    names = _features(args, table)
    if args.indicate_missing:
        table, names = with_indicators(table, names)
    if args.drop_missing:
        table = without_missing(table, [name for name in (*names, args.target, args.weights) if name])
    X = _values(args, table, names)
    loss = LOSSES[args.loss](args)
    y = _labels(table, args.target, loss) if loss.labels else table.numbers(args.target)
    weight = None if args.weights is None else table.numbers(args.weights)
    groups = _groups(getattr(args, "interactions", None), names)
    known = [constraint_named(text) for text in getattr(args, "constraint", None) or ()]
    problem = rs.Problem(
        *(X, y, 1.0, loss, activation, weight),
        feature_names=names,
        constraints=known or None,
        interactions=groups,
        norm=getattr(args, "norm", False),
    )
    return _with_slope_penalty(args, problem)


def _with_slope_penalty(args: argparse.Namespace, problem: rs.Problem) -> rs.Problem:
    """The problem with the penalty of the slope that the user wrote, or that separable classes ask for."""
    given = getattr(args, "slope_penalty", None)
    if given is not None:
        return problem.with_slope_penalty(given)
    on_a_grid = getattr(args, "directions", None) is not None or getattr(args, "backend", None) is not None
    if on_a_grid or problem.constraints or problem.norm or not isinstance(problem.activation, rs.ReLU):
        return problem
    if penalty := needed_penalty(problem, None):
        print(f"slope penalty {penalty!r}: an affine function separates the classes (--slope-penalty)")
    return problem.with_slope_penalty(penalty)


def _groups(text: str | None, known: Collection[str]) -> int | list[list[str]] | None:
    """What may act together: a number of features, or groups of column names, parted by semicolons."""
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return [split([group.strip()], known) for group in text.split(";") if group.strip()]


def _features(args: argparse.Namespace, table: Table) -> list[str]:
    """The columns to predict from; printed, with those that are left out, where the user did not choose them."""
    if args.features:
        names = split(args.features, table.columns)
        if args.target in names:
            raise TableError(f"--features: {args.target!r} is the target; a function of it needs no fit")
        if len(set(names)) < len(names):
            raise TableError(f"--features: expected distinct columns; got {', '.join(names)}")
        return names
    kinds = {name: table.kind(name) for name in table.columns if name not in (args.target, args.weights)}
    numeric, dates = ([name for name in kinds if name and kinds[name] == kind] for kind in ("numbers", "dates"))
    names = numeric or dates[:1]
    if not names:
        raise TableError(f"{args.data}: no numeric column is left to predict from; name some with --features")
    print("features      " + ", ".join(names))
    if left := [f"{name or 'a column without a name'} ({kind})" for name, kind in kinds.items() if name not in names]:
        print("left out      " + ", ".join(left))
    return names


def _values(args: argparse.Namespace, table: Table, names: Sequence[str]) -> Any:
    """The columns to predict from as numbers; the only one may be dates."""
    dates = [name for name in names if table.kind(name) == "dates"]
    if dates and len(names) > 1:
        raise TableError(f"--features: {dates[0]!r} holds dates, which can be the only feature, not one of several")
    try:
        return table.values(names[0]) if len(names) == 1 else np.column_stack([table.numbers(name) for name in names])
    except TableError as error:
        if args.features:
            raise
        raise TableError(f"{error}, or choose other columns with --features") from None


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
    """The problem at the lam that the user wrote: a number, a fraction of lambda_max, or the null quantile."""
    if text == "null":
        return problem.with_lam(rs.solve_path(problem, lams=["null"]).lams[0])
    fraction = text.endswith("max")
    try:
        value = float(text.removesuffix("max") or 1.0) if fraction else float(text)
    except ValueError:
        raise TableError(f"--lam: expected a number, a fraction such as 0.05max, or null; got {text!r}") from None
    if fraction:
        top = rs.lambda_max(problem)
        if not np.isfinite(top):
            raise TableError("--lam: interpolation has no lambda_max, and lambda only scales its objective; pass 1")
        if top == 0.0:
            raise TableError("--lam: lambda_max is 0, an affine function is optimal for every lambda; pass 1")
        value *= top
    return problem.with_lam(value)
