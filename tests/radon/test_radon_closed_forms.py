"""The Radon domain against closed forms: Gaussians, paraboloids, neurons; and errors that fall with the grid."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import dawsn, erfc, gamma, ndtr

import ridgesplines as rs
from ridgesplines.radon.filters import (
    backprojection_filter,
    filtered_back_projection,
    gaussian_filter,
    second_offset_derivative,
)
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.line import LineMeasure
from ridgesplines.radon.measure import radon_measure
from ridgesplines.radon.sparsifying import Window, cap_integral, sparsifying_transform, spike_mass
from ridgesplines.radon.transform import radon_transform

CENTRE = np.array([0.15, -0.1, 0.05])
SHAPE = np.array([[1.0, 0.3, 0.1], [0.0, 0.8, -0.2], [0.0, 0.0, 0.9]]) * 0.13


def gaussian(X):
    """A Gaussian of total mass one, neither round nor centred."""
    d = X.shape[1]
    z = np.linalg.solve(SHAPE[:d, :d], (X - CENTRE[:d]).T)
    return np.exp(-0.5 * (z**2).sum(axis=0)) / (2.0 * np.pi) ** (d / 2) / np.linalg.det(SHAPE[:d, :d])


def marginals(grid):
    """Means and variances of the Gaussian along each direction."""
    d = grid.d
    return grid.directions @ CENTRE[:d], ((grid.directions @ SHAPE[:d, :d]) ** 2).sum(axis=1)


def normal(t, mean, variance):
    return np.exp(-((t - mean[:, None]) ** 2) / (2.0 * variance[:, None])) / np.sqrt(2.0 * np.pi * variance[:, None])


def largest(error):
    return np.abs(error).max()


def mean_square(error):
    return np.sqrt(np.mean(np.asarray(error) ** 2))


@pytest.mark.parametrize(("d", "nodes"), [(2, (17, 25, 41)), (3, (13, 21, 33))])
def test_the_radon_transform_of_a_gaussian(d, nodes):
    """Its marginal densities. The error is what the narrowest of them has beyond the highest frequency, pi / h."""
    for n in nodes:
        grid = RadonGrid(d, n, angles=n)
        mean, variance = marginals(grid)
        v = variance.min()
        lost = erfc(np.pi / grid.spacing * np.sqrt(v / 2.0)) / np.sqrt(2.0 * np.pi * v)
        error = largest(radon_transform(gaussian, grid) - normal(grid.offsets, mean, variance))
        assert 0.5 * lost < error < 1.1 * lost
    assert lost < 4e-5


@pytest.mark.parametrize("d", [2, 3])
def test_the_fourier_slice_theorem(d):
    """Integrals over lines and planes, known in closed form, against the d-variate Fourier transform, known too."""
    grid = RadonGrid(d, 33, angles=10)
    mean, variance = marginals(grid)
    omega = grid.frequencies
    slices = np.exp(-1j * np.outer(mean, omega) - 0.5 * np.outer(variance, omega**2))
    shifted = np.fft.ifftshift(radon_transform(gaussian, grid), axes=1)
    assert largest(np.fft.rfft(shifted, axis=1) * grid.spacing - slices) < 1e-6


def test_lines_one_by_one():
    """Against adaptive quadrature along lines, for a function without symmetry; the grid has nodes at neither end."""
    grid = RadonGrid(2, 65, radius=2.0)
    window = Window(2.0, 0.2)

    def f(X):
        return window(X) * (1.0 + X[:, 0] + X[:, 1] ** 3)

    values = radon_transform(f, grid)
    for i, j in [(0, 64), (17, 50), (100, 90), (150, 64)]:
        a = grid.directions[i]
        foot, along = grid.offsets[j] * a, np.array([-a[1], a[0]])
        exact = quad(lambda s, foot=foot, along=along: f((foot + s * along)[None])[0], -2.0, 2.0, epsabs=1e-11)[0]
        assert values[i, j] == pytest.approx(exact, abs=2e-7)


def paraboloid(k, r):
    """(1 - |x|^2 / r^2)_+^k: smoother the larger k; for k = 0 the indicator of a ball."""
    return lambda X: np.where((X**2).sum(axis=1) < r**2, np.maximum(1.0 - (X**2).sum(axis=1) / r**2, 0.0) ** k, 0.0)


def paraboloid_integrals(k, r, d, t):
    scale = r ** (d - 1) * np.pi ** ((d - 1) / 2) * gamma(k + 1) / gamma(k + (d + 1) / 2)
    return scale * np.maximum(1.0 - t**2 / r**2, 0.0) ** (k + (d - 1) / 2)


@pytest.mark.parametrize(("d", "coarse", "fine"), [(2, 33, 97), (3, 17, 33)])
def test_the_indicator_of_a_ball(d, coarse, fine):
    """Chords and discs; sampled, its edge is a staircase, so that the error is about of first order."""
    errors = []
    for n in (coarse, fine):
        grid = RadonGrid(d, n, angles=20)
        exact = paraboloid_integrals(0, 0.6, d, grid.offsets)
        error = radon_transform(paraboloid(0, 0.6), grid) - exact
        errors.append(mean_square(error) / mean_square(exact))
    assert errors[0] < 0.03
    assert errors[1] < 0.7 * errors[0]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_orders_of_convergence(k):
    """In the mean square h^(k + d/2) for the transform and h^(k + 1/2) for its inverse, as frequencies are cut off."""
    errors = []
    for n in (25, 97):
        grid, f = RadonGrid(2, n), paraboloid(k, 0.6)
        values = radon_transform(f, grid)
        inside = np.linalg.norm(grid.points, axis=1) <= 1.0
        back = filtered_back_projection(values, grid).ravel() - f(grid.points)
        errors.append([mean_square(values - paraboloid_integrals(k, 0.6, 2, grid.offsets)), mean_square(back[inside])])
    orders = np.log(np.divide(*errors)) / np.log(4.0)
    assert orders[0] > k + 1.0 - 0.3
    assert orders[1] > k + 0.5 - 0.3


@pytest.mark.parametrize(("d", "n", "tol"), [(2, 49, 1e-5), (3, 33, 1e-4)])
def test_the_filter_of_a_gaussian(d, n, tol):
    """K of a normal density: by Dawson's integral for d = 2, by its second derivative for d = 3."""
    grid = RadonGrid(d, n, angles=8)
    mean, variance = marginals(grid)
    z = (grid.offsets - mean[:, None]) / np.sqrt(variance[:, None])
    density = normal(grid.offsets, mean, variance)
    if d == 2:
        exact = (1.0 - np.sqrt(2.0) * z * dawsn(z / np.sqrt(2.0))) / (4.0 * np.pi**2 * variance[:, None])
    else:
        exact = -(z**2 - 1.0) / variance[:, None] * density / (8.0 * np.pi**2)
    inside = np.abs(grid.offsets) <= 1.0
    assert largest((backprojection_filter(density, grid) - exact)[:, inside]) < tol * largest(exact)


