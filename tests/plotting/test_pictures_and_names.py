"""Pictures in the axes of the user, with the names of y and of its classes; classes in one dimension."""

import inspect
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import ridgesplines as rs
from ridgesplines import plotting
from ridgesplines.plotting.classes import boundaries
from ridgesplines.plotting.style import SIGNED

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.uniform(0.0, 10.0, (60, 2)).round(1), columns=["distance", "height"])
COUNT = pd.Series(np.abs(X["distance"] - 4.0) + 0.1 * RNG.standard_normal(60), name="wait (min)")
PLACE = pd.Series(np.where(np.abs(X["distance"] - 5.0) + RNG.standard_normal(60) > 2.5, "far", "near"), name="place")
ZONE = np.array(["a", "b", "c"])[np.digitize(X["distance"] + RNG.standard_normal(60), [3.0, 7.0])]


@pytest.fixture(scope="module")
def line():
    return rs.solve(rs.Problem(X["distance"], COUNT, 1.0))


@pytest.fixture(scope="module")
def plane():
    return rs.solve(rs.Problem(X, COUNT, 10.0), rs.Grid(directions=4))


def classifier(loss, labels=PLACE):
    return rs.RidgeSplineClassifier(lam=0.5, loss=loss, **SCALE).fit(X[["distance"]], labels)


#: The figures below are in the units of the data.
SCALE = {"scale": False}


@pytest.mark.parametrize(
    "method",
    [rs.Solution.plot, rs.Path.plot, rs.LinearSplineRegressorCV.plot, plotting.plot_solution, plotting.plot_path,
     plotting.plot_comparison, plotting.plot_confidence, plotting.plot_criterion],
    ids=lambda m: m.__qualname__,
)  # fmt: skip
def test_options_stand_in_the_signature(method):
    parameters = inspect.signature(method).parameters
    assert {"ax", "title"} <= set(parameters)
    assert not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())


def test_a_picture_in_axes_of_the_user(line, plane):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert line.plot(ax=left, title="How long?") is figure
    assert left.get_title(loc="left") == "How long?"
    assert (left.get_xlabel(), left.get_ylabel()) == ("distance", "wait (min)")
    assert not right.has_data()
    assert figure.axes == [left, right]
    assert plane.plot(ax=right) is figure
    assert right.get_xlabel() == "distance"
    assert line.plot(title="Both").axes[0].get_title(loc="left") == "Both"
    solid = Figure().add_subplot(projection="3d")
    assert plane.plot("surface", ax=solid) is solid.get_figure()
    with pytest.raises(rs.ProblemError, match="projection='3d'; got a Axes"):
        plane.plot("surface", ax=left)
    with pytest.raises(rs.ProblemError, match="'line' or 'contours' or 'surface'; got kind='ridges'"):
        plane.plot("ridges", ax=left)
    with pytest.raises(rs.ProblemError, match="ax: expected a matplotlib Axes; got a ndarray"):
        line.plot(ax=np.array([left, right]))


def test_other_pictures_in_axes_of_the_user(line):
    path = rs.solve_path(line.problem, n_lams=4)
    trained = rs.evaluate(line.problem, line.network, max_time=0.0)
    trained.history["objective"] = [2.0 * line.objective, line.objective]
    model = rs.LinearSplineRegressorCV(n_lams=4, criterion="gcv").fit(X["distance"], COUNT)
    for plot in (path.plot, rs.compare({"t": trained}).plot, model.plot, path.with_neurons(1).confidence().plot):
        axes = Figure().subplots()
        assert plot(ax=axes, title="Mine") is axes.get_figure()
        assert "Mine" in (axes.get_title(loc="left"), axes.get_title(loc="right"))
        assert [a for a in axes.get_figure().axes if a is not axes] == []
    assert path.plot(title="All").get_suptitle() == "All"


def test_the_name_of_y_is_kept(tmp_path, line, plane):
    model = rs.LinearSplineRegressorCV(n_lams=4, criterion="gcv").fit(X["distance"], COUNT)
    for solution in (line, model.solution_, model.path_[-1]):
        assert solution.plot().axes[0].get_ylabel() == "wait (min)"
    assert line.plot(target="else").axes[0].get_ylabel() == "else"
    line.save(tmp_path / "line.npz")
    assert rs.Solution.load(tmp_path / "line.npz").plot().axes[0].get_ylabel() == "wait (min)"
    assert plane.plot().axes[1].get_ylabel() == "wait (min)"
    assert rs.evaluate(line.problem.with_lam(2.0), line.network).plot().axes[0].get_ylabel() == "wait (min)"
    both = pd.DataFrame({"there": COUNT, "back": -COUNT})
    texts = rs.solve(rs.Problem(X["distance"], both, 1.0)).plot().axes[0].get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["there", "back"]
    with pytest.raises(rs.ProblemError, match="2 distinct names"):
        rs.Problem(X["distance"], both, 1.0, output_names=["there"])
    with pytest.raises(rs.ProblemError, match="None for one output of numbers"):
        rs.Problem(X["distance"], COUNT, 1.0, output_names=["there"])


