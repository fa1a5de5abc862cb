r"""(20): the Radon transform integrates over lines, and its Fourier transform is a slice of the function's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.plotting.style import FIT, KNOT
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.transform import radon_transform
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array

#: How many of the grid's directions are looked at.
DIRECTIONS = 12


def instance(seed: int) -> tuple[Callable[[Array], Array], RadonGrid, Array]:
    """Two Gaussians that are neither round nor centred, and their Radon transform."""
    rng = np.random.default_rng(seed)
    bumps = [(rng.uniform(-0.2, 0.2, 2), np.diag([9.0, 11.0]) + rng.uniform(-2.0, 2.0, (2, 2))) for _ in range(2)]

    def f(X: Array) -> Array:
        return sum(
            a * np.exp(-0.5 * (((X - m) @ A) ** 2).sum(axis=1)) for a, (m, A) in zip((1.0, -0.6), bumps, strict=True)
        )

    grid = RadonGrid(d=2, nodes=65)
    return f, grid, radon_transform(f, grid)


@timed
def check(f: Callable[[Array], Array], grid: RadonGrid, values: Array) -> Report:
    r"""The Radon transform (20), and the Fourier slice theorem, d = 2.

    .. math:: R f(\alpha, t) = \int_{\alpha^T x = t} f(x)\,dx, \qquad
              \widehat{R f}(\alpha, \omega) = \widehat f(\omega \alpha)

    Parameters
    ----------
    f : a smooth function of the rows of an (N, 2) array, zero outside of the ball of the grid's radius.
    grid : where.
    values : what is held to be its Radon transform, shape (M, T).

    Returns
    -------
    Report
        Both sides by the trapezoidal rule, which is as good as exact for smooth functions: along lines on the left, in
        the plane on the right. The slice theorem is asked of the integrals along lines, not of `values`.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> grid = rs.radon.RadonGrid(d=2, nodes=65)
    >>> bump = lambda X: np.exp(-40.0 * ((X - [0.1, 0.2]) ** 2).sum(axis=1))
    >>> rs.theorems.fourier_slice(bump, grid, rs.radon.radon_transform(bump, grid)).holds
    True
    """
    rows = np.arange(0, len(grid.directions), max(1, len(grid.directions) // DIRECTIONS))
    lines = np.array([_line_integrals(f, grid, direction) for direction in grid.directions[rows]])
    omega = grid.frequencies[: len(grid.frequencies) // 2]
    image = f(grid.points)
    left = lines @ np.exp(-1j * np.outer(grid.offsets, omega)) * grid.spacing
    waves = np.exp(-1j * np.einsum("nd,rd,w->nrw", grid.points, grid.directions[rows], omega))
    right = np.tensordot(image, waves, axes=1) * grid.spacing**2
    size = float(np.abs(lines).max())
    measures = (
        at_most(
            "(20): transform less integrals along lines, relative",
            float(np.abs(values[rows] - lines).max()) / size,
            1e-6,
        ),
        at_most(
            "slice theorem: difference of the two sides, relative",
            float(np.abs(left - right).max() / np.abs(right).max()),
            1e-8,
        ),
    )
    claim = "the Radon transform integrates along lines, and its Fourier transform is a slice of that of f"
    return Report(claim, "(20)", measures, lambda figure: _draw(figure, grid, values, omega, left[1], right[1]))


def _line_integrals(f: Callable[[Array], Array], grid: RadonGrid, direction: Array) -> Array:
    """Along the lines of all offsets, shape (T,); f is zero outside of the ball."""
    along, s = np.array([-direction[1], direction[0]]), np.linspace(-grid.radius, grid.radius, 257)
    points = np.multiply.outer(grid.offsets, direction)[:, None] + np.multiply.outer(s, along)
    return np.trapezoid(f(points.reshape(-1, 2)).reshape(len(grid.offsets), len(s)), s, axis=1)


def _draw(figure: Figure, grid: RadonGrid, values: Array, omega: Array, left: Array, right: Array) -> None:
    first, second = figure.subplots(1, 2)
    half = len(grid.directions) // 2
    extent = (0.0, 180.0, grid.offsets[0], grid.offsets[-1])
    first.imshow(values[:half].T, origin="lower", aspect="auto", extent=extent, cmap="cividis")
    first.set(xlabel="angle in degrees", ylabel="offset t", ylim=(-grid.radius, grid.radius), title="Radon transform")
    second.plot(omega, right.real, color=FIT, label="slice of the transform of f, real part")
    second.plot(omega[::2], left.real[::2], "o", color=KNOT, markersize=4, label="transform of the line integrals")
    second.set(xlabel="$\\omega$", title="the slice theorem")
    second.legend(frameon=False, fontsize=8)
