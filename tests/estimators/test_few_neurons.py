"""At most so many neurons: against a fine scan of lam, and against the scores by hand."""

from itertools import takewhile

import numpy as np
import pytest
from sklearn.base import clone

import ridgesplines as rs

#: Small ranges are quick; what is said of their ends is tested in test_ranges.py.
pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.RangeWarning")


def readings(seed=0, n=60):
    """Rounded x, repeated, and a broken line with noise."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.uniform(0.0, 20.0, n), 0)
    return x, np.interp(x, [0.0, 6.0, 11.0, 20.0], [3.0, 9.0, 4.0, 6.0]) + 0.5 * rng.standard_normal(n)


@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("most", [0, 2])
def test_the_smallest_lam_of_a_scan(loss, most):
    x, y = readings()
    model = rs.LinearSplineRegressor(loss=loss, max_neurons=most).fit(x, y)
    lam = model.solution_.problem.lam
    assert model.network_.n_neurons <= most
    top = rs.lambda_max(model.solution_.problem)
    lams = top * np.geomspace(1.0 + 1e-6, 1e-2, 60 if loss == "squared" else 25)
    counts = [s.network.n_neurons for s in rs.solve_path(model.solution_.problem, lams=lams)]
    until = len(list(takewhile(lambda count: count <= 2 * most + 2, counts)))
    few = [each for each, count in zip(lams[:until], counts, strict=False) if count <= most]
    assert lam <= few[-1] * (1.0 + 1e-3)
    if until < len(lams):
        assert lam >= lams[until]


def test_a_path_has_the_one_of_the_smallest_lam():
    x, y = readings(1)
    path = rs.solve_path(rs.Problem(x, y, 1.0), n_lams=25)
    counts = np.array([s.network.n_neurons for s in path])
    for k in range(5):
        chosen = path.with_neurons(k)
        assert chosen.problem.lam == path.lams[counts <= k].min()
        assert chosen.data_fit == min(s.data_fit for s in path if s.network.n_neurons <= k)
    with pytest.raises(rs.ProblemError, match="k: expected at least"):
        rs.solve_path(rs.Problem(x, y, 1.0), lams=[1e-2]).with_neurons(1)
    with pytest.raises(rs.ProblemError, match="k: expected a whole number"):
        path.with_neurons(1.5)


@pytest.mark.parametrize("criterion", ["cv", "bic"])
def test_the_choice_is_among_the_fits_of_few_neurons(criterion):
    x, y = readings(2)
    free = rs.LinearSplineRegressorCV(criterion=criterion, n_lams=20, lam_ratio=1e-3).fit(x, y)
    held = clone(free).set_params(max_neurons=1).fit(x, y)
    assert np.array_equal(free.scores_, held.scores_)
    counts = np.array([s.network.n_neurons for s in free.path_])
    assert counts[free.scores_.argmin()] > 1
    allowed = np.where(counts <= 1, free.scores_, np.inf)
    assert held.lam_ == free.lams_[allowed.argmin()]
    assert held.network_.n_neurons == 1


def test_many_features_keep_to_it_after_the_last_refinement():
    rng = np.random.default_rng(3)
    X = rng.integers(-3, 4, (50, 2)).astype(float)
    y = np.abs(X[:, 0]) + np.maximum(X.sum(axis=1), 0.0) + 0.1 * rng.standard_normal(50)
    free = rs.RidgeSplineRegressorCV(cv=3, n_lams=6).fit(X, y)
    held = rs.RidgeSplineRegressorCV(cv=3, n_lams=6, max_neurons=2).fit(X, y)
    assert free.network_.n_neurons > 2 >= held.network_.n_neurons


def test_what_cannot_be_is_said():
    x, y = readings()
    for wrong in (-1, 2.5, True, "three"):
        with pytest.raises(rs.ProblemError, match="max_neurons: expected a whole number"):
            rs.LinearSplineRegressor(max_neurons=wrong).fit(x, y)
    with pytest.raises(rs.ProblemError, match="does not depend on lam"):
        rs.LinearSplineRegressor(loss="interpolation", max_neurons=2).fit([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    with pytest.raises(rs.ProblemError, match="max_neurons: expected at least"):
        rs.LinearSplineRegressorCV(lams=[1e-2, 2e-2], max_neurons=0).fit(x, y)
