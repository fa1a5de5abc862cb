"""Neurons of few features by passes over rows: the suprema and the fits of the same rows in memory."""

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.oracle import buckets
from ridgesplines.rows import MemoryRows, sums
from ridgesplines.rows.data import BlockedData
from ridgesplines.rows.facts import Facts


@pytest.fixture(autouse=True)
def _cells_are_small(monkeypatch):
    monkeypatch.setattr(sums, "CELL_ROWS", 256)


def table(n=1500):
    """Rounded and clipped features in other units, with ties, one of them smooth; weights of which some are zero."""
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(n, 4)) * [1.0, 3.0, 10.0, 1.0], 1).clip(-8.0, 8.0)
    X[:, 3] = rng.uniform(size=n)
    f = np.abs(X[:, 0] - 0.5) + np.maximum(X[:, 1] + X[:, 2] / 3.0 - 1.0, 0.0) + np.sin(5.0 * X[:, 3])
    return X, np.round(f + 0.3 * rng.standard_normal(n), 2), rng.integers(0, 3, n).astype(float)


def in_pieces(problem):
    rows = MemoryRows(problem.X, problem.y, problem.sample_weight)
    return problem.on(BlockedData(rows, problem.loss, problem.activation, Facts.of(rows, problem.loss)))


@pytest.mark.parametrize(("first", "parts", "few"), [(1024, 64, 2**17), (8, 4, 40), (2, 3, 0)])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(0.3)], ids=str)
def test_the_supremum_over_one_feature_is_exact(loss, first, parts, few, monkeypatch):
    monkeypatch.setattr(buckets, "FIRST", first)
    monkeypatch.setattr(buckets, "PARTS", parts)
    monkeypatch.setattr(buckets, "FEW", few)
    monkeypatch.setattr(buckets, "DIVISIONS", 40)
    X, y, weight = table(700)
    problem = rs.Problem(X, y, 1.0, loss, sample_weight=weight, interactions=1)
    rtol = 1e-12 if loss.quadratic else 1e-7  # optima of Newton's method
    np.testing.assert_allclose(rs.lambda_max(in_pieces(problem)), rs.lambda_max(problem), rtol=rtol)
    rng = np.random.default_rng(1)
    W = np.eye(4)[rng.integers(0, 4, 5)]
    net = rs.RidgeSpline(W, rng.uniform(-1.0, 1.0, 5), rng.normal(size=5), rng.normal(size=4), 0.3)
    if not loss.quadratic:
        problem = problem.with_lam(30.0)
        net = rs.solve(problem, rs.ColumnGeneration(tol=1e-12)).network
    known, found = (rs.evaluate(p, net, max_time=0.0).certificate for p in (problem, in_pieces(problem)))
    assert str(found.scope) == str(known.scope) == "exact"
    np.testing.assert_allclose(found.sup, known.sup, rtol=rtol)
    np.testing.assert_allclose(np.abs(known.eta(*(part[:1] for part in found.peaks))), known.sup, rtol=rtol)


def test_a_network_far_from_the_optimum_gets_no_false_bound():
    X, y, weight = table(700)
    problem = rs.Problem(X, y, 30.0, rs.Huber(0.3), sample_weight=weight, interactions=1)
    far = rs.RidgeSpline(np.eye(4)[:1], [0.0], [40.0], [50.0, 3.0, -9.0, 7.0], 300.0)
    optimum = rs.solve(problem, rs.ColumnGeneration(tol=1e-8)).objective
    judged = rs.evaluate(in_pieces(problem), far)
    assert judged.certificate.value <= optimum <= judged.objective
    assert judged.gap >= judged.objective - optimum


@pytest.mark.parametrize("interactions", [1, 2, [[0], [1, 2], [3]], [[0, 3], [1]]], ids=str)
def test_fits_of_groups_are_those_in_memory(interactions):
    X, y, weight = table()
    problem = rs.Problem(X, y, 60.0, sample_weight=weight, interactions=interactions)
    known = rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
    assert str(known.certificate.scope) == "exact"
    solution = rs.solve(in_pieces(problem), rs.ColumnGeneration(tol=1e-6))
    assert known.certificate.value * (1.0 - 1e-12) <= solution.objective <= known.objective * (1.0 + 2e-6)
    assert problem.interactions.allow(solution.network.weights).all()
    assert str(solution.certificate.scope) == ("exact" if interactions == 1 else "searched")
    own = rs.evaluate(problem, solution.network, max_time=0.0)
    np.testing.assert_allclose(solution.objective, own.objective, rtol=1e-12)
    np.testing.assert_allclose(solution.certificate.sup, own.certificate.sup, rtol=1e-5)
    if interactions == 1:
        assert solution.objective - solution.gap <= known.objective * (1.0 + 1e-12)  # a proven bound
        np.testing.assert_allclose(solution.certificate.sup, own.certificate.sup, rtol=1e-12)


def test_logistic_of_one_feature_at_a_time():
    X, y, weight = table()
    problem = rs.Problem(X, np.where(y > 2.0, 1.0, -1.0), 4.0, rs.Logistic(), sample_weight=weight, interactions=1)
    known = rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
    solution = rs.solve(in_pieces(problem), rs.ColumnGeneration(tol=1e-7))
    assert solution.relative_gap <= 1e-7
    assert str(solution.certificate.scope) == "exact"
    np.testing.assert_allclose(solution.objective, known.objective, rtol=1.1e-7)
