"""Losses with a kink in many dimensions: their envelopes, the descent on them, and linear programs that forget."""

import functools
import time

import numpy as np
import pytest
from instances import diagonal, ids
from scipy.optimize import minimize_scalar
from tables import labels, table

import ridgesplines as rs
from ridgesplines.amplitudes.central_path import CentralPath
from ridgesplines.amplitudes.design import project
from ridgesplines.neurons.working_set import Neurons, merged, sums
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.scaling import standardise
from ridgesplines.solvers.column_generation import central_cuts, descent
from ridgesplines.solvers.column_generation import continuation as envelopes
from ridgesplines.solvers.column_generation.continuation import continuation, envelope_rounds
from ridgesplines.solvers.column_generation.cutting_planes import DualProgram
from ridgesplines.solvers.column_generation.envelope import Envelope
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP, cutting_planes
from ridgesplines.solvers.column_generation.start import first_fit
from ridgesplines.solvers.column_generation.state import Phase

KINKS = [rs.Absolute(), rs.Quantile(0.9), rs.Hinge()]


def rows(loss, n=40, mu=0.3):
    """Targets and fits on both sides of the kink, and in the parabola; none where a parabola ends."""
    rng = np.random.default_rng(0)
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    centre, _, low, high = loss.box(y)
    v = rng.choice([-2.2, -0.7, -0.3, 0.3, 0.7, 2.2], n)
    return y, centre - mu * (v * (high - low) / 2.0 + (high + low) / 2.0)


def posed(kind, loss, n, d, share=0.1):
    X, y = table(kind, n, d, seed=1)
    weight = np.random.default_rng(2).integers(1, 4, n).astype(float)
    p = rs.Problem(X, labels(loss, y), 1.0, loss, sample_weight=weight)
    return p.with_lam(share * rs.lambda_max(p))


@functools.cache
def solved(loss):
    return rs.solve(posed("rounded", loss, 40, 3), rs.ColumnGeneration())


@pytest.mark.parametrize("loss", KINKS, ids=ids)
@pytest.mark.parametrize("mu", [1.0, 0.01])
def test_an_envelope_is_what_its_definition_says(loss, mu):
    y, z = rows(loss, mu=mu)
    for target, fit, value in zip(y, z, Envelope(loss, mu).value(y, z), strict=True):

        def near(other, target=target, fit=fit):
            return float(loss.value(np.array([target]), np.array([other]))[0]) + (fit - other) ** 2 / (2.0 * mu)

        answer = minimize_scalar(near, bracket=(fit - mu, fit + mu), options={"xtol": 1e-12})
        assert value == pytest.approx(answer.fun, rel=1e-7, abs=1e-9 * mu)


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_an_envelope_has_the_derivatives_that_it_says(loss):
    mu, h = 0.3, 1e-6
    e, (y, z) = Envelope(loss, mu), rows(loss)
    slope = (e.value(y, z + h) - e.value(y, z - h)) / (2.0 * h)
    assert e.gradient(y, z) == pytest.approx(slope, abs=1e-8)
    assert e.curvature(y, z) == pytest.approx((e.gradient(y, z + h) - e.gradient(y, z - h)) / (2.0 * h), abs=1e-8)
    assert 0.0 < np.mean(e.curvature(y, z) > 0.0) < 1.0
    for step in np.linspace(-3.0, 3.0, 61):
        above = e.value(y, z) + e.gradient(y, z) * step + e.majorant(y, z) * step**2 / 2.0
        assert (e.value(y, z + step) <= above + 1e-12).all()
    v = e.gradient(y, z)
    assert e.value(y, z) + e.conjugate(y, v) == pytest.approx(z * v, abs=1e-12)  # Fenchel and Young


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_its_states_are_those_of_the_loss(loss):
    p = standardise(posed("rounded", loss, 80, 4)).problem
    states = list(continuation(p, first_fit(p), SearchOracle(p.X), 1e-6))
    _, _, low, high = loss.box(p.y)
    for state in states:
        u, fit = state.fit.u, state.fit
        assert state.phase is Phase.ENVELOPE
        assert state.problem is p
        assert (p.sample_weight * low <= u).all()
        assert (u <= p.sample_weight * high).all()
        assert np.linalg.norm(p.null_space.T @ u) <= 1e-12 * np.linalg.norm(u)
        assert (
            state.objective
            == fit.objective
            == pytest.approx(p.sample_weight @ loss.value(p.y, fit.z) + p.lam * fit.neurons.sizes.sum(), rel=1e-12)
        )
        assert state.value <= state.objective
    assert states[-1].gap < 0.2 < states[0].gap


