"""The exact supremum by enumeration of faces: against enumerations of another kind, and where it must refuse."""

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from instances import dual_vector, noisy
from suprema import enumerated, over_patterns

from ridgesplines.oracle.bounded import BoundedOracle
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.faces import FaceOracle
from ridgesplines.oracle.plane import PlaneOracle

CUBE = np.argwhere(np.ones((2, 2, 2))).astype(float)
LATTICE = np.argwhere(np.ones((3, 3, 3))).astype(float)


def touched(X, found):
    """How many points the hyperplane of the supremum holds."""
    return int((np.abs(X @ found.weights[0] - found.biases[0]) < 1e-9).sum())


@pytest.mark.parametrize(("d", "n"), [(3, 7), (3, 10), (4, 8), (5, 9)])
def test_general_position_and_all_sizes_of_faces(d, n):
    sizes = set()
    for seed in range({3: 6, 4: 3, 5: 1}[d]):
        X, _ = noisy(n, d, seed)
        u = dual_vector(X, seed + 1)
        found = FaceOracle(X)(u)
        assert found.scope == "exact"
        assert found.value == pytest.approx(enumerated(X, u), rel=1e-12)
        assert abs(eta_at(X, u, found.weights[:1], found.biases[:1])[0]) == pytest.approx(found.value, rel=1e-10)
        sizes.add(touched(X, found))
    assert min(sizes) < d - 1  # maxima that an enumeration of vertices, or of arcs alone, would miss


@pytest.mark.parametrize(
    "X",
    [CUBE, np.vstack([CUBE, CUBE[:3]]), LATTICE[[*range(9), 12]], np.insert(CUBE, 1, 2.0, axis=1)],
    ids=["cube", "duplicates", "a plane and a point", "a constant column"],
)
def test_degenerate_sets(X):
    for seed in range(2):
        u = dual_vector(X, seed)
        assert FaceOracle(X)(u).value == pytest.approx(over_patterns(X, u), rel=1e-7)


def test_a_lattice_lies_between_the_bounds():
    for seed in range(4):
        u = dual_vector(LATTICE, seed)
        exact, bounded = FaceOracle(LATTICE)(u).value, BoundedOracle(LATTICE)(u, max_time=10.0)
        low = abs(eta_at(LATTICE, u, bounded.weights[:1], bounded.biases[:1])[0])
        assert low * (1.0 - 1e-12) <= exact <= bounded.value


def test_the_plane():
    for seed in range(4):
        X, _ = noisy(60, 2, seed)
        u = dual_vector(X, seed)
        tilted = X @ np.linalg.qr(np.random.default_rng(seed).standard_normal((4, 2)))[0].T
        for points in (X, tilted):
            assert FaceOracle(points)(u).value == pytest.approx(PlaneOracle(X)(u).value, rel=1e-12)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-6, 1.0, 1e5]), d=st.integers(3, 4))
def test_invariances(seed, scale, d):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((12, d))
    u = dual_vector(X, seed)
    turn, order = np.linalg.qr(rng.standard_normal((d, d)))[0], rng.permutation(13)
    again, shares = np.append(np.arange(12), 4)[order], np.append(u, 0.3 * u[4])
    shares[4] *= 0.7
    moved = scale * (X @ turn + rng.standard_normal(d))[again]
    assert FaceOracle(moved)(shares[order]).value == pytest.approx(scale * FaceOracle(X)(u).value, rel=1e-9)


@settings(max_examples=6, deadline=None)
@example(seed=194, shape=(5, 11), kind="far away")
@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from([(3, 9), (3, 25), (4, 14), (5, 11)]),
    kind=st.sampled_from(["normal", "lattice", "stretched", "twice", "far away"]),
)
def test_the_exact_supremum_lies_between_the_bounds_at_any_stop(seed, shape, kind):
    d, n = shape
    rng = np.random.default_rng(seed)
    X = {
        "normal": lambda: rng.standard_normal((n, d)),
        "lattice": lambda: rng.integers(0, 3, (n, d)).astype(float),
        "stretched": lambda: rng.standard_normal((n, d)) * 10.0 ** rng.integers(-3, 4, d),
        "twice": lambda: np.repeat(rng.standard_normal((n, d)), 2, axis=0),
        "far away": lambda: rng.standard_normal((n, d)) + 1e5,
    }[kind]()
    u, seen = dual_vector(X, seed + 1), []
    exact = FaceOracle(X)(u)
    found = BoundedOracle(X)(u, max_time=60.0, report=lambda *at: seen.append(at))  # done in 3 if nothing else runs
    if exact is None:  # points nearly, but not to rounding, in the span of others
        return
    rounding = 1e-12 * float(np.abs(u) @ np.linalg.norm(X - X.mean(axis=0), axis=1))
    rounding += np.finfo(float).eps * float(np.abs(u) @ np.linalg.norm(X, axis=1))  # digits that an offset costs
    assert all(at[1] - rounding <= exact.value <= at[2] + rounding for at in seen)
    assert exact.value - rounding <= found.value
    if not seen or seen[-1][0] < 55.0:  # one in thousands is not done in a minute
        assert found.value <= exact.value * (1.0 + 1e-6) + rounding


def test_no_answer_rather_than_an_inexact_one():
    X = np.vstack([CUBE, [[0.5, 0.5 + 1e-9, 0.0]]])  # nearly on a diagonal of the cube
    u = dual_vector(X)
    assert FaceOracle(X)(u) is None
    assert FaceOracle(np.vstack([CUBE, CUBE[:1] + 1e-7]))(u) is None  # nearly equal
    assert FaceOracle(CUBE)(dual_vector(CUBE), end=time.perf_counter()) is None
