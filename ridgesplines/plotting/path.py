"""A picture of a path: what changes as lam falls."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ridgesplines.exceptions import ProblemError
from ridgesplines.plotting.style import FIT, KNOT, new_figure
from ridgesplines.solve import Path

FLOOR = 1e-16


def plot_path(path: Path) -> Figure:
    """Neurons, data fit, seminorm and relative gap against lam, which falls to the right.

    Parameters
    ----------
    path : from `solve_path`; solutions with lam = 0 are left out. Gaps below 1e-16 are drawn there: it is rounding.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot; save it with ``figure.savefig(path)``. Notebooks show it.

    Raises
    ------
    ProblemError
        Where no lam is positive.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
    >>> len(rs.solve_path(problem, n_lams=5).plot().axes)
    4
    """
    solutions = [s for s in path if s.problem.lam > 0.0]
    if not solutions:
        raise ProblemError("path", "a positive lam somewhere", "none", "A logarithmic axis has no place for lam = 0.")
    lams = [s.problem.lam for s in solutions]
    figure = new_figure(7.0, 7.5)
    rows = figure.subplots(4, 1, sharex=True)
    rows[0].step(lams, [s.network.n_neurons for s in solutions], "o-", where="mid", markersize=3, color=KNOT)
    rows[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    rows[0].set_ylabel("neurons K")
    rows[1].plot(lams, [s.data_fit for s in solutions], "o-", markersize=3, color=FIT)
    rows[1].set_ylabel("data fit")
    rows[2].plot(lams, [s.seminorm for s in solutions], "o-", markersize=3, color=FIT)
    rows[2].set_ylabel("seminorm")
    rows[3].semilogy(lams, [max(s.relative_gap, FLOOR) for s in solutions], "o-", markersize=3, color=FIT)
    scopes = dict.fromkeys(s.certificate.scope for s in solutions)
    rows[3].set_ylabel(f"relative gap\n({', '.join(scopes)})")
    rows[3].set_xlabel("$\\lambda$ (falls to the right)")
    rows[3].set_xscale("log")
    rows[3].invert_xaxis()
    for axes in rows:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
