"""What the problem does not depend on, the solution does not depend on either."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import LOSSES, ids, problem

import ridgesplines as rs

FEW = settings(max_examples=6, deadline=None, derandomize=True)
SEEDS = st.integers(0, 10_000)
#: Tables whose own optima, with each loss, are computed once; each invariance moves them in its own way.
TABLES = st.integers(0, 5)
SCALES = st.floats(1e-3, 1e3)


def optimum(X, y, lam, loss, weight=None, solver=None):
    s = rs.solve(rs.Problem(X, y, lam, loss, sample_weight=weight), solver)
    assert s.status == "converged"
    return s.objective


@cache
def unmoved(loss, n, seed):
    """The problem, and its optimum."""
    p = problem(loss, n, seed=seed)
    return p, optimum(p.X, p.y, p.lam, loss)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@FEW
@given(seed=TABLES)
def test_permutation(loss, seed):
    p, still = unmoved(loss, 25, seed)
    order = np.random.default_rng(seed).permutation(25)
    assert optimum(p.X[order], p.y[order], p.lam, loss) == pytest.approx(still, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@FEW
@given(seed=TABLES, scale=SCALES, shift=st.floats(-100.0, 100.0))
def test_scaling_and_translation_of_x(loss, seed, scale, shift):
    # f(x / scale) has the seminorm of f divided by the scale.
    p, still = unmoved(loss, 25, seed)
    moved = optimum(scale * (p.X + shift), p.y, scale * p.lam, loss)
    assert moved == pytest.approx(still, rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@FEW
@given(seed=TABLES)
def test_mirror_image(loss, seed):
    p, still = unmoved(loss, 25, seed)
    assert optimum(-p.X, p.y, p.lam, loss) == pytest.approx(still, rel=1e-6)


@FEW
@given(seed=SEEDS, scale=SCALES, slope=st.floats(-10.0, 10.0), offset=st.floats(-100.0, 100.0))
def test_affine_changes_of_y(seed, scale, slope, offset):
    p = problem(rs.Squared(), 25, seed=seed)
    y = scale * p.y + slope * p.X[:, 0] + offset
    moved = optimum(p.X, y, scale * p.lam, rs.Squared())
    assert moved == pytest.approx(scale**2 * optimum(p.X, p.y, p.lam, rs.Squared()), rel=1e-5)


@FEW
@given(seed=SEEDS, angle=st.floats(0.0, 6.28))
def test_rotation_in_the_plane(seed, angle):
    # The grid turns with the data; the exact supremum must not notice.
    p = problem(rs.Squared(), 25, d=2, seed=seed)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    W = np.stack([np.cos(np.pi * np.arange(8) / 8), np.sin(np.pi * np.arange(8) / 8)], axis=1)
    still = rs.solve(p, rs.Grid(directions=W))
    turned = rs.solve(rs.Problem(p.X @ turn, p.y, p.lam), rs.Grid(directions=W @ turn))
    assert turned.objective == pytest.approx(still.objective, rel=1e-8)
    assert turned.certificate.sup == pytest.approx(still.certificate.sup, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@FEW
@given(seed=TABLES)
def test_duplicated_samples_are_weights(loss, seed):
    p = problem(loss, 20, seed=seed)
    times = np.random.default_rng(seed).integers(1, 4, 20)
    repeated = optimum(np.repeat(p.X, times, axis=0), np.repeat(p.y, times, axis=0), p.lam, loss)
    assert repeated == pytest.approx(optimum(p.X, p.y, p.lam, loss, weight=times.astype(float)), rel=1e-6)


@FEW
@given(seed=SEEDS)
def test_the_optimum_is_concave_in_lam(seed):
    # A minimum of functions that are affine in lam.
    p = problem(rs.Huber(0.1), 25, seed=seed)
    a, b, c = (rs.solve(p.with_lam(lam)).objective for lam in (0.01, 0.03, 0.05))
    assert b >= 0.5 * (a + c) - 1e-9


@FEW
@given(seed=SEEDS, loss=st.sampled_from([x for x in LOSSES if not x.interpolates]))
def test_no_network_beats_the_certificate(seed, loss):
    p = problem(loss, 20, seed=seed % 7)
    s = rs.solve(p)
    rng = np.random.default_rng(seed)
    n = s.network
    near = rs.RidgeSpline(
        n.weights,
        n.biases + 0.01 * rng.standard_normal(n.biases.shape),
        n.amplitudes * (1.0 + 0.05 * rng.standard_normal(n.amplitudes.shape)),
        n.slope,
        n.offset,
    )
    assert rs.evaluate(p, near).objective >= s.certificate.value
