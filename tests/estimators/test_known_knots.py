"""Knots at places that are known: against CVXPY on these neurons, and least squares by hand."""

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum

import ridgesplines as rs

PLACES = [6.0, 11.0, 15.5]


def readings(seed=0, n=70):
    rng = np.random.default_rng(seed)
    x = np.round(rng.uniform(0.0, 20.0, n), 0)
    return x, np.interp(x, [0.0, 6.0, 11.0, 20.0], [3.0, 9.0, 4.0, 6.0]) + 0.5 * rng.standard_normal(n)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(0.3), rs.Quantile(0.7)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("lam", [1.0, 30.0])
def test_the_best_of_the_splines_with_these_knots(loss, lam):
    x, y = readings()
    weight = np.random.default_rng(1).integers(0, 3, len(x)).astype(float)
    model = rs.LinearSplineRegressor(lam, loss, knots=PLACES[::-1]).fit(x, y, weight)
    solution = model.solution_
    assert np.isin(solution.network.knots, PLACES).all()
    v, line = cp.Variable(3), cp.Variable(2)
    hinges = np.maximum(solution.problem.X - PLACES, 0.0)
    fit = hinges @ v + line[0] * solution.problem.X[:, 0] + line[1]
    assert solution.objective == pytest.approx(minimum(solution.problem, fit, cp.norm1(v)), rel=1e-6)
    assert solution.dictionary_gap < 1e-6
    free = rs.LinearSplineRegressor(lam, loss).fit(x, y, weight).solution_
    assert solution.objective - solution.gap <= free.objective * (1.0 + 1e-9)
    assert ("among its own places for knots" in solution.summary()) == (solution.relative_gap > 1e-6)


def test_refitted_they_are_the_least_squares():
    x, y = readings(2)
    hinges = np.column_stack([np.ones_like(x), x, *(np.maximum(x - t, 0.0) for t in PLACES)])
    theta = np.linalg.lstsq(hinges, y)[0]
    refit = rs.LinearSplineRegressor(0.01, knots=PLACES).fit(x, y).solution_.refitted()
    assert np.allclose(refit.segments().slope, np.cumsum(theta[1:]), atol=1e-8)
    every = rs.RidgeSpline([[1.0]] * 3, PLACES, [0.0] * 3)
    again = rs.evaluate(rs.Problem(x, y, 100.0), every).refitted()
    assert np.allclose(again.segments().slope, np.cumsum(theta[1:]), atol=1e-8)


def test_in_every_fold():
    x, y = readings(3)
    model = rs.LinearSplineRegressorCV(n_lams=3, cv=2, knots=PLACES).fit(x, y)
    assert all(np.isin(solution.network.knots, PLACES).all() for solution in model.path_)


def test_what_does_not_go_is_said():
    x, y = readings()
    for knots, words in [([], "at least one place"), ([-1.0], "between the least"), ([np.nan], "finite")]:
        with pytest.raises(rs.ProblemError, match=f"knots: .*{words}"):
            rs.LinearSplineRegressor(knots=knots).fit(x, y)
    with pytest.raises(rs.ProblemError, match="solver: expected None where knots are given"):
        rs.LinearSplineRegressor(knots=[3.0], solver=rs.Univariate()).fit(x, y)


@pytest.mark.parametrize("estimator", [rs.LinearSplineRegressor, rs.LinearSplineRegressorCV])
def test_with_constraints_they_are_one_more_of_them(estimator):
    x, y = readings(4)
    settings = {"lam": 2.0} if estimator is rs.LinearSplineRegressor else {"n_lams": 3, "cv": 2}
    model = estimator(knots=PLACES, constraints=[rs.Slope(-0.9, 1.2), rs.FreeKnots([3.0])], **settings).fit(x, y)
    solution = model.solution_
    assert np.isin(solution.network.knots, [3.0, *PLACES]).all()
    v, line = cp.Variable(4), cp.Variable(2)
    places = np.array([3.0, *PLACES])
    fit = np.maximum(solution.problem.X - places, 0.0) @ v + line[0] * solution.problem.X[:, 0] + line[1]
    slopes = cp.hstack([line[0], line[0] + cp.cumsum(v)])
    least = minimum(solution.problem, fit, cp.norm1(v[1:]), [slopes >= -0.9, slopes <= 1.2])
    assert solution.objective == pytest.approx(least, rel=1e-6)
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap < 1e-7
    assert "no function with knots at these places only that satisfies the constraints" in solution.summary()


def test_knots_may_be_dates():
    days = np.datetime64("2020-01-01") + np.arange(40)
    y = np.abs(np.arange(40.0) - 20.0)
    change = np.array(["2020-01-21"], dtype="datetime64[us]")
    model = rs.LinearSplineRegressor(1.0, knots=change).fit(days, y)
    assert model.network_.knots.astype("datetime64[D]") == change.astype("datetime64[D]")
    held = rs.LinearSplineRegressor(1.0, knots=change, constraints=[rs.Convex()]).fit(days, y)
    assert held.solution_.objective == pytest.approx(model.solution_.objective, rel=1e-6)
    with pytest.raises(rs.ProblemError, match="knots: expected dates"):
        rs.LinearSplineRegressor(1.0, knots=[20.0]).fit(days, y)
    with pytest.raises(rs.ProblemError, match="2020-01-01 and 2020-02-09; got 2021-01-01"):
        rs.LinearSplineRegressor(1.0, knots=np.array(["2021-01-01"], dtype="datetime64[D]")).fit(days, y)
