"""A picture of solutions side by side: objectives over training, above the certified bound."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.compare import Comparison
from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.style import BOUND, DASHES, SERIES, new_figure

#: What a logarithmic axis shows of an excess that is zero.
FLOOR = 1e-10


def plot_comparison(comparison: Comparison, unit: str = "epoch") -> Figure:
    """Objectives over training above, and how far they are above the certified bound below.

    The black line is what no function can be below, by the best certificate among the solutions; where none proves a
    bound (d >= 3), it is the least objective among them, and the words say so.

    Parameters
    ----------
    comparison : from `compare`; solutions with ``history["objective"]`` are curves, the others horizontal lines.
    unit : what a step of the history is.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

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
    figure: Any = new_figure(7.0, 6.5)
    above, below = figure.subplots(2, 1, sharex=True)
    for i, (name, s) in enumerate(comparison.solutions.items()):
        style = {"color": SERIES[i % len(SERIES)], "linestyle": DASHES[i % len(DASHES)]}
        label, curve = f"{name} ({s.network.n_active} active neurons)", curves[name]
        if curve is None:
            above.axhline(s.objective, label=label, **style)
            continue
        epochs = np.arange(len(curve)) + 1
        above.plot(epochs, curve, label=label, **style)
        below.plot(epochs, np.maximum((np.asarray(curve) - line) / (abs(line) or 1.0), FLOOR), **style)
    above.axhline(line, color=BOUND, linewidth=1.0, label=words)
    above.set(xscale="log", yscale="log", ylabel="objective")
    below.set(yscale="log", xlabel=f"{unit} (first is 1)", ylabel="relative excess over\nthe black line")
    above.legend(frameon=False, fontsize=8)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels((above, below))
    return figure
