"""Which way to prove a supremum is tried, against what each of them took when measured."""

import time

import numpy as np
import pytest

from ridgesplines.oracle import BoundedOracle, predicted, proven, tries
from ridgesplines.oracle.costs import own_shares


@pytest.mark.parametrize(
    ("n", "d", "way"),
    [(20, 3, "exact"), (320, 3, "branch"), (320, 4, "branch"), (20, 6, "exact"), (40, 8, "sides"), (80, 5, "branch")],
)
def test_the_way_that_was_fastest_comes_first(n, d, way):
    """In 60 seconds. For 320 points in three dimensions cones took a quarter of a second; sides did not end in 12."""
    X = np.random.default_rng(0).standard_normal((n, d))
    assert tries(predicted(X), 60.0)[0] == way


def test_flows_come_first_where_nothing_else_ends():
    X = np.random.default_rng(0).standard_normal((300, 10))
    assert tries(predicted(X), 60.0)[0] == "containment"
    assert tries(predicted(X, 3), 1e-3)[0] == "containment"
    assert predicted(X, 3)["exact"] == np.inf


def test_equal_rows_and_columns_that_say_nothing_cost_nothing():
    X = np.random.default_rng(0).standard_normal((30, 4))
    wider = np.column_stack([np.vstack([X, X]), np.ones(60)])
    assert predicted(wider) == pytest.approx(predicted(X))


def test_all_but_the_last_leave_time():
    shares = list(own_shares(["one", "two"], time.perf_counter() + 10.0))
    assert 5.0 < shares[0][1] < 9.0 < shares[1][1] <= 10.0
    assert [way for way, _ in own_shares(["one", "two"], 0.0)] == ["one"]


def test_the_best_of_several_ways_is_a_bound():
    """Too little time for any: two ways, and the smaller bound."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 4))
    u = rng.standard_normal(40)
    Q = np.linalg.qr(np.column_stack([np.ones(40), X]))[0]
    u -= Q @ (Q.T @ u)
    exact = BoundedOracle(X)(u).value
    for seconds in (1e-4, 0.2):
        assert exact * (1.0 - 1e-9) <= proven(X, u, seconds).value < np.inf
