r"""An interior point's passes over rows: in NumPy, and compiled where numba is installed.

A row's term is the largest of :math:`u_n (y_n - z_n) - c_n u_n^2 / 2` over :math:`l_n \le u_n \le h_n`. Each bound
has a slack and a multiplier, `below` and `above`. Nodes and `first` are those of `kernels`; sums over rows that nodes
need are moments of the hat functions there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ridgesplines.line import kernels
from ridgesplines.validation import Array, frozen


@dataclass(frozen=True)
class Rows:
    """Sorted points t, targets y, curvatures c >= 0 of the dual, bounds low < high; shapes (n,)."""

    t: Array
    y: Array
    bend: Array
    low: Array
    high: Array

    def __post_init__(self) -> None:
        """Data may be read-only or not: of one kind, passes over them are compiled once."""
        object.__setattr__(self, "t", frozen(self.t.view()))
        object.__setattr__(self, "y", frozen(self.y.view()))


class Bounded(NamedTuple):
    """A dual vector strictly inside its bounds, and their multipliers, all positive; shapes (n,)."""

    u: Array
    below: Array
    above: Array


class Look(NamedTuple):
    """What an iterate is at the rows.

    Attributes
    ----------
    off : what the rows' equations are off by, y - z - c u - above + below.
    weight : what a change of y - z does to u, where complementarity is kept.
    grams : moments of the weights, (3, c - 1).
    tested, load : moments of u, and of the weights times y - z - c u; (2, c - 1).
    complementarity : the sum of slacks times multipliers.
    loss : the sum of the terms.
    infeasible : the sum of \\|u off\\|.
    """

    off: Array
    weight: Array
    grams: Array
    tested: Array
    load: Array
    complementarity: float
    loss: float
    infeasible: float


class Predicted(NamedTuple):
    """The change of u that would end complementarity, and what it does.

    Attributes
    ----------
    du : the change.
    steepest : the largest fall of a slack, and of a multiplier, relative to it; minus infinity without rows.
    products : the sums of slack times change of multiplier, of change of slack times multiplier, of both changes.
    """

    du: Array
    steepest: tuple[float, float]
    products: tuple[float, float, float]


def look(rows: Rows, p: Bounded, nodes: Array, first: Array, theta: Array) -> Look:
    """An iterate with these values at the nodes."""
    if (fast := kernels.fast_module(len(rows.t), "line.compiled_boxes")) is not None:
        slopes = np.diff(theta) / np.diff(nodes)
        return Look(*fast.look(rows.t, rows.y, rows.bend, rows.low, rows.high, *p, nodes, first, theta, slopes))
    r = rows.y - kernels.values(rows.t, nodes, first, theta)
    lower, upper = p.u - rows.low, rows.high - p.u
    curved = r - rows.bend * p.u
    off = curved - p.above + p.below
    weight = 1.0 / (rows.bend + p.below / lower + p.above / upper)
    goal = weight * (off + p.above - p.below)  # rounded as where u changes by it
    grams, load = kernels.moments(rows.t, weight, goal, nodes, first)
    tested = kernels.moments(rows.t, np.zeros_like(weight), p.u, nodes, first)[1]
    far = np.where(r > 0.0, np.inf, -np.inf)
    best = np.clip(np.divide(r, rows.bend, out=far, where=rows.bend > 0.0), rows.low, rows.high)
    loss = float((best * r - 0.5 * rows.bend * best * best).sum())
    complementarity = float(lower @ p.below) + float(upper @ p.above)
    return Look(off, weight, grams, tested, load, complementarity, loss, float(np.abs(p.u * off).sum()))


def predicted(rows: Rows, p: Bounded, seen: Look, nodes: Array, first: Array, dtheta: Array) -> Predicted:
    """The first step of Mehrotra's, where the values at the nodes change by dtheta."""
    if (fast := kernels.fast_module(len(rows.t), "line.compiled_boxes")) is not None:
        slopes = np.diff(dtheta) / np.diff(nodes)
        du, *sums = fast.predicted(rows.t, rows.low, rows.high, *p, seen.off, seen.weight, nodes, first, dtheta, slopes)
        return Predicted(du, (sums[0], sums[1]), (sums[2], sums[3], sums[4]))
    lower, upper = p.u - rows.low, rows.high - p.u
    du = seen.weight * (seen.off + p.above - p.below - kernels.values(rows.t, nodes, first, dtheta))
    falls, rises = du / lower, du / upper
    dbelow, dabove = -p.below - p.below * falls, -p.above + p.above * rises
    slack = max((-falls).max(initial=-np.inf), rises.max(initial=-np.inf))
    multiplier = 1.0 + max(falls.max(initial=-np.inf), (-rises).max(initial=-np.inf))
    products = lower @ dbelow + upper @ dabove, du @ (p.below - p.above), du @ (dbelow - dabove)
    return Predicted(
        du, (float(slack), float(multiplier)), (float(products[0]), float(products[1]), float(products[2]))
    )


def centred(
    rows: Rows, p: Bounded, seen: Look, du: Array, centre: float, nodes: Array, first: Array
) -> tuple[Array, Array, Array]:
    """What both multipliers are to change by, where u stays, after du was predicted; and the moments of that."""
    if (fast := kernels.fast_module(len(rows.t), "line.compiled_boxes")) is not None:
        return fast.centred(rows.t, rows.low, rows.high, *p, seen.off, seen.weight, du, centre, nodes, first)
    lower, upper = p.u - rows.low, rows.high - p.u
    falls, rises = du / lower, du / upper
    dbelow, dabove = -p.below - p.below * falls, -p.above + p.above * rises
    low, high = centre / lower - p.below - falls * dbelow, centre / upper - p.above + rises * dabove
    load = kernels.moments(rows.t, np.zeros_like(p.u), seen.weight * (seen.off - high + low), nodes, first)[1]
    return low, high, load


def corrected(
    rows: Rows, p: Bounded, seen: Look, low: Array, high: Array, nodes: Array, first: Array, dtheta: Array
) -> tuple[Bounded, tuple[float, float]]:
    """The changes of the second step, `low` and `high` from `centred`, and `steepest` as for `Predicted`."""
    if (fast := kernels.fast_module(len(rows.t), "line.compiled_boxes")) is not None:
        slopes = np.diff(dtheta) / np.diff(nodes)
        *changes, slack, multiplier = fast.corrected(
            rows.t, rows.low, rows.high, *p, seen.off, seen.weight, low, high, nodes, first, dtheta, slopes
        )
        return Bounded(*changes), (slack, multiplier)
    lower, upper = p.u - rows.low, rows.high - p.u
    du = seen.weight * (seen.off - high + low - kernels.values(rows.t, nodes, first, dtheta))
    dbelow, dabove = low - p.below / lower * du, high + p.above / upper * du
    slack = max((-du / lower).max(initial=-np.inf), (du / upper).max(initial=-np.inf))
    multiplier = max((-dbelow / p.below).max(initial=-np.inf), (-dabove / p.above).max(initial=-np.inf))
    return Bounded(du, dbelow, dabove), (float(slack), float(multiplier))
