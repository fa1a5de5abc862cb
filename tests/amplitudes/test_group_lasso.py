"""The group LASSO against CVXPY, and sparse refits against an enumeration of all subsets."""

from itertools import combinations

import cvxpy as cp
import numpy as np
import pytest

from ridgesplines.amplitudes.group_lasso import fewest, group_lasso, left_out, refit


def table(seed, N=40, K=12, D=3):
    """Activations as networks have them: many zeros, two columns nearly the same, lengths that differ."""
    rng = np.random.default_rng(seed)
    H = np.maximum(rng.standard_normal((N, 4)) @ rng.standard_normal((4, K)) + rng.standard_normal(K), 0.0)
    H[:, 1] = H[:, 0] + 1e-3 * rng.standard_normal(N)
    H[:, 0] += 0.1
    V = rng.standard_normal((K, D)) * (rng.random(K) < 0.5)[:, None]
    V[0] = 1.0
    return H * np.exp(rng.standard_normal(K)), H @ V + 0.01 * rng.standard_normal((N, D))


@pytest.mark.parametrize("share", [0.5, 0.03])
def test_the_minimum_of_cvxpy(share):
    H, Z = table(0)
    H = H / np.linalg.norm(H, axis=0)
    mu = share * np.linalg.norm(H.T @ Z, axis=1).max()
    V = group_lasso(H.T @ H, H.T @ Z, mu, np.zeros((12, 3)), settled=1e-11, sweeps=5000)
    variable = cp.Variable((12, 3))
    problem = cp.Problem(cp.Minimize(0.5 * cp.sum_squares(H @ variable - Z) + mu * cp.sum(cp.norm(variable, axis=1))))
    problem.solve(solver="CLARABEL")
    value = 0.5 * np.sum((H @ V - Z) ** 2) + mu * np.linalg.norm(V, axis=1).sum()
    assert value == pytest.approx(problem.value, rel=1e-7)
    assert 0 < V.any(axis=1).sum() < 12


def test_all_rows_are_zero_from_the_largest_mu_on():
    H, Z = table(1)
    largest = np.linalg.norm(H.T @ Z, axis=1).max()
    assert not group_lasso(H.T @ H, H.T @ Z, largest, np.zeros((12, 3))).any()
    assert group_lasso(H.T @ H, H.T @ Z, 0.99 * largest, np.zeros((12, 3))).any(axis=1).sum() >= 1


@pytest.mark.parametrize("seed", range(4))
def test_close_to_the_fewest_of_all_subsets(seed):
    """Within the tolerance, and at most one column more than the smallest subset that keeps it."""
    H, Z = table(seed, K=9)
    kept, V, error = fewest(H, Z, 0.1)
    assert error <= 0.1
    assert error == pytest.approx(np.linalg.norm(H[:, kept] @ V - Z) / np.linalg.norm(Z))
    subsets = (list(s) for k in range(1, 10) for s in combinations(range(9), k))
    least = next(len(subset) for subset in subsets if refit(H[:, subset], Z)[1] <= 0.1)
    assert len(kept) <= least + 1


def test_what_leaving_out_costs():
    """One column fewer: the one whose absence least squares feel least."""
    H, Z = table(2, K=6)
    errors = [refit(np.delete(H, k, axis=1), Z)[1] for k in range(6)]
    tol = (np.sort(errors)[0] + np.sort(errors)[1]) / 2.0
    rest = left_out(H.T @ H, H.T @ Z, float(np.vdot(Z, Z)), tol)
    assert set(range(6)) - set(rest.tolist()) == {int(np.argmin(errors))}
    assert refit(H[:, rest], Z)[1] <= tol


def test_none_where_even_all_do_not_reach_it():
    H, Z = table(3)
    assert fewest(H, Z, 1e-6) is None
    assert fewest(0.0 * H, Z, 0.5) is None
