"""Sample weights over ten decades and more: rows that anchor the spline, and rows that have nearly no say."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.settle import _remedy


def anchored(n, anchors, seed=0):
    """Noisy data in order, and which rows are anchors."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(n))
    y = np.sin(9.0 * x) + np.abs(x - 0.4) + 0.3 * rng.standard_normal(n)
    return x, y, np.isin(np.arange(n), rng.choice(n, anchors, replace=False))


def optimum_through(x, y, through, lam):
    """The optimum among splines through some of the points, which is the limit of large weights there."""
    values, slopes = cp.Variable(len(x)), cp.Variable(len(x) - 1)
    connected = [cp.diff(values) == cp.multiply(np.diff(x), slopes), values[through] == y[through]]
    objective = cp.sum_squares(values[~through] - y[~through]) + lam * cp.norm1(cp.diff(slopes))
    return cp.Problem(cp.Minimize(objective), connected).solve(solver="CLARABEL")


@pytest.mark.parametrize("lam", [100.0, 1.0, 0.05])
@pytest.mark.parametrize("weight", [1e10, 1e12, 1e14])
def test_anchors_are_passed_through(weight, lam):
    x, y, heavy = anchored(120, 6)
    s = rs.solve(rs.Problem(x, y, lam, sample_weight=np.where(heavy, weight, 1.0)))
    assert s.relative_gap <= 1e-8
    limit = optimum_through(x, y, heavy, lam)  # from below, by sum of u^2 / 4 s
    forced = float((s.certificate.dual[heavy] ** 2).sum()) / (4.0 * weight)
    assert limit - forced - 1e-6 * limit <= s.objective <= limit * (1.0 + 1e-6)


@pytest.mark.parametrize(("n", "anchors"), [(3000, 30), (300, 200)])
def test_more_anchors_and_rows(n, anchors):
    x, y, heavy = anchored(n, anchors)
    p = rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e12, 1.0))
    assert max(rs.solve(p.with_lam(lam)).relative_gap for lam in (100.0, 1.0, 0.1)) <= 1e-8


def test_a_path_with_anchors():
    x, y, heavy = anchored(200, 5)
    path = rs.solve_path(
        rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e11, 1.0)), lams=np.geomspace(30, 0.03, 8)
    )
    assert max(s.relative_gap for s in path) <= 1e-8


def test_vector_outputs_with_anchors():
    x, y, heavy = anchored(150, 5)
    y = np.column_stack([y, np.abs(x - 0.6)])
    p = rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e12, 1.0))
    assert max(rs.solve(p.with_lam(lam)).relative_gap for lam in (30.0, 1.0, 0.1)) <= 1e-8


@pytest.mark.parametrize("decades", [8, 12])
def test_weights_of_every_size(decades):
    x, y, _ = anchored(200, 0)
    weight = 10.0 ** np.random.default_rng(1).uniform(-decades / 2, decades / 2, len(x))
    p = rs.Problem(x, y, 1.0, sample_weight=weight)
    top = rs.lambda_max(p)
    assert max(rs.solve(p.with_lam(top * part)).relative_gap for part in (0.1, 1e-3, 1e-6)) <= 1e-8


def words_on_weights(s):
    """The line of the summary that speaks of weights; empty where none does."""
    return next((line for line in s.summary().split("\n") if line.startswith("weights")), "")


def test_the_summary_names_the_rows_that_act_as_fixed_values():
    x, y, heavy = anchored(120, 3)
    s = rs.solve(rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e11, 1.0)))
    words = words_on_weights(s)
    assert f"3 rows ({', '.join(map(str, np.flatnonzero(heavy)))}) weigh more than 1e+10 times" in words
    off = float(np.abs(y - s.predict(x))[heavy].max())
    assert f"missed by no more than {off:.1e}" in words
    assert off < 1e-8  # lam / 2 s, for a dual vector of at most some lam


def test_one_heavy_row_and_many():
    x, y, _ = anchored(40, 0)
    one = rs.solve(rs.Problem(x, y, 1.0, sample_weight=np.where(np.arange(40) == 7, 1e12, 1.0)))
    assert "row 7 weighs more than" in words_on_weights(one)
    many = rs.solve(rs.Problem(x, y, 1.0, sample_weight=np.where(np.arange(40) % 4 == 0, 1e12, 1.0)))
    assert "10 rows (0, 4, 8, 12, 16, 20, ...) weigh" in words_on_weights(many)


