"""Dates in one dimension are carried from the data to knots, tables, files, pictures and predictions, or refused."""

import pickle
import re

import matplotlib.dates
import numpy as np
import pandas as pd
import pytest

import ridgesplines as rs
from ridgesplines.dates import Dates

#: A table of daily measurements in two trends, with a gap and a repeated day; lam is in days.
DAYS = np.concatenate([np.arange(0, 60), np.arange(75, 140), [139]])
START = np.datetime64("2023-12-01", "D")
RNG = np.random.default_rng(3)
Y = np.round(np.abs(DAYS - 62.0) * 0.2 + 0.3 * RNG.standard_normal(len(DAYS)), 1)
LAM = 8.0
NUMBERS = (START - np.datetime64("1970-01-01")).astype(int) + DAYS.astype(float)


def dated(unit="D"):
    return (START + DAYS).astype(f"M8[{unit}]")


KINDS = {
    "naive": dated(),
    "aware": pd.Series(pd.DatetimeIndex(dated("us")).tz_localize("America/New_York"), name="when"),
    "durations": (dated("s") - dated("s")[0]),
}


@pytest.fixture(scope="module")
def plain():
    return rs.solve(rs.Problem(NUMBERS, Y, LAM))


@pytest.fixture(params=KINDS, scope="module")
def fitted(request):
    x = KINDS[request.param]
    return x, rs.solve(rs.Problem(x, Y, LAM))


@pytest.mark.parametrize("unit", ["D", "h", "s", "us", "ns"])
def test_the_unit_is_days_whatever_it_was(unit, plain):
    solution = rs.solve(rs.Problem(dated(unit), Y, LAM))
    assert solution.objective == plain.objective
    np.testing.assert_array_equal(solution.problem.X, plain.problem.X)
    for other in ("D", "us", "ns"):
        np.testing.assert_array_equal(solution.predict(dated(other)), plain.predict(NUMBERS))
    np.testing.assert_array_equal(solution.network.breakpoints, plain.network.knots)
    expected = START.astype("M8[us]") + np.rint((plain.network.knots - NUMBERS[0]) * 86400e6).astype("m8[us]")
    np.testing.assert_array_equal(solution.network.knots, expected)


def test_knots_and_predictions_are_of_what_was_fitted(fitted):
    x, solution = fitted
    net = solution.network
    assert net.n_neurons
    values = net(net.knots)
    np.testing.assert_allclose(values, net.at(net.breakpoints), atol=1e-6)
    np.testing.assert_array_equal(net(x), solution.predict(np.asarray(x)[:, None] if x is KINDS["naive"] else x))
    frame = net.to_frame()
    assert frame["knot"].dtype.kind == ("m" if net.dates.kind == "timedelta" else "M")
    np.testing.assert_allclose(net(frame["knot"]), values, atol=1e-6)
    if net.dates.zone:
        assert str(frame["knot"].dt.tz) == "America/New_York"


def test_the_summary_speaks_dates(fitted):
    _, solution = fitted
    dates = solution.network.dates
    row = next(line for line in solution.summary().splitlines() if line.startswith("knots"))
    words = [part.strip() for part in row.removeprefix("knots").split("]")[-1].split(",")]
    if dates.kind == "timedelta":
        assert row.startswith("knots [days]")
        late = np.sort(solution.network.breakpoints) - np.array(words, dtype=float)
        assert np.abs(late).max() < 1e-3
        return
    assert ("America/New_York" in row) == (dates.zone is not None)
    shown = pd.to_datetime([word[:10] for word in words]).tz_localize(dates.zone)
    late = pd.DatetimeIndex(np.sort(solution.network.knots)) - shown
    assert (
        (late >= pd.Timedelta(0)) & (late < pd.Timedelta(days=1))
    ).all()  # the data are daily: so are knots in words


