"""The bounded supremum: against cone programs over all patterns, the exact plane, and values it may not undercut."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import dual_vector, noisy
from suprema import over_patterns

from ridgesplines.network.spline import group_norms
from ridgesplines.numerics import fast
from ridgesplines.oracle import bounded
from ridgesplines.oracle.bounded import BoundedOracle
from ridgesplines.oracle.cones import fan, refine
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.plane import PlaneOracle

CUBE = np.argwhere(np.ones((2, 2, 2))).astype(float)
LATTICE = np.argwhere(np.ones((3, 3, 3))).astype(float)
SPHERE = np.random.default_rng(1).standard_normal((40, 3))
SETS = {
    "random": noisy(40, 3)[0],
    "lattice": LATTICE,
    "sphere": SPHERE / np.linalg.norm(SPHERE, axis=1, keepdims=True),
    "duplicates": np.repeat(noisy(12, 3)[0], 3, axis=0),
    "far away": noisy(30, 3)[0] + 1e4,
    "stretched": noisy(30, 3)[0] * [1.0, 1e-3, 1e3],
    "clusters": noisy(30, 3)[0] * 1e-3 + np.repeat(CUBE[:5], 6, axis=0),
    "four dimensions": noisy(25, 4)[0],
}


@pytest.fixture(params=["numpy", "numba"])
def engine(request, monkeypatch):
    """With compiled code from the first cone on, and without."""
    if request.param == "numba":
        pytest.importorskip("numba")
        monkeypatch.setattr(bounded, "COMPILED_ENTRIES", 0)
    else:
        monkeypatch.setattr(fast, "compiled", lambda module: None)


def neurons(X, rng, many=3000):
    """Random directions, through data points and beside them; and hyperplanes through d data points."""
    d = X.shape[1]
    W = rng.standard_normal((many, d)) / X.std(axis=0)
    W[: many // 2] *= rng.random((many // 2, d)) ** 4
    b = np.einsum("kd,kd->k", W, X[rng.integers(len(X), size=many)])
    b[: many // 4] += 0.1 * rng.standard_normal(many // 4)
    chosen = (
        [rng.choice(len(X), d, replace=False) for _ in range(many)] if len(X) > 14 else combinations(range(len(X)), d)
    )
    vertices = X[np.array(list(chosen))]
    normals = np.linalg.svd(vertices[:, 1:] - vertices[:, :1])[2][:, -1]
    W, b = np.concatenate([W, normals]), np.append(b, np.einsum("kd,kd->k", normals, vertices[:, 0]))
    size = np.linalg.norm(W, axis=1)
    return (W.T / size).T, b / size


@pytest.mark.parametrize("name", SETS)
@pytest.mark.usefixtures("engine")
def test_no_neuron_exceeds_the_bound_at_any_stop(name):
    X = SETS[name]
    u, seen = dual_vector(X, 1), []
    found = BoundedOracle(X)(u, max_time=0.3, report=lambda *at: seen.append(at))
    W, b = neurons(X, np.random.default_rng(0))
    brute = np.abs(eta_at(X - X.mean(axis=0), u, W, b - W @ X.mean(axis=0))).max()
    lows, highs = [at[1] for at in seen], [at[2] for at in seen]
    assert found.scope == "bounded"
    assert brute <= found.value
    assert max(lows) <= found.value <= min(highs)
    assert (np.diff(highs) <= 0.0).all()
    assert abs(eta_at(X, u, found.weights[:1], found.biases[:1])[0]) == pytest.approx(max(lows), rel=1e-6)


@pytest.mark.parametrize(
    "X",
    [noisy(9, 3)[0], noisy(8, 4)[0], CUBE, LATTICE[:9] + 0.0, np.vstack([CUBE[:6], CUBE[:3]])],
    ids=["d = 3", "d = 4", "cube", "a plane", "duplicates"],
)
@pytest.mark.usefixtures("engine")
def test_the_supremum_over_all_cells_lies_between(X):
    u = dual_vector(X)
    found = BoundedOracle(X)(u, max_time=10.0)
    exact = over_patterns(X, u)
    low = np.abs(eta_at(X, u, found.weights, found.biases)).max()
    assert low * (1.0 - 1e-8) <= exact <= found.value * (1.0 + 1e-8)
    assert found.value <= low * (1.0 + 1e-6)


@pytest.mark.parametrize("N", [5, 40, 300])
@pytest.mark.usefixtures("engine")
def test_the_exact_supremum_in_a_plane_lies_between(N):
    X, _ = noisy(N, 2)
    for seed in range(3):
        u = dual_vector(X, seed)
        found, exact = BoundedOracle(X)(u, max_time=10.0), PlaneOracle(X)(u).value
        low = abs(eta_at(X, u, found.weights[:1], found.biases[:1])[0])
        assert low * (1.0 - 1e-12) <= exact <= found.value <= exact * (1.0 + 2e-9)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    d=st.integers(2, 5),
    n=st.integers(3, 12),
    wide=st.floats(1e-4, 1.0),
    room=st.sampled_from([3, 10, 64]),
)
def test_a_cone_is_bounded_and_covered_by_its_parts(seed, d, n, wide, room):
    """In both engines: every hyperplane of the cone is in a part whose bound it respects, or below the floor."""
    rng = np.random.default_rng(seed)
    A = np.column_stack([rng.standard_normal((n, d)), -np.ones(n)])
    u = rng.standard_normal(n)
    given = fan(A[:, :-1])[rng.integers(0, d, size=2)]
    centre = given.generators.mean(axis=1, keepdims=True)
    G = centre + wide * (given.generators - centre)
    G /= np.linalg.norm(G[:, :, :-1], axis=2, keepdims=True)
    given = type(given)(G, np.array([1.0, -1.0]), np.full(2, np.inf))
    theta = np.einsum("smi,sij->smj", rng.dirichlet(np.full(d + 1, 0.4), (2, 200)), G)
    eta = np.abs(theta @ A.T) @ u * given.signs[:, None] / np.linalg.norm(theta[:, :, :-1], axis=2)
    floor = max(0.5 * float(eta.max()), 1e-6)
    compiled = fast.compiled("oracle.compiled_cones")
    engines = [refine(A, u, given, floor, 4.0 * floor, room)]
    if compiled is not None:
        *leaves, points = compiled.refine(A, u, G, given.signs, given.bounds, floor, 4.0 * floor, room)
        engines.append((type(given)(*leaves), points))
    for leaves, points in engines:
        for sign, at, values in zip(given.signs, theta, eta, strict=True):
            own = leaves.signs == sign
            inside = np.linalg.solve(np.swapaxes(leaves.generators[own], 1, 2)[:, None], at[None, :, :, None])[..., 0]
            inside = (inside >= -1e-9 * np.abs(inside).max(axis=2, keepdims=True)).all(axis=2)
            limits = np.where(inside, leaves.bounds[own, None], floor).max(axis=0, initial=floor)
            assert (values <= limits * (1.0 + 1e-9)).all()
        assert len(leaves) <= room
        split = np.isfinite(points[:, 0])
        value = given.signs[split] * (np.abs(points[split, 1:] @ A.T) @ u)
        assert points[split, 0] == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_hyperplanes_that_meet_the_hull_are_in_the_fan():
    rng = np.random.default_rng(0)
    for d in (1, 2, 3, 5):
        X = rng.standard_normal((20, d)) + rng.standard_normal(d)
        W = rng.standard_normal((200, d))
        b = np.einsum("kd,kd->k", W, rng.dirichlet(np.full(20, 0.2), 200) @ X)
        theta = np.column_stack([W, b])
        inside = np.linalg.solve(np.swapaxes(fan(X).generators, 1, 2)[:, None], theta[None, :, :, None])[..., 0]
        covered = (inside >= -1e-12).all(axis=2) | (inside <= 1e-12).all(axis=2)
        assert covered.any(axis=0).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([1e-6, 1.0, 1e5]))
def test_invariances(seed, scale):
    """Turning, moving, scaling and reordering the data, or writing a row twice, changes the supremum as it must."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((15, 3))
    u = dual_vector(X, seed)
    turn, order = np.linalg.qr(rng.standard_normal((3, 3)))[0], rng.permutation(16)
    again = np.append(np.arange(15), 4)[order]
    shares = np.append(u, 0.3 * u[4])
    shares[4] *= 0.7
    one = BoundedOracle(X)(u, max_time=20.0).value
    other = BoundedOracle(scale * (X @ turn + rng.standard_normal(3))[again])(shares[order], max_time=20.0).value
    assert other == pytest.approx(scale * one, rel=1e-6)


