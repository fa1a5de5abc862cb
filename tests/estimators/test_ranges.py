"""How far lam is tried: ranges that go on, what no criterion can judge, and what is said where the end is the best."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.model_selection import KFold

import ridgesplines as rs
from ridgesplines.estimators.ranges import EXACT, FLAT, LEAST, further, spaced_lams, unfinished

#: Knots and values of the truths, on [0, 100].
FEW = ([0.0, 30.0, 70.0, 100.0], [30.0, 0.0, 40.0, 145.0])
MANY = (np.linspace(0.0, 100.0, 16), 20.0 * np.random.default_rng(5).standard_normal(16))
LINE = ([0.0, 100.0], [3.0, 50.0])


def table(n: int, truth: Any, noise: float, seed: int = 0) -> tuple[Any, Any, Any]:
    """x with ties, y and the truth; the noise is in units of y, of which the truth spans some fifty."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.uniform(0.0, 100.0, n), 2)
    f = np.interp(x, *truth)
    return x, f + noise * rng.standard_normal(n), f


def root_mean_square(off: Any) -> float:
    return float(np.sqrt(np.mean(off**2)))


def said(model: Any, x: Any, y: Any) -> list[str]:
    """What a fit warns of, of its range."""
    with warnings.catch_warnings(record=True, category=rs.RangeWarning) as caught:
        warnings.simplefilter("always", rs.RangeWarning)
        model.fit(x, y)
    return [str(warning.message) for warning in caught]


# -------------------------------------------------------------------------------- the rules, by hand


def test_lams_go_on_in_the_same_spacing() -> None:
    lams = np.geomspace(3.0, 3e-5, 26)
    more = further(lams)
    np.testing.assert_allclose(np.append(lams, more), 3.0 * 10.0 ** (-0.2 * np.arange(31)))
    assert [len(further(np.array(few))) for few in ([2.0], [1.0, LEAST])] == [0, 0]
    assert spaced_lams(0.0, 0.1, 2).tolist() == [1.0, 0.1]


def test_a_choice_is_open_where_the_last_is_clearly_the_best() -> None:
    assert unfinished(np.array([9.0, 5.0, 4.0]), None)
    assert unfinished(np.array([-1.0, -2.0, -4.0]), None)
    assert not unfinished(np.array([9.0, 5.0, 5.1]), None)
    assert not unfinished(np.array([9.0]), None)
    assert not unfinished(np.array([9.0, 5.0, 5.0 * (1.0 - 0.5 * FLAT)]), None)
    assert unfinished(np.array([9.0, 5.0, 4.0, np.inf]), None)  # beyond, the criterion says nothing
    assert not unfinished(np.array([9.0, 4.0, 5.0, np.nan]), None)
    assert not unfinished(np.array([np.inf, np.inf]), None)
    assert not unfinished(np.array([9.0, 5.0, -np.inf]), None)  # exact
    assert not unfinished(np.array([9.0, 5.0, 4.0]), np.array([1.0, 0.1, 0.5 * EXACT]))
    assert [unfinished(np.array([9.0, 4.0]), None, np.array([9.0, error])) for error in (4.0, 6.0)] == [True, False]


# --------------------------------------------------------------------------------- ranges that go on


@pytest.mark.parametrize("criterion", ["gcv", "bic", "sure", "cv"])
def test_many_data_ask_for_small_lams(criterion: str) -> None:
    """A thousandth of lambda_max is far too much for fourteen knots in a thousand rows."""
    x, y, f = table(1000, MANY, 0.5)
    fitted = rs.LinearSplineRegressorCV(criterion=criterion, n_lams=30, cv=3).fit(x, y)
    short = rs.LinearSplineRegressorCV(criterion=criterion, n_lams=30, cv=3, lam_ratio=1e-3)
    assert "lam_ratio" in said(short, x, y)[0]
    error, before = (root_mean_square(model.predict(x) - f) / 0.5 for model in (fitted, short))
    assert error < 0.35 < before
    assert fitted.lams_[-1] < fitted.lam_ < 1e-3 * fitted.lams_[0]
    assert len(fitted.path_) == len(fitted.lams_) == len(fitted.scores_)
    np.testing.assert_allclose(np.diff(np.log(fitted.lams_)), np.log(fitted.lams_[1] / fitted.lams_[0]))
    assert fitted.path_.lams.tolist() == fitted.lams_.tolist()


