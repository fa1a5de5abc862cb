"""LU of a matrix of seven bands, compiled by numba; imported only where it is installed. See `saddle`."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array


@njit(cache=True, error_model="numpy")
def factorised(grams: Array, left: Array, right: Array, last: Array) -> tuple[Array, NDArray[np.intp]]:
    n = 2 * len(last) + 2
    rows, pivots = np.zeros((n, 10)), np.empty(n, dtype=np.intp)  # entry (i, j) in column 3 + j - i; six are filled in
    for k in range(grams.shape[1]):
        i, j = max(2 * k - 1, 0), 2 * k + 1  # the places of the values at both ends
        rows[i, 3] += grams[0, k]
        rows[j, 3] += grams[2, k]
        rows[i, 3 + j - i] = rows[j, 3 + i - j] = grams[1, k]
    for k in range(len(last)):
        kink = 2 * k + 2
        rows[kink, 3] = last[k]
        for at, entry in ((max(kink - 3, 0), left[k]), (kink - 1, -left[k] - right[k]), (kink + 1, right[k])):
            rows[kink, 3 + at - kink] = rows[at, 3 + kink - at] = entry
    for j in range(n):
        end, p = min(j + 4, n), j
        for i in range(j + 1, end):
            if abs(rows[i, 3 + j - i]) > abs(rows[p, 3 + j - p]):
                p = i
        pivots[j] = p
        if p != j:
            for k in range(7):
                swapped = rows[j, 3 + k]
                rows[j, 3 + k] = rows[p, 3 + j - p + k]
                rows[p, 3 + j - p + k] = swapped
        for i in range(j + 1, end):
            factor = rows[i, 3 + j - i] / rows[j, 3]
            rows[i, 3 + j - i] = factor
            for k in range(1, 7):
                rows[i, 3 + j - i + k] -= factor * rows[j, 3 + k]
    return rows, pivots


@njit(cache=True, error_model="numpy")
def solved(rows: Array, pivots: NDArray[np.intp], b: Array) -> None:
    n = len(b)
    for j in range(n):
        p = pivots[j]
        swapped = b[j]
        b[j] = b[p]
        b[p] = swapped
        for i in range(j + 1, min(j + 4, n)):
            b[i] -= rows[i, 3 + j - i] * b[j]
    for j in range(n - 1, -1, -1):
        for k in range(1, min(7, n - j)):
            b[j] -= rows[j, 3 + k] * b[j + k]
        b[j] /= rows[j, 3]
