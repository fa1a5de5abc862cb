"""Networks on disk: ``.npz`` archives of plain arrays, without pickle."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ridgesplines.activations import ACTIVATIONS
from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.activations.truncated_power import TruncatedPower
from ridgesplines.exceptions import ProblemError
from ridgesplines.polynomials import Polynomial

FORMAT = "ridgesplines-1"
ARRAYS = ("weights", "biases", "amplitudes", "slope", "offset")


def write(path: str | os.PathLike[str], network: Any) -> None:
    """Write the arguments that a network was made of."""
    stored: dict[str, Any] = {name: np.asarray(getattr(network, name)) for name in ARRAYS}
    stored["format"] = np.array(FORMAT)
    stored["feature_names"] = np.array(network.feature_names or (), dtype=np.str_)
    if not isinstance(network.activation, ReLU):
        stored["activation"] = np.array(type(network.activation).__name__)
        stored["activation_settings"] = np.array([float(value) for value in vars(network.activation).values()])
    if network.polynomial is not None:
        stored |= {f"polynomial_{name}": np.asarray(value) for name, value in vars(network.polynomial).items()}
    with open(path, "wb") as file:  # a file object: the name stays what the user wrote
        np.savez(file, **stored)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The arguments of a network that `write` wrote."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["format"]) != FORMAT:
                raise KeyError("format")
            arguments = {name: file[name] for name in ARRAYS}
            names = tuple(map(str, file["feature_names"]))
            return arguments | {
                "feature_names": names or None,
                "activation": _activation(file),
                "polynomial": _polynomial(file),
            }
    except (KeyError, ValueError, EOFError, TypeError, AttributeError, IndexError):
        raise ProblemError(
            "path",
            "an .npz archive written by RidgeSpline.save",
            f"{os.fspath(path)!r}, which is not one",
            "Check the file's name, and that it was copied whole.",
        ) from None


def _activation(file: Any) -> Activation:
    if "activation" not in file:
        return ReLU()
    kind = {kind.__name__: kind for kind in ACTIVATIONS}[str(file["activation"])]
    convert = int if kind is TruncatedPower else float
    return kind(*map(convert, file["activation_settings"]))


def _polynomial(file: Any) -> Polynomial | None:
    if "polynomial_exponents" not in file:
        return None
    which, coefficients, centre, radius = (
        file[f"polynomial_{name}"] for name in ("exponents", "coefficients", "centre", "radius")
    )
    return Polynomial(which, coefficients, centre, float(radius))
