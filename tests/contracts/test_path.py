"""A path as a table, its degrees of freedom, and where its knots are drawn."""

import numpy as np
import pytest
from instances import noisy

import ridgesplines as rs


def path(outputs=None, d=1, **settings):
    X, y = noisy(30, d)
    y = y if outputs is None else np.column_stack([y] * outputs)
    return rs.solve_path(rs.Problem(X, y, 1.0), None if d == 1 else rs.Grid(directions=4), n_lams=6, **settings)


def test_table():
    pytest.importorskip("pandas")
    p = path()
    frame = p.to_frame()
    assert list(frame) == ["lam", "K", "degrees of freedom", "objective", "data fit", "seminorm", "relative gap"]
    assert len(frame) == 6
    np.testing.assert_array_equal(frame["lam"], p.lams)
    np.testing.assert_allclose(frame["objective"], frame["data fit"] + frame["lam"] * frame["seminorm"])
    assert frame["K"].tolist() == [s.network.n_neurons for s in p]
    assert frame["degrees of freedom"].tolist() == p.degrees_of_freedom.tolist()
    grid = path(d=2)
    assert grid.to_frame()["degrees of freedom"].tolist() == [3 + s.network.n_neurons for s in grid]
    assert "degrees of freedom" not in path(outputs=2).to_frame()


def test_degrees_of_freedom_are_those_of_the_fit():
    """Corners of the fit at the data, which many splines may share, and the straight line."""
    p = path()
    for df, s in zip(p.degrees_of_freedom, p, strict=True):
        x = np.unique(s.problem.X[:, 0])
        slopes = np.diff(s.predict(x)) / np.diff(x)
        assert df == 2 + (np.abs(np.diff(slopes)) > 1e-7 * np.abs(slopes).max()).sum()
    with pytest.raises(rs.ProblemError, match="2 outputs"):
        _ = path(outputs=2).degrees_of_freedom


def test_knots_are_drawn_where_they_are():
    p = path()
    figure = p.plot()
    assert len(figure.axes) == 5
    rises, falls = figure.axes[0].collections
    for dots, sign in ((rises, 1.0), (falls, -1.0)):
        expected = [(s.problem.lam, t) for s in p for t in s.network.knots[np.sign(s.network.amplitudes) == sign]]
        np.testing.assert_allclose(np.asarray(dots.get_offsets()), expected)
    assert len(rises.get_offsets()) + len(falls.get_offsets()) == sum(s.network.n_neurons for s in p) > 6
    sizes = np.concatenate([rises.get_sizes(), falls.get_sizes()])
    assert sizes.max() > 2.0 * sizes.min()


def test_knots_of_vector_outputs_and_no_knots_in_two_dimensions(tmp_path):
    p = path(outputs=2)
    (dots,) = p.plot().axes[0].collections
    assert len(dots.get_offsets()) == sum(s.network.n_neurons for s in p)
    assert len(path(d=2).plot().axes) == 4
    X, y = noisy(30)
    straight = rs.solve_path(rs.Problem(X, y, 1.0), lams=[1e6])
    straight.plot().savefig(tmp_path / "straight.png")
    assert (tmp_path / "straight.png").stat().st_size > 5_000
