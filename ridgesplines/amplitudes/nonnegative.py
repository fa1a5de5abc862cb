r"""Nonnegative least squares on a Gram matrix: :math:`\min_{a \ge 0} \tfrac12 a^T S a - g^T a` (Lawson–Hanson).

Warm-started: the passive set starts from the positive entries of `a`. Columns that may enter do so together, and those
that would be negative leave together, for as long as that descends: all of them, then fewer, at last one by one.

References
----------
.. [1] C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, Prentice-Hall (1974), chapter 23
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
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
    most = len(a)
    while most > 1:
        slack = np.where((a > 0.0) | ~_may_enter(S, g, a), 0.0, g - S @ a)
        steepest = np.argsort(-slack)[:most]
        lower = _all_at_once(S, g, a, np.union1d(np.flatnonzero(a), steepest[slack[steepest] > 0.0]))
        most = most if lower is not None else min(most, int((slack > 0.0).sum())) // 2
        a = a if lower is None else lower
    passive, tabu = a > 0.0, np.zeros(len(a), dtype=bool)
    for _ in range(20 * len(a) + 20):
        a, passive, moved = _within(S, g, a, passive)
        if moved:
            tabu[:] = False
        entering = _may_enter(S, g, a) & ~passive & ~tabu
        if not entering.any():
            break
        j = int(np.argmax(np.where(entering, g - S @ a, -np.inf)))
        passive[j] = tabu[j] = True
    return a / scale


def _may_enter(S: Array, g: Array, a: Array) -> Array:
    """The columns along which the model falls, by more than rounding."""
    return g - S @ a > ROUNDING_RTOL * (np.abs(g) + np.abs(S) @ a)


def _all_at_once(S: Array, g: Array, a: Array, index: NDArray[np.intp]) -> Array | None:
    """The minimiser on these columns less those that it would make negative, again and again; None if not below a."""
    while len(index):
        x = _solve(S[np.ix_(index, index)], g[index])
        if (x > 0.0).all():
            new = np.zeros_like(a)
            new[index] = x
            fall = (new - a) @ (g - 0.5 * (S @ (new + a)))
            terms = np.abs(new - a) @ (np.abs(g) + 0.5 * (np.abs(S) @ (new + a)))
            return new if fall > ROUNDING_RTOL * (np.abs(g @ a) + terms) else None
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
