"""Neurons of few features: against programs of another kind, one dimension, enumeration, and themselves."""

import numpy as np
import pytest
from instances import LOSSES, SCALAR, diagonal, ids, noisy, targets

import ridgesplines as rs
from ridgesplines.interactions import untouched

INPUTS = {
    "correlated": np.random.default_rng(0).normal(size=(40, 1)) + 0.3 * np.random.default_rng(1).normal(size=(40, 4)),
    "integers": np.random.default_rng(2).integers(0, 5, (50, 4)).astype(float),
    "constant column": np.column_stack([np.ones(30), np.random.default_rng(3).standard_normal((30, 3))]),
    "repeated rows": np.repeat(np.random.default_rng(4).standard_normal((15, 4)), 2, axis=0),
    "one-hot": np.column_stack(
        [np.eye(3)[np.random.default_rng(5).integers(0, 3, 90)], np.random.default_rng(6).random(90)]
    ),
    "lattice": np.argwhere(np.ones((3, 3, 2, 2))).astype(float),
    "collinear": np.random.default_rng(7).standard_normal((30, 2)) @ [[1.0, 0.0, 1.0, 2.0], [0.0, 1.0, -1.0, 1.0]],
}


def response(X):
    centred = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0.0, X.std(axis=0), 1.0)
    bend = np.abs(0.3 * centred[:, 0] + centred[:, 3]) + np.maximum(centred[:, 2], 0.0) * centred[:, 1]
    return bend + 0.05 * np.random.default_rng(8).standard_normal(len(X))


def checked(problem, tol=1e-6, solver=None):
    """The solution, after what must hold for every one."""
    solution = rs.solve(problem, solver or rs.ColumnGeneration(tol=tol))
    assert solution.relative_gap <= tol
    assert solution.status == "converged"
    assert problem.interactions is None or problem.interactions.allow(solution.network.weights).all()
    reduced = problem.reduced
    assert solution.network.n_neurons <= (reduced.n_samples - reduced.rank) * (problem.n_outputs or 1)
    return solution


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize(("loss", "name"), diagonal([loss for loss in LOSSES if not loss.interpolates], list(INPUTS)))
def test_every_loss_on_tables_that_people_have(loss, name, k):
    X = INPUTS[name]
    y = targets(loss, response(X))
    weight = np.random.default_rng(9).integers(1, 4, len(X)).astype(float)
    solution = checked(rs.Problem(X, y, 1.0, loss, sample_weight=weight, interactions=k))
    assert solution.certificate.scope == "exact"


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_one_feature_at_a_time_against_a_convex_program(loss):
    """With a hinge at every value of every feature the grid along the axes holds an optimal neuron of each kind."""
    X, y = noisy(25, 3)
    problem = rs.Problem(X, targets(loss, y), 0.3, loss)
    ours = checked(rs.Problem(X, problem.y, 0.3, loss, interactions=1))
    theirs = rs.solve(problem, rs.Grid(directions=np.eye(3)))
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-5)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_one_varying_feature_is_one_dimension(loss):
    X, y = noisy(30, 1)
    wide = np.column_stack([np.full(30, 3.0), X, np.zeros(30)])
    line = rs.solve(rs.Problem(X, targets(loss, y), 0.05, loss))
    for k in (1, 2):
        solution = checked(rs.Problem(wide, targets(loss, y), 0.05, loss, interactions=k))
        assert solution.objective == pytest.approx(line.objective, rel=3e-6)


def test_more_features_together_never_cost_more():
    X, y = noisy(40, 4)
    objectives = [checked(rs.Problem(X, y, 1.0, interactions=k)).objective for k in (1, 2, 3, None)]
    assert (np.diff(objectives) <= 1e-6 * objectives[0]).all()
    assert objectives[1] < 0.99 * objectives[0]


def test_all_features_together_is_no_restriction():
    X, y = noisy(20, 3)
    for groups in (3, 7, [[0, 1, 2]], [[2, 0, 1], [1]]):
        assert rs.Problem(X, y, 1.0, interactions=groups).interactions is None


def test_a_group_within_another_adds_nothing():
    X, y = noisy(30, 3)
    objectives = [
        checked(rs.Problem(X, y, 0.5, interactions=groups)).objective
        for groups in ([[0, 1], [2]], [[1, 0], [2], [0]], [[2], [0, 1], [1]])
    ]
    assert objectives == pytest.approx([objectives[0]] * 3, rel=1e-6)


