r"""The largest |eta| over all biases of a direction, and over a great circle of directions: many at a time.

A hyperplane through a data point, the pivot :math:`x_p`, is a unit vector w. For u orthogonal to all affine functions,
with :math:`r_n = x_n - x_p`,

.. math:: \eta = \tfrac12 \sum_n u_n |w^T r_n|

On the great circle :math:`w(\theta) = \cos\theta\, a + \sin\theta\, c` this is the sweep of two dimensions (see
`sweep`) for the points :math:`(a^T r_n, c^T r_n)` about the origin: between two crossings one sinusoid,
:math:`M^T w(\theta)`, whose maximum is in closed form. Points on the hyperplane all along the circle are (0, 0) here
and count for nothing.

Written once for NumPy and for torch: arrays come with the module `xp` that made them.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

#: An array of NumPy, or a tensor of torch.
Rows = Any


def best_biases(xp: ModuleType, P: Rows, U: Rows) -> tuple[Rows, Rows]:
    """For projections P (m, N) and U (N, D) the largest |eta|^2 over all biases, and the point where it is; each (m,).

    Along a direction eta is piecewise linear in the bias with breakpoints at the data. O(m N log N).
    """
    rows = xp.arange(len(P), device=P.device)
    order = P.argsort(1)
    P = P[rows[:, None], order][..., None]
    V = U[order]
    mass, moment = V.cumsum(1), (P * V).cumsum(1)
    eta = P * (mass - 0.5 * mass[:, -1:]) - (moment - 0.5 * moment[:, -1:])
    size = (eta**2).sum(2)
    top = size.argmax(1)
    return size[rows, top], order[rows, top]


class Arcs(NamedTuple):
    """The arcs of m half circles, each up to the crossing that ends it; all arrays (m, N).

    Attributes
    ----------
    order : the points in the order in which they are crossed; those never crossed come last.
    nowhere : which of them are never crossed.
    inside : whether the peak of the arc's sinusoid lies within it.
    peak, vx, vy : the square of that peak, and a direction (cos, sin) of any length that reaches it.
    end, rx, ry : the square of eta at the crossing, and the point's coordinates, on its positive side.
    """

    order: Rows
    nowhere: Rows
    inside: Rows
    peak: Rows
    vx: Rows
    vy: Rows
    end: Rows
    rx: Rows
    ry: Rows


def arcs(xp: ModuleType, rx: Rows, ry: Rows, U: Rows, lx: Rows = 0.0, ly: Rows = 0.0) -> Arcs:
    """For coordinates rx, ry (m, N) in the planes of m circles, all arcs with their maxima. O(m N log N).

    With lx, ly (m, D) of eta plus a linear function, in the coordinates of the planes.
    """
    turned = (rx < 0.0) | ((rx == 0.0) & (ry < 0.0))
    rx, ry = xp.where(turned, -rx, rx), xp.where(turned, -ry, ry)
    nowhere = (rx == 0.0) & (ry == 0.0)
    ry = xp.where(nowhere, 1.0, ry)  # the end of the half circle, where nothing changes
    rows = xp.arange(len(rx), device=rx.device)
    order = (ry / (rx + abs(ry))).argsort(1)  # it rises with the angle
    rx, ry, nowhere = (part[rows[:, None], order] for part in (rx, ry, nowhere))
    V = xp.where(nowhere[..., None], 0.0, U[order])
    mx, my = _before_crossings(rx, V, lx), _before_crossings(ry, V, ly)
    peak, vx, vy = _peaks(xp, mx, my)
    after = rx * vx + ry * vy
    before = after + 0.0
    before[:, 1:] = rx[:, :-1] * vx[:, 1:] + ry[:, :-1] * vy[:, 1:]
    before[:, 0] = -(rx[:, -1] * vx[:, 0] + ry[:, -1] * vy[:, 0])  # this arc follows on the last crossing
    end = ((rx[..., None] * my - ry[..., None] * mx) ** 2).sum(2) / (rx**2 + ry**2)
    return Arcs(order, nowhere, before * after < 0.0, peak, vx, vy, end, rx, ry)


def best_on_circles(
    xp: ModuleType, rx: Rows, ry: Rows, U: Rows, linear: tuple[Rows, Rows] | None = None
) -> tuple[Rows, Rows, Rows, Rows]:
    r"""For coordinates rx, ry (m, N) in the planes of m circles the largest |eta|^2, where it is, and what is crossed.

    With a `linear` function, coefficients lx, ly (m, D), of eta and that together. They differ on the two halves of a
    circle: on the other one, :math:`\eta(-w) + l(-w) = \eta(w) - l(w)`.

    Returns
    -------
    The squares; a direction (cos, sin) of any length, as two arrays; the point that is crossed there, or -1 where the
    maximum lies between two crossings. Each of shape (m,). O(m N log N).
    """
    if linear is None:
        return _best_on_halves(xp, arcs(xp, rx, ry, U))
    lx, ly = linear[0][:, None], linear[1][:, None]
    square, vx, vy, at = _best_on_halves(xp, arcs(xp, rx, ry, U, lx, ly))
    opposite, ox, oy, there = _best_on_halves(xp, arcs(xp, rx, ry, U, -lx, -ly))
    beyond = opposite > square
    x, y = xp.where(beyond, ox, vx), xp.where(beyond, oy, vy)
    turned = (y < 0.0) != beyond  # arcs have their directions up to sign, and lie on the half of positive y
    x, y = xp.where(turned, -x, x), xp.where(turned, -y, y)
    return xp.where(beyond, opposite, square), x, y, xp.where(beyond, there, at)


def _best_on_halves(xp: ModuleType, a: Arcs) -> tuple[Rows, Rows, Rows, Rows]:
    """The largest |eta|^2 of each half circle, a direction up to its sign, and what is crossed there or -1."""
    square, vx, vy, at = best_of(xp, a)
    return square, vx, vy, xp.where(a.inside[at] | a.nowhere[at], -1, a.order[at])


def best_of(xp: ModuleType, a: Arcs) -> tuple[Rows, Rows, Rows, tuple[Rows, Rows]]:
    """The largest |eta|^2 of each circle, a direction as two arrays, and the indices of the arc where it is."""
    value = xp.where(a.inside, a.peak, a.end)
    at = xp.arange(len(value), device=value.device), value.argmax(1)
    within = a.inside[at]
    return value[at], xp.where(within, a.vx[at], -a.ry[at]), xp.where(within, a.vy[at], a.rx[at]), at


def _before_crossings(r: Rows, V: Rows, linear: Rows) -> Rows:
    """One row of M before each crossing, shape (m, N, D): each turns one sign, and M falls by r_n u_n^T."""
    falls = r[..., None] * V
    return 0.5 * falls.sum(1)[:, None] + linear - (falls.cumsum(1) - falls)


def _peaks(xp: ModuleType, mx: Rows, my: Rows) -> tuple[Rows, Rows, Rows]:
    """The leading eigenvalue of M M^T, and an eigenvector."""
    a, b, c = (mx * mx).sum(2), (mx * my).sum(2), (my * my).sum(2)
    peak = 0.5 * (a + c) + xp.hypot(0.5 * (a - c), b)
    return peak, xp.where(a >= c, peak - c, b), xp.where(a >= c, b, peak - a)
