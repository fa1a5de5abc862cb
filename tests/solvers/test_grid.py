"""One dimension: the solution against an independent formulation, written here with dense matrices."""

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum
from instances import LOSSES, ids, noisy, problem

import ridgesplines as rs


def dense_optimum(p):
    """min over a, c of the loss of H a + [1 x] c plus lam times the norm of a; H holds every ReLU at the data.

    The loss formulas are written out again; nothing of the package's own solvers is used.
    """
    x = p.X[:, 0]
    H = np.maximum(x[:, None] - x[None, 1:-1], 0.0)
    A = np.column_stack([np.ones(len(x)), x])
    D = p.n_outputs
    a = cp.Variable((H.shape[1], D) if D else H.shape[1])
    c = cp.Variable((2, D) if D else 2)
    z = H @ a + A @ c
    norm = cp.sum(cp.norm(a, 2, axis=1)) if D else cp.norm1(a)
    return minimum(p, z, norm)


@pytest.mark.parametrize("n", [25, 100, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_objective_equals_the_dense_one(loss, n):
    p = problem(loss, n)
    solution = rs.solve(p)
    assert solution.objective == pytest.approx(dense_optimum(p), rel=1e-6)
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-6
    assert solution.network.n_neurons <= (n - 2) * (p.n_outputs or 1)


def test_vector_outputs_have_the_group_norm():
    X, y = noisy(60)
    p = rs.Problem(X, np.column_stack([y, y**2, X[:, 0]]), 0.02)
    solution = rs.solve(p)
    assert solution.objective == pytest.approx(dense_optimum(p), rel=1e-6)
    assert solution.relative_gap <= 1e-6


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_sample_weights(loss):
    weight = np.random.default_rng(3).uniform(0.1, 3.0, 40)
    p = problem(loss, 40, sample_weight=weight)
    assert rs.solve(p).objective == pytest.approx(dense_optimum(p), rel=1e-6)
