"""Missing cells: rows that leave, or a column that says where a value was missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TextIO

import numpy as np

from ridgesplines.cli.reading import TableError
from ridgesplines.cli.table import MISSING, Table

#: The most lines that are listed by their numbers.
MOST_LINES = 5
#: The name of a column that is 1 where another has no value, with the value that stands there instead.
INDICATOR = re.compile(r"(?P<column>.+) missing, as (?P<value>[^ ]+)")


def without_missing(table: Table, names: Collection[str], out: TextIO | None = None) -> Table:
    """The table without the rows that miss a cell in these columns; how many, and which, is printed."""
    kept, gone = table.complete(names)
    if gone:
        words = "; ".join(f"{len(lines)} for {name!r} ({_listed(lines)})" for name, lines in gone.items())
        missing = len(table.lines) - len(kept.lines)
        print(f"rows          {len(kept.lines)}, without {missing} with missing cells: {words}", file=out)
    if not kept.lines:
        raise TableError(f"{table.path}: no row is complete in {', '.join(names)}; name other columns with --features")
    return kept


def _listed(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:MOST_LINES])) + (", ..." if len(lines) > MOST_LINES else "")
    return f"line {shown}" if len(lines) == 1 else f"lines {shown}"


def with_indicators(table: Table, names: Sequence[str], out: TextIO | None = None) -> tuple[Table, list[str]]:
    """The table with the median where a number is missing, and a further column for each that misses some.

    Its name holds the median, so that a network that was fitted to it can be asked again. Returns the names too.
    """
    new = list(names)
    for name in names:
        if table.kind(name) != "numbers" or not (lines := _missing(table, name)):
            continue
        median = float(np.median(table.complete([name])[0].numbers(name)))
        indicator = f"{name} missing, as {median!r}"
        table = filled(table, [indicator])
        new.append(indicator)
        print(f"missing       {len(lines)} in {name!r} ({_listed(lines)}) read as the median {median:g}", file=out)
    return table, new


def filled(table: Table, names: Sequence[str]) -> Table:
    """The table with indicators of these names, and the values that they name where none is."""
    columns = dict(table.columns)
    for name in names:
        given = INDICATOR.fullmatch(name)
        if given is None or given["column"] not in columns:
            continue
        cells = columns[given["column"]]
        columns[name] = ["1" if cell in MISSING else "0" for cell in cells]
        columns[given["column"]] = [given["value"] if cell in MISSING else cell for cell in cells]
    return replace(table, columns=columns)


def _missing(table: Table, name: str) -> list[int]:
    """The lines in which a column has no value."""
    return [line for line, cell in zip(table.lines, table.columns[name], strict=True) if cell in MISSING]
