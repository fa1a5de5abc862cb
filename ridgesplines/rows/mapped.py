"""A mapped file as a record of where its numbers are: for a pickle that has none of them."""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

#: Bytes at either end of the numbers by which a file is recognised.
ENDS = 2**16


@dataclass(frozen=True)
class Mapped:
    """Where an array lies in a file.

    Attributes
    ----------
    path : of the file, absolute.
    dtype, shape, strides : of the array.
    offset : of its first entry, in bytes from the beginning of the file.
    span : bytes from its first entry to the end of its last one.
    checksum : of the first and the last `ENDS` of these.
    """

    path: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    span: int
    checksum: int

    @classmethod
    def of(cls, array: Any) -> Mapped:
        """The record of a ``numpy.memmap``, or of a part of one; a ProblemError where no file has its numbers."""
        if array.mode == "c" or array.filename is None or min(array.strides) < 0:
            got = "one whose changes no file has" if array.mode == "c" else "another part of it"
            expected = "a mapped file, as it is or a slice of it, to send where its rows are"
            raise ProblemError("X, y, sample_weight", expected, got, 'Map the file with mode="r".')
        array.flush()
        begin = np.frombuffer(array._mmap, np.uint8).__array_interface__["data"][0]
        # A map begins at a whole page before the offset that was asked for.
        offset = array.__array_interface__["data"][0] - begin + array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
        span = sum((n - 1) * step for n, step in zip(array.shape, array.strides, strict=True)) + array.itemsize
        path = str(array.filename)
        return cls(path, array.dtype, array.shape, array.strides, offset, span, _checksum(path, offset, span))

    def opened(self) -> Array:
        """The array, mapped anew and read-only; a ProblemError where the file is not as it was."""
        expected, found = "the file of the rows, where it was and as it was", Path(self.path)
        if not found.is_file():
            raise ProblemError("file", expected, f"no file {self.path}", "Put it back, or map and fit it again.")
        shorter = found.stat().st_size < self.offset + self.span
        if shorter or _checksum(self.path, self.offset, self.span) != self.checksum:
            raise ProblemError("file", expected, f"{self.path} with other numbers", "Map and fit it again.")
        whole = np.memmap(self.path, np.uint8, "r", self.offset, (self.span,))
        first = whole[: self.dtype.itemsize].view(self.dtype)
        return np.lib.stride_tricks.as_strided(first, self.shape, self.strides, subok=True, writeable=False)


def _checksum(path: str, offset: int, span: int) -> int:
    with Path(path).open("rb") as file:
        file.seek(offset)
        first = zlib.crc32(file.read(min(ENDS, span)))
        file.seek(offset + max(span - ENDS, 0))
        return zlib.crc32(file.read(min(ENDS, span)), first)
