"""The order of crossings, compiled by numba; imported only where it is installed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: Runs that are sorted by insertion, before they are merged.
RUN = 24
#: The key of what is left out.
LEFT_OUT = 2.0


@njit(nogil=True, cache=True)
def bucket_sort(keys: Array, order: NDArray, starts: NDArray) -> int:
    """Write the indices of keys in [-1, 1] into `order`, keys rising; their number. `starts` (N + 1,) is spare."""
    N = len(keys)
    starts[:] = 0
    count = 0
    for n in range(N):
        if keys[n] < LEFT_OUT:
            starts[min(int((keys[n] + 1.0) * 0.5 * N), N - 1) + 1] += 1
            count += 1
    for i in range(N):
        starts[i + 1] += starts[i]
    for n in range(N):
        if keys[n] < LEFT_OUT:
            bucket = min(int((keys[n] + 1.0) * 0.5 * N), N - 1)
            order[starts[bucket]] = n
            starts[bucket] += 1  # now the end of the bucket
    sort_buckets(keys, order, starts[:N])
    return count


@njit(nogil=True, cache=True)
def sort_buckets(keys: Array, order: NDArray, ends: NDArray) -> None:
    """Sort each bucket of `order`, which begins where the one before ends, by the keys."""
    low = int(np.int64(0))
    for end in ends:
        high = int(np.int64(end))
        if high - low > RUN:
            arrange(keys, order, low, high)
        else:
            insert(keys, order, low, high)
        low = high


@njit(nogil=True, cache=True)
def arrange(keys: Array, order: NDArray, low: int, high: int) -> None:
    """Sort order[low:high] by their keys, which rise then; those of equal keys stay as they stood.

    By loops of our own: of NumPy's sorts each costs a user two to four seconds of compilation. Ends that are int64 are
    compiled once: numba would compile all this again for another type, and for a 0 that is written out.
    """
    for first in range(low, high, RUN):
        insert(keys, order, first, min(first + RUN, high))
    if high - low > RUN:
        merge(keys, order, low, high)


@njit(nogil=True, cache=True)
def insert(keys: Array, order: NDArray, low: int, high: int) -> None:
    """The same for few: by insertion."""
    for i in range(low + 1, high):
        n, k = order[i], i
        while k > low and keys[order[k - 1]] > keys[n]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = n


@njit(nogil=True, cache=True)
def merge(keys: Array, order: NDArray, low: int, high: int) -> None:
    """The same for what is sorted in runs."""
    spare, run = np.empty(high - low, np.int64), RUN
    while run < high - low:
        for first in range(low, high, 2 * run):
            left, right = first, min(first + run, high)
            middle, last = right, min(first + 2 * run, high)
            for k in range(first - low, last - low):
                if right == last or (left < middle and keys[order[left]] <= keys[order[right]]):
                    spare[k] = order[left]
                    left += 1
                else:
                    spare[k] = order[right]
                    right += 1
        for k in range(high - low):
            order[low + k] = spare[k]
        run *= 2


@njit(nogil=True, cache=True)
def crossing_order(
    x: Array, y: Array, stretch: float, pivot: int, order: NDArray, keys: Array, starts: NDArray
) -> None:
    """Write the other points into `order` as the line about the pivot meets them; the rest is spare."""
    for n in range(len(x)):
        rx, ry = x[n] - x[pivot], (y[n] - y[pivot]) * stretch
        turn = 1.0 if n > pivot else -1.0
        keys[n] = turn * ry / (abs(rx) + abs(ry)) if n != pivot else LEFT_OUT
    bucket_sort(keys, order, starts)
