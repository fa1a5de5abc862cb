"""The solution checks itself: figures recomputed, words that say no more than was proven."""

import numpy as np
import pytest
from instances import LOSSES, diagonal, ids, noisy, problem

import ridgesplines as rs
from ridgesplines.amplitudes.extreme_points import neuron_bound, purify


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_optimality_conditions(loss):
    p = problem(loss, 60)
    s = rs.solve(p)
    c = s.certificate
    u = c.dual
    assert np.abs(u.sum(axis=0)).max() <= 1e-10 * np.abs(u).max()
    assert np.abs(p.X.T @ u).max() <= 1e-10 * np.abs(u).max() * 60
    assert c.sup == pytest.approx(p.lam, rel=1e-6)
    eta = c.eta(s.network.weights, s.network.biases)
    v = s.network.amplitudes
    size = np.abs(v) if v.ndim == 1 else np.linalg.norm(v, axis=1, keepdims=True)
    assert eta == pytest.approx(p.lam * v / size, rel=1e-5, abs=1e-6 * p.lam)
    assert s.status == "converged"
    assert c.residual <= 1e-6 or not loss.smooth


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.interpolates], ids=ids)  # a random net never interpolates
def test_the_gap_is_a_bound_for_any_network(loss, d):
    p = problem(loss, 30, d)
    best = rs.solve(p, rs.Grid(directions=32))
    rng = np.random.default_rng(0)
    D = () if p.n_outputs is None else (p.n_outputs,)
    net = rs.RidgeSpline(
        rng.standard_normal((6, d)),
        rng.standard_normal(6),
        rng.standard_normal((6, *D)) * 0.3,
        rng.standard_normal((d, *D)),
    )
    s = rs.evaluate(p, net)
    assert s.certificate.scope == "exact"
    assert s.status == "evaluated"
    # No function beats the dual value; the grid's optimum is one function.
    assert s.certificate.value <= best.objective * (1.0 + 1e-9)
    assert s.gap >= (s.objective - best.objective) * (1.0 - 1e-9)


def test_a_network_that_does_not_interpolate():
    p = problem(rs.Interpolation(), 20)
    s = rs.evaluate(p, rs.RidgeSpline([[1.0]], [0.3], [1.0]))
    assert s.objective == np.inf
    assert s.relative_gap == np.inf


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_evaluate_of_the_optimum_certifies_it(loss):
    p = problem(loss, 40)
    s = rs.solve(p)
    again = rs.evaluate(p, s.network)
    assert again.objective == s.objective
    assert again.relative_gap <= 1e-6


def test_a_perturbed_solution_has_a_gap():
    s = rs.solve(problem(rs.Squared(), 50))
    n = s.network
    worse = rs.RidgeSpline(n.weights, n.biases, 1.05 * n.amplitudes, n.slope, n.offset)
    assert rs.evaluate(s.problem, worse).relative_gap > 1e-4


def test_scopes_in_more_dimensions():
    p = problem(rs.Squared(), 40, d=3)
    s = rs.solve(p, rs.Grid(directions=16))
    assert s.certificate.scope == "dictionary"
    assert s.relative_gap <= 1e-6
    assert "among the neurons of the grid only" in s.summary()
    e = rs.evaluate(p, s.network)
    assert e.certificate.scope == "searched"
    assert e.relative_gap > s.relative_gap
    assert "not a bound" in e.summary()
    assert "certified" not in s.summary() + e.summary()


