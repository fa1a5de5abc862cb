"""Trained networks are solutions like any other: certified, comparable, and never below the bound."""

from functools import partial

import cvxpy as cp
import numpy as np
import pytest
from instances import LOSSES, diagonal, noisy, problem

import ridgesplines as rs

torch = pytest.importorskip("torch")

from ridgesplines.torch.decay import WeightDecay  # noqa: E402
from ridgesplines.torch.layer import RidgeLayer  # noqa: E402
from ridgesplines.torch.proximal import GroupLasso, Lasso, PathProx  # noqa: E402

METHODS = [WeightDecay, PathProx, Lasso, GroupLasso]
TRAINABLE = [loss for loss in LOSSES if not loss.interpolates]


#: Each loss in one dimension or two, and the other way among the slow ones.
EITHER = [
    pytest.param(loss, d, id=f"{loss.name}-{d}", marks=[pytest.mark.slow] if (k + d) % 2 else [])
    for k, loss in enumerate(TRAINABLE)
    for d in (1, 2)
]


@pytest.mark.parametrize(("loss", "d"), EITHER)
def test_no_trained_objective_is_below_the_certified_bound(loss, d):
    p = problem(loss, 40, d, lam=0.1 if d == 1 else 1.0)
    trained = rs.solve(p, WeightDecay(width=30, epochs=300, learning_rate=0.02))
    optimum = rs.solve(p)
    assert trained.status == "trained"
    assert trained.certificate.scope == "exact"
    assert trained.objective >= optimum.certificate.value * (1.0 - 1e-9)
    assert optimum.objective >= trained.certificate.value * (1.0 - 1e-9)
    curve = trained.history["objective"]
    assert len(curve) == 301
    assert curve.min() >= optimum.certificate.value * (1.0 - 1e-9)
    assert curve[-1] < curve[0]
    assert trained.objective <= 1.5 * optimum.objective


@pytest.mark.parametrize("method", METHODS)
def test_the_recorded_objective_is_the_solutions(method):
    """Two ways to the same number: PyTorch in scaled units, and the network in the problem's."""
    X, y = noisy(30, 3)
    p = rs.Problem(1e3 * X + 5.0, y - 1e2, lam=20.0, sample_weight=np.linspace(0.0, 2.0, 30))
    (answer,) = method(width=20, epochs=50).path(p, [p.lam])
    objective = rs.evaluate(p, answer.network, max_time=0.0).objective  # no search: of its gap nothing is asked
    assert np.abs(answer.history["objective"] / objective - 1.0).min() <= 1e-9


@pytest.mark.parametrize(("optimizer", "epochs"), [("adam", 1500), ("sgd", 1500), ("lbfgs", 100)])
def test_optimizers_come_near_the_optimum(optimizer, epochs):
    p = problem(rs.Squared(), 30, lam=0.5)
    trained, optimum = rs.solve(p, WeightDecay(width=60, optimizer=optimizer, epochs=epochs)), rs.solve(p)
    assert trained.objective <= optimum.objective * 1.02
    assert trained.network.n_neurons > optimum.network.n_neurons
    assert trained.history["imbalance"] <= (1e-3 if optimizer == "adam" else 0.05)  # Adam has arrived, the others not


@pytest.mark.parametrize("method", METHODS)
def test_training_can_be_watched_and_ended(method):
    p, seen = problem(rs.Squared(), 30, lam=0.2), []

    def watch(trace):
        seen.append((trace.objectives[-1], trace.active()))
        if len(seen) == 8:
            raise KeyboardInterrupt

    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        trained = rs.solve(p, method(width=10, epochs=100, watch=watch))
    assert trained.status == "interrupted"
    curve = trained.history["objective"]
    assert len(curve) == len(seen) == 8
    assert np.ptp(curve / [objective for objective, _ in seen]) <= 1e-9  # the same, in other units
    unwatched = rs.solve(p, method(width=10, epochs=7))
    assert np.array_equal(unwatched.history["objective"], curve)


def test_it_is_seeded_and_restarts_help():
    p = problem(rs.Squared(), 30, lam=0.2)
    one, again, other = (rs.solve(p, WeightDecay(width=5, epochs=100, random_state=s)) for s in (0, 0, 1))
    assert one.objective == again.objective != other.objective
    many = rs.solve(p, WeightDecay(width=5, epochs=100, restarts=4))
    assert len(many.history["restarts"]) == 4
    assert many.history["restarts"][0] == one.history["restarts"][0]
    assert min(many.history["restarts"]) < one.history["restarts"][0]


def test_it_stops_early():
    p = problem(rs.Squared(), 20, lam=0.5)
    curve = rs.solve(p, WeightDecay(width=10, patience=5)).history["objective"]
    assert len(curve) < 9000


@pytest.mark.parametrize("method", [WeightDecay, PathProx])
@pytest.mark.parametrize("D", [None, 2])
def test_a_start_at_the_optimum_stays_there(method, D):
    X, y = noisy(40, 2)
    p = rs.Problem(X, y if D is None else np.column_stack([y, np.abs(X[:, 1])]), lam=2.0)
    optimum = rs.solve(p)
    trained = rs.solve(p, method(width=optimum.network.n_neurons + 5, start=optimum.network, epochs=200))
    assert trained.history["objective"][0] == pytest.approx(optimum.objective, rel=1e-4)
    assert trained.objective <= optimum.objective * (1.0 + 1e-4)
    assert trained.objective >= optimum.certificate.value * (1.0 - 1e-9)


