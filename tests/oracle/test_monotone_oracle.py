"""The supremum where features must be monotone: against enumeration, compiled and not, in the plane and along lines."""

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from instances import diagonal
from test_groups import TABLES

from ridgesplines.interactions import read
from ridgesplines.numerics import fast
from ridgesplines.oracle.monotone import MonotoneOracle, Plane
from ridgesplines.oracle.monotone_search import MonotoneSearch, ascents, best_angle, some_features

SIGNS = [(1, -1, 0, 0), (0, 0, 1, 0), (-1, -1, -1, -1), (0, 0, 0, 0)]


def table(name):
    """About the origin, of size one: the units in which the oracle works."""
    X = TABLES[name] - (TABLES[name].max(axis=0) + TABLES[name].min(axis=0)) / 2.0
    return X / np.linalg.norm(X, axis=1).max()


def dual(X, signs, seed=0):
    """A random vector, orthogonal to 1 and to the free features, of the right sign with others."""
    u = np.random.default_rng(seed).standard_normal(len(X))
    free = signs == 0.0
    while True:
        basis, sizes, _ = np.linalg.svd(np.column_stack([np.ones(len(X)), X[:, free]]), full_matrices=False)
        basis = basis[:, sizes > 1e-12 * sizes[0]]
        for _ in range(2):
            u = u - basis @ (basis.T @ u)
        wrong = ~free & (signs * (X.T @ u) > 1e-14)
        if not wrong.any():
            return u
        free = free | wrong


def enumerated(X, signs, u, pair, directions=2001):
    """The largest of what counts over many directions, and those of two points; all biases, also beyond the data."""
    angles = np.linspace(0.0, np.pi, directions)
    P = X[:, pair]
    across = (P[:, None] - P).reshape(-1, 2)
    across = across[np.linalg.norm(across, axis=1) > 1e-9]
    W = np.concatenate([np.column_stack([np.cos(angles), np.sin(angles)]), across @ [[0.0, 1.0], [-1.0, 0.0]]])
    W = np.unique((W / np.linalg.norm(W, axis=1, keepdims=True)).round(15), axis=0)
    mu = np.maximum(-signs * (X.T @ u), 0.0)[list(pair)]
    best = 0.0
    for w in W:
        t = P @ w
        biases = np.concatenate([t, [t.min() - 1.0, t.max() + 1.0, t.min() - 9.0, t.max() + 9.0]])
        eta = 0.5 * (np.abs(t - biases[:, None]) @ u)
        best = max(best, float(np.abs(eta).max()) - 0.5 * float(mu @ np.abs(w)))
    return best


def of_strips(X, signs, u):
    """The largest of what counts over all strips."""
    best = 0.0
    for j in np.flatnonzero(signs):
        x = np.unique(X[:, j])
        for low, high in combinations(x, 2):
            best = max(best, 0.5 * signs[j] * float(np.clip(X[:, j] - low, 0.0, high - low) @ u))
    return best


