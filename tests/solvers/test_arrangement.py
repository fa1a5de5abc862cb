"""The cone program over activation patterns against formulations and solvers that share nothing with it."""

import dataclasses
import functools
import itertools
import sys
import warnings

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum
from instances import LOSSES, SCALAR, diagonal, ids, noisy, problem
from scipy.optimize import linprog

import ridgesplines as rs
from ridgesplines.neurons.patterns import activation_patterns
from ridgesplines.oracle import exact_oracle
from ridgesplines.scaling import standardise
from ridgesplines.solvers.arrangement import solver as arrangement
from ridgesplines.solvers.backends import BACKENDS

REGRESSION = [loss for loss in SCALAR if loss.translates]
SLOW = pytest.mark.slow
LATTICE = np.argwhere(np.ones((4, 4))).astype(float)


def scaled_lam(p, share):
    """The problem at a share of lambda_max; lam only scales the objective of Interpolation."""
    return p if p.loss.interpolates else p.with_lam(share * rs.lambda_max(p))


def certified(p, **settings):
    s = rs.solve(p, rs.Arrangement(**settings))
    assert s.status == "converged"
    assert s.relative_gap <= 1e-8
    assert s.network.n_neurons <= p.n_samples - p.rank
    return s


def feasible(X, active):
    A = np.column_stack([X, -np.ones(len(X))]) * np.where(active, -1.0, 1.0)[:, None]
    A = np.column_stack([A, np.ones(len(X))])
    out = linprog([*np.zeros(X.shape[1] + 1), -1.0], A_ub=A, b_ub=np.zeros(len(X)), bounds=(-1.0, 1.0))
    return -out.fun > 1e-7


@functools.cache
def every_pattern(points):
    """A column each: 1 at the points where a neuron may be active, and 0 at the others."""
    choices = map(np.array, itertools.product([0.0, 1.0], repeat=len(points)))
    return np.column_stack([active for active in choices if feasible(np.array(points), active > 0.0)])


def written_out(p):
    """min over all patterns, both of complementary ones, with all inequalities; the losses' formulas written again.

    A neuron is a ReLU here: zero at the points off its pattern.
    """
    X, (n, d) = p.X, p.X.shape
    active = every_pattern(tuple(map(tuple, X)))
    z, norm, constraints = cp.Variable(d) @ X.T + cp.Variable(), 0.0, []
    for sign in (1.0, -1.0):
        V, b = cp.Variable((d, active.shape[1])), cp.Variable((1, active.shape[1]))  # a column each pattern
        before = X @ V - np.ones((n, 1)) @ b
        z = z + sign * cp.sum(cp.multiply(active, before), axis=1)
        norm = norm + cp.sum(cp.norm(V, 2, axis=0))
        constraints.append(cp.multiply(2.0 * active - 1.0, before) >= 0.0)
    return minimum(p, z, norm, constraints, tol=1e-10)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_against_the_program_with_every_pattern_and_inequality(loss):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((7, 2))
    y = np.array([1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0])
    y = y if isinstance(loss, (rs.Logistic, rs.Hinge)) else y + 0.3 * rng.standard_normal(7)
    y = np.maximum(y, 0.0) if isinstance(loss, rs.Poisson) else y
    p = scaled_lam(rs.Problem(X, y, 0.3, loss, sample_weight=rng.uniform(0.5, 2.0, 7)), 0.2)
    s = certified(p)
    assert s.network.n_neurons > 0
    assert s.objective == pytest.approx(written_out(p), rel=1e-7)


@pytest.mark.parametrize(
    "X",
    [
        np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]], dtype=float),
        np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0], [0.5, 0.5]]),
        np.array([[0, 0], [1, 0], [0, 1], [0, 1], [1, 1], [2, 2], [1, 1]], dtype=float),
    ],
    ids=["lattice", "cross", "duplicates"],
)
def test_degenerate_data_against_every_pattern_and_inequality(X):
    y = np.sin(3.0 * np.arange(len(X))) + np.abs(X[:, 0] - X[:, 1])
    p = scaled_lam(rs.Problem(X, y, 1.0), 0.2)
    assert certified(p).objective == pytest.approx(written_out(p), rel=1e-7)


