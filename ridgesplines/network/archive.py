"""Networks on disk: ``.npz`` archives of plain arrays, without pickle.

A file may be damaged, or made to do damage. It is read by the little that `write` writes: members of known names, each
with a header of one form, whose sizes are compared before an array is made. Nothing is run or evaluated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from math import prod
from typing import Any, TypeVar

import numpy as np

from ridgesplines.activations import ACTIVATIONS
from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.activations.truncated_power import TruncatedPower
from ridgesplines.dates import Dates
from ridgesplines.files import damage_in_words, require_regular, stored_archive
from ridgesplines.numerics.polynomials import Polynomial
from ridgesplines.validation import Array

Network = TypeVar("Network")

FORMAT = "ridgesplines-1"
ARRAYS = ("weights", "biases", "amplitudes", "slope", "offset")
#: What else every archive has; and what is there together, or not at all.
WORDS = ("format", "feature_names")
ACTIVATION = ("activation", "activation_settings")
DATES = ("dates_kind", "dates_zone")
POLYNOMIAL = tuple(f"polynomial_{field.name}" for field in fields(Polynomial))
#: Kinds of numbers, and of texts: all that is not a float64.
KINDS = {"format": "U", "feature_names": "U", "activation": "U", "polynomial_exponents": "i"} | dict.fromkeys(
    DATES, "U"
)
#: The header of an array as NumPy writes it: the kind of its entries, whether columns come first, its shape.
HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|][fiU]\d{1,9})', 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]*)\), \} *\n",
    re.DOTALL,
)


#: What the names of further arrays begin with, and the name of a text, where more than a network is stored.
BESIDES, NOTES = "besides_", "notes"


def write(
    path: str | os.PathLike[str], network: Any, besides: Mapping[str, Array] | None = None, notes: str | None = None
) -> None:
    """Write the arguments that a network was made of, with further arrays and a text where they are given."""
    require_regular(path)
    stored: dict[str, Any] = {name: np.asarray(getattr(network, name)) for name in ARRAYS}
    stored["format"] = np.array(FORMAT)
    stored["feature_names"] = np.array(network.feature_names or (), dtype=np.str_)
    if not isinstance(network.activation, ReLU):
        stored["activation"] = np.array(type(network.activation).__name__)
        stored["activation_settings"] = np.array([float(value) for value in vars(network.activation).values()])
    if network.dates is not None:
        stored |= {"dates_kind": np.array(network.dates.kind), "dates_zone": np.array(network.dates.zone or "")}
    if network.polynomial is not None:
        stored |= {f"polynomial_{name}": np.asarray(value) for name, value in vars(network.polynomial).items()}
    stored |= {BESIDES + name: array for name, array in (besides or {}).items()}
    if notes is not None:
        stored[NOTES] = np.array(notes)
    with open(path, "wb") as file:  # a file object: the name stays what the user wrote
        np.savez(file, **stored)


def read(path: str | os.PathLike[str], make: Callable[..., Network]) -> Network:
    """The network that `write` wrote, made by `make` of its arguments."""
    require_regular(path)
    expected, got = "an .npz archive written by RidgeSpline.save", "which is not one"
    with damage_in_words(path, expected, got, "Check the file's name, and that it was copied whole."):
        return make(**_arguments(_stored(path)))


def read_besides(path: str | os.PathLike[str]) -> tuple[dict[str, Array], str]:
    """The further arrays, and the text, that `write` wrote."""
    with stored_archive(path) as archive:
        names = [name for name in archive.namelist() if name.startswith(BESIDES)]
        arrays = {name.removeprefix(BESIDES).removesuffix(".npy"): _array(archive.read(name), "f") for name in names}
        return arrays, str(_scalar(_array(archive.read(f"{NOTES}.npy"), "U")))


def _stored(path: str | os.PathLike[str]) -> dict[str, Array]:
    with stored_archive(path) as archive:
        names = {name.removesuffix(".npy"): name for name in archive.namelist()}
        if NOTES in names:  # of a solution: only its network is read here
            names = {name: member for name, member in names.items() if name != NOTES and not name.startswith(BESIDES)}
        required = {*ARRAYS, *WORDS}
        extra = names.keys() - required
        extra -= {*DATES} if {*DATES} <= extra else set()
        allowed: list[set[str]] = [set(), {*ACTIVATION}, {*ACTIVATION, *POLYNOMIAL}]
        if not required <= names.keys() or extra not in allowed:
            raise ValueError("missing or unknown members")
        return {name: _array(archive.read(member), KINDS.get(name, "f")) for name, member in names.items()}


def _array(content: bytes, kind: str) -> Array:
    """The finite numbers, or the texts, of an ``.npy`` file; a view of its bytes, so that nothing is allocated."""
    header = HEADER.match(content)
    if header is None or int.from_bytes(content[8:10], "little") != header.end() - 10:
        raise ValueError("no array of NumPy")
    described, is_fortran, sizes = (text.decode() for text in header.groups())
    dtype, shape = np.dtype(described), tuple(int(size) for size in sizes.split(",") if size.strip())
    if dtype.kind != kind or (kind == "f" and dtype.itemsize != 8):
        raise ValueError("another kind of numbers")
    if prod(shape) * dtype.itemsize != len(content) - header.end():
        raise ValueError("more or fewer entries than declared")
    array = np.ndarray(shape, dtype, content, header.end(), order="F" if is_fortran == "True" else "C")
    if kind == "f" and not np.isfinite(array).all():
        raise ValueError("NaN or infinity")
    return array


def _arguments(stored: dict[str, Array]) -> dict[str, Any]:
    if str(_scalar(stored["format"])) != FORMAT:
        raise ValueError("another format")
    W, names = stored["weights"], stored["feature_names"]
    if W.ndim != 2 or names.shape not in ((0,), W.shape[1:]):
        raise ValueError("names that do not fit")
    # A network is in normal form, so that nothing overflows when it is normalised once more.
    if np.abs(W).max(initial=0.0) > 2.0 or np.abs(np.linalg.norm(W, axis=1) - 1.0).max(initial=0.0) > 1e-9:
        raise ValueError("weights that are not of unit length")
    return {name: stored[name] for name in ARRAYS} | {
        "feature_names": tuple(map(str, names)) or None,
        "activation": _activation(stored),
        "polynomial": _polynomial(stored),
        "dates": _dates(stored),
    }


def _scalar(array: Array) -> Any:
    if array.shape != ():
        raise ValueError("an array where one value is expected")
    return array[()]


def _activation(stored: dict[str, Array]) -> Activation:
    if "activation" not in stored:
        return ReLU()
    kind = {kind.__name__: kind for kind in ACTIVATIONS}[str(_scalar(stored["activation"]))]
    settings = stored["activation_settings"].tolist()
    if len(settings) != len(fields(kind)):  # type: ignore[arg-type]
        raise ValueError("more or fewer settings than the activation has")
    if kind is TruncatedPower:
        settings = [int(order) if order == int(order) else order for order in settings]
    return kind(*settings)


def _dates(stored: dict[str, Array]) -> Dates | None:
    if DATES[0] not in stored:
        return None
    kind, zone = (str(_scalar(stored[name])) for name in DATES)
    return Dates(kind, zone or None)


def _polynomial(stored: dict[str, Array]) -> Polynomial | None:
    if POLYNOMIAL[0] not in stored:
        return None
    which, coefficients, centre, radius = (stored[name] for name in POLYNOMIAL)
    native = which.astype(np.intp), coefficients.astype(float), centre.astype(float)
    return Polynomial(*native, float(_scalar(radius)))
