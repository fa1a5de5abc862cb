"""The files that a command reads and writes, checked before any long work: none may wait, none may replace another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ridgesplines.cli.reading import TableError
from ridgesplines.files import other_kind


def check(inputs: Iterable[str | None], *outputs: tuple[str | None, Sequence[str]]) -> None:
    """Raise where an input is no regular file, or an output, with the endings it may have, cannot be written."""
    taken = [path for path in inputs if path is not None]
    for path in taken:
        if kind := other_kind(path):
            raise TableError(f"{path}: this is {kind}; name a file")
    for output, endings in outputs:
        if output is not None:
            _check_writable(output, endings)
            for other in taken:
                if _is_same(output, other):
                    raise TableError(f"{output}: this would replace {other}, another file of this command; rename it")
            taken.append(output)


def _is_same(first: str, second: str) -> bool:
    """Whether two paths lead to one file, through links too; files may not be there yet."""
    if os.path.realpath(first) == os.path.realpath(second):
        return True
    return os.path.exists(first) and os.path.exists(second) and os.path.samefile(first, second)


def _check_writable(path: str, endings: Sequence[str]) -> None:
    """Whether a result can be written. Leaves what is there as it is."""
    file, target = Path(path), Path(os.path.realpath(path))  # a link is written through, and stays a link
    folder, is_new = target.parent, not file.exists()
    if not folder.is_dir():
        raise TableError(f"{path}: there is no folder {folder}")
    if kind := other_kind(path):
        raise TableError(f"{path}: this is {kind}; name a file")
    if endings and file.suffix.lower() not in endings:
        raise TableError(f"{path}: expected a name that ends in {', '.join(endings)}")
    if file.suffix.lower() == ".md" and (pictures := file.with_suffix("")).exists() and not pictures.is_dir():
        raise TableError(f"{path}: its pictures go to a folder {pictures}, but there is a file of that name")
    try:
        file.open("ab").close()
    except OSError as error:
        raise TableError(f"{path}: cannot be written: {error.strerror or error}") from None
    if is_new:
        target.unlink()
