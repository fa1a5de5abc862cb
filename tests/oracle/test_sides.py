"""Branching on the sides of points: whatever the multipliers, bounds hold on the neurons of these sides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_containment import KINDS, dual_vector, supremum, table

from ridgesplines.exceptions import SolverRefusal
from ridgesplines.oracle import BoundedOracle, ContainmentOracle, SidesOracle
from ridgesplines.oracle.flows import Flow
from ridgesplines.oracle.sides import SidedFlow, Sides


def eta_on_sides(points, u, sides, rng, number=4000):
    """The largest eta of neurons that meet d of the points, or pass anywhere, among those with these sides."""
    n, d = points.shape
    W = rng.standard_normal((number, d))
    W /= np.linalg.norm(W, axis=1)[:, None]
    b = (W * points[rng.integers(0, n, number)]).sum(axis=1)
    t = points @ W.T - b
    on = sides.signs[:, None] * t[sides.at]
    fits = (on >= -1e-12).all(axis=0) | (on <= 1e-12).all(axis=0)  # a neuron or its mirror image
    return float((0.5 * u @ np.abs(t))[fits].max(initial=-np.inf))


@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(0, 4), st.floats(0.0, 2.0))
@settings(max_examples=40, deadline=None)
def test_any_multipliers_at_all_prove_something_true(seed, kind, known, size):
    rng = np.random.default_rng(seed)
    points = np.unique(table(kind, 9, 2, rng), axis=0)
    points = points - points.mean(axis=0)
    u, n = dual_vector(points, rng), len(points)
    to = np.array([[m for m in range(n) if m != k] for k in range(n)])
    flow = Flow(to, size * rng.exponential(size=to.shape), rng.uniform(0.1, 1.0, n))
    neuron = rng.standard_normal(2), rng.standard_normal()
    at = rng.permutation(n)[: min(known, n)]
    sides = Sides(at, np.where(points[at] @ neuron[0] >= neuron[1], 1.0, -1.0))
    proof = SidedFlow(flow, sides, size * rng.standard_normal(len(at)), size * rng.exponential(size=(2, n)))
    assert proof.bound(points, u) >= eta_on_sides(points, u, sides, rng) - 1e-12


def by_hand(points, u, sided):
    """The bound of a branch by its formula, flows as a full matrix."""
    n = len(points)
    T = np.zeros((n, n))
    np.add.at(T, (np.arange(n)[:, None], sided.flow.to), sided.flow.amounts)
    known = np.zeros(n)
    known[sided.sides.at] = sided.nu
    missing = u - known + sided.kappa.sum(axis=0) - (T.sum(axis=1) - T.sum(axis=0))
    T += np.outer(np.maximum(missing, 0.0), np.maximum(-missing, 0.0)) / np.maximum(missing, 0.0).sum()
    signs = np.zeros(n)
    signs[sided.sides.at] = sided.sides.signs
    r = [0.5 * (T[k].sum() * points[k] - T[k] @ points) for k in range(n)]
    r.append(0.5 * (known * signs - sided.kappa[0] + sided.kappa[1]) @ points)
    shares = np.append(sided.flow.shares, sided.share)
    Q = sum(np.outer(row, row) / share for row, share in zip(r, shares / shares.sum(), strict=True))
    return np.sqrt(np.linalg.eigvalsh(Q)[-1])


def test_a_branch_is_its_formula():
    rng = np.random.default_rng(1)
    points = rng.standard_normal((8, 3))
    points -= points.mean(axis=0)
    u = dual_vector(points, rng)
    to = np.array([[m for m in range(8) if m != k] for k in range(8)])
    flow = Flow(to, 0.1 * rng.exponential(size=to.shape), rng.uniform(0.1, 1.0, 8))
    sides = Sides(np.array([0, 3, 5]), np.array([1.0, 1.0, -1.0]))
    sided = SidedFlow(flow, sides, rng.standard_normal(3), 0.1 * rng.exponential(size=(2, 8))).balanced()
    assert sided.bound(points, u) == pytest.approx(by_hand(points, u, sided), rel=1e-9)


def check_against_enumeration(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    X = table(KINDS[seed % len(KINDS)], int(rng.integers(d + 4, 15)), d, rng)
    u = dual_vector(X, rng)
    exact, bound = supremum(X, u), SidesOracle(X)(u)
    assert bound.scope == "bounded"
    assert bound.value >= exact * (1.0 - 1e-12)
    return bound.value <= exact * (1.0 + 1.1e-3) + 1e-12


def test_the_supremum_to_a_thousandth():
    """The last is a lattice with many branches that no neuron has: bounded too, at zero, or they stay open."""
    assert all(check_against_enumeration(seed) for seed in (*range(12), 176))


@pytest.mark.slow
def test_never_below_the_supremum_and_a_thousandth_above():
    assert all(check_against_enumeration(seed) for seed in range(25, 225))


def test_where_flows_alone_are_loose():
    """Eight dimensions, which cones do not reach."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((16, 8))
    u = dual_vector(X, rng)
    flows, sides = ContainmentOracle(X)(u), SidesOracle(X)(u)
    assert sides.value <= flows.value * (1.0 + 1e-3)
    seen = 0.5 * abs(u @ np.abs(X @ sides.weights[0] - sides.biases[0]))
    assert seen * (1.0 - 1e-9) <= sides.value <= seen * (1.0 + 1.1e-3)


def test_short_of_time_or_with_a_level_it_is_a_bound_still():
    rng = np.random.default_rng(2)
    X = rng.standard_normal((14, 3))
    u = dual_vector(X, rng)
    exact = supremum(X, u)
    for limits in ({"max_time": 1e-6}, {"level": 1.5 * exact}, {"level": 0.5 * exact}):
        assert SidesOracle(X)(u, **limits).value >= exact * (1.0 - 1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-200, 1e-30, 1e30, 1e150])
def test_hostile_sizes(size):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((10, 3))
    u = dual_vector(X, rng)
    exact = supremum(X, u) * size
    assert exact * (1.0 - 1e-9) <= SidesOracle(X)(size * u).value <= 1.01 * exact


@pytest.mark.parametrize("oracle", [ContainmentOracle, SidesOracle])
def test_vector_outputs(oracle):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((11, 3))
    U = np.column_stack([dual_vector(X, rng), dual_vector(X, rng)])
    exact = BoundedOracle(X)(U).value
    found = BoundedOracle(X)._search(U).value
    bound = oracle(X)(U).value
    assert found <= bound <= 1.5 * exact
    copies = np.column_stack([U[:, 0], 2.0 * U[:, 0]])  # of rank one: no loss beyond that of one output
    assert oracle(X)(copies).value == pytest.approx(np.sqrt(5.0) * oracle(X)(U[:, 0]).value, rel=5e-3)


@pytest.mark.parametrize("oracle", [ContainmentOracle, SidesOracle])
@pytest.mark.parametrize("u", [np.ones(10), np.eye(10)[0], np.eye(10)[0] - np.eye(10)[1]], ids=["ones", "one", "two"])
def test_of_what_is_not_orthogonal_to_affine_functions_nothing_is_proven(oracle, u):
    """|eta| of such u grows with the bias without end."""
    assert oracle(np.random.default_rng(0).standard_normal((10, 3)))(u).value == np.inf


def test_refusals():
    with pytest.raises(SolverRefusal, match="3000 distinct points"):
        SidesOracle(np.random.default_rng(0).standard_normal((3001, 3)))
