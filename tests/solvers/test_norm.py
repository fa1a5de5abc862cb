"""The norm, affine part included: against programs in CVXPY over splines and over all activation patterns."""

from __future__ import annotations

import json
from itertools import product

import cvxpy as cp
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.torch import PathProx
from tests.formulas import minimum
from tests.instances import LOSSES, diagonal, ids

SMOOTH = [loss for loss in LOSSES if loss.smooth and not loss.interpolates]


def table(loss, n, d, seed=0, weights=True):
    """Correlated, rounded, clipped x with ties, a constant column from d = 3 on, weights with zeros."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0.5, 1.0, (n, 1))
    X = np.clip(np.round(common + 0.7 * rng.normal(size=(n, d)), 1), -1.0, 2.0)
    if d > 2:
        X[:, 2] = 0.5
    weight = rng.integers(0, 3, n).astype(float) + 0.5 * (np.arange(n) < 3) if weights else np.ones(n)
    bent = np.abs(X[:, 0] - 0.4) - 0.5 * X[:, -1] + 1.0
    if isinstance(loss, rs.Interpolation):
        return X, bent, weight
    bent = bent + rng.normal(0.0, 0.3, n)
    if isinstance(loss, rs.Softmax):
        return X, np.digitize(bent, np.quantile(bent, [0.3, 0.6])), weight
    if loss.labels:
        return X, np.where(bent > np.median(bent), 1.0, -1.0), weight
    return X, np.round(np.exp(bent)) if isinstance(loss, rs.Poisson) else bent, weight


def posed(loss, n, d, lam=0.3, **settings):
    X, y, weight = table(loss, n, d)
    return rs.Problem(X, y, lam, loss, sample_weight=weight, norm=True, **settings)


def coefficients(at_corners):
    """The groups |f(0)|, |f(e_j) - f(0)| of the values at the corners, an expression; added up."""
    first, rest = at_corners[:1], at_corners[1:] - at_corners[:1]
    return sum(cp.norm(part[i]) for part in (first, rest) for i in range(part.shape[0]))


def on_a_line(p):
    """The optimum over linear splines with nodes at data and corners: any other with these values is no better."""
    t = np.unique([*p.X[:, 0], 0.0, 1.0])
    nodes = cp.Variable((len(t), p.n_outputs or 1))
    slopes = cp.multiply(cp.diff(nodes, axis=0), np.tile(1.0 / np.diff(t)[:, None], p.n_outputs or 1))
    bends = cp.diff(slopes, axis=0)
    at = [np.searchsorted(t, value) for value in (0.0, 1.0)]
    fit = nodes[np.searchsorted(t, p.X[:, 0])]
    norm = cp.sum(cp.norm(bends, axis=1)) + coefficients(nodes[at])
    return minimum(p, fit if p.n_outputs else fit[:, 0], norm)


def over_patterns(p, samples=40000):
    """The optimum over a neuron for each way to part data and corners, and each sign: a second-order cone program."""
    d, rng = p.n_features, np.random.default_rng(0)
    points = np.vstack([p.X, np.zeros(d), np.eye(d)])
    W = rng.normal(size=(samples, d))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = (points[rng.integers(len(points), size=samples)] * W).sum(axis=1) + 10.0 ** rng.uniform(
        -4, 0.5, samples
    ) * rng.choice([-1, 1], samples)
    on = np.unique(points @ W.T > b, axis=1).T
    on = on[on.any(axis=1) & ~on.all(axis=1)]
    on = np.concatenate([on, on])
    sign = np.repeat([1.0, -1.0], len(on) // 2)
    w, c, bias = cp.Variable((d, len(on))), cp.Variable(d), cp.Variable(len(on))
    c0 = cp.Variable()
    values = points @ w - np.ones((len(points), 1)) @ cp.reshape(bias, (1, len(on)), order="F")
    f = cp.multiply(on.T.astype(float), values) @ sign + points @ c + c0
    n = len(p.X)
    norm = cp.sum(cp.norm(w, axis=0)) + coefficients(f[n:])
    return minimum(p, f[:n], norm, [cp.multiply(np.where(on.T, 1.0, -1.0), values) >= 0.0])


@pytest.mark.parametrize(("loss", "lam"), diagonal(LOSSES, [0.05, 1.0]))
def test_on_a_line_it_is_the_minimum_over_splines(loss, lam):
    if isinstance(loss, rs.Interpolation):
        X, y = [0.3, -0.5, 0.9, 1.6, 0.3], [1.0, 2.0, 0.5, 1.5, 1.0]
        problem = rs.Problem(X, y, lam, loss, norm=True)
    else:
        problem = posed(loss, 25, 1, lam)
    solution = rs.solve(problem)
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-6
    assert solution.objective == pytest.approx(on_a_line(problem.reduced), rel=2e-6)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not isinstance(loss, rs.Softmax)], ids=ids)
def test_in_a_plane_it_is_the_minimum_over_all_patterns(loss):
    problem = posed(loss, 6, 2, 0.2)
    solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
    assert solution.certificate.scope == "exact"
    assert solution.objective == pytest.approx(over_patterns(problem.reduced), rel=1e-6)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute(), rs.Logistic()], ids=ids)
def test_in_space_with_a_constant_column_it_is_the_minimum_over_all_patterns(loss):
    problem = posed(loss, 5, 3, 0.1)
    solution = rs.solve(problem)
    assert solution.relative_gap <= 1e-6
    assert solution.objective == pytest.approx(over_patterns(problem.reduced), rel=2e-6)


def nonzero(solution):
    """Coefficients of the affine functions that are not rounding."""
    corners, net = solution.problem.isotropic.corners, solution.isotropic.network
    a = corners.coefficients(net.at(corners.points)).reshape(net.n_features + 1, -1)
    return int((np.abs(a).max(axis=1) > 1e-12).sum())


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@pytest.mark.parametrize("d", [1, 2])
def test_zero_is_the_solution_from_lambda_max_on_and_not_before(loss, d):
    if isinstance(loss, rs.Interpolation):
        assert rs.lambda_max(posed(loss, 12, d)) == np.inf
        return
    problem = posed(loss, 12, d)
    top = rs.lambda_max(problem)
    z = np.zeros((12, 3)) if isinstance(loss, rs.Softmax) else np.zeros(12)
    at_zero = float(problem.sample_weight @ loss.value(problem.y, z))
    above, below = (rs.solve(problem.with_lam(factor * top)) for factor in (1.001, 0.99))
    assert above.network.n_neurons == 0
    assert above.objective == pytest.approx(at_zero, rel=1e-12)
    assert below.objective < at_zero * (1.0 - 1e-9)


def test_lambda_max_of_a_loss_with_kinks_at_zero_is_the_least_supremum():
    x = np.array([0.5, 1.0, 2.0, 3.0, 4.0])
    problem = rs.Problem(x, [0.0, 0.0, 1.0, 0.0, 0.0], 1.0, rs.Absolute(), norm=True)
    top = rs.lambda_max(problem)
    assert rs.solve(problem.with_lam(1.001 * top)).seminorm <= 1e-9
    assert rs.solve(problem.with_lam(0.99 * top)).seminorm > 1e-3


@pytest.mark.parametrize(
    ("loss", "d"), [*((loss, 1) for loss in LOSSES), *((loss, 3) for loss in (rs.Squared(), rs.Hinge()))]
)
def test_neurons_and_coefficients_together_are_at_most_as_many_as_data(loss, d):
    solution = rs.solve(posed(loss, 9, d, lam=0.02))
    rows = solution.problem.reduced.n_samples * (solution.problem.n_outputs or 1)
    assert solution.network.n_neurons + nonzero(solution) <= rows


@pytest.mark.parametrize("loss", SMOOTH, ids=ids)
def test_any_dual_vector_proves_a_bound(loss):
    problem = posed(loss, 10, 2)
    best, rng = rs.solve(problem), np.random.default_rng(0)
    for _ in range(5):
        tail = () if problem.n_outputs is None else (problem.n_outputs,)
        K = 3
        net = rs.RidgeSpline(
            rng.normal(size=(K, 2)),
            rng.normal(size=K),
            0.3 * rng.normal(size=(K, *tail)),
            0.3 * rng.normal(size=(2, *tail)),
            0.3 * rng.normal(size=tail),
        )
        judged = rs.evaluate(problem, net, max_time=0.0)
        assert judged.certificate.value <= best.objective * (1.0 + 1e-9)
        assert judged.objective >= best.certificate.value
        moments = problem.corners.moments(problem.X, judged.certificate.dual)
        assert np.linalg.norm(moments.reshape(3, -1), axis=1).max() <= judged.certificate.sup * (1.0 + 1e-12)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute(), rs.Hinge()], ids=ids)
def test_evaluate_measures_the_gap_of_another_network_by_the_dual_vector_of_a_solver(loss):
    problem = posed(loss, 20, 2)
    best = rs.solve(problem)
    assert rs.evaluate(problem, best.network).relative_gap <= 1e-6
    net = best.network.changed(offset=best.network.offset + 0.5)
    judged = rs.evaluate(problem, net)
    assert judged.gap == pytest.approx(judged.objective - best.objective, rel=1e-5)


def test_the_norm_is_a_functional_of_f_not_of_coefficients():
    """The same function with a neuron turned around has other coefficients and the same norm."""
    problem = rs.Problem([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0], 1.0, norm=True)
    net = rs.RidgeSpline([[0.6, 0.8]], [-0.5], [2.0], [0.1, -1.0], 0.3)
    turned = rs.RidgeSpline([[-0.6, -0.8]], [0.5], [2.0], [0.1 + 1.2, -1.0 + 1.6], 0.3 + 1.0)
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    f = net(X)
    by_hand = 2.0 + abs(f[0]) + abs(f[1] - f[0]) + abs(f[2] - f[0])
    for each in (net, turned):
        assert rs.evaluate(problem, each).seminorm == pytest.approx(by_hand, rel=1e-12)


def test_units_of_y_and_orders_of_rows_and_columns_change_nothing():
    X, y, weight = table(rs.Squared(), 15, 2)
    best = rs.solve(rs.Problem(X, y, 0.3, sample_weight=weight, norm=True), rs.ColumnGeneration(tol=1e-9))
    larger = rs.solve(rs.Problem(X, 1e3 * y, 0.3e3, sample_weight=weight, norm=True), rs.ColumnGeneration(tol=1e-9))
    assert larger.objective == pytest.approx(1e6 * best.objective, rel=1e-8)
    rows = np.random.default_rng(0).permutation(15)
    turned = rs.Problem(X[rows][:, ::-1], y[rows], 0.3, sample_weight=weight[rows], norm=True)
    assert rs.solve(turned, rs.ColumnGeneration(tol=1e-9)).objective == pytest.approx(best.objective, rel=1e-8)
    again = rs.Problem(np.tile(X, (2, 1)), np.tile(y, 2), 0.6, sample_weight=np.tile(weight, 2), norm=True)
    assert rs.solve(again, rs.ColumnGeneration(tol=1e-9)).objective == pytest.approx(2.0 * best.objective, rel=1e-8)


def test_scales_are_those_of_the_function_of_x_over_scales():
    X, y, _ = table(rs.Squared(), 15, 2)
    Y = np.column_stack([y, y**2])
    s, t = np.array([2.0, 0.5]), np.array([1.0, 3.0])
    scaled = rs.solve(rs.Problem(X, Y, 0.3, scales=s, output_scales=t, norm=True))
    plain = rs.solve(rs.Problem(X / s, Y / t, 0.3, norm=True))
    assert scaled.objective == pytest.approx(plain.objective, rel=2e-6)
    assert scaled.relative_gap <= 1e-6
    W, b = np.array([[0.6, 0.8], [1.0, 0.0]]), np.array([0.1, 0.7])
    lifted = scaled.isotropic.certificate.eta(W, b - W @ (scaled.problem.origin / s))
    np.testing.assert_allclose(scaled.certificate.eta(W / s, b) * t, lifted, atol=1e-10)


@pytest.mark.parametrize("interactions", [1, 2, [["a", "b"], ["c"]]])
def test_interactions_keep_to_their_groups_exactly(interactions):
    X, y, _ = table(rs.Squared(), 30, 3)
    X[:, 2] = np.random.default_rng(1).normal(size=30)
    names = ["a", "b", "c"]
    problem = rs.Problem(X, y, 0.2, norm=True, interactions=interactions, feature_names=names)
    solution = rs.solve(problem)
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-6
    assert problem.interactions.allow(solution.network.weights).all()


def test_separated_classes_have_a_minimiser():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    with pytest.raises(rs.ProblemError):
        rs.solve(rs.Problem(X, [-1, -1, 1, 1], 0.1, rs.Logistic()))
    assert rs.solve(rs.Problem(X, [-1, -1, 1, 1], 0.1, rs.Logistic(), norm=True)).relative_gap <= 1e-6


def test_a_path_and_a_start_end_at_the_same_optimum():
    problem = posed(rs.Squared(), 25, 2)
    path = rs.solve_path(problem, lams=["0.5max", "0.1max", "0.01max"])
    for solution in path:
        alone = rs.solve(solution.problem, rs.ColumnGeneration(start=path[0]))
        assert solution.objective == pytest.approx(alone.objective, rel=2e-6)


def test_a_searched_supremum_is_proven_by_certify():
    solution = rs.solve(posed(rs.Squared(), 12, 3))
    proven = solution.certify(max_time=20.0)
    assert proven.certificate.scope in {"exact", "bounded"}
    assert proven.certificate.value <= solution.objective * (1.0 + 1e-9)
    assert proven.relative_gap <= 1e-3


def test_files_tables_and_words_know_of_it(tmp_path, capsys):
    problem = posed(rs.Huber(0.5), 20, 2, scales=[1.0, 2.0])
    solution = rs.solve(problem)
    solution.save(tmp_path / "net.npz")
    again = rs.Solution.load(tmp_path / "net.npz")
    assert again.problem.norm
    assert again.relative_gap == pytest.approx(solution.relative_gap, rel=0.5, abs=1e-12)
    assert again.objective == solution.objective
    assert "|f(0)|" in solution.summary()
    assert "norm=True" in repr(problem)
    with pytest.raises(rs.ProblemError, match="one problem"):
        rs.compare({"norm": solution, "seminorm": rs.solve(problem.with_norm(False))})
    assert rs.compare({"norm": solution, "again": again}).rows()[1]["|f - f*|"] <= 1e-12
    np.savetxt(
        tmp_path / "data.csv", np.column_stack([problem.X, problem.y]), delimiter=",", header="a,b,y", comments=""
    )
    from ridgesplines.cli.main import main

    assert main(["fit", str(tmp_path / "data.csv"), "--target", "y", "--lam", "0.1max", "--norm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["norm"] is True


def test_what_it_is_not_for_is_refused_in_words():
    X, y, _ = table(rs.Squared(), 10, 2)
    x = X[:, 0]
    for settings in ({"activation": rs.Sigmoid()}, {"slope_penalty": 1.0}, {"norm": 1}):
        with pytest.raises(rs.ProblemError, match="norm"):
            rs.Problem(X, y, 1.0, **({"norm": True} | settings))
    with pytest.raises(rs.ProblemError, match="norm"):
        rs.Problem(x, y, 1.0, norm=True, constraints=[rs.Monotone()])
    on_a_line, in_a_plane = rs.Problem(x, y, 0.1, norm=True), rs.Problem(X, y, 0.1, norm=True)
    for problem, solver in product((on_a_line, in_a_plane), (rs.Univariate(), rs.Grid(), rs.Arrangement(), PathProx())):
        with pytest.raises(rs.SolverRefusal):
            rs.solve(problem, solver)
    with pytest.raises(rs.SolverRefusal, match="norm"):
        rs.lower_bound(in_a_plane)
    solution = rs.solve(on_a_line)
    assert not solution.is_unique
    with pytest.raises(rs.ProblemError, match="norm"):
        in_a_plane.with_slope_penalty(1.0)
    for ask in (lambda: solution.degrees_of_freedom, lambda: solution.envelope(0.0), solution.refitted):
        with pytest.raises(rs.ProblemError):
            ask()