@pytest.mark.parametrize("D", [1, 2, 4])
def test_vector_outputs(D):
    X, _ = noisy(20, 3)
    u = dual_vector(X, 0, (D,))
    found = BoundedOracle(X)(u, max_time=4.0)
    W, b = neurons(X, np.random.default_rng(0))
    low = group_norms(eta_at(X, u, found.weights, found.biases))[0]
    assert max(low, group_norms(eta_at(X, u, W, b)).max()) <= found.value <= np.sqrt(D) * low * (1.0 + 1e-4)


def test_outputs_that_are_multiples_of_one_cost_what_one_costs():
    X, _ = noisy(30, 3)
    u = dual_vector(X)
    one, three = BoundedOracle(X)(u), BoundedOracle(X)(np.outer(u, [2.0, -1.0, 2.0]))
    assert three.value == pytest.approx(3.0 * one.value, rel=1e-8)


def test_a_level_ends_it_as_soon_as_it_is_decided():
    X, _ = noisy(60, 3)
    u = dual_vector(X)
    sup = BoundedOracle(X)(u).value
    above = BoundedOracle(X)(u, level=1.2 * sup)
    assert sup * (1.0 - 1e-6) <= above.value <= 1.2 * sup
    below = BoundedOracle(X)(u, level=0.8 * sup)
    assert abs(eta_at(X, u, below.weights[:1], below.biases[:1])[0]) > 0.8 * sup
    assert below.value >= sup * (1.0 - 1e-6)