def test_a_range_that_went_on_depends_neither_on_jobs_nor_on_the_order_of_rows() -> None:
    x, y, _ = table(300, MANY, 0.001)
    order = np.random.default_rng(1).permutation(300)
    one, jobs = (rs.LinearSplineRegressorCV(n_lams=8, cv=2, n_jobs=n).fit(x, y) for n in (None, 2))
    moved = rs.LinearSplineRegressorCV(n_lams=8, cv=2).fit(x[order], y[order])
    assert len(one.lams_) > 8
    # Another process may not have loaded numba, whose sums round differently.
    np.testing.assert_allclose(one.scores_folds_, jobs.scores_folds_, rtol=1e-11)
    assert one.lam_ == jobs.lam_ == moved.lam_
    np.testing.assert_allclose(one.predict(x), moved.predict(x), rtol=1e-9)


def test_ridge_estimators_go_on_in_one_dimension() -> None:
    x, y, f = table(300, MANY, 0.5)
    fitted = rs.RidgeSplineRegressorCV(cv=3).fit(x[:, None], y)
    assert len(fitted.lams_) > 10
    assert root_mean_square(fitted.predict(x[:, None]) - f) < 0.5 * 0.5
    labels = np.where(y > np.median(y), "high", "low")
    model = rs.RidgeSplineClassifierCV(cv=3, n_lams=5)
    assert not said(model, x[:, None], labels)
    assert model.score(x[:, None], np.where(f > np.median(y), "high", "low")) > 0.95


@pytest.mark.parametrize("criterion", ["cv", "gcv", "sure", "bic"])
def test_data_without_noise_are_met(criterion: str) -> None:
    x, _, f = table(40, FEW, 0.0)
    model = rs.LinearSplineRegressorCV(criterion=criterion, n_lams=20, cv=4)
    assert not said(model, x, f)
    assert root_mean_square(model.predict(x) - f) < 1e-3 * np.ptp(f)
    assert model.network_.n_neurons <= 4


# ------------------------------------------------------------------- what the criteria do not see


@pytest.mark.parametrize("criterion", ["gcv", "bic"])
def test_few_rows_are_not_followed(criterion: str) -> None:
    """Two knots, 21 rows: near df = N the misfit vanishes, and its logarithm is all that BIC sees."""
    errors, neurons = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = np.linspace(0.0, 100.0, 21)
        f = np.interp(x, *FEW)
        model = rs.LinearSplineRegressorCV(criterion=criterion, n_lams=25)
        said(model, x, f + 5.0 * rng.standard_normal(21))
        assert model.solution_.degrees_of_freedom <= 21 / 2
        beyond = model.path_.degrees_of_freedom > 21 / 2
        assert beyond.any()
        assert np.isinf(model.scores_[beyond]).all()
        errors.append(root_mean_square(model.predict(x) - f) / 5.0)
        neurons.append(model.network_.n_neurons)
    assert np.mean(errors) < 0.65  # of least squares with df = 18 it is 0.93
    assert np.mean(neurons) < 6


def test_quantiles_far_out_are_not_followed() -> None:
    """A straight line is the truth; 95 % of the data are below it, and not a fifth of them on it."""
    below, neurons = [], []
    for seed in range(4):
        x, y, _ = table(200, LINE, 5.0, seed)
        fitted = rs.LinearSplineRegressorCV(criterion="bic", loss=rs.Quantile(0.95), n_lams=20).fit(x, y)
        below.append(np.mean(y < fitted.predict(x) - 1e-9))
        neurons.append(fitted.network_.n_neurons)
    assert np.mean(below) > 0.9
    assert max(neurons) + 2 <= 10  # as many parameters as there are data above


