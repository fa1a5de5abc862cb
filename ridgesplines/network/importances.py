"""How much f changes at the data as a feature is taken from it: one number a feature."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.network.components import Table
from ridgesplines.network.spline import BLOCK_ENTRIES, RidgeSpline
from ridgesplines.validation import Array

__all__ = ["mean_squared_effects"]


def mean_squared_effects(network: RidgeSpline, X: Any, sample_weight: Any = None) -> Array:
    r"""The mean square over the rows of X of what f changes by as one of their features is replaced by its mean.

    .. math:: e_j = \frac{1}{\sum_n s_n}
              \sum_n s_n \big\| f(x_n) - f(x_{n1}, \ldots, \bar x_j, \ldots, x_{nd}) \big\|^2, \qquad
              \bar x_j = \frac{1}{\sum_n s_n} \sum_n s_n x_{nj}

    Parameters
    ----------
    network : of any number of inputs and outputs.
    X : the data, shape (N, d).
    sample_weight : :math:`s_n`, shape (N,), nonnegative; ones by default.

    Returns
    -------
    ndarray
        Shape (d,), in the square of the units of f. For an affine f it is :math:`c_j^2` times the variance of the
        feature. Zero for a feature that is constant, or that f does not depend on. No units of the features enter.

    Raises
    ------
    ProblemError
        Where shapes do not fit, or values are not finite.

    Notes
    -----
    Interactions count for each of their features, so that the sum may exceed the variance of f. Where features depend
    on each other, points far from all data are asked for. Exact, no sampling. O(N K d), of neurons only those that have
    the feature.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> from ridgesplines.network import mean_squared_effects
    >>> net = rs.RidgeSpline([[1.0, 0.0]], [0.0], [2.0], slope=[0.0, 1.0])
    >>> mean_squared_effects(net, [[-1.0, 3.0], [1.0, 1.0]])
    array([2., 1.])
    """
    table = Table.of(X, sample_weight, network.n_features)
    points, weight = table.X, table.weight
    # A mean of equal numbers may differ from them by rounding.
    means = np.clip(weight @ points, points.min(axis=0), points.max(axis=0))
    effects = np.zeros(network.n_features)
    step = max(1, BLOCK_ENTRIES // max(1, network.n_neurons))
    for i in range(0, len(points), step):
        rows = slice(i, i + step)
        for j, changes in enumerate(_changes(network, points[rows], means)):
            effects[j] += (weight[rows] @ changes**2).sum()
    return effects


def _changes(network: RidgeSpline, X: Array, means: Array) -> list[Array]:
    """For each feature what f changes by at the rows of X as it is replaced by its mean, (n,) or (n, D)."""
    hidden = X @ network.weights.T - network.biases
    values = network.activation.value(hidden)
    terms = None if network.polynomial is None else network.polynomial(X)
    found = []
    for j, mean in enumerate(means):
        step, own = mean - X[:, j], network.weights[:, j] != 0.0
        moved = network.activation.value(hidden[:, own] + np.multiply.outer(step, network.weights[own, j]))
        change = np.multiply.outer(step, network.slope[j]) + (moved - values[:, own]) @ network.amplitudes[own]
        if network.polynomial is not None:
            other = X.copy()
            other[:, j] = mean
            change += network.polynomial(other) - terms
        found.append(change)
    return found
