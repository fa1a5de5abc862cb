"""A penalty of the slope: against programs in CVXPY, scikit-learn's linear classifiers, and weak duality."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

import ridgesplines as rs
from tests.formulas import minimum
from tests.instances import ids

SMOOTH = [rs.Squared(), rs.Huber(0.5), rs.Logistic(), rs.Poisson()]
KINKED = [rs.Absolute(), rs.Quantile(0.3), rs.Hinge()]


def table(loss, n=30, d=1, seed=0):
    """Rounded and clipped x with ties, weights with zeros, and classes that one feature separates."""
    rng = np.random.default_rng(seed)
    X = np.clip(np.round(rng.normal(20.0, 3.0, (n, d)), 1), 15.0, 25.0)
    weight = rng.integers(0, 4, n).astype(float)
    bent = np.abs(X[:, 0] - 19.0) + X[:, -1] - 20.0 + rng.normal(0.0, 0.5, n)
    if isinstance(loss, rs.Softmax):
        return X, np.digitize(X[:, 0], [19.0, 21.0]), weight
    if loss.labels:
        return X, np.where(X[:, 0] > 20.0, 1.0, -1.0), weight
    return X, np.round(np.exp(0.2 * bent)) if isinstance(loss, rs.Poisson) else bent, weight


def nearest_slope(p):
    """The rows that take values at the data to the slope of their weighted least-squares affine fit."""
    root = np.sqrt(p.sample_weight)[:, None]
    return (np.linalg.pinv(root * np.column_stack([np.ones(len(p.X)), p.X])) * root.T)[1:]


def steepness(p, z):
    return 0.5 * p.slope_penalty / p.lam * cp.sum_squares(nearest_slope(p) @ z)


@pytest.mark.parametrize("loss", SMOOTH + KINKED, ids=ids)
@pytest.mark.parametrize("mu", [0.1, 30.0])
def test_on_a_line_it_is_the_minimum_of_a_convex_program(loss, mu):
    X, y, weight = table(loss)
    problem = rs.Problem(X, y, 0.5, loss, sample_weight=weight, slope_penalty=mu)
    solution, p = rs.solve(problem), problem.reduced
    sites, place = np.unique(p.X[:, 0], return_inverse=True)
    values = cp.Variable(len(sites))
    slopes, z = cp.multiply(cp.diff(values), 1.0 / np.diff(sites)), values[place]
    best = minimum(p, z, cp.norm1(cp.diff(slopes)) + steepness(p, z))
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-6
    assert solution.objective == pytest.approx(best, rel=2e-6)
    assert solution.network.n_neurons <= len(sites) - 2


@pytest.mark.parametrize("loss", [rs.Logistic(), rs.Squared(), rs.Huber(0.5), rs.Softmax()], ids=ids)
@pytest.mark.parametrize("d", [1, 3])
def test_on_a_grid_it_is_the_minimum_among_its_neurons(loss, d):
    X, y, weight = table(loss, 20, d)
    directions = np.eye(d)[:2]
    problem = rs.Problem(X, y, 0.5, loss, sample_weight=weight, slope_penalty=2.0)
    solution, p = rs.solve(problem, rs.Grid(directions)), problem.reduced
    W, b = np.repeat(directions, len(p.X), axis=0), (p.X @ directions.T).T.ravel()
    a, affine = cp.Variable((len(b), *p.outputs)), cp.Variable((d + 1, *p.outputs))
    z = np.maximum(p.X @ W.T - b, 0.0) @ a + np.column_stack([np.ones(len(p.X)), p.X - 20.0]) @ affine
    norm = cp.norm1(a) if p.n_outputs is None else cp.sum(cp.norm(a, axis=1))
    assert solution.certificate.scope == ("exact" if d == 1 else "dictionary")
    assert solution.dictionary_gap <= 1e-10
    assert solution.objective == pytest.approx(minimum(p, z, norm + steepness(p, z)), rel=2e-6)
    assert 0 < solution.network.n_neurons <= len(p.X) * (p.n_outputs or 1)
    alone = rs.solve(problem.with_lam(1.01 * rs.lambda_max(problem)), rs.Grid(directions))
    assert alone.network.n_neurons == 0
    assert alone.relative_gap <= 1e-6


@pytest.mark.parametrize("loss", [rs.Logistic(), rs.Hinge(), rs.Squared(), rs.Softmax()], ids=ids)
def test_no_network_of_many_neurons_in_a_plane_is_better(loss):
    """Neurons in 24 directions with biases at all data: the optimum over all directions lies below, and not far."""
    X, y, weight = table(loss, 20, 2)
    problem = rs.Problem(X, y, 0.5, loss, sample_weight=weight, slope_penalty=0.3)
    solution, p = rs.solve(problem), problem.reduced
    angles = np.pi * np.arange(24) / 24
    W = np.column_stack([np.cos(angles), np.sin(angles)])
    W = np.concatenate([np.repeat(W, len(p.X), axis=0), solution.network.weights])
    b = np.concatenate([(W[: 24 * len(p.X)].reshape(24, -1, 2) * p.X).sum(axis=2).ravel(), solution.network.biases])
    a, affine = (cp.Variable((k, *p.outputs)) for k in (len(b), 3))
    z = np.maximum(p.X @ W.T - b, 0.0) @ a + np.column_stack([np.ones(len(p.X)), p.X - 20.0]) @ affine
    norm = cp.norm1(a) if p.n_outputs is None else cp.sum(cp.norm(a, axis=1))
    best = minimum(p, z, norm + steepness(p, z))
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-6
    assert solution.certificate.value <= best * (1.0 + 1e-6)
    assert solution.objective == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_without_neurons_it_is_logistic_regression(classes):
    rng = np.random.default_rng(1)
    X, weight = np.round(rng.standard_normal((60, 4)), 1), rng.integers(1, 4, 60).astype(float)
    codes = np.digitize(X[:, 0] + 0.1 * X[:, 1], [0.0, 0.7][: classes - 1])
    loss, y = (rs.Logistic(), 2.0 * codes - 1.0) if classes == 2 else (rs.Softmax(), codes)
    problem = rs.Problem(X, y, 1.0, loss, sample_weight=weight, slope_penalty=0.5)
    network = rs.solve(problem.with_lam(1.01 * rs.lambda_max(problem))).network
    model = LogisticRegression(C=2.0, tol=1e-10, max_iter=5000).fit(X, codes, sample_weight=weight)
    assert network.n_neurons == 0
    slope = network.slope[None] if classes == 2 else network.slope.T
    assert slope == pytest.approx(model.coef_, abs=1e-5)
    assert rs.solve(problem.with_lam(0.95 * rs.lambda_max(problem))).network.n_neurons > 0


def test_hinge_finds_the_largest_margin():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((40, 3))
    y = np.where(X @ [1.0, 0.5, -0.2] > 0.0, 1.0, -1.0)
    X += 0.3 * y[:, None] * np.array([1.0, 0.5, -0.2])
    plain = rs.Problem(X, y, 1.0, rs.Hinge())
    network = rs.solve(plain.with_slope_penalty(1e-3).with_lam(1.0)).network
    widest = SVC(kernel="linear", C=1e6, tol=1e-8).fit(X, y)
    assert network.n_neurons == 0
    assert network.slope == pytest.approx(widest.coef_[0], rel=1e-4)
    margins = [(y * net(X)).min() / np.linalg.norm(net.slope) for net in (network, rs.solve(plain).network)]
    assert margins[0] > 1.05 * margins[1]  # what hinge alone returns separates too, less widely


@pytest.mark.parametrize("loss", [rs.Logistic(), rs.Absolute(), rs.Softmax()], ids=ids)
def test_every_dual_vector_proves_a_bound(loss):
    """Weak duality for certificates of networks that are far from optimal, and of a solution's neighbours."""
    X, y, weight = table(loss, 25, 2)
    problem = rs.Problem(X, y, 0.5, loss, sample_weight=weight, slope_penalty=2.0)
    solution, rng = rs.solve(problem), np.random.default_rng(3)
    for size in (1e-3, 1.0):
        W = rng.standard_normal((3, 2))
        other = rs.RidgeSpline(
            W, W @ [20.0, 20.0], size * rng.standard_normal((3, *problem.outputs)), solution.network.slope
        )
        judged = rs.evaluate(problem, other)
        assert judged.certificate.value <= solution.objective * (1.0 + 1e-9)
        assert judged.gap >= judged.objective - solution.objective - 1e-9


