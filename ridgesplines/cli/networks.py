"""Networks that a command is given: of a file of ours, of PyTorch or of ONNX, and the columns that they take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import ridgesplines as rs
from ridgesplines.cli.problem import split
from ridgesplines.cli.reading import TableError
from ridgesplines.network import as_network

#: Pickles, and models whose layers may be code.
ENDINGS_OF_CODE = (".pkl", ".pickle", ".joblib", ".keras", ".h5")


def read_network(path: str, features: Sequence[str] | None = None, out: TextIO | None = None) -> rs.RidgeSpline:
    """A network that `fit --out`, PyTorch or an exporter to ONNX wrote; no code that a file may hold is run."""
    try:
        return _read(path, len(split(features, ())) if features else None, out)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from None


def _read(path: str, n_features: int | None, out: TextIO | None) -> rs.RidgeSpline:
    if (ending := Path(path).suffix.lower()) in ENDINGS_OF_CODE:
        raise TableError(f"{path}: such files may hold code; read it in Python, and pass it to rs.evaluate")
    try:
        network = as_network(path, n_features)
    except ImportError as error:
        raise TableError(f"{path}: {error}") from None
    if ending in (".pt", ".pth"):
        print("network       tensors read as V relu(W x - b) + C x + c_0; no code in the file was run", file=out)
    return network


def match_features(args: argparse.Namespace, network: rs.RidgeSpline, out: TextIO | None = None) -> None:
    """The columns in the order in which the network takes them: another order would give a wrong number."""
    own = list(network.feature_names or ())
    if own and not args.features:
        args.features = own
        print("features      " + ", ".join(own), file=out)
    given = split(args.features or (), own)
    if own != given and sorted(own) == sorted(given):
        raise TableError(f"--features: the network takes {', '.join(own)}, in this order; got {', '.join(given)}")
