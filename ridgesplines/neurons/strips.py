"""Strips: pairs of neurons of one feature between which a monotone function rises, and beyond which it stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.validation import Array


@dataclass(frozen=True, eq=False)
class Strips:
    r"""Functions :math:`s_j (\rho(x_j - b) - \rho(x_j - b'))` with b < b', and how much of each.

    A nonnegative slope of one variable is a sum of indicators of intervals, its level sets, and its variation is the
    sum of theirs: these, of two bends each, single neurons, of one, and straight lines make up all monotone functions.

    Attributes
    ----------
    features : j, shape (m,).
    low, high : b and b', shape (m,).
    sizes : shape (m,), nonnegative.
    """

    features: NDArray[np.intp]
    low: Array
    high: Array
    sizes: Array

    def __len__(self) -> int:
        return len(self.low)

    def take(self, kept: Array) -> Strips:
        return Strips(self.features[kept], self.low[kept], self.high[kept], self.sizes[kept])

    def joined(self, other: Strips) -> Strips:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Strips(*(np.concatenate(pair) for pair in pairs))

    def columns(self, X: Array, signs: Array) -> Array:
        """Their values at X, (N, m)."""
        return signs[self.features] * np.clip(X[:, self.features] - self.low, 0.0, self.high - self.low)

    @classmethod
    def none(cls) -> Strips:
        return cls(np.empty(0, dtype=np.intp), np.empty(0), np.empty(0), np.empty(0))
