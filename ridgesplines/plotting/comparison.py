"""A picture of solutions side by side: objectives over training, above the certified bound."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.compare import Comparison
from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.style import BOUND, DASHES, SERIES, new_figure, require_axes

#: What a logarithmic axis shows of an excess that is zero.
FLOOR = 1e-10


def plot_comparison(comparison: Comparison, unit: str = "epoch", *, ax: Any = None, title: str | None = None) -> Figure:
    """Objectives over training above, and how far they are above the certified bound below.

    The black line is what no function can be below, by the best certificate among the solutions; where none proves a
    bound (d >= 3), it is the least objective among them, and the words say so.

    Parameters
    ----------
    comparison : from `compare`; solutions with ``history["objective"]`` are curves, the others horizontal lines.
    unit : what a step of the history is.
    ax : matplotlib Axes for the objectives alone; by default a new figure of both panels.
    title : none by default.

    Returns
    -------
    matplotlib.figure.Figure
        That of `ax`, or one that is not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        Where no solution has such a history.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.torch import WeightDecay
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> trained = rs.solve(problem, WeightDecay(width=10, epochs=50))
    >>> len(rs.compare({"convex": rs.solve(problem), "trained": trained}).plot().axes)
    2
    """
    curves = {name: s.history.get("objective") for name, s in comparison.solutions.items()}
    if all(curve is None for curve in curves.values()):
        remedy = "Solve with WeightDecay or PathProx of ridgesplines.torch, which record their objectives."
        raise ProblemError("comparison", 'a solution with history["objective"]', "none", remedy)
    line = comparison.best.objective if comparison.bound is None else comparison.bound
    words = "least objective known (no bound)" if comparison.bound is None else "certified: no function is below"
    figure: Any = new_figure(7.0, 6.5) if ax is None else require_axes(ax).get_figure()
    above, below = figure.subplots(2, 1, sharex=True) if ax is None else (ax, None)
    for i, (name, s) in enumerate(comparison.solutions.items()):
        style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)]}
        label, curve = f"{name} ({s.network.n_active} active neurons)", curves[name]
        if curve is None:
            above.axhline(s.objective, label=label, **style)
            continue
        epochs = np.arange(len(curve)) + 1
        above.plot(epochs, curve, label=label, **style)
        if below is not None:
            below.plot(epochs, np.maximum((np.asarray(curve) - line) / (abs(line) or 1.0), FLOOR), **style)
    above.axhline(line, color=BOUND, linewidth=1.0, label=words)
    above.set(xscale="log", yscale="log", ylabel="objective")
    lowest = above if below is None else below
    lowest.set_xlabel(f"{unit} (first is 1)")
    if below is not None:
        below.set(yscale="log", ylabel="relative excess over\nthe black line")
        figure.align_ylabels((above, below))
    if title is not None:
        above.set_title(title, fontsize=10, loc="left")
    above.legend(frameon=False, fontsize=8)
    for axes in {above, lowest}:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
