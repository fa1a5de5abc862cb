"""The supremum over groups of features: against each group alone, against enumeration, with and without a past."""

from importlib.util import find_spec
from itertools import combinations

import numpy as np
import pytest
from instances import diagonal, dual_vector

from ridgesplines.interactions import read
from ridgesplines.numerics import fast
from ridgesplines.oracle import continuum_oracle, exact_oracle, proven
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.few_features import FewFeaturesSearch
from ridgesplines.oracle.plane import PlaneOracle


def correlated(n, d, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n, 1))
    return common + 0.2 * rng.standard_normal((n, d))


TABLES = {
    "correlated": correlated(40, 4),
    "integers": np.random.default_rng(1).integers(0, 4, (60, 4)).astype(float),
    "one-hot": np.eye(3)[np.random.default_rng(2).integers(0, 3, 30)] @ np.eye(3, 4),
    "constant column": np.column_stack([correlated(25, 3), np.full(25, 7.0)]),
    "units": correlated(30, 4) * [1.0, 1e6, 1e-6, 1.0],
    "duplicated rows": np.repeat(correlated(12, 4), 3, axis=0),
    "equal columns": correlated(30, 2)[:, [0, 0, 1, 1]],
    "lattice": np.argwhere(np.ones((3, 3, 2, 2))).astype(float),
    "binary": np.random.default_rng(3).integers(0, 2, (40, 4)).astype(float),
}


def largest_over_pairs_of_points(X, u, k):
    """The largest |eta| over all lines (k = 1) or all hyperplanes through two points (k = 2), and through one point."""
    U, best = u.reshape(len(u), -1), 0.0
    for group in combinations(range(X.shape[1]), k):
        P = X[:, group]
        if k == 1:
            W = np.ones((1, 1))
        else:
            pairs = np.array([P[j] - P[i] for i, j in combinations(range(len(P)), 2) if (P[i] != P[j]).any()])
            turns = np.linspace(0.0, np.pi, 400)
            W = np.concatenate([pairs[:, ::-1] * [-1.0, 1.0], np.column_stack([np.cos(turns), np.sin(turns)])])
            W /= np.linalg.norm(W, axis=1)[:, None]
        for w in W:
            eta = eta_at(P, U, np.tile(w, (len(P), 1)), P @ w)
            best = max(best, np.linalg.norm(eta, axis=1).max())
    return best


@pytest.mark.parametrize(("name", "k", "outputs"), diagonal(list(TABLES), [1, 2], [(), (2,)], times=2))
def test_the_largest_of_the_groups(name, k, outputs):
    X = TABLES[name]
    u = dual_vector(X, 4, outputs)
    found = exact_oracle(X, interactions=read(k, 4))(u)
    alone = max(exact_oracle(X[:, list(group)])(u).value for group in combinations(range(4), k))
    scale = np.abs(u).sum() * np.abs(X - X.mean(axis=0)).max()
    assert found.scope == "exact"
    assert found.value == pytest.approx(alone, abs=1e-13 * scale)
    assert found.value >= largest_over_pairs_of_points(X, u, k) - 1e-13 * scale
    values = np.linalg.norm(eta_at(X, u.reshape(len(X), -1), found.weights, found.biases), axis=1)
    assert values[0] == pytest.approx(found.value, abs=1e-13 * scale)
    assert (np.diff(values) <= 1e-13 * scale).all()
    assert read(k, 4).allow(found.weights).all()


@pytest.mark.parametrize("name", ["correlated", "integers", "units"])
def test_a_past_changes_no_answer(name):
    X = TABLES[name]
    groups, rng = read(2, 4), np.random.default_rng(0)
    oracle, u = exact_oracle(X, interactions=groups), dual_vector(X, 4)
    for _ in range(12):
        level = exact_oracle(X, interactions=groups)(u).value
        for asked in (None, np.inf, 0.9 * level, level * (1.0 + 1e-6)):
            assert oracle(u, asked).value == pytest.approx(level, rel=1e-12)
        change = dual_vector(X, int(rng.integers(1000)))
        u = u + 10.0 ** -rng.uniform(1.0, 5.0) * change


