"""What makes the choice of lam cheap: loose fits, early ends, no certificates; and what that must not change."""

from __future__ import annotations

import importlib
from typing import Any

import joblib
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.estimators.early_stop import needed, passed

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")

RNG = np.random.default_rng(3)
N = 36
X = RNG.uniform(-1.0, 1.0, (N, 2))
Y = np.abs(X[:, 0]) + X[:, 1] + 0.1 * RNG.standard_normal(N)
LABELS = np.array(["low", "middle", "high"])[np.digitize(np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(N), [0.3, 0.6])]
SIDES = np.where(X[:, 0] + 0.4 * np.random.default_rng(5).standard_normal(N) > 0.0, "right", "left")
SPLITS = [(np.flatnonzero(np.arange(N) % 3 != k), np.flatnonzero(np.arange(N) % 3 == k)) for k in range(3)]


def gap_asked_for(model: Any, X: Any, y: Any) -> float:
    """A scorer that gives away to what gap its network was solved."""
    return float(model.solution_.tolerance)


# --------------------------------------------------------------------------------------- tolerances


@pytest.mark.parametrize(
    ("settings", "kept", "loose"),
    [
        ({}, 1e-4, 1e-2),
        ({"solver": rs.ColumnGeneration(tol=1e-7)}, 1e-7, 1e-2),
        ({"solver": rs.ColumnGeneration(tol=1e-7), "tol": 1e-5, "fold_tol": 1e-3}, 1e-5, 1e-3),
        ({"tol": 0.05}, 0.05, 0.05),
        ({"fold_tol": 1e-9}, 1e-4, 1e-4),
    ],
    ids=str,
)
def test_gaps_of_what_is_kept_and_of_what_serves_the_choice(settings: Any, kept: float, loose: float) -> None:
    fitted = rs.RidgeSplineRegressorCV(n_lams=3, lam_ratio=0.2, cv=2, **settings).fit(X, Y)
    others = [solution for solution in fitted.path_ if solution is not fitted.solution_]
    assert len(others) == len(fitted.path_) - 1
    assert {s.tolerance for s in others} == {loose}
    assert fitted.solution_.tolerance == kept
    assert all(s.relative_gap <= s.tolerance and s.status == "converged" for s in fitted.path_)
    fitted.set_params(scoring=gap_asked_for).fit(X, Y)
    assert (fitted.scores_folds_ == loose).all()


def test_other_solvers_keep_their_own() -> None:
    for data, solver in ((X, rs.Grid(2)), (X[:, :1], None)):
        fitted = rs.RidgeSplineRegressorCV(n_lams=2, cv=2, solver=solver, tol=0.5, fold_tol=0.5).fit(data, Y)
        problem = fitted.solution_.problem
        assert {s.tolerance for s in fitted.path_} == {rs.solve(problem, solver).tolerance} != {0.5}


def test_each_class_is_solved_again() -> None:
    fitted = rs.RidgeSplineClassifierCV(n_lams=2, lam_ratio=0.3, cv=2).fit(X, LABELS)
    chosen = list(fitted.lams_).index(fitted.lam_)
    for path, solution in zip(fitted.paths_, fitted.solutions_, strict=True):
        assert path[chosen] is solution
        assert [s.tolerance for s in path] == [1e-4 if i == chosen else 1e-2 for i in range(2)]
        assert solution.relative_gap <= 1e-4


def test_networks_of_folds_have_no_certificate(monkeypatch: Any) -> None:
    settle, made = importlib.import_module("ridgesplines.settle"), []
    certify = settle.certify

    def counted(problem: Any, *given: Any, **settings: Any) -> Any:
        made.append(problem.n_samples)
        return certify(problem, *given, **settings)

    monkeypatch.setattr(settle, "certify", counted)
    fitted = rs.RidgeSplineRegressorCV(lams=[1.0, 0.5], cv=2).fit(X, Y)
    assert made == [N] * (len(fitted.path_) + 1)


@pytest.mark.parametrize("settings", [{"tol": 0.0}, {"tol": "small"}, {"fold_tol": 2.0}, {"fold_tol": None}], ids=str)
def test_refusals(settings: Any) -> None:
    (name,) = settings
    for kind, y in ((rs.RidgeSplineRegressorCV, Y), (rs.RidgeSplineClassifierCV, LABELS)):
        with pytest.raises(rs.ProblemError, match="between 1e-14 and 1") as refusal:
            kind(**settings).fit(X, y)
        assert refusal.value.argument == name


# -------------------------------------------------------------------------------- the rules, by hand


