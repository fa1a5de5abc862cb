"""A table from a file, with errors that name the row and the column."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

import numpy as np

from ridgesplines.cli.reading import TableError, cells_of
from ridgesplines.validation import Array

#: What stands for no value in columns of numbers and dates, besides nothing.
MISSING = {"", "NA", "N/A", "#N/A", "<NA>", "n/a", "NaN", "nan", "NULL", "null", "None", "NaT"}
#: A month, which stands for its first day.
MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True)
class Table:
    """Columns of text by name. `path` and `lines`, where each row begins in the file, are for messages."""

    path: str
    columns: dict[str, list[str]]
    lines: list[int]

    def text(self, name: str) -> list[str]:
        """The cells of a column; none may be empty."""
        if name not in self.columns:
            raise TableError(f"{self.path}: no column {name!r}; there are {', '.join(self.columns)}")
        cells = self.columns[name]
        for line, cell in zip(self.lines, cells, strict=True):
            if not cell:
                words = "fill it in, or leave such rows out with --drop-missing"
                raise TableError(f"{self.path}: column {name!r} is empty in line {line}; {words}")
        return cells

    def numbers(self, name: str, expected: str = "a number") -> Array:
        """The column as numbers."""
        cells = self.text(name)
        for line, cell in zip(self.lines, cells, strict=True):
            if not _is_number(cell):
                remedy = "; leave such rows out with --drop-missing" if cell in MISSING else ""
                words = f"holds {cell!r} in line {line}; expected {expected}{remedy}"
                raise TableError(f"{self.path}: column {name!r} {words}")
        return np.array([float(cell) for cell in cells])

    def dates(self, name: str) -> Any:
        """The column as an array of datetime.datetime, with a time zone where the cells have one."""
        cells = self.text(name)
        instants = np.empty(len(cells), dtype=object)
        for k, (line, cell) in enumerate(zip(self.lines, cells, strict=True)):
            instants[k] = instant(cell)
            if instants[k] is None:
                words = "expected a date such as 2020-01-31 or 2020-01-31 12:30"
                raise TableError(f"{self.path}: column {name!r} holds {cell!r} in line {line}; {words}")
        return instants

    def kind(self, name: str) -> str:
        """ "numbers" where a cell is one: one bad cell must not make a column vanish unseen; or "dates", or "text"."""
        cells = self.columns.get(name, ())
        if any(map(_is_number, cells)):
            return "numbers"
        return "dates" if any(map(instant, cells)) else "text" if any(cells) else "empty"

    def values(self, name: str) -> Any:
        """The column as dates where it holds some, as numbers otherwise."""
        kind = self.kind(name)
        if kind == "dates":
            return self.dates(name)
        return self.numbers(name, "a number, or a date such as 2020-01-31" if kind == "text" else "a number")

    def at(self, lines: Collection[int]) -> Table:
        """The rows that begin in these lines."""
        wanted = set(lines)
        kept = [k for k, line in enumerate(self.lines) if line in wanted]
        columns = {name: [cells[k] for k in kept] for name, cells in self.columns.items()}
        return Table(self.path, columns, [self.lines[k] for k in kept])

    def complete(self, names: Collection[str]) -> tuple[Table, dict[str, list[int]]]:
        """The rows without a missing cell in these columns, and the lines of the others by the column at fault."""
        gone: dict[str, list[int]] = {}
        kept: list[int] = []
        missing = {name: {""} if self.kind(name) == "text" else MISSING for name in names if name in self.columns}
        for k, line in enumerate(self.lines):
            name = next((name for name, words in missing.items() if self.columns[name][k] in words), None)
            if name is None:
                kept.append(line)
            else:
                gone.setdefault(name, []).append(line)
        return self.at(kept), gone


def instant(cell: str) -> datetime | None:
    """The date that an ISO 8601 text names; None for any other text, and for numbers."""
    if _is_number(cell) or not cell[:1].isdigit():
        return None
    try:
        return datetime.fromisoformat(f"{cell}-01" if MONTH.fullmatch(cell) else cell)
    except ValueError:
        return None


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def read_table(path: str, out: TextIO | None = None) -> Table:
    """Read a table with a header: a CSV file, with commas, semicolons or tabs, also compressed; Parquet; or -.

    What was done besides reading is printed to `out`.
    """
    path, rows, lines = cells_of(path, out)
    if len(rows) < 2:
        raise TableError(f"{path}: expected a header and at least one line of data; got {len(rows)} line(s)")
    header = rows[0]
    if all(_is_number(cell) for cell in header):
        raise TableError(f"{path}: the first line holds only numbers; expected the names of the columns")
    if len(set(header)) < len(header):
        raise TableError(f"{path}: two columns have the same name; expected distinct names in the header")
    for line, row in zip(lines[1:], rows[1:], strict=True):
        if len(row) != len(header):
            raise TableError(f"{path}: line {line} has {len(row)} cells; the header has {len(header)}")
    return Table(path, {name: [row[i] for row in rows[1:]] for i, name in enumerate(header)}, lines[1:])
