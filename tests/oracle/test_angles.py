"""The bound over all directions of the plane: never below any neuron, near the largest, and honest when time ends."""

import numpy as np
import pytest
from instances import dual_vector

import ridgesplines as rs
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle import AnglesOracle, eta_at

ACTIVATIONS = [rs.Sigmoid(0.4), rs.Arctan(0.3), rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Exponential(0.6)]


def dual(X, activation, seed, outputs=()):
    return dual_vector(X, seed, outputs, activation.degree)


def tables(seed):
    rng = np.random.default_rng(seed)
    yield rng.standard_normal((20, 2))
    yield np.array([(i, 5.0 * j) for i in range(4) for j in range(3)]) / 4.0
    a = rng.standard_normal(25)
    yield np.column_stack([a, np.clip(a, -0.5, 0.5)])
    yield np.column_stack([a, 2.0 * a])  # on a line


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_no_neuron_exceeds_it_and_some_nearly_reaches_it(activation):
    for seed, X in enumerate(tables(0)):
        u = dual(X, activation, seed)
        found = AnglesOracle(X, activation)(u)
        angles = np.repeat(np.linspace(0.0, np.pi, 91), 40)
        W = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        b = np.random.default_rng(seed).uniform(-3.0, 3.0, len(angles))
        size = np.abs(eta_at(X, u, W, b, activation))
        assert size.max() <= found.value * (1.0 + 1e-9)
        listed = np.abs(eta_at(X, u, found.weights, found.biases, activation)).max()
        kinked = isinstance(activation, rs.Exponential)  # a bound of first order
        assert listed >= found.value * (1.0 - (2e-3 if kinked else 1e-6))


def test_vectors_and_time():
    X = next(tables(1))
    u = dual(X, rs.Sigmoid(0.4), 0, (2,))
    found = AnglesOracle(X, rs.Sigmoid(0.4))(u)
    assert found.scope == "bounded"
    assert group_norms(eta_at(X, u, found.weights, found.biases, rs.Sigmoid(0.4))).max() >= found.value * (1.0 - 1e-6)
    late = AnglesOracle(X, rs.Sigmoid(0.4))(u, end=-np.inf)
    assert late.value >= found.value * (1.0 - 1e-12)
    known = AnglesOracle(X, rs.Sigmoid(0.4))(u, near=(found.weights, found.biases))
    assert known.value == pytest.approx(found.value, rel=1e-6)


def test_a_solution_is_certified_and_its_bound_is_below_what_a_fine_grid_finds():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal(40), rng.integers(0, 4, 40) / 2.0])
    y = np.tanh(2.0 * X[:, 0]) + X[:, 1] ** 2 + 0.1 * rng.standard_normal(40)
    s = rs.solve(rs.Problem(X, y, 0.5, activation=rs.Sigmoid(0.5)), rs.ColumnGeneration(tol=1e-6))
    proven = s.certify(max_time=30.0)
    assert (s.certificate.scope, proven.certificate.scope) == ("searched", "bounded")
    assert proven.relative_gap <= 1e-5
    fine = rs.solve(s.problem, rs.Grid(directions=24))
    assert proven.certificate.value <= fine.objective
    three = rs.solve(rs.Problem(np.column_stack([X, X[:, 0] ** 2]), y, 5.0, activation=rs.Sigmoid(0.5)))
    with pytest.raises(rs.ProblemError, match="two features"):
        three.certify()


@pytest.mark.parametrize(("activation", "factor"), [(rs.LeakyReLU(0.2), 0.8), (rs.AbsoluteValue(), 2.0)])
@pytest.mark.parametrize("d", [1, 2])
def test_units_that_are_relus_in_disguise_fit_the_same_functions(activation, factor, d):
    rng = np.random.default_rng(3)
    X = rng.integers(0, 6, (40, d)).astype(float)
    y = np.abs(X.sum(axis=1) - 4.0) + 0.3 * rng.standard_normal(40)
    relu = rs.solve(rs.Problem(X, y, 1.0 / factor))
    same = rs.solve(rs.Problem(X, y, 1.0, activation=activation))
    assert same.certificate.scope == "exact"
    assert same.relative_gap < 1e-5
    assert same.objective == pytest.approx(relu.objective, rel=1e-5)
    assert same.predict(X) == pytest.approx(relu.predict(X), abs=1e-2)
    assert rs.lambda_max(same.problem) == pytest.approx(factor * rs.lambda_max(relu.problem), rel=1e-9)
