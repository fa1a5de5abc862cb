r"""The linear program of D linear splines in order, with pinball losses, on given knots and with some of the order.

.. math:: \min \sum_d \sum_n s_n L_d(y_n, (B_d\theta_d)_n) + \lambda_d \|C_d \theta_d\|_1, \qquad
          E_d\theta_d \le E_{d+1}\theta_{d+1}

Unknowns are the values :math:`\theta_d` of each spline at its knots and both ends, B and E are hat functions at the
data and at those sites where the order is asked for, C changes of slope.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ridgesplines.amplitudes.linear_program import solved
from ridgesplines.certificate.ordered import OrderMultipliers
from ridgesplines.losses.quantile import Quantile
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def hats(nodes: Array, at: Array) -> Any:
    """The matrix from values at the nodes to those of the spline at some points."""
    i = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    share, row = (at - nodes[i]) / (nodes[i + 1] - nodes[i]), np.arange(len(at))
    entries = np.concatenate([1.0 - share, share]), (np.tile(row, 2), np.concatenate([i, i + 1]))
    return sparse.csr_array(entries, shape=(len(at), len(nodes)))


def bends(nodes: Array) -> Any:
    """The matrix from values at the nodes to the changes of slope at those within."""
    h = np.diff(nodes)
    if len(h) < 2:
        return sparse.csr_array((0, len(nodes)))
    bands = [1.0 / h[:-1], -1.0 / h[:-1] - 1.0 / h[1:], 1.0 / h[1:]]
    return sparse.diags_array(bands, offsets=[0, 1, 2], shape=(len(h) - 1, len(nodes))).tocsr()


def end_slopes(nodes: Array) -> tuple[Any, Any]:
    """The rows from values at the nodes to the slopes beyond the left and the right end."""
    rows = np.zeros((2, len(nodes)))
    rows[0, :2] = np.array([-1.0, 1.0]) / (nodes[1] - nodes[0])
    rows[1, -2:] = np.array([-1.0, 1.0]) / (nodes[-1] - nodes[-2])
    return sparse.csr_array(rows[:1]), sparse.csr_array(rows[1:])


@dataclass(frozen=True, eq=False)
class Working:
    """What is in the program.

    Attributes
    ----------
    nodes : for each function its knots and both ends.
    asked : for each pair of neighbours the sites, by number, at which they are to be in order.
    near : rows that may change their side of the fit, shape (N, D); the others are held where `above` says.
    above : whether y is above the fit, shape (N, D).
    """

    nodes: tuple[Array, ...]
    asked: tuple[NDArray[np.intp], ...]
    near: NDArray[np.bool_]
    above: NDArray[np.bool_]


class Splines(NamedTuple):
    """For each function its nodes, its values there, and a mask of the knots at which it bends."""

    nodes: tuple[Array, ...]
    values: tuple[Array, ...]
    bent: tuple[NDArray[np.bool_], ...]


def program(
    problems: Sequence[Problem], at: Array, rows: NDArray[np.intp], work: Working
) -> tuple[Splines, OrderMultipliers] | None:
    """Splines and multipliers at the optimum; None where HiGHS finds none, as where too many rows are held."""
    held, blocks, costs, targets, lower = [], [], [], [], []
    for d, p in enumerate(problems):
        assert isinstance(p.loss, Quantile)
        q, s, near = p.loss.q, p.sample_weight, work.near[:, d]
        B, C = hats(work.nodes[d], at[rows]), bends(work.nodes[d])
        (K, P), n = C.shape, int(near.sum())
        outer = np.where(near, 0.0, s * np.where(work.above[:, d], q, q - 1.0))
        eye, one = sparse.eye_array(K), sparse.eye_array(n)
        blocks.append(sparse.block_array([[C, -eye, eye, None, None], [B[near], None, None, one, -one]]))
        costs.append(np.concatenate([-(B.T @ outer), np.full(2 * K, p.lam), q * s[near], (1.0 - q) * s[near]]))
        targets.append(np.concatenate([np.zeros(K), p.y[near]]))
        lower.append(np.concatenate([np.full(P, -np.inf), np.zeros(2 * K + 2 * n)]))
        held.append(outer)
    order = _order(at, work, [block.shape[1] for block in blocks])
    low = np.concatenate(lower)
    out = solved(
        np.concatenate(costs),
        A_ub=order,
        b_ub=np.zeros(order.shape[0]),
        A_eq=sparse.block_diag(blocks, format="csr"),
        b_eq=np.concatenate(targets),
        bounds=np.column_stack([low, np.full(len(low), np.inf)]),
    )
    return _read(out, work, held, [block.shape for block in blocks], len(at)) if out.status == 0 else None


def _order(at: Array, work: Working, widths: Sequence[int]) -> Any:
    """Rows that are not positive where neighbours are in order: at sites pair by pair, then at left and right ends."""
    starts, total = np.cumsum([0, *widths[:-1]]), sum(widths)

    def placed(matrix: Any, d: int) -> Any:
        before, after = int(starts[d]), total - int(starts[d]) - matrix.shape[1]
        empty = [sparse.csr_array((matrix.shape[0], width)) for width in (before, after)]
        return sparse.hstack([empty[0], matrix, empty[1]])

    pairs = range(len(work.asked))
    slopes = [end_slopes(nodes) for nodes in work.nodes]
    values = [
        placed(hats(work.nodes[d], at[work.asked[d]]), d) - placed(hats(work.nodes[d + 1], at[work.asked[d]]), d + 1)
        for d in pairs
    ]
    left = [placed(slopes[d + 1][0], d + 1) - placed(slopes[d][0], d) for d in pairs]
    right = [placed(slopes[d][1], d) - placed(slopes[d + 1][1], d + 1) for d in pairs]
    return sparse.vstack([*values, *left, *right], format="csr")


def _read(
    out: Any, work: Working, held: Sequence[Array], shapes: Sequence[tuple[int, int]], m: int
) -> tuple[Splines, OrderMultipliers]:
    """Splines and multipliers, from HiGHS' answer."""
    theta: list[Array] = []
    bent, fit, row, column = [], np.stack(held, axis=1), 0, 0
    for d, (height, width) in enumerate(shapes):
        P = len(work.nodes[d])
        K = P - 2
        theta.append(out.x[column : column + P])
        sizes = out.x[column + P : column + P + K] - out.x[column + P + K : column + P + 2 * K]
        bent.append(sizes != 0.0)  # exact at a vertex
        fit[work.near[:, d], d] = out.eqlin.marginals[row + K : row + height]
        row, column = row + height, column + width
    pairs = len(work.asked)
    multipliers = -np.asarray(out.ineqlin.marginals)
    sites, start = np.zeros((m, pairs)), 0
    for d, asked in enumerate(work.asked):
        sites[asked, d] = multipliers[start : start + len(asked)]
        start += len(asked)
    splines = Splines(work.nodes, tuple(theta), tuple(bent))
    return splines, OrderMultipliers(fit, sites, multipliers[start : start + pairs], multipliers[start + pairs :])
