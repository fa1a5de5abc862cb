r"""Activation patterns: which of N points a neuron can be active at.

The pattern of a neuron is :math:`(1[w^T x_n > b])_n`. The hyperplanes :math:`\{(w, b) : w^T x_n = b\}` cut the space of
all neurons into cells, one for each pattern and each one open: a neuron whose boundary passes through data points has
the pattern of the cell that a slightly larger b leads to.

Everything here is exact. Patterns do not change under affine maps of the data, so the floating-point numbers are taken
as the integers that they are in units of a power of two, and signs of determinants of integers are exact.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from itertools import combinations, islice, product
from math import comb, factorial, gcd, log2

import numpy as np
from numpy.typing import NDArray

from ridgesplines.validation import Array

#: Entries, cells times points, that are looked at together.
BLOCK_ENTRIES = 2**21


def pattern_bound(n: int, rank: int) -> int:
    r"""The most patterns, up to complement, that n distinct points of affine rank r have; reached in general position.

    .. math:: \sum_{k=0}^{r} \binom{n-1}{k}

    Notes
    -----
    The pattern that holds no point, or all, counts as one of them.

    References
    ----------
    .. [1] T. M. Cover, Geometrical and statistical properties of systems of linear inequalities with applications in
       pattern recognition, IEEE Trans. Electron. Comput. EC-14 (1965), Theorem 1, doi:10.1109/PGEC.1965.264137
    """
    return sum(comb(n - 1, k) for k in range(rank + 1))


def activation_patterns(X: Array) -> NDArray[np.bool_]:
    r"""All activation patterns of N points, one of each complementary pair.

    .. math:: \{ (1[w^T x_n > b])_{n=1}^N : w \in \mathbb{R}^d,\ b \in \mathbb{R} \}

    Parameters
    ----------
    X : the points, shape (N, d), in any position: equal, collinear, on a lattice, in a subspace.

    Returns
    -------
    NDArray[np.bool_]
        Shape (P, N), distinct rows in a fixed order; of a pattern and its complement the one that is active at the
        first point. The one that is active everywhere is among them.

    Notes
    -----
    A cell is a cone whose edges are neurons that vanish at so many points that only their multiples do. So every
    hyperplane through r affinely independent points is taken (r is the affine rank), with all points that lie on it:
    around it the points off it keep their sides, and those on it may have any pattern that they have within the
    hyperplane, which is the same question in one dimension fewer. O(2^r binom(N, r) N) in general position.

    References
    ----------
    .. [1] M. Pilanci, T. Ergen, Neural networks are convex regularizers: exact polynomial-time convex optimization
       formulations for two-layer networks, ICML 2020, https://proceedings.mlr.press/v119/pilanci20a.html
    .. [2] H. Edelsbrunner, Algorithms in combinatorial geometry, Springer 1987, doi:10.1007/978-3-642-61568-9

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.neurons.patterns import activation_patterns
    >>> activation_patterns(np.array([[0.0], [2.0], [1.0]])).astype(int)
    array([[1, 0, 0],
           [1, 0, 1],
           [1, 1, 1]])
    """
    points, place = np.unique(X + 0.0, axis=0, return_inverse=True)  # + 0.0: a zero has no sign
    patterns = _cells(_integers(points))[:, place.ravel()]
    patterns ^= ~patterns[:, :1]
    return patterns[np.lexsort(patterns.T[::-1])]


def bounding(patterns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each pattern the points that bound its cell: the inequalities that imply all others.

    Parameters
    ----------
    patterns : all patterns of distinct points, one of each complementary pair, active at the first; shape (P, N).

    Returns
    -------
    NDArray[np.bool_]
        Shape (P, N). A point bounds a cell if and only if the pattern with that point on the other side is one, too: a
        straight way between the two cells crosses no other hyperplane.
    """
    known = {row.tobytes() for row in patterns}
    bounds = np.zeros_like(patterns)
    for n in range(patterns.shape[1]):
        other = patterns.copy()
        other[:, n] ^= True
        other ^= ~other[:, :1]
        bounds[:, n] = [row.tobytes() in known for row in other]
    return bounds


