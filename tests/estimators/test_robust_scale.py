"""Huber's delta in units of the noise: its scale from data with outliers, whatever the units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs
from ridgesplines.estimators.robust_scale import robust_scale

RNG = np.random.default_rng(11)
N = 120
X = np.round(RNG.uniform(0.0, 12.0, N), 1)  # with ties
TRUTH = np.abs(X - 4.0) + np.where(X > 9.0, 2.0 * (X - 9.0), 0.0)
NOISE = 0.25
Y = TRUTH + NOISE * RNG.standard_normal(N)
Y[::8] += 40.0


def scale(x: Any, y: Any, **settings: Any) -> float:
    return robust_scale(rs.Problem(x, y, 1.0, **settings))


def test_the_scale_is_that_of_the_noise_and_not_of_outliers() -> None:
    """Draws of known noise; one in eight rows is off by 160 times as much."""
    scales = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        y = TRUTH + NOISE * rng.standard_normal(N) + 40.0 * (rng.uniform(size=N) < 0.125)
        scales.append(scale(X, y) / NOISE)
    assert 0.8 < np.mean(scales) < 1.5
    assert np.std(Y - TRUTH) > 40.0 * NOISE


def test_the_scale_has_the_units_of_y_and_no_order() -> None:
    one, order = scale(X, Y), RNG.permutation(N)
    assert scale(X, 1000.0 * Y + 7.0) == pytest.approx(1000.0 * one, rel=1e-9)
    assert scale(0.01 * X - 3.0, Y) == pytest.approx(one, rel=1e-9)
    first, second = (rs.LinearSplineRegressor(loss="huber").fit(X[rows], Y[rows]) for rows in (slice(None), order))
    assert first.solution_.problem.loss == second.solution_.problem.loss


def test_weights_are_rows_that_are_repeated() -> None:
    weight = np.arange(N) % 3
    one = rs.LinearSplineRegressor(loss="huber", lam=3.0).fit(X, Y, weight)
    rows = np.repeat(np.arange(N), weight)
    other = rs.LinearSplineRegressor(loss="huber", lam=3.0).fit(X[rows], Y[rows])
    assert one.solution_.problem.loss.delta == pytest.approx(other.solution_.problem.loss.delta, rel=1e-9)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.abs(np.arange(60.0) - 20.0), (1e-3, 60.0)),
        (2.0 * np.arange(60.0) + 1.0, (1e-3, 1e3)),
        (np.zeros(60), (1e-3, 1e3)),
        (np.where(np.arange(60) % 7, 0.0, 30.0), (1e-3, 30.0)),
        (np.round(5.0 * np.sin(np.arange(60.0) / 9.0)), (1e-3, 5.0)),
        (1e9 + np.abs(np.arange(60.0) - 20.0), (1e-3, 60.0)),
    ],
    ids=["no noise", "a line", "zeros", "mostly a line", "whole numbers", "an offset"],
)
def test_the_scale_is_positive_for_every_table(y: Any, expected: tuple[float, float]) -> None:
    low, high = expected
    assert low < scale(np.arange(60.0), y) < high


def test_few_rows() -> None:
    for n in (1, 2, 3, 4):
        assert scale(np.arange(float(n)), np.arange(n) ** 2.0) > 0.0


def test_huber_by_name_does_not_depend_on_units() -> None:
    """Metres or millimetres; a delta of one is blind for outliers in one of them."""
    for model in (rs.LinearSplineRegressorCV(loss="huber", n_lams=10), rs.RidgeSplineRegressor(loss="huber", lam=2.0)):
        features = X if isinstance(model, rs.LinearSplineRegressorCV) else X[:, None]
        metres, millimetres = clone(model), clone(model)
        if not isinstance(model, rs.LinearSplineRegressorCV):
            millimetres.set_params(lam=2000.0)  # in units of loss * x / y
        one, other = metres.fit(features, Y).predict(features), millimetres.fit(features, 1000.0 * Y).predict(features)
        np.testing.assert_allclose(other, 1000.0 * one, rtol=1e-6, atol=1e-3)
        assert np.mean(np.abs(one - TRUTH)) < 0.15
        assert metres.solution_.problem.loss.delta == pytest.approx(1.345 * NOISE, rel=0.5)
    blind = rs.LinearSplineRegressorCV(loss=rs.Huber(1.0), n_lams=10).fit(X, 1e-3 * Y)
    assert np.mean(np.abs(1e3 * blind.predict(X) - TRUTH)) > 1.0


def test_many_dimensions() -> None:
    rng = np.random.default_rng(0)
    A = rng.uniform(-1.0, 1.0, (100, 2))
    y = np.abs(A[:, 0] + A[:, 1]) + 0.1 * rng.standard_normal(100)
    y[::9] += 20.0
    assert 0.07 < scale(A, y) < 0.2
    fitted = rs.RidgeSplineRegressor(loss=rs.Huber("2 mad"), lam=0.5, scale=False).fit(A, y)
    assert fitted.solution_.problem.loss.delta == pytest.approx(2.0 * scale(A, y), rel=1e-6)


def test_a_number_is_what_it_says() -> None:
    assert rs.LinearSplineRegressor(loss=rs.Huber(0.5)).fit(X, Y).solution_.problem.loss == rs.Huber(0.5)


def test_problems_take_numbers() -> None:
    with pytest.raises(rs.ProblemError, match=r"a number for delta.*estimate the scale"):
        rs.Problem(X, Y, 1.0, rs.Huber("1.345 mad"))
    with pytest.raises(rs.ProblemError, match="a number for delta"):
        rs.solve(rs.Problem(X, Y, 1.0).with_loss(rs.Huber("1.345 mad")))


@pytest.mark.parametrize("delta", ["mad", "-1 mad", "1.3", "0 mad", "", "1 mads", -1.0, None])
def test_what_delta_may_be(delta: Any) -> None:
    with pytest.raises(rs.ProblemError, match="delta"):
        rs.Huber(delta)


def test_the_summary_says_where_it_is_squared_error() -> None:
    words = "Huber(delta=100.0) is squared error here: no residual exceeds delta"
    assert words in rs.LinearSplineRegressor(loss=rs.Huber(100.0)).fit(X, Y).solution_.summary()
    for loss in ("huber", "squared"):
        assert "squared error here" not in rs.LinearSplineRegressor(loss=loss).fit(X, Y).solution_.summary()
