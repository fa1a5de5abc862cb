"""Linear splines with slopes of billions beside flat pieces, held to exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

import ridgesplines as rs


def exact(net, x):
    """f at the numbers x, as fractions: what the network's numbers mean to the last bit."""
    neurons = [
        [Fraction(float(a)) for a in each] for each in zip(net.weights[:, 0], net.biases, net.amplitudes, strict=True)
    ]
    slope, offset = Fraction(float(net.slope[0])), Fraction(float(net.offset))
    points = [Fraction(float(a)) for a in x]
    return [slope * p + offset + sum(v * max(w * p - b, Fraction(0)) for w, b, v in neurons) for p in points]


def farthest(net, x, y):
    """By how much f misses the points (x, y), at most."""
    return max(float(abs(e - Fraction(float(z)))) for e, z in zip(exact(net, x), y, strict=True))


def clusters(seed, centres=4, n=12):
    rng = np.random.default_rng(seed)
    x = np.unique(rng.choice(rng.random(centres), n) + 1e-9 * rng.standard_normal(n))
    return x, rng.standard_normal(len(x))


@pytest.mark.parametrize("seed", range(4))
def test_values_are_exact_to_their_own_rounding(seed):
    x, y = clusters(seed)
    net = rs.RidgeSpline.through(x, y)
    at = np.sort(np.concatenate([x, np.random.default_rng(seed).uniform(-0.5, 1.5, 30)]))
    pieces = net.pieces()
    off = np.array([float(abs(e - Fraction(float(z)))) for e, z in zip(exact(net, at), net(at), strict=True)])
    assert (off <= pieces.rounding(at)).all()
    assert (pieces.rounding(at) <= 1e-15 * (1.0 + np.abs(net(at)))).all()


def test_a_flat_piece_between_clusters_keeps_its_digits():
    """All neurons to the right of their knots, slopes of 1e9 left the flat piece 1e-7 off."""
    x = np.array([0.1, 0.1 + 1e-9, 0.7, 0.7 + 1e-9])
    net = rs.RidgeSpline.through(x, [0.0, 1.0, 1.0 + 1e-7, 0.0])
    assert net.weights[:, 0].tolist() == [-1.0, 1.0]
    assert farthest(net, x, [0.0, 1.0, 1.0 + 1e-7, 0.0]) < 1e-15


def test_points_in_one_cluster_far_from_zero():
    """A line of slope 1e9 has an offset of 2e8, known to 3e-8; the slope's last digits make up for that."""
    x = 0.37123456789 + 1e-9 * np.array([0.1234, 1.9])
    net = rs.RidgeSpline.through(x, [0.3, -0.7])
    assert farthest(net, x, [0.3, -0.7]) < 1e-11


def test_a_first_piece_that_ends_where_it_is_small_keeps_its_digits_there():
    """It begins at -3e9, whose last digit is 4e-7: the offset of a steep line rounds by that, and shifts all pieces."""
    x = np.array([0.0026, 0.66610531, 0.66610531 + 1.3e-9, 0.66610531 + 3.1e-9, 0.66610531 + 4.7e-9])
    y = np.array([-3.2e9, -1.0, 1.0, -1.0, 1.5])
    assert farthest(rs.RidgeSpline.through(x, y), x[1:], y[1:]) < 1e-10


def test_a_straight_line_keeps_its_digits_where_a_level_is_taken_off():
    """Its offset of -4e7 less the level would be rounded to 7e-9."""
    line = rs.RidgeSpline(np.empty((0, 1)), [], [], [36745918.8339384], -36619980.02677133)
    x = np.array([0.9965727197722116, 0.9965727212391611])
    less = line.pieces(0.3).at(x)
    off = [abs(e - Fraction(0.3) - Fraction(float(z))) for e, z in zip(exact(line, x), less, strict=True)]
    assert max(map(float, off)) < 1e-16


def test_mild_slopes_stay_with_neurons_to_the_right():
    x = np.linspace(0.0, 1.0, 9)
    y = np.random.default_rng(0).standard_normal((9, 2))
    net = rs.RidgeSpline.through(x, y)
    assert (net.weights == 1.0).all()
    assert net(x) == pytest.approx(y, abs=1e-14)