def test_an_envelope_ends_in_time():
    p = standardise(posed("rounded", rs.Absolute(), 80, 4)).problem
    assert not list(continuation(p, first_fit(p), SearchOracle(p.X), 1e-6, time.perf_counter()))


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_rounds_on_envelopes_come_near_the_optimum_that_linear_programs_find(loss, monkeypatch):
    ours = solved(loss)
    p = standardise(ours.problem).problem
    fit = list(continuation(p, first_fit(p), SearchOracle(p.X), 1e-6))[-1].fit
    assert not list(envelope_rounds(p, fit, SearchOracle(p.X), 1e-6))  # so few points do without
    monkeypatch.setattr(envelopes, "MOST_POINTS", 10)
    monkeypatch.setattr(descent, "FEW", 100.0)
    states = list(envelope_rounds(p, fit, SearchOracle(p.X), 1e-6))
    assert {state.phase for state in states} == {Phase.ENVELOPE}
    assert {state.problem for state in states} == {p}
    least = ours.objective / standardise(ours.problem).factor
    assert -1e-6 < states[-1].objective / least - 1.0 < states[-1].gap < states[0].gap
    assert states[-1].gap <= 2.0 * SLIDING_GAP
    assert not list(envelope_rounds(p, fit, SearchOracle(p.X), 1e-6, time.perf_counter()))  # no time
    again = rs.solve(ours.problem, rs.ColumnGeneration())
    phases = again.history["phases"]
    assert phases.count("envelopes") > ours.history["phases"].count("envelopes")
    assert again.relative_gap <= 1e-6
    assert again.objective == pytest.approx(ours.objective, rel=2e-6)


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_the_optimum_is_that_of_the_cutting_planes_alone(loss):
    ours = solved(loss)
    scaling = standardise(ours.problem)
    q = scaling.problem
    for state in cutting_planes(q, first_fit(q), SearchOracle(q.X, seed=1), 1e-6, np.inf):
        if state.gap <= 5e-7:
            break
    assert ours.relative_gap <= 1e-6
    assert ours.objective == pytest.approx(scaling.factor * state.objective, rel=2e-6)


@pytest.mark.parametrize(("kind", "loss"), diagonal(["repeated", "binary", "integer"], KINKS))
def test_tables_as_people_have_them(kind, loss):
    s = rs.solve(posed(kind, loss, 40, 4), rs.ColumnGeneration())
    assert s.status == "converged"
    assert s.relative_gap <= 1e-6


def test_sums_are_the_merged_neurons_that_are_several():
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (12, 3))
    W = np.eye(3)[[0, 0, 1, 2]]
    b = np.array([0.0, 1e-9, 0.1, -0.2])
    neurons = Neurons(W, b, np.array([1.0, 3.0, 1.0, 2.0]), np.ones(4))
    together, new = merged(X, neurons), sums(X, neurons)
    assert (len(together), len(new)) == (3, 1)
    assert new.b == pytest.approx([0.75e-9])


