"""Vector outputs in one dimension: against CVXPY, scalar fits, closed forms, and other units."""

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum

import ridgesplines as rs
from ridgesplines.solvers.univariate.groups import _hessian, group_set, least_squares
from ridgesplines.solvers.univariate.knots import Knots
from ridgesplines.solvers.univariate.moments import Moments, kinks


def curves(n, D, seed=0, noise=0.1):
    """Noisy curves that bend at places of their own, on uneven x."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    y = np.array([np.sin((j + 2) * x) + np.abs(x - 0.1 * j) for j in range(D)]).T
    return x, y + noise * rng.standard_normal((n, D))


def classes(n, D, seed=0):
    """A middle class and outer ones, that overlap."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return x, np.clip(np.floor(D * (np.abs(2.0 * x - 1.0) + 0.3 * rng.standard_normal(n))), 0, D - 1)


def solved(problem, fraction, **settings):
    return rs.solve(problem.with_lam(fraction * rs.lambda_max(problem)), rs.Univariate(**settings))


def optimum(p):
    """The optimum by CVXPY, with values and slopes at the sites as unknowns."""
    sites, place = np.unique(p.X[:, 0], return_inverse=True)
    values, slopes = cp.Variable((len(sites), p.n_outputs)), cp.Variable((len(sites) - 1, p.n_outputs))
    connected = cp.diff(values) == cp.multiply(np.diff(sites)[:, None], slopes)
    return minimum(p, values[place], cp.sum(cp.norm(cp.diff(slopes), axis=1)), [connected], 1e-8)


@pytest.mark.parametrize("fraction", [0.3, 0.03, 1e-3])
@pytest.mark.parametrize("D", [2, 8])
def test_squared_error_against_cvxpy(D, fraction):
    x, y = curves(60, D)
    rng = np.random.default_rng(1)
    weight = rng.choice([0.0, 0.5, 1.0, 4.0], len(x))
    p = rs.Problem(np.round(x, 2), y, 1.0, sample_weight=weight)
    s = solved(p, fraction)
    assert s.status == "converged"
    assert s.relative_gap <= 1e-10
    assert s.objective == pytest.approx(optimum(s.problem), rel=1e-6)
    assert np.isin(s.network.knots, p.X).all()


@pytest.mark.parametrize("fraction", [0.3, 0.03])
def test_softmax_against_cvxpy(fraction):
    x, y = classes(80, 3)
    s = solved(rs.Problem(np.round(x, 2), y, 1.0, rs.Softmax(), sample_weight=np.linspace(0.1, 2.0, 80)), fraction)
    assert s.relative_gap <= 1e-8
    assert s.objective == pytest.approx(optimum(s.problem), rel=1e-6)
    np.testing.assert_allclose(s.network.amplitudes.sum(axis=1), 0.0, atol=1e-6 * s.network.seminorm)


@pytest.mark.parametrize("fraction", [0.5, 0.02])
def test_one_output_is_the_scalar_fit(fraction):
    x, y = curves(400, 1)
    vector, scalar = solved(rs.Problem(x, y, 1.0), fraction), solved(rs.Problem(x, y[:, 0], 1.0), fraction, tol=1e-12)
    assert vector.objective == pytest.approx(scalar.objective, rel=1e-11)
    np.testing.assert_allclose(vector.predict(x).ravel(), scalar.predict(x), atol=1e-7)


def test_collinear_outputs_are_one_scalar_fit():
    """Y = y v^T: f = g v^T with the scalar solution g for y at lam / |v|."""
    x, y = curves(300, 1)
    v = np.array([3.0, 0.0, -4.0])
    s = rs.solve(rs.Problem(x, y * v, 1.0), rs.Univariate())
    scalar = rs.solve(rs.Problem(x, y[:, 0], 1.0 / 5.0), rs.Univariate(tol=1e-12))
    assert s.relative_gap <= 1e-8
    assert s.objective == pytest.approx(25.0 * scalar.objective, rel=1e-10)
    np.testing.assert_allclose(s.predict(x), np.multiply.outer(scalar.predict(x), v), atol=1e-6)


def test_outputs_turned_are_fits_turned():
    x, y = curves(300, 4)
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((4, 4)))[0]
    one, other = (solved(rs.Problem(x, values, 1.0), 0.02, tol=1e-12) for values in (y, y @ turn))
    assert one.objective == pytest.approx(other.objective, rel=1e-11)
    np.testing.assert_allclose(one.predict(x) @ turn, other.predict(x), atol=1e-5)


@pytest.mark.parametrize("fraction", [0.5, 1e-2, 1e-4])
def test_constant_outputs_and_outputs_of_other_scale(fraction):
    x, y = curves(200, 5)
    y[:, 1], y[:, 2], y[:, 3] = 7.0, 1e6 * y[:, 2], 1e-6 * y[:, 3]
    s = solved(rs.Problem(x, y, 1.0), fraction)
    assert s.relative_gap <= 1e-8
    np.testing.assert_allclose(s.predict(x)[:, 1], 7.0, rtol=1e-9)


def test_from_lambda_max_on_the_fit_is_straight():
    x, y = curves(100, 3)
    weight = np.linspace(0.1, 3.0, 100)
    p = rs.Problem(x, y, 1.0, sample_weight=weight)
    top = rs.lambda_max(p)
    above, below = (rs.solve(p.with_lam(factor * top)) for factor in (1.0 + 1e-9, 0.999))
    assert (above.network.n_neurons, below.network.n_neurons > 0) == (0, True)
    line = np.polynomial.polynomial.polyfit(x, y, 1, w=np.sqrt(weight))
    np.testing.assert_allclose(above.predict(x), line[0] + x[:, None] * line[1], atol=1e-10)


