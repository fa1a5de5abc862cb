"""Knots of known places, free of charge or the only ones: against CVXPY in truncated powers, and least squares."""

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum

import ridgesplines as rs
from ridgesplines.cli.main import main
from ridgesplines.constraints import constraint_named

LOSSES = [rs.Squared(), rs.Absolute(), rs.Quantile(0.8), rs.Huber(0.3), rs.Logistic(), rs.Hinge(), rs.Poisson()]
SHAPES = {
    "free": [],
    "monotone": [rs.Monotone()],
    "convex": [rs.Convex()],
    "lipschitz": [rs.Lipschitz(0.7)],
    "bounded": [rs.Bounds(-0.4, 1.5)],
}


def instance(loss, seed=0, n=30):
    rng = np.random.default_rng(seed)
    x = np.round(rng.uniform(0.0, 10.0, n), 1)
    y = np.round(np.sin(x) + np.maximum(x - 5.0, 0.0) + 0.3 * rng.standard_normal(n), 2)
    if loss.labels:
        y = np.where(np.sin(2.0 * x) + rng.standard_normal(n) > 0.0, 1.0, -1.0)
    if isinstance(loss, rs.Poisson):
        y = rng.poisson(np.exp(0.5 * np.sin(x))).astype(float)
    return x, y, rng.integers(1, 4, n).astype(float)


def best(problem, free, only, shape):
    """The optimum over all bends at the data and the places, in truncated powers; slopes and values at the places."""
    x = problem.X[:, 0]
    t = np.unique(np.concatenate([x, free]) if only is None else np.concatenate([free, only]))
    t = t[(t > x.min()) & (t < x.max())]
    v, line = cp.Variable(len(t)), cp.Variable(2)
    slopes = cp.hstack([line[0], line[0] + cp.cumsum(v)])
    at = np.concatenate([[x.min()], t, [x.max()]])
    values = np.maximum(at[:, None] - t, 0.0) @ v + line[0] * at + line[1]
    asked = {
        "free": [],
        "monotone": [slopes >= 0.0],
        "convex": [v >= 0.0],
        "lipschitz": [cp.abs(slopes) <= 0.7],
        "bounded": [values >= -0.4, values <= 1.5, slopes[0] == 0.0, slopes[-1] == 0.0],
    }[shape]
    if shape == "bounded":  # f may bend at the first and the last site too
        ends = [x.min(), x.max()] if only is None else []
        w = cp.Variable(2)
        asked[2:] = [slopes[0] + w[0] == 0.0, slopes[-1] + w[1] == 0.0] if ends else asked[2:]
        norm = cp.norm1(v[~np.isin(t, free)]) + (cp.norm1(w) if ends else 0.0)
    else:
        norm = cp.norm1(v[~np.isin(t, free)])
    fit = np.maximum(x[:, None] - t, 0.0) @ v + line[0] * x + line[1]
    return minimum(problem, fit, norm, asked)


@pytest.mark.parametrize("only", [None, [1.5, 2.7, 4.0, 7.1]], ids=["anywhere", "at places"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_the_optimum_is_that_of_an_independent_program(loss, shape, only):
    x, y, weight = instance(loss, LOSSES.index(loss))
    free = np.array([3.35, 6.2])
    known = [rs.FreeKnots(free), *SHAPES[shape], *([rs.KnotsAt(only)] if only else [])]
    problem = rs.Problem(x, y, 0.6, loss, sample_weight=weight, constraints=known)
    solution = rs.solve(problem)
    least = best(problem, free, only, shape)
    assert solution.objective == pytest.approx(least, rel=2e-6, abs=1e-7)
    assert solution.certificate.scope == "exact"
    assert max(solution.relative_gap, 1e6 * solution.violation) < 1e-6
    assert only is None or np.isin(solution.network.knots, [*free, *only]).all()


@pytest.mark.parametrize("shape", ["free", "monotone", "lipschitz"])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Quantile(0.8), rs.Logistic()], ids=lambda loss: loss.name)
def test_the_certificate_is_a_bound_that_vanishes_at_free_knots(loss, shape):
    x, y, weight = instance(loss, 9)
    problem = rs.Problem(x, y, 0.6, loss, sample_weight=weight, constraints=[rs.FreeKnots(4.05), *SHAPES[shape]])
    c = rs.solve(problem).certificate
    assert abs(c.eta(1.0, 4.05)[0]) < 1e-9 * np.abs(c.dual).sum()
    assert np.abs(c.eta(1.0, np.linspace(-1.0, 11.0, 500))).max() <= c.sup * (1.0 + 1e-9)
    assert c.value <= best(problem, np.array([4.05]), None, shape) * (1.0 + 1e-7)


def test_from_lambda_max_on_it_is_the_least_squares_spline_with_these_knots():
    x, y, weight = instance(rs.Squared(), 4, 60)
    problem = rs.Problem(x, y, 1.0, sample_weight=weight, constraints=[rs.FreeKnots([2.5, 5.0])])
    top = rs.lambda_max(problem)
    hinges = np.column_stack([np.ones_like(x), x, np.maximum(x - 2.5, 0.0), np.maximum(x - 5.0, 0.0)])
    root = np.sqrt(weight)
    theta = np.linalg.lstsq(hinges * root[:, None], y * root, rcond=None)[0]
    above, below = (rs.solve(problem.with_lam(share * top)) for share in (1.0001, 0.999))
    assert np.allclose(above.segments().slope, np.cumsum(theta[1:]), atol=1e-7)
    assert above.seminorm == 0.0 < below.seminorm
    u = 2.0 * weight * (y - hinges @ theta)
    eta = np.maximum(x[:, None] - x, 0.0).T @ u
    assert top == pytest.approx(np.abs(eta).max(), rel=1e-5)
    assert np.allclose(above.refitted().predict(x), above.predict(x), atol=1e-7)
    assert below.refitted().data_fit < below.data_fit < above.data_fit


