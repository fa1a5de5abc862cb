"""Quantiles that do not cross: against CVXPY, order on the whole line, weak duality of any multipliers, bad input."""

import cvxpy as cp
import numpy as np
import pytest
from sklearn.metrics import d2_pinball_score
from sklearn.model_selection import GridSearchCV

import ridgesplines as rs
from ridgesplines.certificate.ordered import OrderMultipliers, order_bound
from ridgesplines.objective import objective

LEVELS = [0.1, 0.3, 0.5, 0.7, 0.9]


def table(kind, seed=0, n=50):
    """Data whose quantiles fan out, so that those fitted one by one cross."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0.0, 10.0, n))
    y = np.sin(x) + (0.1 + 0.2 * x) * rng.standard_normal(n)
    match kind:
        case "plain":
            return x, y, None
        case "ties":
            return np.round(x), np.round(y), None
        case "weights":
            return np.round(x, 1), np.clip(y, -1.0, 2.0), rng.choice([0.0, 0.5, 1.0, 3.0], n)
        case "units":
            return 2000.0 + 1e-3 * x, 1e6 * y, None


def by_cvxpy(x, y, lam, levels, weight=None):
    """The joint optimum, with values at the sites and at a place beyond each end as unknowns."""
    w = np.ones(len(y)) if weight is None else weight
    unit, spread, lams = np.ptp(x), np.abs(y).max(), np.broadcast_to(lam, len(levels))
    x, y = (x - x[0]) / unit, y / spread
    t = np.unique(x)
    t = np.concatenate([[t[0] - 1.0], t, [t[-1] + 1.0]])
    rows = np.searchsorted(t, x)
    slopes = np.diff(np.eye(len(t)), axis=0) / np.diff(t)[:, None]
    f = cp.Variable((len(t), len(levels)))
    residual = y[:, None] - f[rows]
    q = np.array(levels)
    loss = cp.sum(w @ (cp.multiply(np.tile(q, (len(y), 1)), residual) + cp.neg(residual)))
    norms = sum(own / unit * cp.norm1(np.diff(slopes, axis=0) @ f[:, d]) for d, own in enumerate(lams))
    order = [f[:, :-1] <= f[:, 1:], slopes[-1] @ f[:, :-1] <= slopes[-1] @ f[:, 1:]]
    order.append(slopes[0] @ f[:, :-1] >= slopes[0] @ f[:, 1:])
    tight = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}
    return spread * cp.Problem(cp.Minimize(loss + norms), order).solve(solver="CLARABEL", **tight)


@pytest.mark.parametrize("kind", ["plain", "ties", "weights", "units"])
@pytest.mark.parametrize("lam", [0.05, 1.0, np.array([0.02, 2.0, 0.1, 5.0, 0.3])], ids=["small", "large", "each"])
def test_against_cvxpy(kind, lam):
    x, y, weight = table(kind)
    lam = lam * 1e-3 if kind == "units" else lam
    curves = rs.solve_quantiles(x, y, lam, LEVELS, weight)
    assert curves.status == "converged"
    assert curves.relative_gap <= 1e-7
    assert curves.objective == pytest.approx(by_cvxpy(x, y, lam, LEVELS, weight), rel=1e-7)
    assert curves.violation <= (1e-9 if kind == "units" else 1e-12)  # x of 2000 and slopes of 1e9 leave fewer digits
    assert curves.history["rounds"] > 0


@pytest.mark.parametrize("kind", ["plain", "ties"])
def test_in_order_on_the_whole_line(kind):
    x, y, _ = table(kind, 3)
    curves = rs.solve_quantiles(x, y, 0.1, LEVELS)
    one_by_one = [rs.solve(rs.Problem(x, y, 0.1, rs.Quantile(q))) for q in LEVELS]
    knots = np.concatenate([net.knots for net in curves.networks])
    near_and_far = [np.linspace(-5.0, 15.0, 2001), knots, np.array([-1e9, -1e4, 1e4, 1e9])]
    at = np.sort(np.concatenate(near_and_far))
    apart = np.column_stack([s.predict(at) for s in one_by_one])
    within = (x[0] <= at) & (at <= x[-1])
    assert -np.diff(apart[within], axis=1).min() == pytest.approx(curves.crossed, rel=0.1)
    assert f"cross by up to {curves.crossed:.3g} among the data" in curves.summary()
    raw = np.column_stack([net(at[:, None]) for net in curves.networks])
    assert (np.diff(raw, axis=1) >= -1e-13 * np.maximum(np.abs(at), 1.0)[:, None]).all()
    assert (np.diff(curves.predict(at), axis=1) >= 0.0).all()


def test_where_they_do_not_cross_they_are_the_fits_one_by_one():
    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 1.0, 401)
    y = (0.2 + np.abs(x)) * rng.standard_normal(401)
    curves = rs.solve_quantiles(x, y, 1.0, [0.1, 0.5, 0.9])
    one_by_one = [rs.solve(rs.Problem(x, y, 1.0, rs.Quantile(q))) for q in (0.1, 0.5, 0.9)]
    assert curves.crossed == curves.history["rounds"] == 0
    assert "one by one, in order" in curves.summary()
    assert not curves.multipliers.sites.any()
    assert curves.objective == pytest.approx(sum(s.objective for s in one_by_one), rel=1e-12)
    assert curves.gap <= sum(s.gap for s in one_by_one) + 1e-7 * curves.objective


@pytest.mark.parametrize("make", ["gaussian", "of one sign", "sparse", "huge"])
def test_any_multipliers_lie_below_any_functions_in_order(make):
    rng = np.random.default_rng(4)
    x, y = np.round(np.sort(rng.uniform(-1.0, 1.0, 20)), 1), rng.standard_normal(20)
    at, rows = np.unique(x, return_inverse=True)
    problems = [rs.Problem(x, y, lam, rs.Quantile(q)) for q, lam in ((0.2, 0.3), (0.5, 0.1), (0.8, 1.0))]
    best = rs.solve_quantiles(x, y, [0.3, 0.1, 1.0], [0.2, 0.5, 0.8]).objective
    for _ in range(50):
        u, mu = rng.standard_normal((20, 3)), rng.standard_normal((len(at), 2))
        scale = {"huge": 1e6, "sparse": rng.random() < 0.5}.get(make, 1.0)
        u, mu = (np.abs(u), np.abs(mu)) if make == "of one sign" else (u, scale * mu)
        ends = np.abs(rng.standard_normal((2, 2)))
        bound = order_bound(problems, at, rows.reshape(-1), OrderMultipliers(u, mu, *ends))
        assert bound.value <= best * (1.0 + 1e-12)
        base = rs.RidgeSpline.through(np.unique(x), rng.standard_normal(len(at)))
        raised = [base.changed(offset=base.offset + step) for step in (0.0, rng.random(), 2.0)]
        assert bound.value <= sum(objective(p, net) for p, net in zip(problems, raised, strict=True))


def test_an_optimum_whose_outermost_bends_are_at_the_ends_of_the_data():
    """Slopes beyond the data must be in order too: a bend at the last datum may be the cheapest way."""
    x, y, _ = table("plain", 5, 60)
    curves = rs.solve_quantiles(x, y, 0.05, LEVELS)
    ends = [np.isclose(net.knots, end).any() for net in curves.networks for end in (x[0], x[-1])]
    assert any(ends)
    assert curves.objective == pytest.approx(by_cvxpy(x, y, 0.05, LEVELS), rel=1e-7)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.ones(20), np.arange(20.0)),
        (np.repeat([0.0, 1.0], 10), np.arange(20.0) % 7),
        (np.arange(20.0), np.ones(20)),
        (np.arange(20.0), 2.0 * np.arange(20.0) - 3.0),
        (np.array([1.0]), np.array([2.0])),
    ],
    ids=["one x", "two x", "constant", "line", "one datum"],
)
def test_degenerate_data(x, y):
    curves = rs.solve_quantiles(x, y, 1.0, [0.2, 0.5, 0.8])
    assert curves.status == "converged"
    assert all(net.n_neurons == 0 for net in curves.networks)
    assert (np.diff(curves.predict(np.linspace(-99.0, 99.0, 50)), axis=1) >= 0.0).all()


@pytest.mark.slow
def test_thousands_of_data():
    x, y, _ = table("plain", 1, 5000)
    curves = rs.solve_quantiles(x, y, 0.5, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    assert curves.relative_gap <= 1e-8
    assert curves.crossed > 0.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantiles": [0.5, 0.2]}, r"^quantiles: expected increasing numbers"),
        ({"quantiles": []}, r"^quantiles: expected increasing numbers"),
        ({"quantiles": [0.5, 1.0]}, r"^q: expected a number strictly between 0 and 1"),
        ({"lam": [1.0, 2.0, 3.0]}, r"^lam: expected one number, or one for each of the 2 quantiles"),
        ({"lam": 0.0}, r"^lam: expected a positive number"),
        ({"x": np.ones((4, 2))}, r"^x: expected one feature"),
        ({"y": [0.0, 1.0]}, r"^y: "),
        ({"y": [0.0, 1.0, np.nan, 2.0]}, r"^y: "),
    ],
)
def test_bad_input(changes, words):
    given = {"x": np.arange(4.0), "y": np.arange(4.0), "lam": 1.0, "quantiles": [0.2, 0.8]} | changes
    with pytest.raises(rs.ProblemError, match=words):
        rs.solve_quantiles(**given)


def test_the_estimator():
    x, y, weight = table("weights")
    model = rs.LinearSplineQuantiles(LEVELS, lam=0.2).fit(x, y, weight)
    curves = rs.solve_quantiles(x, y, 0.2, LEVELS, weight)
    found = model.predict(x[:, None])
    assert found.shape == (50, 5)
    assert model.curves_.objective == pytest.approx(curves.objective, rel=1e-9)
    scores = [d2_pinball_score(y, found[:, d], alpha=q) for d, q in enumerate(LEVELS)]
    assert model.score(x, y) == pytest.approx(np.mean(scores))
    again = rs.LinearSplineQuantiles(LEVELS, lam=0.2).fit(np.repeat(x, 2), np.repeat(y, 2), np.repeat(weight, 2) / 2.0)
    assert again.curves_.objective == pytest.approx(curves.objective, rel=1e-9)
    with pytest.raises(ValueError, match="one feature"):
        rs.LinearSplineQuantiles().fit(np.column_stack([x, x]), y)
    search = GridSearchCV(rs.LinearSplineQuantiles([0.2, 0.8]), {"lam": [0.1, 10.0]}, cv=3).fit(x[:, None], y)
    assert search.best_params_["lam"] in (0.1, 10.0)


@pytest.mark.parametrize("kind", ["plain", "ties", "weights", "units"])
def test_in_order_however_short_the_time(kind):
    x, y, weight = table(kind)
    lam = 0.05 * (1e6 if kind == "units" else 1.0)
    best = rs.solve_quantiles(x, y, lam, LEVELS, weight)
    with pytest.warns(rs.ConvergenceWarning, match=r"after max_time = 1e-09 s.*Allow more time"):
        early = rs.solve_quantiles(x, y, lam, LEVELS, weight, max_time=1e-9)
    assert early.status == "not converged"
    assert early.violation <= 1e-12
    assert early.value <= best.objective <= early.objective < np.inf
    assert "no time to fit those that cross together" in early.summary() or not early.crossed


def test_the_estimator_has_a_time_and_a_bar():
    x, y, weight = table("weights")
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        model = rs.LinearSplineQuantiles(LEVELS, lam=0.05, max_time=1e-3, verbose=True).fit(x, y, weight)
    assert (np.diff(model.predict(x[:, None]), axis=1) >= 0.0).all()
    for max_time in (0.0, -1.0, "long"):
        with pytest.raises(rs.ProblemError, match="max_time: expected a number of seconds"):
            rs.LinearSplineQuantiles(LEVELS, lam=0.05, max_time=max_time).fit(x, y)
    with pytest.raises(rs.ProblemError, match="max_time"):
        rs.solve_quantiles(x, y, 0.05, LEVELS, max_time=0.0)
