"""Every public object, fresh and used, comes back whole from pickle, deepcopy, joblib and another process."""

import copy
import io
import pickle
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import joblib
import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.line import kernels
from ridgesplines.numerics import fast

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (30, 2))
Y = np.abs(X[:, 0]) + 0.1 * RNG.standard_normal(30)
PROBLEM = rs.Problem(X, Y, 0.3)
SHAPED = rs.Problem(X[:, 0], Y, 0.1, constraints=[rs.Convex(), rs.FixedValues(0.0, 0.1)])
LINE = rs.Problem(X[:, 0], Y, 0.1, sample_weight=np.arange(30.0))


def used(solution):
    solution.summary()
    solution.plot()
    assert solution.relative_gap < 1.0
    return solution if solution.problem.constraints else solution.certify(max_time=0.1)


def fitted(estimator, x=X, y=Y):
    model = estimator.fit(x, y)
    model.predict(x)
    model.solution_.summary()
    model.solution_.plot()
    return model


MAKERS = {
    "problem": lambda: PROBLEM,
    "problem of another lam": lambda: PROBLEM.with_lam(2.0),
    "problem with weights": lambda: LINE,
    "problem with constraints": lambda: rs.Problem(
        X[:, 0], Y, 0.1, constraints=[rs.Convex(), rs.FixedValues(0.0, 0.1)]
    ),
    "network": lambda: rs.solve(PROBLEM).network,
    "certificate": lambda: rs.solve(PROBLEM).certificate,
    "solution": lambda: rs.solve(PROBLEM),
    "used solution": lambda: used(rs.solve(PROBLEM)),
    "used solution in one dimension": lambda: used(rs.solve(LINE)),
    "solution with constraints": lambda: used(rs.solve(rs.Problem(X[:, 0], Y, 0.1, constraints=[rs.Monotone()]))),
    "solution on a grid": lambda: used(rs.solve(PROBLEM, rs.Grid(directions=4))),
    "path": lambda: rs.solve_path(PROBLEM, lams=[1.0, 0.5]),
    "comparison": lambda: rs.compare(
        {"ours": rs.solve(PROBLEM), "itself": rs.evaluate(PROBLEM, rs.solve(PROBLEM).network)}
    ),
    "report": lambda: rs.theorems.verify_on(rs.solve(LINE))[0],
    "regressor": lambda: fitted(rs.RidgeSplineRegressor(lam=0.3)),
    "classifier": lambda: fitted(rs.RidgeSplineClassifier(lam=0.3), y=X[:, 0] * X[:, 1] > 0.0),
    "cross-validated": lambda: fitted(rs.LinearSplineRegressorCV(n_lams=4, cv=2), X[:, :1]),
}
COPIES = {
    "pickle": lambda obj: pickle.loads(pickle.dumps(obj)),
    "deepcopy": copy.deepcopy,
    "joblib": lambda obj: joblib.load(stored(obj)),
}


def stored(obj):
    file = io.BytesIO()
    joblib.dump(obj, file)
    file.seek(0)
    return file


def same(ours, theirs):
    """Equal numbers, and none that can be written to where ours cannot."""
    assert type(ours) is type(theirs)
    if isinstance(ours, rs.Path):
        for pair in zip(ours, theirs, strict=True):
            same(*pair)
    for name in ("problem", "network", "certificate", "solution_"):
        if hasattr(ours, name):
            same(getattr(ours, name), getattr(theirs, name))
    for name in ("X", "y", "sample_weight", "null_space", "weights", "biases", "amplitudes", "dual"):
        value = getattr(ours, name, None)
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, getattr(theirs, name))
            assert not getattr(theirs, name).flags.writeable
    for name in ("objective", "relative_gap", "status", "scope", "lam"):
        if isinstance(getattr(ours, name, None), str | float):
            assert getattr(ours, name) == getattr(theirs, name)


@pytest.mark.parametrize("made", MAKERS)
def test_copies_are_whole(made):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)  # a proof of a tenth of a second
        obj = MAKERS[made]()
    for name, copied in COPIES.items():
        other = copied(obj)
        same(obj, other)
        assert str(other) == str(obj), name
    if hasattr(obj, "plot") and made != "comparison":
        assert len(other.plot().axes) == len(obj.plot().axes)


def test_a_problem_goes_to_another_process_and_its_solution_comes_back(monkeypatch):
    for place, name in ((kernels, "loaded"), (kernels, "at_hand"), (fast, "at_hand")):
        monkeypatch.setattr(place, name, lambda *module: False)  # it is not there, and compiled code rounds otherwise
    problem = rs.Problem(X[:18], Y[:18], 0.3)  # of so few rows that nothing is compiled there
    line = COPIES["pickle"](LINE)  # what others had computed from it may have been compiled
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        same(rs.solve(problem), pool.submit(rs.solve, problem).result())
        same(rs.solve(line), pool.submit(rs.solve, line).result())
