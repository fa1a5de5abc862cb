"""The picture of an additive fit: curves and maps that are the components, on common scales."""

import numpy as np
import pytest

import ridgesplines as rs

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (40, 4))
X[:, 3] = RNG.integers(0, 2, 40)
#: Two neurons of x0, one of x0 and x1, one of x1 and x2 that hardly counts.
NET = rs.RidgeSpline(
    [[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.6, 0.8, 0.0, 0.0], [0.0, 0.6, 0.8, 0.0]],
    [0.2, 0.3, 0.0, 0.1],
    [3.0, 1.0, 4.0, 1e-3],
    [0.0, 0.0, 0.0, 0.5],
    1.0,
    ("age", "bmi", "s5", "sex"),
)


def solution(net=NET, loss=None, y=None, interactions=2, X=X, **kwargs):
    y = net(X) + 0.1 * np.sin(np.arange(len(X))) if y is None else y
    problem = rs.Problem(X, y, 1.0, loss, interactions=interactions, feature_names=net.names, **kwargs)
    certificate = rs.evaluate(rs.Problem(X, y, 1.0, loss, **kwargs), net, max_time=0.0).certificate
    return rs.Solution(problem, net, certificate)


def seen(figure):
    """The panels by their titles; the bar of colours last."""
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}


def test_fits_of_few_features_are_drawn_so(tmp_path):
    s = solution()
    figure = s.plot(target="height")
    figure.savefig(tmp_path / "picture.png")
    found, panels = s.components(), seen(figure)
    shown = [part for part in found if part.share >= 2e-3]
    curves = [part for part in shown if len(part.features) == 1]
    titles = list(panels)
    assert [title.split(":")[0] for title in titles[: len(curves)]] == [part.name for part in curves]
    assert titles[len(curves)].startswith("age & bmi: ")
    assert len(titles) == len(shown) + 1 == len(curves) + 2
    for title, part in zip(titles, curves, strict=False):
        axes = panels[title]
        assert axes.get_xlabel() == part.name
        assert float(title.split(":")[1].removesuffix("%")) == pytest.approx(100.0 * part.share, abs=0.5)
        line = axes.lines[1]
        points = np.zeros((len(line.get_xdata()), 4))
        points[:, part.features[0]] = line.get_xdata()
        np.testing.assert_allclose(line.get_ydata(), part(points), atol=1e-12)
        assert axes.get_ylim() == panels[titles[0]].get_ylim()
    age = next(axes for title, axes in panels.items() if title.startswith("age:"))
    np.testing.assert_allclose(age.lines[2].get_xdata(), [-0.3, 0.2])  # its own knots
    assert panels[titles[0]].get_ylabel() == "height"
    assert f"f = {found.intercept:.4g} + what is drawn" in figure.get_suptitle()
    sex = next(axes for title, axes in panels.items() if title.startswith("sex:"))
    assert sex.get_xticks().tolist() == [0.0, 1.0]


def test_one_scale_of_colours_for_all_maps():
    net = NET.changed(amplitudes=[0.0, 0.0, 4.0, 1.0])
    panels = seen(solution(net).plot())
    maps = [axes for title, axes in panels.items() if "&" in title]
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in maps] == [("age", "bmi"), ("bmi", "s5")]
    limits = [axes.collections[0].get_clim() for axes in maps]
    assert limits[0] == limits[1]
    assert limits[0][0] == -limits[0][1]


def test_at_most_nine_and_the_rest_in_words(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.uniform(-1.0, 1.0, (60, 8))
    W = np.zeros((12, 8))
    for row in W[:-1]:
        row[rng.choice(8, size=2, replace=False)] = rng.standard_normal(2)
    W[-1, :3] = 1.0
    net = rs.RidgeSpline(W, np.zeros(12), np.ones(12), np.ones(8))
    figure = solution(net, interactions=3, X=X).plot()
    figure.savefig(tmp_path / "picture.png")
    assert len([title for title in seen(figure) if title]) == 9
    assert "neurons of three and more features together" in figure.get_suptitle()
    assert "smaller components" in figure.get_suptitle()


def test_vector_outputs_have_a_map_each(tmp_path):
    V = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [2.0, -3.0, 1.0], [0.0, 0.0, 0.0]])
    net = NET.changed(amplitudes=V, slope=np.zeros((4, 3)), offset=np.zeros(3))
    figure = solution(net, rs.Softmax(), np.arange(40) % 3).plot()
    figure.savefig(tmp_path / "picture.png")
    panels = seen(figure)
    maps = [title for title, axes in panels.items() if axes.get_ylabel() == "bmi"]
    assert [title.split(":")[0] for title in maps] == [f"logit of class {j}" for j in range(3)]
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "logit of class 0"
    total = sum(float(title.split(": ")[1].removesuffix(" %")) for title in panels if title)
    assert total == pytest.approx(100.0, abs=2.0)


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_and_data_on_a_line(rows, tmp_path):
    Z = X[:rows]
    solution(X=Z).plot().savefig(tmp_path / "picture.png")
    line = np.column_stack([X[:, 0], X[:, 0], X[:, 0], X[:, 0]])
    solution(X=line).plot().savefig(tmp_path / "picture.png")


def test_a_plane_and_a_constant(tmp_path):
    plane = rs.RidgeSpline([[1.0, 0.0], [0.6, 0.8]], [0.0, 0.0], [1.0, 1.0])
    s = solution(plane, interactions=1, X=X[:, :2])
    assert [axes.get_xlabel() for axes in s.plot().axes][:2] == ["x0", "x1"]
    assert s.plot(kind="contours").axes[0].get_ylabel() == "x1"
    flat = plane.changed(amplitudes=np.zeros(2))
    solution(flat, interactions=1, X=X[:, :2], y=np.sin(np.arange(40.0))).plot().savefig(tmp_path / "picture.png")