def test_filters_along_the_offsets():
    grid = RadonGrid(2, 49, angles=8)
    mean, variance = marginals(grid)
    density = normal(grid.offsets, mean, variance)
    wider = normal(grid.offsets, mean, variance + 0.01)
    assert largest(gaussian_filter(density, grid, 0.01) - wider) < 1e-6
    z = (grid.offsets - mean[:, None]) / np.sqrt(variance[:, None])
    exact = (z**2 - 1.0) / variance[:, None] * density
    assert largest(second_offset_derivative(density, grid) - exact) < 1e-5 * largest(exact)


@pytest.mark.parametrize(("d", "n", "tol"), [(2, 49, 1e-5), (3, 29, 1e-3)])
def test_inversion(d, n, tol):
    grid = RadonGrid(d, n)
    exact = grid.sample(gaussian)
    inside = np.linalg.norm(grid.points, axis=1).reshape(exact.shape) <= 1.0
    error = filtered_back_projection(radon_transform(gaussian, grid), grid) - exact
    assert largest(error[inside]) < tol * largest(exact)


W2, W3 = np.array([np.cos(0.5), np.sin(0.5)]), np.array([2.0, -1.0, 2.0]) / 3.0


def test_the_filtered_radon_transform_of_a_neuron():
    """(28): half the activation where alpha = w, nothing elsewhere. The window is flat, and grows; its error is 1/L."""
    errors = []
    for n in (33, 65, 129):
        grid = RadonGrid(2, n, radius=0.05 * (n - 1))
        neuron = np.exp(-8.0 * (grid.points @ W2 - 0.2) ** 2) * Window(grid.radius)(grid.points)
        filtered = backprojection_filter(radon_transform(neuron.reshape(n, n), grid), grid)
        near = np.abs(grid.offsets - 0.2) <= 0.6
        half = np.exp(-8.0 * (grid.offsets - 0.2) ** 2)[near] / 2.0
        at_w = cap_integral(filtered, grid, W2, 0.6)[near]
        mirrored = cap_integral(filtered, grid, -W2, 0.6)[::-1][near]
        away = cap_integral(filtered, grid, [-W2[1], W2[0]], 0.6)[near]
        np.testing.assert_allclose(mirrored, at_w, atol=1e-12)
        errors.append([largest(at_w - half), largest(away)])
    errors = np.array(errors)
    assert (errors[1:] < 0.6 * errors[:-1]).all()
    assert (errors[-1] < [0.03, 0.01]).all()


