"""What a network's own neurons say of a supremum."""

import numpy as np
import pytest

import ridgesplines as rs


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_power_far_from_the_data_says_nothing(d, order):
    """It is a polynomial there, eta is zero, and its rounding grew with the bias: a supremum of 12 instead of 0.1."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((30, d)), 1)
    p = rs.Problem(X, np.abs(X[:, 0]) + 0.1 * rng.standard_normal(30), 0.1, activation=rs.TruncatedPower(order))
    W = np.eye(1, d).repeat(2, axis=0)
    net = rs.RidgeSpline(W, [0.0, -3e8], [0.5, 1e-20], activation=p.activation)
    judged = rs.evaluate(p, net, max_time=0.5)
    assert judged.certificate.sup <= 1.01 * p.lam  # a dual vector is scaled to lam
    if d == 2:
        assert judged.certify(max_time=0.5).certificate.sup <= 1.01 * p.lam
