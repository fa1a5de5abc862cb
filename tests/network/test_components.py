"""Curves and interactions that add up to the network, against averages over all pairs of rows."""

import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ridgesplines as rs
from ridgesplines.network import mean_squared_effects
from ridgesplines.numerics.polynomials import Polynomial, exponents

#: (features together, outputs)
CASES = [(1, None), (2, None), (3, None), (2, 1), (2, 3)]


def network(d, most, D=None, K=12, seed=0, activation=None):
    """Neurons of at most so many features; some features alone."""
    rng = np.random.default_rng(seed)
    tail = () if D is None else (D,)
    W = np.zeros((K, d))
    for row in W:
        used = rng.choice(d, size=rng.integers(1, min(most, d) + 1), replace=False)
        row[used] = rng.standard_normal(len(used))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    slope = rng.standard_normal((d, *tail)) if activation is None else None
    return rs.RidgeSpline(
        W, rng.standard_normal(K), rng.standard_normal((K, *tail)), slope, rng.standard_normal(tail), None, activation
    )


def table(n, d, seed=0):
    """Features that depend on each other, one of whole numbers, one of two values."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) @ rng.standard_normal((d, d))
    X[:, 0] = np.round(X[:, 0])
    X[:, -1] = X[:, -1] > 0.0
    return X


def mean(values, weight):
    return weight @ values / weight.sum()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("most", "D"), CASES)
def test_they_add_up_everywhere_and_are_centred(most, D, weighted):
    net, X = network(5, most, D), table(40, 5)
    weight = np.random.default_rng(3).uniform(0.1, 2.0, 40) if weighted else np.ones(40)
    found = net.components(X, weight if weighted else None)
    at = np.random.default_rng(1).standard_normal((50, 5)) * 4.0
    total = found.intercept + sum(part(at) for part in found)
    np.testing.assert_allclose(total, net(at), rtol=1e-12, atol=1e-12 * np.abs(net(at)).max())
    np.testing.assert_allclose(found.intercept, mean(net(X), weight), rtol=1e-12)
    for part in found:
        values = part(X)
        np.testing.assert_allclose(mean(values, weight), 0.0, atol=1e-12)
        assert part.variance == pytest.approx(mean(values**2, weight).sum(), rel=1e-9)
    assert [part.variance for part in found] == sorted((part.variance for part in found), reverse=True)
    assert sum(found.importances.values()) == pytest.approx(1.0)
    assert sorted(k for part in found for k in part.neurons) == list(range(net.n_neurons))
    assert {part.features for part in found} == {(j,) for j in range(5)} | {
        tuple(np.flatnonzero(w)) for w in net.weights
    }


@settings(max_examples=30, deadline=None)
@given(d=st.integers(1, 4), most=st.integers(1, 4), K=st.integers(0, 9), seed=st.integers(0, 1000))
def test_they_add_up_for_any_network(d, most, K, seed):
    net, X = network(d, most, K=K, seed=seed), table(12, d, seed)
    at = np.random.default_rng(seed).standard_normal((9, d)) * 10.0
    found = net.components(X)
    np.testing.assert_allclose(found.intercept + sum(part(at) for part in found), net(at), atol=1e-11)


def anova(f, X, weight, at):
    """Curves and pairs of f at the points, over the product of the features' own distributions, by enumeration."""
    n, d = X.shape
    rows = np.array(list(product(range(n), repeat=d)))
    grid = np.stack([X[rows[:, j], j] for j in range(d)], axis=1)
    mass = np.prod(weight[rows] / weight.sum(), axis=1)

    def conditional(fixed):
        values = []
        for point in at:
            changed = grid.copy()
            changed[:, fixed] = point[fixed]
            values.append(mass @ f(changed))
        return np.array(values)

    whole = conditional([])
    curves = {(j,): conditional([j]) - whole for j in range(d)}
    pairs = {(i, j): conditional([i, j]) - curves[i,] - curves[j,] - whole for i in range(d) for j in range(i + 1, d)}
    return curves | pairs


@pytest.mark.parametrize("activation", [None, rs.Sigmoid()], ids=["relu", "sigmoid"])
def test_pairs_are_the_functional_anova_of_the_product_of_marginals(activation):
    net, X = network(3, 2, K=9, seed=1, activation=activation), table(7, 3, 1)
    weight = np.arange(1.0, 8.0)
    at = np.concatenate([X, np.random.default_rng(0).standard_normal((5, 3)) * 3.0])
    expected = anova(net, X, weight, at)
    for part in net.components(X, weight):
        theirs = expected.pop(part.features)
        np.testing.assert_allclose(part(at), theirs - mean(theirs[:7], weight), atol=1e-12)
    assert all(np.abs(left).max() < 1e-12 for left in expected.values())  # sets that no neuron has


