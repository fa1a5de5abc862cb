"""D linear splines in order, to their joint optimum: rounds of small linear programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ridgesplines.certificate.ordered import OrderMultipliers, eta, order_bound
from ridgesplines.interrupt import check
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solvers.ordered.program import Splines, Working, hats, program
from ridgesplines.validation import Array

MAX_ROUNDS = 200
#: Functions are in order at a site up to this, where targets are of size one.
ORDER = 1e-9
#: A site is a knot to be where |eta| exceeds lam by this, relatively.
CUT_RTOL = 1e-9
#: Rows that may change their side of the fit in the first program, at least, for each function.
ROWS = 500


def ordered(
    problems: Sequence[Problem], at: Array, rows: NDArray[np.intp], starts: Sequence[RidgeSpline]
) -> tuple[list[RidgeSpline], OrderMultipliers, int]:
    """The splines in order of least total objective, multipliers that prove it, and how many rounds it took.

    Knots join where eta exceeds lam, the order is asked for where it fails, and rows are let free that turn out to lie
    on the other side: of each run of sites the worst. What joins stays, so that the rounds end.

    Parameters
    ----------
    problems : one for each function, in scaled units, with one X, y and weights.
    at : the sites, shape (m,).
    rows : the site of each row.
    starts : networks near the optimum, such as those without order.
    """
    work = _start(problems, at, rows, starts)
    best: Splines | None = None
    multipliers: OrderMultipliers | None = None
    count = 0
    while count < MAX_ROUNDS:
        count += 1
        check()
        answer = program(problems, at, rows, work)
        if answer is None and work.near.all():
            break
        if answer is None:
            work = replace(work, near=np.ones_like(work.near))
            continue
        best, multipliers = answer
        larger = _larger(problems, at, rows, work, *answer)
        if larger is None:
            break
        work = larger
    if best is None or multipliers is None:
        raise RuntimeError("HiGHS found no splines in order, though constants are")
    networks = [_spline(*parts) for parts in zip(*best, strict=True)]
    return networks, order_bound(problems, at, rows, multipliers).multipliers, count


def _start(problems: Sequence[Problem], at: Array, rows: NDArray[np.intp], starts: Sequence[RidgeSpline]) -> Working:
    """The knots of all starts for each function, at sites, and the rows nearest to each start."""
    knots = np.concatenate([net.breakpoints for net in starts])
    inner = np.unique(at[np.minimum(np.searchsorted(at, knots), len(at) - 1)])
    nodes = np.concatenate([[at[0] - 1.0], inner, [at[-1] + 1.0]])  # a bend at an end turns the slope beyond it
    y, fits = problems[0].y, np.stack([net(at[rows, None]) for net in starts], axis=1)
    distance = np.abs(y[:, None] - fits)
    count = min(len(y), max(ROWS, 4 * len(nodes)))
    near = distance <= np.partition(distance, count - 1, axis=0)[count - 1]
    asked = tuple(np.empty(0, dtype=np.intp) for _ in problems[1:])
    return Working((nodes,) * len(problems), asked, near, y[:, None] > fits)


def _larger(
    problems: Sequence[Problem],
    at: Array,
    rows: NDArray[np.intp],
    work: Working,
    splines: Splines,
    multipliers: OrderMultipliers,
) -> Working | None:
    """The program with what its answer violates; None where that is nothing."""
    values = np.stack([hats(nodes, at) @ some for nodes, some in zip(*splines[:2], strict=True)], axis=1)
    wrong = ~work.near & ((problems[0].y[:, None] > values[rows]) != work.above)
    crossed = np.diff(-values, axis=1)  # positive where the lower function lies above
    asked = tuple(np.union1d(old, _worst(crossed[:, d], ORDER)).astype(np.intp) for d, old in enumerate(work.asked))
    lams = np.array([p.lam for p in problems])
    excess = np.abs(eta(at, rows, multipliers)) / lams
    nodes = tuple(np.union1d(old, at[_worst(excess[:, d], 1.0 + CUT_RTOL)]) for d, old in enumerate(work.nodes))
    grown = sum(map(len, asked)) > sum(map(len, work.asked)) or sum(map(len, nodes)) > sum(map(len, work.nodes))
    return Working(nodes, asked, work.near | wrong, work.above) if grown or wrong.any() else None


def _worst(values: Array, least: float) -> NDArray[np.intp]:
    """Of every run of entries above `least` the place of the largest."""
    beyond = np.flatnonzero(values > least)
    runs = np.split(beyond, np.flatnonzero(np.diff(beyond) > 1) + 1) if len(beyond) else []
    return np.array([run[np.argmax(values[run])] for run in runs], dtype=np.intp)


def _spline(nodes: Array, values: Array, bent: NDArray[np.bool_]) -> RidgeSpline:
    """The spline through these values, with knots where it bends."""
    kept = np.concatenate([[True], bent, [True]])
    return RidgeSpline.through(nodes[kept], values[kept])
