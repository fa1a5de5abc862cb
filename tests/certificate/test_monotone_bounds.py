"""What a dual vector proves where features must be monotone: weak duality for whatever is suggested."""

import numpy as np
import pytest
from instances import ids, targets

import ridgesplines as rs
from ridgesplines.certificate.certificate import certify
from ridgesplines.certificate.monotone import monotone_bound, monotone_oracle
from ridgesplines.scaling import standardise

LOSSES = [rs.Squared(), rs.Huber(0.5), rs.Logistic(), rs.Absolute(), rs.Quantile(0.3), rs.Hinge()]


def posed(loss, k):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 3.0, (35, 3)) * [1.0, 10.0, 1.0] + [0.0, 50.0, 0.0]
    y = targets(loss, np.sin(X[:, 0]) + 0.1 * X[:, 1] + np.abs(X[:, 2]) + 0.3 * rng.standard_normal(35), 5)
    weight = rng.integers(0, 5, 35).astype(float)
    return rs.Problem(
        X, y, 0.5, loss, sample_weight=weight, interactions=k, constraints=[rs.MonotoneFeatures({0: 1, 1: 1})]
    )


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_no_dual_vector_proves_more_than_the_optimum(loss, k):
    problem = posed(loss, k)
    solution = rs.solve(problem)
    rng = np.random.default_rng(1)
    for size in (0.01, 0.3, 1.0, 10.0):
        for near in (0.0, 1.0):
            u = near * solution.certificate.dual + size * rng.standard_normal(problem.n_samples)
            other = certify(problem, solution.network, u) if not loss.smooth else None
            scaled = standardise(problem).problem
            bound = monotone_bound(scaled, monotone_oracle(scaled), u[standardise(problem).rows])
            value = standardise(problem).factor * bound.value
            assert value <= solution.objective + 1e-9 * abs(solution.objective)
            assert other is None or other.value <= solution.objective + 1e-9 * abs(solution.objective)


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_suggestions_are_brought_into_the_cone(loss):
    problem = standardise(posed(loss, 2)).problem
    rng, oracle = np.random.default_rng(2), monotone_oracle(problem)
    for _ in range(20):  # or given up for zero, which is in the cone, where that leaves the conjugate's domain
        bound = monotone_bound(problem, oracle, 0.3 * rng.standard_normal(problem.n_samples))
        assert np.isfinite(bound.value)
        u = bound.dual
        assert abs(u.sum()) <= 1e-12 * np.abs(u).sum()
        assert abs(u @ problem.X[:, 2]) <= 1e-12 * np.abs(u).sum()
        assert (problem.signs * (u @ problem.X)).max() <= 1e-12 * np.abs(u).sum()


@pytest.mark.parametrize("k", [1, 2])
def test_eta_is_lam_at_the_network_s_neurons(k):
    """But for neurons of one feature that share what they take, in twos."""
    solution = rs.solve(posed(rs.Squared(), k), rs.ColumnGeneration(tol=1e-10 if k == 1 else 1e-7))
    c, net, lam = solution.certificate, solution.network, solution.problem.lam
    eta = c.eta(net.weights, net.biases)
    counts = np.abs(eta) - c.multipliers.penalty(net.weights)
    assert counts.max() <= lam * (1.0 + 1e-5)
    tight = np.count_nonzero(net.weights, axis=1) == 2
    tight |= net.weights[:, 2] != 0.0
    assert counts[tight] == pytest.approx(lam, rel=1e-2)
    assert np.sign(eta[tight]) == pytest.approx(np.sign(net.amplitudes[tight]))
    far = 1e3 * np.ones(len(net.biases))
    assert (np.abs(c.eta(net.weights, far)) <= c.multipliers.penalty(net.weights) + 1e-9).all()
    assert (c.multipliers.slopes >= 0.0).all()
    assert c.multipliers.slopes[2] == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_that_is_pressed_has_a_multiplier(sign):
    X = np.random.default_rng(0).uniform(-1.0, 1.0, (30, 2))
    y = -sign * 3.0 * X[:, 0] + np.abs(X[:, 1])
    problem = rs.Problem(X, y, 0.1, interactions=1, constraints=[rs.MonotoneFeatures({0: sign})])
    solution = rs.solve(problem)
    assert solution.certificate.multipliers.slopes[0] > 0.1
    assert (solution.network.weights[:, 0] == 0.0).all()
    assert solution.network.slope[0] == 0.0
