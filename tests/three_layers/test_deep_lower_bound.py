"""The bound on problem (34) against compositions of every kind, exact suprema, and what is known in closed form."""

import signal

import numpy as np
import pytest
from all_patterns import supremum

import ridgesplines as rs
from ridgesplines.three_layers.ball import norm
from ridgesplines.three_layers.bound import SEVERAL_BOTTLENECKS

X = np.array([-0.9, -0.4, -0.1, 0.3, 0.6, 1.0])


def random_spline(rng, d, outputs):
    width, tail = rng.integers(0, 4), () if outputs is None else (outputs,)
    W = rng.standard_normal((width, d))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    coarse = rng.random() < 0.5  # half the biases at zero, where a neuron of several features costs most
    b = rng.standard_normal(width) * (0.0 if coarse else 0.5)
    v, c = rng.standard_normal((width, *tail)), rng.standard_normal((d, *tail)) * rng.integers(0, 2)
    return rs.RidgeSpline(W, b, v, c, 0.3 * rng.standard_normal(tail))


@pytest.mark.parametrize("bottlenecks", [1, 2, 3])
def test_the_path_norm_is_at_most_the_product_of_the_norms(bottlenecks):
    """sum u f(x) <= P(f) sup_g |sum u rho(g)|, the supremum of all patterns, for u that sums to zero."""
    rng = np.random.default_rng(bottlenecks)
    kappa, ratios = 1.0 if bottlenecks == 1 else SEVERAL_BOTTLENECKS, []
    for _ in range(2):
        u = rng.standard_normal(len(X))
        u -= u.mean()
        sup = supremum(X, u)
        for _ in range(200):
            inner, outer = random_spline(rng, 1, bottlenecks), random_spline(rng, bottlenecks, None)
            product = norm(inner) * norm(outer)
            ratios.append(abs(u @ outer(inner(X))) / (product * sup) if product else 0.0)
    assert 0.2 < max(ratios) <= kappa * (1.0 + 1e-9)


def test_the_constant_for_several_bottlenecks_is_that_of_the_two_penalties():
    """min over theta of max(p (1 + theta), r (2 - theta)), the largest over p^2 + r^2 <= 1."""
    p = np.sin(np.linspace(0.0, np.pi / 2.0, 2001))[:, None]
    r, theta = np.sqrt(1.0 - p**2), np.linspace(0.0, 1.0, 2001)
    assert np.maximum(p * (1.0 + theta), r * (2.0 - theta)).min(axis=1).max() == pytest.approx(
        SEVERAL_BOTTLENECKS, rel=1e-3
    )


@pytest.fixture(scope="module")
def bound():
    y = np.array([1.0, 0.0, -0.5, 0.2, 1.1, 0.4])
    return rs.deep_lower_bound(rs.Problem(X, y, 0.05), tol=1e-3)


def test_no_composition_is_below_the_bound(bound):
    """One hidden layer at its optimum, in front of a straight line, both at balance; and anything."""
    objectives, rng = [], np.random.default_rng(0)
    for solution in rs.solve_path(bound.problem, n_lams=8):
        f = solution.network
        s = 1.0 / np.sqrt(norm(f))
        inner = rs.RidgeSpline(f.weights, f.biases, s * f.amplitudes[:, None], s * f.slope[:, None], [s * f.offset])
        outer = rs.RidgeSpline(np.empty((0, 1)), [], [], [1.0 / s])
        objectives.append(bound.objective((inner, outer)))
        fit = ((bound.problem.y - f(X)) ** 2).sum()
        assert objectives[-1] == pytest.approx(fit + 2.0 * bound.problem.lam * np.sqrt(norm(f)))
    objectives += [bound.objective((random_spline(rng, 1, 1), random_spline(rng, 1, None))) for _ in range(200)]
    assert 0.5 * min(objectives) < bound.value <= min(objectives)


def test_its_lines_hold_with_the_exact_suprema(bound):
    """Every line is what weak duality says for the dual vector at hand, and the least value is the least on a grid."""
    p = bound.problem
    for (value, sup), solution in zip(bound.lines[1:], bound.solutions, strict=True):
        u = solution.dual
        assert value == pytest.approx(u @ p.y - u @ u / 4.0)
        assert sup == pytest.approx(supremum(X, u), rel=1e-6)
    grid = np.linspace(0.0, 4.0 * bound.path_norm, 20001)
    assert bound.value <= bound.penalised(grid).min() <= bound.value * (1.0 + 1e-3)
    assert bound.value <= bound.attained <= bound.value * (1.0 + 2e-3)
    assert bound.scope == "searched"


def test_its_own_functions_are_compositions_above_it(bound):
    several = rs.DeepLowerBound(bound.problem, 2, bound.solutions)
    assert several.value < bound.value
    for solution in bound.solutions:
        layers = solution.layers()
        if layers[1].n_features > 1:
            assert several.objective(layers) > several.value
            assert 0.0 < several.relative_gap(layers) < 1.0
    text = bound.summary(
        (random_spline(np.random.default_rng(0), 1, 1), random_spline(np.random.default_rng(1), 1, None))
    )
    assert "an estimate, not a proven bound" in text
    assert "difference" in text


def test_for_large_lam_a_constant_is_best():
    y = np.array([1.0, 0.0, 0.0, 2.0, 2.0, 1.0])
    bound = rs.deep_lower_bound(rs.Problem(X, y, 50.0))
    assert bound.value == pytest.approx(((y - 1.0) ** 2).sum())
    assert bound.path_norm == 0.0
    assert len(bound.solutions) == 1


def test_a_signal_ends_all_of_it(monkeypatch):
    """Not the problem that is being solved alone, after which the next one would be."""
    p, solved = rs.Problem(X, [1.0, 0.0, -0.5, 0.2, 1.1, 0.4], 0.05), []

    def interrupted(*arguments, **named):
        solved.append(rs.solve_three_layers(*arguments, **named))
        if len(solved) == 2:
            signal.raise_signal(signal.SIGINT)
        return solved[-1]

    monkeypatch.setattr("ridgesplines.three_layers.bound.solve_three_layers", interrupted)
    assert len(rs.deep_lower_bound(p, tol=1e-3).solutions) == len(solved) == 2


def test_layers_that_do_not_fit_are_refused(bound):
    rng = np.random.default_rng(0)
    two, one = random_spline(rng, 1, 2), random_spline(rng, 2, None)
    for layers, word in (((two, one), "bottlenecks=2"), ((two,), "two RidgeSplines"), ((one, two), "two RidgeSplines")):
        with pytest.raises(rs.ProblemError, match=word):
            bound.objective(layers)
    with pytest.raises(rs.ProblemError, match="bottlenecks"):
        rs.deep_lower_bound(bound.problem, 0)
