"""Linear splines with constraints, as estimators: the fit of the Problem itself, in folds as well."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

import ridgesplines as rs

#: The ranges here are short; what is said of their ends is tested elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

SHAPE = [rs.Monotone(), rs.Lipschitz(4.0)]


def calibration(n=80, seed=0):
    """An instrument's readings: rounded, with repeated x."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.0, 5.0, n).round(1)
    return x, (np.tanh(x - 2.0) + 0.2 * rng.standard_normal(n)).round(2)


def test_the_estimator_solves_the_problem_with_its_constraints():
    x, y = calibration()
    weight = np.arange(80.0) % 3
    model = rs.LinearSplineRegressor(0.3, constraints=SHAPE).fit(x, y, weight)
    same = rs.solve(rs.Problem(x, y, 0.3, sample_weight=weight, constraints=SHAPE))
    assert model.solution_.objective == pytest.approx(same.objective, rel=1e-9)
    assert model.solution_.violation == 0.0
    assert (np.diff(model.predict(np.linspace(-9.0, 9.0, 500))) >= -1e-12).all()
    assert clone(model).constraints == SHAPE
    assert model.solution_.relative_gap <= 1e-8


def test_folds_are_solved_with_the_constraints():
    x, y = calibration()
    folds = list(KFold(4, shuffle=True, random_state=1).split(x))
    lams = [1.0, 0.3, 0.05]
    model = rs.LinearSplineRegressorCV(lams, cv=folds, constraints=[rs.Monotone()]).fit(x, y)
    for (train, test), scores in zip(folds[:2], model.scores_folds_.T, strict=False):
        for lam, score in zip(lams, scores, strict=True):
            p = rs.Problem(x[train], y[train], lam * len(train) / 80, constraints=[rs.Monotone()])
            loss = float(np.mean((y[test] - rs.solve(p).predict(x[test])) ** 2))
            assert score == pytest.approx(loss, rel=1e-6)
    assert model.solution_.violation <= 1e-12


def test_a_feature_of_a_ridge_spline_is_a_monotone_spline():
    x, y = calibration()
    one = rs.LinearSplineRegressor(0.3, constraints=[rs.MonotoneFeatures({0: +1})]).fit(x, y)
    other = rs.LinearSplineRegressor(0.3, constraints=[rs.Monotone()]).fit(x, y)
    np.testing.assert_allclose(one.predict(x), other.predict(x), atol=1e-9)


def test_words():
    x, y = calibration()
    with pytest.raises(rs.ProblemError, match=r"criterion.*'cv' where there are constraints"):
        rs.LinearSplineRegressorCV(criterion="gcv", constraints=[rs.Convex()]).fit(x, y)
    with pytest.raises(rs.ProblemError, match="a list of constraints"):
        rs.LinearSplineRegressor(constraints=rs.Convex()).fit(x, y)
