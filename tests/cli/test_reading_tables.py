"""Tables as others write them: semicolons with decimal commas, gzip, older encodings, Parquet, standard input, JSON."""

import csv
import gzip
import io
import json
import re
import sys

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.cli.reading import TableError
from ridgesplines.cli.table import read_table

RNG = np.random.default_rng(5)
X = np.round(RNG.uniform(0.0, 4.0, 40), 2)
Y = np.round(np.abs(X - 1.5) + 0.1 * RNG.standard_normal(40), 2)
PLAIN = "größe,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))
COMMAS = PLAIN.replace(",", ";").replace(".", ",")


def run(*words):
    return main([str(word) for word in words])


def as_parquet(text):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    header, *rows = csv.reader(io.StringIO(text))
    columns = {name: [float(row[j]) for row in rows] for j, name in enumerate(header)}
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


FORMS = {
    "decimal commas": (lambda: COMMAS.encode(), "decimals      commas read as points in größe, y"),
    "gzip": (lambda: gzip.compress(PLAIN.encode()), ""),
    "latin-1": (lambda: PLAIN.encode("latin-1"), "read as Latin-1"),
    "utf-16": (lambda: PLAIN.encode("utf-16"), "read as UTF-16"),
    "all of them": (lambda: gzip.compress(COMMAS.encode("cp1252")), "read as Latin-1"),
    "parquet": (lambda: as_parquet(PLAIN), ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_table(form, tmp_path, capsys):
    content, said = FORMS[form]
    path = tmp_path / "data"
    path.write_bytes(content())
    table = read_table(str(path))
    assert list(table.columns) == ["größe", "y"]
    np.testing.assert_array_equal(table.numbers("größe"), X)
    np.testing.assert_array_equal(table.numbers("y"), Y)
    out = capsys.readouterr().out
    assert said in out if said else not out


def test_points_and_commas_together_are_left_alone(tmp_path, capsys):
    path = tmp_path / "mixed.csv"
    path.write_text("a;b\n1,5;1.234,5\n2,5;7\n")
    table = read_table(str(path))
    np.testing.assert_array_equal(table.numbers("a"), [1.5, 2.5])
    with pytest.raises(TableError, match=r"column 'b' holds '1.234,5' in line 2"):
        table.numbers("b")
    assert "points in a\n" in capsys.readouterr().out


def test_standard_input_to_standard_output(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    assert run("fit", "-", "--target", "y", "--lam", 0.2, "--json") == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    solution = rs.solve(rs.Problem(X, Y, 0.2))
    assert result["objective"] == pytest.approx(solution.objective, rel=1e-9)
    assert (result["features"], result["n_samples"], result["scope"]) == (["größe"], 40, "exact")
    net = rs.RidgeSpline(*(result[name] for name in ("weights", "biases", "amplitudes", "slope", "offset")))
    np.testing.assert_allclose(net(X), solution.predict(X), atol=1e-6)
    assert "features      größe" in printed.err


def test_json_of_a_path_and_a_gap(tmp_path, capsys):
    data, net = tmp_path / "data.csv", tmp_path / "net.npz"
    data.write_text(PLAIN)
    assert run("path", data, "--target", "y", "--n-lams", 3, "--json") == 0
    path = json.loads(capsys.readouterr().out)
    assert path[0]["n_neurons"] == 0
    assert np.diff([row["objective"] for row in path]).max() <= 0.0
    assert run("fit", data, "--target", "y", "--lam", 0.2, "--out", net) == 0
    capsys.readouterr()
    assert run("gap", net, data, "--target", "y", "--lam", 0.2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["relative_gap"] <= 1e-6


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b broken", "begins as a gzip file"),
        (gzip.compress(PLAIN.encode())[:-9], "begins as a gzip file"),
        (b"PAR1 broken", r"begins as a Parquet file|pip install .*\[parquet\]"),
        (b"x,y\n\x00\x01,2\n", "not a text file"),
        ("x,y\n1,2\n".encode("utf-16")[:-1], "not a text file"),
    ],
)
def test_damage_is_told_in_words(content, words, tmp_path, capsys):
    path = tmp_path / "data"
    path.write_bytes(content)
    assert run("fit", path, "--target", "y") == 2
    error = capsys.readouterr().err
    assert re.search(words, error)


def test_missing_numbers_are_told_to_the_fit(tmp_path, capsys):
    """A fit knows where there was no value, and so do predictions from its file alone."""
    data, net = tmp_path / "data.csv", tmp_path / "net.npz"
    gone = np.arange(40) % 5 == 0
    cells = np.where(gone, "NA", X.astype(str))
    other = np.round(RNG.uniform(0.0, 1.0, 40), 2)
    data.write_text("x,other,y\n" + "".join(f"{a},{b},{c}\n" for a, b, c in zip(cells, other, Y, strict=True)))
    assert run("fit", data, "--target", "y", "--lam", 0.1, "--indicate-missing", "--out", net, "--json") == 0
    printed = capsys.readouterr()
    result, median = json.loads(printed.out), float(np.median(X[~gone]))
    assert result["features"] == ["x", "other", f"x missing, as {median!r}"]
    assert f"8 in 'x' (lines 2, 7, 12, 17, 22, ...) read as the median {median:g}" in printed.err
    table = np.column_stack([np.where(gone, median, X), other, gone.astype(float)])
    assert result["objective"] == pytest.approx(rs.solve(rs.Problem(table, Y, 0.1)).objective, rel=1e-5)
    assert run("predict", net, data) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["x"] for row in rows] == list(cells)  # the table as it came
    np.testing.assert_allclose([float(row["prediction"]) for row in rows], rs.RidgeSpline.load(net)(table), atol=1e-9)


def test_separable_classes_have_a_fit(tmp_path, capsys):
    data, net = tmp_path / "data.csv", tmp_path / "net.npz"
    data.write_text("x,y\n" + "".join(f"{x},{'high' if x > 2 else 'low'}\n" for x in X))
    words = (data, "--target", "y", "--loss", "logistic", "--lam", 0.5)
    assert run("fit", *words, "--out", net) == 0
    mu = float(np.var(X))
    assert f"slope penalty {mu:.4f}"[:-2] in capsys.readouterr().out
    assert run("gap", net, *words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["relative_gap"] <= 1e-5
    assert run("fit", *words, "--slope-penalty", 0) == 2
    assert "separable classes" in capsys.readouterr().err
