"""What `rs.lower_bound` proves in five to thirty dimensions, beside what is proven of a given dual vector.

    python benchmarks/lower_bounds.py              all instances, some minutes
    python benchmarks/lower_bounds.py --quick      the small ones

"proven gap" is (objective - bound) / objective of the best network known, by column generation. "one vector" is the gap
by `ContainmentOracle` for that network's own dual vector, "sup ratio" its bound over the supremum that a search found,
"crude" the same for the bound of Cauchy and Schwarz. "program" is the joint form as CVXPY poses it to Clarabel, where
that ends within --limit seconds. CPU-seconds of one thread.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator

import cvxpy as cp
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

import ridgesplines as rs
from ridgesplines.certificate.dual import best_scale
from ridgesplines.oracle import ContainmentOracle
from ridgesplines.oracle.containment import nothing
from ridgesplines.oracle.flows import Containment, best_shares

#: Points for which the joint form is also posed to Clarabel.
PROGRAM_POINTS = 40


def gaussian(d: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two bends and noise among d Gaussian features."""
    rng = np.random.default_rng(d * 100 + n)
    X = rng.standard_normal((n, d))
    return X, np.abs(X[:, 0]) + np.maximum(X[:, 1], 0.0) + 0.3 * rng.standard_normal(n)


def instances(quick: bool) -> Iterator[tuple[str, np.ndarray, np.ndarray, float]]:
    """Name, data, and lam as a part of lambda_max."""
    for d, n, part in ((3, 40, 0.1), (5, 40, 0.1), (10, 40, 0.1), (5, 100, 0.1), (10, 100, 0.1), (10, 100, 0.3)):
        yield f"Gaussian {d} x {n}", *gaussian(d, n), part
    if quick:
        return
    yield "Gaussian 30 x 100", *gaussian(30, 100), 0.1
    X, y = load_diabetes(return_X_y=True)
    for part in (0.6, 0.3, 0.1):
        yield "diabetes 10 x 442", scale(X), scale(y), part
    X, y = load_breast_cancer(return_X_y=True)
    yield "cancer 30 x 569", scale(X), 2.0 * y - 1.0, 0.3


def program(problem: rs.Problem) -> float:
    """The joint form for squared error, dense."""
    X, y, n = problem.X - problem.X.mean(axis=0), problem.y, problem.n_samples
    u = cp.Variable(n)
    constraints = [cp.sum(u) == 0, X.T @ u == 0]
    for sign in (1.0, -1.0):
        p, C, shares = cp.Variable(n, nonneg=True), cp.Variable((n, n), nonneg=True), cp.Variable(n)
        R = 0.5 * (cp.diag(p) @ X - C @ X)
        constraints += [p - cp.sum(C, axis=0) == sign * u, p == cp.sum(C, axis=1), cp.sum(shares) <= problem.lam**2]
        constraints += [cp.bmat([[cp.diag(shares), R], [R.T, np.eye(X.shape[1])]]) >> 0]
    found = cp.Problem(cp.Maximize(u @ y - cp.sum_squares(u) / 4.0), constraints)
    return float(found.solve(solver="CLARABEL"))


def line(name: str, X: np.ndarray, y: np.ndarray, part: float, max_time: float) -> str:
    """One instance, as a row of the table."""
    problem = rs.Problem(X, y, 1.0)
    problem = problem.with_lam(part * rs.lambda_max(problem))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        best = rs.solve(problem, rs.ColumnGeneration(tol=1e-6, max_time=max_time))
    start = time.process_time()
    bound = rs.lower_bound(problem, max_time=max_time)
    joint = time.process_time() - start
    u, sup = best.certificate.dual, best.certificate.sup
    start = time.process_time()
    proof = ContainmentOracle(X).proof(u, max_time=max_time)
    single = time.process_time() - start
    of_one = (best.objective - best_scale(problem, u, proof.bound)[1]) / best.objective
    none = nothing(proof.points)
    crude = Containment(proof.points, proof.dual, none, none)
    r = [crude.forth.moments(crude.points, sign * crude.dual)[0] for sign in (1.0, -1.0)]
    shared = (type(none)(none.to, none.amounts, best_shares(each, np.eye(X.shape[1]))) for each in r)
    crude = Containment(proof.points, proof.dual, *shared)
    dense = ""
    if len(X) <= PROGRAM_POINTS:
        start = time.process_time()
        value = program(problem)
        dense = f"{(best.objective - value) / best.objective:.2%}, {time.process_time() - start:.1f} s"
    gap = (best.objective - bound.value) / best.objective
    return (
        f"| {name}, {part} | {best.network.n_neurons} | {gap:.2%} | {joint:.1f} | {of_one:.1%} | {single:.1f} "
        f"| {proof.bound / sup:.3f} | {crude.bound / sup:.1f} | {dense} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the small instances only")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for each bound")
    arguments = parser.parse_args()
    print("| instance, lam / lambda_max | K | proven gap | s | one vector | s | sup ratio | crude | program |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, X, y, part in instances(arguments.quick):
        print(line(name, X, y, part, arguments.limit), flush=True)


if __name__ == "__main__":
    main()
