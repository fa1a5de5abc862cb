"""Ridge splines whose lam is chosen: scikit-learn's checks, the scores against solutions of our own, the jobs."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from typing import Any

import joblib
import numpy as np
import pytest
from one_of_many import expected_failures
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import ridgesplines as rs

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

GRID = rs.Grid(directions=4)
RNG = np.random.default_rng(7)
N = 48
X = RNG.standard_normal((N, 2)) * [1.0, 3.0]
Y = np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(N)
WEIGHT = RNG.uniform(0.5, 2.0, N)
#: Three classes that no affine function separates, interleaved along the first feature.
LABELS = np.array(["low", "middle", "high"])[np.digitize(np.abs(X[:, 0]) + 0.2 * RNG.standard_normal(N), [0.5, 1.0])]
LOW = np.where(LABELS == "low", "low", "not")
SMALL: dict[str, Any] = {"n_lams": 3, "lam_ratio": 0.05, "cv": 3, "solver": GRID, "scale": False}
SPLITS = [(np.flatnonzero(np.arange(N) % 3 != k), np.flatnonzero(np.arange(N) % 3 == k)) for k in range(3)]


def regressor(**settings: Any) -> rs.RidgeSplineRegressorCV:
    return rs.RidgeSplineRegressorCV(**SMALL | settings)


def classifier(**settings: Any) -> rs.RidgeSplineClassifierCV:
    return rs.RidgeSplineClassifierCV(**SMALL | settings)


@cache
def plain() -> rs.RidgeSplineRegressorCV:
    """The fit that others are compared with."""
    return regressor(scale=True).fit(X, Y)


FEW: dict[str, Any] = {"lams": [10.0], "cv": 2, "solver": rs.Grid(directions=2, biases=5, refine=False)}


@parametrize_with_checks(
    [rs.RidgeSplineRegressorCV(**FEW), rs.RidgeSplineClassifierCV(**FEW)], expected_failed_checks=expected_failures
)
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# -------------------------------------------------------------------------- scores, from solutions


def held_out(lam: float, y: Any, loss: rs.losses.Loss, measure: Any, scale: bool = False) -> list[float]:
    """`measure` of each fold of SPLITS, for the problem of its training rows at their share of lam."""
    found = []
    for train, test in SPLITS:
        Z = StandardScaler().fit(X[train], sample_weight=WEIGHT[train]).transform(X) if scale else X
        share = WEIGHT[train].sum() / WEIGHT.sum()
        problem = rs.Problem(Z[train], y[train], lam * share, loss, sample_weight=WEIGHT[train])
        found.append(measure(test, rs.solve(problem, GRID).predict(Z[test])))
    return found


@pytest.mark.parametrize("scale", [False, True])
def test_regression_scores(scale: bool) -> None:
    measures: dict[Any, Any] = {
        None: lambda t, f: np.average((Y[t] - f) ** 2, weights=WEIGHT[t]),
        "r2": lambda t, f: r2_score(Y[t], f, sample_weight=WEIGHT[t]),
    }
    scoring = "r2" if scale else None
    fitted = regressor(cv=SPLITS, scale=scale, scoring=scoring).fit(X, Y, WEIGHT)
    expected = [held_out(lam, Y, rs.Squared(), measures[scoring], scale) for lam in fitted.lams_]
    np.testing.assert_allclose(fitted.scores_folds_, expected, rtol=1e-4)
    assert fitted.lam_ == fitted.lams_[fitted.scores_.argmax() if scale else fitted.scores_.argmin()]
    same = rs.RidgeSplineRegressor(lam=fitted.lam_, solver=GRID, scale=scale).fit(X, Y, WEIGHT)
    assert fitted.solution_.objective == pytest.approx(same.solution_.objective, rel=1e-8)
    np.testing.assert_allclose(fitted.predict(X), same.predict(X), atol=1e-6)


def test_two_classes() -> None:
    signs = np.where(LOW == "not", 1.0, -1.0)
    loss = rs.Logistic()
    scorers: dict[Any, Any] = {
        None: lambda t, f: np.average(np.log1p(np.exp(-signs[t] * f)), weights=WEIGHT[t]),
        "accuracy": lambda t, f: accuracy_score(signs[t] > 0, f > 0, sample_weight=WEIGHT[t]),
        "neg_log_loss": lambda t, f: -log_loss(signs[t], 1 / (1 + np.exp(-f)), sample_weight=WEIGHT[t]),
    }
    for scoring, measure in scorers.items():
        fitted = classifier(cv=SPLITS, loss="logistic", scoring=scoring).fit(X, LOW, WEIGHT)
        expected = [held_out(lam, signs, loss, measure) for lam in fitted.lams_]
        np.testing.assert_allclose(fitted.scores_folds_, expected, rtol=1e-4)
        best = fitted.scores_.argmin() if scoring is None else fitted.scores_.argmax()
        assert fitted.lam_ == fitted.lams_[best]
        assert fitted.score(X, LOW) > 0.75


def test_three_classes() -> None:
    """One problem a class: their losses add up, and one lam serves all."""
    fitted = classifier(cv=SPLITS).fit(X, LABELS, WEIGHT)
    total = np.zeros((3, 3))
    tops = []
    for label in fitted.classes_:
        signs = np.where(label == LABELS, 1.0, -1.0)
        tops.append(rs.lambda_max(rs.Problem(X, signs, 1.0, rs.Hinge(), sample_weight=WEIGHT)))

        def hinge(t: Any, f: Any, signs: Any = signs) -> float:
            return np.average(np.maximum(0.0, 1.0 - signs[t] * f), weights=WEIGHT[t])

        total += [held_out(lam, signs, rs.Hinge(), hinge) for lam in fitted.lams_]
    assert fitted.lams_[0] == pytest.approx(max(tops), rel=1e-9)
    # Fits of least hinge loss at the training rows may differ elsewhere; most are unique.
    assert np.median(np.abs(fitted.scores_folds_ - total) / total) < 1e-4
    assert len(fitted.paths_) == len(fitted.solutions_) == 3
    assert {s.problem.lam for s in fitted.solutions_} == {fitted.lam_}
    with pytest.raises(AttributeError, match="paths_"):
        _ = fitted.path_


def test_three_classes_through_softmax() -> None:
    fitted = classifier(cv=SPLITS, loss="logistic").fit(X, LABELS, WEIGHT)
    codes = np.unique(LABELS, return_inverse=True)[1].astype(float)
    assert isinstance(fitted.solution_.problem.loss, rs.Softmax)
    for lam, scores in zip(fitted.lams_, fitted.scores_folds_, strict=True):
        expected = held_out(
            lam, codes, rs.Softmax(), lambda t, f: np.average(rs.Softmax().value(codes[t], f), weights=WEIGHT[t])
        )
        np.testing.assert_allclose(scores, expected, rtol=1e-4)
    np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1.0)
    assert fitted.path_[0].problem.n_outputs == 3


def test_one_standard_error_by_hand() -> None:
    for scoring, sign in ((None, 1.0), ("r2", -1.0)):
        fitted = regressor(n_lams=8, rule="one-se", scoring=scoring).fit(X, Y)
        mean = sign * fitted.scores_folds_.mean(axis=1)
        error = fitted.scores_folds_.std(axis=1, ddof=1) / np.sqrt(3)
        best = mean.argmin()
        allowed = fitted.lams_[mean <= mean[best] + error[best]]
        assert fitted.lam_ == allowed.max() > fitted.lams_[best]
        np.testing.assert_allclose(fitted.scores_se_, error)


def test_vector_outputs() -> None:
    fitted = regressor(scale=True).fit(X, np.column_stack([Y, -2.0 * Y]))
    assert fitted.predict(X).shape == (N, 2)
    assert fitted.network_.n_outputs == 2
    # The second output is the first times -2: squared errors add up to five times those of one.
    np.testing.assert_allclose(fitted.scores_, 5.0 * plain().scores_, rtol=1e-4)


def test_class_weights_are_those_of_all_rows() -> None:
    share = {label: N / (2.0 * (label == LOW).sum()) for label in ("low", "not")}
    by_hand = classifier(cv=SPLITS, loss="logistic").fit(X, LOW, [share[label] for label in LOW])
    for given in ("balanced", share):
        fitted = classifier(cv=SPLITS, loss="logistic", class_weight=given).fit(X, LOW)
        np.testing.assert_allclose(fitted.scores_folds_, by_hand.scores_folds_, rtol=1e-9)


# -------------------------------------------------------------------------------------------- folds


def test_folds_keep_the_proportions_of_the_classes() -> None:
    fitted = classifier(loss="logistic").fit(X, LABELS)
    order = np.lexsort(np.column_stack([np.unique(LABELS, return_inverse=True)[1], X]).T)
    folds = StratifiedKFold(3, shuffle=True, random_state=0).split(X, LABELS[order])
    by_hand = classifier(loss="logistic", cv=[(order[a], order[b]) for a, b in folds]).fit(X, LABELS)
    np.testing.assert_array_equal(fitted.scores_folds_, by_hand.scores_folds_)


def test_order_of_rows() -> None:
    order = np.random.default_rng(0).permutation(N)
    one = classifier(loss="logistic").fit(X, LOW, WEIGHT)
    other = classifier(loss="logistic").fit(X[order], LOW[order], WEIGHT[order])
    np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-9)
    np.testing.assert_allclose(one.decision_function(X), other.decision_function(X), atol=1e-12)


@pytest.mark.parametrize("settings", [{"n_jobs": 2}, {"n_segments": 2}, {"n_segments": 99, "n_jobs": 2}], ids=str)
def test_jobs_side_by_side(settings: Any) -> None:
    one, other = plain(), regressor(scale=True, **settings).fit(X, Y)
    np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-6)
    np.testing.assert_array_equal(one.lams_, other.path_.lams)
    np.testing.assert_allclose(one.predict(X), other.predict(X), atol=1e-6)


def test_threads_do_not_share_their_folds() -> None:
    """Jobs of one process: each has its own scaler and network."""
    one = classifier(loss="logistic", scale=True, scoring="neg_log_loss").fit(X, LOW)
    with joblib.parallel_config(backend="threading", n_jobs=4):
        other = clone(one).fit(X, LOW)
    np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-9)


def test_on_a_cluster_of_dask() -> None:
    """The jobs run on the workers of a cluster, here another process of this machine, and give the same scores."""
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")

    def where(*given: Any) -> float:
        return float(os.getpid())

    one = plain()
    settings = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with (
        distributed.LocalCluster(**settings) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        other = clone(one).fit(X, Y)
        (pid,) = client.run(os.getpid).values()
        assert (regressor(scoring=where).fit(X, Y).scores_folds_ == pid).all()
    assert pid != os.getpid()
    np.testing.assert_allclose(one.scores_folds_, other.scores_folds_, rtol=1e-9)
    np.testing.assert_allclose(one.predict(X), other.predict(X), atol=1e-12)


class Cut(rs.Grid):
    """Stops in the second lam where rows are held out, as after Ctrl-C."""

    def path(self, problem: rs.Problem, lams: Any) -> Any:
        for answer in super().path(problem, lams):
            yield replace(answer, interrupted=problem.n_samples < N)
            if problem.n_samples < N:
                return


def test_segments_cut_short_choose_nothing() -> None:
    with pytest.raises(KeyboardInterrupt):
        regressor(solver=Cut(4), n_segments=2, scale=True).fit(X, Y)


# --------------------------------------------------------------------------------------- in and out


def test_names_of_features_and_any_labels() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["age", "height"])
    fitted = classifier(loss="logistic", scoring="accuracy").fit(frame, pd.Series(LOW, dtype=object))
    assert fitted.path_[-1].problem.feature_names == ("age", "height")
    assert "weight[age]" in fitted.network_.to_frame().columns
    assert set(fitted.predict(frame)) == {"low", "not"}
    fitted = classifier(loss="logistic", scoring="accuracy").fit(X, LOW == "low")
    assert fitted.predict(X).dtype == bool


def test_the_default_solver() -> None:
    """Ridge splines of one feature too, and of the default settings."""
    fitted = rs.RidgeSplineRegressorCV(n_lams=3, cv=2).fit(X[:, :1], Y)
    assert fitted.solution_.certificate.scope == "exact"
    fitted = rs.RidgeSplineRegressorCV(n_lams=3, cv=2).fit(X, Y)
    assert [s.certificate.scope for s in fitted.path_] == ["exact"] * 3
    assert fitted.score(X, Y) > 0.9


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "max"}, "'min', 'one-se'"),
        ({"loss": rs.Interpolation()}, "same fit for every lam"),
        ({"lams": [0.1, 0.0]}, "positive"),
        ({"n_lams": 0}, "n_lams"),
        ({"lam_ratio": 1.0}, "lam_ratio"),
        ({"n_segments": 0}, "n_segments"),
        ({"n_segments": 1.5}, "n_segments"),
        ({"scoring": ["accuracy"]}, "a name, or a callable"),
        ({"scoring": lambda *given: np.nan}, "finite score"),
        ({"cv": 1}, "2 or more folds"),
        ({"solver": "grid"}, r"Grid\(\)"),
    ],
)
def test_refusals(settings: dict[str, Any], words: str) -> None:
    for model in (regressor(**settings), classifier(**settings)):
        with pytest.raises(rs.ProblemError, match=words):
            model.fit(X, Y if isinstance(model, rs.RidgeSplineRegressorCV) else LOW)


def test_folds_need_every_class() -> None:
    few = np.where(np.arange(N) < 2, "rare", LOW)
    with pytest.raises(rs.ProblemError, match="smallest class, n_samples=2"):
        classifier().fit(X, few)
    with pytest.raises(rs.ProblemError, match=r"without \['rare'\]"):
        classifier(cv=KFold(24)).fit(X, few)
    left = X[:, 0] < 0.0
    with pytest.raises(rs.ProblemError, match=r"^y: .*separable"):
        classifier(loss="logistic", slope_penalty=0.0).fit(X, left)
    left[:3] = ~left[:3]  # three rows on the wrong side, all in one fold
    apart = [(np.arange(3, N), np.arange(3)), (np.arange(N - 3), np.arange(N - 3, N))]
    with pytest.raises(rs.ProblemError, match=r"^cv: .*number 0.*separable.*slope_penalty"):
        classifier(loss="logistic", cv=apart, slope_penalty=0.0).fit(X, left)
    assert classifier(cv=apart).fit(X, left).scores_.shape == (3,)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_picture(scoring: Any, tmp_path: Any) -> None:
    fitted = classifier(rule="one-se", scoring=scoring, n_lams=2, cv=2).fit(X, LOW if scoring else LABELS)
    figure = fitted.plot()
    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5_000
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"chosen, $\\lambda$ = {fitted.lam_:.3g}, K = {fitted.network_.n_neurons}" in words
    assert ("minimum + one standard error" in words) == (scoring is None)
    assert ("maximum − one standard error" in words) == (scoring == "accuracy")
    assert figure.axes[0].get_ylabel() == (scoring or "mean held-out loss")
