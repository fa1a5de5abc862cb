"""What bad input gets: an error that names the argument, what was expected, what came, and the remedy."""

import sys

import numpy as np
import pandas as pd
import pytest

import ridgesplines as rs
from ridgesplines.solvers.backends import backend_named
from ridgesplines.solvers.grid import splines as grid
from ridgesplines.solvers.grid.program import Program

X = np.linspace(0.0, 1.0, 6)
y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])

CASES = {
    "NaN in X": (lambda: rs.Problem([[0.0], [np.nan]], [0, 1], 1), "X", "NaN at index (1, 0)"),
    "inf in y": (lambda: rs.Problem([0, 1], [0, np.inf], 1), "y", "inf at index (1)"),
    "three dimensions": (lambda: rs.Problem(np.zeros((2, 2, 2)), [0, 1], 1), "X", "3 dimensions"),
    "other length": (lambda: rs.Problem(X, y[:4], 1), "y", "got 4"),
    "matrix y for a scalar loss": (lambda: rs.Problem(X, np.zeros((6, 2)), 1, rs.Absolute()), "y", "(6, 2)"),
    "no samples": (lambda: rs.Problem([], [], 1), "X", "N = 0"),
    "no features": (lambda: rs.Problem(np.zeros((3, 0)), [0, 1, 2], 1), "X", "0 feature(s)"),
    "text": (lambda: rs.Problem(["a", "b"], [0, 1], 1), "X", "does not convert"),
    "complex": (lambda: rs.Problem([1j, 2.0], [0, 1], 1), "X", "Complex"),
    "negative lam": (lambda: rs.Problem(X, y, -0.5), "lam", "-0.5"),
    "infinite lam": (lambda: rs.Problem(X, y, np.inf), "lam", "inf"),
    "NaN lam": (lambda: rs.Problem(X, y, np.nan), "lam", "nan"),
    "lam is text": (lambda: rs.Problem(X, y, "much"), "lam", "'much'"),
    "lam zero": (lambda: rs.Problem(X, y, 0.0), "lam", "use loss=Interpolation()"),
    "labels for Logistic": (lambda: rs.Problem(X, y, 1, rs.Logistic()), "y", "RidgeSplineClassifier"),
    "labels for Hinge": (lambda: rs.Problem(X, y, 1, rs.Hinge()), "y", "labels in {-1, +1}"),
    "labels for Softmax": (lambda: rs.Problem(X, y + 1, 1, rs.Softmax()), "y", "labels [1.0, 2.0]"),
    "one class": (lambda: rs.Problem(X, 0 * y, 1, rs.Softmax()), "y", "labels [0.0]"),
    "negative weights": (
        lambda: rs.Problem(X, y, 1, sample_weight=[1, 1, -2, 1, 1, 1]),
        "sample_weight",
        "-2 at row 2",
    ),
    "weights of zero": (lambda: rs.Problem(X, y, 1, sample_weight=0 * y), "sample_weight", "only zeros"),
    "weights' shape": (lambda: rs.Problem(X, y, 1, sample_weight=np.ones((6, 1))), "sample_weight", "(6, 1)"),
    "weights' length": (lambda: rs.Problem(X, y, 1, sample_weight=[1.0]), "sample_weight", "got 1"),
    "a loss by name": (lambda: rs.Problem(X, y, 1, "squared"), "loss", "Pass loss=Squared()"),
    "a class for an instance": (lambda: rs.Problem(X, y, 1, rs.Huber), "loss", "the class Huber itself"),
    "an activation by name": (lambda: rs.Problem(X, y, 1, activation="relu"), "activation", "ReLU()"),
    "contradicting points": (
        lambda: rs.Problem([0, 1, 1], [0, 1, 2], 1, rs.Interpolation()),
        "y",
        "rows 1 and 2",
    ),
    "no direction": (lambda: rs.solve(rs.Problem(np.eye(4, 2), y[:4], 1), rs.Grid(0)), "directions", "got 0"),
    "half a direction": (lambda: rs.solve(rs.Problem(np.eye(4, 2), y[:4], 1), rs.Grid(2.5)), "directions", "2.5"),
    "directions of another d": (
        lambda: rs.solve(rs.Problem(np.eye(4, 2), y[:4], 1), rs.Grid(np.eye(3))),
        "directions",
        "shape (3, 3)",
    ),
    "a direction outside the groups": (
        lambda: rs.solve(rs.Problem(np.eye(4, 2), y[:4], 1, interactions=1), rs.Grid([[1.0, 0.0], [1.0, 2.0]])),
        "directions",
        "row 1, of the features x0, x1",
    ),
    "direction zero": (
        lambda: rs.solve(rs.Problem(np.eye(4, 2), y[:4], 1), rs.Grid([[0.0, 0.0]])),
        "directions",
        "zeros",
    ),
    "unknown biases": (lambda: rs.solve(rs.Problem(X, y, 0.01), rs.Grid(biases="all")), "biases", "'all'"),
    "unknown backend": (lambda: rs.solve(rs.Problem(X, y, 0.01), rs.Grid(backend="GLPK")), "backend", "CLARABEL"),
    "a solver by name": (lambda: rs.solve(rs.Problem(X, y, 1), "grid"), "solver", "'grid'"),
    "no lams": (lambda: rs.solve_path(rs.Problem(X, y, 1), lams=[]), "lams", "at least one"),
    "n_lams zero": (lambda: rs.solve_path(rs.Problem(X, y, 1), n_lams=0), "n_lams", "got 0"),
    "n_lams by words": (lambda: rs.solve_path(rs.Problem(X, y, 1), n_lams="5"), "n_lams", "a whole number >= 1"),
    "half a pattern": (lambda: rs.Arrangement(max_patterns=2.5), "max_patterns", "got 2.5"),
    "True for a seed": (lambda: rs.ColumnGeneration(random_state=True), "random_state", "got True"),
    "path of Interpolation": (lambda: rs.solve_path(rs.Problem(X, y, 1, rs.Interpolation())), "lams", "only scales"),
    "a network of another d": (
        lambda: rs.evaluate(rs.Problem(X, y, 1), rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])),
        "network",
        "d = 2",
    ),
    "shapes of a network": (lambda: rs.RidgeSpline([[1.0]], [0.0, 1.0], [1.0]), "weights", "(2,)"),
    "points of another d": (lambda: rs.RidgeSpline([[1.0, 0.0]], [0.0], [1.0])([[1.0]]), "X", "shape (1, 1)"),
    "text in an array": (
        lambda: rs.RidgeSplineRegressor().fit([["1.0", "2"], ["3.0", "red"]], [0.0, 1.0]),
        "X",
        "'red' in column 1, row 1",
    ),
    "categories in a table": (
        lambda: rs.LinearSplineRegressor().fit(pd.DataFrame({"colour": ["red", "blue"]}), [0.0, 1.0]),
        "X",
        "'red' in column 'colour', row 0. Encode categories first, by OneHotEncoder()",
    ),
    "nothing to compare": (lambda: rs.compare({}), "solutions", "none"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_error_says_what_and_how(case):
    make, argument, words = CASES[case]
    with pytest.raises(rs.ProblemError) as caught:
        make()
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.argument.startswith(argument)
    assert error.expected
    assert error.got
    assert error.remedy.endswith(".")
    assert words in str(error)


@pytest.mark.parametrize("loss", [rs.Logistic(), rs.Softmax()], ids=lambda loss: loss.name)
@pytest.mark.parametrize("quasi", [False, True])
def test_separable_classes_are_named(loss, quasi):
    labels = np.where(X > 0.5, 1.0, 0.0)
    points = X.copy()
    if quasi:  # a positive and a negative sample at the boundary itself
        points[2] = points[3]
    labels = labels if isinstance(loss, rs.Softmax) else 2.0 * labels - 1.0
    for run in (rs.solve, rs.lambda_max, lambda p: rs.evaluate(p, rs.RidgeSpline([[1.0]], [0.0], [1.0]))):
        if isinstance(loss, rs.Softmax) and run is not rs.solve and run is not rs.lambda_max:
            continue
        with pytest.raises(rs.ProblemError, match=r"without a minimiser.*Hinge"):
            run(rs.Problem(points, labels, 0.1, loss))


def test_separable_classes_in_many_dimensions():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((30, 4))
    with pytest.raises(rs.ProblemError, match="separable"):
        rs.solve(rs.Problem(points, np.sign(points @ [1, 2, 3, 4]), 0.1, rs.Logistic()))


def test_hinge_takes_separable_classes():
    s = rs.solve(rs.Problem(X, np.where(X > 0.5, 1.0, -1.0), 0.1, rs.Hinge()))
    assert s.objective == pytest.approx(0.0, abs=1e-9)
    assert s.network.n_neurons == 0


def test_memory_is_asked_for_before_any_work():
    rng = np.random.default_rng(0)
    problem = rs.Problem(rng.standard_normal((200, 3)), rng.standard_normal(200), 0.1)
    with pytest.raises(rs.SolverRefusal, match=r"memory.*directions.*Use at most \d+ directions"):
        rs.solve(problem, rs.Grid(directions=4096, memory=1e8))


@pytest.mark.parametrize("backend", ["SCS", "OSQP"])
def test_first_order_backends_refuse_interpolation(backend):
    with pytest.raises(rs.SolverRefusal, match="CLARABEL"):
        rs.solve(rs.Problem(X, y, 1.0, rs.Interpolation()), rs.Grid(backend=backend))


def test_a_missing_backend_is_explained(monkeypatch):
    monkeypatch.setattr("ridgesplines.solvers.backends.find_spec", lambda name: None)
    with pytest.raises(rs.SolverRefusal, match="pip install scs"):
        backend_named("SCS")
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    with pytest.raises(rs.SolverRefusal, match=r"no wheels for Python 3\.13.*CLARABEL"):
        backend_named("ECOS")


def test_a_grid_that_cannot_interpolate_says_so():
    # Two points share their projection on the only direction offered, with different values.
    points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [2.0, 1.0], [2.5, 3.0]])
    with pytest.raises(rs.SolverRefusal, match="more directions"):
        rs.solve(
            rs.Problem(points, [0.0, 1.0, 1.0, 0.0, 0.0, 3.0, 1.0], 1.0, rs.Interpolation()),
            rs.Grid(directions=[[1.0, 0.0]]),
        )


