"""The command that predicts."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import numpy as np

import ridgesplines as rs
from ridgesplines.cli import paths
from ridgesplines.cli.missing import filled, without_missing
from ridgesplines.cli.networks import match_features, read_network
from ridgesplines.cli.problem import split
from ridgesplines.cli.reading import TableError
from ridgesplines.cli.table import Table, read_table
from ridgesplines.validation import Array


def predict(args: argparse.Namespace) -> int:
    paths.check([args.network, args.data], (args.out, ()))
    network, given = read_network(args.network, args.features, sys.stderr), read_table(args.data, sys.stderr)
    match_features(args, network, sys.stderr)
    table = filled(given, network.feature_names or ())
    names = split(args.features or _only_one(table, network), table.columns)
    if len(names) != network.n_features:
        raise TableError(f"--features: the network takes {network.n_features} column(s); got {', '.join(names)}")
    table = without_missing(table, names, sys.stderr) if args.drop_missing else table
    given = given.at(table.lines)
    columns = _columns(network, _values(table, names, network))
    if taken := [name for name in columns if name in given.columns]:
        raise TableError(f"{args.data}: there is a column {taken[0]!r} already; rename it")
    if args.out is None:
        _write(sys.stdout, given, columns)
        return 0
    with open(args.out, "w", newline="", encoding="utf-8") as file:
        _write(file, given, columns)
    print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _only_one(table: Table, network: rs.RidgeSpline) -> list[str]:
    """The column for a network of one feature without a name, where there is one alone that it may be."""
    kind = "dates" if network.dates else "numbers"
    names = [name for name in table.columns if name and table.kind(name) == kind]
    if network.n_features > 1 or len(names) != 1:
        raise TableError("--features: the network has no names for its features; name their columns, in its order")
    print(f"features      {names[0]}", file=sys.stderr)
    return names


def _values(table: Table, names: Sequence[str], network: rs.RidgeSpline) -> Any:
    """The columns as what the network takes."""
    if network.dates is not None and network.dates.kind == "timedelta":
        raise TableError(f"{table.path}: a network of durations takes no column of a file; predict in Python")
    if network.dates is not None:
        return table.dates(names[0])
    return np.column_stack([table.numbers(name) for name in names])


def _columns(network: rs.RidgeSpline, X: Any) -> dict[str, Array]:
    """The predictions by name: of one output, or of each; for classes margins or logits."""
    values = network(X)
    if values.ndim == 1:
        return {"prediction": values}
    return {f"prediction[{j}]": column for j, column in enumerate(values.T)}


def _write(file: TextIO, table: Table, columns: dict[str, Array]) -> None:
    """The table as it came, with further columns; numbers that read back as the same float64."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*table.columns, *columns])
    texts = [list(map(repr, column.tolist())) for column in columns.values()]
    writer.writerows(zip(*table.columns.values(), *texts, strict=True))
