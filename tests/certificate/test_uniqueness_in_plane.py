"""One minimiser in the plane: where that is proven nothing moves it, and where a neuron is free it is not proven."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs

PULL = 1e-6


def gauss(rng):
    return rng.standard_normal((30, 2))


def lattice(rng):
    """Whole numbers, with many rows on one line, and some that come twice."""
    X = np.array([(i, 10.0 * j) for i in range(5) for j in range(4)])
    return np.vstack([X, X[rng.integers(0, len(X), 5)]])


def clipped(rng):
    """Correlated columns, the second between limits."""
    a = rng.standard_normal(40)
    return np.column_stack([a, np.clip(a + 0.5 * rng.standard_normal(40), -0.5, 0.5)])


TABLES = {"gauss": gauss, "lattice": lattice, "clipped": clipped}


def solved(name, seed, share, loss=None, tol=1e-11):
    rng = np.random.default_rng(seed)
    X = TABLES[name](rng)
    Z = X / X.std(axis=0)
    y = np.abs(Z[:, 0] - 0.3) + 0.5 * np.maximum(Z @ [0.6, 0.8], 0.0) + 0.1 * rng.standard_normal(len(X))
    p = rs.Problem(X, y, 1.0, loss)
    return rs.solve(p.with_lam(share * rs.lambda_max(p)), rs.ColumnGeneration(tol=tol))


def pulled_apart(s, at):
    """How far apart two fits are at a point when it pulls a little up, or a little down: of the order of PULL if all
    minimisers have one value there."""
    p, values = s.problem, []
    for far in (1e3, -1e3):
        X, y = np.vstack([p.X, at]), np.append(p.y, far)
        q = rs.Problem(X, y, p.lam, sample_weight=np.append(p.sample_weight, PULL / 1e3))
        values.append(float(rs.solve(q, rs.ColumnGeneration(tol=1e-11, start=s.network)).predict(at[None])[0]))
    return values[0] - values[1]


def split(s):
    """The network with a neuron that meets no data as two halves beside it, between the same data; None without one."""
    net, X = s.network, s.problem.X
    room = np.abs(X @ net.weights.T - net.biases).min(axis=0)
    k = int(room.argmax())
    if room[k] < 1e-6 * np.abs(X).max():
        return None
    b, v = np.append(net.biases, net.biases[k] + 0.5 * room[k]), np.append(net.amplitudes, net.amplitudes[k] / 2.0)
    b[k] -= 0.5 * room[k]
    v[k] /= 2.0
    return net.changed(weights=np.vstack([net.weights, net.weights[k]]), biases=b, amplitudes=v)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.03])
def test_what_is_proven_holds_and_what_is_free_is_not_proven(name, share):
    proven = 0
    for seed in range(4):
        s = solved(name, seed, share)
        assert s.relative_gap <= 1e-10
        halves = split(s)
        if halves is not None:  # another minimiser
            assert rs.evaluate(s.problem, halves, max_time=0.0).objective == pytest.approx(s.objective, rel=1e-12)
            assert not s.is_unique
        elif s.is_unique:
            proven += 1
            X = s.problem.X
            at = X.mean(axis=0) + np.random.default_rng(seed).standard_normal(2) * X.std(axis=0)
            assert abs(pulled_apart(s, at)) < 1e3 * PULL
    assert proven or share < 0.1


def test_a_free_neuron_lets_a_little_pull_move_the_fit_far():
    s = next(s for s in (solved("gauss", seed, 0.5) for seed in range(9)) if split(s) is not None)
    net, X = s.network, s.problem.X
    k = int(np.abs(X @ net.weights.T - net.biases).min(axis=0).argmax())
    assert not s.is_unique
    # On the hyperplane, where no data hold it: the least f is that of one neuron, the largest that of two halves.
    assert abs(pulled_apart(s, net.weights[k] * net.biases[k])) > 1e3 * PULL


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 5), angle=st.floats(0.0, 6.0), scale=st.sampled_from([1e-3, 1.0, 1e4]), twice=st.booleans())
def test_motions_scales_and_repeated_rows_change_nothing(seed, angle, scale, twice):
    s = solved("gauss", seed, 0.1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    p = s.problem
    X, y, lam = scale * (p.X @ turn + [3.0, -5.0]), p.y, p.lam * scale
    order = np.random.default_rng(seed).permutation(len(X))
    weights = np.ones(len(X))
    if twice:
        X, y, weights = np.vstack([X, X[:3]]), np.append(y, y[:3]), np.append(weights, np.zeros(3))
        weights[:3], weights[-3:], order = 0.5, 0.5, np.arange(len(X))
    moved = rs.Problem(X[order], y[order], lam, sample_weight=weights[order])
    assert rs.solve(moved, rs.ColumnGeneration(tol=1e-11)).is_unique == s.is_unique


@pytest.mark.parametrize("loss", [rs.Huber(0.3), rs.Absolute(), rs.Quantile(0.3)], ids=repr)
def test_losses_that_leave_values_open(loss):
    """With kinks the values are fixed where 0 is within the loss's slopes only: there are enough of them, or not."""
    said = []
    for seed in range(3, 8):
        s = solved("gauss", seed, 0.2, loss, tol=1e-11 if loss.smooth else 1e-8)
        said.append(s.is_unique)
        if said[-1]:
            assert split(s) is None
            other = rs.solve(s.problem, rs.ColumnGeneration(tol=1e-8, random_state=7, start=halved(s)))
            at = np.random.default_rng(seed).standard_normal((50, 2))
            np.testing.assert_allclose(other.predict(at), s.predict(at), atol=1e-4)
    assert any(said)


def halved(s):
    """A start far from the solution: its neurons turned by some degrees."""
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    return s.network.changed(weights=s.network.weights @ turn)


def test_it_is_not_proven_where_the_certificate_says_too_little():
    s = next(s for s in (solved("gauss", seed, 0.5) for seed in range(9)) if s.is_unique)
    p = s.problem
    assert not rs.evaluate(p, s.network.changed(amplitudes=0.9 * s.network.amplitudes), max_time=0.0).is_unique
    line = np.column_stack([p.X[:, 0], 2.0 * p.X[:, 0]])  # off the line any slope will do
    assert not rs.solve(rs.Problem(line, p.y, p.lam)).is_unique
    affine = rs.solve(p.with_lam(2.0 * rs.lambda_max(p)))
    assert affine.network.n_neurons == 0
    assert affine.is_unique
    assert not rs.solve(rs.Problem(p.X, np.column_stack([p.y, p.y]), p.lam)).is_unique  # vectors are not built
