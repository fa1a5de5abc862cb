"""ColumnGeneration: against the cone program over all activation patterns, the grid, and its own promises."""

import subprocess
import sys
import warnings

import instances
import numpy as np
import pytest
from instances import diagonal, ids

import ridgesplines as rs
from ridgesplines.neurons.working_set import Neurons, merged
from ridgesplines.numerics.polynomials import affine_basis
from ridgesplines.solvers.column_generation import solver as column_generation
from ridgesplines.solvers.column_generation.cutting_planes import DualProgram
from ridgesplines.solvers.column_generation.rounds import breaking

LOSSES = [rs.Squared(), rs.Huber(0.3), rs.Absolute(), rs.Quantile(0.3), rs.Logistic(), rs.Hinge(), rs.Interpolation()]


def positions(name):
    rng = np.random.default_rng(3)
    if name == "lattice":
        return np.argwhere(np.ones((4, 4))).astype(float)
    if name == "circle":
        angle = 2.0 * np.pi * np.arange(12) / 12
        return np.column_stack([np.cos(angle), np.sin(angle)])
    if name == "collinear":
        return rng.uniform(-1, 1, (12, 1)) @ np.array([[1.0, 0.5]])
    if name == "duplicates":
        X = rng.uniform(-1, 1, (9, 2))
        return np.concatenate([X, X[:4]])
    return rng.uniform(-1, 1, (int(name[2:]), int(name[0])))


def posed(X, loss, share=0.1, seed=0):
    rng = np.random.default_rng(seed)
    f = np.abs(X @ np.arange(1.0, X.shape[1] + 1.0) - 0.3) + 0.2 * rng.standard_normal(len(X))
    if loss.interpolates:  # equal rows must have equal values
        f = np.sin(5.0 * X[:, 0]) + np.abs(X[:, 1])
        return rs.Problem(X, f, 1.0, loss)
    if isinstance(loss, rs.Logistic | rs.Hinge):
        f = np.where(rng.permutation(len(X)) % 2 == 0, 1.0, -1.0)
    weight = rng.uniform(0.5, 2.0, len(X))
    top = rs.lambda_max(rs.Problem(X, f, 1.0, loss, sample_weight=weight))
    return rs.Problem(X, f, max(share * top, 1e-3), loss, sample_weight=weight)


SETS = ["2-12", "3-10", "lattice", "circle", "collinear", "duplicates"]


@pytest.mark.parametrize(("loss", "name"), diagonal(LOSSES, SETS, times=2))
def test_the_optimum_is_that_of_all_activation_patterns(name, loss):
    p = posed(positions(name), loss)
    ours, theirs = rs.solve(p, rs.ColumnGeneration()), rs.solve(p, rs.Arrangement())
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-6, abs=1e-9)
    assert ours.status == "converged"
    assert ours.relative_gap <= 1e-6


@pytest.mark.parametrize("n", [100, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", [0.05, 0.005])
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not (loss.smooth or loss.interpolates)], ids=ids)
def test_with_kinks_exact_in_a_plane(loss, share, n):
    s = rs.solve(posed(np.random.default_rng(5).uniform(-1.0, 1.0, (n, 2)), loss, share), rs.ColumnGeneration(tol=1e-8))
    assert (s.certificate.scope, s.status) == ("exact", "converged")
    assert s.network.n_neurons <= n - 3


def test_interpolation_meets_the_data_with_the_least_seminorm():
    p = posed(np.random.default_rng(5).uniform(-1.0, 1.0, (80, 2)), rs.Interpolation())
    s = rs.solve(p, rs.ColumnGeneration())
    assert s.status == "converged"
    assert np.abs(s.predict(p.X) - p.y).max() <= 1e-9 * np.ptp(p.y)
    # Nearly interpolating fits of least squares have a smaller seminorm, and come near to it as lam falls.
    gaps = [1.0 - rs.solve(rs.Problem(p.X, p.y, lam)).seminorm / s.seminorm for lam in (1e-2, 1e-4)]
    assert 0.0 < gaps[1] < 0.1 * gaps[0]


@pytest.mark.parametrize("share", [0.05, 0.005])
@pytest.mark.parametrize("n", [50, 200, 1000])
def test_exact_in_a_plane(n, share):
    X = np.random.default_rng(n).uniform(-1.0, 1.0, (n, 2))
    s = rs.solve(posed(X, rs.Squared(), share), rs.ColumnGeneration(tol=1e-10))
    assert (s.certificate.scope, s.status) == ("exact", "converged")
    assert s.relative_gap <= 1e-10


def test_interpolation_out_of_time_meets_the_data_all_the_same():
    p = posed(np.random.default_rng(5).uniform(-1.0, 1.0, (80, 2)), rs.Interpolation())
    with pytest.warns(rs.ConvergenceWarning):
        s = rs.solve(p, rs.ColumnGeneration(max_time=1e-9))
    assert np.abs(s.predict(p.X) - p.y).max() <= 1e-9 * np.ptp(p.y)
    assert s.objective > rs.solve(p, rs.ColumnGeneration()).objective
    assert s.network.n_neurons <= 80 - 3
    assert np.isfinite(s.gap)


