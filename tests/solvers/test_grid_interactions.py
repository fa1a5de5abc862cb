"""Grids where only some features may act together: their directions, and the optimum among these."""

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum
from instances import LOSSES, SCALAR, ids, problem

import ridgesplines as rs
from ridgesplines.neurons.dictionary import spread_directions

X = np.random.default_rng(0).uniform(-1.0, 1.0, (40, 4))
Y = np.abs(X[:, 0]) + np.maximum(X[:, 1] + X[:, 2], 0.0) + 0.1 * np.random.default_rng(1).standard_normal(40)
GROUPINGS = [1, 2, 3, [[0], [1, 2], [3]], [[0, 1], [1, 2, 3]], [[2, 0]]]


def groups(given, d=4):
    return rs.Problem(np.eye(d), np.zeros(d), 1.0, interactions=given).interactions


@pytest.mark.parametrize("m", [1, 7, 64])
@pytest.mark.parametrize("given", GROUPINGS, ids=str)
def test_directions_keep_to_the_groups_and_come_once(given, m):
    family = groups(given)
    W = spread_directions(m, 4, interactions=family)
    assert family.allow(W).all()
    assert family.containing(W).any(axis=0).all()  # no group is left out
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), 1.0)
    cosines = np.abs(W @ W.T) - np.eye(len(W))
    assert cosines.max(initial=0.0) < 1.0 - 1e-9  # neither twice nor as a mirror image


def test_one_feature_has_one_direction_and_a_pair_evenly_spaced_angles():
    assert (spread_directions(64, 4, interactions=groups(1)) == np.eye(4)[::-1]).all()
    W = spread_directions(9, 4, interactions=groups([[0], [3, 1], [2]]))  # seven for the pair: it takes eight
    pair = W[(W[:, [0, 2]] == 0.0).all(axis=1)]
    angles = np.sort(np.arctan2(pair[:, 3], pair[:, 1]))
    np.testing.assert_allclose(angles, np.pi * np.arange(8) / 8, atol=1e-12)
    pairs = spread_directions(1, 4, interactions=groups(2))  # four axes, that pairs share, and the diagonals
    assert len(pairs) == 4 + 6 * 2


def test_a_number_is_about_how_many_there_are():
    counts = [len(spread_directions(64, 4, interactions=groups(given))) for given in (2, 3, [[0], [1, 2], [3]])]
    assert counts == [64, 64, 66]


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_one_feature_at_a_time_is_a_finite_problem(loss):
    """Along each axis the data's projections are biases enough: a dense program of all of them, written here."""
    p = problem(loss, 24, 3, lam=0.3, interactions=1)
    s = rs.solve(p, rs.Grid())
    H = np.hstack([np.maximum(p.X[:, [j]] - p.X[None, :, j], 0.0) for j in range(3)])
    H = H[:, H.any(axis=0)]
    A = np.column_stack([np.ones(24), p.X])
    tail = p.outputs
    a, c = cp.Variable((H.shape[1], *tail)), cp.Variable((4, *tail))
    norm = cp.sum(cp.norm(a, 2, axis=1)) if tail else cp.norm1(a)
    assert s.objective == pytest.approx(minimum(p, H @ a + A @ c, norm), rel=1e-6)
    assert p.interactions.allow(s.network.weights).all()
    assert s.dictionary_gap <= 1e-6


@pytest.mark.parametrize("given", GROUPINGS, ids=str)
def test_its_neurons_keep_to_the_groups(given):
    p = rs.Problem(X, Y, 0.2, interactions=given)
    s = rs.solve(p, rs.Grid(directions=24))
    assert s.network.n_neurons > 0
    assert p.interactions.allow(s.network.weights).all()
    assert s.dictionary_gap <= 1e-6
    more = rs.solve(rs.Problem(X, Y, 0.2), rs.Grid(spread_directions(24, 4, interactions=p.interactions)))
    assert s.objective == pytest.approx(more.objective, rel=1e-6)


@pytest.mark.parametrize("activation", [rs.TruncatedPower(2), rs.Sigmoid(0.3), rs.Exponential(0.5)], ids=repr)
def test_other_activations(activation):
    p = rs.Problem(X[:14, :3], Y[:14], 0.02, activation=activation, interactions=2)
    s = rs.solve(p, rs.Grid(directions=6))
    assert s.network.n_neurons > 0
    assert p.interactions.allow(s.network.weights).all()
    assert s.dictionary_gap <= 1e-6
    assert rs.evaluate(p, s.network, max_time=0.0).objective == s.objective


def test_directions_of_your_own():
    axes = np.eye(4)[:3]
    p = rs.Problem(X, Y, 0.2, interactions=[[0], [1, 2], [3]], feature_names=["a", "b", "c", "e"])
    assert rs.Grid(directions=axes).refuses(p) is None
    across = np.vstack([axes, [0.0, 1.0, 0.0, -2.0]])
    words = r"^directions: expected directions within the interactions .*, x0; x1 and x2; x3; got row 3.*x1, x3"
    with pytest.raises(rs.ProblemError, match=words):
        rs.solve(p, rs.Grid(directions=across))


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_a_path_keeps_to_them_as_well(loss):
    if loss.interpolates:
        pytest.skip("interpolation has one fit for every lam")
    p = problem(loss, 30, 3, interactions=[[0, 2], [1]])
    path = rs.solve_path(p, rs.Grid(directions=9), lams=[1.0, 0.3])
    assert all(p.interactions.allow(s.network.weights).all() for s in path)
    assert all(s.problem.interactions == p.interactions for s in path)
