"""What holds for all tests."""

import gc


def pytest_collection_finish():
    """What was loaded and collected stays: otherwise the collector of garbage goes over it again and again."""
    gc.freeze()
