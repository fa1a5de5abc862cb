"""Classes in one dimension: their probabilities, or the margin, and the boundaries between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ridgesplines.plotting.style import (
    BOUND,
    CURVE,
    DASHES,
    FIT,
    KNOT,
    NEGATIVE,
    POSITIVE,
    SERIES,
    class_names,
    margins,
    thinned,
)
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

#: How far, as a share of the height, the rows of ticks of the classes stand apart.
STEP = 0.05


def draw_classes(axes: Any, solution: Solution, target: str) -> None:
    """The probability of each class, of two the second's, or the margin where the loss gives none.

    Behind it a pale band for the class that is predicted, with lines between two of them; below, a row of ticks a
    class: its data.
    """
    p, net = solution.problem, solution.network
    x, names = p.X[:, 0], class_names(p, target)
    low, high = margins(x)
    t = np.union1d(np.linspace(low, high, CURVE), net.breakpoints[(net.breakpoints > low) & (net.breakpoints < high)])
    scores = net.at(t)
    shares = p.loss.probabilities(scores)
    if shares is None:
        curves, labels = scores[:, None], ["margin"]
        axes.set_ylabel("margin f(x)")
        axes.axhline(0.0, color=BOUND, linewidth=0.6)
    elif len(names) == 2:
        curves, labels = shares[:, 1:], ["probability"]
        axes.set_ylabel(f"probability of {names[1]}")
    else:
        curves, labels = shares, [f"probability of {name}" for name in names]
        axes.set_ylabel("probability")
    if shares is not None:
        axes.set_yticks(np.linspace(0.0, 1.0, 6))
    colours = [FIT] if len(labels) == 1 else colours_of(names)
    for j, (curve, label, colour) in enumerate(zip(curves.T, labels, colours, strict=True)):
        axes.plot(t, curve, color=colour, linestyle=DASHES[j % len(DASHES)], linewidth=1.8, label=label)
        at = np.searchsorted(t, np.sort(net.breakpoints[(net.breakpoints > low) & (net.breakpoints < high)]))
        axes.plot(t[at], curve[at], "o", color=KNOT if len(labels) == 1 else colour, markersize=5, markeredgecolor="w")
    axes.set_xlim(low, high)
    _draw_boundaries(axes, t, scores, colours_of(names))
    _draw_ticks(axes, p, names)
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def boundaries(t: Array, scores: Array) -> tuple[Array, list[int]]:
    """Where the predicted class changes, and the class of each piece: scores are straight between the t."""
    scores = np.stack([np.zeros(len(t)), scores], axis=1) if scores.ndim == 1 else scores
    best = scores.argmax(axis=1)
    places = list[float]()
    for i in np.flatnonzero(np.diff(best)):
        ahead = scores[i : i + 2, best[i]] - scores[i : i + 2, best[i + 1]]
        places.append(t[i] + (t[i + 1] - t[i]) * ahead[0] / (ahead[0] - ahead[1]))
    return np.array(places), best[np.append(np.flatnonzero(np.diff(best)), len(t) - 1)].tolist()


def colours_of(names: Sequence[str]) -> list[str]:
    """A colour a class; of two the signs have theirs."""
    return [NEGATIVE, POSITIVE] if len(names) == 2 else [SERIES[j % len(SERIES)] for j in range(len(names))]


def _draw_boundaries(axes: Any, t: Array, scores: Array, colours: Sequence[str]) -> None:
    places, classes = boundaries(t, scores)
    for i, place in enumerate(places):
        axes.axvline(place, color=BOUND, linewidth=1.0, linestyle="--", label="" if i else "boundary")
    for (left, right), own in zip(pairwise([t[0], *places, t[-1]]), classes, strict=True):
        axes.axvspan(left, right, color=colours[own], alpha=0.08, linewidth=0, zorder=0)


def _draw_ticks(axes: Any, problem: Problem, names: list[str]) -> None:
    """The data of each class, in the colour of its band."""
    low, high = axes.get_ylim()
    values = np.unique(problem.y) if problem.n_outputs is not None else np.array([-1.0, 1.0])
    for j, (value, name, colour) in enumerate(zip(values, names, colours_of(names), strict=True)):
        own = thinned(problem.X[problem.y == value, 0])
        row = np.full(len(own), low - STEP * (j + 0.5) * (high - low))
        axes.plot(own, row, "|", color=colour, markersize=7, alpha=0.7, label=name)
    axes.set_ylim(low - STEP * (len(names) + 0.5) * (high - low), high)
