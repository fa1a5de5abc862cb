"""What a notebook shows of an object: a small table in HTML, with everything escaped and no array written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

#: The most rows of a table; of more the first and the last are shown.
MOST_ROWS = 12
_CELL = 'style="text-align: left; white-space: pre-wrap; font-family: monospace"'


def table(title: str, rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table under a title; the first cell of each row names it, and `head` names the columns."""
    lines = [f"<table><caption style='text-align: left'><b>{escape(title)}</b></caption>"]
    if head:
        lines.append("<thead><tr>" + "".join(f"<th {_CELL}>{escape(name)}</th>" for name in head) + "</tr></thead>")
    lines.append("<tbody>")
    for first, *others in rows:
        cells = "".join(f"<td {_CELL}>{escape(str(cell))}</td>" for cell in others)
        lines.append(f"<tr><th {_CELL}>{escape(str(first))}</th>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def shortened(rows: Sequence[Sequence[object]]) -> list[Sequence[object]]:
    """The first and the last of many rows, with one of dots between them."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    half = MOST_ROWS // 2
    return [*islice(rows, half), ["..."] * len(rows[0]), *rows[-half:]]
