"""The passes over all data: in numpy, and with numba where it is installed (the extra ``[fast]``).

Both do the same sums in a different order; results agree to rounding. Points t are sorted, and may repeat. Nodes are
distinct points, among them the first and the last; `first` says, for every interval between nodes, with which point
it begins, and the last point belongs to the last interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.fast import compiled
from ridgesplines.oracle import eta_at_sites
from ridgesplines.validation import Array

#: From so many points on, compiled code is worth its loading.
MANY = 20_000


def _fast(t: Array) -> Any:
    return compiled("line.compiled") if len(t) >= MANY else None


def moments(t: Array, curvature: Array, target: Array, nodes: Array, first: Array) -> tuple[Array, Array]:
    """The 2 x 2 moments of the hat functions on the intervals between nodes: (3, c - 1) and (2, c - 1)."""
    if (fast := _fast(t)) is not None:
        return fast.moments(t, curvature, target, nodes, first)
    counts = np.diff(np.append(first, len(t)))
    p = t - np.repeat(nodes[:-1], counts)
    p *= np.repeat(1.0 / np.diff(nodes), counts)
    grams, loads = np.empty((3, len(counts))), np.empty((2, len(counts)))
    weighted = curvature * p
    load = target * p
    loads[1] = np.add.reduceat(load, first)
    np.subtract(target, load, out=load)
    loads[0] = np.add.reduceat(load, first)
    np.multiply(weighted, p, out=load)
    grams[2] = np.add.reduceat(load, first)
    np.subtract(weighted, load, out=load)
    grams[1] = np.add.reduceat(load, first)
    np.subtract(curvature, weighted, out=weighted)
    np.subtract(weighted, load, out=weighted)
    grams[0] = np.add.reduceat(weighted, first)
    return grams, loads


def values(t: Array, nodes: Array, first: Array, theta: Array) -> Array:
    """The spline with values theta at the nodes, at all points."""
    slopes = np.diff(theta) / np.diff(nodes)
    if (fast := _fast(t)) is not None:
        return fast.values(t, nodes, first, theta, slopes)
    counts = np.diff(np.append(first, len(t)))
    z = t - np.repeat(nodes[:-1], counts)
    z *= np.repeat(slopes, counts)
    z += np.repeat(theta[:-1], counts)
    return z


def certificate(t: Array, u: Array) -> Array:
    """eta at all sites, summed from the nearer end."""
    if (fast := _fast(t)) is not None:
        return fast.certificate(t, u, int(np.searchsorted(t, (t[0] + t[-1]) / 2.0)))
    return eta_at_sites(t, u)
