"""lam as a fraction of lambda_max, defaults that do not depend on units, time limits, and the bar."""

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs
from ridgesplines.estimators.time_limit import limited
from ridgesplines.solvers.progress import Bar, near, stage, step

RNG = np.random.default_rng(5)
#: Horsepower and weight: integers in other units; y in tenths.
X = np.column_stack([RNG.integers(60, 230, 60), 10 * RNG.integers(160, 480, 60)]).astype(float)
Y = np.round(40.0 - 0.1 * np.maximum(X[:, 0] - 100.0, 0.0) - 0.004 * X[:, 1] + RNG.standard_normal(60), 1)
LABELS = np.where(np.abs(X[:, 0] - 140) + 0.01 * RNG.integers(0, 4000, 60) > 55, "far", "near")
GRID = rs.Grid(directions=4)


@pytest.mark.parametrize("lam", ["0.05max", "0.2 max", "max"])
def test_a_fraction_is_one_of_lambda_max(lam):
    fraction = float(lam.removesuffix("max") or 1.0)
    scaled = rs.Problem(X / X.std(axis=0), Y, 1.0)
    model = rs.RidgeSplineRegressor(lam=lam, solver=GRID).fit(X, Y)
    assert model.lam_ == model.solution_.problem.lam == pytest.approx(fraction * rs.lambda_max(scaled), rel=1e-9)
    line = rs.LinearSplineRegressor(lam=lam).fit(X[:, 0], Y)
    assert line.lam_ == pytest.approx(fraction * rs.lambda_max(rs.Problem(X[:, 0], Y, 1.0)), rel=1e-9)
    path = rs.solve_path(rs.Problem(X[:, 0], Y, 1.0), lams=[lam, 1e-3])
    assert path.lams[0] == pytest.approx(line.lam_, rel=1e-9)
    folds = rs.LinearSplineRegressorCV(lams=[lam, "0.01max"], cv=2)
    with pytest.warns(rs.RangeWarning) if lam != "max" else pytest.MonkeyPatch.context():
        folds.fit(X[:, 0], Y)
    assert folds.lams_[0] == pytest.approx(line.lam_, rel=1e-9)


def test_where_there_is_no_lambda_max():
    assert rs.LinearSplineRegressor(loss="interpolation").fit([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0]).lam_ == 0.05
    affine = rs.RidgeSplineRegressor().fit(X, X @ [1.0, 2.0])
    assert affine.network_.n_neurons == 0
    held = rs.LinearSplineRegressor(constraints=[rs.FixedValues([100.0, 140.0, 180.0], [40.0, 20.0, 30.0])])
    assert held.fit(X[:, 0], Y).lam_ > 0.0


def test_each_quantile_has_its_own_lambda_max():
    model = rs.LinearSplineQuantiles([0.1, 0.5]).fit(X[:, 0], Y)
    for q, problem in zip([0.1, 0.5], model.curves_.problems, strict=True):
        assert problem.lam == pytest.approx(0.05 * rs.lambda_max(rs.Problem(X[:, 0], Y, 1.0, rs.Quantile(q))), rel=1e-6)
    assert rs.LinearSplineQuantiles([0.1, 0.5], lam=["0.5max", 0.3]).fit(X[:, 0], Y).curves_.problems[1].lam == 0.3


@pytest.mark.parametrize("lam", ["5%", "0.05", "-1max", "0max", "nanmax", "infmax", "0.5null"])
def test_other_words_are_refused(lam):
    for model in (
        rs.RidgeSplineRegressor(lam=lam),
        rs.LinearSplineRegressor(lam=lam),
        rs.LinearSplineQuantiles(lam=lam),
    ):
        with pytest.raises(
            rs.ProblemError, match=r'lam: expected a positive number, a positive fraction .*"0.05max", or "null"'
        ):
            model.fit(X[:, :1], Y)
    with pytest.raises(rs.ProblemError, match="lams: expected a positive number, a positive fraction"):
        rs.solve_path(rs.Problem(X, Y, 1.0), lams=[lam, 1.0])
    with pytest.raises(rs.ProblemError, match="lam"):
        rs.Problem(X, Y, "0.05max")