@pytest.mark.parametrize(("name", "signs"), diagonal(list(TABLES), SIGNS, times=2))
def test_pairs_against_enumeration(name, signs):
    X, signs = table(name), np.array(signs, float)
    u = dual(X, signs)
    for pair in ([0, 1], [1, 2]):
        found = MonotoneOracle(X, signs, [tuple(pair)])(u)
        among = np.isin(np.arange(4), pair) * signs
        theirs = max(enumerated(X, signs, u, pair), of_strips(X, among, u))
        assert theirs <= found.value * (1.0 + 1e-9) + 1e-13
        assert found.value <= theirs * (1.0 + 1e-4) + 1e-13


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("name", TABLES)
def test_lines_against_enumeration(name, signs):
    X, signs = table(name), np.array(signs, float)
    for seed in range(3):
        u = dual(X, signs, seed)
        found = MonotoneOracle(X, signs, [(j,) for j in range(4)])(u)
        theirs = of_strips(X, signs, u)
        for j in range(4):
            x = X[:, j]
            eta = 0.5 * np.abs(x - np.append(x, [x.min() - 5.0, x.max() + 5.0])[:, None]) @ u
            theirs = max(theirs, np.abs(eta).max() - 0.5 * max(-signs[j] * float(x @ u), 0.0))
        assert found.value == pytest.approx(theirs, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_listed_is_what_it_says(name):
    X, signs = table(name), np.array([1.0, -1.0, 0.0, 1.0])
    u = dual(X, signs)
    oracle = MonotoneOracle(X, signs, list(combinations(range(4), 2)))
    all_found, half = oracle(u), oracle(u, 0.5 * oracle(u).value)
    eta, counts = oracle.at(u, half.weights, half.biases)
    assert np.linalg.norm(half.weights, axis=1) == pytest.approx(1.0)
    assert (np.diff(counts) <= 1e-12).all()
    assert (np.abs(eta) >= counts - 1e-12).all()
    assert half.value == pytest.approx(all_found.value, rel=1e-12)
    between = oracle.between(u, half.strips)
    assert (between > 0.5 * half.value).all()
    assert max(counts.max(), between.max(initial=0.0), 0.0) == pytest.approx(half.value, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("name", TABLES)
def test_compiled_and_not(name):
    pytest.importorskip("numba")
    X, signs = table(name)[:, [1, 2]], np.array([1.0, -1.0])
    first, second = (Plane(X, compiled, True) for compiled in (False, True))
    for seed in range(3):
        u = dual(X, signs, seed)
        mu = np.maximum(-signs * (X.T @ u), 0.0)
        assert first.sweep(u, mu)[:, 0] == pytest.approx(second.sweep(u, mu)[:, 0], rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("name", TABLES)
def test_the_search_finds_the_exact_supremum_of_pairs(name):
    """In pairs, where it is known, by the means that serve where it is not: steepest ways up and great circles."""
    X = table(name)
    signs = np.resize([1.0, 0.0, -1.0], X.shape[1])
    u, pairs = dual(X, signs), read(2, X.shape[1])
    exact = MonotoneOracle(X, signs, pairs)
    W, b = MonotoneSearch(X, pairs)(u, exact.multipliers(u))
    known = exact(u)
    largest = exact.at(u, known.weights, known.biases)[1].max()
    assert exact.at(u, W, b)[1].max() == pytest.approx(largest, rel=1e-9, abs=1e-12)


def ascents_of(X, u, mu):
    """Those of numpy and those of numba, and the sum that they raise."""
    points = np.vstack([np.column_stack([X, -np.ones(len(X))]), np.eye(X.shape[1], X.shape[1] + 1)])
    weights = np.concatenate([u, -mu])
    plain = partial(ascents(points, None), weights)
    compiled = partial(ascents(points, fast.compiled("oracle.compiled_steepest")), weights)
    return plain, compiled, lambda theta: np.abs(theta @ points.T) @ weights


@pytest.mark.parametrize("name", TABLES)
def test_ascents_compiled_and_not_end_where_neither_rises(name):
    pytest.importorskip("numba")
    X, rng = table(name), np.random.default_rng(4)
    signs = np.array([1.0, -1.0, 0.0, 1.0])
    u = dual(X, signs)
    plain, compiled, value = ascents_of(X, u, np.maximum(-signs * (X.T @ u), 0.0) + 0.1 * np.abs(u).max())
    starts = np.column_stack([rng.standard_normal((20, 4)), 0.3 * rng.standard_normal(20)])
    starts /= np.linalg.norm(starts[:, :-1], axis=1, keepdims=True)
    ends = plain(starts), compiled(starts)
    size = np.abs(u).sum()
    for theta, other in zip(ends, (compiled, plain), strict=True):
        assert np.linalg.norm(theta[:, :-1], axis=1) == pytest.approx(1.0, abs=1e-12)
        assert (value(theta) >= value(starts) - 1e-13 * size).all()
        assert (value(other(theta)) <= value(theta) + 1e-9 * size).all()
    assert value(ends[0]).max() > value(starts).max() + 1e-3 * size


def test_the_best_of_a_circle_is_the_best_of_many_angles():
    rng = np.random.default_rng(0)
    for case in range(10):
        x, y, a = rng.standard_normal((3, 15)) if case % 2 else rng.integers(-1, 2, (3, 15)).astype(float)
        angles = np.linspace(0.0, np.pi, 20_001)
        values = np.abs(np.outer(np.cos(angles), x) + np.outer(np.sin(angles), y)) @ a
        t = best_angle(x, y, a)
        best = np.abs(x * np.cos(t) + y * np.sin(t)) @ a
        assert values.max() - 1e-12 <= best <= values.max() + 1e-3 * np.abs(a).sum()


def test_starts_keep_to_some_features_of_their_groups():
    members = read([[0, 1, 2], [2, 3, 4, 5]], 6).members[np.arange(200) % 2]
    few = some_features(members, np.random.default_rng(0))
    assert few.any(axis=1).all()
    assert not (few & ~members).any()
    assert set(few[1::2].sum(axis=1)) == {1, 2, 3, 4}


def test_a_search_ends_at_what_is_enough():
    X = table("correlated")
    signs = np.array([1.0, 0.0, -1.0, 0.0])
    u, asked = dual(X, signs), []

    def until(value):
        asked.append(value)
        return len(asked) == 3

    oracle = MonotoneOracle(X, signs, [(0, 1, 2, 3)])
    found = oracle(u, harder=8, until=until)
    assert len(asked) == 3
    assert (np.diff(asked) >= 0.0).all()
    assert found.value == pytest.approx(asked[-1], rel=1e-12)


def test_scaling_a_dual_vector_scales_its_supremum():
    X, signs = table("correlated"), np.array([1.0, 0.0, -1.0, 0.0])
    oracle, u = MonotoneOracle(X, signs, [(0, 1), (2, 3)]), dual(X, signs)
    assert oracle(3.0 * u).value == pytest.approx(3.0 * oracle(u).value, rel=1e-12)
    assert oracle(0.0 * u).value == 0.0
