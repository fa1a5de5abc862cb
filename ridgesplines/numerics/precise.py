r"""Sums of products as if in twice the working precision, where terms may cancel that are far larger than their sum.

References
----------
.. [1] T. Ogita, S. M. Rump, S. Oishi, Accurate sum and dot product, SIAM J. Sci. Comput. 26 (2005), Algorithms 3.1 to
   5.3, doi:10.1137/030601818
"""

from __future__ import annotations

import numpy as np

from ridgesplines.validation import Array

#: Splits a number of 53 bits into two halves (T. J. Dekker, Numer. Math. 18 (1971), doi:10.1007/BF01397083).
SPLITTER = 2.0**27 + 1.0


def origin_near(X: Array) -> Array:
    """A point from which the rows of X are measured without any rounding, near them where that is possible; shape (d,).

    Zero in columns that come near zero. Elsewhere x and the middle are within a factor of two of each other, so that
    their difference is exact (P. H. Sterbenz, Floating-Point Computation, 1974).
    """
    low, high = X.min(axis=0), X.max(axis=0)
    far, near = np.maximum(abs(low), abs(high)), np.minimum(abs(low), abs(high))
    apart = (np.sign(low) == np.sign(high)) & (far <= 2.0 * near)
    return np.where(apart, low + (high - low) / 2.0, 0.0)


def plus_products(first: Array, A: Array, b: Array) -> Array:
    """first + A @ b, to rounding of the result, A (N, d); with b (d,) or (d, D) of shape (N,) or (N, D). O(N d D)."""
    total = first + np.zeros((len(A), *b.shape[1:]))
    missing = np.zeros_like(total)
    for column, factor in zip(A.T, b, strict=True):
        product, rounding = two_product(column.reshape(-1, *[1] * (b.ndim - 1)), factor)
        total, lost = two_sum(total, product)
        missing += lost + rounding
    return total + missing


def running_sums(terms: Array, low: Array | float = 0.0) -> tuple[Array, Array]:
    """The sums of the first 1, 2, ... terms, and what they lack by rounding; `low` is what the terms lack. O(N)."""
    sums = np.cumsum(terms, axis=0)
    before = np.concatenate([np.zeros_like(sums[:1]), sums[:-1]])
    return sums, np.cumsum(two_sum(before, terms)[1] + low, axis=0)


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b rounded, and the rounding error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b rounded, and the rounding error."""
    product = a * b
    (a, a_low), (b, b_low) = _halves(a), _halves(b)
    return product, a_low * b_low - (((product - a * b) - a_low * b) - a * b_low)


def _halves(a: Array) -> tuple[Array, Array]:
    """Two halves of 26 bits each, for numbers below 1e300."""
    scaled = SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high
