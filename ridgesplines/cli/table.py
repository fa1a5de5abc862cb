"""A table from a CSV file, with errors that name the row and the column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from ridgesplines.files import other_kind
from ridgesplines.validation import Array

#: What stands for no value in columns of numbers and dates, besides nothing.
MISSING = {"", "NA", "N/A", "#N/A", "<NA>", "n/a", "NaN", "nan", "NULL", "null", "None", "NaT"}
#: A month, which stands for its first day.
MONTH = re.compile(r"\d{4}-\d{2}")


class TableError(ValueError):
    """A file, a column or a cell that cannot be used; the message says which and why."""


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

    def complete(self, names: Collection[str]) -> tuple[Table, dict[str, list[int]]]:
        """The rows without a missing cell in these columns, and the lines of the others by the column at fault."""
        gone: dict[str, list[int]] = {}
        kept = []
        missing = {name: {""} if self.kind(name) == "text" else MISSING for name in names if name in self.columns}
        for k, line in enumerate(self.lines):
            name = next((name for name, words in missing.items() if self.columns[name][k] in words), None)
            if name is None:
                kept.append(k)
            else:
                gone.setdefault(name, []).append(line)
        columns = {name: [cells[k] for k in kept] for name, cells in self.columns.items()}
        return Table(self.path, columns, [self.lines[k] for k in kept]), gone


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


def read_table(path: str) -> Table:
    """Read a CSV file with a header; commas, semicolons or tabs between cells."""
    if kind := other_kind(path):
        raise TableError(f"{path}: this is {kind}; name a file")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise TableError(f"{path}: not a text file in UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows, lines = _rows(path, text, separator)
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


def _rows(path: str, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, and the line of the file in which each begins."""
    rows, lines, last = [], [], 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for row in reader:
            if any(row):
                rows.append([cell.strip() for cell in row])
                lines.append(last + 1)
            last = reader.line_num  # a quoted cell may span lines
    except csv.Error as error:
        raise TableError(f"{path}: line {last + 1}: {error}") from None
    return rows, lines
