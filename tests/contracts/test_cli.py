"""The command line: what it prints, and errors that a person understands."""

import subprocess
import sys

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.cli import main


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


BAD = {
    "no file": (["fit", "{dir}/none.csv", "--target", "height", "--lam", "1"], "No such file"),
    "no column": (["fit", "{table}", "--target", "size", "--lam", "1"], "no column 'size'; there are time, dose"),
    "words": (["fit", "{table}", "--target", "kind", "--lam", "1"], "column 'kind' holds"),
    "empty cells": (
        ["fit", "{table}", "--target", "height", "--features", "blank", "--lam", "1"],
        "is empty in line 2",
    ),
    "lam is a word": (["fit", "{table}", "--target", "height", "--lam", "much"], "such as 0.05max; got 'much'"),
    "lam is negative": (["fit", "{table}", "--target", "height", "--lam=-1"], "lam: expected a finite number >= 0"),
    "lam is zero": (["fit", "{table}", "--target", "height", "--lam", "0"], "use loss=Interpolation()"),
    "many classes": (
        ["fit", "{table}", "--target", "time", "--features", "dose", "--lam", "1", "--loss", "hinge"],
        "softmax",
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


def test_it_starts_as_a_module():
    out = subprocess.run([sys.executable, "-m", "ridgesplines", "--help"], capture_output=True, text=True, check=True)
    assert "fit" in out.stdout
    version = subprocess.run(
        [sys.executable, "-m", "ridgesplines", "--version"], capture_output=True, text=True, check=True
    )
    assert rs.__version__ in version.stdout
