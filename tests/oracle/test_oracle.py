"""The exact suprema against brute force."""

import numpy as np
import pytest
from instances import dual_vector, noisy

from ridgesplines.oracle import continuum_oracle
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.plane import PlaneOracle


def scan(X, u, angles):
    """max |eta| over a fine grid of directions; the best bias of each is at a data point."""
    best = 0.0
    for block in np.array_split(angles, max(1, len(angles) // 500)):
        W = np.stack([np.cos(block), np.sin(block)], axis=1)
        P = W @ X.T
        order = np.argsort(P, axis=1)
        P = np.take_along_axis(P, order, axis=1)
        U = u.reshape(len(X), -1)[order]
        mass = np.cumsum(U[:, ::-1], axis=1)[:, ::-1]
        moment = np.cumsum((U * P[..., None])[:, ::-1], axis=1)[:, ::-1]
        best = max(best, float(np.linalg.norm(moment - P[..., None] * mass, axis=-1).max()))
    return best


@pytest.mark.parametrize("outputs", [(), (1,), (3,)])
@pytest.mark.parametrize("seed", range(3))
def test_plane_against_a_scan_of_100000_directions(seed, outputs):
    X, _ = noisy(40, 2, seed)
    u = dual_vector(X, seed, outputs)
    found = continuum_oracle(X)(u)
    angles = np.pi * np.arange(100_000) / 100_000
    brute = scan(X, u, angles)
    assert found.scope == "exact"
    assert found.value >= brute * (1.0 - 1e-12)
    # eta(w(theta), .) is Lipschitz in theta with constant sum |u_n| |x_n - centre|, so a scan of step h misses
    # at most half of h times that.
    centred = X - X.mean(axis=0)
    size = np.linalg.norm(u.reshape(40, -1), axis=1)
    resolution = 0.5 * np.pi / 100_000 * float(size @ np.linalg.norm(centred, axis=1)) * 2.0
    assert found.value <= brute + resolution


LATTICE = np.argwhere(np.ones((6, 6))).astype(float)
CIRCLE = np.stack([np.cos(np.arange(24) * np.pi / 12), np.sin(np.arange(24) * np.pi / 12)], axis=1)


@pytest.mark.parametrize(
    "X", [LATTICE, CIRCLE, np.repeat(LATTICE[:12], 3, axis=0)], ids=["lattice", "circle", "duplicates"]
)
def test_plane_on_degenerate_sets(X):
    u = dual_vector(X, 0)
    found = PlaneOracle(X)(u)
    brute = scan(X, u, np.pi * np.arange(40_000) / 40_000)
    assert brute * (1.0 - 1e-12) <= found.value <= brute * (1.0 + 1e-4)


def test_the_reported_neurons_reach_their_value():
    X, _ = noisy(30, 2)
    u = dual_vector(X, 1)
    found = continuum_oracle(X)(u)
    sizes = np.abs(eta_at(X, u, found.weights, found.biases))
    assert sizes[0] == pytest.approx(found.value, rel=1e-10)
    assert (np.diff(sizes) <= 1e-9).all()


def test_line_is_the_maximum_over_a_fine_grid_of_biases():
    X, _ = noisy(50)
    u = dual_vector(X, 0)
    grid = np.linspace(X.min(), X.max(), 20_001)
    brute = np.abs(eta_at(X, u, np.ones((len(grid), 1)), grid)).max()
    found = continuum_oracle(X)(u)
    assert brute <= found.value * (1.0 + 1e-12)
    assert found.value == pytest.approx(brute, rel=1e-3)


def test_collinear_data_in_many_dimensions_are_exact():
    t = np.random.default_rng(0).random(30)
    X = np.outer(t, [1.0, -2.0, 0.5])
    u = dual_vector(X, 0)
    found = continuum_oracle(X)(u)
    along = continuum_oracle(t[:, None] * np.linalg.norm([1.0, -2.0, 0.5]))(u)
    assert found.scope == "exact"
    assert found.value == pytest.approx(along.value, rel=1e-10)


def test_planar_data_in_three_dimensions_are_exact():
    X, _ = noisy(30, 2)
    frame = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 2)))[0]
    u = dual_vector(X, 0)
    found = continuum_oracle(X @ frame.T + 5.0)(u)
    assert found.scope == "exact"
    assert found.value == pytest.approx(continuum_oracle(X)(u).value, rel=1e-9)


def test_a_search_says_so_and_stays_below_the_truth():
    # Three dimensions where the truth is known: planes through all triples of points, by brute force.
    from itertools import combinations

    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 3))
    u = dual_vector(X, 0)
    found = continuum_oracle(X)(u)
    assert found.scope == "searched"
    candidates = []
    for triple in combinations(range(12), 3):
        normal = np.cross(X[triple[1]] - X[triple[0]], X[triple[2]] - X[triple[0]])
        candidates.append(normal / np.linalg.norm(normal))
    best = max(np.abs(eta_at(X, u, np.tile(w, (12, 1)), X @ w)).max() for w in candidates)
    random = rng.standard_normal((2000, 3))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    best_random = max(np.abs(eta_at(X, u, np.tile(w, (12, 1)), X @ w)).max() for w in random)
    assert found.value >= 0.99 * max(best, best_random)
    again = eta_at(X, u, found.weights[:1], found.biases[:1])
    assert abs(again[0]) == pytest.approx(found.value, rel=1e-9)
