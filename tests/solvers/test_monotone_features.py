"""Features in which f must be monotone: against programs of another kind, far outside the data, and themselves."""

import warnings

import cvxpy as cp
import numpy as np
import pytest
from instances import diagonal, ids, targets

import ridgesplines as rs
from ridgesplines.certificate.violation import violation
from ridgesplines.constraints import constraint_named
from ridgesplines.scaling import standardise
from ridgesplines.solvers.monotone.solver import _of_start, affine

LOSSES = [rs.Squared(), rs.Huber(0.5), rs.Logistic(), rs.Absolute(), rs.Quantile(0.3), rs.Hinge()]
SIGNS = {0: 1, 2: -1}
INPUTS = {
    "normal": np.random.default_rng(0).standard_normal((40, 3)),
    "integers": np.random.default_rng(1).integers(0, 6, (40, 3)).astype(float),
    "correlated": np.random.default_rng(2).normal(size=(40, 1)) + 0.1 * np.random.default_rng(3).normal(size=(40, 3)),
    "constant column": np.random.default_rng(4).standard_normal((40, 3)) * [1.0, 1.0, 0.0] + [0.0, 0.0, 3.0],
    "equal columns": np.random.default_rng(5).standard_normal((40, 1)) @ np.ones((1, 3)),
}


def response(X):
    noise = 0.3 * np.random.default_rng(8).standard_normal(len(X))
    return np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] - np.abs(X[:, 2]) + 0.5 * np.cos(X[:, 0] * X[:, 1]) + noise


def posed(X, loss=None, lam=0.3, k=1, signs=SIGNS, **more):
    loss = loss or rs.Squared()
    y = targets(loss, response(X))
    return rs.Problem(X, y, lam, loss, interactions=k, constraints=[rs.MonotoneFeatures(signs)], **more)


