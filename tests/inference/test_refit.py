"""Refits by the loss alone: against CVXPY on the same neurons, and knots that move against enumerations."""

from itertools import combinations, pairwise

import cvxpy as cp
import numpy as np
import pytest
from formulas import minimum
from instances import LOSSES, ids, problem
from scipy.optimize import minimize

import ridgesplines as rs
from ridgesplines.inference.free_knots import descent, settled
from ridgesplines.inference.pieces import Pieces, Sums


def loss_alone(p, net):
    """The least loss of these neurons and the affine functions, by CVXPY."""
    columns = np.column_stack([np.maximum(p.X @ net.weights.T - net.biases, 0.0), p.X, np.ones(p.n_samples)])
    columns = columns / np.abs(columns).max(axis=0)
    theta = cp.Variable((columns.shape[1], *p.outputs))
    return minimum(p, columns @ theta, 0.0)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not loss.interpolates], ids=ids)
def test_the_least_loss_of_the_neurons(loss, d):
    weight = np.random.default_rng(0).integers(0, 4, 40).astype(float)
    p = problem(loss, 40, d, lam=0.3 if d == 1 else 2.0, sample_weight=weight)
    solution = rs.solve(p)
    refit = solution.refitted()
    assert refit.status == "refitted"
    assert np.array_equal(np.sort(refit.network.biases), np.sort(solution.network.biases))
    assert refit.data_fit <= solution.data_fit * (1.0 + 1e-12)
    assert refit.data_fit == pytest.approx(loss_alone(p, solution.network), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("d", [1, 3])
def test_vector_outputs(d):
    X, _ = problem(rs.Squared(), 50, d).X, None
    Y = np.column_stack([np.abs(X[:, 0]), np.maximum(X[:, -1], 0.2)]) + 0.1 * np.sin(50.0 * X[:, :1])
    solution = rs.solve(rs.Problem(X, Y, 0.3), rs.Grid(directions=8))
    refit = solution.refitted()
    assert refit.data_fit == pytest.approx(loss_alone(refit.problem, solution.network), rel=1e-6)
    assert refit.data_fit < solution.data_fit


def test_the_gap_is_that_of_the_penalised_problem():
    solution = rs.solve(problem(rs.Squared(), 60, lam=0.1))
    for refit in (solution.refitted(), solution.refitted(move_knots=True)):
        judged = rs.evaluate(solution.problem, refit.network)
        assert refit.objective == pytest.approx(judged.objective, rel=1e-12)
        assert refit.gap == pytest.approx(refit.objective - solution.certificate.value, rel=1e-9)
        assert refit.gap == pytest.approx(judged.gap, rel=1e-3)
        assert refit.gap > 1e3 * solution.gap
        assert "no minimiser of the penalised problem" in refit.summary()
        with pytest.raises(rs.ProblemError, match="minimiser of the penalised problem, to count"):
            _ = refit.degrees_of_freedom


def test_interpolation_has_no_loss_to_lower():
    solution = rs.solve(problem(rs.Interpolation(), 20))
    refit = solution.refitted().network
    assert np.array_equal(refit.amplitudes, solution.network.amplitudes)
    assert np.array_equal(refit.biases, solution.network.biases)


def test_names_stay():
    x = np.linspace(0.0, 1.0, 20)
    solution = rs.solve(rs.Problem(x, np.abs(x - 0.5), 0.1, feature_names=["age"]))
    assert solution.refitted().network.names == ("age",)
    assert solution.refitted(move_knots=True).network.names == ("age",)


def test_a_refit_can_be_saved(tmp_path):
    refit = rs.solve(problem(rs.Squared(), 30, lam=0.1)).refitted()
    refit.save(tmp_path / "refit.npz")
    again = rs.Solution.load(tmp_path / "refit.npz")
    assert again.summary() == refit.summary()
    assert again.status.unpenalised


def test_knots_beyond_the_data_are_part_of_the_line():
    x = np.linspace(0.0, 1.0, 20)
    p = rs.Problem(x, np.abs(x - 0.5), 0.1)
    net = rs.RidgeSpline([[1.0], [1.0], [-1.0]], [-3.0, 0.5, -0.5], [1.0, 1.0, 1.0])
    refit = rs.evaluate(p, net).refitted()
    assert refit.network.knots.tolist() == [0.5]
    assert refit.data_fit < 1e-24


def test_separated_classes_are_refused_in_words():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    solution = rs.solve(rs.Problem(x, [1, 1, -1, -1, 1, 1], 0.05, rs.Logistic()))
    assert solution.network.n_neurons
    words = r"classes that no function of its neurons separates, to fit Logistic .* Refit"
    with pytest.raises(rs.ProblemError, match=words):
        solution.refitted()
    p = rs.Problem(x, x, 0.1, constraints=[rs.Monotone()])
    with pytest.raises(rs.ProblemError, match="without constraints"):
        rs.solve(p).refitted()
    with pytest.raises(rs.ProblemError, match="for knots that move by least squares"):
        rs.solve(rs.Problem(x, x**2, 0.1, rs.Absolute())).refitted(move_knots=True)


def squares(x, y, weight, knots):
    """F, by a decomposition of its own."""
    root = np.sqrt(weight)
    columns = np.column_stack([np.ones_like(x), x, *(np.maximum(x - t, 0.0) for t in knots)]) * root[:, None]
    return float(np.sum((columns @ np.linalg.lstsq(columns, root * y)[0] - root * y) ** 2))


def least_of_one_knot(x, y, weight):
    """The least F of one knot: on each interval between data by a scan and a bracketed search."""
    best = np.inf
    for low, high in pairwise(np.unique(x)):
        grid = np.linspace(low, high, 41)
        values = [squares(x, y, weight, [t]) for t in grid]
        i = int(np.argmin(values))
        for _ in range(4):
            grid = np.linspace(grid[max(i - 1, 0)], grid[min(i + 1, 40)], 41)
            values = [squares(x, y, weight, [t]) for t in grid]
            i = int(np.argmin(values))
        best = min(best, values[i])
    return best


def tables():
    rng = np.random.default_rng(5)
    for digits in (0, 1, 3):
        x = np.sort(np.round(rng.uniform(0.0, 9.0, 16), digits))
        y = np.abs(x - 4.2) + 0.4 * rng.standard_normal(16)
        yield x, np.round(y, 1), rng.integers(1, 5, 16).astype(float)


@pytest.mark.parametrize("table", list(tables()), ids=["integers", "tenths", "thousandths"])
def test_one_knot_is_where_the_loss_is_least(table):
    x, y, weight = table
    path = rs.solve_path(rs.Problem(x, y, 1.0, sample_weight=weight), n_lams=30)
    refit = path.with_neurons(1).refitted(move_knots=True)
    assert refit.network.n_neurons == 1
    assert refit.data_fit == pytest.approx(squares(x, y, weight, refit.network.knots), rel=1e-9)
    assert refit.data_fit <= least_of_one_knot(x, y, weight) * (1.0 + 1e-7)


def test_a_break_between_two_data_is_found():
    x = np.arange(10) / 2.0
    y = np.array([2.05, 1.47, 1.02, 0.8, 1.03, 1.32, 1.58, 1.79, 2.04, 2.31])
    chosen = rs.solve_path(rs.Problem(x, y, 1.0), n_lams=60).with_neurons(1)
    moved = chosen.refitted(move_knots=True)
    (t,) = moved.network.knots
    assert 1.0 < t < 1.5
    assert moved.data_fit < 0.95 * chosen.refitted().data_fit < 0.95 * chosen.data_fit
    # where the least-squares lines of the first three and of the other points meet
    (a, b), (c, d) = np.polyfit(x[:3], y[:3], 1), np.polyfit(x[3:], y[3:], 1)
    assert t == pytest.approx((d - b) / (a - c), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_two_knots_against_all_pairs(seed):
    rng = np.random.default_rng(seed)
    x = np.sort(np.round(rng.uniform(-1.0, 1.0, 24), 1 + seed % 2))
    y = np.interp(x, [-1.0, -0.3, 0.45, 1.0], [0.0, 1.2, -0.5, 0.6]) + 0.1 * rng.standard_normal(24)
    weight = rng.integers(1, 4, 24).astype(float)
    found = settled(x, y, weight, np.array([-0.5, 0.5]))
    grid = np.linspace(-0.98, 0.98, 50)
    start = min(combinations(grid, 2), key=lambda t: squares(x, y, weight, t))
    inside = [(x[0] + 1e-6, x[-1] - 1e-6)] * 2
    polish = minimize(lambda t: squares(x, y, weight, t), start, method="Nelder-Mead", bounds=inside)
    assert found.loss == pytest.approx(squares(x, y, weight, found.knots), rel=1e-7)
    assert found.loss <= polish.fun * (1.0 + 1e-7)


def test_many_targets_go_down_as_one_does():
    rng = np.random.default_rng(8)
    x, weight = np.sort(rng.uniform(-1.0, 1.0, 80)), np.ones(80)
    Y = np.interp(x, [-1.0, -0.2, 0.5, 1.0], [0.0, 1.0, 0.0, 1.0]) + 0.1 * rng.standard_normal((6, 80))
    start = np.array([-0.3, 0.4])
    together = descent(Sums.of(x, Y, weight), np.tile(start, (6, 1)))
    for y, knots, loss in zip(Y, together.knots, together.loss, strict=True):
        alone = descent(Sums.of(x, y[None], weight), start[None])
        assert np.allclose(alone.knots[0], knots, atol=1e-9)
        assert loss == pytest.approx(squares(x, y, weight, knots), rel=1e-8)
        for step in 1e-4 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1]]):
            assert squares(x, y, weight, knots + step) >= loss * (1.0 - 1e-9)


def test_the_derivative_of_the_loss_by_the_knots():
    rng = np.random.default_rng(9)
    x = np.sort(rng.uniform(-1.0, 1.0, 40))
    y, weight = rng.standard_normal(40), rng.uniform(0.5, 2.0, 40)
    t = np.array([-0.4, 0.1, 0.62])
    slope = -2.0 * Pieces.at(Sums.of(x, y[None], weight), t[None]).normal()[1][0, -3:]
    for k in range(3):
        step = 1e-6 * np.eye(3)[k]
        rise = (squares(x, y, weight, t + step) - squares(x, y, weight, t - step)) / 2e-6
        assert slope[k] == pytest.approx(rise, rel=1e-4, abs=1e-6)


def test_knots_that_want_to_merge_end_all_the_same():
    x = np.arange(20.0)
    y = np.where(x < 9.5, 0.0, 1.0)  # a jump, which a spline of two knots nearly is
    refit = rs.solve_path(rs.Problem(x, y, 1.0), n_lams=40).with_neurons(2).refitted(move_knots=True)
    assert refit.data_fit < 1e-10
    assert ((refit.network.knots > 8.99) & (refit.network.knots < 10.01)).all()