def test_idle_neurons_leave_the_program_and_its_optimum_stays():
    p = standardise(posed("rounded", rs.Absolute(), 40, 3)).problem
    rng = np.random.default_rng(0)
    W = rng.standard_normal((400, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, p.X[rng.integers(len(p.X), size=400)])
    program = DualProgram(p)
    for rows in np.split(np.arange(400), 10):
        program.offer(W[rows], b[rows])
        fits = [program.solve() for _ in range(3)]  # they leave after the first
        assert [fit.objective for fit in fits] == pytest.approx([fits[0].objective] * 3, rel=1e-9)
    assert len(program) < 200


def test_a_converged_solution_needs_no_envelopes_again():
    first = solved(KINKS[0])
    p = first.problem
    again = rs.solve(p, rs.ColumnGeneration(start=first))
    assert "envelopes" in first.history["phases"]
    assert set(again.history["phases"]) == {"cuts"}
    assert again.status == "converged"
    assert again.objective == pytest.approx(first.objective, rel=1e-6)
    weighed = rs.Problem(p.X, p.y[::-1], p.lam, p.loss)  # the same start on other data is no solution
    assert "envelopes" in rs.solve(weighed, rs.ColumnGeneration(start=first)).history["phases"]


@pytest.mark.parametrize("loss", KINKS, ids=ids)
@pytest.mark.parametrize("count", [0, 10, 120])  # none, fewer than half as many as points, and more
def test_an_interior_point_comes_as_near_to_the_optimum_of_the_simplex_method_as_it_says(loss, count, capfd):
    p = standardise(posed("integer", loss, 50, 3)).problem
    rng = np.random.default_rng(0)
    W = rng.standard_normal((count, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, p.X[rng.integers(len(p.X), size=count)])
    program, first = DualProgram(p), first_fit(p)
    program.offer(W, b)
    vertex = program.solve()
    B = project(p.null_space, np.maximum(p.X @ W.T - b, 0.0))
    point = CentralPath(p, B).follow(first.u, p.null_space.T @ first.z, np.zeros(count), 1.0, 1e-5)
    z = B @ point.a + p.null_space @ point.beta
    objective = p.sample_weight @ p.loss.value(p.y, z) + p.lam * np.abs(point.a).sum()
    assert vertex.objective * (1.0 - 1e-9) <= objective <= vertex.objective * (1.0 + 1e-5)
    assert (np.abs(B.T @ point.u) <= p.lam).all()
    assert point.slack == pytest.approx(p.lam - np.abs(B.T @ point.u), abs=1e-12)
    _, _, low, high = loss.box(p.y)
    assert (p.sample_weight * low <= point.u).all()
    assert (point.u <= p.sample_weight * high).all()
    assert "illegal value" not in "".join(capfd.readouterr())  # BLAS complains past Python


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_a_program_that_begins_at_an_interior_point_has_little_left_to_do(loss):
    p = standardise(posed("rounded", loss, 60, 3)).problem
    rng = np.random.default_rng(0)
    W = rng.standard_normal((150, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, p.X[rng.integers(len(p.X), size=150)])
    B, first = project(p.null_space, np.maximum(p.X @ W.T - b, 0.0)), first_fit(p)
    path = CentralPath(p, B)
    point = path.follow(first.u, p.null_space.T @ first.z, np.zeros(150), 1.0, 1e-4)
    point = path.follow(point.u, point.beta, point.a, 1e-4, 1e-7)
    programs = [DualProgram(p), DualProgram(p)]
    for program in programs:
        program.offer(W, b)
    programs[1].begin(point.u, B @ point.a + p.null_space @ point.beta, point.a, point.slack)
    plain, begun = (program.solve() for program in programs)
    steps = [program._highs.getInfo().simplex_iteration_count for program in programs]
    assert begun.objective == pytest.approx(plain.objective, rel=1e-9)
    assert steps[1] < 0.25 * steps[0]


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_cuts_from_between_the_vertices_lead_to_the_same_optimum(loss, monkeypatch):
    vertices = solved(loss)
    monkeypatch.setattr(central_cuts, "FEWEST_POINTS", 10)
    ours = rs.solve(vertices.problem, rs.ColumnGeneration())
    assert "interior" in ours.history["phases"]
    assert "interior" not in vertices.history["phases"]
    assert ours.relative_gap <= 1e-6
    assert ours.objective == pytest.approx(vertices.objective, rel=2e-6)


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_cuts_from_between_the_vertices_end_where_a_harder_search_agrees(loss, monkeypatch):
    monkeypatch.setattr(central_cuts, "FEWEST_POINTS", 10)
    p, harder = standardise(posed("cars", loss, 60, 3)).problem, []
    fit, oracle = list(continuation(p, first_fit(p), SearchOracle(p.X), 1e-6))[-1].fit, SearchOracle(p.X)

    def searched(u, level=None, **given):
        harder.append(given.get("afresh"))
        return oracle(u, level, **given)

    states = list(central_cuts.central_cuts(p, fit, searched, 1e-6, np.inf))
    assert states[-1].gap <= central_cuts.ENOUGH < states[0].gap
    assert harder[-1] is not None


@pytest.mark.parametrize("loss", KINKS, ids=ids)
def test_an_answer_from_between_the_vertices_has_the_neurons_of_one(loss):
    problem = posed("rounded", loss, 320, 4)
    loose, tight = (rs.solve(problem, rs.ColumnGeneration(tol=tol)) for tol in (1e-3, 1e-6))
    assert loose.history["phases"][-1] == "interior"
    assert loose.network.n_neurons <= 1.5 * tight.network.n_neurons
    assert loose.relative_gap <= 1e-3