@pytest.mark.parametrize("light", [1e-13, 1e-11, 0.0])
def test_light_rows_are_no_reason_to_speak(light):
    """Kernels weigh most rows near nothing: those that count are not held by the few others."""
    x, y, few = anchored(60, 20)
    s = rs.solve(rs.Problem(x, y, 1.0, sample_weight=np.where(few, light, 1.0)))
    assert words_on_weights(s) == ""


def test_paths_and_estimators_say_it_too_and_do_not_warn():
    x, y, heavy = anchored(80, 3)
    weight = np.where(heavy, 1e11, 2.0)
    path = rs.solve_path(rs.Problem(x, y, 1.0, sample_weight=weight), lams=[3.0, 0.3])
    model = rs.LinearSplineRegressorCV(n_lams=6).fit(x, y, sample_weight=weight)
    for s in (*path, model.solution_):  # warnings are errors here
        assert "3 rows" in words_on_weights(s)


def test_two_heavy_rows_at_one_place_are_not_said_to_be_met():
    x, y = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 0.0, 1.0, 0.0])
    s = rs.solve(rs.Problem(x, y, 0.1, sample_weight=[1.0, 1e11, 1e11, 1.0, 1.0, 1.0]))
    assert "missed by no more than 5.0e-01" in words_on_weights(s)


def test_a_tolerance_missed_by_rounding_names_the_rows():
    x, y, heavy = anchored(60, 2)
    s = rs.solve(rs.Problem(x, y, 1.0, sample_weight=np.where(heavy, 1e12, 1.0)))
    words = _remedy(replace(s, tolerance=1e-300))
    assert "2 rows (" in words
    assert "Use FixedValues at these x, with weight zero instead" in words
    assert "rows (" not in _remedy(replace(s, problem=rs.Problem(x, y, 1.0), tolerance=1e-300))


@pytest.mark.parametrize("weight", [1e-40, 1e-150, 1e-300])
def test_rows_of_next_to_no_weight_are_no_measure_of_heavy_ones(weight):
    """A third of the rows: the others are no anchors for it, and the fit is theirs."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, 60).astype(float)
    y = np.abs(x - 20.0) + rng.standard_normal(60)
    counts = rng.random(60) < 2 / 3
    fitted = rs.solve(rs.Problem(x, y, 2.0, sample_weight=np.where(counts, 1.0, weight)))
    alone = rs.solve(rs.Problem(x[counts], y[counts], 2.0))
    assert fitted.status == "converged"
    assert fitted.relative_gap < 1e-10
    assert fitted.objective == pytest.approx(alone.objective, rel=1e-10)


def test_a_line_is_not_the_best_where_the_heavy_row_s_dual_entry_is_rounding():
    """The light rows alone see that the line can bend: the last entry of u is all of their pull, and less than eps."""
    x, y = np.array([0.0, 1.25, 2.0]), np.array([-0.3, -0.3, 0.3])
    p = rs.Problem(x, y, 1e-24, sample_weight=[1e-16, 1e-16, 1.0])
    bent = rs.RidgeSpline([[1.0]], [1.25], [0.8], [0.0], -0.3)  # through all points: lam * 0.8
    s = rs.solve(p)
    assert s.objective <= 0.8e-24 * (1.0 + 1e-8)
    assert s.objective <= rs.evaluate(p, bent).objective * (1.0 + 1e-8)
    assert s.certificate.value <= s.objective * (1.0 + 1e-8)


@pytest.mark.parametrize("weight", [1e-154, 1e-200, 1e-290])
def test_rows_whose_weight_squared_is_no_number_leave_huber_s_fit_to_the_others(weight):
    x, y, few = anchored(40, 13)
    p = rs.Problem(x, y, 0.03, rs.Huber(0.1), sample_weight=np.where(few, weight, 1.0))
    s, alone = rs.solve(p), rs.solve(rs.Problem(x[~few], y[~few], 0.03, rs.Huber(0.1)))
    assert s.status == "converged"
    assert s.objective == pytest.approx(alone.objective, rel=1e-8)
    assert s.network.n_neurons > 0
