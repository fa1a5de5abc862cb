"""The Radon domain in closed form: what holds for every network, and for every measure on the line."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

import ridgesplines as rs
from ridgesplines.radon.line import LineMeasure, second_derivative
from ridgesplines.radon.measure import radon_measure


@st.composite
def networks(draw, vector=False):
    """Networks of few different hyperplanes, so that neurons share them, with weights of any norm and either sign."""
    d, k, D = draw(st.integers(1, 4)), draw(st.integers(0, 9)), draw(st.none() | st.integers(1, 3)) if vector else None
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    weights = rng.integers(-1, 2, (k, d)).astype(float)
    weights[~weights.any(axis=1), 0] = 1.0
    biases, scale = rng.integers(-1, 2, k).astype(float), rng.choice([1.0, 3.0, 0.1], k)
    amplitudes = rng.standard_normal((k,) if D is None else (k, D))
    affine = rng.standard_normal((d,) if D is None else (d, D))
    return rs.RidgeSpline(weights * scale[:, None], biases * scale, amplitudes, affine)


@settings(max_examples=60, deadline=None)
@given(networks(vector=True))
def test_the_measure_determines_the_network(net):
    """Neurons at its impulses add up to f, but for an affine function; no other sum of them has a smaller norm."""
    measure = radon_measure(net)
    X = np.random.default_rng(0).uniform(-3.0, 3.0, (40, net.n_features))
    rebuilt = np.maximum(X @ measure.directions.T - measure.offsets, 0.0) @ measure.masses
    difference = (net(X) - rebuilt).reshape(40, -1)
    basis = np.column_stack([np.ones(40), X])
    left = difference - basis @ np.linalg.lstsq(basis, difference, rcond=None)[0]
    assert np.abs(left).max() < 1e-10
    assert measure.norm <= net.seminorm * (1.0 + 1e-12)
    A = measure.n_hyperplanes
    np.testing.assert_array_equal(measure.directions[A:], -measure.directions[:A])
    np.testing.assert_array_equal(measure.offsets[A:], -measure.offsets[:A])
    np.testing.assert_array_equal(measure.masses[A:], measure.masses[:A])
    planes = np.column_stack([measure.directions, measure.offsets])
    assert len(np.unique(planes.round(9) + 0.0, axis=0)) == 2 * A


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 5), st.integers(1, 30), st.none() | st.integers(1, 3))
def test_the_norm_of_distinct_hyperplanes_is_the_seminorm(seed, d, k, D):
    """(15) and (30): sum |v||w|, of the parameters as they were given, to 1e-12."""
    rng = np.random.default_rng(seed)
    W, b = rng.standard_normal((k, d)), rng.standard_normal(k)
    v = rng.standard_normal((k,) if D is None else (k, D))
    size = np.abs(v) if D is None else np.linalg.norm(v, axis=1)
    exact = size @ np.linalg.norm(W, axis=1)
    assert radon_measure(rs.RidgeSpline(W, b, v)).norm == pytest.approx(exact, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 40))
def test_the_second_derivative_is_the_change_of_the_slopes(seed, k):
    """(14) and (15): against the slopes of the piecewise polynomial, and to 1e-12 against sum |v||w|."""
    rng = np.random.default_rng(seed)
    w, b, v = rng.standard_normal((k, 1)), rng.standard_normal(k), rng.standard_normal(k)
    net = rs.RidgeSpline(w, b, v, [0.3], 1.0)
    measure = second_derivative(net)
    assert measure.norm == pytest.approx(np.abs(v) @ np.abs(w[:, 0]), rel=1e-12)
    pieces = net.to_ppoly()
    np.testing.assert_allclose(measure.sites, pieces.x[1:-1], rtol=1e-12)
    np.testing.assert_allclose(measure.masses, np.diff(pieces.c[0]), atol=1e-11)
    # The same through the Radon domain, where d = 1 is the sphere {-1, 1}.
    assert radon_measure(net).norm == pytest.approx(measure.norm, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 2**16))
def test_a_rotated_network_has_a_rotated_measure(net, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal((net.n_features, net.n_features)))[0]
    turned = rs.RidgeSpline(net.weights @ Q, net.biases, net.amplitudes)
    here, there = radon_measure(net), radon_measure(turned)
    assert here.n_hyperplanes == there.n_hyperplanes
    assert there.norm == pytest.approx(here.norm, rel=1e-9, abs=1e-12)

    def pair(measure, Q):
        """The sum of a smooth even function over the measure."""
        rotated = measure.directions @ Q
        return measure.masses @ np.cos(rotated @ np.arange(1.0, net.n_features + 1.0) + 0.7 * measure.offsets)

    assert pair(here, Q) == pytest.approx(pair(there, np.eye(net.n_features)), abs=1e-9)


def test_where_neurons_share_a_hyperplane():
    """The norm is the seminorm where they have one sign, and less where they cancel; D outputs: where parallel."""
    W, b = [[0.6, 0.8], [-1.2, -1.6]], [1.0, -2.0]
    one, other = (radon_measure(rs.RidgeSpline(W, b, [1.0, v])) for v in (2.0, -2.0))
    assert (one.n_hyperplanes, one.norm) == (1, pytest.approx(5.0))
    assert (other.n_hyperplanes, other.norm) == (1, pytest.approx(3.0))
    at_right_angles = radon_measure(rs.RidgeSpline(W, b, [[3.0, 0.0], [0.0, 2.0]]))
    assert at_right_angles.norm == pytest.approx(5.0)
    line = second_derivative(rs.RidgeSpline([[1.0], [1.0], [-1.0]], [0.5, 0.5, -0.5], [1.0, -3.0, 0.5]))
    assert (line.sites.tolist(), line.masses.tolist()) == ([0.5], [-1.5])


def test_what_is_near_and_what_is_the_same():
    """Only what rounding makes different is one; tol says otherwise."""
    net = rs.RidgeSpline([[1.0], [1.0]], [1.0, 1.0 + 1e-9], [1.0, -1.0])
    assert second_derivative(net).norm == radon_measure(net).norm == 2.0
    assert second_derivative(net, tol=1e-8).norm == radon_measure(net, tol=1e-8).norm == 0.0
    uneven = rs.RidgeSpline(np.ones((3, 1)), [1e-14, 2e-14, 1e9], [1.0, -1.0, 0.5])
    assert second_derivative(uneven).norm == radon_measure(uneven).norm == 2.5
    assert second_derivative(rs.RidgeSpline(np.empty((0, 1)), [], [])).norm == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 6), st.none() | st.just(2))
def test_mollified_norms_rise_to_the_norm(seed, k, D):
    """(16): rising as the variance falls, never above the norm, and the norm in the limit."""
    rng = np.random.default_rng(seed)
    measure = LineMeasure(rng.choice(50, k, False) / 10.0, rng.standard_normal((k,) if D is None else (k, D)))
    norms = [measure.mollified_norm(eps) for eps in (100.0, 1.0, 0.1, 0.01, 1e-3, 1e-5)]
    assert (np.diff(norms) >= -1e-4 * measure.norm).all()
    assert max(norms) <= measure.norm * (1.0 + 1e-12)
    assert norms[-1] == pytest.approx(measure.norm, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(networks(vector=True))
def test_mollified_norms_of_a_network(net):
    """The same on the Radon domain; where d = 1, of its second derivative."""
    measure = radon_measure(net)
    variances = (100.0, 1.0, 0.1, 0.01, 1e-3)
    norms = [measure.mollified_norm(eps) for eps in variances]
    assert (np.diff(norms) >= -1e-4 * measure.norm).all()
    assert max(norms) <= measure.norm * (1.0 + 1e-12)
    assert norms[-1] == pytest.approx(measure.norm, rel=1e-9)
    if net.n_features == 1:
        line = second_derivative(net)
        assert norms == pytest.approx([line.mollified_norm(eps) for eps in variances], rel=1e-9)


def test_only_neurons_of_one_direction_cancel_when_mollified():
    """Opposite impulses at a distance r of one direction: 2 Phi(r / 2 sigma) - 1 is left; of two directions: all."""
    v, eps = [1.5, -1.5], 0.04
    parallel, crossing = (radon_measure(rs.RidgeSpline(W, [0.1, 0.4], v)) for W in ([[0, 1], [0, 1]], [[0, 1], [1, 0]]))
    assert parallel.norm == crossing.norm == 3.0
    assert parallel.mollified_norm(eps) == pytest.approx(3.0 * (2.0 * ndtr(0.3 / 0.4) - 1.0), rel=1e-4)
    assert crossing.mollified_norm(eps) == pytest.approx(3.0, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: LineMeasure([0.0, 0.0], [1.0, 2.0]), "sites"),
        (lambda: LineMeasure([0.0], [1.0, 2.0]), "sites, masses"),
        (lambda: LineMeasure([0.0], [1.0], np.sin), "density, support"),
        (lambda: LineMeasure([0.0], [1.0], np.sin, (0.0, np.inf)), "support"),
        (lambda: LineMeasure([0.0], [1.0], lambda x: x[:3], (0.0, 1.0)).norm, "density"),
        (lambda: LineMeasure([0.0], [1.0], np.sin, (1.0, 0.0)), "density, support"),
        (lambda: LineMeasure([0.0], [1.0]).mollified_norm(0.0), "eps"),
        (lambda: radon_measure(np.zeros((3, 2))), "net"),
        (lambda: second_derivative(rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])), "knots"),
        (lambda: second_derivative(rs.RidgeSpline([[1.0]], [0.0], [1.0]), tol=2.0), "tol"),
    ],
)
def test_bad_input(call, argument):
    with pytest.raises(rs.ProblemError) as raised:
        call()
    assert raised.value.argument == argument
    assert all((raised.value.expected, raised.value.got, raised.value.remedy))


def test_it_is_there_without_an_import_and_loaded_on_first_use():
    code = "import sys, ridgesplines as rs; assert 'ridgesplines.radon' not in sys.modules; rs.radon.radon_measure"
    subprocess.run([sys.executable, "-c", code], check=True)
