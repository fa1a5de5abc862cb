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
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solution.solution import CONTRADICTION, Solution
from ridgesplines.solution.summary import neurons
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
#: One convention of signs in all pictures: what is negative is orange, what is positive blue, zero white.
NEGATIVE, POSITIVE = KNOT, FIT
SIGNED = LinearSegmentedColormap.from_list(
    "signs", ["#7a3500", NEGATIVE, "#f2c9a8", "#ffffff", "#a9cfe6", POSITIVE, "#003a5c"]
)
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


def class_names(problem: Problem, target: str) -> list[str]:
    """The names of the classes: their own, or labels by number."""
    if problem.output_names is not None:
        return list(problem.output_names)
    if problem.n_outputs is None:
        return [f"{target} = -1", f"{target} = +1"]
    return [f"class {label:g}" for label in np.unique(problem.y)]


def series(problem: Problem) -> list[dict[str, Any]]:
    """A style for the line of each output; outputs differ without colour as well."""
    if problem.n_outputs is None:
        return [{"color": FIT, "linestyle": "-"}]
    if problem.y.ndim == 2:
        names = problem.output_names or [f"output {j}" for j in range(problem.n_outputs)]
    else:
        names = [f"logit of {name}" for name in class_names(problem, "")]
    return [
        {"color": SERIES[j % len(SERIES)], "linestyle": DASHES[j % len(DASHES)], "label": name}
        for j, name in enumerate(names)
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


def headline(solution: Solution, title: str | None = None) -> str:
    """Neurons and relative gap, in words that say no more than was proven; or the title that was given."""
    if title is not None:
        return title
    if solution.contradiction:
        return CONTRADICTION
    p, gap = solution.problem, rounded_up(solution.relative_gap)
    best = "" if p.interactions is None else " among these groups of features"
    words = {
        Scope.EXACT: f"relative gap {gap}, certified{best}",
        Scope.BOUNDED: f"relative gap {gap}, certified{best} by an upper bound",
        Scope.DICTIONARY: f"relative gap {gap} to the grid's optimum",
        Scope.SEARCHED: f"relative gap {gap}, an estimate (searched, not a bound)",
    }
    return f"{neurons(solution.network)} for N = {p.n_samples} data: {words[solution.certificate.scope]}"


def require_axes(ax: Any, method: str = "plot") -> Any:
    """Axes to draw into, or an error that says what came."""
    if not hasattr(ax, method):
        expected = "a matplotlib Axes" + (" with projection='3d'" if method == "plot_surface" else "")
        remedy = "Pass one, such as ax of figure, ax = plt.subplots()."
        if method == "plot_surface":
            remedy = 'Make it by plt.subplots(subplot_kw={"projection": "3d"}).'
        raise ProblemError("ax", expected, f"a {type(ax).__name__}", remedy)
    return ax


def canvas(ax: Any, width: float, height: float) -> tuple[Any, Any]:
    """The figure to return and the axes to draw into: those given, or those of a new figure."""
    if ax is not None:
        return require_axes(ax).get_figure(), ax
    figure = new_figure(width, height)
    return figure, figure.subplots()
