"""Rows that may live elsewhere: pure functions are mapped over blocks of them, and what these return is reduced."""

from __future__ import annotations

from ridgesplines.rows.base import Block, Rows
from ridgesplines.rows.given import in_blocks, rows_of
from ridgesplines.rows.local import FileRows, MemoryRows
from ridgesplines.rows.of_dask import DaskRows
from ridgesplines.rows.sums import added

__all__ = ["Block", "DaskRows", "FileRows", "MemoryRows", "Rows", "added", "in_blocks", "rows_of"]
