"""lam from one path in many dimensions: GCV, SURE and BIC against their formulas, and against the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs
from ridgesplines.estimators.criteria import residual_noise

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

RNG = np.random.default_rng(7)
N = 48
X = RNG.standard_normal((N, 2)) * [1.0, 3.0]
Y = np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(N)
WEIGHT = RNG.uniform(0.5, 2.0, N)


def model(**settings: Any) -> rs.RidgeSplineRegressorCV:
    return rs.RidgeSplineRegressorCV(**{"n_lams": 4, "lam_ratio": 0.05, "scale": False} | settings)


def test_squared_criteria_against_their_formulas() -> None:
    fits = {c: model(criterion=c).fit(X, Y, WEIGHT) for c in ("gcv", "sure", "bic")}
    path = fits["gcv"].path_
    sse = np.array([WEIGHT @ (Y - s.predict(X)) ** 2 for s in path])
    df = np.array([s.degrees_of_freedom for s in path])
    assert df[0] == pytest.approx(3.0)
    assert df[-1] > 3.0 + path[-1].network.n_neurons
    gcv = sse / WEIGHT.sum() / (1.0 - df / N) ** 2
    np.testing.assert_allclose(fits["gcv"].scores_, gcv, rtol=1e-9)
    np.testing.assert_allclose(fits["bic"].scores_, N * np.log(sse / N) + df * np.log(N), rtol=1e-6)
    variance = (sse / (N - df))[gcv.argmin()]
    assert fits["sure"].sigma_ == pytest.approx(np.sqrt(variance), rel=1e-6)
    np.testing.assert_allclose(fits["sure"].scores_, sse / N - variance + 2.0 * variance * df / N, rtol=1e-6)
    for fitted in fits.values():
        assert fitted.lam_ == fitted.lams_[np.argmin(fitted.scores_)]
        assert not hasattr(fitted, "scores_folds_")
    assert model(criterion="sure", sigma=0.25).fit(X, Y).sigma_ == 0.25


def test_bic_of_absolute_error_counts_the_rows_that_are_met() -> None:
    fitted = model(criterion="bic", loss="absolute").fit(X, Y)
    off = np.abs([Y - s.predict(X) for s in fitted.path_])
    expected = 2.0 * N * np.log(off.mean(axis=1)) + (off < 1e-7).sum(axis=1) * np.log(N)
    np.testing.assert_allclose(fitted.scores_, expected, rtol=1e-9)


def test_sure_is_unbiased() -> None:
    """Over draws of the noise SURE and the true risk have the same mean; with df = K + 3 they have not."""
    rng = np.random.default_rng(0)
    n, sigma, draws = 16, 0.5, 80
    A = rng.uniform(-1.0, 1.0, (n, 2))
    truth = 2.0 * np.abs(A[:, 0] + A[:, 1])
    off, turned = np.empty(draws), np.empty(draws)
    for i in range(draws):
        fitted = model(criterion="sure", sigma=sigma, lams=[0.5]).fit(A, truth + sigma * rng.standard_normal(n))
        (s,) = fitted.path_
        off[i] = fitted.scores_[0] - np.mean((s.predict(A) - truth) ** 2)
        turned[i] = 2.0 * sigma**2 / n * (s.degrees_of_freedom - 3 - s.network.n_neurons)
    assert abs(off.mean()) < 3.0 * off.std(ddof=1) / np.sqrt(draws)
    less = off - turned
    assert less.mean() < -3.0 * less.std(ddof=1) / np.sqrt(draws)


def test_the_noise_is_told_from_the_truth() -> None:
    rng = np.random.default_rng(1)
    A = rng.uniform(-1.0, 1.0, (150, 2))
    truth = np.abs(A[:, 0] + 0.5 * A[:, 1]) + A[:, 1] ** 2
    weight = rng.uniform(0.3, 3.0, 150)
    y = truth + 0.3 * rng.standard_normal(150) / np.sqrt(weight)
    fitted = model(criterion="sure", n_lams=8, lam_ratio=0.02).fit(A, y, weight)
    assert fitted.sigma_ == pytest.approx(0.3, rel=0.15)
    errors = [np.average((s.predict(A) - truth) ** 2, weights=weight) for s in fitted.path_]
    assert errors[int(fitted.scores_.argmin())] < 1.5 * min(errors) < 0.2 * errors[0]
    with pytest.raises(rs.ProblemError, match="df <= N/2"):
        residual_noise(rs.solve_path(rs.Problem(A[:5], y[:5], 1.0), lams=[100.0]))


def test_one_dimension_is_that_of_linear_splines() -> None:
    for criterion in ("gcv", "sure", "bic"):
        settings: dict[str, Any] = {"criterion": criterion, "lams": [1.0, 0.1, 0.01]}
        ridge = rs.RidgeSplineRegressorCV(**settings, scale=False).fit(X[:, :1], Y)
        np.testing.assert_allclose(ridge.scores_, rs.LinearSplineRegressorCV(**settings).fit(X[:, 0], Y).scores_)


def test_segments_and_grids_and_scales() -> None:
    grid = rs.Grid(directions=4)
    whole = model(criterion="gcv", solver=grid, scale=True).fit(X, Y)
    pieces = model(criterion="gcv", solver=grid, scale=True, n_segments=2).fit(X, Y)
    np.testing.assert_allclose(pieces.scores_, whole.scores_, rtol=1e-6)
    assert whole.path_.degrees_of_freedom == pytest.approx([3 + s.network.n_neurons for s in whole.path_])
    np.testing.assert_allclose(whole.scaler_.mean_, X.mean(axis=0))
    np.testing.assert_allclose(whole.predict(X), whole.network_(X))


def test_a_new_fit_forgets_the_old() -> None:
    fitted = model(criterion="sure", lams=[3.0, 1.0]).fit(X, Y)
    assert fitted.sigma_ > 0.0
    fitted.set_params(criterion="bic").fit(X, Y)
    assert not hasattr(fitted, "sigma_")
    assert clone(fitted).get_params() == fitted.get_params()
    assert fitted.plot().axes[0].get_ylabel() == "BIC"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"criterion": "aic"}, "'cv', 'gcv', 'sure', 'bic'"),
        ({"criterion": "gcv", "rule": "one-se"}, "standard error"),
        ({"criterion": "gcv", "scoring": "r2"}, "held-out rows"),
        ({"criterion": "gcv", "loss": "absolute"}, "made for Squared"),
        ({"criterion": "bic", "loss": "huber"}, "Absolute, Quantile"),
        ({"criterion": "sure", "sigma": -1.0}, "sigma"),
    ],
    ids=str,
)
def test_refusals(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(rs.ProblemError, match=words):
        model(**settings).fit(X, Y)


def test_degrees_of_freedom_of_vectors_are_not_counted() -> None:
    with pytest.raises(rs.ProblemError, match="2 outputs"):
        model(criterion="gcv").fit(X, np.column_stack([Y, Y]))
