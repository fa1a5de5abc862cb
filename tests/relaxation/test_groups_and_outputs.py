"""Lower bounds with several outputs and neurons of few features: against exact optima and an independent program."""

import pickle

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import noisy

import ridgesplines as rs
from ridgesplines.interactions import read
from ridgesplines.numerics.polynomials import affine_basis
from ridgesplines.oracle import exact_oracle
from ridgesplines.oracle.containments import Containments, Group, proof_of
from ridgesplines.oracle.flows import Flow


def at(part, problem):
    """The problem at this part of lambda_max."""
    return problem.with_lam(part * rs.lambda_max(problem))


def two_outputs(n, d, seed=0):
    X, y = noisy(n, d, seed)
    return X, np.column_stack([y, np.abs(X[:, 0]) - X[:, 1] * X[:, -1]])


def by_cvxpy(problem, basis):
    """The largest dual value where flows of each group bound each component, for squared error: dense matrices."""
    Y = problem.y.reshape(len(problem.y), -1)
    n, D = Y.shape
    groups = [list(group) for group in problem.interactions or [range(problem.n_features)]]
    u, constraints = cp.Variable((n, D)), []
    constraints += [cp.sum(u, axis=0) == 0, problem.X.T @ u == 0]
    for group in groups:
        X, bounds = problem.X[:, group] - problem.X[:, group].mean(axis=0), []
        for along in basis:
            bounds.append(cp.Variable(nonneg=True))
            for sign in (1.0, -1.0):
                C, R, shares = cp.Variable((n, n), nonneg=True), cp.Variable((n, len(group))), cp.Variable(n)
                constraints += [
                    cp.sum(C, axis=1) - cp.sum(C, axis=0) == sign * u @ along,
                    0.5 * (cp.diag(cp.sum(C, axis=1)) @ X - C @ X) == R,
                    cp.sum(shares) <= bounds[-1],
                    cp.bmat([[cp.diag(shares), R], [R.T, bounds[-1] * np.eye(len(group))]]) >> 0,
                ]
        constraints.append(cp.norm(cp.hstack(bounds)) <= problem.lam)
    program = cp.Problem(cp.Maximize(cp.sum(cp.multiply(u, Y)) - cp.sum_squares(u) / 4.0), constraints)
    return program.solve(solver="CLARABEL")


@pytest.mark.parametrize(
    ("vector", "interactions"), [(True, None), (False, [[0, 1, 2], [1, 3]])], ids=["outputs", "groups"]
)
def test_as_large_as_another_program_says(vector, interactions):
    X, Y = two_outputs(11, 4)
    problem = at(0.2, rs.Problem(X, Y if vector else Y[:, 0], 1.0, interactions=interactions))
    bound = rs.lower_bound(problem)
    value = by_cvxpy(problem, bound.basis)
    assert value * (1.0 - 4e-3) <= bound.value <= value * (1.0 + 1e-6)


@pytest.mark.parametrize("loss", [rs.Squared(), rs.Logistic(), rs.Absolute()], ids=str)
def test_pairs_below_their_optimum_and_not_far(loss):
    X, y = noisy(26, 3)
    problem = at(0.3, rs.Problem(X, np.sign(y - np.median(y)) if loss.labels else y, 1.0, loss, interactions=2))
    optimum, bound = rs.solve(problem), rs.lower_bound(problem)
    assert optimum.certificate.scope == "exact"
    assert 0.9 * optimum.objective < bound.value <= optimum.objective + optimum.rounding
    assert bound.value > rs.lower_bound(rs.Problem(X, problem.y, problem.lam, loss)).value  # of fewer functions


@pytest.mark.parametrize("labels", [False, True], ids=["Squared", "Softmax"])
def test_several_outputs_below_their_optimum(labels):
    X, Y = two_outputs(26, 2)
    if labels:
        problem = rs.Problem(X, np.digitize(Y[:, 0], np.quantile(Y[:, 0], [0.3, 0.6])), 1.0, rs.Softmax())
    else:
        problem = rs.Problem(X, Y, 1.0)
    problem = at(0.4, problem)
    optimum, bound = rs.solve(problem), rs.lower_bound(problem)
    assert optimum.certificate.scope == "exact"
    assert 0.8 * optimum.objective < bound.value <= optimum.objective + optimum.rounding
    assert bound.scale * bound.sup <= problem.lam * (1.0 + 1e-12)


