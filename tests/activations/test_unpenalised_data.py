"""Data so few that every function on them is unpenalised, and data on which nothing pulls: no neurons, and no error."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import ridgesplines as rs

TABLES = {
    "few": lambda rng: rng.standard_normal((4, 3)),
    "repeated": lambda rng: np.repeat(rng.standard_normal((4, 3)), 4, axis=0),
    "one point": lambda rng: np.full((9, 3), 2.0),
    "one point, one feature": lambda rng: np.full((9, 1), 2.0),
    "integers": lambda rng: rng.integers(0, 3, (23, 1)).astype(float),
}
POWERS = [rs.TruncatedPower(2), rs.TruncatedPower(3)]
ONE_POINT = [(rs.Sigmoid(0.5), "one point"), (rs.Arctan(0.5), "one point, one feature")]


def least_constant(loss, y):
    """The least loss of one value for all of y; where there are kinks it is at one of these."""

    def of(z):
        return loss.value(y, np.full(len(y), z)).sum()

    return min(minimize_scalar(of, bounds=(-5.0, 5.0), method="bounded", options={"xatol": 1e-9}).fun, *map(of, y))


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute(), rs.Quantile(0.3), rs.Huber(0.5), rs.Hinge()], ids=repr)
@pytest.mark.parametrize(("activation", "table"), [*((each, name) for each in POWERS for name in TABLES), *ONE_POINT])
def test_all_that_fits_is_unpenalised(activation, table, loss):
    """The least loss at each distinct row, found alone; lambda_max is zero, to the last digit."""
    rng = np.random.default_rng(0)
    X = TABLES[table](rng)
    y = np.where(np.arange(len(X)) % 3 > 0, 1.0, -1.0) if loss.labels else rng.standard_normal(len(X))
    p = rs.Problem(X, y, 0.05, loss, activation=activation)
    s = rs.solve(p)
    assert rs.lambda_max(p) == 0.0
    assert s.network.n_neurons == 0
    assert s.relative_gap <= 1e-6
    _, place = np.unique(X, axis=0, return_inverse=True)
    least = sum(least_constant(loss, y[place.ravel() == k]) for k in range(place.max() + 1))
    assert s.objective == pytest.approx(least, abs=1e-7)


def test_nothing_pulls_where_labels_cancel():
    """The exponential has no null space; each row stands there with both labels."""
    X = np.repeat(np.random.default_rng(0).standard_normal((3, 3)), 2, axis=0)
    p = rs.Problem(X, [1.0, -1.0] * 3, 0.05, rs.Logistic(), activation=rs.Exponential(0.5))
    s = rs.solve(p)
    assert s.network.n_neurons == 0
    assert s.objective == pytest.approx(6.0 * np.log(2.0), rel=1e-12)


@pytest.mark.parametrize("seed", [10, 13])
def test_the_smallest_numbers_are_divided_by_without_a_word(seed):
    """Bumps far narrower than the distances of the data: their overlaps are the smallest numbers."""
    rng = np.random.default_rng(seed)
    x = 1e3 * rng.standard_normal((24, 1))
    y = np.abs(x[:, 0]) / 1e3 + 0.3 * rng.standard_normal(24)
    p = rs.Problem(x, y, 1.0, activation=rs.Exponential(0.5))
    assert rs.solve(p.with_lam(0.1 * rs.lambda_max(p))).relative_gap <= 1e-6
