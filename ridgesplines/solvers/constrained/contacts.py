r"""Pieces on a bound of the values: where along them the bound's multipliers are.

A spline that lies on a bound from one node to the next touches it at every site between. The multipliers of that bound,
of one sign, may sit at any of these sites; moved inwards from the nodes, they add to :math:`\eta` a concave function
(an upper bound) or take one off (a lower bound). The least that keeps :math:`\eta` in its band is a concave envelope.
Where the spline stays on the bound for ever, the envelope only has to end level.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ridgesplines.validation import Array


class Touch(NamedTuple):
    """A piece from point `first` to point `last` on a bound, `side` -1 the lower and 1 the upper one.

    `left` and `right` say whether it begins and ends there, at a node that the bound holds, and does not go on for
    ever.
    """

    first: int
    last: int
    side: float
    left: bool
    right: bool


class Move(NamedTuple):
    """A node that is to leave a bound, since it takes more than its multiplier; the next point that stays on it."""

    node: int
    point: int
    side: float


def touches(nodes: Array, bend: Array, hold: Array, value: Array) -> Iterator[Touch]:
    """The pieces on a bound; all that is active, for nodes that are indices of points."""
    for k in np.flatnonzero((value[1:] == value[:-1]) & (value[1:] != 0)):
        yield Touch(nodes[k], nodes[k + 1], value[k], True, True)
    if len(nodes) < 4:
        return
    if value[1] == 0 and bend[1] == 0 and hold[0] != 0 and value[2] != 0:
        yield Touch(nodes[1], nodes[2], value[2], False, True)
    if value[-2] == 0 and bend[-2] == 0 and hold[-1] != 0 and value[-3] != 0:
        yield Touch(nodes[-3], nodes[-2], value[-3], True, False)


def shared_out(
    t: Array,
    eta: Array,
    masses: Array,
    pieces: Iterator[Touch],
    band: tuple[Array, Array],
    tol: tuple[float, float],
) -> list[Move]:
    """Share out the multipliers of pieces on a bound; `masses`, of all points t, and eta there change in place.

    Parameters
    ----------
    t, eta, masses : the points, eta there and the multipliers of the values, all at the nodes.
    pieces : the pieces.
    band : the bounds of eta at the points.
    tol : below the first multipliers of the wrong sign are rounding, below the second what leaves the band.
    """
    moves = []
    for touch in pieces:
        points, side = slice(touch.first, touch.last + 1), touch.side
        off = band[0][points] - eta[points] if side > 0.0 else eta[points] - band[1][points]
        missing = np.maximum(off, 0.0)
        missing[0] = 0.0 if touch.left else missing.max()
        missing[-1] = 0.0 if touch.right else missing.max()
        if missing.max() <= tol[1]:
            continue
        top = _hull(t[points], missing)
        x, w = t[points][top], missing[top]
        slopes = np.concatenate([[0.0], np.diff(w) / np.diff(x), [0.0]])
        masses[touch.first + top] += side * np.diff(slopes)
        eta[points] += side * np.interp(t[points], x, w)
        for ends, node, beside in ((touch.left, 0, 1), (touch.right, -1, -2)):
            if ends and len(top) > 2 and side * masses[touch.first + top[node]] > tol[0]:
                moves.append(Move(touch.first + top[node], touch.first + top[beside], side))
    return moves


def _hull(x: Array, y: Array) -> Array:
    """Indices of the vertices of the least concave function that is nowhere below y, x increasing."""
    kept: list[int] = []
    for k in [0, *(np.flatnonzero(y[1:-1] > 0.0) + 1), len(x) - 1]:
        while len(kept) > 1:
            i, j = kept[-2], kept[-1]
            if (y[j] - y[i]) * (x[k] - x[i]) > (y[k] - y[i]) * (x[j] - x[i]):
                break
            kept.pop()
        kept.append(int(k))
    return np.array(kept)
