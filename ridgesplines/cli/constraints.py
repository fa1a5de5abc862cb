"""Constraints by name: what ``--constraint`` takes."""

from __future__ import annotations

from collections.abc import Callable

import ridgesplines as rs
from ridgesplines.cli.table import TableError, instant
from ridgesplines.constraints import Constraint

#: How each is written, and what makes it of what follows the equals sign, which is parted at the last colon.
CONSTRAINTS: dict[str, tuple[str, Callable[..., Constraint]]] = {
    "monotone": ("monotone", lambda: rs.Monotone()),
    "increasing": ("increasing", lambda: rs.Monotone()),
    "decreasing": ("decreasing", lambda: rs.Monotone(increasing=False)),
    "convex": ("convex", lambda: rs.Convex()),
    "concave": ("concave", lambda: rs.Concave()),
    "lipschitz": ("lipschitz=BOUND", lambda bound: rs.Lipschitz(float(bound))),
    "through": ("through=X:Y", lambda x, y: rs.FixedValues(instant(x) or float(x), float(y))),
}


def constraint_named(text: str) -> Constraint:
    """The constraint that ``increasing``, ``lipschitz=2`` or ``through=2020-01-31:0`` names."""
    name, _, settings = text.partition("=")
    if name not in CONSTRAINTS:
        raise TableError(f"--constraint: expected one of {forms()}; got {text!r}")
    form, make = CONSTRAINTS[name]
    given = settings.rsplit(":", form.count(":")) if settings else []
    try:
        return make(*given)
    except rs.ProblemError as error:
        raise TableError(f"--constraint {text}: {error}") from None
    except (TypeError, ValueError):
        raise TableError(f"--constraint: expected {form}; got {text!r}") from None


def forms() -> str:
    """How constraints are written."""
    return ", ".join(form for form, _ in CONSTRAINTS.values())
