"""The search for activations other than ReLU."""

import numpy as np
import pytest
from instances import dual_vector

import ridgesplines as rs
from ridgesplines.numerics.polynomials import exponents, powers
from ridgesplines.oracle import AnglesOracle, SmoothSearch
from ridgesplines.oracle.eta import eta_at

SMOOTH = [rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Sigmoid(0.3), rs.Arctan(0.3)]


@pytest.mark.parametrize(("order", "n", "seeds"), [(2, 12, (5, 29)), (2, 14, (11,)), (3, 22, (12, 13, 15, 21))])
def test_far_from_the_data_a_power_is_not_taken_for_large(order, n, seeds):
    """There eta is zero, but for the rounding of u times a large number to a power."""
    activation = rs.TruncatedPower(order)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((n, 3))
        X = np.round(X @ (np.eye(3) + 0.5), 1) if seed % 2 else X
        A, u = powers(X, exponents(3, 0, order)), rng.standard_normal(n)
        u -= A @ np.linalg.lstsq(A, u, rcond=None)[0]
        found = SmoothSearch(X, activation)(u, afresh=100)
        p = X @ found.weights[0]
        assert p.min() <= found.biases[0] <= p.max()


def test_a_neuron_far_from_the_data_is_not_taken_for_the_largest():
    """One that a user's network has: a square of all data, which the null space holds."""
    square = rs.TruncatedPower(2)
    X = np.round(np.random.default_rng(0).standard_normal((30, 3)), 1)
    u, far = dual_vector(X, degree=square.degree), (np.array([[0.6, 0.8, 0.0]]), np.array([-3e8]))
    alone, beside = (SmoothSearch(X, square)(u, near=near) for near in (None, far))
    assert beside.value == pytest.approx(alone.value, rel=1e-9)


@pytest.mark.parametrize("activation", SMOOTH, ids=repr)
@pytest.mark.parametrize("n", [39, 80])  # 80 points: by compiled steps, where numba is
def test_what_it_finds_are_maxima(activation, n):
    rng = np.random.default_rng(n)
    X = np.round(rng.standard_normal((n, 4)) @ (np.eye(4) + 0.5), 1)
    u = dual_vector(X, degree=activation.degree)
    found = SmoothSearch(X, activation)(u)
    w, b = found.weights[0], found.biases[0]
    for length in (1e-1, 1e-2, 1e-3, 1e-4):
        W = w + length * rng.standard_normal((200, 4))
        sizes = np.linalg.norm(W, axis=1, keepdims=True)
        beside = b + length * rng.standard_normal(200)
        assert np.abs(eta_at(X, u, W / sizes, beside, activation)).max() <= found.value * (1.0 + 1e-13)


@pytest.mark.parametrize("activation", [*SMOOTH, rs.Exponential(0.5)], ids=repr)
def test_in_the_plane_it_finds_the_supremum(activation):
    """Against the oracle that divides the circle of directions."""
    X = np.round(np.random.default_rng(1).standard_normal((30, 2)), 1)
    u = dual_vector(X, degree=activation.degree)
    proven, found = AnglesOracle(X, activation)(u), SmoothSearch(X, activation)(u)
    listed = np.abs(eta_at(X, u, proven.weights, proven.biases, activation)).max()
    kinked = isinstance(activation, rs.Exponential)
    assert found.value <= proven.value * (1.0 + 1e-12)
    assert found.value >= listed * (1.0 - (1e-4 if kinked else 1e-12))
