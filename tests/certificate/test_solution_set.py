"""The envelope of all minimisers: attained, and not left by what another solver finds."""

import dataclasses

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs

LOSSES = [rs.Squared(), rs.Huber(0.5), rs.Absolute(), rs.Quantile(0.3), rs.Interpolation()]


def table(seed, N=24):
    """Ties and repeated rows, in steps, as instruments give them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, N) / 2.0
    return x, np.round(np.abs(x - 2.5) + 0.5 * rng.standard_normal(N), 1)


def problem(loss, seed, lam=1.0):
    x, y = table(seed)
    if loss.interpolates:
        x, first = np.unique(x, return_index=True)
        y = y[first]
    return rs.Problem(x, y, lam, loss)


def extremes(s, at):
    """Programs for the least and the largest f(at) among splines as good, with knots at data, at `at` and between."""
    p, x = s.problem, s.problem.X[:, 0]
    sites = np.unique(x)
    t = np.unique(np.concatenate([sites, 0.5 * (sites[1:] + sites[:-1]), [at]]))
    values = cp.Variable(len(t))
    seminorm = cp.norm1(cp.diff(cp.multiply(cp.diff(values), 1.0 / np.diff(t))))
    fit, own = values[np.searchsorted(t, x)], values[int(np.searchsorted(t, at))]
    if isinstance(p.loss, rs.Squared):  # strictly convex: the fit is one, and it remains to be as little bent
        asked = [fit == s.network.at(x), seminorm <= s.seminorm * (1.0 + 1e-9)]
    else:
        data, asked = p.loss.expression(p.y, fit, p.sample_weight)
        asked.append(data + p.lam * seminorm <= s.objective * (1.0 + 1e-9))
    return [cp.Problem(side(own), asked).solve(cp.CLARABEL) for side in (cp.Minimize, cp.Maximize)]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_spline_that_is_as_good_leaves_it_and_some_reach_it(loss):
    s = rs.solve(problem(loss, seed=3))
    gaps = s.envelope(0.0).free_gaps
    assert len(gaps)
    places = [0.3, 2.0, *(gaps.mean(axis=1)[:2])]
    found = s.envelope(places)
    for t, low, high in zip(places, found.lower, found.upper, strict=True):
        assert [low, high] == pytest.approx(extremes(s, t), abs=1e-4)


def reaching(s, found, i):
    """The spline through the data's values that takes the i-th end of the envelope in between."""
    sites = np.unique(s.problem.X[:, 0])
    values = s.network.at(sites)
    ends = []
    for end in (found.lower[i], found.upper[i]):
        x, y = np.append(sites, found.x[i]), np.append(values, end)
        order = np.argsort(x)
        ends.append(rs.RidgeSpline.through(x[order], y[order]))
    return ends


@given(seed=st.integers(0, 10_000), lam=st.sampled_from([0.02, 0.2, 1.0]))
@settings(max_examples=25, deadline=None)
def test_both_ends_are_minimisers_and_what_lies_beyond_is_not(seed, lam):
    s = rs.solve(problem(rs.Squared(), seed, lam))
    gaps = s.envelope(0.0).free_gaps
    found = s.envelope(gaps.mean(axis=1))
    outside = rs.solve(s.problem, rs.Grid(refine=False)) if lam == 1.0 else s
    sites = np.unique(s.problem.X[:, 0])
    moved = np.abs(outside.network.at(sites) - s.network.at(sites)).max()
    assert moved**2 <= outside.objective - s.objective + 1e-9 * s.objective  # squared error is strongly convex
    # Beyond the dots that end a gap its bounds are chords: there so much moves as far as these are continued.
    near = 1e-6 + (1.0 + np.diff(gaps).max(initial=0.0) / np.diff(sites).min()) * moved
    for net, slack in ((s.network, 1e-6), (outside.network, near)):
        assert (found.lower - slack <= net.at(found.x)).all()
        assert (net.at(found.x) <= found.upper + slack).all()
    for i in range(len(gaps)):
        for net in reaching(s, found, i):
            assert rs.evaluate(s.problem, net, max_time=0.0).objective == pytest.approx(s.objective, rel=1e-9)
        beyond = dataclasses.replace(found, lower=found.lower - found.width, upper=found.upper + found.width)
        for net in reaching(s, beyond, i):
            excess = rs.evaluate(s.problem, net, max_time=0.0).objective - s.objective
            assert excess > 0.5 * lam * found.width[i] / np.ptp(gaps[i])


