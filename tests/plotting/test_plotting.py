"""The pictures: every kind is drawn, says what was proven, and leaves pyplot alone."""

import dataclasses
import re
import sys
import time
from functools import cache

import numpy as np
import pytest
from instances import LOSSES, ids, noisy, problem
from matplotlib.backends.backend_agg import FigureCanvasAgg

import ridgesplines as rs
from ridgesplines.plotting.measure import plot_measure


def drawn(figure):
    """Whether there is something on it: drawn once, where a file of it is drawn twice."""
    figure.set_dpi(50)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    return (pixels != pixels[0, 0]).any(axis=2).mean() > 0.02


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_one_dimension(loss):
    s = rs.solve(problem(loss, 40))
    figure = s.plot(target="height")
    assert drawn(figure)
    above, below = figure.axes
    of_classes = {"Logistic": "probability of height = +1", "Softmax": "probability", "Hinge": "margin f(x)"}
    assert above.get_ylabel() == of_classes.get(loss.name, "height")
    assert "certified" in above.get_title(loc="left")
    count = s.network.n_neurons
    words = {0: "no neuron (affine)", 1: "1 neuron"}.get(count, f"K = {count} neurons")
    gap = re.search(r"relative gap +(\S+)", s.summary())[1]
    assert above.get_title(loc="left").startswith(f"{words} for N = 40 data: relative gap {gap}")
    # The certificate that is drawn stays between the lines, up to rounding.
    curve = max((line.get_ydata() for line in below.lines), key=len)
    assert np.abs(curve).max() <= s.problem.lam * (1.0 + 1e-6)


@pytest.mark.parametrize("scale", [1e-3, 7.0])
@pytest.mark.parametrize("constraints", [(), (rs.Monotone(),)])
def test_the_certificate_of_a_scaled_feature_touches_the_lines_at_the_knots(scale, constraints):
    X, y = noisy(40)
    s = rs.solve(rs.Problem(X, y, 0.1 / scale, scales=[scale], constraints=constraints))
    curve, contact = s.plot().axes[1].lines[-2:]
    np.testing.assert_allclose(np.abs(contact.get_ydata()), s.problem.lam, rtol=1e-5)
    assert len(contact.get_ydata()) == s.network.n_neurons > 0
    if not constraints:  # what lies beyond a line on the side that no knot may have is allowed
        assert np.abs(curve.get_ydata()).max() <= s.problem.lam * (1.0 + 1e-6)


def test_vector_outputs_in_one_dimension():
    X, y = noisy(30)
    assert drawn(rs.solve(rs.Problem(X, np.column_stack([y, y**2]), 0.05)).plot())


@pytest.mark.parametrize("kind", ["contours", "surface", "cylinder"])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Hinge()], ids=ids)
def test_two_dimensions(loss, kind):
    s = rs.solve(problem(loss, 30, 2), rs.Grid(directions=8))
    assert drawn(s.plot(kind=kind))


def test_no_neurons():
    for d in (1, 2):
        p = problem(rs.Squared(), 30, d)
        assert drawn(rs.solve(p.with_lam(1e6), rs.Grid(directions=4)).plot())


def test_what_cannot_be_drawn():
    p = problem(rs.Squared(), 30, 2)
    with pytest.raises(
        rs.ProblemError, match="'surface' or 'cylinder' or 'ridges' or 'dependence' or 'components', for d = 2; got"
    ):
        rs.solve(p, rs.Grid(directions=4)).plot(kind="map")
    for other, kind, words in (
        (problem(rs.Squared(), 30), "ridges", "expected 'line', for d = 1"),
        (problem(rs.Squared(), 30, 3), "contours", "'ridges' or 'dependence' or 'components', for d = 3"),
        (rs.Problem(p.X, np.column_stack([p.y, p.y]), 1.0), "contours", "for d = 2 and D = 2 outputs"),
    ):
        with pytest.raises(rs.ProblemError, match=words):
            rs.evaluate(other, flat(other), max_time=0.0).plot(kind=kind)