def checked(problem, tol=1e-6, scope="exact"):
    """The solution, after what must hold for every one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = rs.solve(problem, rs.ColumnGeneration(tol=tol))
    assert solution.status == "converged"
    assert solution.relative_gap <= tol
    assert solution.certificate.scope == scope
    assert solution.contradiction is None
    assert solution.violation == 0.0
    monotone(solution)
    return solution


def monotone(solution, steps=200):
    """On random lines along each of the features, near the data and far outside, f rises or falls as it must."""
    p, rng = solution.problem, np.random.default_rng(0)
    spread = np.ptp(p.X, axis=0).max() + 1.0
    for j in np.flatnonzero(p.signs):
        for far in (0.5, 30.0):
            start = p.X.mean(axis=0) + far * spread * rng.uniform(-1.0, 1.0, (steps, p.n_features))
            line = np.repeat(start[:, None], 60, axis=1)
            line[:, :, j] += np.sort(far * spread * rng.uniform(-2.0, 2.0, (steps, 60)), axis=1)
            f = solution.predict(line.reshape(-1, p.n_features)).reshape(steps, 60)
            assert (p.signs[j] * np.diff(f, axis=1)).min() >= -1e-10 * np.abs(f).max()


def hinges(problem):
    """The optimum for neurons of one feature: hinges at every value, and no slope of the wrong sign in any piece."""
    X, values, parts, bends = problem.X, 0.0, [], []
    slope, offset = cp.Variable(X.shape[1]), cp.Variable()
    constraints = []
    for j, sign in enumerate(problem.signs):
        knots = np.unique(X[:, j])
        v = cp.Variable(len(knots))
        values = values + np.maximum(X[:, [j]] - knots, 0.0) @ v
        bends.append(v)
        if sign:
            parts.append(sign * slope[j] >= 0.0)
            parts.append(sign * (slope[j] + np.tril(np.ones((len(knots), len(knots)))) @ v) >= 0.0)
    fit = cp.Variable(problem.n_samples)
    data, constraints = problem.loss.expression(problem.y, fit, problem.sample_weight)
    constraints += [fit == values + X @ slope + offset, *parts]
    program = cp.Problem(cp.Minimize(data + problem.lam * cp.norm1(cp.hstack(bends))), constraints)
    if problem.loss.cone == "linear":
        return program.solve(solver="HIGHS")
    return program.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)


@pytest.mark.parametrize(("loss", "name"), diagonal(LOSSES, list(INPUTS)))
def test_one_feature_at_a_time_against_a_convex_program(loss, name):
    """The program asks for what is necessary and sufficient: slopes of the right sign."""
    X = INPUTS[name]
    weight = np.random.default_rng(9).integers(1, 4, len(X)).astype(float)
    problem = posed(X, loss, sample_weight=weight)
    assert checked(problem, 1e-9).objective == pytest.approx(hinges(problem), rel=1e-6)


@pytest.mark.parametrize(("loss", "name"), diagonal(LOSSES, list(INPUTS)))
def test_pairs_on_tables_that_people_have(loss, name):
    problem = posed(INPUTS[name], loss, k=2)
    solution = checked(problem, 1e-5)
    alone = rs.solve(posed(INPUTS[name], loss, k=1))
    assert solution.objective <= alone.objective * (1.0 + 1e-5)
    free = rs.solve(rs.Problem(problem.X, problem.y, problem.lam, loss, interactions=2))
    assert solution.objective >= free.certificate.value * (1.0 - 1e-9)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_what_does_not_bind_costs_nothing(loss, k):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (40, 3))
    y = targets(loss, 5.0 * X[:, 0] + np.abs(X[:, 0]) + np.abs(X[:, 1]) + 0.2 * rng.standard_normal(40))
    free = rs.Problem(X, y, 1.0, loss, interactions=k)
    held = rs.Problem(X, y, 1.0, loss, interactions=k, constraints=[rs.MonotoneFeatures({0: 1})])
    settings = rs.ColumnGeneration(tol=1e-8)
    assert checked(held, 1e-8).objective == pytest.approx(rs.solve(free, settings).objective, rel=1e-7)


def test_a_plane_needs_no_interactions():
    X = INPUTS["normal"][:, :2]
    y = response(INPUTS["normal"])
    both = [rs.Problem(X, y, 0.2, constraints=[rs.MonotoneFeatures({0: 1})], interactions=k) for k in (None, [[0, 1]])]
    first, second = (checked(problem) for problem in both)
    assert first.objective == pytest.approx(second.objective, rel=1e-9)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@pytest.mark.parametrize("k", [1, 2])
def test_all_features_may_have_signs(loss, k):
    problem = posed(INPUTS["normal"], loss, k=k, signs={0: 1, 1: 1, 2: -1})
    solution = checked(problem, 1e-5)
    if k == 1:
        assert solution.objective == pytest.approx(hinges(problem), rel=1e-6)


def dictionary(problem, angles=20):
    """The optimum in a plane over neurons in the directions of two data, along the axes, and of a grid: a program."""
    X, t = problem.X, np.linspace(0.0, np.pi, angles, endpoint=False)
    across = (X[:, None] - X).reshape(-1, 2) @ [[0.0, 1.0], [-1.0, 0.0]]
    A = np.concatenate([np.eye(2), across[across.any(axis=1)], np.column_stack([np.cos(t), np.sin(t)])])
    A = np.unique((A / np.linalg.norm(A, axis=1, keepdims=True)).round(12), axis=0)
    W, b = zip(*[(w, c) for w in A for c in np.unique((X @ w).round(12))], strict=True)
    return program(problem, np.array(W), np.array(b))


def program(problem, W, b):
    """The optimum over given neurons, by the formula of the constraint; squared error."""
    X = problem.X
    up, down = cp.Variable(len(b), nonneg=True), cp.Variable(len(b), nonneg=True)
    slope, offset = cp.Variable(X.shape[1]), cp.Variable(1)
    alone, constraints = np.count_nonzero(W, axis=1) == 1, []
    for j in np.flatnonzero(problem.signs):
        sign, bend = problem.signs[j], problem.signs[j] * W[:, j]
        taken = up @ np.where(alone, 0.0, np.maximum(-bend, 0.0)) + down @ np.where(alone, 0.0, np.maximum(bend, 0.0))
        of_j = np.flatnonzero(alone & (bend != 0.0))
        knots = np.unique(b[of_j] / W[of_j, j]) if len(of_j) else np.zeros(1)
        for x in np.concatenate([[knots[0] - 1.0], (knots[1:] + knots[:-1]) / 2.0, [knots[-1] + 1.0]]):
            on = bend[of_j] * (W[of_j, j] * x > b[of_j])
            constraints.append(sign * slope[j] + on @ (up - down)[of_j] >= taken)
    fit = np.maximum(X @ W.T - b, 0.0) @ (up - down) + X @ slope + offset
    cost = cp.sum_squares(problem.y - fit) + problem.lam * cp.sum(up + down)
    return cp.Problem(cp.Minimize(cost), constraints).solve(solver="CLARABEL")


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # its figures are compared loosely
@pytest.mark.parametrize("seed", range(6))
def test_a_plane_against_a_dictionary(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 16))
    X = rng.standard_normal((n, 2)) if seed % 2 else rng.integers(-2, 3, (n, 2)).astype(float)
    y = rng.standard_normal(n) + rng.choice([-2.0, 2.0]) * np.tanh(3.0 * X[:, 0]) + X[:, 1]
    signs = {0: int(rng.choice([-1, 1]))} | ({1: int(rng.choice([-1, 1]))} if seed % 3 else {})
    problem = rs.Problem(X, y, float(10.0 ** rng.uniform(-2.0, 0.0)), constraints=[rs.MonotoneFeatures(signs)])
    solution, theirs = checked(problem), dictionary(problem)
    assert solution.certificate.value <= theirs * (1.0 + 1e-5)
    assert solution.objective == pytest.approx(theirs, rel=1e-2)


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        pytest.param("normal", rs.Squared(), marks=pytest.mark.slow),
        ("integers", rs.Logistic()),
        pytest.param("constant column", rs.Absolute(), marks=pytest.mark.slow),
        pytest.param("correlated", rs.Huber(0.5), marks=pytest.mark.slow),
    ],
    ids=["normal", "integers", "constant column", "correlated"],
)
def test_three_features_together(name, loss):
    problem = posed(INPUTS[name], loss, k=None)
    solution = checked(problem, 1e-5, "searched")
    pairs = checked(posed(INPUTS[name], loss, k=2))
    assert solution.objective <= pairs.objective * (1.0 + 1e-5)
    with pytest.raises(rs.ProblemError, match="interactions=2"):
        solution.certify()


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("k", [None, pytest.param(3, marks=pytest.mark.slow)])
def test_three_features_against_a_program(k):
    """Its optimum over our neurons and many others, in random directions through the data, is ours."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3 if k is None else 4))
    y = np.maximum(X[:, :3].sum(axis=1), 0.0) - X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(30)
    problem = rs.Problem(X, y, 0.5, interactions=k, constraints=[rs.MonotoneFeatures({0: 1, 2: -1})])
    solution = checked(problem, 1e-6, "searched")
    net, groups = solution.network, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    W = rng.standard_normal((300, X.shape[1]))
    if k is not None:
        W *= np.array([np.isin(range(4), groups[i]) for i in rng.integers(4, size=len(W))])
    W /= np.linalg.norm(W, axis=1)[:, None]
    b = np.einsum("kd,kd->k", W, X[rng.integers(30, size=len(W))])
    theirs = program(problem, np.vstack([net.weights, W]), np.append(net.biases, b))
    assert theirs == pytest.approx(solution.objective, rel=1e-5)
    assert len(net.weights[(net.weights != 0.0).sum(axis=1) == 3])


