"""The exact engine where few features act together, `Problem(interactions=k)`: objective, gap, neurons, seconds.

    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1
    python benchmarks/interactions.py                          # all, some minutes
    python benchmarks/interactions.py --only "diabetes"        # a part of the name of a case
    PYTHONPATH=../other python benchmarks/interactions.py      # another checkout, for ratios on the same machine

Times are CPU-seconds of the process, `rs.solve` with its certificate, after small fits that compile; the least of three
where one takes less than `--short` seconds, else of one. `lambda_max`, where lam is a fraction of it, is not counted.
The second table is what interactions do to the error on rows that were held out, Friedman's first function.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from instances import Array, cancer, diabetes, ridges, standardised
from report import about, seconds, table
from sklearn.datasets import make_friedman1

import ridgesplines as rs

#: A tenth of lambda_max of the problem of all features together.
DIABETES, CANCER = 6.75176, 13.932657089575962
FRACTIONS = (0.3, 0.15, 0.08, 0.04)
ROWS = 300


def wavy(n: int) -> rs.Problem:
    """sin x0 cos x1 with noise of 0.1 on a square: a plane, where no interactions are left out."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-3.0, 3.0, (n, 2))
    return rs.Problem(X, np.sin(X[:, 0]) * np.cos(X[:, 1]) + 0.1 * rng.standard_normal(n), 27.06)


def few(problem: rs.Problem, k: int | None, lam: float | None = None) -> rs.Problem:
    """The problem with at most k features together, at lam or at a tenth of its own lambda_max."""
    limited = rs.Problem(problem.X, problem.y, 1.0, interactions=k)
    return limited.with_lam(0.1 * rs.lambda_max(limited) if lam is None else lam)


def large(n: int, d: int) -> rs.Problem:
    """Friedman's first function, features and target standardised, features beyond the fifth do not count."""
    X, y = make_friedman1(n, d, noise=1.0, random_state=0)
    return rs.Problem(standardised(X), standardised(y), 1.0)


#: Problem and the gap that is asked for.
CASES: dict[str, tuple[Callable[[], rs.Problem], float]] = {
    "diabetes, N = 442, d = 10, k = 1": (lambda: few(diabetes(), 1, DIABETES), 1e-6),
    "diabetes, N = 442, d = 10, k = 2": (lambda: few(diabetes(), 2, DIABETES), 1e-6),
    "breast cancer, squared, N = 569, d = 30, k = 1": (lambda: few(cancer(), 1, CANCER), 1e-6),
    "breast cancer, squared, N = 569, d = 30, k = 2": (lambda: few(cancer(), 2, CANCER), 1e-6),
    "Friedman, N = 1e4, d = 10, k = 2, 0.1 lambda_max": (lambda: few(large(10**4, 10), 2), 1e-4),
    "Friedman, N = 1e5, d = 20, k = 1, 0.1 lambda_max": (lambda: few(large(10**5, 20), 1), 1e-6),
    "sin cos, N = 20 000, d = 2, all together": (lambda: wavy(20_000), 1e-6),
}


def solved(problem: rs.Problem, tol: float, max_time: float) -> tuple[rs.Solution, float]:
    """A solution and its CPU-seconds; that it ran out of time stands in its status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        start = time.process_time()
        solution = rs.solve(problem, rs.ColumnGeneration(tol=tol, max_time=max_time))
        return solution, time.process_time() - start


def engine_row(name: str, max_time: float, short: float) -> list[str]:
    """A row of the first table. Each repeat solves a problem of which nothing is known yet."""
    make, tol = CASES[name]
    asked = make()
    fits = []
    while not fits or (len(fits) < 3 and fits[0][1] < short):
        fresh = rs.Problem(asked.X, asked.y, asked.lam, interactions=asked.interactions)
        fits.append(solved(fresh, tol, max_time))
    solution = fits[-1][0]
    gap = f"{solution.relative_gap:.0e} {solution.certificate.scope}"
    note = "" if solution.status == "converged" else f", {solution.status}"
    objective = f"{solution.objective:.8g}"
    K = str(solution.network.n_neurons)
    return [name, f"{asked.lam:.6g}", objective, gap + note, K, seconds(min(t for _, t in fits))]


def split() -> tuple[Array, Array, Array, Array]:
    """Friedman's first function, 300 rows to fit and 1000 to test, in the units of the first."""
    X, y = make_friedman1(ROWS + 1000, noise=1.0, random_state=0)
    X, y = (X - X[:ROWS].mean(axis=0)) / X[:ROWS].std(axis=0), (y - y[:ROWS].mean()) / y[:ROWS].std()
    return X[:ROWS], y[:ROWS], X[ROWS:], y[ROWS:]


def held_out_rows(max_time: float) -> list[list[str]]:
    """The second table: test error, K, gap and seconds for each lam, a fraction of lambda_max of all together."""
    X, y, X_test, y_test = split()
    top = rs.lambda_max(rs.Problem(X, y, 1.0))
    rows = []
    for k in (1, 2, None):
        tol = 1e-3 if k is None else 1e-4
        row = ["all" if k is None else f"k = {k}"]
        for fraction in FRACTIONS:
            solution, took = solved(rs.Problem(X, y, fraction * top, interactions=k), tol, max_time)
            error = np.mean((solution.predict(X_test) - y_test) ** 2) / y_test.var()
            gap = f"{solution.relative_gap:.0e} {solution.certificate.scope}"
            row.append(f"{error:.4f} (K = {solution.network.n_neurons}, {gap}, {seconds(took)})")
        rows.append(row)
    return rows


def compile_all() -> None:
    """Small fits, so that compilation is in nobody's time."""
    for k in (1, 2, None):
        for problem in (ridges(400, 4), ridges(60, 10)):
            solved(rs.Problem(problem.X, problem.y, 3.0, interactions=k), 1e-4, 10.0)
    solved(ridges(400, 2).with_lam(3.0), 1e-6, 10.0)


def main(given: Any) -> None:
    """Both tables."""
    compile_all()
    print("\n".join(about(("numpy", "scipy", "numba", "scikit-learn"))) + "\n", flush=True)
    rows = []
    for name in CASES:
        if given.only in name:
            rows.append(engine_row(name, given.max_time, given.short))
            print(*rows[-1], sep="  ", flush=True)
    if rows:
        print("", *table(("work", "lam", "objective", "gap", "K", "CPU-seconds"), rows), "", sep="\n", flush=True)
    if given.only in "held out":
        head = ("features together", *(f"{fraction:g} lambda_max" for fraction in FRACTIONS))
        print(*table(head, held_out_rows(given.max_time)), sep="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help='a part of the name of a case, or "held out" for the second table')
    parser.add_argument("--max-time", type=float, default=180.0, help="of one fit")
    parser.add_argument("--short", type=float, default=3.0, help="fits that take less are run three times")
    main(parser.parse_args())
