"""The optimum held against itself proves that it is the optimum, for every loss and dimension; and other networks."""

import warnings

import numpy as np
import pytest
from instances import LOSSES, ids, noisy, problem

import ridgesplines as rs

#: In five dimensions one loss of each kind, and the others among the slow ones.
QUICK = (rs.Squared, rs.Logistic, rs.Hinge)
CASES = [
    pytest.param(loss, d, id=f"{loss.name}-{d}", marks=[pytest.mark.slow] if d == 5 and type(loss) not in QUICK else [])
    for loss in LOSSES
    for d in (1, 2, 3, 5)
]


@pytest.mark.parametrize(("loss", "d"), CASES)
def test_evaluate_agrees_with_solve(loss, d):
    p = problem(loss, {1: 30, 2: 20, 3: 14, 5: 25}[d], d, lam=0.3 if d > 1 else None)
    solution = rs.solve(p)
    again = rs.evaluate(p, solution.network)
    assert again.status == "evaluated"
    assert again.objective == solution.objective
    assert again.certificate.scope == solution.certificate.scope
    assert again.relative_gap <= max(1e-4, 20.0 * solution.relative_gap)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not loss.interpolates], ids=ids)
def test_far_from_the_optimum_the_gap_is_the_distance_to_it(loss, d):
    p = problem(loss, 40, d)
    best = rs.solve(p)
    net = best.network
    far = net.changed(amplitudes=2.0 * net.amplitudes, slope=net.slope + 0.5)
    found = rs.evaluate(p, far)
    assert found.network is far
    assert found.gap >= (found.objective - best.objective) * (1.0 - 1e-9)
    assert found.gap <= (found.objective - best.objective) * 1.5 + best.gap


@pytest.mark.parametrize("constraints", [[rs.Monotone()], [rs.Convex(), rs.Lipschitz(2.0)], [rs.FixedValues(0.5, 0.2)]])
def test_constraints(constraints):
    p = problem(rs.Squared(), 30, constraints=constraints)
    solution = rs.solve(p)
    assert rs.evaluate(p, solution.network).relative_gap <= max(1e-6, 20.0 * solution.relative_gap)


def test_a_network_that_leaves_the_interactions_is_refused_in_words():
    X = np.random.default_rng(0).standard_normal((20, 3))
    net = rs.RidgeSpline([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 2.0]], [0.0, 0.0, 0.1], [1.0, -1.0, 1.0])
    names = ["age", "bmi", "s1"]
    for given, words in (
        (1, "expected neurons that keep to .*, one feature at a time; got neuron 1, of the features bmi, s1"),
        (
            [["age"], ["bmi", "s1"]],
            "age; bmi and s1; got neuron 2, of the features age, s1.*interactions=None",
        ),
    ):
        p = rs.Problem(X, X[:, 0], 1.0, feature_names=names, interactions=given)
        with pytest.raises(rs.ProblemError, match=words) as caught:
            rs.evaluate(p, net)
        assert caught.value.argument == "network"
    p = rs.Problem(X, X[:, 0], 1.0, interactions=2)
    assert rs.evaluate(p, net).objective == rs.evaluate(rs.Problem(X, X[:, 0], 1.0), net).objective


@pytest.mark.parametrize("activation", [rs.ReLU(), rs.Sigmoid(0.5)], ids=repr)
def test_a_fit_of_some_features_together_agrees_with_solve(activation):
    X, y = noisy(25, 3)
    p = rs.Problem(X, y, 0.5, activation=activation, interactions=[[0, 1], [2]])
    solution = rs.solve(p, rs.Grid(directions=9))
    again = rs.evaluate(p, solution.network)
    assert p.interactions.allow(again.network.weights).all()
    assert again.objective == solution.objective
    table = rs.compare({"grid": solution, "again": again})
    assert [row["above best"] for row in table.rows()] == [0.0, 0.0]


def test_the_time_is_bounded_and_none_is_enough_for_a_smooth_loss():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 8))
    p = rs.Problem(X, np.abs(X).sum(axis=1) + 0.1 * rng.standard_normal(150), 1.0)
    zero = rs.RidgeSpline(np.empty((0, 8)), [], [])
    with warnings.catch_warnings():
        warnings.simplefilter("error", rs.ConvergenceWarning)  # the solver's haste is not the network's fault
        without, little = rs.evaluate(p, zero, max_time=0.0), rs.evaluate(p, zero, max_time=0.5)
    assert without.certificate.value <= little.certificate.value * (1.0 + 1e-12)  # it may be the same one, summed anew
    with pytest.raises(rs.ProblemError, match="max_time"):
        rs.evaluate(p, zero, max_time=-1.0)