def test_files_pickles_and_changes_keep_them(fitted, tmp_path):
    x, solution = fitted
    solution.save(tmp_path / "solution.npz")
    solution.network.save(tmp_path / "net.npz")
    for network in (
        rs.Solution.load(tmp_path / "solution.npz").network,
        rs.RidgeSpline.load(tmp_path / "solution.npz"),
        rs.RidgeSpline.load(tmp_path / "net.npz"),
        pickle.loads(pickle.dumps(solution)).network,
        solution.network.changed(offset=0.0),
        rs.solve(solution.problem.with_lam(1.0)).network,
        rs.solve(solution.problem.with_loss(rs.Absolute())).network,
        rs.solve_path(solution.problem, n_lams=3)[1].network,
        rs.evaluate(solution.problem, solution.network).network,
    ):
        assert network.dates == solution.network.dates
    loaded = rs.Solution.load(tmp_path / "solution.npz")
    assert loaded.problem.dates == solution.problem.dates
    np.testing.assert_array_equal(loaded.predict(x), solution.predict(x))
    said, told = (re.sub(r"gap +\S+", "gap", each.summary()) for each in (loaded, solution))
    assert said == told
    assert loaded.relative_gap == pytest.approx(solution.relative_gap, abs=1e-14)  # its value is computed anew


def test_what_works_on_numbers_works_on_dates(fitted, plain):
    _, solution = fitted
    assert solution.degrees_of_freedom == plain.degrees_of_freedom
    assert rs.evaluate(solution.problem, solution.network).relative_gap < 1e-8
    assert solution.certify() is solution
    again = rs.compare({"one": solution, "other": solution})
    assert again.rows()[1]["|f - f*|"] == 0.0
    assert all(report.holds is not False for report in rs.theorems.verify_on(solution))
    assert len(solution.components()) == 1
    ppoly = solution.network.to_ppoly()
    np.testing.assert_allclose(
        ppoly(solution.problem.X[:, 0]),
        solution.predict(KINDS["naive"])
        if solution.network.dates == Dates()
        else solution.network.at(solution.problem.X),
        atol=1e-9,
    )


@pytest.mark.parametrize("activation", [rs.Sigmoid(5.0), rs.TruncatedPower(2)])
def test_other_activations(activation):
    solution = rs.solve(rs.Problem(dated(), Y, 1e3, activation=activation))
    assert solution.network.dates == Dates()
    assert solution.network(solution.network.knots).shape == (solution.network.n_neurons,)
    assert "20" in solution.summary().splitlines()[-1]


def test_vector_outputs_and_classes():
    two = rs.solve(rs.Problem(dated(), np.stack([Y, -Y], axis=1), LAM))
    np.testing.assert_allclose(two.predict(dated()).sum(axis=1), 0.0, atol=1e-6)
    assert two.network.knots.dtype.kind == "M"
    logits = rs.solve(rs.Problem(dated(), np.digitize(Y, [4.0, 9.0]), 1.0, rs.Softmax()))
    assert logits.predict(dated("us")).shape == (len(Y), 3)


@pytest.mark.parametrize("at", [START, [START, START + 139], pd.Timestamp(str(START)), START.item()])
def test_fixed_values_at_dates(at, tmp_path):
    fixed = rs.FixedValues(at, np.full(np.size(at), 12.0))
    solution = rs.solve(rs.Problem(dated(), Y, LAM, constraints=[fixed, rs.Convex()]))
    np.testing.assert_allclose(solution.predict(np.atleast_1d(np.array(at, dtype="M8[us]"))), 12.0, atol=1e-8)
    solution.save(tmp_path / "net.npz")
    assert rs.Solution.load(tmp_path / "net.npz").problem.constraints == solution.problem.constraints


@pytest.mark.parametrize("kind", ["line", "path", "measure"])
def test_pictures_have_dates_on_their_axis(kind, fitted):
    _, solution = fitted
    figure = {
        "line": lambda: solution.plot(),
        "path": lambda: rs.solve_path(solution.problem, n_lams=3).plot(),
        "measure": lambda: rs.plotting.plot_measure(solution.network),
    }[kind]()
    figure.canvas.draw()
    axis = figure.axes[0].yaxis if kind == "path" else figure.axes[1].xaxis
    if solution.network.dates.kind == "timedelta":
        assert axis.get_label_text().endswith("[days]")
        low, high = axis.get_view_interval()
        ticks = [
            (text.get_text(), at)
            for text, at in zip(axis.get_ticklabels(), axis.get_ticklocs(), strict=True)
            if low <= at <= high
        ]
        np.testing.assert_allclose([float(text) for text, _ in ticks], [at for _, at in ticks], atol=1e-9)
        return
    assert isinstance(axis.get_major_formatter(), matplotlib.dates.ConciseDateFormatter)
    assert (
        any("2024" in text.get_text() for text in axis.get_ticklabels()) or "2024" in axis.get_offset_text().get_text()
    )
    assert ("America/New_York" in axis.get_label_text()) == (solution.network.dates.zone is not None)


