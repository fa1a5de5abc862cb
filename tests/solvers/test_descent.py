"""The fast phase: its slide against finite differences, its rounds against the exact ones, and what it says."""

import numpy as np
import pytest
from instances import LOSSES, ids, noisy, problem
from scipy.optimize import approx_fprime

import ridgesplines as rs
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.objective import objective
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.scaling import standardise
from ridgesplines.solvers.column_generation import phases, solver, start
from ridgesplines.solvers.column_generation.descent import descent
from ridgesplines.solvers.column_generation.joint_slide import Joint, slid_together
from ridgesplines.solvers.column_generation.state import Phase

SMOOTH = [loss for loss in LOSSES if loss.smooth]


def some_neurons(p, K, seed=0):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((K, p.n_features))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, p.X[rng.integers(len(p.X), size=K)] * 0.9)
    return Neurons.of(W, b, 0.1 * rng.standard_normal((K, *p.outputs)))


@pytest.mark.parametrize("loss", SMOOTH, ids=ids)
def test_the_gradient_of_a_slide(loss):
    p = standardise(problem(loss, 40, 4, lam=0.3)).problem
    neurons = some_neurons(p, 5)
    joint = Joint(p, neurons.W, neurons.signs)
    rng = np.random.default_rng(1)
    beta = 0.1 * rng.standard_normal((p.rank, *p.outputs))
    at = np.concatenate([neurons.theta.ravel(), beta.ravel()])
    value, gradient = joint(at)
    numeric = approx_fprime(at, lambda x: joint(x)[0], 1e-7)
    assert gradient == pytest.approx(numeric, abs=2e-5 * np.abs(numeric).max())
    # The value is the objective of the network with these neurons, whose fit this is.
    Q = p.null_space
    hidden = 0.5 * np.abs(p.X @ neurons.W.T - neurons.b) @ neurons.amplitudes
    z = hidden - Q @ (Q.T @ hidden) + Q @ beta
    net = rs.RidgeSpline(neurons.W, neurons.b, neurons.amplitudes)
    affine = np.linalg.lstsq(np.column_stack([p.X, np.ones(len(p.X))]), z - net(p.X), rcond=None)[0]
    net = net.changed(slope=affine[:-1], offset=affine[-1])
    assert value == pytest.approx(objective(p, net), rel=1e-6)


@pytest.mark.parametrize("loss", SMOOTH, ids=ids)
def test_a_slide_descends_and_its_fit_is_that_of_its_neurons(loss):
    p = standardise(problem(loss, 60, 3, lam=0.3)).problem
    neurons = some_neurons(p, 6)
    Q = p.null_space
    fit = lambda n: 0.5 * np.abs(p.X @ n.W.T - n.b) @ n.amplitudes  # noqa: E731
    z = fit(neurons) - Q @ (Q.T @ fit(neurons))
    joint = Joint(p, neurons.W, neurons.signs)
    before = joint(np.concatenate([neurons.theta.ravel(), (Q.T @ z).ravel()]))[0]
    moved, affine = slid_together(p, neurons, z, 15)
    after = Joint(p, moved.W, moved.signs)(np.concatenate([moved.theta.ravel(), (Q.T @ affine).ravel()]))[0]
    assert after < before * (1.0 - 1e-3)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Huber(), rs.Logistic()], ids=ids)
def test_it_comes_near_the_optimum_of_the_exact_rounds(loss, monkeypatch):
    p = problem(loss, 70, 3, lam=1.0)
    s = standardise(p)
    *_, last = descent(s.problem, start.first_fit(s.problem), SearchOracle(s.problem.X), 1e-3)
    assert last.phase == Phase.FAST
    monkeypatch.setattr(phases, "descent", lambda *_: iter(()))
    optimum = rs.solve(p, rs.ColumnGeneration(tol=1e-9))
    assert set(optimum.history["phases"]) == {"rounds"}
    assert optimum.objective * (1.0 - 1e-9) <= last.objective * s.factor <= optimum.objective * 1.03


def test_the_history_says_what_each_round_was_and_cost(capsys):
    X, y = noisy(100, 4)
    s = rs.solve(rs.Problem(X, y, 2.0), rs.ColumnGeneration(verbose=True))
    h = s.history
    assert h["rounds"] == len(h["gaps"]) == len(h["phases"]) == len(h["seconds"])
    assert set(h["phases"]) == {"batches", "rounds"}
    assert h["phases"][0] == "batches"
    assert h["phases"][-1] == "rounds"
    assert 0.0 < sum(h["seconds"]) <= s.seconds
    printed = capsys.readouterr().err
    assert printed.count("batches") == h["phases"].count("batches")


def test_a_plane_of_many_points_ends_with_its_exact_oracle(monkeypatch):
    monkeypatch.setattr(solver, "MANY_POINTS", 100)
    X, y = noisy(150, 2)
    p = rs.Problem(X, y, 1.0)
    s = rs.solve(p)
    assert s.certificate.scope == "exact"
    assert s.relative_gap <= 1e-6
    monkeypatch.setattr(solver, "MANY_POINTS", 1000)
    assert s.objective == pytest.approx(rs.solve(p).objective, rel=1e-6)
    assert "batches" not in rs.solve(p).history["phases"]


def test_seeds_agree():
    X, y = noisy(40, 4)
    p = rs.Problem(X, y, 1.0)
    values = [rs.solve(p, rs.ColumnGeneration(tol=1e-4, random_state=k)).objective for k in range(3)]
    assert max(values) <= min(values) * (1.0 + 1e-4)


def test_what_a_search_did_not_find_is_worth_so_much():
    X, y = noisy(80, 3)
    s = rs.solve(rs.Problem(X, y, 1.0), rs.ColumnGeneration())
    M = s.certificate.starts
    assert M >= 384
    assert f"none of {M} fresh starts ended above lam (1 + 1e-06)" in s.summary()
    assert s.certificate.search_words(0.9 * s.problem.lam, 1e-6) == ""
    assert "fresh starts" not in rs.solve(rs.Problem(X[:, :2], y, 1.0)).summary()


def test_a_missed_neuron_that_the_certificate_finds_is_taken_up(monkeypatch):
    """The rounds are made to stop at the first gap that looks small, however weakly it was searched."""
    X, y = noisy(60, 3, 8)
    p = rs.Problem(X, y, 0.3)
    best = rs.solve(p, rs.ColumnGeneration(tol=1e-8))
    answers, path = [], rs.ColumnGeneration.path

    def early(self, problem, lams):
        start = rs.ColumnGeneration(tol=0.3, start=self.start)
        for answer in path(self if self.start is not None else start, problem, lams):
            answers.append(answer)
            yield rs.solvers.base.Answer(**{**vars(answer), "tolerance": self.tol, "reached": True})

    monkeypatch.setattr(rs.ColumnGeneration, "path", early)
    s = rs.solve(p, rs.ColumnGeneration(tol=1e-6))
    assert len(answers) > 1
    assert s.status == "converged"
    assert s.objective == pytest.approx(best.objective, rel=1e-5)
