"""What holds for all tests."""

import gc
from zlib import crc32

import pytest

from ridgesplines.numerics import fast


def pytest_collection_finish():
    """What was loaded and collected stays: otherwise the collector of garbage goes over it again and again."""
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Searches of few points run compiled code where it has been loaded, in tests by chance: here their names decide.

    One of four runs what users have without numba.
    """
    compiled = crc32(item.nodeid.encode()) % 4 > 0
    fast.at_hand = lambda module: compiled
