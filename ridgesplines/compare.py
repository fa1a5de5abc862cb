"""Solutions of one problem, lined up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ridgesplines.display import notebook
from ridgesplines.evaluate import evaluate
from ridgesplines.exceptions import ProblemError
from ridgesplines.objective import relative
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

#: Points off the data at which functions are compared.
PROBES = 1000


@dataclass(frozen=True, eq=False)
class Comparison:
    """Solutions side by side; prints as a table.

    Attributes
    ----------
    solutions : by name.
    """

    solutions: Mapping[str, Solution]

    @property
    def best(self) -> Solution:
        """The solution of the least objective; its network is f*."""
        return min(self.solutions.values(), key=lambda s: s.objective)

    @property
    def bound(self) -> float | None:
        """A lower bound on the objective of every function, by the best certificate; None where none proves one."""
        return max((s.certificate.value for s in self.solutions.values() if s.certificate.scope.proven), default=None)

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a solution; distances are the largest over the data, and over points between them."""
        best = self.best
        on, off = best.problem.X, between(best.problem)
        return [
            {
                "name": name,
                "objective": s.objective,
                "above best": relative(s.problem.isotropic, s.objective - best.objective, best.objective),
                "relative gap": s.relative_gap,
                "scope": s.certificate.scope,
                "seminorm": s.seminorm,
                "K": s.network.n_neurons,
                "active": s.network.n_active,
                "|f - f*|": float(np.abs(s.network.at(on) - best.network.at(on)).max()),
                "off data": float(np.abs(s.network.at(off) - best.network.at(off)).max()),
                "seconds": s.seconds,
            }
            for name, s in self.solutions.items()
        ]

    def to_frame(self) -> pandas.DataFrame:
        """The table as a pandas DataFrame, one row a solution. Needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.rows()).set_index("name")

    def _repr_html_(self) -> str:
        """The table, in a notebook."""
        rows = self._written()
        return notebook.table("Comparison", [tuple(row.values()) for row in rows], tuple(rows[0]))

    def plot(self, unit: str = "epoch", *, ax: Any = None, title: str | None = None) -> Figure:
        """Objectives over training; see :func:`ridgesplines.plotting.plot_comparison`."""
        from ridgesplines.plotting.comparison import plot_comparison

        return plot_comparison(self, unit, ax=ax, title=title)

    def _written(self) -> list[dict[str, Any]]:
        """The rows, numbers as they are printed."""
        return [{k: v if isinstance(v, (str, int)) else f"{v:.6g}" for k, v in row.items()} for row in self.rows()]

    def __str__(self) -> str:
        rows = self._written()
        widths = {k: max(len(k), *(len(str(row[k])) for row in rows)) for k in rows[0]}
        lines = ["  ".join(f"{k:>{w}}" for k, w in widths.items())]
        lines += ["  ".join(f"{row[k]!s:>{w}}" for k, w in widths.items()) for row in rows]
        return "\n".join(lines)

    __repr__ = __str__


def compare(solutions: Mapping[str, Any]) -> Comparison:
    """Solutions of one problem, side by side: objective, gap, seminorm, neurons, distance to the best, seconds.

    Parameters
    ----------
    solutions : by name, such as ``{"convex": solution, "trained": module}``: solutions, all of the same problem, and
        networks of any kind, which are evaluated on it; see :func:`ridgesplines.evaluate`.

    Returns
    -------
    Comparison
        Prints as a table; `.rows()` and `.to_frame()` hold its figures, `.plot()` draws objectives over training.
        "active" are neurons with more than a millionth of the largest ``|v_k|``; ``|f - f*|`` is the distance to the
        best of them at the data, "off data" at random points between pairs of data.

    Raises
    ------
    ProblemError
        Where the solutions are of different problems, there are none, or networks alone.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> zero = rs.RidgeSpline([[1.0]], [1.0], [0.0])
    >>> [row["K"] for row in rs.compare({"convex": rs.solve(problem), "zero": zero}).rows()][1]
    1
    """
    given = dict(solutions)
    if not given:
        raise ProblemError("solutions", "at least one named solution", "none", 'Pass {"name": solution}.')
    solved = {name: each for name, each in given.items() if isinstance(each, Solution)}
    if not solved:
        remedy = "Pass rs.solve(problem), or rs.evaluate(problem, network), among them."
        raise ProblemError("solutions", "at least one Solution, which has the problem", "networks alone", remedy)
    first = next(iter(solved.values())).problem
    for name, solution in solved.items():
        p = solution.problem
        same = (
            p.lam == first.lam
            and p.loss == first.loss
            and np.array_equal(p.X, first.X)
            and np.array_equal(p.isotropic.X, first.isotropic.X)
            and np.array_equal(p.isotropic.y, first.isotropic.y)
            and p.constraint == first.constraint
            and str(p.constraints) == str(first.constraints)
            and (p.penalise_bias, p.skip) == (first.penalise_bias, first.skip)
        )
        same = (
            same and p.norm == first.norm and p.activation == first.activation and p.interactions == first.interactions
        )
        if not (same and np.array_equal(p.y, first.y) and np.array_equal(p.sample_weight, first.sample_weight)):
            raise ProblemError(
                "solutions",
                "solutions of one problem",
                f"{name!r}, of another",
                "Evaluate each network on one problem.",
            )
    return Comparison({name: solved[name] if name in solved else evaluate(first, given[name]) for name in given})


def between(problem: Problem) -> Array:
    """Points at random places between random pairs of data, (1000, d): within their convex hull."""
    rng = np.random.default_rng(0)
    ends = problem.X[rng.integers(problem.n_samples, size=(2, PROBES))]
    return ends[0] + rng.random((PROBES, 1)) * (ends[1] - ends[0])
