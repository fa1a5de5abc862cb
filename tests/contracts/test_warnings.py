"""Warnings point at the user's line, whoever carried the call."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ridgesplines as rs

X = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 2))
Y = np.abs(X[:, 0]) + X[:, 1]
HURRIED = rs.ColumnGeneration(max_time=1e-9)
PROBLEM = rs.Problem(X, Y, 0.01)


def classes():
    return np.where(X[:, 0] * X[:, 1] > 0.0, "yes", "no")


CALLS = {
    "solve": lambda: rs.solve(PROBLEM, HURRIED),
    "solve_path": lambda: rs.solve_path(PROBLEM, HURRIED, lams=[0.1]),
    "regressor": lambda: rs.RidgeSplineRegressor(lam=0.01, solver=HURRIED).fit(X, Y),
    "classifier": lambda: rs.RidgeSplineClassifier(lam=0.01, solver=HURRIED).fit(X, classes()),
    "chosen lam": lambda: rs.RidgeSplineRegressorCV(lams=[0.01], cv=2, solver=HURRIED).fit(X, Y),
    "pipeline": lambda: make_pipeline(StandardScaler(), rs.RidgeSplineRegressor(lam=0.01, solver=HURRIED)).fit(X, Y),
    "scores": lambda: cross_val_score(rs.RidgeSplineRegressor(lam=0.01, solver=HURRIED), X, Y, cv=2),
}


@pytest.mark.parametrize("name", CALLS)
def test_warnings_point_at_the_users_line(name):
    call = CALLS[name]
    with warnings.catch_warnings(record=True, category=rs.ConvergenceWarning) as caught:
        warnings.simplefilter("always")
        call()
    assert caught
    lines = inspect.getsourcelines(call)[1]
    for warning in caught:
        assert (warning.filename, warning.lineno) == (__file__, lines)
