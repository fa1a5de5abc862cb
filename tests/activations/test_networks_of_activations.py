"""Networks of other activations: what they can say of themselves, and what they refuse, in words."""

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.numerics.polynomials import Polynomial

ACTIVATIONS = [rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Sigmoid(0.3), rs.Arctan(), rs.Exponential(2.0)]


def network(activation, d=2, K=4, seed=0):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((K, d))
    W /= np.linalg.norm(W, axis=1)[:, None]
    polynomial = None
    if activation.degree > 1:
        polynomial = Polynomial(np.array([[2] + [0] * (d - 1)]), np.array([0.5]), np.full(d, 0.3), 2.0)
    return rs.RidgeSpline(
        W, rng.standard_normal(K), rng.standard_normal(K), None, 1.0, activation=activation, polynomial=polynomial
    )


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_values_are_the_formula(activation):
    net = network(activation)
    X = np.random.default_rng(1).standard_normal((20, 2))
    expected = activation.value(X @ net.weights.T - net.biases) @ net.amplitudes + 1.0
    if net.polynomial is not None:
        expected += 0.5 * ((X[:, 0] - 0.3) / 2.0) ** 2
    assert net(X) == pytest.approx(expected)
    assert net.seminorm == pytest.approx(np.abs(net.amplitudes).sum())


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
@pytest.mark.parametrize("d", [1, 2])
def test_saved_and_loaded(activation, d, tmp_path):
    net = network(activation, d)
    net.save(tmp_path / "net.npz")
    again = rs.RidgeSpline.load(tmp_path / "net.npz")
    X = np.random.default_rng(1).standard_normal((20, d))
    assert again.activation == activation
    assert (again(X) == net(X)).all()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_weights_of_any_length_where_homogeneous(k):
    activation = rs.TruncatedPower(k)
    net = rs.RidgeSpline([[3.0, 4.0]], [1.0], [2.0], activation=activation)
    assert net.seminorm == pytest.approx(2.0 * 5.0**k)
    assert net([[1.0, 1.0]]) == pytest.approx(2.0 * activation.value(np.array([6.0])))


def test_a_neuron_without_weights_is_a_constant():
    net = rs.RidgeSpline([[0.0], [1.0]], [-2.0, 0.0], [3.0, 1.0], activation=rs.TruncatedPower(2))
    assert net.n_neurons == 1
    assert net.offset == 6.0


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_ridges_and_partial_dependence(activation):
    net = network(activation)
    X = np.random.default_rng(1).standard_normal((20, 2))
    rest = net.changed(amplitudes=np.zeros(4))
    assert sum(ridge(X) for ridge in net.ridges()) + rest(X) == pytest.approx(net(X))
    at = np.array([-1.0, 0.5])
    expected = [net(np.column_stack([np.full(20, t), X[:, 1]])).mean() for t in at]
    assert net.partial_dependence(X, 0, at) == pytest.approx(expected)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_pictures_and_summary(activation):
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, 20)
    solution = rs.solve(rs.Problem(x, np.sin(2.0 * x), 0.2, activation=activation))
    assert repr(activation) in solution.summary()
    figure = solution.plot()
    line = figure.axes[0].lines[0].get_xydata()
    assert line[:, 1] == pytest.approx(solution.network(line[:, 0]))
    X = rng.uniform(-1.0, 1.0, (20, 2))
    plane = rs.solve(rs.Problem(X, np.sin(2.0 * X[:, 0]), 0.2, activation=activation), rs.Grid(directions=4))
    kinds = ["contours", "ridges", "dependence"]
    plane.plot(kind=kinds[ACTIVATIONS.index(activation) % 3]).canvas.draw()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rs.TruncatedPower(0), "order"),
        (lambda: rs.TruncatedPower(1.5), "order"),
        (lambda: rs.Sigmoid(0.0), "scale"),
        (lambda: rs.Arctan(-1.0), "scale"),
        (lambda: rs.Exponential(np.nan), "scale"),
        (lambda: rs.RidgeSpline([[2.0]], [0.0], [1.0], activation=rs.Sigmoid()), "unit length"),
        (lambda: rs.Problem([0.0, 1.0], [0.0, 1.0], 1.0, activation=rs.Sigmoid), "instance"),
        (lambda: rs.Problem([0.0, 1.0], [0.0, 1.0], 1.0, activation=rs.Sigmoid(), constraints=[rs.Convex()]), "ReLU"),
        (lambda: network(rs.Sigmoid()).balanced(), "homogeneous"),
        (lambda: network(rs.Sigmoid(), 1).to_ppoly(), "ReLU"),
        (lambda: network(rs.Sigmoid(), 1).to_torch(plain=True), "ReLU"),
        (lambda: rs.radon.radon_measure(network(rs.Sigmoid())), "ReLU"),
        (lambda: rs.evaluate(rs.Problem([0.0, 1.0], [0.0, 1.0], 1.0), network(rs.Sigmoid(), 1)), "activation"),
    ],
)
def test_errors_say_what_was_expected(make, words):
    with pytest.raises(rs.ProblemError, match=words):
        make()


@pytest.mark.parametrize("solver", [rs.Univariate(), rs.Arrangement()])
def test_other_solvers_refuse(solver):
    X = np.random.default_rng(0).uniform(size=(6, 1 if isinstance(solver, rs.Univariate) else 2))
    with pytest.raises(rs.SolverRefusal, match="ReLU"):
        rs.solve(rs.Problem(X, X[:, 0], 1.0, activation=rs.Sigmoid()), solver)


def test_no_proof_over_all_directions():
    X = np.random.default_rng(0).uniform(size=(8, 3))
    solution = rs.solve(rs.Problem(X, X[:, 0] ** 2, 0.01, activation=rs.Sigmoid()), rs.Grid(directions=3))
    with pytest.raises(rs.ProblemError, match="searched"):
        solution.certify()


def test_separable_classes_by_what_is_free():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    outside = np.array([1.0, -1.0, -1.0, -1.0, 1.0])  # a parabola separates them, a line does not
    with pytest.raises(rs.ProblemError, match="polynomial of degree 2"):
        rs.solve(rs.Problem(x, outside, 0.1, rs.Logistic(), rs.TruncatedPower(2)))
    for activation in (rs.Sigmoid(), rs.Exponential(), rs.TruncatedPower(1)):
        assert rs.solve(rs.Problem(x, outside, 0.1, rs.Logistic(), activation)).status == "converged"
    with pytest.raises(rs.ProblemError, match="constant"):
        rs.solve(rs.Problem(x, np.ones(5), 0.1, rs.Logistic(), rs.Sigmoid()))
