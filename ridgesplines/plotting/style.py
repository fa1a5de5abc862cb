"""The common parts of the pictures: colours that colour-blind people tell apart, and a Figure that notebooks show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ridgesplines.activations.relu import ReLU
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array, rounded_up
from ridgesplines.verdict import Scope

#: From the palette of M. Okabe and K. Ito, "Color universal design" (2008).
DATA = "#7f7f7f"
FIT = "#0072B2"
KNOT = "#D55E00"
BOUND = "#000000"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Points at which a curve is drawn.
CURVE = 1001
#: The most data that are drawn one by one; more are a slab, of which the density is drawn.
MOST_POINTS = 4000
CORNERS = [(u, s) for u in ("upper", "lower") for s in ("right", "left")]
DASHES = ("-", "--", "-.", ":")  # so that the series differ without colour as well


class Picture(Figure):
    """A Figure that a notebook displays although pyplot does not know of it."""

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Picture:
    figure = Picture(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def value_name(problem: Problem, target: str) -> str:
    """The name of f(x): the target, a function of its mean, or the margin or the logits of classes."""
    if not problem.loss.labels:
        return f"{problem.loss.link} of the mean {target}" if problem.loss.link else target
    return "margin f(x)" if problem.n_outputs is None else "logits f(x)"


def series(problem: Problem) -> list[dict[str, Any]]:
    """A style for the line of each output; outputs differ without colour as well."""
    if problem.n_outputs is None:
        return [{"color": FIT, "linestyle": "-"}]
    word = "output" if problem.y.ndim == 2 else "logit of class"
    return [
        {"color": SERIES[j % len(SERIES)], "linestyle": DASHES[j % len(DASHES)], "label": f"{word} {j}"}
        for j in range(problem.n_outputs)
    ]


def draw_series(axes: Any, problem: Problem, t: Array, values: Array) -> None:
    """A line an output."""
    for line, style in zip(values.reshape(len(t), -1).T, series(problem), strict=True):
        axes.plot(t, line, linewidth=1.8, **style)


def drawn_at(net: RidgeSpline, low: float, high: float, knots: Array, curved: bool = False) -> Array:
    """Points at which a function of one variable is evaluated to be drawn: its corners, if straight in between."""
    corners = np.unique(np.concatenate([[low], knots, [high]]))
    return (
        corners
        if isinstance(net.activation, ReLU) and not curved
        else np.union1d(corners, np.linspace(low, high, CURVE))
    )


def knot_name(net: RidgeSpline) -> str:
    """The name of the biases of a network of one input: knots where it is a spline, biases otherwise."""
    return "biases" if net.activation.homogeneity is None else "knots"


def draw_density(axes: Any, x: Array, y: Array, colour: str, label: str | None = None, strongest: float = 0.75) -> None:
    """Data too many to be told apart: cells of a colour that is the stronger the more data are in them, by a log."""
    scale = LinearSegmentedColormap.from_list("density", [to_rgba(colour, 0.08), to_rgba(colour, strongest)])
    style = {"cmap": scale, "norm": LogNorm(), "rasterized": True, "zorder": 1.5}  # above a map of f, below lines
    counts, right, up = np.histogram2d(x, y, bins=(120, 80))
    axes.pcolormesh(right, up, np.ma.masked_equal(counts.T, 0.0), **style)
    if label is not None:
        axes.scatter([], [], s=30.0, marker="s", color=colour, alpha=0.5, linewidths=0, label=label)


def draw_legend(axes: Any, x: Array, y: Array) -> None:
    """The legend where it hides least. Among many data, where that search is slow, the corner with least of them."""
    if len(x) <= MOST_POINTS:
        axes.legend(fontsize=9, frameon=False)
        return
    x, y = ((t - t.min()) / (np.ptp(t) or 1.0) for t in (x, np.reshape(y, (len(x), -1)).mean(axis=1)))
    near = {"right": x > 0.7, "left": x < 0.3, "upper": y > 0.7, "lower": y < 0.3}
    least = min(CORNERS, key=lambda corner: np.sum(near[corner[0]] & near[corner[1]]))
    axes.legend(fontsize=9, loc=" ".join(least))


def thinned(t: Array) -> Array:
    """The values in order, or as many of them as can be told apart, at equal steps of their ranks."""
    ranks = np.linspace(0, len(t) - 1, min(len(t), MOST_POINTS)).astype(int)
    return np.sort(t)[ranks]


def draw_rug(axes: Any, t: Array) -> None:
    """A tick a datum along the lower edge."""
    t = thinned(t)
    axes.plot(t, np.zeros(len(t)), "|", color=DATA, markersize=7, alpha=0.5, transform=axes.get_xaxis_transform())


def margins(t: Array) -> tuple[float, float]:
    """A little more than the range of t."""
    margin = 0.03 * float(np.ptp(t)) or 1.0
    return float(t.min()) - margin, float(t.max()) + margin


def lam_axis(axes: Any, lams: Sequence[float] | Array) -> None:
    """A logarithmic axis on which lam falls to the right."""
    axes.set_xscale("log")
    if max(lams) < 100.0 * min(lams):  # few decades need more labels than their ends
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.invert_xaxis()
    axes.set_xlabel("$\\lambda$ (falls to the right)")


def headline(solution: Solution) -> str:
    """Neurons and gap, in words that say no more than was proven."""
    gap = rounded_up(solution.relative_gap)
    best = "the global optimum" if solution.problem.interactions is None else "the best of these groups of features"
    words = {
        Scope.EXACT: f"certified within {gap} of {best}",
        Scope.BOUNDED: f"certified within {gap} of {best}",
        Scope.DICTIONARY: f"within {gap} of the grid's optimum",
        Scope.SEARCHED: f"estimated gap {gap} (searched, not a bound)",
    }
    p = solution.problem
    return f"K = {solution.network.n_neurons} neurons for N = {p.n_samples} data: {words[solution.certificate.scope]}"
