"""Knots that the user knows: the solver of the splines with knots at these places alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.validation import Array, real_array


def solver_with_knots(knots: Any, solver: Solver | None) -> Solver:
    """The grid whose biases are these knots; a ProblemError where they are none, or another solver was named."""
    if solver is not None:
        raise ProblemError(
            "solver",
            "None where knots are given",
            repr(solver),
            "Leave it out, or leave knots out and pass solver=rs.Grid(biases=[...]), which has the other settings.",
        )
    return Grid(biases=np.unique(_places(knots)))


def require_no_constraints(constraints: Any) -> None:
    """Raise a ProblemError where there are any besides knots: the best of so few splines that satisfy them is not
    found by what is known of the best of all.
    """
    if constraints:
        raise ProblemError(
            "constraints",
            "None where knots are given",
            ", ".join(map(repr, constraints)),
            "Leave knots out: with constraints the data choose them. Or leave constraints out, and see whether the fit "
            "satisfies them.",
        )


def require_within(knots: Any, x: Array) -> None:
    """Raise a ProblemError for knots that are not between the least and the largest x: nothing is known of these."""
    places = _places(knots)
    outside = places[(places <= x.min()) | (places >= x.max())]
    if len(outside):
        raise ProblemError(
            "knots",
            f"places between the least and the largest x, {x.min():g} and {x.max():g}",
            f"{outside[0]:g}",
            "Leave it out: a bend there changes nothing at the data.",
        )


def _places(knots: Any) -> Array:
    places = real_array("knots", knots)
    if places.ndim != 1 or not len(places):
        remedy = "Pass knots=[...], or None for knots that the data choose."
        raise ProblemError("knots", "a vector of at least one place", f"shape {places.shape}", remedy)
    return places
