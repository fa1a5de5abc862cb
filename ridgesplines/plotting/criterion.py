"""A picture of how lam was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.style import DATA, FIT, KNOT, new_figure
from ridgesplines.solve import Path
from ridgesplines.validation import Array


def plot_criterion(
    path: Path, scores: Array, chosen: float, errors: Array | None = None, label: str = "criterion"
) -> Figure:
    """A criterion against lam, which falls to the right; its minimum and the chosen lam are marked.

    Parameters
    ----------
    path : the solutions that were compared; the axis above shows their numbers of knots.
    scores : the criterion of each, shape (n_lams,); infinite ones are left out.
    chosen : the lam that was chosen, one of the path's.
    errors : standard errors, shape (n_lams,), drawn as bars; none by default.
    label : what to call the criterion.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        Where no score is finite.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 20)
    >>> y = np.abs(x) + 0.1 * np.cos(40.0 * x)
    >>> model = rs.LinearSplineRegressorCV(n_lams=5, criterion="gcv").fit(x, y)
    >>> model.plot().axes[0].get_ylabel()
    'GCV'
    """
    finite = np.isfinite(scores)
    if not finite.any():
        raise ProblemError("scores", "a finite score somewhere", "only infinite ones", "Use more data than knots.")
    figure = new_figure(7.0, 4.4)
    axes = figure.subplots()
    lams, best = path.lams, int(np.argmin(np.where(finite, scores, np.inf)))
    with_errors = errors is not None and bool(np.isfinite(errors).all())
    if errors is not None and with_errors:
        axes.errorbar(lams[finite], scores[finite], errors[finite], color=DATA, linewidth=0.0, elinewidth=1.0, zorder=1)
        axes.axhline(
            scores[best] + errors[best], color=DATA, linewidth=0.9, linestyle=":", label="minimum + one standard error"
        )
    axes.plot(lams[finite], scores[finite], "o-", color=FIT, markersize=3, linewidth=1.2)
    axes.plot(lams[best], scores[best], "s", color=FIT, markersize=8, label=f"minimum, $\\lambda$ = {lams[best]:.3g}")
    index = int(np.argmin(np.abs(lams - chosen)))
    knots = path[index].network.n_neurons
    axes.axvline(chosen, color=KNOT, linewidth=1.2, linestyle="--", zorder=0)
    shown = scores[index] if finite[index] else scores[best]
    axes.plot(chosen, shown, "o", color=KNOT, label=f"chosen, $\\lambda$ = {chosen:.3g}, K = {knots}")
    axes.set_xscale("log")
    if scores[finite].min() > 0.0 and scores[finite].max() > 20.0 * scores[finite].min():
        axes.set_yscale("log", nonpositive="clip")
    axes.invert_xaxis()
    axes.set_xlabel("$\\lambda$ (falls to the right)")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    _knots_above(axes, path)
    return figure


def _knots_above(axes: Any, path: Path) -> None:
    """How many knots the spline of each lam has, along the upper edge."""
    every = max(1, round(len(path) / 12))
    above = axes.secondary_xaxis("top")
    lams, counts = path.lams[::every], [s.network.n_neurons for s in path.solutions[::every]]
    above.set_xticks(lams, [str(count) for count in counts], fontsize=8)
    above.minorticks_off()
    above.set_xlabel("knots K", fontsize=9)
    above.spines["top"].set_visible(False)