def flat(p):
    """A network without neurons, of the problem's shape."""
    tail = () if p.n_outputs is None else (p.n_outputs,)
    return rs.RidgeSpline(np.empty((0, p.n_features)), [], np.empty((0, *tail)))


@cache
def of_space(loss):
    """A fit in three dimensions."""
    return rs.solve(problem(loss, 30, 3, lam=1.0), rs.Grid(directions=4))


#: What a loss changes is its name, and the number of outputs: all kinds of pictures are drawn for one.
SLOW = {("Hinge", "dependence"), ("Hinge", "components"), ("Softmax", "dependence")}
PICTURES = [
    pytest.param(loss, kind, id=f"{loss.name}-{kind}", marks=[pytest.mark.slow] if (loss.name, kind) in SLOW else [])
    for loss in (rs.Squared(), rs.Hinge(), rs.Softmax())
    for kind in ("ridges", "dependence", "components")
]


@pytest.mark.parametrize(("loss", "kind"), PICTURES)
def test_many_dimensions(loss, kind):
    s = of_space(loss)
    figure = s.plot(kind=kind, target="height")
    assert drawn(figure)
    name = figure.get_supylabel() if kind == "dependence" else figure.axes[kind == "ridges"].get_ylabel()
    assert name == {"Squared": "height", "Hinge": "margin f(x)", "Softmax": "logits f(x)"}[loss.name]
    assert f"K = {s.network.n_neurons} neurons for N = 30 data" in figure.get_suptitle()
    assert drawn(rs.evaluate(s.problem, flat(s.problem), max_time=0.0).plot(kind=kind))


def test_ridge_functions_are_the_default_beyond_a_plane():
    X, y = noisy(30, 2)
    for p in (problem(rs.Squared(), 30, 3), rs.Problem(X, np.column_stack([y, -y]), 1.0)):
        assert rs.solve(p, rs.Grid(directions=4)).plot().axes[0].get_title(loc="left") == "direction w"


def other_side(net):
    """The same function, of neurons that are active on the other side: rho(t) = rho(-t) + t."""
    W, b, v = net.weights, net.biases, net.amplitudes
    return rs.RidgeSpline(-W, -b, v, net.slope + W.T @ v, net.offset - b @ v)