def test_rows_count_by_their_weights_and_units_do_not_count():
    X, y, weight = table(rs.Logistic(), 30, 2)
    problem = rs.Problem(X, y, 0.5, rs.Logistic(), sample_weight=weight, slope_penalty=0.7)
    objective = rs.solve(problem, rs.ColumnGeneration(tol=1e-9)).objective
    again = np.repeat(np.arange(len(X)), weight.astype(int))
    others = {
        "repeated": rs.Problem(X[again], y[again], 0.5, rs.Logistic(), slope_penalty=0.7),
        "in thousandths": rs.Problem(1e3 * X - 7.0, y, 500.0, rs.Logistic(), None, weight, slope_penalty=0.7e6),
    }
    for name, other in others.items():
        assert rs.solve(other, rs.ColumnGeneration(tol=1e-9)).objective == pytest.approx(objective, rel=1e-8), name


def test_a_vanishing_penalty_is_none():
    X, y, weight = table(rs.Squared(), 30, 2)
    plain = rs.Problem(X, y, 0.5, sample_weight=weight)
    assert rs.solve(plain.with_slope_penalty(1e-9)).objective == pytest.approx(rs.solve(plain).objective, rel=1e-6)


def test_what_a_solution_knows_of_it(tmp_path):
    X, y, weight = table(rs.Hinge(), 25, 2)
    solution = rs.solve(rs.Problem(X, y, 0.5, rs.Hinge(), sample_weight=weight, slope_penalty=2.0))
    assert "mu = 2" in solution.summary()
    assert "slope_penalty=2" in repr(solution.problem)
    total = solution.data_fit + 0.5 * solution.seminorm + solution.slope_cost
    assert solution.objective == total
    assert solution.slope_cost > 0.0
    net, p = solution.network, solution.problem.reduced
    u, eta = solution.certificate.dual[solution.problem.rows], solution.certificate.eta(net.weights, net.biases)
    assert p.X.T @ u == pytest.approx(2.0 * nearest_slope(p) @ net(p.X), rel=1e-4, abs=1e-6)  # X^T u = mu c
    assert eta == pytest.approx(0.5 * np.sign(net.amplitudes), rel=1e-4)
    solution.save(tmp_path / "solution.npz")
    loaded = rs.Solution.load(tmp_path / "solution.npz")
    assert loaded.problem.slope_penalty == 2.0
    assert loaded.relative_gap == pytest.approx(solution.relative_gap, rel=1e-6)
    assert loaded.certificate.eta(net.weights, net.biases) == pytest.approx(eta)
    assert rs.evaluate(solution.problem, net).relative_gap <= 1e-5
    assert solution.certify().certificate.scope == "exact"


