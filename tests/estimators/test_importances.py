"""How much features count: against changes of predictions, in any units, and as scikit-learn reads it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel

import ridgesplines as rs

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

GRID = rs.Grid(directions=8)
RNG = np.random.default_rng(3)
X = RNG.standard_normal((60, 3)) * [1.0, 10.0, 0.1]
Y = np.abs(X[:, 0]) + 0.02 * X[:, 1] + 0.05 * RNG.standard_normal(60)
LABELS = np.digitize(np.abs(X[:, 0]) + 0.3 * RNG.standard_normal(60), [0.5, 1.0])
FEW = {"lams": [0.3, 0.5], "cv": 3, "solver": GRID}

MODELS = [
    (rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=False), Y),
    (rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=True), Y),
    (rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=False), np.column_stack([Y, X[:, 1]])),
    (rs.RidgeSplineRegressorCV(**FEW), Y),
    (rs.RidgeSplineClassifier(lam=0.5, solver=GRID, scale=False), LABELS > 0),
    (rs.RidgeSplineClassifier(lam=0.5, solver=GRID, scale=False), LABELS),
    (rs.RidgeSplineClassifier(lam=0.5, loss="logistic", solver=GRID, scale=True), LABELS),
    (rs.RidgeSplineClassifierCV(**FEW, scale=True), LABELS > 0),
]


def scores(model, X):
    """f as the user has it, all outputs."""
    f = model.decision_function if hasattr(model, "decision_function") else model.predict
    return f(X).reshape(len(X), -1)


@pytest.mark.parametrize(("model", "y"), MODELS, ids=range(len(MODELS)))
def test_they_are_shares_of_the_squared_change(model, y):
    weight = np.arange(60.0) % 3
    model = clone(model).fit(X, y, sample_weight=weight)
    effects = []
    for j in range(3):
        changed = X.copy()
        changed[:, j] = np.average(X[:, j], weights=weight)
        effects.append(weight @ ((scores(model, X) - scores(model, changed)) ** 2).sum(axis=1))
    np.testing.assert_allclose(model.feature_importances_, effects / np.sum(effects), rtol=1e-6, atol=1e-12)
    assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_an_affine_fit_has_shares_of_variance():
    model = rs.RidgeSplineRegressor(lam=1e6, scale=False).fit(X, Y)
    expected = model.network_.slope**2 * X.var(axis=0)
    np.testing.assert_allclose(model.feature_importances_, expected / expected.sum(), rtol=1e-9)


def test_units_do_not_matter_where_features_are_scaled():
    model = rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=True)
    ours = clone(model).fit(X, Y).feature_importances_
    theirs = clone(model).fit(X * [1e3, 1e-3, 7.0] + 5.0, Y).feature_importances_
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-8)


def test_constant_columns_and_constant_fits():
    constant = np.column_stack([X[:, :1], np.full(60, 0.1)])
    model = rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=False).fit(constant, Y)
    assert model.feature_importances_.tolist() == [1.0, 0.0]
    assert model.fit(constant, np.zeros(60)).feature_importances_.tolist() == [0.0, 0.0]


def test_before_a_fit():
    for model in (rs.RidgeSplineRegressor(), rs.RidgeSplineClassifier(), rs.RidgeSplineRegressorCV()):
        assert not hasattr(model, "feature_importances_")
        with pytest.raises(NotFittedError):
            model.feature_importances_  # noqa: B018


def test_features_are_selected_by_them():
    chosen = SelectFromModel(rs.RidgeSplineRegressor(lam=0.5, solver=GRID, scale=False), threshold=0.1).fit(X, Y)
    assert chosen.get_support().tolist() == [True, True, False]
