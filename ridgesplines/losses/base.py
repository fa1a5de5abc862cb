r"""The base class of losses: convex functions of the fit, with everything that a certificate needs to know of them."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array, real_array


class Loss(ABC):
    r"""A loss :math:`L(y, z)`, convex in the fit :math:`z`.

    A new loss is one subclass in a file of its own and one line in ``losses/__init__.py``. Its methods are
    vectorised over rows: `y` and `z` have shape (N,), or `z` has shape (N, D) for vector outputs.

    Attributes
    ----------
    cone : the cone that its epigraph needs: ``"linear"``, ``"quadratic"`` or ``"exponential"``.
    smooth : whether the gradient determines the dual vector, and Newton steps make sense.
    vector : whether fits with D outputs are allowed.
    interpolates : whether the loss is the indicator of z = y, infinite elsewhere.
    invariant : whether a function common to all outputs changes nothing, as for logits.
    translates : whether :math:`L(y + t, z + t) = L(y, z)`, as for regression.
    quadratic : whether the loss is the square of y - z: a parabola in z, its own second-order model.
    lipschitz : M with :math:`|L'(y, z) - L'(y, z')| \le M |z - z'|`, or None where there is no such number.
    labels : whether targets are labels of classes, rather than numbers.
    likelihood : whether it is, but for constants, the negative log-likelihood of a distribution of noise.
    link : the name of the function of the mean that a fit is, empty where it is the mean itself.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> loss, y, z, v = rs.Huber(), np.zeros(3), np.array([-2.0, 0.5, 3.0]), np.array([-2.0, 1.0, 2.0])
    >>> bool(np.all(loss.value(y, z) + loss.conjugate(y, v) >= z * v))  # Fenchel and Young
    True
    """

    cone: ClassVar[str]
    smooth: ClassVar[bool] = True
    vector: ClassVar[bool] = False
    interpolates: ClassVar[bool] = False
    invariant: ClassVar[bool] = False
    translates: ClassVar[bool] = True
    quadratic: ClassVar[bool] = False
    lipschitz: ClassVar[float | None] = None
    labels: ClassVar[bool] = False
    likelihood: ClassVar[bool] = False
    link: ClassVar[str] = ""

    @property
    def name(self) -> str:
        return type(self).__name__

    def check(self, y: Any) -> Array:
        """Targets as an array, or a ProblemError that says what was expected."""
        y = real_array("y", y)
        if y.ndim == 2 and y.shape[1] == 1:  # a column is one output
            return y[:, 0]
        if y.ndim == 2 and self.vector:
            return y
        if y.ndim != 1:
            raise ProblemError(
                "y",
                "shape (N,) or (N, D)" if self.vector else f"shape (N,) for {self.name}",
                f"shape {y.shape}",
                "Fit one output at a time, or use Squared or Softmax.",
            )
        return y

    def n_outputs(self, y: Array) -> int | None:
        """The number D of outputs, or None for a scalar fit."""
        return y.shape[1] if y.ndim == 2 else None

    @abstractmethod
    def value(self, y: Array, z: Array) -> Array:
        """:math:`L(y_n, z_n)`, shape (N,): one formula for arrays and for tensors of PyTorch."""

    @abstractmethod
    def gradient(self, y: Array, z: Array) -> Array:
        r""":math:`\partial L/\partial z`, like `z`; a subgradient where the loss has a kink."""

    def curvature(self, y: Array, z: Array) -> Array:
        r""":math:`\partial^2 L/\partial z^2`, shape (N,), or (N, D, D) for vector outputs. Smooth losses only."""
        raise NotImplementedError(f"{self.name} has no second derivative")

    def majorant(self, y: Array, z: Array) -> Array:
        """Curvature of a parabola that touches the loss at z and lies above it everywhere: a step that must descend.

        Where the curvature is unbounded, up to the larger of z and the loss's own minimiser: steps may need shortening.
        """
        return self.curvature(y, z)

    @abstractmethod
    def conjugate(self, y: Array, v: Array) -> Array:
        r""":math:`L^*(y, v) = \sup_z\, v z - L(y, z)`, shape (N,); infinite outside its domain."""

    def nearest(self, y: Array, v: Array) -> Array:
        """`v` moved into the conjugate's domain, which rounding may have left."""
        return v

    @abstractmethod
    def room(self, y: Array, v: Array) -> Array:
        """The distance that `v` may move inside the conjugate's domain: a metric, shape (N,) or (N, D, D).

        It vanishes on the boundary, so that a correction measured by it cannot leave the domain.
        """

    @abstractmethod
    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        """The weighted sum of the losses as a CVXPY expression, and the constraints it needs."""

    def pieces(self, y: Array) -> list[tuple[Array, Array]] | None:
        """(slope, intercept) of each linear piece in `z` if the loss is a maximum of such, else None."""
        return None

    def box(self, y: Array) -> tuple[Array, Array, Array, Array] | None:
        r"""(centre, bend, low, high) with :math:`L(y, z) = \max_{low \le v \le high} v (centre - z) - bend\, v^2/2`.

        A constant may be missing. None where the loss is not of this form; two linear pieces always are.
        """
        pieces = self.pieces(y)
        if pieces is None or len(pieces) != 2:
            return None
        (a, p), (b, q) = pieces
        return (q - p) / (a - b), np.zeros(len(y)), -np.maximum(a, b), -np.minimum(a, b)

    def settles(self, y: Array, v: Array, margin: Array) -> Array:
        r"""Rows where :math:`v' \in \partial L(y, z)` fixes z for all v' within `margin` of v; shape (N,), booleans."""
        form = self.box(y)
        if form is None:
            return np.ones(len(y), dtype=bool)
        _, _, low, high = form
        return (-v - margin > low) & (-v + margin < high)

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        r"""A loss :math:`\tilde L` and a factor c with :math:`L(s y, s z) = c\,\tilde L(y, z)`, s = `scale`."""
        if scale != 1.0:
            raise NotImplementedError(f"{self.name} has labels, which do not scale")
        return self, 1.0

    def probabilities(self, z: Array) -> Array | None:
        """The probability of each class where the fit is z, shape (N, D); None for a loss that gives none."""
        return None

    def mean(self, z: Array) -> Array:
        """The y that a fit z predicts: z itself, but for losses with a link."""
        return z

    def shift(self, y: Array, z: Array, weight: Array) -> float:
        """A constant to add to a fit z before Newton's method starts there."""
        return 0.0

    def conjugate_terms(self, y: Array, v: Array) -> Array:
        """The sizes of what is summed for the conjugate, (N,); for losses that do not translate.

        Where a probability is nearly one, y + v rounds it by as much as its distance from one may be.
        """
        terms: Array = np.abs(self.conjugate(y, v)) + 1.0
        return terms

    def missed(self, y: Array, off: Array) -> Array:
        """The loss of a fit that is perfect but for `off`, shape (N,); for losses that do not translate."""
        return off

    def steepest(self, y: Array, v: Array, gap: Array) -> Array | None:
        """A bound on the curvature between the fits of dual values v and of the optimal ones, (N,), or None.

        Parameters
        ----------
        y, v : shape (N,).
        gap : what the bound that v proves may lack of the optimum, over the weight of each row, shape (N,).
        """
        return None if self.lipschitz is None else np.full(len(y), self.lipschitz)

    def separable(self) -> bool:
        """Whether an affine function may drive the loss to an infimum that is not attained."""
        return False

    def recession(self, y: Array) -> tuple[Array, Array]:
        """Where :meth:`separable`, for each row the sign in which z may go forever, and a mask of rows in which it may
        not at all; shape (N,) each. Scalar fits only.
        """
        return y, np.zeros(len(y), dtype=bool)

    @property
    def unattained(self) -> tuple[str, str, str]:
        """What was expected, ``{free}`` the functions that are not penalised, what came, and a remedy, in words."""
        return "classes that no {free} separates", "separable classes", "Use Hinge, which attains its minimum"


def namespace(z: Any) -> Any:
    """The functions for arrays like z: NumPy's, or those of PyTorch, which is loaded where there is a tensor."""
    return sys.modules["torch"] if type(z).__module__.partition(".")[0] == "torch" else np


class Margin(Loss):
    r"""A loss of the margin y z, for labels in {-1, +1}; with :math:`p = -y v` its conjugate lives on [0, 1]."""

    translates: ClassVar[bool] = False
    labels: ClassVar[bool] = True

    def check(self, y: Any) -> Array:
        labels = super().check(y)
        if not np.isin(labels, (-1.0, 1.0)).all():
            odd = labels[~np.isin(labels, (-1.0, 1.0))][0]
            raise ProblemError(
                "y",
                f"labels in {{-1, +1}} for {self.name}",
                f"{odd:g}",
                "Encode the two classes as -1 and +1, or use RidgeSplineClassifier, which does so.",
            )
        return labels

    def nearest(self, y: Array, v: Array) -> Array:
        return -y * np.clip(-y * v, 0.0, 1.0)

    def room(self, y: Array, v: Array) -> Array:
        p = np.clip(-y * v, 0.0, 1.0)
        return p * (1.0 - p)
