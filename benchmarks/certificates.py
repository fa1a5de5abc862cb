"""What `Solution.certify` proves in a minute: fits of d = 3, 4, 5 features by column generation, lam = 0.05 lambda_max.

    python benchmarks/certificates.py                     all instances, ten minutes or so
    python benchmarks/certificates.py --max-time 10       a quick look
    python benchmarks/certificates.py --features 6 7 --rows 100

Every gap is computed by the library from network and data. "branch and bound" is `BoundedOracle` alone, also where
`certify` had time for an enumeration; its last columns say after how many CPU-seconds, all threads together,
sup|eta| <= (1 + eps) lam was proven. On a machine that is busy with other work these count, the others do not.
"""

from __future__ import annotations

import argparse
import time
import warnings
from importlib.util import find_spec

import numpy as np

import ridgesplines as rs
from ridgesplines.certificate.dual import best_scale
from ridgesplines.oracle.bounded import BoundedOracle

EPSILONS = (0.3, 0.1, 1e-2, 1e-3, 1e-6)


def smooth(n: int, d: int) -> rs.Problem:
    """A smooth target of the first two features and of the distance from the centre, noise of 0.1."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (n, d))
    y = np.sin(np.pi * X[:, 0]) + np.exp(-2.0 * (X**2).sum(axis=1)) + X[:, 0] * X[:, 1]
    problem = rs.Problem(X, y + 0.1 * rng.standard_normal(n), lam=1.0)
    return problem.with_lam(0.05 * rs.lambda_max(problem))


def bounded(solution: rs.Solution, max_time: float) -> tuple[float, float, list[float | None]]:
    """The relative gap by branch and bound alone, its CPU-seconds, and those to each of the accuracies."""
    problem, u, seen = solution.problem, solution.certificate.dual, []
    start = time.process_time()

    def report(_seconds: float, _found: float, bound: float, _cones: int) -> None:
        seen.append((time.process_time() - start, bound))

    found = BoundedOracle(problem.X)(u, max_time=max_time, report=report)
    seconds = time.process_time() - start
    gap = (solution.objective - best_scale(problem, u, found.value)[1]) / solution.objective
    reached = [next((spent for spent, bound in seen if bound <= (1.0 + e) * problem.lam), None) for e in EPSILONS]
    return gap, seconds, reached


def line(n: int, d: int, max_time: float) -> str:
    """One instance, as a row of the table."""
    problem = smooth(n, d)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        searched = rs.solve(problem, rs.ColumnGeneration(max_time=max_time))
    fitted = time.perf_counter()
    proven = searched.certify(max_time=max_time)
    certified = time.perf_counter()
    gap, seconds, reached = bounded(searched, max_time)
    times = " | ".join("-" if t is None else f"{t:.1f}" for t in reached)
    return (
        f"| {d} | {n} | {searched.network.n_neurons} | {searched.relative_gap:.0e}, {fitted - start:.1f} "
        f"| {proven.certificate.scope} | {proven.relative_gap:.1e} | {certified - fitted:.1f} "
        f"| {gap:.1e} | {seconds:.1f} | {times} |"
    )


def main() -> None:
    """Parse the arguments, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[3, 4, 5])
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("--max-time", type=float, default=60.0)
    given = parser.parse_args()
    print("numba", "found" if find_spec("numba") else "not found", "- compiled once before the clock starts")
    first = smooth(50, 3)
    BoundedOracle(first.X)(rs.evaluate(first, rs.RidgeSpline(np.eye(1, 3), [0.0], [0.0])).certificate.dual)
    print("| d | N | K | searched gap, s | scope | proven gap | s | branch and bound | CPU-s |", end="")
    print(" | ".join(f" eps {e:g}" for e in EPSILONS), "|")
    print("|---" * (9 + len(EPSILONS)) + "|")
    for d in given.features:
        for n in given.rows:
            print(line(n, d, given.max_time), flush=True)


if __name__ == "__main__":
    main()
