"""The searched supremum: against the plane's exact one, against enumeration, and by what a search must keep."""

import importlib.util
import sys
from itertools import combinations, product

import numpy as np
import pytest
from instances import dual_vector, noisy
from suprema import enumerated

import ridgesplines as rs
from ridgesplines.network.spline import group_norms
from ridgesplines.numerics import fast
from ridgesplines.oracle import passes
from ridgesplines.oracle.circles import arcs, best_of, best_on_circles
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.plane import PlaneOracle
from ridgesplines.oracle.search import SearchOracle

LATTICE = np.argwhere(np.ones((5, 5, 5))).astype(float)


def sizes(X, u, found):
    return group_norms(eta_at(X, u, found.weights, found.biases))


@pytest.mark.parametrize("outputs", [(), (3,)])
@pytest.mark.parametrize("seed", range(6))
def test_the_exact_supremum_in_a_plane(seed, outputs):
    X, _ = noisy(60, 2, seed)
    u = dual_vector(X, seed, outputs)
    assert SearchOracle(X, seed)(u).value == pytest.approx(PlaneOracle(X)(u).value, rel=1e-12)


@pytest.mark.parametrize("X", [LATTICE[:25, 1:], LATTICE[:50:2, 1:] * [1.0, 1e-4]], ids=["lattice", "stretched"])
def test_the_exact_supremum_on_lattices_in_a_plane(X):
    for seed in range(4):
        u = dual_vector(X, seed)
        assert SearchOracle(X)(u).value == pytest.approx(PlaneOracle(X)(u).value, rel=1e-10)


@pytest.mark.parametrize("outputs", [(), (1,), (2,)])
@pytest.mark.parametrize(("n", "d"), [(9, 3), (8, 4)])
def test_the_supremum_by_enumeration(n, d, outputs):
    for seed in range(4):
        X, _ = noisy(n, d, seed)
        u = dual_vector(X, seed, outputs)
        assert SearchOracle(X)(u).value == pytest.approx(enumerated(X, u), rel=1e-10)


def test_out_of_time_it_is_a_lower_bound_all_the_same():
    X, _ = noisy(300, 4)
    u = dual_vector(X)
    late, full = SearchOracle(X)(u, end=0.0), SearchOracle(X)(u)
    assert 0.0 < late.value < full.value
    assert late.value == pytest.approx(sizes(X, u, late)[0], rel=1e-12)


def test_the_enumeration_itself_in_a_plane():
    X, _ = noisy(9, 2)
    u = dual_vector(X)
    assert enumerated(X, u) == pytest.approx(PlaneOracle(X)(u).value, rel=1e-12)


@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize(("n", "d"), [(100, 3), (260, 5), (40, 12)])
def test_listed_neurons_reach_their_values_and_differ(n, d, outputs):
    X, _ = noisy(n, d)
    X = X + 3.0
    u = dual_vector(X, outputs=outputs)
    found = SearchOracle(X, effort=100)(u)
    eta = sizes(X, u, found)
    assert found.scope == "searched"
    assert eta[0] == pytest.approx(found.value, rel=1e-12)
    assert (np.diff(eta) <= 1e-12 * eta[0]).all()
    assert np.linalg.norm(found.weights, axis=1) == pytest.approx(np.ones(len(eta)), rel=1e-12)
    distances = X @ found.weights.T - found.biases
    signs = np.where(np.abs(distances) < 1e-9, 0.0, np.sign(distances)).T
    signs *= np.where((signs != 0.0).any(axis=1), signs[np.arange(len(signs)), (signs != 0.0).argmax(axis=1)], 1.0)[
        :, None
    ]
    assert len(np.unique(signs, axis=0)) == len(signs)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_listed_neurons_are_local_maxima(outputs):
    X, _ = noisy(80, 4)
    u = dual_vector(X, outputs=outputs)
    found = SearchOracle(X)(u)
    rng = np.random.default_rng(0)
    for w, b, value in zip(found.weights[:10], found.biases[:10], sizes(X, u, found)[:10], strict=True):
        W = w + 1e-4 * rng.standard_normal((2000, 4))
        length = np.linalg.norm(W, axis=1)
        shifted = b + 1e-4 * rng.standard_normal(2000)
        nearby = group_norms(eta_at(X, u, (W.T / length).T, shifted / length))
        assert nearby.max() <= value * (1.0 + 1e-12)


