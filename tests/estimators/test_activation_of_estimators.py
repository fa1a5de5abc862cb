"""Estimators with neurons of another activation."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ridgesplines as rs


def table(N=60):
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(0.0, 100.0, N), rng.integers(0, 3, N)])
    return X, np.tanh((X[:, 0] - 40.0) / 10.0) + 0.3 * X[:, 1] + 0.05 * rng.standard_normal(N)


def test_they_solve_the_problem_of_that_activation():
    X, y = table(30)
    Z = StandardScaler().fit_transform(X)
    model = rs.RidgeSplineRegressor(lam=0.3, activation=rs.Sigmoid(0.3), scale=False).fit(Z, y)
    assert model.network_.activation == rs.Sigmoid(0.3)
    direct = rs.solve(rs.Problem(Z, y, 0.3, activation=rs.Sigmoid(0.3)))
    assert model.solution_.objective == pytest.approx(direct.objective, rel=1e-5)
    assert model.score(Z, y) > 0.95
    smooth = rs.LinearSplineRegressor("0.01max", activation=rs.TruncatedPower(2)).fit(X[:, 0], y - 0.3 * X[:, 1])
    assert smooth.network_.activation == rs.TruncatedPower(2)
    assert smooth.solution_.certificate.scope == "exact"


def test_the_forms_that_choose_lam_and_classifiers_take_it():
    X, y = table(30)
    pipeline = make_pipeline(
        StandardScaler(),
        rs.RidgeSplineRegressorCV(n_lams=3, lam_ratio=1e-2, cv=2, activation=rs.Sigmoid(0.5), scale=False),
    ).fit(X, y + 0.5 * np.random.default_rng(1).standard_normal(len(y)))
    assert pipeline[-1].network_.activation == rs.Sigmoid(0.5)
    labels = np.where(y > 0.5, "high", "low")
    classes = make_pipeline(
        StandardScaler(),
        rs.RidgeSplineClassifier(loss="logistic", activation=rs.Arctan(0.5), scale=False, lam="0.05max"),
    ).fit(X, labels)
    assert classes.score(X, labels) > 0.9


def test_scales_and_rows_in_blocks_are_refused_in_words():
    X, y = table()
    with pytest.raises(rs.ProblemError, match="scale=False"):
        rs.RidgeSplineRegressor(activation=rs.Sigmoid(0.3)).fit(X, y)
    with pytest.raises(rs.ProblemError, match="activation"):
        rs.RidgeSplineRegressor(activation="sigmoid", scale=False).fit(X, y)
