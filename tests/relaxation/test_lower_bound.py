"""Lower bounds of the relaxation: below the optimum for every loss, and as large as an independent program says."""

import pickle

import cvxpy as cp
import numpy as np
import pytest
from instances import SCALAR, ids, noisy, targets

import ridgesplines as rs


def posed(loss, n=15, d=3, seed=0, part=0.2, weight=None):
    X, y = noisy(n, d, seed)
    problem = rs.Problem(X, targets(loss, y), 1.0, loss, sample_weight=weight)
    top = rs.lambda_max(problem)
    return problem.with_lam(part * top if np.isfinite(top) else 1.0)


@pytest.mark.parametrize("loss", SCALAR, ids=ids)
def test_below_the_optimum_and_not_far(loss):
    problem = posed(loss)
    optimum = rs.solve(problem).certify()
    bound = rs.lower_bound(problem)
    assert optimum.certificate.scope == "exact"
    assert bound.value <= optimum.objective + optimum.rounding
    assert bound.value >= 0.8 * optimum.objective
    assert bound.proof.bound * bound.scale <= problem.lam * (1.0 + 1e-9)


def by_cvxpy(problem):
    """The largest dual value under containment for squared error, in another form: dense, one large matrix each."""
    X, y, n = problem.X - problem.X.mean(axis=0), problem.y, problem.n_samples
    u, constraints = cp.Variable(n), []
    constraints += [cp.sum(u) == 0, X.T @ u == 0]
    for sign in (1.0, -1.0):
        p, m, C = cp.Variable(n, nonneg=True), cp.Variable(n, nonneg=True), cp.Variable((n, n))
        R, shares = cp.Variable((n, X.shape[1])), cp.Variable(n)
        constraints += [
            p - m == sign * u,
            0.5 * (cp.diag(p) @ X - C @ X) == R,
            p == cp.sum(C, axis=1),
            cp.sum(cp.abs(C), axis=0) <= m,
            cp.sum(shares) <= problem.lam**2,
            cp.bmat([[cp.diag(shares), R], [R.T, np.eye(X.shape[1])]]) >> 0,
        ]
    program = cp.Problem(cp.Maximize(u @ y - cp.sum_squares(u) / 4.0), constraints)
    return program.solve(solver="CLARABEL")


@pytest.mark.parametrize(("n", "d", "part"), [(12, 3, 0.1), (14, 5, 0.3)])
def test_as_large_as_another_program_says(n, d, part):
    problem = posed(rs.Squared(), n, d, part=part)
    value = by_cvxpy(problem)
    bound = rs.lower_bound(problem).value
    assert value * (1.0 - 2e-3) <= bound <= value * (1.0 + 1e-6)


def test_many_pairs_of_points_in_rounds():
    problem = posed(rs.Squared(), 140, 3, part=0.3)
    solution = rs.solve(problem)
    bound = rs.lower_bound(problem).value
    assert 0.9 * solution.objective < bound <= solution.objective


def test_rows_of_weight_zero_and_repeated_rows():
    X, y = noisy(20, 3)
    lam = 0.2 * rs.lambda_max(rs.Problem(X, y, 1.0))
    once = rs.lower_bound(rs.Problem(X, y, lam, sample_weight=np.full(20, 2.0)))
    twice = rs.lower_bound(rs.Problem(np.repeat(X, 2, axis=0), np.repeat(y, 2), lam))
    weight = np.append(np.full(20, 2.0), np.zeros(5))
    X, y = np.append(X, X[:5] + 1.0, axis=0), np.append(y, np.ones(5))
    more = rs.lower_bound(rs.Problem(X, y, lam, sample_weight=weight))
    np.testing.assert_allclose(twice.value, once.value, rtol=3e-3)
    np.testing.assert_allclose(more.value, once.value, rtol=1e-12)
    assert not more.dual[20:].any()


def test_units_do_not_matter():
    problem = posed(rs.Squared())
    bound = rs.lower_bound(problem).value
    other = rs.Problem(1e3 * problem.X + 7.0, 1e-4 * problem.y + 2.0, problem.lam * 1e-8 * 1e3 / 1e-4)
    np.testing.assert_allclose(rs.lower_bound(other).value, 1e-8 * bound, rtol=3e-3)


def test_affine_data_and_one_point():
    X = np.random.default_rng(0).standard_normal((12, 4))
    assert rs.lower_bound(rs.Problem(X, X @ [1.0, 2.0, 0.0, -1.0], 0.1)).value == pytest.approx(0.0, abs=1e-12)
    assert rs.lower_bound(rs.Problem(np.ones((3, 2)), [0.0, 1.0, 2.0], 0.1)).value == pytest.approx(2.0)


def test_short_of_time_it_is_still_a_bound():
    problem = posed(rs.Squared(), 60, 5)
    bound = rs.lower_bound(problem, max_time=1e-6)
    assert 0.0 <= bound.value <= rs.solve(problem).objective


