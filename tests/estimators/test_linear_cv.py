"""How lam is chosen: scikit-learn's checks, the criteria against their formulas, the pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from one_of_many import OneOfMany
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import ridgesplines as rs
from ridgesplines.estimators.criteria import noise_level

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

RNG = np.random.default_rng(3)
N = 40
X = np.sort(RNG.uniform(-1.0, 1.0, N) ** 3)  # uneven
Y = np.abs(X - 0.1) + 0.1 * RNG.standard_normal(N)
WEIGHT = RNG.uniform(0.5, 2.0, N)
SMALL: dict[str, Any] = {"n_lams": 6, "lam_ratio": 0.01, "cv": 4}


def model(**settings: Any) -> rs.LinearSplineRegressorCV:
    return rs.LinearSplineRegressorCV(**SMALL | settings)


def corners(solution: rs.Solution) -> int:
    """The number of data at which the fit bends: K, of the knots at the data."""
    x = np.unique(solution.problem.X[:, 0])
    slopes = np.diff(solution.predict(x)) / np.diff(x)
    return int((np.abs(np.diff(slopes)) > 1e-7 * (1.0 + np.abs(slopes).max())).sum())


class OneFeature(OneOfMany, rs.LinearSplineRegressorCV):
    pass


@parametrize_with_checks([OneFeature(n_lams=4, lam_ratio=0.05, cv=3)])
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_scikit_learn_one_feature() -> None:
    with pytest.warns(SkipTestWarning):
        check_estimator(model())


# -------------------------------------------------------------------------------- cross-validation


@pytest.mark.parametrize("loss", ["squared", "absolute", rs.Huber(0.1), rs.Quantile(0.8)])
def test_folds_against_solve(loss: Any) -> None:
    """Each score is the held-out loss of the problem of that fold, at its share of lam."""
    splits = list(ShuffleSplit(3, test_size=0.3, random_state=0).split(X))
    fitted = model(loss=loss, cv=splits).fit(X, Y, WEIGHT)
    kind = fitted.solution_.problem.loss
    splits = [(np.sort(train), test) for train, test in splits]
    expected = np.empty((6, 3))
    for j, (train, test) in enumerate(splits):
        share = WEIGHT[train].sum() / WEIGHT.sum()
        for i, lam in enumerate(fitted.lams_):
            f = rs.solve(rs.Problem(X[train], Y[train], lam * share, kind, sample_weight=WEIGHT[train]))
            expected[i, j] = (WEIGHT[test] * kind.value(Y[test], f.predict(X[test]))).sum() / WEIGHT[test].sum()
    np.testing.assert_allclose(fitted.scores_folds_, expected, rtol=1e-4)
    held_out = np.array([WEIGHT[test].sum() for _, test in splits])
    np.testing.assert_allclose(fitted.scores_, (expected * held_out).sum(axis=1) / held_out.sum(), rtol=1e-4)
    assert fitted.scores_mean_ is fitted.scores_


def test_lam_is_scaled_to_the_weight_of_a_fold() -> None:
    """Of data that come twice, one copy at its share of lam has the very fit of both."""
    x, y = np.tile(X, 2), np.tile(Y, 2)
    copies = [(np.arange(N), np.arange(N, 2 * N)), (np.arange(N, 2 * N), np.arange(N))]
    fitted = model(cv=copies).fit(x, y)
    training = [s.data_fit / (2 * N) for s in fitted.path_]
    np.testing.assert_allclose(fitted.scores_folds_, np.column_stack([training, training]), rtol=1e-8)
    # One copy of weight 3: the same, seen through the weights.
    weighted = model(cv=copies).fit(x, y, np.repeat([3.0, 1.0], N))
    np.testing.assert_allclose(weighted.lams_, 2.0 * fitted.lams_, rtol=1e-9)
    np.testing.assert_allclose(weighted.scores_folds_, fitted.scores_folds_, rtol=1e-8)


def test_path_is_that_of_all_rows() -> None:
    fitted = model().fit(X, Y, WEIGHT)
    problem = rs.Problem(X, Y, 1.0, sample_weight=WEIGHT)
    top = rs.lambda_max(problem)
    np.testing.assert_allclose(fitted.lams_, np.geomspace(top, 0.01 * top, 6))
    assert [s.status for s in fitted.path_] == ["converged"] * 6
    for lam, solution in zip(fitted.lams_, fitted.path_, strict=True):
        assert solution.objective == pytest.approx(rs.solve(problem.with_lam(lam)).objective, rel=1e-8)
        assert solution.relative_gap < 1e-8
    chosen = int(np.argmin(fitted.scores_))
    assert fitted.solution_ is fitted.path_[chosen]
    assert fitted.lam_ == fitted.lams_[chosen]
    np.testing.assert_array_equal(fitted.predict(X), fitted.network_(X))
    same = rs.LinearSplineRegressor(lam=fitted.lam_).fit(X, Y, WEIGHT)
    np.testing.assert_allclose(fitted.predict(X), same.predict(X), atol=1e-8)


def test_one_standard_error_by_hand() -> None:
    settings: dict[str, Any] = {"n_lams": 12, "lam_ratio": 1e-3, "cv": 5}  # 40 rows: five folds of equal weight
    fitted = model(rule="one-se", **settings).fit(X, Y)
    mean = fitted.scores_folds_.mean(axis=1)
    error = fitted.scores_folds_.std(axis=1, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(fitted.scores_mean_, mean)
    np.testing.assert_allclose(fitted.scores_se_, error)
    best = mean.argmin()
    allowed = [lam for lam, m in zip(fitted.lams_, mean, strict=True) if m <= mean[best] + error[best]]
    assert fitted.lam_ == max(allowed)
    least = model(**settings).fit(X, Y)
    assert least.lam_ == least.lams_[best] < fitted.lam_
    assert least.network_.n_neurons >= fitted.network_.n_neurons


def test_lams_of_your_own() -> None:
    fitted = model(lams=[0.01, 1.0, 0.1]).fit(X, Y)
    assert fitted.lams_.tolist() == [1.0, 0.1, 0.01]
    assert fitted.lam_ in fitted.lams_


@pytest.mark.parametrize(("criterion", "ratio"), [("cv", 1e-5), ("sure", 1e-5), ("gcv", 1e-3), ("bic", 1e-3)])
def test_paths_end_before_a_criterion_errs(criterion: str, ratio: float) -> None:
    fitted = model(criterion=criterion, lam_ratio=None, n_lams=4).fit(X, Y)
    assert fitted.lams_[-1] / fitted.lams_[0] == pytest.approx(ratio)


def test_order_of_rows() -> None:
    order = np.random.default_rng(0).permutation(N)
    place = np.argsort(order)
    splits = list(KFold(4).split(X))
    for given, moved in ((4, 4), (splits, [(place[a], place[b]) for a, b in splits])):
        one = model(cv=given).fit(X, Y, WEIGHT)
        other = model(cv=moved).fit(X[order], Y[order], WEIGHT[order])
        np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-9)
        np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-12, atol=1e-12)


def test_repetition_and_weight_are_the_same() -> None:
    """With the same rows held out; rows of weight zero may be in any split."""
    weight = np.arange(N) % 3
    rows = np.repeat(np.arange(N), weight)
    folds = np.arange(N) % 4
    splits = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(4)]
    repeated = [(np.flatnonzero(folds[rows] != k), np.flatnonzero(folds[rows] == k)) for k in range(4)]
    one = model(cv=splits).fit(X, Y, weight)
    other = model(cv=repeated).fit(X[rows], Y[rows])
    np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-9)
    np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-12, atol=1e-12)
    assert one.solution_.problem.n_samples == (weight > 0).sum()


def test_shuffle_is_fixed_by_its_seed() -> None:
    first, again, other = (model(random_state=seed).fit(X, Y).scores_folds_ for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    order = np.lexsort((Y, X))
    splits = [(order[a], order[b]) for a, b in KFold(4, shuffle=True, random_state=1).split(X)]
    np.testing.assert_array_equal(first, model(cv=splits).fit(X, Y).scores_folds_)


def test_folds_side_by_side() -> None:
    np.testing.assert_allclose(model(n_jobs=2).fit(X, Y).scores_folds_, model().fit(X, Y).scores_folds_, rtol=1e-12)


class Cut(rs.Grid):
    """Stops after three lams where rows are held out, as after Ctrl-C."""

    def path(self, problem: rs.Problem, lams: Any) -> Any:
        for k, answer in enumerate(super().path(problem, lams)):
            ends = k == 2 and problem.n_samples < N
            yield replace(answer, interrupted=ends)
            if ends:
                return


def test_paths_cut_short_choose_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        model(solver=Cut()).fit(X, Y)


def test_a_single_split_has_no_standard_error() -> None:
    splits = list(ShuffleSplit(1, random_state=0).split(X))
    fitted = model(cv=splits).fit(X, Y)
    assert np.isnan(fitted.scores_se_).all()
    assert np.isfinite(fitted.scores_).all()
    with pytest.raises(rs.ProblemError, match="single split"):
        model(cv=splits, rule="one-se").fit(X, Y)


def test_vector_outputs() -> None:
    fitted = model().fit(X, np.column_stack([Y, -2.0 * Y]))
    one = model().fit(X, Y)
    assert fitted.predict(X).shape == (N, 2)
    # The second output is the first times -2: squared errors add up to five times those of one.
    np.testing.assert_allclose(fitted.scores_, 5.0 * one.scores_, rtol=1e-5)


# ----------------------------------------------------------------------------- criteria of one path


def test_squared_criteria_against_their_formulas() -> None:
    sigma = 0.2
    fits = {
        c: model(criterion=c, sigma=sigma if c == "sure" else None).fit(X, Y, WEIGHT) for c in ("gcv", "sure", "bic")
    }
    for i, solution in enumerate(fits["gcv"].path_):
        sse = sum(WEIGHT * (Y - solution.predict(X)) ** 2)
        df = corners(solution) + 2
        assert fits["gcv"].scores_[i] == pytest.approx(sse / sum(WEIGHT) / (1 - df / N) ** 2, rel=1e-9)
        assert fits["sure"].scores_[i] == pytest.approx(sse / N - sigma**2 + 2 * sigma**2 * df / N, rel=1e-6, abs=1e-9)
        assert fits["bic"].scores_[i] == pytest.approx(N * np.log(sse / N) + df * np.log(N), rel=1e-9)
    for fitted in fits.values():
        assert fitted.lam_ == fitted.lams_[np.argmin(fitted.scores_)]
        assert not hasattr(fitted, "scores_se_")
    assert fits["sure"].sigma_ == sigma


@pytest.mark.parametrize("loss", [rs.Absolute(), rs.Quantile(0.3)])
def test_bic_of_a_laplace_likelihood(loss: rs.Quantile) -> None:
    """-2 log-likelihood of the (asymmetric) Laplace density exp(-L/b) / (c b), at its own best b."""
    fitted = model(criterion="bic", loss=loss).fit(X, Y)
    differences = []
    for score, solution in zip(fitted.scores_, fitted.path_, strict=True):
        b = np.mean(loss.value(Y, solution.predict(X)))
        likelihood = -2.0 * np.sum(-loss.value(Y, solution.predict(X)) / b - np.log(b))
        differences.append(score - likelihood - (corners(solution) + 2) * np.log(N))
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)  # all that is left is a constant


def test_sure_is_unbiased() -> None:
    """Over draws of the noise, SURE and the true risk have the same mean; one degree of freedom more would show."""
    rng = np.random.default_rng(0)
    n, sigma, draws = 12, 0.5, 400
    x = np.sort(rng.uniform(size=n))
    truth = 3.0 * np.abs(x - 0.5)
    off = np.empty((draws, 1))
    for draw in off:
        fitted = model(criterion="sure", sigma=sigma, lams=[0.1]).fit(x, truth + sigma * rng.standard_normal(n))
        draw[:] = fitted.scores_ - [np.mean((s.predict(x) - truth) ** 2) for s in fitted.path_]
    error = off.std(axis=0, ddof=1) / np.sqrt(draws)
    assert (np.abs(off.mean(axis=0)) < 3.5 * error).all(), off.mean(axis=0) / error
    assert (2.0 * sigma**2 / n > 3.5 * error).all()  # what a degree of freedom counts for: the test can fail


def test_noise_level_is_that_of_gasser_sroka_and_jennen_steinmetz() -> None:
    total = 0.0
    for i in range(1, N - 1):
        a = (X[i + 1] - X[i]) / (X[i + 1] - X[i - 1])
        b = (X[i] - X[i - 1]) / (X[i + 1] - X[i - 1])
        total += (a * Y[i - 1] + b * Y[i + 1] - Y[i]) ** 2 / (a**2 + b**2 + 1)
    shuffled = np.random.default_rng(0).permutation(N)
    assert noise_level(X[shuffled], Y[shuffled], np.ones(N)) == pytest.approx(np.sqrt(total / (N - 2)), rel=1e-12)
    assert model(criterion="sure").fit(X, Y).sigma_ == pytest.approx(np.sqrt(total / (N - 2)), rel=1e-12)


def test_noise_level_of_known_noise() -> None:
    """Unbiased for the variance on a straight line, with repeated x and weights."""
    rng = np.random.default_rng(0)
    x = np.round(rng.uniform(size=50) ** 3, 2)  # uneven, and 0.00 comes often
    assert len(np.unique(x)) < 40
    weight = rng.uniform(0.2, 5.0, 50)
    draws = np.array(
        [noise_level(x, 7.0 * x + 0.3 * rng.standard_normal(50) / np.sqrt(weight), weight) ** 2 for _ in range(2000)]
    )
    assert abs(draws.mean() - 0.09) < 3.5 * draws.std() / np.sqrt(2000)
    assert draws.std() / np.sqrt(2000) < 0.01 * 0.09


def test_noise_level_does_not_see_the_line() -> None:
    assert noise_level(X, 3.0 - 100.0 * X, np.ones(N)) < 1e-12
    assert noise_level(np.ones(5), np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.ones(5)) == pytest.approx(np.sqrt(2.5))
    with pytest.raises(rs.ProblemError, match="fewer than 3 rows"):
        noise_level(X[:2], Y[:2], np.ones(2))


def test_a_fit_that_spends_all_degrees_of_freedom_is_not_chosen() -> None:
    x, y = np.arange(6.0), np.array([0.0, 1.0, -1.0, 2.0, -3.0, 4.0])
    for criterion in ("gcv", "bic"):
        fitted = model(criterion=criterion, lams=[1.0, 1e-3]).fit(x, y)
        assert corners(fitted.path_[1]) + 2 == 6
        assert fitted.scores_[1] == np.inf
        assert fitted.lam_ == 1.0


@pytest.mark.parametrize("criterion", ["cv", "gcv", "sure", "bic"])
def test_a_straight_line_is_no_puzzle(criterion: str) -> None:
    fitted = model(criterion=criterion).fit(X, 2.0 * X + 1.0)
    assert not np.isnan(fitted.scores_).any()
    assert fitted.network_.n_neurons == 0
    np.testing.assert_allclose(fitted.predict([5.0]), 11.0)
    if criterion == "bic":
        assert fitted.scores_[0] == -np.inf


def test_two_rows_for_gcv() -> None:
    fitted = model(criterion="gcv").fit([0.0, 1.0], [1.0, 2.0])
    assert (fitted.scores_ == np.inf).all()
    np.testing.assert_allclose(fitted.predict([2.0]), 3.0)
    with pytest.raises(rs.ProblemError, match="finite score"):
        fitted.plot()


# -------------------------------------------------------------------------------------- in and out


def test_names_and_shapes() -> None:
    pd = pytest.importorskip("pandas")
    series = pd.Series(X, name="dose")
    fitted = model().fit(series, pd.Series(Y))
    assert fitted.feature_names_in_.tolist() == ["dose"]
    assert fitted.path_[-1].problem.feature_names == ("dose",)
    assert "weight[dose]" in fitted.network_.to_frame().columns
    np.testing.assert_array_equal(fitted.predict(series), model().fit(X[:, None], Y).predict(X))
    with pytest.raises(rs.ProblemError, match="one feature"):
        model().fit(np.column_stack([X, X]), Y)


def test_a_new_fit_forgets_the_old() -> None:
    fitted = model(criterion="sure").fit(X, Y)
    assert fitted.sigma_ > 0.0
    fitted.set_params(criterion="cv").fit(X, Y)
    assert not hasattr(fitted, "sigma_")
    assert fitted.scores_folds_.shape == (6, 4)
    fitted.set_params(criterion="gcv").fit(X, Y)
    assert not {"scores_folds_", "scores_se_", "scores_mean_"} & set(vars(fitted))
    assert clone(fitted).get_params() == fitted.get_params()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"criterion": "aic"}, "'cv', 'gcv', 'sure', 'bic'"),
        ({"rule": "max"}, "'min', 'one-se'"),
        ({"rule": "one-se", "criterion": "gcv"}, "standard error"),
        ({"rule": "one-se", "criterion": "sure"}, "standard error"),
        ({"rule": "one-se", "criterion": "bic"}, "standard error"),
        ({"loss": "interpolation"}, "same fit for every lam"),
        ({"loss": "absolute", "criterion": "gcv"}, "made for Squared"),
        ({"loss": "huber", "criterion": "sure"}, "made for Squared"),
        ({"loss": "huber", "criterion": "bic"}, "Absolute, Quantile"),
        ({"lams": [0.1, 0.0]}, "positive"),
        ({"lams": []}, "positive"),
        ({"lams": [np.nan]}, "NaN"),
        ({"n_lams": 0}, "n_lams"),
        ({"n_lams": 2.5}, "n_lams"),
        ({"lam_ratio": 1.0}, "lam_ratio"),
        ({"lam_ratio": 0.0}, "lam_ratio"),
        ({"cv": 1}, "2 or more folds"),
        ({"cv": N + 1}, f"n_samples={N}"),
        ({"cv": []}, "no split"),
        ({"cv": [([0, 1, 2], [])]}, "hold out"),
        ({"sigma": -1.0, "criterion": "sure"}, "sigma"),
        ({"solver": "grid"}, r"Grid\(\)"),
        ({"loss": "mse"}, "'squared', 'absolute'"),
    ],
    ids=str,
)
def test_refusals(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(rs.ProblemError, match=words):
        model(**settings).fit(X, Y)


def test_degrees_of_freedom_of_vectors_are_not_counted() -> None:
    with pytest.raises(rs.ProblemError, match="2 outputs"):
        model(criterion="gcv").fit(X, np.column_stack([Y, Y]))


@pytest.mark.parametrize(
    "settings", [{"rule": "one-se"}, {"criterion": "gcv"}, {"criterion": "sure"}, {"criterion": "bic"}]
)
def test_pictures(settings: dict[str, Any], tmp_path: Any) -> None:
    fitted = model(**settings).fit(X, Y)
    figure = fitted.plot()
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5_000
    axes = figure.axes[0]
    high, low = axes.get_xlim()
    assert high > low  # lam falls to the right
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"chosen, $\\lambda$ = {fitted.lam_:.3g}, K = {fitted.network_.n_neurons}" in words
    assert f"minimum, $\\lambda$ = {fitted.lams_[fitted.scores_.argmin()]:.3g}" in words
    assert ("minimum + one standard error" in words) == (settings == {"rule": "one-se"})
    curve = max((line.get_ydata() for line in axes.lines), key=len)
    np.testing.assert_array_equal(curve, fitted.scores_)