def _integers(points: Array) -> Array:
    """The points as rows (x, 1) of integers, in other units; of linearly dependent columns only enough of them."""
    columns = []
    for column in points.T.tolist():
        exact = [Fraction(value) for value in column]
        unit = max(value.denominator for value in exact)  # powers of two
        whole = [int(value * unit) for value in exact]
        whole = [value - min(whole) for value in whole]
        shared = reduce(gcd, whole)
        columns.append([value // max(shared, 1) for value in whole])
    rows = [list(row) for row in zip(*columns, [1] * len(points), strict=True)]
    kept = _independent(rows)
    return np.array(rows, dtype=object)[:, kept]


def _independent(rows: list[list[int]]) -> list[int]:
    """Linearly independent columns that span all columns: the pivots of Gaussian elimination, in exact fractions."""
    left = [[Fraction(value) for value in row] for row in rows]
    pivots = []
    for j in range(len(rows[0])):
        pivot = next((row for row in left if row[j]), None)
        if pivot is None:
            continue
        pivots.append(j)
        left = [
            [value - row[j] / pivot[j] * above for value, above in zip(row, pivot, strict=True)] if row[j] else row
            for row in left
            if row is not pivot
        ]
    return pivots


def _cells(vectors: Array) -> NDArray[np.bool_]:
    """The cells of the hyperplanes orthogonal to n integer vectors of rank k, up to sign; shape (P, n).

    No vector is a multiple of another. Each cell is given by the vectors on whose positive side it lies; of a cell and
    its opposite the one on the positive side of the first vector.
    """
    n, k = vectors.shape
    if n == k:  # independent: every choice of sides
        return np.array([(True, *sides) for sides in product((False, True), repeat=n - 1)])
    vectors = vectors.astype(_enough_bits(vectors))
    cells = [np.empty((0, n), dtype=bool)]
    special: dict[bytes, NDArray[np.bool_]] = {}
    subsets = combinations(range(n), k - 1)
    step = max(1, BLOCK_ENTRIES // (n * 2 ** (k - 1)))
    while batch := list(islice(subsets, step)):
        chosen = np.array(batch)
        normals = _normals(vectors[chosen])
        sides = normals @ vectors.T
        positive, zero = sides > 0, sides == 0
        simple = zero.sum(axis=1) == k - 1
        cells.append(_distinct(_all_sides(positive[simple], chosen[simple])))
        several = ~simple & (normals != 0).any(axis=1)
        for side, on, normal in zip(positive[several], zero[several], normals[several], strict=True):
            if (key := on.tobytes()) not in special:
                special[key] = _around(vectors, side, on, normal)
    return _distinct(np.concatenate([*cells, *special.values()]))


def _enough_bits(vectors: Array) -> type:
    """int64 where no determinant can leave it, Python's integers otherwise."""
    k = vectors.shape[1]
    largest = max(1, *(abs(int(value)) for value in vectors.ravel()))
    return np.int64 if k * log2(largest) + log2(factorial(k)) < 62.0 else object


def _normals(rows: Array) -> Array:
    """A vector orthogonal to each (k - 1, k) matrix of a stack, zero where its rows are dependent; shape (m, k).

    Its entries are the minors with alternating signs, expanded row by row.
    """
    k = rows.shape[2]
    minors: dict[tuple[int, ...], Array] = {(): np.ones(len(rows), dtype=rows.dtype)}
    for i in range(k - 1):
        minors = {
            columns: sum(
                (-1) ** (i + at) * rows[:, i, j] * minors[columns[:at] + columns[at + 1 :]]
                for at, j in enumerate(columns)
            )
            for columns in combinations(range(k), i + 1)
        }
    every = tuple(range(k))
    return np.stack([(-1) ** j * minors[every[:j] + every[j + 1 :]] for j in range(k)], axis=1)


def _all_sides(positive: NDArray[np.bool_], on: Array) -> NDArray[np.bool_]:
    """Every choice of sides for the independent vectors `on`, (m, q), of each of m hyperplanes; shape (m 2^q, n)."""
    choices = np.array([*product((False, True), repeat=on.shape[1])], dtype=bool)
    cells = np.repeat(positive, len(choices), axis=0)
    np.put_along_axis(cells, np.repeat(on, len(choices), axis=0), np.tile(choices, (len(on), 1)), axis=1)
    return cells


def _around(vectors: Array, positive: NDArray[np.bool_], on: NDArray[np.bool_], normal: Array) -> NDArray[np.bool_]:
    """The cells around one hyperplane's normal, to which the vectors `on` are orthogonal.

    Where the normal has an entry that is not zero, those vectors do not need theirs.
    """
    within = _cells(np.delete(vectors[on], int(np.flatnonzero(normal)[0]), axis=1))
    within = np.concatenate([within, ~within])
    cells = np.repeat(positive[None], len(within), axis=0)
    cells[:, on] = within
    return cells


def _distinct(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One of each cell and its opposite."""
    cells = cells ^ ~cells[:, :1]
    packed = np.packbits(cells, axis=1)
    return cells[np.unique(packed, axis=0, return_index=True)[1]]
