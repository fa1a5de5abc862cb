"""A picture of a path: where the knots are, and what else changes, as lam falls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import group_norms
from ridgesplines.plotting.style import DATA, FIT, KNOT, NEGATIVE, POSITIVE, lam_axis, new_figure, require_axes
from ridgesplines.plotting.time_axis import label_x
from ridgesplines.solution import Path, Solution

FLOOR = 1e-16


def plot_path(path: Path, *, ax: Any = None, title: str | None = None) -> Figure:
    """A path as lam falls, to the right: for d = 1 the knots, then neurons, data fit, seminorm, relative gap.

    A knot is a dot at its position, the larger the more the slope changes there, in one colour where the slope rises
    and in another where it falls (in a third for vector outputs, whose slopes change each their own way). Grey ticks
    at the left edge are the data.

    Parameters
    ----------
    path : from `solve_path`; solutions with lam = 0 are left out. Gaps below 1e-16 are drawn there: it is rounding.
    ax : matplotlib Axes for the upper panel alone, the knots or in many dimensions the neurons; by default a new figure
        of all panels.
    title : none by default.

    Returns
    -------
    matplotlib.figure.Figure
        That of `ax`, or one that is not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        Where no lam is positive.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
    >>> len(rs.solve_path(problem, n_lams=5).plot().axes)
    5
    """
    solutions = [s for s in path if s.problem.lam > 0.0]
    if not solutions:
        raise ProblemError("path", "a positive lam somewhere", "none", "A logarithmic axis has no place for lam = 0.")
    lams = [s.problem.lam for s in solutions]
    univariate = solutions[0].problem.n_features == 1
    if ax is not None:
        return _draw_upper(require_axes(ax), solutions, univariate, title)
    heights = [3.0] * univariate + [1.0] * 4
    figure = new_figure(7.0, 1.2 * sum(heights) + 1.6)
    panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    if univariate:
        _draw_knots(panels[0], solutions)
    rows = panels[-4:]
    _draw_neurons(rows[0], solutions)
    rows[1].plot(lams, [s.data_fit for s in solutions], "o-", markersize=3, color=FIT)
    rows[1].set_ylabel("data fit")
    rows[2].plot(lams, [s.seminorm for s in solutions], "o-", markersize=3, color=FIT)
    rows[2].set_ylabel("seminorm")
    rows[3].semilogy(lams, [max(s.relative_gap, FLOOR) for s in solutions], "o-", markersize=3, color=FIT)
    scopes = dict.fromkeys(s.certificate.scope for s in solutions)
    rows[3].set_ylabel(f"relative gap\n({', '.join(scopes)})")
    lam_axis(rows[3], lams)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels(panels)
    if title is not None:
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    return figure


def _draw_upper(axes: Any, solutions: Sequence[Solution], univariate: bool, title: str | None) -> Any:
    """The panel that says most, by itself: the figure that it is in."""
    (_draw_knots if univariate else _draw_neurons)(axes, solutions)
    lam_axis(axes, [s.problem.lam for s in solutions])
    axes.spines[["top", "right"]].set_visible(False)
    if title is not None:
        axes.set_title(title, fontsize=10, loc="right" if univariate else "left")  # the legend stands at the left
    return axes.get_figure()


def _draw_neurons(axes: Any, solutions: Sequence[Solution]) -> None:
    lams = [s.problem.lam for s in solutions]
    axes.step(lams, [s.network.n_neurons for s in solutions], "o-", where="mid", markersize=3, color=KNOT)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("neurons K")


def _draw_knots(axes: Any, solutions: Sequence[Solution]) -> None:
    """A dot a knot and lam; its area grows with the change of slope, so that small ones stay visible."""
    lams = np.concatenate([np.full(s.network.n_neurons, s.problem.lam) for s in solutions])
    knots = np.concatenate([s.network.breakpoints for s in solutions])
    sizes = np.concatenate([group_norms(s.network.amplitudes) for s in solutions])
    if solutions[0].problem.n_outputs is None:
        signs = np.concatenate([np.sign(s.network.amplitudes) for s in solutions])
        kinds = [(1.0, POSITIVE, "slope rises"), (-1.0, NEGATIVE, "slope falls")]
    else:
        signs, kinds = np.zeros(len(lams)), [(0.0, KNOT, "slopes change")]
    area = 5.0 + 75.0 * sizes / sizes.max(initial=np.finfo(float).tiny)
    for sign, colour, _ in kinds:
        own = signs == sign
        axes.scatter(lams[own], knots[own], s=area[own], color=colour, alpha=0.7, linewidths=0)
    x = solutions[0].problem.X[:, 0]
    axes.plot(np.zeros(len(x)), x, "_", color=DATA, markersize=8, transform=axes.get_yaxis_transform(), zorder=0)
    label_x(axes.yaxis, f"knots in {solutions[0].network.names[0]}", solutions[0].problem.dates, x)
    # Dots of one size and above the panel: a knot may be anywhere in it.
    dots = [Line2D([], [], marker="o", linestyle="", color=colour, label=word) for _, colour, word in kinds]
    axes.legend(handles=dots, frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
