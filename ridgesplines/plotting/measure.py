"""A network in the domain where it is sparse: it and its sparsifying transform, a sum of impulses."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.plotting.cylinder import SIGNS, draw_atoms, finish, norm_words
from ridgesplines.plotting.style import FIT, KNOT, Picture, margins, new_figure
from ridgesplines.plotting.time_axis import label_x
from ridgesplines.radon.line import LineMeasure, second_derivative


def plot_measure(network: RidgeSpline, *, title: str | None = None) -> Figure:
    r"""A network and its sparsifying transform.

    For d = 1, f above :math:`D^2 f` (14), an impulse a knot: Fig. 3. For d = 2, :math:`D_t^2 K R f` (30) on the
    cylinder of angles and offsets: a line is two points, (w, b) and (-w, -b), with half of the mass at each.

    Parameters
    ----------
    network : with d = 1 or 2 inputs and one output.
    title : by default the norm of the transform.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        For more inputs or outputs.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.plotting import plot_measure
    >>> net = rs.RidgeSpline([[1.0], [1.0]], [0.0, 1.0], [1.0, -2.0])
    >>> [axes.get_ylabel() for axes in plot_measure(net).axes]
    ['f(x)', '$D^2 f$']
    """
    if network.n_features > 2 or network.n_outputs is not None:
        got = f"d = {network.n_features}, " + (f"D = {network.n_outputs}" if network.n_outputs else "one output")
        raise ProblemError("network", "d = 1 or 2, and one output", got, "radon_measure has the numbers.")
    figure = new_figure(7.5, 5.0)
    if network.n_features == 1:
        _draw_line(figure, network, title)
        return figure
    axes: Any = figure.subplots()
    draw_atoms(axes, network, np.zeros(2))
    finish(axes, 1.15 * float(np.abs(network.biases).max(initial=0.0)) or 1.0, "offset t")
    axes.set_title(norm_words(network) if title is None else title, fontsize=10, loc="left")
    return figure


def _draw_line(figure: Picture, network: RidgeSpline, title: str | None) -> None:
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1.6, 1.0])
    measure = second_derivative(network)
    low, high = margins(measure.sites) if len(measure.sites) else (-1.0, 1.0)
    room = 0.15 * (high - low)
    corners = np.concatenate([[low - room], measure.sites, [high + room]])
    for axes in (above, below):
        for site in measure.sites:
            axes.axvline(site, color="0.85", linewidth=0.9, zorder=0)
    above.plot(corners, network.at(corners), color=FIT, linewidth=1.8)
    above.plot(measure.sites, network.at(measure.sites), "o", color=KNOT, markersize=6, markeredgecolor="white")
    above.set_ylabel("f(x)")
    above.set_title(norm_words(network) if title is None else title, fontsize=10, loc="left")
    _draw_impulses(below, measure)
    below.set_xlim(corners[0], corners[-1])
    label_x(below.xaxis, network.names[0], network.dates, corners)
    below.set_ylabel("$D^2 f$")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)


def _draw_impulses(axes: Any, measure: LineMeasure) -> None:
    """Arrows as high as the masses."""
    for sign, marker, colour in SIGNS:
        own = sign * measure.masses > 0.0
        sites, masses = measure.sites[own], measure.masses[own]
        axes.vlines(sites, 0.0, masses, color=colour, linewidth=1.8)
        axes.plot(sites, masses, marker, color=colour, markersize=8)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.margins(y=0.2)
