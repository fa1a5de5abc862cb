"""What rounds in the gap of a linear spline under squared error, summed in one pass over sorted points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.line import kernels
from ridgesplines.validation import Array


class Errors(NamedTuple):
    """The error of a fit as a linear spline: least + steepest (t - base), on pieces whose points begin at `first`."""

    first: NDArray[np.intp]
    base: Array
    steepest: Array
    least: Array


class Affine(NamedTuple):
    """slope (t - origin) + offset."""

    origin: float
    slope: float
    offset: float


class Sums(NamedTuple):
    """What is summed over all points.

    Attributes
    ----------
    squares : weight ((r + off)^2 - r^2 + of_value r^2) for r = \\|y - z\\|, off the error of the fit and of y - z.
    products : \\|u\\| \\|detrended\\|.
    mass, eta : the squares of the partial sums of u, and of eta summed from the left alone.
    moments : the products of u with both functions of the basis, shape (2,).
    within, beyond : what the basis and u see of the affine function less that of the targets, shapes (2,) and ().
    """

    squares: float
    products: float
    mass: float
    eta: float
    moments: Array
    within: Array
    beyond: float


def sums_of_squared_error(
    t: Array,
    weight: Array,
    fit: tuple[Array, Array],
    errors: Errors,
    affine: Affine,
    targets: tuple[Array, Array],
    basis: Array,
    u: Array,
    parts: tuple[float, float],
) -> Sums | None:
    """The sums, or None where NumPy has to take them one by one.

    Parameters
    ----------
    t, weight : the points and their weights, shape (n,).
    fit : y and z, both less the same constant.
    errors, affine : those of the spline z, and its affine part.
    targets : y, and y less its affine part.
    basis : orthonormal values of the affine functions, shape (n, 2).
    u : a dual vector.
    parts : what rounding takes of \\|y\\| + \\|z\\|, and of r^2.
    """
    if (fast := kernels.fast_module(len(t), "line.compiled_rounding")) is None:
        return None
    columns = basis[:, 0], basis[:, 1]
    found = fast.sums(t, weight, fit, tuple(errors), tuple(affine), targets, columns, u, parts)
    squares, products, mass, eta = found[:4].tolist()
    return Sums(squares, products, mass, eta, found[4:6], found[6:8], float(found[8]))
