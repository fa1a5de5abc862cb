r"""(21)-(28): filtered by K, the Radon transform of a neuron is its activation, at the direction of its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.plotting.style import FIT, KNOT, SERIES
from ridgesplines.radon.filters import backprojection_filter, filtered_back_projection
from ridgesplines.radon.grid import RadonGrid
from ridgesplines.radon.sparsifying import Window, cap_integral
from ridgesplines.radon.transform import radon_transform
from ridgesplines.theorems.claims.fourier_slice import instance as bumps
from ridgesplines.theorems.report import Report, at_most, timed
from ridgesplines.validation import Array

#: Radians around w that count as near, and how far from b activations are compared.
CAP, NEAR = 0.6, 0.6


def instance(seed: int) -> tuple[Callable[[Array], Array], Callable[[Array], Array], Array, float]:
    """A ReLU neuron of two inputs, and its activation."""
    rng = np.random.default_rng(seed)
    angle, b = rng.uniform(0.0, np.pi), rng.uniform(-0.3, 0.3)
    w = np.array([np.cos(angle), np.sin(angle)])
    relu = lambda t: np.maximum(t, 0.0)  # noqa: E731
    return lambda X: relu(X @ w - b), relu, w, b


@timed
def check(
    neuron: Callable[[Array], Array],
    activation: Callable[[Array], Array],
    w: Array,
    b: float,
    nodes: Sequence[int] = (33, 65, 129),
) -> Report:
    r"""The filtered Radon transform of a neuron (28), and what makes K the right filter (24), d = 2.

    .. math:: K R \{\sigma(w^T \cdot - b)\}(\alpha, t) = P_{\mathrm{even}} \{\sigma(t - b)\, \delta(\alpha - w)\}

    On a grid: integrated over the directions near w it is :math:`\tfrac12 \sigma(t - b)`, over others zero, up to an
    affine function, which the transform does not see. The neuron is multiplied by a window that widens as the grid is
    refined, so the error falls with the square root of the spacing.

    Parameters
    ----------
    neuron : a function of the rows of an (N, 2) array.
    activation : :math:`\sigma`, vectorised.
    w, b : unit vector, shape (2,), and offset.
    nodes : nodes an axis of each grid, increasing.

    Returns
    -------
    Report
        It holds where on the finest grid both errors are below 3 %, refining lowers them, and K inverts the Radon
        transform of a smooth function to 1e-5.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> w = np.array([0.6, 0.8])
    >>> relu = lambda t: np.maximum(t, 0.0)
    >>> rs.theorems.filtered_radon(lambda X: relu(X @ w - 0.1), relu, w, 0.1).holds
    True
    """
    errors, across = [], np.array([-w[1], w[0]])
    for n in nodes:
        grid = RadonGrid(2, n, radius=0.4 * np.sqrt(n - 1.0))
        image = neuron(grid.points) * Window(grid.radius)(grid.points)
        filtered = backprojection_filter(radon_transform(image.reshape(n, n), grid), grid)
        near = np.abs(grid.offsets - b) <= NEAR
        t, expected = grid.offsets[near], activation(grid.offsets[near] - b) / 2.0
        at_w = expected + _off_affine(t, cap_integral(filtered, grid, w, CAP)[near] - expected)
        away = _off_affine(t, cap_integral(filtered, grid, across, CAP)[near])
        errors.append([np.abs(values).max() / np.abs(expected).max() for values in (at_w - expected, away)])
    grid = RadonGrid(2, 49)
    f = bumps(0)[0]
    exact, inside = grid.sample(f), (np.linalg.norm(grid.points, axis=1) <= 1.0).reshape(49, 49)
    inverse = (
        np.abs(filtered_back_projection(radon_transform(f, grid), grid) - exact)[inside].max() / np.abs(exact).max()
    )
    ratios = np.array(errors)
    measures = (
        at_most("(24): f less what K and back-projection make of R f, relative", float(inverse), 1e-5),
        at_most(f"(28) at w: error on {nodes[-1]} nodes, relative", ratios[-1, 0], 0.03),
        at_most(f"(28) away from w: what is left on {nodes[-1]} nodes, relative", ratios[-1, 1], 0.03),
        at_most("errors on the finest grid over those on the coarsest", float((ratios[-1] / ratios[0]).max()), 0.8),
    )
    claim = "filtered, the Radon transform of a neuron is its activation at w, and nothing at other directions"
    return Report(claim, "(21)-(28)", measures, lambda figure: _draw(figure, nodes, ratios, t, expected, at_w, away))


def _off_affine(t: Array, values: Array) -> Array:
    """The values less the affine function that fits them best."""
    return values - np.polyval(np.polyfit(t, values, 1), t)


def _draw(
    figure: Figure, nodes: Sequence[int], errors: Array, t: Array, expected: Array, at_w: Array, away: Array
) -> None:
    left, right = figure.subplots(1, 2)
    left.plot(t, expected, color="black", linewidth=0.9, label="$\\sigma(t - b) / 2$")
    left.plot(t, at_w, "o", color=KNOT, markersize=4, label="K R near w")
    left.plot(t, away, "o", color=FIT, markersize=4, label="K R away from w")
    left.set(xlabel="offset t", title=f"{nodes[-1]} nodes an axis")
    for i, name in enumerate(("at w", "away from w")):
        right.loglog(nodes, errors[:, i], "o-", color=SERIES[i], label=name)
    right.set_xticks(nodes, [str(n) for n in nodes])
    right.minorticks_off()
    right.set(xlabel="nodes an axis", ylabel="relative error", title="refining the grid")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=8)
