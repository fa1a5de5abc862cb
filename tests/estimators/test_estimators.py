"""The estimators against scikit-learn's own checks, and against the library underneath them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from one_of_many import OneOfMany, expected_failures
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, SkipTestWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import ridgesplines as rs

GRID = rs.Grid(directions=8)
RNG = np.random.default_rng(7)
X = RNG.standard_normal((40, 2)) * [1.0, 3.0]
Y = np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(40)
#: Three classes that no affine function separates, interleaved along the first feature.
LABELS = np.array(["low", "middle", "high"])[np.digitize(np.abs(X[:, 0]) + 0.2 * RNG.standard_normal(40), [0.5, 1.0])]


class OneFeature(OneOfMany, rs.LinearSplineRegressor):
    pass


#: Coarse, for what scikit-learn checks: the code of the estimators, whatever is fitted.
COARSE = rs.Grid(directions=2, biases=5, refine=False)
#: Checks that take a second, or tens of them, where the neurons of ten features are generated.
LONG = {
    "check_classifiers_train",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_nan_inf",
    "check_estimators_dtypes",
    "check_f_contiguous_array_estimator",
    "check_fit2d_predict1d",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_regressor_data_not_an_array",
    "check_regressors_int",
    "check_regressors_train",
    "check_sample_weights_list",
    "check_supervised_y_2d",
}


def checks() -> Iterator[Any]:
    """scikit-learn's checks: all of them with the default solver, of which the long ones are slow, and those on a grid.

    lam: the checks' data are linear with targets of size 100 and ten features, a slow interpolation at lam = 1.
    """
    for model in (
        OneFeature(),
        rs.RidgeSplineRegressor(lam=500.0, max_time=None),
        rs.RidgeSplineClassifier(lam=1.0, max_time=None),
    ):
        for estimator, check in estimator_checks_generator(model):
            name = check.func.__name__
            if name in expected_failures(estimator):
                continue
            words = ",".join([name, *(f"{key}={value}" for key, value in check.keywords.items())])
            long = name in LONG and "solver" in estimator.get_params()
            marks = [pytest.mark.slow] if long else []
            yield pytest.param(estimator, check, id=f"{estimator}-{words}", marks=marks)
            if long:
                on_grid = clone(estimator).set_params(solver=COARSE)
                yield pytest.param(on_grid, check, id=f"{estimator}-{words}-grid")


@pytest.mark.parametrize(("estimator", "check"), list(checks()))
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def test_a_classifier_takes_a_vector() -> None:
    x = np.linspace(-1.0, 1.0, 30)
    labels = np.where(np.abs(x) > 0.5, "far", "near")
    vector, column = (rs.RidgeSplineClassifier(lam=0.1, scale=False).fit(each, labels) for each in (x, x[:, None]))
    np.testing.assert_array_equal(vector.predict(x), column.predict(x[:, None]))
    assert vector.score(x, labels) > 0.9
    with pytest.raises(ValueError, match="Reshape your data"):
        rs.RidgeSplineClassifier().fit(np.eye(4)[:, :2], labels[[0, 15, 0, 15]]).predict([0.0, 1.0])


def test_scikit_learn_one_feature() -> None:
    """Of an estimator of one feature scikit-learn checks little, and says so."""
    with pytest.warns(SkipTestWarning):
        check_estimator(rs.LinearSplineRegressor())


# ---------------------------------------------------------------------- the problem that is solved


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber", rs.Quantile(0.8), "interpolation"])
def test_regressors_solve_the_problem(loss: Any) -> None:
    model = rs.RidgeSplineRegressor(lam=0.3, loss=loss, solver=GRID, scale=False).fit(X, Y)
    solution = rs.solve(rs.Problem(X, Y, lam=0.3, loss=model.solution_.problem.loss), GRID)
    assert model.solution_.objective == pytest.approx(solution.objective, rel=1e-6)
    assert model.solution_.status == "converged"
    np.testing.assert_array_equal(model.solution_.problem.X, X)


def test_linear_spline_solves_the_problem() -> None:
    model = rs.LinearSplineRegressor(lam=0.3).fit(X[:, 0], Y)
    solution = rs.solve(rs.Problem(X[:, 0], Y, lam=0.3))
    assert model.solution_.objective == pytest.approx(solution.objective, rel=1e-9)
    assert model.solution_.certificate.scope == "exact"
    assert model.solution_.relative_gap < 1e-8
    np.testing.assert_allclose(model.predict(X[:, 0]), solution.predict(X[:, 0]), atol=1e-8)


def test_binary_classifier_solves_the_problem() -> None:
    far = np.abs(X[:, 0]) > 0.7
    model = rs.RidgeSplineClassifier(lam=0.3, solver=GRID, scale=False).fit(X, far)
    solution = rs.solve(rs.Problem(X, 2.0 * far - 1.0, lam=0.3, loss=rs.Hinge()), GRID)
    assert model.solution_.objective == pytest.approx(solution.objective, rel=1e-6)
    assert model.classes_.tolist() == [False, True]


@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_certificate_is_that_of_the_rows_given(loss: str) -> None:
    """Repeated, weighted, shuffled rows: the dual vector proves the solution of what was posed."""
    rng = np.random.default_rng(0)
    rows = np.repeat(np.arange(40), rng.integers(1, 3, 40))[::-1]
    weight = rng.uniform(0.5, 2.0, len(rows))
    solution = rs.LinearSplineRegressor(lam=0.3, loss=loss).fit(X[rows, 0], Y[rows], weight).solution_
    net, found = solution.network, solution.certificate
    assert solution.problem.n_samples == len(rows) == len(found.dual)
    eta = found.eta(net.weights, net.biases)
    np.testing.assert_allclose(found.scale * eta, 0.3 * np.sign(net.amplitudes), atol=1e-7)
    assert abs(found.dual.sum()) < 1e-9
    assert abs(found.dual @ X[rows, 0]) < 1e-9
    assert solution.relative_gap < 1e-8
    assert rs.evaluate(solution.problem, net).relative_gap < 1e-6


@pytest.mark.parametrize(
    "model",
    [
        rs.RidgeSplineRegressor(solver=GRID),
        rs.RidgeSplineRegressor(loss="absolute", solver=GRID),
        rs.RidgeSplineRegressor(scale=True, solver=GRID),
        rs.RidgeSplineClassifier(solver=GRID),
        rs.RidgeSplineClassifier(solver=GRID, class_weight="balanced"),
    ],
)
def test_order_repetition_and_weight_are_the_same(model: Any) -> None:
    y = np.arange(40) % 3
    weight = np.arange(40) % 4
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(40), weight))
    weighted = clone(model).fit(X, y, sample_weight=weight).network_
    repeated = clone(model).fit(X[rows], y[rows]).network_
    np.testing.assert_allclose(weighted(X), repeated(X), rtol=1e-12, atol=1e-12)


def test_outputs_share_neurons() -> None:
    targets = np.column_stack([Y, -2.0 * Y, X[:, 1]])
    model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, scale=False).fit(X, targets)
    assert model.predict(X).shape == (40, 3)
    assert model.network_.n_outputs == 3
    solution = rs.solve(rs.Problem(X, targets, lam=0.3), GRID)
    assert model.solution_.objective == pytest.approx(solution.objective, rel=1e-6)
    assert model.score(X, targets) > 0.9
    line = rs.LinearSplineRegressor(lam=0.3).fit(X[:, 0], targets)
    assert line.predict(X[:, 0]).shape == (40, 3)


def test_scale_is_a_standard_scaler_before_it() -> None:
    weight = np.arange(40) % 3
    model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, scale=True).fit(X, Y, weight)
    scaler = StandardScaler().fit(X, sample_weight=weight)
    np.testing.assert_allclose(model.scaler_.scale_, scaler.scale_)
    manual = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, scale=False).fit(scaler.transform(X), Y, weight)
    assert model.solution_.objective == pytest.approx(manual.solution_.objective, rel=1e-9)
    np.testing.assert_allclose(model.predict(X), manual.predict(scaler.transform(X)), atol=1e-6)
    for said in (model.network_(X), model.solution_.predict(X), model.solution_.network(X)):
        np.testing.assert_array_equal(model.predict(X), said)
    np.testing.assert_array_equal(model.solution_.problem.X, X[weight > 0])
    assert not hasattr(model.set_params(scale=False).fit(X, Y), "scaler_")


# ----------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
@pytest.mark.parametrize("labels", [LABELS, np.unique(LABELS, return_inverse=True)[1] * 10 - 3, LABELS.astype(object)])
def test_three_classes(loss: str, labels: Any) -> None:
    model = rs.RidgeSplineClassifier(lam=0.3, loss=loss, solver=GRID, scale=False).fit(X, labels)
    scores = model.decision_function(X)
    assert scores.shape == (40, 3)
    np.testing.assert_array_equal(model.predict(X), model.classes_[scores.argmax(axis=1)])
    assert model.score(X, labels) > 0.7
    assert len(model.solutions_) == (3 if loss == "hinge" else 1)
    assert all(solution.status == "converged" for solution in model.solutions_)


def test_one_against_the_rest_is_one_network() -> None:
    model = rs.RidgeSplineClassifier(lam=0.3, solver=GRID, scale=False).fit(X, LABELS)
    each = [solution.network for solution in model.solutions_]
    np.testing.assert_allclose(model.decision_function(X), np.stack([net(X) for net in each], axis=1), atol=1e-12)
    assert model.network_.seminorm == pytest.approx(sum(net.seminorm for net in each))
    assert model.network_.n_neurons == sum(net.n_neurons for net in each) > 0
    with pytest.raises(AttributeError, match="solutions_"):
        _ = model.solution_


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities(classes: int) -> None:
    labels = LABELS if classes == 3 else np.where(LABELS == "low", "low", "not")
    model = rs.RidgeSplineClassifier(lam=0.3, loss="logistic", solver=GRID, scale=False).fit(X, labels)
    probability = model.predict_proba(X)
    assert isinstance(model.solution_.problem.loss, rs.Softmax if classes == 3 else rs.Logistic)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), probability)
    np.testing.assert_array_equal(model.classes_[probability.argmax(axis=1)], model.predict(X))
    # The affine part is not penalised: probabilities add up to the counts of the classes.
    counts = [(labels == label).sum() for label in model.classes_]
    np.testing.assert_allclose(probability.sum(axis=0), counts, rtol=1e-4)


def test_two_logits_are_one_margin() -> None:
    far = np.abs(X[:, 0]) + 0.3 * np.sin(9.0 * X[:, 1]) > 0.7
    model = rs.RidgeSplineClassifier(lam=0.3, loss=rs.Softmax(), solver=GRID, scale=False).fit(X, far)
    assert model.decision_function(X).shape == (40,)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1.0 / (1.0 + np.exp(-model.decision_function(X))))


def test_hinge_has_no_probabilities() -> None:
    assert not hasattr(rs.RidgeSplineClassifier(), "predict_proba")
    assert not hasattr(rs.RidgeSplineClassifier(loss=rs.Hinge()), "predict_log_proba")


def test_separable_classes() -> None:
    left = X[:, 0] < 0.0
    assert rs.RidgeSplineClassifier(solver=GRID).fit(X, left).score(X, left) == 1.0
    logistic = rs.RidgeSplineClassifier(loss="logistic", solver=GRID).fit(X, left)  # finite by a penalty of the slope
    assert logistic.slope_penalty_ > 0.0
    assert logistic.score(X, left) == 1.0
    with pytest.raises(rs.ProblemError, match="separable"):
        rs.RidgeSplineClassifier(loss="logistic", solver=GRID, slope_penalty=0.0).fit(X, left)


def test_class_weight() -> None:
    far = np.where(np.abs(X[:, 0]) + 0.3 * np.sin(9.0 * X[:, 1]) > 1.2, "far", "near")
    share = {label: 40.0 / (2.0 * (far == label).sum()) for label in ("far", "near")}
    base = rs.RidgeSplineClassifier(lam=0.3, loss="logistic", solver=GRID, scale=False)
    by_hand = clone(base).fit(X, far, [share[label] for label in far])
    for given in ("balanced", share):
        model = clone(base).set_params(class_weight=given).fit(X, far)
        np.testing.assert_allclose(model.predict_proba(X), by_hand.predict_proba(X), atol=1e-9)
    with pytest.raises(rs.ProblemError, match="class_weight"):
        clone(base).set_params(class_weight={"far": 0.0, "near": 1.0}).fit(X, far)


# ----------------------------------------------------------------------------------- in and around


def test_names_of_features() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=["age", "height"])
    model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, scale=False).fit(frame, pd.Series(Y))
    assert model.feature_names_in_.tolist() == ["age", "height"]
    assert model.solution_.problem.feature_names == ("age", "height")
    assert {"weight[age]", "weight[height]"} <= set(model.network_.to_frame().columns)
    classifier = rs.RidgeSplineClassifier(lam=0.3, solver=GRID, scale=False).fit(frame, LABELS)
    assert "weight[age]" in classifier.network_.to_frame().columns
    line = rs.LinearSplineRegressor(lam=0.3).fit(frame["age"], Y)
    assert "weight[age]" in line.network_.to_frame().columns
    np.testing.assert_array_equal(line.predict(frame["age"]), line.predict(frame[["age"]]))


def test_one_feature_as_vector_or_column() -> None:
    vector = rs.LinearSplineRegressor(lam=0.3).fit(X[:, 0], Y)
    column = rs.LinearSplineRegressor(lam=0.3).fit(X[:, :1].tolist(), Y)
    np.testing.assert_array_equal(vector.predict(X[:, :1]), column.predict(X[:, 0].tolist()))
    assert vector.n_features_in_ == 1
    with pytest.raises(rs.ProblemError, match="RidgeSplineRegressor"):
        rs.LinearSplineRegressor().fit(X, Y)
    with pytest.raises(ValueError, match="features"):
        vector.predict(X)


@pytest.mark.parametrize(
    "model",
    [
        rs.RidgeSplineRegressor(lam=0.3, solver=GRID, scale=True),
        rs.RidgeSplineClassifier(lam=0.3, solver=GRID, scale=False),
    ],
)
def test_pickle_and_clone(model: Any) -> None:
    fitted = clone(model).fit(X, LABELS if hasattr(model, "class_weight") else Y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
    assert clone(fitted).get_params() == model.get_params()


def test_grid_search_in_a_pipeline() -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), rs.RidgeSplineRegressor(solver=GRID)),
        {
            "ridgesplineregressor__lam": [0.3, 1000.0],
            "ridgesplineregressor__loss": ["squared", rs.Huber(0.5)],
        },
        cv=2,
    ).fit(X, Y)
    assert search.best_params_["ridgesplineregressor__lam"] == 0.3
    line = GridSearchCV(rs.LinearSplineRegressor(), {"lam": [0.3, 1000.0]}, cv=2).fit(X[:, 0], Y)
    assert line.best_params_ == {"lam": 0.3}


def test_column_of_targets() -> None:
    for loss in ("squared", "absolute"):
        model = rs.RidgeSplineRegressor(lam=0.3, loss=loss, solver=GRID)
        vector, column = (clone(model).fit(X, y).predict(X) for y in (Y, Y[:, None]))
        np.testing.assert_array_equal(vector, column)
    with pytest.warns(DataConversionWarning):  # scikit-learn asks it of classifiers
        rs.RidgeSplineClassifier(lam=0.3, solver=GRID).fit(X, np.sign(Y - Y.mean())[:, None])


@pytest.mark.parametrize("cls", [rs.LinearSplineRegressor, rs.RidgeSplineRegressor, rs.RidgeSplineClassifier])
def test_errors_say_what_to_do(cls: Any) -> None:
    y = np.sign(Y - Y.mean())
    names = "'hinge', 'logistic'" if cls is rs.RidgeSplineClassifier else "'squared', 'absolute', 'huber'"
    for loss in ("mse", 3, rs.Huber):
        with pytest.raises(rs.ProblemError, match=names):
            cls(loss=loss).fit(X[:, :1], y)
    with pytest.raises(rs.ProblemError, match=r"Grid\(\)"):
        cls(solver="grid").fit(X[:, :1], y)
    with pytest.raises(rs.ProblemError, match="lam"):
        cls(lam=-1.0).fit(X[:, :1], y)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        cls().fit(X[:, :1], y, sample_weight=-np.ones(40))


def test_labels_are_checked() -> None:
    with pytest.raises(rs.ProblemError, match="1 class"):
        rs.RidgeSplineClassifier().fit(X, np.zeros(40))
    with pytest.raises(rs.ProblemError, match="1 class"):
        rs.RidgeSplineClassifier().fit(X, LABELS, sample_weight=LABELS == "low")
    with pytest.raises(ValueError, match="continuous"):
        rs.RidgeSplineClassifier().fit(X, Y)
    with pytest.raises(rs.ProblemError, match="Squared"):
        rs.RidgeSplineRegressor(loss="absolute").fit(X, np.column_stack([Y, Y]))


#: How often this check has passed for each class; one that is skipped raises.
OTHER_ARRAYS = """
from one_of_many import OneOfMany
from sklearn.utils.estimator_checks import estimator_checks_generator
import ridgesplines as rs

class OneFeature(OneOfMany, rs.LinearSplineRegressor):
    pass

class OneFeatureCV(OneOfMany, rs.LinearSplineRegressorCV):
    pass

few = {"solver": rs.Grid(directions=2, biases=5, refine=False)}
for model in (
    OneFeature(),
    OneFeatureCV(lams=[10.0], cv=2),
    rs.RidgeSplineRegressor(**few),
    rs.RidgeSplineClassifier(**few),
    rs.RidgeSplineRegressorCV(lams=[10.0], cv=2, **few),
    rs.RidgeSplineClassifierCV(lams=[10.0], cv=2, **few),
):
    checks = [check for _, check in estimator_checks_generator(model) if check.func.__name__ == "check_array_api_input"]
    for check in checks:
        check(model)
    print(len(checks))
"""


def test_array_api_input_in_a_process_of_its_own():
    """scikit-learn skips this check unless SciPy was told of it before it was imported: for all estimators at once."""
    told = {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", OTHER_ARRAYS],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split() == ["1"] * 6, run.stdout + run.stderr
