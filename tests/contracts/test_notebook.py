"""What a notebook shows: small tables in which everything is escaped and no array is written out."""

from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest

import ridgesplines as rs


@cache
def shown():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (400, 2))
    y = np.sin(5.0 * X[:, 0]) + 0.3 * rng.standard_normal(400)
    line = rs.solve(rs.Problem(X[:, 0], y, 0.05, feature_names=["<b>x & y</b>"]))
    plane = rs.evaluate(rs.Problem(X, y, 1.0), rs.RidgeSpline(rng.standard_normal((90, 2)), np.zeros(90), y[:90]), 0.0)
    outputs = rs.RidgeSpline(np.eye(8), np.zeros(8), np.ones((8, 3)))
    return {
        "solution": line,
        "network": line.network,
        "network of a plane": plane.network,
        "network of many outputs": outputs,
        "network without neurons": rs.RidgeSpline(np.empty((0, 3)), [], []),
        "certificate": line.certificate,
        "certificate of a plane": plane.certificate,
        "path": rs.solve_path(line.problem, lams=np.geomspace(10.0, 0.1, 30)),
        "comparison": rs.compare({"<i>convex</i>": line, "again": line}),
    }


NAMES = [
    *("solution", "network", "network of a plane", "network of many outputs", "network without neurons"),
    *("certificate", "certificate of a plane", "path", "comparison"),
]


def test_all_of_them_are_looked_at():
    assert list(shown()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_tables_are_small_and_well_formed(name):
    text = shown()[name]._repr_html_()
    root = ElementTree.fromstring(text)  # well formed, so that all markup is ours
    assert root.tag == "table"
    assert {element.tag for element in root.iter()} <= {"table", "caption", "b", "thead", "tbody", "tr", "th", "td"}
    assert len(list(root.iter("tr"))) <= 30
    assert max(len(element.text or "") for element in root.iter()) < 300
    assert "array(" not in text


def cells(name):
    return [[cell.text for cell in row] for row in ElementTree.fromstring(shown()[name]._repr_html_()).iter("tr")]


def test_figures_are_those_of_the_objects():
    solution, path = shown()["solution"], shown()["path"]
    said = {row[0]: row[1] for row in cells("solution")}
    assert all(f"{name}  " in solution.summary() or not name for name in said)
    assert said["relative gap"] in solution.summary()
    rows = cells("path")
    assert rows[0][:2] == ["lam", "K"]
    assert [rows[1][0], rows[-1][0]] == [f"{path.lams[0]:.6g}", f"{path.lams[-1]:.6g}"]
    assert ["..."] * 7 in rows
    assert "0.05 (exact)" in {row[0]: row[1] for row in cells("certificate")}["sup|eta|"]
    assert cells("comparison")[1][0] == "<i>convex</i>"
    knots = [row[1] for row in cells("network")[1:]]
    assert f"{solution.network.knots[0]:.5g}" == knots[0]
    assert [row[0] for row in cells("network of a plane")[-1:]] == ["89"]


def test_a_certificate_prints_without_its_arrays():
    assert len(repr(shown()["certificate"])) < 120
    assert "scope='exact'" in repr(shown()["certificate"])
