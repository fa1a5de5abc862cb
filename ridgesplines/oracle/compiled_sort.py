"""The order of crossings, compiled by numba; imported only where it is installed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: From this many keys in one bucket on, insertion is too slow.
CROWD = 24
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
    low = 0
    for bucket in range(N):
        high = starts[bucket]
        if high - low > CROWD:
            crowd = order[low:high].copy()
            order[low:high] = crowd[np.argsort(keys[crowd], kind="mergesort")]
        else:
            for i in range(low + 1, high):
                n, k = order[i], i
                while k > low and keys[order[k - 1]] > keys[n]:
                    order[k] = order[k - 1]
                    k -= 1
                order[k] = n
        low = high
    return count


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
