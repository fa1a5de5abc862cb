r"""The angular sweep about a pivot, in numpy: for few points, or where numba is not installed.

About the pivot :math:`x_m` the direction :math:`w(\theta)` turns over the half circle, and the other points cross the
line through the pivot one by one. Between two crossings, with :math:`r_n = x_n - x_m` and fixed signs :math:`s_n`,

.. math:: \eta = \tfrac12 \sum_n u_n |w^T r_n| = M^T w(\theta), \qquad M = \tfrac12 \sum_n s_n r_n u_n^T

(a dual vector that is orthogonal to all affine functions cannot tell :math:`\rho(t)` from :math:`|t|/2`). The maximum
of :math:`\|M^T w\|` over an arc is in closed form: the leading eigenvector of the 2 x 2 matrix :math:`M M^T` if it lies
within, an end of the arc otherwise. Each crossing turns one sign: M falls by :math:`s_n r_n u_n^T`.

Points are distinct and sorted by x, equal x by falling y: before the first crossing (w a little clockwise of the x
axis) the points after the pivot in this order have s = +1, those before it s = -1. A point counted from its positive
side, s r, is crossed at the direction c = (-s r_y, s r_x), in the upper half plane. So signs, order and directions all
come from the same differences: on lattices, where many crossings coincide, signs from another predicate than the order
would give violators that do not exist. Whether a direction v lies between two crossings is read off the signs of
:math:`v \times c = v^T (s r)`, which no rounding of angles can upset.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: Bytes that the orders may fill; those of further pivots are sorted again each time.
MAX_BYTES = 2**29
#: Entries (pivots times points) of a block.
BLOCK_ENTRIES = 2**16


class Sweep:
    """Sweeps about points (N, 2), distinct and sorted as said above. The orders of crossing are kept from first use."""

    def __init__(self, points: Array) -> None:
        self.x, self.y = np.ascontiguousarray(points.T)
        N = len(points)
        kind = np.min_scalar_type(N)
        rows = min(N, MAX_BYTES // max(1, (N - 1) * kind.itemsize))
        self._orders = np.empty((rows, N - 1), kind)  # the system gives memory to what is written only
        self._known = np.zeros(N, dtype=bool)
        self._stretch = stretch(points)

    def __call__(self, U: Array, pivots: NDArray[np.intp]) -> Array:
        """For each pivot the largest |eta|^2, U (N, D), and a direction of any length that reaches it: (m, 3)."""
        N = len(self.x)
        if N < 2:
            return np.tile([0.0, 1.0, 0.0], (len(pivots), 1))
        step = max(1, BLOCK_ENTRIES // N)
        parts = [self._block(U, pivots[i : i + step]) for i in range(0, len(pivots), step)]
        return np.concatenate([np.empty((0, 3)), *parts])

    def _block(self, U: Array, pivots: NDArray[np.intp]) -> Array:
        order = self._crossing_orders(pivots)
        turn = np.where(order > pivots[:, None], 1.0, -1.0)
        rx = (self.x[order] - self.x[pivots][:, None]) * turn
        ry = (self.y[order] - self.y[pivots][:, None]) * turn
        V = U[order]
        mx, my = _before_crossings(rx, V), _before_crossings(ry, V)
        peak, vx, vy, end = _scalar_arcs(mx, my, rx, ry) if U.shape[1] == 1 else _vector_arcs(mx, my, rx, ry)
        after = rx * vx + ry * vy
        before = np.empty_like(after)
        before[:, 1:] = rx[:, :-1] * vx[:, 1:] + ry[:, :-1] * vy[:, 1:]
        before[:, 0] = -(rx[:, -1] * vx[:, 0] + ry[:, -1] * vy[:, 0])  # this arc follows on the last crossing
        inside = before * after < 0.0
        value = np.where(inside, peak, end)
        top = np.argmax(value, axis=1)
        at = np.arange(len(pivots)), top
        within = inside[at]
        return np.stack([value[at], np.where(within, vx[at], -ry[at]), np.where(within, vy[at], rx[at])], axis=1)

    def _crossing_orders(self, pivots: NDArray[np.intp]) -> NDArray[np.intp]:
        """The order in which the other points are crossed, for each pivot: (m, N - 1)."""
        known = self._known[pivots]
        order = np.empty((len(pivots), len(self.x) - 1), dtype=np.intp)
        order[known] = self._orders[pivots[known]]
        new = pivots[~known]
        if len(new):
            order[~known] = crossing_orders(self.x, self.y, self._stretch, new)
            kept = ~known & (pivots < len(self._orders))
            self._orders[pivots[kept]] = order[kept]
            self._known[pivots[kept]] = True
        return order


def stretch(points: Array) -> float:
    """A factor for y: features of different units leave crossings bunched near an axis.

    A power of two spreads them and does not round.
    """
    spread = points.std(axis=0)
    return float(2.0 ** np.round(np.log2(spread[0] / spread[1]))) if spread.all() else 1.0


def crossing_orders(x: Array, y: Array, stretch: float, pivots: NDArray[np.intp]) -> NDArray[np.intp]:
    """The order in which the line about each pivot meets the other points, (m, N - 1), by sorting."""
    rx, ry = x - x[pivots][:, None], (y - y[pivots][:, None]) * stretch
    turned = np.arange(len(x)) < pivots[:, None]
    size = np.abs(rx) + np.abs(ry)
    size[np.arange(len(pivots)), pivots] = 1.0
    keys = np.where(turned, -ry, ry) / size  # rises with the angle
    keys[np.arange(len(pivots)), pivots] = np.inf
    return np.argsort(keys, axis=1)[:, :-1]


def _before_crossings(r: Array, V: Array) -> Array:
    """One row of M before each crossing, shape (m, N - 1, D)."""
    falls = r[..., None] * V
    M = np.empty_like(falls)
    M[:, 0] = 0.5 * falls.sum(axis=1)
    np.cumsum(falls[:, :-1], axis=1, out=M[:, 1:])
    np.subtract(M[:, :1], M[:, 1:], out=M[:, 1:])
    return M


def _scalar_arcs(mx: Array, my: Array, rx: Array, ry: Array) -> tuple[Array, Array, Array, Array]:
    """The square of the sinusoid's peak, its direction, and the square of its value at the crossing."""
    mx, my = mx[..., 0], my[..., 0]
    return mx**2 + my**2, mx, my, (rx * my - ry * mx) ** 2 / (rx**2 + ry**2)


def _vector_arcs(mx: Array, my: Array, rx: Array, ry: Array) -> tuple[Array, Array, Array, Array]:
    """The same for vector outputs: the leading eigenvalue and eigenvector of M M^T."""
    a, b, c = (np.einsum("mnd,mnd->mn", p, q) for p, q in [(mx, mx), (mx, my), (my, my)])
    peak = 0.5 * (a + c) + np.sqrt(0.25 * (a - c) ** 2 + b**2)
    vx, vy = np.where(a >= c, peak - c, b), np.where(a >= c, b, peak - a)
    end = rx[..., None] * my - ry[..., None] * mx  # not from a, b and c, where it would cancel
    return peak, vx, vy, np.einsum("mnd,mnd->mn", end, end) / (rx**2 + ry**2)