def test_outputs_that_are_copies_cost_nothing():
    X, Y = two_outputs(30, 3)
    problem = at(0.2, rs.Problem(X, Y[:, 0], 1.0))
    copies = rs.Problem(X, np.column_stack([0.6 * problem.y, -0.8 * problem.y]), problem.lam)
    assert rs.lower_bound(copies).value == pytest.approx(rs.lower_bound(problem).value, rel=1e-3)


def test_groups_that_contain_all_and_columns_that_are_constant():
    X, y = noisy(20, 3)
    lam = 0.2 * rs.lambda_max(rs.Problem(X, y, 1.0))
    one = rs.lower_bound(rs.Problem(X, y, lam))
    wider = np.column_stack([X, np.full(20, 3.0), np.full(20, -1.0)])
    groups = rs.lower_bound(rs.Problem(wider, y, lam, interactions=[[0, 1, 2, 3], [3, 4]]))
    assert groups.value == pytest.approx(one.value, rel=1e-3)
    flat = rs.lower_bound(rs.Problem(np.ones((3, 2)), [0.0, 1.0, 2.0], 0.1, interactions=1))
    assert flat.value == pytest.approx(2.0)


def test_rows_of_weight_zero_and_other_units():
    X, Y = two_outputs(12, 3)
    weight = np.where(np.arange(12) < 3, 0.0, 2.0)
    problem = rs.Problem(X, Y, 0.3, sample_weight=weight, interactions=[[0, 1], [2]])
    bound = rs.lower_bound(problem)
    less = rs.lower_bound(rs.Problem(X[3:], Y[3:], 0.3, sample_weight=weight[3:], interactions=[[0, 1], [2]]))
    assert bound.value == pytest.approx(less.value, rel=1e-9)
    assert not bound.dual[:3].any()
    units = rs.Problem(1e3 * X, 1e-4 * Y, 0.3e-1, sample_weight=weight, interactions=[[0, 1], [2]])
    assert rs.lower_bound(units).value == pytest.approx(1e-8 * bound.value, rel=3e-3)


@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([None, 1, 2]), st.floats(0.0, 2.0))
@settings(max_examples=25, deadline=None)
def test_any_flows_and_any_basis_prove_something_true(seed, outputs, interactions, size):
    rng = np.random.default_rng(seed)
    d = 2 if interactions is None else 3
    X = rng.integers(-2, 3, (12, d)) if seed % 2 else rng.standard_normal((12, d)).round(1)
    X = X.astype(float)
    Q = affine_basis(X)
    u = rng.standard_normal((12, outputs))
    u -= Q @ (Q.T @ u)
    u -= Q @ (Q.T @ u)
    family = read(interactions, d)
    groups = [Group.of(X, group) for group in family or [range(d)]]
    basis = np.linalg.qr(rng.standard_normal((outputs, outputs)))[0][: rng.integers(1, outputs + 1)]

    def flow(n):
        to = np.array([[m for m in range(n) if m != k] for k in range(n)], dtype=np.intp).reshape(n, n - 1)
        return Flow(to, size * rng.exponential(size=to.shape), rng.uniform(0.1, 1.0, n))

    flows = [[(flow(len(group.points)), flow(len(group.points))) for _ in basis] for group in groups]
    bound = proof_of(groups, u, basis, flows).bound
    assert bound >= exact_oracle(X, interactions=family)(u).value - 1e-9


def test_a_proof_can_be_kept_and_damage_is_said(tmp_path):
    X, Y = two_outputs(14, 3)
    bound = rs.lower_bound(at(0.3, rs.Problem(X, Y, 1.0, interactions=2)))
    assert pickle.loads(pickle.dumps(bound)).value == bound.value
    path = tmp_path / "proof.npz"
    bound.proof.save(path)
    assert Containments.load(path).bound == bound.sup
    with np.load(path) as file:
        arrays = dict(file)
    for name, value in (("0_basis", np.eye(3)), ("1_0_back_to", arrays["1_0_back_to"] + 20), ("0_dual", None)):
        broken = {**arrays, name: value}
        np.savez(path, **{key: array for key, array in broken.items() if array is not None})
        with pytest.raises(rs.ProblemError, match="path"):
            Containments.load(path)


def test_certify_by_containment_within_groups():
    X, y = noisy(18, 5)
    solution = rs.solve(at(0.4, rs.Problem(X, y, 1.0, interactions=[[0, 1, 2], [1, 3, 4]])))
    certified = solution.certify(method="containment")
    assert certified.certificate.scope == "bounded"
    assert 0.0 < certified.relative_gap < 0.1
    assert certified.certificate.value == pytest.approx(rs.lower_bound(solution.problem).value, rel=1e-9)