def test_what_bic_charges_a_quantile_is_twice_what_chance_gains() -> None:
    """Monte Carlo: what a needless parameter takes off 2 N log(loss), under normal noise."""
    rng, n, q = np.random.default_rng(0), 400, 0.8
    loss, gains = rs.Quantile(q), []
    for _ in range(400):
        y = rng.standard_normal(n)
        z = np.sort(y)[int(np.floor(q * n))]  # one that is needed: the sample quantile
        known = norm.ppf(q)
        gains.append(2.0 * n * (np.log(loss.value(y, known).mean()) - np.log(loss.value(y, z).mean())))
    x, y, _ = table(12, LINE, 5.0)
    fitted = rs.LinearSplineRegressorCV(criterion="bic", loss=loss, lams=[1e6, 10.0])
    said(fitted, x, y)
    total = np.array([np.sum(loss.value(y, s.predict(x))) for s in fitted.path_])
    price = (fitted.scores_ - 2.0 * 12 * np.log(total / 12)) / fitted.path_.degrees_of_freedom
    np.testing.assert_allclose(price[np.isfinite(price)], 2.0 * 0.16 / norm.pdf(known) ** 2)
    assert np.mean(gains) == pytest.approx(price[0] / 2.0, abs=3.5 * np.std(gains) / 20.0)


# ------------------------------------------------------------------------------------ what is said


def test_lams_of_your_own() -> None:
    x, y, _ = table(80, FEW, 2.0)
    top = rs.lambda_max(rs.Problem(x, y, 1.0))
    inside = rs.LinearSplineRegressorCV(lams=top * np.array([1.0, 0.1, 0.02, 1e-3, 1e-6]))
    assert not said(inside, x, y)
    (last,) = said(rs.LinearSplineRegressorCV(lams=[top, 0.5 * top]), x, y)
    assert "smallest lam" in last
    assert "Pass smaller lams" in last
    (first,) = said(rs.LinearSplineRegressorCV(lams=[1e-3 * top, 1e-6 * top]), x, y)
    assert "is the largest that was passed" in first
    assert "Pass larger lams" in first
    assert not said(rs.LinearSplineRegressorCV(lams=[0.5 * top]), x, y)  # nothing to choose from


def test_a_straight_line_is_said_nothing_of() -> None:
    for noise in (0.0, 5.0):
        x, y, _ = table(60, LINE, noise, seed=3)
        top = rs.lambda_max(rs.Problem(x, y, 1.0)) or 1.0
        for settings in (
            {"lams": [2.0 * top, 1e-4 * top]},
            {"criterion": "bic", "n_lams": 15},
            {"rule": "one-se", "n_lams": 15},
        ):
            model = rs.LinearSplineRegressorCV(**settings)
            assert not said(model, x, y)
            assert model.network_.n_neurons == 0


def test_more_knots_than_half_of_the_rows() -> None:
    x, y, _ = table(22, MANY, 0.001)
    for criterion, name in (("gcv", "GCV"), ("bic", "BIC")):
        model = rs.LinearSplineRegressorCV(criterion=criterion)
        (words,) = said(model, x, y)
        assert len(model.lams_) == 50  # further lams would not be judged either
        assert f"The best {name} is that of the last solution of no more than 11 degrees of freedom" in words
        assert "criterion='cv'" in words


def test_many_dimensions_are_told() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (60, 2))
    y = np.abs(X[:, 0]) + np.abs(X[:, 1])
    (words,) = said(rs.RidgeSplineRegressorCV(solver=rs.Grid(4), n_lams=4, lam_ratio=0.1, cv=3), X, y)
    assert "lam_ratio, such as 1e-02" in words
    labels = np.where(X[:, 0] * X[:, 1] > 0.0, "yes", "no")
    (words,) = said(rs.RidgeSplineClassifierCV(solver=rs.Grid(4), lams=[3.0, 2.0], cv=3), X, labels)
    assert "smaller lams" in words


def test_the_rule_of_one_standard_error_needs_the_minimum_too() -> None:
    x, y, _ = table(80, FEW, 2.0)
    top = rs.lambda_max(rs.Problem(x, y, 1.0))
    lams = top * np.array([1.0, 0.1])
    assert any("smallest" in words for words in said(rs.LinearSplineRegressorCV(lams=lams, rule="one-se"), x, y))
    model = rs.LinearSplineRegressorCV(lams=np.geomspace(top, 1e-4 * top, 20), rule="one-se")
    assert not said(model, x, y)


