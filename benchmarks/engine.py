"""The way of `rs.ColumnGeneration` to its optimum: CPU-seconds to 1 %, 0.1 % and 1e-6 above the best objective known.

    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1
    python benchmarks/engine.py                                      # this checkout
    PYTHONPATH=../other python benchmarks/engine.py                  # another one, for ratios on the same machine
    python benchmarks/engine.py --only "diabetes" --max-time 60

Objectives are those that the solver prints in each round with `verbose`, stamped with the process's CPU time; the last
two columns are the solution's own. The clock starts with `rs.solve`, after a small fit that compiles, and lam is given.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from instances import cancer, diabetes, ridges, smooth
from report import about, table

import ridgesplines as rs

WITHIN = (1e-2, 1e-3, 1e-6)


def friedman(n: int) -> rs.Problem:
    """Friedman's first function of ten features, noise 1."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 10))
    f = 10.0 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20.0 * (X[:, 2] - 0.5) ** 2 + 10.0 * X[:, 3] + 5.0 * X[:, 4]
    return rs.Problem(X, f + rng.normal(size=n), 1.0)


#: Problem, lam, and the least objective that any run has reached, which is no bound.
CASES: dict[str, tuple[Callable[[], rs.Problem], float, float]] = {
    "Friedman, N = 2000, d = 10, 0.1 lambda_max": (lambda: friedman(2000), 41.374750205712354, 5228.432656),
    "Friedman, N = 2000, d = 10, 0.02 lambda_max": (lambda: friedman(2000), 8.274950041142471, 2393.6973),
    "diabetes, N = 442, d = 10, 0.1 lambda_max": (diabetes, 6.751762880572572, 165.408425),
    "breast cancer, squared, N = 569, d = 30, 0.1 lambda_max": (cancer, 13.932657089575963, 61.0623069),
    "smooth, N = 500, d = 5, 0.1 lambda_max": (lambda: smooth(500, 5), 9.20338, 101.62024),
}


class Stamps(io.StringIO):
    """Standard error, of which each line that names an objective is kept with the CPU time."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.seen = time.process_time(), list[tuple[float, float]]()

    def write(self, text: str) -> int:
        if found := re.search(r"objective (\S+)", text):
            self.seen.append((time.process_time() - self.began, float(found.group(1))))
        return len(text)


def run(name: str, max_time: float) -> list[str]:
    """A row of the table."""
    make, lam, best = CASES[name]
    problem, error = make().with_lam(lam), sys.stderr
    sys.stderr = stamps = Stamps()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solution = rs.solve(problem, rs.ColumnGeneration(max_time=max_time, verbose=True))
    finally:
        sys.stderr = error
    took = time.process_time() - stamps.began
    row = [name]
    for share in WITHIN:
        when = [seconds for seconds, objective in stamps.seen if objective <= best * (1.0 + share)]
        row.append(f"{when[0]:.2f}" if when else "-")
    gap = f"{solution.relative_gap:.0e} {solution.certificate.scope}"
    return [*row, f"{took:.1f}", f"{solution.objective:.8g}", f"{gap}, {solution.status}"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a part of the name of a case")
    parser.add_argument("--max-time", type=float, default=120.0)
    given = parser.parse_args()
    rs.solve(ridges(300, 3).with_lam(3.0), rs.ColumnGeneration(tol=1e-3))
    print(*about(["numba"]), f"ridgesplines from {rs.__file__.rsplit('/', 2)[0]}", "", sep="\n")
    head = ["work", *(f"to {share:g}" for share in WITHIN), "all", "objective", "gap"]
    print(*table(head, [run(name, given.max_time) for name in CASES if given.only in name]), sep="\n")
