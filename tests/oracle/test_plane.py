"""The angular sweep against enumerations, a plain sweep by angles, and itself with and without a past."""

from functools import cache
from importlib.util import find_spec
from itertools import combinations

import numpy as np
import pytest
from instances import dual_vector, dual_vectors

from ridgesplines.oracle import continuum_oracle, exact_oracle, sweep
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.plane import PlaneOracle


def normal(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 2))


def lattice(m, n, step=1.0):
    return np.argwhere(np.ones((m, n))) * step


def circle(n):
    turn = 2.0 * np.pi * np.arange(n) / n
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


SMALL = {
    "random": normal(11),
    "lattice": lattice(4, 3),
    "lattice of tenths": lattice(3, 4, 0.1) + 0.3,
    "circle": circle(10),
    "collinear": np.outer(np.arange(9.0), [1.0, 0.5]),
    "vertical": np.outer(np.arange(9.0), [0.0, 1.0]),
    "horizontal": np.outer(np.arange(9.0), [1.0, 0.0]),
    "duplicates": np.repeat(normal(5), 2, axis=0),
    "signed zeros": np.array([[0.0, 0.0], [-0.0, 1.0], [0.0, -1.0], [1.0, -0.0], [-1.0, 0.0], [-0.0, -0.0]]),
    "close pair": np.concatenate([normal(8), normal(8)[:2] + 1e-14]),
}
LARGE = {
    "random": normal(300),
    "lattice": lattice(17, 18, 0.1),
    "circle": circle(300),
    "collinear": np.outer(normal(300)[:, 0], [1.0, 0.3]),
    "duplicates": np.repeat(normal(100), 3, axis=0),
    "units": normal(300) * [1.0, 1e6],
    "near a line": normal(300) @ [[1.0, 1.0], [0.0, 1e-7]],
    "two heaps": normal(300) * 1e-6 + np.repeat([[0.0, 0.0], [1.0, 0.7]], 150, axis=0),
    "outlier": np.concatenate([normal(299), [[1e5, 3e5]]]),
    "shells": normal(300) * np.geomspace(1e-12, 1.0, 300)[:, None],
}


def by_cells(X, u):
    """Every cell between directions of pairs, every pivot: eta is one sinusoid there. Signs are taken in the middle."""
    U = u.reshape(len(u), -1)
    pairs = np.array([X[j] - X[i] for i, j in combinations(range(len(X)), 2) if (X[i] != X[j]).any()])
    turns = np.sort(np.mod(np.arctan2(pairs[:, 1], pairs[:, 0]) + np.pi / 2.0, np.pi))
    best = 0.0
    for low, high in zip(turns, np.append(turns[1:], turns[0] + np.pi), strict=True):
        middle = (low + high) / 2.0
        ends = np.array([[np.cos(low), np.sin(low)]])
        for m in range(len(X)):
            R = X - X[m]
            M = (R * (R @ [np.cos(middle), np.sin(middle)] > 0.0)[:, None]).T @ U
            w = np.linalg.svd(M)[0][:, 0]
            if np.mod(np.arctan2(w[1], w[0]) - low, np.pi) < high - low:
                best = max(best, np.linalg.norm(w @ M))
            best = max(best, np.linalg.norm(eta_at(X, U, ends, ends @ X[m])))
    return best


def by_angles(X, u):
    """The largest |eta| about each pivot, by sorted angles: nothing kept, nothing skipped, nothing merged."""
    U = u.reshape(len(u), -1)
    values, half = [], np.pi / 2.0
    for m in range(len(X)):
        R = X - X[m]
        alpha = np.arctan2(R[:, 1], R[:, 0])
        positive = (alpha >= -half) & (alpha < half)
        angle = np.where(positive, alpha + half, np.where(alpha < -half, alpha + 3.0 * half, alpha - half))
        order = np.argsort(angle)
        angle = angle[order]
        flips = np.where(positive, 1.0, -1.0)[:, None, None] * R[:, :, None] * U[:, None, :]
        M = 0.5 * flips.sum(axis=0) - np.cumsum(flips[order], axis=0)
        width = np.diff(angle, append=angle[0] + np.pi)
        lead = np.linalg.svd(M)[0][..., 0]
        peak = np.arctan2(lead[:, 1], lead[:, 0])
        best = np.where(np.mod(peak - angle, np.pi) < width, peak, angle)
        w = np.stack([np.cos(best), np.sin(best)], axis=1)
        values.append(np.linalg.norm(np.einsum("ni,nid->nd", w, M), axis=1).max())
    return np.array(values)


