"""lam = "null": where y is affine and noise the fit has no neuron, as often as is said."""

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.null_quantile import null_quantile

RNG = np.random.default_rng(3)
#: Ages of a survey: integers with ties.
AGES = RNG.integers(18, 60, 24).astype(float)
WEIGHT = RNG.integers(1, 5, 24).astype(float)
GRID = rs.Grid(directions=4)


def level(make, reps):
    """How often lambda_max exceeds the null quantile, for problems without anything but noise."""
    problems = [make() for _ in range(reps)]
    return np.mean([rs.lambda_max(problem) > null_quantile(problem, seed) for seed, problem in enumerate(problems)])


def gaussian():
    return rs.Problem(
        AGES, 3.0 * AGES - 7.0 + 1e3 * RNG.standard_normal(24) / np.sqrt(WEIGHT), 1.0, sample_weight=WEIGHT
    )


def vector():
    noise = RNG.standard_normal((24, 2)) * [1.0, 50.0]
    return rs.Problem(AGES, noise + AGES[:, None], 1.0)


def counts():
    return rs.Problem(AGES, RNG.poisson(np.exp(0.02 * AGES + 1.0)), 1.0, rs.Poisson())


@pytest.mark.parametrize("make", [gaussian, vector, counts], ids=lambda make: make.__name__)
def test_the_level_is_five_per_cent(make):
    """Of 60 tables three are expected, and ten and more have a probability below 0.1 %; from below: the next test."""
    assert 60 * level(make, 60) < 10


def test_it_is_the_quantile_of_lambda_max_over_noise_of_the_same_size():
    """The same by other means: lambda_max of affine data with noise that has the length of the residuals."""
    y = np.round(np.abs(AGES - 40.0) + 3.0 * RNG.standard_normal(24))
    A = np.column_stack([np.ones(24), AGES])
    residual = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    tops = []
    for _ in range(400):
        noise = RNG.standard_normal(24)
        noise -= A @ np.linalg.lstsq(A, noise, rcond=None)[0]
        noise *= np.linalg.norm(residual) / np.linalg.norm(noise)
        tops.append(rs.lambda_max(rs.Problem(AGES, A @ [1.0, 2.0] + noise, 1.0)))
    found = null_quantile(rs.Problem(AGES, y, 1.0))
    assert np.quantile(tops, 0.88) < found < np.quantile(tops, 0.985)


def test_it_has_the_units_of_lam_and_knows_repeated_rows():
    problem = gaussian()
    one = null_quantile(problem)
    other = rs.Problem(100.0 * AGES + 5.0, 3.0 * problem.y - AGES, 1.0, sample_weight=2.0 * WEIGHT)
    assert null_quantile(other) == pytest.approx(one * 2.0 * 3.0 * 100.0, rel=1e-9)
    assert null_quantile(rs.Problem(AGES, 2.0 * AGES, 1.0)) == 1.0


@pytest.mark.parametrize("d", [1, 3])
def test_estimators_and_paths_take_the_word(d):
    rng = np.random.default_rng(0)
    X = np.unique(rng.integers(0, 90, (40, d)).astype(float), axis=0)  # in the order in which estimators take rows
    noise = rng.standard_normal(len(X))
    noisy = rs.RidgeSplineRegressor(lam="null", solver=GRID if d > 1 else None).fit(X, X.sum(axis=1) + noise)
    p = noisy.solution_.problem
    assert noisy.lam_ == p.lam == pytest.approx(null_quantile(p), rel=1e-6)
    assert (noisy.network_.n_neurons == 0) == (rs.lambda_max(p) <= p.lam)
    assert "null, from which on noise alone bends nothing" in noisy.solution_.summary()
    bent = rs.RidgeSplineRegressor(lam="null", solver=GRID if d > 1 else None).fit(X, 9.0 * abs(X[:, 0] - 45) + noise)
    assert bent.network_.n_neurons > 0
    assert rs.solve_path(p, GRID if d > 1 else None, lams=["max", "null"]).lams.tolist().count(p.lam) == 1


def test_the_classifier_takes_it_for_logistic():
    rng = np.random.default_rng(3)  # of twelve seeds two see no ring: noise alone has as much now and then
    X = rng.integers(0, 40, (60, 1)).astype(float)
    drawn = np.where(rng.random(60) < 0.5, "yes", "no")
    assert rs.RidgeSplineClassifier("null", "logistic").fit(X, drawn).network_.n_neurons == 0
    ring = np.where((abs(X[:, 0] - 20) < 10) == (rng.random(60) < 0.95), "in", "out")
    assert rs.RidgeSplineClassifier("null", "logistic").fit(X, ring).network_.n_neurons > 0


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (rs.Problem(AGES, AGES, 1.0, rs.Absolute()), r"Squared, Logistic or Poisson.*got Absolute\(\)"),
        (rs.Problem(AGES, AGES, 1.0, constraints=[rs.Monotone()]), "no constraints"),
        (rs.Problem(AGES, AGES, 1.0, slope_penalty=1.0), "slope_penalty=0"),
    ],
)
def test_where_no_noise_is_known_it_is_refused(problem, words):
    with pytest.raises(rs.ProblemError, match=f'lam: expected for "null", the null quantile, {words}'):
        null_quantile(problem)


def test_a_default_fit_names_the_estimator_that_chooses():
    X = np.column_stack([AGES, WEIGHT])
    for model, chooser in (
        (rs.LinearSplineRegressor(), "LinearSplineRegressorCV"),
        (rs.RidgeSplineRegressor(solver=GRID), "RidgeSplineRegressorCV"),
        (rs.RidgeSplineClassifier(solver=GRID), "RidgeSplineClassifierCV"),
    ):
        model.fit(X[:, :1] if isinstance(model, rs.LinearSplineRegressor) else X, (AGES > 40) * 1.0)
        assert f"0.05max, a first look: {chooser} chooses it by the data" in model.solution_.summary()
    assert "first look" not in rs.LinearSplineRegressor(lam=2.0).fit(AGES, AGES).solution_.summary()
