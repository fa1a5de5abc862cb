"""A certificate cannot lie: what holds for every fit, on tables as people have them, whatever the loss.

No lower bound lies above an objective; no supremum lies below |eta| at a neuron that is known; and the objective is
that of the network, computed again in rational arithmetic.
"""

import sys
import warnings

import numpy as np
import pytest
from extended import objective
from instances import LOSSES
from tables import KINDS, labels, table

import ridgesplines as rs
from ridgesplines.certificate.certificate import certify
from ridgesplines.network.spline import group_norms
from ridgesplines.objective import eta_rounding
from ridgesplines.oracle import continuum_oracle
from ridgesplines.verdict import Scope

#: Seconds for a fit: what is not converged by then is held to the same.
TIME = 2.0
#: Of the slow ones, those that once failed run always: two columns that differ by 1e-6; Hinge far from zero.
FAILED_ONCE = (697, 779, 911)
SEEDS = [
    *range(24),
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(24, 48)),
    *(pytest.param(seed, marks=() if seed in FAILED_ONCE else pytest.mark.slow) for seed in range(48, 2100)),
]


def drawn(rng, seed):
    """A loss; counts take every ninth seed, so that the others keep theirs."""
    others = [loss for loss in LOSSES if not isinstance(loss, rs.Poisson)]
    loss = others[rng.integers(len(others))]
    return rs.Poisson() if seed % 9 == 8 else loss


def honest(solution):
    """What must hold, converged or not."""
    p, net, c = solution.problem, solution.network, solution.certificate
    assert solution.contradiction is None
    assert c.value <= solution.objective + solution.rounding
    assert solution.gap >= max(solution.objective - c.value, solution.rounding)
    assert solution.relative_gap > 0.0 or solution.objective == 0.0
    reached = solution.relative_gap if solution.dictionary_gap is None else solution.dictionary_gap
    assert (solution.status == "converged") == (reached <= solution.tolerance)
    u = c.dual[p.rows]
    own = np.concatenate([net.weights, c.peaks[0]]), np.concatenate([net.biases, c.peaks[1]])
    reach = np.finfo(float).eps * np.abs(own[1]).max(initial=0.0) * group_norms(u).sum()  # the digits that a bias has
    assert group_norms(c.eta(*own)).max(initial=0.0) <= c.sup + eta_rounding(p.reduced, u) + 4.0 * reach
    if p.loss.interpolates and solution.objective == np.inf:  # it does not meet the data, and says so
        assert solution.status == "not converged"
        assert solution.gap == np.inf
        return
    assert abs(solution.objective - objective(p, net)) <= solution.rounding


def test_correlated_columns():
    rng = np.random.default_rng(1)
    X = rng.uniform(-1.0, 1.0, (40, 3))
    X[:, 0] = X[:, 1] + 0.01 * X[:, 0]
    y = np.abs(X[:, 1]) + np.maximum(X[:, 2], 0.0) + 0.3 * rng.standard_normal(40)
    problem = rs.Problem(X, y, 1.0)
    solution = rs.solve(problem.with_lam(1e-3 * rs.lambda_max(problem)))
    honest(solution)
    assert solution.status == "converged"
    assert solution.objective == pytest.approx(0.4037930, rel=1e-6)


def test_terms_that_cancel_are_no_excuse():
    """No neurons, a slope of 2^50 on a constant column and an offset of -2^50: it is zero everywhere, and bad."""
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    X, y = np.column_stack([np.ones(5), x]), np.array([0.0, 1.0, 2.0, 2.0, 2.1])
    zero = rs.RidgeSpline(np.empty((0, 2)), [], [], [2.0**50, 0.0], -(2.0**50))
    problem = rs.Problem(X, y, 0.01)
    found, best = rs.evaluate(problem, zero), rs.solve(problem)
    assert found.objective == y @ y
    assert found.gap >= (y @ y - best.objective) * (1.0 - 1e-12)
    assert found.relative_gap > 0.99


@pytest.mark.parametrize("d", [2, 3])
def test_a_second_dual_vector_is_searched_only_where_it_may_prove_more(d):
    X, y = table("rounded", 40, d, 3)
    problem = rs.Problem(X, y, 0.3)
    best, rough = rs.solve(problem), rs.solve(problem.with_lam(0.6))
    oracle, looks = continuum_oracle(X), []

    def counting(u, level=None, **further):
        looks.append(u)
        return oracle(u, level, **further)

    better = certify(problem, rough.network, best.certificate.dual, counting)
    assert len(looks) == 2
    assert better.value == pytest.approx(best.objective, rel=1e-6)
    assert better.value > certify(problem, rough.network, None, counting).value
    looks.clear()
    as_good = certify(problem, best.network, rough.certificate.dual, counting, tol=0.0)
    assert len(looks) == 1
    assert as_good.value == pytest.approx(best.objective, rel=1e-6)


