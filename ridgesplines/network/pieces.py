"""The straight pieces of a linear spline, as if summed in twice the working precision.

Where data are close slopes may be billions, and flat pieces between them are differences of large numbers. A network's
numbers have a meaning to the last bit, and what is computed here is their function, rounded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.line.squares import Halves
from ridgesplines.numerics.precise import plus_products, running_sums, two_product, two_sum
from ridgesplines.validation import Array

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Pieces:
    """A linear spline, less a constant.

    Attributes
    ----------
    knots : increasing, shape (K,).
    slopes : of the pieces between them and beyond, shape (K + 1,) or (K + 1, D).
    values : at the knots, shape (K,) or (K, D).
    offset, level : the value at zero, and the constant that is taken off, shapes () or (D,); for a straight line.
    lost : what the values may lack beyond their own rounding, and the slopes likewise.
    """

    knots: Array
    slopes: Array
    values: Array
    offset: Array
    level: Array
    lost: tuple[float, float]

    @classmethod
    def of(
        cls,
        knots: Array,
        left: Array,
        amplitudes: Array,
        slope: Array,
        offset: Array | float,
        level: Array | float = 0.0,
    ) -> Pieces:
        """Those of the network with these knots, in any order, and neurons that are active to the `left` of theirs."""
        order = np.argsort(knots, kind="stable")
        t, left, v = knots[order], left[order], amplitudes[order]
        below = (np.zeros_like(slope) + level)[None]
        if not len(t):
            return cls(t, slope[None], v, np.asarray(offset), below[0], (0.0, 0.0))
        chain = np.concatenate([slope[None], -v[left], v])
        sums, rests = running_sums(chain)
        sums, rests = sums[-len(t) - 1 :], rests[-len(t) - 1 :]
        width, cut = two_sum(t[1:], -t[:-1])
        away, missed = two_sum(t[left], -t[:1])
        rise, small = two_product(sums[1:-1].T, width)
        small = small + sums[1:-1].T * cut + rests[1:-1].T * width
        reach, little = two_product(v[left].T, away)
        little = little + v[left].T * missed
        first, least = two_product(slope[None], t[:1].reshape(-1, *[1] * slope.ndim))
        zero = np.zeros_like(below)
        terms = np.concatenate([np.asarray(offset)[None], -below, first, reach.T, rise.T])
        total, rest = running_sums(terms, np.concatenate([zero, zero, least, little.T, small.T]))
        values = (total + rest)[-len(t) :]
        sizes = (EPS**2 * len(each) * float(np.abs(each).sum()) for each in (terms, chain))
        return cls(t, sums + rests, values, np.asarray(offset), below[0], (next(sizes), next(sizes)))

    def __iter__(self) -> Iterator[Array]:
        """Knots, slopes and values, which is what most ask for."""
        return iter((self.knots, self.slopes, self.values))

    def at(self, x: Array) -> Array:
        """The values at x, shape (N,) or (N, D)."""
        if not len(self.knots):
            line = np.concatenate([self.slopes, self.offset[None]])
            return plus_products(-self.level[None], np.column_stack([x, np.ones_like(x)]), line)
        ends, start, slope, value, _ = self._halves
        if _sorted(x):
            return kernels.pieces(x, *self.halves(x)[:4])
        at = np.searchsorted(ends, x, side="right")
        return value[at] + (slope[at].T * (x - start[at])).T

    def rounding(self, x: Array) -> Array:
        """The rounding error that these values may have."""
        if not len(self.knots):
            return EPS * np.abs(self.at(x))
        if _sorted(x):
            first, base, _, _, *error = self.halves(x)
            return kernels.pieces(x, first, base, *error)
        start, steepest, value = self._steepest
        at = np.searchsorted(self._halves[0], x, side="right")
        return value[at] + (steepest[at].T * (x - start[at])).T

    def halves(self, x: Array) -> Halves:
        """The pieces' halves, and their errors, with where each begins among sorted points x.

        A straight line is one piece, from the first point on.
        """
        if not len(self.knots):
            base, slope = x[:1].copy(), self.slopes.copy()
            value, first = self.at(base), np.zeros(1, dtype=np.intp)
            return Halves(first, base, slope, value, 2.0 * EPS * np.abs(slope), EPS * np.abs(value))
        ends, start, slope, value, _ = self._halves
        return Halves(np.append(0, np.searchsorted(x, ends)), start, slope, value, *self._steepest[1:])

    @cached_property
    def _steepest(self) -> tuple[Array, Array, Array]:
        """For each half the knot nearby, the slope of the error, and the error there."""
        _, start, slope, value, left = self._halves
        # Left of its knot |x - t| falls with x: there the slope of the error is negative.
        steepest = 2.0 * EPS * np.abs(slope) + self.lost[1]
        return start, np.where(left, -steepest.T, steepest.T).T, EPS * np.abs(value) + self.lost[0]

    @cached_property
    def _halves(self) -> tuple[Array, Array, Array, Array, NDArray[np.bool_]]:
        """The pieces' halves: where each but the first begins, the knot nearby, slope, value, whether it lies left.

        From the farther knot a steep piece would be summed of larger terms.
        """
        t, each = self.knots, np.arange(len(self.knots))
        ends = np.empty(2 * len(t) - 1)  # the knots, and the middles between them
        ends[::2], ends[1::2] = t, t[:-1] + np.diff(t) / 2.0
        base, piece = np.repeat(each, 2), np.append(0, np.repeat(each + 1, 2)[:-1])
        return ends, t[base], self.slopes[piece], self.values[base], np.tile([True, False], len(t))


def _sorted(x: Array) -> bool:
    return bool((x[1:] >= x[:-1]).all())
