"""Many dimensions: the fit as a sum of curves of one feature and maps of two, as additive models are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from ridgesplines.network.components import Component, Components
from ridgesplines.plotting.style import (
    KNOT,
    SIGNED,
    Picture,
    draw_rug,
    draw_series,
    headline,
    margins,
    series,
    value_name,
)
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

#: The most panels that are drawn, and how many stand side by side.
MOST_PANELS = 9
COLUMNS = 3
#: Components of a smaller share of the variance are left out.
LEAST = 2e-3
#: Points along a curve besides its knots, and along each side of a map.
VALUES = 301
CELLS = 81
#: The most data that are drawn on a map, at equal steps of their rows.
MOST_DOTS = 1000
#: A feature of at most so many values is one of categories: they have ticks, and dots on their curve.
CATEGORIES = 4


@dataclass(frozen=True, eq=False)
class Panel:
    """A curve of all outputs, or a map of one of them, with its share of the variance."""

    part: Component
    share: float
    output: int | None = None


def draw_components(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    """Curves above, on one scale; maps below, in one scale of colours; of each the largest first."""
    net, p = solution.network, solution.problem.reduced
    found = net.components(p.X, p.sample_weight)
    panels = _panels(p, found)
    shown = [panel for panel in panels if panel.share >= LEAST][:MOST_PANELS] or panels[:1]
    curves = [panel for panel in shown if len(panel.part.features) == 1]
    maps = [panel for panel in shown if len(panel.part.features) == 2]
    columns = min(COLUMNS, max(len(curves), len(maps)))
    heights = [2.0] * -(-len(curves) // columns) + [2.5] * -(-len(maps) // columns)
    figure.set_size_inches(max(7.5, 1.6 + 2.6 * columns), 1.1 + sum(heights))
    grid = figure.subplots(len(heights), columns, height_ratios=heights, squeeze=False)
    for axes in grid.ravel():
        axes.set_visible(False)
    above, below = grid.ravel(), grid[-(-len(curves) // columns) :].ravel()
    _draw_curves(above, p, curves, value_name(p, target))
    _draw_maps(figure, below, p, maps, value_name(p, target))
    figure.suptitle(f"{headline(solution, title)}\n{_words(found, shown)}", fontsize=10, x=0.01, ha="left")


def _panels(problem: Problem, found: Components) -> list[Panel]:
    """The panels that there may be, in the order of the components."""
    panels: list[Panel] = []
    for part in found:
        if len(part.features) == 1 or (len(part.features) == 2 and problem.n_outputs is None):
            panels.append(Panel(part, part.share))
        elif len(part.features) == 2:
            squares = np.average(part(problem.X) ** 2, weights=problem.sample_weight, axis=0)
            shares = part.share * squares / (squares.sum() or 1.0)
            panels += [Panel(part, float(share), j) for j, share in enumerate(shares)]
    return panels


def _words(found: Components, shown: Sequence[Panel]) -> str:
    """What is drawn, and what is not."""
    mean = "its mean" if np.ndim(found.intercept) else f"{found.intercept:.4g}"
    text = f"f = {mean} + what is drawn, each of mean zero; in percent: shares of the variance"
    rest = 1.0 - sum(panel.share for panel in shown)
    larger = sum(part.share for part in found if len(part.features) > 2)
    if larger >= LEAST:
        text += f"\nnot drawn: neurons of three and more features together, {_percent(larger)}"
        rest -= larger
    if rest >= LEAST and found[0].share > 0.0:
        text += f"\nnot drawn: smaller components, {_percent(rest)} together"
    return text


def _percent(share: float) -> str:
    return f"{100.0 * share:.{0 if share >= 0.0995 else 1}f} %"


def _at(part: Component, d: int, *values: Array) -> Array:
    """A component at values of its own features, each of shape (n,)."""
    points = np.zeros((len(values[0]), d))
    points[:, list(part.features)] = np.stack(values, axis=1)
    return part(points)


def _draw_curves(panels: NDArray[Any], problem: Problem, curves: Sequence[Panel], name: str) -> None:
    """A curve over the range of its data, with its knots, on one scale for all."""
    for i, (axes, panel) in enumerate(zip(panels, curves, strict=False)):
        part, (j,) = panel.part, panel.part.features
        x = problem.X[:, j]
        low, high = margins(x)
        knots = np.unique(part.knots[(low < part.knots) & (part.knots < high)])
        t = np.union1d(knots, np.linspace(low, high, VALUES))
        _start(axes, panel, problem)
        if i:
            axes.sharey(panels[0])
        axes.axhline(0.0, color="black", linewidth=0.6, zorder=0)
        values = _at(part, problem.n_features, t)
        draw_series(axes, problem, t, values)
        if problem.n_outputs is None and problem.activation.homogeneity is not None:
            at_knots = values[np.searchsorted(t, knots)]
            axes.plot(knots, at_knots, "o", color=KNOT, markersize=5, markeredgecolor="white")
        if len(given := np.unique(x)) <= CATEGORIES:
            marks = _at(part, problem.n_features, given).reshape(len(given), -1)
            for mark, style in zip(marks.T, series(problem), strict=True):
                axes.plot(given, mark, "s", color=style["color"], markersize=6)
        else:
            draw_rug(axes, x)
        axes.spines[["top", "right"]].set_visible(False)
        if i % COLUMNS == 0:
            axes.set_ylabel(name, fontsize=9)
        else:
            axes.tick_params(labelleft=False)
    if curves and problem.n_outputs is not None:
        panels[0].legend(frameon=False, fontsize=8)


def _start(axes: Any, panel: Panel, problem: Problem) -> None:
    """The title, the name of the first feature, and its ticks: of few whole numbers each has one."""
    axes.set_visible(True)
    name = panel.part.name if panel.output is None else series(problem)[panel.output]["label"]
    axes.set_title(f"{name}: {_percent(panel.share)}", fontsize=9, loc="left")
    axes.tick_params(labelsize=8)
    names = zip((axes.xaxis, axes.yaxis), panel.part.features, panel.part.names, strict=False)
    for axis, j, name in names:
        axis.set_label_text(name, fontsize=9)
        values = np.unique(problem.X[:, j])
        axis.set_ticks(values) if len(values) <= CATEGORIES else axis.set_major_locator(MaxNLocator(5))


def _draw_maps(figure: Picture, panels: NDArray[Any], problem: Problem, maps: Sequence[Panel], name: str) -> None:
    """A map over the range of its data, pale beyond their convex hull; one scale of colours for all."""
    if not maps:
        return
    drawn = [_Map.of(problem, panel) for panel in maps]
    top = max(max(each.largest for each in drawn), 1e-12)
    levels = MaxNLocator(12, symmetric=True).tick_values(-top, top)
    some = np.linspace(0, problem.n_samples - 1, min(problem.n_samples, MOST_DOTS)).astype(int)
    for axes, panel, each in zip(panels, maps, drawn, strict=False):
        _start(axes, panel, problem)
        shown = axes.contourf(*each.sides, each.values, levels=levels, cmap=SIGNED, extend="both")
        _draw_bends(axes, panel)
        if each.hull is not None:
            axes.add_patch(PathPatch(each.veil, facecolor="white", alpha=0.75, linewidth=0, zorder=2.5))
        axes.plot(*each.data[some].T, "o", color="black", markersize=2.2, alpha=0.4, markeredgewidth=0, zorder=3)
        axes.set_xlim(*each.sides[0][[0, -1]])
        axes.set_ylim(*each.sides[1][[0, -1]])
    shrink, aspect = (1.0, 30.0) if len(maps) == 1 else (0.6, 45.0)
    bar = figure.colorbar(shown, ax=list(panels[: len(maps)]), location="bottom", shrink=shrink, aspect=aspect)
    bar.set_label(name, fontsize=9)
    bar.ax.tick_params(labelsize=8)


def _draw_bends(axes: Any, panel: Panel) -> None:
    """The lines along which a component of two features bends, the wider the larger the amplitude."""
    own = panel.part.part
    sizes = np.abs(own.amplitudes if panel.output is None else own.amplitudes[:, panel.output])
    for w, b, size in zip(own.weights[:, list(panel.part.features)], own.biases, sizes, strict=True):
        if size > 0.0:
            width = 0.4 + 0.8 * size / sizes.max()
            axes.axline(b * w, b * w + np.array([-w[1], w[0]]), color=KNOT, linewidth=width, alpha=0.6)


@dataclass(frozen=True, eq=False)
class _Map:
    """A component of two features on a grid around its data."""

    data: Array
    sides: tuple[Array, Array]
    values: Array
    hull: Array | None

    @classmethod
    def of(cls, problem: Problem, panel: Panel) -> _Map:
        data = problem.X[:, list(panel.part.features)]
        first, second = (np.linspace(*margins(t), CELLS) for t in data.T)
        across, up = np.meshgrid(first, second)
        values = _at(panel.part, problem.n_features, across.ravel(), up.ravel())
        values = values if panel.output is None else values[:, panel.output]
        try:
            spread = np.ptp(data, axis=0)
            hull = data[ConvexHull((data - data.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)).vertices]
        except QhullError:  # data on a line
            hull = None
        return cls(data, (first, second), values.reshape(CELLS, CELLS), hull)

    @property
    def largest(self) -> float:
        """The largest value in size among the data."""
        if self.hull is None:
            return float(np.abs(self.values).max())
        across, up = np.meshgrid(*self.sides)
        inside = Path(self.hull).contains_points(np.column_stack([across.ravel(), up.ravel()]))
        return float(np.abs(self.values.ravel()[inside]).max(initial=0.0))

    @property
    def veil(self) -> Path:
        """What lies outside of the hull: a frame, and the hull the other way round."""
        (left, right), (low, high) = (side[[0, -1]] for side in self.sides)
        frame = Path([[left, low], [left, high], [right, high], [right, low], [left, low]], closed=True)
        assert self.hull is not None
        return Path.make_compound_path(frame, Path(np.concatenate([self.hull, self.hull[:1]]), closed=True))
