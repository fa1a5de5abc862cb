"""Dates and durations as numbers: days, whatever unit they came in, and back again.

Dates are days since 1970-01-01, in UTC where they have a time zone, which is Matplotlib's date number too; durations
are days. A float64 tells dates of today apart that differ by 0.3 microseconds; dates that it does not are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ridgesplines.display import digits
from ridgesplines.exceptions import ProblemError

#: The units of NumPy that are read, as parts of a day.
PER_DAY = {
    "D": 1,
    "h": 24,
    "m": 1440,
    "s": 86_400,
    "ms": 86_400_000,
    "us": 86_400_000_000,
    "ns": 86_400_000_000_000,
}
#: Beyond so many days NumPy has no microseconds; beyond so many for durations no nanoseconds.
MOST_DAYS, MOST_DAYS_NS = 1e8, 1e5
#: The steps to which dates are written, and the units of durations with their names.
STEPS = ("D", "m", "s", "ms", "us")
UNITS = {"D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "ms", "us": "us", "ns": "ns"}
#: What a step may be, as a part of the span, where it does not meet every date exactly.
RESOLUTION = 1e-5
#: Days of 23 hours are days.
CHANGE_OF_CLOCKS = 24.0 / 23.0
#: The name of a zone of constant offset, as Python has it.
OFFSET = re.compile(r"UTC([+-])(\d\d):(\d\d)")


@dataclass(frozen=True)
class Dates:
    """What numbers of days stand for.

    Attributes
    ----------
    kind : ``"datetime"``, days since 1970-01-01; or ``"timedelta"``, durations.
    zone : the time zone in which dates are shown, such as ``"Europe/Berlin"``; None where they have none. Days are
        those of UTC then.

    Examples
    --------
    >>> Dates().restored([18262.5])
    array(['2020-01-01T12:00:00.000000'], dtype='datetime64[us]')
    """

    kind: str = "datetime"
    zone: str | None = None

    def __post_init__(self) -> None:
        known = self.kind == "datetime" or (self.kind == "timedelta" and self.zone is None)
        if not known or not isinstance(self.zone, str | None):
            raise ProblemError("dates", "Dates('datetime', zone) or Dates('timedelta')", repr(self), "Pass dates in X.")

    @property
    def words(self) -> str:
        """A name for what these are."""
        if self.kind == "timedelta":
            return "durations (timedelta64)"
        return "dates (datetime64)" if self.zone is None else "dates with a time zone"

    @property
    def tzinfo(self) -> tzinfo | None:
        """The time zone; UTC where this machine does not know its name."""
        if self.zone is None:
            return None
        if offset := OFFSET.fullmatch(self.zone):
            sign, hours, minutes = offset.groups()
            return timezone(int(f"{sign}1") * timedelta(hours=int(hours), minutes=int(minutes)))
        try:
            return ZoneInfo(self.zone)
        except (LookupError, ValueError, OSError):
            return UTC

    def restored(self, days: Any) -> NDArray[Any]:
        """Numbers of days as dates: datetime64[us], or datetime.datetime with their time zone; or timedelta64[ns].

        NaT beyond 1e8 days from 1970, 270 000 years; durations of more than 1e5 days are timedelta64[us]. Rounded to
        what float64 resolves: from 2059 on, to 10 microseconds.
        """
        numbers = np.array(days, dtype=float, ndmin=1)
        there = np.abs(numbers) <= MOST_DAYS
        numbers = np.where(there, numbers, 0.0)
        is_short = self.kind == "timedelta" and np.abs(numbers).max(initial=0.0) <= MOST_DAYS_NS
        unit, whole = "ns" if is_short else "us", np.floor(numbers)
        rounding = 3.0 * np.spacing(np.abs(numbers).max(initial=1e-9)) * PER_DAY[unit]
        step = max(1.0, 10.0 ** np.ceil(np.log10(rounding)))
        parts = np.rint((numbers - whole) * PER_DAY[unit] / step) * step
        counts = whole.astype(np.int64) * PER_DAY[unit] + parts.astype(np.int64)
        found = counts.view(f"{'M' if self.kind == 'datetime' else 'm'}8[{unit}]")
        found[~there] = "NaT"
        return found if self.zone is None else self._aware(found)

    def _aware(self, instants: NDArray[Any]) -> NDArray[Any]:
        """The same instants as objects that know their zone; None where Python has none."""
        aware = np.empty(instants.shape, dtype=object)
        for index, at in zip(np.ndindex(aware.shape), instants.ravel().tolist(), strict=True):
            aware[index] = at.replace(tzinfo=UTC).astimezone(self.tzinfo) if isinstance(at, datetime) else None
        return aware

    def written(self, days: Any, within: Any = ()) -> tuple[str, list[str]]:
        """Numbers of days in words, and what to say beside their name: the unit of durations, or the time zone.

        Parameters
        ----------
        days : shape (K,).
        within : other numbers of days that they lie among, such as the data; whose spacing says what is precise.

        Examples
        --------
        >>> Dates().written([18262.0, 18263.0]), Dates().written([18262.25], within=[18262.0, 18262.5])
        (('', ['2020-01-01', '2020-01-02']), ('', ['2020-01-01 06:00']))
        >>> Dates("timedelta").written([0.25, 0.5])
        (' [hours]', ['6', '12'])
        """
        days, within = np.asarray(days, dtype=float), np.asarray(within, dtype=float).ravel()
        if self.kind == "datetime":
            return ("" if self.zone is None else f" [{self.zone}]"), self._clock(days, within)
        unit = self.unit(np.append(days, within))
        return f" [{UNITS[unit]}]", digits.written(days * PER_DAY[unit], within * PER_DAY[unit])

    def unit(self, days: Any) -> str:
        """The largest unit of which the longest of these durations has at least one."""
        longest = np.abs(days).max(initial=0.0)
        return next((unit for unit in UNITS if longest * PER_DAY[unit] >= 1.0), "ns" if longest else "D")

    def _clock(self, days: NDArray[Any], within: NDArray[Any]) -> list[str]:
        """Dates to the day, the minute, ... as far as they are exact then, or their span or spacing asks for it."""
        found, offsets = self.restored(days), [""] * len(days)
        if self.zone is not None:
            offsets = ["" if at is None else at.strftime("%z") for at in found]
            found = np.array([None if at is None else at.replace(tzinfo=None) for at in found], dtype="M8[us]")
        among = np.append(days, within)
        spacing = np.diff(np.unique(within)).min(initial=np.inf) if len(within) > 1 else 0.0
        enough = max(spacing * CHANGE_OF_CLOCKS, RESOLUTION * np.ptp(among)) if len(among) else 0.0
        for step in STEPS:
            begun = found.astype(f"M8[{step}]")  # as a clock shows it
            texts = [text.replace("T", " ") for text in np.datetime_as_string(begun).tolist()]
            if step != "D":
                texts = [text + offset for text, offset in zip(texts, offsets, strict=True)]
            will_do = enough * PER_DAY[step] >= 1.0 or ((begun == found) | np.isnat(found)).all()
            if will_do and len(set(texts)) == len(set(days.tolist())):
                break
        return texts


def require_same(name: str, given: Dates | None, fitted: Dates | None, where: str = "the fit") -> None:
    """Raise where numbers came for dates, dates for numbers, or another kind of them than in the fit."""
    if given is None or fitted is None:
        if given is fitted:
            return
    elif given.kind == fitted.kind and (given.zone is None) == (fitted.zone is None):
        return
    expected, got = ("numbers" if each is None else each.words for each in (fitted, given))
    if fitted is None:
        remedy = f"Turn dates into numbers in the same way as for {where}."
    elif fitted.kind == "timedelta":
        remedy = "Pass durations since the same start: x - start."
    elif fitted.zone is not None:
        remedy = "Give dates their time zone: pandas.to_datetime(x).tz_localize('UTC'), say."
    elif given is not None and given.zone is not None:
        remedy = "Take their time zone away as for the fit: x.tz_convert(zone).tz_localize(None)."
    else:
        remedy = "Pass dates: numpy.array(['2020-01-31'], dtype='datetime64[us]'), say, or pandas.to_datetime(x)."
    raise ProblemError(name, f"{expected}, as in {where}", got, remedy)
