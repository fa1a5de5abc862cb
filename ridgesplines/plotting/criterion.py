"""A picture of how lam was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.style import DATA, FIT, KNOT, canvas, lam_axis
from ridgesplines.validation import Array


def plot_criterion(
    lams: Array,
    neurons: Array,
    scores: Array,
    chosen: float,
    errors: Array | None = None,
    label: str = "criterion",
    greater_is_better: bool = False,
    *,
    ax: Any = None,
    title: str | None = None,
) -> Figure:
    """A criterion against lam, which falls to the right; its best value and the chosen lam are marked.

    Parameters
    ----------
    lams : the values that were compared, decreasing, shape (n_lams,).
    neurons : K of their solutions, as far as these are known, to the chosen one at least; shown on the axis above.
    scores : the criterion of each, shape (n_lams,); infinite ones are left out.
    chosen : the lam that was chosen, one of `lams`.
    errors : standard errors, shape (n_lams,), drawn as bars; none by default.
    label : what to call the criterion.
    greater_is_better : whether its greatest value is the best, as of an accuracy; by default the least.
    ax : matplotlib Axes to draw into; by default those of a new figure.
    title : none by default.

    Returns
    -------
    matplotlib.figure.Figure
        That of `ax`, or one that is not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

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
        raise ProblemError("scores", "a finite score somewhere", "only infinite ones", "Use more data than neurons.")
    figure, axes = canvas(ax, 7.0, 4.4)
    if title is not None:
        axes.set_title(title, fontsize=10, loc="left")
    word, sign = ("maximum", -1.0) if greater_is_better else ("minimum", 1.0)
    best = int(np.argmin(np.where(finite, sign * scores, np.inf)))
    with_errors = errors is not None and bool(np.isfinite(errors).all())
    if errors is not None and with_errors:
        axes.errorbar(lams[finite], scores[finite], errors[finite], color=DATA, linewidth=0.0, elinewidth=1.0, zorder=1)
        limit, side = scores[best] + sign * errors[best], "−" if greater_is_better else "+"
        axes.axhline(limit, color=DATA, linewidth=0.9, linestyle=":", label=f"{word} {side} one standard error")
    axes.plot(lams[finite], scores[finite], "o-", color=FIT, markersize=3, linewidth=1.2)
    axes.plot(lams[best], scores[best], "s", color=FIT, markersize=8, label=f"{word}, $\\lambda$ = {lams[best]:.3g}")
    index = int(np.argmin(np.abs(lams - chosen)))
    axes.axvline(chosen, color=KNOT, linewidth=1.2, linestyle="--", zorder=0)
    shown = scores[index] if finite[index] else scores[best]
    axes.plot(chosen, shown, "o", color=KNOT, label=f"chosen, $\\lambda$ = {chosen:.3g}, K = {neurons[index]}")
    lam_axis(axes, lams)
    if scores[finite].min() > 0.0 and scores[finite].max() > 20.0 * scores[finite].min():
        axes.set_yscale("log", nonpositive="clip")
    axes.set_ylabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    _neurons_above(axes, lams[: len(neurons)], neurons)
    return figure


def _neurons_above(axes: Any, lams: Array, neurons: Array) -> None:
    """The number of neurons of the solution of each lam, along the upper edge."""
    every = max(1, round(len(lams) / 12))
    above = axes.secondary_xaxis("top")
    above.set_xticks(lams[::every], [str(count) for count in neurons[::every]], fontsize=8)
    above.minorticks_off()
    above.set_xlabel("neurons K", fontsize=9)
    above.spines["top"].set_visible(False)
