"""Two dimensions: contours or a surface of f, with the ridges along which it bends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ridgesplines.plotting.style import (
    KNOT,
    MOST_POINTS,
    SIGNED,
    Picture,
    class_names,
    draw_density,
    headline,
    value_name,
)
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

CELLS = 161
#: More ridges than these are the paler the smaller.
MOST_RIDGES = 12
#: Label, marker and colour of the two classes.
CLASSES = ((-1.0, "o", "white"), (1.0, "^", "#003a5c"))


def _window(solution: Solution) -> tuple[Array, Array, Array]:
    """The two axes of a grid around the data, and f on it, or the mean that it is a function of."""
    X = solution.problem.X
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.05 * np.where(high > low, high - low, 1.0)
    first, second = (np.linspace(a, b, CELLS) for a, b in zip(low - margin, high + margin, strict=True))
    points = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    return first, second, solution.problem.loss.mean(solution.network.at(points)).reshape(CELLS, CELLS)


def _name(solution: Solution, target: str) -> str:
    """The name of what is drawn."""
    return value_name(solution.problem, target) if solution.problem.loss.labels else target


def draw_contours(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    draw_map(figure.subplots(), solution, target, title)


def draw_map(axes: Any, solution: Solution, target: str, title: str | None) -> None:
    first, second, values = _window(solution)
    classes = solution.problem.loss.labels
    y = solution.problem.y
    low, high = (values.min(), values.max()) if classes else (min(values.min(), y.min()), max(values.max(), y.max()))
    if classes:
        high = max(abs(low), abs(high), 1e-12)
        low = -high
    levels = MaxNLocator(16).tick_values(low, high if high > low else low + 1.0)
    colours = SIGNED if classes else "cividis"
    shown = axes.contourf(first, second, values, levels=levels, cmap=colours)
    axes.get_figure().colorbar(shown, ax=axes, label=_name(solution, target))
    _draw_data(axes, solution, target, colours, levels)
    if classes and values.min() < 0.0 < values.max():
        axes.contour(first, second, values, levels=[0.0], colors="black", linewidths=1.8)
    _draw_ridges(axes, solution, first, second)
    axes.set_xlabel(solution.network.names[0])
    axes.set_ylabel(solution.network.names[1])
    axes.set_title(headline(solution, title), fontsize=10, loc="left")


def _draw_data(axes: Any, solution: Solution, target: str, colours: Any, levels: Sequence[float]) -> None:
    p = solution.problem
    many = p.n_samples > MOST_POINTS
    if not p.loss.labels and many:
        draw_density(axes, p.X[:, 0], p.X[:, 1], "black", "data (density)", strongest=0.35)
        axes.legend(fontsize=9, loc="upper right")
        return
    if not p.loss.labels:
        limits = {"vmin": levels[0], "vmax": levels[-1]}
        axes.scatter(*p.X.T, c=p.y, cmap=colours, s=22, edgecolors="black", linewidths=0.5, zorder=4, **limits)
        return
    for name, (label, marker, colour) in zip(class_names(p, target), CLASSES, strict=True):
        own = p.X[p.y == label]
        if many:
            strong = "#7a3500" if label < 0.0 else "#003a5c"  # the ends of the map of f
            draw_density(axes, own[:, 0], own[:, 1], strong, f"{name} (density)", strongest=0.4)
            continue
        style = {"marker": marker, "c": colour, "edgecolors": "black", "linewidths": 0.5, "zorder": 4}
        axes.scatter(*own.T, s=26, label=name, **style)
    axes.legend(fontsize=9, loc="upper right" if many else "best")  # among many data no place is better


def _draw_ridges(axes: Any, solution: Solution, first: Array, second: Array) -> None:
    """The lines w^T x = b, the wider the larger the amplitude, and of many the paler the smaller; below the data."""
    net = solution.network
    if not net.n_neurons:
        return
    size = np.abs(net.amplitudes) / np.abs(net.amplitudes).max()
    shown = np.ones_like(size) if net.n_neurons <= MOST_RIDGES else 0.06 + 0.94 * size
    axes.set_xlim(first[0], first[-1])
    axes.set_ylim(second[0], second[-1])
    for w, b, s, alpha in zip(net.weights, net.biases, size, shown, strict=True):
        line = b * w, b * w + np.array([-w[1], w[0]])
        axes.axline(*line, color="white", linewidth=1.4 + 2.2 * s, alpha=0.9 * alpha)
        axes.axline(*line, color=KNOT, linewidth=0.6 + 1.8 * s, alpha=alpha)


def draw_surface(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    draw_relief(figure.add_subplot(projection="3d"), solution, target, title)


def draw_relief(axes: Any, solution: Solution, target: str, title: str | None) -> None:
    first, second, values = _window(solution)
    colours = SIGNED if solution.problem.loss.labels else "cividis"
    axes.plot_surface(*np.meshgrid(first, second), values, cmap=colours, alpha=0.85, linewidth=0, rcount=80, ccount=80)
    if not solution.problem.loss.labels:
        p = solution.problem
        some = np.linspace(0, p.n_samples - 1, min(p.n_samples, MOST_POINTS)).astype(int)
        axes.scatter(*p.X[some].T, p.y[some], color="black", s=8, depthshade=False)
    axes.set_xlabel(solution.network.names[0])
    axes.set_ylabel(solution.network.names[1])
    axes.set_zlabel(_name(solution, target))
    axes.set_title(headline(solution, title), fontsize=10, loc="left")
