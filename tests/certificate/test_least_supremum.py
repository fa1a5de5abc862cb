"""lambda_max of a loss with kinks: the least supremum over all dual vectors of the affine fit."""

import time
import warnings

import numpy as np
import pytest
from scipy.optimize import linprog

import ridgesplines as rs

KINKS = {"absolute": (rs.Absolute(), -1.0, 1.0), "quantile": (rs.Quantile(0.3), -0.7, 0.3)}


def least_supremum(x, y, low, high):
    """The same by two plain linear programs: the best straight line, then the least t with |eta| <= t at all x."""
    n = len(x)
    A = np.column_stack([np.ones(n), x])
    cost = np.concatenate([np.zeros(2), np.full(n, high), np.full(n, -low)])  # y = A c + up - down
    line = linprog(
        cost, A_eq=np.hstack([A, np.eye(n), -np.eye(n)]), b_eq=y, bounds=[(None, None)] * 2 + [(0, None)] * 2 * n
    )
    r = np.round(y - A @ line.x[:2], 9)
    bounds = [(low if v <= 0.0 else high, high if v >= 0.0 else low) for v in r]
    eta = np.maximum(x[None, :] - x[:, None], 0.0)
    one = np.ones((n, 1))
    out = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.block([[eta, -one], [-eta, -one]]),
        b_ub=np.zeros(2 * n),
        A_eq=np.column_stack([A.T, np.zeros(2)]),
        b_eq=np.zeros(2),
        bounds=[*bounds, (0.0, None)],
    )
    return out.fun


def nearly_affine(rng, n):
    """An affine y with a few residuals, and x with ties or without."""
    x = rng.random(n) if rng.random() < 0.5 else rng.integers(0, 8, n).astype(float)
    y = 2.0 * x + 1.0
    some = rng.choice(n, rng.integers(1, max(2, n // 3)), replace=False)
    y[some] += rng.standard_normal(len(some))
    return x, y


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.parametrize("seed", range(20))
def test_nearly_affine_data_against_plain_linear_programs(name, seed):
    loss, low, high = KINKS[name]
    rng = np.random.default_rng(seed)
    x, y = nearly_affine(rng, int(rng.integers(4, 40)))
    top = rs.lambda_max(rs.Problem(x, y, 1.0, loss))
    assert top == pytest.approx(least_supremum(x, y, low, high), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize(
    "loss", [rs.Squared(), rs.Huber(0.1), rs.Absolute(), rs.Quantile(0.3)], ids=lambda loss: loss.name
)
@pytest.mark.parametrize("d", [1, 2])
def test_affine_data_have_the_threshold_zero(loss, d):
    X = np.random.default_rng(0).random((300, d)).round(1)
    for y in (np.zeros(300), np.full(300, 3.0), 2.0 * X[:, 0] + 1.0):
        began = time.perf_counter()
        assert rs.lambda_max(rs.Problem(X, y, 1.0, loss)) == 0.0
        assert time.perf_counter() - began < 5.0  # cutting planes took minutes


@pytest.mark.parametrize("name", KINKS)
def test_nearly_affine_data_in_good_time(name):
    loss, _, _ = KINKS[name]
    x, y = nearly_affine(np.random.default_rng(3), 1000)
    began = time.perf_counter()
    top = rs.lambda_max(problem := rs.Problem(x, y, 1.0, loss))
    assert time.perf_counter() - began < 20.0
    assert rs.solve(problem.with_lam(1.001 * top)).network.n_neurons == 0


@pytest.mark.parametrize(("name", "seed"), [("absolute", 0), ("quantile", 2)])
def test_mostly_affine_data_in_two_dimensions_against_one_linear_program(name, seed):
    """Many free entries of u: cutting planes went on without an end. Directions by the degree bound it from below."""
    loss, low, high = KINKS[name]
    rng = np.random.default_rng(seed)
    X, n = rng.standard_normal((30, 2)), 30
    off = np.where(rng.random(n) < 0.2, rng.standard_normal(n), 0.0)
    top = rs.lambda_max(problem := rs.Problem(X, X @ [1.0, 2.0] + 2.0 + off, 1.0, loss))
    angles = np.linspace(0.0, np.pi, 180, endpoint=False)
    along = np.column_stack([np.cos(angles), np.sin(angles)]) @ X.T
    eta = np.maximum(along[:, None, :] - along[:, :, None], 0.0).reshape(-1, n)
    one = np.ones((len(eta), 1))
    bounds = [(low if r <= 0.0 else high, high if r >= 0.0 else low) for r in off]  # the fit leaves `off`
    out = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.block([[eta, -one], [-eta, -one]]),
        b_ub=np.zeros(2 * len(eta)),
        A_eq=np.column_stack([np.column_stack([np.ones(n), X]).T, np.zeros(3)]),
        b_eq=np.zeros(3),
        bounds=[*bounds, (0.0, None)],
    )
    assert out.status == 0
    assert out.fun <= top * (1.0 + 1e-9)
    assert top <= out.fun * 1.002
    assert rs.solve(problem.with_lam(1.001 * top)).seminorm <= 1e-9


def test_a_search_that_ends_early_says_between_which_values():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2)).round(1)
    problem = rs.Problem(X, X.sum(axis=1) + (rng.random(40) < 0.1) * rng.standard_normal(40), 1.0, rs.Absolute())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        top = rs.lambda_max(problem)
    with pytest.warns(rs.ConvergenceWarning, match=r"lies between \S+ and \S+,") as said:
        early = rs.lambda_max(problem, max_time=1e-9)
    low, high = (float(word.strip(",")) for word in str(said[0].message).split() if word[0].isdigit())
    assert early == pytest.approx(high, rel=1e-5)
    assert low <= top < early
    with pytest.raises(rs.ProblemError, match="max_time"):
        rs.lambda_max(problem, max_time=0.0)
