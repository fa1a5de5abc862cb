"""Batches of ascents: their derivatives, what they reach, and what they leave to others."""

import numpy as np
import pytest
from instances import dual_vector, noisy

from ridgesplines.numerics import fast
from ridgesplines.oracle import ascent, passes, starts
from ridgesplines.oracle.batches import Batch, Scout
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.plane import PlaneOracle
from ridgesplines.oracle.search import SearchOracle


def sizes(X, u, W, b):
    eta = eta_at(X, u, W, b)
    return np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=1)


def beginning(X, m, seed=0):
    return starts.fresh(X, m, np.random.default_rng(seed))


@pytest.mark.parametrize("outputs", [(), (3,)])
def test_an_ascent_without_a_step_is_eta(outputs):
    X, _ = noisy(300, 5)
    X = X - X.mean(axis=0)
    u = dual_vector(X, outputs=outputs)
    W, b = beginning(X, 50)
    same, biases, size = Batch(X, u.reshape(300, -1), passes.Host()).climb(W, b, 0)
    assert np.abs(same - W).max() < 1e-6
    assert np.abs(biases - b).max() < 1e-6
    assert size == pytest.approx(sizes(X, u, W, b), abs=1e-5 * size.max())


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_every_ascent_rises_and_its_value_is_eta_where_it_is(outputs):
    X, _ = noisy(400, 6)
    X = X / np.abs(X).max()
    u = dual_vector(X, outputs=outputs)
    W, b = beginning(X, 80)
    end, biases, size = Batch(X, u.reshape(400, -1), passes.Host()).climb(W, b, 20)
    assert np.linalg.norm(end, axis=1) == pytest.approx(np.ones(80), rel=1e-5)
    assert size == pytest.approx(sizes(X, u, end, biases), abs=2e-5 * size.max())
    before = sizes(X, u, W, b)
    assert (size >= before - 1e-5 * before.max()).all()
    assert np.median(size) > 2.0 * np.median(before)


def test_many_points_in_a_plane_are_searched_to_their_supremum():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (600, 2))
    y = np.abs(X @ [0.6, 0.8]) + 0.3 * rng.standard_normal(600)
    Q = np.linalg.qr(np.column_stack([np.ones(600), X]))[0]
    u = y - Q @ (Q.T @ y)
    W, b = Scout(X, passes.Host()).best(u[:, None], *beginning(X, 200), 8)
    assert sizes(X, u, W, b).max() >= PlaneOracle(X)(u).value * (1.0 - 1e-4)


def test_a_sample_proposes_and_all_points_decide():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10000, 4))
    y = np.abs(X[:, 0]) + rng.standard_normal(10000)
    Q = np.linalg.qr(np.column_stack([np.ones(10000), X]))[0]
    u = y - Q @ (Q.T @ y)
    W, b = Scout(X, passes.Host()).best(u[:, None], *beginning(X, 300), 4)
    assert abs(W[0, 0]) > 0.99  # the direction that bends
    assert sizes(X, u, W, b)[0] == pytest.approx(sizes(X, u, np.eye(1, 4), np.zeros(1))[0], rel=0.05)


def test_proposals_differ_and_keep_away_from_what_is_known():
    X, _ = noisy(300, 4)
    X = X / np.abs(X).max()
    u = dual_vector(X)
    scout = Scout(X, passes.Host())
    W, b = scout.best(u[:, None], *beginning(X, 300), 40)
    codes = {tuple(row) for row in np.sign(X @ W.T - b).T}
    assert len(codes) == len(b)
    others, biases = scout.best(u[:, None], *beginning(X, 300), 40, apart=(W[:5], b[:5]))
    theta, known = np.column_stack([others, biases]), np.column_stack([W[:5], b[:5]])
    for sign in (1.0, -1.0):
        assert np.abs(theta[:, None] - sign * known).max(axis=2).min() > 1e-2


@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize(("n", "d"), [(220, 3), (260, 9)])
def test_compiled_ascents_agree(n, d, outputs, monkeypatch):
    pytest.importorskip("numba")
    X, _ = noisy(n, d)
    X[::7] = np.round(X[::7])  # some points that lie together
    X = X - X.mean(axis=0)
    u = dual_vector(X, outputs=outputs).reshape(n, -1)
    points = passes.Passes(passes.Points(X, passes.Host()), u / np.abs(u).max())
    W, _ = beginning(X, 40)
    start = ascent.through(points, W, points.along(W)[1])
    compiled = ascent.climb(points, start)
    monkeypatch.setattr(fast, "compiled", lambda module: None)
    plain = ascent.climb(points, start)
    assert compiled.value.max() == pytest.approx(plain.value.max(), rel=1e-9)
    assert np.mean(np.abs(compiled.value / plain.value - 1.0) < 1e-9) > 0.9
    at = sizes(X, u / np.abs(u).max(), compiled.W, compiled.biases(X))
    assert at == pytest.approx(compiled.value, rel=1e-9)


