"""Data that break naive methods get a correct answer, with a certificate that says so."""

import numpy as np
import pytest
from instances import LOSSES, SCALAR, ids, noisy, problem, targets

import ridgesplines as rs

REGRESSION = [loss for loss in LOSSES if loss.translates]


def certified(p, solver=None):
    s = rs.solve(p, solver)
    assert s.status == "converged"
    assert s.relative_gap <= 1e-6
    return s


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_units_of_x(loss, scale):
    p = problem(loss, 40)
    s = certified(p)
    t = certified(rs.Problem(p.X * scale, p.y, p.lam * scale, loss))
    assert t.objective == pytest.approx(s.objective, rel=1e-6)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_x_over_24_decades(loss):
    rng = np.random.default_rng(0)
    x = np.sort(10.0 ** rng.uniform(-12, 12, 60))
    y = targets(loss, np.sin(np.log10(x)))
    if isinstance(loss, rs.Interpolation):
        with pytest.raises(rs.ProblemError, match=r"further apart than the rounding.*logarithm"):
            rs.solve(rs.Problem(x, y, 1.0, loss))
        return
    lam = 0.01 * rs.lambda_max(rs.Problem(x, y, 1.0, loss))
    certified(rs.Problem(x, y, lam, loss))


@pytest.mark.parametrize("loss", REGRESSION, ids=ids)
def test_large_offsets(loss):
    X, y = noisy(40)
    s = certified(rs.Problem(X, y, 0.02, loss))
    t = certified(rs.Problem(X, y + 1e6, 0.02, loss))
    assert t.objective == pytest.approx(s.objective, rel=1e-6)
    seconds = certified(rs.Problem(X * 1e7 + 1.7e9, y, 0.02 * 1e7, loss))
    assert seconds.objective == pytest.approx(s.objective, rel=1e-5)


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.interpolates], ids=ids)
def test_ties(loss):
    p = problem(loss, 60)
    tied = rs.Problem(np.round(p.X, 1), p.y, p.lam, loss)
    s = certified(tied)
    assert s.network.n_neurons <= (len(np.unique(tied.X)) - 2) * (p.n_outputs or 1)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_duplicated_rows_are_weights(loss):
    p = problem(loss, 30)
    twice = rs.Problem(np.repeat(p.X, 2, axis=0), np.repeat(p.y, 2, axis=0), p.lam, loss)
    doubled = rs.Problem(p.X, p.y, p.lam, loss, sample_weight=np.full(30, 2.0))
    assert certified(twice).objective == pytest.approx(certified(doubled).objective, rel=1e-6)


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.separable()], ids=ids)
@pytest.mark.parametrize("n", [1, 2])
def test_too_few_points_to_bend(loss, n):
    y = np.array([1.0, -1.0])[:n]
    s = certified(rs.Problem(np.arange(float(n)), y, 0.1, loss))
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.separable()], ids=ids)
def test_fewer_points_than_dimensions(loss):
    rng = np.random.default_rng(0)
    s = certified(rs.Problem(rng.standard_normal((4, 6)), [1.0, -1.0, 1.0, 1.0], 0.1, loss), rs.Grid(directions=8))
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.interpolates], ids=ids)
def test_all_x_equal(loss):
    y = targets(loss, np.sin(np.arange(30.0)))
    s = certified(rs.Problem(np.full(30, 5.0), y, 0.1, loss))
    assert s.network.n_neurons == 0


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_a_constant_column_does_nothing(loss):
    p = problem(loss, 30)
    s = certified(p)
    t = certified(rs.Problem(np.column_stack([np.full(30, 7.0), p.X]), p.y, p.lam, loss), rs.Grid([[0.0, 1.0]]))
    assert t.objective == pytest.approx(s.objective, rel=1e-6)
    assert t.certificate.scope == "exact"


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_collinear_columns_are_one_dimension(loss):
    # On the line along (3, 4) / 5 a neuron sees 5 x; the seminorm of f over the line is five times smaller.
    p = problem(loss, 30)
    s = certified(p)
    t = certified(rs.Problem(p.X * [3.0, 4.0], p.y, 5.0 * p.lam, loss), rs.Grid([[0.6, 0.8], [1.0, 0.0]]))
    assert t.certificate.scope == "exact"
    assert t.objective == pytest.approx(s.objective, rel=1e-6)


@pytest.mark.parametrize("loss", REGRESSION, ids=ids)
def test_affine_data(loss):
    X, _ = noisy(30)
    s = certified(rs.Problem(X, 3.0 * X[:, 0] + 1.0, 0.01, loss))
    assert s.network.n_neurons == 0
    assert s.network.slope == pytest.approx([3.0])


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.interpolates], ids=ids)
def test_lam_to_zero(loss):
    p = problem(loss, 30)
    # The gradients of a softmax fit die out with lam: below this they are rounding.
    s = certified(p.with_lam((1e-6 if p.n_outputs else 1e-8) * rs.lambda_max(p)))
    assert s.network.n_neurons <= 28 * (p.n_outputs or 1)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_weights_over_eight_decades(loss):
    weight = 10.0 ** np.random.default_rng(0).uniform(-4, 4, 40)
    certified(problem(loss, 40, sample_weight=weight))


@pytest.mark.parametrize("loss", [x for x in LOSSES if not x.interpolates], ids=ids)
def test_integer_lattice(loss):
    X = np.argwhere(np.ones((6, 6))).astype(float)
    y = targets(loss, np.abs(X[:, 0] - 2.0) + np.sin(X[:, 1]))
    s = rs.solve(rs.Problem(X, y, 0.3, loss), rs.Grid(directions=16))
    assert s.certificate.scope == "exact"
    assert s.dictionary_gap <= 1e-6


@pytest.mark.parametrize("solver", [None, rs.Grid()])
@pytest.mark.parametrize("label", [1.0, -1.0])
def test_hinge_of_one_class(solver, label):
    solution = rs.solve(rs.Problem([0.0, 1.0, 2.0], np.full(3, label), 1.0, rs.Hinge()), solver)
    assert solution.status == "converged"
    assert solution.objective == solution.certificate.value == 0.0
    assert solution.gap == solution.rounding


@pytest.mark.parametrize("X", [[[0, 0], [1, 0], [0, 1], [1, 1]], [[0, 0], [1, 1], [2, 2]]], ids=["square", "collinear"])
def test_grid_of_points_whose_projections_differ_by_rounding(X):
    certified(rs.Problem(np.array(X, float), [1.0, 0.0, 1.0, 3.0][: len(X)], 0.1), rs.Grid(directions=8))


def test_constant_y_is_fitted_without_a_gap():
    weight = [1e-8, 1e-12, 1e6, 1e6]
    for loss in (rs.Squared(), rs.Absolute(), rs.Quantile(0.8), rs.Huber(0.1)):
        s = certified(rs.Problem([0.6, 0.53, 0.86, 0.89], np.full(4, 2.0), 0.5, loss, sample_weight=weight))
        assert s.network.n_neurons == 0
