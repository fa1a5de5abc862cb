"""What makes work fast: compiled passes, where numba is installed (the extra ``[fast]``), and one thread of BLAS."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ridgesplines.interrupt import Deferral


def loaded() -> bool:
    """Whether numba has been loaded, by this package or another; loading it takes half a second."""
    return "numba" in sys.modules


@cache
def compiled(module: str) -> Any:
    """A module of this package that needs numba, ``oracle.compiled_sectors`` say; None where that is not installed."""
    if find_spec("numba") is None:
        return None
    with Deferral():  # half a module would stay half a module
        return import_module(f"ridgesplines.{module}")


def at_hand(module: str) -> bool:
    """Whether `compiled` has loaded it already."""
    return f"ridgesplines.{module}" in sys.modules


@cache
def _pools() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """A part of the work with one thread of BLAS: its products are small, and threads would wait for one another."""
    return _pools().limit(limits=1, user_api="blas")


def threads() -> int:
    """The number of threads that numba would take, which users and process pools know how to set."""
    import numba

    settings: Any = numba.config
    return int(settings.NUMBA_NUM_THREADS)
