"""The interior point's passes: its linear system against a dense solver, NumPy and compiled against each other."""

from importlib.util import find_spec

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.line import boxes, kernels, saddle
from ridgesplines.solvers.univariate.interior import Interior

WITH_NUMBA = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
#: From so many points on passes are compiled: for none, and for all.
FROM = [np.inf, pytest.param(0.0, marks=WITH_NUMBA)]


@pytest.mark.parametrize("points", FROM)
@pytest.mark.parametrize("c", [2, 3, 4, 7, 40])
def test_the_system_by_a_dense_solver(monkeypatch, points, c):
    monkeypatch.setattr(kernels, "COMPILED_POINTS", points)
    rng = np.random.default_rng(c)
    t, a = np.cumsum(rng.integers(1, 4, c)).astype(float), rng.standard_normal((2, 2, c - 1))
    grams = np.array([(a[:, 0] ** 2).sum(axis=0), (a[:, 0] * a[:, 1]).sum(axis=0), (a[:, 1] ** 2).sum(axis=0)])
    V, right, kappa = 10.0 ** rng.uniform(-9.0, 9.0, c - 2), rng.standard_normal(c), rng.standard_normal(c - 2)
    G, C = np.zeros((c, c)), np.zeros((c - 2, c))
    for k, (f, g, h) in enumerate(grams.T):
        G[k : k + 2, k : k + 2] += [[f, g], [g, h]]
    for k in range(c - 2):
        left, wide = t[k + 1] - t[k], t[k + 2] - t[k + 1]
        C[k, k : k + 3] = [1.0 / left, -1.0 / left - 1.0 / wide, 1.0 / wide]
    matrix, b = np.block([[G, C.T], [C, -np.diag(V)]]), np.concatenate([right, kappa])
    x = np.concatenate(saddle.solved(saddle.factorised(t, grams, V), right, kappa))
    size = np.abs(matrix) @ np.abs(x) + np.abs(b)
    assert (np.abs(matrix @ x - b) <= 1e-12 * size.max()).all()
    assert x == pytest.approx(np.linalg.solve(matrix, b), rel=1e-6, abs=1e-8 * np.abs(x).max())


@WITH_NUMBA
@pytest.mark.parametrize("bend", [0.0, 0.3])
def test_compiled_passes_agree(monkeypatch, bend):
    rng, n = np.random.default_rng(0), 300
    t = np.sort(np.round(rng.random(n), 2))
    first = np.array([0, 1, 40, 41, 250])
    nodes, theta = np.append(t[first] - 0.01 * np.arange(5, 0, -1), t[-1]), rng.standard_normal(6)
    low, high = -rng.random(n) - 0.1, rng.random(n) + 0.1
    rows = boxes.Rows(t, rng.standard_normal(n), bend * rng.integers(0, 2, n), low, high)
    share, below, above = rng.uniform(0.01, 0.99, n), *rng.random((2, n)) + 0.01
    p = boxes.Bounded(low + share * (high - low), below, above)
    found = []
    for points in (0.0, np.inf):
        monkeypatch.setattr(kernels, "COMPILED_POINTS", points)
        seen = boxes.look(rows, p, nodes, first, theta)
        there = boxes.predicted(rows, p, seen, nodes, first, theta)
        *goals, load = boxes.centred(rows, p, seen, there.du, 0.1, nodes, first)
        moves, steepest = boxes.corrected(rows, p, seen, *goals, nodes, first, -theta)
        found.append([*seen, there.du, *there.steepest, *there.products, *goals, load, *moves, *steepest])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11 * np.abs(one).max())


@pytest.mark.parametrize("points", FROM)
@pytest.mark.parametrize("q", [0.2, 0.5])
def test_a_line_through_two_nodes_is_the_quantile_regression(monkeypatch, points, q):
    from sklearn.linear_model import QuantileRegressor

    monkeypatch.setattr(kernels, "COMPILED_POINTS", points)
    rng = np.random.default_rng(1)
    t = np.sort(rng.random(101))
    y = t + rng.standard_normal(101)
    rows = boxes.Rows(t, y, np.zeros(101), np.full(101, q - 1.0), np.full(101, q))
    point = Interior(t[[0, -1]], 1.0, rows, np.array([0])).solve(np.zeros(2), 1e-10)
    best = QuantileRegressor(quantile=q, alpha=0.0).fit(t[:, None], y).predict(t[:, None])
    value = rs.Quantile(q).value(y, kernels.values(t, t[[0, -1]], np.array([0]), point.theta)).sum()
    assert value == pytest.approx(rs.Quantile(q).value(y, best).sum(), rel=1e-9)
