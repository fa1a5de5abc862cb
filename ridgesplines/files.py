"""Files that others may have written: what may be opened, and archives that are no larger than they look."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from ridgesplines.exceptions import ProblemError

OTHER_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def other_kind(path: str | os.PathLike[str]) -> str | None:
    """What is at `path` where it is no regular file, in words; None for a regular file, and for nothing at all."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # whoever opens it hears why
        return None
    return next((words for is_kind, words in OTHER_KINDS if is_kind(mode)), None)


def require_regular(path: str | os.PathLike[str]) -> None:
    """Raise for what is no regular file, before it is opened: a pipe may wait for ever, a device may never end."""
    if kind := other_kind(path):
        raise ProblemError("path", "a file", f"{os.fspath(path)!r}, which is {kind}", "Name a file on disk.")


@contextmanager
def damage_in_words(path: str | os.PathLike[str], expected: str, got: str, remedy: str) -> Iterator[None]:
    """One error for whatever a damaged file makes its readers raise, from many places; the disk's own stay."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # that one is a seek to where the file is not
            raise
        raise ProblemError("path", expected, f"{os.fspath(path)!r}, {got}", remedy) from None


@contextmanager
def stored_archive(path: str | os.PathLike[str]) -> Iterator[ZipFile]:
    """A zip archive of members that are stored as they are, each of its own name, together no longer than the file.

    What such a member declares to be its size is there: to read all of them takes no more memory than the file is long.
    """
    with ZipFile(path) as archive:
        members, length = archive.infolist(), os.path.getsize(path)
        stored = all(m.compress_type == ZIP_STORED and m.compress_size == m.file_size for m in members)
        # Nothing else stands in the directory, unless sizes need it: a damaged length could hide members in it.
        plain = not any(m.comment or (m.extra and length < 2**32) for m in members)
        names = {member.filename for member in members}
        if not (stored and plain) or len(names) < len(members) or sum(m.file_size for m in members) > length:
            raise BadZipFile("not an archive as NumPy and PyTorch write it")
        yield archive
