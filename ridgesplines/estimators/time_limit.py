"""The seconds that a fit may take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ridgesplines.exceptions import ProblemError
from ridgesplines.solvers.base import Solver

#: No solver is given less than this.
LEAST_SECONDS = 1e-3


class Clock:
    """The time that is left of `max_time` seconds, None for no limit; it runs from where it is made.

    Examples
    --------
    >>> Clock(None).left, Clock(60.0).left > 59.0
    (inf, True)
    """

    def __init__(self, max_time: float | None) -> None:
        if max_time is not None and not (isinstance(max_time, int | float) and max_time > 0.0):
            remedy = "Pass max_time=60.0, or None for as long as it takes."
            raise ProblemError("max_time", "a number of seconds > 0, or None", repr(max_time), remedy)
        self.seconds = float("inf") if max_time is None else float(max_time)
        self.began = time.perf_counter()

    @classmethod
    def of(cls, seconds: float) -> Clock:
        """One of so many seconds, which may be none, or without end."""
        clock = cls(None)
        clock.seconds = seconds
        return clock

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Work whose seconds do not count."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.began += time.perf_counter() - began

    @property
    def left(self) -> float:
        """Seconds, not below zero."""
        return max(self.seconds - (time.perf_counter() - self.began), 0.0)


def limited(solver: Solver, seconds: float) -> Solver:
    """The solver, where it can be told, with no more than so many seconds for all it does."""
    if seconds == float("inf") or not is_dataclass(solver):
        return solver
    own = [field.name for field in fields(solver) if field.name in ("max_time", "total_time")]
    return replace(solver, **{name: min(getattr(solver, name), max(seconds, LEAST_SECONDS)) for name in own})


def ran_out(histories: Iterable[Mapping[str, Any]]) -> bool:
    """Whether time has ended one of these fits."""
    return any("stopped" in history for history in histories)
