"""Training with other activations than ReLU: gradients, objectives and refusals."""

import numpy as np
import pytest

import ridgesplines as rs

torch = pytest.importorskip("torch")

from ridgesplines.torch.decay import WeightDecay  # noqa: E402
from ridgesplines.torch.deep import DeepRidgeSpline  # noqa: E402
from ridgesplines.torch.layer import applied  # noqa: E402
from ridgesplines.torch.proximal import Lasso, PathProx  # noqa: E402

ONE_KINK = [rs.LeakyReLU(0.2), rs.AbsoluteValue()]
OTHERS = [rs.Sigmoid(0.3), rs.Arctan(0.5), rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Exponential(0.5)]


def table(activation=None, outputs=None, n=25):
    """Correlated columns, one of whole numbers, and a repeated row."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1.0, 1.0, n)
    X = np.column_stack([x, np.round(2.0 * x + 0.3 * rng.standard_normal(n))])
    X[3] = X[4]
    y = np.sin(3.0 * x) + 0.3 * X[:, 1]
    return rs.Problem(X, y if outputs is None else np.column_stack([y, y**2]), 0.05, activation=activation)


def penalised(problem, network):
    """The objective, written out."""
    v = network.amplitudes.reshape(network.n_neurons, -1)
    hidden = problem.activation.value(problem.X @ network.weights.T - network.biases)
    z = hidden @ network.amplitudes + problem.X @ network.slope + network.offset
    return ((problem.y - z) ** 2).sum() + problem.lam * np.linalg.norm(v, axis=1).sum()


@pytest.mark.parametrize("activation", [rs.ReLU(), *ONE_KINK, *OTHERS], ids=repr)
def test_gradients_are_those_of_differences(activation):
    t = torch.tensor([[-1.3, -0.4], [0.2, 1.1]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: applied(activation, t), (t,))
    assert applied(activation, t).detach().numpy() == pytest.approx(activation.value(t.detach().numpy()), abs=1e-15)


@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize("activation", [*ONE_KINK, *OTHERS], ids=repr)
def test_path_prox_trains_them_all(activation, outputs):
    """The network has unit weights and nothing free but its null space; its objective is above the optimum's bound."""
    problem = table(activation, outputs)
    trained = rs.solve(problem, PathProx(width=15, epochs=60))
    network = trained.network
    assert network.activation == activation
    assert trained.objective == pytest.approx(penalised(problem, network), rel=1e-9)
    assert trained.objective < trained.history["objective"][0]
    assert np.linalg.norm(network.weights, axis=1) == pytest.approx(1.0)
    if activation.degree < 1:
        assert not network.slope.any()
    if activation.degree < 0:
        assert not np.any(network.offset)


@pytest.mark.parametrize("activation", [rs.Sigmoid(0.3), rs.TruncatedPower(2)], ids=repr)
def test_training_does_not_pass_below_the_optimum(activation):
    problem = table(activation)
    optimum = rs.solve(problem)
    trained = rs.solve(problem, PathProx(width=20, epochs=300))
    assert trained.objective >= optimum.certificate.value


def test_training_stays_at_the_optimum():
    problem = table(rs.Sigmoid(0.3))
    optimum = rs.solve(problem)
    again = rs.solve(problem, PathProx(width=optimum.network.n_neurons + 1, epochs=20, start=optimum.network))
    assert optimum.certificate.value <= again.objective <= 1.001 * optimum.objective


@pytest.mark.parametrize("activation", ONE_KINK, ids=repr)
def test_weight_decay_where_weights_have_a_scale(activation):
    problem = table(activation)
    trained = rs.solve(problem, WeightDecay(width=15, epochs=100))
    assert trained.network.activation == activation
    assert trained.objective == pytest.approx(penalised(problem, trained.network), rel=1e-9)


@pytest.mark.parametrize("method", [WeightDecay(), Lasso()], ids=repr)
@pytest.mark.parametrize("activation", OTHERS[:3], ids=repr)
def test_others_are_refused_in_words(method, activation):
    with pytest.raises(rs.SolverRefusal, match=r"homogeneous of degree one.*PathProx"):
        rs.solve(table(activation), method)


def test_starts_of_another_activation_are_refused():
    start = rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])
    with pytest.raises(rs.SolverRefusal, match=r"a start of the activation Sigmoid\(scale=0.3\)"):
        rs.solve(table(rs.Sigmoid(0.3)), PathProx(start=start))
    square = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 4.0, 9.0], 0.1, activation=rs.TruncatedPower(2)))
    with pytest.raises(rs.SolverRefusal, match="degree two"):
        rs.solve(square.problem, PathProx(start=square.network))


@pytest.mark.parametrize("activation", [rs.LeakyReLU(0.2), rs.Sigmoid(0.3)], ids=repr)
def test_deep_networks(activation):
    """Refining and sweeping lower the objective, which is the sum over layers; the module is the same function."""
    deep = DeepRidgeSpline((8, 8), (1,), activation=activation).train(table(), PathProx(epochs=40))
    assert [layer.activation for layer in deep.layers] == [activation] * 2
    refined = deep.refine()
    swept = refined.sweep()
    assert deep.history["objective"][0] > deep.objective >= refined.objective >= swept.objective
    assert refined.last.relative_gap <= 1e-4
    X = refined.problem.X
    with torch.no_grad():
        assert np.abs(refined.to_torch()(torch.tensor(X)).numpy() - refined(X)).max() <= 1e-12


def test_of_quadratic_splines_the_last_layer_has_the_quadratic_terms():
    deep = DeepRidgeSpline((8, 8), (1,), activation=rs.TruncatedPower(2)).train(table(), PathProx(epochs=40))
    refined = deep.refine()
    assert refined.objective <= deep.objective
    assert refined.layers[0].polynomial is None
    assert refined.layers[1].polynomial is not None
    with pytest.raises(rs.ProblemError, match="No module"):
        refined.to_torch()
    with pytest.raises(rs.ProblemError, match="Use refine"):
        refined.sweep()


def test_the_claim_on_34_is_about_relu():
    deep = DeepRidgeSpline((4, 4), (1,), activation=rs.Sigmoid(0.3)).train(table(), PathProx(epochs=5))
    with pytest.raises(rs.ProblemError, match=r"the activation ReLU\(\)"):
        rs.theorems.deep(deep)


@pytest.mark.parametrize("activation", [*ONE_KINK, *OTHERS], ids=repr)
def test_modules_of_single_layers(activation):
    """There and back; units have a scale that can be moved only where they are homogeneous of degree one."""
    offset = 0.5 if activation.degree >= 0 else 0.0
    network = rs.RidgeSpline([[0.6, 0.8], [1.0, 0.0]], [0.1, 0.7], [1.0, -2.0], offset=offset, activation=activation)
    module = network.to_torch()
    again = rs.RidgeSpline.from_torch(module)
    X = table().X
    assert again.activation == activation
    assert again(X) == pytest.approx(network(X), abs=1e-13)
    with pytest.raises(rs.ProblemError, match=r"ReLU\(\)"):
        network.to_torch(plain=True)
    if activation.homogeneity == 1:
        assert rs.torch.weight_decay(module) == pytest.approx(2.0 * network.seminorm)
    else:
        with pytest.raises(rs.ProblemError, match="a scale of their own"):
            rs.torch.balance(module)
