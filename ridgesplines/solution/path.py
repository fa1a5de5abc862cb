"""Solutions along decreasing lam."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ridgesplines.display import notebook
from ridgesplines.exceptions import ProblemError
from ridgesplines.solution.solution import Solution
from ridgesplines.validation import Array, frozen, rounded_up, whole_number

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Path(Sequence[Solution]):
    """Solutions along decreasing lam: ``path[0]`` has the largest, ``path[-1]`` the smallest.

    Attributes
    ----------
    solutions : one a lam.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
    >>> path = rs.solve_path(problem, n_lams=3)
    >>> len(path), path[0].network.n_neurons
    (3, 0)
    """

    solutions: tuple[Solution, ...]

    @property
    def lams(self) -> Array:
        """lam of each solution, decreasing."""
        return frozen(np.array([solution.problem.lam for solution in self.solutions]))

    @overload
    def __getitem__(self, index: int) -> Solution: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Solution, ...]: ...
    def __getitem__(self, index: int | slice) -> Solution | tuple[Solution, ...]:
        return self.solutions[index]

    def __len__(self) -> int:
        return len(self.solutions)

    def with_neurons(self, k: int) -> Solution:
        """Of the solutions with at most k neurons that of the smallest lam, which comes nearest to the data.

        In one dimension that is a spline of at most k + 1 segments. A ProblemError where the path has none: one that
        begins at lambda_max has, for any k >= 0, unless constraints ask for neurons. ``refitted()`` goes on from there.

        Examples
        --------
        >>> import ridgesplines as rs
        >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
        >>> rs.solve_path(problem).with_neurons(1).network.n_neurons
        1
        """
        whole_number("k", k, 0)
        few = [solution for solution in self.solutions if solution.network.n_neurons <= k]
        if not few:
            least = min((solution.network.n_neurons for solution in self.solutions), default=0)
            remedy = "Begin the path at rs.lambda_max(problem)."
            raise ProblemError("k", f"at least {least}, the fewest neurons on this path", repr(k), remedy)
        return few[-1]

    @property
    def degrees_of_freedom(self) -> Array:
        """Those of each solution, shape (n_lams,); see `Solution.degrees_of_freedom`."""
        return frozen(np.array([solution.degrees_of_freedom for solution in self.solutions]))

    def to_frame(self) -> pandas.DataFrame:
        """The path as a pandas DataFrame, one row a lam; degrees of freedom where they are known. Needs pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ImportError("to_frame() returns a pandas DataFrame: install pandas, or read the solutions.") from None
        columns: dict[str, Any] = {"lam": self.lams, "K": [s.network.n_neurons for s in self.solutions]}
        with suppress(ProblemError):
            columns["degrees of freedom"] = self.degrees_of_freedom
        for name in ("objective", "data_fit", "seminorm", "relative_gap"):
            columns[name.replace("_", " ")] = [getattr(s, name) for s in self.solutions]
        return pd.DataFrame(columns)

    def _repr_html_(self) -> str:
        """A row a lam, of many the first and the last, in a notebook."""
        rows = [
            (f"{s.problem.lam:.6g}", s.network.n_neurons, f"{s.objective:.6g}", f"{s.data_fit:.6g}",
             f"{s.seminorm:.6g}", rounded_up(s.relative_gap), s.certificate.scope)
            for s in self.solutions
        ]  # fmt: skip
        head = ("lam", "K", "objective", "data fit", "seminorm", "relative gap", "scope")
        return notebook.table(repr(self), notebook.shortened(rows), head)

    def plot(self, *, ax: Any = None, title: str | None = None) -> Figure:
        """Neurons, objective and gap against lam; see :func:`ridgesplines.plotting.plot_path`."""
        from ridgesplines.plotting.path import plot_path

        return plot_path(self, ax=ax, title=title)

    def __repr__(self) -> str:
        ends = f"lam = {self.lams[0]:.4g} ... {self.lams[-1]:.4g}" if len(self) else "empty"
        return f"Path({len(self)} solutions, {ends})"
