"""Arrays by name, such as a state_dict: which of them is which layer, by their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations
from typing import NamedTuple

import numpy as np

from ridgesplines.network.exchange.layers import fits, two_layers
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array

EXPECTED = (
    "the arrays of a shallow network by name, such as hidden.weight, hidden.bias, output.weight, output.bias, "
    "skip.weight (net.to_torch()), 0.weight, 0.bias, 2.weight, 2.bias (nn.Sequential), or others whose shapes leave no "
    "doubt; alone (a state_dict), or in a checkpoint under 'state_dict', 'model_state_dict', 'model' or 'network'"
)
#: Where checkpoints keep the parameters.
KEYS = ("state_dict", "model_state_dict", "model", "network", "net")
#: What a name says of the kind of an array; what is left is that of its layer.
KIND = re.compile(r"(^|[._])(weights?|bias(es)?|kernel|[Wwb](?=\d*$))")
#: Names of layers that say which is which.
OWN = ("hidden", "output", "skip")


class Layer(NamedTuple):
    """A matrix with its name, and its bias, or None."""

    name: str
    weight: Array
    bias: Array | None


def parameters(given: Mapping[object, object]) -> Mapping[object, object]:
    """The part of a checkpoint that holds the parameters, by its name, or as the only one of parts; else itself."""
    parts = {key: part for key, part in given.items() if isinstance(part, Mapping)}
    known = [parts[key] for key in KEYS if key in parts]
    return (known or [*parts.values()])[0] if known or len(parts) == 1 else given


def from_named(arrays: Mapping[str, Array], n_features: int | None = None, turned: bool = False) -> RidgeSpline:
    """The network of arrays by name, of `n_features` inputs where that is said.

    Raises
    ------
    ValueError
        Where they make up no network, or more than one. `turned` allows shapes (inputs, outputs), as in Keras, too.
    """
    layers = _layers(arrays)
    readings = list(_readings(layers))
    if turned:
        readings += _readings([layer._replace(weight=layer.weight.T) for layer in layers])
    readings = [each for each in readings if not _in_order([each[1].name, each[0].name])]
    if len(readings) > 1 and n_features is not None:
        readings = [each for each in readings if each[0].weight.shape[1] == n_features]
    if len(readings) != 1:
        raise ValueError("no network, or more than one")
    hidden, output, *rest = readings[0]
    skip = rest[0] if rest else None
    c = _bias(output) + (0.0 if skip is None else _bias(skip))
    return two_layers(hidden.weight, _bias(hidden), output.weight, c, None if skip is None else skip.weight)


def _layers(arrays: Mapping[str, Array]) -> list[Layer]:
    """Each matrix with the bias of its name, or else of the only size that fits."""
    parts = [name.split(".") for name in arrays]
    while parts and all(len(each) > 1 and each[0] == parts[0][0] for each in parts):  # such as module. or model.
        parts = [each[1:] for each in parts]
    short = {".".join(each): array for each, array in zip(parts, arrays.values(), strict=True)}
    matrices = {name: array for name, array in short.items() if array.ndim == 2}
    vectors = {name: array for name, array in short.items() if array.ndim == 1}
    if len(matrices) + len(vectors) < len(short) or len(matrices) not in (2, 3):
        raise ValueError("arrays that are no layers")
    stems = [KIND.sub("", name) for name in matrices]
    if len(set(stems)) < len(stems):
        raise ValueError("two matrices of one name")
    biases = {KIND.sub("", name): vector for name, vector in vectors.items()}
    if len(biases) < len(vectors) or not biases.keys() <= set(stems):
        biases = _by_size(dict(zip(stems, matrices.values(), strict=True)), list(vectors.values()))
    return [Layer(stem, array, biases.get(stem)) for stem, array in zip(stems, matrices.values(), strict=True)]


def _by_size(matrices: Mapping[str, Array], vectors: Sequence[Array]) -> dict[str, Array]:
    """Biases for matrices by their sizes, (m, n) or (n, m), which must leave one way."""
    found = {}
    for vector in vectors:
        homes = [stem for stem, matrix in matrices.items() if len(vector) in matrix.shape]
        fitting = [stem for stem in homes if stem not in found]
        others = [len(v) for v in vectors if v is not vector]
        alone = [stem for stem in fitting if not any(size in matrices[stem].shape for size in others)]
        if len(home := alone or fitting) != 1:
            raise ValueError("a vector that could be the bias of several matrices, or of none")
        found[home[0]] = vector
    return found


def _readings(layers: Sequence[Layer]) -> Iterator[tuple[Layer, ...]]:
    """Orders of hidden layer, output and skip connection in which the shapes fit.

    Of three layers that could follow one another, none is a skip connection unless it is called so.
    """
    known = {layer.name for layer in layers} <= set(OWN)
    if not known and len(layers) == 3 and any(_follow(*order) for order in permutations(layers)):
        return
    for order in [sorted(layers, key=lambda layer: OWN.index(layer.name))] if known else permutations(layers):
        hidden, output, *rest = order
        skip = rest[0] if rest else None
        consistent = all(layer.bias is None or layer.bias.shape == layer.weight.shape[:1] for layer in order)
        C = None if skip is None else skip.weight
        if consistent and fits(hidden.weight, _bias(hidden), output.weight, _bias(output), C):
            yield tuple(order)


def _follow(*layers: Layer) -> bool:
    """Whether each layer takes what the one before it returns."""
    return all(after.weight.shape[1] == len(before.weight) for before, after in pairwise(layers))


def _bias(layer: Layer) -> Array:
    return np.zeros(len(layer.weight)) if layer.bias is None else layer.bias


def _in_order(names: Sequence[str]) -> bool:
    """Whether a number in two names, otherwise alike, says that the first comes before the second."""
    words = [re.split(r"(\d+)", name) for name in names]
    first, second = ([int(part) for part in each[1::2]] for each in words)
    return words[0][::2] == words[1][::2] and first < second
