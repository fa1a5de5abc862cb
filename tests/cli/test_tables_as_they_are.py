"""The command line on tables with dates, missing cells and columns of no use; lam that nobody passed; predictions."""

import csv
import io

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main

N = 60
RNG = np.random.default_rng(2)
WHEN = np.datetime64("2023-03-01") + np.arange(N)
HEIGHT = np.round(0.2 * np.abs(np.arange(N) - 25.0) + 0.3 * RNG.standard_normal(N), 2)


def written(path, rows, header="when,height,site,wind,notes"):
    path.write_text(header + "\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def table(tmp_path):
    wind = np.round(RNG.random(N), 2)
    return written(tmp_path / "data.csv", [f"{t},{y},north,{w}," for t, y, w in zip(WHEN, HEIGHT, wind, strict=True)])


def run(*words):
    return main([str(word) for word in words])


def test_a_column_of_dates(table, tmp_path, capsys):
    net, picture = tmp_path / "net.npz", tmp_path / "fit.png"
    data = (table, "--target", "height", "--features", "when", "--lam", 20)
    assert run("fit", *data, "--out", net, "--plot", picture) == 0
    fitted = capsys.readouterr().out
    solution = rs.solve(rs.Problem(WHEN, HEIGHT, 20.0))
    assert solution.network.n_neurons
    for knot in np.sort(solution.network.knots):
        assert f"{knot.astype('M8[D]')}  " in fitted.partition("per day")[2]
    network = rs.RidgeSpline.load(net)
    np.testing.assert_allclose(network(WHEN), solution.predict(WHEN), atol=1e-9)
    assert run("gap", net, *data) == 0
    pick = lambda text: next(row for row in text.splitlines() if row.startswith("objective"))  # noqa: E731
    assert pick(capsys.readouterr().out) == pick(fitted)
    assert run("path", table, "--target", "height", "--features", "when", "--n-lams", 3, "--plot", picture) == 0
    assert run("verify", "--data", table, "--target", "height", "--features", "when", "--lam", 20) == 0


@pytest.mark.parametrize(
    ("form", "unit", "is_aware"),
    [
        ("{}-{:02d}", "M", False),
        ("{}-{:02d}-01", "M", False),
        ("{}-{:02d}-01 06:30", "M", False),
        ("{}-{:02d}-01T06:30:00.25", "M", False),
        ("{}-{:02d}-01T06:30:00Z", "M", True),
        ("{}-{:02d}-01T06:30+02:00", "M", True),
    ],
)
def test_dates_as_iso_writes_them(form, unit, is_aware, tmp_path, capsys):
    cells = [form.format(2020 + k // 12, k % 12 + 1) for k in range(24)]
    path = written(tmp_path / "data.csv", [f"{cell},{(k - 12) ** 2}" for k, cell in enumerate(cells)], "month,y")
    assert run("fit", path, "--target", "y", "--lam", "0.01max", "--out", tmp_path / "net.npz") == 0
    assert "features      month\n" in capsys.readouterr().out
    network = rs.RidgeSpline.load(tmp_path / "net.npz")
    assert (network.dates.zone is not None) == is_aware
    assert network.breakpoints.min() > 18200.0  # 2019


def test_a_word_about_every_column(table, capsys):
    assert run("fit", table, "--target", "height", "--lam", 1) == 0
    out = capsys.readouterr().out
    assert "features      wind\n" in out
    assert "left out      when (dates), site (text), notes (empty)\n" in out


def test_dates_are_no_feature_among_others(table, capsys):
    assert run("fit", table, "--target", "height", "--features", "wind,when", "--lam", 1) == 2
    assert "'when' holds dates, which can be the only feature" in capsys.readouterr().err
    assert run("fit", table, "--target", "height", "--features", "site", "--lam", 1) == 2
    assert "holds 'north' in line 2; expected a number, or a date such as 2020-01-31" in capsys.readouterr().err
    assert run("fit", table, "--target", "when", "--features", "wind", "--lam", 1) == 2
    assert "column 'when' holds '2023-03-01' in line 2; expected a number" in capsys.readouterr().err


# ---------------------------------------------------------------------- missing cells


@pytest.fixture
def gaps(tmp_path):
    rows = [f"{k},{'' if k == 3 else k * k},{'NA' if k in (5, 6) else 1},{'?' if k == 8 else 0}" for k in range(12)]
    return written(tmp_path / "gaps.csv", rows, "x,y,weight,other")


def test_missing_cells_are_an_error_that_names_them(gaps, capsys):
    data = ("fit", gaps, "--target", "y", "--features", "x", "--lam", 1)
    assert run(*data) == 2
    assert (
        "column 'y' is empty in line 5; fill it in, or leave such rows out with --drop-missing"
        in capsys.readouterr().err
    )
    assert run("fit", gaps, "--target", "x", "--features", "weight", "--lam", 1) == 2
    assert "column 'weight' holds 'NA' in line 7; expected a number; leave such rows" in capsys.readouterr().err


def test_rows_that_are_left_out_are_said(gaps, tmp_path, capsys):
    data = (gaps, "--target", "y", "--features", "x", "--lam", 1, "--drop-missing")
    assert run("fit", *data, "--out", tmp_path / "net.npz") == 0
    out = capsys.readouterr().out
    assert "rows          11, without 1 with missing cells: 1 for 'y' (line 5)\n" in out
    assert "N = 11" in out
    assert run("fit", *data, "--weights", "weight") == 0
    assert (
        "rows          9, without 3 with missing cells: 1 for 'y' (line 5); 2 for 'weight' (lines 7, 8)"
        in capsys.readouterr().out
    )
    k = np.setdiff1d(np.arange(12), [3])
    np.testing.assert_allclose(
        rs.RidgeSpline.load(tmp_path / "net.npz")(k), rs.solve(rs.Problem(k, k * k, 1.0)).predict(k), atol=1e-8
    )
    assert (
        run("fit", gaps, "--target", "y", "--features", "x,other", "--lam", 1, "--drop-missing", "--directions", 4) == 2
    )
    assert "column 'other' holds '?' in line 10; expected a number" in capsys.readouterr().err  # no number, yet there


def test_nothing_is_left(tmp_path, capsys):
    path = written(tmp_path / "data.csv", ["1,", "2,", ",3"], "x,y")
    assert run("fit", path, "--target", "y", "--features", "x", "--lam", 1, "--drop-missing") == 2
    assert "no row is complete in x, y" in capsys.readouterr().err


# ---------------------------------------------------------------------- lam, constraints


@pytest.mark.parametrize("options", [(), pytest.param(("--loss", "huber", "--delta", 0.3), marks=pytest.mark.slow)])
def test_lam_is_chosen_by_cross_validation(options, table, capsys):
    data = (table, "--target", "height", "--features", "when")
    assert run("fit", *data, *options) == 0
    chosen = capsys.readouterr().out
    lam = next(row for row in chosen.splitlines() if row.startswith("lam  ")).split()[1].rstrip(",")
    loss = rs.Huber(0.3) if options else rs.Squared()
    days = (WHEN - np.datetime64("1970-01-01")).astype(float)
    assert float(lam) == rs.LinearSplineRegressorCV(loss=loss).fit(days, HEIGHT).lam_
    assert run("fit", *data, *options, "--lam", lam) == 0
    again = capsys.readouterr().out
    without_time = lambda text: [row for row in text.splitlines() if not row.startswith(("lam  ", "solver"))]  # noqa: E731
    assert without_time(again) == without_time(chosen)


def test_lam_is_chosen_for_classes_and_for_many_features(tmp_path, capsys):
    x = RNG.random((40, 2)).round(3)
    kind = np.where(np.abs(x[:, 0] - 0.5) + 0.2 * RNG.standard_normal(40) > 0.25, "far", "near")
    path = written(tmp_path / "data.csv", [f"{a},{b},{k}" for (a, b), k in zip(x, kind, strict=True)], "a,b,kind")
    for options in (("--loss", "hinge", "--features", "a", "--target", "kind"), ("--target", "b", "--features", "a")):
        assert run("fit", path, *options) == 0
        assert "the least held-out loss of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--loss", "interpolation"), "for interpolation it only scales the objective"),
        (("--activation", "sigmoid"), "it is chosen for ReLU alone"),
    ],
)
def test_lam_that_cannot_be_chosen(options, words, table, capsys):
    assert run("fit", table, "--target", "height", "--features", "when", *options) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "constraints"),
    [
        (["monotone"], [rs.Monotone()]),
        (["decreasing"], [rs.Monotone(increasing=False)]),
        (["convex", "lipschitz=0.15"], [rs.Convex(), rs.Lipschitz(0.15)]),
        (["concave"], [rs.Concave()]),
        (["through=2023-03-20:1.5"], [rs.FixedValues(np.datetime64("2023-03-20"), 1.5)]),
    ],
)
def test_constraints_by_name(named, constraints, table, tmp_path, capsys):
    assert (
        run(
            "fit",
            table,
            "--target",
            "height",
            "--features",
            "when",
            "--lam",
            5,
            "--constraint",
            *named,
            "--out",
            tmp_path / "net.npz",
        )
        == 0
    )
    out = capsys.readouterr().out
    expected = rs.solve(rs.Problem(WHEN, HEIGHT, 5.0, constraints=constraints))
    np.testing.assert_allclose(rs.RidgeSpline.load(tmp_path / "net.npz")(WHEN), expected.predict(WHEN), atol=1e-4)
    row = next(row for row in out.splitlines() if row.startswith("constraints"))
    assert all(repr(constraint) in row for constraint in constraints)
    assert "2023-03-20" in row or "through" not in named[0]


