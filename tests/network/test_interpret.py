"""What a network says of its features: ridge functions that add up to it, averages as scikit-learn computes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import noisy
from sklearn.inspection import partial_dependence

import ridgesplines as rs


def network(d, D, directions, K, seed):
    """Neurons along few directions, each of either sign."""
    rng = np.random.default_rng(seed)
    tail = () if D is None else (D,)
    W = rng.standard_normal((directions, d))[rng.integers(directions, size=K)] * rng.choice([-1.0, 1.0], (K, 1))
    return rs.RidgeSpline(
        W,
        rng.standard_normal(K),
        rng.standard_normal((K, *tail)),
        rng.standard_normal((d, *tail)),
        rng.standard_normal(tail),
    )


@settings(max_examples=40, deadline=None)
@given(
    d=st.integers(1, 4),
    D=st.sampled_from([None, 1, 3]),
    directions=st.integers(1, 5),
    K=st.integers(0, 12),
    seed=st.integers(0, 1000),
)
def test_ridge_functions_add_up_to_the_network(d, D, directions, K, seed):
    net = network(d, D, directions, K, seed)
    X = np.random.default_rng(seed).standard_normal((20, d)) * 2.0
    found = net.ridges()
    total = X @ net.slope + net.offset + sum(ridge(X) for ridge in found)
    np.testing.assert_allclose(total, net(X), atol=1e-12)
    assert sum(ridge.seminorm for ridge in found) == pytest.approx(net.seminorm)
    assert sorted(np.concatenate([ridge.neurons for ridge in found]).tolist() if found else []) == list(range(K))
    assert [r.seminorm for r in found] == sorted((r.seminorm for r in found), reverse=True)
    # One group a direction, and no direction twice, up to sign.
    W = np.array([ridge.direction for ridge in found]).reshape(-1, d)
    assert (np.abs(W @ W.T - np.eye(len(W))) < 1.0 - 1e-9).all() or len(W) <= 1
    assert len(W) <= min(directions, K)
    assert (np.max(W, axis=1, initial=-1.0) >= np.abs(W).max(axis=1, initial=0.0) - 1e-15).all()


def test_directions_that_differ_by_rounding_are_one():
    w = np.array([[0.6, 0.8], [0.6 + 1e-9, 0.8], [-0.6, -0.8 - 1e-9], [0.6 + 1e-3, 0.8]])
    net = rs.RidgeSpline(w, [0.0, 1.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0])
    first, second = net.ridges()
    assert first.neurons.tolist() == [0, 1, 2]
    np.testing.assert_allclose(first.knots, [0.0, 1.0, -2.0], atol=1e-8)
    np.testing.assert_allclose(first.amplitudes, [4.0, 3.0, 2.0], rtol=1e-8)
    assert second.neurons.tolist() == [3]
    assert len(net.ridges(tol=0.0)) == 4
    assert len(net.ridges(tol=0.01)) == 1
    X = np.random.default_rng(0).standard_normal((20, 2))
    assert np.abs(first(X) + second(X) - net(X)).max() < 1e-7
    with pytest.raises(rs.ProblemError, match="tol"):
        net.ridges(tol=-1.0)


def test_a_grid_has_no_more_ridges_than_directions():
    X, y = noisy(30, 3)
    net = rs.solve(rs.Problem(X, y, 0.1), rs.Grid(directions=5)).network
    assert len(net.ridges()) <= 5 < net.n_neurons


# ------------------------------------------------------------------------------- partial dependence


@pytest.mark.parametrize("weighted", [False, True])
def test_partial_dependence_is_that_of_scikit_learn(weighted):
    X, y = noisy(60, 3)
    weight = np.random.default_rng(0).integers(0, 4, 60).astype(float) if weighted else None
    model = rs.RidgeSplineRegressor(lam=0.1, solver=rs.Grid(directions=6)).fit(X, y)
    assert model.network_.n_neurons > 5
    for j in range(3):
        theirs = partial_dependence(model, X, [j], sample_weight=weight, grid_resolution=17, method="brute")
        ours = model.network_.partial_dependence(X, j, theirs["grid_values"][0], weight)
        np.testing.assert_allclose(ours, theirs["average"][0], rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 4), D=st.sampled_from([None, 1, 3]), K=st.integers(0, 8), seed=st.integers(0, 1000))
def test_partial_dependence_is_the_mean(d, D, K, seed):
    """Of vector outputs too, at knots, and far beyond the data."""
    net, rng = network(d, D, 4, K, seed), np.random.default_rng(seed)
    X, j = np.round(rng.standard_normal((15, d)), 1), seed % d
    at = np.concatenate([X[:4, j], [-50.0, 50.0]])
    expected = []
    for t in at:
        changed = X.copy()
        changed[:, j] = t
        expected.append(net(changed).mean(axis=0))
    np.testing.assert_allclose(net.partial_dependence(X, f"x{j}", at), expected, atol=1e-11)


def test_features_by_name():
    net = rs.RidgeSpline([[3.0, 4.0]], [0.0], [1.0], feature_names=("age", "height"))
    X = np.random.default_rng(0).standard_normal((9, 2))
    at = [0.0, 1.0]
    np.testing.assert_array_equal(net.partial_dependence(X, "height", at), net.partial_dependence(X, 1, at))
    for wrong in ("x0", 2, -1, 0.5):
        with pytest.raises(rs.ProblemError, match="0 to 1, or one of age, height"):
            net.partial_dependence(X, wrong, at)
    with pytest.raises(rs.ProblemError, match=r"shapes \(N, 2\)"):
        net.partial_dependence(X[:, :1], 0, at)
    with pytest.raises(rs.ProblemError, match="nonnegative"):
        net.partial_dependence(X, 0, at, -np.ones(9))


def test_names_in_a_table():
    pytest.importorskip("pandas")
    net = rs.RidgeSpline([[3.0, 4.0]], [0.0], [1.0], feature_names=("age", "height"))
    assert list(net.to_frame())[:2] == ["weight[age]", "weight[height]"]
    assert list(net.to_frame(feature_names=["a", "b"]))[:2] == ["weight[a]", "weight[b]"]
    for wrong in (["a"], ["a", "a"]):
        with pytest.raises(rs.ProblemError, match="2 distinct names"):
            net.to_frame(wrong)
