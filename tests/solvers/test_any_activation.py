"""Activations other than ReLU off the grid: not above what grids find, optimal on their neurons, smooth to the end."""

import numpy as np
import pytest
from scipy.optimize import check_grad

import ridgesplines as rs
from ridgesplines.scaling import standardise
from ridgesplines.solvers.column_generation.any_slide import Joint

ACTIVATIONS = [rs.Sigmoid(0.4), rs.Arctan(0.3), rs.TruncatedPower(2), rs.Exponential(0.6)]
FAST = rs.ColumnGeneration(tol=1e-5)


def table(seed=0, N=60, d=2):
    """Correlated columns, one clipped, one of whole numbers; some rows twice."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(N)
    columns = [a, np.clip(a + rng.standard_normal(N), -1.0, 1.0), rng.integers(0, 4, N) / 2.0][:d]
    X = np.column_stack(columns)
    X[-5:] = X[:5]
    return X, np.tanh(2.0 * X[:, 0]) + X[:, 1] ** 2 + 0.1 * rng.standard_normal(N)


def solved(activation, loss=None, share=0.2, y=None, weights=None, d=2, solver=FAST):
    X, values = table(d=d)
    p = rs.Problem(X, values if y is None else y(values), 1.0, loss, activation, weights)
    return rs.solve(p.with_lam(share * rs.lambda_max(p)), solver)


@pytest.mark.parametrize(
    "activation", [*ACTIVATIONS[:3], pytest.param(ACTIVATIONS[3], marks=pytest.mark.slow)], ids=repr
)
def test_no_grid_does_better_and_its_own_neurons_have_these_amplitudes(activation):
    s = solved(activation)
    assert (s.status, s.certificate.scope) == ("converged", "searched")
    grid = rs.solve(s.problem, rs.Grid(directions=8))
    assert s.objective <= grid.objective * (1.0 + 1e-5)
    own = rs.Grid(directions=s.network.weights, biases=s.network.biases, refine=False)  # CVXPY, all pairs of them
    assert rs.solve(s.problem, own).objective == pytest.approx(s.objective, rel=1e-4)
    assert s.network.n_neurons <= s.problem.n_samples - s.problem.rank


def test_solve_takes_it_and_a_planted_neuron_is_found():
    X, _ = table(d=3, N=200)
    w, b = np.array([0.6, 0.0, -0.8]), 0.25
    y = 3.0 * rs.Sigmoid(0.3).value(X @ w - b) + 1.0
    s = rs.solve(rs.Problem(X, y, 0.05, activation=rs.Sigmoid(0.3)))
    assert s.solver.startswith("ColumnGeneration")
    k = int(np.abs(s.network.amplitudes).argmax())
    sign = np.sign(s.network.weights[k] @ w)
    np.testing.assert_allclose([*(sign * s.network.weights[k]), sign * s.network.biases[k]], [*w, b], atol=2e-2)
    assert s.predict(X) == pytest.approx(y, abs=0.05)


@pytest.mark.parametrize("loss", [rs.Huber(0.2), rs.Absolute(), rs.Logistic(), rs.Poisson()], ids=repr)
def test_every_loss(loss):
    targets = {
        rs.Logistic: lambda y: np.sign(y - 1.0 + 0.8 * np.cos(40.0 * y)),
        rs.Poisson: lambda y: np.round(2.0 * abs(y)),
    }
    s = solved(rs.Arctan(0.5), loss, y=targets.get(type(loss)), solver=rs.ColumnGeneration(tol=1e-3))
    assert s.relative_gap <= 1e-3
    grid = rs.solve(s.problem, rs.Grid(directions=6))
    assert s.objective <= grid.objective * (1.0 + 1e-3)


def test_vector_outputs_and_weights():
    two = solved(rs.TruncatedPower(2), y=lambda y: np.column_stack([y, np.sin(3.0 * y)]))
    assert two.relative_gap <= 1e-5
    assert two.objective <= rs.solve(two.problem, rs.Grid(directions=6)).objective * (1.0 + 1e-5)
    X, y = table()
    weights = np.ones(60)
    weights[-5:] = 0.0  # the copies: as if they were not there
    weighted = rs.Problem(X, y, 0.5, activation=rs.Sigmoid(0.4), sample_weight=weights)
    without = rs.Problem(X[:-5], y[:-5], 0.5, activation=rs.Sigmoid(0.4))
    assert rs.solve(weighted, FAST).objective == pytest.approx(rs.solve(without, FAST).objective, rel=2e-5)


def test_turned_and_shifted_data_have_the_same_optimum():
    X, y = table()
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    here = rs.Problem(X, y, 0.5, activation=rs.Sigmoid(0.4))
    there = rs.Problem((X @ turn + [100.0, -7.0])[::-1], y[::-1], 0.5, activation=rs.Sigmoid(0.4))
    assert rs.solve(there, FAST).objective == pytest.approx(rs.solve(here, FAST).objective, rel=2e-5)
    assert rs.lambda_max(there) == pytest.approx(rs.lambda_max(here), rel=1e-6)


def test_interactions_keep_neurons_in_their_groups():
    X, y = table(d=3)
    p = rs.Problem(X, y, 0.2, activation=rs.Sigmoid(0.5), interactions=1)
    s = rs.solve(p, rs.ColumnGeneration(tol=1e-4))
    assert ((s.network.weights != 0.0).sum(axis=1) == 1).all()
    free = rs.solve(rs.Problem(X, y, 0.2, activation=rs.Sigmoid(0.5)), rs.ColumnGeneration(tol=1e-4))
    assert free.objective <= s.objective * (1.0 + 1e-4)


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("activation", ACTIVATIONS[:3], ids=repr)
def test_the_gradient_of_the_slide_is_that_of_the_objective(activation, outputs):
    X, y = table(N=30)
    p = standardise(
        rs.Problem(X, y if outputs is None else np.column_stack([y, y**2]), 0.3, activation=activation)
    ).problem
    rng = np.random.default_rng(1)
    W = rng.standard_normal((4, 2))
    tail = () if outputs is None else (outputs,)
    v, c, c0 = rng.standard_normal((4, *tail)), rng.standard_normal((2, *tail)), rng.standard_normal(tail)
    c = c if p.rank > 1 else 0.0 * c
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    net = rs.RidgeSpline(W, rng.uniform(-0.5, 0.5, 4), v, c, c0, activation=p.activation)
    joint = Joint(p, net)
    start = joint.start(net)
    assert joint(start)[0] == pytest.approx(rs.evaluate(p, net, max_time=0.0).objective, rel=1e-9)
    start += 0.01 * rng.standard_normal(len(start))
    size = np.abs(joint(start)[1]).max()
    assert check_grad(lambda x: joint(x)[0], lambda x: joint(x)[1], start, epsilon=1e-7) <= 1e-4 * size


def test_time_ends_it_and_interpolation_is_refused():
    X, y = table(d=3, N=300)
    p = rs.Problem(X, y, 1e-3, activation=rs.Exponential(0.5))
    with pytest.warns(rs.ConvergenceWarning):
        s = rs.solve(p, rs.ColumnGeneration(max_time=0.2))
    assert s.status == "not converged"
    assert "max_time" in s.history["stopped"]
    with pytest.raises(rs.SolverRefusal, match="interpolated"):
        rs.solve(rs.Problem(X[5:], y[5:], 1.0, rs.Interpolation(), rs.Sigmoid(0.5)), rs.ColumnGeneration())
