"""The gap of a network that was trained is not only a bound: where the scope is exact it is near the truth."""

import numpy as np
import pytest

import ridgesplines as rs

RNG = np.random.default_rng(3)
#: Minutes in whole numbers with ties, and a second feature in hundreds; prices in halves.
TABLE = np.column_stack([RNG.integers(0, 60, 40), 100 * RNG.integers(1, 30, 40)]).astype(float)
PRICE = np.round(2.0 * (np.abs(TABLE[:, 0] - 25.0) / 10.0 + TABLE[:, 1] / 1e3 + 0.3 * RNG.standard_normal(40))) / 2.0
LOSSES = [
    (rs.Squared(), PRICE),
    (rs.Absolute(), PRICE),
    (rs.Huber(0.5), PRICE),
    (rs.Logistic(), np.where(np.abs(TABLE[:, 0] - 30.0) + 9.0 * RNG.standard_normal(40) > 15.0, 1.0, -1.0)),
]


def above(problem, best, excess):
    """A network whose objective lies `excess` above the least, relatively: the optimum and some of a crooked one."""
    size, net = np.ptp(PRICE), best.network
    unit = TABLE[:, : problem.n_features].std(axis=0)
    w = RNG.standard_normal((6, problem.n_features)) / unit
    b = np.sum(w * problem.X[RNG.integers(40, size=6)], axis=1)
    v = size * RNG.standard_normal(6)

    def mixed(t):
        return rs.RidgeSpline(
            np.concatenate([net.weights, w]), np.concatenate([net.biases, b]), np.concatenate([net.amplitudes, t * v]),
            net.slope, net.offset,
        )  # fmt: skip

    def objective(t):
        f = mixed(t)
        fit = problem.sample_weight @ problem.loss.value(problem.y, f(problem.X))
        return fit + problem.lam * f.seminorm

    least, low, high = best.objective, 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if objective(middle) < (1.0 + excess) * least else (low, middle)
    return mixed(high), objective(high)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(
    ("loss", "y"), LOSSES, ids=lambda value: repr(value) if isinstance(value, rs.losses.Loss) else ""
)
@pytest.mark.parametrize("excess", [1e-3, 1e-2, 1e-1])
def test_the_gap_is_within_half_again_of_the_truth(d, loss, y, excess):
    problem = rs.Problem(TABLE[:, :d] / TABLE[:, :d].std(axis=0), y, 1.0, loss)
    problem = problem.with_lam(0.1 * rs.lambda_max(problem))
    best = rs.solve(problem)
    assert best.relative_gap < 1e-6  # what is compared with is the optimum
    network, objective = above(problem, best, excess)
    judged = rs.evaluate(problem, network)
    truth = objective - best.objective
    assert judged.objective == pytest.approx(objective, rel=1e-10)
    assert judged.certificate.scope == "exact"
    assert 0.999 * truth <= judged.gap + best.gap
    assert judged.gap <= 1.5 * truth
