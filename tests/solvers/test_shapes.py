"""Shape constraints by active sets, and the shapes that reach beyond the data: slopes far out, bounds of values.

Optima are compared with a program of another kind: values at a fine set of points, many of them between the data and
beyond, and the shape asked for at all of these, in CVXPY with CLARABEL.
"""

import time

import numpy as np
import pytest
from formulas import constrained_minimum
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import SCALAR, diagonal, ids, targets

import ridgesplines as rs
from ridgesplines.certificate.constrained import best_bound
from ridgesplines.certificate.sites import Sites
from ridgesplines.certificate.violation import violation
from ridgesplines.constraints import constraint_named
from ridgesplines.scaling import standardise

FEW = settings(max_examples=3, deadline=None, derandomize=True)

SETS = {
    "slope": [rs.Slope(0.3, 2.0)],
    "slope from below": [rs.Slope(low=0.5)],
    "plateaus": [rs.EndSlopes(0.0, 0.0)],
    "a plateau on the right": [rs.EndSlopes(right=0.0)],
    "known slope on the left, increasing": [rs.EndSlopes(left=1.0), rs.Monotone()],
    "bounds": [rs.Bounds(0.0, 0.8)],
    "bounded from below": [rs.Bounds(low=0.1)],
    "bounded from above, convex": [rs.Bounds(low=-0.2), rs.Convex()],
    "bounds, increasing, through a point": [rs.Bounds(-0.1, 0.8), rs.Monotone(), rs.FixedValues(1.3, 0.7)],
    "concave with a plateau": [rs.Concave(), rs.EndSlopes(right=0.0)],
    "plateau through a point beyond": [rs.EndSlopes(left=0.0), rs.FixedValues([-0.5, 0.4], [0.2, 0.3])],
    "increasing": [rs.Monotone()],
    "Lipschitz": [rs.Lipschitz(1.0)],
    "convex through points": [rs.Convex(), rs.FixedValues([-1.0, 2.0], [1.0, 2.5])],
}


def table(seed=0, n=24):
    """A table as people have them: x rounded, with ties, y a bent curve with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.0, 1.0, n).round(2)
    y = np.abs(x - 0.4) + 0.5 * np.sin(5.0 * x) + 0.2 * rng.standard_normal(n)
    return x, y.round(2), rng.integers(0, 4, n) / 2.0


def other_program(p):
    """The least objective by values at points between and beyond the data."""
    beyond = np.concatenate([np.linspace(-3.0, -0.02, 9), np.linspace(1.02, 4.0, 9)])
    return constrained_minimum(p, np.concatenate([np.linspace(0.0, 1.0, 31), beyond]))


LOSSES = [loss for loss in SCALAR if not loss.interpolates]


@pytest.mark.parametrize(("name", "loss"), diagonal(list(SETS), LOSSES))
def test_the_optimum_is_that_of_another_program(name, loss):
    x, y, weight = table()
    p = rs.Problem(x, targets(loss, y), 0.05, loss, sample_weight=weight, constraints=SETS[name])
    s = rs.solve(p)
    assert s.status == "converged"
    assert s.certificate.scope == "exact"
    assert s.objective == pytest.approx(other_program(p), rel=1e-7)
    assert s.relative_gap <= 1e-8
    assert s.violation <= 1e-12
    assert (np.abs(s.network.amplitudes) > 1e-8).all()  # no dust


def test_knots_of_a_table_by_hand():
    """The optimality conditions, solved on paper, leave four knots at the data, which two knots off them can serve."""
    x = np.arange(1.0, 16.0)
    y = np.array([5.0, 7.0, 9.0, 11.0, 13.0, 15.0, *(28.92 + 13.89 * np.arange(9.0))])
    y = np.round(y, 2)
    p = rs.Problem(x, y, 3.8511333688354874, constraints=[rs.FixedValues(0.0, 6.0)])
    at_sites = rs.solve(p, rs.Univariate(sparsest=False))
    np.testing.assert_allclose(at_sites.network.knots, [2.0, 3.0, 5.0, 6.0], atol=1e-12)
    fewest = rs.solve(p)
    assert fewest.network.n_neurons == 2
    np.testing.assert_allclose(fewest.predict(x), at_sites.predict(x), atol=1e-9)
    assert fewest.objective == pytest.approx(at_sites.objective, rel=1e-12)
    path = rs.solve_path(p, n_lams=30)
    assert [s.network.n_neurons for s in path] == [rs.solve(s.problem).network.n_neurons for s in path]


@pytest.mark.parametrize("name", SETS)
def test_paths_are_single_fits(name):
    x, y, weight = table(seed=3)
    p = rs.Problem(x, y, 1.0, sample_weight=weight, constraints=SETS[name])
    for s in rs.solve_path(p, lams=[1.0, 0.1, 0.01]):
        alone = rs.solve(s.problem)
        assert s.objective == pytest.approx(alone.objective, rel=1e-9)
        assert s.network.n_neurons == alone.network.n_neurons
        np.testing.assert_allclose(s.predict(x), alone.predict(x), atol=1e-7)


def test_without_a_constraint_that_counts_the_fit_is_the_free_one():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 10.0, 3000)
    p = rs.Problem(x, 3.0 * np.log1p(x) + 0.2 * rng.standard_normal(3000), 10.0, constraints=[rs.Monotone()])
    held, free = rs.solve(p), rs.solve(p.unconstrained)
    assert held.network.n_neurons == free.network.n_neurons
    np.testing.assert_allclose(held.network.knots, free.network.knots)
    assert held.history["constraints"] == "none of them is active"
    assert np.abs(held.certificate.multipliers.slopes).max() < 1e-9 * p.lam  # eta may exceed lam by rounding


@pytest.mark.parametrize("constraints", [SETS["increasing"], SETS["Lipschitz"], SETS["bounds"], SETS["plateaus"]])
def test_many_points_that_press_against_the_shape(constraints):
    """A curve that leaves every shape, many times over: what is active has to be found among thousands of sites."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0.0, 1.0, 6000)
    y = x + np.sin(9.0 * x) + 0.3 * rng.standard_normal(6000)
    s = rs.solve(rs.Problem(x, y, 0.5, constraints=constraints))
    assert s.relative_gap <= 1e-8
    assert s.violation <= 1e-12
    assert 0 < s.network.n_neurons < 60