def test_more_directions_close_the_exact_gap():
    p = problem(rs.Squared(), 40, d=2, lam=0.3)
    # 4, 8, 16, ... directions each hold the ones before.
    solutions = [rs.solve(p, rs.Grid(directions=m)) for m in (4, 16, 64, 256)]
    objectives = [s.objective for s in solutions]
    assert (np.diff(objectives) <= 1e-12).all()
    gaps = [s.relative_gap for s in solutions]
    assert gaps[-1] < 0.05 * gaps[0]
    assert all(s.certificate.scope == "exact" for s in solutions)
    assert all(s.dictionary_gap <= 1e-9 for s in solutions)
    # What the coarse grids claim to be away from the optimum covers what the fine grid proved to be possible.
    for s in solutions[:-1]:
        assert s.gap >= s.objective - objectives[-1]


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_purification(loss, d):
    p = problem(loss, 24, d)
    rng = np.random.default_rng(0)
    K = 300
    D = () if p.n_outputs is None else (p.n_outputs,)
    W = rng.standard_normal((K, d))
    b = rng.uniform(-1.0, 1.0, K)
    net = rs.RidgeSpline(W, b, rng.standard_normal((K, *D)), rng.standard_normal((d, *D)), rng.standard_normal(D))
    pure = purify(p, net)
    size = np.abs(net(p.X)).max()
    assert np.abs(pure(p.X) - net(p.X)).max() <= 1e-9 * size
    assert pure.seminorm <= net.seminorm * (1.0 + 1e-9)
    assert pure.n_neurons <= neuron_bound(p) == (24 - d - 1) * (p.n_outputs or 1)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_purification_of_an_optimum_changes_nothing_but_the_count(loss, d):
    # Split each neuron of an optimal network in three: same f, same norm, three times the neurons.
    p = problem(loss, 30, d)
    s = rs.solve(p, rs.Grid(directions=8))
    n = s.network
    split = rs.RidgeSpline(
        np.tile(n.weights, (3, 1)), np.tile(n.biases, 3), np.concatenate([n.amplitudes / 3.0] * 3), n.slope, n.offset
    )
    pure = purify(p, split)
    assert pure.n_neurons <= neuron_bound(p)
    assert pure.n_neurons <= n.n_neurons or d == 1
    assert pure.seminorm == pytest.approx(n.seminorm, rel=1e-9)
    assert np.abs(pure(p.X) - n(p.X)).max() <= 1e-9 * np.abs(n(p.X)).max()


@pytest.mark.parametrize(("loss", "d", "refine"), diagonal(LOSSES, [1, 2, 3], [True, False], times=2))
@pytest.mark.filterwarnings("default::ridgesplines.ConvergenceWarning")  # raw answers; the count is the claim here
def test_fewer_neurons_than_data(loss, d, refine):
    p = problem(loss, 30, d, lam=1e-3)
    s = rs.solve(p, rs.Grid(directions=8, refine=refine))
    assert s.network.n_neurons <= neuron_bound(p)


def test_vector_outputs_in_two_dimensions():
    X, y = noisy(40, 2)
    p = rs.Problem(X, np.column_stack([y, X[:, 0] ** 2]), 0.5)
    s = rs.solve(p, rs.Grid(directions=16))
    assert s.certificate.scope == "exact"
    assert s.dictionary_gap <= 1e-9
    assert s.certificate.sup >= p.lam * (1.0 - 1e-9)
    assert s.predict(X).shape == (40, 2)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_lambda_max(loss):
    p = problem(loss, 40)
    top = rs.lambda_max(p)
    if isinstance(loss, rs.Interpolation):
        assert top == np.inf
        return
    above, below = rs.solve(p.with_lam(top * 1.001)), rs.solve(p.with_lam(top * 0.95))
    assert above.network.n_neurons == 0
    assert above.relative_gap <= 1e-9
    assert below.network.n_neurons >= 1
    assert below.objective < above.data_fit  # the affine fit, whose objective lam does not change
    assert rs.solve(p.with_lam(top)).network.n_neurons == 0


def test_lambda_max_of_a_loss_with_a_free_dual_vector():
    # Four points, median fit: the affine optimum is not unique, nor is its dual vector. From lambda_max on K = 0.
    p = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0], 1.0, rs.Absolute())
    top = rs.lambda_max(p)
    affine = rs.solve(p.with_lam(100.0)).objective
    assert rs.solve(p.with_lam(top * 1.0001)).objective == pytest.approx(affine, rel=1e-9)
    assert rs.solve(p.with_lam(top * 0.99)).objective < affine * (1.0 - 1e-4)


