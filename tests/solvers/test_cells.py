"""Cells of rows against the passes over all rows, and a fit by them against one without."""

from importlib.util import find_spec

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.line import kernels
from ridgesplines.line.cells import ALIKE, SIZE, Cells
from ridgesplines.solvers.univariate.data import Line

pytestmark = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
N = 1000


@pytest.fixture(scope="module")
def data():
    """Points in clusters, of unlike weights, with a node at the border of a cell and others beside it."""
    rng = np.random.default_rng(0)
    t = np.sort(np.concatenate([rng.random(N // 2), 0.3 + 1e-6 * rng.random(N - N // 2)]))
    H, y = rng.uniform(0.1, 2.0, N), np.sin(9.0 * t) + 0.1 * rng.standard_normal(N)
    nodes = np.array([0, 1, SIZE, 5 * SIZE - 1, 5 * SIZE + 1, 300, 301, 800, N - 1])
    return t, H, H * y, nodes, rng.standard_normal(len(nodes))


@pytest.fixture
def cells(monkeypatch, data):
    monkeypatch.setattr(kernels, "COMPILED_POINTS", 10)
    return Cells.of(*data[:3])


def test_moments(cells, data):
    t, H, b, nodes, _ = data
    for some in (nodes, np.array([0, N - 1]), np.arange(N)):
        pairs = zip(cells.moments(some), kernels.moments(t, H, b, t[some], some[:-1]), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("share", [1e-3, 0.1, 0.5, 0.9, 2.0])
def test_a_glance_sees_what_exceeds_the_level(cells, data, share):
    t, H, b, nodes, theta = data
    u = b - H * kernels.values(t, t[nodes], nodes[:-1], theta)
    mass = np.cumsum(u)[:-1]
    eta = np.append(0.0, np.cumsum(mass * np.diff(t)))  # summed from the left, as by cells
    eta[nodes] = 0.0
    level = share * np.abs(eta).max()
    seen = cells.glance(nodes, theta, level)
    assert seen.peaks.tolist() == kernels.peaks(eta, level).tolist()
    assert seen.square == pytest.approx((u**2 / H).sum(), rel=1e-12)
    assert seen.linear == pytest.approx((u * b / H).sum(), rel=1e-9, abs=1e-9 * np.abs(u * b / H).sum())
    if share < 1.0:
        assert seen.largest == pytest.approx(np.abs(eta).max(), rel=1e-9)


def test_few_points_or_unlike_curvatures_have_none(data):
    t, H, b, _, _ = data
    assert Cells.of(t, H, b) is None
    many = np.arange(kernels.COMPILED_POINTS, dtype=float)
    ones = np.ones_like(many)
    assert Cells.of(many, ones, ones) is not None
    assert Cells.of(many, np.where(many == 0.0, 0.5 / ALIKE, 1.0), ones) is None


def test_the_same_fits_without_them(monkeypatch):
    rng = np.random.default_rng(1)
    x = rng.random(kernels.COMPILED_POINTS)
    problem = rs.Problem(x, np.sin(20.0 * x) + 0.3 * rng.standard_normal(len(x)), lam=1.0)
    lams = rs.lambda_max(problem) * np.array([0.3, 0.01, 1e-4])
    quick = rs.solve_path(problem, rs.Univariate(tol=1e-12), lams=lams)
    monkeypatch.setattr(Line, "cells", None)
    for one, other in zip(quick, rs.solve_path(problem, rs.Univariate(tol=1e-12), lams=lams), strict=True):
        assert one.status == other.status == "converged"
        assert one.network.knots.tolist() == pytest.approx(other.network.knots.tolist(), rel=1e-12)
        assert one.objective == pytest.approx(other.objective, rel=1e-12)
