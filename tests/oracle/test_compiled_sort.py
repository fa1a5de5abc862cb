"""The sorts of compiled code against NumPy's stable one: ties, crowds in one bucket, what is left out."""

import numpy as np
import pytest

from ridgesplines.numerics import fast

SORTS = fast.compiled("oracle.compiled_sort")
pytestmark = pytest.mark.skipif(SORTS is None, reason="numba is not installed")
KEYS = {
    "none": np.empty(0),
    "one": np.zeros(1),
    "spread": np.random.default_rng(0).uniform(-1.0, 1.0, 200),
    "ties": np.random.default_rng(1).integers(-2, 3, 500) / 2.0,
    "all equal": np.zeros(100),
    "a crowd": np.append(np.random.default_rng(2).uniform(-1e-9, 1e-9, 300).round(11), [-1.0, 1.0]),
    "falling": np.linspace(1.0, -1.0, 73),
}


@pytest.mark.parametrize("name", KEYS)
def test_buckets(name):
    keys = KEYS[name].copy()
    keys[3::7] = SORTS.LEFT_OUT
    order, starts = np.full(len(keys), -1), np.empty(len(keys) + 1, np.int64)
    count = SORTS.bucket_sort(keys, order, starts)
    assert count == (keys < SORTS.LEFT_OUT).sum()
    np.testing.assert_array_equal(order[:count], np.argsort(keys, kind="stable")[:count])


@pytest.mark.parametrize("n", [1, 2, SORTS and SORTS.RUN, SORTS and SORTS.RUN + 1, 48, 49, 97, 1000])
def test_a_part_is_arranged_and_the_rest_left(n):
    rng = np.random.default_rng(n)
    keys, order = rng.integers(0, 40, n + 9) / 8.0, rng.permutation(n + 9)
    given = order.copy()
    SORTS.arrange(keys, order, 4, 4 + n)
    part = given[4 : 4 + n]
    np.testing.assert_array_equal(order[4 : 4 + n], part[np.argsort(keys[part], kind="stable")])
    np.testing.assert_array_equal(np.delete(order, np.s_[4 : 4 + n]), np.delete(given, np.s_[4 : 4 + n]))
