"""The multi-layer perceptrons of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.network.exchange.layers import two_layers
from ridgesplines.network.exchange.wiring import AffineMap
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import whole_number

EXPECTED = (
    "a fitted MLPRegressor or MLPClassifier of one hidden layer, with activation='relu', or a pipeline of "
    "StandardScaler, MinMaxScaler or MaxAbsScaler, which do not clip, and one of these"
)


def from_sklearn(model: Any) -> RidgeSpline:
    """See `RidgeSpline.from_sklearn`."""
    *front, mlp = [step for _, step in getattr(model, "steps", [("mlp", model)]) if step not in (None, "passthrough")]
    _require_one(mlp)
    (W, V), (b, c) = ([np.asarray(array, dtype=np.float64) for array in part] for part in (mlp.coefs_, mlp.intercepts_))
    hidden = AffineMap(W.T, b)
    for scaler in reversed(front):
        hidden = hidden.after(_scaling(scaler))
    names = getattr(model, "feature_names_in_", None)
    return two_layers(*hidden, V.T, c, None, None if names is None else tuple(map(str, names)))


def _scaling(scaler: Any) -> AffineMap:
    """The map of a fitted scaler, feature by feature."""
    kind, d = type(scaler).__name__, getattr(scaler, "n_features_in_", 0)
    if kind not in SCALERS or not d or getattr(scaler, "clip", False):
        raise ProblemError("mlp", EXPECTED, f"a pipeline with {kind}", "Fit the pipeline, or pass its last step.")
    factor, shift = SCALERS[kind](scaler)
    ones = np.ones(d)
    return AffineMap(np.diag(ones * factor), ones * shift)


def _standard(scaler: Any) -> tuple[Any, Any]:
    factor = 1.0 / scaler.scale_ if scaler.with_std else 1.0
    return factor, -factor * scaler.mean_ if scaler.with_mean else 0.0


#: The factors and shifts of scalers, x -> factor x + shift.
SCALERS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "StandardScaler": _standard,
    "MinMaxScaler": lambda scaler: (scaler.scale_, scaler.min_),
    "MaxAbsScaler": lambda scaler: (1.0 / scaler.scale_, 0.0),
}


def _require_one(mlp: Any) -> None:
    """Raise for what is no fitted perceptron of one hidden layer."""
    if not hasattr(mlp, "coefs_"):
        kind, is_one = type(mlp).__name__, hasattr(mlp, "hidden_layer_sizes")
        remedy = "Call its fit(X, y) first." if is_one else "Other models of scikit-learn are no networks."
        raise ProblemError("mlp", EXPECTED, f"{kind}, not fitted" if is_one else kind, remedy)
    if len(mlp.coefs_) != 2 or mlp.activation != "relu":
        got = f"{len(mlp.coefs_) - 1} hidden layers, activation={mlp.activation!r}"
        raise ProblemError("mlp", EXPECTED, got, "Other networks are not of this form.")


def lam_of_alpha(mlp: Any, n_samples: int) -> float:
    r"""The lambda of the problem that an MLPRegressor or MLPClassifier with this alpha trains for.

    With squared error, N samples, D outputs and batches of size B, scikit-learn minimises

    .. math:: \frac{1}{2 D N} \sum_n \|y_n - f(x_n)\|^2 + \frac{\alpha}{2 B} \left(\|W\|^2 + \|V\|^2\right),

    which, times 2 D N, has the form (8) with :math:`\lambda = 2 \alpha D N / B`. Its other losses, logistic, softmax
    and Poisson, have no factor 1/2 and no 1/D: :math:`\lambda = \alpha N / B`. B = N for ``solver="lbfgs"``; for the
    others it is ``min(200, N)`` unless given. Where B does not divide N, the last batch of each epoch is smaller, and
    there is no lambda in the strict sense.

    Parameters
    ----------
    mlp : the perceptron, fitted or not; not fitted, it is taken to have one output.
    n_samples : N, of the rows it is trained with: with ``early_stopping=True`` less the validation rows.

    Returns
    -------
    float

    Raises
    ------
    ProblemError
        Where it is none, or classifies each row into several classes at once, which no loss here does.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> from ridgesplines.network import lam_of_alpha
    >>> lam_of_alpha(MLPRegressor(alpha=0.01, solver="lbfgs"), 1000), lam_of_alpha(MLPRegressor(alpha=0.01), 1000)
    (0.02, 0.1)
    """
    if not hasattr(mlp, "alpha") or not hasattr(mlp, "hidden_layer_sizes"):
        raise ProblemError("mlp", "an MLPRegressor or MLPClassifier", type(mlp).__name__, "Pass the perceptron.")
    whole_number("n_samples", n_samples, 1)
    outputs, is_classifier = getattr(mlp, "n_outputs_", 1), hasattr(mlp, "predict_proba")
    if is_classifier and outputs > 1 and mlp.out_activation_ == "logistic":
        remedy = "Judge its outputs one at a time, with Logistic."
        raise ProblemError("mlp", "one class for each row", "several classes at once", remedy)
    size = 200.0 if mlp.batch_size == "auto" else float(mlp.batch_size)
    batch = n_samples if mlp.solver == "lbfgs" else min(size, n_samples)
    squared = not is_classifier and getattr(mlp, "loss", "squared_error") == "squared_error"
    return float(mlp.alpha) * (n_samples / batch) * (2.0 * outputs if squared else 1.0)