@cache
def swept(name, outputs):
    """A dual vector on a large table, and its plain sweep."""
    u = dual_vector(LARGE[name], 5, outputs)
    return u, by_angles(LARGE[name], u)


@pytest.mark.parametrize("outputs", [(), (1,), (3,)])
@pytest.mark.parametrize("name", SMALL)
def test_every_cell_enumerated(name, outputs):
    X = SMALL[name]
    for seed in range(2):
        u = dual_vector(X, seed, outputs)
        found, brute = PlaneOracle(X)(u), by_cells(X, u)
        assert found.scope == "exact"
        assert found.value == pytest.approx(brute, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("name", LARGE)
def test_a_plain_sweep_by_angles(name, outputs):
    X = LARGE[name]
    u, plain = swept(name, outputs)
    found = PlaneOracle(X)(u)
    size = np.linalg.norm(u.reshape(len(X), -1), axis=1) @ np.linalg.norm(X - X.mean(axis=0), axis=1)
    assert abs(found.value - plain.max()) <= 1e-13 * size
    listed = np.sort(plain[np.sort(np.unique(X, axis=0, return_index=True)[1])])[::-1][:256]
    values = np.linalg.norm(eta_at(X, u.reshape(len(X), -1), found.weights, found.biases), axis=1)
    np.testing.assert_allclose(values, listed, rtol=0.0, atol=1e-13 * size)


@pytest.mark.parametrize("name", LARGE)
def test_no_direction_has_more(name):
    X = LARGE[name]
    u = dual_vector(X, 6)
    found = PlaneOracle(X)(u).value
    rng = np.random.default_rng(0)
    turns = rng.random(300) * np.pi
    pairs = rng.integers(len(X), size=(300, 2))
    W = np.concatenate([np.stack([np.cos(turns), np.sin(turns)], axis=1), (X[pairs[:, 0]] - X[pairs[:, 1]])[:, ::-1]])
    W[300:, 0] *= -1.0
    W = W[np.linalg.norm(W, axis=1) > 0.0]
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    size = np.abs(u) @ np.linalg.norm(X - X.mean(axis=0), axis=1)
    for w in W:
        assert np.abs(eta_at(X, u, np.tile(w, (len(X), 1)), X @ w)).max() <= found + 1e-13 * size


@pytest.mark.parametrize("n", [1, 2])
def test_no_dual_vector_but_zero(n):
    found = PlaneOracle(normal(n))(np.zeros(n))
    assert found.value == 0.0
    np.testing.assert_allclose(np.linalg.norm(found.weights, axis=1), 1.0)


def test_one_point_many_times():
    found = PlaneOracle(np.ones((5, 2)))(np.array([1.0, -1.0, 2.0, -2.0, 0.0]))
    assert found.value == 0.0


def test_rows_of_an_equal_point_are_one():
    X = normal(40)
    u = dual_vector(np.concatenate([X, X[:20]]))
    merged = u[:40] + np.append(u[40:], np.zeros(20))
    one, two = PlaneOracle(X)(merged), PlaneOracle(np.concatenate([X, X[:20]]))(u)
    assert two.value == pytest.approx(one.value, rel=1e-13)
    assert len(two.biases) == 40


@pytest.mark.parametrize("outputs", [(), (2,)])
def test_neurons_are_in_the_units_of_the_data(outputs):
    X = normal(400) * 3e3 + [1e4, -2e4]
    u = dual_vector(X, 1, outputs) * 1e-5
    found = PlaneOracle(X)(u)
    values = np.linalg.norm(eta_at(X, u.reshape(400, -1), found.weights, found.biases), axis=1)
    assert len(values) == 256
    assert values[0] == pytest.approx(found.value, rel=1e-10)
    assert (np.diff(values) <= 1e-10 * found.value).all()


@pytest.mark.parametrize(("length", "size"), [(2.0**40, 1.0), (2.0**-600, 2.0**300), (1.0, 2.0**-500)])
def test_units_change_no_digit(length, size):
    X = normal(60)
    u = dual_vector(X)
    assert PlaneOracle(X * length)(u * size).value == PlaneOracle(X)(u).value * length * size


def walk(X, outputs=()):
    """Dual vectors as a solver would ask: unrelated, then ever nearer to each other, scaled, the same again, zero."""
    source = dual_vectors(X, 3, outputs)
    u = next(source)
    yield from (u, next(source), np.zeros_like(u))
    for step in [0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4, 1e-6, 0.0]:
        u = u + step * next(source)
        yield u
    yield from (-2.5 * u, 1e-3 * u + 1e-8 * next(source), next(source), u)


class Counted(sweep.Sweep):
    swept = 0

    def __call__(self, U, pivots):
        Counted.swept += len(pivots)
        return super().__call__(U, pivots)


@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("leveled", [False, True])
def test_the_past_changes_no_answer(outputs, leveled, monkeypatch):
    monkeypatch.setattr("ridgesplines.oracle.plane.Sweep", Counted)
    X = normal(350)
    kept, counts = PlaneOracle(X, many=1000), []
    for u in walk(X, outputs):
        level = 0.9 * PlaneOracle(X, many=1000)(u).value if leveled else None
        Counted.swept = 0
        found = kept(u, level)
        counts.append(Counted.swept)
        fresh = PlaneOracle(X, many=1000)(u, level)
        assert found.value == pytest.approx(fresh.value, rel=1e-12, abs=0.0)
        if u.any():  # where all values are zero, any neurons will do
            np.testing.assert_allclose(found.biases, fresh.biases, rtol=1e-9)
            np.testing.assert_allclose(found.weights, fresh.weights, rtol=0.0, atol=1e-9)
    assert min(counts) < 300  # something was skipped, so that there was something to test
    assert max(counts) == 350


def test_a_level_leaves_out_what_is_below_it():
    X = normal(700)
    u = dual_vector(X)
    every = PlaneOracle(X, many=1000)(u)
    values = np.abs(eta_at(X, u, every.weights, every.biases))
    for level, count in [(0.0, 256), ((values[99] + values[100]) / 2.0, 100), (values[0] * 2.0, 1)]:
        some = PlaneOracle(X, many=1000)(u, level)
        assert some.value == every.value
        np.testing.assert_array_equal(some.weights, every.weights[:count])
        np.testing.assert_array_equal(some.biases, every.biases[:count])


def test_bounds_hold():
    oracle = PlaneOracle(normal(80))
    for u in walk(oracle._points):  # in its own order and units
        values = by_angles(oracle._points, u)
        assert (oracle._bounds(u) >= values - 1e-12 * values.max()).all()
        oracle(u[oracle._place])


@pytest.mark.parametrize("heap", [1.0, 1e-6, 1e-13])
def test_the_most_that_a_change_can_do(heap):
    # The change touches only a heap of 40 points, far from the middle of the data.
    X = np.concatenate([normal(40) * heap + [0.3, 0.2], normal(40, 1)])
    oracle = PlaneOracle(X)
    change = np.append(np.random.default_rng(0).standard_normal(40), np.zeros(40))
    u = np.zeros(80)
    u[oracle._place] = change
    turns = np.pi * np.arange(1000) / 1000.0
    W = np.stack([np.cos(turns), np.sin(turns)])
    R = oracle._points - oracle._points[:, None]
    reached = np.array([np.abs(u) @ np.abs(r @ W) for r in R]).max(axis=1) / 2.0
    assert (oracle._most(u) >= reached * (1.0 - 1e-7)).all()
    assert (oracle._most(u) <= 1.5 * reached).all()


def test_orders_that_do_not_fit_are_sorted_anew(monkeypatch):
    X = normal(300)
    duals = [u for u, _ in zip(dual_vectors(X), range(3), strict=False)]
    ample = PlaneOracle(X)
    expected = [ample(u) for u in duals]
    monkeypatch.setattr(sweep, "MAX_BYTES", 100 * 299 * 2)
    tight = PlaneOracle(X)
    assert tight._sweep._orders.shape == (100, 299)
    for u, one in zip(duals, expected, strict=True):
        two = tight(u)
        assert two.value == one.value
        np.testing.assert_array_equal(two.weights, one.weights)


def test_orders_stay_within_their_budget():
    points = np.unique(normal(20_000), axis=0)
    assert sweep.Sweep(points)._orders.nbytes <= sweep.MAX_BYTES == 2**29


def test_a_level_passes_to_every_oracle():
    plane = normal(300)
    u = dual_vector(plane)
    level = 0.95 * PlaneOracle(plane)(u).value
    expected = PlaneOracle(plane)(u, level)
    assert 1 <= len(expected.biases) < 256
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 2)))[0]
    for X in [plane, plane @ frame.T + 5.0]:
        found = exact_oracle(X)(u, level=level)
        assert found.value == pytest.approx(expected.value, rel=1e-9)
        assert len(found.biases) == len(expected.biases)
    for X in [plane[:, :1], np.column_stack([plane, plane[:, 0] ** 2])]:
        oracle, v = continuum_oracle(X), dual_vector(X)
        assert oracle(v, 0.0).value == pytest.approx(oracle(v).value, rel=1e-14)  # by another order of sums


