"""`Solution.certify`: proven gaps of fits in three and more dimensions, against the cone program over all patterns."""

import warnings
from functools import cache

import numpy as np
import pytest
from instances import LOSSES, noisy, problem

import ridgesplines as rs
from ridgesplines import settle
from ridgesplines.oracle import faces, search, starts
from ridgesplines.solvers.column_generation import rounds as engine

CUBE = np.argwhere(np.ones((2, 2, 2))).astype(float)
SCALAR = [loss for loss in LOSSES if not isinstance(loss, rs.Softmax)]


def both_ways(losses, quick):
    """Each loss with either scope; those that are not `quick` are slow tests."""
    return [
        pytest.param(loss, scope, marks=[] if (scope, loss.name) in quick else [pytest.mark.slow])
        for loss in losses
        for scope in ("exact", "bounded")
    ]


#: One way for each loss, so that smooth ones and ones with kinks are proven in either way.
SOME = {(("exact", "bounded")[k // 2 % 2], loss.name) for k, loss in enumerate(SCALAR)}


def shrunk(network, factor=0.9):
    """The same network with smaller amplitudes: not optimal."""
    v = factor * network.amplitudes
    return rs.RidgeSpline(network.weights, network.biases, v, network.slope, network.offset)


@pytest.fixture(params=["exact", "bounded"])
def scope(request, monkeypatch):
    """What is proven: by enumeration, or where that is taken to be slow."""
    if request.param == "bounded":
        monkeypatch.setattr(faces, "CIRCLE", np.inf)
    return request.param


@pytest.fixture
def weak(monkeypatch):
    """A search of very few starts and no exchanges."""
    fresh = starts.fresh
    monkeypatch.setattr(starts, "fresh", lambda X, number, rng, pinned: fresh(X, 1, rng, pinned))
    monkeypatch.setattr(starts, "principal", lambda X, U: np.empty((0, X.shape[1])))
    monkeypatch.setattr(starts, "around", lambda known, number, rng, **pinned: starts.nowhere(known[0].shape[1]))
    monkeypatch.setattr(search, "EXCHANGED", 0)
    monkeypatch.setattr(search, "ALL_CIRCLES", 0)
    monkeypatch.setattr(search, "STARTS_PER_DIMENSION", 1)
    monkeypatch.setattr(engine, "CONFIRMING_STARTS", 1)
    monkeypatch.setattr(settle, "AGREEING", 0)


@cache
def optimum_of(loss):
    """That over all patterns."""
    return rs.solve(problem(loss, 10, 3, lam=0.3, seed=3), rs.Arrangement())


@pytest.mark.parametrize(("loss", "scope"), both_ways(SCALAR, SOME), indirect=["scope"], ids=str)
def test_the_bound_is_below_the_optimum_over_all_patterns(loss, scope):
    optimum = optimum_of(loss)
    p = optimum.problem
    for network in (shrunk(optimum.network), optimum.network):
        searched = rs.evaluate(p, network)
        s = searched.certify(max_time=10.0)
        c = s.certificate
        assert (searched.certificate.scope, c.scope) == ("searched", scope)
        assert c.value <= optimum.objective * (1.0 + 1e-7)
        assert c.scale * c.sup <= p.lam * (1.0 + 1e-12)
        assert s.objective == searched.objective
        assert s.gap >= s.objective - optimum.objective - 1e-7 * optimum.objective
    assert s.relative_gap <= (1e-5 if loss.smooth else 1.0)


@pytest.mark.parametrize("X", [CUBE, np.vstack([CUBE, CUBE[:4]])], ids=["lattice", "duplicates"])
def test_degenerate_sets(X, scope):
    y = np.random.default_rng(0).standard_normal(len(X))
    p = rs.Problem(X, y, lam=0.2)
    best = rs.solve(p, rs.Arrangement()).objective
    s = rs.solve(p, rs.ColumnGeneration()).certify(max_time=10.0)
    assert s.certificate.value <= best * (1.0 + 1e-8)
    assert s.relative_gap <= 1e-6
    assert s.certificate.scope == scope


def test_column_generation_is_certified_and_says_so(scope):
    X, y = noisy(60, 3)
    p = rs.Problem(X, y, lam=1.0)
    s = rs.solve(p, rs.ColumnGeneration())
    c = s.certify(max_time=20.0)
    assert c.relative_gap <= 1e-6
    assert c.network is s.network
    assert (c.solver, c.status) == (s.solver, s.status)
    assert c.seconds > s.seconds
    assert "no function has an objective lower by more than this" in c.summary()
    assert f"({scope})" in c.summary()
    assert "an estimate, not a bound" in s.summary()
    again = c.certify(max_time=1e-6)
    assert again.certificate.scope == scope
    assert again.gap <= c.gap


def test_exact_scopes_stay_as_they_are():
    for d in (1, 2):
        s = rs.solve(problem(rs.Squared(), 30, d))
        assert s.certify() is s


def test_rows_without_weight_and_vector_outputs():
    X, y = noisy(20, 3)
    weights = np.where(np.arange(20) < 5, 0.0, 1.0)
    one = rs.solve(rs.Problem(X, y, 0.5, sample_weight=weights), rs.ColumnGeneration()).certify(max_time=10.0)
    other = rs.solve(rs.Problem(X[5:], y[5:], 0.5), rs.ColumnGeneration()).certify(max_time=10.0)
    assert one.certificate.value == pytest.approx(other.certificate.value, rel=1e-6)
    assert (one.certificate.dual[:5] == 0.0).all()
    Y = np.column_stack([y, X[:, 0] * y])
    s = rs.solve(rs.Problem(X, Y, 0.5), rs.ColumnGeneration()).certify(max_time=10.0)
    assert s.certificate.scope == "bounded"
    assert 0.0 <= s.relative_gap <= 0.5


def test_a_grid_is_held_against_all_neurons():
    p = problem(rs.Squared(), 20, 3)
    s = rs.solve(p, rs.Grid(directions=16))
    c = s.certify(max_time=10.0)
    best = rs.solve(p, rs.ColumnGeneration()).certify(max_time=10.0)
    assert s.objective - best.objective <= c.gap
    assert c.certificate.value <= best.objective
    assert "on the grid" in c.summary()


def test_a_time_that_is_none_is_refused():
    s = rs.solve(problem(rs.Squared(), 20, 3), rs.ColumnGeneration())
    for max_time in (0.0, -1.0, np.nan, "soon"):
        with pytest.raises(rs.ProblemError, match="max_time"):
            s.certify(max_time=max_time)


def test_progress_is_printed(capsys):
    X, y = noisy(40, 7)
    flat = rs.RidgeSpline(np.eye(1, 7), [0.0], [0.0])
    judged = rs.evaluate(rs.Problem(X, y, 1.0), flat, max_time=0.5)
    judged.certify(max_time=3.0, verbose=True, method="branch")
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all("sup|eta|/lam in [" in line and "relative gap <=" in line for line in lines)
    judged.certify(max_time=2.0, verbose=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    bounds = [line for line in lines if line.startswith("lower bound")]  # of flows; then of branches, from d = 6 on
    assert bounds
    assert all(" s  " in line for line in bounds)
    assert all("sup|eta|/lam" in line for line in lines if line not in bounds)
    proven = [float(line.split()[-1]) for line in bounds]
    assert sorted(proven) == proven


def test_an_interrupt_leaves_a_bound(monkeypatch):
    def interrupted(self, half, held):
        raise KeyboardInterrupt

    monkeypatch.setattr(faces.FaceOracle, "_on_circles", interrupted)
    s = rs.solve(problem(rs.Squared(), 20, 3), rs.ColumnGeneration())
    c = s.certify().certificate
    assert c.scope == "bounded"
    assert s.certificate.sup <= c.sup < np.inf
    assert 0.0 <= c.scale <= 1.0


MISSED = {("exact", "Squared"), ("bounded", "Logistic"), ("exact", "Absolute")}


def missed(loss):
    """A solution whose search has missed something, and what its certificate says then."""
    for seed in range(5, 35):  # the first that are missed are near the first of these
        wrong = rs.solve(problem(loss, 30, 3, seed=seed), rs.ColumnGeneration())
        assert wrong.certificate.scope == "searched"
        if wrong.status != "converged":
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            told = wrong.certify(max_time=10.0)
        if caught and told.relative_gap > 3e-6:
            (warning,) = caught
            assert issubclass(warning.category, rs.ConvergenceWarning)
            assert "missed" in str(warning.message)
            return wrong, told
    pytest.fail("so weak a search misses nothing in thirty problems")


@pytest.mark.filterwarnings("ignore::ridgesplines.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("loss", "scope"),
    both_ways([rs.Squared(), rs.Logistic(), rs.Absolute()], MISSED),
    indirect=["scope"],
    ids=str,
)
def test_what_a_search_has_missed_is_found_said_and_mended(loss, scope, weak):
    wrong, told = missed(loss)
    p = wrong.problem
    assert told.status == "not converged"
    peak = np.abs(told.certificate.eta(*told.certificate.peaks))[0]
    assert peak > wrong.certificate.sup * (1.0 + 1e-6)
    assert told.certificate.sup >= peak * (1.0 - 1e-12)
    assert told.relative_gap > 1e-6
    for _ in range(8):  # so weak a search may miss more
        mended = rs.solve(p, rs.ColumnGeneration(start=told))
        assert mended.objective <= told.objective * (1.0 + 1e-9)
        told = mended.certify(max_time=10.0)
        if told.relative_gap <= 1e-6:
            break
    assert told.relative_gap <= 1e-6
    assert mended.objective < wrong.objective


def test_a_bound_that_is_only_loose_leaves_the_status_alone():
    X, y = noisy(40, 7)
    s = rs.solve(rs.Problem(X, y, 5.0))
    assert s.status == "converged"
    c = s.certify(max_time=1e-6)
    assert (c.status, c.certificate.scope) == ("converged", "bounded")
    assert c.relative_gap > c.tolerance == 1e-6
    assert s.relative_gap <= 1e-6
