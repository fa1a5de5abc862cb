"""Sample weights over ten decades and more: rows that anchor the spline, and rows that have nearly no say."""

import cvxpy as cp
import numpy as np
import pytest

import ridgesplines as rs


def anchored(n, anchors, seed=0):
    """Noisy data in order, and which rows are anchors."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(n))
    y = np.sin(9.0 * x) + np.abs(x - 0.4) + 0.3 * rng.standard_normal(n)
    return x, y, np.isin(np.arange(n), rng.choice(n, anchors, replace=False))


def optimum_through(x, y, through, lam):
    """The optimum among splines through some of the points, which is the limit of large weights there."""
    values, slopes = cp.Variable(len(x)), cp.Variable(len(x) - 1)
    connected = [cp.diff(values) == cp.multiply(np.diff(x), slopes), values[through] == y[through]]
    objective = cp.sum_squares(values[~through] - y[~through]) + lam * cp.norm1(cp.diff(slopes))
    return cp.Problem(cp.Minimize(objective), connected).solve(solver="CLARABEL")


@pytest.mark.parametrize("lam", [100.0, 1.0, 0.05])
@pytest.mark.parametrize("weight", [1e10, 1e12, 1e14])
def test_anchors_are_passed_through(weight, lam):
    x, y, heavy = anchored(120, 6)
    s = rs.solve(rs.Problem(x, y, lam, sample_weight=np.where(heavy, weight, 1.0)))
    assert s.relative_gap <= 1e-8
    limit = optimum_through(x, y, heavy, lam)  # from below, by sum of u^2 / 4 s
    forced = float((s.certificate.dual[heavy] ** 2).sum()) / (4.0 * weight)
    assert limit - forced - 1e-6 * limit <= s.objective <= limit * (1.0 + 1e-6)


@pytest.mark.parametrize(("n", "anchors"), [(3000, 30), (300, 200)])
def test_more_anchors_and_rows(n, anchors):
    x, y, heavy = anchored(n, anchors)
    p = rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e12, 1.0))
    assert max(rs.solve(p.with_lam(lam)).relative_gap for lam in (100.0, 1.0, 0.1)) <= 1e-8


def test_a_path_with_anchors():
    x, y, heavy = anchored(200, 5)
    path = rs.solve_path(
        rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e11, 1.0)), lams=np.geomspace(30, 0.03, 8)
    )
    assert max(s.relative_gap for s in path) <= 1e-8


def test_vector_outputs_with_anchors():
    x, y, heavy = anchored(150, 5)
    y = np.column_stack([y, np.abs(x - 0.6)])
    p = rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e12, 1.0))
    assert max(rs.solve(p.with_lam(lam)).relative_gap for lam in (30.0, 1.0, 0.1)) <= 1e-8


@pytest.mark.parametrize("decades", [8, 12])
def test_weights_of_every_size(decades):
    x, y, _ = anchored(200, 0)
    weight = 10.0 ** np.random.default_rng(1).uniform(-decades / 2, decades / 2, len(x))
    p = rs.Problem(x, y, 1.0, sample_weight=weight)
    top = rs.lambda_max(p)
    assert max(rs.solve(p.with_lam(top * part)).relative_gap for part in (0.1, 1e-3, 1e-6)) <= 1e-8
