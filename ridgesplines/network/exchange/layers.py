"""The layers of a network as arrays, in the sign convention of PyTorch and Keras, w^T x + b."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array, real_array

EXPECTED = (
    "W (K, d), b (K,), V (D, K), c (D,), skip (D, d), as PyTorch keeps them, or W (d, K), V (K, D), skip (d, D), as "
    "Keras does; vectors where d = 1 or D = 1"
)


def from_layers(
    W: Any, b: Any, V: Any, c: Any = 0.0, skip: Any = None, feature_names: tuple[str, ...] | None = None
) -> RidgeSpline:
    """See `RidgeSpline.from_layers`."""
    hidden, bias, output, last = (real_array(name, a) for name, a in zip("WbVc", (W, b, V, c), strict=True))
    straight = None if skip is None else real_array("skip", skip)
    fitting = [
        arrays for W_, V_, S_ in _orientations(hidden, output, straight) if fits(*(arrays := (W_, bias, V_, last, S_)))
    ]
    if len(fitting) == 1:
        return two_layers(*fitting[0], feature_names=feature_names)
    given = {"W": hidden, "b": bias, "V": output, "c": last} | ({} if straight is None else {"skip": straight})
    got = ", ".join(f"{name} {array.shape}" for name, array in given.items())
    if not fitting:
        raise ProblemError("W, b, V, c, skip", EXPECTED, got, "Pass one bias for each of the K neurons.")
    remedy = "Say so by RidgeSpline(weights (K, d), -b, amplitudes (K,) or (K, D), slope (d,) or (d, D), offset)."
    raise ProblemError("W, b, V, c, skip", f"{EXPECTED}; shapes of one of these alone", f"{got}, of both", remedy)


def two_layers(
    W: Array, b: Array, V: Array, c: Array, skip: Array | None, feature_names: tuple[str, ...] | None = None
) -> RidgeSpline:
    """The network V relu(W x + b) + skip x + c, shapes as PyTorch keeps them; for D = 1 a scalar one."""
    S = np.zeros((len(V), W.shape[1])) if skip is None else skip
    if len(V) == 1:
        return RidgeSpline(W, -b, V[0], S[0], c.reshape(-1)[0], feature_names)
    return RidgeSpline(W, -b, V.T, S.T, c, feature_names)


def fits(W: Array, b: Array, V: Array, c: Array, skip: Array | None) -> bool:
    """Whether the shapes are those of `two_layers`."""
    if W.ndim != 2 or V.ndim != 2 or 0 in (W.shape[1], V.shape[0]):
        return False
    (K, d), D = W.shape, len(V)
    return b.shape == (K,) and V.shape == (D, K) and c.shape in ((), (D,)) and (skip is None or skip.shape == (D, d))


def _orientations(W: Array, V: Array, skip: Array | None) -> Iterator[tuple[Array, Array, Array | None]]:
    """The matrices with a row for each output, as given, and turned where that is something else."""
    yield _column(W), _row(V), None if skip is None else _row(skip)
    if any(array is not None and array.ndim > 1 and not np.array_equal(array, array.T) for array in (W, V, skip)):
        yield _column(W.T), _row(V.T), None if skip is None else _row(skip.T)


def _column(vector: Array) -> Array:
    return vector[:, None] if vector.ndim == 1 else vector


def _row(vector: Array) -> Array:
    return vector[None] if vector.ndim == 1 else vector


def folded(net: RidgeSpline) -> RidgeSpline:
    r"""The same function without a skip connection: :math:`x_j = \rho(x_j) - \rho(-x_j)`, two neurons a feature.

    Features of slope zero have none. At least one neuron, of amplitude zero where none is needed.
    """
    used = np.flatnonzero(net.slope.reshape(net.n_features, -1).any(axis=1))
    unit, c = np.eye(net.n_features)[used], net.slope[used]
    W = np.concatenate([net.weights, unit, -unit])
    b = np.concatenate([net.biases, np.zeros(2 * len(used))])
    v = np.concatenate([net.amplitudes, c, -c])
    if not len(b):
        W, b, v = np.eye(1, net.n_features), np.zeros(1), 0.0 * net.slope[:1]
    return net.changed(weights=W, biases=b, amplitudes=v, slope=0.0 * net.slope)
