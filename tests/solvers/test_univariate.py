"""Univariate: every loss, the promises on knots and uniqueness, paths, progress, Ctrl-C, refusals."""

import math
import warnings
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from instances import SCALAR, ids, noisy, problem, targets

import ridgesplines as rs
from ridgesplines.line import kernels
from ridgesplines.objective import SUM
from ridgesplines.solvers.univariate import data, exchange
from ridgesplines.solvers.univariate.active_set import active_set
from ridgesplines.solvers.univariate.moments import Moments
from ridgesplines.validation import frozen


def exact(solution, tol=1e-8):
    """The solution, certified by figures that are computed from the network and the data."""
    assert solution.status == "converged"
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= tol
    return solution


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
@pytest.mark.parametrize("n", [5, 30, 400, 3000])
def test_every_loss(loss, n):
    p = problem(loss, n)
    s = exact(rs.solve(p))
    assert s.solver.startswith("Univariate")
    assert s.network.n_neurons <= n - 2
    again = rs.evaluate(p, s.network)  # another way to the dual vector, where the loss has kinks
    assert again.relative_gap <= 1e-6


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_the_grid_agrees(loss):
    p = problem(loss, 60)
    ours, grid = exact(rs.solve(p)), rs.solve(p, rs.Grid())
    assert ours.objective == pytest.approx(grid.objective, rel=1e-8)


@pytest.mark.parametrize("fraction", [1e-6, 1e-3, 0.3])
@pytest.mark.parametrize("n", [50, 5000])
def test_twelve_digits_for_squared_error(n, fraction):
    p = problem(rs.Squared(), n)
    p = p.with_lam(fraction * rs.lambda_max(p))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)  # where rounding leaves no twelve digits to be proven
        s = rs.solve(p, rs.Univariate(tol=1e-12))
    assert s.certificate.scope == "exact"
    assert s.objective - s.certificate.value <= 1e-12 * s.objective + s.rounding
    assert s.rounding <= (1e-12 if fraction > 1e-6 else 1e-11) * s.objective


def test_a_tighter_tolerance_is_a_smaller_gap():
    p = problem(rs.Squared(), 20_000)
    loose, tight = (rs.solve(p, rs.Univariate(tol=tol)) for tol in (1e-2, 1e-12))
    assert tight.relative_gap <= 1e-12 < loose.relative_gap <= 1e-2
    assert loose.history["rounds"] < tight.history["rounds"]


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Logistic(), rs.Absolute(), rs.Huber(0.1)], ids=ids)
def test_ties_are_weights(loss):
    X, y = noisy(40)
    y = targets(loss, y)
    rows = np.repeat(np.arange(40), np.random.default_rng(0).integers(1, 4, 40))
    many = exact(rs.solve(rs.Problem(X[rows], y[rows], 0.05, loss)))
    few = exact(rs.solve(rs.Problem(X, y, 0.05, loss, sample_weight=np.bincount(rows).astype(float))))
    assert many.objective == pytest.approx(few.objective, rel=1e-8)


def test_values_that_differ_at_one_x():
    x, y = np.repeat(np.arange(20.0), 3), np.random.default_rng(0).standard_normal(60)
    for loss in (rs.Squared(), rs.Absolute(), rs.Quantile(0.2), rs.Huber(0.3)):
        p = rs.Problem(x, y, 0.5, loss)
        assert exact(rs.solve(p)).objective == pytest.approx(rs.solve(p, rs.Grid()).objective, rel=1e-8)


def test_points_closer_than_rounding_share_a_knot():
    t = np.array([-1.0, 0.0, 4e-15, 8e-15, 0.5, 1.0 - 2e-15, 1.0])
    line = data.Line(None, t, np.zeros(7), np.ones(7), rs.Squared())
    assert line.sites.tolist() == [-1.0, 0.0, 0.5, 1.0]
    assert line.per_site(np.ones(7)).tolist() == [1.0, 3.0, 1.0, 2.0]


