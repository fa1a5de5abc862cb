"""Models of Keras, whatever computes for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.exchange.wiring import AffineMap, agrees, networks
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array

EXPECTED = (
    "a Keras model f(x) = V relu(W x + b) + C x + c_0, with or without C x: two or three Dense layers and relu, "
    "perhaps behind a Normalization or BatchNormalization of the inputs"
)


def from_keras(model: Any) -> RidgeSpline:
    """The network that a model of Keras is, held against its outputs at random points."""
    maps = [affine for layer in _layers(model) if (affine := _affine(layer)) is not None]
    precision = max((np.finfo(w.dtype).eps for w in model.get_weights() if w.dtype.kind == "f"), default=0.0)

    def values(X: Array) -> Any:
        try:
            return model.predict(X.astype(np.float32 if precision > 1e-15 else np.float64), verbose=0)
        except (ValueError, TypeError, RuntimeError):  # it takes something else than rows of features
            return None

    if 2 <= len(maps) <= 4:
        for net in networks(maps):
            if agrees(values, net, float(precision)):
                return net
    got = f"{type(model).__name__} of the layers {', '.join(type(layer).__name__ for layer in _layers(model))}"
    raise ProblemError("network", EXPECTED, got, "Deep networks and other activations are not of this form.")


def _layers(model: Any) -> Iterator[Any]:
    """The layers of a model, and of models in it."""
    for layer in getattr(model, "layers", ()):
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


def _affine(layer: Any) -> AffineMap | None:
    """The affine map that a layer is, or is before its activation."""
    kind = type(layer).__name__
    if kind == "Dense":
        kernel, *bias = _arrays(layer.get_weights())
        return AffineMap(kernel.T, bias[0] if bias else np.zeros(kernel.shape[1]))
    if kind == "Normalization" and layer.mean is not None:
        mean, variance = (array.ravel() for array in _arrays([layer.mean, layer.variance]))
        return AffineMap.scaling(1.0 / np.maximum(np.sqrt(variance), 1e-7), mean)
    if kind == "BatchNormalization":
        weights = _arrays(layer.get_weights())
        gamma = weights.pop(0) if layer.scale else 1.0
        beta = weights.pop(0) if layer.center else 0.0
        mean, variance = weights
        affine = AffineMap.scaling(gamma / np.sqrt(variance + layer.epsilon), mean)
        return affine._replace(bias=affine.bias + beta)
    return None


def _arrays(values: Any) -> list[Array]:
    return [np.asarray(value, dtype=np.float64) for value in values]