def test_a_least_loss_is_passed_where_lam_has_fallen_and_the_last_scores_are_clearly_worse() -> None:
    coarse, fine = 0.5 ** np.arange(9), 0.9 ** np.arange(9)
    assert passed(coarse, [5.0, 1.0, 2.0, 3.0, 2.0])
    assert not passed(coarse, [5.0, 1.0, 2.0, 3.0])  # two scores are chance
    assert not passed(coarse, [5.0, 1.0, 2.0, 3.0, 1.05])  # nearly as good again
    assert not passed(fine, [5.0, 1.0, 2.0, 3.0, 4.0])  # lam has hardly fallen
    assert not passed(coarse, [1.0] * 9)  # nothing is worse: data that are affine
    assert passed(coarse, [-0.005, -0.009, -0.008, -0.007, -0.008])  # of scores of any sign and size


def test_what_every_fold_needs() -> None:
    even = np.array([0.5, 0.5])
    down, early = [9.0, 8.0, 7.0, 6.0, 5.0, 6.0, 7.0], [9.0, 3.0, 8.0, 8.0]
    assert needed([early, early], even, 9) == 4
    assert needed([early, down], even, 9) == 4
    assert needed([early, down], np.array([0.1, 0.9]), 9) == 7
    assert needed([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], even, 3) == 3  # no further than there are lams


# ------------------------------------------------------------------------------- paths that end early


class Script:
    """A scorer that says what was written for this fold and lam, and knows both by heart."""

    def __init__(self, losses: Any) -> None:
        self.losses = np.array(losses)
        self.lams = np.geomspace(1.0, 0.01, self.losses.shape[1]) * 2.0 / 3.0 * rs.lambda_max(rs.Problem(X, Y, 1.0))

    def __call__(self, model: Any, X_test: Any, y: Any) -> float:
        fold = np.flatnonzero((X_test[0] == X).all(axis=1))[0] % 3
        lam = np.argmin(np.abs(np.log(self.lams / model.solution_.problem.lam)))
        return -float(self.losses[fold, lam])


#: Two folds pass their best at once, and would end with 5 lams; the third is worth going on for.
LATE = [[5, 2, 3, 4, 5, 6, 7, 8, 9], [5, 2, 3, 4, 5, 6, 7, 8, 9], [90, 80, 70, 60, 50, 55, 60, 65, 70]]


def scripted(losses: Any, **settings: Any) -> rs.RidgeSplineRegressorCV:
    given = {
        "cv": SPLITS,
        "solver": rs.Grid(2, refine=False),
        "n_lams": np.shape(losses)[1],
        "scoring": Script(losses),
        "scale": False,
    }
    given |= settings
    return rs.RidgeSplineRegressorCV(**given).fit(X, Y)


def test_folds_end_where_their_best_is_passed() -> None:
    losses = np.array([[5, 2, 3, 4, 4, 1, 0], [5, 4, 3, 3.5, 4, 4, 0], [5, 2, 3, 4, 3, 0, 0]], dtype=float)
    fitted = scripted(losses)
    expected = losses.T.copy()
    expected[5:, [0, 2]] = expected[6:, 1] = np.nan
    np.testing.assert_array_equal(-fitted.scores_folds_, expected)
    np.testing.assert_array_equal(np.isnan(fitted.scores_), [False] * 5 + [True] * 2)
    np.testing.assert_array_equal(np.isnan(fitted.scores_se_), np.isnan(fitted.scores_))
    assert fitted.lam_ == fitted.lams_[1]
    np.testing.assert_array_equal(fitted.path_.lams, fitted.lams_[:2])  # smaller ones cost most, and are not chosen
    scores, chosen = fitted.plot().axes[0].get_lines()[0], fitted.plot().axes[0].get_lines()[-1]
    np.testing.assert_array_equal(scores.get_ydata(), fitted.scores_[:5])
    assert chosen.get_label().startswith("chosen")


def test_the_path_goes_on_where_few_neurons_are_asked_for() -> None:
    fitted = scripted([[5, 2, 3, 4, 4, 4, 4]] * 3, max_neurons=99)
    np.testing.assert_array_equal(fitted.path_.lams, fitted.lams_[:5])


@pytest.mark.parametrize("settings", [{"lams": True}, {"n_segments": 2}], ids=str)
def test_lams_that_were_named_are_tried(settings: Any) -> None:
    losses = [[5, 2, 3, 4, 5, 6, 0]] * 3
    if "lams" in settings:
        settings = {"lams": np.geomspace(1.0, 0.01, 7) * rs.lambda_max(rs.Problem(X, Y, 1.0))}
    fitted = scripted(losses, **settings)
    np.testing.assert_array_equal(-fitted.scores_, [5, 2, 3, 4, 5, 6, 0])
    assert fitted.lam_ == fitted.lams_[-1]
    assert len(fitted.path_) == 7