def test_interpolation_has_every_convex_function_between_the_dots():
    s = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 1.0, rs.Interpolation()))
    found = s.envelope([-1.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 4.0])
    assert found.free_gaps.tolist() == [[1.0, 2.0]]
    np.testing.assert_allclose(found.lower, [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 5.0], atol=1e-12)
    np.testing.assert_allclose(found.upper, [0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0], atol=1e-12)
    assert not s.is_unique
    assert found.width[4] == pytest.approx(0.5)


def test_a_unique_minimiser_has_no_width():
    x, y = table(0, 60)
    for p in (rs.Problem(x, y, 3.0, rs.Quantile(0.3)), rs.Problem(np.arange(6.0), [2.0, 1.0, 0.0, 1.0, 2.0, 3.0], 0.1)):
        s = rs.solve(p)
        assert s.is_unique
        found = s.envelope(np.linspace(-3.0, 9.0, 50))
        assert not found.width.any()
        assert len(found.free_gaps) == 0


def test_labels_that_the_margin_leaves_free_have_no_upper_end():
    """Hinge asks for f >= 1 where y = 1, and no more."""
    s = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0], 1.0, rs.Hinge()))
    found = s.envelope([0.0, 1.5])
    assert np.isposinf(found.upper).all()
    np.testing.assert_allclose(found.lower, 1.0, atol=1e-6)


def test_units_of_x_and_y_only_rescale_it():
    x, y = table(3)
    places = np.linspace(0.0, 5.5, 23)
    for loss in (rs.Squared(), rs.Absolute()):
        plain = rs.solve(rs.Problem(x, y, 1.0, loss)).envelope(places)
        lam = 1.0 if isinstance(loss, rs.Absolute) else 1e3
        moved = rs.solve(rs.Problem(1e6 + x, 5e3 + 1e3 * y, lam, loss)).envelope(1e6 + places)
        for a, b in ((plain.lower, moved.lower), (plain.upper, moved.upper)):
            np.testing.assert_allclose(5e3 + 1e3 * a, b, atol=1e-2)


def test_scales_are_a_larger_lam():
    x, y = table(3)
    plain = rs.solve(rs.Problem(x, y, 1.0)).envelope(x)
    scaled = rs.solve(rs.Problem(x, y, 0.25, scales=[4.0])).envelope(x)
    assert scaled.free_gaps.tolist() == plain.free_gaps.tolist()
    np.testing.assert_allclose(scaled.upper, plain.upper, atol=1e-8)


def test_dates_stay_dates():
    x = np.datetime64("2024-01-01") + np.arange(4)
    found = rs.solve(rs.Problem(x, [0.0, 0.0, 1.0, 3.0], 1.0, rs.Interpolation())).envelope(x[:2])
    assert found.x.dtype.kind == found.free_gaps.dtype.kind == "M"
    assert (found.free_gaps == x[None, 1:3]).all()


@pytest.mark.parametrize(
    "solution",
    [
        lambda: rs.solve(rs.Problem([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.0, 3.0]], [0.0, 1.0, 1.0, 0.0], 0.1)),
        lambda: rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], 0.1, constraints=[rs.Monotone()])),
        lambda: rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], np.eye(4)[:, :2], 0.1)),
    ],
)
def test_elsewhere_it_is_refused(solution):
    with pytest.raises(rs.ProblemError, match="one feature and one output"):
        solution().envelope(0.0)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(10.0)], ids=lambda loss: loss.name)
def test_all_lines_through_the_mean_where_all_x_are_equal(loss):
    found = rs.solve(rs.Problem([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], 1.0, loss)).envelope([0.0, 1.0, 2.0])
    np.testing.assert_allclose(found.lower, [-np.inf, 2.0, -np.inf], rtol=1e-9)
    np.testing.assert_allclose(found.upper, [np.inf, 2.0, np.inf], rtol=1e-9)
