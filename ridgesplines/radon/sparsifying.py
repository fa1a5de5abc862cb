"""The sparsifying transform of any function, and its integrals: Fig. 4 in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.radon.filters import backprojection_filter, gaussian_filter, second_offset_derivative
from ridgesplines.radon.grid import Function, RadonGrid
from ridgesplines.radon.transform import radon_transform
from ridgesplines.validation import Array, real_array, real_number, samples

#: The standard deviation of the Gaussian in t unless given, in spacings: it leaves 1e-5 of the highest frequency.
DEVIATION = 1.5


@dataclass(frozen=True)
class Window:
    r"""A window: 1 within a ball, 0 outside of a larger one, infinitely smooth between.

    .. math:: \chi(x) = \frac{e^{-1/(1-s)}}{e^{-1/(1-s)} + e^{-1/s}}, \qquad
              s = \frac{|x| - q r}{(1 - q) r} \in (0, 1)

    Parameters
    ----------
    radius : r, the radius of the larger ball, positive.
    flat : q, the smaller radius as a share of the larger, between 0 and 1.

    Examples
    --------
    >>> from ridgesplines.radon import Window
    >>> Window(radius=2.0)([[0.5, 0.5], [0.9, 1.2], [0.0, 2.0]]).round(12).tolist()
    [1.0, 0.5, 0.0]
    """

    radius: float
    flat: float = 0.5

    def __post_init__(self) -> None:
        real_number("radius", self.radius, "a positive number", 0.0, open_=True)
        real_number("flat", self.flat, "a number between 0 and 1", 0.0, 1.0, open_=True)

    def __call__(self, X: Any) -> Array:
        """The window at the rows of X, shape (N,)."""
        inner = self.flat * self.radius
        s = np.clip((np.linalg.norm(samples("X", X), axis=1) - inner) / (self.radius - inner), 0.0, 1.0)
        with np.errstate(divide="ignore"):
            falling, rising = np.exp(-1.0 / (1.0 - s)), np.exp(-1.0 / s)
        return falling / (falling + rising)


def sparsifying_transform(
    f: Function, grid: RadonGrid, window: Function | None = None, eps: float | None = None
) -> Array:
    r"""The sparsifying transform of a function on a grid, mollified: a spike where f has a ridge.

    .. math:: g_\varepsilon * D_t^2 K R \{\chi f\}(\alpha, t)

    Parameters
    ----------
    f : a function of the rows of an (N, d) array, a network, or an image on the grid.
    grid : where.
    window : :math:`\chi`, a function or an image; needed unless f is zero outside of the ball of radius L.
    eps : :math:`\varepsilon`, the variance of a Gaussian in t; by default (1.5 h)^2, h the grid's spacing. Spikes need
        it: without, they ring at the highest frequency.

    Returns
    -------
    ndarray
        Shape (M, T); even; to be used for ``|t| <= L``.

    Raises
    ------
    ProblemError
        For images of another shape, values that are not finite, a negative eps.

    Notes
    -----
    For a neuron :math:`\rho(w^T x - b)`, (30), the answer is a spike at (w, b) and one at (-w, -b), and `spike_mass`
    around them tends to :math:`\|w\|` where the window is flat; for a width of some h its error was measured to fall
    like h: for d = 2, b = 0.1 and a window of radius 1, 3 % at 65 nodes an axis, 1.3 % at 129. What the window itself
    adds is smooth, and small against a spike whose height grows as the grid is refined. A network needs none of this:
    `radon_measure` has it in closed form.

    References
    ----------
    .. [1] G. Ongie, R. Willett, D. Soudry, N. Srebro, A function space view of bounded norm infinite width ReLU nets:
       the multivariate case, ICLR (2020), https://openreview.net/forum?id=H1lNPxHKDH

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, Window, sparsifying_transform, spike_mass
    >>> grid = RadonGrid(d=2, nodes=65)
    >>> values = sparsifying_transform(lambda x: np.maximum(x @ [0.6, 0.8], 0.0), grid, Window(1.0))
    >>> row, column = np.unravel_index(values.argmax(), values.shape)
    >>> bool(abs(grid.directions[row] @ [0.6, 0.8]) > 0.999), abs(float(grid.offsets[column])) < 0.01
    (True, True)
    >>> bool(abs(spike_mass(values, grid, [0.6, 0.8], 0.0, angle=0.6, width=0.2) - 1.0) < 0.1)
    True
    """
    image = grid.sample(f)
    if window is not None:
        image = image * grid.sample(window, "window")
    variance = (DEVIATION * grid.spacing) ** 2 if eps is None else eps
    smooth = gaussian_filter(radon_transform(image, grid), grid, variance)
    return backprojection_filter(second_offset_derivative(smooth, grid), grid)


def cap_integral(values: Array, grid: RadonGrid, direction: Any, angle: float) -> Array:
    r"""The integral over the directions near one: what stands before an impulse at that direction.

    .. math:: \int_{\alpha^T w \ge \cos a} g(\alpha, t)\,d\alpha

    For :math:`g = K R \{\sigma(w^T \cdot - b)\}` it is :math:`\tfrac12 \sigma(t - b)`, by (28).

    Parameters
    ----------
    values : g, shape (M, T).
    grid : where.
    direction : w, shape (d,), of any length but zero.
    angle : a, in radians, positive.

    Returns
    -------
    ndarray
        Shape (T,).

    Raises
    ------
    ProblemError
        For a direction of another shape, or zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, cap_integral
    >>> grid = RadonGrid(d=2, nodes=5)
    >>> ones = np.ones((len(grid.directions), len(grid.offsets)))
    >>> bool(np.allclose(cap_integral(ones, grid, [0.0, 1.0], angle=4.0), 2.0 * np.pi))
    True
    """
    g, w = grid.on_radon_domain(values), real_array("direction", direction)
    if w.shape != (grid.d,) or not w.any():
        raise ProblemError("direction", f"shape ({grid.d},), not zero", f"{w.tolist()}", "Pass a direction.")
    angle = real_number("angle", angle, "a positive angle", 0.0, open_=True)
    inside = grid.directions @ w >= np.cos(min(angle, np.pi)) * np.linalg.norm(w)
    return grid.weights[inside] @ g[inside]


def spike_mass(values: Array, grid: RadonGrid, direction: Any, offset: float, angle: float, width: float) -> float:
    r"""The integral around a hyperplane, over both of its names.

    .. math:: \int_{|t - b| \le \tau} \int_{\alpha^T w \ge \cos a} g(\alpha, t)\,d\alpha\,dt
              + \int_{|t + b| \le \tau} \int_{\alpha^T w \le -\cos a} g(\alpha, t)\,d\alpha\,dt

    Parameters
    ----------
    values : g, shape (M, T).
    grid : where.
    direction, offset : w, shape (d,), of any length but zero, and b of the hyperplane :math:`w^T x = |w| b`.
    angle : a, in radians, positive.
    width : :math:`\tau`, positive; several spacings, to hold the spike.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.radon import RadonGrid, spike_mass
    >>> grid = RadonGrid(d=2, nodes=5)
    >>> ones = np.ones((len(grid.directions), len(grid.offsets)))
    >>> round(spike_mass(ones, grid, [1.0, 0.0], 0.0, angle=np.pi / 2.0, width=0.75), 3)  # 2 pi times three offsets
    9.425
    """
    b = real_number("offset", offset, "a number", -np.inf)
    width = real_number("width", width, "a positive number", 0.0, open_=True)
    w = real_array("direction", direction)
    near, mirrored = (np.abs(grid.offsets - s * b) <= width for s in (1.0, -1.0))
    caps = cap_integral(values, grid, w, angle), cap_integral(values, grid, -w, angle)
    return float(grid.spacing * (caps[0][near].sum() + caps[1][mirrored].sum()))
