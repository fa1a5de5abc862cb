"""Passes around a sort of numbers with their places, compiled by numba; imported only where it is installed."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array


@njit(cache=True)
def packed(x: Array, low: float, unit: float) -> NDArray[np.uint64]:
    """Values of 32 bits, and below them where they stand."""
    keys = np.empty(len(x), dtype=np.uint64)
    for n in range(len(x)):
        keys[n] = (np.uint64((x[n] - low) * unit) << np.uint64(32)) | np.uint64(n)
    return keys


@njit(cache=True)
def unpacked(x: Array, keys: NDArray[np.uint64], most: int) -> tuple[NDArray[np.intp], bool]:
    """The places in the order of values, those of one step put in order; and whether few enough had to move."""
    order, values = np.empty(len(x), dtype=np.intp), np.empty(len(x))
    for n in range(len(x)):
        here = np.intp(keys[n] & np.uint64(4294967295))
        value, k = x[here], n
        while k > 0 and values[k - 1] > value:
            values[k], order[k] = values[k - 1], order[k - 1]
            k -= 1
            most -= 1
        values[k], order[k] = value, here
        if most < 0:
            return order, False
    return order, True
