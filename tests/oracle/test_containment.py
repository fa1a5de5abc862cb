"""Bounds by flows between the points: never below the supremum, whoever made the flows, and near it for good ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.oracle import BoundedOracle, ContainmentOracle, FaceOracle, exact_oracle
from ridgesplines.oracle.flows import Containment, Flow

KINDS = ("gaussian", "integer", "one-hot", "collinear", "duplicates")


def table(kind, n, d, rng):
    """Columns as in real tables."""
    X = rng.standard_normal((n, d))
    if kind == "integer":
        X = rng.integers(0, 3, (n, d)).astype(float)
    elif kind == "one-hot":
        X[:, :2] = np.eye(3)[rng.integers(0, 3, n)][:, :2]
    elif kind == "collinear":
        X[:, -1] = 3.0 * X[:, 0] + 7.0
    elif kind == "duplicates":
        X[n // 2 :] = X[: n - n // 2]
    return X


def dual_vector(X, rng):
    """Orthogonal to all affine functions."""
    u = rng.standard_normal(len(X))
    basis = np.linalg.svd(np.column_stack([np.ones(len(X)), X]), full_matrices=False)
    Q = basis[0][:, basis[1] > 1e-10 * basis[1][0]]
    for _ in range(2):
        u = u - Q @ (Q.T @ u)
    return u


def supremum(X, u):
    """Exactly, by enumeration."""
    oracle = exact_oracle(X) or FaceOracle(X)
    found = oracle(u)
    return (found if found is not None else BoundedOracle(X)(u, tol=1e-12)).value


def check_against_enumeration(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    X = table(KINDS[seed % len(KINDS)], int(rng.integers(d + 4, 15)), d, rng)
    u = dual_vector(X, rng)
    exact, bound = supremum(X, u), ContainmentOracle(X)(u)
    assert bound.scope == "bounded"
    assert bound.value >= exact * (1.0 - 1e-12)
    if exact == 0.0:  # every function on such points is affine
        assert bound.value < 1e-12
        return 1.0
    return bound.value / exact


def test_never_below_the_supremum_and_often_near():
    ratios = np.array([check_against_enumeration(seed) for seed in range(25)])
    assert np.median(ratios) < 1.02
    assert ratios.max() < 1.5


@pytest.mark.slow
def test_never_below_the_supremum_on_two_hundred_tables():
    ratios = np.array([check_against_enumeration(seed) for seed in range(25, 225)])
    assert np.median(ratios) < 1.02


@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.floats(0.0, 3.0))
@settings(max_examples=40, deadline=None)
def test_any_flows_at_all_prove_something_true(seed, kind, size):
    rng = np.random.default_rng(seed)
    X = table(kind, 9, 2, rng)
    points = np.unique(X, axis=0)
    points = points - points.mean(axis=0)
    u = dual_vector(points, rng)
    n = len(points)
    to = np.array([[m for m in range(n) if m != k] for k in range(n)])
    flows = [Flow(to, size * rng.exponential(size=to.shape), rng.uniform(0.1, 1.0, n)) for _ in range(2)]
    proof = Containment(points, u, *flows)
    assert proof.bound >= exact_oracle(points)(u).value * (1.0 - 1e-12)


def by_hand(proof):
    """The bound of a proof by its formulas, flows as full matrices."""
    bounds = []
    for flow, sign in ((proof.forth, 1.0), (proof.back, -1.0)):
        n = len(proof.points)
        T = np.zeros((n, n))
        for k in range(n):
            for m, amount in zip(flow.to[k], flow.amounts[k], strict=True):
                T[k, m] += amount
        missing = sign * proof.dual - (T.sum(axis=1) - T.sum(axis=0))
        T += np.outer(np.maximum(missing, 0.0), np.maximum(-missing, 0.0)) / max(np.maximum(missing, 0.0).sum(), 1e-300)
        np.testing.assert_allclose(T.sum(axis=1) - T.sum(axis=0), sign * proof.dual, atol=1e-12 * T.sum())
        Q = np.zeros((proof.points.shape[1],) * 2)
        for k in range(n):
            r = 0.5 * (T[k].sum() * proof.points[k] - T[k] @ proof.points)
            Q += np.outer(r, r) / (flow.shares[k] / flow.shares.sum())
        bounds.append(np.sqrt(np.linalg.eigvalsh(Q)[-1]))
    return bounds


def test_a_proof_is_its_formulas():
    rng = np.random.default_rng(3)
    X = table("integer", 20, 3, rng)
    u = dual_vector(X, rng)
    proof = ContainmentOracle(X).proof(u)
    np.testing.assert_allclose(proof.bounds, by_hand(proof), rtol=1e-9)


def test_a_martingale_proves_that_eta_is_nowhere_positive():
    """The middle of a square against its corners: convex functions are at least as large there."""
    points = np.array([[-1.0, -1.0], [-1.0, 1.0], [0.0, 0.0], [1.0, -1.0], [1.0, 1.0]])
    u = np.array([-1.0, -1.0, 4.0, -1.0, -1.0])
    to, amounts = np.full((5, 4), 2), np.zeros((5, 4))
    to[2], amounts[2] = [0, 1, 3, 4], 1.0
    flow = Flow(to, amounts, np.ones(5))
    found = ContainmentOracle(points).proof(u)
    up, down = Containment(points, u, flow, found.back).bounds
    assert up < 1e-12
    np.testing.assert_allclose(down, exact_oracle(points)(u).value, rtol=2e-3)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda flow: Flow(flow.to, -flow.amounts, flow.shares),
        lambda flow: Flow(flow.to, flow.amounts, 0.0 * flow.shares),
        lambda flow: Flow(flow.to, np.full_like(flow.amounts, np.nan), flow.shares),
        lambda flow: Flow(np.broadcast_to(np.arange(len(flow.to))[:, None], flow.to.shape), flow.amounts, flow.shares),
    ],
)
def test_what_is_no_flow_proves_nothing(break_it):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10, 3))
    proof = ContainmentOracle(X).proof(dual_vector(X, rng))
    broken = Containment(proof.points, proof.dual, break_it(proof.forth), proof.back)
    assert broken.bound == np.inf


@pytest.mark.parametrize("size", [0.0, 1e-200, 1e-30, 1e30, 1e150])
def test_hostile_sizes(size):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((12, 3))
    u = dual_vector(X, rng)
    bound = ContainmentOracle(X)(size * u).value
    exact = supremum(X, u) * size
    assert exact * (1.0 - 1e-9) <= bound <= 1.3 * exact


def test_units_of_the_data():
    rng = np.random.default_rng(6)
    X = rng.standard_normal((14, 3))
    u = dual_vector(X, rng)
    bound = ContainmentOracle(X)(u).value
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    np.testing.assert_allclose(ContainmentOracle(X @ rotation + 5.0)(u).value, bound, rtol=5e-3)
    np.testing.assert_allclose(ContainmentOracle(1e6 * X)(u).value, 1e6 * bound, rtol=5e-3)


def test_points_on_a_line_and_alone():
    x = np.arange(6.0)
    X = np.column_stack([x, 2.0 * x, -x])
    u = dual_vector(X, np.random.default_rng(0))
    np.testing.assert_allclose(ContainmentOracle(X)(u).value, exact_oracle(X)(u).value, rtol=5e-3)
    assert ContainmentOracle(np.ones((4, 3)))(np.array([1.0, -1.0, 2.0, -2.0])).value == pytest.approx(0.0, abs=1e-12)


def test_a_proof_is_kept(tmp_path):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((10, 4))
    proof = ContainmentOracle(X).proof(dual_vector(X, rng))
    proof.save(tmp_path / "proof.npz")
    assert Containment.load(tmp_path / "proof.npz").bound == proof.bound


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "proof.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(rs.ProblemError, match=r"Containment\.save"):
        Containment.load(path)
    rng = np.random.default_rng(2)
    X = rng.standard_normal((10, 4))
    proof = ContainmentOracle(X).proof(dual_vector(X, rng))
    far = Flow(proof.forth.to + 10, proof.forth.amounts, proof.forth.shares)
    Containment(proof.points, proof.dual, far, proof.back).save(path)
    with pytest.raises(rs.ProblemError, match=r"Containment\.save"):
        Containment.load(path)


def test_refusals():
    with pytest.raises(rs.SolverRefusal, match="3000 distinct points"):
        ContainmentOracle(np.random.default_rng(0).standard_normal((3001, 3)))
    X = np.random.default_rng(0).standard_normal((10, 3))
    with pytest.raises(rs.SolverRefusal, match="D = 2"):
        ContainmentOracle(X).proof(np.zeros((10, 2)))
