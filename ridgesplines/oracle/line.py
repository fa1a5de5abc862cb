r"""sup |eta| in one dimension, exactly.

eta is piecewise linear in the bias with breakpoints at the data, and vanishes beyond them (the dual vector is
orthogonal to all affine functions): the supremum is the largest value at a data site. O(N log N).
"""

from __future__ import annotations

import numpy as np

from ridgesplines.network import group_norms
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.validation import Array


def eta_at_sites(x: Array, u: Array) -> Array:
    """eta(1, x_m) at sorted sites x, shape (N,) or (N, D), by a double cumulative sum from the nearer end."""
    from_right = _tail_sums(x, u)
    from_left = _tail_sums(-x[::-1], u[::-1])[::-1]
    near_left = x - x[0] < x[-1] - x
    return np.where(near_left.reshape(-1, *[1] * (u.ndim - 1)), from_left, from_right)


def _tail_sums(x: Array, u: Array) -> Array:
    mass = np.cumsum(u[::-1], axis=0)[::-1]
    rises = (mass[1:].T * np.diff(x)).T
    eta = np.zeros_like(u)
    eta[:-1] = np.cumsum(rises[::-1], axis=0)[::-1]
    return eta


def line_oracle(x: Array, direction: Array, u: Array) -> Supremum:
    """Data x (N,) along a unit `direction` of R^d; neurons are reported along it."""
    order = np.argsort(x)
    x = x[order]
    eta = eta_at_sites(x, u[order])
    size = group_norms(eta)
    peak = np.ones(len(x), dtype=bool)  # local maxima only: others lead to the same knots
    peak[1:] &= size[1:] >= size[:-1]
    peak[:-1] &= size[:-1] >= size[1:]
    return ranked("exact", eta[peak], np.repeat(direction[None], peak.sum(), axis=0), x[peak])