def test_noise_free_data_do_not_crawl():
    """Exactly piecewise linear, 30 000 points: knots one by one would take minutes."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(30_000))
    y = np.interp(x, np.linspace(0.0, 1.0, 20), rng.standard_normal(20))
    for fraction in (1e-1, 1e-3, 1e-5):
        p = rs.Problem(x, y, 1.0)
        s = exact(rs.solve(p.with_lam(fraction * rs.lambda_max(p))))
        assert s.history["rounds"] <= 30
        assert s.network.n_neurons <= 60


def test_dense_knots():
    p = problem(rs.Squared(), 4000, lam=1e-7)
    s = exact(rs.solve(p, rs.Univariate(sparsest=False)))
    assert s.network.n_neurons > 1000


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_knots_at_sites_or_fewer(loss):
    p = problem(loss, 50)
    at_sites, sparse = (exact(rs.solve(p, rs.Univariate(sparsest=s))) for s in (False, True))
    assert np.isin(at_sites.network.knots, p.X[:, 0]).all()
    assert sparse.network.n_neurons <= at_sites.network.n_neurons
    assert at_sites.degrees_of_freedom == sparse.degrees_of_freedom == at_sites.network.n_neurons + 2
    np.testing.assert_allclose(sparse.predict(p.X), at_sites.predict(p.X), atol=1e-9)
    assert sparse.seminorm == pytest.approx(at_sites.seminorm, rel=1e-9)


@pytest.mark.parametrize("fraction", [0.003, 0.001])
def test_many_minimisers_of_a_loss_with_kinks(fraction):
    """Repeated x and rounded y, as in real tables: an extreme point, as sparse as that of the simplex method."""
    rng = np.random.default_rng(0)
    x = np.round(np.sort(60.0 * rng.random(133)), 1)
    y = np.round(50.0 * np.sin(x / 5.0) + 10.0 * rng.standard_normal(133), 1)
    p = rs.Problem(x, y, 1.0, rs.Absolute())
    p = p.with_lam(fraction * rs.lambda_max(p))
    s = exact(rs.solve(p, rs.Univariate(sparsest=False)))
    assert s.network.n_neurons <= rs.solve(p, rs.Grid()).network.n_neurons + 2


def test_uniqueness_is_proven_where_it_holds():
    bend = exact(rs.solve(rs.Problem(np.arange(9.0), np.abs(np.arange(9.0) - 4.0), 0.5)))
    assert bend.is_unique
    # Two sites that bend the same way: a knot between them does the same at the data.
    two = exact(rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 0.1, rs.Interpolation())))
    assert not two.is_unique
    assert exact(rs.solve(rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 1.0, rs.Interpolation()))).is_unique


def test_uniqueness_needs_a_proof():
    p = problem(rs.Squared(), 30)
    loose = rs.solve(p, rs.Univariate())
    rough = rs.RidgeSpline(loose.network.weights, loose.network.biases, 0.9 * loose.network.amplitudes)
    assert not rs.evaluate(p, rough).is_unique  # a large gap leaves the optimal dual vector open
    X, y = noisy(20, 2)
    assert not rs.solve(rs.Problem(X, y, 1.0), rs.Grid(directions=8)).is_unique
    # Huber: with all data in the tails the loss is straight, and fixes nothing.
    flat = rs.solve(rs.Problem([0.0, 0.0, 1.0, 1.0, 2.0, 2.0], [9.0, -9.0] * 3, 1e3, rs.Huber(0.01)))
    assert not flat.is_unique


def test_degrees_of_freedom_are_those_without_constraints():
    X, y = noisy(20)
    held = rs.solve(rs.Problem(X, y, 1.0, constraints=[rs.Convex()]))
    with pytest.raises(rs.ProblemError, match="with constraints"):
        _ = held.degrees_of_freedom
    assert "degrees of freedom" not in rs.solve_path(held.problem, lams=[1.0]).to_frame()


@pytest.mark.parametrize("loss", [x for x in SCALAR if not x.interpolates], ids=ids)
def test_a_path_is_certified_throughout(loss):
    p = problem(loss, 200)
    path = rs.solve_path(p, n_lams=12)
    assert [s.status for s in path] == ["converged"] * 12
    assert path[0].network.n_neurons == 0
    assert (path.degrees_of_freedom >= 2).all()
    assert path.degrees_of_freedom[-1] > path.degrees_of_freedom[0]
    for s in path[3::4]:  # from scratch, the same optimum
        assert rs.solve(s.problem).objective == pytest.approx(s.objective, rel=1e-8)


@pytest.mark.parametrize("loss", [rs.Absolute(), rs.Quantile(0.2)], ids=repr)
def test_a_path_of_large_steps_over_many_rows(loss):
    """Rows far from the spline of the first round may change their side."""
    x = np.random.default_rng(0).random(3000)
    p = rs.Problem(x, np.sin(20.0 * x) + np.random.default_rng(1).standard_t(2.0, 3000), 1.0, loss)
    path = rs.solve_path(p, lams=rs.lambda_max(p) * np.array([0.3, 0.01, 1e-4]))
    assert max(s.relative_gap for s in path) <= 1e-8
    assert all(s.network.n_neurons < 1000 for s in path)


def test_progress_is_printed(capsys):
    rs.solve(problem(rs.Squared(), 5000), rs.Univariate(verbose=True))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3
    for word in ("lam = 0.02", "round", "K =", "objective", "relative gap"):
        assert word in lines[-1]
    rs.solve(problem(rs.Squared(), 5000))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute()], ids=ids)
def test_ctrl_c_keeps_the_best_so_far(monkeypatch, loss):
    # Of squared error the first active set is that of the coarse problem, and the second that of the first round.
    module, name = (exchange, "active_set") if loss.quadratic else (kernels, "certificate")
    passes, last, original = [], 3, getattr(module, name)

    def interrupted(*given):
        passes.append(1)
        if len(passes) == last:
            raise KeyboardInterrupt
        return original(*given)

    p = problem(loss, 20_000)
    monkeypatch.setattr(module, name, interrupted)
    with pytest.warns(rs.ConvergenceWarning, match="Univariate was interrupted at lam = 0.02, with a relative gap of"):
        path = rs.solve_path(p, lams=[0.02, 0.01])
    monkeypatch.undo()
    assert [s.status for s in path] == ["interrupted"]  # the smaller lam was not begun
    best = rs.solve(p.with_lam(0.02))
    assert path[0].gap >= (path[0].objective - best.objective) * (1.0 - 1e-9)
    straight = rs.solve(p.with_lam(2.0 * rs.lambda_max(p)))
    assert path[0].objective < rs.evaluate(p.with_lam(0.02), straight.network).objective


def test_ctrl_c_before_the_first_round(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("ridgesplines.solvers.univariate.solver.smooth", interrupted)
    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        s = rs.solve(problem(rs.Squared(), 50))
    assert s.network.n_neurons == 0
    assert np.isfinite(s.objective)


def test_refusals_name_what_came_and_who_can():
    X, y = noisy(20, 2)
    with pytest.raises(rs.SolverRefusal, match=r"d = 1.*got d = 2.*Grid"):
        rs.solve(rs.Problem(X, y, 1.0), rs.Univariate())
    for tol in (0.0, -1.0, 2.0, np.nan, "small"):
        with pytest.raises(rs.ProblemError, match="tol"):
            rs.Univariate(tol=tol)


def test_the_default_is_the_solver_that_can():
    X, y = noisy(20, 2)
    assert rs.solve(rs.Problem(X, y, 1.0)).solver.startswith("ColumnGeneration")
    assert rs.solve(rs.Problem(X[:, 0], y, 1.0)).solver.startswith("Univariate")
    assert rs.solve(rs.Problem(X[:, 0], np.column_stack([y, y]), 1.0)).solver.startswith("Univariate")
    assert rs.solve(rs.Problem(X[:, 0], y, 1.0, constraints=[rs.Monotone()])).solver.startswith("Univariate")


def test_a_logistic_fit_that_bends_to_certainty():
    """Labels that a spline separates, but no line: the margins grow as lam falls, and the curvature dies out."""
    x = np.linspace(0.0, 1.0, 60)
    labels = np.where(np.abs(x - 0.5) < 0.2, 1.0, -1.0)
    for fraction in (1e-1, 1e-3, 1e-5):
        p = rs.Problem(x, labels, 1.0, rs.Logistic())
        exact(rs.solve(p.with_lam(fraction * rs.lambda_max(p))))


@pytest.mark.parametrize(
    ("x", "labels", "separable"),
    [
        ([0.0, 1.0, 2.0, 3.0], [-1, -1, 1, 1], True),
        ([0.0, 1.0, 1.0, 2.0], [-1, -1, 1, 1], True),  # they touch: quasi-complete
        ([0.0, 1.0, 2.0], [1, 1, 1], True),
        ([1.0, 1.0], [-1, 1], False),
        ([0.0, 1.0, 2.0], [1, -1, 1], False),
    ],
)
def test_separable_labels_on_a_line(x, labels, separable):
    p = rs.Problem(x, labels, 0.1, rs.Logistic())
    if separable:
        with pytest.raises(rs.ProblemError, match="no affine function separates"):
            rs.solve(p)
    else:
        exact(rs.solve(p))


def test_interpolation_connects_the_dots():
    rng = np.random.default_rng(0)
    x, y = np.sort(rng.random(300)), rng.standard_normal(300)
    s = exact(rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation()), rs.Univariate(sparsest=False)))
    grid = rng.random(1000)
    inside = (grid > x[0]) & (grid < x[-1])
    np.testing.assert_allclose(s.predict(grid[inside]), np.interp(grid[inside], x, y), atol=1e-10)
    assert s.seminorm == pytest.approx(np.abs(np.diff(np.diff(y) / np.diff(x))).sum(), rel=1e-12)


def test_points_on_a_line_are_no_knots():
    x = np.arange(50.0)
    y = np.interp(x, [0.0, 20.0, 49.0], [0.1, 3.3, -1.7])
    s = exact(rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation())))
    assert s.network.n_neurons == 1


def test_through_points():
    rng = np.random.default_rng(0)
    x = np.cumsum(10.0 ** rng.uniform(-8, 0, 2000))
    y = rng.standard_normal(2000)
    net = rs.RidgeSpline.through(x, y)
    np.testing.assert_allclose(net(x), y, atol=1e-9)
    assert rs.RidgeSpline.through([0.0, 1.0], [1.0, 3.0]).slope == pytest.approx([2.0])
    for bad in (([0.0, 0.0], [1.0, 2.0]), ([0.0], [1.0]), ([0.0, 1.0], [1.0])):
        with pytest.raises(rs.ProblemError, match="x increasing"):
            rs.RidgeSpline.through(*bad)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_compiled_passes_agree(monkeypatch):
    rng = np.random.default_rng(0)
    t = np.sort(np.concatenate([rng.random(kernels.COMPILED_POINTS), np.full(5, 0.5)]))
    H, b, theta = rng.random(len(t)), rng.standard_normal(len(t)), rng.standard_normal(4)
    t, y, weight = map(frozen, (t, b.copy(), H.copy()))  # as data are, and compiled for already
    first = np.array([0, 10, int(np.searchsorted(t, 0.5))])
    nodes = np.append(t[first], t[-1])
    arguments = [(kernels.moments, (t, H, b, nodes, first)), (kernels.values, (t, nodes, first, theta))]
    arguments += [(kernels.certificate, (t, b)), (kernels.sums_of_squares, (t, b))]
    arguments += [
        (kernels.squares, (t, y, weight, np.append(first, len(t) - 1), theta, 1.0)),
        (kernels.rounded_squares, (weight, y, b[::-1].copy(), H, 0.1)),
    ]
    Q, rows = frozen(np.array([H, b])).T, rng.permutation(len(t) + 7)[: len(t)]
    arguments += [(kernels.affine_moments, (t, theta[0], theta[1], y, H, Q, b))]
    arguments += [(kernels.residual_beyond, (weight, y, H + b, Q, np.array([[2.0, 0.3], [0.3, 1.0]])))]
    arguments += [
        (kernels.scattered, (b, 3.0, rows, len(t) + 7)),
        (kernels.scattered, (b, 3.0, rows.argsort(), len(t))),
    ]
    arguments += [
        (kernels.weighted_squares, (weight, y, H + b)),
        (kernels.parabola, (b, weight, H)),
        (kernels.summits, (np.round(b, 1),)),
    ]
    arguments += [(kernels.gathered, (y, 3.0, rows.argsort()[:100]))]
    arguments += [
        (kernels.sums_between, (t, b, first)),
        (kernels.pieces, (t, first, nodes[:-1], theta[:-1], theta[1:])),
    ]
    arguments += [(lambda off, *given: kernels.with_sizes(off.copy(), *given), (H, b, t, 0.1))]
    fast = [f(*given) for f, given in arguments]
    monkeypatch.setattr(kernels, "COMPILED_POINTS", np.inf)
    for (f, given), quick in zip(arguments, fast, strict=True):
        slow = f(*given)
        pairs = zip(slow, quick, strict=True) if isinstance(slow, tuple) else [(slow, quick)]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-9 * np.abs(one).max())


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Logistic()], ids=ids)
def test_coarse_problems_in_front_of_coarse_ones(loss, monkeypatch):
    """As of millions of sites; the first knots are others, the optimum is the same."""
    p = problem(loss, 6000)
    s = exact(rs.solve(p))
    monkeypatch.setattr(exchange, "COARSE_SITES", 32)
    asked = []
    every = exchange.every
    monkeypatch.setattr(exchange, "every", lambda step, m: asked.append(step) or every(step, m))
    again = exact(rs.solve(p))
    assert asked[:2] == [256, 32]
    assert again.objective == pytest.approx(s.objective, rel=1e-9)
    np.testing.assert_allclose(again.network(p.X), s.network(p.X), atol=1e-4 * np.ptp(s.network(p.X)))


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_compiled_dual_values_round_as_little_as_bounds_assume():
    u, y = np.random.default_rng(0).random((2, 400_000))
    linear, square = kernels.parabola(u, frozen(np.ones(len(u))), y)
    assert linear == pytest.approx(math.fsum(u * y), rel=SUM)
    assert square == pytest.approx(math.fsum(u * u / 4.0), rel=SUM)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_the_compiled_active_set_agrees(monkeypatch):
    rng, n = np.random.default_rng(0), kernels.COMPILED_POINTS
    t = np.sort(rng.random(n))
    nodes = np.append(np.arange(0, n - 1, 50), n - 1)
    y = np.sin(9.0 * t) + 0.3 * rng.standard_normal(n)
    moments = Moments.at(t, np.ones(n), y, t[nodes], nodes[:-1])
    for lam in (30.0, 1.0, 0.1):
        fast = active_set(moments, lam)
        with monkeypatch.context() as numpy:
            numpy.setattr(kernels, "COMPILED_POINTS", np.inf)
            slow = active_set(moments, lam)
        assert 0 < len(slow.active) < len(nodes) / 4
        np.testing.assert_array_equal(fast.active, slow.active)
        np.testing.assert_array_equal(fast.signs, slow.signs)
        np.testing.assert_allclose(fast.theta, slow.theta, rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
def test_compiled_rounds_are_stopped_in_between(monkeypatch):
    """With a million nodes all rounds in one call took two seconds, deaf to Ctrl-C."""
    n, rounds = 60_000, []
    t = (np.arange(n) + 0.5) / n
    y = np.sin(30.0 * t) + 0.1 * np.random.default_rng(0).standard_normal(n)
    moments = Moments.at(t, np.ones(n), y, t, np.arange(n - 1))

    def ask():
        rounds.append(None)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("ridgesplines.solvers.univariate.active_set.check", ask)
    with pytest.raises(KeyboardInterrupt):
        active_set(moments, 1e-4)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("n", [50, 3000])
def test_compiled_passes_over_nodes_agree(monkeypatch, n):
    import numba  # noqa: F401  loaded, it serves few nodes too

    rng = np.random.default_rng(n)
    t, theta = np.sort(rng.random(n)), rng.standard_normal(n)
    grams, loads = rng.random((3, n - 1)), rng.standard_normal((2, n - 1))
    nodes = np.concatenate([[0], np.sort(rng.choice(np.arange(1, n - 1), n // 4, replace=False)), [n - 1]])
    eta = np.round(rng.standard_normal(n), 1)  # runs of one sign, with equal heights among them
    arguments = [(kernels.coarser, (t, grams, loads, nodes)), (kernels.residual, (grams, loads, theta))]
    arguments += [(kernels.face, (t, grams, loads, theta[1:-1]))]
    arguments += [(kernels.peaks, (eta, level)) for level in (0.25, 1.0, 10.0)]
    fast = [f(*given) for f, given in arguments]
    assert kernels._fast(t) is not None
    monkeypatch.setattr(kernels, "COMPILED_POINTS", np.inf)
    assert kernels._fast(t) is None
    for (f, given), quick in zip(arguments, fast, strict=True):
        slow = f(*given)
        pairs = zip(slow, quick, strict=True) if isinstance(slow, tuple) else [(slow, quick)]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_settings_are_frozen_and_printed():
    assert repr(replace(rs.Univariate(), tol=1e-3)) == "Univariate(tol=0.001, sparsest=True, verbose=False)"


@pytest.mark.filterwarnings("ignore::ridgesplines.ConvergenceWarning")
@pytest.mark.parametrize("x", [[0.0, 0.5, 1.0 - 4e-16, 1.0], [0.0, 4e-16, 0.5, 1.0], [0.0, 0.3, 0.5, 0.5 + 2e-16, 1.0]])
def test_interpolation_of_points_a_rounding_apart(x):
    """Slopes of 1e16 leave the other points few digits: that is said, in words or by the gap's own rounding."""
    for sparsest in (True, False):
        problem = rs.Problem(x, [1.0, 0.0, 1.0, 3.0, 2.0][: len(x)], 0.1, rs.Interpolation())
        try:
            solution = rs.solve(problem, rs.Univariate(sparsest=sparsest))
        except rs.ProblemError as words:
            assert "Average points this near" in str(words)  # noqa: PT017
        else:
            assert np.isfinite(solution.objective)
            assert solution.network.n_neurons <= len(x) - 2


def test_points_that_cannot_be_interpolated_far_from_zero_can_be_near_it():
    x, y = np.array([0.0, 1e-9, 3e-9]), np.array([0.0, 1.0, 0.3])
    with pytest.raises(rs.ProblemError, match="subtract the middle of X"):
        rs.solve(rs.Problem(x + 0.7, y, 1.0, rs.Interpolation()))
    assert rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation())).status == "converged"


def test_a_loss_of_several_kinks_is_refused():
    class Tube(rs.Absolute):
        """The distance to a tube of width 0.2 about y."""

        def pieces(self, y):
            one = np.ones(len(y))
            return [(one, -y - 0.1), (-one, y - 0.1), (0.0 * one, 0.0 * one)]

    reason = rs.Univariate().refuses(rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.1, Tube()))
    assert reason is not None
    assert "one kink" in str(reason)