@pytest.mark.parametrize("norm", [1.0, 2.5])
def test_the_sparsifying_transform_of_a_neuron(norm):
    """(29) and (30): a spike at (w, b) whose mass tends to |w|, with an error that halves with the spacing."""
    errors = []
    for n in (65, 129):
        grid = RadonGrid(2, n)
        values = sparsifying_transform(lambda X: norm * np.maximum(X @ W2 - 0.1, 0.0), grid, Window(1.0))
        i, j = np.unravel_index(values.argmax(), values.shape)
        side = np.sign(grid.directions[i] @ W2)
        assert side * grid.directions[i] @ W2 > np.cos(np.pi / 200.0)
        assert abs(side * grid.offsets[j] - 0.1) <= grid.spacing
        errors.append(abs(spike_mass(values, grid, W2, 0.1, 0.6, 4.0 * grid.spacing) / norm - 1.0))
    assert errors[0] < 0.05
    assert errors[1] < 0.6 * errors[0]


def test_the_sparsifying_transform_in_three_dimensions():
    grid = RadonGrid(3, 33)
    values = sparsifying_transform(lambda X: np.maximum(X @ W3 - 0.1, 0.0), grid, Window(1.0))
    i, j = np.unravel_index(values.argmax(), values.shape)
    side = np.sign(grid.directions[i] @ W3)
    assert side * grid.directions[i] @ W3 > 0.999
    assert abs(side * grid.offsets[j] - 0.1) <= grid.spacing
    assert spike_mass(values, grid, W3, 0.1, 0.6, 4.0 * grid.spacing) == pytest.approx(1.0, abs=0.05)


def test_on_a_grid_and_in_closed_form():
    """A network through the grid has the masses that its measure says, at every hyperplane, with their signs."""
    angles = np.array([0.3, 1.6, 2.6])
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    net = rs.RidgeSpline(2.0 * directions, [0.0, 0.2, -0.2], [0.5, -1.0, 0.75], [1.0, -2.0], 3.0)
    measure, grid = radon_measure(net), RadonGrid(2, 129)
    values = sparsifying_transform(net, grid, Window(1.0))
    for w, b, mass in zip(measure.directions[:3], measure.offsets[:3], measure.masses[:3], strict=True):
        found = spike_mass(values, grid, w, b, angle=0.4, width=5.0 * grid.spacing)
        assert found == pytest.approx(2.0 * mass, abs=0.15)


@pytest.mark.parametrize("distance", [0.01, 0.1, 1.0])
def test_opposite_impulses_mollified(distance):
    """The positive half of the dipole has mass 2 Phi(distance / 2 sigma) - 1."""
    for eps in (1.0, 0.1, 1e-3, 1e-6):
        exact = 2.0 * (2.0 * ndtr(distance / 2.0 / np.sqrt(eps)) - 1.0)
        assert LineMeasure([0.0, distance], [1.0, -1.0]).mollified_norm(eps) == pytest.approx(exact, rel=1e-4)


def test_a_density_and_an_impulse_mollified():
    """A normal density less an impulse at its mean: two normal densities of different widths, which cross at +-c."""
    for eps in (0.5, 0.05, 0.005):
        wide, narrow = 1.0 + eps, eps
        c = np.sqrt(np.log(wide / narrow) / (1.0 / narrow - 1.0 / wide))
        exact = 4.0 * (ndtr(c / np.sqrt(narrow)) - ndtr(c / np.sqrt(wide)))
        measure = LineMeasure([0.0], [-1.0], lambda x: np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi), (-9.0, 9.0))
        assert measure.norm == pytest.approx(2.0, rel=1e-9)
        assert measure.mollified_norm(eps) == pytest.approx(exact, rel=1e-4)
