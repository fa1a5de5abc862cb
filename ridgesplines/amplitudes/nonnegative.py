r"""Nonnegative least squares on a Gram matrix: :math:`\min_{a \ge 0} \tfrac12 a^T S a - g^T a` (Lawson–Hanson).

Warm-started: the passive set starts from the positive entries of `a`. All columns that may enter do so together, and
all that would be negative leave together, for as long as that descends; otherwise one by one.

References
----------
.. [1] C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, Prentice-Hall (1974), chapter 23
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from ridgesplines.validation import Array

#: Makes dependent columns independent: along their null direction the step is then long, and ends where one leaves.
DAMPING = 1e-14
#: A multiplier this small, relative to what it is the difference of, is rounding.
ROUNDING_RTOL = 1e-13


def nonnegative(S: Array, g: Array, a: Array) -> Array:
    """The minimiser, from a start a >= 0. O(K^3) for each entry and each exit.

    Parameters
    ----------
    S : (K, K), positive semidefinite.
    g : (K,).
    a : (K,), the start.
    """
    scale = np.sqrt(np.maximum(np.diag(S), np.finfo(float).tiny))
    S, g, a = S / scale[:, None] / scale, g / scale, a * scale
    passive, tabu = a > 0.0, np.zeros(len(a), dtype=bool)
    a, passive, _ = _within(S, g, a, passive)
    for _ in range(20 * len(a) + 20):
        slack = g - S @ a
        floor = ROUNDING_RTOL * (np.abs(g) + np.abs(S) @ a)
        entering = ~passive & (slack > floor)
        if not (entering & ~tabu).any():
            break
        if (lower := _all_at_once(S, g, a, passive | entering)) is not None:
            a, passive, moved = lower, lower > 0.0, True
        else:
            steepest = int(np.argmax(np.where(entering & ~tabu, slack, -np.inf)))
            passive[steepest] = tabu[steepest] = True
            a, passive, moved = _within(S, g, a, passive)
        if moved:
            tabu[:] = False
    return a / scale


def _all_at_once(S: Array, g: Array, a: Array, passive: Array) -> Array | None:
    """The minimiser on these columns less those that it would make negative, again and again; None if not below a."""
    index = np.flatnonzero(passive)
    while len(index):
        x = _solve(S[np.ix_(index, index)], g[index])
        if (x > 0.0).all():
            new = np.zeros_like(a)
            new[index] = x
            fall = (new - a) @ (g - 0.5 * (S @ (new + a)))
            return new if fall > ROUNDING_RTOL * np.abs(g @ a) else None
        index = index[x > 0.0]
    return None


def _within(S: Array, g: Array, a: Array, passive: Array) -> tuple[Array, Array, bool]:
    """The minimiser on the passive set, whose columns leave where they reach zero; and whether `a` moved."""
    start = a
    while passive.any():
        index = np.flatnonzero(passive)
        x = _solve(S[np.ix_(index, index)], g[index])
        if (x > 0.0).all():
            a = np.zeros_like(a)
            a[index] = x
            return a, passive, True
        old = a[index]
        room = np.where(x <= 0.0, 0.0, np.inf)
        np.divide(old, old - x, out=room, where=(x <= 0.0) & (old > 0.0))
        t = float(room.min())
        new = np.where(room <= t, 0.0, np.maximum(old + t * (x - old), 0.0))
        a = np.zeros_like(a)
        a[index] = new
        passive = passive.copy()
        passive[index[room <= t]] = False
    return a, passive, not np.array_equal(a, start)


def _solve(S: Array, g: Array) -> Array:
    for damping in (DAMPING, 1e-13, 1e-12, 1e-10, 1e-8):
        factor, info = linalg.lapack.dpotrf(S + damping * np.eye(len(g)), lower=1)
        if info == 0:
            return linalg.lapack.dpotrs(factor, g, lower=1)[0]
    return np.linalg.lstsq(S, g, rcond=1e-12)[0]
