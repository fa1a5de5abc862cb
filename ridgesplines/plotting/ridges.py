"""Many dimensions: the ridge functions of which the network is a sum, each with its direction and its profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ridgesplines.network.interpret import RidgeFunction
from ridgesplines.plotting.style import (
    KNOT,
    NEGATIVE,
    POSITIVE,
    Picture,
    draw_rug,
    draw_series,
    drawn_at,
    headline,
    margins,
    series,
    value_name,
)
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

#: The most ridge functions that are drawn, and the most features of each direction.
MOST_RIDGES = 6
MOST_FEATURES = 12


def draw_ridges(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    r"""A row a ridge function: its direction as bars, its bend along it; below, the affine part.

    Which affine part a profile has is a matter of how its neurons are written down, :math:`\rho(t) - \rho(-t) = t`. So
    the line that fits it best at the data is drawn with the affine part, and the profile less that line: this depends
    on f alone.
    """
    net, problem = solution.network, solution.problem.reduced
    ridges = sorted(net.ridges(), key=lambda ridge: -_part(problem, ridge))
    lines = [_line(problem, ridge) for ridge in ridges]
    slope = net.slope + sum(np.multiply.outer(r.direction, rise) for r, (_, rise) in zip(ridges, lines, strict=True))
    shown = ridges[:MOST_RIDGES]
    scales = np.ones(net.n_features) if problem.scales is None else problem.scales
    bars = [ridge.direction * scales / np.linalg.norm(ridge.direction * scales) for ridge in shown]
    features = _largest(np.column_stack([*bars, (slope.T * scales).T]))
    rows = len(shown) + 1
    figure.set_size_inches(8.5, 0.9 + rows * (0.9 + 0.14 * len(features)))
    panels = figure.subplots(rows, 2, width_ratios=[1.0, 1.6], squeeze=False)
    names = [net.names[i] for i in features]
    for (left, right), ridge, line, bar in zip(panels, shown, lines, bars, strict=False):
        if right is not panels[0, 1]:
            right.sharey(panels[0, 1])
        _draw_bars(left, names, bar[features])
        left.set_xlim(-1.05, 1.05)
        left.set_title("direction w" + _per_scale(problem) if left is panels[0, 0] else "", fontsize=9, loc="left")
        _draw_profile(right, problem, ridge, line, _part(problem, ridge) / solution.seminorm)
    _draw_affine(panels[-1, 0], panels[-1, 1], problem, names, slope, features)
    for right in panels[:, 1]:
        right.set_ylabel(value_name(problem, target), fontsize=8)
    figure.align_ylabels(panels[:, 1])
    text = headline(solution, title)
    if len(shown) < len(ridges):
        text += f"\nthe {len(shown)} of {len(ridges)} ridge functions with the largest seminorm"
    if len(features) < net.n_features:
        text += f"\nthe {len(features)} of {net.n_features} features with the largest weights"
    figure.suptitle(text, fontsize=10, x=0.01, ha="left")


def _part(problem: Problem, ridge: RidgeFunction) -> float:
    """What a ridge function adds to the seminorm."""
    return ridge.seminorm * float(problem.lengths(ridge.direction[None])[0])


def _per_scale(problem: Problem) -> str:
    """Where features have scales, bars are comparable once weights are multiplied by them."""
    return "" if problem.scales is None else " times scales"


def _line(problem: Problem, ridge: RidgeFunction) -> tuple[Array, Array]:
    """(value at the mean projection, slope) of the line that fits the profile best at the data."""
    weight = problem.sample_weight / problem.sample_weight.sum()
    t = problem.X @ ridge.direction
    centred, values = t - weight @ t, ridge.profile(t)
    spread = weight @ centred**2
    return weight @ values, (weight * centred) @ values / (spread if spread > 0.0 else 1.0)


def _largest(columns: Array) -> NDArray[np.intp]:
    """The features of the largest weights, in their own order; each column counts by its own size."""
    size = np.abs(columns) / np.maximum(np.abs(columns).max(axis=0), np.finfo(float).tiny)
    return np.sort(np.argsort(-size.max(axis=1), kind="stable")[:MOST_FEATURES])


def _draw_bars(axes: Any, names: Sequence[str], values: Array) -> None:
    places = np.arange(len(names))
    axes.barh(places, values, color=np.where(values >= 0.0, POSITIVE, NEGATIVE), height=0.7)
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _draw_profile(axes: Any, problem: Problem, ridge: RidgeFunction, line: tuple[Array, Array], share: float) -> None:
    """The profile less its line, with its knots, over the data's projections."""
    t = problem.X @ ridge.direction
    mean = np.average(t, weights=problem.sample_weight)

    def bend(at: Array) -> Array:
        return ridge.profile(at) - line[0] - np.multiply.outer(at - mean, line[1])

    low, high = margins(t)
    knots = np.unique(ridge.knots)
    knots = knots[(low < knots) & (knots < high)]
    corners = drawn_at(ridge.profile, low, high, knots)
    draw_series(axes, problem, corners, bend(corners))
    if problem.n_outputs is None:
        axes.plot(knots, bend(knots), "o", color=KNOT, markersize=5, markeredgecolor="white")
    _finish(axes, t)
    count = f"{len(ridge.neurons)} neuron" + ("s" if len(ridge.neurons) > 1 else "")
    axes.set_title(f"{share:.0%} of the seminorm, {count}; what bends along $w^Tx$", fontsize=9, loc="left")


def _draw_affine(
    left: Any, right: Any, problem: Problem, names: Sequence[str], slope: Array, features: NDArray[np.intp]
) -> None:
    """The affine part: its slope as bars, and what it makes of the data; for vector outputs dots, one an output."""
    left.set_title("slope of the affine part" + _per_scale(problem), fontsize=9, loc="left")
    bars = slope if problem.scales is None else (slope.T * problem.scales).T
    if problem.n_outputs is not None:
        _draw_bars(left, names, np.zeros(len(features)))
        styles = series(problem)
        for values, style in zip(bars[features].T, styles, strict=True):
            left.plot(values, np.arange(len(features)), "o", markersize=4, color=style["color"])
        right.axis("off")
        keys = [Line2D([], [], marker="o", markersize=4, **style) for style in styles]
        right.legend(handles=keys, frameon=False, fontsize=8, ncols=2, loc="center left")
        return
    _draw_bars(left, names, bars[features])
    size = float(np.linalg.norm(slope)) or 1.0
    t = problem.X @ (slope / size)
    ends = np.array(margins(t))
    draw_series(right, problem, ends, size * (ends - np.average(t, weights=problem.sample_weight)))
    right.set_title("affine part along its slope, from its mean", fontsize=9, loc="left")
    _finish(right, t)


def _finish(axes: Any, t: Array) -> None:
    draw_rug(axes, t)
    axes.axhline(0.0, color="black", linewidth=0.6, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
