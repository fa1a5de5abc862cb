"""Absolute, Quantile and Hinge with constraints that count: few nodes and few free rows, to the optimum over all."""

import time

import numpy as np
import pytest
from formulas import constrained_minimum

import ridgesplines as rs
from ridgesplines.certificate.sites import Sites
from ridgesplines.scaling import standardise
from ridgesplines.solvers.constrained import solver as constrained
from ridgesplines.solvers.constrained.kinked import Kinked

SETS = {
    "increasing": [rs.Monotone()],
    "convex": [rs.Convex()],
    "bounds": [rs.Bounds(-0.2, 1.1)],
    "plateaus through a point": [rs.EndSlopes(0.0, 0.0), rs.FixedValues(0.5, 0.4)],
}
LOSSES = [rs.Absolute(), rs.Quantile(0.9), rs.Hinge()]


def table(n, loss, seed=0):
    """Rounded x with ties, heavy tails, weights of which some are zero."""
    rng = np.random.default_rng(seed)
    x = rng.random(n).round(4)
    y = 2.0 * np.abs(x - 0.4) + 0.3 * np.sin(20.0 * x) + 0.2 * rng.standard_t(3, n)
    y = y if loss.translates else np.where(y > np.median(y), 1.0, -1.0)
    return x, y, rng.integers(0, 4, n) / 2.0


def other_minimum(p):
    """The least objective by values at all sites and far out as unknowns, in CVXPY."""
    x = p.X[:, 0]
    return constrained_minimum(p, np.array([x.min() - 1.0, x.max() + 1.0]))


@pytest.fixture
def no_program_on_all_sites(monkeypatch):
    def refused(*_):
        raise AssertionError("all sites are unknowns")

    monkeypatch.setattr(constrained, "Program", refused)


@pytest.mark.usefixtures("no_program_on_all_sites")
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("name", SETS)
def test_the_optimum_is_that_of_a_program_on_all_sites(name, loss):
    x, y, weight = table(600, loss)
    p = rs.Problem(x, y, 0.2, loss, sample_weight=weight, constraints=SETS[name])
    s = rs.solve(p)
    assert s.status == "converged"
    assert s.relative_gap <= 1e-8
    assert s.violation <= 1e-12
    assert s.objective == pytest.approx(other_minimum(p), rel=1e-6)
    assert (np.abs(s.network.amplitudes) > 1e-8).all()


def test_multipliers_of_bounds_sit_between_the_nodes_where_eta_would_leave_its_band():
    """They need no nodes there. Each has the sign of its bound, and none is where the spline is on no bound."""
    p = standardise(rs.Problem(*table(600, rs.Absolute())[:2], 0.2, rs.Absolute(), constraints=[rs.Bounds(0.3, 0.8)]))
    problem, sites = p.problem, Sites.of(p.problem)
    engine = Kinked(problem, sites)
    *_, found = engine.exchanged(problem.lam, np.zeros(0, dtype=int), None)
    multipliers = engine.masses(found, problem.lam)
    multipliers[np.abs(multipliers) < 1e-6 * np.abs(multipliers).max()] = 0.0
    low, high = (np.abs(found.values - bound) < 1e-6 for bound in (sites.low, sites.high))
    assert (multipliers[low] >= 0.0).all()
    assert (multipliers[high] <= 0.0).all()
    assert (multipliers[~low & ~high] == 0.0).all()
    assert np.delete(multipliers, found.nodes).any()


@pytest.mark.usefixtures("no_program_on_all_sites")
def test_a_path_begins_where_the_lam_before_ended():
    x, y, _ = table(600, rs.Absolute())
    p = rs.Problem(x, y, 1.0, rs.Absolute(), constraints=[rs.Monotone(False)])
    for s in rs.solve_path(p, lams=[3.0, 0.3, 0.03]):
        assert s.relative_gap <= 1e-8
        assert s.objective == pytest.approx(rs.solve(s.problem).objective, rel=1e-8)


@pytest.mark.usefixtures("no_program_on_all_sites")
@pytest.mark.parametrize("constraints", [[rs.Monotone()], [rs.Convex()]], ids=repr)
def test_ten_thousand_points(constraints):
    """A linear program on all sites took the simplex method 20 to 40 seconds."""
    x, y, _ = table(10_000, rs.Absolute())
    p = rs.Problem(x, y, 3.0, rs.Absolute(), constraints=constraints)
    began = time.process_time()
    s = rs.solve(p)
    assert time.process_time() - began < 8.0  # 1 here
    assert s.relative_gap <= 1e-8
    began = time.process_time()
    with pytest.warns(rs.ConvergenceWarning, match="max_time"):
        early = rs.solve(p, rs.Univariate(max_time=0.1))
    assert time.process_time() - began < 1.1
    assert early.violation <= 1e-9
    assert early.objective >= s.certificate.value


@pytest.mark.parametrize(
    ("constraint", "n", "seed"), [(rs.Convex(), 40, 2), (rs.Convex(), 400, 0), (rs.Lipschitz(1.0), 12, 9)], ids=str
)
def test_lambda_max_of_data_closer_together_than_a_linear_program_sees(constraint, n, seed):
    """Clusters 1e-9 apart: rows near their kink are at it by what the program leaves, or no multipliers are found."""
    rng = np.random.default_rng(seed)
    x = rng.choice(rng.random(n // 4), n) + 1e-9 * rng.standard_normal(n)
    y = np.where(np.sin(9.0 * x) + 0.3 * rng.standard_normal(n) > 0.2, 1.0, -1.0)
    p = rs.Problem(x, y, 1.0, rs.Hinge(), constraints=[constraint])
    above, below = (rs.solve(p.with_lam(part * rs.lambda_max(p))).network.n_neurons for part in (1.01, 0.99))
    assert above == 0 < below
