"""Biases penalised: against CVXPY over all activation patterns, brute force over angles, PyTorch's own objective."""

from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum

import ridgesplines as rs
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.sphere import BiasedOracle, SphereOracle
from ridgesplines.scaling import standardise
from ridgesplines.solvers.column_generation.joint_slide import Joint


def over_all_patterns(p):
    """The optimum by a program with a neuron in (w, b) for each pattern of active rows and each sign."""
    N, d = p.X.shape
    points = np.column_stack([p.X, np.ones(N)])
    on = np.array(list(product([0.0, 1.0], repeat=N)) * 2).T
    sign = np.repeat([1.0, -1.0], on.shape[1] // 2)
    W = cp.Variable((d + 1, on.shape[1]))
    values = points @ W
    fit = cp.multiply(on, values) @ sign
    if p.skip:
        fit = fit + points @ cp.Variable(d + 1)
    return minimum(p, fit, cp.sum(cp.norm(W, 2, axis=0)), [cp.multiply(2.0 * on - 1.0, values) >= 0.0])


def table(d, N=5, seed=0):
    """Integer and correlated columns, one row twice, far from x = 0."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(N, d)) * 2.0) + rng.normal(size=(N, 1))
    X[1] = X[0]
    return X + 1.0, np.abs(X[:, 0]) + 0.3 * rng.normal(size=N)


LOSSES = [rs.Squared(), rs.Huber(0.3), rs.Absolute(), rs.Quantile(0.3), rs.Logistic(), rs.Hinge()]


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("d", "loss"), [*((1, loss) for loss in LOSSES), (2, rs.Squared()), (2, rs.Absolute())])
def test_the_optimum_is_that_over_all_activation_patterns(d, loss, skip):
    X, y = table(d)
    if loss.labels:
        y = np.array([1.0, -1.0, 1.0, -1.0, 1.0])
    weight = [1.0, 2.0, 1.0, 0.5, 1.0]
    p = rs.Problem(X, y, 0.2, loss, sample_weight=weight, penalise_bias=True, skip=skip)
    solution = rs.solve(p)
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap < 1e-6
    assert solution.objective == pytest.approx(over_all_patterns(p), rel=1e-7, abs=1e-8)


def test_interpolation_without_a_skip_connection():
    X, y = table(2, seed=3)
    y[1] = y[0]
    p = rs.Problem(X, y, 1.0, rs.Interpolation(), penalise_bias=True, skip=False)
    solution = rs.solve(p)
    assert np.abs(solution.predict(X) - y).max() < 1e-8
    assert solution.objective == pytest.approx(over_all_patterns(p), rel=1e-6)


@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("d", [1, 2])
def test_the_supremum_is_that_of_a_fine_grid(d, outputs):
    rng = np.random.default_rng(d)
    X, u = np.round(rng.normal(size=(9, d)), 1), rng.normal(size=(9, *outputs))
    X[2] = X[5]
    if d == 1:
        t = np.linspace(0.0, 2.0 * np.pi, 200_001)
        W, b = np.cos(t)[:, None], np.sin(t)
    else:
        W = rng.normal(size=(300_000, 3))
        W /= np.linalg.norm(W, axis=1, keepdims=True)
        W, b = W[:, :2], W[:, 2]
    eta = np.maximum(X @ W.T - b, 0.0).T @ u
    seen = np.abs(eta).max() if not outputs else np.linalg.norm(eta, axis=1).max()
    found = BiasedOracle(X)(u)
    assert found.scope == "exact"
    assert seen <= found.value * (1.0 + 1e-12)
    assert found.value <= seen * (1.0 + (1e-8 if d == 1 else 2e-3))
    at = np.maximum(X @ found.weights[0] - found.biases[0], 0.0) @ u
    assert np.linalg.norm(at) == pytest.approx(found.value, rel=1e-12)
    assert np.hypot(np.linalg.norm(found.weights[0]), found.biases[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("N", [60, 220])  # without and with compiled passes
@pytest.mark.parametrize("outputs", [(), (3,)])
def test_the_search_finds_what_the_enumeration_finds(outputs, N, skip):
    rng = np.random.default_rng(4)
    points = np.column_stack([np.round(rng.normal(size=(N, 2)), 1), np.ones(N)])
    u = rng.normal(size=(N, *outputs))
    if skip:
        u = u - points @ np.linalg.lstsq(points, u, rcond=None)[0]
    searched = SphereOracle(points, most=0)(u)
    assert searched.scope == "searched"
    assert not searched.biases.any()
    assert searched.value == pytest.approx(SphereOracle(points)(u).value, rel=1e-10)
    eta = np.maximum(points @ searched.weights[0], 0.0) @ u  # on that side, not on the other
    assert np.linalg.norm(eta) == pytest.approx(searched.value, rel=1e-12)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_on_a_device_the_search_finds_the_same(outputs):
    pytest.importorskip("torch")
    rng = np.random.default_rng(11)
    points, u = np.column_stack([rng.normal(size=(80, 3)), np.ones(80)]), rng.normal(size=(80, *outputs))
    here, there = SphereOracle(points)(u), SphereOracle(points, device="cpu")(u)
    assert there.value == pytest.approx(here.value, rel=1e-9)


@pytest.mark.parametrize(
    ("loss", "skip"), [(rs.Squared(), True), (rs.Squared(), False), (rs.Logistic(), False), (rs.Absolute(), False)]
)
def test_the_fast_phases_lead_to_the_optimum_over_all_activation_patterns(loss, skip):
    X, y = table(3, N=7, seed=1)
    if loss.labels:
        y = np.array([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0])  # rows 0 and 1 are equal: no function separates them
    weight = [1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 2.0]
    p = rs.Problem(X, y, 0.2, loss, sample_weight=weight, penalise_bias=True, skip=skip)
    best = over_all_patterns(p)
    for seed in (0, 1):
        solution = rs.solve(p, rs.ColumnGeneration(random_state=seed))
        assert ("batches" if loss.smooth else "envelopes") in solution.history["phases"]
        assert solution.certificate.scope == "searched"
        assert solution.relative_gap < 1e-6
        assert solution.objective == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize(("outputs", "skip"), [((), False), ((2,), True)])
def test_many_rows_of_many_features_have_one_optimum(outputs, skip):
    rng = np.random.default_rng(9)
    X = np.round(rng.normal(size=(220, 3)) + rng.normal(size=(220, 1)), 1)
    X = np.column_stack([X, X[:, 0] > 0.5, np.full(220, 2.0)])
    Y = np.abs(X[:, :1]) + np.outer(X[:, 1] * X[:, 2], [1.0, 0.5])
    p = rs.Problem(X, Y if outputs else Y[:, 0], 1.0, penalise_bias=True, skip=skip)
    p = p.with_lam(0.3 * rs.lambda_max(p))
    first, second = (rs.solve(p, rs.ColumnGeneration(random_state=seed)) for seed in (0, 1))
    assert first.history["phases"][0] == "batches"
    assert first.objective == pytest.approx(second.objective, rel=1e-6)
    again = rs.solve(p, rs.ColumnGeneration(start=first))  # nothing is left to batches
    assert set(again.history["phases"]) == {"rounds"}
    assert again.objective == pytest.approx(first.objective, rel=1e-6)
    W, b = rng.normal(size=(5000, 5)), rng.normal(size=5000)
    eta = (first.certificate.eta(W, b).T / np.hypot(np.linalg.norm(W, axis=1), b)).T
    assert np.linalg.norm(eta.reshape(5000, -1), axis=1).max() <= first.certificate.sup


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("outputs", [(), (2,)])
def test_the_slide_of_all_neurons_has_the_objective_and_its_derivative(outputs, skip):
    rng = np.random.default_rng(10)
    X, Y = rng.normal(size=(30, 3)), rng.normal(size=(30, *outputs))
    p = standardise(rs.Problem(X, Y, 0.3, penalise_bias=True, skip=skip).homogeneous).problem
    W, S = rng.normal(size=(4, 4)), rng.normal(size=(4, *outputs))
    S = (S.T / group_norms(S)).T
    joint = Joint(p, W, S)
    at = np.concatenate([np.column_stack([W, np.zeros(4)]).ravel(), rng.normal(size=p.rank * (2 if outputs else 1))])
    value, gradient = joint(at)
    steps = 1e-6 * np.eye(len(at))
    slopes = [(joint(at + step)[0] - joint(at - step)[0]) / 2e-6 for step in steps]
    assert gradient == pytest.approx(np.array(slopes), abs=1e-6)
    assert not gradient[: W.size + 4].reshape(4, 5)[:, -1].any()  # no threshold moves
    if not skip:
        z = np.maximum(p.X @ W.T, 0.0) @ S
        penalty = p.lam * np.linalg.norm(W, axis=1).sum()
        assert value == pytest.approx(p.sample_weight @ p.loss.value(p.y, z) + penalty, rel=1e-9)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("outputs", [(), (2,)])
def test_lambda_max_is_where_neurons_go(skip, outputs):
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(25, 2)), rng.normal(size=(25, *outputs)) + 1.0
    p = rs.Problem(X, Y, 1.0, penalise_bias=True, skip=skip)
    top = rs.lambda_max(p)
    above, below = (rs.solve(p.with_lam(factor * top)) for factor in (1.0 + 1e-6, 0.98))
    assert above.seminorm == 0.0 < below.seminorm
    assert max(above.relative_gap, below.relative_gap) < 1e-6
    assert np.any(above.network.slope) == skip
    if not skip:
        affine = rs.RidgeSpline(np.empty((0, 2)), [], np.empty((0, *outputs)), np.ones((2, *outputs)))
        with pytest.raises(rs.ProblemError, match="no skip connection"):
            rs.evaluate(p, affine)


def test_a_constant_costs_as_the_neuron_that_it_is():
    p = rs.Problem([[-1.0], [0.0], [1.0]], [2.0, 2.0, 2.0], 0.5, penalise_bias=True, skip=False)
    constant = rs.RidgeSpline(np.empty((0, 1)), [], [], offset=1.5)
    neuron = rs.RidgeSpline([[1e-13]], [-1.5], [1.0])
    assert rs.evaluate(p, constant).objective == pytest.approx(3 * 0.25 + 0.5 * 1.5)
    assert rs.evaluate(p, neuron).objective == pytest.approx(3 * 0.25 + 0.5 * 1.5)
    assert rs.solve(p).objective <= rs.evaluate(p, constant).objective


@pytest.mark.parametrize("skip", [True, False])
def test_paths_files_words_and_comparisons(tmp_path, skip):
    rng = np.random.default_rng(6)
    X = rng.normal(size=(30, 2))
    p = rs.Problem(X, np.abs(X[:, 0]) + 1.0, 0.3, penalise_bias=True, skip=skip)
    path = rs.solve_path(p, n_lams=4)
    assert [s.relative_gap < 1e-6 for s in path] == [True] * 4
    assert path[0].network.n_neurons == 0
    solution = path[2]
    solution.save(tmp_path / "solution.npz")
    again = rs.Solution.load(tmp_path / "solution.npz")
    assert (again.problem.penalise_bias, again.problem.skip) == (True, skip)
    assert again.objective == solution.objective
    assert again.relative_gap == pytest.approx(solution.relative_gap, rel=1e-2)
    assert "penalised" in solution.summary()
    assert f"penalise_bias=True, skip={skip}" in repr(p)
    table = rs.compare(
        {"convex": solution, "none": solution.network.changed(amplitudes=0.5 * solution.network.amplitudes)}
    )
    assert table.rows()[1]["relative gap"] > 1e-3
    free = rs.solve(rs.Problem(p.X, p.y, solution.problem.lam))
    with pytest.raises(rs.ProblemError, match="one problem"):
        rs.compare({"penalised": solution, "free": free})


def test_many_features_are_searched_and_weak_duality_holds():
    rng = np.random.default_rng(7)
    X = rng.normal(size=(40, 4))
    p = rs.Problem(X, np.abs(X[:, 0]) + X[:, 1] * X[:, 2], 5.0, penalise_bias=True, skip=False)
    solution = rs.solve(p)
    assert solution.certificate.scope == "searched"
    assert solution.relative_gap < 1e-6
    W, b = rng.normal(size=(20_000, 4)), rng.normal(size=20_000)
    eta = solution.certificate.eta(W, b) / np.hypot(np.linalg.norm(W, axis=1), b)
    assert np.abs(eta).max() <= solution.certificate.sup
    for _ in range(20):  # no network that moves a little is better
        net = solution.network
        moved = net.changed(weights=net.weights + 1e-2 * rng.normal(size=net.weights.shape))
        assert rs.evaluate(p, moved, max_time=0.0).objective >= solution.objective * (1.0 - 1e-7)
    with pytest.raises(rs.ProblemError, match="biases"):
        solution.certify()


def test_a_trained_network_is_held_to_its_own_objective():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 2))
    y, lam = np.abs(X[:, 0]) - 0.5 * X[:, 1], 0.5
    module = torch.nn.Sequential(torch.nn.Linear(2, 30), torch.nn.ReLU(), torch.nn.Linear(30, 1, bias=False)).double()
    inputs, targets = torch.tensor(X), torch.tensor(y)[:, None]
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def own():
        decay = sum((parameter**2).sum() for parameter in module.parameters())
        return ((module(inputs) - targets) ** 2).sum() + lam / 2.0 * decay

    def closure():
        optimizer.zero_grad()
        value = own()
        value.backward()
        return value

    for _ in range(3):
        optimizer.step(closure)
    p = rs.Problem(X, y, lam, penalise_bias=True, skip=False)
    trained, optimum = rs.evaluate(p, module), rs.solve(p)
    assert trained.objective <= float(own().detach()) + 1e-9  # equal at balance
    assert trained.objective == pytest.approx(float(own().detach()), rel=1e-4)
    assert trained.certificate.scope == "exact"
    assert trained.gap >= trained.objective - optimum.objective - optimum.gap >= -optimum.gap
    assert optimum.relative_gap < 1e-6
    back = optimum.network.to_torch()
    assert rs.evaluate(p, back).objective == pytest.approx(optimum.objective, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"skip": False}, "skip"),
        ({"penalise_bias": 1}, "True or False"),
        ({"penalise_bias": True, "constraints": [rs.Convex()]}, "no constraints"),
        ({"penalise_bias": True, "slope_penalty": 1.0}, "slope_penalty=0"),
        ({"penalise_bias": True, "scales": [2.0]}, "scales"),
        ({"penalise_bias": True, "activation": rs.Sigmoid()}, "ReLU"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, word):
    with pytest.raises(rs.ProblemError, match=word):
        rs.Problem([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0], 1.0, **arguments)


@pytest.mark.parametrize("solver", [rs.Univariate(), rs.Grid(), rs.Arrangement()])
def test_solvers_that_cannot_say_so(solver):
    p = rs.Problem([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0], 1.0, penalise_bias=True)
    with pytest.raises(rs.SolverRefusal, match="penalise_bias"):
        rs.solve(p, solver)
    with pytest.raises(rs.SolverRefusal, match="penalise_bias"):
        rs.lower_bound(p)
