"""The rounding of a gap on the line: one compiled pass against the sums one by one, and against rational arithmetic."""

from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.certificate.rounding import gap_rounding
from ridgesplines.line import kernels
from ridgesplines.objective import targets_and_fit


def table(kind, n=80):
    rng = np.random.default_rng(n)
    x = np.sort(rng.random(n))
    y = np.abs(x - 0.4) + 0.1 * rng.standard_normal(n)
    weight = rng.uniform(0.1, 10.0, n)
    if kind == "integers":
        x, y = np.repeat(np.arange(n // 4), 4).astype(float), np.round(20.0 * y)
    elif kind == "far":
        x, y = x + 1e5, y + 1e6
    elif kind == "heavy":
        weight[::7] *= 1e6
    return rs.Problem(x, y, 0.05, sample_weight=weight)


def solved(kind):
    p = table(kind)
    s = rs.solve(p, rs.Univariate(tol=1e-8))
    assert s.network.n_neurons
    return p.reduced, s, s.certificate.scaled(p.rows)


@pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("kind", ["real", "integers", "far", "heavy"])
def test_one_pass_has_the_sums_of_all_passes(kind, monkeypatch):
    p, s, (u, _) = solved(kind)
    given = p, s.network, targets_and_fit(p, s.network), (u, None), s.certificate.value
    monkeypatch.setattr(kernels, "LOADED", np.inf)
    monkeypatch.setattr(kernels, "COMPILED_POINTS", np.inf)
    one_by_one = gap_rounding(*given)
    monkeypatch.setattr(kernels, "COMPILED_POINTS", 0)
    monkeypatch.setattr(kernels, "LOADED", 0.0)
    together = gap_rounding(*given)
    # What u sees of affine functions is itself rounding of the order of these.
    assert together == pytest.approx(one_by_one, rel=0.05)


@pytest.mark.parametrize("kind", ["real", "integers", "far", "heavy"])
def test_the_bound_holds_in_rational_arithmetic(kind):
    p, s, (u, _) = solved(kind)
    net, exact = s.network, np.vectorize(Fraction, otypes=[object])
    x, y, weight, dual = (exact(values) for values in (p.X[:, 0], p.y, p.sample_weight, u))
    sides, knots = exact(net.weights[:, 0]), exact(net.biases)
    hidden = np.maximum(np.multiply.outer(x, sides) - knots, Fraction(0))
    f = hidden @ exact(net.amplitudes) + x * Fraction(net.slope[0]) + Fraction(net.offset)
    objective = (weight * (y - f) ** 2).sum() + Fraction(p.lam) * np.abs(exact(net.amplitudes)).sum()
    # The dual value of u, less what it sees of the affine part, of which a feasible u sees nothing.
    detrended = exact(p.detrended)
    value = (dual * detrended).sum() - (dual**2 / weight).sum() / 4
    off = abs(Fraction(s.objective) - objective) + abs(Fraction(s.certificate.value) - value)
    assert 0 < off <= Fraction(s.rounding)
