"""Whether a problem can have its constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.constraints.feasible import require_some_function
from ridgesplines.constraints.features import MonotoneFeatures
from ridgesplines.constraints.knots import Places
from ridgesplines.constraints.one_feature import FixedValues, Monotone
from ridgesplines.constraints.reading import checked
from ridgesplines.constraints.shape import Constraint, Shape
from ridgesplines.dates import Dates, require_same
from ridgesplines.exceptions import ProblemError


def read_constraints(
    given: Any, n_features: int, names: Sequence[str] | None, dates: Dates | None
) -> tuple[Constraint, ...]:
    """The constraints of a problem; in one dimension features that are monotone are a monotone function."""
    constraints = checked(given)
    for constraint in constraints:
        if isinstance(constraint, MonotoneFeatures):
            constraint.numbered(n_features, names)  # or an error
        if isinstance(constraint, (FixedValues, Places)):
            require_same("at", constraint.dates, dates, "X")
    if n_features > 1:
        return constraints
    return tuple(
        Monotone(increasing=constraint.signs[0][1] > 0) if isinstance(constraint, MonotoneFeatures) else constraint
        for constraint in constraints
    )


def require_fitting(problem: Any) -> None:
    """ReLU, one input, one output, and some function that satisfies everything."""
    if not isinstance(problem.activation, ReLU):
        expected = "activation=ReLU() where there are constraints"
        raise ProblemError("constraints", expected, repr(problem.activation), "Leave one out.")
    d, D = problem.n_features, problem.n_outputs
    if d > 1 and all(isinstance(c, MonotoneFeatures) for c in problem.constraints):
        _require_monotone_features(problem)
        return
    if d != 1 or D is not None:
        what = f"d = {d}" + ("" if D is None else f" and D = {D} outputs")
        remedy = "Leave constraints out, or fit one feature and one output at a time; or MonotoneFeatures alone."
        raise ProblemError("constraints", "d = 1 and one output, where there are constraints", what, remedy)
    if any(isinstance(constraint, Shape) for constraint in problem.constraints):
        return  # in scaled units: looked at in the user's own, where rounding is least
    _require_values_that_may_miss(problem)
    data = problem.reduced if problem.loss.interpolates else None
    x, y = (np.empty(0), np.empty(0)) if data is None else (data.X[:, 0], data.y)
    require_some_function(problem.constraint, x, y)


def _require_values_that_may_miss(problem: Any) -> None:
    """Knots with places of their own need not be able to meet all data."""
    given = [constraint for constraint in problem.constraints if isinstance(constraint, Places)]
    if given and problem.loss.interpolates:
        expected = f"a loss whose fit may miss the data, where there is {given[0]!r}"
        remedy = "Use Squared or Absolute with a small lam: with given knots a spline may be unable to meet all data."
        raise ProblemError("constraints", expected, "Interpolation()", remedy)


def _require_monotone_features(problem: Any) -> None:
    """One output, and a loss that does not fix the fit."""
    expected, got, remedy = None, "", ""
    if problem.n_outputs is not None:
        expected, got, remedy = "one output", f"D = {problem.n_outputs} outputs", "Fit one output at a time."
    elif problem.loss.interpolates:
        expected, got = "a loss whose fit may miss the data", repr(problem.loss)
        remedy = "Monotone functions need not meet the data: use Squared or Absolute with a small lam."
    if expected is not None:
        raise ProblemError("constraints", f"{expected}, where there are MonotoneFeatures", got, remedy)
    _ = problem.signs  # an error where two of them contradict each other