def test_it_points_at_the_users_line() -> None:
    x, y, _ = table(80, FEW, 2.0)
    call = lambda: rs.LinearSplineRegressorCV(lams=[1e9, 1e-3], cv=KFold(3)).fit(x, y)  # noqa: E731
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    assert issubclass(warning.category, rs.RangeWarning)
    assert (warning.filename, warning.lineno) == (__file__, inspect.getsourcelines(call)[1])


# -------------------------------------------------------------------------- against the known truth

COMBINATIONS: list[tuple[str, Any, str, str]] = [
    *(("squared", rs.Squared(), criterion, "min") for criterion in ("cv", "gcv", "sure", "bic")),
    ("squared", rs.Squared(), "cv", "one-se"),
    *(("absolute", rs.Absolute(), criterion, "min") for criterion in ("cv", "bic")),
    ("absolute", rs.Absolute(), "cv", "one-se"),
    ("huber", "huber", "cv", "min"),
    ("huber", "huber", "cv", "one-se"),
    *((f"q = {q}", rs.Quantile(q), criterion, "min") for q in (0.5, 0.95) for criterion in ("cv", "bic")),
]


def least_error(fitted: Any, x: Any, y: Any, target: Any) -> float:
    """The least error that any lam of a long path has."""
    problem = fitted.solution_.problem
    lams = fitted.lams_[0] * np.geomspace(1.0, 1e-7, 29)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        return min(root_mean_square(s.predict(x) - target) for s in rs.solve_path(problem, lams=lams))


def excess(n: int, noise: float, loss: Any, criterion: str, rule: str, seeds: int) -> float:
    """The mean error of what was chosen, over that of the best lam; of exact data over a thousandth of the span.

    One standard error of the score of n normal residuals is what a squared error of sqrt(2 / n) noise^2 costs under the
    squared loss, and one of sqrt((2 pi - 4) / n) noise^2 under the absolute one. With many data that is far more than
    the least error, and the rule gives it away for fewer knots.
    """
    given = np.sqrt((2.0 * np.pi - 4.0) / n) * noise**2 if rule == "one-se" else 0.0
    errors, least = [], []
    for seed in range(seeds):
        x, y, f = table(n, FEW, noise, seed)
        target = f + (noise * norm.ppf(loss.q) if isinstance(loss, rs.Quantile) else 0.0)
        model = rs.LinearSplineRegressorCV(loss=loss, criterion=criterion, rule=rule, n_lams=25)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            said(model, x, y)
        errors.append(root_mean_square(model.predict(x) - target))
        best = max(least_error(model, x, y, target) if noise else 0.0, 1e-3 * np.ptp(f))
        least.append(np.sqrt(best**2 + given))
    return float(np.mean(errors) / np.mean(least))


#: Two combinations with noise, and two without, cross-validation with noise; the others are slow.
SOME = [
    pytest.param(*combination, noise, marks=[pytest.mark.slow] if (k % 2 == 0) == (noise == 0.0) else [])
    for k, combination in enumerate(COMBINATIONS[:4])
    for noise in (0.0, 8.0)
]


@pytest.mark.parametrize(("name", "loss", "criterion", "rule", "noise"), SOME)
def test_what_is_chosen_is_near_the_best(name: str, loss: Any, criterion: str, rule: str, noise: float) -> None:
    assert excess(40, noise, loss, criterion, rule, 2) < 2.0


def test_what_is_chosen_for_a_quantile_is_near_the_best() -> None:
    assert excess(40, 8.0, rs.Quantile(0.95), "bic", "min", 2) < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 2.0, 20.0])
@pytest.mark.parametrize("n", [20, 50, 200, 1000, 10_000])
@pytest.mark.parametrize(("name", "loss", "criterion", "rule"), COMBINATIONS)
def test_what_is_chosen_is_near_the_best_at_any_size(
    name: str, loss: Any, criterion: str, rule: str, n: int, noise: float
) -> None:
    assert excess(n, noise, loss, criterion, rule, 4 if n < 1000 else 1) < 2.0
