r"""The dual vector of a piecewise-linear loss, to its last digits: linear programs that zoom in.

The simplex method meets constraints to 1e-10, and where lam is not far above that :math:`\eta` exceeds it, relatively,
by more than the gap that is asked for. Its answer is good enough to start from: what is missing is the answer of the
same program around it, in a unit so small that 1e-10 of it is nothing [1]_.

References
----------
.. [1] A. M. Gleixner, D. E. Steffy, K. Wolter, Iterative refinement for linear programming, INFORMS J. Comput. 28
   (2016), doi:10.1287/ijoc.2016.0692
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.amplitudes.linear_program import OPTIONS, within_time
from ridgesplines.objective import SUM
from ridgesplines.solvers.univariate.data import Line
from ridgesplines.solvers.univariate.kinked import boxes
from ridgesplines.validation import Array

#: The units of the programs, relative to the sizes of the first.
UNITS = (1.0, 1e-6, 1e-11)


def refined_duals(line: Line, lam: float) -> Iterator[Array]:
    """The best u of the sorted rows, ever better where rounding does not stop it; until a linear program fails.

    max u^T y over the boxes of u, with |eta| <= lam. Unknowns: u in units of the weights, the slopes of eta / lam
    between sites, and its values there; around those of the program before, in its unit.
    """
    rows, sites = boxes(line, lam), line.sites
    m, n = len(sites), len(line.t)
    at = sparse.csr_array((np.ones(n), (_places(line), np.arange(n))), shape=(m, n))
    change = sparse.diags_array([np.ones(m - 1), -np.ones(m - 1)], offsets=[0, -1], shape=(m, m - 1))
    step = -change.T.tocsc()[:, 1:-1]
    A = sparse.block_array([[at, -lam * change, None], [None, -sparse.diags_array(np.diff(sites)), step]], format="csr")
    free = np.full(m - 1, np.inf)
    # eta is a sum of u, and rounds as one: what it may round is left to it, for u as a whole is not to be scaled down.
    most = 1.0 - min(0.5, SUM * float(np.maximum(-rows.low, rows.high).sum()) / lam)
    low = np.concatenate([rows.low, -free, np.full(m - 2, -most)])
    high = np.concatenate([rows.high, free, np.full(m - 2, most)])
    cost = np.concatenate([-rows.y, np.zeros(2 * m - 3)])
    A = sparse.diags_array(1.0 / np.abs(A).max(axis=1).toarray().ravel()) @ A
    x, multipliers = np.zeros(len(cost)), np.zeros(A.shape[0])
    for unit in UNITS:
        out = linprog(
            (cost - A.T @ multipliers) / unit,
            A_eq=A,
            b_eq=-(A @ x) / unit,
            bounds=np.column_stack([low - x, high - x]) / unit,
            method="highs-ds",
            options=OPTIONS | within_time(),
        )
        if out.status != 0:
            return
        x = np.clip(x + unit * out.x, low, high)
        multipliers = multipliers + unit * out.eqlin.marginals
        yield x[:n]


def _places(line: Line) -> Array:
    """For each row the index of its site."""
    return (
        np.arange(len(line.t))
        if line.first is None
        else np.repeat(np.arange(len(line.first)), np.diff(np.append(line.first, len(line.t))))
    )
