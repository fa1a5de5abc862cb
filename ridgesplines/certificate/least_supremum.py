r"""The least supremum of the dual vectors of an affine fit: what lambda_max is for a loss with kinks.

Such a loss leaves the entries of u free where a residual sits on a kink. A few cutting planes find them, as a rule.
Where nearly all residuals are zero they would be many: in one dimension one linear program then knows all of
:math:`\eta`. Its unknowns are the masses that each site holds and the values at the sites: its matrix is sparse, and
rows that share a site share their unknown.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.design import project
from ridgesplines.amplitudes.linear_program import OPTIONS, within_time
from ridgesplines.certificate.dual import levelled, projected, subgradients
from ridgesplines.interrupt import check, overdue
from ridgesplines.objective import eta_rounding
from ridgesplines.oracle.base import Oracle
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Cuts in search of the least supremum.
CUTS, CUTS_ON_A_LINE = 60, 10
#: The same where most entries are free, so that each takes long.
MANY_FREE = 2
ACCURACY = 1e-9
#: Neurons that join in a round, at most; from so many signed ones on, those stay whose eta at the vertex is at least
#: this part of the bound.
JOINING, MANY, COUNTS = 20, 500, 0.7
#: A vertex is tried where the best supremum is above this multiple of the bound.
FAR = 2.0


def least_supremum_dual(problem: Problem, z: Array, u: Array, oracle: Oracle) -> tuple[Array, float]:
    """(u, least): among the dual vectors of an optimal fit z, one with the least sup|eta|; `u` is one of them.

    Where rounds or time end first, it is the best so far, and no other's supremum is below `least`; infinite where none
    is below its own.
    """
    low, high = subgradients(problem, z)
    if (low == high).all():
        return u, np.inf
    if ((low <= 0.0) & (high >= 0.0)).all() and not problem.slope_penalty:
        return np.zeros_like(u), np.inf  # it is orthogonal to everything, and its supremum is zero
    on_a_line = problem.n_features == 1 and isinstance(problem.activation, ReLU) and not problem.slope_penalty
    most = CUTS if not on_a_line else CUTS_ON_A_LINE if (low < high).mean() < 0.5 else MANY_FREE
    u, bound = _by_cuts(problem, low, high, u, oracle, most)
    if on_a_line and bound < np.inf and (best := _on_a_line(problem.X[:, 0], low, high)) is not None:
        return projected(problem, best)[0], np.inf
    return u, bound


def _on_a_line(x: Array, low: Array, high: Array) -> Array | None:
    """The best u between its bounds in one dimension, or None where the linear program fails.

    Unknowns: the mass of each site, the slopes of eta between them, which change by the masses, its values at the inner
    sites, and the supremum. No slope is divided by a width, so that sites may be as close as they like.
    """
    sites, place = np.unique(x, return_inverse=True)
    if (m := len(sites)) < 3:
        return None  # nothing bends between two sites, and every dual vector's supremum is zero
    least, most = np.bincount(place, low, m), np.bincount(place, high, m)
    change = sparse.diags_array([np.ones(m - 1), -np.ones(m - 1)], offsets=[0, -1], shape=(m, m - 1))
    inner = sparse.eye_array(m - 2)
    step = -change.T.tocsc()[:, 1:-1]
    widths = sparse.diags_array(np.diff(sites))
    supremum = np.ones((m - 2, 1))
    out = linprog(
        np.append(np.zeros(3 * m - 3), 1.0),
        A_ub=sparse.block_array(
            [[sparse.csr_array((m - 2, 2 * m - 1)), sign * inner, -supremum] for sign in (1.0, -1.0)]
        ),
        b_ub=np.zeros(2 * m - 4),
        A_eq=sparse.block_array(
            [[sparse.eye_array(m), -change, None, None], [None, -widths, step, np.zeros((m - 1, 1))]]
        ),
        b_eq=np.zeros(2 * m - 1),
        bounds=np.concatenate(
            [np.column_stack([least, most]), np.full((2 * m - 3, 2), [-np.inf, np.inf]), [[0.0, np.inf]]]
        ),
        method="highs",
        options=OPTIONS | within_time(),
    )
    if out.status != 0:
        return None
    share = np.divide(out.x[:m] - least, most - least, out=np.zeros(m), where=most > least)[place]
    return low + np.clip(share, 0.0, 1.0) * (high - low)


def _by_cuts(problem: Problem, low: Array, high: Array, u: Array, oracle: Oracle, most: int) -> tuple[Array, float]:
    """The best of the dual vectors that were tried from `u` on, and the lower bound: infinite where that is settled.

    Each round a linear program takes the least supremum over the neurons found so far: a lower bound. Its vertex jumps
    about where many entries are free: near the end it is tried in every fourth round only, in the others what lies
    halfway from the best to it (in-out separation).
    """
    Q, best, least, off = problem.null_space, u, np.inf, u - levelled(problem, u)  # off is that of all u of this fit
    rows = np.empty((0, len(u)))  # +-eta at a neuron
    nothing = eta_rounding(problem, np.maximum(np.abs(low), np.abs(high)))  # no supremum is known to less
    highest = 0.0
    for k in range(most):
        check()
        supremum = oracle(u - off)
        if supremum.value < least:
            best, least = u, supremum.value
        if least <= nothing:
            return best, np.inf
        if overdue():
            break
        cuts = project(
            Q, problem.activation.value(problem.X @ supremum.weights[:JOINING].T - supremum.biases[:JOINING])
        ).T
        rows = np.concatenate([rows, cuts, -cuts])
        vertex, bound = least_maximum(rows, low - off, high - off, Q)
        if vertex is None:
            break
        if least <= bound * (1.0 + ACCURACY):
            return best, np.inf
        highest = max(highest, bound)
        rows = rows[rows @ vertex >= COUNTS * bound] if len(rows) > MANY else rows
        vertex = vertex + off
        u, _ = projected(problem, vertex if k % 4 == 3 or least > FAR * bound else 0.5 * (best + vertex))
    return best, highest


def least_maximum(rows: Array, low: Array, high: Array, Q: Array) -> tuple[Array | None, float]:
    """The dual vector of the least maximum of rows @ u, and that maximum; None where the linear program fails."""
    free = low < high
    held = np.where(free, 0.0, low)
    out = linprog(
        np.append(np.zeros(int(free.sum())), 1.0),
        A_ub=np.column_stack([rows[:, free], -np.ones(len(rows))]),
        b_ub=-rows @ held,
        A_eq=np.column_stack([Q[free].T, np.zeros(Q.shape[1])]),
        b_eq=-Q.T @ held,
        bounds=[*zip(low[free], high[free], strict=True), (0.0, None)],
        method="highs-ds",
        options=OPTIONS | within_time(),
    )
    if out.status != 0:
        return None, 0.0
    u = held.copy()
    u[free] = out.x[:-1]
    return u, out.fun