@pytest.mark.parametrize("rule", ["min", "one-se"])
def test_folds_are_taken_up_again_where_the_choice_needs_them(rule: str) -> None:
    fitted = scripted(LATE, rule=rule)
    every = scripted(LATE, rule=rule, lams=fitted.lams_)
    assert fitted.lam_ == every.lam_
    np.testing.assert_array_equal(-fitted.scores_folds_[:7], np.transpose(LATE)[:7])
    assert len(fitted.path_) == 5  # to the best score, by either rule
    assert fitted.lam_ == fitted.lams_[4] or rule == "one-se"


def test_jobs_side_by_side_take_up_the_same() -> None:
    """Bit for bit, also where folds are taken up again from another process."""
    solver = rs.ColumnGeneration()
    settings: dict[str, Any] = {"cv": SPLITS, "n_lams": 6, "lam_ratio": 0.1, "solver": solver, "scoring": None}
    one = rs.RidgeSplineRegressorCV(**settings).fit(X, Y)
    with joblib.parallel_config(backend="threading", n_jobs=3):
        other = rs.RidgeSplineRegressorCV(**settings).fit(X, Y)
    np.testing.assert_array_equal(one.scores_folds_, other.scores_folds_)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_a_path_taken_up_starts_from_its_last_network(monkeypatch: Any) -> None:
    starts = []
    path = rs.ColumnGeneration.path

    def seen(solver: Any, problem: Any, lams: Any) -> Any:
        starts.append((solver.start is not None, problem.n_samples, len(lams)))
        return path(solver, problem, lams)

    monkeypatch.setattr(rs.ColumnGeneration, "path", seen)
    fitted = scripted(LATE, solver=None)
    folds = [(start, n) for start, rows, n in starts if rows < N]
    assert folds == [(False, 9)] * 3 + [(True, 2)] * 2
    assert starts[-1] == (True, N, 1)  # the fit that is kept, from that of the path
    assert len(fitted.path_) == 5


# --------------------------------------------------------------- the same choice as with all lams tried


def correlated() -> Any:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((45, 1)) + 0.3 * rng.standard_normal((45, 2))
    return X, np.abs(X[:, 0]) + 0.6 * rng.standard_normal(45)


def whole_numbers() -> Any:
    rng = np.random.default_rng(1)
    X = rng.integers(0, 6, (45, 2)).astype(float)
    return X, np.maximum(X.sum(axis=1) - 5.0, 0.0) + 0.7 * rng.standard_normal(45)


def one_hot() -> Any:
    rng = np.random.default_rng(2)
    group = rng.integers(0, 2, 45)
    X = np.column_stack([group, rng.uniform(-1.0, 1.0, 45)])
    return X, np.where(group == 1, np.abs(X[:, 1]), 0.0) + 0.2 * rng.standard_normal(45)


def noise() -> Any:
    rng = np.random.default_rng(3)
    return rng.standard_normal((45, 2)), rng.standard_normal(45)


#: Each table with one score, and with the other one among the slow ones.
TABLES = [
    pytest.param(scoring, table, marks=[pytest.mark.slow] if (k + j) % 2 else [])
    for k, table in enumerate([correlated, whole_numbers, one_hot, noise])
    for j, scoring in enumerate([None, "r2"])
]


@pytest.mark.parametrize(("scoring", "table"), TABLES)
def test_early_ends_choose_the_same(table: Any, scoring: Any) -> None:
    X, y = table()
    settings: dict[str, Any] = {
        "n_lams": 8,
        "cv": 3,
        "scoring": scoring,
        "solver": rs.Grid(2, refine=False),
        "scale": True,
    }
    early = rs.RidgeSplineRegressorCV(**settings).fit(X, y)
    every = rs.RidgeSplineRegressorCV(lams=early.lams_, **settings).fit(X, y)
    assert early.lam_ == every.lam_
    assert np.isnan(early.scores_folds_).any()  # or nothing was tried
    both = np.isfinite(early.scores_folds_)
    np.testing.assert_allclose(early.scores_folds_[both], every.scores_folds_[both], rtol=1e-6)


@pytest.mark.parametrize(("scoring", "labels"), [(None, LABELS), ("accuracy", SIDES)])
def test_early_ends_choose_the_same_for_classes(scoring: Any, labels: Any) -> None:
    settings: dict[str, Any] = {"n_lams": 8, "cv": 2, "scoring": scoring, "solver": rs.Grid(2, biases=8, refine=False)}
    early = rs.RidgeSplineClassifierCV(**settings).fit(X, labels)
    every = rs.RidgeSplineClassifierCV(lams=early.lams_, **settings).fit(X, labels)
    assert early.lam_ == every.lam_
    assert np.isnan(early.scores_folds_).any()  # or nothing was tried
