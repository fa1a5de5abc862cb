"""The stress suite of the univariate solver: hard data of every kind, every fit certified."""

import warnings

import numpy as np
import pytest
from instances import diagonal

import ridgesplines as rs

SPACINGS = ("random", "even", "log-uniform", "near-duplicate")
SIGNALS = {
    "doppler": lambda t: np.sqrt(t * (1.0 - t)) * np.sin(2.1 * np.pi / (t + 0.05)),
    "kinked": lambda t: np.abs(t - 0.3) + 2.0 * np.maximum(t - 0.7, 0.0),
    "sine": lambda t: np.sin(9.0 * t),
    "jump": lambda t: np.sign(t - 0.5),
    "many knots": lambda t: np.interp(t, np.linspace(0.0, 1.0, 20), np.cos(7.0 * np.arange(20.0))),
}


def spaced(kind, n, rng):
    """n points in [0, 1], sorted."""
    if kind == "even":
        return np.linspace(0.0, 1.0, n)
    if kind == "log-uniform":
        return np.sort(10.0 ** rng.uniform(-9.0, 0.0, n))
    x = np.sort(rng.random(n))
    if kind == "near-duplicate":
        close = rng.integers(0, n, n // 5)
        x[close] = x[close - 1] + rng.choice([1e-15, 1e-12, 1e-9]) * rng.random(len(close))
    return np.sort(x)


def instance(seed):
    """A problem of 30 to 3000 samples, with lam between 1e-6 and 0.8 of lambda_max."""
    rng = np.random.default_rng(seed)
    x = spaced(rng.choice(SPACINGS), int(np.exp(rng.uniform(np.log(30), np.log(3000)))), rng)
    y = rng.choice(list(SIGNALS.values()))(x) + rng.choice([0.01, 0.1, 1.0]) * rng.standard_normal(len(x))
    if rng.random() < 0.2:
        y[rng.integers(0, len(y), 3)] += 1e6 * rng.standard_normal(3)
    weight = 10.0 ** rng.uniform(-4.0, 4.0, len(x)) if rng.random() < 0.3 else None
    problem = rs.Problem(x, y, 1.0, sample_weight=weight)
    return problem.with_lam(10.0 ** rng.uniform(-6.0, -0.1) * rs.lambda_max(problem))


def check(problem):
    solution = rs.solve(problem, rs.Univariate())
    assert solution.certificate.scope == "exact"
    assert solution.relative_gap <= 1e-8
    assert solution.network.n_neurons <= max(len(np.unique(problem.X)) - 2, 0)


@pytest.mark.parametrize("seed", range(100))
def test_random_cases(seed):
    check(instance(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 2000))
def test_more_random_cases(seed):
    check(instance(seed))


OTHERS = [rs.Absolute(), rs.Huber(0.1), rs.Quantile(0.8), rs.Logistic(), rs.Hinge()]


@pytest.mark.parametrize(("loss", "fraction", "spacing"), diagonal(OTHERS, [1e-4, 1e-2], list(SPACINGS), times=3))
def test_other_losses(loss, spacing, fraction):
    rng = np.random.default_rng(1)
    x = spaced(spacing, 700, rng)
    y = SIGNALS["sine"](x) + 0.3 * rng.standard_normal(700)
    if isinstance(loss, (rs.Logistic, rs.Hinge)):
        y = np.where(y > 0.2, 1.0, -1.0)
    problem = rs.Problem(x, y, 1.0, loss)
    check(problem.with_lam(fraction * rs.lambda_max(problem)))


def noisy_sine(n=500, seed=0):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.random(n))
    return x, np.sin(9.0 * x) + 0.1 * rng.standard_normal(n)


@pytest.mark.parametrize("gap", [1e-15, 1e-14, 1e-13, 1e-12, 1e-9, 1e-6])
def test_near_duplicates(gap):
    x, y = noisy_sine()
    x[1::2] = x[::2] + gap
    check(rs.Problem(x, y, 0.01))


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_an_offset_in_y(offset):
    x, y = noisy_sine()
    check(rs.Problem(x, y + offset, 0.05))


def test_timestamps():
    rng = np.random.default_rng(0)
    x = 1.7e9 + np.cumsum(rng.integers(1, 5000, 500)).astype(float)
    y = np.sin((x - x[0]) / 1e5) + 0.1 * rng.standard_normal(500)
    p = rs.Problem(x, y, 1.0)
    for fraction in (1e-4, 1e-2):
        s = rs.solve(p.with_lam(fraction * rs.lambda_max(p)), rs.Univariate(sparsest=False))
        assert s.relative_gap <= 1e-8
        assert np.isin(s.network.knots, x).all()  # the very numbers that were given


def test_outliers_of_a_million():
    x, y = noisy_sine()
    y[[7, 99, 350]] += [1e6, -1e6, 1e6]
    check(rs.Problem(x, y, 1.0))
    check(rs.Problem(x, y, 0.1, rs.Huber(0.1)))
    check(rs.Problem(x, y, 0.1, rs.Absolute()))


def test_weights_over_eight_decades():
    x, y = noisy_sine()
    check(rs.Problem(x, y, 0.01, sample_weight=10.0 ** np.random.default_rng(0).uniform(-4.0, 4.0, 500)))


@pytest.mark.parametrize("fraction", [1e-3, 1e-1])
def test_nine_decades_of_x(fraction):
    rng = np.random.default_rng(0)
    x = np.sort(10.0 ** rng.uniform(-9.0, 0.0, 500))
    p = rs.Problem(x, np.log10(x) + 0.1 * rng.standard_normal(500), 1.0)
    check(p.with_lam(fraction * rs.lambda_max(p)))


def test_where_rounding_stops_it_it_says_so():
    """At the smallest tol that there is, some cases arrive and some do not."""
    statuses = set()
    for seed in range(20):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            solution = rs.solve(instance(seed), rs.Univariate(tol=1e-14))
        short = solution.relative_gap > 1e-14
        assert (solution.status == "not converged") == short == any(w.category is rs.ConvergenceWarning for w in said)
        assert solution.relative_gap <= 1e-8
        statuses.add(solution.status)
    assert statuses == {"converged", "not converged"}