@pytest.mark.parametrize(("loss", "share"), diagonal(SCALAR, [0.3, 0.01, 1e-5]))
def test_one_dimension_against_univariate(loss, share):
    p = scaled_lam(problem(loss, 16), share)
    other = rs.solve(p, rs.Univariate(tol=1e-10))
    assert certified(p).objective == pytest.approx(other.objective, rel=1e-8)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_in_the_plane_no_grid_is_better_and_a_fine_one_comes_near(loss):
    p = scaled_lam(problem(loss, 12, 2), 0.1)
    s = certified(p)
    assert s.certificate.scope == "exact"
    coarse, fine = (rs.solve(p, rs.Grid(directions=m)) for m in (8, 128))
    assert s.objective <= fine.objective * (1.0 + 1e-9) <= coarse.objective * (1.0 + 1e-6)
    assert fine.objective <= s.objective * (1.0 + 1e-3)
    assert coarse.objective > s.objective * (1.0 + 1e-5)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=SLOW) for seed in (1, 2, 3))])
@pytest.mark.parametrize(("loss", "share"), diagonal(SCALAR, [0.3, 0.01, 1e-4]))
def test_in_the_plane_the_gap_is_proven(loss, share, seed):
    p = scaled_lam(problem(loss, 14 if seed else 11, 2, seed=seed), share)
    assert certified(p).certificate.scope == "exact"


def largest_eta(X, u):
    """sup |eta| by one small cone program a pattern: a supremum that no search could miss."""
    best, d = 0.0, X.shape[1]
    w, b, slope = cp.Variable(d), cp.Variable(), cp.Parameter(d + 1)
    sides = cp.Parameter(len(X))
    inside = cp.multiply(sides, X @ w - b) >= 0.0
    program = cp.Problem(cp.Maximize(slope[:d] @ w - slope[d] * b), [inside, cp.norm(w, 2) <= 1.0])
    for active in activation_patterns(X):
        if active.all():
            continue  # affine, and u is orthogonal to that
        for sign in (1.0, -1.0):
            mass = sign * u * active
            sides.value, slope.value = np.where(active, 1.0, -1.0), np.append(mass @ X, mass.sum())
            best = max(best, program.solve(solver="CLARABEL"))
    return best


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute(), rs.Logistic()], ids=ids)
def test_in_space_the_dual_vector_is_feasible(loss):
    X, _ = noisy(10, 3, seed=2)
    y = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    p = scaled_lam(rs.Problem(X, y, 1.0, loss), 0.2)
    s = certified(p)
    assert s.certificate.scope == "bounded"
    u = s.certificate.dual
    assert np.abs(u.sum()) + np.abs(X.T @ u).max() <= 1e-9 * np.abs(u).sum()
    assert largest_eta(X, u) == pytest.approx(s.certificate.sup, rel=1e-6)
    assert s.certificate.sup <= p.lam * (1.0 + 1e-7)
    # Weak duality with that supremum: the objective is optimal to 1e-5, whatever any oracle says.
    v = -u / (1.0 + 1e-6)
    assert s.objective <= -loss.conjugate(p.y, v).sum() * (1.0 + 1e-5)


