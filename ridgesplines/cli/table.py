"""A table from a CSV file, with errors that name the row and the column."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

from ridgesplines.files import other_kind
from ridgesplines.validation import Array


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
                raise TableError(f"{self.path}: column {name!r} is empty in line {line}; fill it in or drop the line")
        return cells

    def numbers(self, name: str) -> Array:
        """The column as numbers."""
        cells = self.text(name)
        for line, cell in zip(self.lines, cells, strict=True):
            if not _is_number(cell):
                raise TableError(f"{self.path}: column {name!r} holds {cell!r} in line {line}; expected a number")
        return np.array([float(cell) for cell in cells])

    def numeric(self) -> list[str]:
        """The named columns that hold a number anywhere: one bad cell must not make a column vanish unseen."""
        return [name for name, cells in self.columns.items() if name and any(map(_is_number, cells))]


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