@pytest.mark.parametrize("named", ["smooth", "lipschitz", "lipschitz=steep", "lipschitz=-1", "convex=2", "through=1"])
def test_constraints_that_there_are_not(named, table, capsys):
    assert run("fit", table, "--target", "height", "--features", "when", "--lam", 5, "--constraint", named) == 2
    assert capsys.readouterr().err.startswith("error: --constraint")


# ---------------------------------------------------------------------- predictions


def columns(text):
    rows = list(csv.reader(io.StringIO(text)))
    return dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))


def test_predictions_beside_the_table(table, tmp_path, capsys):
    net, out = tmp_path / "net.npz", tmp_path / "out.csv"
    solution = rs.solve(rs.Problem(WHEN, HEIGHT, 20.0, feature_names=["when"]))
    solution.network.save(net)
    assert run("predict", net, table) == 0
    printed = capsys.readouterr()
    assert "features      when" in printed.err
    found = columns(printed.out)
    assert list(found) == ["when", "height", "site", "wind", "notes", "prediction"]
    np.testing.assert_array_equal(np.array(found["prediction"], dtype=float), solution.predict(WHEN))
    assert list(found["height"]) == [row.split(",")[1] for row in table.read_text().splitlines()[1:]]
    assert run("predict", net, table, "--out", out) == 0
    assert capsys.readouterr().out == ""
    assert columns(out.read_text()) == found
    assert run("predict", net, out) == 2
    assert "there is a column 'prediction' already" in capsys.readouterr().err


