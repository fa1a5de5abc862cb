"""Three layers against enumerations of all patterns, weak duality with exact suprema, and one hidden layer."""

import dataclasses

import numpy as np
import pytest
from all_patterns import optimum, supremum

import ridgesplines as rs
from ridgesplines.three_layers.ball import Ball, norm, size
from ridgesplines.three_layers.concave import Functions
from ridgesplines.three_layers.search import FunctionSearch, Unit
from ridgesplines.three_layers.units import Fit, merged

TABLES = {
    "uneven": [-0.9, -0.3, 0.2, 0.55, 0.8],
    "integers with a tie": [0.0, 1.0, 1.0, 2.0, 4.0],
    "clipped": [-1.0, -1.0, 0.4, 0.7, 1.0],
}


@pytest.mark.parametrize("x", TABLES.values(), ids=TABLES)
def test_the_search_finds_the_supremum_over_all_patterns(x):
    x, rng = np.array(x), np.random.default_rng(1)
    search = FunctionSearch(x[:, None], 16, 0)
    for _ in range(2):
        u = rng.standard_normal(len(x)).round(1)
        u -= u.mean()
        found = search(u, [], 0.0, thorough=True)
        assert found.value == pytest.approx(supremum(x, u), rel=1e-7)
        best = max(found.units, key=lambda unit: unit.sign * u @ np.maximum(unit.values, 0.0))
        assert best.sign * u @ np.maximum(best.function(x), 0.0) == pytest.approx(found.value, rel=1e-9)
        assert size(best.function) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("loss", "y", "skip", "weight"),
    [
        (rs.Squared(), [0.3, 1.0, -0.2, 0.4, 1.5], True, [1.0, 2.0, 1.0, 0.5, 1.0]),
        (rs.Squared(), [0.3, 1.0, -0.2, 0.4, 1.5], False, None),
        (rs.Logistic(), [1, -1, 1, 1, -1], True, None),
        (rs.Huber(0.5), [0.0, 1.0, 0.0, 3.0, 0.0], False, None),
    ],
)
def test_the_objective_is_that_of_the_program_over_all_patterns(loss, y, skip, weight):
    p = rs.Problem(TABLES["uneven"], y, 0.05, loss, sample_weight=weight)
    f = rs.solve_three_layers(p, skip=skip, tol=1e-7)
    assert f.status == "converged"
    assert f.objective == pytest.approx(optimum(p, skip), rel=1e-6)
    assert f.dual.sum() == pytest.approx(0.0, abs=1e-12)
    assert not skip or p.X[:, 0] @ f.dual == pytest.approx(0.0, abs=1e-12)


def test_weak_duality_with_the_exact_supremum_proves_the_optimum():
    x, y, lam = np.array(TABLES["integers with a tie"]), np.array([2.0, 0.0, 1.0, 3.0, 3.0]), 0.3
    f = rs.solve_three_layers(rs.Problem(x, y, lam), tol=1e-8)
    tau = min(1.0, lam / supremum(x, f.dual))
    value = tau * f.dual @ y - tau**2 * (f.dual @ f.dual) / 4.0
    assert value <= f.objective * (1.0 + 1e-12)
    assert value == pytest.approx(f.objective, rel=1e-6)


@pytest.fixture(scope="module")
def fold():
    """A pyramid, one unit of the second layer; rounded and clipped as measurements are."""
    rng = np.random.default_rng(0)
    X = np.clip(rng.uniform(-1.2, 1.2, (20, 2)), -1.0, 1.0).round(1)
    p = rs.Problem(X, 2.0 * np.maximum(1.0 - np.abs(X).sum(axis=1), 0.0), 0.1)
    return p, rs.solve_three_layers(p, tol=1e-3)


def test_one_hidden_layer_is_a_special_case(fold):
    p, f = fold
    shallow = rs.solve(p)
    assert f.objective < shallow.objective * (1.0 - 1e-3)
    assert f.n_units < shallow.network.n_neurons
    assert rs.solve_three_layers(p.with_lam(1.001 * rs.lambda_max(p)), tol=0.1).objective <= (
        rs.solve(p.with_lam(2.0 * rs.lambda_max(p))).objective + 1e-9
    )


def test_the_solution_says_what_the_function_does(fold):
    p, f = fold
    inner, outer = f.layers()
    assert outer(inner(p.X)) == pytest.approx(f(p.X), abs=1e-12)
    assert inner.n_outputs == f.n_units + 1  # one for the affine part
    assert f.n_neurons == inner.n_neurons
    assert [size(g) for g in f.functions] == pytest.approx(np.ones(f.n_units))
    assert f.objective == pytest.approx(((p.y - f.predict(p.X)) ** 2).sum() + p.lam * np.abs(f.amplitudes).sum())
    assert list(f.history["objective"]) == sorted(f.history["objective"], reverse=True)
    assert f.scope == "searched"
    assert "an estimate, not a bound" in f.summary()
    with pytest.raises(dataclasses.FrozenInstanceError):
        f.offset = 0.0
    with pytest.raises(ValueError, match="read-only"):
        f.dual[0] = 0.0


def test_a_start_goes_on_and_a_weight_of_zero_leaves_a_row_out(fold):
    p, f = fold
    again = rs.solve_three_layers(p, start=f, tol=1e-3)
    assert len(again.history["gap"]) <= 2
    assert again.objective <= f.objective * (1.0 + 1e-3)
    x, y = np.array(TABLES["uneven"]), np.array([0.0, 1.0, 0.0, 1.0, 9.0])
    left = rs.solve_three_layers(rs.Problem(x, y, 0.05, sample_weight=[1, 1, 1, 1, 0]), tol=1e-7)
    assert left.objective == pytest.approx(rs.solve_three_layers(rs.Problem(x[:4], y[:4], 0.05), tol=1e-7).objective)
    assert left.dual[4] == 0.0


