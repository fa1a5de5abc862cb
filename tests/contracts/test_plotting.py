"""The pictures: every kind is drawn, says what was proven, and leaves pyplot alone."""

import sys

import numpy as np
import pytest
from instances import LOSSES, ids, noisy, problem

import ridgesplines as rs


def drawn(figure, tmp_path):
    figure.savefig(tmp_path / "picture.png")
    return (tmp_path / "picture.png").stat().st_size > 5_000


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_one_dimension(loss, tmp_path):
    s = rs.solve(problem(loss, 40))
    figure = s.plot(target="height")
    assert drawn(figure, tmp_path)
    above, below = figure.axes
    assert above.get_ylabel() == "height"
    assert "certified" in above.get_title(loc="left")
    assert f"K = {s.network.n_neurons} neurons for N = 40 data" in above.get_title(loc="left")
    # The certificate that is drawn stays between the lines, up to rounding.
    curve = max((line.get_ydata() for line in below.lines), key=len)
    assert np.abs(curve).max() <= s.problem.lam * (1.0 + 1e-6)


def test_vector_outputs_in_one_dimension(tmp_path):
    X, y = noisy(30)
    assert drawn(rs.solve(rs.Problem(X, np.column_stack([y, y**2]), 0.05)).plot(), tmp_path)


@pytest.mark.parametrize("kind", ["contours", "surface"])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Hinge()], ids=ids)
def test_two_dimensions(loss, kind, tmp_path):
    s = rs.solve(problem(loss, 30, 2), rs.Grid(directions=8))
    assert drawn(s.plot(kind=kind), tmp_path)


def test_no_neurons(tmp_path):
    for d in (1, 2):
        p = problem(rs.Squared(), 30, d)
        assert drawn(rs.solve(p.with_lam(1e6), rs.Grid(directions=4)).plot(), tmp_path)


def test_what_cannot_be_drawn():
    with pytest.raises(rs.ProblemError, match="to_frame"):
        rs.solve(problem(rs.Squared(), 30, 3), rs.Grid(directions=4)).plot()
    with pytest.raises(rs.ProblemError, match="'contours' or 'surface'"):
        rs.solve(problem(rs.Squared(), 30, 2), rs.Grid(directions=4)).plot(kind="map")


def test_the_title_of_a_searched_gap_calls_it_an_estimate():
    from ridgesplines.plotting.style import headline

    p = problem(rs.Squared(), 30, 3)
    s = rs.solve(p, rs.Grid(directions=4))
    assert "grid's optimum" in headline(s)
    assert "not a bound" in headline(rs.evaluate(p, s.network))


def test_path(tmp_path):
    figure = rs.solve_path(problem(rs.Squared(), 30), n_lams=5).plot()
    assert drawn(figure, tmp_path)
    low, high = figure.axes[-1].get_xlim()
    assert low > high  # lam falls to the right
    assert figure.axes[-1].get_ylabel() == "relative gap\n(exact)"


def test_a_path_without_a_positive_lam_has_no_picture():
    p = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.0, rs.Interpolation())
    with pytest.raises(rs.ProblemError, match="a positive lam"):
        rs.solve_path(p, lams=[0.0]).plot()


def test_a_spline_is_drawn_where_all_x_are_equal():
    line = rs.solve(rs.Problem([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], 1.0)).plot().axes[0].lines[0]
    assert np.ptp(line.get_xdata()) > 0.0


def test_data_lie_above_the_ridges():
    axes = rs.solve(problem(rs.Squared(), 30, 2), rs.Grid(directions=8)).plot().axes[0]
    points = max(c.get_zorder() for c in axes.collections)
    assert axes.lines
    assert points > max(line.get_zorder() for line in axes.lines)


def test_series_differ_without_colour():
    X, y = noisy(30)
    axes = rs.solve(rs.Problem(X, np.column_stack([y, -y]), 0.05)).plot().axes[0]
    styles = {line.get_linestyle() for line in axes.lines if line.get_label().startswith("output")}
    assert len(styles) == 2


def test_a_notebook_shows_it_without_pyplot():
    figure = rs.solve(problem(rs.Squared(), 20)).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules or figure not in map(
        sys.modules["matplotlib.pyplot"].figure, sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_gaps_are_rounded_up():
    from ridgesplines.solution import rounded_up

    assert rounded_up(1.41e-3) == "1.5e-03"
    assert rounded_up(1.4e-3) == "1.4e-03"
    assert rounded_up(9.91e-7) == "1.0e-06"
    assert rounded_up(0.0) == "0 to rounding"
    assert rounded_up(np.inf) == "inf"
