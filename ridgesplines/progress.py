"""What a solver prints while it works."""

from __future__ import annotations

import sys
import time

from ridgesplines.validation import rounded_up


def print_round(
    label: str, number: int, began: float, neurons: int, objective: float, gap: float, scope: str = "exact"
) -> None:
    """One line a round, to standard error. `began` is a reading of ``time.perf_counter``."""
    print(
        f"{label}  round {number:3d}  {time.perf_counter() - began:7.2f} s  K = {neurons:6d}  "
        f"objective {objective:.10g}  relative gap {rounded_up(gap)}" + (f" ({scope})" if scope != "exact" else ""),
        file=sys.stderr,
        flush=True,
    )
