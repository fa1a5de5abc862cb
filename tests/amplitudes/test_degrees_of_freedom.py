"""Degrees of freedom in many dimensions, against refits of data that were moved a little."""

import numpy as np
import pytest
from instances import noisy

import ridgesplines as rs
from ridgesplines.amplitudes.degrees_of_freedom import degrees_of_freedom

EXACT = 1e-13


def refitted(solution, y=None, weight=None):
    """The network for other data, from this one."""
    p = solution.problem
    y, weight = p.y if y is None else y, p.sample_weight if weight is None else weight
    moved = rs.Problem(p.X, y, p.lam, p.loss, sample_weight=weight, interactions=p.interactions)
    return rs.solve(moved, rs.ColumnGeneration(tol=EXACT, start=solution.network)).network


def divergence(solution, h):
    """The sum of the derivatives of f(x_n) by y_n, by central differences."""
    p, total = solution.problem, 0.0
    for n in range(p.n_samples):
        move = h * np.eye(p.n_samples)[n]
        up, down = (refitted(solution, p.y + sign * move) for sign in (1.0, -1.0))
        total += float((up(p.X[[n]]) - down(p.X[[n]]))[0]) / (2.0 * h)
    return total


def bent(X, seed):
    """A noisy target with two bends."""
    noise = np.random.default_rng(seed).standard_normal(len(X))
    return np.abs(X[:, 0] + 0.5 * X[:, 1]) + np.maximum(X[:, 1] - 0.3, 0.0) + 0.3 * noise


def solved(X, y, fraction, loss=None, weight=None, tol=EXACT, interactions=None):
    p = rs.Problem(X, y, 1.0, loss, sample_weight=weight, interactions=interactions)
    return rs.solve(p.with_lam(fraction * rs.lambda_max(p)), rs.ColumnGeneration(tol=tol))


def table(kind):
    """Small tables, of the kinds at which faces differ."""
    rng = np.random.default_rng(9)
    if kind == "integers":
        return rng.integers(0, 4, (16, 2)).astype(float)
    if kind == "correlated":
        return rng.standard_normal((12, 1)) + 0.05 * rng.standard_normal((12, 2))
    if kind == "repeated":
        return np.repeat(rng.standard_normal((7, 2)), 2, axis=0)
    if kind == "line":
        return rng.standard_normal((12, 1)) * [[0.6, 0.8]]
    return rng.standard_normal((12, 2))


pytestmark = pytest.mark.filterwarnings("ignore::ridgesplines.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", ["plane", "integers", "correlated", "repeated", "line"])
def test_squared_error(kind):
    X = table(kind)
    s = solved(X, bent(X, 1), 0.05)
    assert s.network.n_neurons > 0
    assert s.degrees_of_freedom == pytest.approx(divergence(s, 1e-3), abs=2e-4)


@pytest.mark.slow
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute()], ids=lambda loss: loss.name)
def test_three_dimensions_one_of_them_binary(loss):
    X = np.column_stack([np.random.default_rng(0).standard_normal((24, 2)), np.arange(24) % 2])
    s = solved(X, bent(X, 4), 0.1, loss)
    assert s.degrees_of_freedom == pytest.approx(divergence(s, 1e-4), abs=2e-3)


def test_weights():
    X = table("plane")
    s = solved(X, bent(X, 2), 0.05, weight=np.random.default_rng(3).uniform(0.3, 2.0, len(X)))
    assert s.degrees_of_freedom == pytest.approx(divergence(s, 1e-3), abs=2e-4)


@pytest.mark.parametrize("given", [1, 2, [[0], [1, 2]]], ids=str)
def test_features_that_may_act_together(given):
    """A neuron turns within its group alone."""
    X = np.random.default_rng(9).standard_normal((12, 3))
    s = solved(X, bent(X, 1) + np.abs(X[:, 2]), 0.1, interactions=given)
    assert s.network.n_neurons > 0
    assert s.problem.interactions.allow(s.network.weights).all()
    assert s.degrees_of_freedom == pytest.approx(divergence(s, 1e-4), abs=1e-3)


