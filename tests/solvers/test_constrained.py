"""Shape constraints: they hold on the whole line, the gap is proven, and independent methods find the same minimum."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import SCALAR, diagonal, ids, noisy, problem
from scipy.optimize import linprog
from sklearn.isotonic import IsotonicRegression

import ridgesplines as rs
from ridgesplines.certificate.constrained import best_bound
from ridgesplines.certificate.sites import Sites
from ridgesplines.certificate.violation import violation
from ridgesplines.scaling import standardise

FEW = settings(max_examples=3, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)
GRID = rs.Grid()

SETS = {
    "increasing": [rs.Monotone()],
    "decreasing": [rs.Monotone(increasing=False)],
    "convex": [rs.Convex()],
    "concave": [rs.Concave()],
    "Lipschitz": [rs.Lipschitz(1.5)],
    "points": [rs.FixedValues([-0.5, 0.3, 1.4], [0.0, 1.0, 0.5])],
    "increasing, concave, Lipschitz": [rs.Monotone(), rs.Concave(), rs.Lipschitz(1.5)],
    "convex through a point beyond the data": [rs.Convex(), rs.FixedValues(1.7, 2.0)],
    "decreasing, convex, through a point": [rs.Monotone(False), rs.Convex(), rs.FixedValues(0.5, 0.4)],
    "Lipschitz through points, tight between two": [rs.Lipschitz(2.0), rs.FixedValues([0.2, 0.4], [0.1, 0.5])],
    "affine": [rs.Convex(), rs.Concave()],
    "constant": [rs.Lipschitz(0.0)],
}
LOSSES = [loss for loss in SCALAR if not loss.interpolates]


def holds_everywhere(net, constraints, tol=1e-9):
    """By brute force: difference quotients and second differences far and wide, and on either side of every knot."""
    wide = np.linspace(-30.0, 30.0, 401)
    near = (np.sort(net.knots)[:, None] + np.array([-1e-3, 0.0, 1e-3])).ravel()
    x = np.unique(np.concatenate([wide, near, np.linspace(-1.0, 2.0, 3001)]))
    slopes = np.diff(net(x)) / np.diff(x)
    # A difference quotient over the step h rounds by eps |f| / h.
    slack = tol * max(1.0, np.abs(slopes).max()) + 1e-14 * np.abs(net(x)).max() / np.diff(x).min()
    for c in constraints:
        match c:
            case rs.Monotone():
                assert ((slopes if c.increasing else -slopes) >= -slack).all()
            case rs.Lipschitz():
                assert (np.abs(slopes) <= c.bound + slack).all()
            case rs.Convex():
                assert (np.diff(slopes) >= -slack).all()
            case rs.Concave():
                assert (np.diff(slopes) <= slack).all()
            case rs.FixedValues():
                np.testing.assert_allclose(net(c.at), c.values, rtol=0.0, atol=1e-9)
            case _:
                raise AssertionError(c)


@cache
def least_without_constraints(loss):
    return rs.solve(problem(loss, 40), GRID).certificate.value


@pytest.mark.parametrize(("name", "loss"), diagonal(list(SETS), LOSSES))
def test_constraints_hold_and_the_gap_is_proven(loss, name):
    p = problem(loss, 40, constraints=SETS[name])
    s = rs.solve(p, GRID)
    assert s.status == "converged"
    assert s.certificate.scope == "exact"
    assert s.relative_gap <= 1e-7
    assert s.violation <= 1e-12
    assert s.history["constraint violation"] == s.violation
    holds_everywhere(s.network, SETS[name])
    assert (
        set(s.network.knots) <= set(p.X[:, 0]) | set(p.constraint.points)
        or np.abs(s.network.knots[:, None] - np.append(p.X[:, 0], p.constraint.points)).min(axis=1).max() < 1e-12
    )
    # What the constraints forbid cannot be better than what they allow.
    assert s.objective >= least_without_constraints(loss) - 1e-9


@pytest.mark.parametrize("n", [400, pytest.param(1500, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("loss", "name"), diagonal(LOSSES, ["increasing", "increasing, concave, Lipschitz", "points"]))
def test_many_samples(loss, name, n):
    s = rs.solve(problem(loss, n, lam=0.005, constraints=SETS[name]), GRID)
    assert s.relative_gap <= 1e-6
    assert s.violation <= 1e-12
    assert s.network.n_neurons < n // 2


def test_constraints_that_do_not_bind_change_nothing():
    for loss in LOSSES:
        free = rs.solve(problem(loss, 40), GRID)
        n = free.network
        loose = rs.solve(
            problem(loss, 40, constraints=[rs.Lipschitz(1e3), rs.FixedValues(9.0, float(n([9.0])[0]))]), GRID
        )
        assert loose.objective == pytest.approx(free.objective, rel=1e-7)


def test_monotone_tends_to_isotonic_regression():
    X, y = noisy(60)
    fit = IsotonicRegression().fit(X[:, 0], y)
    best = float(((y - fit.predict(X[:, 0])) ** 2).sum())
    for lam, above in ((1e-4, 3e-2), (1e-7, 3e-5), (1e-9, 3e-7)):
        s = rs.solve(rs.Problem(X, y, lam, constraints=[rs.Monotone()]), GRID)
        assert best - 1e-9 <= s.data_fit <= best + above
    np.testing.assert_allclose(s.predict(X), fit.predict(X[:, 0]), atol=1e-5)


def quadratic_program(X, y, lam, low=-np.inf, high=np.inf, curvature=0):
    """The fit at the data by another route: values as unknowns, a dense quadratic program, another solver."""
    import cvxpy as cp

    x, y = X[:, 0][np.argsort(X[:, 0])], y[np.argsort(X[:, 0])]
    D = np.diff(np.eye(len(x)), axis=0) / np.diff(x)[:, None]
    z = cp.Variable(len(x))
    held = [D @ z >= low] * int(np.isfinite(low)) + [D @ z <= high] * int(np.isfinite(high))
    held += [curvature * cp.diff(D @ z) >= 0] * abs(curvature)
    objective = cp.sum_squares(z - y) + lam * cp.norm1(cp.diff(D @ z))
    return cp.Problem(cp.Minimize(objective), held).solve(solver="ECOS", abstol=1e-9, reltol=1e-9, feastol=1e-9)


@pytest.mark.parametrize("lam", [1e-6, 1e-2, 0.3])
@pytest.mark.parametrize(
    ("constraints", "kwargs"),
    [
        ([rs.Convex()], {"curvature": 1}),
        ([rs.Concave(), rs.Monotone()], {"curvature": -1, "low": 0.0}),
        ([rs.Lipschitz(1.0)], {"low": -1.0, "high": 1.0}),
    ],
    ids=["convex", "concave and increasing", "Lipschitz"],
)
def test_against_another_program(constraints, kwargs, lam):
    pytest.importorskip("ecos")
    X, y = noisy(30)
    s = rs.solve(rs.Problem(X, y, lam, constraints=constraints), GRID)
    assert s.objective == pytest.approx(quadratic_program(X, y, lam, **kwargs), rel=1e-6)


def test_absolute_loss_against_a_linear_program_with_knots_anywhere():
    """Neurons on a fine grid, wider than the data: none of them helps beyond the data sites and the fixed point."""
    x, y = np.arange(6.0), np.array([0.0, 2.0, 1.0, 1.5, 4.0, 3.0])
    lam, point, value = 0.2, 6.5, 3.5
    knots = np.linspace(-3.0, 9.0, 97)
    rho = lambda t: np.maximum(np.subtract.outer(t, knots), 0.0)  # noqa: E731
    n, k = len(x), len(knots)
    basis = np.column_stack([np.ones(n), x, rho(x), -rho(x)])
    slopes = np.column_stack([np.zeros(k + 1), np.ones(k + 1), *[s * np.tri(k + 1, k, -1) for s in (1.0, -1.0)]])
    eye = np.eye(n)
    through = np.concatenate([[1.0, point], rho(point), -rho(point), np.zeros(n)])
    out = linprog(
        np.concatenate([[0.0, 0.0], np.full(2 * k, lam), np.ones(n)]),
        A_ub=np.block([[basis, -eye], [-basis, -eye], [-slopes, np.zeros((k + 1, n))]]),
        b_ub=np.concatenate([y, -y, np.zeros(k + 1)]),
        A_eq=through[None],
        b_eq=[value],
        bounds=[(None, None)] * 2 + [(0.0, None)] * (2 * k + n),
    )
    shaped = [rs.Monotone(), rs.FixedValues(point, value)]
    assert rs.solve(rs.Problem(x, y, lam, rs.Absolute(), constraints=shaped), GRID).objective == pytest.approx(out.fun)


def random_feasible(rng, shape, points):
    """A random spline of the shape, by brute force: slopes within bounds, in order where they must be."""
    k = int(rng.integers(0, 6))
    low, high = max(shape.slope_low, -4.0), min(shape.slope_high, 4.0)
    slopes = rng.uniform(low, high, k + 1)
    if not (shape.bends_up and shape.bends_down):
        slopes = np.sort(slopes) if shape.bends_up else -np.sort(-slopes)
    knots = np.sort(rng.uniform(-0.7, 1.7, k))
    net = rs.RidgeSpline(np.ones((k, 1)), knots, np.diff(slopes), [slopes[0]], 0.0)
    offset = points[1][0] - net(points[0])[0] if points[0] else rng.normal()
    return rs.RidgeSpline(net.weights, net.biases, net.amplitudes, net.slope, offset)


@pytest.mark.parametrize("name", ["increasing", "decreasing", "convex", "concave", "Lipschitz", "one point"])
@FEW
@given(seed=SEEDS, which=st.sampled_from(LOSSES))
def test_weak_duality(name, seed, which):
    """Any multipliers prove a bound, and no feasible function is below it."""
    constraints = {**SETS, "one point": [rs.FixedValues(0.35, 0.2), rs.Lipschitz(3.0)]}[name]
    rng = np.random.default_rng(seed)
    p = problem(which, 20, seed=seed % 5, lam=float(10.0 ** rng.uniform(-3, 0)), constraints=constraints)
    scaling = standardise(p)
    sites = Sites.of(scaling.problem)
    u = scaling.problem.sample_weight * rng.standard_normal(20) * 10.0 ** rng.uniform(-2, 1)
    nu = rng.standard_normal(len(p.constraint.points))
    bound = scaling.factor * best_bound(scaling.problem, sites, u, nu).value
    best = rs.solve(p, GRID)
    assert bound <= best.objective * (1.0 + 1e-9)
    for _ in range(5):
        f = random_feasible(rng, p.constraint, (p.constraint.points, p.constraint.values))
        measured = rs.Solution(p, f, best.certificate)
        assert violation(p, f) <= 1e-9
        assert measured.objective >= max(bound, best.certificate.value)


@pytest.mark.parametrize("name", SETS)
def test_the_certificate_is_what_it_says(name):
    """eta recomputed from its definition, by quadrature-free brute force, at neurons of both directions."""
    p = problem(rs.Squared(), 25, constraints=SETS[name], sample_weight=np.r_[0.0, np.linspace(0.5, 2.0, 24)])
    s = rs.solve(p, GRID)
    c, m = s.certificate, s.certificate.multipliers
    t = np.linspace(-1.0, 2.0, 1201)
    shares = np.array([(np.maximum(m.sites[1:], a) - np.maximum(m.sites[:-1], a)) / np.diff(m.sites) for a in t])
    eta = np.maximum(p.X[:, 0] - t[:, None], 0.0) @ c.dual
    eta = eta + np.maximum(m.points - t[:, None], 0.0) @ m.at_points + shares @ m.slopes
    size = np.abs(c.dual).sum()
    np.testing.assert_allclose(c.eta(1.0, t), eta, atol=1e-11 * size)
    np.testing.assert_allclose(c.eta(-1.0, -t), eta, atol=1e-9 * size)
    up, down = p.constraint.bends_up, p.constraint.bends_down
    assert max(eta.max() if up else 0.0, -eta.min() if down else 0.0) <= c.sup * (1.0 + 1e-9) + 1e-12
    assert c.sup <= p.lam * (1.0 + 1e-6)
    assert c.dual[0] == 0.0
    assert c.dual.sum() + m.at_points.sum() == pytest.approx(0.0, abs=1e-10 * size)
    moment = c.dual @ p.X[:, 0] + m.at_points @ m.points + m.slopes.sum()
    assert moment == pytest.approx(0.0, abs=1e-10 * size)
    assert (m.slopes[m.slopes != 0.0] > 0.0).all() or np.isfinite(p.constraint.slope_high)
    assert (m.slopes[m.slopes != 0.0] < 0.0).all() or np.isfinite(p.constraint.slope_low)
    # At its bends eta touches lam; those of the size of the gap are the backend's.
    bends = np.abs(s.network.amplitudes) > 1e-6
    at = c.eta(1.0, s.network.knots[bends])
    np.testing.assert_allclose(at, p.lam * np.sign(s.network.amplitudes[bends]), rtol=1e-5)


@pytest.mark.parametrize("name", SETS)
@FEW
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3), shift=st.floats(-50.0, 50.0), size=st.floats(1e-3, 1e3))
def test_units_order_and_mirror_image(name, seed, scale, shift, size):
    rng = np.random.default_rng(seed)
    X, y = noisy(20, seed=seed % 3)
    turn = rng.permutation(20)
    side = rng.choice([-1.0, 1.0])

    def moved(c):
        match c:
            case rs.Monotone():
                return rs.Monotone(c.increasing == (side > 0.0))
            case rs.Lipschitz():
                return rs.Lipschitz(c.bound * size / scale)
            case rs.FixedValues():
                return rs.FixedValues(side * scale * (np.array(c.at) + shift), size * np.array(c.values))
        return c

    one = rs.solve(rs.Problem(X, y, 0.02, constraints=SETS[name]), GRID).objective
    x = side * scale * (X[turn] + shift)
    p = rs.Problem(x, size * y[turn], 0.02 * scale * size, constraints=[moved(c) for c in SETS[name]])
    s = rs.solve(p, GRID)
    assert s.objective == pytest.approx(size**2 * one, rel=1e-6)
    assert s.relative_gap <= 1e-6


def test_interpolation_with_constraints():
    x, y = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.5, 1.6]
    constraints = [rs.Concave(), rs.Monotone(), rs.Lipschitz(1.0), rs.FixedValues(5.0, 1.65)]
    s = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation(), constraints=constraints), GRID)
    assert s.relative_gap <= 1e-12
    assert s.objective == pytest.approx(1.0 - 0.025)
    holds_everywhere(s.network, constraints)
    zero = rs.solve(rs.Problem(x, y, 0.0, rs.Interpolation(), constraints=constraints), GRID)
    np.testing.assert_allclose(zero.predict(x), y, atol=1e-12)
    assert rs.evaluate(s.problem, s.network).relative_gap <= 1e-12
    for impossible in ([rs.Convex()], [rs.Monotone(False)], [rs.Lipschitz(0.9)], [rs.FixedValues(1.0, 1.1)]):
        with pytest.raises(rs.ProblemError, match="No function satisfies them all"):
            rs.Problem(x, y, 1.0, rs.Interpolation(), constraints=impossible)
    # A row of weight zero is not a constraint.
    rs.Problem(x, y, 1.0, rs.Interpolation(), sample_weight=[1, 0, 1, 1], constraints=[rs.Lipschitz(0.9)])


def test_evaluate():
    p = problem(rs.Squared(), 30, constraints=[rs.Monotone(), rs.Lipschitz(1.5)])
    s = rs.solve(p, GRID)
    assert rs.evaluate(p, s.network).relative_gap <= 1e-7
    n = s.network
    steep = rs.RidgeSpline(n.weights, n.biases, n.amplitudes, n.slope - 0.01, n.offset)
    bad = rs.evaluate(p, steep)
    assert bad.objective == bad.gap == bad.relative_gap == np.inf
    assert bad.violation == pytest.approx(0.01 / max(1.5, np.abs(p.y).max() / np.ptp(p.X)), rel=1e-6)
    lower = rs.evaluate(p, rs.RidgeSpline(n.weights, n.biases, n.amplitudes, n.slope, n.offset - 0.1))
    assert lower.gap == pytest.approx(lower.objective - s.objective, rel=1e-5)
    # Two neurons at one knot bend as one; one that looks to the left has its slope there.
    flat = rs.RidgeSpline([[1.0], [1.0], [-1.0]], [0.5, 0.5, -0.4], [2.0, -1.0, 1.0], [1.0], 0.0)
    assert violation(rs.Problem(p.X, p.y, 1.0, constraints=[rs.Convex(), rs.Monotone()]), flat) == 0.0
    turned = rs.RidgeSpline([[-1.0]], [-0.4], [1.0], [0.5], 0.0)
    steep = np.abs(p.y).max() / np.ptp(p.X)  # steeper than the slopes -1/2 and 1/2 of this one
    assert violation(rs.Problem(p.X, p.y, 1.0, constraints=[rs.Monotone()]), turned) == pytest.approx(0.5 / steep)


@pytest.mark.parametrize(
    ("loss", "name"), diagonal(LOSSES, ["increasing", "decreasing", "convex", "concave", "Lipschitz"])
)
def test_lambda_max(loss, name):
    p = problem(loss, 30, constraints=SETS[name])
    top = rs.lambda_max(p)
    if top <= 1e-6:  # the affine fit is optimal for every lam
        assert rs.solve(p.with_lam(1e-3), GRID).seminorm <= 1e-6
        return
    above, below = (rs.solve(p.with_lam(f * top), GRID) for f in (1.001, 0.98))
    assert above.network.n_neurons == 0 or above.seminorm <= 1e-7
    assert below.seminorm > 1e-5


def test_lambda_max_of_points():
    X, y = noisy(20)
    assert (
        rs.lambda_max(rs.Problem(X, y, 1.0, constraints=[rs.FixedValues([0.0, 0.5, 1.0], [0.0, 1.0, 0.0])])) == np.inf
    )
    assert rs.lambda_max(rs.Problem(X, y, 1.0, constraints=[rs.Lipschitz(0.0)])) == 0.0
    line = rs.Problem(X, y, 1.0, constraints=[rs.FixedValues([0.0, 0.5, 1.0], [0.0, 0.5, 1.0])])
    top = rs.lambda_max(line)
    assert rs.solve(line.with_lam(1.001 * top), GRID).network.n_neurons == 0
    assert rs.solve(line.with_lam(0.98 * top), GRID).network.n_neurons > 0


def test_paths():
    p = problem(rs.Squared(), 30, constraints=[rs.Monotone(), rs.Concave()])
    path = rs.solve_path(p, GRID, lams=[0.1, 1e-3, 1e-2])
    assert all(s.problem.constraints == p.constraints and s.relative_gap <= 1e-7 for s in path)
    for s in path:
        assert s.objective == pytest.approx(rs.solve(s.problem, GRID).objective, rel=1e-7)
    automatic = rs.solve_path(problem(rs.Squared(), 30, constraints=SETS["points"]), GRID, n_lams=3)
    assert len(automatic) == 3
    assert max(s.relative_gap for s in automatic) <= 1e-6


@pytest.mark.parametrize("backend", ["ECOS", "HIGHS", "SCS", "OSQP"])
def test_backends(backend):
    pytest.importorskip({"ECOS": "ecos", "HIGHS": "highspy", "SCS": "scs", "OSQP": "osqp"}[backend])
    p = problem(rs.Squared(), 30, constraints=SETS["increasing, concave, Lipschitz"])
    s = rs.solve(p, rs.Grid(backend=backend))
    assert s.relative_gap <= (1e-6 if backend in ("ECOS", "HIGHS") else 1e-4)
    assert s.violation <= 1e-9


def test_without_refinement():
    p = problem(rs.Squared(), 30, constraints=[rs.Monotone(), rs.FixedValues(0.5, 0.5)])
    rough = rs.solve(p, rs.Grid(refine=False))
    assert rough.history["refined"] is False
    assert rough.relative_gap <= 1e-6
    assert rough.violation <= 1e-9


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_few_points(loss):
    y = np.array([1.0, -1.0, -1.0, 1.0])
    y = y + 1.0 if isinstance(loss, rs.Poisson) else y
    one = rs.Problem([2.0, 2.0, 2.0], y[[0, 0, 1]], 0.1, loss, constraints=[rs.Monotone()])
    two = rs.Problem([0.0, 1.0, 0.0, 1.0], y, 0.1, loss, constraints=[rs.Lipschitz(0.5), rs.Convex()])
    for p in (one, two):
        s = rs.solve(p, GRID)
        assert s.network.n_neurons == 0
        assert s.relative_gap <= 1e-6
        assert s.violation <= 1e-12


def test_affine_data():
    x = np.linspace(0.0, 1.0, 50)
    for y, constraints in ((0.0 * x + 3.0, [rs.Monotone()]), (2.0 * x - 1.0, [rs.Convex(), rs.FixedValues(4.0, 7.0)])):
        for loss in (rs.Squared(), rs.Absolute(), rs.Huber(0.1)):
            s = rs.solve(rs.Problem(x, y, 0.01, loss, constraints=constraints), GRID)
            assert s.relative_gap <= 1e-7
            np.testing.assert_allclose(
                s.predict([-5.0, 9.0]), np.interp([0.0, 1.0], x, y) + (y[-1] - y[0]) * np.array([-5.0, 8.0])
            )


def test_separable_classes():
    x, y = [0.0, 1.0, 2.0, 3.0], [-1.0, -1.0, 1.0, 1.0]
    for constraints in ([rs.Monotone()], [rs.Convex()], [rs.FixedValues(1.5, 0.0)]):
        with pytest.raises(rs.ProblemError, match="separable classes"):
            rs.solve(rs.Problem(x, y, 0.1, rs.Logistic(), constraints=constraints), GRID)
    # With a slope that is bounded, or of the other sign, the minimum is attained.
    for constraints in ([rs.Lipschitz(2.0)], [rs.Monotone(False)], [rs.FixedValues([0.0, 3.0], [0.0, 1.0])]):
        assert rs.solve(rs.Problem(x, y, 0.1, rs.Logistic(), constraints=constraints), GRID).relative_gap <= 1e-7


X = np.linspace(0.0, 1.0, 6)
Y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
BAD = {
    "not a list": (lambda: rs.Problem(X, Y, 1, constraints=rs.Convex()), "constraints", "a list"),
    "by name": (lambda: rs.Problem(X, Y, 1, constraints=["convex"]), "constraints", "'convex'"),
    "a class": (lambda: rs.Problem(X, Y, 1, constraints=[rs.Convex]), "constraints", "the class Convex itself"),
    "two dimensions": (lambda: rs.Problem(np.eye(4, 2), Y[:4], 1, constraints=[rs.Convex()]), "constraints", "d = 2"),
    "two outputs": (
        lambda: rs.Problem(X, np.column_stack([Y, Y]), 1, constraints=[rs.Convex()]),
        "constraints",
        "D = 2 outputs",
    ),
    "logits": (lambda: rs.Problem(X, Y, 1, rs.Softmax(), constraints=[rs.Convex()]), "constraints", "D = 2 outputs"),
    "negative bound": (lambda: rs.Lipschitz(-1.0), "bound", "-1"),
    "infinite bound": (lambda: rs.Lipschitz(np.inf), "bound", "inf"),
    "direction": (lambda: rs.Monotone("increasing"), "increasing", "'increasing'"),
    "no points": (lambda: rs.FixedValues([], []), "at, values", "(0,)"),
    "points in a plane": (lambda: rs.FixedValues([[0.0]], [1.0]), "at, values", "(1, 1)"),
    "unpaired": (lambda: rs.FixedValues([0.0, 1.0], [1.0]), "values", "got 1"),
    "NaN": (lambda: rs.FixedValues([0.0], [np.nan]), "values", "NaN"),
    "two values": (lambda: rs.FixedValues([0.0, 0.0], [1.0, 2.0]), "constraints", "the values 1 and 2 at 0"),
    "two values, apart": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.FixedValues(0, 1), rs.FixedValues(0, 2)]),
        "constraints",
        "at 0",
    ),
    "falls": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Monotone(), rs.FixedValues([0, 1], [1, 0])]),
        "constraints",
        "(0, 1) and (1, 0), which need -1",
    ),
    "too steep": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Lipschitz(2), rs.FixedValues([0, 1], [0, 3])]),
        "constraints",
        "which need 3",
    ),
    "not convex": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Convex(), rs.FixedValues([0, 1, 2], [0, 1, 0])]),
        "constraints",
        "convex and passes through (0, 0), (1, 1), (2, 0)",
    ),
    "not concave": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Concave(), rs.FixedValues([0, 1, 2], [0, -1, 0])]),
        "constraints",
        "concave",
    ),
    "not affine": (
        lambda: rs.Problem(X, Y, 1, constraints=[rs.Concave(), rs.Convex(), rs.FixedValues([0, 1, 2], [0, -1, 0])]),
        "constraints",
        "affine",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    make, argument, words = BAD[case]
    with pytest.raises(rs.ProblemError) as caught:
        make()
    assert caught.value.argument == argument
    assert words in str(caught.value)


def test_points_that_just_fit_do_fit():
    """Slopes that are on the bound up to rounding are no contradiction."""
    at = np.cumsum(np.full(40, 0.1))
    p = rs.Problem(X, Y, 0.1, constraints=[rs.Lipschitz(3.0), rs.FixedValues(at, 3.0 * at), rs.Convex()])
    s = rs.solve(p, GRID)
    assert s.violation <= 1e-9
    np.testing.assert_allclose(s.predict(at), 3.0 * at, atol=1e-9)


def test_refusal_of_other_knots():
    with pytest.raises(rs.SolverRefusal, match='biases="data"'):
        rs.solve(rs.Problem(X, Y, 0.1, constraints=[rs.Convex()]), rs.Grid(biases=12))


def test_words():
    p = rs.Problem(X, Y, 0.1, constraints=[rs.Convex(), rs.FixedValues(2.0, 1.0)])
    assert "constraints=[Convex(), FixedValues(at=(2.0,), values=(1.0,))]" in repr(p)
    s = rs.solve(p, GRID)
    assert "Convex(), FixedValues" in s.summary()
    assert "distinct x and fixed points, less 2 = 5" in s.summary()
    with pytest.raises(rs.ProblemError, match="of another"):
        rs.compare({"with": s, "without": rs.solve(rs.Problem(X, Y, 0.1), GRID)})
    assert p.with_lam(2.0).constraint == p.constraint
    assert (
        rs.Problem(X, Y, 0.1, sample_weight=[0, 1, 1, 1, 1, 1], constraints=[rs.Convex()]).reduced.constraint.bends_down
        is False
    )