def test_compare_and_its_table():
    p = problem(rs.Squared(), 30)
    s = rs.solve(p)
    flat = rs.evaluate(p, rs.RidgeSpline(np.empty((0, 1)), [], [], [0.0], 1.0))
    table = rs.compare({"convex": s, "constant": flat})
    text = str(table)
    assert "convex" in text
    assert "constant" in text
    rows = {row["name"]: row for row in table.rows()}
    assert rows["convex"]["above best"] == 0.0
    assert rows["constant"]["above best"] == pytest.approx(flat.objective / s.objective - 1.0)
    assert rows["constant"]["|f - f*|"] == pytest.approx(np.abs(s.predict(p.X) - 1.0).max())
    assert 0.0 < rows["constant"]["off data"] <= np.abs(s.predict(np.linspace(0.0, 1.0, 10**5)) - 1.0).max() + 1e-12
    assert rows["convex"]["active"] == s.network.n_neurons
    assert table.best is s
    assert table.bound == pytest.approx(s.certificate.value, rel=1e-12)
    assert list(table.to_frame().index) == ["convex", "constant"]
    with pytest.raises(rs.ProblemError, match="of another"):
        rs.compare({"a": s, "b": rs.solve(p.with_lam(0.5))})


def test_only_what_may_act_alike_is_compared():
    one, two = (problem(rs.Squared(), 20, 2, interactions=given) for given in (1, None))
    with pytest.raises(rs.ProblemError, match="'all', of another"):
        rs.compare({"one": rs.solve(one, rs.Grid()), "all": rs.solve(two, rs.Grid(4))})


def test_summary_and_repr():
    s = rs.solve(problem(rs.Squared(), 30))
    text = s.summary()
    for word in ("N = 30", "K = ", "objective", "certified", "knots", "converged"):
        assert word in text
    assert "Univariate" in s.solver
    assert "exact" in repr(s)
    assert "K=" in repr(s.network)


def test_the_summary_names_what_may_act_together():
    X, y = noisy(20, 3)
    for given, words in ((1, "one feature at a time"), ([["a"], ["c", "b"]], "a; b and c")):
        p = rs.Problem(X, y, 0.5, feature_names=["a", "b", "c"], interactions=given)
        text = rs.solve(p, rs.Grid(directions=8)).summary()
        assert [line.split("  ")[-1] for line in text.splitlines() if line.startswith("interactions")] == [words]
    assert "interactions" not in rs.solve(problem(rs.Squared(), 20)).summary()


def test_the_summary_of_a_network_of_many_neurons_is_not_false():
    p = problem(rs.Squared(), 10, 3)
    wide = rs.RidgeSpline(np.random.default_rng(0).standard_normal((50, 3)), np.zeros(50), np.ones(50))
    assert "K = 50 (some optimum has at most (N - rank[1 X]) = 6)" in rs.evaluate(p, wide).summary()


def test_feature_names_reach_the_network():
    import pandas as pd

    X, y = noisy(30, 2)
    s = rs.solve(rs.Problem(pd.DataFrame(X, columns=["age", "dose"]), y, 0.5), rs.Grid(directions=4))
    assert "weight[dose]" in s.network.to_frame().columns


def test_a_weight_of_zero_leaves_a_row_out():
    X, y = noisy(40)
    weight = np.ones(40)
    weight[::4] = 0.0
    y_wild = np.where(weight > 0.0, y, 1e6)
    for loss in (rs.Squared(), rs.Absolute(), rs.Interpolation()):
        with_zeros = rs.solve(rs.Problem(X, y_wild, 0.02, loss, sample_weight=weight))
        without = rs.solve(rs.Problem(X[weight > 0], y[weight > 0], 0.02, loss))
        assert with_zeros.objective == pytest.approx(without.objective, rel=1e-9)
        assert with_zeros.relative_gap <= 1e-6
        assert (with_zeros.certificate.dual[::4] == 0.0).all()


def test_save_through_the_solution(tmp_path):
    s = rs.solve(problem(rs.Squared(), 20))
    s.save(tmp_path / "s.npz")
    assert rs.RidgeSpline.load(tmp_path / "s.npz").seminorm == s.seminorm
