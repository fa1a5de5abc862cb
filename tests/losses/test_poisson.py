"""Counts: generalised linear models, CVXPY, exposures, where there is no minimiser, and what users see of it."""

import itertools
import warnings

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum
from scipy.optimize import linprog
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score

import ridgesplines as rs
from ridgesplines.cli.main import main

#: Storms a year, invented: whole numbers, ties in x, a stretch of zeros.
YEAR = np.repeat(np.arange(1950.0, 1990.0), 2)
COUNT = np.random.default_rng(5).poisson(np.exp(1.5 - 0.15 * np.maximum(YEAR - 1965.0, 0.0)))


def spline_minimum(p):
    """The optimum by CVXPY, in units of the largest target: a value at each site, and second differences."""
    x, unit = np.unique(p.X), float(p.y.max())
    p = rs.Problem(p.X, p.y, p.lam / unit, p.loss, sample_weight=p.sample_weight / unit)
    g = cp.Variable(len(x))
    differences = np.diff(np.diff(np.eye(len(x)), axis=0) / np.diff(x)[:, None], axis=0)
    return unit * minimum(p, g[np.searchsorted(x, p.X[:, 0])], cp.norm1(differences @ g))


def hand_made(kind, seed=0):
    rng = np.random.default_rng(seed)
    x = np.round(rng.uniform(0.0, 10.0, 40), 1)
    mean = np.exp(1.0 + np.sin(x))
    weight = rng.uniform(0.2, 3.0, 40)
    match kind:
        case "counts":
            return x, rng.poisson(mean), None
        case "rates":
            return x, rng.poisson(weight * mean) / weight, weight
        case "a million":
            return x, rng.poisson(1e6 * mean), None
        case "few":
            return x, np.where(np.isin(np.arange(40), [3, 11, 30]), 2.0, 0.0), weight


@pytest.mark.parametrize("kind", ["counts", "rates", "a million", "few"])
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_against_cvxpy(kind, share):
    x, y, weight = hand_made(kind)
    p = rs.Problem(x, y, 1.0, rs.Poisson(), sample_weight=weight)
    p = p.with_lam(share * rs.lambda_max(p))
    s = rs.solve(p)
    assert s.status == "converged"
    assert s.relative_gap <= 1e-8
    assert s.objective == pytest.approx(spline_minimum(p), rel=1e-6)
    assert np.exp(s.predict(p.X)) @ p.sample_weight == pytest.approx(p.y @ p.sample_weight, rel=1e-6)


@pytest.mark.parametrize("d", [1, 3])
def test_beyond_lambda_max_it_is_the_generalised_linear_model(d):
    rng = np.random.default_rng(d)
    X, weight = np.round(rng.standard_normal((80, d)), 1), rng.integers(1, 4, 80).astype(float)
    y = rng.poisson(np.exp(0.5 + X[:, 0]))
    p = rs.Problem(X, y, 1.0, rs.Poisson(), sample_weight=weight)
    s = rs.solve(p.with_lam(1.001 * rs.lambda_max(p)))
    glm = PoissonRegressor(alpha=0.0, solver="newton-cholesky", tol=1e-10).fit(X, y, weight)
    assert s.network.n_neurons == 0
    assert np.exp(s.predict(X)) == pytest.approx(glm.predict(X), rel=1e-6)
    assert rs.solve(p.with_lam(0.9 * rs.lambda_max(p))).network.n_neurons > 0


def test_exposures_are_weights_and_rates_targets():
    """sum of e^(z + log exposure) - count z, written out in CVXPY, has the same minimiser."""
    rng = np.random.default_rng(1)
    x, exposure = np.sort(rng.uniform(0.0, 1.0, 30)), 10.0 ** rng.integers(0, 4, 30)
    count = rng.poisson(exposure * 0.05 * (1.0 + x))
    p = rs.Problem(x, count / exposure, 2.0, rs.Poisson(), sample_weight=exposure)
    g = cp.Variable(30)
    differences = np.diff(np.diff(np.eye(30), axis=0) / np.diff(x)[:, None], axis=0)
    loss = cp.sum(cp.exp(g + np.log(exposure))) - count @ g
    cp.Problem(cp.Minimize(loss + 2.0 * cp.norm1(differences @ g))).solve(solver="CLARABEL")
    assert rs.solve(p).predict(x) == pytest.approx(g.value, abs=1e-3)


