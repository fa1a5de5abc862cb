"""The reading of a network: its ridge functions, and what it predicts on average as one feature changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.validation import Array, ReadOnly, frozen, real_array, real_number, sample_weights, samples

__all__ = ["RidgeFunction", "partial_dependence", "ridges"]


@dataclass(frozen=True, eq=False)
class RidgeFunction(ReadOnly):
    r"""The neurons of a network that look in one direction: x ↦ g(wᵀx), for ReLU a linear spline of one projection.

    Attributes
    ----------
    direction : unit w, shape (d,); of its entries the one that is largest in absolute value is positive.
    profile : g, a RidgeSpline of one input, without an affine part: that of the network belongs to no direction.
    neurons : which neurons of the network these are, shape (m,).

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0, 0.0], [1.0, 0.0]], [0.0, 2.0], [1.0, -0.5])
    >>> (ridge,) = net.ridges()
    >>> ridge.direction, ridge.knots, ridge.seminorm
    (array([1., 0.]), array([0., 2.]), 1.5)
    """

    direction: Array
    profile: RidgeSpline
    neurons: NDArray[np.intp]

    @property
    def knots(self) -> Array:
        """The points at which g bends, in units of wᵀx, shape (m,)."""
        return self.profile.knots

    @property
    def amplitudes(self) -> Array:
        """By how much the slope of g changes at each knot, shape (m,) or (m, D)."""
        return self.profile.amplitudes

    @property
    def seminorm(self) -> float:
        """The part of the network's seminorm that these neurons are."""
        return self.profile.seminorm

    def __call__(self, X: Any) -> Array:
        """g(wᵀx) at the rows of X, shape (N,) or (N, D)."""
        return self.profile(samples("X", X) @ self.direction)


def ridges(network: RidgeSpline, tol: float = 1e-6) -> tuple[RidgeFunction, ...]:
    r"""The network as a sum of ridge functions of different directions and its part in the null space.

    .. math:: f(x) = \sum_r g_r(w_r^T x) + c^T x + c_0

    Parameters
    ----------
    network : of any number of inputs and outputs.
    tol : neurons whose unit weights are no further apart than this, up to sign, count as of one direction, that of the
        largest of them.

    Returns
    -------
    tuple of RidgeFunction
        Those of larger seminorm first. Their sum with the affine part of the network, for other activations than ReLU
        its whole part in the null space, is the network: exactly where the
        directions of a group are the same, otherwise to ``tol * |x|`` times the seminorm.

    Raises
    ------
    ProblemError
        Where tol is not between 0 and 1.

    Notes
    -----
    Where a neuron is active, to the right of its knot or to the left, is left as it is: :math:`\rho(t) - \rho(-t) = t`,
    so that g is determined up to an affine function, which may stand in the affine part as well. O(K R d) for K neurons
    in R directions.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[0.6, 0.8], [-0.6, -0.8], [1.0, 0.0]], [0.0, 1.0, 0.5], [2.0, 1.0, -0.5])
    >>> [(ridge.direction.tolist(), ridge.knots.tolist()) for ridge in net.ridges()]
    [([0.6, 0.8], [0.0, -1.0]), ([1.0, 0.0], [0.5])]
    """
    tol = real_number("tol", tol, "a number between 0 and 1", 0.0, 1.0)
    W = network.weights
    largest = np.abs(W).argmax(axis=1)
    signs = np.sign(W[np.arange(len(W)), largest])
    remaining = np.argsort(-group_norms(network.amplitudes), kind="stable")
    functions = []
    while len(remaining):
        w = W[remaining[0]] * signs[remaining[0]]
        side = np.where(W[remaining] @ w > 0.0, 1.0, -1.0)
        same = np.linalg.norm(W[remaining] * side[:, None] - w, axis=1) <= tol
        own, remaining = remaining[same], remaining[~same]
        profile = RidgeSpline(
            side[same, None], network.biases[own], network.amplitudes[own], activation=network.activation
        )
        functions.append(RidgeFunction(frozen(w), profile, own))
    return tuple(sorted(functions, key=lambda ridge: -ridge.seminorm))


