"""Estimators of one feature on dates, and what they refuse in their own words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import ridgesplines as rs

RNG = np.random.default_rng(5)
DAY = np.arange(90)
Y = np.round(0.3 * np.abs(DAY - 40.0) + RNG.standard_normal(90), 1)
NUMBERS = DAY + 19000.0
DATES = np.datetime64("1970-01-01", "s") + (NUMBERS * 86400).astype("m8[s]")
TABLE = pd.DataFrame({"when": DATES})
AWARE = TABLE["when"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")


@pytest.mark.parametrize(
    ("x", "name"), [(DATES, "x0"), (DATES[:, None], "x0"), (TABLE, "when"), (TABLE["when"], "when")]
)
def test_whatever_shape_dates_come_in(x, name):
    model = rs.LinearSplineRegressor(lam=30.0).fit(x, Y)
    plain = rs.LinearSplineRegressor(lam=30.0).fit(NUMBERS, Y)
    np.testing.assert_array_equal(model.predict(x), plain.predict(NUMBERS))
    np.testing.assert_array_equal(model.network_(x), plain.predict(NUMBERS))
    assert model.network_.names == (name,)
    assert set(model.network_.knots) == {np.datetime64(int(knot * 86400e6), "us") for knot in plain.network_.knots}
    model.fit(NUMBERS, Y)  # a second fit forgets the dates of the first
    np.testing.assert_array_equal(model.predict(NUMBERS), plain.predict(NUMBERS))


@pytest.mark.parametrize("x", [TABLE["when"], AWARE])
@pytest.mark.parametrize(
    ("model", "y"),
    [
        (rs.LinearSplineRegressorCV(n_lams=8, cv=3), Y),
        (rs.LinearSplineRegressorCV(n_lams=8, criterion="sure"), Y),
        (rs.RidgeSplineRegressorCV(n_lams=4, cv=3, scoring="r2"), Y),
        (rs.RidgeSplineRegressorCV(n_lams=4, cv=3, scale=True), Y),
        (rs.RidgeSplineClassifier(lam=1.0), Y > 6.0),
        (rs.RidgeSplineClassifierCV(n_lams=3, cv=3, scoring="accuracy"), Y > 6.0),
    ],
)
def test_every_estimator_gives_the_fit_of_the_days(model, y, x):
    vector = isinstance(model, rs.LinearSplineRegressor | rs.RidgeSplineClassifier)
    dates = x if vector else x.to_frame()
    dated, plain = clone(model).fit(dates, y), clone(model).fit(NUMBERS[:, None], y)
    np.testing.assert_array_equal(dated.predict(dates), plain.predict(NUMBERS[:, None]))
    if hasattr(plain, "lam_"):
        assert dated.lam_ == plain.lam_
    with pytest.raises(rs.ProblemError, match=r"expected dates .*got numbers"):
        dated.predict(NUMBERS[:, None])
    with pytest.raises(rs.ProblemError, match="expected numbers, as in the fit; got dates"):
        plain.predict(dates)


def test_scikit_learns_own_folds():
    scores = [cross_val_score(rs.LinearSplineRegressor(lam=30.0), x, Y) for x in (TABLE, NUMBERS[:, None])]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("model", [rs.LinearSplineRegressor(), rs.RidgeSplineRegressor(), rs.RidgeSplineClassifier()])
def test_missing_and_masked_values_in_our_own_words(model):
    y = (Y > 6.0).astype(float)
    gap = np.where(DAY == 7, np.nan, NUMBERS)[:, None]
    masked = np.ma.masked_invalid(gap)
    fitted = clone(model).fit(NUMBERS[:, None], y)
    for call in (lambda x: model.fit(x, y), fitted.predict):
        with pytest.raises(rs.ProblemError, match=r"X: expected finite numbers; got NaN at index \(7, 0\)\. Remove"):
            call(gap)
        with pytest.raises(rs.ProblemError, match=r"X: .*1 masked, the first at index \(7, 0\)"):
            call(masked)
    for name in ("y", "sample_weight"):
        arguments = {"X": NUMBERS[:, None], "y": y, "sample_weight": np.ones(90)}
        with pytest.raises(rs.ProblemError, match=f"{name}: .*1 masked"):
            model.fit(**(arguments | {name: np.ma.masked_array(y, DAY == 7)}))
    with pytest.raises(rs.ProblemError, match="sample_weight: expected finite numbers; got NaN"):
        model.fit(NUMBERS[:, None], y, gap[:, 0])
    with pytest.raises(rs.ProblemError, match="sample_weight: expected numbers; got dates or durations"):
        model.fit(NUMBERS[:, None], y, DATES - DATES[0])
    with pytest.raises(rs.ProblemError, match="column 'when' of 2"):
        model.fit(TABLE.assign(other=Y), y)


def test_targets_are_numbers():
    for y in (DATES, DATES - DATES[0], list(TABLE["when"])):
        with pytest.raises(rs.ProblemError, match="y: expected numbers; got dates or durations"):
            rs.LinearSplineRegressor().fit(NUMBERS, y)
    with pytest.raises(rs.ProblemError, match=r"y: expected finite numbers; got NaN at index \(7\)"):
        rs.LinearSplineRegressor().fit(NUMBERS, np.where(DAY == 7, np.nan, Y))
