"""Fits of rows in blocks are those of the same rows in memory, whatever the maker, the blocks and the loss."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.amplitudes.by_rows import Point, descent_of, parabola_of
from ridgesplines.rows import DaskRows, FileRows, MemoryRows, given
from ridgesplines.rows.data import BlockedData
from ridgesplines.rows.facts import Facts

N = 2_000
LOSSES = {"squared": rs.Squared(), "huber": rs.Huber(0.3), "logistic": rs.Logistic()}


@pytest.fixture(autouse=True)
def _files_are_large(monkeypatch):
    """Small files are read into memory: here none is small."""
    monkeypatch.setattr(given, "IN_MEMORY", 0)


def table(n=N):
    """Two clipped and rounded features, with ties; two ridges and noise."""
    rng = np.random.default_rng(0)
    X = np.round(rng.uniform(-1.0, 1.0, (n, 2)) * [1.0, 3.0], 2).clip(-2.0, 2.0)
    f = np.abs(X @ [0.6, 0.8] - 0.2) + 0.5 * np.maximum(X[:, 0] - X[:, 1], 0.0)
    return X, np.round(f + 0.3 * rng.standard_normal(n), 2), rng.integers(0, 3, n).astype(float)


@pytest.fixture(scope="module")
def in_memory():
    """For each loss the problem in memory and its solution, exact in the plane."""
    X, y, weight = table()
    known = {}
    for name, loss in LOSSES.items():
        target = np.where(y > 0.6, 1.0, -1.0) if name == "logistic" else y
        problem = rs.Problem(X, target, 1.0, loss, sample_weight=weight)
        problem = problem.with_lam(0.1 * rs.lambda_max(problem))
        known[name] = problem, rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
        assert known[name][1].certificate.scope == "exact"
    return known


def in_pieces(problem, maker, size, folder):
    """The same problem with its rows in blocks."""
    X, y, weight = problem.X, problem.y, problem.sample_weight
    if maker == "dask":
        da = pytest.importorskip("dask.array")
        rows = DaskRows(da.from_array(X, (size, -1)), da.from_array(y, size), da.from_array(weight, size))
    elif maker == "file":
        file = np.memmap(folder / "X.bin", dtype=float, mode="w+", shape=X.shape)
        file[:] = X
        rows = FileRows(file, y, weight)
    else:
        rows = MemoryRows(X, y, weight)
    return problem.on(BlockedData(rows, problem.loss, problem.activation, Facts.of(rows, problem.loss)))


@pytest.mark.parametrize(
    ("loss", "maker", "size"),
    [
        ("squared", "file", None),
        ("huber", "dask", 1000),
        ("logistic", "memory", None),
    ],
)
def test_the_objective_is_that_of_the_fit_in_memory(loss, maker, size, in_memory, tmp_path):
    problem, known = in_memory[loss]
    solution = rs.solve(in_pieces(problem, maker, size, tmp_path), rs.ColumnGeneration(tol=1e-7))
    assert solution.status == "converged"
    assert solution.objective <= known.objective * (1.0 + 1e-6)
    assert solution.objective >= known.certificate.value * (1.0 - 1e-12)  # which is proven
    again = rs.evaluate(problem, solution.network, max_time=0.0)
    np.testing.assert_allclose(solution.objective, again.objective, rtol=1e-12)
    u = np.asarray(solution.certificate.dual)
    columns = np.column_stack([np.ones(N), problem.X])
    assert np.linalg.norm(columns.T @ u) <= 1e-9 * np.linalg.norm(u) * np.linalg.norm(columns)
    exact = rs.evaluate(problem, solution.network, max_time=0.0).certificate.sup
    assert 0.99 * exact <= solution.certificate.sup
    assert solution.certificate.scope == "searched"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("maker", "size", "n"),
    [
        ("memory", None, 20_000),
        ("file", None, 20_000),
        ("dask", 137, 20_000),
        ("dask", 20_000, 20_000),
        ("dask", 1, 300),
    ],
)
def test_all_makers_have_the_objective_of_the_fit_in_memory(maker, size, n, tmp_path):
    X, y, weight = table(n)
    problem = rs.Problem(X, y, 0.02 * n, sample_weight=weight)
    known = rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
    solution = rs.solve(in_pieces(problem, maker, size, tmp_path), rs.ColumnGeneration(tol=1e-7))
    whole = rs.solve(in_pieces(problem, "memory", None, tmp_path), rs.ColumnGeneration(tol=1e-7))
    assert known.certificate.scope == "exact"
    assert solution.objective == pytest.approx(known.objective, rel=1e-6)
    assert solution.objective == pytest.approx(whole.objective, rel=1e-13)  # however it is cut


@pytest.mark.parametrize(("maker", "size"), [("file", None), ("dask", 1111), ("dask", 7000)])
def test_sums_do_not_depend_on_blocks(maker, size, in_memory, tmp_path):
    problem, known = in_memory["huber"]
    whole, pieces = (in_pieces(problem, *how, tmp_path).in_blocks for how in (("memory", None), (maker, size)))
    point, x = Point.of_network(known.network, whole.affine), np.ones(known.network.n_neurons + 3)
    point = replace(point, beta=point.beta + 10.0)  # where gradients are no small differences
    for function, shared in [(descent_of, ()), (parabola_of, (x, False))]:
        one, other = (data.blocks.reduce(function, problem.loss, point, *shared) for data in (whole, pieces))
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(same, part)
    np.testing.assert_array_equal(whole.sample[0].X, pieces.sample[0].X)


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_are_those_of_finite_differences(loss, in_memory):
    problem, known = in_memory[loss]
    data = in_pieces(problem, "memory", None, None).in_blocks
    point = Point.of_network(known.network, data.affine)
    rng = np.random.default_rng(1)

    def moved(base, size):
        step = size * rng.standard_normal(point.theta.size + len(point.beta))
        theta = base.theta + step[: point.theta.size].reshape(point.theta.shape)
        return Point(theta, point.signs, base.beta + step[point.theta.size :], point.affine)

    def value(at):
        return data.blocks.reduce(descent_of, problem.loss, at).value

    away = moved(point, 1e-3)  # at the optimum rows lie where neurons bend
    near = moved(away, 1e-8)
    there, step = data.blocks.reduce(descent_of, problem.loss, away), (near.theta - away.theta, near.beta - away.beta)
    slope = np.sum(there.theta * step[0]) + np.sum(there.beta * step[1])
    np.testing.assert_allclose(value(near) - there.value, slope, rtol=1e-3, atol=1e-12 * there.value)
    here = data.blocks.reduce(descent_of, problem.loss, point)
    np.testing.assert_allclose(here.value, known.data_fit, rtol=1e-10)
    np.testing.assert_allclose(point.network(problem.X), known.network(problem.X), atol=1e-12)


def test_lambda_max_paths_and_the_affine_fit(in_memory, tmp_path):
    problem, _ = in_memory["squared"]
    blocks = in_pieces(problem, "file", None, tmp_path)
    top = rs.lambda_max(blocks)
    np.testing.assert_allclose(top, rs.lambda_max(problem), rtol=1e-6)
    assert top <= rs.lambda_max(problem) * (1.0 + 1e-12)
    path = rs.solve_path(blocks, rs.ColumnGeneration(tol=1e-3), lams=[1.01 * top, 0.3 * top])
    assert path[0].network.n_neurons == 0
    assert path[1].relative_gap <= 1e-3


@pytest.mark.parametrize(("loss", "maker"), [("squared", "file"), ("logistic", "dask")])
def test_scales_are_those_of_the_same_problem_in_memory(loss, maker, tmp_path):
    X, y, weight = (part[:1500] for part in table())
    X = X * [1e-2, 40.0] + [0.0, 1e4]
    y, scales = np.where(y > 0.6, 1.0, -1.0) if loss == "logistic" else y, X.std(axis=0)
    problem = rs.Problem(X, y, 1.0, LOSSES[loss], sample_weight=weight, scales=scales)
    problem = problem.with_lam(0.15 * rs.lambda_max(problem))
    known = rs.solve(problem, rs.ColumnGeneration(tol=1e-8))
    assert known.certificate.scope == "exact"
    blocks = in_pieces(problem, maker, 400, tmp_path)
    np.testing.assert_allclose(rs.lambda_max(blocks), rs.lambda_max(problem), rtol=1e-6)
    for start in (None, known):
        solution = rs.solve(blocks, rs.ColumnGeneration(tol=1e-6, start=start))
        assert known.certificate.value * (1.0 - 1e-12) <= solution.objective <= known.objective * (1.0 + 1e-6)
    same = rs.evaluate(problem, solution.network, max_time=0.0)
    for name in ("objective", "seminorm", "data_fit"):
        np.testing.assert_allclose(getattr(solution, name), getattr(same, name), rtol=1e-12)
    np.testing.assert_allclose(solution.gap, same.gap, atol=1e-6 * same.objective)
    W, b = same.network.weights, same.network.biases
    eta = problem.lam * problem.lengths(W) * np.sign(same.network.amplitudes)
    np.testing.assert_allclose(solution.certificate.eta(W, b), same.certificate.eta(W, b), rtol=1e-8)
    np.testing.assert_allclose(solution.certificate.eta(W, b), eta, rtol=1e-3)
    np.testing.assert_allclose(problem.lengths(solution.certificate.peaks[0]), 1.0, rtol=1e-12)
    np.testing.assert_allclose(rs.evaluate(blocks, known.network).objective, known.objective, rtol=1e-12)
    assert "weights are measured in" in solution.summary()


def test_columns_that_say_nothing(tmp_path):
    X, y, weight = table()
    X, y, weight = X[:500], y[:500], weight[:500]
    wide = np.column_stack([X, np.full(500, 7.0), X[:, 0] - X[:, 1]])
    problem = rs.Problem(wide, y, 2.0, sample_weight=weight)
    solution = rs.solve(in_pieces(problem, "memory", None, tmp_path), rs.ColumnGeneration(tol=1e-6))
    exact = rs.solve(problem, rs.ColumnGeneration(tol=1e-9))
    assert exact.certificate.value * (1.0 - 1e-12) <= solution.objective <= exact.objective * (1.0 + 1e-5)
    assert "rank[1 X]) = " + str((weight > 0).sum() - 3) in solution.summary()


def test_classes_that_an_affine_function_separates(tmp_path):
    X, _, _ = table()
    y = np.where(X[:, 0] + X[:, 1] > 0.005, 1.0, -1.0)
    problem = in_pieces(rs.Problem(X, y, 1.0, rs.Logistic()), "memory", None, tmp_path)
    with pytest.raises(rs.ProblemError, match="separable classes"):
        rs.solve(problem)


def test_time_and_what_a_solution_says(in_memory, tmp_path):
    problem, known = in_memory["squared"]
    blocks = in_pieces(problem, "file", None, tmp_path)
    with pytest.warns(rs.ConvergenceWarning, match="reached a relative gap"):
        solution = rs.solve(blocks, rs.ColumnGeneration(max_time=1e-6))
    assert solution.status == "not converged"
    solution = rs.solve(blocks, rs.ColumnGeneration(tol=1e-3, start=known.network))
    assert solution.objective <= known.objective * (1.0 + 1e-9)
    assert "an estimate, not a bound" in solution.summary()
    W, b = known.network.weights, known.network.biases
    np.testing.assert_allclose(
        solution.certificate.eta(W, b), rs.evaluate(problem, solution.network).certificate.eta(W, b), rtol=1e-6
    )
    memory = [solution.plot, solution.components, solution.certify, solution.segments, solution.refitted]
    memory += [lambda: solution.save(tmp_path / "s.npz"), lambda: rs.lower_bound(blocks), lambda: blocks.slopes]
    for what in [*memory, lambda: blocks.with_slope_penalty(1.0)]:
        with pytest.raises(rs.ProblemError, match="rows in memory"):
            what()
    with pytest.raises(rs.ProblemError, match="a fit of one feature"):
        solution.envelope([[0.0, 0.0]])
    assert (solution.slope_cost, solution.violation, solution.is_unique) == (0.0, 0.0, False)
    assert blocks.named("price").with_lam(3.0).target_name == "price"
    assert pickle.loads(pickle.dumps(solution)).objective == solution.objective
    with pytest.raises(rs.ProblemError, match="rows in memory"):
        _ = solution.degrees_of_freedom
    measured = rs.evaluate(blocks, known.network)
    np.testing.assert_allclose(measured.objective, known.objective, rtol=1e-12)
    assert measured.status == "evaluated"
