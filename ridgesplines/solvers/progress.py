"""The lines that a solver prints while it works."""

from __future__ import annotations

import sys
import time

from ridgesplines.validation import rounded_up
from ridgesplines.verdict import Scope


def print_round(
    label: str,
    number: int,
    began: float,
    neurons: int,
    objective: float,
    gap: float | None,
    scope: Scope = Scope.EXACT,
    unit: str = "round",
) -> None:
    """One line a round, to standard error. `began` is a reading of ``time.perf_counter``; `gap` None is not known."""
    meaning = "" if scope is Scope.EXACT else f" ({scope})"
    words = "" if gap is None else f"  relative gap {rounded_up(gap)}{meaning}"
    print(
        f"{label}  {unit} {number:3d}  {time.perf_counter() - began:7.2f} s  K = {neurons:6d}  "
        f"objective {objective:.10g}{words}",
        file=sys.stderr,
        flush=True,
    )
