r"""Polynomials: the null space of a sparsifying operator, its values at the data, and fits by least squares.

The operator of an activation annihilates the polynomials of total degree up to `degree` (Table 1 of [1]_): the affine
functions for ReLU, the constants for sigmoid and arctan, degree k for a truncated power of order k; nothing, -1, for
the exponential. They are never penalised.

References
----------
.. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
   doi:10.1109/MSP.2023.3286988
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import SMALLEST, Array, real_array, real_number

EPS = np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Polynomial:
    r"""Terms of degree two and more: :math:`\sum_i a_i\, ((x - m)/r)^{\alpha_i}`, in multi-index notation.

    Attributes
    ----------
    exponents : :math:`\alpha_i`, shape (P, d).
    coefficients : :math:`a_i`, shape (P,) or (P, D).
    centre, radius : m, shape (d,), and r: near the data's own, the powers neither overflow nor cancel.
    """

    exponents: NDArray[np.intp]
    coefficients: Array
    centre: Array
    radius: float

    def checked(self, shape: tuple[int, ...], degree: int) -> Polynomial:
        """The polynomial itself, if it is one of inputs and outputs of this shape, (d,) or (d, D), up to a degree."""
        which, coefficients = np.asarray(self.exponents), real_array("polynomial.coefficients", self.coefficients)
        centre = real_array("polynomial.centre", self.centre)
        real_number("polynomial.radius", self.radius, "a positive number", 0.0, open_=True)
        whole = which.ndim == 2 and which.dtype.kind == "i" and bool((which >= 0).all())
        shapes = (which.shape[1:], coefficients.shape, centre.shape)
        if not whole or shapes != (shape[:1], (len(which), *shape[1:]), shape[:1]):
            raise ProblemError(
                "polynomial",
                f"whole exponents (P, {shape[0]}), coefficients {('P', *shape[1:])}, centre {shape[:1]}",
                f"shapes {which.shape}, {coefficients.shape}, {centre.shape}, exponents of {which.dtype}",
                "Give one row of exponents and one coefficient a term.",
            )
        total = which.sum(axis=1, dtype=float)  # of floats: whole numbers of a machine may overflow
        if not ((total >= 2.0) & (total <= degree)).all():
            expected = f"terms of degree 2 to {degree}, which the activation does not penalise"
            raise ProblemError(
                "polynomial", expected, f"degrees {total.min():g} to {total.max():g}", "Leave others out."
            )
        return self

    def __call__(self, X: Array) -> Array:
        """The values at the rows of X, shape (N,) or (N, D)."""
        return powers((X - self.centre) / self.radius, self.exponents) @ self.coefficients

    def moved(self, centre: Array, radius: float, size: float) -> Polynomial:
        """size times the same polynomial at (x - centre)/radius."""
        return Polynomial(self.exponents, size * self.coefficients, centre + radius * self.centre, radius * self.radius)


def exponents(d: int, lowest: int, highest: int) -> NDArray[np.intp]:
    """The multi-indices in d variables of total degree `lowest` to `highest`, shape (P, d)."""
    rows = [
        np.bincount(np.array(chosen, dtype=int), minlength=d)
        for total in range(lowest, highest + 1)
        for chosen in combinations_with_replacement(range(d), total)
    ]
    return np.array(rows, dtype=int).reshape(len(rows), d)


def powers(X: Array, exponents: NDArray[np.intp]) -> Array:
    """The monomials at the rows of X, shape (N, P)."""
    values = np.ones((len(X), len(exponents)))
    for i in range(X.shape[1]):
        values *= X[:, i, None] ** exponents[:, i]
    return values


def polynomial_basis(X: Array, degree: int) -> Array:
    """Orthonormal basis of the values at the data of all polynomials up to a degree, with a rank tolerance."""
    if degree < 0:
        return np.empty((len(X), 0))
    if degree == 0:
        return np.full((len(X), 1), 1.0 / np.sqrt(len(X)))
    affine = affine_basis(X)
    if degree == 1:
        return affine
    # Monomials of orthonormal coordinates: the same space, whatever the scales of the columns.
    coordinates = affine[:, 1:] / max(float(np.abs(affine[:, 1:]).max(initial=0.0)), 1e-300)
    higher = powers(coordinates, exponents(coordinates.shape[1], 2, degree))
    for _ in range(2):
        higher -= affine @ (affine.T @ higher)
    left, sizes, _ = np.linalg.svd(higher, full_matrices=False)
    return np.hstack([affine, left[:, sizes > max(higher.shape) * 8.0 * EPS]])


def affine_basis(X: Array) -> Array:
    """Orthonormal basis of the column space of [1 X], with a rank tolerance; columns may differ in scale by 1e24."""
    left = _affine_coordinates(X).left
    basis = np.empty((len(X), 1 + left.shape[1]), order="F")  # tall: columns in one piece
    basis[:, 0], basis[:, 1:] = 1.0 / np.sqrt(len(X)), left
    return basis


class _Coordinates(NamedTuple):
    """The linear functions of centred data, orthonormal at the data: left = (X - centre) / spread @ right / sizes."""

    left: Array
    sizes: Array
    right: Array
    spread: Array


def _affine_coordinates(X: Array) -> _Coordinates:
    """The coordinates by a singular value decomposition, without columns that others or a constant make up to rounding.

    One decision for all that need the affine functions: their basis, and the coefficients of one of them.
    """
    n, d = X.shape
    one = np.full(n, 1.0 / np.sqrt(n))
    centred = X - X.mean(axis=0)
    spread = _largest(centred)
    alive = spread > np.maximum(8.0 * EPS * _largest(X), SMALLEST * spread.max())  # so that slopes are floats
    spread[~alive] = np.inf
    centred = centred if alive.all() else centred[:, alive]
    centred /= spread[alive]
    centred -= one[0] * (one @ centred)
    right = np.zeros((d, int(alive.sum())))
    if centred.shape[1] == 1:
        sizes = np.array([np.linalg.norm(centred)])
        right[alive] = 1.0
        centred /= sizes
        return _Coordinates(centred, sizes, right, spread)
    left, sizes, turned = np.linalg.svd(centred, full_matrices=False)
    kept = sizes > sizes.max(initial=0.0) * max(X.shape) * 8.0 * EPS
    right = np.zeros((d, int(kept.sum())))
    right[alive] = turned[kept].T
    return _Coordinates(left[:, kept], sizes[kept], right, spread)


def _largest(X: Array) -> Array:
    """The largest size in each column."""
    return np.maximum(X.max(axis=0), -X.min(axis=0))


def affine_least_squares(X: Array, z: Array) -> tuple[Array, Array]:
    """(slope, offset) of the affine function nearest to the values z at X; where X is degenerate, one without waste.

    Directions in which the data do not vary have no slope: coefficients never cancel one another.
    """
    left, sizes, right, spread = _affine_coordinates(X)
    middle = z.mean(axis=0)
    slope = right @ ((left.T @ (z - middle)).T / sizes).T
    slope = (slope.T / spread).T
    return slope, middle - X.mean(axis=0) @ slope


def least_squares(X: Array, z: Array, degree: int) -> tuple[Array, Array, Polynomial | None]:
    """(slope, offset, terms of degree two and more) of the polynomial up to a degree that is nearest to z at X."""
    slope, offset = np.zeros((X.shape[1], *z.shape[1:])), np.zeros(z.shape[1:])
    if degree < 0:
        return slope, offset, None
    if degree == 0:
        return slope, z.mean(axis=0), None
    if degree == 1:
        return *affine_least_squares(X, z), None
    centre = X.mean(axis=0)
    radius = float(np.linalg.norm(X - centre, axis=1).max()) or 1.0
    which = exponents(X.shape[1], 0, degree)
    coefficients = np.linalg.lstsq(powers((X - centre) / radius, which), z, rcond=None)[0]
    first, low = coefficients[0], 1 + X.shape[1]
    slope = coefficients[1:low] / radius
    higher = Polynomial(which[low:], coefficients[low:], centre, radius)
    return slope, first - centre @ slope, higher
