r"""Shape constraints: what a function must do everywhere, not only at the data.

For d = 1 each constraint states itself in one normal form, a :class:`Shape`. Everything downstream knows the normal
form only.
"""

from ridgesplines.constraints.feasible import require_some_function
from ridgesplines.constraints.features import MonotoneFeatures
from ridgesplines.constraints.knots import FreeKnots, KnotsAt, Places
from ridgesplines.constraints.one_feature import (
    Bounds,
    Concave,
    Convex,
    EndSlopes,
    FixedValues,
    Lipschitz,
    Monotone,
    Slope,
)
from ridgesplines.constraints.reading import CONSTRAINTS, checked, constraint_named
from ridgesplines.constraints.shape import Constraint, Shape, combined

__all__ = [
    "CONSTRAINTS",
    "Bounds",
    "Concave",
    "Constraint",
    "Convex",
    "EndSlopes",
    "FixedValues",
    "FreeKnots",
    "KnotsAt",
    "Lipschitz",
    "Monotone",
    "MonotoneFeatures",
    "Places",
    "Shape",
    "Slope",
    "checked",
    "combined",
    "constraint_named",
    "require_some_function",
]
