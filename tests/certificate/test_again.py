"""Further searches: what they find raises a certificate, and sends the solver on."""

from dataclasses import replace

import numpy as np
import pytest
from instances import problem

import ridgesplines as rs
from ridgesplines import settle
from ridgesplines.certificate.again import searched_again
from ridgesplines.network.spline import group_norms
from ridgesplines.solvers.column_generation.solver import ColumnGeneration


def table(loss, N=40, seed=0):
    """Correlated, rounded, 0 or 1, constant, and repeated rows."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 1)) + 0.3 * rng.normal(size=(N, 3))
    X = np.column_stack([np.round(X, 1), X[:, 0] > 0.5, np.full(N, 3.0)])
    X[N // 2 :: 4] = X[: N // 2 : 2][: len(X[N // 2 :: 4])]
    y = np.abs(X[:, 0]) - np.maximum(X[:, 1] - 0.2, 0.0) + 0.2 * rng.normal(size=N)
    return rs.Problem(X, np.where(y > np.median(y), 1.0, -1.0) if loss.labels else y, 0.5, loss)


def weighted(**settings):
    """Some rows of weight zero, two outputs."""
    p = table(rs.Squared())
    weight = np.arange(len(p.y)) % 4.0
    return rs.Problem(p.X, np.column_stack([p.y, p.X[:, 1]]), 2.0, sample_weight=weight, **settings)


CASES = {
    **{loss.name: lambda loss=loss: table(loss) for loss in (rs.Squared(), rs.Absolute(), rs.Hinge(), rs.Huber(0.3))},
    "outputs": weighted,
    "biases": lambda: weighted(penalise_bias=True, skip=False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_supremum_that_is_too_small_is_raised_to_that_of_the_proof(case):
    p = CASES[case]()
    s = rs.solve(p, rs.ColumnGeneration(tol=1e-6))
    shrunk = s.network.changed(amplitudes=0.8 * s.network.amplitudes)
    judged = rs.evaluate(p, shrunk).certificate
    blind = replace(judged, sup=0.5 * judged.sup, peaks=(judged.peaks[0][:0], judged.peaks[1][:0]))
    raised = searched_again(p, shrunk, blind, 3)
    assert raised.sup == pytest.approx(judged.sup, rel=1e-9)
    assert raised.value == pytest.approx(judged.value, rel=1e-9)
    assert raised.starts > blind.starts
    assert group_norms(raised.eta(*raised.peaks)).max() == pytest.approx(raised.sup, rel=1e-12)


def test_what_is_proven_needs_no_further_search():
    p = problem(rs.Squared(), 20, 2)
    s = rs.solve(p)
    assert searched_again(p, s.network, s.certificate, 1) is s.certificate


@pytest.fixture
def looks(monkeypatch):
    """The certificates that were searched again; one of them gets a larger supremum, if `looks.false` says which."""

    class Looks(list):
        false = None

    seen = Looks()

    def again(p, network, certificate, *given):
        seen.append(certificate)
        raised = searched_again(p, network, certificate, *given)
        return replace(raised, value=0.5 * raised.value) if len(seen) == seen.false else raised

    monkeypatch.setattr(settle, "searched_again", again)
    return seen


def test_a_small_gap_is_believed_after_searches_that_agree(looks):
    p = table(rs.Squared())
    s = rs.solve(p, rs.ColumnGeneration())
    assert s.status == "converged"
    assert len(looks) == settle.AGREEING
    assert s.certificate.starts > looks[0].starts


def test_a_loose_gap_needs_no_further_search(looks):
    rs.solve(table(rs.Squared()), rs.ColumnGeneration(tol=1e-3))
    assert not looks


def test_without_time_there_is_no_further_search(looks):
    with pytest.warns(rs.ConvergenceWarning):
        rs.solve(table(rs.Squared()), rs.ColumnGeneration(max_time=1e-3))
    assert not looks


def test_what_a_further_search_finds_sends_the_solver_on(looks, monkeypatch):
    p, resumed = table(rs.Squared()), []
    once = rs.solve(p, rs.ColumnGeneration())
    looks.clear()
    looks.false = 2
    go_on = ColumnGeneration.resumed
    monkeypatch.setattr(ColumnGeneration, "resumed", lambda *given: resumed.append(given) or go_on(*given))
    s = rs.solve(p, rs.ColumnGeneration())
    assert len(resumed) == 1
    assert len(looks) == 2 + settle.AGREEING  # from the beginning
    assert s.history["rounds"] > once.history["rounds"]
    assert s.objective == pytest.approx(once.objective, rel=1e-6)
    assert s.status == "converged"
