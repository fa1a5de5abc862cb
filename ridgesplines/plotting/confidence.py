"""A fit of few knots with its intervals: a band about the curve, a bar at each knot."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.plotting.style import (
    CURVE,
    DATA,
    FIT,
    KNOT,
    MOST_POINTS,
    canvas,
    draw_density,
    draw_legend,
    margins,
)
from ridgesplines.plotting.time_axis import label_x


def plot_confidence(confidence: Any, target: str | None = None, *, ax: Any = None, title: str | None = None) -> Figure:
    """The data, the curve with its band, and the intervals of the knots.

    Parameters
    ----------
    confidence : of a solution, ``solution.confidence()``.
    target : what to call y; by default the problem's name for it.
    ax : matplotlib Axes to draw into; by default those of a new figure.
    title : by default what was taken as given.

    Returns
    -------
    matplotlib.figure.Figure
        That of `ax`, or one that is not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 4.0, 41)
    >>> y = np.abs(x - 1.5) + 0.1 * np.sin(40.0 * x)
    >>> sure = rs.solve_path(rs.Problem(x, y, lam=1.0)).with_neurons(1).confidence()
    >>> sure.plot(target="height").axes[0].get_ylabel()
    'height'
    """
    problem, knots = confidence.solution.problem, confidence.knots
    x = problem.X[:, 0]
    figure, axes = canvas(ax, 7.5, 4.5)
    if problem.n_samples > MOST_POINTS:
        draw_density(axes, x, problem.y, "#404040", "data (density)")
    else:
        axes.scatter(x, problem.y, s=12.0, color=DATA, alpha=0.7, linewidths=0, label="data")
    low, high = margins(x)
    at = np.union1d(np.linspace(low, high, CURVE), knots.value)
    band = confidence.at(at)
    level = f"{100.0 * confidence.level:g} %"
    axes.fill_between(at, band.low, band.high, color=FIT, alpha=0.25, linewidth=0, label=f"{level}, pointwise")
    axes.plot(at, band.value, color=FIT, linewidth=1.8, label="least squares")
    heights = confidence.solution.network.at(knots.value)
    ends = np.array([knots.value - knots.low, knots.high - knots.value])
    axes.errorbar(
        knots.value, heights, xerr=np.maximum(ends, 0.0), fmt="o", color=KNOT, capsize=4, markersize=5, label="knots"
    )
    axes.set_xlim(low, high)
    axes.set_ylabel(target or problem.target_name or "y")
    label_x(axes.xaxis, confidence.solution.network.names[0], problem.dates, x)
    words = f"K = {len(knots)} knots, taken as given; {confidence.method}" if title is None else title
    axes.set_title(words, fontsize=10, loc="left")
    draw_legend(axes, x, problem.y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
