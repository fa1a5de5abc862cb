r"""The corners, at which the norm of a function sees its affine part.

.. math:: \|f\| = \sum_k |v_k| \|w_k\|_2 + |f(0)| + \sum_{j=1}^d |f(e_j) - f(0)|

The last terms are functionals of all of f, not of the coefficients :math:`c_0, c` alone. Less its affine interpolant at
the corners :math:`0, e_1, \dots, e_d` a neuron vanishes there: with
:math:`\varphi_{w,b} = \rho(w^T \cdot - b) - \ell_{w,b}` every network is

.. math:: f(x) = \sum_k v_k\, \varphi_{w_k,b_k}(x) + a_0 + \sum_j a_j x_j, \qquad
          a_0 = f(0), \quad a_j = f(e_j) - f(0),

and its norm is that of all these coefficients. So :math:`\pm\varphi_{w,b}`, :math:`\pm 1` and :math:`\pm x_j` are the
atoms of the norm, and no function is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class Corners(ReadOnly):
    r"""The corners o and :math:`o + h_j e_j`: 0 and the unit vectors, in whatever coordinates a problem has.

    Attributes
    ----------
    origin : o, where f(0) is taken, shape (d,).
    steps : h, positive, shape (d,).

    Examples
    --------
    >>> corners = Corners(np.zeros(2), np.ones(2))
    >>> corners.coefficients(np.array([1.0, 3.0, 0.5])).tolist()
    [1.0, 2.0, -0.5]
    """

    origin: Array
    steps: Array

    @property
    def points(self) -> Array:
        """The d + 1 corners, the origin first, (d + 1, d)."""
        return self.origin + np.vstack([np.zeros_like(self.steps), np.diag(self.steps)])

    def moved(self, centre: Array, scales: Array) -> Corners:
        """The same corners in the coordinates (x - centre)/scales."""
        return Corners(frozen((self.origin - centre) / scales), frozen(self.steps / scales))

    def affine(self, X: Array) -> Array:
        """The affine functions with one coefficient of one each, at the rows of X: (N, d + 1)."""
        return np.column_stack([np.ones(len(X)), (X - self.origin) / self.steps])

    def coefficients(self, values: Array) -> Array:
        """f(0) and f(e_j) - f(0) from the values at the corners, (d + 1,) or (d + 1, D)."""
        return np.concatenate([values[:1], values[1:] - values[0]])

    def vanishing(self, X: Array, W: Array, b: Array) -> Array:
        r"""The neurons less their interpolants at the corners, :math:`\varphi_{w,b}`, at the rows of X: (N, K)."""
        at_corners = self.coefficients(np.maximum(self.points @ W.T - b, 0.0))
        return np.maximum(X @ W.T - b, 0.0) - self.affine(X) @ at_corners

    def moments(self, X: Array, u: Array) -> Array:
        """What a dual vector u (N,) or (N, D) of the rows X says at the affine functions: (d + 1,) or (d + 1, D)."""
        return self.affine(X).T @ u

    def weights(self, X: Array, u: Array) -> Array:
        r"""What of u the corners take over, so that rows and corners together are orthogonal to all affine functions.

        Then :math:`\sum_n u_n \varphi_{w,b}(x_n)` is :math:`\eta` of rows and corners. (d + 1,) or (d + 1, D).
        """
        moments = self.moments(X, u)
        return np.concatenate([moments[1:].sum(axis=0, keepdims=True) - moments[:1], -moments[1:]])


def checked_norm(norm: Any, problem: Any) -> Corners | None:
    """The corners of a problem whose argument `norm` this is; None for False. ReLU, and nothing else that penalises."""
    if not isinstance(norm, bool | np.bool_):
        raise ProblemError("norm", "True or False", repr(norm), "Pass norm=True for a penalty of the affine part too.")
    if not norm:
        return None
    expected = None
    if not isinstance(problem.activation, ReLU):
        expected, got = "activation=ReLU()", repr(problem.activation)
    elif problem.in_blocks is not None:
        expected, got = "rows in memory", "rows in blocks"
    elif problem.constraints:
        expected, got = "no constraints", repr(list(problem.constraints))
    elif problem.slope_penalty:
        expected, got = "slope_penalty=0, since the norm has a penalty of the slope", f"{problem.slope_penalty:g}"
    if expected is not None:
        raise ProblemError("norm", f"{expected}, where it is True", got, "Pass norm=False.")
    return unit_corners(problem.n_features, problem.scales)


def require_seminorm(argument: str, problem: Any) -> None:
    """Raise a ProblemError for what is only known where the affine part and the biases are free."""
    for name, what in (("norm", "affine part is"), ("penalise_bias", "biases are")):
        if getattr(problem, name):
            remedy = f"Use a problem with {name}=False, or cross-validation."
            raise ProblemError(argument, f"a problem with {name}=False, whose {what} free", f"{name}=True", remedy)


def unit_corners(d: int, scales: Array | None = None) -> Corners:
    """0 and the unit vectors, or these times the scales."""
    return Corners(frozen(np.zeros(d)), frozen(np.ones(d) if scales is None else scales))
