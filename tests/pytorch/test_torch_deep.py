"""Deep networks: the objective is (34), the last layer is solved to its certificate, and nothing makes it worse."""

import numpy as np
import pytest

import ridgesplines as rs

torch = pytest.importorskip("torch")

from ridgesplines.torch import sweep  # noqa: E402
from ridgesplines.torch.decay import WeightDecay  # noqa: E402
from ridgesplines.torch.deep import DeepRidgeSpline, DeepSolution  # noqa: E402
from ridgesplines.torch.proximal import PathProx  # noqa: E402


def compositional(n=60, lam=0.05, outputs=None):
    """A function of one projection's absolute value, which one layer must build from many neurons."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (n, 2))
    y = np.abs(np.abs(X @ [0.8, 0.6]) - 0.4)
    y = (y - y.mean()) / y.std() + 0.05 * rng.standard_normal(n)
    return rs.Problem(X, y if outputs is None else np.column_stack([y, y**2]), lam)


def network(*shapes, seed=0):
    """Layers of random neurons; (inputs, neurons, outputs)."""
    rng = np.random.default_rng(seed)
    layers = []
    for d, K, D in shapes:
        tail = () if D is None else (D,)
        W, b, v = rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal((K, *tail))
        layers.append(rs.RidgeSpline(W, b, v, rng.standard_normal((d, *tail)), rng.standard_normal(tail)))
    return tuple(layers)


@pytest.fixture(scope="module")
def deep():
    return DeepRidgeSpline((30, 30), (1,)).train(compositional(), WeightDecay(epochs=500, learning_rate=0.02))


def test_the_objective_is_that_of_34():
    """Each output of an inner layer is a function with a seminorm of its own."""
    p = compositional()
    layers = network((2, 5, 3), (3, 4, 2), (2, 6, None))
    given = DeepSolution(p, layers)
    inner = 0.0
    for layer in layers[:-1]:
        for i in range(layer.n_outputs):
            one = rs.RidgeSpline(layer.weights, layer.biases, layer.amplitudes[:, i])
            inner += one.seminorm
    z = layers[2](layers[1](layers[0](p.X)))
    expected = ((p.y - z) ** 2).sum() + p.lam * (inner + layers[2].seminorm)
    assert given.objective == pytest.approx(expected, rel=1e-12)
    assert given.depth == 4
    assert given.ranks == (3, 2)
    assert given.active == (5, 4, 6)
    assert given.skips == (True, True, True)


@pytest.mark.parametrize("method", [WeightDecay, PathProx])
@pytest.mark.parametrize(("bottlenecks", "outputs"), [((2,), None), ((2, 1), None), ((2,), 2)])
def test_training_records_the_same_objective(method, bottlenecks, outputs):
    p = compositional(20, outputs=outputs)
    deep = DeepRidgeSpline((6,) * (len(bottlenecks) + 1), bottlenecks).train(p, method(epochs=30))
    assert np.abs(deep.history["objective"] / deep.objective - 1.0).min() <= 1e-9
    assert deep.objective <= deep.history["objective"][0]
    assert len(deep.ranks) == len(bottlenecks)
    assert all(rank <= d for rank, d in zip(deep.ranks, bottlenecks, strict=True))
    X = torch.tensor(p.X)
    with torch.no_grad():
        assert np.abs(deep.to_torch()(X).numpy() - deep(p.X)).max() <= 1e-12


def test_one_layer_is_the_shallow_problem():
    p = compositional()
    refined = DeepRidgeSpline((20,)).train(p, WeightDecay(epochs=20)).refine()
    assert refined.objective == pytest.approx(rs.solve(p).objective, rel=1e-6)
    assert refined.last.certificate.scope == "exact"
    assert (refined.depth, refined.ranks) == (2, ())


def test_refinement_lowers_the_objective_to_its_certificate(deep):
    refined = deep.refine()
    assert refined.objective < deep.objective
    assert refined.last.relative_gap <= 1e-8
    assert refined.last.certificate.scope == "exact"
    inner = deep.problem.lam * sum(deep.seminorms[:-1])
    assert refined.objective == pytest.approx(refined.last.objective + inner, rel=1e-10)
    assert deep.objective - inner >= refined.last.certificate.value * (1.0 - 1e-9)
    assert refined.layers[0] is deep.layers[0]
    assert refined.active[1] <= deep.active[1]


def test_a_poor_solver_does_not_replace_a_better_layer(deep):
    refined = deep.refine()
    again = refined.refine(rs.Grid(biases=2))
    assert again.layers == refined.layers
    assert again.last.network is refined.layers[-1]
    assert again.last.relative_gap <= 1e-8


def test_sweeps_never_raise_the_objective(deep):
    now, objectives = deep, [deep.objective]
    for _ in range(3):
        now = now.sweep()
        objectives.append(now.objective)
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[-1] < deep.refine().objective * (1.0 - 1e-4)
    assert now.layers[0].n_neurons <= 60 - 3  # N - rank[1 X], by purification


def test_a_sweep_of_two_bottlenecks_and_two_outputs():
    p = compositional(25, lam=0.05, outputs=2)
    deep = DeepSolution(p, network((2, 5, 2), (2, 5, 2)))
    swept = deep.sweep()
    assert swept.objective < deep.objective
    assert swept.layers[0].n_outputs == swept.layers[1].n_outputs == 2


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Logistic(), rs.Softmax()], ids=lambda loss: loss.name)
def test_the_model_of_a_sweep_has_the_slope_of_the_objective(loss):
    """By finite differences of the data fit along a change of one output; for squared error also the curvature."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((30, 2))
    y = {"Squared": X[:, 0], "Logistic": np.sign(X[:, 0]), "Softmax": np.arange(30) % 3}[loss.name]
    p = rs.Problem(X, y, 1.0, loss, sample_weight=rng.uniform(0.5, 2.0, 30))
    layers = network((2, 5, 2), (2, 6, 3 if loss.name == "Softmax" else None))
    model = sweep.model(p, layers, 0, 1)
    own = layers[0](X)[:, 1]
    change = 1e-6 * rng.standard_normal(30)

    def fit(scale):
        h = layers[0](X)
        h[:, 1] += scale * change
        return p.sample_weight @ loss.value(p.y, layers[1](h))

    def modelled(scale):
        return model.sample_weight @ (own + scale * change - model.y) ** 2

    assert modelled(1.0) - modelled(-1.0) == pytest.approx(fit(1.0) - fit(-1.0), rel=1e-6)
    if loss.name == "Squared":
        second = fit(1e3) + fit(-1e3) - 2.0 * fit(0.0)
        assert modelled(1e3) + modelled(-1e3) - 2.0 * modelled(0.0) == pytest.approx(second, rel=1e-3)


