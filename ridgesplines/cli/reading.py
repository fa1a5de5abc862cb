"""Files as people have them, to text in cells: compressed, in an older encoding, with decimal commas, or Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from typing import TextIO

from ridgesplines.files import other_kind

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
#: A number with a decimal comma, and without points.
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
#: What no text has.
CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class TableError(ValueError):
    """A file, a column or a cell that cannot be used; the message says which and why."""


def cells_of(path: str, out: TextIO | None = None) -> tuple[str, list[list[str]], list[int]]:
    """(the file in words, its rows of cells that are not blank, the line in which each begins).

    What was done besides reading UTF-8 is printed to `out`.
    """
    name, content = _content(path)
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise TableError(f"{name}: it begins as a gzip file, and is damaged or incomplete") from None
    if content.startswith(PARQUET):
        rows = _of_parquet(name, content)
        return name, rows, list(range(1, len(rows) + 1))
    text = _decoded(name, content, out)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows, lines = _rows(name, text, separator)
    if separator != "," and (said := _with_points(rows)):
        print(f"decimals      commas read as points in {', '.join(said)}", file=out)
    return name, rows, lines


def _content(path: str) -> tuple[str, bytes]:
    """A file, or what comes in on standard input."""
    if path == "-":
        return "standard input", sys.stdin.buffer.read()
    if kind := other_kind(path):
        raise TableError(f"{path}: this is {kind}; name a file, or - for standard input")
    try:
        with open(path, "rb") as file:
            return path, file.read()
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from None


def _decoded(name: str, content: bytes, out: TextIO | None) -> str:
    """The text in UTF-8, or in what spreadsheets wrote before it, which is said."""
    ways = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in ways:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if CONTROL.search(text):
            break
        if encoding != "utf-8-sig":
            words = {"cp1252": "Latin-1 (Windows-1252)", "latin-1": "Latin-1", "utf-16": "UTF-16"}[encoding]
            print(f"encoding      not UTF-8: read as {words}", file=out)
        return text
    raise TableError(f"{name}: not a text file, in UTF-8 or Latin-1; expected a table in CSV, also as .gz, or Parquet")


def _rows(name: str, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
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
        raise TableError(f"{name}: line {last + 1}: {error}") from None
    return rows, lines


def _with_points(rows: list[list[str]]) -> list[str]:
    """Decimal commas become points in columns that have them and no points; the names of these columns."""
    said = []
    for j, name in enumerate(rows[0] if rows else ()):
        cells = [row[j] for row in rows[1:] if j < len(row)]
        with_comma = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
        if not with_comma or any("." in cell or ("," in cell and cell not in with_comma) for cell in cells):
            continue
        said.append(name)
        for row in rows[1:]:
            if j < len(row):
                row[j] = row[j].replace(",", ".")
    return said


def _of_parquet(name: str, content: bytes) -> list[list[str]]:
    """The cells of a Parquet file as text, nothing where there is no value."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise TableError(f'{name}: Parquet needs pyarrow; pip install "ridgesplines[parquet]"') from None
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(content))
    except (pyarrow.ArrowException, OSError, ValueError):
        raise TableError(f"{name}: it begins as a Parquet file, and is damaged or of an unknown kind") from None
    columns = [[_written(value) for value in column.to_pylist()] for column in table.columns]
    return [list(table.column_names), *map(list, zip(*columns, strict=True))]


def _written(value: object) -> str:
    """A value of a Parquet file as a cell of text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
