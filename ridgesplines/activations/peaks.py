r"""The peaks of the dual certificate along one direction, for activations that are smooth.

:math:`\eta(b) = \sum_n u_n \sigma(p_n - b)` is smooth in b, and its maximum is in general no closed form. Peaks are
found on a fine grid and sharpened by bisection of the derivative. The bound comes from the second derivative: on an
interval of length h, :math:`|\eta|` is at most its larger value at the ends plus :math:`\frac{h^2}{8} \sup |\eta''|`.
Intervals that might hold more than the best value found are halved until none does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ridgesplines.validation import Array

#: The bound is pursued until it exceeds the largest value found by no more than this, relatively.
SHARP = 1e-9
#: Halvings of an interval at most, and intervals at once: beyond, the bound is what it is by then.
MAX_HALVINGS = 60
INTERVALS = 20_000
#: Steps of bisection: to the last digit of the spacing of the grid.
BISECTIONS = 50
#: Entries of a block of pre-activations.
BLOCK_ENTRIES = 2**21


class Peaks(NamedTuple):
    r"""The peaks of :math:`|\eta|` along one direction: biases, an upper bound, and whether a peak attains it.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> p, u = np.array([0.0, 1.0, 2.0]), np.array([1.0, -2.0, 1.0])  # u has no mean and no slope
    >>> rs.ReLU().peaks(p, u, prove=True).bound
    1.0
    """

    biases: Array
    bound: float
    exact: bool


def sums(function: Callable[[Array], Array], p: Array, b: Array, u: Array) -> Array:
    """sum over n of function(p_n - b) u_n at biases b, shape (m,) or (m, D); in blocks."""
    step = max(1, BLOCK_ENTRIES // max(1, len(p)))
    parts = [function(p - b[i : i + step, None]) @ u for i in range(0, len(b), step)]
    return np.concatenate([np.empty((0, *u.shape[1:])), *parts])


def size(eta: Array) -> Array:
    """|eta|, or its Euclidean norm for vector outputs."""
    return np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=1)


def smooth_peaks(
    value: Callable[[Array], Array],
    derivative: Callable[[Array], Array],
    bend: Callable[[Array, Array], Array],
    p: Array,
    u: Array,
    edges: Array,
    prove: bool,
    beyond: float = 0.0,
) -> Peaks:
    r"""Peaks of :math:`|\eta|` within the edges, and a bound on it everywhere.

    Parameters
    ----------
    value, derivative : of the activation.
    bend : (low, high) -> the largest :math:`|\sigma''|` on [low, high].
    p, u : projections and dual vector.
    edges : of the grid, increasing.
    prove : whether to bound; otherwise the bound is infinite.
    beyond : a bound on :math:`|\eta|` outside the edges.
    """
    eta = sums(value, p, edges, u)
    peaks = _sharpened(value, derivative, p, u, edges, eta)
    best = float(size(np.concatenate([eta, sums(value, p, peaks, u)])).max())
    if not prove:
        return Peaks(peaks, np.inf, False)
    weights = size(u)

    def most(low: Array, high: Array) -> Array:
        step = max(1, BLOCK_ENTRIES // max(1, len(p)))
        parts = [
            bend(p - high[i : i + step, None], p - low[i : i + step, None]) @ weights for i in range(0, len(low), step)
        ]
        return np.concatenate([np.empty(0), *parts])

    bound = _bounded(lambda b: size(sums(value, p, b, u)), most, edges, size(eta), best)
    return Peaks(peaks, max(bound, beyond), False)


def _sharpened(
    value: Callable[[Array], Array], derivative: Callable[[Array], Array], p: Array, u: Array, edges: Array, eta: Array
) -> Array:
    """Local maxima of |eta| on the grid, each moved to where the derivative vanishes nearby."""
    height = size(eta)
    inner = np.flatnonzero((height[1:-1] >= height[:-2]) & (height[1:-1] > height[2:])) + 1
    low, high = edges[inner - 1], edges[inner + 1]
    for _ in range(BISECTIONS if len(inner) else 0):
        middle = (low + high) / 2.0
        at, slope = sums(value, p, middle, u), -sums(derivative, p, middle, u)
        rising = at * slope > 0.0 if u.ndim == 1 else (at * slope).sum(axis=1) > 0.0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.concatenate([(low + high) / 2.0, edges[[0, -1]]])


def _bounded(
    height: Callable[[Array], Array],
    most: Callable[[Array, Array], Array],
    edges: Array,
    at_edges: Array,
    best: float,
) -> float:
    """An upper bound on |eta| between the edges: intervals are halved while they may hold more than the best."""
    low, high, left, right = edges[:-1], edges[1:], at_edges[:-1], at_edges[1:]
    bound = best
    for _ in range(MAX_HALVINGS):
        upper = np.maximum(left, right) + (high - low) ** 2 / 8.0 * most(low, high)
        open_ = upper > best * (1.0 + SHARP)
        bound = max(bound, float(upper[~open_].max(initial=0.0)))
        low, high, left, right, upper = (a[open_] for a in (low, high, left, right, upper))
        if not len(low):
            return bound
        if len(low) > INTERVALS:
            break
        middle = (low + high) / 2.0
        at = height(middle)
        best = max(best, float(at.max()))
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
        left, right = np.concatenate([left, at]), np.concatenate([at, right])
    return max(bound, float(upper.max()))


def tailed(
    value: Callable[[Array], Array], slope: Callable[[Array], Array], scale: float, p: Array, u: Array
) -> tuple[Array, float]:
    r"""Edges of a grid for an S-shaped activation whose dual vectors sum to zero, and a bound on eta beyond.

    Left or right of all data by T, :math:`|\eta| \le \sigma'(T) \sum_n |u_n| |p_n - c|`, c the middle of the data: T
    is doubled until that is half of the largest :math:`|\eta|` at the data. Within the data the spacing is a quarter of
    the scale, or the neighbourhoods of the data are taken where these lie far apart; beyond them it grows.
    """
    low, high = float(p[0]), float(p[-1])
    moment = float(size(u) @ np.abs(p - (low + high) / 2.0))
    enough = 0.5 * float(size(sums(value, p, p, u)).max())
    reach = 4.0 * scale
    while slope(np.array([reach]))[0] * moment > enough and reach < 1e6 * scale:
        reach *= 2.0
    count = (high - low) / scale * 4.0
    if count <= 4.0 * len(p) + 64.0:
        inside = np.linspace(low, high, int(max(count, 32)) + 1)
    else:
        inside = np.unique(p[:, None] + scale * np.linspace(-4.0, 4.0, 17))
    tail = np.geomspace(scale / 4.0, reach, 24)
    edges = np.unique(np.concatenate([low - tail, inside, high + tail]))
    return edges, float(slope(np.array([reach]))[0]) * moment


def unimodal(function: Callable[[Array], Array], peak: float, low: Array, high: Array) -> Array:
    """The largest value on [low, high] of an even function that rises up to `peak` and falls beyond it."""
    near = np.where((low <= 0.0) & (high >= 0.0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    far = np.maximum(np.abs(low), np.abs(high))
    return function(np.clip(peak, near, far))
