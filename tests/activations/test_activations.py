"""Table 1: symbols by numerical Fourier transform, null spaces, and where dual certificates peak, by brute force."""

from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.hermite import hermval
from scipy.integrate import quad

import ridgesplines as rs
from ridgesplines.activations import ACTIVATIONS
from ridgesplines.numerics.polynomials import polynomial_basis

#: Each of the library's with its defaults, and others.
EVERY = [
    *(kind() for kind in ACTIVATIONS),
    *(rs.TruncatedPower(k) for k in (1, 3, 4)),
    *(kind(0.4) for kind in (rs.Sigmoid, rs.Arctan, rs.Exponential)),
]
SMOOTH = [activation for activation in EVERY if activation.homogeneity is None]
POWERS = [activation for activation in EVERY if activation.homogeneity is not None]


def cosine_transform(f, omega):
    """2 int_0^inf f(t) cos(omega t) dt, by QUADPACK's rule for Fourier integrals."""
    return 2.0 * quad(f, 0.0, np.inf, weight="cos", wvar=omega, epsabs=1e-13, limit=500)[0]


def transform(activation, omega):
    """The Fourier transform away from omega = 0: of an odd activation by that of its derivative, over j omega."""
    if activation.degree < 0:
        return cosine_transform(activation.value, omega)
    return cosine_transform(activation.derivative, omega) / (1j * omega)


@pytest.mark.parametrize("activation", SMOOTH, ids=repr)
@pytest.mark.parametrize("omega", [0.1, 0.5, 1.0, 2.0])
def test_symbol_times_transform_is_one(activation, omega):
    assert abs(activation.symbol(np.array(omega)) * transform(activation, omega) - 1.0) <= 1e-8


def gaussian_derivative(t, order, centre):
    """D^order of exp(-(t - centre)^2), by Hermite polynomials."""
    s = t - centre
    return (-1.0) ** order * hermval(s, np.eye(order + 1)[order]) * np.exp(-(s**2))


@pytest.mark.parametrize("activation", POWERS, ids=repr)
@pytest.mark.parametrize("centre", [0.0, 0.7, -1.2])
def test_the_operator_turns_powers_into_an_impulse(activation, centre):
    """<H sigma, phi> = <sigma, (-D)^(k+1) phi> / c = phi(0), c the jump of the k-th derivative; the symbol of D^(k+1)
    is (j omega)^(k+1)."""
    order = activation.degree + 1
    jump = activation.of_relu[0] if activation.of_relu else 1.0
    omega = np.array([0.3, 2.0])
    assert activation.symbol(omega) == pytest.approx((1j * omega) ** order / jump)

    def integrand(t):
        return float(activation.value(t)) / jump * (-1.0) ** order * gaussian_derivative(t, order, centre)

    paired = sum(quad(integrand, *ends, epsabs=1e-12, limit=200)[0] for ends in ((-15.0, 0.0), (0.0, 15.0)))
    assert paired == pytest.approx(np.exp(-(centre**2)), abs=1e-9)


@pytest.mark.parametrize("activation", [rs.Exponential(), rs.Exponential(0.4)], ids=repr)
def test_the_operator_turns_the_exponential_into_an_impulse(activation):
    """<sigma, H phi> = phi(0) with H = 1/s - s D^2."""
    s = activation.scale

    def integrand(t):
        phi = gaussian_derivative(t, 0, 0.3) / s - s * gaussian_derivative(t, 2, 0.3)
        return float(activation.value(t)) * phi

    paired = quad(integrand, -15.0, 0.0, epsabs=1e-12)[0] + quad(integrand, 0.0, 15.0, epsabs=1e-12)[0]
    assert paired == pytest.approx(np.exp(-0.09), abs=1e-9)


@pytest.mark.parametrize("activation", SMOOTH + POWERS, ids=repr)
def test_null_space_is_the_order_of_the_zero_at_frequency_zero(activation):
    order = activation.degree + 1
    small = np.array([1e-3, 1e-4])
    size = np.abs(activation.symbol(small))
    assert size[0] / size[1] == pytest.approx(10.0**order, rel=1e-2)


@pytest.mark.parametrize("activation", SMOOTH + POWERS, ids=repr)
def test_derivative_is_the_slope(activation):
    t = np.array([-3.0, -0.6, -0.01, 0.02, 0.7, 4.0])
    h = 1e-6
    slope = (activation.value(t + h) - activation.value(t - h)) / (2.0 * h)
    assert activation.derivative(t) == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("activation", SMOOTH + POWERS, ids=repr)
def test_homogeneity(activation):
    t, k = np.array([-2.0, -0.3, 0.5, 1.5]), activation.homogeneity
    if k is not None:
        assert activation.value(3.0 * t) == pytest.approx(3.0**k * activation.value(t))
    else:
        ratios = activation.value(3.0 * t) / activation.value(t)
        assert np.ptp(ratios) > 0.1


@pytest.mark.parametrize("activation", SMOOTH + POWERS, ids=repr)
@pytest.mark.parametrize("radius", [1e-3, 0.7, 40.0])
def test_rescaled(activation, radius):
    t = np.array([-2.0, -0.3, 0.5, 1.5])
    other, factor = activation.rescaled(radius)
    assert factor * other.value(t) == pytest.approx(activation.value(radius * t))


