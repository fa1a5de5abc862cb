"""Fits with every activation, held against programs on fine grids that share no code with them."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import diagonal

import ridgesplines as rs

ACTIVATIONS = [rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Sigmoid(0.3), rs.Arctan(0.3), rs.Exponential(0.5)]


def data(n=30, seed=0):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-2.0, 2.0, n))
    return x, np.sin(2.0 * x) + 0.3 * x + 0.2 * rng.standard_normal(n)


def monomials(x, degree):
    return np.stack([x**i for i in range(degree + 1)], axis=1) if degree >= 0 else np.empty((len(x), 0))


def lasso(x, y, lam, columns, free, loss="squared"):
    """min of the loss plus lam |v|_1 over columns v + free c, in CVXPY."""
    columns = columns[:, (columns != 0.0).any(axis=0)]
    size = np.abs(columns).max(axis=0)  # columns of one size are easier on the backend
    v = cp.Variable(columns.shape[1])
    z = (columns / size) @ v + (free @ cp.Variable(free.shape[1]) if free.shape[1] else 0.0)
    fits = {"squared": cp.sum_squares(y - z), "absolute": cp.norm1(y - z), "logistic": None}
    data_fit = cp.sum(cp.logistic(-cp.multiply(y, z))) if loss == "logistic" else fits[loss]
    problem = cp.Problem(cp.Minimize(data_fit + lam * cp.norm1(cp.multiply(1.0 / size, v))))
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-8, tol_gap_rel=1e-8, tol_feas=1e-8)
    return problem.value


LOSSES = {"squared": rs.Squared(), "absolute": rs.Absolute(), "logistic": rs.Logistic()}


@pytest.mark.parametrize(("activation", "loss", "fraction"), diagonal(ACTIVATIONS, list(LOSSES), [0.3, 0.03], times=2))
def test_one_dimension_is_the_limit_of_fine_grids(activation, loss, fraction):
    """The fine grid's optimum is above ours, and above by little: its spacing squared; ours proves its own gap."""
    x, y = data()
    y = np.sign(y + 0.3) if loss == "logistic" else y
    problem = rs.Problem(x, y, 1.0, LOSSES[loss], activation)
    problem = problem.with_lam(fraction * rs.lambda_max(problem))
    solution = rs.solve(problem)
    assert solution.status == "converged"
    assert solution.certificate.scope in ("exact", "bounded")
    assert solution.relative_gap <= 1e-6
    b = np.union1d(np.linspace(-2.5, 2.5, 401), x)
    fine = lasso(x, y, problem.lam, activation.value(x[:, None] - b), monomials(x, activation.degree), loss)
    assert solution.objective <= fine * (1.0 + 1e-7)
    assert fine <= solution.objective * (1.0 + 2e-3)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_locally_adaptive_regression_splines(k):
    """Mammen and van de Geer: knots among the data, in the truncated power basis; free knots do better or as well."""
    x, y = data(25)
    lam = 0.05
    first = (k + 1) // 2 if k % 2 else k // 2  # their knots: the data but for the outermost
    knots = x[first : len(x) - (k + 1 - first)]
    activation = rs.TruncatedPower(k)
    columns = np.maximum(x[:, None] - knots, 0.0) ** k / [1.0, 1.0, 2.0, 6.0][k]
    restricted = lasso(x, y, lam, columns, monomials(x, k))
    problem = rs.Problem(x, y, lam, activation=activation)
    same = rs.solve(problem, rs.Grid(biases=knots, refine=False))
    assert same.objective == pytest.approx(restricted, rel=1e-6)
    assert same.dictionary_gap <= 1e-6
    free = rs.solve(problem)
    assert free.relative_gap <= 1e-6
    assert free.objective <= restricted * (1.0 + 1e-8)
    if k == 1:
        assert free.objective == pytest.approx(rs.solve(rs.Problem(x, y, lam)).objective, rel=1e-6)
    else:
        assert free.objective < restricted * (1.0 - 1e-6)  # the optimal knots are not at data


