"""The straight pieces of a spline: against the function itself, SciPy's piecewise polynomials, and counts by hand."""

import numpy as np
import pytest

import ridgesplines as rs

STAMP = 1.7e9


def spline(rng, k, outputs=(), far=0.0):
    """Neurons that look either way, two of them at one place."""
    knots = far + rng.integers(0, 40, k) / 4.0
    knots[-1] = knots[0]
    W = rng.choice([-1.0, 1.0], (k, 1))
    v = rng.standard_normal((k, *outputs))
    return rs.RidgeSpline(W, W[:, 0] * knots, v, rng.standard_normal((1, *outputs)), rng.standard_normal(outputs))


@pytest.mark.parametrize("outputs", [(), (3,)])
@pytest.mark.parametrize("k", [2, 5, 12])
def test_each_piece_is_the_function(k, outputs):
    rng = np.random.default_rng(k)
    net = spline(rng, k, outputs)
    table = net.segments()
    assert table.start[0] == -np.inf
    assert table.end[-1] == np.inf
    assert (table.start[1:] == table.end[:-1]).all()
    assert np.allclose(table.knots, np.unique(net.knots))
    for start, end, slope, intercept in zip(table.start, table.end, table.slope, table.intercept, strict=True):
        x = np.linspace(max(start, -5.0), min(end, 15.0), 7)
        assert np.allclose(net(x), np.multiply.outer(x, slope) + intercept, atol=1e-10)
    inside = net.to_ppoly()
    middle = (np.maximum(table.start, -5.0) + np.minimum(table.end, 15.0)) / 2.0
    assert np.allclose(inside(middle, 1), table.slope)


def test_knots_that_cancel_are_none():
    net = rs.RidgeSpline([[1.0], [1.0], [1.0]], [1.0, 1.0, 2.0], [0.5, -0.5, 1.0], [2.0], 3.0)
    assert net.segments().knots.tolist() == [2.0]
    net = rs.RidgeSpline([[1.0], [1.0]], [1.0, 1.0], [0.5, -0.5], [2.0], 3.0)
    assert net.segments().rows() == [{"start": -np.inf, "end": np.inf, "slope": 2.0, "intercept": 3.0}]
    line = rs.RidgeSpline(np.empty((0, 1)), [], np.empty((0, 2)), [[1.0, 2.0]], [3.0, 4.0])
    assert line.segments().intercept.tolist() == [[3.0, 4.0]]


def test_rows_are_counted_once_and_those_of_no_weight_not():
    x = np.array([3.0, 0.0, 1.0, 1.0, 2.0, 4.0, 2.5, 1.0])
    problem = rs.Problem(x, np.abs(x - 1.0), 0.1, sample_weight=[1, 1, 1, 0, 1, 1, 1, 1])
    net = rs.RidgeSpline([[1.0], [-1.0]], [1.0, -2.5], [1.0, 1.0])
    table = rs.evaluate(problem, net).segments()
    assert table.n_rows.tolist() == [1, 3, 3]  # x = 1 and x = 2.5 are to the right of the knot that they are at
    assert table.to_frame()["rows"].sum() == 7
    assert table.rows()[1]["rows"] == 3


def test_text_tells_knots_apart_far_from_zero():
    net = rs.RidgeSpline.through(STAMP + np.array([0.0, 3.0, 3.5, 10.0]), [0.0, 1.0, 0.0, 1.0])
    lines = str(net.segments()).split("\n")
    shown = [float(line.split()[1]) for line in lines[1:-1]]
    assert np.allclose(np.array(shown) - STAMP, [3.0, 3.5], atol=1e-3)
    many = rs.RidgeSpline.through(np.arange(102.0), np.arange(102.0) % 2)
    assert str(many.segments()).endswith("and 61 more")


def test_summary_shows_few_pieces():
    x = np.linspace(0.0, 1.0, 60)
    few = rs.solve(rs.Problem(x, np.abs(x - 0.4), 0.01))
    assert "rows" in few.summary()
    assert all(line in few.summary() for line in str(few.segments()).split("\n"))
    many = rs.solve(rs.Problem(x, np.sin(40.0 * x), 1e-4))
    assert many.network.n_neurons > 12
    assert "slope" not in many.summary()


def test_what_has_no_pieces_says_so():
    with pytest.raises(rs.ProblemError, match="segments: expected a network of one input"):
        rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0]).segments()
    with pytest.raises(rs.ProblemError, match="segments: expected a network with the activation ReLU"):
        rs.RidgeSpline([[1.0]], [0.0], [1.0], activation=rs.Sigmoid()).segments()
