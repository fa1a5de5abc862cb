"""A picture of a solution, of the kinds that its dimension allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.components import draw_components
from ridgesplines.plotting.cylinder import draw_cylinder
from ridgesplines.plotting.dependence import draw_dependence
from ridgesplines.plotting.line import draw_fit, draw_line
from ridgesplines.plotting.plane import draw_contours, draw_map, draw_relief, draw_surface
from ridgesplines.plotting.ridges import draw_ridges
from ridgesplines.plotting.style import Picture, new_figure, require_axes
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution


@dataclass(frozen=True)
class Kind:
    """A kind of picture: how it is drawn, of which problems, and, where one panel says it, how into given axes."""

    draw: Callable[[Picture, Solution, str, str | None], None]
    takes: Callable[[Problem], bool]
    panel: Callable[[Any, Solution, str, str | None], None] | None = None
    #: What these axes must be able to do.
    needs: str = "plot"


def _line(problem: Problem) -> bool:
    return problem.n_features == 1


def _plane(problem: Problem) -> bool:
    return problem.n_features == 2 and problem.n_outputs is None


def _many(problem: Problem) -> bool:
    return problem.n_features > 1


#: The first kind that takes a problem is its default, but for one whose neurons have few features.
KINDS = {
    "line": Kind(draw_line, _line, draw_fit),
    "contours": Kind(draw_contours, _plane, draw_map),
    "surface": Kind(draw_surface, _plane, draw_relief, "plot_surface"),
    "cylinder": Kind(draw_cylinder, _plane),
    "ridges": Kind(draw_ridges, _many),
    "dependence": Kind(draw_dependence, _many),
    "components": Kind(draw_components, _many),
}


def plot_solution(
    solution: Solution, kind: str | None = None, target: str | None = None, *, ax: Any = None, title: str | None = None
) -> Figure:
    """A picture of a solution.

    Parameters
    ----------
    solution : of any problem.
    kind : what to draw; by default ``"components"`` for a problem with ``interactions=``, else the first of these that
        there is.

        ``"line"``, for d = 1: data, spline and knots above; below, the dual certificate between -lam and lam, which it
        touches at the knots. Of classes it is their probabilities, or the margin, with the boundaries between them.

        ``"contours"`` or ``"surface"``, for d = 2 and one output: f, the data, and the ridges, the lines along which f
        bends.

        ``"cylinder"``, for d = 2 and one output: the fit in the Radon domain, whose points are lines of the plane, by
        angle and offset. Above, its impulses, see :func:`ridgesplines.radon.radon_measure`; below, the certificate,
        which is lam or -lam there and no more anywhere. The curves are the lines through each datum.

        ``"ridges"``, for d > 1: the network as a sum of ridge functions, see :func:`ridgesplines.network.ridges`.
        Each is a row: the direction w as a bar chart over the features, and the profile along the projections of the
        data, which are the ticks. Below is the affine part. From each profile the line is taken that fits it best at
        the data; it is drawn as a part of the affine part, so that rows show what bends.

        ``"dependence"``, for d > 1: the mean of f over the data as each feature changes by itself, see
        :func:`ridgesplines.network.partial_dependence`; ticks are the data.

        ``"components"``, for d > 1: f as a sum of curves of one feature and maps of two, see
        :func:`ridgesplines.network.components`, with their shares of the variance, the largest first. Dots are the
        knots, and lines in a map those along which it bends. A map is pale beyond the convex hull of its data.
    target : what to call y; by default the problem's name for it, that of a Series, or "y".
    ax : matplotlib Axes to draw into, for ``"line"``, without its certificate, for ``"contours"`` and, in three
        dimensions, for ``"surface"``; by default a new figure.
    title : by default neurons and relative gap, and what was proven of it.

    Returns
    -------
    matplotlib.figure.Figure
        That of `ax`, or one that is not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        For a kind that there is not, or not for this problem, and for `ax` with a kind of several panels.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
    >>> [axes.get_ylabel() for axes in solution.plot(target="height").axes]
    ['height', 'dual certificate']
    """
    problem = solution.problem
    able = [name for name, each in KINDS.items() if each.takes(problem)]
    if kind is None:
        kind = "components" if problem.interactions is not None else able[0]
    if kind not in able:
        outputs = "" if problem.n_outputs is None else f" and D = {problem.n_outputs} outputs"
        expected = f"{' or '.join(map(repr, able))}, for d = {problem.n_features}{outputs}"
        raise ProblemError("kind", expected, repr(kind), f"Pass kind={able[0]!r}, or leave it out.")
    target = target or problem.target_name or "y"
    if ax is not None:
        return _draw_into(ax, kind, solution, target, title)
    figure = new_figure(7.5, 5.5 if kind == "line" else 6.0)
    KINDS[kind].draw(figure, solution, target, title)
    return figure


def _draw_into(ax: Any, kind: str, solution: Solution, target: str, title: str | None) -> Figure:
    panel = KINDS[kind].panel
    if panel is None:
        able = " or ".join(repr(name) for name, each in KINDS.items() if each.panel is not None)
        raise ProblemError("ax", f"None, but for kind={able}", f"kind={kind!r}", "Leave ax out: it has several panels.")
    panel(require_axes(ax, KINDS[kind].needs), solution, target, title)
    figure: Figure = ax.get_figure()
    return figure
