"""The backends against each other on one dictionary: with and without the library's own refinement."""

import sys

import numpy as np
import pytest
from instances import LOSSES, diagonal, ids, problem

import ridgesplines as rs
from ridgesplines.solvers.backends import BACKENDS

CONIC = ["CLARABEL", "SCS"] + (["ECOS"] if sys.version_info < (3, 13) else [])


@pytest.mark.parametrize(("loss", "d"), diagonal([x for x in LOSSES if not isinstance(x, rs.Interpolation)], [1, 2]))
def test_backends_agree_on_objective_and_function(loss, d):
    p = problem(loss, 40, d)
    raw = {name: rs.solve(p, rs.Grid(directions=8, backend=name, refine=False)) for name in CONIC}
    reference = rs.solve(p, rs.Grid(directions=8))
    for name, solution in raw.items():
        assert solution.dictionary_gap <= BACKENDS[name].tolerance, name
        assert solution.objective == pytest.approx(reference.objective, rel=BACKENDS[name].tolerance)
        # f is determined as far as the loss is strictly convex in it; a gap g bounds it by about sqrt(g).
        if loss.smooth:
            spread = np.ptp(reference.network(p.X))
            difference = solution.network(p.X) - reference.network(p.X)
            assert np.abs(difference).max() <= (2e-2 if name == "SCS" else 1e-3) * spread


@pytest.mark.parametrize("backend", list(BACKENDS))
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_every_backend_reaches_its_tolerance_or_refuses(loss, backend):
    p = problem(loss, 30, 2)
    if backend == "ECOS" and sys.version_info >= (3, 13):
        pytest.skip("ECOS has no wheels for this Python")
    solver = rs.Grid(directions=6, backend=backend)
    needed = {loss.cone} | ({"second-order"} if p.n_outputs else set())
    first_order = isinstance(loss, rs.Interpolation) and backend in ("SCS", "OSQP")
    if first_order or not needed <= BACKENDS[backend].cones:
        with pytest.raises(rs.SolverRefusal, match=backend):
            rs.solve(p, solver)
        return
    solution = rs.solve(p, solver)
    assert solution.status == "converged"
    assert solution.dictionary_gap <= BACKENDS[backend].tolerance


def test_highs_is_silent(capfd):
    rs.solve(problem(rs.Absolute(), 20), rs.Grid(backend="HIGHS"))
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Absolute()], ids=ids)
@pytest.mark.parametrize("directions", [[[-1.0]], [[2.0], [-1.0]]], ids=["mirrored", "both"])
def test_on_a_line_all_directions_are_one(loss, directions):
    p = problem(loss, 40)
    mirrored, straight = (rs.solve(p, rs.Grid(directions=w)) for w in (directions, [[1.0]]))
    assert mirrored.objective == pytest.approx(straight.objective, rel=1e-12)
    assert mirrored.history["refined"]
    assert mirrored.network.n_neurons == straight.network.n_neurons


def test_a_path_compiles_once(monkeypatch):
    import cvxpy as cp

    compiled = []
    original = cp.Problem.get_problem_data

    def counting(self, *args, **kwargs):
        before = self._cache.param_prog
        out = original(self, *args, **kwargs)
        compiled.append(self._cache.param_prog is not before)
        return out

    monkeypatch.setattr(cp.Problem, "get_problem_data", counting)
    path = rs.solve_path(problem(rs.Squared(), 40), rs.Grid(), n_lams=8)
    assert len(path) == 8
    assert len(compiled) >= 7
    assert sum(compiled) == 1


def test_a_path_equals_its_single_fits():
    p = problem(rs.Huber(0.1), 50)
    path = rs.solve_path(p, n_lams=6)
    assert path[0].network.n_neurons == 0
    assert (np.diff(path.lams) < 0).all()
    for solution in path:
        single = rs.solve(p.with_lam(solution.problem.lam))
        assert solution.objective == pytest.approx(single.objective, rel=1e-9)