def test_an_interrupt_leaves_a_bound():
    X, _ = noisy(60, 4)
    u, seen = dual_vector(X), []

    def report(*at):
        seen.append(at)
        if len(seen) == 3:
            raise KeyboardInterrupt

    found = BoundedOracle(X)(u, report=report)
    assert found.value == pytest.approx(seen[-1][2], rel=1e-12)
    assert len(seen) == 3


def test_a_dual_vector_that_merges_to_nothing():
    X = np.repeat(noisy(12, 3)[0], 2, axis=0)
    assert BoundedOracle(X)(np.tile([1.0, -1.0], 12)).value <= 1e-5


def test_without_time_or_in_many_dimensions_there_is_a_crude_bound():
    for d in (3, 14):
        X, _ = noisy(40, d)
        u = dual_vector(X)
        W, b = neurons(X, np.random.default_rng(0))
        assert np.abs(eta_at(X, u, W, b)).max() <= BoundedOracle(X)(u, max_time=1e-9).value < np.inf


@pytest.mark.usefixtures("engine")
def test_time_that_ends_between_two_looks_at_the_clock():
    X, _ = noisy(40, 3)
    u = dual_vector(X)
    oracle = BoundedOracle(X)
    branching = bounded._Branching(oracle, u, oracle._search(u), 1e-9, None)
    before = branching.bound
    branching._round(end=0.0)
    assert branching.bound == before
    assert len(branching.cones) == len(fan(oracle._points))


@pytest.mark.parametrize("X", [np.zeros((5, 3)), np.arange(12.0).reshape(4, 3), np.eye(3)], ids=["one", "line", "few"])
def test_data_that_span_little(X):
    u = dual_vector(X)
    found = BoundedOracle(X)(u, max_time=1.0)  # of three points in space it is rounding, of which no bound comes closer
    W = np.random.default_rng(0).standard_normal((200, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    brute = max(np.abs(eta_at(X, u, W, W @ x)).max() for x in X)
    assert brute <= found.value + 1e-12
    assert found.scope == "bounded"
