r"""The fewest columns that explain several outputs: the group LASSO, a refit, and what can still be left out.

.. math:: \min_V \; \frac12 \|H V - Z\|_F^2 + \mu \sum_k \|v_k\|_2

for features H (N, K) and targets Z (N, D); :math:`v_k` are the rows of V.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.interrupt import check
from ridgesplines.validation import Array

#: The most rounds of rows that enter, and of sweeps over the rows within one.
MAX_ROUNDS, MAX_SWEEPS = 100, 200
#: Rows have settled once a sweep changes none by more than this share of the largest.
SETTLED = 1e-3
#: From one mu to the next while the tolerance is not met, how often at most, and the steps of the bisection after that.
FACTOR, STEPS, HALVINGS = 0.5, 30, 5


def group_lasso(
    gram: Array, cross: Array, mu: float, V: Array, settled: float = SETTLED, sweeps: int = MAX_SWEEPS
) -> Array:
    """The minimiser by exact minimisation over one row at a time, from a start V (K, D).

    `gram` is H^T H (K, K) with a positive diagonal, `cross` H^T Z (K, D). Rows that the optimality condition
    ||(H^T (Z - H V))_k|| <= mu asks for enter, all at once, until there are none.
    """
    V = V.copy()
    active = V.any(axis=1)
    for _ in range(MAX_ROUNDS):
        check()
        asked = ~active & (np.linalg.norm(cross - gram @ V, axis=1) > mu * (1.0 + settled))
        if not asked.any() and not active.any():
            break
        active |= asked
        inner, rows = gram[np.ix_(active, active)], V[active]
        for _ in range(sweeps):
            if (change := _sweep(inner, cross[active], mu, rows)) <= settled:
                break
        V[active] = rows
        if not asked.any() and change <= settled:
            break
    return V


def _sweep(gram: Array, cross: Array, mu: float, V: Array) -> float:
    """Each row at its minimum in turn, in place; the largest change relative to the largest row."""
    residual = cross - gram @ V
    largest = 0.0
    for k in range(len(V)):
        along = residual[k] + gram[k, k] * V[k]
        size = float(np.linalg.norm(along))
        change = max(0.0, 1.0 - mu / size) / gram[k, k] * along - V[k] if size > 0.0 else -V[k]
        if change.any():
            V[k] += change
            residual -= gram[:, k, None] * change
            largest = max(largest, float(np.abs(change).max()))
    return largest / (float(np.abs(V).max(initial=0.0)) or 1.0)


def refit(H: Array, Z: Array) -> tuple[Array, float]:
    """Least squares: V, and the error relative to Z."""
    V = np.linalg.lstsq(H, Z, rcond=None)[0]
    return V, relative_error(H @ V, Z)


def relative_error(found: Array, Z: Array) -> float:
    return float(np.linalg.norm(found - Z)) / max(float(np.linalg.norm(Z)), np.finfo(float).tiny)


def fewest(H: Array, Z: Array, tol: float) -> tuple[Array, Array, float] | None:
    """Few columns of H that explain Z within `tol` by least squares: their indices, their rows of V, and the error.

    The fewer of two: what `left_out` leaves of all columns, and of those that the group LASSO chooses on columns of
    length one, with mu by bisection. None where all columns together do not reach the tolerance. The fewest of all is a
    combinatorial problem, which this does not claim to solve.
    """
    lengths = np.linalg.norm(H, axis=0)
    columns = np.flatnonzero(lengths > 0.0)
    scaled = H[:, columns] / lengths[columns]
    if not len(columns) or refit(scaled, Z)[1] > tol:
        return None
    gram, cross = scaled.T @ scaled, scaled.T @ Z
    every = np.arange(len(columns))
    candidates = [every]
    for kept in (every, _support(scaled, Z, gram, cross, tol)):
        rest = left_out(gram[np.ix_(kept, kept)], cross[kept], float(np.vdot(Z, Z)), tol)
        candidates += [kept, kept[rest]]
    kept = min((each for each in candidates if refit(scaled[:, each], Z)[1] <= tol), key=len)
    return columns[kept], *refit(H[:, columns[kept]], Z)


def _support(H: Array, Z: Array, gram: Array, cross: Array, tol: float) -> Array:
    """The rows of the group LASSO that are not zero, for the largest mu whose refit keeps the tolerance."""
    kept, V = np.arange(len(gram)), np.zeros_like(cross)
    good, bad, left = 0.0, float(np.linalg.norm(cross, axis=1).max()), STEPS
    while left > 0:
        left -= 1
        mu = (good * bad) ** 0.5 if good else FACTOR * bad
        trial = group_lasso(gram, cross, mu, V)
        support = np.flatnonzero(trial.any(axis=1))
        if len(support) and refit(H[:, support], Z)[1] <= tol:
            left = left if good else min(left, HALVINGS)
            good, kept = mu, support
        else:
            bad, V = mu, trial
    return kept


def left_out(gram: Array, cross: Array, square: float, tol: float) -> Array:
    r"""The indices that remain when columns are left out one by one for as long as the error stays within `tol`.

    Each time it is the column whose loss costs least: leaving out k and fitting the others again adds
    :math:`\|v_k\|^2 / (G^{-1})_{kk}` to the squared error, as in B. Hassibi and D. Stork, Second order derivatives for
    network pruning: optimal brain surgeon, NeurIPS 1992.
    """
    inverse = np.linalg.inv(gram + 1e-12 * np.trace(gram) / len(gram) * np.eye(len(gram)))
    V = inverse @ cross
    error = square - float(np.vdot(cross, V))
    rest = np.arange(len(gram))
    while len(rest) > 1:
        costs = (V**2).sum(axis=1) / np.diag(inverse)
        k = int(costs.argmin())
        error += float(costs[k])
        if error > tol**2 * square:
            break
        column = inverse[:, k] / inverse[k, k]
        V = np.delete(V - np.outer(column, V[k]), k, axis=0)
        inverse = np.delete(np.delete(inverse - np.outer(column, inverse[k]), k, axis=0), k, axis=1)
        rest = np.delete(rest, k)
    return rest
