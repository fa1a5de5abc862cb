"""Dates as numbers of days and back, held against Python's own calendar, pandas and Matplotlib."""

import datetime as dt
from zoneinfo import ZoneInfo

import matplotlib.dates
import numpy as np
import pandas as pd
import pytest

from ridgesplines.dates import Dates, read, require_same
from ridgesplines.display import digits
from ridgesplines.exceptions import ProblemError

UNITS = ["D", "h", "m", "s", "ms", "us", "ns"]
#: Days around leap years and changes to summer time, before and after 1970.
DAYS = ["1899-12-31", "1969-12-31", "1970-01-01", "2000-02-29", "2024-03-31", "2024-10-27"]
BERLIN = ZoneInfo("Europe/Berlin")


def by_hand(text, zone=dt.UTC):
    """Days since 1970 by Python's datetime, an integer number of microseconds divided once."""
    since = dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC) - dt.datetime(
        1970, 1, 1, tzinfo=dt.UTC
    )
    return since / dt.timedelta(days=1)


@pytest.mark.parametrize("unit", [*UNITS, "W", "M", "25s"])
def test_the_unit_does_not_matter(unit):
    x = np.array(["1970-01-01", "2009-01-01"] if unit in "WM" else DAYS, dtype="datetime64[D]").astype(f"M8[{unit}]")
    days, dates = read("x", x)
    assert dates == Dates()
    np.testing.assert_array_equal(days, [by_hand(str(each)) for each in x.astype("M8[D]")])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_days_are_the_numbers_of_matplotlib(unit):
    rng = np.random.default_rng(0)
    x = np.datetime64("2021-05-17T03:04:05", "s").astype(f"M8[{unit}]") + rng.integers(0, 10**9, 50)
    np.testing.assert_allclose(read("x", x)[0], matplotlib.dates.date2num(x), rtol=4e-16)


def forms(index):
    """One and the same index in the classes in which dates come."""
    yield from (index, pd.Series(index), pd.Series(index, dtype=object), index.to_pydatetime(), list(index))
    yield from (pd.DataFrame({"when": index}), pd.Series(index).to_numpy(dtype=object)[:, None])
    if index.tz is None:
        yield from (index.to_numpy(), index.to_numpy()[:, None], list(index.to_numpy()))


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", dt.timezone(dt.timedelta(hours=-5, minutes=-30))])
def test_whatever_class_dates_come_in(zone):
    index = pd.DatetimeIndex(DAYS).tz_localize(zone)
    expected = [by_hand(day, zone and index.tz) for day in DAYS]
    for given in forms(index):
        days, dates = read("x", given)
        np.testing.assert_array_equal(np.ravel(days), expected)
        assert dates.kind == "datetime"
        assert dates.zone == (None if zone is None else "UTC-05:30" if isinstance(zone, dt.tzinfo) else zone)
        restored = dates.restored(np.ravel(days))
        assert [pd.Timestamp(each) for each in restored] == list(index)
        np.testing.assert_array_equal(read("x", restored)[0], expected)  # there and back


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("library", ["pyarrow", "pandas on pyarrow", "polars"])
def test_columns_of_arrow_and_polars(library, zone):
    module = pytest.importorskip(library.split()[-1])
    index = pd.DatetimeIndex(DAYS).tz_localize(zone)
    if library == "pyarrow":
        column = module.array(list(index.to_pydatetime()), type=module.timestamp("us", tz=zone))
        forms = [column, module.chunked_array([column])]
    elif library == "polars":
        plain = module.Series("when", list(pd.DatetimeIndex(DAYS).to_pydatetime()))
        column = plain if zone is None else plain.dt.replace_time_zone(zone)
        forms = [column, column.to_frame()]
    else:
        column = pd.Series(index).astype(f"timestamp[us{', tz=' + zone if zone else ''}][pyarrow]")
        forms = [column, column.to_frame("when")]
    for given in forms:
        days, dates = read("x", given)
        np.testing.assert_array_equal(np.ravel(days), [by_hand(day, zone and index.tz) for day in DAYS])
        assert dates == Dates("datetime", zone)