def test_who_refuses_says_so():
    X, y, _ = table(rs.Logistic(), 20, 2)
    problem = rs.Problem(X, y, 0.5, rs.Logistic(), slope_penalty=1.0)
    kinked = rs.Problem(X, y, 0.5, rs.Hinge(), slope_penalty=1.0)
    for solver, posed in ((rs.Grid(), kinked), (rs.Univariate(), problem), (rs.Arrangement(), problem)):
        with pytest.raises(rs.SolverRefusal, match=r"slope_penalty=0.*ColumnGeneration"):
            rs.solve(posed, solver)
    with pytest.raises(rs.SolverRefusal, match="slope_penalty=0"):
        rs.lower_bound(problem)
    with pytest.raises(rs.ProblemError, match="slope_penalty=0"):
        _ = rs.solve(problem).degrees_of_freedom
    for words, wrong in {
        "no constraints": {"constraints": [rs.Monotone()], "X": X[:, 0]},
        "miss the data": {"loss": rs.Interpolation()},
        "ReLU": {"activation": rs.Sigmoid()},
        "a finite number >= 0": {"slope_penalty": -1.0},
    }.items():
        with pytest.raises(rs.ProblemError, match=f"^slope_penalty: .*{words}"):
            rs.Problem(**({"X": X, "y": y, "lam": 0.5, "slope_penalty": 1.0} | wrong))
    with pytest.raises(rs.ProblemError, match="pass slope_penalty=1"):
        rs.solve(problem.with_slope_penalty(0.0))
    with pytest.raises(rs.ProblemError, match="another class"):  # the offset is free all the same
        rs.solve(rs.Problem(X, np.ones(20), 0.5, rs.Logistic(), slope_penalty=1.0))


def test_a_solution_without_penalty_is_no_minimiser_with_one():
    """A certificate knows which problem it is for."""
    X, y, weight = table(rs.Squared(), 30, 2)
    plain = rs.solve(rs.Problem(X, y, 0.5, sample_weight=weight))
    steep = replace(plain, problem=plain.problem.with_slope_penalty(100.0))
    assert steep.objective > 1.5 * plain.objective
    assert rs.evaluate(steep.problem, plain.network).relative_gap > 1e-2
