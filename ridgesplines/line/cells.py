r"""Cells of neighbouring rows, of which a spline without a knot among them sees sums only.

For a quadratic :math:`\sum_n H_n z_n^2 / 2 - b_n z_n` over sorted, distinct points, a straight piece of z leaves of a
cell the sums of :math:`u_n = b_n - H_n z_n` and of :math:`u_n t_n`: by these :math:`\eta` at its ends is known. In
between it leaves its chord by no more than :math:`\tfrac{h}{4} \sum_n |u_n|` for a cell of width h, so that a cell
where this stays below :math:`\lambda` violates nothing, and none of its rows is looked at.

What is found here says where to look, and when to stop looking; the passes of `kernels` over all rows have the last
word. Compiled only: without numba those are as fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.validation import Array

#: Rows in a cell.
SIZE = 16
#: Curvatures further apart than this leave the light rows of a cell no digits.
ALIKE = 1e3
#: What a sum of squares may lose, relatively, where it is the difference of sums.
DIGITS = 64.0 * float(np.finfo(float).eps)
#: What a double sum of all rows may lose, relatively.
SUMS = 1e-10


class Glance(NamedTuple):
    """What is seen of a spline.

    Attributes
    ----------
    peaks : the sites where \\|eta\\| exceeds the level most, as `kernels.peaks` has them, knots left out.
    largest : the largest \\|eta\\| that was seen; elsewhere it does not exceed the level.
    square, linear : the sums of u^2 / H and of u b / H.
    """

    peaks: NDArray[np.intp]
    largest: float
    square: float
    linear: float


@dataclass(frozen=True)
class Cells:
    """Sums over cells of sorted, distinct points t with positive curvatures H and targets b."""

    t: Array
    H: Array
    b: Array
    sums: Array
    fast: Any

    @classmethod
    def of(cls, t: Array, H: Array, b: Array) -> Cells | None:
        """The cells of many points, where numba is installed and curvatures are alike; or None."""
        if len(t) < kernels.COMPILED_POINTS or not H.max() <= ALIKE * H.min():
            return None
        if (fast := kernels.fast_module(len(t), "line.compiled_cells")) is None:
            return None
        return cls(t, H, b, fast.sums(t, H, b, SIZE), fast)

    @cached_property
    def rounding(self) -> float:
        """The rounding error that a sum of squares seen at a `glance` may have: that of the sum of b^2 / H."""
        return DIGITS * float(self.sums[:, 5].sum())

    def of_a_line(self, value: float, slope: float) -> tuple[float, float]:
        """The sum of u^2 / H for the straight line value + slope (t - t_0), and what its sup |eta| is at least.

        The largest |eta| where cells begin, less what rounding may do to it.
        """
        mass, first, second, of_b, moment_b, of_squares = self.sums.T
        at = self.t[::SIZE] - self.t[0]
        z = value + slope * at
        u, moments = of_b - mass * z - first * slope, moment_b - first * z - second * slope
        square = float((of_squares - z * (of_b + u) - slope * (moment_b + moments)).sum())
        eta = np.cumsum(u)[:-1] * at[1:] - np.cumsum(u * at + moments)[:-1]
        most = float(mass.sum() * of_squares.sum()) ** 0.5 * (self.t[-1] - self.t[0])  # no sum of |b| dt is more
        return square, float(np.abs(eta).max(initial=0.0)) - SUMS * most

    def moments(self, nodes: NDArray[np.intp]) -> tuple[Array, Array]:
        """Those of `kernels.moments`, for nodes that are given as indices of points."""
        found: tuple[Array, Array] = self.fast.moments(self.t, self.H, self.b, self.sums, SIZE, nodes)
        return found

    def glance(self, nodes: NDArray[np.intp], theta: Array, level: float) -> Glance:
        """What is seen of the spline with values theta at the nodes."""
        slopes = np.diff(theta) / np.diff(self.t[nodes])
        return Glance(*self.fast.glance(self.t, self.H, self.b, self.sums, SIZE, nodes, theta, slopes, level))