@pytest.mark.parametrize("activation", [*ACTIVATIONS, rs.TruncatedPower(1)], ids=repr)
def test_interpolation(activation):
    x = np.linspace(-2.0, 2.0, 9)
    y = np.cos(3.0 * x)
    solution = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation(), activation))
    assert solution.status == "converged"
    assert solution.network(x) == pytest.approx(y, abs=1e-9)
    assert solution.network.n_neurons <= len(x) - (activation.degree + 1)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_vector_outputs(activation):
    x, y = data()
    problem = rs.Problem(x, np.stack([y, np.cos(x)], axis=1), 0.5, activation=activation)
    solution = rs.solve(problem)
    assert solution.status == "converged"
    assert solution.certificate.scope in ("exact", "bounded")
    assert solution.network(x).shape == (30, 2)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_two_dimensions_among_the_directions(activation):
    """Against CVXPY on the same directions and many biases."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-1.0, 1.0, (11, 2))
    y = np.tanh(3.0 * X @ [0.6, 0.8]) + X[:, 0] ** 2
    angles = np.pi * np.arange(3) / 3
    W = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    problem = rs.Problem(X, y, 1.0, activation=activation)
    problem = problem.with_lam(0.1 * rs.lambda_max(problem))
    solution = rs.solve(problem, rs.Grid(directions=W))
    assert solution.certificate.scope == "dictionary"
    assert solution.relative_gap <= 1e-6
    assert solution.network.n_neurons <= problem.n_samples - problem.rank
    b = np.linspace(-1.6, 1.6, 65)
    columns = np.concatenate([activation.value((X @ w)[:, None] - b) for w in W], axis=1)
    free = np.stack(
        [X[:, 0] ** i * X[:, 1] ** j for i in range(4) for j in range(4) if i + j <= activation.degree]
        or [np.zeros(11)],
        axis=1,
    )
    fine = lasso(X, y, problem.lam, columns, free)
    assert solution.objective <= fine * (1.0 + 1e-8)
    assert fine <= solution.objective * (1.0 + 2e-2)
    anywhere = rs.evaluate(problem, solution.network, max_time=0.5)
    assert anywhere.certificate.scope == "searched"
    assert anywhere.certificate.sup >= problem.lam * (1.0 - 1e-6)  # no less than along the grid's own directions


def test_leaky_and_absolute_value_are_relu_in_disguise():
    """Trained or fitted with these activations at lam, it is ReLU at lam / (1 - a), and at lam / 2."""
    x, y = data(20)
    lam, free = 0.2, monomials(x, 1)
    t = x[:, None] - x[1:-1]
    for columns, factor in ((np.maximum(t, 0.1 * t), 0.9), (np.abs(t), 2.0)):
        optimum = rs.solve(rs.Problem(x, y, lam / factor)).objective
        assert lasso(x, y, lam, columns, free) == pytest.approx(optimum, rel=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_path_and_no_neurons_from_lambda_max_on(activation):
    x, y = data()
    problem = rs.Problem(x, y, 1.0, activation=activation)
    path = rs.solve_path(problem, n_lams=4)
    assert path[0].network.n_neurons == 0
    assert [s.status for s in path] == ["converged"] * 4
    assert (np.diff([s.seminorm for s in path]) >= -1e-9).all()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_data(activation, n):
    x = np.arange(float(n))
    problem = rs.Problem(x, np.array([1.0, -1.0, 2.0, 0.5])[:n], 0.1, activation=activation)
    solution = rs.solve(problem)
    assert solution.status == "converged"
    assert solution.network.n_neurons <= max(n - activation.degree - 1, 0)
    if n <= activation.degree + 1:
        assert solution.network(x) == pytest.approx(problem.y, abs=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_duplicates_are_weights(activation):
    x, y = data(15)
    twice = rs.solve(rs.Problem(np.repeat(x, 2), np.repeat(y, 2), 0.3, activation=activation))
    weighted = rs.solve(rs.Problem(x, y, 0.3, activation=activation, sample_weight=np.full(15, 2.0)))
    assert twice.objective == pytest.approx(weighted.objective, rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(shift=st.floats(-100.0, 100.0), log=st.floats(-3.0, 3.0), seed=st.integers(0, 1000))
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_units_do_not_matter(activation, shift, log, seed):
    """x in other units, with the neuron's width in them too: the same function, in other units."""
    x, y = data(15, seed)
    r = 10.0**log
    moved = type(activation)(activation.scale * r) if activation.homogeneity is None else activation
    problem = rs.Problem(x, y, 0.3, activation=activation)
    lam = 0.3 if activation.homogeneity is None else 0.3 * r**activation.homogeneity
    other = rs.Problem(shift + r * x, y, lam, activation=moved)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)  # some of them stop early, and say so
        a, b = rs.solve(problem), rs.solve(other)
    assert b.objective == pytest.approx(a.objective, rel=1e-6, abs=a.gap + b.gap)
    assert b.network(shift + r * x) == pytest.approx(a.network(x), abs=2e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("angle", [0.4, 2.0])
def test_rotated_data_and_directions(activation, angle):
    rng = np.random.default_rng(2)
    X, W = rng.uniform(-1.0, 1.0, (25, 2)), rng.standard_normal((4, 2))
    y = np.sin(3.0 * X[:, 0]) + X[:, 1]
    R = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    a = rs.solve(rs.Problem(X, y, 0.1, activation=activation), rs.Grid(directions=W))
    b = rs.solve(rs.Problem(X @ R.T, y, 0.1, activation=activation), rs.Grid(directions=W @ R.T))
    assert b.objective == pytest.approx(a.objective, rel=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_rows_in_any_order(activation):
    x, y = data()
    order = np.random.default_rng(0).permutation(len(x))
    a = rs.solve(rs.Problem(x, y, 0.3, activation=activation))
    b = rs.solve(rs.Problem(x[order], y[order], 0.3, activation=activation))
    assert b.objective == pytest.approx(a.objective, rel=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_evaluate_proves_how_far_another_network_is(activation):
    x, y = data()
    problem = rs.Problem(x, y, 1.0, activation=activation)
    problem = problem.with_lam(0.1 * rs.lambda_max(problem))
    best = rs.solve(problem)
    worse = best.network.changed(amplitudes=1.1 * best.network.amplitudes)
    measured = rs.evaluate(problem, worse)
    assert measured.gap >= measured.objective - best.objective - 1e-12 > 0.0
    assert rs.evaluate(problem, best.network).relative_gap <= 1e-6


def test_unrefined_grids_measure_their_gap_over_all_biases():
    x, y = data()
    problem = rs.Problem(x, y, 0.3, activation=rs.Sigmoid(0.3))
    coarse = rs.solve(problem, rs.Grid(biases=6, refine=False))
    assert coarse.dictionary_gap <= 1e-6
    assert coarse.certificate.scope == "bounded"
    assert coarse.gap >= coarse.objective - rs.solve(problem).objective > 1e-3
