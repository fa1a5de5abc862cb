"""Constraints by name: what ``--constraint`` takes."""

from __future__ import annotations

import ridgesplines as rs
from ridgesplines import constraints
from ridgesplines.cli.reading import TableError
from ridgesplines.constraints.reading import FEATURES_FORM, WORDS


def constraint_named(text: str) -> constraints.Constraint:
    """The constraint that ``increasing``, ``lipschitz=2`` or ``through=2020-01-31:0`` names."""
    try:
        return constraints.constraint_named(text)
    except rs.ProblemError as error:
        raise TableError(f"--constraint {text}: {error}") from None


def forms() -> str:
    """How constraints are written."""
    return ", ".join([*(form for form, _ in WORDS.values()), FEATURES_FORM])
