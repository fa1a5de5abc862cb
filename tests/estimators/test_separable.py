"""Classes that an affine function separates: in fits, in folds, on real tables."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import ridgesplines as rs

FLOWERS, SPECIES = load_iris(return_X_y=True)
RNG = np.random.default_rng(4)
X = np.round(RNG.standard_normal((40, 2)), 2)


def test_iris_has_probabilities():
    """The classes are not all separable from each other; the first from the others is, which is enough for Softmax."""
    model = rs.RidgeSplineClassifier(lam=5.0, loss="logistic", scale=True).fit(FLOWERS, SPECIES)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(FLOWERS, SPECIES)
    assert model.slope_penalty_ == pytest.approx(1.0)
    assert model.solution_.relative_gap <= 1e-5
    assert "slope penalty" in model.solution_.summary()
    probability = model.predict_proba(FLOWERS)
    assert np.abs(probability - linear.predict_proba(FLOWERS)).max() < 0.2
    assert model.score(FLOWERS, SPECIES) >= linear.score(FLOWERS, SPECIES)


def test_held_out_flowers():
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = rs.RidgeSplineClassifier(lam=5.0, loss="logistic", scale=True, solver=rs.ColumnGeneration(tol=1e-3))
    linear = make_pipeline(StandardScaler(), LogisticRegression())
    ours, theirs = (cross_val_score(each, FLOWERS, SPECIES, cv=folds).mean() for each in (model, linear))
    assert ours >= theirs - 0.01


def test_the_margin_of_hinge_is_wide():
    side = X @ [1.0, 0.4] > 0.0
    apart = X + 0.3 * np.where(side, 1.0, -1.0)[:, None] * [1.0, 0.4]
    model = rs.RidgeSplineClassifier(lam=50.0, slope_penalty=1e-3, scale=False).fit(apart, side)
    widest = SVC(kernel="linear", C=1e6, tol=1e-8).fit(apart, side)
    assert model.network_.n_neurons == 0
    np.testing.assert_allclose(model.network_.slope, widest.coef_[0], rtol=1e-3)
    default = rs.RidgeSplineClassifier(lam=50.0, scale=False).fit(apart, side)
    assert default.score(apart, side) == 1.0
    assert default.slope_penalty_ == pytest.approx(apart.var(axis=0).mean())


def test_only_where_they_are_separable():
    mixed = (np.abs(X[:, 0]) + 0.5 * RNG.standard_normal(40)) > 0.7
    for loss in ("logistic", "hinge"):
        model = rs.RidgeSplineClassifier(lam=1.0, loss=loss).fit(X, mixed)
        assert model.slope_penalty_ == 0.0
        assert model.solution_.slope_cost == 0.0
        assert "slope penalty" not in model.solution_.summary()


def test_the_fit_does_not_depend_on_units_or_on_how_rows_come():
    left, weight = X[:, 0] < 0.0, RNG.integers(1, 4, 40)
    base = rs.RidgeSplineClassifier(lam=1.0, loss="logistic", scale=False).fit(X, left, weight).predict_proba(X)
    other = rs.RidgeSplineClassifier(lam=1e3, loss="logistic", scale=False).fit(1e3 * X + 5.0, left, weight)
    np.testing.assert_allclose(other.predict_proba(1e3 * X + 5.0), base, atol=1e-4)
    again = np.repeat(np.arange(40), weight)[::-1]
    repeated = rs.RidgeSplineClassifier(lam=1.0, loss="logistic", scale=False).fit(X[again], left[again])
    np.testing.assert_allclose(repeated.predict_proba(X), base, atol=1e-9)
    assert repeated.solution_.relative_gap <= 1e-6  # of the problem with all rows


@pytest.mark.filterwarnings("ignore::ridgesplines.exceptions.RangeWarning")
def test_a_separable_fold_does_not_stop_a_choice():
    left = X[:, 0] < 0.0
    left[:3] = ~left[:3]  # three rows on the wrong side, all in one fold
    folds = [(np.arange(3, 40), np.arange(3)), (np.arange(37), np.arange(37, 40))]
    settings = {"loss": "logistic", "n_lams": 3, "cv": folds, "lam_ratio": 0.1}
    model = rs.RidgeSplineClassifierCV(**settings).fit(X, left)
    assert model.scores_folds_.shape[1] == 2
    assert model.slope_penalty_ == 0.0  # all rows together are not separable
    with pytest.raises(rs.ProblemError, match=r"^cv: .*number 0.*separable"):
        rs.RidgeSplineClassifierCV(**settings, slope_penalty=0.0).fit(X, left)
    whole = rs.RidgeSplineClassifierCV(n_lams=3, cv=3, loss="logistic", lam_ratio=0.1).fit(X, X[:, 0] < 0.0)
    assert whole.slope_penalty_ > 0.0
    assert whole.score(X, X[:, 0] < 0.0) == 1.0


def test_solvers_that_have_no_such_penalty():
    left, grid, few = X[:, 0] < 0.0, rs.Grid(directions=8), slice(0, 10)
    assert rs.RidgeSplineClassifier(solver=grid).fit(X, left).slope_penalty_ == 0.0  # hinge, which Grid takes without
    assert rs.RidgeSplineClassifier(loss="logistic", solver=grid).fit(X, left).slope_penalty_ > 0.0
    with pytest.raises(rs.ProblemError, match="separable"):
        rs.RidgeSplineClassifier(loss="logistic", solver=rs.Arrangement()).fit(X[few], left[few])