def test_not_converged_is_said_and_the_best_is_returned():
    from dataclasses import replace

    from ridgesplines.solvers import backends

    rng = np.random.default_rng(0)
    x = np.sort(rng.random(60))
    problem = rs.Problem(x, np.sin(9 * x) + 0.1 * rng.standard_normal(60), 0.02, rs.Absolute())
    lame = replace(backends.BACKENDS["SCS"], options=({"max_iters": 30},))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backends.BACKENDS, "SCS", lame)
        with pytest.warns(rs.ConvergenceWarning, match="relative gap of .* The best network found is returned"):
            s = rs.solve(problem, rs.Grid(backend="SCS", refine=False))
    assert s.status == "not converged"
    assert s.relative_gap > 1e-4
    assert s.gap >= s.objective - rs.solve(problem).objective - 1e-9  # still a bound


def test_the_callers_arrays_stay_as_they_were():
    points, target, weight = X.copy(), y.copy(), np.ones(6)
    problem = rs.Problem(points, target, 0.05, sample_weight=weight)
    rs.solve(problem)
    points[0] = 99.0
    assert problem.X[0, 0] == 0.0
    assert (target == y).all()
    with pytest.raises(ValueError, match="read-only"):
        problem.X[0] = 1.0


@pytest.mark.parametrize("where", ["ridgesplines.solvers.program.Program.solve", "ridgesplines.solvers.grid.polish"])
def test_ctrl_c_keeps_what_was_computed(monkeypatch, where):
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(40))
    problem = rs.Problem(x, np.sin(9 * x) + 0.1 * rng.standard_normal(40), 1.0)
    module, _, name = where.rpartition(".")
    calls = []
    target = Program if module.endswith("Program") else grid
    original = getattr(target, name)

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(target, name, interrupted)
    with pytest.warns(rs.ConvergenceWarning, match="was interrupted at lam = .*The best network found is returned"):
        path = rs.solve_path(problem, rs.Grid(), n_lams=10)
    assert len(path) == 4  # the affine one, two more, and the one that was interrupted
    assert [s.status for s in path] == ["converged"] * 3 + ["interrupted"]
    true = rs.solve(problem.with_lam(path[-1].problem.lam))
    assert path[-1].gap >= (path[-1].objective - true.objective) * (1.0 - 1e-9)


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1e200, 1e308])
@pytest.mark.parametrize(
    "loss", [rs.Squared(), rs.Huber(), rs.Absolute(), rs.Interpolation()], ids=lambda loss: loss.name
)
def test_sizes_that_leave_the_range_of_floats_are_named(loss, size):
    x, y = np.array([0.0, 0.5, 1.0]), np.array([1.0, 0.0, 1.0])
    for name, X_, y_ in (("X", size * x, y), ("y", x, size * y)):
        with pytest.raises(rs.ProblemError, match="Change the units") as caught:
            rs.solve(rs.Problem(X_, y_, 1.0, loss))
        assert caught.value.argument == name


@pytest.mark.parametrize("lam", [1e-300, 1e300])
def test_a_lam_that_leaves_the_range_of_floats_is_named(lam):
    with pytest.raises(rs.ProblemError, match="lambda_max") as caught:
        rs.solve(rs.Problem([0.0, 0.5, 1.0], [1.0, 0.0, 1.0], lam))
    assert caught.value.argument == "lam"


@pytest.mark.parametrize("size", [1e-49, 1e49])
@pytest.mark.parametrize(
    "loss", [rs.Squared(), rs.Huber(), rs.Absolute(), rs.Interpolation()], ids=lambda loss: loss.name
)
def test_sizes_far_from_one_are_solved(loss, size):
    x, y = np.array([0.0, 0.5, 1.0, 2.0]), np.array([1.0, 0.0, 1.0, 3.0])
    for problem in (rs.Problem(size * x, y, 1.0, loss), rs.Problem(x, size * y, 1.0, loss)):
        top = 1.0 if loss.interpolates else rs.lambda_max(problem)
        assert rs.solve(problem.with_lam(0.1 * top)).status == "converged"
