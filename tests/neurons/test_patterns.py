"""Activation patterns against closed forms, known counts and brute force by linear programming."""

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.optimize import linprog

from ridgesplines.neurons.patterns import activation_patterns, bounding, pattern_bound


def lattice(side, d):
    return np.argwhere(np.ones((side,) * d)).astype(float)


def circle(n, d=2):
    t = 2.0 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(t), np.sin(t), np.zeros((n, d - 2))])


def margin(X, sides, without=None):
    """The largest m <= 1 with sides_n (w . x_n - b) >= m for all n, with |w|, |b| <= 100 (a linear program)."""
    rows = np.delete(np.arange(len(X)), [] if without is None else without)
    A = -np.column_stack([X, -np.ones(len(X))]) * sides[:, None]
    out = linprog(
        np.append(np.zeros(X.shape[1] + 1), -1.0),
        A_ub=np.column_stack([A, np.ones(len(X))])[rows],
        b_ub=np.zeros(len(rows)),
        bounds=[(-100.0, 100.0)] * (X.shape[1] + 1) + [(None, 1.0)],
    )
    assert out.status == 0
    return -out.fun


def brute_force(X):
    """All patterns that are active at the first point, by 2^(N-1) linear programs."""
    every = (np.array((True, *rest)) for rest in product((False, True), repeat=len(X) - 1))
    return [p for p in every if margin(X, np.where(p, 1.0, -1.0)) > 1e-6]


RNG = np.random.default_rng(0)
DEGENERATE = {
    "one point": np.zeros((1, 2)),
    "equal points": np.full((5, 3), 0.1),
    "a line": RNG.integers(-4, 5, 6)[:, None].astype(float),
    "collinear in space": np.arange(5.0)[:, None] * [1.0, -2.0, 3.0],
    "two lines": np.array([[0, 0], [1, 0], [2, 0], [3, 0], [0, 1], [1, 1], [2, 1]], dtype=float),
    "lattice": lattice(3, 2)[:8],
    "cube": lattice(2, 3),
    "duplicates": np.array([[0, 0], [1, 0], [0, 0], [0, 1], [1, 1], [1, 0], [0.5, 0.5]], dtype=float),
    "circle and centre": np.vstack([np.rint(4 * circle(4)), [[0, 0], [2, 2], [-2, -2]]]),
    "circle": circle(7),
    "plane in space": np.column_stack([lattice(3, 2)[:7], lattice(3, 2)[:7].sum(axis=1)]),
    "constant column": np.column_stack([RNG.integers(0, 3, (7, 2)), np.full(7, 5.0)]).astype(float),
    "many columns": RNG.standard_normal((5, 8)),
    "general": RNG.standard_normal((7, 3)),
    "many on every hyperplane": np.array(
        [list(row) for row in ["1101", "0112", "2101", "2012", "2202", "0012", "2010", "2000", "0102", "0110"]],
        dtype=float,
    ),
    "four dimensions": RNG.integers(0, 2, (8, 4)).astype(float),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_against_linear_programs(name):
    X = DEGENERATE[name]
    found = activation_patterns(X)
    assert {tuple(row) for row in found} == {tuple(row) for row in brute_force(X)}
    assert len(np.unique(found, axis=0)) == len(found)


@pytest.mark.parametrize(
    ("n", "d"), [(2, 1), (9, 1), (3, 2), (15, 2), (40, 2), (12, 3), (20, 3), (9, 4), (9, 6), (4, 6)]
)
def test_general_position(n, d):
    found = activation_patterns(np.random.default_rng(n).standard_normal((n, d)))
    assert len(found) == sum(comb(n - 1, k) for k in range(d + 1)) == pattern_bound(n, d)


@pytest.mark.parametrize(("d", "count"), [(1, 4), (2, 14), (3, 104), (4, 1882)])
def test_boolean_cubes_have_as_many_patterns_as_there_are_threshold_functions(d, count):
    # The numbers of threshold functions of d variables, OEIS A000609.
    assert 2 * len(activation_patterns(lattice(2, d))) == count


@pytest.mark.parametrize(("side", "count"), [(2, 14), (3, 58), (4, 174), (5, 402), (6, 838)])
def test_square_lattices(side, count):
    # Counted again: between neighbouring normals of lines through two points the projections keep their order, and
    # every cut into a lower and an upper part is a pattern.
    X = lattice(side, 2)
    normals = {(a, b) for a in range(-side, side + 1) for b in range(-side, side + 1) if (a, b) != (0, 0)}
    angles = np.unique([np.arctan2(b, a) for a, b in normals])
    between = 0.5 * (angles + np.append(angles[1:], angles[0] + 2.0 * np.pi))  # no two projections are equal here
    cuts = set()
    for t in between:
        order = np.argsort(X @ [np.cos(t), np.sin(t)])
        cuts |= {frozenset(order[:k].tolist()) for k in range(len(X) + 1)}
    assert 2 * len(activation_patterns(X)) == len(cuts) == count


def test_every_pattern_is_realised_and_starts_active():
    X = np.random.default_rng(5).standard_normal((14, 3))
    found = activation_patterns(X)
    assert found[:, 0].all()
    assert found.all(axis=1).sum() == 1
    for p in found[::7]:
        assert margin(X, np.where(p, 1.0, -1.0)) > 0.0


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 3.0, 1e12])
def test_affine_maps_of_a_lattice_change_nothing(scale):
    # Powers of two times integers: the map is exact, and so are the patterns.
    X = lattice(4, 2)
    exact = 2.0 ** np.round(np.log2(scale))
    moved = X @ [[1.0, 2.0], [-1.0, 1.0]] * exact
    assert np.array_equal(activation_patterns(moved), activation_patterns(X))


def test_the_last_bit_counts():
    # Three points on a line have 3 patterns up to complement, any three others 4.
    line = np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]])
    bent = line.copy()
    bent[1, 1] = np.nextafter(bent[1, 1], 1.0)
    assert len(activation_patterns(line)) == 3
    assert len(activation_patterns(bent)) == 4


def test_signed_zeros_are_equal():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    found = activation_patterns(X)
    assert np.array_equal(found[:, 0], found[:, 1])
    assert len(found) == 4


@pytest.mark.parametrize("name", ["general", "lattice", "cube", "circle", "two lines", "many columns"])
def test_bounding_points_imply_the_others(name):
    """Each inequality that is left out follows from the rest, each that is kept does not."""
    X = DEGENERATE[name]
    patterns = activation_patterns(X)
    bounds = bounding(patterns)
    homogeneous = np.column_stack([X, -np.ones(len(X))])
    for p, kept in zip(patterns, bounds, strict=True):
        rows = homogeneous * np.where(p, 1.0, -1.0)[:, None]
        for n in range(len(X)):
            others = kept.copy()
            others[n] = False
            low = linprog(rows[n], A_ub=-rows[others], b_ub=np.zeros(others.sum()), bounds=(-1.0, 1.0)).fun
            assert (low < -1e-9) == kept[n]
