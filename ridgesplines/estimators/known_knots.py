"""Knots that the user knows: the splines with knots at these places alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines import dates as calendar
from ridgesplines.constraints import Constraint, KnotsAt
from ridgesplines.dates import Dates
from ridgesplines.exceptions import ProblemError
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.validation import Array, real_array


def solver_with_knots(knots: Any, solver: Solver | None, constraints: tuple[Constraint, ...]) -> Solver | None:
    """The grid whose biases are these knots; with constraints, one of which has the knots then, the usual solver.

    A ProblemError where they are no knots, or another solver was named.
    """
    if solver is not None:
        raise ProblemError(
            "solver",
            "None where knots are given",
            repr(solver),
            "Leave it out, or leave knots out and pass solver=rs.Grid(biases=[...]), which has the other settings.",
        )
    return None if constraints else Grid(biases=_places(knots)[0])


def constraints_with(knots: Any, constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """The constraints, and that knots are at these places, where there are both."""
    if knots is None or not constraints:
        return constraints
    return (*constraints, KnotsAt(*_places(knots)))


def require_within(knots: Any, x: Array, dates: Dates | None) -> None:
    """Raise a ProblemError for knots that are not between the least and the largest x: nothing is known of these."""
    places, given = _places(knots)
    calendar.require_same("knots", given, dates, "X")
    outside = places[(places <= x.min()) | (places >= x.max())]
    if len(outside):
        first, last, beyond = _written(np.array([x.min(), x.max(), outside[0]]), dates)
        raise ProblemError(
            "knots",
            f"places between the least and the largest x, {first} and {last}",
            beyond,
            "Leave it out: a bend there changes nothing at the data.",
        )


def _written(x: Array, dates: Dates | None) -> list[str]:
    return [f"{t:g}" for t in x] if dates is None else dates.written(x)[1]


def _places(knots: Any) -> tuple[Array, Dates | None]:
    knots, dates = calendar.read("knots", knots)
    places = real_array("knots", knots)
    if places.ndim != 1 or not len(places):
        remedy = "Pass knots=[...], or None for knots that the data choose."
        raise ProblemError("knots", "a vector of at least one place", f"shape {places.shape}", remedy)
    return np.unique(places), dates