def test_a_path_is_warm_started():
    p = problem(rs.Squared(), 30)
    path = rs.solve_path(p, WeightDecay(width=30, epochs=200), lams=[1.0, 0.9])
    assert path[1].history["objective"][0] <= path[0].objective
    assert all(s.status == "trained" for s in path)


@pytest.mark.parametrize("method", [PathProx, Lasso, GroupLasso])
def test_zeros_are_exact(method):
    p = problem(rs.Squared(), 30, lam=0.3)
    layers = []

    class Kept(method):
        def proximal(self, layer, step):
            layers[:] = [layer]
            return super().proximal(layer, step)

    trained = rs.solve(p, Kept(width=60, epochs=300))
    w, v = layers[0].norms()
    active = int(((w > 0.0) & (v > 0.0)).sum())
    assert 0 < active < 60
    assert trained.network.n_neurons == active


def layer(W, V, order=2):
    module = RidgeLayer(W.shape[1], len(W), V.shape[0], order=order)
    module.set(W, np.linspace(-1.0, 1.0, len(W)), V.T, np.zeros((W.shape[1], len(V))), np.zeros(len(V)))
    return module


def weights(module):
    return module.hidden.weight.detach().numpy(), module.output.weight.detach().numpy()


@pytest.mark.parametrize("method", [PathProx(), Lasso(), GroupLasso()], ids=lambda m: m.name)
@pytest.mark.parametrize("order", [1, 2])
def test_the_proximal_step_is_the_proximal_operator(method, order):
    """argmin penalty + |change|^2 / (2 step), by cvxpy; for PathProx with unit input weights, as there."""
    rng = np.random.default_rng(0)
    W, V, step = rng.standard_normal((6, 3)), rng.standard_normal((2, 6)), 0.7
    if method.name == "PathProx":
        W /= np.linalg.norm(W, axis=1, keepdims=True)
    module = layer(W, V, order)
    with torch.no_grad():
        method.proximal(module, step)
    A, B = cp.Variable(W.shape), cp.Variable(V.shape)
    penalty = {
        "PathProx": sum(cp.norm(B[:, k], order) for k in range(6)),
        "Lasso": cp.sum(cp.abs(A)) + cp.sum(cp.abs(B)),
        "GroupLasso": sum(cp.norm(cp.hstack([A[k], B[:, k]])) for k in range(6)),
    }[method.name]
    fixed = [A == W] if method.name == "PathProx" else []
    cp.Problem(cp.Minimize(step * penalty + (cp.sum_squares(A - W) + cp.sum_squares(B - V)) / 2.0), fixed).solve(
        "CLARABEL"
    )
    given = weights(module)
    np.testing.assert_allclose(given[0], A.value, atol=1e-6)
    np.testing.assert_allclose(given[1], B.value, atol=1e-6)
    assert (np.linalg.norm(given[1], axis=0) == 0.0).any() or method.name != "PathProx"


