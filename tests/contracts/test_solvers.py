"""What every solver of the registry keeps, a new one from the day on which it is written."""

import numpy as np
import pytest
from instances import LOSSES, ids, problem

import ridgesplines as rs
from ridgesplines.amplitudes.extreme_points import neuron_bound
from ridgesplines.solvers import SOLVERS


def within_reach(solver, loss=None, **more):
    """A problem that the solver takes, in one dimension or in two."""
    for d, n in ((1, 25), (2, 14)):
        p = problem(loss or rs.Squared(), n, d, **more)
        if solver.refuses(p) is None:
            return p
    raise AssertionError(f"{solver.name} takes neither one dimension nor two")


def reached(solution):
    return solution.relative_gap if solution.dictionary_gap is None else solution.dictionary_gap


@pytest.fixture(params=SOLVERS, ids=lambda kind: kind.__name__)
def solver(request):
    return request.param()


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
@pytest.mark.parametrize("d", [1, 2, 9])
def test_it_solves_or_refuses_in_words(solver, loss, d):
    p = problem(loss, 14, d)
    reason = solver.refuses(p)
    if reason is not None:
        assert isinstance(reason, rs.SolverRefusal)
        assert all(part.strip() for part in (reason.expected, reason.got, reason.remedy))
        with pytest.raises(rs.SolverRefusal):
            rs.solve(p, solver)


def test_it_keeps_its_tolerance_and_the_bound_on_neurons(solver):
    p = within_reach(solver)
    s = rs.solve(p, solver)
    assert s.status == "converged"
    assert reached(s) <= s.tolerance
    assert s.network.n_neurons <= neuron_bound(p)
    assert s.solver.startswith(solver.name)
    assert p.lam == s.problem.lam


def test_settings_are_frozen_and_the_data_stay_as_they_are(solver):
    p = within_reach(solver)
    before = p.X.copy(), p.y.copy()
    rs.solve(p, solver)
    assert (before[0] == p.X).all()
    assert (p.y == before[1]).all()
    with pytest.raises(AttributeError):
        solver.tol = 1.0


def test_it_answers_in_the_problem_s_units(solver):
    p = within_reach(solver)
    r, s = 1e3, 1e-2
    other = rs.Problem(r * p.X + 5.0 * r, s * p.y, p.lam * s * r)
    one, two = rs.solve(p, solver), rs.solve(other, solver)
    assert two.objective == pytest.approx(s**2 * one.objective, rel=1e-5)
    assert two.network(r * p.X + 5.0 * r) == pytest.approx(s * one.network(p.X), rel=1e-2, abs=1e-2 * s)


def test_a_path_is_its_fits_one_by_one(solver):
    p = within_reach(solver)
    lams = p.lam * np.array([3.0, 1.0, 0.3])
    path = rs.solve_path(p, solver, lams=lams)
    assert path.lams == pytest.approx(lams)
    for s in path:
        alone = rs.solve(p.with_lam(s.problem.lam), solver)
        assert s.objective == pytest.approx(alone.objective, rel=10.0 * s.tolerance)
