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
def test_knots_with_constraints_are_refused_with_the_remedy(estimator):
    x = np.arange(12.0)
    model = estimator(knots=[3.0, 7.0], constraints=[rs.Monotone()])
    with pytest.raises(rs.ProblemError, match=r"constraints: expected None where knots are given.*Leave knots out"):
        model.fit(x, np.sqrt(x))