@pytest.mark.parametrize("shift", [0.0, 2.0**23])
def test_a_gap_does_not_vanish_where_data_are_far_from_zero(shift):
    X, y = table("rounded", 30, 2, 3)
    problem = rs.Problem(np.round(64.0 * X) / 64.0, y, 0.1)
    net = rs.solve(problem).network
    worse = net.changed(biases=np.round(2.0**20 * net.biases) / 2.0**20 + 2.0**-12)
    moved = worse.changed(
        biases=worse.biases + worse.weights.sum(axis=1) * shift, offset=worse.offset - worse.slope.sum() * shift
    )
    here = rs.evaluate(problem, worse)
    there = rs.evaluate(rs.Problem(problem.X + shift, y, 0.1), moved)
    assert here.relative_gap > 1e-8
    assert there.gap == pytest.approx(here.gap, rel=1e-2, abs=1e-7)


def test_a_contradiction_is_an_error_here_and_said_in_words_to_a_user(monkeypatch):
    """An oracle that lies about the supremum: what this library must never believe."""
    from ridgesplines.certificate import certificate

    def lies(X, *given, **more):
        def oracle(u, level=None, **search):
            return certificate.Supremum(1e-3, Scope.SEARCHED, np.eye(1, X.shape[1]), np.zeros(1))

        return oracle

    X, y = table("cars", 30, 3, 0)
    problem = rs.Problem(X, y, 1.0)
    problem = problem.with_lam(0.1 * rs.lambda_max(problem))
    monkeypatch.setattr(certificate, "known_at_neurons", lambda problem, network, u, found: found)
    monkeypatch.setattr(certificate, "continuum_oracle", lies)
    monkeypatch.setattr(
        sys.modules["ridgesplines.settle"], "looked_at", lambda problem, certificate, *peaks: certificate
    )
    with pytest.raises(rs.ContradictionWarning, match="dual value"):
        rs.solve(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ContradictionWarning)
        solution = rs.solve(problem)
    assert solution.status == "not converged"
    assert solution.gap == solution.relative_gap == np.inf
    assert "lies above the objective" in solution.contradiction
    assert "nothing is proven" in solution.summary()


def quietly(problem, time=TIME):
    """The fit of a problem, or None for classes that an affine function separates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        try:
            return rs.solve(problem, rs.ColumnGeneration(max_time=time))
        except rs.ProblemError as error:
            if not any(words in str(error) for words in ("separates", "sets apart")):
                raise
            return None


def problem_of(kind, loss, n, d, seed):
    """A problem on a table of a kind."""
    X, y = table(kind, n, d, seed)
    if isinstance(loss, rs.Interpolation):
        X, first = np.unique(X, axis=0, return_index=True)
        y = y[first]
    return rs.Problem(X, labels(loss, y, seed), 1.0, loss)


def at_some_lam(problem, rng):
    """The same at a lam between a thousandth of lambda_max and that; None for classes that are separable."""
    try:
        top = rs.lambda_max(problem)
    except rs.ProblemError as error:
        if not any(words in str(error) for words in ("separates", "sets apart")):
            raise
        return None
    return problem.with_lam(10.0 ** rng.uniform(-3.0, 0.0) * (top if 0.0 < top < np.inf else 1.0))


@pytest.mark.parametrize("seed", SEEDS)
def test_on_tables_as_people_have_them(seed):
    rng = np.random.default_rng(seed)
    kind, loss = KINDS[seed % len(KINDS)], drawn(rng, seed)
    quick = seed < 48
    d, n = int(rng.integers(2, 9)), int(rng.choice([8, 10, 12, 15] if quick else [10, 20, 40, 80, 200]))
    problem = at_some_lam(problem_of(kind, loss, n, d, seed), rng)
    solution = problem and quietly(problem, TIME / 2.0 if quick else TIME)
    if solution:
        honest(solution)


@pytest.mark.parametrize("seed", range(48))
def test_in_one_dimension_and_on_grids(seed):
    rng = np.random.default_rng(seed)
    kind, loss = KINDS[seed % len(KINDS)], drawn(rng, seed)
    d = 1 + seed % 3
    problem = problem_of(kind, loss, 30, 3, seed)
    problem = at_some_lam(
        rs.Problem(problem.X[:, -d:], problem.y, 1.0, rs.Squared() if loss.interpolates else loss), rng
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        solution = problem and rs.solve(problem, None if d == 1 else rs.Grid(directions=6))
    if solution:
        honest(solution)


@pytest.mark.parametrize("seed", SEEDS[:400])
def test_on_repeated_rows_down_to_the_smallest_lam(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 7))
    X = rng.uniform(-1.0, 1.0, (max(2, d - 1 + int(rng.integers(0, 2))), d)).repeat(3, axis=0)
    y = rng.standard_normal(len(X))
    affine = np.linalg.lstsq(np.column_stack([np.ones(len(X)), X]), y, rcond=1e-10)[0]
    least = float(((y - np.column_stack([np.ones(len(X)), X]) @ affine) ** 2).sum())
    solution = quietly(rs.Problem(X, y, 10.0 ** rng.uniform(-18.0, 1.0)))
    honest(solution)
    assert solution.objective <= least * (1.0 + 1e-12)
    assert solution.status == "converged"
    assert solution.network.n_neurons == 0