def proven(loss, share, shape):
    n, d = shape
    X, y = noisy(n, d, seed=5)
    if isinstance(loss, (rs.Logistic, rs.Hinge)):
        y = np.where(np.arange(n) < (n + 1) // 2, 1.0, -1.0)
        X[-1] = X[: (n + 1) // 2].mean(axis=0)  # among the others: no affine function separates
    y = np.ceil(5.0 * np.exp(y)) if isinstance(loss, rs.Poisson) else y
    assert certified(scaled_lam(rs.Problem(X, y, 1.0, loss), share)).certificate.scope == "bounded"


@pytest.mark.parametrize(("loss", "share", "shape"), diagonal(SCALAR, [0.3, 0.01], [(10, 3), (9, 5)]))
def test_in_more_dimensions_the_gap_is_proven(loss, share, shape):
    proven(loss, share, shape)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.3, 0.01])
@pytest.mark.parametrize("loss", SCALAR, ids=ids)
@pytest.mark.parametrize("shape", [(12, 3), (9, 4), (11, 5)], ids=str)
def test_in_more_dimensions_the_gap_of_more_points_is_proven(loss, share, shape):
    proven(loss, share, shape)


def proven_bounds(p):
    """The oracle with which the solver's answer came, for d >= 3; for d = 2 before it makes way for the exact one."""
    scaling = standardise(p)
    work = arrangement._Work(p, scaling, BACKENDS["CLARABEL"], 1e-8)
    return work.solve(p)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Hinge(), rs.Interpolation()], ids=ids)
@pytest.mark.parametrize("lattice", [False, True])
def test_the_bound_is_one_for_any_dual_vector(loss, lattice):
    p = problem(loss, 16, 2)
    p = scaled_lam(moved(p, 1e3 * (LATTICE if lattice else p.X) + 5.0, 500.0), 0.2)
    answer, exact = proven_bounds(p), exact_oracle(p.X)
    bound = answer.limits
    rng = np.random.default_rng(0)
    vectors = [answer.dual, *(answer.dual * t for t in (-1.0, 0.3, 2.0)), *rng.standard_normal((20, 16))]
    vectors += [answer.dual + size * np.abs(answer.dual).max() * v for v in vectors[-3:] for size in (1e-9, 1e-3)]
    for raw in vectors:
        u = raw - p.null_space @ (p.null_space.T @ raw)
        found = bound(u)
        assert found.scope == "bounded"
        assert found.value >= exact(u).value * (1.0 - 1e-12)
    assert bound(answer.dual).value <= exact(answer.dual).value * (1.0 + 1e-7)
    without = dataclasses.replace(bound, pull=0.0 * bound.pull)
    assert without(answer.dual).value > exact(answer.dual).value


@pytest.mark.parametrize("d", [2, 3])
def test_the_bound_counts_rows_that_interpolation_merges(d):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((9, d))
    p = rs.Problem(np.repeat(X, 2, axis=0), np.repeat(rng.standard_normal(9), 2), 0.7, rs.Interpolation())
    once = rs.Problem(X, p.y[::2], 0.7, rs.Interpolation())
    assert certified(p).objective == pytest.approx(certified(once).objective, rel=2e-8)
    u = np.random.default_rng(3).standard_normal(9)
    u -= once.null_space @ (once.null_space.T @ u)
    share = rng.random(9)
    twice = np.column_stack([share * u, (1.0 - share) * u]).ravel()
    values = [proven_bounds(q).limits(v).value for q, v in ((once, u), (p, twice))]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_interpolation_without_a_price(d):
    X, y = noisy(9, d)
    free = rs.solve(rs.Problem(X, y, 0.0, rs.Interpolation()), rs.Arrangement())
    paid = certified(rs.Problem(X, y, 2.0, rs.Interpolation()))
    assert free.status == "converged"
    assert free.seminorm == pytest.approx(paid.seminorm, rel=2e-8)


def test_in_space_twenty_points():
    p = scaled_lam(problem(rs.Squared(), 20, 3), 0.1)
    s = certified(p)
    assert s.history["patterns"] == 19 + 171 + 969
    assert s.certificate.scope == "bounded"
    assert s.dictionary_gap is None  # that is for grids
    assert s.objective <= rs.solve(p, rs.Grid(directions=256)).objective