def test_against_an_enumeration_of_hyperplanes():
    """All lines through two of the points of a pair, and 360 directions: the best network of these cannot be better."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (9, 3)).astype(float)
    y = np.abs(X[:, 0] - X[:, 1]) + 0.5 * X[:, 2] ** 2 + 0.1 * rng.standard_normal(9)
    directions = set()
    for pair in ([0, 1], [0, 2], [1, 2]):
        P = X[:, pair]
        steps = (P[:, None] - P[None]).reshape(-1, 2)
        angles = np.concatenate(
            [np.arctan2(steps[:, 0], -steps[:, 1])[(steps != 0.0).any(axis=1)], np.linspace(0.0, np.pi, 360)]
        )
        for angle in np.unique(np.round(np.mod(angles, np.pi), 12)):
            w = np.zeros(3)
            w[pair] = np.cos(angle), np.sin(angle)
            directions.add(tuple(w))
    grid = rs.solve(rs.Problem(X, y, 0.2), rs.Grid(directions=np.array(sorted(directions))))
    ours = checked(rs.Problem(X, y, 0.2, interactions=2), 1e-9)
    assert ours.objective <= grid.objective * (1.0 + 1e-9)
    assert ours.objective == pytest.approx(grid.objective, rel=1e-4)


def test_a_planted_pair_is_found():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 6))
    y = np.maximum(X[:, 1] - X[:, 4], 0.0) + 0.05 * rng.standard_normal(300)
    problem = rs.Problem(X, y, 1.0, interactions=2)
    network = checked(problem.with_lam(0.3 * rs.lambda_max(problem))).network
    used = network.weights != 0.0
    assert used[:, [1, 4]].all()
    assert used[:, [0, 2, 3, 5]].sum() == 0


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_lambda_max(loss, k):
    if loss.interpolates:
        return
    X, y = noisy(30, 3)
    problem = rs.Problem(X, targets(loss, y), 1.0, loss, interactions=k)
    top = rs.lambda_max(problem)
    assert rs.solve(problem.with_lam(1.001 * top)).network.n_neurons == 0
    assert rs.solve(problem.with_lam(0.98 * top)).network.n_neurons > 0


def test_a_path_is_its_solutions():
    X, y = noisy(60, 4)
    problem = rs.Problem(X, y, 1.0, interactions=2)
    path = rs.solve_path(problem, n_lams=5)
    for solution in path:
        alone = rs.solve(solution.problem)
        assert solution.objective == pytest.approx(alone.objective, rel=2e-6)
        assert solution.problem.interactions == problem.interactions


def test_columns_in_another_order_and_other_units():
    X, y = noisy(50, 4)
    first = checked(rs.Problem(X, y, 1.0, interactions=[[0, 1], [2, 3]]))
    order = [3, 1, 0, 2]
    moved = checked(rs.Problem(X[:, order], y, 1.0, interactions=[[2, 1], [3, 0]]))
    assert moved.objective == pytest.approx(first.objective, rel=2e-6)
    scaled = checked(rs.Problem(100.0 * X + 7.0, y, 100.0, interactions=[[0, 1], [2, 3]]))
    assert scaled.objective == pytest.approx(first.objective, rel=2e-6)


def test_a_row_twice_is_a_row_of_weight_two():
    X, y = noisy(30, 3)
    weight = np.ones(30)
    weight[:5] = 2.0
    twice = checked(rs.Problem(np.concatenate([X, X[:5]]), np.concatenate([y, y[:5]]), 1.0, interactions=2))
    heavy = checked(rs.Problem(X, y, 1.0, sample_weight=weight, interactions=2))
    assert twice.objective == pytest.approx(heavy.objective, rel=2e-6)


def test_vector_outputs():
    X, y = noisy(40, 3)
    Y = np.column_stack([y, np.abs(X[:, 1]) - X[:, 2]])
    for k in (1, 2):
        checked(rs.Problem(X, Y, 1.0, interactions=k))


def test_three_features_are_searched_and_can_be_proven():
    X, y = noisy(25, 4)
    problem = rs.Problem(X, y, 1.0, interactions=3)
    solution = checked(problem)
    assert solution.certificate.scope == "searched"
    proven = solution.certify(max_time=20.0)
    assert proven.certificate.scope in ("exact", "bounded")
    assert proven.gap >= -1e-9


def test_interpolation():
    X, y = noisy(20, 3)
    for k in (1, 2):
        solution = checked(rs.Problem(X, y, 1.0, rs.Interpolation(), interactions=k))
        assert np.abs(solution.predict(X) - y).max() <= 1e-9
    xor = rs.Problem([[0, 0], [0, 1], [1, 0], [1, 1], [2, 2]], [0, 1, 1, 0, 0], 1.0)
    with pytest.raises(rs.ProblemError, match="no sum of functions of these groups meets"):
        rs.Problem(xor.X, xor.y, 1.0, rs.Interpolation(), interactions=1)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("name", INPUTS)
def test_interpolation_on_tables_that_people_have(name, k):
    """Of a sum of functions of one feature each, so that equal rows have equal values."""
    X = INPUTS[name]
    y = np.abs(X - np.median(X, axis=0)) @ [1.0, -0.5, 2.0, 1.0] + 0.3 * X[:, 1]
    solution = checked(rs.Problem(X, y, 1.0, rs.Interpolation(), interactions=k), 1e-5)
    assert solution.certificate.scope == "exact"
    assert np.abs(solution.predict(X) - y).max() <= 1e-9 * np.abs(y).max()


@pytest.mark.parametrize("given", [1, 2, [[0, 1]], None], ids=str)
@pytest.mark.parametrize("name", INPUTS)
def test_what_no_function_of_the_groups_sees(name, given):
    """Against a basis of such functions: indicators of equal rows, and the features."""
    X = INPUTS[name]
    problem = rs.Problem(X, X[:, 0], 1.0, interactions=given)
    groups = problem.interactions or [(0, 1, 2, 3)]
    parts = [np.column_stack([np.ones(len(X)), X])]
    for group in groups:
        rows = X[:, list(group)]
        parts.append((rows[:, None] == np.unique(rows, axis=0)).all(axis=2).astype(float))
    functions = np.hstack(parts)
    found = untouched(X, problem.interactions, problem.null_space)
    assert found.shape[1] == len(X) - np.linalg.matrix_rank(functions)
    assert found.T @ found == pytest.approx(np.eye(found.shape[1]), abs=1e-12)
    assert np.abs(functions.T @ found).max(initial=0.0) <= 1e-11 * np.abs(functions).max()


def test_one_feature_is_one_dimension():
    X, y = noisy(30, 1)
    alone, grouped = (rs.Problem(X, y, 0.05, interactions=given) for given in (None, 1))
    assert rs.solve(grouped).solver == rs.solve(alone).solver
    assert rs.solve(grouped).objective == rs.solve(alone).objective


def test_degrees_of_freedom_are_those_of_refits():
    X, y = noisy(20, 3)
    step = 1e-4
    for k in (1, 2):
        problem = rs.Problem(X, y, 0.5, interactions=k)
        solution = rs.solve(problem, rs.ColumnGeneration(tol=1e-12))
        trace = 0.0
        for n in range(len(y)):
            ends = []
            for sign in (1.0, -1.0):
                moved = y.copy()
                moved[n] += sign * step
                near = rs.Problem(X, moved, 0.5, interactions=k)
                ends.append(rs.solve(near, rs.ColumnGeneration(tol=1e-12, start=solution)).predict(X)[n])
            trace += (ends[0] - ends[1]) / (2.0 * step)
        assert solution.degrees_of_freedom == pytest.approx(trace, abs=1e-3)
        assert (0.1 < trace % 1.0 < 0.9) == (k == 2)  # no whole number where directions turn with the data


def test_a_start_that_leaves_the_groups_is_refused():
    X, y = noisy(30, 3)
    network = rs.solve(rs.Problem(X, y, 0.5)).network
    with pytest.raises(rs.SolverRefusal, match="keep to the groups"):
        rs.solve(rs.Problem(X, y, 0.5, interactions=1), rs.ColumnGeneration(start=network))


def test_many_rows():
    """From some hundred points on sectors of directions take the place of sweeps about all points."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((1500, 4)), 1)
    y = np.sin(2.0 * X[:, 0]) + np.abs(X[:, 1] * X[:, 2]) + 0.3 * rng.standard_normal(1500)
    problem = rs.Problem(X, y, 1.0, interactions=2)
    solution = checked(problem.with_lam(0.1 * rs.lambda_max(problem)))
    assert solution.certificate.scope == "exact"
    assert "batches" in solution.history["phases"]
