"""Ctrl-C and max_time end fits by rows with the best so far; larger samples save passes; polish goes to the end."""

import signal
from functools import cache

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.amplitudes.band_by_rows import BAND, local_of
from ridgesplines.amplitudes.by_rows import Point, descent_of
from ridgesplines.rows import DaskRows, FileRows, MemoryRows, data, sums
from ridgesplines.rows.data import BlockedData
from ridgesplines.rows.facts import Facts

N = 1000


@pytest.fixture(autouse=True)
def _cells_are_small(monkeypatch):
    monkeypatch.setattr(sums, "CELL_ROWS", 256)


def table(n=N, d=3):
    """Rounded features with ties; two ridges and noise."""
    rng = np.random.default_rng(0)
    X = np.round(rng.uniform(-1.0, 1.0, (n, d)), 2)
    f = np.abs(X[:, :2] @ [0.6, 0.8] - 0.2) + 0.5 * np.maximum(X[:, 0] - X[:, 1], 0.0)
    return X, np.round(f + 0.3 * rng.standard_normal(n), 2)


def rows_of(maker, size, X, y, folder):
    if maker == "dask":
        da = pytest.importorskip("dask.array")
        return DaskRows(da.from_array(X, (size, -1)), da.from_array(y, size))
    if maker == "file":
        file = np.memmap(folder / "X.bin", dtype=float, mode="w+", shape=X.shape)
        file[:] = X
        return FileRows(file, y)
    return MemoryRows(X, y)


def problem_of(rows, lam=8.0, loss=None):
    loss = loss or rs.Squared()
    facts = Facts.of(rows, loss)
    return rs.Problem(np.zeros((2, rows.n_features)), [1.0, -1.0], lam, loss).on(
        BlockedData(rows, loss, rs.ReLU(), facts)
    )


def test_answers_are_the_same_to_the_last_digit(tmp_path):
    X, y = table(600)
    known = None
    for maker, size in [("memory", None), ("file", None), ("dask", 100), ("dask", 400), ("dask", 600)]:
        solution = rs.solve(problem_of(rows_of(maker, size, X, y, tmp_path)), rs.ColumnGeneration(tol=1e-3))
        known = known or solution
        for name in ("weights", "biases", "amplitudes", "slope", "offset"):
            np.testing.assert_array_equal(getattr(solution.network, name), getattr(known.network, name))
        assert (solution.objective, solution.gap) == (known.objective, known.gap)
        np.testing.assert_allclose(np.asarray(solution.certificate.dual), known.certificate.dual, atol=1e-12)


@pytest.mark.slow
def test_answers_of_chunks_of_one_row(tmp_path):
    X, y = table(20_000)
    known = rs.solve(problem_of(MemoryRows(X, y), 100.0), rs.ColumnGeneration(tol=1e-3))
    solution = rs.solve(problem_of(rows_of("dask", 1, X, y, tmp_path), 100.0), rs.ColumnGeneration(tol=1e-3))
    assert solution.objective == known.objective


@cache
def whole():
    """The fit that nobody interrupts: however its rows are held, its answer is the same to the last digit."""
    return rs.solve(problem_of(MemoryRows(*table())), rs.ColumnGeneration(tol=1e-6))


@pytest.mark.parametrize("maker", ["file", "dask"])
def test_ctrl_c_ends_a_fit_by_rows_with_the_best_so_far(maker, tmp_path, monkeypatch):
    X, y = table()
    problem, kind = problem_of(rows_of(maker, 600, X, y, tmp_path)), FileRows if maker == "file" else DaskRows
    assert whole().status == "converged"
    for when in (4, 60):
        passes, reduce = [], kind.reduce

        def counted(self, *args, _passes=passes, _when=when, _reduce=reduce, **kwargs):
            _passes.append(1)
            if len(_passes) == _when:
                signal.raise_signal(signal.SIGINT)
            return _reduce(self, *args, **kwargs)

        monkeypatch.setattr(kind, "reduce", counted)
        with pytest.warns(rs.ConvergenceWarning, match="was interrupted"):
            solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-6))
        monkeypatch.setattr(kind, "reduce", reduce)
        assert solution.status == "interrupted"
        assert len(passes) < when + 60  # those of the certificate
        again = rs.evaluate(rs.Problem(X, y, 8.0), solution.network, max_time=0.0)
        np.testing.assert_allclose(solution.objective, again.objective, rtol=1e-12)
        assert solution.objective >= whole().objective * (1.0 - 1e-6)


