r"""sup |eta| in one dimension, exactly.

eta is piecewise linear in the bias with breakpoints at the data, and vanishes beyond them (the dual vector is
orthogonal to all affine functions): the supremum is the largest value at a data site. O(N log N).
"""

from __future__ import annotations

import numpy as np

from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


def eta_at_sites(x: Array, u: Array) -> Array:
    """eta(1, x_m) at sorted sites x, shape (N,) or (N, D), by a double cumulative sum from the nearer end."""
    middle = int(np.searchsorted(x, (x[0] + x[-1]) / 2.0))
    from_left = _tail_sums(-x[:middle][::-1], u[:middle][::-1])[::-1]
    return np.concatenate([from_left, _tail_sums(x[middle:], u[middle:])])


def _tail_sums(x: Array, u: Array) -> Array:
    mass = np.cumsum(u[::-1], axis=0)[::-1]
    rises = (mass[1:].T * (x[1:] - x[:-1])).T
    eta = np.zeros_like(u)
    eta[:-1] = np.cumsum(rises[::-1], axis=0)[::-1]
    return eta


def line_oracle(x: Array, direction: Array, u: Array, level: float | None = None, **_: object) -> Supremum:
    """Data x (N,) along a unit `direction` of R^d; neurons are reported along it."""
    if not (x[1:] >= x[:-1]).all():
        order = np.argsort(x, kind="stable")
        x, u = x[order], u[order]
    eta = eta_at_sites(x, u)
    size = group_norms(eta)
    top = int(size.argmax())
    if level is not None and size[top] <= level:
        return ranked(Scope.EXACT, eta[top : top + 1], direction[None], x[top : top + 1])
    peak = np.ones(len(x), dtype=bool)  # local maxima only: others lead to the same knots
    peak[1:] &= size[1:] >= size[:-1]
    peak[:-1] &= size[:-1] >= size[1:]
    return ranked(Scope.EXACT, eta[peak], np.repeat(direction[None], peak.sum(), axis=0), x[peak])
