"""max_time of the solvers that end by themselves: the best so far, marked, and the other lams of a path as well."""

from dataclasses import replace

import numpy as np
import pytest
from instances import diagonal

import ridgesplines as rs

rng = np.random.default_rng(0)
LINE = rs.Problem(rng.random(400), rng.standard_normal(400), lam=1e-4, loss=rs.Quantile(0.7))
PLANE = rs.Problem(rng.random((12, 2)), rng.standard_normal(12), lam=1e-2)


@pytest.mark.parametrize(
    ("problem", "solver"),
    [
        (LINE, rs.Univariate()),
        (rs.Problem(LINE.X, LINE.y, 1e-4, constraints=[rs.Convex()]), rs.Univariate()),
        (PLANE, rs.Grid(directions=4)),
        (PLANE, rs.Arrangement()),
    ],
)
def test_the_best_so_far_for_each_lam(problem, solver):
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        path = rs.solve_path(problem, replace(solver, max_time=1e-6), lams=[2.0 * problem.lam, problem.lam])
    assert len(path) == 2
    for solution in path:
        assert solution.status == "not converged"
        assert "max_time" in solution.history["stopped"]
        assert np.isfinite(solution.objective)
        assert solution.contradiction is None


@pytest.mark.parametrize(
    ("problem", "solver"), [(LINE, rs.Univariate()), (PLANE, rs.Grid(directions=4)), (PLANE, rs.Arrangement())]
)
def test_a_path_ends_where_its_time_does(problem, solver):
    lams = [2.0 * problem.lam, problem.lam]
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        path = rs.solve_path(problem, replace(solver, total_time=1e-6), lams=lams)
    assert [solution.problem.lam for solution in path] == lams[:1]


SHAPES = [
    [rs.Bounds(0.1, 0.4)],
    [rs.Monotone(), rs.Convex(), rs.FixedValues([0.0], [0.2])],
    [rs.FixedValues([0.1, 0.7], [0.3, -0.2]), rs.Slope(-1.0, 2.0)],
    [rs.FreeKnots([0.4]), rs.Monotone(False)],
    [rs.KnotsAt([0.2, 0.5]), rs.Lipschitz(0.3)],
    [rs.Convex(), rs.EndSlopes(-0.5, 0.7)],
]
LOSSES = [rs.Squared(), rs.Huber(0.5), rs.Logistic(), rs.Absolute(), rs.Quantile(0.8)]


@pytest.mark.parametrize(("constraints", "loss"), diagonal(SHAPES, LOSSES, times=2))
def test_constraints_hold_however_short_the_time(loss, constraints):
    """With no time for anything the answer is feasible, and the optimum's bound lies below it."""
    y = np.sign(LINE.y) if isinstance(loss, rs.Logistic) else LINE.y
    problem = rs.Problem(LINE.X, y, 0.01, loss, constraints=constraints)
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        solution = rs.solve(problem, rs.Univariate(max_time=1e-9))
    assert solution.status == "not converged"
    assert np.isfinite(solution.objective)
    assert solution.violation <= 1e-9
    assert rs.solve(problem).certificate.value <= solution.objective


@pytest.mark.parametrize("kind", [rs.Univariate, rs.Grid, rs.Arrangement])
def test_seconds_are_positive(kind):
    with pytest.raises(rs.ProblemError, match="max_time"):
        kind(max_time=0.0)
    with pytest.raises(rs.ProblemError, match="total_time"):
        kind(total_time=0.0)
