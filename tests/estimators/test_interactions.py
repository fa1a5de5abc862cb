"""Estimators whose features act together in groups: given, or chosen among candidates; against solutions of our own."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from one_of_many import checks
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import ridgesplines as rs
from ridgesplines.estimators.candidates import Candidate, Entry, choose, listed

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

GRID = rs.Grid(directions=4)
RNG = np.random.default_rng(5)
N = 42
X = RNG.uniform(-1.0, 1.0, (N, 3)) * [1.0, 3.0, 0.5]
NAMES = ["age", "bmi", "s1"]
#: Of one feature and of a pair.
Y = np.abs(X[:, 0]) + np.maximum(X[:, 1] / 3.0 + X[:, 2], 0.0) + 0.05 * RNG.standard_normal(N)
LABELS = np.array(["low", "middle", "high"])[np.digitize(Y + 0.2 * RNG.standard_normal(N), np.quantile(Y, [0.3, 0.7]))]
WEIGHT = RNG.uniform(0.5, 2.0, N)
SPLITS = [(np.flatnonzero(np.arange(N) % 3 != k), np.flatnonzero(np.arange(N) % 3 == k)) for k in range(3)]
GIVEN = [1, 2, [[0], [1, 2]], [["age"], ["s1", "bmi"]]]
FEW: dict[str, Any] = {"n_lams": 3, "lam_ratio": 0.05, "cv": SPLITS, "solver": rs.Grid(directions=4, refine=False)}
#: Degrees of freedom are counted where amplitudes are exact zeros.
EXACT = FEW | {"solver": GRID}


def frame() -> Any:
    return pytest.importorskip("pandas").DataFrame(X, columns=NAMES)


def allowed(solution: rs.Solution) -> bool:
    groups, net = solution.problem.interactions, solution.network
    return groups is not None and bool(groups.allow(net.weights).all())


SMALL: dict[str, Any] = {"lams": [10.0], "cv": 2, "solver": rs.Grid(directions=2, biases=5, refine=False)}


#: The code of these classes is checked as a whole in test_estimators.py and test_ridge_cv.py; what groups might change:
CHECKS = {
    "check_dict_unchanged",
    "check_dont_overwrite_attributes",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_fit_idempotent",
    "check_methods_sample_order_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_parameters_default_constructible",
    "check_sample_weights_shape",
}
MODELS = [
    rs.RidgeSplineRegressor(lam=500.0, solver=GRID, interactions=1),
    rs.RidgeSplineClassifier(solver=GRID, interactions=1),
    rs.RidgeSplineRegressorCV(interactions=[1, None], **SMALL),
    rs.RidgeSplineClassifierCV(interactions=[1, None], **SMALL),
]


@pytest.mark.parametrize(("estimator", "check"), checks(MODELS, CHECKS))
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# -------------------------------------------------------------------------------------------- given


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_regressors_solve_the_problem(given: Any, scale: bool) -> None:
    model = rs.RidgeSplineRegressor(lam=0.1, solver=GRID, scale=scale, interactions=given).fit(frame(), Y)
    assert model.solution_.network.n_neurons > 0
    assert allowed(model.solution_)
    Z = model.scaler_.transform(X) if scale else X
    groups = [[0], [1, 2]] if isinstance(given, list) else given
    own = rs.solve(rs.Problem(Z, Y, 0.1, interactions=groups), GRID)
    assert model.solution_.objective == pytest.approx(own.objective, rel=1e-6)
    np.testing.assert_allclose(model.predict(frame()), own.predict(Z), atol=1e-5)


def test_they_keep_to_the_groups_with_the_default_solver() -> None:
    for given in (1, 2, [["age"], ["s1", "bmi"]]):
        model = rs.RidgeSplineRegressor(lam=0.1, interactions=given, scale=False).fit(frame(), Y)
        assert allowed(model.solution_)
    model = rs.RidgeSplineClassifier(lam=0.5, interactions=1, scale=False).fit(X, Y > 0.8)
    assert allowed(model.solution_)
    two = rs.RidgeSplineRegressor(lam=0.1, interactions=[[0], [1, 2]], scale=False).fit(X, np.column_stack([Y, -Y]))
    assert allowed(two.solution_)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_classifiers_solve_the_problems_of_all_classes(loss: str) -> None:
    model = rs.RidgeSplineClassifier(
        lam=0.3, loss=loss, solver=GRID, interactions=[["age"], ["bmi", "s1"]], scale=False
    )
    model.fit(frame(), LABELS)
    assert len(model.solutions_) == (3 if loss == "hinge" else 1)
    assert all(map(allowed, model.solutions_))
    assert model.solutions_[0].problem.interactions is not None
    assert model.solutions_[0].problem.interactions.allow(model.network_.weights).all()
    assert model.score(frame(), LABELS) > 0.6


def test_none_and_enough_features_are_all_of_them() -> None:
    for given in (None, 3, 7, [[0, 1, 2]], [["s1", "age", "bmi"], ["age"]]):
        model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, interactions=given, scale=False).fit(frame(), Y)
        assert model.solution_.problem.interactions is None
    line = rs.RidgeSplineRegressor(lam=0.3, interactions=1, scale=False).fit(X[:, :1], Y)
    assert line.solution_.certificate.scope == "exact"


def test_a_second_fit_reads_them_again() -> None:
    model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, interactions=[["s1"], ["age", "bmi"]], scale=False).fit(
        frame(), Y
    )
    assert list(model.solution_.problem.interactions) == [(0, 1), (2,)]
    model.fit(frame()[["s1", "bmi", "age"]], Y)
    assert list(model.solution_.problem.interactions) == [(0,), (1, 2)]
    model.set_params(interactions=None).fit(frame(), Y)
    assert model.solution_.problem.interactions is None


def test_pickle_clone_and_grid_search() -> None:
    model = rs.RidgeSplineRegressor(lam=0.3, solver=GRID, interactions=[["age"], ["bmi", "s1"]], scale=False)
    assert clone(model).get_params() == model.get_params()
    fitted = clone(model).fit(frame(), Y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(frame()), fitted.predict(frame()))
    search = GridSearchCV(
        rs.RidgeSplineRegressor(lam=0.05, solver=GRID, scale=False), {"interactions": [1, [[0], [1, 2]]]}, cv=SPLITS
    )
    assert search.fit(X, Y).best_params_ == {"interactions": [[0], [1, 2]]}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (0, "whole number k"),
        (1.5, "whole number k"),
        (True, "whole number k"),
        ("age", "whole number k"),
        ([["age", "weight"]], "got 'weight' for the columns age, bmi, s1"),
        ([[0, 3]], "column numbers from 0 to 2, or names; got 3"),
        (["age", "bmi"], "'age' as a group"),
        ([], "at least one group"),
        ([[0], []], "at least one column"),
    ],
    ids=str,
)
def test_refusals(given: Any, words: str) -> None:
    for model in (
        rs.RidgeSplineRegressor(solver=GRID, interactions=given),
        rs.RidgeSplineClassifier(solver=GRID, interactions=given),
        rs.RidgeSplineRegressorCV(interactions=given, **FEW),
        rs.RidgeSplineRegressorCV(interactions=given, **FEW, criterion="gcv"),
        rs.RidgeSplineClassifierCV(interactions=given, **FEW),
    ):
        with pytest.raises(rs.ProblemError, match=words) as caught:
            model.fit(frame(), LABELS if hasattr(model, "class_weight") else Y)
        assert caught.value.argument == "interactions"


def test_names_need_a_table_with_names() -> None:
    with pytest.raises(rs.ProblemError, match=r"'age' for X without column names.*column numbers"):
        rs.RidgeSplineRegressor(interactions=[["age"]]).fit(X, Y)


# ----------------------------------------------------------------------------------- chosen by folds


@pytest.mark.parametrize(
    ("given", "candidates"),
    [
        (None, [None]),
        (2, [2]),
        ([[0, 1], [2]], [[[0, 1], [2]]]),
        ([["a", "b"], ["c"]], [[["a", "b"], ["c"]]]),
        (np.array([[0, 1], [1, 2]]), None),
        ([{0, 1}, {2}], None),
        ([1], [1]),
        ([1, 2, None], [1, 2, None]),
        ((np.int64(1), None), [1, None]),
        ([None], [None]),
        ([[[0, 1], [2]], [[0], [1, 2]]], [[[0, 1], [2]], [[0], [1, 2]]]),
        ([1, [["a", "b"], ["c"]]], [1, [["a", "b"], ["c"]]]),
        ([], [[]]),
        ("age", ["age"]),
    ],
    ids=str,
)
def test_which_lists_are_candidates(given: Any, candidates: Any) -> None:
    if candidates is None:
        assert listed(given)[0] is given
    else:
        assert listed(given) == candidates


def test_scores_of_all_candidates_are_those_of_problems_of_our_own() -> None:
    given = [None, 1, [["age"], ["bmi", "s1"]]]
    fitted = rs.RidgeSplineRegressorCV(interactions=given, scale=False, **FEW).fit(frame(), Y, WEIGHT)
    assert [each.interactions for each in fitted.candidates_] == given
    for each, groups in zip(fitted.candidates_, [None, 1, [[0], [1, 2]]], strict=True):
        top = rs.lambda_max(rs.Problem(X, Y, 1.0, sample_weight=WEIGHT, interactions=groups))
        np.testing.assert_allclose(each.lams, np.geomspace(top, 0.05 * top, 3), rtol=1e-6)
        for k, (train, test) in enumerate(SPLITS):
            share = WEIGHT[train].sum() / WEIGHT.sum()
            for i, lam in enumerate(each.lams):
                p = rs.Problem(X[train], Y[train], lam * share, sample_weight=WEIGHT[train], interactions=groups)
                held_out = np.average((Y[test] - rs.solve(p, GRID).predict(X[test])) ** 2, weights=WEIGHT[test])
                assert each.scores_folds[i, k] == pytest.approx(held_out, rel=1e-4)
    best = min(fitted.candidates_, key=lambda each: each.scores.min())
    assert fitted.interactions_ == best.interactions == [["age"], ["bmi", "s1"]]
    assert fitted.lam_ == best.lam == best.lams[best.scores.argmin()]
    assert best.score == best.scores.min()
    assert fitted.scores_ is best.scores
    assert fitted.path_.lams == pytest.approx(best.lams)
    assert all(map(allowed, fitted.path_))
    same = rs.RidgeSplineRegressor(lam=fitted.lam_, solver=GRID, interactions=fitted.interactions_, scale=False)
    np.testing.assert_allclose(same.fit(frame(), Y, WEIGHT).predict(frame()), fitted.predict(frame()), atol=1e-6)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(frame()), fitted.predict(frame()))


def test_all_candidates_have_the_same_folds() -> None:
    """Those of a single one, also where the shuffle is another one in each fit."""
    settings = FEW | {"cv": 3}
    fitted = rs.RidgeSplineRegressorCV(interactions=[1, 2], **settings).fit(X, Y)
    for each in fitted.candidates_:
        alone = rs.RidgeSplineRegressorCV(interactions=each.interactions, **settings).fit(X, Y)
        np.testing.assert_allclose(alone.scores_folds_, each.scores_folds, rtol=1e-6)
    lams = {"lams": [1e9]}  # affine fits, whatever may act together
    fitted = rs.RidgeSplineRegressorCV(interactions=[2, 1], random_state=None, **settings | lams).fit(X, Y)
    first, second = (each.scores_folds for each in fitted.candidates_)
    np.testing.assert_allclose(first, second, rtol=1e-9)


def test_of_equals_the_candidate_that_allows_the_least() -> None:
    fitted = rs.RidgeSplineRegressorCV(interactions=[None, 2, 1], **FEW | {"lams": [1e9]}).fit(X, Y)
    assert fitted.candidates_[0].score == pytest.approx(fitted.candidates_[2].score, rel=1e-9)
    scores = [np.array([1.0, 2.0]), np.array([1.0, 0.5]), np.array([0.5, 0.5])]
    groups = [rs.Problem(np.eye(3), np.zeros(3), 1.0, interactions=given).interactions for given in (None, 2, 1)]
    tried = [
        Candidate(Entry(i, group), np.array([2.0, 1.0]), each, (), 1.0, np.full(2, 0.6), each[:, None])
        for i, (group, each) in enumerate(zip(groups, scores, strict=True))
    ]
    assert choose(tried, "min") == (tried[2], 0)
    assert choose(tried[:2], "min") == (tried[1], 1)
    assert choose(tried[:2], "one-se") == (tried[1], 0)
    assert choose(tried[:1], "one-se") == (tried[0], 0)


def test_one_standard_error_by_hand() -> None:
    given = [None, 2, 1]
    fitted = rs.RidgeSplineRegressorCV(interactions=given, rule="one-se", **FEW | {"n_lams": 4}).fit(X, Y)
    best = min(fitted.candidates_, key=lambda each: each.score)
    level = best.score + best.scores_se[best.best]
    within = {each.interactions: each.lams[each.scores <= level] for each in fitted.candidates_}
    fewest = next(k for k in (1, 2, None) if len(within[k]))
    assert fitted.interactions_ == fewest
    assert fitted.lam_ == within[fewest].max()


def test_scorers_whose_greatest_is_the_best() -> None:
    fitted = rs.RidgeSplineRegressorCV(interactions=[1, [[0], [1, 2]]], scoring="r2", **FEW).fit(X, Y)
    assert fitted.interactions_ == [[0], [1, 2]]
    assert fitted.scores_.max() == max(each.score for each in fitted.candidates_)


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_classes(loss: str) -> None:
    model = rs.RidgeSplineClassifierCV(
        interactions=[1, [["age"], ["bmi", "s1"]]], loss=loss, **FEW | {"n_lams": 2, "cv": SPLITS[:2]}
    )
    fitted = model.fit(frame(), LABELS)
    assert len(fitted.candidates_) == 2
    assert all(len(each.paths) == len(fitted.solutions_) for each in fitted.candidates_)
    assert all(map(allowed, fitted.solutions_))
    assert fitted.interactions_ in model.interactions
    assert set(fitted.predict(frame())) <= set(LABELS)


def test_those_that_mean_the_same_are_tried_once() -> None:
    fitted = rs.RidgeSplineRegressorCV(interactions=[None, 3, 1, [[0], [1], [2]], 5], **FEW).fit(X, Y)
    assert [each.interactions for each in fitted.candidates_] == [None, 1]
    assert repr(fitted.candidates_[1]).startswith("Candidate(interactions=1, lam=")


def test_one_that_is_given_is_the_only_candidate() -> None:
    fitted = rs.RidgeSplineRegressorCV(interactions=[[0], [1, 2]], **FEW).fit(X, Y)
    assert fitted.interactions_ == [[0], [1, 2]]
    assert len(fitted.candidates_) == 1
    assert rs.RidgeSplineRegressorCV(**FEW).fit(X, Y).interactions_ is None
    line = rs.LinearSplineRegressorCV(n_lams=3, cv=3).fit(X[:, 0], Y)
    assert not hasattr(line, "interactions_")


def test_jobs_side_by_side() -> None:
    one = rs.RidgeSplineRegressorCV(interactions=[["age"], ["bmi", "s1"]], **FEW).fit(frame(), Y)
    two = clone(one).set_params(n_jobs=2, n_segments=2).fit(frame(), Y)
    np.testing.assert_allclose(one.scores_folds_, two.scores_folds_, rtol=1e-6)
    assert all(map(allowed, two.path_))


@pytest.mark.parametrize("given", [[1, 2, None], [["age"], ["bmi", "s1"]]], ids=str)
def test_the_default_solver(given: Any) -> None:
    settings: dict[str, Any] = {"n_lams": 4, "lam_ratio": 0.05, "cv": 3, "scale": True}
    fitted = rs.RidgeSplineRegressorCV(interactions=given, **settings).fit(frame(), Y)
    for each in fitted.candidates_:
        if each.entry.groups is not None:
            assert all(allowed(solution) for path in each.paths for solution in path)
    assert fitted.solution_.tolerance == 1e-4
    assert fitted.score(frame(), Y) > 0.8


# ------------------------------------------------------------------------------- chosen by criteria


@pytest.mark.parametrize("criterion", ["gcv", "bic", "sure"])
def test_criteria(criterion: str) -> None:
    given = [1, [["age"], ["bmi", "s1"]]]
    settings = EXACT | {"n_lams": 6, "criterion": criterion, "sigma": 0.05}
    fitted = rs.RidgeSplineRegressorCV(interactions=given, **settings).fit(frame(), Y)
    for each in fitted.candidates_:
        alone = rs.RidgeSplineRegressorCV(interactions=each.interactions, **settings).fit(frame(), Y)
        np.testing.assert_allclose(alone.scores_, each.scores, rtol=1e-6)
        assert each.scores_folds is None is each.scores_se
    assert fitted.interactions_ == given[1]
    assert fitted.scores_.min() == min(each.score for each in fitted.candidates_)
    assert not hasattr(fitted, "scores_folds_")


def test_the_noise_is_one_for_all_candidates() -> None:
    given = [1, [["age"], ["bmi", "s1"]]]
    settings = EXACT | {"n_lams": 8, "lam_ratio": 0.005, "criterion": "sure"}
    fitted = rs.RidgeSplineRegressorCV(interactions=given, **settings).fit(frame(), Y)
    each = [rs.RidgeSplineRegressorCV(interactions=one, **settings).fit(frame(), Y).sigma_ for one in given]
    assert fitted.sigma_ == pytest.approx(each[1], rel=1e-6)  # that of the true groups, which fit best
    assert each[0] > 1.2 * each[1]
    known = rs.RidgeSplineRegressorCV(interactions=given, **settings, sigma=fitted.sigma_).fit(frame(), Y)
    for one, other in zip(fitted.candidates_, known.candidates_, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("criterion", ["gcv", "bic", "sure"])
def test_criteria_with_the_default_solver(criterion: str) -> None:
    settings: dict[str, Any] = {"n_lams": 4, "lam_ratio": 0.05, "criterion": criterion}
    fitted = rs.RidgeSplineRegressorCV(interactions=[1, 2], **settings).fit(X, Y)
    assert all(allowed(solution) for each in fitted.candidates_ for path in each.paths for solution in path)
    assert np.isfinite(fitted.scores_).all()
