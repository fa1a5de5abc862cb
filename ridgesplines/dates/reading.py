"""Dates and durations in the classes in which people have them, read as numbers of days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.dates.record import MOST_DAYS, PER_DAY, Dates
from ridgesplines.exceptions import ProblemError

AS_NUMBERS = "Turn them into numbers in a unit of your choice, such as (dates - dates[0]) / np.timedelta64(1, 'D')."


def read(name: str, values: Any, distinct: bool = True) -> tuple[Any, Dates | None]:
    """Days, and what they stand for; whatever is neither dates nor durations comes back as it is, with None.

    Parameters
    ----------
    name : of the argument, for messages.
    values : numbers; or datetime64, timedelta64, a Series, an Index or a table of one column of such, Arrow's
        timestamps, or objects such as datetime.datetime. Shape (), (N,) or (N, 1).
    distinct : whether it is an error that two different dates are one number.

    Raises
    ------
    ProblemError
        For NaT, for dates mixed with anything else or with and without a time zone, for units that are no part of a
        day, for dates among several features.

    Examples
    --------
    >>> read("x", np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[h]"))
    (array([18262., 18263.]), Dates(kind='datetime', zone=None))
    """
    column = _column(name, values)
    raw, zone = _stamps(name, column)
    if raw.dtype.kind not in "mM":
        return values, None
    if raw.ndim > 1 and raw.shape[1] != 1:
        raise several(name, "a table of dates")
    if np.isnat(raw).any():
        where = ", ".join(map(str, np.argwhere(np.isnat(raw))[0]))
        raise ProblemError(name, "dates", f"NaT, a missing date, at index ({where})", "Leave these rows out.")
    dates = Dates("datetime" if raw.dtype.kind == "M" else "timedelta", zone)
    days = _days(name, raw, dates)
    if distinct:
        _require_distinct(name, raw, days)
    return days, dates


def refused(name: str, values: Any) -> ProblemError | None:
    """The error for dates where only numbers have a meaning; None where these are no dates."""
    if not _is_time(getattr(values, "dtype", None)) and not any(map(_is_date, _objects(values))):
        return None
    return ProblemError(name, "numbers", "dates or durations", AS_NUMBERS)


def several(name: str, got: str) -> ProblemError:
    """The error for dates among several features, whose directions mix units."""
    return ProblemError(name, "dates as the only feature (d = 1), or numbers", got, AS_NUMBERS)


def _is_time(kind: Any) -> bool:
    """Whether a dtype, of NumPy, pandas, Arrow or polars, is one of dates or durations."""
    if isinstance(kind, np.dtype):  # whose name takes longer to write than a small array to read
        return kind.kind in ("m", "M")
    return getattr(kind, "kind", "") in ("m", "M") or str(kind).startswith(("Date", "Duration", "date32", "date64"))


def _is_date(value: Any) -> bool:
    return isinstance(value, date | timedelta | np.datetime64 | np.timedelta64)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _objects(values: Any) -> Iterable[Any]:
    """The entries of an array of objects; none for any other."""
    array = np.asarray(values) if isinstance(values, np.ndarray | list | tuple | date | timedelta) else values
    return array.ravel().tolist() if isinstance(array, np.ndarray) and array.dtype.kind == "O" else ()


def _column(name: str, values: Any) -> Any:
    """A table's only column; a table of several as it is, where none of them are dates."""
    if not (hasattr(values, "columns") and hasattr(values, "dtypes")):
        return values
    times = [label for label, kind in zip(values.columns, values.dtypes, strict=True) if _is_time(kind)]
    if times and len(values.columns) > 1:
        raise several(name, f"dates in the column {times[0]!r} of {len(values.columns)}")
    if not times:
        return values
    return values.iloc[:, 0] if hasattr(values, "iloc") else values.to_series()


def _stamps(name: str, values: Any) -> tuple[NDArray[Any], str | None]:
    """Dates as datetime64 or timedelta64 in a unit of their own, and their zone; anything else as an array."""
    kind: Any = getattr(values, "dtype", None)
    zone = _zone_name(_zone_of(getattr(values, "type", None) if kind is None else kind))
    if zone is not None and hasattr(kind, "unit"):  # pandas: without an object for each
        return values.to_numpy(dtype=f"datetime64[{kind.unit}]"), zone
    try:
        raw = np.asarray(values)
    except ValueError:  # no array at all: whoever wants numbers says why
        return np.empty(0), None
    if raw.dtype.kind != "O":
        return raw, zone
    entries = raw.ravel().tolist()
    if any(type(entry).__name__ == "Period" for entry in entries):
        raise ProblemError(name, "dates or numbers", "pandas periods", "Say which date in them: x.to_timestamp().")
    return _from_objects(name, entries, raw.shape) if any(map(_is_date, entries)) else (raw, None)


def _zone_of(kind: Any) -> Any:
    kind = getattr(kind, "pyarrow_dtype", kind)
    return getattr(kind, "tz", None) or getattr(kind, "time_zone", None)


def _zone_name(zone: Any) -> str | None:
    """A name by which the zone can be found again; UTC where it has none."""
    if zone is None:
        return None
    known = str(getattr(zone, "key", zone))
    return known if known == "UTC" or Dates("datetime", known).tzinfo is not UTC else "UTC"


def _from_objects(name: str, entries: list[Any], shape: tuple[int, ...]) -> tuple[NDArray[Any], str | None]:
    """Dates, with or without a zone, or durations, from objects of Python's, NumPy's and pandas' classes."""
    for k, entry in enumerate(entries):
        if _is_missing(entry):
            raise ProblemError(name, "dates", f"a missing date at row {k}", "Leave these rows out.")
    durations = [isinstance(entry, timedelta | np.timedelta64) for entry in entries]
    strange = [entry for entry in entries if not _is_date(entry)]
    if strange or len(set(durations)) > 1:
        got = f"dates mixed with {strange[0]!r}" if strange else "dates mixed with durations"
        raise ProblemError(name, "dates alone, or numbers alone", got, "Make them all the same kind.")
    zones = [_zone_name(getattr(entry, "tzinfo", None)) for entry in entries]
    if None in zones and len(set(zones)) > 1:
        got = "some with and some without"
        raise ProblemError(name, "dates all with a time zone, or all without", got, "Give each its time zone.")
    zone = zones[0] if len(set(zones)) == 1 else "UTC"
    plain = np.array([_plain(entry) for entry in entries]).reshape(shape)
    return plain, zone


def _plain(entry: Any) -> Any:
    """The same date or duration as NumPy has it, in UTC."""
    for method in ("to_datetime64", "to_timedelta64"):  # pandas' objects, which may have nanoseconds
        if hasattr(entry, method):
            return getattr(entry, method)()
    if isinstance(entry, np.datetime64 | np.timedelta64):
        return entry
    if isinstance(entry, timedelta):
        return np.timedelta64(entry, "us")
    if getattr(entry, "tzinfo", None) is not None:
        entry = entry.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(entry, "us")


def _days(name: str, raw: NDArray[Any], dates: Dates) -> NDArray[Any]:
    """Days as float64: whole days and the part of one, each exact, so that the unit does not matter."""
    unit = np.datetime_data(raw.dtype)[0]
    years = {"Y": 1.0, "M": 1.0 / 12.0}.get(unit, 0.0) if dates.kind == "datetime" else 0.0
    if not (unit in PER_DAY or unit == "W" or years):
        remedy = f"Divide durations by a unit, x / numpy.timedelta64(1, {unit!r}), which gives numbers."
        raise ProblemError(name, "a unit between weeks and nanoseconds", f"the unit {unit!r}", remedy)
    size = np.abs(raw.astype(f"{raw.dtype.kind}8[{unit}]").view(np.int64)).max(initial=0)
    length = 366.0 * years or 7.0 * (unit == "W") or 1.0 / PER_DAY[unit]
    most = MOST_DAYS if dates.zone is None else 7e5  # those of Python end with the year 9999
    if size * length > most:
        raise ProblemError(
            name, f"dates within {most:g} days of 1970", "one farther away", "Use numbers of years, say."
        )
    unit = "D" if years or unit == "W" else unit
    counts = raw.astype(f"{raw.dtype.kind}8[{unit}]").view(np.int64)
    whole, part = np.divmod(np.abs(counts), PER_DAY[unit])
    return np.sign(counts) * (whole + part / PER_DAY[unit])


def _require_distinct(name: str, raw: NDArray[Any], days: NDArray[Any]) -> None:
    """Raise where rounding makes one number of two dates."""
    order = np.argsort(raw, axis=None, kind="stable")
    sorted_raw, sorted_days = raw.ravel()[order], days.ravel()[order]
    same = (sorted_raw[1:] > sorted_raw[:-1]) & (sorted_days[1:] == sorted_days[:-1])
    if same.any():
        k = int(np.argmax(same))
        raise ProblemError(
            name,
            "dates that differ by more than the rounding of days since 1970, today 0.3 microseconds",
            f"{sorted_raw[k]} and {sorted_raw[k + 1]}",
            "Subtract the start, x - x[0]: durations are resolved far better.",
        )
