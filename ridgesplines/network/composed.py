"""A network after an affine map of its inputs: the same neurons, of other variables."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.precise import plus_products
from ridgesplines.validation import Array, real_array


def composed(
    network: RidgeSpline, matrix: Any, shift: Any = None, feature_names: tuple[str, ...] | None = None
) -> RidgeSpline:
    r"""The network after an affine map of its inputs, :math:`x \mapsto f(Ax + a)`.

    .. math:: w_k' = A^T w_k, \qquad b_k' = b_k - w_k^T a, \qquad c' = A^T c, \qquad c_0' = c_0 + c^T a

    The seminorm becomes :math:`\sum_k |v_k| \|A^T w_k\|`: an optimum in one set of units is not one in another. Two
    uses: a network of features that were standardised, :math:`(x - m)/s`, in the units of x, ``net.composed(1 / s, -m /
    s)``; and one that was trained behind a layer that normalises or turns its input.

    Parameters
    ----------
    network : f, of d inputs.
    matrix : A, shape (d, m), or (d,) for a diagonal one, which keeps the names of the features.
    shift : a, shape (d,); zero by default.
    feature_names : of the m new inputs.

    Returns
    -------
    RidgeSpline
        Of m inputs, which are plain numbers: dates are not kept. O(K d m).

    Raises
    ------
    ProblemError
        For shapes that do not fit, and polynomial parts; for activations that are not homogeneous, whose neurons have
        unit weights, where A changes their length.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> net = rs.RidgeSpline([[1.0]], [0.5], [2.0])  # of x in standard deviations from the mean
    >>> in_metres = net.composed([1.0 / 50.0], [-300.0 / 50.0])
    >>> in_metres.knots.tolist(), in_metres.seminorm, in_metres([375.0]).tolist() == net([1.5]).tolist()
    ([325.0], 0.04, True)
    """
    A, a = real_array("matrix", matrix), np.zeros(network.n_features) if shift is None else real_array("shift", shift)
    _require_fitting(network, A, a)
    each = A.ndim == 1  # every feature by itself, so that names stay
    names = feature_names or (network.feature_names if each else None)
    return network.changed(
        weights=network.weights * A if each else network.weights @ A,
        biases=plus_products(network.biases, -network.weights, a),
        slope=(A * network.slope.T).T if each else A.T @ network.slope,
        offset=plus_products(np.asarray(network.offset)[None], a[None], network.slope)[0],
        feature_names=names,
        dates=None,
    )


def _require_fitting(network: RidgeSpline, A: Array, a: Array) -> None:
    """Raise a ProblemError for a map that does not end where the network begins, or that it cannot take."""
    d = network.n_features
    if A.ndim not in (1, 2) or len(A) != d or a.shape != (d,):
        raise ProblemError(
            "matrix, shift",
            f"shapes ({d}, m) and ({d},), or ({d},) for a diagonal matrix",
            f"{A.shape} and {a.shape}",
            "The map ends in the inputs of the network: x -> matrix @ x + shift.",
        )
    if network.polynomial is not None:
        raise ProblemError(
            "network",
            "no terms of degree two and more",
            "a network with a polynomial part",
            "Map the points instead: net(X @ matrix.T + shift).",
        )