def test_the_largest_are_best_on_every_circle_that_lets_go_of_one_point():
    X, _ = noisy(60, 3)
    u = dual_vector(X)
    found = SearchOracle(X, effort=30)(u)
    angles = np.linspace(0.0, np.pi, 2001)
    for w, b, value in zip(found.weights[:3], found.biases[:3], sizes(X, u, found)[:3], strict=True):
        touched = np.flatnonzero(np.abs(X @ w - b) < 1e-9)
        for pair in combinations(touched, 2):
            c = np.cross(w, X[pair[1]] - X[pair[0]])
            W = np.outer(np.cos(angles), w) + np.outer(np.sin(angles), c / np.linalg.norm(c))
            assert np.abs(eta_at(X, u, W, W @ X[pair[0]])).max() <= value * (1.0 + 1e-12)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_invariances(outputs):
    X, _ = noisy(50, 3, 1)
    u = dual_vector(X, 1, outputs)
    rng = np.random.default_rng(0)
    value = SearchOracle(X)(u).value
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    order = rng.permutation(50)
    split = np.concatenate([0.3 * u, 0.7 * u[::-1]])
    assert SearchOracle(X @ turn + [3.0, -1.0, 2.0])(u).value == pytest.approx(value, rel=1e-9)
    assert SearchOracle(1e-6 * X)(1e5 * u).value == pytest.approx(0.1 * value, rel=1e-9)
    assert SearchOracle(X[order])(-u[order]).value == pytest.approx(value, rel=1e-9)
    assert SearchOracle(np.concatenate([X, X[::-1]]))(split).value == pytest.approx(value, rel=1e-9)
    assert SearchOracle(X @ np.eye(3, 6) @ np.linalg.qr(rng.standard_normal((6, 6)))[0] + 100.0)(
        u
    ).value == pytest.approx(value, rel=1e-9)


def test_data_that_span_little():
    point = SearchOracle(np.ones((4, 3)))(np.array([1.0, -1.0, 2.0, -2.0]))
    assert point.value == 0.0
    assert point.weights.shape == (1, 3)
    X, _ = noisy(20, 3)
    assert SearchOracle(X)(np.zeros(20)).value == 0.0
    line = np.outer(np.arange(5.0), [3.0, 0.0, 4.0])
    u = np.array([1.0, -2.0, 1.0, 0.0, 0.0])
    assert SearchOracle(line)(u).value == pytest.approx(5.0, rel=1e-12)


def test_a_lattice_against_all_planes_through_three_points():
    X = LATTICE[(LATTICE < 3).all(axis=1)]
    u = dual_vector(X)
    normals = {tuple(n) for n in product(range(-4, 5), repeat=3) if np.gcd.reduce(n) == 1}
    W = np.array(sorted(normals), dtype=float)
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    best = max(np.abs(eta_at(X, u, W, W @ x)).max() for x in X)
    found = SearchOracle(X)(u)
    assert found.value >= best * (1.0 - 1e-12)
    assert sizes(X, u, found)[0] == pytest.approx(found.value, rel=1e-12)


def test_neurons_near_which_to_look_are_starts():
    X, _ = noisy(200, 8)
    u = dual_vector(X)
    strong = SearchOracle(X)(u)
    weak = SearchOracle(X, effort=0)(u)
    values = sizes(X, u, strong)
    unknown = np.flatnonzero(np.abs(values[:, None] / sizes(X, u, weak) - 1.0).min(axis=1) > 1e-6)[:5]
    assert len(unknown) == 5
    near = 2.0 * strong.weights[unknown], 2.0 * strong.biases[unknown]
    looked = sizes(X, u, SearchOracle(X, effort=0)(u, near=near))
    assert np.abs(values[unknown, None] / looked - 1.0).min(axis=1).max() < 1e-12


def test_maxima_are_kept_from_call_to_call_but_not_their_values():
    X, _ = noisy(100, 6)
    u, v = dual_vector(X), dual_vector(X, seed=1)
    oracle = SearchOracle(X, effort=300)
    first = oracle(u)
    second = oracle(0.01 * u + 1e-5 * v)
    assert second.value < 0.02 * first.value
    assert second.value >= np.abs(eta_at(X, 0.01 * u + 1e-5 * v, first.weights, first.biases)).max() * (1.0 - 1e-12)