def test_pathprox_projects_onto_the_sphere():
    """The nearest point of it, and a weight of zero is left."""
    W = 3.0 * np.random.default_rng(1).standard_normal((6, 3))
    W[2] = 0.0
    module = layer(W, np.ones((2, 6)))
    with torch.no_grad():
        PathProx().proximal(module, 0.0)
    given, output = weights(module)
    assert np.linalg.norm(given, axis=1) == pytest.approx([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    away = np.linalg.norm(W - given, axis=1)
    assert np.delete(away, 2) == pytest.approx(np.delete(np.abs(np.linalg.norm(W, axis=1) - 1.0), 2))
    assert (output == 1.0).all()


def test_pathprox_ends_at_a_stationary_point():
    """At its zeros of |v| and elsewhere: eta = lam sign(v) at every active neuron, to the accuracy of the steps."""
    p = problem(rs.Squared(), 30, lam=0.5)
    trained = rs.solve(p, PathProx(width=60, epochs=4000))
    net = trained.network
    eta = trained.certificate.eta(net.weights, net.biases)
    assert net.n_neurons < 60
    assert np.abs(eta - p.lam * np.sign(net.amplitudes)).max() <= 1e-2 * p.lam


def test_ctrl_c_returns_the_best_so_far(monkeypatch):
    p = problem(rs.Squared(), 30, lam=0.2)
    calls = []

    def interrupted(self, layer, step):
        calls.append(step)
        if len(calls) == 100:
            raise KeyboardInterrupt

    monkeypatch.setattr(WeightDecay, "proximal", interrupted)
    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        path = rs.solve_path(p, WeightDecay(width=20, restarts=3), lams=[0.2, 0.1])
    assert len(path) == 1
    assert path[0].status == "interrupted"
    assert path[0].objective <= path[0].history["objective"][0]


def test_progress_is_printed(capsys):
    rs.solve(problem(rs.Squared(), 20), WeightDecay(width=5, epochs=40, verbose=True))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert "epoch" in lines[0]
    assert "objective" in lines[0]


def test_a_comparison_and_its_picture():
    p = problem(rs.Squared(), 30, lam=0.2)
    optimum, trained = rs.solve(p), rs.solve(p, WeightDecay(width=20, epochs=100))
    comparison = rs.compare({"convex": optimum, "trained": trained})
    rows = {row["name"]: row for row in comparison.rows()}
    assert rows["trained"]["above best"] > rows["convex"]["above best"] == 0.0
    assert rows["trained"]["active"] <= rows["trained"]["K"]
    above, below = comparison.plot().axes
    curve = above.lines[1].get_ydata()
    assert curve == pytest.approx(trained.history["objective"])
    assert (curve >= above.lines[2].get_ydata()[0] * (1.0 - 1e-9)).all()
    assert "certified" in above.get_legend().get_texts()[-1].get_text()
    assert "excess" in below.get_ylabel()
    with pytest.raises(rs.ProblemError, match="history"):
        rs.compare({"convex": optimum}).plot()


def test_no_certified_line_where_nothing_is_certified():
    p = problem(rs.Squared(), 30, 3, lam=2.0)
    comparison = rs.compare({"trained": rs.solve(p, PathProx(width=20, epochs=50))})
    assert comparison.bound is None
    assert "no bound" in comparison.plot().axes[0].get_legend().get_texts()[-1].get_text()


BAD = {
    "width": (lambda: WeightDecay(width=0), "width"),
    "epochs": (lambda: PathProx(epochs=-1), "epochs"),
    "restarts": (lambda: WeightDecay(restarts=1.5), "restarts"),
    "rate": (lambda: WeightDecay(learning_rate=-1.0), "learning_rate"),
    "optimizer": (lambda: WeightDecay(optimizer="newton"), "optimizer"),
    "start": (lambda: WeightDecay(start="convex"), "start"),
    "device": (lambda: rs.solve(problem(rs.Squared(), 9), WeightDecay(device="abacus")), "device"),
    "separable": (lambda: rs.solve(rs.Problem([0.0, 1.0], [-1, 1], 1.0, rs.Logistic()), WeightDecay()), "y"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_settings(case):
    make, argument = BAD[case]
    with pytest.raises(rs.ProblemError) as caught:
        make()
    assert caught.value.argument == argument


@pytest.mark.parametrize("method", METHODS)
def test_refusals(method):
    x, y = np.arange(5.0), np.array([0.0, 1.0, 0.0, 2.0, 1.0])
    net = rs.RidgeSpline(np.ones((4, 1)), np.arange(4.0), np.ones(4))
    across = rs.RidgeSpline(np.ones((4, 2)), np.arange(4.0), np.ones(4))
    for p, settings, words in (
        (rs.Problem(x, y, 1.0, rs.Interpolation()), {}, "finite for every fit"),
        (rs.Problem(x, y, 1.0, constraints=[rs.Convex()]), {}, "no constraints"),
        (rs.Problem(x, y, 1.0), {"start": net, "width": 3}, "at most width = 3"),
        (rs.Problem(np.column_stack([x, x]), y, 1.0), {"start": net}, "inputs, outputs"),
        (rs.Problem(np.eye(5, 2), y, 1.0, interactions=1), {"start": across}, "keeps to the interactions, one feature"),
    ):
        with pytest.raises(rs.SolverRefusal, match=words):
            rs.solve(p, method(**settings))


TRAINERS = {method.__name__: method for method in METHODS}
TRAINERS |= {name: partial(WeightDecay, optimizer=name) for name in ("lbfgs", "sgd")}


@pytest.mark.parametrize(("trainer", "given"), diagonal(list(TRAINERS), [1, 2, [[0], [1, 2], [3]]]))
def test_neurons_keep_to_the_interactions_while_they_are_trained(trainer, given):
    method = TRAINERS[trainer]
    X, y = noisy(40, 4)
    p = rs.Problem(3.0 * X + 1.0, y, 0.3, interactions=given)
    seen = []

    def watch(trace):
        seen.append(p.interactions.allow(trace.layers[0].hidden.weight.detach().numpy()).all())

    trained = rs.solve(p, method(width=13, epochs=20, watch=watch))
    assert all(seen)
    assert trained.network.n_neurons > 0
    assert p.interactions.allow(trained.network.weights).all()
    assert p.interactions.containing(trained.network.weights).any(axis=0).all()  # each group has some
    again = rs.solve(p, method(width=20, epochs=20, start=trained.network))
    assert p.interactions.allow(again.network.weights).all()
    assert again.objective < rs.solve(p, method(width=13, epochs=0)).objective


def test_training_comes_near_the_optimum_of_one_feature_at_a_time():
    X, y = noisy(30, 2)
    p = rs.Problem(X, y, 1.0, interactions=1)
    trained, optimum = rs.solve(p, WeightDecay(width=60, epochs=1000)), rs.solve(p, rs.Grid())
    assert optimum.objective * (1.0 - 1e-9) <= trained.objective <= optimum.objective * 1.02