def steep_and_noisy(seed, n):
    """A logistic curve with a wave and noise, which leaves [0, 1] and falls here and there."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(n))
    return x, 1.0 / (1.0 + np.exp(-9.0 * (x - 0.5))) + 0.3 * np.sin(9.0 * x) + 0.2 * rng.standard_normal(n)


@pytest.mark.parametrize(("seed", "fraction"), [(0, 1e-4), (3, 1e-3)])
@pytest.mark.parametrize("other", [rs.Monotone(), rs.Lipschitz(1.0)], ids=["monotone", "Lipschitz"])
def test_bounds_together_with_slopes(seed, fraction, other):
    """A piece that lies on a bound and may not fall either has multipliers that are not unique."""
    x, y = steep_and_noisy(seed, 60)
    p = rs.Problem(x, y, fraction * rs.lambda_max(rs.Problem(x, y, 1.0)), constraints=[rs.Bounds(0.0, 1.0), other])
    s = rs.solve(p)
    assert s.objective == pytest.approx(other_program(p), rel=1e-6)
    assert s.relative_gap <= 1e-8


def test_bounds_together_with_slopes_at_ten_thousand_points():
    """An outer piece, level since values are bounded, and the next, level since it may not fall: once in a circle."""
    x, y = steep_and_noisy(0, 10_000)
    lam = 1e-3 * rs.lambda_max(rs.Problem(x, y, 1.0))
    began = time.process_time()
    s = rs.solve(rs.Problem(x, y, lam, constraints=[rs.Bounds(0.0, 1.0), rs.Monotone()]))
    assert time.process_time() - began < 2.0  # 0.3 here, 4 s once
    assert s.relative_gap <= 1e-11
    assert s.network.n_neurons <= 8


def far_and_wide(net):
    """Values and slopes by brute force, also far out and on either side of each knot."""
    near = (np.sort(net.knots)[:, None] + np.array([-1e-4, 0.0, 1e-4])).ravel()
    x = np.unique(np.concatenate([np.linspace(-1e3, 1e3, 401), np.linspace(-3.0, 4.0, 2001), near]))
    return net(x), np.diff(net(x)) / np.diff(x)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Quantile(0.7)], ids=ids)
def test_shapes_hold_on_the_whole_line(name, loss):
    x, y, weight = table(seed=5)
    s = rs.solve(rs.Problem(x, y, 0.01, loss, sample_weight=weight, constraints=SETS[name]))
    z, slopes = far_and_wide(s.network)
    for c in SETS[name]:
        shape = c.shape
        assert slopes.min() >= shape.slope_low - 1e-7
        assert slopes.max() <= shape.slope_high + 1e-7
        assert shape.left[0] - 1e-9 <= slopes[0] <= shape.left[1] + 1e-9
        assert shape.right[0] - 1e-9 <= slopes[-1] <= shape.right[1] + 1e-9
        assert z.min() >= shape.low - 1e-9
        assert z.max() <= shape.high + 1e-9


@pytest.mark.parametrize("name", SETS)
@FEW
@given(seed=st.integers(0, 1000), scale=st.floats(1e-2, 1e2), shift=st.floats(-50.0, 50.0), size=st.floats(1e-2, 1e2))
def test_units_mirror_images_and_repeated_rows(name, seed, scale, shift, size):
    x, y, weight = table(seed=seed % 4)
    side = float(np.random.default_rng(seed).choice([-1.0, 1.0]))
    steep = size / scale

    def turned(low, high):
        low, high = (None if b is None else steep * b for b in (low, high))
        return (low, high) if side > 0.0 else (None if high is None else -high, None if low is None else -low)

    def moved(c):
        match c:
            case rs.Monotone():
                return rs.Monotone(side > 0.0)
            case rs.Slope():
                return rs.Slope(*turned(c.low, c.high))
            case rs.EndSlopes():
                ends = [None if b is None else side * steep * b for b in (c.left, c.right)]
                return rs.EndSlopes(*ends[:: int(side)])
            case rs.Bounds():
                return rs.Bounds(*(None if b is None else size * b for b in (c.low, c.high)))
            case rs.Lipschitz():
                return rs.Lipschitz(steep * c.bound)
            case rs.FixedValues():
                return rs.FixedValues(side * scale * (np.array(c.at) + shift), size * np.array(c.values))
        return c

    one = rs.solve(rs.Problem(x, y, 0.05, sample_weight=weight, constraints=SETS[name]))
    rows = np.repeat(np.arange(len(x)), (2.0 * weight).astype(int))  # in the place of weights, half of each
    p = rs.Problem(
        side * scale * (x[rows] + shift), size * y[rows], 0.1 * scale * size, constraints=[moved(c) for c in SETS[name]]
    )
    s = rs.solve(p)
    assert s.objective == pytest.approx(2.0 * size**2 * one.objective, rel=1e-8)
    assert s.relative_gap <= 1e-8
    assert s.network.n_neurons == one.network.n_neurons


@pytest.mark.parametrize("name", SETS)
@FEW
@given(seed=st.integers(0, 1000))
def test_any_multipliers_prove_a_bound(name, seed):
    rng = np.random.default_rng(seed)
    x, y, weight = table(seed=seed % 4)
    p = rs.Problem(x, y, float(10.0 ** rng.uniform(-3, 0)), sample_weight=weight, constraints=SETS[name])
    scaling = standardise(p)
    sites = Sites.of(scaling.problem)
    u = scaling.problem.sample_weight * rng.standard_normal(len(scaling.rows)) * 10.0 ** rng.uniform(-2, 1)
    nu, ends = rng.standard_normal(len(sites.held)), tuple(rng.standard_normal(2))
    bound = scaling.factor * best_bound(scaling.problem, sites, u, nu, ends).value
    assert bound <= rs.solve(p).objective * (1.0 + 1e-9)


@pytest.mark.parametrize("name", SETS)
def test_the_certificate_is_what_it_says(name):
    """eta from its definition, with the multipliers of slopes far out and of bounds of values, by brute force."""
    x, y, weight = table(seed=2)
    p = rs.Problem(x, y, 0.05, sample_weight=weight, constraints=SETS[name])
    s = rs.solve(p)
    c, m = s.certificate, s.certificate.multipliers
    t = np.linspace(-2.0, 3.0, 1001)
    shares = np.array([(np.maximum(m.sites[1:], a) - np.maximum(m.sites[:-1], a)) / np.diff(m.sites) for a in t])
    eta = np.maximum(x - t[:, None], 0.0) @ c.dual + np.maximum(m.points - t[:, None], 0.0) @ m.at_points
    eta = eta + shares @ m.slopes + m.ends[1]
    size = np.abs(c.dual).sum()
    np.testing.assert_allclose(c.eta(1.0, t), eta, atol=1e-10 * size)
    np.testing.assert_allclose(c.eta(-1.0, -t), eta, atol=1e-9 * size)
    up, down = p.constraint.bends_up, p.constraint.bends_down
    assert max(eta.max() if up else 0.0, -eta.min() if down else 0.0) <= p.lam * (1.0 + 1e-8)
    assert c.dual.sum() + m.at_points.sum() == pytest.approx(0.0, abs=1e-10 * size)
    moment = c.dual @ x + m.at_points @ m.points + m.slopes.sum() + m.ends.sum()
    assert moment == pytest.approx(0.0, abs=1e-9 * size)


@pytest.mark.parametrize(
    ("name", "loss"), diagonal([n for n in SETS if "point" not in n], [rs.Squared(), rs.Logistic(), rs.Absolute()])
)
def test_lambda_max(name, loss):
    x, y, weight = table()
    p = rs.Problem(x, targets(loss, y), 1.0, loss, sample_weight=weight, constraints=SETS[name])
    top = rs.lambda_max(p)
    if not np.isfinite(top):
        assert rs.solve(p.with_lam(1e3)).network.n_neurons > 0
        return
    if top > 1e-6:
        assert rs.solve(p.with_lam(1.001 * top)).seminorm <= 1e-6
        assert rs.solve(p.with_lam(0.98 * top)).seminorm > 1e-9


def test_saved_solutions_and_evaluation(tmp_path):
    x, y, _ = table()
    constraints = [rs.Bounds(0.0, 0.8), rs.EndSlopes(right=0.0), rs.Slope(-3.0, 3.0)]
    s = rs.solve(rs.Problem(x, y, 0.05, constraints=constraints))
    s.save(tmp_path / "s.npz")
    again = rs.Solution.load(tmp_path / "s.npz")
    assert again.problem.constraints == s.problem.constraints
    assert again.relative_gap == s.relative_gap
    np.testing.assert_array_equal(again.certificate.eta(1.0, x), s.certificate.eta(1.0, x))
    assert rs.evaluate(s.problem, s.network).relative_gap <= 1e-8
    n = s.network
    higher = rs.RidgeSpline(n.weights, n.biases, n.amplitudes, n.slope, n.offset + 0.5)
    assert rs.evaluate(s.problem, higher).gap == np.inf
    tilted = rs.RidgeSpline(n.weights, n.biases, n.amplitudes, n.slope + 0.01, n.offset)
    assert violation(s.problem, tilted) > 1e-4


def test_interpolation():
    x, y = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.5, 1.6]
    s = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation(), constraints=[rs.EndSlopes(0.0, 0.0), rs.Bounds(-0.1, 2.0)]))
    assert s.relative_gap <= 1e-12
    assert s.objective == pytest.approx(1.0 + 0.5 + 0.4 + 0.1)  # the slopes 0, 1, 0.5, 0.1, 0
    with pytest.raises(rs.ProblemError, match="No function satisfies them all"):
        rs.Problem(x, y, 1.0, rs.Interpolation(), constraints=[rs.Bounds(high=1.5)])


PLACES = {"one place": [2.0, 2.0, 2.0], "two places": [0.0, 1.0, 0.0], "nearly tied": [0.0, 1e-10, 1.0]}


@pytest.mark.parametrize(("loss", "places"), diagonal(LOSSES, list(PLACES)))
def test_degenerate_tables(loss, places):
    x = PLACES[places]
    y = np.array([1.0, 0.0 if isinstance(loss, rs.Poisson) else -1.0, 1.0])
    for constraints in ([rs.Bounds(-0.5, 0.5)], [rs.EndSlopes(0.0, 1.0)], [rs.Slope(0.0, 0.0)], [rs.Bounds(0.2, 0.2)]):
        s = rs.solve(rs.Problem(x, y, 0.1, loss, constraints=constraints))
        assert s.relative_gap <= 1e-6
        assert s.violation <= 1e-12


def test_classes_that_a_line_separates_have_a_minimiser_where_values_are_bounded():
    x, y = [0.0, 1.0, 2.0, 3.0], [-1.0, -1.0, 1.0, 1.0]
    for constraints in ([rs.Bounds(-3.0, 3.0)], [rs.EndSlopes(0.0, 0.0)]):
        assert rs.solve(rs.Problem(x, y, 0.1, rs.Logistic(), constraints=constraints)).relative_gap <= 1e-7


X, Y, _ = table()
IMPOSSIBLE = {
    "no bound": (lambda: rs.Slope(), "low, high", "at least one bound"),
    "bounds in the wrong order": (lambda: rs.Bounds(1.0, 0.0), "low, high", "low=1, high=0"),
    "no slope": (lambda: rs.EndSlopes(), "left, right", "at least one slope"),
    "no number": (lambda: rs.Slope(low="steep"), "low", "'steep'"),
    "infinite": (lambda: rs.EndSlopes(left=np.inf), "left", "inf"),
    "rises and is bounded": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Slope(low=1.0), rs.Bounds(high=9.0)]),
        "constraints",
        "the slope towards plus infinity to be 1 at least and 0 at most",
    ),
    "two bounds of the slope": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Slope(low=1.0), rs.Slope(high=0.0)]),
        "constraints",
        "the slope to be 1 at least and 0 at most",
    ),
    "two slopes far out": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.EndSlopes(left=1.0), rs.EndSlopes(left=0.0)]),
        "constraints",
        "the slope towards minus infinity",
    ),
    "a point beyond the bounds": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Bounds(0.0, 1.0), rs.FixedValues(0.5, 2.0)]),
        "constraints",
        "values between 0 and 1, and the point (0.5, 2)",
    ),
    "convex, and bends down far out": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Convex(), rs.EndSlopes(1.0, 0.0)]),
        "constraints",
        "convex, with slopes between 1 and 1 towards minus infinity",
    ),
    "affine with two slopes": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Convex(), rs.Concave(), rs.EndSlopes(0.0, 1.0)]),
        "constraints",
        "affine",
    ),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_no_function_satisfies_is_said_in_words(case):
    make, argument, words = IMPOSSIBLE[case]
    with pytest.raises(rs.ProblemError) as caught:
        make()
    assert caught.value.argument == argument
    assert words in str(caught.value)


def test_constraints_from_words():
    assert constraint_named("increasing") == rs.Monotone()
    assert constraint_named("decreasing") == rs.Monotone(increasing=False)
    assert constraint_named("lipschitz=2") == rs.Lipschitz(2.0)
    assert constraint_named("slope=0:") == rs.Slope(low=0.0)
    assert constraint_named("bounds=0:1") == rs.Bounds(0.0, 1.0)
    assert constraint_named("end-slopes=:-1.5") == rs.EndSlopes(right=-1.5)
    assert constraint_named("through=0:6") == rs.FixedValues(0.0, 6.0)
    assert constraint_named("through=2020-01-31T12:00:6") == rs.FixedValues(np.datetime64("2020-01-31T12:00"), 6.0)
    for words in ("steep", "bounds", "bounds=0", "convex=1", "through=0:", "slope=a:b", "lipschitz="):
        with pytest.raises(rs.ProblemError, match="The constraints are monotone, increasing"):
            constraint_named(words)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_a_hundred_thousand_points(name):
    rng = np.random.default_rng(4)
    x = rng.uniform(0.0, 1.0, 100_000)
    y = np.abs(x - 0.4) + 0.5 * np.sin(5.0 * x) + 0.2 * rng.standard_normal(len(x))
    s = rs.solve(rs.Problem(x, y, 5.0, constraints=SETS[name]))
    assert s.relative_gap <= 1e-8
    assert s.violation <= 1e-12
