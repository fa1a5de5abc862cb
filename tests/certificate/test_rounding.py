"""The rounding of a gap on the line: compiled passes against the sums one by one, and against rational arithmetic."""

from dataclasses import replace
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.certificate.certificate import certify
from ridgesplines.certificate.own_dual import proven_by_itself
from ridgesplines.certificate.rounding import gap_rounding
from ridgesplines.line import kernels
from ridgesplines.objective import eta_rounding, targets_and_fit


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
def test_two_passes_have_the_figures_of_all_passes(kind, monkeypatch):
    p, s, _ = solved(kind)
    monkeypatch.setattr(kernels, "LOADED", np.inf)
    monkeypatch.setattr(kernels, "COMPILED_POINTS", np.inf)
    fit = targets_and_fit(p, s.network)
    one_by_one = certify(p, s.network, fit=fit)
    rounding = gap_rounding(p, s.network, fit, one_by_one.scaled(p.rows), one_by_one.value)
    data_fit = fit.data_fit
    monkeypatch.setattr(kernels, "COMPILED_POINTS", 0)
    monkeypatch.setattr(kernels, "LOADED", 0.0)
    p.data.__dict__.pop("weighted_line", None)
    together = proven_by_itself(p, s.network, np.inf)
    assert together.data_fit == pytest.approx(data_fit, rel=1e-13)
    if kind == "far":  # a level that is taken off y first rounds nothing
        assert together.rounding <= rounding
    else:  # what u sees of affine functions is itself rounding of the order of the rest
        assert together.rounding == pytest.approx(rounding, rel=0.05)
    of_eta = s.network.seminorm * eta_rounding(p, one_by_one.dual)
    assert together.certificate.value == pytest.approx(one_by_one.value, abs=rounding + of_eta)
    assert together.certificate.sup == pytest.approx(one_by_one.sup, abs=2.0 * eta_rounding(p, one_by_one.dual))
    assert np.abs(together.certificate.dual - one_by_one.dual).max() <= 1e-13 * np.abs(p.sample_weight * p.y).max()


@pytest.mark.parametrize("kind", ["real", "integers", "far", "heavy"])
def test_the_bound_holds_in_rational_arithmetic(kind):
    p, s, (u, _) = solved(kind)
    assert 0 < missed(p, s, u) <= Fraction(s.rounding)
    if (own := proven_by_itself(p, s.network, np.inf)) is not None:
        s = replace(s, problem=p, certificate=own.certificate).evaluated(own)
        assert 0 < missed(p, s, s.certificate.scaled(p.rows)[0]) <= Fraction(s.rounding)


def missed(p, s, u):
    net, exact = s.network, np.vectorize(Fraction, otypes=[object])
    x, y, weight, dual = (exact(values) for values in (p.X[:, 0], p.y, p.sample_weight, u))
    sides, knots = exact(net.weights[:, 0]), exact(net.biases)
    hidden = np.maximum(np.multiply.outer(x, sides) - knots, Fraction(0))
    f = hidden @ exact(net.amplitudes) + x * Fraction(net.slope[0]) + Fraction(net.offset)
    objective = (weight * (y - f) ** 2).sum() + Fraction(p.lam) * np.abs(exact(net.amplitudes)).sum()
    # The dual value of u, less what it sees of the affine part, of which a feasible u sees nothing.
    detrended = exact(p.detrended)
    value = (dual * detrended).sum() - (dual**2 / weight).sum() / 4
    return abs(Fraction(s.objective) - objective) + abs(Fraction(s.certificate.value) - value)
