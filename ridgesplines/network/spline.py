r"""The network: a shallow network with a skip connection, in normal form (unit input weights); ReLU unless said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.dates import Dates, several
from ridgesplines.exceptions import ProblemError
from ridgesplines.network import table
from ridgesplines.network.connecting import connecting
from ridgesplines.network.exchange.methods import Exchange
from ridgesplines.network.pieces import Pieces
from ridgesplines.numerics.polynomials import Polynomial
from ridgesplines.validation import Array, Immutable, frozen, numbers_as_in, real_array

if TYPE_CHECKING:
    import pandas
    import scipy.interpolate

    from ridgesplines.network.activity import ActiveSubspace, Activity
    from ridgesplines.network.components import Components
    from ridgesplines.network.interpret import RidgeFunction
    from ridgesplines.network.segments import Segments

#: Entries of a block of pre-activations, so that evaluation never forms an N x K matrix that does not fit.
BLOCK_ENTRIES = 2**22


class Balanced(NamedTuple):
    """The parameters of a network at balance, where every neuron has input and output weights of equal norm."""

    weights: Array
    biases: Array
    amplitudes: Array


class RidgeSpline(Exchange, Immutable):
    r"""A ridge spline: a shallow ReLU network with a skip connection, (18) and (33).

    .. math:: f(x) = \sum_{k=1}^K v_k\, \rho(w_k^T x - b_k) + c^T x + c_0, \qquad \|w_k\|_2 = 1

    With another activation of Table 1 of [2]_ in the place of :math:`\rho`, and terms of degree two and more where its
    null space has them.

    A *ridge function* is a function :math:`x \mapsto g(w^T x)` of one projection; nothing here is Tikhonov's
    "ridge". Input weights of any norm are accepted and normalised: :math:`\|w\|` moves into the amplitude, which
    changes neither f nor the seminorm. A neuron whose weights are zero is a constant and moves into c_0. An activation
    that is homogeneous of degree k takes :math:`\|w\|^k` into the amplitude; one that is not needs unit weights.

    Parameters
    ----------
    weights : w, shape (K, d).
    biases : b, shape (K,).
    amplitudes : v, shape (K,), or (K, D) for D outputs.
    slope : c, shape (d,) or (d, D); zero by default.
    offset : c_0, a number or shape (D,); zero by default.
    feature_names : names of the d features, for tables and plots.
    activation : of the neurons; ReLU by default.
    polynomial : the terms of degree two and more, or None.
    dates : what the numbers of the one input stand for, where they are days; see :class:`ridgesplines.dates.Dates`.

    Raises
    ------
    ProblemError
        Where the shapes do not fit together, or values are not finite; or where weights are not of unit length and the
        activation is not homogeneous.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html
    .. [2] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[3.0, 4.0]], [5.0], [2.0])
    >>> net.seminorm, net.weights.tolist(), net.biases.tolist()
    (10.0, [[0.6, 0.8]], [1.0])
    >>> net([[2.0, 1.0]])
    array([10.])
    """

    def __init__(
        self,
        weights: Any,
        biases: Any,
        amplitudes: Any,
        slope: Any = None,
        offset: Any = 0.0,
        feature_names: tuple[str, ...] | None = None,
        activation: Activation | None = None,
        polynomial: Polynomial | None = None,
        dates: Dates | None = None,
    ) -> None:
        W, b = real_array("weights", weights), real_array("biases", biases)
        v, c0 = real_array("amplitudes", amplitudes), real_array("offset", offset)
        if W.ndim != 2 or b.shape != W.shape[:1] or v.shape[:1] != b.shape or v.ndim > 2:
            raise ProblemError(
                "weights, biases, amplitudes",
                "shapes (K, d), (K,), and (K,) or (K, D)",
                f"{W.shape}, {b.shape}, {v.shape}",
                "Pass one row, one bias and one amplitude a neuron.",
            )
        expected = (W.shape[1], *v.shape[1:])
        c = np.zeros(expected) if slope is None else real_array("slope", slope)
        c0 = np.broadcast_to(c0, v.shape[1:]).copy() if c0.ndim == 0 else c0
        if c.shape != expected or c0.shape != v.shape[1:]:
            raise ProblemError(
                "slope, offset",
                f"shapes {expected} and {v.shape[1:]}",
                f"{c.shape} and {c0.shape}",
                "Give the affine part as many inputs and outputs as the neurons have.",
            )
        self.activation = ReLU() if activation is None else activation
        norms, power = np.linalg.norm(W, axis=1), self.activation.homogeneity
        alive = norms > 0.0
        c0 = c0 + self.activation.value(-b[~alive]) @ v[~alive]
        norms = norms[alive]
        norms[np.abs(norms - 1.0) <= 4.0 * np.finfo(float).eps] = 1.0  # already unit: leave every bit as it is
        if power is None:
            _require_unit(self.activation, norms)
        self.weights = frozen(W[alive] / norms[:, None])
        self.biases = frozen(b[alive] / norms)
        self.amplitudes = frozen((v[alive].T * norms ** (power or 0)).T)
        self.polynomial = None if polynomial is None else polynomial.checked(expected, self.activation.degree)
        self.slope = frozen(c)
        self.offset = frozen(c0) if c0.ndim else float(c0)
        self.feature_names = feature_names
        if dates is not None and self.n_features > 1:
            raise several("dates", f"dates for a network of {self.n_features} inputs")
        self.dates = dates

    @classmethod
    def through(cls, x: Any, y: Any, feature_names: tuple[str, ...] | None = None) -> RidgeSpline:
        """The linear spline that connects the points x (m,), y (m,) or (m, D), x increasing, straight beyond them.

        Each amplitude makes up for the rounding of those before it. All neurons are active to the right of their knots;
        where slopes differ by more than a factor of 1e6, outward from the widest flat piece, which keeps its digits.
        """
        t, values = real_array("x", x), real_array("y", y)
        if t.ndim != 1 or t.shape != values.shape[:1] or len(t) < 2 or not (np.diff(t) > 0.0).all():
            raise ProblemError(
                "x, y",
                "as many x as y, at least 2 points, x increasing",
                f"shapes {t.shape} and {values.shape}" + (", x not increasing" if len(t) == len(values) else ""),
                "Sort the points by x, and leave out repeated ones.",
            )
        return cls(*connecting(t, values), feature_names)

    def changed(self, **changes: Any) -> RidgeSpline:
        """A copy with other arguments of the constructor."""
        arguments = {name: getattr(self, name) for name in _ARGUMENTS}
        return RidgeSpline(**(arguments | changes))

    def composed(self, matrix: Any, shift: Any = None, feature_names: tuple[str, ...] | None = None) -> RidgeSpline:
        """x -> f(matrix @ x + shift), the network in other units of x; see :func:`ridgesplines.network.composed`."""
        from ridgesplines.network.composed import composed

        return composed(self, matrix, shift, feature_names)

    @property
    def n_neurons(self) -> int:
        """K."""
        return len(self.biases)

    @property
    def n_active(self) -> int:
        """The number of neurons with more than a millionth of the largest ``|v_k|``: training leaves many near zero."""
        sizes = group_norms(self.amplitudes)
        return int((sizes > 1e-6 * sizes.max(initial=0.0)).sum())

    @property
    def n_features(self) -> int:
        """d."""
        return self.weights.shape[1]

    @property
    def n_outputs(self) -> int | None:
        """D, or None for a scalar function."""
        return self.amplitudes.shape[1] if self.amplitudes.ndim == 2 else None

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, x0, x1, ... unless given."""
        return self.feature_names or tuple(f"x{i}" for i in range(self.n_features))

    @property
    def seminorm(self) -> float:
        r""":math:`\sum_k |v_k| \|w_k\|_2`, for D outputs :math:`\sum_k \|v_k\|_2 \|w_k\|_2`.

        Here the weights are unit, whatever the activation: the total variation of its measure :math:`H K R f`.
        """
        return float(group_norms(self.amplitudes).sum())

    @property
    def knots(self) -> Array:
        """The points at which the spline bends, in the order of the neurons, shape (K,); d = 1 only.

        Of a fit on dates they are dates: datetime64, or datetime.datetime where these have a time zone; of one on
        durations timedelta64.
        """
        return self.breakpoints if self.dates is None else self.dates.restored(self.breakpoints)

    @property
    def breakpoints(self) -> Array:
        """The knots as numbers; those of dates are days since 1970-01-01, and durations are days."""
        self.require_univariate("knots")
        return self.biases * self.weights[:, 0]

    def __call__(self, X: Any) -> Array:
        """f at the rows of X, shape (N,) or (N, D). O(N log K) for d = 1 and ReLU, O(N K d) otherwise.

        X is what was fitted: of a fit on dates it must be dates, with a time zone if those had one; else numbers.
        """
        return self.at(self.numbers("X", X))

    def numbers(self, name: str, values: Any) -> Array:
        """Points of the kind that was fitted, as numbers."""
        return numbers_as_in(name, values, self.dates)

    def at(self, points: Array) -> Array:
        """f at points that are numbers: days, for a fit on dates; shape (N, d), or (N,) for d = 1."""
        points = points[:, None] if points.ndim == 1 and self.n_features == 1 else points
        if points.ndim != 2 or points.shape[1] != self.n_features:
            raise ProblemError(
                "X", f"shape (N, {self.n_features})", f"shape {points.shape}", "Pass the features of the fit."
            )
        if self.n_features == 1 and isinstance(self.activation, ReLU):
            return self.pieces().at(points[:, 0])
        values = points @ self.slope + self.offset
        if self.polynomial is not None:
            values += self.polynomial(points)
        step = max(1, BLOCK_ENTRIES // max(1, self.n_neurons))
        for i in range(0, len(points), step):
            hidden = points[i : i + step] @ self.weights.T - self.biases
            values[i : i + step] += self.activation.value(hidden) @ self.amplitudes
        return values

    def pieces(self, level: Array | float = 0.0) -> Pieces:
        """d = 1, ReLU: the straight pieces between the knots, with slopes and values; of f less a constant `level`."""
        left = self.weights[:, 0] < 0.0
        return Pieces.of(self.breakpoints, left, self.amplitudes, self.slope[0], self.offset, level)

    def balanced(self) -> Balanced:
        r"""The same neurons scaled so that :math:`\|w_k\|_2 = \|v_k\|_2`, which weight decay prefers.

        Then :math:`\frac12 \sum_k \|v_k\|^2 + \|w_k\|^2` equals the seminorm: the neural balance theorem
        (Section III). For an activation homogeneous of degree k, so that :math:`\|w_k\|_2^k = \|v_k\|_2`, and
        :math:`\frac12 \sum_k \|v_k\|^2 + \|w_k\|^{2k}` equals the seminorm.

        Raises
        ------
        ProblemError
            For an activation that is not homogeneous: scaling its weights changes f.
        """
        power = self.activation.homogeneity
        if power is None:
            expected = "a homogeneous activation, whose scale can move between input and output weights"
            raise ProblemError("network", expected, repr(self.activation), "Balance is for ReLU and truncated powers.")
        half = np.sqrt(group_norms(self.amplitudes))
        safe, size = np.where(half > 0.0, half, 1.0), half ** (1.0 / power)
        return Balanced(self.weights * size[:, None], self.biases * size, (self.amplitudes.T / safe).T)

    def ridges(self, tol: float = 1e-6) -> tuple[RidgeFunction, ...]:
        """The neurons of one direction together, as ridge functions; see :func:`ridgesplines.network.ridges`."""
        from ridgesplines.network.interpret import ridges

        return ridges(self, tol)

    def partial_dependence(self, X: Any, feature: int | str, at: Any, sample_weight: Any = None) -> Array:
        """The mean over X with one feature set to `at`; see :func:`ridgesplines.network.partial_dependence`."""
        from ridgesplines.network.interpret import partial_dependence

        return partial_dependence(self, self.numbers("X", X), feature, self.numbers("at", at), sample_weight)

    def components(self, X: Any, sample_weight: Any = None) -> Components:
        """Curves of one feature and interactions that add up to f; see :func:`ridgesplines.network.components`."""
        from ridgesplines.network.components import components

        return components(self, self.numbers("X", X), sample_weight)

    def to_frame(self, feature_names: Sequence[str] | None = None) -> pandas.DataFrame:
        """One row a neuron: its weights by feature, its bias, its amplitude; for d = 1 also its knot. Needs pandas.

        Features have the names given here, by default the network's own. Of a fit on dates knots are dates.
        """
        return table.to_frame(self, feature_names)

    def segments(self) -> Segments:
        """The straight pieces: start, end, slope, intercept. d = 1, ReLU; see :func:`ridgesplines.network.segments`."""
        from ridgesplines.network.segments import segments

        return segments(self)

    def to_ppoly(self) -> scipy.interpolate.PPoly:
        """The spline as a :class:`scipy.interpolate.PPoly`, affine beyond its ends, of numbers. d = 1, ReLU."""
        from ridgesplines.network.segments import piecewise_polynomial

        return piecewise_polynomial(self)

    def activity(self, X: Any) -> Activity:
        """The rows of X that activate each neuron: how many are dead, how many active at all of them. O(N K d)."""
        from ridgesplines.network.activity import activity

        return activity(self, self.numbers("X", X))

    def active_subspace(self) -> ActiveSubspace:
        r"""The directions in which f bends, of the matrix of rows :math:`\|v_k\| w_k^T`, :math:`\|w_k\| = 1`; O(K d^2).

        Across the hyperplane of neuron k the gradient of a ReLU network jumps by :math:`v_k w_k`; the singular values
        squared add up these jumps, :math:`\sum_k \|v_k\|^2 w_k w_k^T = Q\, \mathrm{diag}(s^2)\, Q^T`. Where s ends
        after r of them, f is a function of :math:`q_1^T x, \dots, q_r^T x` and an affine part.
        """
        from ridgesplines.network.activity import active_subspace

        return active_subspace(self)

    def require_relu(self, what: str) -> None:
        """Raise where the activation is another one."""
        if not isinstance(self.activation, ReLU):
            raise ProblemError(
                what, "a network with the activation ReLU()", repr(self.activation), "Evaluate it: net(X) takes any X."
            )

    def require_univariate(self, what: str) -> None:
        if self.n_features != 1:
            remedy = "In many dimensions the bends are hyperplanes: see .weights and .biases."
            raise ProblemError(what, "a network of one input (d = 1)", f"d = {self.n_features}", remedy)

    def __repr__(self) -> str:
        outputs = "" if self.n_outputs is None else f", D={self.n_outputs}"
        kind = "" if isinstance(self.activation, ReLU) else f", activation={self.activation!r}"
        return f"RidgeSpline(K={self.n_neurons}, d={self.n_features}{outputs}, seminorm={self.seminorm:.6g}{kind})"

    _repr_html_ = table.to_html


#: The arguments of the constructor, each an attribute.
_ARGUMENTS = (
    "weights", "biases", "amplitudes", "slope", "offset", "feature_names", "activation", "polynomial", "dates",
)  # fmt: skip


def _require_unit(activation: Activation, norms: Array) -> None:
    off = np.abs(norms - 1.0)
    if off.max(initial=0.0) > 1e-9:
        expected = f"rows of unit length for {activation!r}, which is not homogeneous"
        remedy = "Choose the activation's scale instead, for all neurons at once."
        raise ProblemError("weights", expected, f"a row of length {norms[off.argmax()]:g}", remedy)


def group_norms(amplitudes: Array) -> Array:
    """|v_k|, or the Euclidean norm of each row for vector outputs; shape (K,)."""
    return np.abs(amplitudes) if amplitudes.ndim == 1 else np.linalg.norm(amplitudes, axis=1)
