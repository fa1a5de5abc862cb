"""Sorting many numbers: those of 64 bits that hold a rounded value and its place are sorted fastest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.validation import Array

#: Values, and places, of 32 bits.
STEPS = 2**32
#: Of so many numbers one may have to move, by one place, after the sort.
RARE = 8


def sorting(x: Array) -> NDArray[np.intp]:
    """The order of numbers, not all equal, as ``np.argsort`` has it; equal ones may be in any order. O(n log n).

    Values are rounded to 2^32 steps over their range. What shares a step is put in order afterwards, one by one;
    where that takes long, as numbers lie so close, they are sorted as they are.
    """
    fast = kernels.fast_module(len(x), "line.compiled_sorting") if kernels.COMPILED_POINTS <= len(x) < STEPS else None
    if fast is None:
        return np.argsort(x)
    low, high = float(x.min()), float(x.max())
    unit = (STEPS - 1) / (high - low)
    if not (high - low < np.inf and unit < np.inf):
        return np.argsort(x)
    keys = fast.packed(x, low, unit)
    keys.sort()
    order, done = fast.unpacked(x, keys, len(x) // RARE)
    return order if done else np.argsort(x)