@pytest.mark.parametrize("maker", ["file", "dask"])
def test_max_time_ends_a_fit_by_rows(maker, tmp_path):
    X, y = table()
    problem = problem_of(rows_of(maker, 600, X, y, tmp_path))
    with pytest.warns(rs.ConvergenceWarning, match="after max_time"):
        solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-14, max_time=0.05))
    assert solution.status == "not converged"
    assert np.isfinite(solution.gap)


def test_lines_of_progress(capfd):
    rs.solve(problem_of(MemoryRows(*table(500))), rs.ColumnGeneration(tol=1e-3, verbose=True))
    assert "rows" in capfd.readouterr().err


def test_larger_samples_leave_fewer_passes_over_all_rows(monkeypatch):
    X, y = table(16_500)
    for name, value in {"SHARE": 64, "FEWEST": 256, "MOST": 512, "GROWTH": 4}.items():
        monkeypatch.setattr(data, name, value)
    passes, objectives, reduce = [0], [], MemoryRows.reduce

    def counted(self, *args, **kwargs):
        passes[-1] += self.n_rows == len(X)
        return reduce(self, *args, **kwargs)

    monkeypatch.setattr(MemoryRows, "reduce", counted)
    for part in (4, len(X)):
        monkeypatch.setattr(data, "PART", part)
        problem = problem_of(MemoryRows(X, y), 80.0)
        assert problem.in_blocks.sample_sizes == ([1028, 4112][: 2 if part == 4 else 0])
        solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-3))
        assert solution.status == "converged"
        passes.append(0)
        objectives.append(solution.objective)
    np.testing.assert_allclose(*objectives, rtol=2e-3)
    assert passes[0] < passes[1]


@pytest.mark.parametrize(
    ("loss", "tol"),
    [
        (rs.Squared(), 1e-10),
        (rs.Huber(0.3), 1e-9),  # its last step would lower the objective by less than rounding
        (rs.Logistic(), 1e-10),
    ],
    ids=["squared", "huber", "logistic"],
)
def test_polish_ends_at_the_optimum_in_a_plane(loss, tol):
    X, y = table(3000, 2)
    y = np.where(y > 0.6, 1.0, -1.0) if loss.labels else y
    problem = rs.Problem(X, y, 8.0 if loss.labels else 20.0, loss)
    rows = MemoryRows(X, y)
    solution = rs.solve(problem_of(rows, problem.lam, loss), rs.ColumnGeneration(tol=tol))
    exact = rs.evaluate(problem, solution.network, max_time=0.0)
    assert exact.certificate.scope == "exact"
    assert exact.relative_gap <= 1e-9  # proven, by another engine


def test_the_band_is_of_few_rows_and_the_sums_are_those_of_all():
    X, y = table()
    blocks = problem_of(MemoryRows(X, y)).in_blocks
    rng = np.random.default_rng(1)
    W = rng.normal(size=(5, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    net = rs.RidgeSpline(W, rng.uniform(-0.5, 0.5, 5), rng.normal(size=5), rng.normal(size=3), 0.1)
    point = Point.of_network(net, blocks.affine)
    local = local_of(next(iter(MemoryRows(X, y)._blocks()))._replace(X=X, y=y, weight=np.ones(N)), blocks.loss, point)
    descent = blocks.blocks.reduce(descent_of, blocks.loss, point)
    np.testing.assert_allclose(local.value, descent.value, rtol=1e-12)
    np.testing.assert_allclose(
        local.gradient, np.concatenate([descent.theta.ravel(), descent.beta]), rtol=1e-9, atol=1e-9
    )
    assert len(local.band) <= BAND
    kink = 0.5 * point.signs * blocks.loss.gradient(y, net(X))[:, None]
    distance = np.abs(X @ point.theta[:, :-1].T - point.theta[:, -1])
    for k in range(5):
        own = local.band[local.band[:, 0] == k]
        nearest = np.sort(distance[kink[:, k] > 0.0, k])[: len(own)]
        np.testing.assert_allclose(own[:, 1], nearest, atol=1e-14)  # none is passed over
        assert len(own) == min(BAND // 5, (kink[:, k] > 0.0).sum())
