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

from ridgesplines.solvers.constrained.chain import Chain, Point
from ridgesplines.validation import Array

#: Clarabel's words for an answer that can be used.
USABLE = ("Solved", "AlmostSolved", "InsufficientProgress", "MaxIterations", "NumericalError")
TOL = 1e-11


def interior(chain: Chain) -> Point | None:
    """The approximate optimum, or None where there is no answer at all."""
    import clarabel

    c, unit = len(chain.t), float(chain.moments.grams[::2].sum(axis=1).max()) or 1.0
    P, q, groups = _program(chain, unit)
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
    A, b = sparse.vstack(rows, format="csc"), np.concatenate(right)
    out = clarabel.DefaultSolver(P, q, A, b, cones, settings).solve()
    x, z = np.array(out.x), unit * np.array(out.z)
    if str(out.status) not in USABLE or not (np.isfinite(x).all() and np.isfinite(z).all()):
        return None
    return _read(chain, x[:c], list(_shares(z, groups)))


def _program(chain: Chain, unit: float) -> tuple[sparse.csc_matrix, Array, list[tuple[sparse.csr_array, Array, bool]]]:
    """Objective, in a unit, and groups of rows A x <= b, or = b: the unknowns are values, slopes, sizes of bends."""
    limits, t, lam = chain.limits, chain.t, chain.lam
    c = len(t)
    both = limits.up and limits.down
    n = 2 * c - 1 + (c - 2 if both else 0)
    diagonal, beside = chain.moments.bands
    at, steep = np.arange(c), c + np.arange(c - 1)
    i = np.concatenate([at, at[:-1]])
    j = np.concatenate([at, at[1:]])
    P = sparse.csc_matrix((np.concatenate([diagonal, beside]) / unit, (i, j)), (n, n))
    q = np.concatenate([-chain.moments.load, np.zeros(c - 1), np.full(n - 2 * c + 1, lam)]) / unit
    one = sparse.eye_array(n, format="csr")
    values, slopes, sizes = one[at], one[steep], one[2 * c - 1 :]
    bends = slopes[1:] - slopes[:-1]
    zero = np.zeros(c - 2)
    link = values[1:] - values[:-1] - sparse.diags_array(np.diff(t)) @ slopes
    groups = [(link, np.zeros(c - 1), True)]
    if both:
        groups += [(bends - sizes, zero, False), (-bends - sizes, zero, False)]
    elif limits.up or limits.down:
        sign = 1.0 if limits.up else -1.0
        groups += [(-sign * bends, zero, False)]
        q[steep[[0, -1]]] = np.array([-sign, sign]) * lam / unit if c > 2 else 0.0
    else:
        groups += [(bends, zero, True)]
    for part, low, high in ((slopes, limits.slope_low, limits.slope_high), (values, limits.low, limits.high)):
        fixed = low == high
        over, under = np.isfinite(low) & ~fixed, np.isfinite(high) & ~fixed
        groups += [(part[fixed], low[fixed], True), (-part[over], -low[over], False), (part[under], high[under], False)]
    return P, q, groups


def _shares(z: Array, groups: list[tuple[sparse.csr_array, Array, bool]]) -> Iterator[Array]:
    """The multipliers of each group."""
    start = 0
    for A, _, _ in groups:
        yield z[start : start + A.shape[0]]
        start += A.shape[0]


def _read(chain: Chain, theta: Array, z: list[Array]) -> Point:
    limits, lam = chain.limits, chain.lam
    if limits.up and limits.down:
        eta, z = z[1] - z[2], z[3:]
    elif limits.up or limits.down:
        eta, z = (lam - z[1] if limits.up else z[1] - lam), z[2:]
    else:
        eta, z = z[1], z[2:]
    boxes = []
    for k, (low, high) in enumerate(((limits.slope_low, limits.slope_high), (limits.low, limits.high))):
        fixed, of = low == high, np.zeros(len(low))
        of[fixed] = -z[3 * k]
        of[np.isfinite(low) & ~fixed] += z[3 * k + 1]
        of[np.isfinite(high) & ~fixed] -= z[3 * k + 2]
        boxes.append(of)
    return Point(theta, np.concatenate([[0.0], eta, [0.0]]), *boxes)