def test_a_concave_maximum_is_met_from_both_sides():
    """From below by any function, from above by the largest of all neurons for the functional of some multipliers."""
    rng = np.random.default_rng(3)
    X = rng.uniform(-1.0, 1.0, (9, 2)).round(1)
    functions, gain, price = Functions(X, 0), rng.random(9), np.zeros(9)
    price[::2], gain[::2] = rng.random(5), 0.0
    gain *= price.sum() / gain.sum()
    best = functions.maximum(gain, price)
    W = rng.standard_normal((4000, 2))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, X[rng.integers(9, size=4000)])
    columns = np.hstack([Ball(X, 0).linear, Ball(X, 0).columns(W, b)])
    grid = Functions(X, 0)
    grid.columns = columns
    below, pull = grid.on_dictionary(gain, price)
    assert below.value <= best.value * (1.0 + 1e-9)
    assert best.value <= below.value * 1.01
    g = functions.function(best)
    assert gain @ g(X) - price @ np.maximum(g(X), 0.0) == pytest.approx(best.value)
    assert np.abs(pull @ columns).max() <= below.value * (1.0 + 1e-8)


def test_units_of_one_pattern_become_one():
    X = np.linspace(-1.0, 1.0, 5)[:, None]
    g = rs.RidgeSpline([[1.0]], [0.0], [0.5], [0.25], 0.1)
    h = rs.RidgeSpline([[1.0], [1.0]], [0.0, 0.5], [-0.3, 0.2], [0.6], 0.1)
    units = [Unit(s, f, f(X)) for s, f in ((1.0, g), (1.0, h), (-1.0, g))]
    one = merged(Fit(units, np.array([1.0, 2.0, 3.0]), np.zeros(1), np.zeros(5)))
    assert [unit.sign for unit in one.units] == [1.0, -1.0]
    assert one.amounts[0] <= size(g) + 2.0 * size(h) + 1e-12
    before = np.maximum(g(X), 0.0) + 2.0 * np.maximum(h(X), 0.0)
    assert one.amounts[0] * np.maximum(one.units[0].function(X), 0.0) == pytest.approx(before)
    assert size(one.units[0].function) == pytest.approx(1.0)


def test_the_norm_is_that_of_its_formula():
    net = rs.RidgeSpline([[0.6, 0.8], [1.0, 0.0]], [0.1, -2.0], [2.0, -1.0], [0.5, 0.0], 3.0)
    at = net([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert norm(net) == pytest.approx(3.0 + abs(at[0]) + abs(at[1] - at[0]) + abs(at[2] - at[0]))
    assert size(net) == pytest.approx(norm(net) - abs(at[0]))


def test_what_is_no_such_problem_is_refused_in_words():
    x = np.arange(4.0)
    for p, word in (
        (rs.Problem(x, x, 1.0, rs.Absolute()), "a smooth loss"),
        (rs.Problem(x, x, 1.0, activation=rs.Sigmoid()), "ReLU"),
        (rs.Problem(x, np.column_stack([x, x]), 1.0), "one output"),
        (rs.Problem(x, x, 1.0, constraints=[rs.Monotone()]), "no constraints"),
        (rs.Problem(x, x, 1.0, slope_penalty=1.0), "penalty of the slope"),
    ):
        with pytest.raises(rs.SolverRefusal, match=word):
            rs.solve_three_layers(p)
    p = rs.Problem(x, [-1, -1, 1, 1], 1.0, rs.Logistic())
    with pytest.raises(rs.ProblemError, match=r"minimiser\. Pass skip=False"):  # not Hinge, which is refused as well
        rs.solve_three_layers(p)
    assert rs.solve_three_layers(p.with_lam(0.1), skip=False, tol=1e-6).relative_gap < 1e-6
    for name, value in (("tol", 0.0), ("max_time", -1.0), ("starts", 0), ("random_state", -1)):
        with pytest.raises(rs.ProblemError, match=name):
            rs.solve_three_layers(p, **{name: value})


def test_time_ends_it_with_the_best_so_far():
    x = np.linspace(-1.0, 1.0, 12)
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        f = rs.solve_three_layers(rs.Problem(x, np.sin(6.0 * x), 0.01), tol=1e-9, max_time=1e-3)
    assert f.status == "not converged"
    assert f.n_units > 0  # what one search has found is used
    assert f.objective < f.history["objective"][0]


def test_a_search_without_time_says_something_and_not_that_it_is_done(monkeypatch):
    """Some start is followed all the same: with none the supremum would seem to be zero, and any fit the optimum."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (30, 3)).astype(float)
    p = rs.Problem(X, np.abs(X[:, 0] - X[:, 1]) + 0.1 * rng.standard_normal(30), 0.1)
    u = p.y - p.null_space @ (p.null_space.T @ p.y)
    solve, programs = Functions.on_dictionary, []
    monkeypatch.setattr(Functions, "on_dictionary", lambda *given: programs.append(0) or solve(*given))
    found = FunctionSearch(X, 16, 0)(u, [], 0.0, thorough=True, end=0.0)
    assert len(programs) <= 2  # of each sign one
    assert 0.0 < found.value <= FunctionSearch(X, 16, 0)(u, [], 0.0, thorough=True).value * (1.0 + 1e-9)
    with pytest.warns(rs.ConvergenceWarning, match="no time to finish"):
        f = rs.solve_three_layers(p, tol=0.5, max_time=1e-9)
    assert f.status == "not converged"
