"""Fig. 4: the sparsifying transform of a neuron
=============================================

The sparsifying transform of a neuron, measured: the four panels of Fig. 4, and how their errors fall with the grid.

A ReLU neuron of two inputs, cut off smoothly far from its ridge, and sampled. Its Radon transform, filtered by K, has
the neuron's own activation at the direction of its weights, and nothing at any other; two derivatives later a spike is
left at (w, b), and one at (-w, -b), which is the same line, with mass ``|w|`` together. The error comes from
the spacing of the grid, and the window; so here the grid is refined, and the window widened, as the nodes increase.

For a network all this is known in closed form: see ridgesplines.radon.radon_measure. Here values on a grid are all
that is used.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad

import ridgesplines.radon as rr

# %%
ANGLE = np.pi / 6.0
W = np.array([np.cos(ANGLE), np.sin(ANGLE)])
ACROSS = np.array([-W[1], W[0]])
B = 0.5
CAP = 0.6  # radians: the directions that count as near one
NEAR = 0.6  # how far from B the activation is compared


def neuron(X: np.ndarray) -> np.ndarray:
    return np.maximum(X @ W - B, 0.0)


def line_integral(window: rr.Window, direction: np.ndarray, offset: float) -> float:
    """The Radon transform of the windowed neuron by adaptive quadrature along the line."""
    along = np.array([-direction[1], direction[0]])

    def on_the_line(s: float) -> float:
        X = (offset * direction + s * along)[None]
        return float(neuron(X)[0] * window(X)[0])

    return quad(on_the_line, -window.radius, window.radius, limit=200)[0]


def extracted(filtered: np.ndarray, grid: rr.RadonGrid, direction: np.ndarray, activation: np.ndarray) -> np.ndarray:
    """The filtered Radon transform near a direction, against half of an activation, up to an affine function.

    A neuron is determined up to an affine function, which K R annihilates; so is what the window adds, nearly.
    """
    profile = rr.cap_integral(filtered, grid, direction, CAP)
    near = np.abs(grid.offsets - B) <= NEAR
    line = np.polyfit(grid.offsets[near], profile[near] - activation[near] / 2.0, 1)
    return profile - np.polyval(line, grid.offsets)


def measure(n: int) -> tuple[rr.RadonGrid, np.ndarray, np.ndarray, np.ndarray]:
    """Prints the errors on a grid of n nodes an axis; returns what the picture shows."""
    window = rr.Window(radius=0.4 * np.sqrt(n - 1.0))
    grid = rr.RadonGrid(d=2, nodes=n, radius=window.radius)
    image = grid.sample(neuron) * grid.sample(window)
    integrals = rr.radon_transform(image, grid)
    rows = np.arange(0, len(grid.directions), len(grid.directions) // 6)
    columns = [int(np.abs(grid.offsets - t).argmin()) for t in (-0.8, 0.0, 0.4, 0.8)]
    exact = [[line_integral(window, grid.directions[i], grid.offsets[j]) for j in columns] for i in rows]

    filtered = rr.backprojection_filter(integrals, grid)
    relu = np.maximum(grid.offsets - B, 0.0)
    at_w, away = extracted(filtered, grid, W, relu), extracted(filtered, grid, ACROSS, 0.0 * relu)
    spikes = rr.sparsifying_transform(image, grid)
    mass = rr.spike_mass(spikes, grid, W, B, CAP, 4.0 * grid.spacing)

    near = np.abs(grid.offsets - B) <= NEAR
    errors = (integrals[np.ix_(rows, columns)] - exact, (at_w - relu / 2.0)[near], away[near])
    sizes = "{:15.1e}   {:8.1e}   {:15.1e}".format(*(np.sqrt(np.mean(e**2)) for e in errors))
    print(f"{n:3d}   {grid.spacing:7.3f}   {window.radius:6.2f}   {sizes}   {mass:8.3f}")
    return grid, at_w, away, spikes


def draw_profile(axes: Any, grid: rr.RadonGrid, curve: np.ndarray, exact: np.ndarray, formula: str) -> None:
    shown = np.abs(grid.offsets - B) <= 2.0 * NEAR
    axes.plot(grid.offsets[shown], exact[shown], color="#D55E00", linewidth=4.0, alpha=0.5, label=formula)
    axes.plot(grid.offsets[shown], curve[shown], color="#0072B2", label="measured, up to an affine function")
    axes.set(xlabel="offset t", ylabel=f"integral over directions within {CAP} rad", ylim=(-0.1, 0.7))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def draw(grid: rr.RadonGrid, at_w: np.ndarray, away: np.ndarray, spikes: np.ndarray) -> Figure:
    relu = np.maximum(grid.offsets - B, 0.0)
    figure = plt.figure(figsize=(10.0, 8.0), layout="constrained")
    surface: Any = figure.add_subplot(2, 2, 1, projection="3d")
    patch = rr.RadonGrid(d=2, nodes=61, radius=1.6)
    heights = patch.sample(neuron)
    surface.plot_surface(*np.meshgrid(patch.axis, patch.axis, indexing="ij"), heights, cmap="cividis", linewidth=0)
    surface.set(xlabel="$x_1$", ylabel="$x_2$", title="(a) the neuron $r(x) = \\rho(w^Tx - b)$")
    surface.view_init(elev=25.0, azim=-110.0)

    words = "$\\mathcal{K}\\,\\mathcal{R}\\{r\\}$ at "
    draw_profile(figure.add_subplot(2, 2, 2), grid, at_w, relu / 2.0, "$\\rho(t - b)\\,/\\,2$, by (28)")
    draw_profile(figure.add_subplot(2, 2, 3), grid, away, 0.0 * relu, "0, by (28)")
    figure.axes[1].set_title(f"(b) {words}the direction $\\alpha = w$")
    figure.axes[2].set_title(f"(c) {words}$\\alpha \\neq w$, a right angle away")

    last = figure.add_subplot(2, 2, 4)
    inside = np.abs(grid.offsets) <= 1.6
    angles = np.degrees(np.arctan2(grid.directions[:, 1], grid.directions[:, 0]))
    order = np.argsort(angles)
    heights = spikes[order][:, inside].T
    top = heights.max()
    shades = last.pcolormesh(angles[order], grid.offsets[inside], heights, cmap="RdBu", vmin=-top, vmax=top)
    figure.colorbar(shades, ax=last)
    last.plot([30.0, -150.0], [B, -B], "o", markersize=18, color="black", fillstyle="none")
    last.set(xlabel="angle of $\\alpha$ (degrees)", ylabel="offset t")
    last.set_title("(d) $D_t^2\\,\\mathcal{K}\\,\\mathcal{R}\\{r\\}$: spikes at (w, b) and (−w, −b)")
    return figure


# %%
print("root mean square errors, by the nodes n an axis, and the mass of the two spikes together, |w| = 1")
print("  n   spacing   radius   Radon transform   K R at w   K R away from w   mass")
for n in (33, 65, 129, 193):
    shown = measure(n)
draw(*shown).savefig("radon_domain.png", dpi=150)
print("wrote radon_domain.png")