@pytest.mark.parametrize(("most", "D"), [(2, None), (3, 2), (4, None)])
def test_no_interaction_has_a_main_effect(most, D):
    net, X = network(4, most, D, seed=2), table(20, 4)
    found = net.components(X)
    assert any(len(part.features) == most for part in found)
    for part in found:
        for j in part.features:
            effect = []
            for t in (-3.0, 0.0, 1.0, 5.0):
                changed = X.copy()
                changed[:, j] = t
                effect.append(part(changed).mean(axis=0))
            if len(part.features) > 1:
                assert np.ptp(effect, axis=0).max() < 1e-12
            else:
                curve = net.partial_dependence(X, j, X[:, j])
                expected = net.partial_dependence(X, j, [-3.0, 0.0, 1.0, 5.0]) - curve.mean(axis=0)
                np.testing.assert_allclose(effect, expected, atol=1e-12)


def test_they_are_a_matter_of_f_not_of_its_neurons():
    """The neurons on the other side: rho(t) = rho(-t) + t."""
    net, X = network(4, 3, seed=4), table(30, 4)
    W, b, v = net.weights, net.biases, net.amplitudes
    other = rs.RidgeSpline(-W, -b, v, net.slope + W.T @ v, net.offset - b @ v)
    assert_same_components(net.components(X), other.components(X), X, X)


def assert_same_components(ours, theirs, X, others, place=None):
    """The same functions, of features whose numbers may differ."""
    theirs = {part.features: part for part in theirs}
    for part in ours:
        features = tuple(sorted(part.features if place is None else (place[j] for j in part.features)))
        np.testing.assert_allclose(theirs[features](others), part(X), atol=1e-11)
        assert theirs[features].variance == pytest.approx(part.variance, abs=1e-11)
    assert len(theirs) == len(ours)


def test_columns_in_another_order():
    net, X = network(5, 3, seed=5), table(25, 5)
    order = np.array([3, 0, 4, 1, 2])
    moved = net.changed(weights=net.weights[:, order], slope=net.slope[order])
    assert_same_components(net.components(X), moved.components(X[:, order]), X, X[:, order], np.argsort(order).tolist())
    np.testing.assert_allclose(
        mean_squared_effects(moved, X[:, order]), mean_squared_effects(net, X)[order], rtol=1e-10
    )


def test_units_do_not_matter():
    net, X = network(4, 3, seed=6), table(25, 4)
    units, shift = np.array([1e-3, 7.0, 1e4, 1.0]), np.array([3.0, -2.0, 0.0, 1.0])
    W = net.weights / units
    other = rs.RidgeSpline(
        W, net.biases + W @ shift, net.amplitudes, net.slope / units, net.offset - net.slope / units @ shift
    )
    assert_same_components(net.components(X), other.components(X * units + shift), X, X * units + shift)
    effects = mean_squared_effects(other, X * units + shift)
    np.testing.assert_allclose(effects, mean_squared_effects(net, X), rtol=1e-9)


def test_repeated_rows_are_weights():
    net, X = network(4, 2, seed=7), table(20, 4)
    counts = np.arange(20) % 4
    repeated = np.repeat(X, counts, axis=0)
    ours, theirs = net.components(X, counts), net.components(repeated)
    assert ours.intercept == pytest.approx(theirs.intercept)
    assert_same_components(ours, theirs, X, X)
    np.testing.assert_allclose(mean_squared_effects(net, X, counts), mean_squared_effects(net, repeated), rtol=1e-10)


def test_constant_columns_carry_nothing():
    net, X = network(3, 2, seed=8), table(20, 3)
    X[:, 1] = 0.1
    found = net.components(X)
    assert found["x1"].variance == 0.0
    assert np.abs(found["x1"](X)).max() < 1e-14
    assert mean_squared_effects(net, X)[1] == 0.0
    one = net.components(X[:1])
    assert set(one.importances.values()) == {0.0}
    assert one.intercept == pytest.approx(net(X[:1])[0])