def test_rows_are_ridge_functions_that_add_up_to_f():
    """Profiles at the data, and the affine part: f less its mean; and they are a matter of f, not of its neurons."""
    p = problem(rs.Squared(), 40, 3, lam=0.5)
    net = rs.solve(p, rs.Grid(directions=3)).network
    assert len(net.ridges()) == 3 < net.n_neurons
    curves = []
    for each in (net, other_side(net)):
        axes = rs.evaluate(p, each).plot().axes
        total = np.zeros(40)
        for left, right in zip(axes[:6:2], axes[1:6:2], strict=True):
            w = np.array([bar.get_width() for bar in left.patches])
            assert np.linalg.norm(w) == pytest.approx(1.0)
            line = right.lines[0]
            total += np.interp(p.X @ w, line.get_xdata(), line.get_ydata())
            curves.append(line.get_ydata())
            assert set(right.lines[1].get_xdata()) <= set(line.get_xdata())
            np.testing.assert_allclose(np.sort(right.lines[2].get_xdata()), np.sort(p.X @ w))
        slope = np.array([bar.get_width() for bar in axes[6].patches])
        total += (p.X - p.X.mean(axis=0)) @ slope
        np.testing.assert_allclose(total, net(p.X) - net(p.X).mean(), atol=1e-9)
    for one, other in zip(curves[:3], curves[3:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_only_the_largest_of_many_are_drawn():
    rng = np.random.default_rng(0)
    net = rs.RidgeSpline(rng.standard_normal((9, 20)), np.zeros(9), np.arange(1.0, 10.0))
    p = rs.Problem(rng.standard_normal((30, 20)), rng.standard_normal(30), 1.0)
    solution = rs.evaluate(p, net, max_time=0.0)
    figure = solution.plot()
    assert drawn(figure)
    assert len(figure.axes) == 14
    assert "the 6 of 9 ridge functions" in figure.get_suptitle()
    assert "the 12 of 20 features" in figure.get_suptitle()
    figure = solution.plot(kind="dependence")
    means = [net.partial_dependence(p.X, j, [p.X[:, j].min(), p.X[:, j].max()]) for j in range(20)]
    assert "the 12 of 20 features on which it depends most" in figure.get_suptitle()
    assert sum(axes.has_data() for axes in figure.axes) == 12
    assert f"x{np.argmax(np.ptp(means, axis=1))}" in [axes.get_xlabel() for axes in figure.axes]


def test_partial_dependence_is_drawn_over_the_data():
    p = problem(rs.Squared(), 30, 3)
    s = rs.solve(p, rs.Grid(directions=4))
    for j, axes in enumerate(s.plot(kind="dependence").axes):
        line = axes.lines[0]
        assert line.get_xdata()[0] == p.X[:, j].min()
        assert line.get_xdata()[-1] == p.X[:, j].max()
        changed = p.X.copy()
        changed[:, j] = line.get_xdata()[50]
        assert line.get_ydata()[50] == pytest.approx(s.predict(changed).mean())


def test_the_title_of_a_searched_gap_calls_it_an_estimate():
    from ridgesplines.plotting.style import headline

    p = problem(rs.Squared(), 30, 3)
    s = rs.solve(p, rs.Grid(directions=4))
    assert "grid's optimum" in headline(s)
    assert "not a bound" in headline(rs.evaluate(p, s.network))


def test_the_cylinder_shows_the_certificate_and_the_impulses():
    """Heights of the map are eta / lam, the same at (w, b) and (-w, -b); marks stand where it is 1 or -1."""
    X, y = noisy(30, 2)
    p = rs.Problem(X + np.array([3.0, -2.0]), y, 0.5)
    s = rs.solve(p)
    figure = s.plot(kind="cylinder")
    above, below = figure.axes[:2]
    shown = below.collections[0]
    heights = shown.get_array()
    assert np.abs(heights).max() <= 1.0 + 1e-9
    np.testing.assert_allclose(heights[:, :181], heights[::-1, 180:], atol=1e-8)
    words = r"= 1 \(exact\), at the impulses at least (0\.99999\d|1\.000000)$"
    assert re.search(words, below.get_title(loc="left"))
    for axes in (above, below):
        marks = np.concatenate([c.get_offsets() for c in axes.collections if c.get_offsets().any() and c is not shown])
        assert len(marks) == 2 * s.network.n_neurons
        w = np.stack([np.cos(np.radians(marks[:, 0])), np.sin(np.radians(marks[:, 0]))], axis=1)
        eta = s.certificate.eta(w, marks[:, 1] + w @ p.X.mean(axis=0))
        np.testing.assert_allclose(np.abs(eta), 0.5, rtol=1e-6)


def test_the_cylinder_of_what_is_no_optimum():
    p = problem(rs.Squared(), 30, 2)
    below = rs.evaluate(p, flat(p), max_time=0.0).plot(kind="cylinder").axes[1]
    assert "(exact); above 1 within" in below.get_title(loc="left")
    above, below = rs.solve(p.with_lam(1e6)).plot(kind="cylinder").axes[:2]
    assert below.get_title(loc="left").endswith("(exact)")
    assert above.get_legend() is None


def test_a_network_and_its_measure():
    line = rs.RidgeSpline([[1.0], [1.0], [-1.0]], [0.0, 1.0, 1.0], [1.0, -2.0, 0.5])
    above, below = plot_measure(line).axes
    assert "3.5 = " in above.get_title(loc="left")
    heights = np.concatenate([mark.get_ydata() for mark in below.lines if mark.get_marker() in "^v"])
    assert sorted(heights) == [-2.0, 0.5, 1.0]
    cancelling = rs.RidgeSpline([[1.0, 0.0], [-1.0, 0.0]], [1.0, -1.0], [2.0, -1.0])
    figure = plot_measure(cancelling)
    assert drawn(figure)
    title = figure.axes[0].get_title(loc="left")
    assert "= 1 < " in title
    assert title.endswith("= 3")
    for d in (1, 2):
        assert drawn(plot_measure(rs.RidgeSpline(np.empty((0, d)), [], [])))
    for net in (rs.RidgeSpline(np.eye(3), np.zeros(3), np.ones(3)), rs.RidgeSpline([[1.0]], [0.0], [[1.0, 2.0]])):
        with pytest.raises(rs.ProblemError, match="d = 1 or 2, and one output; got"):
            plot_measure(net)


def test_path():
    figure = rs.solve_path(problem(rs.Squared(), 30), n_lams=5).plot()
    assert drawn(figure)
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
    from ridgesplines.validation import rounded_up

    assert rounded_up(1.41e-3) == "1.5e-03"
    assert rounded_up(1.4e-3) == "1.4e-03"
    assert rounded_up(9.91e-7) == "1.0e-06"
    assert rounded_up(0.0) == "0 to rounding"
    assert rounded_up(-1.1e-16) == "-1.1e-16"
    assert rounded_up(np.inf) == "inf"


def of_many(solution, N, d):
    """A solution with many data in the place of its own: what is drawn of them is the same, and nothing is solved."""
    rng = np.random.default_rng(0)
    X, noise = rng.standard_normal((N, d)), rng.standard_normal(N)
    y = np.abs(X[:, 0]) + 0.1 * noise if solution.problem.loss.translates else np.sign(X[:, 0] + noise)
    own = solution.problem
    problem = rs.Problem(X, y, own.lam, own.loss, own.activation)
    certificate = dataclasses.replace(solution.certificate, X=X, dual=np.zeros(N))
    return dataclasses.replace(solution, problem=problem, certificate=certificate)


@pytest.mark.parametrize("kind", ["line", "contours", "surface", "cylinder", "ridges", "dependence"])
def test_many_data_are_drawn_as_their_density_in_seconds(kind):
    d = 1 if kind == "line" else 2
    many = of_many(rs.solve(problem(rs.Squared(), 30, d), rs.Grid(directions=4) if d == 2 else None), 50_000, d)
    began = time.process_time()
    figure = many.plot(kind=kind)
    assert drawn(figure)
    assert time.process_time() - began < 4.0
    marks = [len(c.get_offsets()) for axes in figure.axes for c in axes.collections]
    marks += [len(line.get_xdata()) for axes in figure.axes for line in axes.lines]
    assert max(marks) < 6000
    if kind in ("line", "contours"):
        assert "data (density)" in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("activation", [rs.Sigmoid(0.5), rs.TruncatedPower(2)], ids=repr)
def test_the_certificate_of_many_data_is_drawn_in_seconds(activation):
    """The certificate of these is a sum over all data at every place where it is drawn."""
    x = np.random.default_rng(0).standard_normal(8_000)
    p = rs.Problem(x, np.abs(x), 1.0, activation=activation)
    s = rs.evaluate(p, rs.RidgeSpline([[1.0]], [0.0], [1.0], activation=activation), max_time=0.0)
    began = time.process_time()
    figure = s.plot()
    assert time.process_time() - began < 2.0
    assert max(len(line.get_xdata()) for line in figure.axes[1].lines) < 6000


def test_the_density_of_classes():
    for d, loss in ((2, rs.Hinge()), (1, rs.Hinge())):
        s = rs.solve(problem(loss, 30, d), rs.Grid(directions=4) if d == 2 else None)
        assert drawn(of_many(s, 10_000, d).plot())
    x = np.linspace(0.0, 1.0, 5000)
    p = rs.Problem(x, np.column_stack([x, x**2]), 1.0)
    assert drawn(rs.evaluate(p, flat(p), max_time=0.0).plot())


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute()], ids=ids)
def test_no_band_is_named_where_none_can_be_drawn(loss):
    """Data at one x: any slope is a minimiser's, and off that x the band has no end."""
    s = rs.solve(rs.Problem(np.ones(5), [1.0, 2.0, 3.0, 4.0, 5.0], 0.1, loss))
    assert np.isinf(s.envelope([0.0, 2.0]).width).all()
    above = s.plot().axes[0]
    assert not above.collections[1:]  # the data alone
    assert "all minimisers" not in [text.get_text() for text in above.get_legend().get_texts()]
