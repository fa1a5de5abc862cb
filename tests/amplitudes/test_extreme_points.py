"""The sparsest spline, against a search through all patterns of knots."""

import itertools

import numpy as np
import pytest
from scipy.optimize import nnls

import ridgesplines as rs
from ridgesplines.amplitudes.extreme_points import merged, neuron_bound, purify


def kinked(kinks):
    """Values at 0, 1, 2, ... of the spline with these changes of slope there."""
    x = np.arange(float(len(kinks)))
    return x, np.maximum(x[:, None] - x, 0.0) @ np.asarray(kinks, dtype=float)


def fewest_by_search(x, y, most):
    """The fewest knots of an interpolant of least seminorm, by nonnegative least squares for every pattern.

    A knot lies at a site, or somewhere between two neighbouring sites. Such a knot with amplitude v at t is written as
    its two shares v (b - t) / (b - a) and v (t - a) / (b - a) at those sites: two amplitudes of one sign. So a pattern
    is feasible where the kinks at the sites are sums of such parts.
    """
    kinks = np.diff(np.diff(y) / np.diff(x))
    places = [(k,) for k in range(len(kinks))] + [(k, k + 1) for k in range(len(kinks) - 1)]
    for count in range(most + 1):
        for chosen in itertools.combinations(places, count):
            for signs in itertools.product([1.0, -1.0], repeat=count):
                columns = [(k, s) for place, s in zip(chosen, signs, strict=True) for k in place]
                A = np.zeros((len(kinks), len(columns)))
                for j, (k, s) in enumerate(columns):
                    A[k, j] = s
                # Of least seminorm: the parts may not cancel, so that their sum is that of the |kinks|.
                whole, target = np.vstack([A, np.ones(len(columns))]), np.append(kinks, np.abs(kinks).sum())
                left = nnls(whole, target)[1] if columns else np.linalg.norm(target)
                feasible = left <= 1e-8
                if feasible:
                    return count
    raise AssertionError("more knots than sites")


def test_the_case_on_which_peers_fail():
    x, y = kinked([0, 0, 1, 2, 0, 1.5, 0.7, 0, 0])
    s = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation()))
    assert s.network.n_neurons == 2
    assert fewest_by_search(x, y, 4) == 2
    np.testing.assert_allclose(s.predict(x), y, atol=1e-12)
    assert s.seminorm == pytest.approx(5.2, rel=1e-12)
    assert rs.solve(s.problem, rs.Univariate(sparsest=False)).network.n_neurons == 4


@pytest.mark.parametrize("seed", range(40))
def test_no_pattern_has_fewer_knots(seed):
    rng = np.random.default_rng(seed)
    kinks = np.concatenate([[0.0], rng.choice([0.0, 1.0, -1.0, 0.5, 2.0], size=5), [0.0]])
    x, y = kinked(kinks)
    s = rs.solve(rs.Problem(x, y, 1.0, rs.Interpolation()))
    assert s.network.n_neurons == fewest_by_search(x, y, 5)
    assert s.seminorm == pytest.approx(np.abs(kinks).sum(), abs=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_for_squared_error(seed):
    """The fit of squared error is unique: the sparsest minimiser is the sparsest interpolant of the fit."""
    rng = np.random.default_rng(seed)
    x = np.arange(7.0)
    p = rs.Problem(x, rng.standard_normal(7), 1.0)
    s = rs.solve(p.with_lam(0.02 * rs.lambda_max(p)), rs.Univariate(tol=1e-12))
    kinks = np.diff(np.diff(s.predict(x)))
    clean = np.concatenate([[0.0], np.where(np.abs(kinks) > 1e-7, kinks, 0.0), [0.0]])
    assert s.network.n_neurons == fewest_by_search(*kinked(clean), 5)


def test_an_amplitude_of_zero_is_no_knot():
    """An interior point may leave one: two of them side by side are no pair to merge."""
    t, v = merged(np.arange(6.0), np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert (t.tolist(), v.tolist()) == ([3.5], [2.0])


@pytest.mark.parametrize("outputs", [(), (3,)])
def test_far_more_neurons_than_data(outputs):
    """Most of them go by groups: the values at the data stay, the seminorm does not rise, the bound holds."""
    rng = np.random.default_rng(len(outputs))
    X = rng.integers(0, 6, (40, 2)).astype(float)
    W = rng.standard_normal((3000, 2))
    b = (W * X[rng.integers(0, len(X), len(W))]).sum(axis=1)
    amplitudes = (rng.standard_normal((len(W), *outputs)).T * 10.0 ** rng.uniform(-9.0, 0.0, len(W))).T
    given = rs.RidgeSpline(W, b, amplitudes, np.ones((2, *outputs)), np.ones(outputs))
    problem = rs.Problem(X, rng.standard_normal((40, *outputs)), 1.0)
    pure = purify(problem, given)
    assert pure.n_neurons <= neuron_bound(problem)
    assert pure.seminorm <= given.seminorm
    np.testing.assert_allclose(pure.at(X), given.at(X), rtol=0.0, atol=1e-12 * np.abs(given.at(X)).max())