def test_predictions_of_several_outputs_and_without_names(tmp_path, capsys):
    x = np.arange(8.0)
    rs.solve(rs.Problem(x, np.stack([x, x**2], axis=1), 0.1)).network.save(tmp_path / "net.npz")
    path = written(tmp_path / "data.csv", [f"{value},a" for value in x], "x,word")
    assert run("predict", tmp_path / "net.npz", path) == 0
    assert list(columns(capsys.readouterr().out)) == ["x", "word", "prediction[0]", "prediction[1]"]


def test_predictions_where_cells_are_missing(tmp_path, capsys):
    rs.RidgeSpline([[1.0]], [2.0], [1.0], feature_names=("x",)).save(tmp_path / "net.npz")
    path = written(tmp_path / "data.csv", ["1,a", ",b", "5,c"], "x,id")
    assert run("predict", tmp_path / "net.npz", path) == 2
    assert "column 'x' is empty in line 3" in capsys.readouterr().err
    assert run("predict", tmp_path / "net.npz", path, "--drop-missing") == 0
    printed = capsys.readouterr()
    assert columns(printed.out) == {"x": ("1", "5"), "id": ("a", "c"), "prediction": ("0.0", "3.0")}
    assert "rows          2, without 1 with missing cells: 1 for 'x' (line 3)" in printed.err


def test_predictions_that_cannot_be(table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    rs.RidgeSpline([[1.0]], [2.0], [1.0], feature_names=("when",)).save(net)
    assert run("predict", net, table) == 2
    assert "column 'when' holds '2023-03-01' in line 2; expected a number" in capsys.readouterr().err
    rs.solve(rs.Problem(WHEN, HEIGHT, 20.0, feature_names=["wind"])).network.save(net)
    assert run("predict", net, table) == 2
    assert "expected a date such as 2020-01-31" in capsys.readouterr().err
    rs.solve(rs.Problem(WHEN - WHEN[0], HEIGHT, 20.0, feature_names=["wind"])).network.save(net)
    assert run("predict", net, table) == 2
    assert "network of durations" in capsys.readouterr().err
    rs.RidgeSpline([[1.0, 0.0]], [2.0], [1.0]).save(net)
    assert run("predict", net, table) == 2
    assert "has no names for its features" in capsys.readouterr().err
    assert run("predict", net, table, "--features", "wind") == 2
    assert "takes 2 column(s); got wind" in capsys.readouterr().err
    assert run("predict", net, table, "--out", table) == 2
    assert "would replace" in capsys.readouterr().err


def test_knots_of_julian_dates_are_told_apart(tmp_path, capsys):
    rows = [f"{2460000.5 + k},{y}" for k, y in enumerate(HEIGHT)]
    path = written(tmp_path / "data.csv", rows, "jd,y")
    assert run("fit", path, "--target", "y", "--lam", 1) == 0
    knots = [row.split()[0] for row in capsys.readouterr().out.partition("change of slope")[2].splitlines()[1:]]
    exact = np.sort(rs.solve(rs.Problem(2460000.5 + np.arange(N), HEIGHT, 1.0)).network.knots)
    np.testing.assert_allclose(np.array(knots, dtype=float), exact, atol=1e-3)
    assert len(set(knots)) == len(exact) > 3
