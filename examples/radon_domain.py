"""The sparsifying transform of a neuron, measured: the four panels of Fig. 4, and how their errors fall with the grid.

A ReLU neuron of two inputs, cut off smoothly far from its ridge, and sampled. Its Radon transform, filtered by K, has
the neuron's own activation at the direction of its weights, and nothing at any other; two derivatives later a spike is
left at (w, b), whose mass is |w|, and one at (-w, -b), which is the same line. For a network all this is known in
closed form: see ridgesplines.radon.radon_measure. Here nothing is told to the computer but values on a grid.
"""

import sys
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad

import ridgesplines.radon as rr

ANGLE = np.pi / 6.0
W = np.array([np.cos(ANGLE), np.sin(ANGLE)])
ACROSS = np.array([-W[1], W[0]])
B = 0.5
RADIUS = 3.2
CAP = 0.6  # radians: the directions that count as near one
WINDOW = rr.Window(RADIUS)
NEAR = 0.6  # how far from B the activation is compared


def neuron(X: np.ndarray) -> np.ndarray:
    return np.maximum(X @ W - B, 0.0)


def windowed(X: np.ndarray) -> np.ndarray:
    return neuron(X) * WINDOW(X)


def line_integral(direction: np.ndarray, offset: float) -> float:
    """The Radon transform by adaptive quadrature along the line."""
    along = np.array([-direction[1], direction[0]])
    return quad(lambda s: windowed((offset * direction + s * along)[None])[0], -RADIUS, RADIUS, limit=200)[0]


def extracted(filtered: np.ndarray, grid: rr.RadonGrid, direction: np.ndarray, activation: Any) -> np.ndarray:
    """The filtered Radon transform near a direction, against half of an activation, up to an affine function.

    A neuron is determined up to an affine function, which K R annihilates; so is what the window adds, nearly.
    """
    profile = rr.cap_integral(filtered, grid, direction, CAP)
    near = np.abs(grid.offsets - B) <= NEAR
    line = np.polyfit(grid.offsets[near], profile[near] - activation[near] / 2.0, 1)
    return profile - np.polyval(line, grid.offsets)


def main(picture: str = "radon_domain.png") -> None:
    lines = [(a, t) for a in (0.1, 0.9, 2.0) for t in (-0.8, 0.0, 0.4, 0.8)]
    print("largest errors, by the nodes n an axis")
    print("  n   spacing   Radon transform   K R at w   K R away from w   mass of the spike, |w| = 1")
    for n in (33, 65, 129):
        grid = rr.RadonGrid(d=2, nodes=n, radius=RADIUS)
        near = np.abs(grid.offsets - B) <= NEAR
        relu = np.maximum(grid.offsets - B, 0.0)
        integrals = rr.radon_transform(windowed, grid)
        filtered = rr.backprojection_filter(integrals, grid)
        at_w = extracted(filtered, grid, W, relu)
        away = extracted(filtered, grid, ACROSS, 0.0 * relu)
        spikes = rr.sparsifying_transform(neuron, grid, WINDOW)
        mass = rr.spike_mass(spikes, grid, W, B, CAP, 4.0 * grid.spacing)
        rows = [np.abs(grid.directions @ [np.cos(a), np.sin(a)] - 1.0).argmin() for a, _ in lines]
        columns = [np.abs(grid.offsets - t).argmin() for _, t in lines]
        exact = [line_integral(grid.directions[i], grid.offsets[j]) for i, j in zip(rows, columns, strict=True)]
        errors = (np.abs(integrals[rows, columns] - exact), np.abs(at_w - relu / 2.0)[near], np.abs(away)[near])
        largest = "{:15.1e}   {:8.1e}   {:15.1e}".format(*(e.max() for e in errors))
        print(f"{n:3d}   {grid.spacing:7.3f}   {largest}   {mass:8.3f}")

    draw(grid, at_w, away, relu, spikes).savefig(picture, dpi=150)
    print(f"wrote {picture}")


def draw(grid: rr.RadonGrid, at_w: np.ndarray, away: np.ndarray, relu: np.ndarray, spikes: np.ndarray) -> Figure:
    figure = Figure(figsize=(10.0, 8.0), layout="constrained")
    surface: Any = figure.add_subplot(2, 2, 1, projection="3d")
    first, second = (grid.points[:, i].reshape(grid.nodes, -1) for i in range(2))
    surface.plot_surface(first, second, windowed(grid.points).reshape(first.shape), cmap="cividis", rcount=80, ccount=80)
    surface.set(xlabel="$x_1$", ylabel="$x_2$", title="(a) the neuron $r(x) = \\rho(w^Tx - b)$, windowed")

    left, right = figure.add_subplot(2, 2, 2), figure.add_subplot(2, 2, 3)
    shown = np.abs(grid.offsets - B) <= 2.0 * NEAR
    for axes, curve, half, words in (
        (left, at_w, relu / 2.0, "(b) $\\mathcal{K}\\,\\mathcal{R}\\{r\\}$ at the direction $\\alpha = w$"),
        (right, away, 0.0 * relu, "(c) $\\mathcal{K}\\,\\mathcal{R}\\{r\\}$ at $\\alpha \\neq w$, a right angle away"),
    ):
        axes.plot(grid.offsets[shown], half[shown], color="#D55E00", linewidth=4.0, alpha=0.5, label="(28)")
        axes.plot(grid.offsets[shown], curve[shown], color="#0072B2", label="measured, up to an affine function")
        axes.set(xlabel="offset t", title=words, ylim=(-0.1, 0.7))
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)

    last = figure.add_subplot(2, 2, 4)
    inside = np.abs(grid.offsets) <= 1.6
    angles = np.degrees(np.arctan2(grid.directions[:, 1], grid.directions[:, 0]))
    order = np.argsort(angles)
    heights = spikes[order][:, inside].T
    top = heights.max()
    shades = last.pcolormesh(angles[order], grid.offsets[inside], heights, cmap="RdBu_r", vmin=-top, vmax=top)
    figure.colorbar(shades, ax=last)
    last.plot([30.0, -150.0], [B, -B], "o", markersize=18, color="black", fillstyle="none")
    last.set(xlabel="angle of $\\alpha$ (degrees)", ylabel="offset t")
    last.set_title("(d) $D_t^2\\,\\mathcal{K}\\,\\mathcal{R}\\{r\\}$: spikes at (w, b) and (−w, −b)")
    return figure


if __name__ == "__main__":
    main(*sys.argv[1:])
