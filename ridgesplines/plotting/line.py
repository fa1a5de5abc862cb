"""One dimension: the spline, and below it its certificate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import group_norms
from ridgesplines.plotting.classes import draw_classes
from ridgesplines.plotting.style import (
    BOUND,
    CURVE,
    DATA,
    FIT,
    KNOT,
    MOST_POINTS,
    Picture,
    draw_density,
    draw_legend,
    draw_series,
    drawn_at,
    headline,
    knot_name,
    margins,
    series,
    thinned,
)
from ridgesplines.plotting.time_axis import label_x
from ridgesplines.solution import Solution

#: Points of a band at each of which two linear programs are solved.
COARSE = 41
#: A band thinner than this, relatively to the range of the fit, is not drawn.
VISIBLE = 1e-3


def draw_line(figure: Picture, solution: Solution, target: str, title: str | None) -> None:
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.2, 1.0])
    draw_fit(above, solution, target, title)
    above.set_xlabel("")
    _draw_certificate(below, solution)
    label_x(below.xaxis, solution.network.names[0], solution.problem.dates, solution.problem.X)
    below.set_ylabel("dual certificate")
    below.spines[["top", "right"]].set_visible(False)


def draw_fit(axes: Any, solution: Solution, target: str, title: str | None) -> None:
    """The fit alone, without its certificate."""
    if solution.problem.loss.labels:
        draw_classes(axes, solution, target)
    else:
        _draw_spline(axes, solution)
        axes.set_ylabel(target)
    axes.set_title(headline(solution, title), fontsize=10, loc="left")
    label_x(axes.xaxis, solution.network.names[0], solution.problem.dates, solution.problem.X)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_spline(axes: Any, solution: Solution) -> None:
    p, net = solution.problem, solution.network
    x = p.X[:, 0]
    low, high = margins(x)
    knots = np.sort(net.breakpoints)
    if net.activation.homogeneity is None:  # a smooth neuron may have its middle far from all data
        knots = knots[(knots >= low) & (knots <= high)]
    corners = drawn_at(net, low, high, knots, curved=bool(p.loss.link))
    values, at_knots = p.loss.mean(net.at(corners)), p.loss.mean(net.at(knots))
    if p.n_outputs is None:
        if p.n_samples > MOST_POINTS:
            draw_density(axes, x, p.y, "#404040", "data (density)")
        else:
            size = 14.0 * np.clip(p.sample_weight / p.sample_weight.max(), 0.1, 1.0)
            axes.scatter(x, p.y, s=size, color=DATA, alpha=0.8, linewidths=0, label="data")
        name = "linear spline" if net.activation.degree == 1 else "fit"
        name = f"mean, its {p.loss.link} a {name}" if p.loss.link else name
        _draw_minimisers(axes, solution, low, high)
        axes.plot(corners, values, color=FIT, linewidth=1.8, label=name)
        axes.plot(knots, at_knots, "o", color=KNOT, markersize=6, markeredgecolor="white", label=knot_name(net))
        draw_legend(axes, x, p.y)
        return
    draw_series(axes, p, corners, values)
    for j, style in enumerate(series(p)):
        if p.n_samples > MOST_POINTS:
            draw_density(axes, x, p.y[:, j], style["color"])
        else:
            axes.scatter(x, p.y[:, j], s=10.0, color=style["color"], alpha=0.4, linewidths=0)
        axes.plot(knots, at_knots[:, j], "o", color=style["color"], markersize=5, markeredgecolor="white")
    draw_legend(axes, x, p.y)


def _draw_minimisers(axes: Any, solution: Solution, low: float, high: float) -> None:
    """A band between the least and the largest of all minimisers, where they differ and that is known."""
    p = solution.problem
    if solution.is_unique or p.n_samples > MOST_POINTS:
        return
    try:
        fixed = p.loss.box(p.y) is None  # the values at the data, between which the envelope has a closed form
        t = np.union1d(np.linspace(low, high, CURVE), p.X) if fixed else np.linspace(low, high, COARSE)
        found = solution.envelope(t if p.dates is None else p.dates.restored(t))
    except ProblemError:  # the certificate does not tell
        return
    finite = np.isfinite(found.width)  # of data at one x nothing bounds the slopes
    if not found.width[finite].max(initial=0.0) > VISIBLE * np.ptp(solution.network.at(t)):
        return
    below, above = p.loss.mean(found.lower), p.loss.mean(found.upper)
    axes.fill_between(t, below, above, color=FIT, alpha=0.3, linewidth=0, label="all minimisers")


def _draw_certificate(axes: Any, solution: Solution) -> None:
    p, c, knots = solution.problem, solution.certificate, solution.network.breakpoints
    fixed = np.array(p.constraint.places)
    if solution.network.activation.homogeneity is None:
        low, high = margins(p.X[:, 0])
        knots = knots[(knots >= low) & (knots <= high)]
    # eta is straight between the data and fixed points; of many data some do, for a pixel shows no more
    data, is_straight = thinned(p.X[:, 0]), p.activation.degree == 1
    if not is_straight and p.n_samples > MOST_POINTS:  # each place takes a sum over all data
        data = data[[0, -1]]
    sites = np.unique(np.concatenate([data, fixed, knots]))
    if p.n_outputs is not None or not is_straight:  # its norm is not, nor is that of other activations
        sites = np.union1d(sites, np.linspace(sites[0], sites[-1], CURVE))
    length = p.lengths(np.ones((1, 1)))  # 1, or the scale of x: |eta| is at most lam times that
    eta, contact = (c.eta(np.ones((len(t), 1)), t) / length for t in (sites, knots))
    if eta.ndim == 2:
        eta, contact = group_norms(eta), group_norms(contact)
    axes.axhline(p.lam, color=BOUND, linewidth=0.9, linestyle="--")
    if p.n_outputs is None:
        axes.axhline(-p.lam, color=BOUND, linewidth=0.9, linestyle="--")
        axes.set_yticks([-p.lam, 0.0, p.lam], ["$-\\lambda$", "0", "$\\lambda$"])
    else:
        axes.set_yticks([0.0, p.lam], ["0", "$\\lambda$"])
    axes.plot(sites, eta, color=FIT, linewidth=1.2)
    axes.plot(knots, contact, "o", color=KNOT, markersize=6, markeredgecolor="white")