@pytest.mark.parametrize("make", [rs.RidgeSplineRegressor, rs.RidgeSplineClassifier])
def test_defaults_do_not_depend_on_units(make):
    y = Y if make is rs.RidgeSplineRegressor else LABELS
    units, moved = np.array([1.341, 2e-4]), np.array([5.0, -30.0])
    one, other = make().fit(X, y), make().fit(X * units + moved, y)
    a, b = (model.network_(x) for model, x in ((one, X), (other, X * units + moved)))
    np.testing.assert_allclose(a, b, atol=1e-3 * np.abs(a).max())
    assert other.lam_ == pytest.approx(one.lam_, rel=1e-6)
    assert one.solution_.status == other.solution_.status == "converged"
    if make is rs.RidgeSplineRegressor:
        more = make().fit(X, 1e3 * Y)
        np.testing.assert_allclose(more.predict(X), 1e3 * one.predict(X), rtol=1e-3)


def test_everything_is_in_the_units_of_x():
    model = rs.RidgeSplineRegressor().fit(X, Y)
    at = np.array([90.0, 200.0])
    expected = [np.mean(model.predict(np.column_stack([np.full(60, x), X[:, 1]]))) for x in at]
    np.testing.assert_allclose(model.network_.partial_dependence(X, 0, at), expected)
    parts = model.solution_.components()
    np.testing.assert_allclose(parts.intercept + sum(part(X) for part in parts), model.predict(X))
    axes = model.solution_.plot(kind="dependence").axes[0]
    low, high = axes.get_xlim()
    assert low <= 60.0 < 225.0 <= high


# ------------------------------------------------------------------------------------------------ time

HARD = RNG.standard_normal((150, 6))
HARD_Y = np.sin(3.0 * HARD[:, 0] * HARD[:, 1]) + RNG.standard_normal(150)


def test_a_fit_ends_in_time_and_says_so():
    model = rs.RidgeSplineRegressor(lam="0.01max", max_time=1.0)
    with pytest.warns(rs.ConvergenceWarning):
        clone(model).fit(HARD, HARD_Y)  # compiles
    began = time.perf_counter()
    with pytest.warns(rs.ConvergenceWarning, match=r"relative gap of .*, after max_time"):
        model.fit(HARD, HARD_Y)
    assert time.perf_counter() - began < 60.0  # of a busy machine
    assert model.timed_out_
    assert model.solution_.status == "not converged"
    assert model.solution_.relative_gap > model.solution_.tolerance
    assert rs.evaluate(model.solution_.problem, model.network_, 0.0).objective == pytest.approx(
        model.solution_.objective
    )
    assert not rs.RidgeSplineRegressor(lam="max", max_time=60.0).fit(HARD, HARD_Y).timed_out_


@pytest.mark.parametrize(
    "settings", [{}, {"criterion": "gcv"}, {"rule": "one-se"}, {"interactions": [1, None]}], ids=str
)
def test_a_choice_ends_with_what_it_has(settings):
    model = rs.RidgeSplineRegressorCV(max_time=1.0, cv=3, n_lams=6, lam_ratio=1e-3, **settings)
    with pytest.warns(rs.ConvergenceWarning) as caught:
        model.fit(HARD, HARD_Y)
    assert any("max_time = 1 s were over" in str(each.message) for each in caught)
    assert model.timed_out_
    assert model.lam_ in model.lams_[: len(model.path_)]
    assert model.solution_.problem.lam == model.lam_
    assert np.isfinite(model.predict(HARD)).all()


@pytest.mark.parametrize("criterion", ["cv", "gcv", "sure", "bic"])
def test_the_warning_counts_the_lams_that_were_asked_for(criterion):
    lams = ["max", "0.5max", "0.2max", "0.1max", "0.03max", "0.01max"]
    model = rs.RidgeSplineRegressorCV(lams=lams, criterion=criterion, max_time=1e-3, cv=2)
    with pytest.warns(rs.ConvergenceWarning) as caught:
        model.fit(HARD[:60, :3], HARD_Y[:60])
    assert any("of 6 lams had a score" in str(each.message) for each in caught)
    assert 1 <= np.isfinite(model.scores_).sum() < 6


def test_a_choice_with_enough_time_is_the_same():
    settings = {"cv": 3, "lams": ["max", "0.3max", "0.1max", "0.01max", "0.003max"]}
    free, held = (rs.RidgeSplineRegressorCV(**settings, max_time=limit).fit(X, Y) for limit in (None, 600.0))
    assert held.lam_ == free.lam_
    assert not held.timed_out_
    known = len(held.path_)
    np.testing.assert_array_equal(held.scores_[:known], free.scores_[:known])
    np.testing.assert_array_equal(held.network_.amplitudes, free.network_.amplitudes)