def test_free_skip_connections_make_ridge_functions_as_cheap_as_one_likes():
    """The warning in the documentation, in numbers: the same function, and a tenth of the regulariser."""
    p = compositional()
    g = rs.RidgeSpline([[1.0], [1.0]], [-0.4, 0.4], [1.0, -2.0], [0.5], 0.1)

    def scaled(a):
        first = rs.RidgeSpline(np.empty((0, 2)), [], np.empty((0, 1)), a * np.array([[0.8], [0.6]]), [0.0])
        return DeepSolution(
            p, (first, rs.RidgeSpline(g.weights, a * g.biases, g.amplitudes / a, g.slope / a, g.offset))
        )

    assert scaled(10.0)(p.X) == pytest.approx(scaled(1.0)(p.X), abs=1e-12)
    assert sum(scaled(10.0).seminorms) == pytest.approx(sum(scaled(1.0).seminorms) / 10.0)


def test_words(deep):
    text = deep.refine().summary()
    for word in ("L + 1 = 3", "skip connections in 2 of 2", "active", "ranks", "all other layers fixed", "lam *"):
        assert word in text
    assert "DeepSolution(depth=3" in repr(deep)


def test_bad_settings():
    p = compositional(20)
    with pytest.raises(rs.ProblemError, match="one bottleneck between two layers"):
        DeepRidgeSpline((10, 10))
    with pytest.raises(rs.ProblemError, match="whole numbers"):
        DeepRidgeSpline((10, 0), (1,))
    with pytest.raises(rs.SolverRefusal, match="finite for every fit"):
        DeepRidgeSpline((10,)).train(rs.Problem(p.X, p.y, 1.0, rs.Interpolation()), WeightDecay())
    with pytest.raises(rs.ProblemError, match="smooth loss"):
        DeepSolution(rs.Problem(p.X, p.y, 1.0, rs.Absolute()), network((2, 3, 1), (1, 3, None))).sweep()


