"""The command line."""

from ridgesplines.cli.main import main

__all__ = ["main"]
