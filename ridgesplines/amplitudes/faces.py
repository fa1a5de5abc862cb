r"""The faces on which neurons touch data: along them the objective is smooth.

A neuron of hyperplane :math:`w^T x = b` through data points has a kink there. With :math:`\theta = |a| (w, b)` it is
:math:`\theta = T c`, T a basis of the vectors that keep its points touched; with the signs of all points held,
:math:`f(x) = \sum \pm (Xw - b)_+` is linear in c and the seminorm is :math:`\sum \|(Tc)_w\|`, as in a group lasso.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.amplitudes.columns import Columns
from ridgesplines.interactions import Interactions
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Touched points count as dependent up to this, relatively.
DEPENDENT_RTOL = 1e-9


def faces(
    X: Array,
    signs: Array,
    theta: Array,
    size: Array,
    most: float = np.inf,
    groups: Interactions | None = None,
    still: Array | None = None,
    through_origin: bool = False,
) -> list[Array]:
    """For each neuron an orthonormal basis (d + 1, m) of the vectors that vanish where it touches data.

    With groups of features they vanish also in the coordinates in which it cannot move, and in those that are to keep
    `still`, (K, d); and in that of biases that are to stay zero. Of all together `most`
    unknowns, the largest neurons first; the others have their own direction alone.
    """
    bases: list[Array] = [np.empty((0, 0))] * len(size)
    d, total = X.shape[1], 0
    free = np.ones(theta.shape, dtype=bool)
    free[:, -1] = not through_origin
    if groups is not None:
        free[:, :-1] = groups.free(theta[:, :-1])
    if still is not None:
        free[:, :-1] &= ~still
    for k in np.argsort(-size, kind="stable"):
        touched = np.column_stack([X[signs[k] == 0], -np.ones(int((signs[k] == 0).sum()))])
        T = np.eye(d + 1)[:, free[k]]
        if len(touched):
            _, s, V = np.linalg.svd(touched[:, free[k]])
            T = T @ V[int((s > DEPENDENT_RTOL * s[0]).sum()) :].T
        total += T.shape[1]
        if T.shape[1] < 2 or total > most:
            T = theta[k][:, None] / np.linalg.norm(theta[k])
        bases[k] = T
    return bases


def face_columns(problem: Problem, active: Array, T: Array, owner: Array, sign: Array) -> Columns:
    """The change of the fit with each unknown."""
    X = problem.X

    def make(rows: slice) -> Array:
        moved = X[rows] @ T[:-1] - T[-1]
        return moved * (active[owner, rows].T * sign[owner])

    return Columns(problem.null_space, T.shape[1], make)
