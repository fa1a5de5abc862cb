"""The grids on which functions and their Radon transforms are sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array, frozen, real_array, real_number, whole_number

#: A function of the rows of an (N, d) array, or its values on the grid already.
Function = Callable[[Array], Any] | Array


@dataclass(frozen=True)
class RadonGrid:
    r"""A grid of the cube :math:`[-L, L]^d` and one of its Radon domain, d = 2 or 3.

    Images are of shape (n,) * d: entry (i, j) is the value at (axis[i], axis[j]). What lies on the Radon domain is of
    shape (M, T): a row a direction, a column an offset.

    Parameters
    ----------
    d : 2 or 3.
    nodes : n, nodes an axis, at least 3. Their spacing h = 2 L / (n - 1) is that of the offsets too.
    radius : L, positive.
    angles : directions on half a great circle, at least 2; by default :math:`\lceil \pi n / 2 \rceil`, as many as
        functions with frequencies up to :math:`\pi / h` need. M = 2 * angles for d = 2, 2 * angles^2 for d = 3.

    Attributes
    ----------
    axis : shape (n,).
    points : the nodes, shape (n^d, d), in the order of an image's entries.
    directions : :math:`\alpha`, shape (M, d); rows M/2 to M - 1 are the mirror images of the first M/2. For d = 2 at
        equal angles; for d = 3 at Gauss-Legendre nodes of the third coordinate and equal longitudes.
    weights : their quadrature weights, shape (M,), with the measure of the sphere as their sum.
    offsets : t, shape (2 n - 1,), from -2 L to 2 L: twice as far as the ball of radius L reaches, so that K of what
        lies in that ball is right where the ball is.

    Raises
    ------
    ProblemError
        For other dimensions, too few nodes or angles, a radius that is not positive.

    Examples
    --------
    >>> from ridgesplines.radon import RadonGrid
    >>> grid = RadonGrid(d=2, nodes=65, radius=1.0)
    >>> grid.points.shape, grid.directions.shape, grid.offsets.shape
    ((4225, 2), (206, 2), (129,))
    """

    d: int = 2
    nodes: int = 65
    radius: float = 1.0
    angles: int | None = None

    def __post_init__(self) -> None:
        if self.d not in (2, 3):
            remedy = "For a network radon_measure is exact in every dimension."
            raise ProblemError("d", "2 or 3", repr(self.d), remedy)
        real_number("radius", self.radius, "a positive number", 0.0, open_=True)
        for name, value, least in (("nodes", self.nodes, 3), ("angles", self.angles, 2)):
            if value is not None:
                whole_number(name, value, least)

    @property
    def spacing(self) -> float:
        """h."""
        return 2.0 * self.radius / (self.nodes - 1)

    @cached_property
    def axis(self) -> Array:
        return frozen(np.linspace(-self.radius, self.radius, self.nodes))

    @cached_property
    def points(self) -> Array:
        return frozen(np.stack(np.meshgrid(*[self.axis] * self.d, indexing="ij"), axis=-1).reshape(-1, self.d))

    @cached_property
    def offsets(self) -> Array:
        return frozen(self.spacing * np.arange(1 - self.nodes, self.nodes))

    @property
    def directions(self) -> Array:
        return self._sphere[0]

    @property
    def weights(self) -> Array:
        return self._sphere[1]

    @cached_property
    def _sphere(self) -> tuple[Array, Array]:
        count = self.angles or int(np.ceil(np.pi * self.nodes / 2.0))
        angle = np.pi * np.arange(count) / count
        half = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        weight = np.full(count, np.pi / count)
        if self.d == 3:
            z, share = np.polynomial.legendre.leggauss(count)
            circles = np.multiply.outer(np.sqrt(1.0 - z**2), half)
            heights = np.broadcast_to(z[:, None, None], (count, count, 1))
            half, weight = np.concatenate([circles, heights], axis=2).reshape(-1, 3), np.outer(share, weight).ravel()
        return frozen(np.concatenate([half, -half])), frozen(np.tile(weight, 2))

    @cached_property
    def frequencies(self) -> Array:
        r""":math:`\omega \ge 0` of the discrete Fourier transform over the offsets, shape (n,)."""
        return frozen(2.0 * np.pi * np.fft.rfftfreq(len(self.offsets), self.spacing))

    def sample(self, f: Function, name: str = "f") -> Array:
        """The values of f at the nodes, an image; or f itself where it is an image."""
        values = real_array(name, f(self.points) if callable(f) else f)
        shape = (self.nodes,) * self.d
        if values.shape == (self.nodes**self.d,) and callable(f):
            return values.reshape(shape)
        if values.shape != shape:
            expected = f"an image of shape {shape}, or a function of rows, with {self.nodes**self.d} values at them"
            raise ProblemError(name, expected, f"shape {values.shape}", "Sample f at grid.points, one output only.")
        return values

    def on_radon_domain(self, values: Any) -> Array:
        """`values` if they are one a direction and offset."""
        array, shape = real_array("values", values), (len(self.directions), len(self.offsets))
        if array.shape != shape:
            remedy = "Pass what radon_transform returned, on the same grid."
            raise ProblemError("values", f"shape {shape}", f"shape {array.shape}", remedy)
        return array
