"""Networks as formulas in text, judged by running them."""

import ctypes
import math
import shutil
import sqlite3
import subprocess

import numpy as np
import pytest

import ridgesplines as rs

rng = np.random.default_rng(0)
X = np.vstack([rng.standard_normal((30, 3)), [[1e-9, 3.0, -2e6], [0.0, 0.0, 0.0]]])
NET = rs.RidgeSpline(
    rng.standard_normal((4, 3)), rng.standard_normal(4), [1.5, -1e-7, 3e12, -0.1], [0.1, 0.0, -2.0], 1 / 3
)
NAMES = ("age", 'the "bmi" -- ; DROP TABLE data', "größe */ \\")
FEW = (
    NET,
    NET.changed(feature_names=NAMES),
    rs.RidgeSpline(np.empty((0, 3)), [], [], [1.0, 0.0, 0.0], -1.0),
    rs.RidgeSpline([[0.0, -1.0, 0.0]], [0.0], [-2.0]),
)


def close(values, net):
    """To the rounding of sums of such terms."""
    terms = (np.abs(X) @ np.abs(net.weights).T + np.abs(net.biases)) @ np.abs(net.amplitudes)
    size = terms + np.abs(X) @ np.abs(net.slope) + abs(net.offset)
    return (np.abs(np.array(values) - net(X)) <= 1e-14 * size).all()


@pytest.mark.parametrize("net", FEW)
def test_sql(net):
    base = sqlite3.connect(":memory:")
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in net.names)
    base.execute(f"CREATE TABLE data ({columns})")
    base.executemany("INSERT INTO data VALUES (?, ?, ?)", X.tolist())
    expression = net.to_text("sql")
    assert close([row[0] for row in base.execute(f"SELECT {expression} FROM data")], net)
    base.execute("DELETE FROM data")
    base.execute("INSERT INTO data VALUES (NULL, NULL, NULL)")
    assert base.execute(f"SELECT {expression} FROM data").fetchone() == (None,)  # missing, not zero
    base.execute("DELETE FROM data")
    base.execute("INSERT INTO data VALUES (1, 2, 3)")  # whole numbers
    assert base.execute(f"SELECT {expression} FROM data").fetchone()[0] == pytest.approx(net([[1, 2, 3]])[0])


@pytest.mark.parametrize("net", FEW)
def test_python(net):
    room = {}
    exec(net.to_text("python"), room)
    assert close([room["f"](x) for x in X.tolist()], net)
    nan = room["f"]([math.nan] * 3)
    assert math.isnan(nan)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a compiler of C")
def test_c(tmp_path):
    for i, net in enumerate(FEW):
        source, library = tmp_path / f"f{i}.c", tmp_path / f"f{i}.so"
        source.write_text(net.to_text("c"))
        subprocess.run(["cc", "-std=c99", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
        f = ctypes.CDLL(library).f
        f.restype, f.argtypes = ctypes.c_double, [ctypes.POINTER(ctypes.c_double)]
        assert close([f((ctypes.c_double * 3)(*x)) for x in X.tolist()], net)
        assert math.isnan(f((ctypes.c_double * 3)(*[math.nan] * 3)))


@pytest.mark.parametrize(
    ("net", "language", "words"),
    [
        (NET, "java", "one of 'sql', 'c', 'python'"),
        (NET.changed(feature_names=("a", "b\x00", "c")), "sql", "control"),
        (NET.changed(feature_names=("a", "b\n", "c")), "sql", "control"),
        (NET.changed(feature_names=("a", "", "c")), "sql", "control"),
        (NET.changed(feature_names=("a", "b", "a")), "sql", "distinct"),
        (rs.RidgeSpline([[1.0]], [0.0], [[1.0, 2.0]]), "c", "one output"),
        (rs.RidgeSpline([[1.0]], [0.0], [1.0], activation=rs.Sigmoid()), "python", "ReLU"),
        (rs.RidgeSpline([[1.0]], [0.0], [1.0], dates=rs.dates.Dates("datetime")), "sql", "days since"),
    ],
)
def test_what_is_not_written(net, language, words):
    with pytest.raises(rs.ProblemError, match=words):
        net.to_text(language)
