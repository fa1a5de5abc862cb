"""A table from a CSV file, with errors that name the row and the column."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np

from ridgesplines.validation import Array


class TableError(ValueError):
    """A file, a column or a cell that cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Table:
    """Columns of text by name. `path` is for messages."""

    path: str
    columns: dict[str, list[str]]

    def text(self, name: str) -> list[str]:
        """The cells of a column; none may be empty."""
        if name not in self.columns:
            raise TableError(f"{self.path}: no column {name!r}; there are {', '.join(self.columns)}")
        cells = self.columns[name]
        for row, cell in enumerate(cells):
            if not cell:
                raise TableError(
                    f"{self.path}: column {name!r} is empty in line {row + 2}; fill it in or drop the line"
                )
        return cells

    def numbers(self, name: str) -> Array:
        """The column as numbers."""
        cells = self.text(name)
        for row, cell in enumerate(cells):
            if not _is_number(cell):
                raise TableError(f"{self.path}: column {name!r} holds {cell!r} in line {row + 2}; expected a number")
        return np.array([float(cell) for cell in cells])

    def numeric(self) -> list[str]:
        """The columns whose first cell is a number."""
        return [name for name, cells in self.columns.items() if _is_number(cells[0])]


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def read_table(path: str) -> Table:
    """Read a CSV file with a header; commas, semicolons or tabs between cells."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise TableError(f"{path}: not a text file in UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines(), delimiter=separator) if any(row)]
    if len(rows) < 2:
        raise TableError(f"{path}: expected a header and at least one line of data; got {len(rows)} line(s)")
    header = rows[0]
    if all(_is_number(cell) for cell in header):
        raise TableError(f"{path}: the first line holds only numbers; expected the names of the columns")
    if len(set(header)) < len(header):
        raise TableError(f"{path}: two columns have the same name; expected distinct names in the header")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise TableError(f"{path}: line {line} has {len(row)} cells; the header has {len(header)}")
    return Table(path, {name: [row[i] for row in rows[1:]] for i, name in enumerate(header)})