def test_python_dates_and_durations():
    np.testing.assert_array_equal(read("x", [dt.date(1970, 1, 2), dt.date(1969, 12, 31)])[0], [1.0, -1.0])
    for given in (
        [dt.timedelta(hours=36)],
        [pd.Timedelta(hours=36)],
        np.array([36], "m8[h]"),
        pd.Series(pd.to_timedelta(["36h"])),
    ):
        days, dates = read("x", given)
        assert (days.tolist(), dates) == ([1.5], Dates("timedelta"))
    assert read("x", dt.date(1970, 1, 2))[0] == 1.0
    assert read("x", np.timedelta64(12, "h"))[0] == 0.5


def test_numbers_are_left_as_they_are():
    for given in ([1.0, 2.0], np.arange(3), pd.DataFrame({"a": [1], "b": ["text"]}), "text", [[1], [2, 3]], None):
        values, dates = read("x", given)
        assert values is given
        assert dates is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.array(["2020-01-01", "NaT"], dtype="M8[D]"), r"NaT, a missing date, at index \(1\)"),
        (pd.Series([pd.Timestamp("2020-01-01"), pd.NaT], dtype=object), "a missing date at row 1"),
        ([dt.date(2020, 1, 1), None], "a missing date at row 1"),
        ([dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)], "some with and some without"),
        ([dt.datetime(2020, 1, 1), 3.0], "dates mixed with 3.0"),
        ([dt.datetime(2020, 1, 1), dt.timedelta(3)], "dates mixed with durations"),
        (pd.period_range("2020-01", periods=2, freq="M"), "to_timestamp"),
        (np.array([1, 2], dtype="m8[Y]"), "unit 'Y'"),
        (np.array([1, 2], dtype="m8"), "unit 'generic'"),
        (np.array([1, 2], dtype="m8[ps]"), "unit 'ps'"),
        (np.array([10**15], dtype="M8[Y]"), "one farther away"),
        (pd.DataFrame({"when": pd.to_datetime(DAYS), "b": 1.0}), "column 'when' of 2"),
        (np.array([DAYS, DAYS], dtype="M8[D]"), "a table of dates"),
        (np.array([[dt.date(2020, 1, 1), 1.0]], dtype=object), "dates mixed with 1.0"),
    ],
)
def test_what_is_refused(given, words):
    with pytest.raises(ProblemError, match=words):
        read("x", given)


def test_dates_that_are_one_number():
    x = np.datetime64("2026-01-01", "ns") + np.array([0, 100, 100])
    with pytest.raises(ProblemError, match=r"0.3 microseconds.*00\.000000000 and .*00\.000000100.*x - x\[0\]"):
        read("x", x)
    read("x", x, distinct=False)
    days, _ = read("x", x - x[0])
    np.testing.assert_allclose(days * 86400e9, [0, 100, 100], rtol=1e-15)
    days, _ = read(
        "x", np.datetime64("2026-01-01", "ns") + np.arange(0, 10000, 500)
    )  # half a microsecond is far enough
    assert (np.diff(days) > 0.0).all()


def test_mixed_zones_are_one_instant():
    x = [dt.datetime(2024, 7, 1, 12, tzinfo=BERLIN), dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC)]
    days, dates = read("x", x)
    assert days[0] == days[1]
    assert dates.zone == "UTC"


def test_restored_to_the_microsecond():
    rng = np.random.default_rng(1)
    x = np.datetime64("2026-11-26", "us") + rng.integers(0, 86_400_000_000, 2000)
    np.testing.assert_array_equal(Dates().restored(read("x", x)[0]), x)
    x = rng.integers(0, 86_400 * 10**9, 500).view("m8[ns]")
    np.testing.assert_array_equal(Dates("timedelta").restored(read("x", x)[0]), x)
    assert np.isnat(Dates().restored([1e9]))


