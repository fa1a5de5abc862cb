"""Results that are known in closed form."""

import numpy as np
import pytest

import ridgesplines as rs


def test_three_points_squared():
    # N = 3: with the kink a at the middle, the residual is along the second difference (1, -2, 1).
    # lam_max is |eta| at the middle of u = 2 r, r the residual of the affine fit: r = (-1/3, 2/3, -1/3), eta = -2/3.
    p = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.3)
    assert rs.lambda_max(p) == pytest.approx(2.0 / 3.0, rel=1e-12)
    s = rs.solve(p)
    # r scales with lam: |eta| = lam at the kink, so r = lam / lam_max times the affine residual.
    r = 0.3 / (2.0 / 3.0) * np.array([-1.0, 2.0, -1.0]) / 3.0
    assert p.y - s.predict(p.X) == pytest.approx(r, abs=1e-12)
    assert s.network.knots == pytest.approx([1.0])
    kink = -2.0 - (r[0] - 2.0 * r[1] + r[2])
    assert s.network.amplitudes == pytest.approx([kink], rel=1e-10)
    assert s.objective == pytest.approx(float(r @ r) + 0.3 * abs(kink), rel=1e-12)


def test_interpolation_connects_the_dots():
    # Among interpolants the linear one has the least second-order variation: the total change of its slope.
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.random(20)), rng.standard_normal(20)
    variation = np.abs(np.diff(np.diff(y) / np.diff(x))).sum()
    for lam in (0.7, 1.0):
        s = rs.solve(rs.Problem(x, y, lam, rs.Interpolation()))
        assert s.seminorm == pytest.approx(variation, rel=1e-9)
        assert s.objective == pytest.approx(lam * variation, rel=1e-9)
        assert s.relative_gap <= 1e-8
        assert s.predict(x) == pytest.approx(y, abs=1e-9)


def test_interpolation_at_lam_zero():
    s = rs.solve(rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.0, rs.Interpolation()))
    assert s.objective == 0.0
    assert s.gap == 0.0
    assert s.seminorm == pytest.approx(2.0)


def test_absolute_error_follows_the_majority_line():
    # Seven of nine points on a line, two far off it, and a large lam: the median line, and its loss.
    x = np.arange(9.0)
    y = 2.0 * x + 1.0
    y[3] += 5.0
    y[6] -= 4.0
    s = rs.solve(rs.Problem(x, y, 1e3, rs.Absolute()))
    assert s.network.n_neurons == 0
    assert s.network.slope == pytest.approx([2.0])
    assert s.network.offset == pytest.approx(1.0)
    assert s.objective == pytest.approx(9.0)
    assert s.relative_gap <= 1e-10


def test_quantile_constant():
    # All x equal: the fit is an empirical quantile; q = 0.75 of 1..5 is 4.
    s = rs.solve(rs.Problem(np.zeros(5), [1.0, 2.0, 3.0, 4.0, 5.0], 1.0, rs.Quantile(0.75)))
    assert s.predict([[0.0]]) == pytest.approx([4.0])


def test_logistic_constant():
    # All x equal, three of four labels +1: the log odds.
    s = rs.solve(rs.Problem(np.zeros(4), [1, 1, 1, -1], 1.0, rs.Logistic()))
    assert s.predict([[0.0]]) == pytest.approx([np.log(3.0)], rel=1e-10)


def test_softmax_constant():
    y = np.array([0, 0, 0, 1, 1, 2])
    s = rs.solve(rs.Problem(np.zeros(6), y, 1.0, rs.Softmax()))
    logits = s.predict([[0.0]])[0]
    p = np.exp(logits) / np.exp(logits).sum()
    assert p == pytest.approx([3 / 6, 2 / 6, 1 / 6], rel=1e-10)


def test_a_ridge_function_on_a_ridge_grid_is_recovered():
    # y = |w.x| with w among the directions: interpolation with two units of seminorm, certified exactly.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    w = np.array([0.6, 0.8])
    # The kink of |w.x| at zero is offered as a bias, since no data point lies on it.
    s = rs.solve(
        rs.Problem(X, np.abs(X @ w), 1.0, rs.Interpolation()),
        rs.Grid(directions=[w, [1.0, 0.0]], biases=[0.0]),
    )
    assert s.network.n_neurons == 1
    assert s.seminorm == pytest.approx(2.0, rel=1e-9)


def test_objective_of_a_network_by_hand():
    p = rs.Problem([[0.0, 0.0], [1.0, 2.0]], [1.0, 0.0], 0.5, sample_weight=[2.0, 3.0])
    net = rs.RidgeSpline([[3.0, 4.0]], [1.0], [-2.0], slope=[1.0, 0.0], offset=0.25)
    # f(0,0) = 0.25; f(1,2) = -2 * 10 + 1 + 0.25 = -18.75; seminorm 2 * 5.
    s = rs.evaluate(p, net)
    assert s.data_fit == pytest.approx(2.0 * 0.75**2 + 3.0 * 18.75**2)
    assert s.seminorm == pytest.approx(10.0)
    assert s.objective == pytest.approx(s.data_fit + 5.0)


def test_weight_decay_at_balance_equals_the_seminorm():
    rng = np.random.default_rng(0)
    net = rs.RidgeSpline(rng.standard_normal((5, 3)), rng.standard_normal(5), rng.standard_normal((5, 2)))
    W, b, V = net.balanced()
    assert np.linalg.norm(W, axis=1) == pytest.approx(np.linalg.norm(V, axis=1))
    assert 0.5 * (np.sum(W**2) + np.sum(V**2)) == pytest.approx(net.seminorm)
    X = rng.standard_normal((20, 3))
    assert np.maximum(X @ W.T - b, 0.0) @ V == pytest.approx(net(X))