def test_a_bound_can_be_kept(tmp_path):
    bound = rs.lower_bound(posed(rs.Squared()))
    again = pickle.loads(pickle.dumps(bound))
    assert again.value == bound.value
    bound.proof.save(tmp_path / "proof.npz")
    assert type(bound.proof).load(tmp_path / "proof.npz").bound == bound.sup


def test_certify_by_containment():
    problem = posed(rs.Squared(), 30, 8)
    solution = rs.solve(problem)
    certified = solution.certify(method="containment")
    assert certified.certificate.scope == "bounded"
    assert certified.contradiction is None
    assert 1e-4 < certified.relative_gap < 0.1
    assert certified.certificate.value == pytest.approx(rs.lower_bound(problem).value, rel=1e-9)


def test_in_eight_dimensions_sides_close_what_flows_leave_open():
    solution = rs.solve(posed(rs.Squared(), 18, 8))
    flows, certified = solution.certify(method="containment"), solution.certify(method="sides")
    assert certified.certificate.scope == "bounded"
    assert certified.contradiction is None
    assert certified.relative_gap <= min(5e-3, flows.relative_gap)


def test_short_of_time_flows_are_what_is_proven():
    solution = rs.solve(posed(rs.Squared(), 60, 8))
    certified = solution.certify(max_time=1.0)
    assert certified.certificate.value <= solution.objective
    assert certified.relative_gap < 1.0


def test_vector_outputs_are_certified_by_their_components():
    X, y = noisy(16, 7)
    problem = rs.Problem(X, np.column_stack([y, X[:, 0] * X[:, 1]]), 1.0)
    problem = problem.with_lam(0.5 * rs.lambda_max(problem))
    certified = rs.solve(problem).certify(max_time=10.0)
    assert certified.certificate.scope == "bounded"
    assert certified.relative_gap < 0.5


def test_the_axes_of_a_bound_are_starts_of_a_search():
    """Where a fit has no neuron at all, its certificate lists one along which the data bend: a solver can go on."""
    X, _ = noisy(30, 6)
    problem = rs.Problem(X, np.abs(X[:, 0]), 1.0)
    problem = problem.with_lam(0.2 * rs.lambda_max(problem))
    directions = rs.lower_bound(problem).directions
    assert np.abs(directions[:, 0]).max() > 0.95
    flat = rs.RidgeSpline(np.zeros((0, 6)), np.zeros(0), np.zeros(0), np.zeros(6), 1.0)
    certified = rs.evaluate(problem, flat).certify(method="containment")
    W, b = certified.certificate.peaks
    assert abs(W[0, 0]) > 0.9
    assert np.abs(certified.certificate.eta(W, b)).max() > 0.5 * problem.lam


def test_certify_by_one_method():
    problem = posed(rs.Squared(), 16, 3)
    solution = rs.solve(problem)
    scopes = {m: solution.certify(method=m).certificate.scope for m in ("exact", "branch", "containment", "sides")}
    assert scopes == {"exact": "exact", "branch": "bounded", "containment": "bounded", "sides": "bounded"}


def test_few_points_are_enumerated_in_any_dimension():
    solution = rs.solve(posed(rs.Squared(), 10, 7))
    assert solution.certify().certificate.scope == "exact"


def test_in_five_dimensions_the_better_of_two_ways_counts():
    solution = rs.solve(posed(rs.Squared(), 40, 5))
    both, alone = solution.certify(max_time=5.0), solution.certify(method="containment")
    assert both.certificate.scope == "bounded"
    assert both.certificate.value >= alone.certificate.value * (1.0 - 5e-3)


def test_certify_within_groups_of_three():
    X, y = noisy(40, 5)
    problem = rs.Problem(X, y, 1.0, interactions=[[0, 1, 2], [2, 3, 4]])
    problem = problem.with_lam(0.3 * rs.lambda_max(problem))
    certified = rs.solve(problem).certify(method="containment")
    assert certified.certificate.scope == "bounded"
    assert certified.relative_gap < 0.3


def test_refusals():
    X, y = noisy(60, 8)
    solution = rs.solve(rs.Problem(X, y, 20.0))
    with pytest.raises(rs.ProblemError, match="method"):
        solution.certify(method="guess")
    with pytest.raises(rs.SolverRefusal, match='method="branch"'):
        solution.certify(method="exact", max_time=0.5)
    with pytest.raises(rs.SolverRefusal, match="3000 distinct points, counted once for each output and each group"):
        rs.lower_bound(rs.Problem(X, y, 1.0, interactions=3))
    with pytest.raises(rs.SolverRefusal, match="ReLU"):
        rs.lower_bound(rs.Problem(X, y, 1.0, activation=rs.Sigmoid()))
    with pytest.raises(rs.ProblemError, match="max_time"):
        rs.lower_bound(rs.Problem(X, y, 1.0), max_time=0.0)
    with pytest.raises(rs.ProblemError, match="separate"):
        rs.lower_bound(rs.Problem(X, np.sign(X[:, 0]), 1.0, rs.Logistic()))
