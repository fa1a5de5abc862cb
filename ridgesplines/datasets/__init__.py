"""Small real tables to try things on: no download, sources and licence in their docstrings."""

from ridgesplines.datasets.tables import Table, load_coal, load_motorcycle, load_nile

__all__ = ["Table", "load_coal", "load_motorcycle", "load_nile"]