# ---------------------------------------------------------------------- refusals

WRONG = {
    "naive": [KINDS["aware"], KINDS["durations"], NUMBERS, ["2024-01-01"]],
    "aware": [KINDS["naive"], KINDS["durations"], NUMBERS],
    "durations": [KINDS["naive"], KINDS["aware"], NUMBERS],
}


@pytest.mark.parametrize("kind", KINDS)
def test_prediction_on_something_else_is_refused(kind, plain):
    solution = rs.solve(rs.Problem(KINDS[kind], Y, LAM))
    for wrong in WRONG[kind]:
        with pytest.raises(rs.ProblemError, match="X: expected"):
            solution.predict(wrong)
    with pytest.raises(rs.ProblemError, match="expected numbers, as in the fit; got d"):
        plain.predict(KINDS[kind])
    with pytest.raises(rs.ProblemError, match="network: expected numbers, as in the problem"):
        rs.evaluate(plain.problem, solution.network)
    with pytest.raises(rs.ProblemError, match=r"network\.changed\(dates=problem\.dates\)"):
        rs.evaluate(solution.problem, solution.network.changed(dates=None))
    other = next(each for name, each in KINDS.items() if name != kind)
    with pytest.raises(rs.ProblemError, match=r"at: expected .*, as in X"):
        rs.Problem(KINDS[kind], Y, LAM, constraints=[rs.FixedValues(other[:1], 1.0)])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"y": dated()}, "y: expected numbers; got dates"),
        ({"y": list(dated().tolist())}, "y: expected numbers; got dates"),
        ({"sample_weight": dated() - START}, "sample_weight: expected numbers; got dates"),
        ({"X": pd.DataFrame({"when": dated(), "b": Y})}, "column 'when' of 2"),
        ({"X": dated().astype(str)}, "numpy.array"),
        ({"X": np.append(dated()[1:], np.datetime64("NaT"))}, "NaT"),
        ({"X": np.stack([NUMBERS, NUMBERS], axis=1), "dates": Dates()}, "only feature"),
    ],
)
def test_dates_where_they_have_no_meaning(arguments, words):
    with pytest.raises(rs.ProblemError, match=words):
        rs.Problem(**({"X": NUMBERS, "y": Y, "lam": LAM} | arguments))


def test_networks_of_several_inputs_have_no_dates():
    with pytest.raises(rs.ProblemError, match="only feature"):
        rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0], dates=Dates())
    with pytest.raises(rs.ProblemError, match="Pass dates in X"):
        Dates("weeks")


# ---------------------------------------------------------------------- masked arrays and missing values


@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_masked_entries_are_not_fitted(name):
    data = {"X": NUMBERS, "y": Y, "sample_weight": np.ones(len(Y))}
    masked = np.ma.masked_values(np.where(np.arange(len(Y)) == 3, -9999.0, data[name]), -9999.0)
    with pytest.raises(rs.ProblemError, match=f"{name}: .*1 masked, the first at index \\(3\\).*filled"):
        rs.Problem(**(data | {name: masked}), lam=LAM)
    whole = rs.Problem(**(data | {name: np.ma.array(data[name])}), lam=LAM)
    np.testing.assert_array_equal(getattr(whole, name).ravel(), data[name])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.Series([1.0, pd.NA, 2.0], dtype="Float64"), "NaN at index"),
        (pd.Series([1.0, pd.NA, 2.0], dtype=object), "missing values"),
        (np.ma.masked_array(dated()[:3], [False, True, False]), "1 masked"),
    ],
)
def test_missing_values_of_other_kinds(values, words):
    for arguments in ({"X": values, "y": Y[:3]}, {"X": NUMBERS[:3], "y": values}):
        with pytest.raises(rs.ProblemError, match=words):
            rs.Problem(**arguments, lam=1.0)
