"""Any network as a RidgeSpline: whichever library it comes from, found by the names of its classes' modules.

No library is loaded for this that the network's own class has not loaded already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.exchange import named
from ridgesplines.network.spline import RidgeSpline

EXPECTED = (
    "a RidgeSpline, a Solution or a fitted estimator of this library, a module or state_dict of PyTorch, an "
    "MLPRegressor or MLPClassifier of scikit-learn, a Keras model, an ONNX model, or the name of a file (.npz, .pt, "
    ".pth, .onnx)"
)


def as_network(given: Any, n_features: int | None = None) -> RidgeSpline:
    r"""The network :math:`f(x) = \sum_k v_k\, \rho(w_k^T x - b_k) + c^T x + c_0` that an object of any library is.

    Parameters
    ----------
    given : a RidgeSpline; a Solution, or a fitted estimator of this library; a module of PyTorch, or its state_dict,
        also in a checkpoint; a fitted MLPRegressor or MLPClassifier of one hidden layer, of the latter the logits; a
        model of Keras; a ModelProto of ONNX; or the name of a file that holds a network: ``.npz`` of ours, ``.pt`` or
        ``.pth`` with a state_dict, ``.onnx``. No code that a file may hold is run.
    n_features : d, where it is known: it settles which array of a state_dict is the hidden layer.

    Returns
    -------
    RidgeSpline
        Of the function itself: modules and graphs are held against their own outputs at random points. One output
        makes a scalar network. A map of the inputs in front, such as one that standardises them, becomes part of the
        weights.

    Raises
    ------
    ProblemError
        For anything that is no shallow ReLU network; the message says what was found.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.network import as_network
    >>> layers = {"0.weight": np.array([[3.0, 4.0]]), "0.bias": np.array([-5.0]), "2.weight": np.array([[2.0]])}
    >>> as_network(layers)
    RidgeSpline(K=1, d=2, seminorm=10)
    """
    if isinstance(given, RidgeSpline):
        return given
    if isinstance(given, (str, os.PathLike)):
        return _of_file(given, n_features)
    if isinstance(given, Mapping):
        return _of_mapping(given, n_features)
    roots = {kind.__module__.partition(".")[0] for kind in type(given).__mro__}
    for root, read in READERS.items():
        if root in roots:
            return read(given)
    raise ProblemError("network", EXPECTED, type(given).__name__, "RidgeSpline.from_layers(W, b, V, c) takes arrays.")


def _of_keras(model: Any) -> RidgeSpline:
    from ridgesplines.network.exchange.keras import from_keras

    return from_keras(model)


def _of_torch(module: Any) -> RidgeSpline:
    from ridgesplines.torch.conversion import from_torch

    return from_torch(module)


def _of_onnx(model: Any) -> RidgeSpline:
    from ridgesplines.network.exchange.onnx import from_onnx

    return from_onnx(model)


def _of_ours(given: Any) -> RidgeSpline:
    """The network of a solution, or of an estimator."""
    network = getattr(given, "network", None) or getattr(given, "network_", None)
    if isinstance(network, RidgeSpline):
        return network
    remedy = "Fit it first." if hasattr(given, "fit") else "Solve the problem first: rs.solve(problem)."
    raise ProblemError("network", EXPECTED, f"{type(given).__name__}, which has no network", remedy)


def _of_sklearn(mlp: Any) -> RidgeSpline:
    from ridgesplines.network.exchange.scikit_learn import from_sklearn

    return from_sklearn(mlp)


#: By the package of a class, or of one that it descends from: models of Keras may be modules of PyTorch too, and
#: estimators of ours are scikit-learn's.
READERS: Mapping[str, Callable[[Any], RidgeSpline]] = {
    "keras": _of_keras,
    "tf_keras": _of_keras,
    "torch": _of_torch,
    "onnx": _of_onnx,
    "ridgesplines": _of_ours,
    "sklearn": _of_sklearn,
}


def _of_mapping(given: Mapping[Any, Any], n_features: int | None) -> RidgeSpline:
    """The network of arrays, or tensors, by name."""
    parameters = named.parameters(given)
    kinds = {kind.__module__.partition(".")[0] for value in parameters.values() for kind in type(value).__mro__}
    if "torch" in kinds:
        from ridgesplines.torch.conversion import from_state

        return from_state(given, n_features, "network")
    try:
        arrays = {str(name): np.asarray(value, dtype=np.float64) for name, value in parameters.items()}
        return named.from_named(arrays, n_features, turned=True)
    except (TypeError, ValueError):
        seen = ", ".join(
            f"{name} {getattr(value, 'shape', type(value).__name__)}" for name, value in parameters.items()
        )
        remedy = "RidgeSpline.from_layers(W, b, V, c) says which array is which."
        raise ProblemError("network", named.EXPECTED, seen or "nothing", remedy) from None


def _of_file(path: str | os.PathLike[str], n_features: int | None) -> RidgeSpline:
    """The network in a file, by its ending."""
    ending = Path(path).suffix.lower()
    if ending == ".onnx":
        from ridgesplines.network.exchange.onnx import read_onnx

        return read_onnx(path)
    if ending in (".pt", ".pth"):
        from ridgesplines.torch.conversion import from_file

        return from_file(path, n_features)
    return RidgeSpline.load(path)