def test_a_feature_without_neurons_beside_a_plane():
    """Its slope c, found by secants on what is left of the plane's own problem: y - c x_0 on (x_1, x_2)."""
    X, h = np.random.default_rng(9).standard_normal((15, 3)), 1e-4
    y, plane = bent(X[:, 1:], 1) + X[:, 0], X[:, 1:]
    lam = 0.1 * rs.lambda_max(rs.Problem(plane, y - X[:, 0], 1.0))

    def fit(y, start=None):
        def left(c, start):
            p = rs.Problem(plane, y - c * X[:, 0], lam)
            net = rs.solve(p, rs.ColumnGeneration(tol=EXACT, start=start)).network
            return net, X[:, 0] @ (p.y - net(plane))

        a, b = 1.0, 1.1
        net, before = left(a, start)
        for _ in range(20):
            net, now = left(b, net)
            if abs(now) < 1e-13 or now == before:
                break
            a, b, before = b, b - now * (b - a) / (now - before), now
        return net, b

    net, slope = fit(y)
    total = 0.0
    for n, move in enumerate(h * np.eye(len(X))):
        up, down = (fit(y + sign * move, net) for sign in (1.0, -1.0))
        total += ((up[1] - down[1]) * X[n, 0] + (up[0](plane[[n]]) - down[0](plane[[n]]))[0]) / (2.0 * h)
    weights = np.column_stack([np.zeros(net.n_neurons), net.weights])
    whole = net.changed(weights=weights, slope=np.append(slope, net.slope), offset=net.offset)
    restricted, free = (rs.Problem(X, y, lam, interactions=given) for given in ([[0], [1, 2]], None))
    assert degrees_of_freedom(restricted, whole) == pytest.approx(total, abs=1e-4)
    assert degrees_of_freedom(free, whole) > total + 1.0


def test_neurons_of_one_feature_have_an_amplitude_alone():
    """Each bends at a datum and cannot turn: with the affine functions they are the columns of a lasso."""
    X = np.random.default_rng(9).standard_normal((40, 3))
    p = rs.Problem(X, bent(X, 1), 0.3, interactions=1)
    s = rs.solve(p, rs.Grid())
    assert s.network.n_neurons > 1
    hidden = np.maximum(X @ s.network.weights.T - s.network.biases, 0.0)
    rank = np.linalg.matrix_rank(np.column_stack([np.ones(40), X, hidden]))
    assert degrees_of_freedom(p, s.network) == pytest.approx(rank, abs=1e-6) == s.degrees_of_freedom


@pytest.mark.parametrize("loss", [rs.Huber(0.2), rs.Absolute(), rs.Quantile(0.3)], ids=lambda loss: loss.name)
def test_losses_with_straight_parts(loss):
    """Where the loss is straight data do not pull at the fit; where it has a kink the fit goes along with them."""
    X = table("plane")
    s = solved(X, bent(X, 5), 0.2, loss)
    assert 3.0 < s.degrees_of_freedom < len(X)
    assert s.degrees_of_freedom == pytest.approx(divergence(s, 1e-4), abs=2e-3)


def test_logistic_by_labels_between_the_classes():
    """Each point in both classes, with weights that add up to one: the derivative of the probabilities by these."""
    X, h = table("plane")[:10], 3e-4
    share = 0.5 + 0.4 * np.sin(2.0 * bent(X, 6))
    both, labels = np.vstack([X, X]), np.repeat([1.0, -1.0], len(X))
    s = solved(both, labels, 0.1, rs.Logistic(), weight=np.append(share, 1.0 - share))
    total = 0.0
    for n, move in enumerate(h * np.eye(len(X))):
        weights = (np.append(share + sign * move, 1.0 - share - sign * move) for sign in (1.0, -1.0))
        up, down = (1.0 / (1.0 + np.exp(-refitted(s, weight=weight)(X[[n]])[0])) for weight in weights)
        total += (up - down) / (2.0 * h)
    assert s.network.n_neurons > 0
    assert s.degrees_of_freedom == pytest.approx(total, abs=1e-4)


def test_hinge_counts_points_at_the_kink():
    X, y = noisy(20, 2)
    s = solved(X, np.where(y > np.median(y), 1.0, -1.0), 0.2, rs.Hinge())
    assert s.degrees_of_freedom == (np.abs(s.predict(X) * s.problem.y - 1.0) < 1e-7).sum() > 0


