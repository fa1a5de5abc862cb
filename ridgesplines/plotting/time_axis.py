"""An axis of x, which may be dates or durations: their numbers are days, as Matplotlib's are."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ridgesplines.dates import Dates
from ridgesplines.dates.record import PER_DAY, UNITS
from ridgesplines.validation import Array

#: Days since 1970 that Matplotlib can name: the years 1 to 9999, less a margin.
EARLIEST, LATEST = -719_000.0, 2_932_000.0


class UnitLocator(MaxNLocator):
    """Ticks at round numbers of a unit, of which a day has so many."""

    def __init__(self, per_day: float) -> None:
        super().__init__(nbins=9, steps=[1, 2, 2.5, 5, 10])
        self.per_day = per_day

    def tick_values(self, vmin: float, vmax: float) -> Any:
        return np.asarray(super().tick_values(vmin * self.per_day, vmax * self.per_day)) / self.per_day


def label_x(axis: Any, name: str, dates: Dates | None, x: Array) -> None:
    """Name an axis, x or y, after the feature on it, and have its ticks in the dates or durations that x stand for."""
    if dates is None:
        axis.set_label_text(name)
    elif dates.kind == "timedelta":
        unit = dates.unit(x)
        axis.set_major_locator(UnitLocator(PER_DAY[unit]))
        axis.set_major_formatter(FuncFormatter(lambda days, place: f"{days * PER_DAY[unit]:g}"))
        axis.set_label_text(f"{name} [{UNITS[unit]}]")
    elif x.min() > EARLIEST and x.max() < LATEST:
        locator = AutoDateLocator(tz=dates.tzinfo)
        axis.set_major_locator(locator)
        axis.set_major_formatter(ConciseDateFormatter(locator, tz=dates.tzinfo))
        axis.set_label_text(name if dates.zone is None else f"{name} [{dates.zone}]")
    else:
        axis.set_label_text(f"{name} [days since 1970-01-01]")
