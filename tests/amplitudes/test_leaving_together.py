"""Vector amplitudes on given neurons, of which most leave: against CVXPY, and how many Hessians it takes."""

import cvxpy as cp
import numpy as np
import pytest
from instances import ids, problem

import ridgesplines as rs
from ridgesplines.amplitudes import newton
from ridgesplines.amplitudes.refit import newton_refit
from ridgesplines.objective import objective_of_fit


def best_of_these(p, W, b):
    """The least objective on these neurons, by CVXPY."""
    columns = np.maximum(p.X @ W.T - b, 0.0)
    V, C = cp.Variable((len(b), p.n_outputs)), cp.Variable((p.n_features + 1, p.n_outputs))
    z = columns @ V + np.column_stack([p.X, np.ones(len(p.X))]) @ C
    if p.loss.quadratic:
        loss = cp.sum_squares(z - p.y)
    else:
        loss = sum(cp.log_sum_exp(z[n]) - z[n, int(label)] for n, label in enumerate(p.y))
    bends = cp.sum(cp.norm(V, axis=1))
    return cp.Problem(cp.Minimize(loss + p.lam * bends)).solve(solver=cp.CLARABEL)


def along_eta(p, W, b):
    """A start so near the affine fit as where neurons join: along eta."""
    none = np.zeros((0, p.n_outputs))
    affine = newton_refit(p, W[:0], b[:0], none, np.zeros((len(p.X), p.n_outputs)))
    eta = np.maximum(p.X @ W.T - b, 0.0).T @ affine.dual
    return 1e-6 * eta / np.linalg.norm(eta, axis=1, keepdims=True), affine.network(p.X)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Softmax()], ids=ids)
def test_many_leave_at_a_time_and_what_stays_is_at_its_optimum(loss, monkeypatch):
    p = problem(loss, 40, 3, lam=1.0)
    rng = np.random.default_rng(3)
    if loss.quadratic:
        p = rs.Problem(p.X, p.y[:, None] * [1.0, 0.5, 0.0] + 0.1 * rng.standard_normal((40, 3)), 1.0)
    W = rng.standard_normal((60, 3))
    W[30:] = W[:30] + 1e-3 * rng.standard_normal((30, 3))  # every one twice, nearly
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    b = np.einsum("kd,kd->k", W, p.X[np.arange(60) % 30]) - 1e-3
    start = along_eta(p, W, b)
    hessians, derivatives = [], newton.Face.derivatives
    monkeypatch.setattr(newton.Face, "derivatives", lambda *given: hessians.append(0) or derivatives(*given))

    def objective_and_work():
        hessians.clear()
        found = newton_refit(p, W, b, *start)
        objective = objective_of_fit(p, found.network(p.X), found.network.seminorm)
        assert objective == pytest.approx(best_of_these(p, W[found.kept], b[found.kept]), rel=1e-7)
        return objective, len(hessians)

    together, few = objective_and_work()
    monkeypatch.setattr(newton, "_leaving_together", lambda *given: None)
    one_by_one, many = objective_and_work()
    assert together <= 1.01 * one_by_one  # neither has to be the best of all 60: those that are missed may join again
    assert 3 * few < many
