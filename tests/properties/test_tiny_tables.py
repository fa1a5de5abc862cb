"""Tiny and degenerate tables, in units of any size: an honest answer or a reason in words, and no other error, ever."""

import time
import warnings

import numpy as np
import pytest
from instances import LOSSES

import ridgesplines as rs
from ridgesplines.amplitudes.extreme_points import neuron_bound

SOLVERS = [rs.Univariate(), rs.Grid(directions=8), rs.ColumnGeneration(max_time=1.0), rs.Arrangement()]
UNITS = [1.0, 1.0, 1e-6, 1e9, 1e-49, 1e49, 1e-200, 1e200, 5e-324, 1e308]


def table(rng):
    """Rows that are few, repeated, collinear, on a square, or beside one another to the last bit."""
    n, d = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    X = rng.integers(0, 3, (n, d)).astype(float) if rng.random() < 0.5 else rng.standard_normal((n, d))
    kind = rng.integers(0, 6)
    if kind == 0:
        X = X[rng.integers(0, n, n)]
    elif kind == 1:
        X = X[:, :1] * np.arange(1.0, d + 1.0)
    elif kind == 2:
        X = np.argwhere(np.ones((2,) * d)).astype(float)
    elif kind == 3:
        X[-1] = np.nextafter(X[0], rng.choice([-9.0, 9.0]))
    elif kind == 4:
        X = X + rng.choice([1e3, 1e9])
    return X


def targets(rng, X, loss):
    n = len(X)
    if isinstance(loss, (rs.Hinge, rs.Logistic)):
        return rng.choice([-1.0, 1.0], n)
    if isinstance(loss, rs.Softmax):
        return rng.integers(0, 3, n).astype(float)
    y = [rng.standard_normal(n), np.full(n, 3.0), X @ np.arange(1.0, X.shape[1] + 1.0) + 0.1, rng.integers(0, 3, n)]
    return np.array(y[rng.integers(0, 4)], dtype=float)


def outcome(rng, loss, solver):
    """The Solution, or the refusal in words; anything else is raised."""
    X = table(rng)
    y, unit = targets(rng, X, loss), rng.choice(UNITS)
    weight = None if rng.random() < 0.5 else 10.0 ** rng.uniform(-12.0, 12.0, len(X)) * (rng.random(len(X)) < 0.8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ConvergenceWarning)
            with np.errstate(all="ignore"):
                X, y = X * rng.choice(UNITS), y * unit if loss.translates else y
            p = rs.Problem(X, y, 1.0, loss, sample_weight=weight)
            top = np.inf if loss.interpolates else rs.lambda_max(p)
            return rs.solve(p.with_lam((top if 0.0 < top < np.inf else 1.0) * 10.0 ** rng.uniform(-8.0, 0.5)), solver)
    except (rs.ProblemError, rs.SolverRefusal) as words:
        return words


def check(seed):
    rng = np.random.default_rng(seed)
    loss, solver = LOSSES[seed % len(LOSSES)], SOLVERS[(seed // len(LOSSES)) % len(SOLVERS)]
    began = time.process_time()
    answer = outcome(rng, loss, solver)
    assert time.process_time() - began < 10.0
    if isinstance(answer, rs.Solution):
        assert answer.network.n_neurons <= neuron_bound(answer.problem)
        assert answer.contradiction is None
        assert np.isfinite(answer.relative_gap) or answer.status == "not converged"
        assert answer.relative_gap <= answer.tolerance or answer.status == "not converged" or answer.dictionary_gap


@pytest.mark.parametrize("block", range(4))
def test_tiny_tables(block):
    for seed in range(32 * block, 32 * block + 32):
        check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(4, 100))
def test_more_tiny_tables(block):
    for seed in range(32 * block, 32 * block + 32):
        check(seed)
