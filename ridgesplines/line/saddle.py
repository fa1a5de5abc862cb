r"""The linear system of a step of the interior point, in LAPACK and compiled where numba is installed.

.. math:: \begin{pmatrix} G & C^T \\ C & -V \end{pmatrix}
          \begin{pmatrix} \theta \\ \eta \end{pmatrix} = \begin{pmatrix} r \\ \kappa \end{pmatrix}

G is tridiagonal, C takes values at the nodes to the kinks, and V is diagonal. In the order :math:`\theta_0, \theta_1,
\eta_1, \theta_2, \eta_2, \dots` the matrix has three bands on either side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lapack

from ridgesplines.line import kernels
from ridgesplines.validation import Array


class Factor(NamedTuple):
    """LU with partial pivoting, of a matrix whose rows of C are multiplied by a unit: entries of size one."""

    lu: Array
    pivots: Array
    unit: Array


def factorised(nodes: Array, grams: Array, V: Array) -> Factor:
    """The factor for c nodes, moments (3, c - 1) that G is the sum of, and V (c - 2,)."""
    width = np.diff(nodes)
    unit = np.minimum(width[:-1], width[1:])
    left, right, last = unit / width[:-1], unit / width[1:], -unit * V * unit
    if (fast := _fast(nodes)) is not None:
        lu, pivots = fast.factorised(grams, left, right, last)
        return Factor(lu, pivots, unit)
    band = np.zeros((10, 2 * len(nodes) - 2), order="F")  # entry (i, j) in row 6 + i - j
    band[6, 0], band[6, 1:-1:2], band[6, -1] = grams[0, 0], grams[0, 1:] + grams[2, :-1], grams[2, -1]
    band[6, 2::2] = last
    # Neighbours' values are two places apart, but for the first two; so is a kink from the first.
    band[5, 1] = band[7, 0] = grams[1, 0]
    band[4, 3::2] = band[8, 1:-2:2] = grams[1, 1:]
    band[4, 2:3], band[8, : len(left[:1])] = left[:1], left[:1]
    band[3, 4::2] = band[9, 1:-3:2] = left[1:]
    band[5, 2::2] = band[7, 1:-2:2] = -left - right
    band[7, 2::2] = band[5, 3::2] = right
    lu, pivots, _ = lapack.dgbtrf(band, 3, 3, overwrite_ab=True)
    return Factor(lu, pivots, unit)


def solved(factor: Factor, right: Array, kappa: Array) -> tuple[Array, Array]:
    """theta (c,) and eta (c - 2,)."""
    b = np.empty(2 * len(right) - 2)
    b[0], b[1::2], b[2::2] = right[0], right[1:], factor.unit * kappa
    if (fast := _fast(right)) is not None:
        fast.solved(factor.lu, factor.pivots, b)
    else:
        b, _ = lapack.dgbtrs(factor.lu, 3, 3, b, factor.pivots, overwrite_b=True)
    theta = np.empty(len(right))
    theta[0], theta[1:] = b[0], b[1::2]
    return theta, factor.unit * b[2::2]


def _fast(nodes: Array) -> Any:
    return kernels.fast_module(len(nodes), "line.compiled_saddle")
