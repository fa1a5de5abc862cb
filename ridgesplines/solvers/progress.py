"""The lines that a solver prints while it works."""

from __future__ import annotations

import sys
import time

from ridgesplines.validation import rounded_up


def print_round(
    label: str,
    number: int,
    began: float,
    neurons: int,
    objective: float,
    gap: float | None,
    scope: str = "exact",
    unit: str = "round",
) -> None:
    """One line a round, to standard error. `began` is a reading of ``time.perf_counter``; `gap` None is not known."""
    words = "" if gap is None else f"  relative gap {rounded_up(gap)}" + (f" ({scope})" if scope != "exact" else "")
    print(
        f"{label}  {unit} {number:3d}  {time.perf_counter() - began:7.2f} s  K = {neurons:6d}  "
        f"objective {objective:.10g}{words}",
        file=sys.stderr,
        flush=True,
    )