@pytest.mark.parametrize("kept", [None, Dates(), Dates("datetime", "UTC"), Dates("timedelta")])
@pytest.mark.parametrize("given", [None, Dates(), Dates("datetime", "Europe/Berlin"), Dates("timedelta")])
def test_only_what_was_fitted(kept, given):
    zones = [bool(each and each.zone) for each in (kept, given)]
    if (kept and kept.kind) == (given and given.kind) and zones[0] == zones[1]:
        require_same("X", given, kept)
        return
    with pytest.raises(ProblemError, match="as in the fit; got"):
        require_same("X", given, kept)


@pytest.mark.parametrize(
    ("days", "within", "texts"),
    [
        ([18262.0, 18293.0], (), ["2020-01-01", "2020-02-01"]),
        ([18262.25], np.arange(18262.0, 18300.0, 0.125), ["2020-01-01 06:00"]),
        ([18262.75], np.arange(18000.0, 18300.0), ["2020-01-01"]),  # daily data need no hours
        ([18262.25], (-1e5, 1e5), ["2020-01-01"]),  # the span of centuries
        ([18262.0, 18262.0 + 1 / 86400], (), ["2020-01-01 00:00:00", "2020-01-01 00:00:01"]),
        ([18262.0, 18262.0 + 1e-6 / 86400], (), ["2020-01-01 00:00:00.000000", "2020-01-01 00:00:00.000001"]),
        ([], (), []),
    ],
)
def test_dates_in_words(days, within, texts):
    assert Dates().written(days, within) == ("", texts)


def test_dates_in_words_of_a_zone():
    days = read("x", [dt.datetime(2024, 1, 31, tzinfo=BERLIN), dt.datetime(2024, 7, 31, tzinfo=BERLIN)])[0]
    assert Dates("datetime", "Europe/Berlin").written(days) == (" [Europe/Berlin]", ["2024-01-31", "2024-07-31"])
    _, texts = Dates("datetime", "Europe/Berlin").written(days + 0.25)
    assert texts == ["2024-01-31 06:00+0100", "2024-07-31 06:00+0200"]
    unknown = Dates("datetime", "Nowhere/At all").written(days + 0.25)[1]
    assert unknown == ["2024-01-31 05:00+0000", "2024-07-31 04:00+0000"]  # an honest offset, whatever the name


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ([48, 60], (" [days]", ["2", "2.5"])),
        ([1.0, 2.5], (" [hours]", ["1", "2.5"])),
        ([1e-3], (" [seconds]", ["3.6"])),
    ],
)
def test_durations_in_words(hours, words):
    assert Dates("timedelta").written(np.array(hours) / 24.0) == words


# ---------------------------------------------------------------------- digits of numbers


def test_six_digits_where_they_do():
    assert digits.written([0.1, 1.0 / 3.0, 12345.678]) == ["0.1", "0.333333", "12345.7"]
    assert digits.written([]) == []
    assert digits.written([-0.0]) == ["0"]


@pytest.mark.parametrize("seed", range(20))
def test_neighbours_differ_and_the_span_is_resolved(seed):
    rng = np.random.default_rng(seed)
    offset, span = 10.0 ** rng.uniform(-3, 9), 10.0 ** rng.uniform(-2, 4)
    x = offset + np.sort(rng.uniform(0.0, span, rng.integers(1, 30)))
    texts = digits.written(x, within=[offset, offset + span])
    assert len(set(texts)) == len(set(x.tolist()))
    assert np.abs(np.array(texts, dtype=float) - x).max() <= max(1e-5 * span, np.spacing(offset + span))
    assert digits.written(x[::-1], within=[offset, offset + span]) == texts[::-1]


def test_julian_dates():
    x = 2451234.5 + np.arange(5)
    assert digits.written(x) == ["2451234.5", "2451235.5", "2451236.5", "2451237.5", "2451238.5"]
    assert digits.written(x[:1], within=2451234.5 + np.arange(3000)) == ["2451234.5"]