def moved(p, X, lam=None, **kwargs):
    return rs.Problem(X, p.y, p.lam if lam is None else lam, p.loss, **kwargs)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_motions_and_order_change_nothing(loss):
    p = scaled_lam(problem(loss, 12, 2), 0.1)
    still = certified(p).objective
    turn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2)))
    assert certified(moved(p, p.X @ turn + [3.0, -50.0])).objective == pytest.approx(still, rel=2e-8)
    order = np.random.default_rng(1).permutation(12)
    assert certified(rs.Problem(p.X[order], p.y[order], p.lam, loss)).objective == pytest.approx(still, rel=2e-8)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units(scale):
    p = scaled_lam(problem(rs.Squared(), 12, 2), 0.1)
    still = certified(p).objective
    assert certified(moved(p, scale * p.X, scale * p.lam)).objective == pytest.approx(still, rel=2e-8)
    other = rs.Problem(p.X, scale * p.y + p.X @ [1.0, 2.0] * scale, scale * p.lam)
    assert certified(other).objective == pytest.approx(scale**2 * still, rel=2e-8)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_a_subspace_is_seen_as_one(loss):
    p = scaled_lam(problem(loss, 10, 2), 0.1)
    still = certified(p)
    axes, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((5, 2)))
    inside = certified(moved(p, p.X @ axes.T + 2.0))
    assert inside.history["patterns"] == still.history["patterns"] == 45
    assert inside.objective == pytest.approx(still.objective, rel=2e-8)


@pytest.mark.parametrize("loss", [x for x in SCALAR if not x.interpolates], ids=ids)
def test_duplicates_are_weights_and_zero_weights_are_nothing(loss):
    p = scaled_lam(problem(loss, 10, 2), 0.1)
    times = np.random.default_rng(1).integers(0, 4, 10)
    weighted = rs.Problem(p.X, p.y, p.lam, loss, sample_weight=times.astype(float))
    repeated = rs.Problem(np.repeat(p.X, times, axis=0), np.repeat(p.y, times), p.lam, loss)
    a, b = rs.solve(weighted, rs.Arrangement()), rs.solve(repeated, rs.Arrangement())
    assert a.status == b.status == "converged"
    assert a.objective == pytest.approx(b.objective, rel=2e-8)
    assert a.history["patterns"] == b.history["patterns"]


@pytest.mark.parametrize(("loss", "turned"), diagonal(REGRESSION, [True, False]))
def test_lattice(loss, turned):
    # Turned, the lattice's lines through several points are lost to rounding: cells of no width appear.
    y = np.abs(LATTICE[:, 0] - 1.3) + np.sin(2.0 * LATTICE[:, 1])
    c, s = np.cos(0.7), np.sin(0.7)
    X = LATTICE @ [[c, -s], [s, c]] * 1e6 + 3e6 if turned else LATTICE
    solution = certified(rs.Problem(X, y, 0.1 * (1e6 if turned else 1.0), loss))
    assert (solution.history["patterns"] > 86) == turned
    if turned:
        assert solution.objective == pytest.approx(certified(rs.Problem(LATTICE, y, 0.1, loss)).objective, rel=2e-8)


@pytest.mark.parametrize(("loss", "seed"), diagonal(REGRESSION, [1, 2]))
def test_nearly_equal_points(loss, seed):
    """Cells as thin as the points are near: the inequalities that imply the others there do so only just."""
    rng = np.random.default_rng(seed)
    X = np.repeat(LATTICE[:6], 2, axis=0)
    y = np.repeat(np.abs(LATTICE[:6, 0] - 1.3) + np.sin(2.0 * LATTICE[:6, 1]), 2)
    p = rs.Problem(X + 1e-10 * rng.standard_normal(X.shape), y, 0.1, loss)
    if (
        loss.interpolates
    ):  # equations that agree to ten digits: on some processors the backend fails, and its gap says so
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            near = rs.solve(p, rs.Arrangement())
            other = rs.solve(p, rs.ColumnGeneration())
        # To miss y by 1e-10 counts as to meet it, and may save several percent of the seminorm here: the gap says so.
        assert (other.status == "converged") == (other.relative_gap <= 1e-6)
        assert abs(near.objective - other.objective) <= near.gap + other.gap + 1e-9 * other.objective
        return
    assert certified(p).objective == pytest.approx(certified(rs.Problem(X, y, 0.1, loss)).objective, rel=1e-6)


