"""Rates: slopes in a log-log plot, with confidence intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.ticker import NullFormatter
from scipy import stats

from ridgesplines.plotting.style import DASHES, SERIES
from ridgesplines.validation import Array


class Slope(NamedTuple):
    """The mean over seeds of a fitted exponent or other figure, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def slope(sizes: Sequence[float] | Array, errors: Array) -> Slope:
    r"""The exponent p of errors :math:`\sim C n^p`: least squares on logarithms for each seed, a t interval over seeds.

    Parameters
    ----------
    sizes : n, shape (S,).
    errors : shape (seeds, S), positive; at least two seeds.

    Examples
    --------
    >>> import numpy as np
    >>> n = np.array([10.0, 100.0, 1000.0])
    >>> str(slope(n, np.stack([1.0 / n, 2.0 / n])))
    '-1.00 [-1.00, -1.00]'
    """
    return interval(np.polyfit(np.log(np.asarray(sizes, dtype=float)), np.log(errors).T, 1)[0])


def interval(each: Array) -> Slope:
    """The mean of one number a seed, shape (seeds,), and its 95 % t interval."""
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
    return Slope(float(each.mean()), float(each.mean() - half), float(each.mean() + half))


def compared(name: str, found: Slope, bound: float) -> str:
    """The verdict of the interval on the bound, in words."""
    if found.high < bound:
        return f"{name}: the measured rate {found} is better than the bound {bound:g}."
    if found.low > bound:
        return f"{name}: the measured rate {found} is worse than the bound {bound:g}."
    return f"{name}: the measured rate {found} is that of the bound {bound:g}, as far as so many seeds can tell."


def draw_rates(axes: Any, sizes: Sequence[float] | Array, errors: dict[str, Array], *bounds: float) -> None:
    """Means over seeds with all seeds behind them, and a line of the slope of each bound."""
    for i, (name, each) in enumerate(errors.items()):
        colour = SERIES[i % len(SERIES)]
        axes.loglog(sizes, each.T, color=colour, alpha=0.2, linewidth=0.7)
        label = f"{name}: {slope(sizes, each).value:.2f}"
        axes.loglog(sizes, each.mean(axis=0), color=colour, linestyle=DASHES[i % len(DASHES)], label=label)
    top = max(each.mean(axis=0)[0] for each in errors.values())
    for bound, dashes in zip(bounds, DASHES, strict=False):
        reference = 1.3 * top * (np.asarray(sizes, dtype=float) / sizes[0]) ** bound
        axes.loglog(sizes, reference, color="black", linewidth=1.0, linestyle=dashes, label=f"slope {bound:.3g}")
    labelled = sizes[:: max(1, len(sizes) // 4)]
    axes.set_xticks(labelled, [f"{size:g}" for size in labelled])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=7)
