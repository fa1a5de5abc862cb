"""Nonnegative least squares against SciPy's, on columns that are dependent, repeated, coherent."""

import numpy as np
import pytest
from scipy.optimize import nnls

from ridgesplines.amplitudes.nonnegative import nonnegative


def columns(kind, rng):
    n, K = rng.integers(2, 30), rng.integers(1, 40)
    B = rng.standard_normal((n, K))
    if kind == "dependent":
        return np.round(B)
    if kind == "neurons":
        return np.maximum(rng.uniform(-1.0, 1.0, (n, 1)) - rng.uniform(-1.0, 1.0, K), 0.0)
    return B[:, rng.integers(K, size=K)] if kind == "repeated" else B


@pytest.mark.parametrize("kind", ["generic", "dependent", "neurons", "repeated"])
def test_the_optimum(kind):
    rng = np.random.default_rng(0)
    for _ in range(150):
        B = columns(kind, rng)
        y, start = rng.standard_normal(len(B)), np.maximum(rng.standard_normal(B.shape[1]), 0.0)
        a = nonnegative(B.T @ B, B.T @ y, start * rng.integers(2))
        best = np.sum((B @ nnls(B, y, maxiter=10000)[0] - y) ** 2)
        assert (a >= 0.0).all()
        assert np.sum((B @ a - y) ** 2) <= best + 1e-9 * (y @ y)


def test_many_enter_and_leave_together():
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(500, 6))
    W = rng.standard_normal((180, 6))
    B = np.abs(X @ W.T - np.einsum("kd,kd->k", W, X[:180])) * np.sign(rng.standard_normal(180))
    y = np.sin(3.0 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(500)
    S, g = B.T @ B, B.T @ y - 1.0
    a = nonnegative(S, g, np.zeros(180))
    slack = g - S @ a
    assert (a >= 0.0).all()
    assert slack.max() <= 1e-8 * np.abs(g).max()
    assert np.abs(slack[a > 0.0]).max() <= 1e-8 * np.abs(g).max()
    again = nonnegative(S, g, a)
    assert again @ (0.5 * S @ again - g) == pytest.approx(a @ (0.5 * S @ a - g), rel=1e-10)
