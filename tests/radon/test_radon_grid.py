"""The Radon domain on a grid: what holds for every image, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.radon.filters import backprojection_filter, gaussian_filter, second_offset_derivative
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.sparsifying import Window, cap_integral, sparsifying_transform, spike_mass
from ridgesplines.radon.transform import back_projection, even_projection, radon_transform

GRIDS = [RadonGrid(2, 16, 1.3, 11), RadonGrid(2, 9, 0.1, 4), RadonGrid(3, 9, 2.0, 5), RadonGrid(3, 6, 1.0, 4)]


def named(grid):
    return f"d{grid.d}-n{grid.nodes}"


def on_both(grid, seed=0):
    """A random image, and random values on the Radon domain."""
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((grid.nodes,) * grid.d)
    return image, rng.standard_normal((len(grid.directions), len(grid.offsets)))


@pytest.mark.parametrize("grid", GRIDS, ids=named)
def test_the_sphere(grid):
    """Unit directions with their mirror images, and a quadrature that is exact for polynomials of low degree."""
    half = len(grid.directions) // 2
    np.testing.assert_allclose(np.linalg.norm(grid.directions, axis=1), 1.0)
    np.testing.assert_array_equal(grid.directions[half:], -grid.directions[:half])
    area = {2: 2.0 * np.pi, 3: 4.0 * np.pi}[grid.d]
    second = (grid.directions.T * grid.weights) @ grid.directions
    np.testing.assert_allclose(second, area / grid.d * np.eye(grid.d), atol=1e-12)
    fourth = grid.weights @ (grid.directions**4)
    np.testing.assert_allclose(fourth, area * 3.0 / (grid.d * (grid.d + 2.0)))


@pytest.mark.parametrize("grid", GRIDS, ids=named)
def test_the_fourier_slice_theorem(grid):
    """The Fourier transform of R f in t is that of f at omega alpha, here summed node by node, to rounding."""
    image, _ = on_both(grid)
    values = np.fft.ifftshift(radon_transform(image, grid), axes=1)
    waves = np.exp(-1j * np.multiply.outer(grid.directions @ grid.points.T, grid.frequencies))
    exact = grid.spacing**grid.d * np.einsum("anw,n->aw", waves, image.ravel())
    slices = grid.spacing * np.fft.rfft(values, axis=1)
    np.testing.assert_allclose(slices, exact, atol=1e-13 * np.abs(exact).max())


@pytest.mark.parametrize("grid", GRIDS, ids=named)
def test_back_projection_is_the_adjoint(grid):
    """<R f, g> = <f, R* g>, whatever f and g are, with the grids' own weights."""
    image, values = on_both(grid)
    left = grid.spacing * np.sum(grid.weights[:, None] * radon_transform(image, grid) * values)
    right = grid.spacing**grid.d * np.sum(image * back_projection(values, grid))
    assert left == pytest.approx(right, rel=1e-11)


@pytest.mark.parametrize("grid", GRIDS, ids=named)
def test_evenness(grid):
    """R f is even, P_even is an orthogonal projector onto what is, and R* does not see the rest."""
    image, values = on_both(grid)
    integrals, even = radon_transform(image, grid), even_projection(values, grid)
    np.testing.assert_array_equal(even_projection(integrals, grid), integrals)
    np.testing.assert_array_equal(even_projection(even, grid), even)
    assert abs(np.sum(grid.weights[:, None] * even * (values - even))) < 1e-10
    np.testing.assert_allclose(back_projection(even, grid), back_projection(values, grid), atol=1e-11)
    for i, j in [(0, 0), (1, grid.nodes)]:
        mirror = int(np.argmin(np.linalg.norm(grid.directions + grid.directions[i], axis=1)))
        assert even[i, j] == even[mirror, len(grid.offsets) - 1 - j]


@pytest.mark.parametrize("grid", GRIDS, ids=named)
def test_filters_are_self_adjoint_and_commute(grid):
    _, g = on_both(grid, 1)
    _, h = on_both(grid, 2)

    def smooth(values, grid):
        return gaussian_filter(values, grid, grid.spacing**2)

    for act in (backprojection_filter, second_offset_derivative, smooth):
        assert np.sum(act(g, grid) * h) == pytest.approx(np.sum(g * act(h, grid)), rel=1e-10)
        assert (np.sum(act(g, grid) * g) > 0.0) == (act is not second_offset_derivative)
    one = backprojection_filter(second_offset_derivative(g, grid), grid)
    other = second_offset_derivative(backprojection_filter(g, grid), grid)
    np.testing.assert_allclose(one, other, atol=1e-10 * np.abs(one).max())


