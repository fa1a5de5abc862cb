"""Weak duality: what any dual vector proves holds for any function.

Whatever u is made of, once it is projected off the affine functions and scaled to |eta| <= lam its dual value lies
below the objective of every network, for every loss, with sample weights, for vector outputs.
"""

import numpy as np
import pytest
from instances import LOSSES, diagonal, ids, targets
from tables import table

import ridgesplines as rs
from ridgesplines.certificate.certificate import certify
from ridgesplines.certificate.dual import along, best_scale, projected
from ridgesplines.network.spline import group_norms
from ridgesplines.objective import objective, objective_rounding
from ridgesplines.oracle import exact_oracle
from ridgesplines.oracle.eta import eta_at

N = 24
#: Dual vectors of all makes; the last one is no dual vector of anything.
MAKES = {
    "gaussian": lambda rng, shape: rng.standard_normal(shape),
    "sparse": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.2),
    "of one sign": lambda rng, shape: rng.random(shape),
    "signs": lambda rng, shape: np.sign(rng.standard_normal(shape)),
    "zero": lambda rng, shape: np.zeros(shape),
    "tiny": lambda rng, shape: 1e-12 * rng.standard_normal(shape),
    "huge": lambda rng, shape: 1e12 * rng.standard_normal(shape),
}
SCALAR = [loss for loss in LOSSES if not isinstance(loss, rs.Softmax)]
VECTOR = [rs.Squared(), rs.Softmax()]


def product(losses, dimensions):
    """Every make with every loss, each in one of the dimensions, in turn; in the others it is slow."""
    for i, make in enumerate(MAKES):
        for j, loss in enumerate(losses):
            for k, d in enumerate(dimensions):
                marks = [] if (i + j) % len(dimensions) == k else [pytest.mark.slow]
                yield pytest.param(make, loss, d, id=f"{make}-{loss.name}-{d}", marks=marks)


def problem_of(loss, d, seed, outputs=None, kind="rounded"):
    X, y = table(kind, N, d, seed)
    if isinstance(loss, rs.Interpolation):
        X, first = np.unique(X, axis=0, return_index=True)
        y = y[first]
    y = targets(loss, y)
    if outputs is not None and not isinstance(loss, rs.Softmax):
        y = np.column_stack([y * (k + 1.0) + X[:, 0] * k for k in range(outputs)])
    weight = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], len(X))
    weight[:4] = 1.0
    return rs.Problem(X, y, 0.3, loss, sample_weight=None if isinstance(loss, rs.Softmax) else weight)


def networks(problem, rng):
    """Functions of all sizes: networks of a few neurons, affine ones, zero; and for interpolation some that meet y."""
    p, D = problem, () if problem.n_outputs is None else (problem.n_outputs,)
    spread = float(np.abs(p.X - p.X.mean(axis=0)).max()) or 1.0
    size = float(np.abs(p.y).max()) or 1.0
    for k in [0, 1, 3, 30]:
        for scale in [0.0, 1e-3, 1.0, 1e3]:
            W = rng.standard_normal((k, p.n_features))
            b = W @ p.X.mean(axis=0) + spread * rng.standard_normal(k)
            v = scale * size / spread * rng.standard_normal((k, *D))
            slope = scale * size / spread * rng.standard_normal((p.n_features, *D))
            yield rs.RidgeSpline(W, b, v, slope, scale * size * rng.standard_normal(D))


def below_all(problem, u, rng):
    """What u proves lies below the objective of every network."""
    p = problem.reduced
    u, _ = projected(p, u)
    exact, full = exact_oracle(p.X), spread_out(problem, u)
    for net in networks(problem, rng):
        if exact is not None:
            value = certify(problem, net, full, exact).value
        else:  # weak duality for a network needs |eta| <= lam at its own neurons alone
            own = group_norms(eta_at(p.X, u, net.weights, net.biases)).max(initial=0.0)
            value = best_scale(p, u, float(own))[1]
        reached = objective(p, net)
        assert value <= reached + objective_rounding(p, net) + 1e-9 * abs(value)


def spread_out(problem, u):
    full = np.zeros((problem.n_samples, *u.shape[1:]))
    full[problem.rows] = u
    return full


@pytest.mark.parametrize(("make", "loss", "d"), list(product(SCALAR, [1, 2, 4])))
def test_any_dual_vector_lies_below_any_network(make, loss, d):
    rng = np.random.default_rng(d)
    problem = problem_of(loss, d, d)
    u = MAKES[make](rng, problem.reduced.y.shape)
    below_all(problem, u, rng)


@pytest.mark.parametrize(("make", "loss", "d"), list(product(VECTOR, [1, 2, 3])))
def test_for_vector_outputs(make, loss, d):
    rng = np.random.default_rng(d)
    problem = problem_of(loss, d, d, outputs=3)
    shape = (len(problem.reduced.y), problem.n_outputs)
    below_all(problem, MAKES[make](rng, shape), rng)


@pytest.mark.parametrize(("loss", "d"), diagonal(LOSSES, [1, 2, 3], times=2))
def test_any_dual_vector_lies_below_the_optimum(loss, d):
    rng = np.random.default_rng(d)
    problem = problem_of(loss, d, d)
    few = d == 3 and not loss.separable()
    if few:
        problem = rs.Problem(problem.X[:10], problem.y[:10], 0.3, loss)
    best = rs.solve(problem, rs.Arrangement() if few else None)
    outputs = () if problem.n_outputs is None else (problem.n_outputs,)
    for make in MAKES.values():
        u = make(rng, (problem.n_samples, *outputs))
        certificate = certify(problem, best.network, u)
        if loss.smooth:  # the fit's own dual vector may be taken instead: it is below as well
            assert certificate.value <= best.objective + best.rounding
        assert certificate.value <= best.objective * (1.0 + 1e-12) + best.rounding


@pytest.mark.parametrize("loss", LOSSES, ids=ids)
def test_the_value_is_concave_along_the_scale_and_best_where_it_is_said_to_be(loss):
    problem = problem_of(loss, 2, 0).reduced
    rng = np.random.default_rng(0)
    outputs = () if problem.n_outputs is None else (problem.n_outputs,)
    z = rng.standard_normal((len(problem.X), *outputs)) + (problem.y if loss.translates else 0.0)
    u = z if loss.interpolates else -(loss.gradient(problem.y, z).T * problem.sample_weight).T / 2.0
    u, _ = projected(problem, u)
    assert np.linalg.norm(u) > 0.1
    for sup in [0.1, 1.0, 10.0]:
        scale, value = best_scale(problem, u, sup)
        tried = np.linspace(0.0, problem.lam / sup, 400)
        values = np.array([along(problem, u)(tau) for tau in tried])
        assert 0.0 <= scale <= problem.lam / sup * (1.0 + 1e-12)
        assert value >= values[np.isfinite(values)].max() - 1e-8 * max(1.0, abs(value))