def words(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_names_of_classes_are_kept():
    assert words(classifier("hinge").solution_.plot().axes[0])[-2:] == ["far", "near"]
    plane = rs.RidgeSplineClassifier(lam=5.0, solver=rs.Grid(directions=4), **SCALE).fit(X, PLACE).solution_.plot()
    assert words(plane.axes[0]) == ["far", "near"]
    assert words(classifier("logistic", ZONE).solution_.plot().axes[0])[-3:] == ["a", "b", "c"]
    one_each = [solution.plot().axes[0] for solution in classifier("hinge", ZONE).solutions_]
    assert [words(axes)[-2:] for axes in one_each] == [["not a", "a"], ["not b", "b"], ["not c", "c"]]


@pytest.mark.parametrize("labels", [PLACE, ZONE], ids=["two", "three"])
def test_classes_of_one_feature_are_drawn_as_probabilities_with_their_boundaries(labels):
    model = classifier("logistic", labels)
    axes = model.solution_.plot().axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) > 100]
    shares = model.predict_proba(pd.DataFrame({"distance": curves[0].get_xdata()}))
    for line, share in zip(reversed(curves), reversed(shares.T), strict=False):
        np.testing.assert_allclose(line.get_ydata(), share, atol=1e-12)
    assert len(curves) == (1 if shares.shape[1] == 2 else 3)
    places = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata()) == 2]
    fine = np.linspace(*axes.get_xlim(), 20_001)
    given = model.predict(pd.DataFrame({"distance": fine}))
    np.testing.assert_allclose(places, fine[1:][given[1:] != given[:-1]], atol=1e-3)
    assert len(places) == 2


def test_the_margin_has_no_probabilities():
    axes = classifier("hinge").solution_.plot().axes[0]
    assert axes.get_ylabel() == "margin f(x)"
    assert "boundary" in words(axes)


def test_boundaries_of_straight_scores():
    places, classes = boundaries(np.array([0.0, 1.0, 3.0]), np.array([-1.0, 3.0, -1.0]))
    np.testing.assert_allclose(places, [0.25, 2.5])
    assert classes == [0, 1, 0]
    places, classes = boundaries(np.array([0.0, 1.0]), np.array([[0.0, 1.0, -9.0], [2.0, 1.0, 0.0]]))
    np.testing.assert_allclose(places, [0.5])
    assert classes == [1, 0]
    assert boundaries(np.array([0.0, 1.0]), np.array([1.0, 2.0]))[0].size == 0


def test_titles_of_few_neurons_are_words(line):
    affine = rs.solve(line.problem.with_lam(2.0 * rs.lambda_max(line.problem)))
    one = rs.solve_path(line.problem).with_neurons(1)
    titles = [s.plot().axes[0].get_title(loc="left") for s in (affine, one)]
    assert titles[0].startswith("no neuron (affine) for N = 60 data: relative gap")
    assert titles[1].startswith("1 neuron for N = 60 data: relative gap")
    assert re.search(r"relative gap \S+( to rounding)?, certified", titles[1])


def test_positive_is_blue_and_negative_orange_in_every_picture():
    """Bars of weights, marks of impulses, knots of a path, and the maps of signs."""
    blue, orange = to_rgba("#0072B2"), to_rgba("#D55E00")
    net = rs.RidgeSpline([[0.6, -0.8], [1.0, 0.0]], [0.1, 4.0], [2.0, -1.0])
    problem = rs.Problem(X, COUNT, 1.0)
    s = rs.evaluate(problem, net, max_time=0.0)
    bars = s.plot("ridges").axes[0].patches
    assert {to_rgba(bar.get_facecolor()) for bar in bars if bar.get_width() > 0.0} == {blue}
    assert {to_rgba(bar.get_facecolor()) for bar in bars if bar.get_width() < 0.0} == {orange}
    drawn = [c for c in s.plot("cylinder").axes[0].collections if c.get_label().startswith("mass")]
    marks = {c.get_label(): tuple(c.get_facecolor()[0]) for c in drawn}
    assert (marks["mass > 0"], marks["mass < 0"]) == (blue, orange)
    path = rs.solve_path(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 2.0], 0.1), lams=[0.1])
    keys = path.plot().axes[0].get_legend().legend_handles
    assert {key.get_label(): to_rgba(key.get_color()) for key in keys} == {"slope rises": blue, "slope falls": orange}
    for place, near in ((1.0, blue), (0.0, orange)):
        r, _, b, _ = SIGNED(place)
        assert (b > r) == (near[2] > near[0])
    assert SIGNED(0.5)[:3] == pytest.approx((1.0, 1.0, 1.0), abs=0.02)


def test_of_many_ridges_the_small_are_pale():
    rng = np.random.default_rng(0)
    net = rs.RidgeSpline(rng.standard_normal((40, 2)), rng.standard_normal(40), np.geomspace(1e-3, 1.0, 40))
    lines = rs.evaluate(rs.Problem(X, COUNT, 1.0), net, max_time=0.0).plot("contours").axes[0].lines
    shown = [line.get_alpha() for line in lines if line.get_color() == "#D55E00"]
    assert len(shown) == 40
    assert min(shown) < 0.1 < 0.9 < max(shown)


def test_the_map_of_many_data_is_not_hidden_by_their_curves():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((442, 2))
    net = rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])
    above, below = rs.evaluate(rs.Problem(points, points[:, 0], 1.0), net, max_time=0.0).plot("cylinder").axes[:2]
    curves = [[c for c in axes.collections if isinstance(c, LineCollection)] for axes in (above, below)]
    assert len(curves[0][0].get_segments()) <= 60
    assert not curves[1]