def bumps(seed):
    """A sum of Gaussians well inside the unit disc: centres, widths, heights."""
    rng = np.random.default_rng(seed)
    centres, widths, heights = rng.uniform(-0.25, 0.25, (4, 2)), rng.uniform(0.1, 0.12, 4), rng.standard_normal(4)

    def f(X):
        squares = ((X[:, None] - centres) ** 2).sum(axis=2)
        return np.exp(-squares / (2.0 * widths**2)) @ heights

    return f


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**16), st.integers(0, 79))
def test_a_rotated_function_has_a_rotated_transform(seed, turns):
    """R{f(Q .)}(alpha, t) = R f(Q alpha, t), for a turn by any number of the grid's angles."""
    grid, f = RadonGrid(2, 33, angles=40), bumps(seed)
    cos, sin = grid.directions[turns]
    Q = np.array([[cos, -sin], [sin, cos]])
    turned = radon_transform(lambda X: f(X @ Q.T), grid)
    np.testing.assert_allclose(turned, np.roll(radon_transform(f, grid), -turns, axis=0), atol=2e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**16), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_a_shifted_function_has_a_shifted_mean(seed, first, second):
    """R{f(. - s)}(alpha, t) = R f(alpha, t - alpha^T s), read off the mass and the first moment in t."""
    grid, f, s = RadonGrid(2, 41, angles=8), bumps(seed), np.array([first, second])
    here, there = (grid.spacing * radon_transform(g, grid) for g in (f, lambda X: f(X - s)))
    mass = here.sum(axis=1)
    np.testing.assert_allclose(there.sum(axis=1), mass, atol=1e-5)
    np.testing.assert_allclose(there @ grid.offsets, here @ grid.offsets + grid.directions @ s * mass, atol=1e-5)


def test_a_window():
    window = Window(2.0, 0.25)
    r = np.linspace(0.0, 3.0, 301)
    values = window(np.column_stack([r, np.zeros(301)]))
    assert (values[r <= 0.5] == 1.0).all()
    assert (values[r >= 2.0] == 0.0).all()
    assert (np.diff(values) <= 0.0).all()


def test_a_network_is_a_function_and_an_affine_one_is_nothing():
    grid = RadonGrid(2, 65)
    net = rs.RidgeSpline([[0.6, 0.8]], [0.1], [1.0])
    window = Window(1.0)
    values = sparsifying_transform(net, grid, window)
    image = grid.sample(net) * grid.sample(window)
    np.testing.assert_array_equal(values, sparsifying_transform(image, grid))
    affine = sparsifying_transform(lambda X: X @ [0.6, 0.8], grid, window)
    assert abs(spike_mass(affine, grid, [0.6, 0.8], 0.1, 0.6, 0.1)) < 0.1


GRID = RadonGrid(2, 9)
ZEROS = np.zeros((len(GRID.directions), len(GRID.offsets)))


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: RadonGrid(d=4), "d"),
        (lambda: RadonGrid(nodes=2), "nodes"),
        (lambda: RadonGrid(nodes=9.0), "nodes"),
        (lambda: RadonGrid(radius=0.0), "radius"),
        (lambda: RadonGrid(angles=1), "angles"),
        (lambda: radon_transform(np.zeros((9, 8)), GRID), "f"),
        (lambda: radon_transform(np.full((9, 9), np.nan), GRID), "f"),
        (lambda: radon_transform(lambda X: X, GRID), "f"),
        (lambda: sparsifying_transform(np.zeros((9, 9)), GRID, np.zeros(9)), "window"),
        (lambda: sparsifying_transform(np.zeros((9, 9)), GRID, eps=-1.0), "eps"),
        (lambda: back_projection(ZEROS[:-1], GRID), "values"),
        (lambda: even_projection(ZEROS[:, 1:], GRID), "values"),
        (lambda: backprojection_filter(ZEROS[0], GRID), "values"),
        (lambda: gaussian_filter(ZEROS, GRID, np.inf), "eps"),
        (lambda: cap_integral(ZEROS, GRID, [0.0, 0.0], 0.1), "direction"),
        (lambda: cap_integral(ZEROS, GRID, [1.0, 0.0, 0.0], 0.1), "direction"),
        (lambda: cap_integral(ZEROS, GRID, [1.0, 0.0], 0.0), "angle"),
        (lambda: spike_mass(ZEROS, GRID, [1.0, 0.0], np.nan, 0.1, 0.1), "offset"),
        (lambda: spike_mass(ZEROS, GRID, [1.0, 0.0], 0.0, 0.1, -0.1), "width"),
        (lambda: Window(-1.0), "radius"),
        (lambda: Window(1.0, 1.0), "flat"),
    ],
)
def test_bad_input(call, argument):
    with pytest.raises(rs.ProblemError) as raised:
        call()
    assert raised.value.argument == argument
    assert all((raised.value.expected, raised.value.got, raised.value.remedy))