def partial_dependence(network: RidgeSpline, X: Any, feature: int | str, at: Any, sample_weight: Any = None) -> Array:
    r"""The mean prediction over the rows of X, with one of their features set to each of the values asked for.

    .. math:: \mathrm{PD}_j(t) = \frac{1}{\sum_n s_n}
              \sum_n s_n f(x_{n1}, \ldots, x_{n,j-1}, t, x_{n,j+1}, \ldots, x_{nd})

    Parameters
    ----------
    network : of any number of inputs and outputs.
    X : the data to average over, shape (N, d).
    feature : the index j of the feature, from 0, or its name.
    at : the values t, shape (G,).
    sample_weight : shape (N,), nonnegative; ones by default.

    Returns
    -------
    ndarray
        Shape (G,), or (G, D) for D outputs. No sampling: all rows are averaged over.

    Raises
    ------
    ProblemError
        Where shapes do not fit, or there is no such feature.

    Notes
    -----
    The network is a sum over its neurons, and the mean of one neuron over the rows is a linear spline of t: with its
    knots sorted once, it is read off by bisection. O(K N d + K (N + G) log N), instead of the O(K N d G) of evaluating
    the network at every row for every t, which is what other activations than ReLU take.

    The average takes the other features to be what they are whatever t is. Where features depend on each other it
    includes points far from all data.

    References
    ----------
    .. [1] J. H. Friedman, Greedy function approximation: a gradient boosting machine, Ann. Statist. 29 (2001),
       1189-1232, Section 8.2, doi:10.1214/aos/1013203451

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0, 1.0]], [0.0], [1.0])
    >>> net.partial_dependence([[0.0, -1.0], [0.0, 1.0]], "x0", [0.0, 2.0])
    array([0.5, 2. ])
    """
    X, t = samples("X", X), np.atleast_1d(real_array("at", at))
    j = _index(network, feature)
    if X.shape[1] != network.n_features or t.ndim != 1:
        raise ProblemError(
            "X, at",
            f"shapes (N, {network.n_features}) and (G,)",
            f"{X.shape} and {t.shape}",
            "Pass the features of the fit.",
        )
    weight = sample_weights(sample_weight, len(X))
    weight = weight / weight.sum()
    others = X.copy()
    others[:, j] = 0.0
    if not isinstance(network.activation, ReLU):
        return _at_every_row(network, others, j, t, weight)
    values = np.multiply.outer(t, network.slope[j]) + (weight @ others) @ network.slope + network.offset
    for w, b, v in zip(network.weights, network.biases, network.amplitudes, strict=True):
        values += np.multiply.outer(_mean_of_relus(w[j] * t, b - others @ w, weight), v)
    return values


def _at_every_row(network: RidgeSpline, others: Array, j: int, t: Array, weight: Array) -> Array:
    """The same for any activation: the network at every row for every t."""
    values = np.empty((len(t), *network.amplitudes.shape[1:]))
    for i, value in enumerate(t):
        others[:, j] = value
        values[i] = weight @ network.at(others)
    return values


def _mean_of_relus(t: Array, knots: Array, weight: Array) -> Array:
    """The sum over n of weight_n max(t - knot_n, 0), for each t."""
    order = np.argsort(knots)
    below = np.searchsorted(knots[order], t)
    mass, moment = (np.concatenate([[0.0], np.cumsum(a[order])]) for a in (weight, weight * knots))
    return mass[below] * t - moment[below]


def _index(network: RidgeSpline, feature: int | str) -> int:
    """The number of a feature, given by it or by its name."""
    names = network.names
    if isinstance(feature, str) and feature in names:
        return names.index(feature)
    if isinstance(feature, (int, np.integer)) and 0 <= feature < len(names):
        return int(feature)
    known = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    raise ProblemError("feature", f"0 to {len(names) - 1}, or one of {known}", repr(feature), "Name one of these.")
