r"""A chain's program by an interior point: which bends and which bounds count.

Clarabel [1]_ solves it to some ten digits, in O(c) for each of its some twenty steps. Its answer satisfies every bound
a little off the boundary and bends a little everywhere; which bends and bounds are active follows from complementarity.

References
----------
.. [1] P. J. Goulart, Y. Chen, Clarabel: an interior-point solver for conic programs with quadratic objectives,
   arXiv 2405.12762 (2024)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from ridgesplines.interrupt import seconds_left
from ridgesplines.solvers.constrained.chain import Chain, Limits, Point
from ridgesplines.validation import Array

#: Clarabel's words for an answer that can be used.
USABLE = ("Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations", "NumericalError")
TOL = 1e-11

#: Groups of rows (A, b, equal): A x <= b, or A x = b.
Groups = list[tuple[sparse.csr_array, Array, bool]]


def interior(chain: Chain) -> Point | None:
    """The approximate optimum, or None where there is no answer at all."""
    unit = float(chain.moments.grams[::2].sum(axis=1).max()) or 1.0
    P, q, groups = program(chain, unit)
    out = conic(P, q, groups)
    return None if out is None else read(chain, out[0][: len(chain.t)], [unit * z for z in out[1]])


def conic(P: sparse.csc_matrix, q: Array, groups: Groups) -> tuple[Array, list[Array]] | None:
    """Clarabel's x of least x^T P x / 2 + q^T x, and the multipliers of each group; None where there is no answer."""
    import clarabel

    rows, right, cones = [], [], []
    for A, b, equal in groups:
        if A.shape[0]:
            rows.append(A)
            right.append(b)
            cones.append((clarabel.ZeroConeT if equal else clarabel.NonnegativeConeT)(A.shape[0]))
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOL
    settings.max_threads = 1
    if (seconds := seconds_left()) < np.inf:
        settings.time_limit = seconds
    A, b = sparse.vstack(rows, format="csc"), np.concatenate(right)
    out = clarabel.DefaultSolver(P, q, A, b, cones, settings).solve()
    x, z = np.array(out.x), np.array(out.z)
    if str(out.status) not in USABLE or not (np.isfinite(x).all() and np.isfinite(z).all()):
        return None
    return x, list(_shares(z, groups))


def program(chain: Chain, unit: float) -> tuple[sparse.csc_matrix, Array, Groups]:
    """Objective, in a unit, and groups of rows A x <= b, or = b: the unknowns are values, slopes, sizes of bends."""
    limits, t, lam = chain.limits, chain.t, chain.lam
    c = len(t)
    both, up, down, none = _ways(limits)
    n = 2 * c - 1 + len(both)
    diagonal, beside = chain.moments.bands
    at, steep = np.arange(c), c + np.arange(c - 1)
    i = np.concatenate([at, at[:-1]])
    j = np.concatenate([at, at[1:]])
    P = sparse.csc_matrix((np.concatenate([diagonal, beside]) / unit, (i, j)), (n, n))
    toll = np.zeros(c)
    toll[up], toll[down] = lam * limits.price[up], -lam * limits.price[down]
    q = np.concatenate([-chain.moments.load, -np.diff(toll), lam * limits.price[both]]) / unit
    one = sparse.eye_array(n, format="csr")
    values, slopes, sizes = one[at], one[steep], one[2 * c - 1 :]
    bends = slopes[1:] - slopes[:-1]
    link = values[1:] - values[:-1] - sparse.diags_array(np.diff(t)) @ slopes
    parts = [(link, True), (bends[both - 1] - sizes, False), (-bends[both - 1] - sizes, False)]
    parts += [(-bends[up - 1], False), (bends[down - 1], False), (bends[none - 1], True)]
    groups = [(part, np.zeros(part.shape[0]), equal) for part, equal in parts]
    for part, low, high in ((slopes, limits.slope_low, limits.slope_high), (values, limits.low, limits.high)):
        fixed = low == high
        over, under = np.isfinite(low) & ~fixed, np.isfinite(high) & ~fixed
        groups += [(part[fixed], low[fixed], True), (-part[over], -low[over], False), (part[under], high[under], False)]
    return P, q, groups


def _ways(limits: Limits) -> tuple[Array, Array, Array, Array]:
    """The inner nodes that may bend either way at a price, up only, down only, and not at all."""
    up, down, inner = limits.up, limits.down, np.ones(len(limits.up), dtype=bool)
    inner[[0, -1]] = False
    both, none = up & down & (limits.price > 0.0), ~(up | down)
    of_both, of_up, of_down, of_none = (np.flatnonzero(inner & way) for way in (both, up & ~down, down & ~up, none))
    return of_both, of_up, of_down, of_none


def _shares(z: Array, groups: Groups) -> Iterator[Array]:
    """The multipliers of each group."""
    start = 0
    for A, _, _ in groups:
        yield z[start : start + A.shape[0]]
        start += A.shape[0]


def read(chain: Chain, theta: Array, z: list[Array]) -> Point:
    """Values at the nodes with the multipliers of each group of the program."""
    limits, lam = chain.limits, chain.lam
    both, up, down, none = _ways(limits)
    eta = np.zeros(len(chain.t))
    eta[both], eta[none] = z[1] - z[2], z[5]
    eta[up], eta[down] = lam * limits.price[up] - z[3], z[4] - lam * limits.price[down]
    z = z[6:]
    boxes = []
    for k, (low, high) in enumerate(((limits.slope_low, limits.slope_high), (limits.low, limits.high))):
        fixed, of = low == high, np.zeros(len(low))
        of[fixed] = -z[3 * k]
        of[np.isfinite(low) & ~fixed] += z[3 * k + 1]
        of[np.isfinite(high) & ~fixed] -= z[3 * k + 2]
        boxes.append(of)
    return Point(theta, eta, *boxes)