def test_level_leaves_out_what_lies_below_and_stops_early():
    X, _ = noisy(100, 5)
    u = dual_vector(X)
    every = SearchOracle(X)(u)
    level = 0.9 * every.value
    found = SearchOracle(X)(u, level)
    assert (sizes(X, u, found) >= level * (1.0 - 1e-12)).all()
    assert len(found.biases) < len(every.biases)
    none = SearchOracle(X)(u, 2.0 * every.value)
    assert len(none.biases) == 1
    assert none.value == pytest.approx(every.value, rel=1e-12)


def test_a_look_afresh_also_lists_what_lies_below_the_level():
    X, _ = noisy(100, 5)
    u = dual_vector(X)
    level = 0.9 * SearchOracle(X)(u).value
    found = SearchOracle(X)(u, level, afresh=64)
    assert (sizes(X, u, found) < level).any()
    assert found.value >= level


@pytest.mark.parametrize(("n", "d", "level"), [(200, 10, 0.5), (100, 4, 0.9), (100, 4, 1.1)])
def test_the_whole_effort_is_spent_where_nothing_is_above_the_level(n, d, level):
    X, _ = noisy(n, d)
    u = dual_vector(X)
    value = SearchOracle(X)(u).value
    steps = []
    counting = SearchOracle(X, effort=2000)
    counting._batch = lambda *given: steps.append(given[-1]) or SearchOracle._batch(counting, *given)
    counting._one_and_all = lambda *given: steps.append(given[-2]) or SearchOracle._one_and_all(counting, *given)
    found = counting(u, level * value)
    assert (sum(steps) == 2000) == (level > 1.0)
    assert found.starts == sum(steps)


def test_a_solver_of_many_neurons_is_told_of_many_maxima_or_all_is_tried():
    X, _ = noisy(200, 8)
    u = dual_vector(X)
    every = SearchOracle(X)(u)
    few, many = (every.weights[:1], every.biases[:1]), (np.tile(every.weights, (8, 1)), np.tile(every.biases, 8))
    level = 0.9 * every.value
    told, once = SearchOracle(X)(u, level, near=few), SearchOracle(X)(u, level, near=many)
    assert told.starts < once.starts
    enough = (sizes(X, u, once) > level + 0.3 * (once.value - level)).sum() >= len(many[1]) // 8
    assert enough or once.starts == 128 * 8  # the whole effort
    afresh = SearchOracle(X)(u, level, near=many, afresh=128)
    assert afresh.starts < once.starts  # to contradict, one will do


def test_the_same_calls_give_the_same_answers():
    X, _ = noisy(60, 4)
    answers = []
    for _ in range(2):
        oracle = SearchOracle(X, seed=3, effort=50)
        answers.append([oracle(dual_vector(X, seed=seed)) for seed in range(3)])
    for one, other in zip(*answers, strict=True):
        assert one.value == other.value
        assert (one.weights == other.weights).all()
        assert (one.biases == other.biases).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_compiled_circles_agree(outputs):
    compiled = pytest.importorskip("numba") and importlib.import_module("ridgesplines.oracle.compiled_circles")
    rng = np.random.default_rng(0)
    for X in [rng.standard_normal((300, 4)), np.argwhere(np.ones((4, 4, 4, 4))).astype(float)]:
        U = dual_vector(X, outputs=(outputs,))
        on = passes.Passes(passes.Points(X, passes.Host()), U)
        W, C = np.linalg.qr(rng.standard_normal((50, 4, 2)))[0].transpose(2, 0, 1)
        held = np.full((50, 4), -1)
        held[:, 0] = rng.integers(len(X), size=50)
        W, C = W.copy(), C.copy()
        rx, ry = on.distances(W, held[:, 0]), on.distances(C, held[:, 0])
        for L in (np.empty((0, outputs)), rng.standard_normal((4, outputs))):
            plain = best_on_circles(np, rx.copy(), ry.copy(), U, (W @ L, C @ L) if len(L) else None)
            found = compiled.best_on_circles(np.ascontiguousarray(X.T), U, W, C, held, L)
            assert found[0] == pytest.approx(plain[0], rel=1e-11)
            turns = [a[1] / a[2] for a in (plain, found)]
            assert turns[1] == pytest.approx(turns[0], rel=1e-6)
            turn = np.linspace(0.0, 2.0 * np.pi, 721)[:, None, None]  # no direction is better than the best
            along = [np.cos(turn) * rx + np.sin(turn) * ry, np.cos(turn) * W + np.sin(turn) * C]
            eta = 0.5 * np.abs(along[0]) @ U + (along[1] @ L if len(L) else 0.0)
            assert (np.linalg.norm(eta, axis=2).max(axis=0) <= np.sqrt(found[0]) * (1.0 + 1e-12)).all()
            if len(L):  # and that is where it says, on its own side
                x, y = (part / np.hypot(found[1], found[2]) for part in found[1:3])
                there = 0.5 * np.abs(x[:, None] * rx + y[:, None] * ry) @ U
                there += x[:, None] * (W @ L) + y[:, None] * (C @ L)
                assert np.linalg.norm(there, axis=1) == pytest.approx(np.sqrt(found[0]), rel=1e-9)