@pytest.mark.parametrize("d", [1, 2])
def test_a_minimiser_exists_but_for_zeros_that_can_be_lowered_forever(d):
    """By the recession cone: a with a^T [1 x] <= 0 everywhere, = 0 at positive counts, and not zero everywhere."""
    rng = np.random.default_rng(d)
    points = np.array(list(itertools.product([0.0, 1.0, 2.0], repeat=d)))
    missing = 0
    for k in range(40):
        X = points[rng.integers(0, len(points), 6)]
        y = rng.poisson(1.0, 6) * (rng.random(6) < 0.6)
        A = np.column_stack([np.ones(6), X])
        held = A[y > 0]
        equal = {"A_eq": held, "b_eq": np.zeros(len(held))} if len(held) else {}
        lowest = linprog(A.sum(axis=0), A, np.zeros(6), bounds=(-1, 1), **equal).fun
        p = rs.Problem(X, y, 1.0, rs.Poisson())
        if lowest < -1e-6:
            missing += 1
            with pytest.raises(rs.ProblemError, match="counts whose zeros no affine function sets apart"):
                rs.lambda_max(p)
        else:
            assert rs.solve(p, rs.Grid(directions=4)).relative_gap < 1e-2 if k < 8 else rs.lambda_max(p) >= 0.0
    assert 3 < missing < 37


def test_all_zero_and_zero_on_one_side_are_refused_in_words_by_every_way_in():
    x = np.arange(10.0)
    for y in (np.zeros(10), np.where(x == 9.0, 3.0, 0.0)):
        for solver in (None, rs.Grid(), rs.Arrangement()):
            with pytest.raises(rs.ProblemError, match=r"zeros that it lowers forever.*Use Squared"):
                rs.solve(rs.Problem(x, y, 1.0, rs.Poisson()), solver)
    with pytest.raises(rs.ProblemError, match="within the constraints"):
        rs.solve(rs.Problem(x, y, 1.0, rs.Poisson(), constraints=[rs.Monotone()]))
    held = rs.Problem(x, y, 1.0, rs.Poisson(), constraints=[rs.Lipschitz(0.5)])
    assert rs.solve(held).relative_gap <= 1e-6
    X = np.column_stack([x, (x * 7) % 10])
    with pytest.raises(rs.ProblemError, match="of these signs"):
        rs.solve(rs.Problem(X, y, 1.0, rs.Poisson(), constraints=[rs.MonotoneFeatures({0: 1})], interactions=1))


@pytest.mark.parametrize("y", [[1.0, -1.0, 2.0], [0.5, -1e-9, 1.0]])
def test_negative_counts(y):
    with pytest.raises(rs.ProblemError, match=r"^y: expected counts or rates, numbers >= 0"):
        rs.Problem([0.0, 1.0, 2.0], y, 1.0, rs.Poisson())


def test_the_gap_bounds_the_dual_vector_of_two_fits():
    """The bound on the curvature, by brute force: no p' beyond it costs as little as the gap."""
    rng = np.random.default_rng(0)
    for p, gap in zip(10.0 ** rng.uniform(-6, 6, 50), 10.0 ** rng.uniform(-12, 3, 50), strict=True):
        most = float(rs.Poisson().steepest(np.array([p]), np.array([0.0]), np.array([gap]))[0])
        other = most * (1.0 + 10.0 ** np.linspace(-9, 3, 100))
        t = other / p - 1.0
        assert (p * (t - np.log1p(t)) >= gap * (1.0 - 1e-6)).all()


@pytest.mark.parametrize("constraints", [[rs.Monotone(increasing=False)], [rs.Concave()]])
def test_constraints_against_cvxpy(constraints):
    p = rs.Problem(YEAR, COUNT, 20.0, rs.Poisson(), constraints=constraints)
    x = np.unique(YEAR)
    g = cp.Variable(len(x))
    slopes = np.diff(np.eye(len(x)), axis=0)
    bends = np.diff(slopes, axis=0) @ g
    held = [slopes @ g <= 0] if isinstance(constraints[0], rs.Monotone) else [bends <= 0]
    best = minimum(p, g[np.searchsorted(x, YEAR)], cp.norm1(bends), held)
    s = rs.solve(p)
    assert s.objective == pytest.approx(best, rel=1e-6)
    assert s.relative_gap <= 1e-6


def test_estimators_predict_the_mean_and_score_the_deviance():
    for model, X in (
        (rs.LinearSplineRegressor(lam=20.0, loss="poisson"), YEAR[:, None]),
        (rs.LinearSplineRegressorCV(n_lams=8, cv=3, loss="poisson"), YEAR[:, None]),
        (rs.RidgeSplineRegressor(lam=20.0, loss="poisson", scale=True), np.column_stack([YEAR, COUNT[::-1]])),
    ):
        model.fit(X, COUNT)
        mean = model.predict(X)
        assert mean.sum() == pytest.approx(COUNT.sum(), rel=1e-4)
        assert (mean > 0.0).all()
        assert model.score(X, COUNT) == pytest.approx(d2_tweedie_score(COUNT, mean, power=1))
        assert 0.3 < model.score(X, COUNT) < 1.0