@pytest.mark.parametrize("seed", range(20))
def test_merged_neurons_are_the_same_function_of_no_greater_norm(seed):
    """Crowds of neurons about the lines through pairs of points: many of one pattern, turned or not, some touching."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, (12, 2))
    pairs = X[rng.integers(12, size=(200, 2))]
    W = (pairs[:, 0] - pairs[:, 1]) @ [[0.0, 1.0], [-1.0, 0.0]] + 1e-9
    W += rng.choice([0.0, 0.05], (200, 1)) * rng.standard_normal((200, 2))
    W *= rng.choice([-1.0, 1.0], (200, 1)) / np.linalg.norm(W, axis=1, keepdims=True)
    neurons = Neurons.of(W, np.einsum("kd,kd->k", W, pairs[:, 0]), rng.standard_normal(200))
    fewer = merged(X, neurons)
    assert len(fewer) < len(neurons)
    assert fewer.sizes.sum() <= neurons.sizes.sum() * (1.0 + 1e-12)
    change = sum(s * np.maximum(X @ n.W.T - n.b, 0.0) @ n.amplitudes for s, n in [(1.0, fewer), (-1.0, neurons)])
    Q = affine_basis(X)
    assert np.abs(change - Q @ (Q.T @ change)).max() <= 1e-9


@pytest.mark.parametrize("lam", [1e-2, 1e-3, 1e-4])
def test_near_interpolation(lam):
    """No noise and a small lam: where neurons that no point separates are merged in every round, it zigzags."""
    p = posed(np.random.default_rng(5).uniform(-1.0, 1.0, (80, 2)), rs.Interpolation())
    s = rs.solve(rs.Problem(p.X, p.y, lam), rs.ColumnGeneration())
    assert s.status == "converged"
    assert s.history["rounds"] <= 60


def test_no_grid_is_better():
    p = posed(np.random.default_rng(1).uniform(-1.0, 1.0, (60, 3)), rs.Squared())
    ours, grid = rs.solve(p, rs.ColumnGeneration()), rs.solve(p, rs.Grid(directions=64))
    assert ours.objective < grid.objective
    assert "ColumnGeneration" in ours.solver


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Softmax()], ids=ids)
def test_vector_outputs(loss):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (80, 2))
    Y = np.abs(X @ rng.standard_normal((2, 3))) + 0.3 * rng.standard_normal((80, 3))
    y = Y if isinstance(loss, rs.Squared) else rng.permutation(80) % 3
    p = rs.Problem(X, y, 1.0, loss)
    p = p.with_lam(0.2 * rs.lambda_max(p))
    s = rs.solve(p, rs.ColumnGeneration(tol=1e-8))
    assert s.status == "converged"
    assert s.certificate.scope == "exact"
    assert s.network.n_neurons > 0


def test_the_same_seed_gives_the_same_answer_and_another_the_same_function():
    p = posed(np.random.default_rng(2).uniform(-1.0, 1.0, (40, 3)), rs.Squared())
    first, again, other = (rs.solve(p, rs.ColumnGeneration(random_state=seed)) for seed in (0, 0, 1))
    assert np.array_equal(first.network.weights, again.network.weights)
    assert other.objective == pytest.approx(first.objective, rel=2e-6)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Softmax(), rs.Absolute()], ids=ids)
def test_with_the_searches_on_a_device_the_fit_is_the_same(loss):
    pytest.importorskip("torch")
    p = instances.problem(loss, 20, 3)
    host, there = (rs.solve(p, rs.ColumnGeneration(tol=1e-7, device=device)) for device in (None, "cpu"))
    assert there.objective == pytest.approx(host.objective, rel=1e-6)
    assert max(host.relative_gap, there.relative_gap) <= 1e-7


def test_a_start_of_any_network():
    p = posed(np.random.default_rng(2).uniform(-1.0, 1.0, (80, 2)), rs.Squared())
    start = rs.solve(p, rs.Grid(directions=16)).network
    cold, warm = rs.solve(p), rs.solve(p, rs.ColumnGeneration(start=start))
    assert warm.objective == pytest.approx(cold.objective, rel=1e-6)


def test_a_path_is_that_of_single_fits():
    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (60, 2)), rs.Squared())
    path = rs.solve_path(p, n_lams=6)
    for s in path:
        assert s.status == "converged"
        assert s.objective == pytest.approx(rs.solve(p.with_lam(s.problem.lam)).objective, rel=2e-6)


def test_out_of_time_and_interrupted_it_returns_the_best_so_far(monkeypatch):
    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (200, 2)), rs.Squared(), 0.005)
    with pytest.warns(rs.ConvergenceWarning):
        s = rs.solve(p, rs.ColumnGeneration(max_time=1e-9))
    assert s.status == "not converged"
    assert "max_time" in s.history["stopped"]
    from ridgesplines.solvers.column_generation import rounds as engine

    calls, refit = [], engine.refit

    def third(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return refit(*args)

    monkeypatch.setattr(engine, "refit", third)
    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        s = rs.solve(p, rs.ColumnGeneration())
    assert s.status == "interrupted"
    assert s.network.n_neurons > 0
    assert s.relative_gap < 1.0


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute()], ids=ids)
def test_interrupted_before_the_first_round_it_returns_the_affine_fit(monkeypatch, loss):
    def interrupt(problem, fit):
        raise KeyboardInterrupt

    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (30, 2)), loss)
    affine = rs.solve(p.with_lam(2.0 * rs.lambda_max(p)))
    monkeypatch.setattr(column_generation, "at_lam", interrupt)
    with pytest.warns(rs.ConvergenceWarning, match="interrupted"):
        s = rs.solve(p, rs.ColumnGeneration())
    assert s.status == "interrupted"
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(affine.objective)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_out_of_time_in_the_first_search_or_program_it_is_an_honest_fit(loss):
    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (14, 3)), loss)
    with pytest.warns(rs.ConvergenceWarning):
        s = rs.solve(p, rs.ColumnGeneration(max_time=1e-9))
    assert s.status == "not converged"
    assert "max_time" in s.history["stopped"]
    assert np.isfinite(s.gap)
    assert s.objective > rs.solve(p, rs.ColumnGeneration(tol=1e-2)).objective


def test_a_linear_program_out_of_time_is_given_up_and_goes_on_later():
    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (300, 3)), rs.Absolute())
    program = DualProgram(p)
    rng = np.random.default_rng(0)
    program.offer(rng.standard_normal((500, 3)), rng.uniform(-1.0, 1.0, 500))
    assert program.solve(end=0.0) is None
    assert program.solve() is not None


@pytest.mark.parametrize("n", [50, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("loss", [rs.Absolute(), rs.Hinge()], ids=ids)
def test_the_dual_vector_is_that_of_the_last_round(loss, n):
    """In earlier rounds the search stops at the first violators, and values may exceed the optimum."""
    p = posed(np.random.default_rng(8).uniform(-1.0, 1.0, (n, 3)), loss, 0.01)
    s = rs.solve(p, rs.ColumnGeneration())
    assert s.status == "converged"
    assert s.certify().relative_gap <= 1e-6


@pytest.mark.parametrize("tol", [0.0, 1e-7, 1e-3])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Logistic(), rs.Poisson()], ids=ids)
def test_what_ends_a_confirmation_breaks_the_gap(loss, tol):
    X = np.random.default_rng(0).standard_normal((40, 2))
    low = -1.0 if isinstance(loss, rs.Logistic) else 0.0
    problem = rs.Problem(X, np.where(np.abs(X[:, 0]) > 0.7, 1.0, low), 0.3, loss=loss)
    solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-9))
    u = solution.certificate.dual

    def gap(sup):
        tau = min(1.0, problem.lam / sup)
        return 1.0 + problem.loss.conjugate(problem.y, -tau * u).sum() / solution.objective

    level = breaking(problem, gap, tol)
    assert gap(level) > tol
    excess = level / problem.lam - 1.0
    least = max(tol, np.finfo(float).eps)
    assert excess <= least * (1.0 + 1e-6) or gap(problem.lam * (1.0 + 0.5 * excess)) <= tol


def test_refusals():
    x = np.arange(5.0)
    with pytest.raises(rs.SolverRefusal, match="d >= 2 features"):
        rs.solve(rs.Problem(x, x**2, 1.0), rs.ColumnGeneration())
    net = rs.RidgeSpline([[1.0]], [0.0], [1.0])
    with pytest.raises(rs.SolverRefusal, match="start"):
        rs.solve(rs.Problem(np.eye(3), x[:3], 1.0), rs.ColumnGeneration(start=net))
    for name, bad in [("tol", 0.0), ("max_time", -1.0), ("max_time", "60"), ("random_state", -1), ("start", 3)]:
        with pytest.raises(rs.exceptions.ProblemError, match=name):
            rs.ColumnGeneration(**{name: bad})


@pytest.mark.parametrize(("d", "searched"), [(2, False), (3, True)])
def test_progress_says_what_was_searched(capsys, d, searched):
    p = posed(np.random.default_rng(4).uniform(-1.0, 1.0, (50, d)), rs.Squared())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rs.solve(p, rs.ColumnGeneration(verbose=True))
    printed = capsys.readouterr().err
    assert "relative gap" in printed
    assert ("(searched)" in printed) == searched


def test_others_may_have_used_highs_with_more_threads():
    run = (
        "import highspy, numpy as np, ridgesplines as rs\n"
        "h = highspy.Highs()\n"
        "h.setOptionValue('threads', 2)\n"
        "h.addVars(1, np.zeros(1), np.ones(1))\n"
        "h.run()\n"
        "X = np.random.default_rng(0).standard_normal((30, 2))\n"
        "print(rs.solve(rs.Problem(X, np.abs(X[:, 0]), 0.1, rs.Absolute())).status)\n"
    )
    out = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines()[-1] == "converged"