@pytest.mark.parametrize("activation", SMOOTH + POWERS, ids=repr)
def test_half_the_sphere_is_enough(activation):
    """sigma(-t) is plus or minus sigma(t) up to a polynomial of the null space."""
    t = np.linspace(-2.0, 2.0, 31)
    Q = polynomial_basis(t[:, None], activation.degree)
    a, b = activation.value(t), activation.value(-t)
    left = [np.linalg.norm(d - Q @ (Q.T @ d)) for d in (a - b, a + b)]
    assert min(left) <= 1e-12


def dual(rng, p, activation, outputs=()):
    u = rng.standard_normal((len(p), *outputs))
    Q = polynomial_basis(p[:, None], activation.degree)
    for _ in range(2):
        u = u - Q @ (Q.T @ u)
    return u


def sizes(activation, p, u, b):
    eta = activation.value(p - b[:, None]) @ u
    return np.abs(eta) if eta.ndim == 1 else np.linalg.norm(eta, axis=1)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(6, 25), outputs=st.sampled_from([(), (2,)]))
@pytest.mark.parametrize("activation", [*SMOOTH, *POWERS], ids=repr)
def test_peaks_bound_what_brute_force_finds(activation, seed, n, outputs):
    rng = np.random.default_rng(seed)
    p = np.sort(rng.uniform(-1.0, 1.0, n))
    u = dual(rng, p, activation, outputs)
    peaks = activation.peaks(p, u, prove=True)
    grid = np.concatenate([np.linspace(-1.5, 1.5, 4001), np.linspace(-60.0, 60.0, 2001)])
    brute = sizes(activation, p, u, grid).max()
    found = sizes(activation, p, u, peaks.biases).max()
    rounding = 1e-13 * np.abs(u).sum()
    assert brute <= peaks.bound * (1.0 + 1e-12) + rounding
    assert found <= peaks.bound * (1.0 + 1e-12) + rounding
    assert peaks.bound <= found * (1.0 + 1e-8) + rounding
    assert found >= brute - rounding


@pytest.mark.parametrize("activation", [rs.TruncatedPower(k) for k in (1, 2, 3)], ids=repr)
@pytest.mark.parametrize("ties", [False, True])
def test_the_largest_of_very_many_peaks_is_among_those_that_are_kept(activation, ties):
    rng = np.random.default_rng(5)
    p = np.sort(rng.uniform(1e3, 1e3 + 1.0, 1500))
    p = np.round(p, 3) if ties else p
    u = dual(rng, p, activation) * (np.abs(np.arange(1500) - 750) < 700)  # peaks of like size
    Q = polynomial_basis(p[:, None] - 1e3, activation.degree)
    u -= Q @ (Q.T @ u)
    peaks = activation.peaks(p, u, prove=True)
    assert len(peaks.biases) < 1000
    grid = np.concatenate([np.unique(p), rng.uniform(p[0], p[-1], 4000)])
    assert sizes(activation, p, u, grid).max() <= peaks.bound * (1.0 + 1e-9)
    assert sizes(activation, p, u, peaks.biases).max() == pytest.approx(peaks.bound, rel=1e-9)


@pytest.mark.parametrize("activation", [rs.TruncatedPower(2), rs.TruncatedPower(3), rs.Sigmoid(0.2), rs.Arctan(0.2)])
def test_biases_at_the_data_are_not_enough(activation):
    rng = np.random.default_rng(3)
    p = np.sort(rng.uniform(-1.0, 1.0, 12))
    u = dual(rng, p, activation)
    bound = activation.peaks(p, u, prove=True).bound
    assert sizes(activation, p, u, p).max() < bound * (1.0 - 1e-4)


def test_without_a_proof_the_bound_is_infinite():
    p = np.linspace(-1.0, 1.0, 9)
    activation = rs.Sigmoid(0.3)
    assert activation.peaks(p, dual(np.random.default_rng(0), p, activation), prove=False).bound == np.inf


@pytest.mark.parametrize("k", [1, 2, 3])
def test_weight_decay_at_balance(k):
    """Over the scale g of (w, v) -> (g w, v / g^k): plain weight decay is least where k |v|^2 = |w|^2, and it is a
    multiple of (|v| |w|^k)^(2/(k+1)); with |w|^(2k) in it, it is the seminorm, at |v| = |w|^k."""
    v, w = 3.0, 1.0
    g = np.geomspace(0.1, 10.0, 200_001)
    plain = (v / g**k) ** 2 + (g * w) ** 2
    at = g[plain.argmin()]
    assert k * (v / at**k) ** 2 == pytest.approx((at * w) ** 2, rel=1e-3)
    constant = (k ** (1.0 / (k + 1)) + k ** (-k / (k + 1.0))) / 2.0
    assert plain.min() / 2.0 == pytest.approx(constant * (v * w**k) ** (2.0 / (k + 1)), rel=1e-6)
    general = ((v / g**k) ** 2 + (g * w) ** (2 * k)) / 2.0
    assert general.min() == pytest.approx(v * w**k, rel=1e-6)
    net = rs.RidgeSpline([[w]], [0.4], [v], activation=rs.TruncatedPower(k))
    W, b, a = net.balanced()
    assert np.abs(a) == pytest.approx(np.linalg.norm(W, axis=1) ** k)
    X = np.linspace(-2.0, 2.0, 9)
    assert a * rs.TruncatedPower(k).value(W[0] * X - b) == pytest.approx(net(X))
    assert factorial(k) * net([1.4]) == pytest.approx(v)
