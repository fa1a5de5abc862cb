"""Estimators with features in which f must be monotone."""

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs

pd = pytest.importorskip("pandas")
#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

X = np.random.default_rng(0).uniform(-1.0, 1.0, (60, 3)) * [1.0, 10.0, 1.0]
Y = np.sin(3.0 * X[:, 0]) + 0.1 * X[:, 1] + np.abs(X[:, 2]) + 0.1 * np.random.default_rng(1).standard_normal(60)
TABLE = pd.DataFrame(X, columns=["age", "bmi", "bp"])


def rises(model, names=True):
    line = np.zeros((200, 3))
    line[:, 0] = np.linspace(-5.0, 5.0, 200)
    f = model.predict(pd.DataFrame(line, columns=TABLE.columns) if names else line)
    return bool((np.diff(f) >= -1e-10).all())


@pytest.mark.parametrize("scale", [False, True])
def test_names_and_numbers_mean_the_same(scale):
    settings = {"lam": 0.1, "interactions": 2, "scale": scale}
    named = rs.RidgeSplineRegressor(constraints=[rs.MonotoneFeatures({"age": 1, "bp": -1})], **settings).fit(TABLE, Y)
    numbered = rs.RidgeSplineRegressor(constraints=[rs.MonotoneFeatures({0: 1, 2: -1})], **settings).fit(X, Y)
    assert named.solution_.objective == pytest.approx(numbered.solution_.objective, rel=1e-9)
    assert named.solution_.relative_gap <= 1e-6
    assert rises(named)
    assert rises(numbered, names=False)
    assert not rises(rs.RidgeSplineRegressor(lam=0.1, interactions=2, scale=False).fit(TABLE, Y))


def test_every_fold_is_monotone_and_so_is_what_is_kept():
    model = rs.RidgeSplineRegressorCV(
        n_lams=4, cv=3, interactions=[1, 2], scale=True, constraints=[rs.MonotoneFeatures({"age": 1})]
    )
    model = clone(model).fit(TABLE, Y)
    assert rises(model)
    assert all(solution.violation == 0.0 for solution in model.path_)
    assert model.solution_.relative_gap <= 1e-4
    assert model.feature_importances_.sum() == pytest.approx(1.0)


def test_a_probability_rises():
    classes = np.where(np.median(Y) < Y, "yes", "no")
    rising = [rs.MonotoneFeatures({"age": 1})]
    model = rs.RidgeSplineClassifier(lam=0.5, loss="logistic", interactions=1, constraints=rising).fit(TABLE, classes)
    assert model.solution_.certificate.scope == "exact"
    line = np.repeat(TABLE.iloc[:1].to_numpy(), 50, axis=0)
    line[:, list(TABLE.columns).index("age")] = np.linspace(-9.0, 9.0, 50)
    assert (np.diff(model.predict_proba(type(TABLE)(line, columns=TABLE.columns))[:, 1]) >= -1e-12).all()


def test_what_cannot_be_is_said_in_words():
    rising = [rs.MonotoneFeatures({"age": 1})]
    with pytest.raises(rs.ProblemError, match="'age' for X without column names"):
        rs.RidgeSplineRegressor(constraints=rising).fit(X, Y)
    with pytest.raises(rs.ProblemError, match="constraints"):
        rs.RidgeSplineRegressorCV(n_lams=3, criterion="gcv", interactions=1, constraints=rising).fit(TABLE, Y)