def test_no_contradiction_by_rounding_of_the_moments():
    """A constant is the optimum; what rounds in the moment of u counts, times the slope of y, besides the sums."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, 100_000)
    y = np.sin(4.0 * np.pi * np.sqrt(x)) * np.sqrt(x) + 0.2 * rng.standard_normal(len(x))
    solution = rs.solve(rs.Problem(x, y, 3.42902, constraints=[rs.Monotone(), rs.Concave()]))
    assert solution.network.slope[0] == 0.0
    assert solution.objective == pytest.approx(((y - y.mean()) ** 2).sum(), rel=1e-12)
    assert solution.relative_gap < 1e-12


def test_places_beyond_the_data_change_nothing_but_where_ends_have_slopes():
    x, y, _ = instance(rs.Squared(), 5)

    def fit(*known):
        return rs.solve(rs.Problem(x, y, 0.5, constraints=list(known))).objective

    assert fit(rs.FreeKnots([-3.0, 12.0, 40.0])) == pytest.approx(rs.solve(rs.Problem(x, y, 0.5)).objective, rel=1e-9)
    level = rs.EndSlopes(left=0.0)
    assert fit(level, rs.FreeKnots([-3.0])) == pytest.approx(rs.solve(rs.Problem(x, y, 0.5)).objective, rel=1e-9)
    assert fit(level) > fit(level, rs.FreeKnots([-3.0])) * 1.01


def test_a_network_that_is_evaluated_has_its_bends_at_free_knots_for_nothing():
    x, y, _ = instance(rs.Squared(), 6)
    problem = rs.Problem(x, y, 0.5, constraints=[rs.FreeKnots([5.0])])
    net = rs.RidgeSpline([[1.0], [-1.0], [1.0]], [5.0, -5.0, 7.0], [2.0, -1.0, 0.5], [0.1], 0.3)
    measured = rs.evaluate(problem, net)
    assert measured.seminorm == 0.5
    assert measured.objective == pytest.approx(((y - net(x)) ** 2).sum() + 0.25)
    assert measured.certificate.value <= rs.solve(problem).objective


def test_saved_scaled_and_on_a_path(tmp_path):
    x, y, _ = instance(rs.Squared(), 7)
    days = np.datetime64("2024-01-01") + np.round(10.0 * x).astype(int)
    change = np.datetime64("2024-02-20")
    problem = rs.Problem(days, y, 5.0, constraints=[rs.FreeKnots(change), rs.KnotsAt(days[:9])])
    path = rs.solve_path(problem, n_lams=4)
    assert all(change in s.network.knots.astype("datetime64[D]") for s in path)
    path[1].save(tmp_path / "fit.npz")
    again = rs.Solution.load(tmp_path / "fit.npz")
    assert (again.objective, repr(again.problem)) == (path[1].objective, repr(path[1].problem))
    assert "FreeKnots(['2024-02-20'])" in again.summary()
    assert "bends that are not at free knots" in again.summary()
    with pytest.raises(rs.ProblemError, match="at: expected dates"):
        rs.Problem(days, y, 5.0, constraints=[rs.FreeKnots(50.0)])


def test_what_does_not_go_is_said():
    x, y, _ = instance(rs.Squared())
    with pytest.raises(rs.ProblemError, match=r"Interpolation.*with given knots a spline may be unable"):
        rs.Problem(np.unique(x), np.unique(x), 0.0, rs.Interpolation(), constraints=[rs.FreeKnots(3.0)])
    through = rs.FixedValues([1.0, 5.0, 9.0], [0.0, 2.0, 0.0])
    with pytest.raises(rs.ProblemError, match=r"knots at 3 only, with which no spline satisfies the others"):
        rs.Problem(x, y, 1.0, constraints=[through, rs.KnotsAt(3.0), rs.Slope(-0.6, 1.0)])
    label = np.where(x > 3.0, 1.0, -1.0) * np.where(x > 7.0, -1.0, 1.0)
    with pytest.raises(rs.ProblemError, match="no spline with free knots within the constraints separates"):
        rs.solve(rs.Problem(x, label, 0.1, rs.Logistic(), constraints=[rs.FreeKnots(5.0)]))
    for at in ([], [[1.0]]):
        with pytest.raises(rs.ProblemError, match=r"at: expected .*Pass KnotsAt"):
            rs.KnotsAt(at)


def test_words_on_a_command_line(tmp_path, capsys):
    assert constraint_named("knots-at=5,2.5") == rs.KnotsAt([2.5, 5.0])
    assert repr(constraint_named("free-knots=2020-01-31")) == "FreeKnots(['2020-01-31'])"
    x, y, _ = instance(rs.Squared(), 8)
    np.savetxt(tmp_path / "t.csv", np.column_stack([x, y]), delimiter=",", header="x,y", comments="")
    table = ["fit", str(tmp_path / "t.csv"), "--target", "y", "--lam", "0.2max"]
    assert main([*table, "--constraint", "free-knots=5.05", "increasing"]) == 0
    out = capsys.readouterr().out
    assert "FreeKnots([5.05]), Monotone" in out
    assert "5.05" in out.split("knots", 2)[2]
    assert main([*table, "--constraint", "free-knots=soon"]) != 0
    assert "expected free-knots=X,X,...; got 'free-knots=soon'" in capsys.readouterr().err
