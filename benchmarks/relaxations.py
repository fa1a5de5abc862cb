r"""Two convex relaxations of one problem: `rs.lower_bound` beside the doubly nonnegative one, on 25 points.

    python benchmarks/relaxations.py

Prakhya, Birdal and Yurtsever (2024), Convex formulations for training two-layer ReLU neural networks, arXiv:2410.22311,
write the training of networks of any width as a convex program over the completely positive cone, and relax that cone
to the matrices that are positive semidefinite and nonnegative. This is that relaxation of the functional here, with
free affine part and biases without penalty, made anew from its idea. A neuron is the vector z = (p, q, w, b, v) of the
positive and the negative parts of :math:`w^T x_n - b` at the N points, its weights, bias and amplitude. In
:math:`\Lambda = \sum_k z_k z_k^T` the fit is linear, and so are the seminorm, as the least
:math:`\tfrac12 \sum_k (\|w_k\|^2 + v_k^2)`, and what ties the parts to each other:

.. math:: \min_{\Lambda, a, c} \sum_n (y_n - \Lambda_{p_n v} - a^T x_n - c)^2
          + \tfrac{\lambda}{2} (\mathrm{tr} \Lambda_{ww} + \Lambda_{vv})
          \quad \text{with } \Lambda \succeq 0, \Lambda_{(p,q)(p,q)} \ge 0, \Lambda_{p_n q_n} = 0, M \Lambda = 0

for M z = p - q - (X w - b). The last condition is used to eliminate q, which changes no value: what is left is a
semidefinite matrix of size N + d + 2. With rank-one terms only it would be the problem itself.

"gap" is (optimum - bound) / optimum, of the optimum that `certify` proves; its own gap is below 1e-6 in all rows. The
value of the relaxation is the one that Clarabel reports at its default tolerances; ours is computed from its proof.
"random" has two features and a target of 100 random neurons, as in section 5 of the paper but with one output;
"spiral" two classes, as numbers. CPU-seconds of one thread, CVXPY's preparation included.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator

import cvxpy as cp
import numpy as np

import ridgesplines as rs

POINTS = 25


def random_target(d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A network of 100 Gaussian neurons without biases at Gaussian points."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((POINTS, d))
    return X, np.maximum(X @ rng.standard_normal((d, 100)), 0.0) @ rng.standard_normal(100)


def spiral(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms about the origin, labelled by -1 and 1."""
    rng = np.random.default_rng(seed)
    arm = np.arange(POINTS) % 2
    radius = np.linspace(0.1, 1.0, POINTS)
    angle = 6.0 * radius + np.pi * arm + 0.1 * rng.standard_normal(POINTS)
    return radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), 2.0 * arm - 1.0


def instances() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name and data."""
    for seed in (0, 1, 2):
        yield f"random {seed}, d = 2", *random_target(2, seed)
    yield "spiral, d = 2", *spiral(0)
    yield "random, d = 3", *random_target(3, 0)
    yield "random, d = 4", *random_target(4, 0)


def doubly_nonnegative(problem: rs.Problem) -> float:
    """The relaxation's value for squared error."""
    X, y, n, d = problem.X, problem.y, problem.n_samples, problem.n_features
    L = cp.Variable((n + d + 2, n + d + 2), PSD=True)  # of (p, w, b, v)
    A = np.hstack([X, -np.ones((n, 1))])
    cross = A @ L[n:-1, :n]
    both = L[:n, :n] - cross.T  # of p with q = p - A (w, b)
    negative = L[:n, :n] - cross - cross.T + A @ L[n:-1, n:-1] @ A.T
    slope, offset = cp.Variable(d), cp.Variable()
    fit = L[:n, -1] + X @ slope + offset
    penalty = 0.5 * problem.lam * (cp.trace(L[n : n + d, n : n + d]) + L[-1, -1])
    constraints = [L[:n, :n] >= 0, both >= 0, negative >= 0, cp.diag(both) == 0]
    program = cp.Problem(cp.Minimize(cp.sum_squares(y - fit) + penalty), constraints)
    return float(program.solve(solver="CLARABEL"))


def line(name: str, X: np.ndarray, y: np.ndarray, part: float) -> str:
    """One instance, as a row of the table."""
    problem = rs.Problem(X, y, 1.0)
    problem = problem.with_lam(part * rs.lambda_max(problem))
    best = rs.solve(problem).certify()
    start = time.process_time()
    ours = rs.lower_bound(problem).value
    middle = time.process_time()
    theirs = doubly_nonnegative(problem)
    seconds = middle - start, time.process_time() - middle
    gaps = [(best.objective - value) / best.objective for value in (ours, theirs)]
    return (
        f"| {name}, {part} | {best.objective:.6g} ({best.relative_gap:.0e}) | {best.network.n_neurons} "
        f"| {gaps[0]:.2%} | {seconds[0]:.2f} | {gaps[1]:.2%} | {seconds[1]:.1f} |"
    )


def main() -> None:
    warnings.simplefilter("ignore")
    print("| data, lam / lambda_max | optimum (gap) | K | flows: gap | s | doubly nonnegative: gap | s |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, X, y in instances():
        for part in (0.3, 0.1):
            print(line(name, X, y, part), flush=True)


if __name__ == "__main__":
    main()
