r"""A linear spline under squared error, in two compiled passes over sorted points: all that proves how good it is.

The first pass sums what the spline misses, :math:`r = y - z`. The second takes off r the affine function that is
nearest by weighted squares: :math:`u = 2 s (r - \alpha - \beta t)` is orthogonal to all affine functions, and eta, its
double sum from the nearer end, is gone over on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.validation import Array

#: Two affine functions less independent than this, by the weights, are left to more careful hands.
INDEPENDENT = 1e-6


class Halves(NamedTuple):
    """A linear spline, value + slope (t - base) on pieces whose points begin at `first`, and the error of it."""

    first: NDArray[np.intp]
    base: Array
    slope: Array
    value: Array
    steepest: Array
    least: Array


class Affine(NamedTuple):
    """slope (t - origin) + offset."""

    origin: float
    slope: float
    offset: float


class Standardised(NamedTuple):
    """The points less their middle, over the radius, and y less slope times these and an offset; their mean square."""

    centre: float
    radius: float
    t: Array
    slope: float
    offset: float
    rest: Array
    square: float


class Residuals(NamedTuple):
    """Sums over all points: weight r^2, the error of this by rounding, and weight r times 1 and t - centre."""

    fit: float
    error: float
    moments: tuple[float, float]


class OwnDual(NamedTuple):
    """The dual vector of a spline, and sums over all points.

    Attributes
    ----------
    u : the dual vector, at the places that were asked for.
    masses, moments : the sums of u and of u (t - centre) on each piece.
    linear, square : the sums of u y and of u^2 / (4 weight): the dual value of tau u is linear tau - square tau^2.
    products : the sum of \\|u\\| \\|y\\|; y, here as there, less its affine part.
    size : the length of u.
    seen : what both orthonormal affine functions see of u, shape (2,).
    within, beyond : what they and u see of the spline's affine part less that of y, shapes (2,) and ().
    mass, eta : the sums of the squares of the partial sums of u, and of eta.
    largest, top : the largest \\|eta\\|, and where it is.
    """

    u: Array
    masses: Array
    moments: Array
    linear: float
    square: float
    products: float
    size: float
    seen: Array
    within: Array
    beyond: float
    mass: float
    eta: float
    largest: float
    top: int


@dataclass(frozen=True)
class WeightedLine:
    """Sorted points t, targets y and weights, (n,), and what is the same for all splines.

    Attributes
    ----------
    level : a constant that is taken off y.
    centre : the mean of t.
    height, rise : the affine function height + rise (t - centre) nearest to y - level.
    spread : the root of the sum of (t - centre)^2.
    gram : weighted sums of 1, t - centre and (t - centre)^2.
    varied : the weighted sum of squares of y less its mean.
    """

    t: Array
    y: Array
    weight: Array
    level: float
    centre: float
    height: float
    rise: float
    spread: float
    gram: tuple[float, float, float]
    varied: float
    fast: Any

    @classmethod
    def of(cls, t: Array, y: Array, weight: Array, level: float) -> WeightedLine | None:
        """None where the passes are not compiled, or affine functions nearly dependent."""
        if (fast := kernels.fast_module(len(t), "line.compiled_squares")) is None:
            return None
        centre, height, sums = fast.affine(t, y, weight, level)
        square, rise, one, two, three, varied = sums.tolist()
        if not (one * three - two * two > INDEPENDENT * one * three and square > 0.0):
            return None
        line, gram = (centre, height, rise / square, float(np.sqrt(square))), (one, two, three)
        return cls(t, y, weight, level, *line, gram, varied, fast)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies find out for themselves whether the passes are compiled: a module cannot go with them."""
        return WeightedLine.of, (self.t, self.y, self.weight, self.level)

    def standardised(self) -> Standardised:
        """The points in [-1, 1], and y less the nearest affine function."""
        centre = float(self.t[0] + self.t[-1]) / 2.0
        radius = float(max(self.t[-1] - centre, centre - self.t[0]))
        slope, offset = self.rise * radius, self.level + (self.height + self.rise * (centre - self.centre))
        t, rest, square = self.fast.standardised(self.t, self.y, centre, radius, slope, offset)
        return Standardised(centre, radius, t, slope, offset, rest, square / len(t))

    def residuals(self, halves: Halves, parts: tuple[float, float]) -> Residuals:
        """The first pass; `parts` are what rounding takes of \\|y\\| + \\|z\\|, and of r^2."""
        fit, error, *moments = self.fast.residuals(self._rows, tuple(halves), self.centre, parts)
        return Residuals(fit, error, (moments[0], moments[1]))

    def dual(self, halves: Halves, seen: Residuals, affine: Affine, place: NDArray[np.intp], size: int) -> OwnDual:
        """The second pass.

        Parameters
        ----------
        halves, seen : the spline, and what the first pass saw of it.
        affine : the affine part of the spline, from which y has not lost its level.
        place, size : where in a vector of this size each entry of u is to be; others are zero.
        """
        (one, two, three), (a, b), n = self.gram, seen.moments, len(self.t)
        det = one * three - two * two
        drop, tilt = (three * a - two * b) / det, (one * b - two * a) / det
        offset = affine.offset - self.level
        lines = self.centre, drop, tilt, self.height, self.rise, affine.origin, affine.slope, offset
        middle = kernels.middle(self.t)
        u, masses, moments, sums, largest, top = self.fast.dual(
            self._rows, tuple(halves[:4]), lines, middle, place, size
        )
        linear, square, products, mass, moment, level, slope, beyond, size, of_mass, of_eta = sums.tolist()
        lengths = np.array([np.sqrt(n), self.spread])
        within = np.array([level, slope]) / lengths
        seen_by = np.array([mass, moment]) / lengths
        return OwnDual(
            u,
            masses,
            moments,
            linear,
            0.5 * square,
            products,
            float(np.sqrt(size)),
            seen_by,
            within,
            beyond,
            of_mass,
            of_eta,
            largest,
            top,
        )

    @property
    def _rows(self) -> tuple[Array, Array, Array, float]:
        return self.t, self.y, self.weight, self.level