@pytest.mark.parametrize("seconds", [0, -1.0, "1 min"])
def test_no_time_is_refused(seconds):
    for model in (rs.RidgeSplineRegressor(max_time=seconds), rs.LinearSplineRegressorCV(max_time=seconds)):
        with pytest.raises(rs.ProblemError, match="max_time: expected a number of seconds > 0"):
            model.fit(X[:, :1], Y)


def test_only_what_can_be_told_is_limited():
    assert limited(rs.Univariate(), 1.0) == rs.Univariate(max_time=1.0, total_time=1.0)
    solver = rs.ColumnGeneration(max_time=0.5)
    assert limited(solver, 2.0) == rs.ColumnGeneration(max_time=0.5, total_time=2.0)
    assert limited(solver, float("inf")) is solver
    short = list(rs.ColumnGeneration(total_time=1e-9).path(rs.Problem(X, Y, 1.0), [100.0, 10.0, 1.0]))
    assert len(short) == 1


# ------------------------------------------------------------------------------------------------- bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_there_is_one_bar_and_none_where_nobody_looks(monkeypatch, capsys):
    screen = Terminal()
    settings = {"cv": 2, "lams": ["max", "0.1max", "1e-3max"], "solver": rs.ColumnGeneration(tol=1e-3)}
    monkeypatch.setattr("ridgesplines.solvers.progress.PAUSE", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", screen)
        rs.RidgeSplineRegressorCV(**settings, verbose=True).fit(X, Y)
        rs.solve_path(rs.Problem(X[:, 0], Y, 1.0), n_lams=3, verbose=True)
    text = screen.getvalue()
    assert "\n" not in text  # one line, drawn anew
    assert text.endswith("\r\033[K")  # and gone at the end
    for word in ("fold 1", "fold 2", "all rows", "lam 2 of 3 = ", "gap ", "s left"):
        assert word in text
    rs.RidgeSplineRegressorCV(**settings, verbose=True).fit(X, Y)
    rs.RidgeSplineRegressor(verbose=True, solver=GRID).fit(X, Y)
    rs.LinearSplineRegressor(verbose=True).fit(X[:, 0], Y)
    assert capsys.readouterr() == ("", "")
    assert Bar.current is None


def test_the_line_of_the_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Bar(True, stages=4, limit=30.0) as bar, Bar(True) as inner:
        assert Bar.current is bar is not inner
        stage("fold 1")
        stage("fold 2")
        step(1, 2, 0.25)
        near(1.23e-3)
        line = bar.line(12.0)
    assert line == "[########............]  fold 2  lam 2 of 2 = 0.25  gap 1.3e-03  about 18 s left"


def test_folds_in_other_processes_move_the_bar(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("ridgesplines.solvers.progress.PAUSE", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", screen)
        rs.LinearSplineRegressorCV(cv=3, lams=["0.5max", "0.2max", "0.1max"], n_jobs=2, verbose=True).fit(X[:, 0], Y)
    drawn = screen.getvalue().split("\r\033[K")
    seen = [[line.startswith("[#") and f"{k} of 3 folds" in line for line in drawn].index(True) for k in (1, 2, 3)]
    assert seen == sorted(seen)


#: A first fit after an installation: nothing that numba compiled is on disk.
FIRST_FIT = """
import sys
import numpy as np, ridgesplines as rs
given = eval(sys.argv[1])
X = np.random.default_rng(0).standard_normal((300 if given else 250, 3))
model = rs.RidgeSplineRegressor(lam=20.0, max_time=4.0, scale=False, **given).fit(X, np.abs(X[:, 0]) + X[:, 1])
print(model.timed_out_, model.network_.n_neurons)
"""


RISING = "'constraints': [rs.MonotoneFeatures({1: 1})]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "compiled"),
    [
        ("{}", "climb"),
        (f"{{{RISING}}}", "compiled_steepest.ascended"),
        (f"{{'interactions': 2, {RISING}}}", "compiled_monotone.sweeps"),
    ],
)
def test_what_is_compiled_once_takes_no_time_off_the_first_fit(given, compiled, tmp_path):
    pytest.importorskip("numba")
    told = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", FIRST_FIT, given], env=told, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split()[0] == "False", ended.stdout + ended.stderr
    assert int(ended.stdout.split()[1]) > 0
    assert any(tmp_path.rglob(f"*{compiled}*.nbi"))  # it has been compiled