@pytest.mark.parametrize("loss", [x for x in SCALAR if not x.separable()], ids=ids)
def test_collinear_points_are_one_dimension(loss):
    p = scaled_lam(problem(loss, 12), 0.1)
    flat = certified(rs.Problem(p.X * [3.0, 4.0], p.y, 5.0 * p.lam, loss))
    assert flat.history["patterns"] == 11
    assert flat.objective == pytest.approx(rs.solve(p).objective, rel=2e-8)


@pytest.mark.parametrize("loss", [x for x in SCALAR if not x.separable()], ids=ids)
@pytest.mark.parametrize("n", [1, 3, 4])
def test_too_few_points_to_bend(loss, n):
    y = np.array([1.0, -1.0, 1.0, -1.0])[:n]
    s = rs.solve(rs.Problem(np.random.default_rng(0).standard_normal((n, 3)), y, 0.05, loss), rs.Arrangement())
    assert s.status == "converged"
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("loss", [x for x in SCALAR if not x.interpolates], ids=ids)
def test_from_lambda_max_on_the_solution_is_affine(loss):
    p = problem(loss, 12, 2)
    top = rs.lambda_max(p)
    assert certified(p.with_lam(1.001 * top)).network.n_neurons == 0
    assert certified(p.with_lam(0.97 * top)).network.n_neurons > 0


@pytest.mark.parametrize("loss", REGRESSION, ids=ids)
def test_affine_data(loss):
    s = certified(rs.Problem(LATTICE, LATTICE @ [1.0, 2.0] + 1.0, 0.01, loss))
    assert s.network.n_neurons == 0


def test_all_points_equal():
    s = certified(rs.Problem(np.ones((6, 2)), np.arange(6.0), 0.1))
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(17.5)


def test_separable_classes_are_told():
    with pytest.raises(rs.ProblemError, match="separable"):
        rs.solve(rs.Problem(LATTICE, np.where(LATTICE[:, 0] > 1.0, 1.0, -1.0), 0.1, rs.Logistic()), rs.Arrangement())


def test_a_path_equals_its_single_fits_and_compiles_its_program_once(monkeypatch):
    made = []
    original = arrangement.CellProgram.__init__

    def counting(self, problem, points, cells, backend):
        made.append(len(cells))
        original(self, problem, points, cells, backend)

    monkeypatch.setattr(arrangement.CellProgram, "__init__", counting)
    p = problem(rs.Huber(0.1), 12, 2)
    path = rs.solve_path(p, rs.Arrangement(), lams=rs.lambda_max(p) * np.array([2.0, 0.5, 0.1, 0.01]))
    assert made.count(2 * 66) == 1
    assert path[0].network.n_neurons == 0
    for s in path:
        assert s.status == "converged"
        assert s.objective == pytest.approx(certified(p.with_lam(s.problem.lam)).objective, rel=2e-8)


@pytest.mark.parametrize("backend", ["ECOS", "SCS"])
def test_other_backends(backend):
    if backend == "ECOS" and sys.version_info >= (3, 13):
        pytest.skip("ECOS has no wheels for this Python")
    p = scaled_lam(problem(rs.Squared(), 10, 2), 0.1)
    tol = 1e-6 if backend == "ECOS" else 1e-4
    s = rs.solve(p, rs.Arrangement(backend=backend, tol=tol))
    assert s.relative_gap <= tol
    assert s.objective == pytest.approx(certified(p).objective, rel=tol)