COMPILED = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")


@COMPILED
@pytest.mark.parametrize("outputs", [(), (1,), (3,)])
@pytest.mark.parametrize("name", SMALL)
def test_every_cell_enumerated_against_sectors(name, outputs):
    X = SMALL[name]
    for seed in range(2):
        u = dual_vector(X, seed, outputs)
        found, brute = PlaneOracle(X, many=2)(u), by_cells(X, u)
        assert found.scope == "exact"
        assert found.value == pytest.approx(brute, rel=1e-12, abs=1e-14)


@COMPILED
@pytest.mark.parametrize("outputs", [(), (2,)])
@pytest.mark.parametrize("name", LARGE)
def test_sweeps_about_all_points_against_sectors(name, outputs):
    """The supremum, and with a level and a floor what they promise."""
    X = LARGE[name]
    u, plain = swept(name, outputs)
    top, oracle = plain.max(), PlaneOracle(X, many=2)
    size = np.linalg.norm(u.reshape(len(X), -1), axis=1) @ np.linalg.norm(X - X.mean(axis=0), axis=1)
    for level in (None, np.inf, 0.9 * top, 1.1 * top):
        found = oracle(u, level)
        assert abs(found.value - top) <= 1e-13 * size
        assert found.ceiling >= found.value
        values = np.linalg.norm(eta_at(X, u.reshape(len(X), -1), found.weights, found.biases), axis=1)
        assert abs(values[0] - top) <= 1e-13 * size
        assert (values[1:] > (0.0 if level is None else level) - 1e-13 * size).all()
    low = oracle(u, floor=1.5 * top)
    assert low.value <= top + 1e-13 * size <= low.ceiling + 2e-13 * size <= 1.5 * top + 3e-13 * size


@COMPILED
def test_sectors_list_maxima_that_lie_apart():
    """Two bends of nearly the same strength are both listed above a level, whatever their flanks hold."""
    X = normal(3000)
    u = np.abs(X @ [0.6, 0.8]) + 0.9 * np.abs(X @ [0.8, -0.6] - 0.5)
    A = np.column_stack([np.ones(len(X)), X])
    u -= A @ np.linalg.lstsq(A, u, rcond=None)[0]
    oracle = PlaneOracle(X)
    W = oracle(u, 0.5 * oracle(u).value).weights
    assert np.abs(W @ [0.6, 0.8]).max() > 0.9
    assert np.abs(W @ [0.8, -0.6]).max() > 0.9