def test_the_command_line_takes_counts(tmp_path, capsys):
    table = tmp_path / "storms.csv"
    table.write_text("year,storms\n" + "\n".join(f"{a:g},{b}" for a, b in zip(YEAR, COUNT, strict=True)))
    picture = tmp_path / "fit.png"
    assert (
        main(["fit", str(table), "--target", "storms", "--loss", "poisson", "--lam", "20", "--plot", str(picture)]) == 0
    )
    assert "Poisson()" in capsys.readouterr().out
    assert picture.exists()


def test_pictures_show_the_mean_beside_the_counts():
    s = rs.solve(rs.Problem(YEAR, COUNT, 20.0, rs.Poisson()))
    axes = s.plot(target="storms").axes[0]
    drawn = axes.lines[0].get_xydata()
    assert axes.get_ylabel() == "storms"
    assert drawn[:, 1] == pytest.approx(np.exp(s.predict(drawn[:, 0])))
    X = np.column_stack([YEAR, COUNT[::-1]])
    plane = rs.solve(rs.Problem(X, COUNT, 50.0, rs.Poisson()))
    assert plane.plot(target="storms").axes[1].get_ylabel() == "storms"
    assert "log of the mean storms" in plane.plot(kind="ridges", target="storms").axes[1].get_ylabel()


def test_saved_and_trained(tmp_path):
    p = rs.Problem(YEAR - 1970.0, COUNT, 20.0, rs.Poisson())
    s = rs.solve(p)
    s.save(tmp_path / "s.npz")
    assert rs.Solution.load(tmp_path / "s.npz").gap == s.gap
    pytest.importorskip("torch")
    from ridgesplines.torch import PathProx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        trained = rs.solve(p, PathProx(width=20, epochs=300))
    assert s.objective <= trained.objective <= 1.1 * s.objective
    assert trained.gap >= trained.objective - s.objective - s.gap


def test_lower_bounds_by_flows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 6))
    mean = np.exp(1.0 + np.abs(X[:, 0]))
    for size, least in ((1.0, 0.9), (1e5, 0.0)):  # of large counts it is a weak one
        p = rs.Problem(X, rng.poisson(size * mean), 1.0, rs.Poisson())
        p = p.with_lam(0.3 * rs.lambda_max(p))
        s, bound = rs.solve(p), rs.lower_bound(p, max_time=10.0)
        assert least * s.objective <= bound.value <= s.objective + s.rounding


@pytest.mark.parametrize("y", [[1.0, 2.0], [3.0, 5.0], [1e4, 7.0], [0.3, 0.01]], ids=str)
def test_a_perfect_fit_is_known_to_be_one(y):
    """The deviance is zero, and so is the bound: what rounds in it vanishes with the dual vector."""
    s = rs.solve(rs.Problem([[0.0], [1.0]], y, 0.05, rs.Poisson()))
    assert s.status == "converged"
    assert s.relative_gap <= 1e-8


def test_what_rounds_in_a_dual_value():
    """No less than what double precision takes of the conjugate, and of its argument, against long double."""
    rng, loss = np.random.default_rng(0), rs.Poisson()
    y = np.concatenate([rng.integers(0, 50, 4000), 10.0 ** rng.uniform(-3.0, 6.0, 4000)]).astype(float)
    near, far = 10.0 ** rng.uniform(-16.0, 0.0, 8000), 1.0 - 10.0 ** rng.uniform(-12.0, 0.0, 8000)
    part = np.where(rng.random(8000) < 0.5, near, far)
    v = np.where(rng.random(8000) < 0.5, -part * y, part * (1.0 + 3.0 * y))
    long_y, long_v = y.astype(np.longdouble), v.astype(np.longdouble)
    room = np.maximum(long_y + long_v, np.longdouble(0.0))
    # p log p - y log y - v = v log y + p log(p / y) - v
    with np.errstate(divide="ignore", invalid="ignore"):
        of_ratio = np.where(room > 0.0, room * np.log1p(long_v / long_y), 0.0)
        plain = np.where(room > 0.0, room * np.log(room), 0.0) - long_v
        exact = np.where(y > 0.0, long_v * np.log(long_y) + of_ratio - long_v, plain)
        slope = np.where(room > 0.0, np.log(np.maximum(room, 1e-300)), 0.0)
    allowed = 4.0 * np.finfo(float).eps * loss.conjugate_terms(y, v)
    off = np.abs(loss.conjugate(y, v) - exact)
    assert (off <= allowed + 1e-300).all()
    known = room > np.finfo(float).eps * long_y
    assert (np.abs(np.finfo(float).eps / 2.0 * long_v * slope)[known] <= allowed[known] + 1e-300).all()