@pytest.mark.parametrize("D", [None, 2])
def test_terms_of_a_null_space_belong_to_their_features(D):
    tail, rng = () if D is None else (D,), np.random.default_rng(0)
    terms = exponents(3, 2, 2)
    quadratic = Polynomial(terms, rng.standard_normal((len(terms), *tail)), np.array([0.1, 0.2, 0.3]), 2.0)
    activation = rs.TruncatedPower(2)
    assert activation.degree == 2
    net = network(3, 2, D, K=5).changed(activation=activation, polynomial=quadratic)
    X = table(15, 3)
    found = net.components(X)
    assert len(found) == 6
    at = rng.standard_normal((9, 3))
    np.testing.assert_allclose(found.intercept + sum(part(at) for part in found), net(at), atol=1e-12)
    changed = at.copy()
    changed[:, 2] += 1.0
    np.testing.assert_array_equal(found["x0 & x1"](at), found["x0 & x1"](changed))
    check_effects(net, X)


def check_effects(net, X, weight=None):
    weight = np.ones(len(X)) if weight is None else weight
    for j, effect in enumerate(mean_squared_effects(net, X, weight)):
        changed = X.copy()
        changed[:, j] = mean(X[:, j], weight)
        squares = (net(X) - net(changed)).reshape(len(X), -1) ** 2
        assert effect == pytest.approx(mean(squares.sum(axis=1), weight), abs=1e-13)


@pytest.mark.parametrize("activation", [None, rs.Arctan()], ids=["relu", "arctan"])
@pytest.mark.parametrize("D", [None, 3])
def test_effects_are_squares_of_changes(D, activation, monkeypatch):
    monkeypatch.setattr("ridgesplines.network.importances.BLOCK_ENTRIES", 70)  # several blocks of rows
    check_effects(network(4, 4, D, activation=activation), table(23, 4), np.arange(23.0))
    affine = network(3, 1, D, K=0)
    X = table(23, 3)
    squares = (affine.slope.reshape(3, -1) ** 2).sum(axis=1)
    np.testing.assert_allclose(mean_squared_effects(affine, X), squares * X.var(axis=0), rtol=1e-12)


def test_one_feature():
    net, x = network(1, 1, seed=9), np.linspace(-1.0, 1.0, 9)
    (curve,) = net.components(x)
    np.testing.assert_allclose(curve(x), net(x) - net(x).mean(), atol=1e-13)
    np.testing.assert_allclose(curve.knots, np.sort(net.knots))
    assert curve.share == 1.0


def test_what_is_printed():
    net = rs.RidgeSpline(
        [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]], [0.0, 0.0], [5.0, 1.0], feature_names=("age", "bmi", "sex")
    )
    found = net.components(table(30, 3))
    lines = str(found).splitlines()
    assert lines[0].startswith("f = ")
    assert lines[0].endswith(" + 4 components")
    assert lines[1].split() == ["component", "neurons", "variance", "share"]
    assert [line.split("  ")[0] for line in lines[2:]] == [part.name for part in found]
    assert found["age & bmi"].names == ("age", "bmi")
    assert found["age & bmi"].knots.size == 0
    assert repr(found["age"]).startswith("Component('age', neurons=1, share=0.")
    assert [found[i] for i in range(len(found))] == list(found)
    with pytest.raises(rs.ProblemError, match=r"one of 'age', .*; got 'weight'"):
        found["weight"]
    frame = pytest.importorskip("pandas") and found.to_frame()
    assert frame.loc["sex", "share"] == 0.0
    assert frame["share"].to_dict() == found.importances


def test_copies_compute_the_same():
    net, X = network(3, 2, 2), table(20, 3)
    found = net.components(X)
    again = pickle.loads(pickle.dumps(found))
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one(X), other(X))
    with pytest.raises(ValueError, match="read-only"):
        again[0].table.X[0] = 0.0


def test_bad_input():
    net, X = network(3, 2), table(10, 3)
    for call in (net.components, lambda *a: mean_squared_effects(net, *a)):
        with pytest.raises(rs.ProblemError, match=r"shape \(N, 3\); got shape \(10, 2\)"):
            call(X[:, :2])
        with pytest.raises(rs.ProblemError, match="nonnegative"):
            call(X, -np.ones(10))
        with pytest.raises(rs.ProblemError, match="finite"):
            call(np.full((3, 3), np.nan))
    with pytest.raises(rs.ProblemError, match=r"shape \(N, 3\)"):
        net.components(X)[0](X[:, :2])


def test_a_solution_takes_its_own_data():
    rng = np.random.default_rng(0)
    X, weight = rng.uniform(-1.0, 1.0, (30, 2)), np.arange(30.0)
    solution = rs.solve(rs.Problem(X, np.abs(X[:, 0]), 0.1, sample_weight=weight))
    ours, theirs = solution.components(), solution.network.components(X, weight)
    assert ours.importances == theirs.importances
    assert ours.intercept == pytest.approx(mean(solution.predict(X), weight))