@pytest.mark.parametrize("outputs", [(), (3,)])
@pytest.mark.parametrize("own", [None, [0, 1, 4]])
def test_compiled_steps_are_those_of_arrays(own, outputs, monkeypatch):
    pytest.importorskip("numba")
    X, _ = noisy(300, 4)
    X[::5] = np.round(X[::5])
    X[::7] = X[0]  # rows that repeat
    U = dual_vector(X, outputs=outputs).reshape(300, -1)
    W, b = beginning(X, 200)
    if own is not None:  # in the first two columns; 4 stands for none
        turns = np.linspace(0.0, np.pi, len(b))
        W = np.column_stack([np.cos(turns), np.sin(turns), np.zeros((len(b), 2))])
    columns = None if own is None else np.tile(own, (len(b), 1))
    compiled = [Batch(X, U, passes.Host()).climb(W, b, steps, columns=columns) for steps in (1, 20)]
    monkeypatch.setattr(fast, "compiled", lambda module: None)
    plain = [Batch(X, U, passes.Host()).climb(W, b, steps, columns=columns) for steps in (1, 20)]
    for here, there in zip(compiled[0], plain[0], strict=True):
        assert here == pytest.approx(there, abs=1e-5)
    # after more steps rounding has led some elsewhere
    assert np.mean(np.abs(compiled[1][2] / plain[1][2] - 1.0) < 1e-3) > 0.9
    assert compiled[1][2].max() == pytest.approx(plain[1][2].max(), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e8, 1e150])
def test_units_do_not_matter(scale):
    X, _ = noisy(60, 4)
    u = dual_vector(X)
    assert SearchOracle(scale * X)(u).value == pytest.approx(scale * SearchOracle(X)(u).value, rel=1e-9)
    found = SearchOracle(scale * X)(u, rough=True)
    assert found.value == pytest.approx(sizes(scale * X, u, found.weights[:1], found.biases[:1])[0], rel=1e-9)


def test_a_rough_call_is_a_lower_bound_that_is_evaluated():
    X, _ = noisy(200, 5)
    u = dual_vector(X)
    rough, full = SearchOracle(X)(u, rough=True), SearchOracle(X)(u)
    assert 0.8 * full.value < rough.value <= full.value * (1.0 + 1e-12)
    assert rough.value == pytest.approx(sizes(X, u, rough.weights, rough.biases).max(), rel=1e-12)


def test_equal_seeds_give_equal_answers():
    X, _ = noisy(150, 5)
    u = dual_vector(X)
    first, second = (SearchOracle(X, 7)(u, afresh=8, rough=True) for _ in range(2))
    assert np.array_equal(first.weights, second.weights)


@pytest.mark.parametrize("torch_device", ["cpu"])
def test_on_a_device_the_same(torch_device):
    pytest.importorskip("torch")
    X, _ = noisy(300, 5)
    X = X / np.abs(X).max()
    U = dual_vector(X, outputs=(2,))
    W, b = beginning(X, 30)
    here = Batch(X, U, passes.Host()).climb(W, b, 12)
    there = Batch(X, U, passes.Torch(torch_device)).climb(W, b, 12)
    assert np.median(np.abs(here[2] / there[2] - 1.0)) < 1e-4
    assert here[2].max() == pytest.approx(there[2].max(), rel=1e-3)


@pytest.mark.parametrize(("n", "d"), [(40, 1), (60, 3), (80, 6)])
def test_leaps_keep_to_some_of_the_points_that_their_maxima_hold(n, d):
    X, _ = noisy(n, d)
    points = passes.Passes(passes.Points(X, passes.Host()), dual_vector(X)[:, None])
    rng = np.random.default_rng(0)
    W = rng.standard_normal((20, d))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    maxima = ascent.climb(points, ascent.through(points, W, points.along(W)[1]))
    leaps = ascent.leaps(points, maxima, 200, rng)
    np.testing.assert_allclose(np.linalg.norm(leaps.W, axis=1), 1.0, rtol=1e-12)
    for w, held in zip(leaps.W, leaps.held, strict=True):
        on = held[held >= 0]
        np.testing.assert_allclose((X[on] - X[on[0]]) @ w, 0.0, atol=1e-9 * np.abs(X).max())
        assert any(set(on) <= set(parent) for parent in maxima.held)
    assert d == 1 or len(np.unique(leaps.W.round(9), axis=0)) == 200
    climbed = ascent.climb(points, leaps)
    assert (climbed.value >= points.slopes(leaps.W, leaps.held).value * (1.0 - 1e-12)).all()