def test_no_skip_connections():
    deep = DeepRidgeSpline((8, 8), (2,), skip=False).train(compositional(20), PathProx(epochs=20))
    assert deep.skips == (False, False)


@pytest.mark.parametrize(
    ("method", "bottlenecks", "outputs"), [(WeightDecay, (1,), None), (PathProx, (2,), 2), (PathProx, (1,), None)]
)
def test_with_norms_training_refinement_and_sweeps_lower_the_same_objective(method, bottlenecks, outputs):
    problem = compositional(20, outputs=outputs)
    trained = DeepRidgeSpline((8, 8), bottlenecks, norm=True).train(problem, method(epochs=80))
    objectives = trained.history["objective"]
    assert trained.objective <= objectives[0]
    if method is PathProx:  # whose own objective it is
        assert trained.objective == pytest.approx(objectives.min(), rel=1e-9)
    refined = trained.refine()
    assert refined.objective <= trained.objective
    assert refined.last.certificate.scope == "exact"
    assert refined.last.relative_gap <= 1e-6
    moments = refined.last.certificate.multipliers.moments
    sizes = np.linalg.norm(moments.reshape(len(moments), -1), axis=1)
    assert sizes.max() <= problem.lam * (1.0 + 1e-5)
    rest = problem.lam * sum(refined.seminorms[:-1])
    assert refined.objective == pytest.approx(refined.last.objective + rest, rel=1e-9)
    assert trained.sweep().objective <= refined.objective
    assert "with norms" in trained.summary()


def test_the_norms_are_values_of_the_layers_at_the_corners():
    layers = network((2, 3, 2), (2, 4, None))
    deep = DeepSolution(rs.Problem([[0.0, 1.0], [2.0, 0.0]], [0.0, 3.0], lam=0.1, norm=True), layers)
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    for layer, size in zip(layers, deep.seminorms, strict=True):
        f = layer(corners).reshape(3, -1)
        by_hand = np.abs(layer.amplitudes).sum() + np.abs(f[0]).sum() + np.abs(f[1:] - f[0]).sum()
        assert size == pytest.approx(by_hand, rel=1e-12)


def test_with_norms_scale_between_layers_costs_without_bound():
    """a w^T x, then g(t / a): the seminorms fall like 1/a, the norms have their least sum at a finite a."""
    X = np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]])

    def scaled(a, norm):
        straight = rs.RidgeSpline(np.empty((0, 2)), [], np.empty((0, 1)), [[0.6 * a], [0.8 * a]], [0.0])
        bent = rs.RidgeSpline([[1.0 / a]], [0.3], [2.0])
        return DeepSolution(rs.Problem(X, np.zeros(3), 1.0, norm=norm), (straight, bent))

    sizes = 2.0 ** np.arange(-3.0, 12.0)
    free = [sum(scaled(a, False).seminorms) for a in sizes]
    norms = [sum(scaled(a, True).seminorms) for a in sizes]
    assert (np.diff(free) < 0.0).all()
    assert 0 < int(np.argmin(norms)) < len(sizes) - 1
    assert norms[-1] > 100.0 * min(norms)


def test_norms_are_for_relu():
    with pytest.raises(rs.ProblemError, match="norm"):
        DeepRidgeSpline((4, 4), (1,), norm=True, activation=rs.Arctan()).train(compositional(10), PathProx(epochs=2))
