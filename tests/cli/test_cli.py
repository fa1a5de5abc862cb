"""The command line: what it prints, and errors that a person understands."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.verdict import Status


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(40))
    rows = ["time,dose,height,kind,weight,blank"]
    for t in x:
        dose, height = rng.random(), abs(t - 0.4) + 0.05 * rng.standard_normal()
        kind = "yes" if height + 0.2 * rng.standard_normal() > 0.2 else "no"
        rows.append(f"{t:.6f},{dose:.4f},{height:.6f},{kind},{rng.random() + 0.1:.3f},")
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def run(*words):
    return main([str(word) for word in words])


def test_fit(table, tmp_path, capsys):
    net, picture = tmp_path / "net.npz", tmp_path / "fit.png"
    options = ("--target", "height", "--features", "time", "--lam", "0.05max")
    assert run("fit", table, *options, "--out", net, "--plot", picture) == 0
    out = capsys.readouterr().out
    for word in ("N = 40, d = 1", "certified", "change of slope", f"wrote {net}", f"wrote {picture}"):
        assert word in out
    assert picture.stat().st_size > 10_000
    assert rs.RidgeSpline.load(net).names == ("time",)


def test_the_gap_of_what_was_saved(table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    options = ("--target", "height", "--features", "time", "--lam", "0.05")
    assert run("fit", table, *options, "--out", net) == 0
    fitted = capsys.readouterr().out
    assert run("gap", net, table, *options) == 0
    measured = capsys.readouterr().out
    pick = lambda text: next(line for line in text.splitlines() if line.startswith("objective"))  # noqa: E731
    assert pick(fitted) == pick(measured)
    assert "evaluated" in measured


@pytest.mark.parametrize("options", [("truncated_power", "--order", 3), ("sigmoid", "--scale", 0.1), ("exponential",)])
def test_other_activations_and_their_gap(options, table, tmp_path, capsys):
    net, data = tmp_path / "net.npz", ("--target", "height", "--features", "time", "--lam", "0.05max")
    assert run("fit", table, *data, "--activation", *options, "--out", net) == 0
    fitted = capsys.readouterr().out
    assert "certified" in fitted
    assert "amplitude" in fitted
    assert run("gap", net, table, *data) == 0
    measured = capsys.readouterr().out
    objectives = [next(row for row in text.splitlines() if row.startswith("objective")) for text in (fitted, measured)]
    assert objectives[0] == objectives[1]


def test_path(table, tmp_path, capsys):
    picture = tmp_path / "path.svg"
    assert run("path", table, "--target", "height", "--features", "time", "--n-lams", 5, "--plot", picture) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].split()[1] == "0"
    assert picture.exists()


def test_two_features_and_weights(table, capsys):
    options = ("--target", "height", "--features", "time,dose", "--weights", "weight", "--directions", 8)
    assert run("fit", table, *options, "--lam", 0.1) == 0
    assert "d = 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "words"),
    [("1", "one feature at a time"), ("dose; time", "time; dose"), ("weight,time;dose;", "time and weight; dose")],
)
def test_what_may_act_together(given, words, table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    data = (table, "--target", "height", "--features", "time,dose,weight", "--interactions", given)
    assert run("fit", *data, "--lam", 0.1, "--directions", 12, "--out", net) == 0
    fitted = capsys.readouterr().out
    assert f"interactions  {words}\n" in fitted or f"interactions  {words}; weight\n" in fitted
    names = ["time", "dose", "weight"]
    groups = 1 if given == "1" else [[name.strip() for name in part.split(",")] for part in given.split(";") if part]
    p = rs.Problem(np.eye(3), np.zeros(3), 1.0, feature_names=names, interactions=groups)
    weights = rs.RidgeSpline.load(net).weights
    assert len(weights)
    assert p.interactions.allow(weights).all()
    assert run("path", *data, "--n-lams", 3, "--directions", 12) == 0
    capsys.readouterr()
    assert run("gap", net, *data, "--lam", 0.1) == 0
    pick = lambda text: next(line for line in text.splitlines() if line.startswith("objective"))  # noqa: E731
    assert pick(capsys.readouterr().out) == pick(fitted)


def test_all_may_act_together_by_default_and_a_name_may_hold_a_comma(tmp_path, capsys):
    rows = np.column_stack([np.random.default_rng(0).uniform(size=(30, 3)), np.arange(30) % 5])
    path = tmp_path / "data.csv"
    path.write_text('a,"b,c",e,y\n' + "\n".join(",".join(f"{v:.4f}" for v in row) for row in rows) + "\n")
    assert run("fit", path, "--target", "y", "--lam", 1, "--directions", 8) == 0
    assert "interactions" not in capsys.readouterr().out
    assert run("fit", path, "--target", "y", "--lam", 1, "--directions", 8, "--interactions", "b,c;a,e") == 0
    assert "interactions  a and e; b,c\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0", "whole number k of features"),
        ("time,height", "expected names of columns; got 'height' for the columns time, dose"),
        ("1.5", "'1.5' for the columns time, dose"),
        (";", "at least one group"),
        ("time;,", "an empty group"),
    ],
)
def test_interactions_that_do_not_fit(given, words, table, capsys):
    data = (table, "--target", "height", "--features", "time,dose", "--lam", 1, "--directions", 4)
    assert run("fit", *data, "--interactions", given) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: interactions: ")
    assert words in error


def test_a_network_that_leaves_the_interactions(table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    data = (table, "--target", "height", "--features", "time,dose", "--lam", 0.01)
    assert run("fit", *data, "--directions", 3, "--out", net) == 0
    assert run("gap", net, *data, "--interactions", 1) == 2
    assert "of the features time, dose" in capsys.readouterr().err


@pytest.mark.parametrize("features", ["time", "time,dose"])
def test_progress(table, capsys, features):
    options = ("--target", "height", "--features", features, "--lam", "0.05max", "--verbose")
    assert run("fit", table, *options) == 0
    assert "relative gap" in capsys.readouterr().err


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber", "quantile", "interpolation"])
def test_regression_losses(table, capsys, loss):
    assert run("fit", table, "--target", "height", "--features", "time", "--lam", 0.05, "--loss", loss) == 0
    assert loss.capitalize() in capsys.readouterr().out


@pytest.mark.parametrize("loss", ["logistic", "hinge", "softmax"])
def test_classes_are_any_words(table, capsys, loss):
    assert run("fit", table, "--target", "kind", "--features", "time", "--lam", 0.05, "--loss", loss) == 0
    numbering = "no = +0, yes = +1" if loss == "softmax" else "no = -1, yes = +1"
    assert numbering in capsys.readouterr().out


def test_features_are_all_other_numbers_by_default(table, capsys):
    assert run("fit", table, "--target", "height", "--lam", 1, "--directions", 4, "--weights", "weight") == 0
    assert "d = 2" in capsys.readouterr().out


def test_semicolons_and_marks_of_byte_order(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("\ufeffx;y\n0;1\n1;2\n2;0\n", encoding="utf-8")
    assert run("fit", path, "--target", "y", "--lam", 0.01) == 0
    assert "N = 3" in capsys.readouterr().out


def test_the_features_used_by_default_are_said(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text(',x,"a,b",kind,y\n0,1,5,u,2\n1,2,4,v,3\n2,4,4,u,1\n')  # a nameless index, as pandas writes it
    assert run("fit", path, "--target", "y", "--lam", 1, "--directions", 4) == 0
    assert "features      x, a,b\n" in capsys.readouterr().out


def test_a_bad_first_cell_does_not_make_a_column_vanish(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("x,z,y\n1,NA,2\n2,3,4\n3,5,4\n")
    assert run("fit", path, "--target", "y", "--lam", 1) == 2
    error = capsys.readouterr().err
    assert "column 'z' holds 'NA' in line 2; expected a number; leave such rows out with --drop-missing" in error
    assert "choose other columns with --features" in error
    assert run("fit", path, "--target", "y", "--lam", 1, "--features", "x") == 0


def test_lines_are_counted_as_in_the_file(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text('x,note,y\n1,"one\ntwo",2\n\n2,a,none\n')
    assert run("fit", path, "--target", "y", "--lam", 1) == 2
    assert "holds 'none' in line 5" in capsys.readouterr().err


def test_the_gap_takes_the_columns_in_the_order_of_the_network(table, tmp_path, capsys):
    net = tmp_path / "net.npz"
    options = ("--target", "height", "--lam", "0.3max", "--weights", "weight")
    assert run("fit", table, *options, "--features", "dose,time", "--directions", 4, "--out", net) == 0
    fitted = capsys.readouterr().out
    assert run("gap", net, table, *options) == 0
    measured = capsys.readouterr().out
    assert "features      dose, time\n" in measured
    pick = lambda text: next(line for line in text.splitlines() if line.startswith("objective"))  # noqa: E731
    assert pick(fitted) == pick(measured)
    assert run("gap", net, table, *options, "--features", "time,dose") == 2
    assert "takes dose, time, in this order" in capsys.readouterr().err


def test_lambda_max_of_zero(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,2\n1,3\n1,5\n")
    assert run("fit", path, "--target", "y", "--lam", "0.1max") == 2
    assert "lambda_max is 0" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_what_cannot_be_written_is_said_before_the_fit(table, tmp_path, monkeypatch, capsys, option):
    monkeypatch.setattr(rs, "solve", lambda *args: pytest.fail("the fit came first"))
    path = tmp_path / "locked.png"

    def locked(self, *args):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", locked)
    assert run("fit", table, "--target", "height", "--lam", 1, option, path) == 2
    assert "locked.png: cannot be written: Permission denied" in capsys.readouterr().err


def test_a_disk_that_fills_up_is_an_error_in_words(table, tmp_path, monkeypatch, capsys):
    def full(*args):
        raise OSError(28, "No space left on device", "net.npz")

    monkeypatch.setattr(rs.RidgeSpline, "save", full)
    options = ("--target", "height", "--features", "time", "--lam", 1, "--out", tmp_path / "net.npz")
    assert run("fit", table, *options) == 2
    assert capsys.readouterr().err == "error: net.npz: No space left on device\n"


def test_a_check_before_a_fit_that_fails_leaves_files_alone(table, tmp_path):
    new, old = tmp_path / "new.npz", tmp_path / "old.npz"
    old.write_bytes(b"old")
    for path in (new, old):
        assert run("fit", table, "--target", "height", "--lam=-1", "--out", path) == 2
    assert not new.exists()
    assert old.read_bytes() == b"old"


def test_a_picture_of_many_features(table, tmp_path):
    picture = tmp_path / "ridges.png"
    options = ("--target", "height", "--features", "time,dose,weight", "--lam", "0.5max", "--directions", 4)
    assert run("fit", table, *options, "--plot", picture) == 0
    assert picture.stat().st_size > 5_000


BAD = {
    "no file": (["fit", "{dir}/none.csv", "--target", "height", "--lam", "1"], "No such file"),
    "no column": (["fit", "{table}", "--target", "size", "--lam", "1"], "no column 'size'; there are time, dose"),
    "words": (["fit", "{table}", "--target", "kind", "--lam", "1"], "column 'kind' holds"),
    "empty cells": (
        ["fit", "{table}", "--target", "height", "--features", "blank", "--lam", "1"],
        "is empty in line 2",
    ),
    "lam is a word": (
        ["fit", "{table}", "--target", "height", "--lam", "much"],
        "0.05max, or null; got 'much'",
    ),
    "lam is negative": (["fit", "{table}", "--target", "height", "--lam=-1"], "lam: expected a finite number >= 0"),
    "lam is zero": (["fit", "{table}", "--target", "height", "--lam", "0"], "use loss=Interpolation()"),
    "many classes": (
        ["fit", "{table}", "--target", "time", "--features", "dose", "--lam", "1", "--loss", "hinge"],
        "softmax",
    ),
    "the target as a feature": (
        ["fit", "{table}", "--target", "height", "--features", "height", "--lam", "1"],
        "'height' is the target",
    ),
    "a feature twice": (
        ["fit", "{table}", "--target", "height", "--features", "time", "time", "--lam", "1"],
        "expected distinct columns",
    ),
    "no folder": (["fit", "{table}", "--target", "height", "--lam", "1", "--out", "{dir}/no/net.npz"], "no folder"),
    "a folder": (["fit", "{table}", "--target", "height", "--lam", "1", "--out", "{dir}"], "is a folder"),
    "no picture": (["fit", "{table}", "--target", "height", "--lam", "1", "--plot", "{dir}/a.txt"], "ends in .png"),
    "backend": (
        ["fit", "{table}", "--target", "height", "--lam", "0.01", "--backend", "MOSEK"],
        "expected one of CLARABEL",
    ),
    "backend and loss": (
        [
            "fit",
            "{table}",
            "--target",
            "kind",
            "--features",
            "time",
            "--lam",
            "1",
            "--loss",
            "logistic",
            "--backend",
            "HIGHS",
        ],
        "needs the exponential cone",
    ),
    "no network": (["gap", "{dir}/none.npz", "{table}", "--target", "height", "--lam", "1"], "No such file"),
    "not a network": (["gap", "{table}", "{table}", "--target", "height", "--lam", "1"], "RidgeSpline.save"),
    "directions": (["fit", "{table}", "--target", "height", "--lam", "1", "--directions", "0"], "directions: "),
    "max of interpolation": (
        ["fit", "{table}", "--target", "height", "--features", "time", "--lam", "max", "--loss", "interpolation"],
        "no lambda_max",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_errors(table, tmp_path, capsys, case):
    words, expected = BAD[case]
    assert run(*[word.format(dir=tmp_path, table=table) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert expected in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "got 0 line(s)"),
        ("x,y\n", "got 1 line(s)"),
        ("1,2\n3,4\n", "expected the names of the columns"),
        ("x,y\n1\n", "line 2 has 1 cells"),
        ("x,x\n1,2\n", "same name"),
        ("y\n1\n2\n", "no numeric column is left"),
    ],
)
def test_broken_tables(tmp_path, capsys, text, expected):
    path = tmp_path / "broken.csv"
    path.write_text(text)
    assert run("fit", path, "--target", "y", "--lam", 1) == 2
    assert expected in capsys.readouterr().err


def test_a_binary_file(tmp_path, capsys):
    path = tmp_path / "picture.csv"
    path.write_bytes(b"\x89PNG\xff\xfe\x00")
    assert run("fit", path, "--target", "y", "--lam", 1) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_interruption(table, monkeypatch, capsys):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(rs, "solve", interrupted)
    assert run("fit", table, "--target", "height", "--features", "time", "--lam", 1) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_interrupted_fit_is_printed_and_written(table, tmp_path, monkeypatch, capsys):
    whole = rs.solve

    def interrupted(*args):
        return dataclasses.replace(whole(*args), status=Status.INTERRUPTED)

    monkeypatch.setattr(rs, "solve", interrupted)
    net = tmp_path / "net.npz"
    assert run("fit", table, "--target", "height", "--features", "time", "--lam", 1, "--out", net) == 130
    assert "interrupted" in capsys.readouterr().out
    assert net.exists()


def test_a_reader_that_leaves_early(table, tmp_path):
    net = tmp_path / "net.npz"
    words = ["fit", table, "--target", "height", "--features", "time", "--lam", "0.01max", "--out", net]
    with subprocess.Popen(
        [sys.executable, "-m", "ridgesplines", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
    assert net.exists()


def test_it_starts_as_a_module(capsys):
    out = subprocess.run([sys.executable, "-m", "ridgesplines", "--help"], capture_output=True, text=True, check=True)
    assert "fit" in out.stdout
    with pytest.raises(SystemExit):
        main(["--version"])
    assert rs.__version__ in capsys.readouterr().out