@pytest.mark.parametrize("crowd", [1e-12, 1e-4, 1.0])
def test_parts_of_a_half_circle_that_are_left_out_have_no_maximum(crowd):
    compiled = pytest.importorskip("numba") and importlib.import_module("ridgesplines.oracle.compiled_half_circle")
    rng, N, most = np.random.default_rng(0), 300, compiled.PARTS
    for u in rng.standard_normal((40, N)) * np.exp(3.0 * rng.standard_normal((40, N))):
        angle = crowd * rng.uniform(-2.0, 2.0, N) + rng.choice([0.1, 1.3, np.pi / 2], N)
        rx, ry = rng.uniform(size=N) * np.array([np.cos(angle), np.sin(angle)])
        rx[:20], ry[:10] = 0.0, 0.0
        rx[20:60], ry[20:60] = rx[60:100], ry[60:100]  # the same crossings
        room, spare = np.array([rx, ry, rx]), (np.empty((3, N), np.int32), np.empty(most + 1, np.int32))
        for linear in np.array([0.0, 0.1, 10.0])[:, None] * rng.standard_normal(2):  # a linear function joins eta
            plain = best_of(np, arcs(np, rx[None].copy(), ry[None].copy(), u[:, None], *linear))
            square, x, y, crossed = compiled.best_of_half_circle(room.copy(), u, *spare, *linear)
            assert square == pytest.approx(float(plain[0][0]), rel=1e-9)
            eta = 0.5 * u @ np.abs(x * rx + y * ry) + linear @ [x, y] * (1.0 if y >= 0.0 else -1.0)
            assert eta**2 == pytest.approx(square * (x * x + y * y), rel=1e-6)
            assert crossed < 0 or abs(x * rx[crossed] + y * ry[crossed]) < 1e-12


def test_with_and_without_numba(monkeypatch):
    pytest.importorskip("numba")
    X, _ = noisy(250, 4)
    u = dual_vector(X)
    compiled = SearchOracle(X)(u)
    monkeypatch.setattr(fast, "compiled", lambda module: None)
    assert SearchOracle(X)(u).value == pytest.approx(compiled.value, rel=1e-12)


def test_few_points_take_compiled_code_where_it_is_at_hand(monkeypatch):
    pytest.importorskip("numba")
    X, _ = noisy(passes.COMPILED_POINTS - 1, 4)
    u, asked = dual_vector(X), []
    real = fast.compiled
    monkeypatch.setattr(fast, "compiled", lambda module: asked.append(module) or real(module))
    values = []
    for here in (False, True):
        monkeypatch.setattr(fast, "at_hand", lambda module, here=here: here)
        values.append(SearchOracle(X)(u).value)
        assert bool(asked) == here
    assert values[1] == pytest.approx(values[0], rel=1e-9)


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_on_a_device_of_torch(outputs):
    pytest.importorskip("torch")
    X, _ = noisy(120, 4)
    u = dual_vector(X, outputs=outputs)
    host, device = SearchOracle(X)(u), SearchOracle(X, device="cpu")(u)
    assert device.value == pytest.approx(host.value, rel=1e-12)
    with pytest.raises(rs.ProblemError, match="device"):
        SearchOracle(X, device="abacus")


def test_a_device_without_torch_is_refused(monkeypatch):
    monkeypatch.setattr(passes, "find_spec", lambda name: None)
    with pytest.raises(rs.SolverRefusal, match="PyTorch"):
        SearchOracle(np.eye(4), device="cuda")


def test_no_device_loads_no_torch():
    import subprocess

    code = "import sys, numpy as np; from ridgesplines.oracle import SearchOracle as S; S(np.eye(5))(np.ones(5)); "
    subprocess.run([sys.executable, "-c", code + "assert 'torch' not in sys.modules"], check=True)