def many(n, d):
    """Functions of one and of two features, two of them at odds with the signs: all rise but the last, which falls."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.tanh(2.0 * X[:, 0]) + np.maximum(X[:, 1] + X[:, 2], 0.0) - np.maximum(X[:, 3], 0.0) + 0.3 * np.abs(X[:, -1])
    signs = dict.fromkeys(range(d - 1), 1) | {d - 1: -1}
    rising = [rs.MonotoneFeatures(signs)]
    problem = rs.Problem(X, y + 0.3 * rng.standard_normal(n), 1.0, constraints=rising)
    return problem.with_lam(0.1 * rs.lambda_max(problem))


@pytest.mark.parametrize(("n", "d"), [(50, 5), pytest.param(500, 10, marks=pytest.mark.slow)])
def test_many_features_reach_their_tolerance(n, d):
    """As far as a search from elsewhere can tell: it is no proof, and its scope says so."""
    solution = checked(many(n, d), 1e-4, "searched")
    assert solution.network.n_neurons > 0
    assert rs.evaluate(solution.problem, solution.network).relative_gap <= 1e-2


def test_what_a_certificate_finds_joins_what_goes_on():
    problem = many(30, 4)
    with pytest.warns(rs.ConvergenceWarning):
        loose = rs.solve(problem, rs.ColumnGeneration(max_time=1e-9))
    scaling = standardise(problem)
    start = _of_start(scaling, affine(scaling.problem), loose)
    assert loose.network.n_neurons == 0
    counts = np.abs(loose.certificate.eta(*loose.certificate.peaks))
    counts -= loose.certificate.multipliers.penalty(loose.certificate.peaks[0])
    assert len(start.neurons) == (counts > problem.lam).sum() > 0
    assert (start.neurons.sizes == 0.0).all()
    assert rs.solve(problem, rs.ColumnGeneration(start=loose, tol=1e-4)).relative_gap <= 1e-4


def test_features_are_named_on_a_command_line():
    assert constraint_named("monotone=age:+, 3:-") == rs.MonotoneFeatures({"age": 1, 3: -1})
    assert constraint_named("monotone=bmi:a:-") == rs.MonotoneFeatures({"bmi:a": -1})
    for text in ("monotone=age", "monotone=:+", "monotone=age:1", "monotone=age:+,"):
        with pytest.raises(rs.ProblemError, match="FEATURE:"):
            constraint_named(text)


def test_groups_of_both_sizes():
    problem = posed(INPUTS["normal"], k=[[0, 1], [2]])
    solution = checked(problem)
    between = [checked(posed(INPUTS["normal"], k=k)).objective for k in (2, 1)]
    assert between[0] * (1.0 - 1e-6) <= solution.objective <= between[1] * (1.0 + 1e-6)


def test_a_line_is_monotone_in_one_dimension():
    x = np.linspace(-1.0, 1.0, 30)
    for sign, increasing in ((1, True), (-1, False)):
        features = rs.Problem(x, np.sin(3.0 * x), 0.05, constraints=[rs.MonotoneFeatures({0: sign})])
        assert features.constraints == (rs.Monotone(increasing),)
        assert features.signs is None


@pytest.mark.parametrize("k", [1, 2])
def test_weights_are_repeated_rows(k):
    X = INPUTS["normal"]
    times = np.random.default_rng(3).integers(0, 3, len(X))
    weighted = checked(posed(X, k=k, sample_weight=times.astype(float)), 1e-8)
    rows = np.repeat(np.arange(len(X)), times)
    problem = rs.Problem(X[rows], response(X)[rows], 0.3, interactions=k, constraints=[rs.MonotoneFeatures(SIGNS)])
    assert weighted.objective == pytest.approx(checked(problem, 1e-8).objective, rel=1e-7)


def test_units_do_not_matter():
    X, y = INPUTS["normal"], response(INPUTS["normal"])
    one = checked(posed(X, k=2))
    for length, size, shift in ((1e6, 1e-5, 0.0), (1e-4, 1e3, 1e3)):
        scaled = rs.Problem(
            length * X + shift * length,
            size * y,
            0.3 * size * length,
            interactions=2,
            constraints=[rs.MonotoneFeatures(SIGNS)],
        )
        assert checked(scaled).objective == pytest.approx(size**2 * one.objective, rel=2e-6)


def test_opposite_signs_of_a_turned_feature():
    X = INPUTS["normal"]
    turned = X * [-1.0, 1.0, -1.0]
    first = checked(posed(X, k=2))
    problem = rs.Problem(turned, response(X), 0.3, interactions=2, constraints=[rs.MonotoneFeatures({0: -1, 2: 1})])
    assert checked(problem).objective == pytest.approx(first.objective, rel=2e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_lambda_max_is_where_neurons_begin(loss):
    problem = posed(INPUTS["normal"], loss, k=2)
    top = rs.lambda_max(problem)
    assert checked(problem.with_lam(1.001 * top)).network.n_neurons == 0
    if loss.smooth:
        assert checked(problem.with_lam(0.99 * top), 1e-9).network.n_neurons > 0


def test_a_path_is_warm_and_keeps_the_signs():
    path = rs.solve_path(posed(INPUTS["normal"]), n_lams=8)
    for solution in path:
        assert solution.relative_gap <= 1e-6
        assert solution.violation == 0.0
    assert path[0].network.n_neurons == 0
    assert (np.diff([s.objective for s in path]) < 0.0).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_rows(n):
    X = INPUTS["normal"][:n]
    for k in (1, 2):
        checked(posed(X, k=k))


def test_data_that_an_affine_function_fits():
    X = INPUTS["normal"]
    for y in (X @ [1.0, 3.0, -2.0] + 4.0, np.full(len(X), 7.0), 1e-3 * X[:, 1] + 1.0):
        problem = rs.Problem(X, y, 0.1, interactions=2, constraints=[rs.MonotoneFeatures(SIGNS)])
        assert checked(problem).network.n_neurons == 0


def test_evaluate_proves_a_gap_and_an_infinite_one():
    problem = posed(INPUTS["normal"], k=2)
    solution = checked(problem)
    assert rs.evaluate(problem, solution.network).relative_gap <= 1e-6
    steep = solution.network.changed(slope=solution.network.slope - [9.0, 0.0, 0.0])
    wrong = rs.evaluate(problem, steep)
    assert wrong.objective == np.inf
    assert wrong.violation > 0.1
    flat = rs.RidgeSpline(np.empty((0, 3)), [], [], [0.0, 0.0, 0.0], 0.0)
    assert 0.0 < rs.evaluate(problem, flat).relative_gap < 1.0


def test_the_violation_follows_neurons_of_one_feature_and_adds_up_others():
    problem = rs.Problem(np.eye(3), [0.0, 1.0, 2.0], 1.0, constraints=[rs.MonotoneFeatures({0: 1})], interactions=2)
    hat = rs.RidgeSpline([[1.0, 0.0, 0.0]] * 2, [0.0, 1.0], [1.0, -1.0], [0.0, 0.0, 0.0])
    assert violation(problem, hat) == 0.0  # 0, 1, 0: a step
    assert violation(problem, hat.changed(amplitudes=[-1.0, 1.0])) > 0.1
    turned = rs.RidgeSpline([[-1.0, 0.0, 0.0]], [0.0], [-1.0], [0.0, 0.0, 0.0])
    assert violation(problem, turned) == 0.0
    assert violation(problem, turned.changed(amplitudes=[1.0])) > 0.1
    assert violation(problem, turned.changed(amplitudes=[1.0], slope=[1.0, 0.0, 0.0])) == 0.0
    pair = rs.RidgeSpline([[0.6, 0.8, 0.0]] * 2, [0.0, 1.0], [1.0, -1.0], [0.0, 0.0, 0.0])
    assert violation(problem, pair) > 0.1  # monotone, but not by the formula
    assert violation(problem, pair.changed(slope=[0.6, 0.0, 0.0])) == 0.0
    below = rs.RidgeSpline([[0.0, 0.8, 0.6]], [0.0], [-1.0], [0.0, -3.0, 0.0])
    assert violation(problem, below) == 0.0


def test_a_solution_goes_through_a_file(tmp_path):
    X = INPUTS["normal"]
    names = ["age", "bmi", "bp"]
    problem = rs.Problem(
        X,
        response(X),
        0.3,
        interactions=2,
        feature_names=names,
        constraints=[rs.MonotoneFeatures({"age": 1, 2: -1})],
    )
    solution = checked(problem)
    assert "MonotoneFeatures({'age': 1, 2: -1})" in solution.summary()
    assert "satisfy the formula" in solution.summary()
    solution.save(tmp_path / "solution.npz")
    again = rs.Solution.load(tmp_path / "solution.npz")
    assert again.problem.constraints == problem.constraints
    assert again.objective == solution.objective
    assert again.relative_gap == pytest.approx(solution.relative_gap, rel=1e-3)


def test_time_and_starts_are_kept():
    problem = posed(INPUTS["normal"], k=2)
    with pytest.warns(rs.ConvergenceWarning, match="relative gap"):
        short = rs.solve(problem, rs.ColumnGeneration(max_time=1e-9))
    assert short.violation == 0.0
    assert np.isfinite(short.relative_gap)
    again = rs.solve(problem, rs.ColumnGeneration(start=short))
    assert again.relative_gap <= 1e-6


def test_separable_classes_are_said_in_words():
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (30, 3))
    y = np.where(X[:, 0] > 0.0, 1.0, -1.0)
    with pytest.raises(rs.ProblemError, match="separable"):
        rs.solve(rs.Problem(X, y, 0.1, rs.Logistic(), interactions=1, constraints=[rs.MonotoneFeatures({0: 1})]))
    falling = rs.Problem(X, y, 0.1, rs.Logistic(), interactions=1, constraints=[rs.MonotoneFeatures({0: -1})])
    assert checked(falling).network.slope[0] == 0.0  # nothing separates them that falls


REFUSED = {
    "signs": (lambda: rs.MonotoneFeatures({0: 2}), r"\+1 or -1"),
    "booleans": (lambda: rs.MonotoneFeatures({0: True}), r"\+1 or -1"),
    "nothing": (lambda: rs.MonotoneFeatures({}), "at least one feature"),
    "a list": (lambda: rs.MonotoneFeatures([0, 1]), "mapping"),
    "a name": (lambda: rs.MonotoneFeatures("age"), "mapping"),
    "unknown name": (lambda: posed(INPUTS["normal"], signs={"age": 1}), "'age' for X without column names"),
    "other names": (
        lambda: posed(INPUTS["normal"], signs={"age": 1}, feature_names=["a", "b", "c"]),
        "'age' for the columns a, b, c",
    ),
    "out of range": (lambda: posed(INPUTS["normal"], signs={3: 1}), "column numbers from 0 to 2"),
    "both": (
        lambda: posed(INPUTS["normal"], signs=[("a", 1), (0, -1)], feature_names=["a", "b", "c"]),
        "one sign for each feature",
    ),
    "interpolation": (lambda: posed(INPUTS["normal"], rs.Interpolation(), k=2), "Interpolation"),
    "outputs": (
        lambda: rs.Problem(np.eye(3), np.eye(3), 1.0, constraints=[rs.MonotoneFeatures({0: 1})], interactions=1),
        "one output",
    ),
    "activation": (
        lambda: rs.Problem(
            np.eye(3), np.ones(3), 1.0, activation=rs.Sigmoid(), constraints=[rs.MonotoneFeatures({0: 1})]
        ),
        "ReLU",
    ),
    "mixed": (
        lambda: rs.Problem(np.eye(3), np.ones(3), 1.0, constraints=[rs.MonotoneFeatures({0: 1}), rs.Convex()]),
        "MonotoneFeatures alone",
    ),
}


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_said_in_words(make, words):
    with pytest.raises(rs.ProblemError, match=words):
        make()


def test_other_solvers_refuse():
    problem = posed(INPUTS["normal"])
    for solver in (rs.Grid(), rs.Univariate(), rs.Arrangement()):
        with pytest.raises(rs.SolverRefusal):
            rs.solve(problem, solver)