def test_interrupted_the_best_so_far_is_returned(monkeypatch):
    def interrupted(self, lam, options):
        raise KeyboardInterrupt

    monkeypatch.setattr(arrangement.CellProgram, "solve", interrupted)
    p = scaled_lam(problem(rs.Squared(), 10, 2), 0.1)
    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        s = rs.solve(p, rs.Arrangement())
    assert s.status == "interrupted"
    assert s.network.n_neurons == 0
    assert s.certificate.value <= s.objective


def test_a_backend_that_fails(monkeypatch):
    monkeypatch.setattr(arrangement.CellProgram, "solve", lambda self, lam, options: None)
    with pytest.raises(rs.SolverRefusal, match="CLARABEL fails"):
        rs.solve(problem(rs.Interpolation(), 10, 2), rs.Arrangement())
    with pytest.warns(rs.ConvergenceWarning, match="relative gap"):
        s = rs.solve(scaled_lam(problem(rs.Squared(), 10, 2), 0.1), rs.Arrangement())
    assert s.status == "not converged"
    assert s.network.n_neurons == 0


def test_verbose(capsys):
    certified(scaled_lam(problem(rs.Squared(), 8, 2), 0.1), verbose=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "lam = " in captured.err
    assert "patterns: 28" in captured.err


REFUSED = [
    (rs.Problem([[0.0], [1.0], [2.0]], np.eye(3)[:, :2], 0.1), {}, "D = 2 outputs"),
    (problem(next(x for x in LOSSES if isinstance(x, rs.Softmax)), 12, 2), {}, "no tractable form"),
    (rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], 0.1, constraints=[rs.Convex()]), {}, "no constraints"),
    (problem(rs.Squared(), 9, 2, interactions=1), {}, r"no interactions.*one feature at a time.*ColumnGeneration\(\)"),
    (problem(rs.Squared(), 50, 4), {}, "50 distinct points in 4 dimensions, which may have 231525 patterns"),
    (problem(rs.Squared(), 50, 40), {}, r"50 distinct points in 40 dimensions, which may have 10\^14 patterns"),
    (problem(rs.Squared(), 2000, 1), {}, "at most 1414 distinct points"),
    (problem(rs.Squared(), 12, 2), {"max_patterns": 65}, "may have 66 patterns.*at most 11 distinct points"),
    (problem(rs.Squared(), 12, 2), {"backend": "OSQP"}, "one of the backends CLARABEL, ECOS, SCS"),
]


@pytest.mark.parametrize(("p", "settings", "words"), REFUSED, ids=[words[:20] for _, _, words in REFUSED])
def test_refusals_come_before_any_work(p, settings, words, monkeypatch):
    def long(*args):
        raise AssertionError("work was begun")

    monkeypatch.setattr(arrangement, "all_cells", long)
    with pytest.raises(rs.SolverRefusal, match=words) as refusal:
        rs.solve(p, rs.Arrangement(**settings))
    assert refusal.value.solver == "Arrangement"


@pytest.mark.parametrize(("n", "most"), [(12, 66), (11, 55)])
def test_the_bound_is_the_number_of_patterns_in_general_position(n, most):
    assert rs.Arrangement(max_patterns=most).refuses(problem(rs.Squared(), n, 2)) is None
    assert rs.Arrangement(max_patterns=most - 1).refuses(problem(rs.Squared(), n, 2)) is not None


def test_settings():
    with pytest.raises(rs.ProblemError, match="tol"):
        rs.Arrangement(tol=2.0)
    with pytest.raises(rs.ProblemError, match="max_patterns"):
        rs.Arrangement(max_patterns=0)
    with pytest.raises(rs.ProblemError, match="backend"):
        rs.solve(problem(rs.Squared(), 8, 2), rs.Arrangement(backend="nothing"))