def test_all_groups_are_listed_that_exceed_the_level():
    """What violates a certificate in one pair of features is not hidden by a larger violation in another."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    u = np.abs(X[:, 0] + X[:, 1]) + 0.7 * np.abs(X[:, 2] - X[:, 3]) + 0.5 * np.abs(X[:, 4])
    A = np.column_stack([np.ones(300), X])
    u -= A @ np.linalg.lstsq(A, u, rcond=None)[0]
    oracle = exact_oracle(X, interactions=read(2, 6))
    top = oracle(u).value
    listed = oracle(u, 0.2 * top).weights != 0.0
    for pair in ([0, 1], [2, 3]):
        assert listed[:, pair].all(axis=1).any()


@pytest.mark.parametrize("groups", [[[0, 1, 2], [3]], 3])
def test_three_features_are_searched(groups):
    X = TABLES["correlated"]
    u, family = dual_vector(X, 1), read(groups, 4)
    assert exact_oracle(X, interactions=family) is None
    found = continuum_oracle(X, interactions=family)(u)
    assert found.scope == "searched"
    assert found.value >= exact_oracle(X, interactions=read(1, 4))(u).value * (1.0 - 1e-9)
    assert family.allow(found.weights).all()


@pytest.mark.parametrize(
    ("name", "outputs"), [("correlated", (2,)), ("integers", ()), ("constant column", ()), ("duplicated rows", ())]
)
def test_one_search_of_all_triples_finds_what_a_search_of_each_does(name, outputs):
    X = TABLES[name]
    u, family = dual_vector(X, 4, outputs), read(3, 4)
    search = FewFeaturesSearch(X, family)
    found, fresh = search(u), search(u, np.inf, afresh=32)
    alone = max(continuum_oracle(X[:, list(group)])(u).value for group in family)
    for answer in (found, fresh):
        assert answer.value == pytest.approx(alone, rel=1e-8)
        assert family.allow(answer.weights).all()
        size = np.linalg.norm(eta_at(X, u.reshape(len(X), -1), answer.weights, answer.biases), axis=1)
        assert size[0] == pytest.approx(answer.value, rel=1e-9)
        assert np.linalg.norm(answer.weights, axis=1) == pytest.approx(np.ones(len(size)), rel=1e-9)
    rough = search(u, rough=True)
    assert 0.7 * alone <= rough.value <= alone * (1.0 + 1e-8)
    held = search(u, 2.0 * alone, near=(found.weights[:1], found.biases[:1]))
    assert len(held.biases) == 1
    assert held.value == pytest.approx(alone, rel=1e-8)


@pytest.mark.parametrize("stop", ["late", "asked"])
def test_what_was_not_asked_is_not_proven(stop, monkeypatch):
    """The first eight groups are pairs, exact; the three features at the end are searched, or bounded, however late."""
    X = np.random.default_rng(0).standard_normal((30, 7))
    family = read([[i, j] for i, j in combinations(range(5), 2)] + [[4, 5, 6]], 7)
    u = dual_vector(X, 1)
    if stop == "asked":
        monkeypatch.setattr("ridgesplines.interrupt.asked", lambda: True)
    end = 0.0 if stop == "late" else np.inf
    assert continuum_oracle(X, interactions=family)(u, np.inf, end=end).scope == "searched"
    bound = proven(X, u, 0.0, interactions=family)
    assert bound.scope == "bounded"
    assert bound.value >= continuum_oracle(X, interactions=family)(u).value * (1.0 - 1e-12)


@pytest.mark.parametrize("n", [250, 700])
def test_rough_calls_find_large_values(n):
    X = np.random.default_rng(0).standard_normal((n, 3))
    u, family = dual_vector(X, 1), read(2, 3)
    oracle = exact_oracle(X, interactions=family)
    rough, exact = oracle(u, rough=True), oracle(u)
    assert 0.7 * exact.value <= rough.value <= exact.value * (1.0 + 1e-12)
    assert exact.value == pytest.approx(max(PlaneOracle(X[:, p])(u).value for p in ([0, 1], [0, 2], [1, 2])), rel=1e-12)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_threads_change_no_answer(monkeypatch):
    X = np.random.default_rng(0).standard_normal((250, 6))
    u, answers = dual_vector(X, 1), []
    for threads in (1, 3):
        monkeypatch.setattr(fast, "threads", lambda threads=threads: threads)
        oracle = exact_oracle(X, interactions=read(2, 6))
        level = 0.8 * oracle(u).value
        answers.append(oracle(u, level))
    assert answers[0].value == answers[1].value
    np.testing.assert_array_equal(answers[0].weights, answers[1].weights)
