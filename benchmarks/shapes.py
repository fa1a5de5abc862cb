"""Fits with shape constraints beside the same program in CVXPY with CLARABEL, and beside the fit without constraints.

All in one process, times are CPU times of that process. The objective of CLARABEL's answer is computed here, from its
values and slopes, and held against our certified lower bound; how far it violates the shape is said beside it.

    python benchmarks/univariate.py --shapes            N = 1e4 and 1e5
    python benchmarks/univariate.py --shapes --quick    N = 1e4
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from report import line, seconds
from scipy import sparse

import ridgesplines as rs
from ridgesplines.constraints import Constraint

Array = NDArray[np.float64]

SHAPES: dict[str, list[Constraint]] = {
    "Monotone()": [rs.Monotone()],
    "Convex()": [rs.Convex()],
    "Lipschitz(1.5)": [rs.Lipschitz(1.5)],
    "FixedValues at three points": [rs.FixedValues([0.1, 0.5, 0.9], [0.4, 0.4, 1.0])],
    "EndSlopes(0, 0)": [rs.EndSlopes(0.0, 0.0)],
    "Bounds(0.2, 1)": [rs.Bounds(0.2, 1.0)],
}
HEADER = (
    "| shape | N | free fit | ours | K | certified gap | CLARABEL: prepare | solve | suboptimality | bends above 1e-6 "
    "| ours / free | CLARABEL / ours |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def instance(n: int, name: str) -> rs.Problem:
    """A curve that no shape here is satisfied by: it rises and falls, bends both ways, and leaves the bounds."""
    rng = np.random.default_rng(0)
    x = rng.random(n)
    y = np.abs(x - 0.4) + 0.5 * np.sin(9.0 * x) + 0.2 * rng.standard_normal(n)
    return rs.Problem(x, y, n * 2e-4, constraints=SHAPES[name])


def clarabel(p: rs.Problem) -> tuple[float, float, float, int]:
    """Seconds to prepare and to solve, the objective, and how many bends are larger than 1e-6."""
    import cvxpy as cp

    start, shape = time.process_time(), p.constraint
    t, where = np.unique(np.concatenate([p.X[:, 0], shape.points]), return_inverse=True)
    t = np.concatenate([t[:1] - 1.0, t, t[-1:] + 1.0])  # slopes far out, and bends at the ends
    k, at = len(t), 1 + where
    g, d = cp.Variable(k), cp.Variable(k - 1)
    rises = sparse.diags_array([-np.ones(k - 1), np.ones(k - 1)], offsets=[0, 1], shape=(k - 1, k))
    held = [rises @ g == cp.multiply(np.diff(t), d)]
    for slopes, (low, high) in (
        (d, (shape.slope_low, shape.slope_high)),
        (d[0], shape.outer[0]),
        (d[k - 2], shape.outer[1]),
        (g[1 : k - 1], (shape.low, shape.high)),
    ):
        held += [slopes >= low] if np.isfinite(low) else []
        held += [slopes <= high] if np.isfinite(high) else []
    held += [] if shape.bends_down else [cp.diff(d) >= 0.0]
    held += [] if shape.bends_up else [cp.diff(d) <= 0.0]
    n = p.n_samples
    held += [g[at[n:]] == np.array(shape.values)] if shape.points else []
    program = cp.Problem(cp.Minimize(cp.sum_squares(g[at[:n]] - p.y) + p.lam * cp.norm1(cp.diff(d))), held)
    program.get_problem_data("CLARABEL")
    ready = time.process_time()
    program.solve(solver="CLARABEL")
    done, bends = time.process_time(), np.abs(np.diff(d.value))
    objective = float(((g.value[at[:n]] - p.y) ** 2).sum() + p.lam * bends.sum())
    return ready - start, done - ready, objective, int((bends > 1e-6).sum())


def rows(sizes: tuple[int, ...]) -> Iterator[str]:
    """The lines of the table."""
    for n in (1000, *sizes):  # the first is a warm-up, and is not printed
        for name in SHAPES:
            p = instance(n, name)
            start = time.process_time()
            rs.solve(p.unconstrained)
            middle = time.process_time()
            ours = rs.solve(instance(n, name))
            own, free = time.process_time() - middle, middle - start
            prepare, solve, objective, bends = clarabel(p)
            error = (objective - ours.certificate.value) / abs(objective)
            cells = [name, f"{n:,}", seconds(free), seconds(own), f"{ours.network.n_neurons}"]
            cells += [f"{ours.relative_gap:.1e}", seconds(prepare), seconds(solve), f"{error:.1e}", f"{bends:,}"]
            cells += [f"{own / free:.3g}", f"{(prepare + solve) / own:.3g}"]
            if n in sizes:
                yield line(cells)


def race(sizes: tuple[int, ...]) -> None:
    """Print the table, line by line."""
    print(HEADER, flush=True)
    for row in rows(sizes):
        print(row, flush=True)
