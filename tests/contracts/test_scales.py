"""Scales: the same optimum as for columns that were standardised by hand, and everything in the units of x."""

import numpy as np
import pytest

import ridgesplines as rs

RNG = np.random.default_rng(7)
#: Horsepower, weight in grams, model year: integers, rounded thousands, few distinct values far from zero.
X = np.column_stack([RNG.integers(60, 230, 50), 1e3 * RNG.integers(900, 2400, 50), RNG.integers(1970, 1983, 50)])
SCALES, MEAN = X.std(axis=0), X.mean(axis=0)
Y = np.abs((X[:, 0] - 120) / 50) + (X[:, 1] / 1e6) ** 2 + 0.05 * RNG.standard_normal(50).round(2)
WEIGHT = np.arange(50) % 3 + 0.5
MAPS = {2: X[:, :2], 1: X[:, :1], 3: X}


def pair(d=2, y=Y, lam=1.0, loss=None, **settings):
    """The problem with scales, and by hand: columns standardised, no scales."""
    x, s, m = X[:, :d], SCALES[:d], MEAN[:d]
    with_scales = rs.Problem(x, y, lam, loss, sample_weight=WEIGHT, scales=s, **settings)
    return with_scales, rs.Problem((x - m) / s, y, lam, loss, sample_weight=WEIGHT, **settings)


CASES = [
    pair(1),
    pair(1, loss=rs.Absolute()),
    pair(1, constraints=[rs.Monotone(), rs.Bounds(0.0, 3.0)]),
    pair(2),
    pair(2, loss=rs.Huber(0.3)),
    pair(2, loss=rs.Quantile(0.7)),
    pair(2, loss=rs.Logistic(), y=np.where(RNG.random(50) < 0.5, -1.0, 1.0), lam=0.3),
    pair(2, y=np.column_stack([Y, -2.0 * Y])),
    pair(3, interactions=1, constraints=[rs.MonotoneFeatures({1: 1})]),
    pair(3, interactions=2, lam=3.0),
]


@pytest.mark.parametrize(("problem", "by_hand"), CASES, ids=lambda p: repr(p)[:60])
def test_the_optimum_is_that_of_standardised_columns(problem, by_hand):
    d = problem.n_features
    solution, expected = rs.solve(problem), rs.solve(by_hand)
    slack = (solution.relative_gap + expected.relative_gap + 1e-9) * abs(expected.objective)
    assert abs(solution.objective - expected.objective) <= slack
    assert rs.lambda_max(problem) == pytest.approx(rs.lambda_max(by_hand), rel=1e-6)
    # The other way round as well: each network is as good in the other's problem.
    there = solution.network.composed(SCALES[:d], MEAN[:d])
    assert rs.evaluate(by_hand, there).objective == pytest.approx(solution.objective, rel=1e-9)
    np.testing.assert_allclose(solution.predict(problem.X), there(by_hand.X), atol=1e-9)


@pytest.mark.parametrize(("problem", "by_hand"), CASES, ids=lambda p: repr(p)[:60])
def test_what_a_solution_says_is_true_in_the_units_of_x(problem, by_hand, tmp_path):
    solution = rs.solve(problem)
    net, c, s = solution.network, solution.certificate, problem.scales
    sizes = np.abs(net.amplitudes) if net.amplitudes.ndim == 1 else np.linalg.norm(net.amplitudes, axis=1)
    seminorm = sizes @ np.linalg.norm(net.weights * s, axis=1)
    loss = WEIGHT @ problem.loss.value(problem.y, net(problem.X))
    assert solution.seminorm == pytest.approx(seminorm, rel=1e-12)
    assert solution.objective == pytest.approx(loss + problem.lam * seminorm, rel=1e-9)
    assert solution.problem.lam == problem.lam
    assert rs.evaluate(problem, net).objective == pytest.approx(solution.objective, rel=1e-12)
    if problem.signs is None and not problem.constraints:
        eta = c.dual.T @ np.maximum(problem.X @ net.weights.T - net.biases, 0.0)
        np.testing.assert_allclose(c.eta(net.weights, net.biases), eta.T, atol=1e-6 * np.abs(eta).max())
        size = np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=0)
        assert (size <= c.sup * np.linalg.norm(net.weights * s, axis=1) * (1.0 + 1e-9)).all()
        assert np.abs(problem.X.T @ c.dual).max() < 1e-9 * (np.abs(problem.X).T @ np.abs(c.dual)).max()
    solution.save(tmp_path / "s.npz")
    loaded = rs.Solution.load(tmp_path / "s.npz")
    assert loaded.relative_gap == pytest.approx(solution.relative_gap, rel=1e-6, abs=1e-15)
    np.testing.assert_array_equal(loaded.problem.scales, s)