def test_ties_are_weights():
    x, y = curves(100, 3)
    x = np.round(x, 1)
    sites, place, count = np.unique(x, return_inverse=True, return_counts=True)
    means = np.array([np.bincount(place, column) / count for column in y.T]).T
    p = rs.Problem(x, y, 0.3)
    one, other = rs.solve(p), rs.solve(rs.Problem(sites, means, 0.3, sample_weight=count.astype(float)))
    within = ((y - means[place]) ** 2).sum()
    assert one.relative_gap <= 1e-10
    assert one.objective == pytest.approx(other.objective + within, rel=1e-10)


@pytest.mark.parametrize(
    "x",
    [
        np.exp(np.random.default_rng(0).uniform(-18.0, 0.0, 300)),
        1.7e9 + np.cumsum(np.random.default_rng(1).random(300)),
        np.random.default_rng(2).choice(np.linspace(0.0, 1.0, 30), 300) + 1e-7 * np.random.default_rng(3).random(300),
    ],
    ids=["log-uniform", "timestamps", "clusters"],
)
def test_hard_spacings(x):
    t = (x - x.min()) / np.ptp(x)
    noise = 0.1 * np.random.default_rng(4).standard_normal((300, 3))
    p = rs.Problem(x, np.array([np.sin(9.0 * t), np.abs(t - 0.3), t**2]).T + noise, 1.0)
    assert max(solved(p, fraction).relative_gap for fraction in (0.3, 1e-2, 1e-4)) <= 1e-8


def test_many_knots_without_noise():
    x, y = curves(600, 2, noise=0.0)
    s = solved(rs.Problem(x, y, 1.0), 1e-4)
    assert s.relative_gap <= 1e-8
    assert s.network.n_neurons > 50


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Softmax()], ids=repr)
def test_a_path_is_certified_throughout(loss):
    x, y = curves(150, 3) if loss == rs.Squared() else classes(150, 3)
    path = rs.solve_path(rs.Problem(x, y, 1.0, loss), n_lams=12)
    assert max(s.relative_gap for s in path) <= 1e-8
    assert all("Univariate" in s.solver for s in path)
    alone = [rs.solve(s.problem).objective for s in path]
    np.testing.assert_allclose([s.objective for s in path], alone, rtol=1e-8)


def test_more_sites_than_are_all_candidates():
    x, y = curves(5000, 3)
    s = solved(rs.Problem(x, y, 1.0), 1e-2)
    assert s.relative_gap <= 1e-8


def test_cross_validation_takes_seconds():
    x, y = curves(90, 3)
    model = rs.LinearSplineRegressorCV(n_lams=12, cv=3).fit(x[:, None], y)
    assert model.predict(x[:, None]).shape == y.shape
    assert model.score(x[:, None], y) > 0.9
    assert "Univariate" in model.solution_.solver


def test_the_banded_matrix_is_the_hessian():
    """G and the penalty's curvature, put together densely."""
    rng = np.random.default_rng(0)
    D, t = 3, np.cumsum(rng.random(6))
    x = np.sort(np.concatenate([t, rng.uniform(t[0], t[-1], 40)]))
    first = np.searchsorted(x, t[:-1])
    root = rng.standard_normal((len(x), D, D))
    moments = Moments.at(x, root @ root.transpose(0, 2, 1), rng.standard_normal((len(x), D)), t, first)
    bend = rng.standard_normal((4, D, D))
    bend = bend @ bend.transpose(0, 2, 1)
    columns = np.eye(6 * D).reshape(6 * D, 6, D)
    C = np.array([kinks(t, column) for column in columns])
    zero = moments.residual(np.zeros((6, D)))
    dense = np.array([(zero - moments.residual(column)).ravel() for column in columns])
    dense += np.einsum("aki,kij,bkj->ab", C, bend, C)
    blocks, banded = _hessian(moments, D, bend), np.zeros((6, D, 6, D))
    for node in range(6):
        for offset in range(min(3, 6 - node)):
            banded[node + offset, :, node] = blocks[node, offset * D : (offset + 1) * D]
    np.testing.assert_allclose(np.tril(banded.reshape(6 * D, 6 * D)), np.tril(dense), atol=1e-10 * np.abs(dense).max())


def test_nodes_alone():
    """Values that least squares finds on few nodes; and with a penalty, from any start, one optimum."""
    rng = np.random.default_rng(0)
    x, y = np.linspace(0.0, 1.0, 50), rng.standard_normal((50, 2))
    nodes = np.array([0, 7, 21, 30, 49])
    moments = Moments.at(x, np.ones(50), y, x[nodes], nodes[:-1])
    hats = np.array([np.interp(x, x[nodes], hat) for hat in np.eye(5)]).T
    theta = least_squares(moments)
    np.testing.assert_allclose(theta, np.linalg.lstsq(hats, y, rcond=None)[0], atol=1e-10)
    warm = group_set(moments, 0.01, Knots(np.arange(1, 4), np.ones((3, 2)), theta))
    cold = group_set(moments, 0.01)
    np.testing.assert_array_equal(warm.active, cold.active)
    np.testing.assert_allclose(warm.theta, cold.theta, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("D", [3, 8])
def test_a_hundred_thousand_points(D):
    x, y = curves(100_000, D)
    assert max(solved(rs.Problem(x, y, 1.0), fraction).relative_gap for fraction in (0.1, 1e-3)) <= 1e-8
