"""A picture of a solution: the spline over its certificate (d = 1), or contours with the ridges (d = 2)."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.line import draw_line
from ridgesplines.plotting.plane import draw_contours, draw_surface
from ridgesplines.plotting.style import new_figure
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution


def plot_solution(solution: Solution, kind: str = "contours", target: str = "y") -> Figure:
    """A picture of a solution.

    For d = 1: data, spline and knots above; below, the dual certificate between -lam and lam, which it touches at
    the knots. For d = 2: contours or a surface of f, the data, and the ridges, the lines along which f bends.

    Parameters
    ----------
    solution : of a problem with d = 1 or d = 2.
    kind : ``"contours"`` or ``"surface"``, for d = 2.
    target : what to call y.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        For d > 2, and for vector outputs with d = 2.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
    >>> [axes.get_ylabel() for axes in solution.plot(target="height").axes]
    ['height', 'dual certificate']
    """
    require_drawable(solution.problem)
    if solution.problem.n_features == 1:
        figure: Any = new_figure(7.5, 5.5)
        draw_line(figure, solution, target)
        return figure
    draw = {"contours": draw_contours, "surface": draw_surface}.get(kind)
    if draw is None:
        raise ProblemError("kind", "'contours' or 'surface'", repr(kind), "Pass kind='contours'.")
    figure = new_figure(7.5, 6.0)
    draw(figure, solution, target)
    return figure


def require_drawable(problem: Problem) -> None:
    """Raise ProblemError where a solution of the problem has no picture."""
    d, outputs = problem.n_features, problem.n_outputs
    if d == 1 or (d == 2 and outputs is None):
        return
    raise ProblemError(
        "solution",
        "d = 1, or d = 2 with a scalar output, to draw a picture",
        f"d = {d}" + ("" if outputs is None else f" with D = {outputs} outputs"),
        "Look at solution.network.to_frame(), a table of the neurons.",
    )
