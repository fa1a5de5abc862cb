"""The order of many numbers, by keys of 64 bits: against NumPy's sort, also where keys say little about values."""

import numpy as np
import pytest

from ridgesplines.line import kernels
from ridgesplines.line.sorting import sorting

N = kernels.COMPILED_POINTS
RNG = np.random.default_rng(0)
#: What takes fast keys, what has ties, what shares steps with few or with nearly all others, and what has no steps.
KINDS = {
    "uniform": RNG.random(N),
    "integers": RNG.integers(0, 50, N).astype(float),
    "reversed": -np.arange(N, dtype=float),
    "seconds of days": 2.4e6 + np.round(RNG.random(N) * 4e3) + RNG.random(N) * 1e-9,
    "heavy tails": RNG.standard_cauchy(N) ** 3,
    "one far away": np.append(RNG.random(N - 1), 1e12),
    "all but equal": 1.0 + np.spacing(1.0) * RNG.integers(0, 9, N),
    "no finite range": np.append(RNG.random(N - 2), [-1.7e308, 1.7e308]),
    "denormal": 5e-324 * RNG.integers(0, 100, N),
    "few": RNG.random(30),
}


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_rise_and_each_is_there_once(kind):
    x = KINDS[kind]
    order = sorting(x)
    assert (x[order] == np.sort(x)).all()
    assert (np.sort(order) == np.arange(len(x))).all()


@pytest.mark.parametrize("kind", ["uniform", "heavy tails"])
def test_without_compiled_passes(kind, monkeypatch):
    monkeypatch.setattr(kernels, "fast_module", lambda *given: None)
    x = KINDS[kind]
    assert (x[sorting(x)] == np.sort(x)).all()


def test_keys_serve_where_they_tell_values_apart():
    if (fast := kernels.fast_module(N, "line.compiled_sorting")) is None:
        pytest.skip("numba is not installed")
    for kind, serve in (("uniform", True), ("one far away", False)):
        x = KINDS[kind]
        low, high = x.min(), x.max()
        keys = fast.packed(x, low, (2.0**32 - 1.0) / (high - low))
        keys.sort()
        assert fast.unpacked(x, keys, N // 8)[1] == serve