def test_without_neurons_it_is_the_rank():
    for kind, rank in (("plane", 3.0), ("line", 2.0)):
        X = table(kind)
        assert solved(X, bent(X, 0), 2.0).degrees_of_freedom == pytest.approx(rank, abs=1e-12)


def test_interpolation_spends_every_distinct_row():
    X, y = noisy(9, 2)
    p = rs.Problem(np.vstack([X, X[:3]]), np.append(y, y[:3]), 1.0, rs.Interpolation())
    assert rs.solve(p).degrees_of_freedom == pytest.approx(9.0, abs=1e-9)


def test_units_and_orders_do_not_matter():
    X = table("plane")
    y = bent(X, 7)
    df = solved(X, y, 0.05).degrees_of_freedom
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    order = np.random.default_rng(1).permutation(len(X))
    for X2, y2 in ((X @ turn, y), (1e3 * X - 7e5, y), (X, 40.0 * y + X @ [1.0, 2.0] - 3.0), (X[order], y[order])):
        assert solved(X2, y2, 0.05, tol=1e-10).degrees_of_freedom == pytest.approx(df, abs=1e-5)


def test_rows_that_come_twice_are_one_of_twice_the_weight():
    X = table("plane")
    y = bent(X, 8)
    twice = solved(np.vstack([X, X]), np.append(y, y), 0.05)
    weighted = solved(X, y, 0.05, weight=np.full(len(X), 2.0))
    padded = solved(np.vstack([X, [[9.0, 9.0]]]), np.append(y, 50.0), 0.05, weight=np.append(np.full(len(X), 2.0), 0.0))
    assert twice.problem.lam == pytest.approx(weighted.problem.lam)
    assert twice.degrees_of_freedom == pytest.approx(weighted.degrees_of_freedom, abs=1e-5)
    assert padded.degrees_of_freedom == pytest.approx(weighted.degrees_of_freedom, abs=1e-5)


def test_what_is_no_optimum_is_refused():
    X = table("plane")
    s = solved(X, bent(X, 1), 0.05)
    rough = rs.evaluate(s.problem, s.network.changed(amplitudes=0.5 * s.network.amplitudes))
    with pytest.raises(rs.ProblemError, match=r"a relative gap of at most 0\.01"):
        _ = rough.degrees_of_freedom
    assert rs.evaluate(s.problem, s.network).degrees_of_freedom == pytest.approx(s.degrees_of_freedom, abs=1e-9)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(0.2), rs.Absolute()], ids=lambda loss: loss.name)
def test_solvers_agree(loss, d):
    """Also where one has a neuron in parts, which nearly are parallel, or another sum of parallel ones."""
    rng = np.random.default_rng(1)
    X = table("plane") if d == 2 else rng.standard_normal((9, 3))
    y = bent(X, 1) if d == 2 else np.abs(X[:, 0] + 0.5 * X[:, 1]) + 0.3 * rng.standard_normal(9)
    s = solved(X, y, 0.1, loss)
    parts = rs.solve(s.problem, rs.Arrangement())
    assert s.network.n_neurons > 1
    assert parts.degrees_of_freedom == pytest.approx(s.degrees_of_freedom, abs=1e-4)


def test_rounded_neurons_still_touch():
    X, y = noisy(60, 2)
    s = solved(X, y, 0.02)
    off = np.random.default_rng(0).standard_normal(s.network.n_neurons)
    rounded, free = (
        rs.evaluate(s.problem, s.network.changed(biases=s.network.biases + size * off)) for size in (1e-10, 1e-5)
    )
    assert rounded.degrees_of_freedom == pytest.approx(s.degrees_of_freedom, abs=1e-5)
    assert free.degrees_of_freedom > s.degrees_of_freedom + 1.0  # as is said of networks that only come near


def test_approximate_optima_are_near():
    X, y = noisy(100, 2)
    exact = solved(X, y, 0.05).degrees_of_freedom
    for tol, apart in ((1e-3, 0.1), (1e-4, 0.02), (1e-6, 1e-3)):
        assert solved(X, y, 0.05, tol=tol).degrees_of_freedom == pytest.approx(exact, rel=apart)