def test_a_searched_certificate_a_start_and_a_proof():
    problem, by_hand = pair(3)
    solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-3))
    weights, biases = solution.certificate.peaks
    np.testing.assert_allclose(np.linalg.norm(weights * SCALES, axis=1), 1.0)
    assert np.abs(solution.certificate.eta(weights, biases)).max() == pytest.approx(solution.certificate.sup)
    again = rs.solve(problem, rs.ColumnGeneration(tol=1e-9, start=solution))  # near the optimum faces still change
    assert again.objective <= solution.objective * (1.0 + 1e-12)
    assert again.degrees_of_freedom == pytest.approx(rs.solve(by_hand).degrees_of_freedom, rel=0.02)
    proven = again.certify(max_time=20.0)
    assert proven.certificate.scope.proven
    np.testing.assert_array_equal(proven.problem.scales, SCALES)
    bound = rs.lower_bound(problem, max_time=5.0)
    assert bound.value <= proven.objective * (1.0 + 1e-9)
    assert proven.certificate.value <= proven.objective * (1.0 + 1e-9)


def test_refits_comparisons_and_grids_have_the_same_units():
    problem, by_hand = pair(2)
    solver = rs.ColumnGeneration(tol=1e-10)  # a refit feels where the neurons lie
    solution = rs.solve(problem, solver)
    refit, expected = solution.refitted(), rs.solve(by_hand, solver).refitted()
    assert refit.data_fit == pytest.approx(expected.data_fit, rel=1e-6)
    assert refit.data_fit < solution.data_fit
    directions = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1e-4]])  # of grams and horsepower
    grid = rs.solve(problem, rs.Grid(directions=directions))
    cosines = np.abs(grid.network.weights @ (directions / np.linalg.norm(directions, axis=1)[:, None]).T).max(axis=1)
    np.testing.assert_allclose(cosines, 1.0, rtol=1e-12)
    table = rs.compare({"best": solution, "grid": grid})
    assert table.best is solution
    with pytest.raises(rs.ProblemError, match="of another"):
        rs.compare({"best": solution, "other": rs.evaluate(problem.with_scales(None), solution.network, 0.0)})
    line = pair(1)[0]
    where = rs.solve(line, rs.Grid(biases=[100.0, 150.0])).network.knots
    assert len(where)
    assert np.abs(where[:, None] - [100.0, 150.0]).min(axis=1).max() < 1e-9


@pytest.mark.parametrize(
    ("scales", "settings", "message"),
    [
        ([1.0], {}, "scales: expected a positive number for each of the 2 features"),
        ([1.0, 0.0], {}, "got 0"),
        ([1.0, np.nan], {}, "NaN"),
        ([1.0, 2.0], {"activation": rs.Sigmoid()}, "other activations than ReLU"),
    ],
)
def test_bad_scales_are_refused(scales, settings, message):
    with pytest.raises(rs.ProblemError, match=message):
        rs.Problem(X[:, :2], Y, 1.0, scales=scales, **settings)


def test_a_solver_alone_is_told_what_to_take():
    with pytest.raises(rs.ProblemError, match=r"problem\.isotropic"):
        next(rs.ColumnGeneration().path(pair(2)[0], [1.0]))


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_a_composed_network_is_the_composition(outputs):
    rng = np.random.default_rng(0)
    names = ("a", "b", "c")
    net = rs.RidgeSpline(
        rng.standard_normal((4, 3)), rng.standard_normal(4), rng.standard_normal((4, *outputs)),
        rng.standard_normal((3, *outputs)), rng.standard_normal(outputs), names,
    )  # fmt: skip
    A, a, Z = rng.standard_normal((3, 2)), rng.standard_normal(3), rng.standard_normal((20, 2))
    np.testing.assert_allclose(net.composed(A, a)(Z), net(Z @ A.T + a), atol=1e-12)
    assert net.composed(A, a).feature_names is None
    assert net.composed(A, a, ("u", "v")).feature_names == ("u", "v")
    each, points = np.array([2.0, -1e-3, 1e4]), rng.standard_normal((20, 3))
    np.testing.assert_allclose(net.composed(each)(points), net(points * each), rtol=1e-9)
    back = net.composed(each, a).composed(1.0 / each, -a / each)
    np.testing.assert_allclose(back(points), net(points), rtol=1e-9, atol=1e-12)
    assert back.feature_names == names
    with pytest.raises(rs.ProblemError, match="matrix, shift"):
        net.composed(A.T)
