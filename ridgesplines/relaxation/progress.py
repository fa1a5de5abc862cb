"""What is printed while a certificate is made stronger."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ridgesplines.oracle import Report
from ridgesplines.validation import rounded_up


def printed(lam: float, gap_at: Callable[[float], float]) -> Report:
    """Prints how far the supremum is known, and so the gap, which `gap_at` tells; at most once a second."""
    unit, last = lam or 1.0, 0.0

    def report(seconds: float, found: float, bound: float, cones: int) -> None:
        nonlocal last
        if seconds < last + 1.0:
            return
        last = seconds
        print(
            f"certify  {seconds:7.2f} s  {cones:8d} cones  sup|eta|/lam in [{found / unit:.8g}, {bound / unit:.8g}]  "
            f"relative gap <= {rounded_up(gap_at(bound))}",
            file=sys.stderr,
            flush=True,
        )

    return report
