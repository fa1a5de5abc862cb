"""Many dimensions: what f is on average, as each feature changes by itself."""

from __future__ import annotations

import numpy as np

from ridgesplines.plotting.style import Picture, draw_rug, draw_series, headline, value_name
from ridgesplines.solution import Solution

#: The most features that are drawn, and the number of values of each.
MOST_FEATURES = 12
VALUES = 101


def draw_dependence(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    """A panel a feature: its partial dependence over the range of its data, on one scale for all."""
    net, p = solution.network, solution.problem.reduced
    grids = np.linspace(p.X.min(axis=0), p.X.max(axis=0), VALUES)
    means = [net.partial_dependence(p.X, j, grids[:, j], p.sample_weight) for j in range(p.n_features)]
    largest = np.argsort([-np.ptp(mean, axis=0).max() for mean in means], kind="stable")
    shown = np.sort(largest[:MOST_FEATURES])
    columns = min(len(shown), 4 if len(shown) > 6 else 3)
    rows = -(-len(shown) // columns)
    figure.set_size_inches(1.0 + 2.6 * columns, 1.0 + 2.0 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, j in zip(panels, shown, strict=False):
        draw_series(axes, p, grids[:, j], means[j])
        draw_rug(axes, p.X[:, j])
        axes.set_xlabel(net.names[j], fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(shown) :]:
        axes.axis("off")
    if p.n_outputs is not None:
        panels[0].legend(frameon=False, fontsize=8)
    text = (
        headline(solution, title) + "\npartial dependence: the mean of f over the data, were one feature what is shown"
    )
    if len(shown) < p.n_features:
        text += f"\nthe {len(shown)} of {p.n_features} features on which it depends most"
    figure.suptitle(text, fontsize=10, x=0.01, ha="left")
    figure.supylabel(value_name(p, target), fontsize=10)
