"""Affine maps whose wiring is not written down: the networks that they could make up, and which one it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from ridgesplines.network.exchange.layers import fits, two_layers
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.validation import Array

#: Points at which a function is compared with the network that was read from it.
PROBES = 64
#: Roundings of a sum of this size that two ways of adding it up may differ by.
ROUNDINGS = 64.0


class AffineMap(NamedTuple):
    """The map x -> weight x + bias, of shapes (m, n) and (m,)."""

    weight: Array
    bias: Array

    @classmethod
    def scaling(cls, factor: Array, shift: Array) -> AffineMap:
        """The map x -> factor (x - shift), feature by feature."""
        return cls(np.diag(factor), -factor * shift)

    def after(self, first: AffineMap) -> AffineMap:
        """This map of the values of another."""
        return AffineMap(self.weight @ first.weight, self.weight @ first.bias + self.bias)


def networks(maps: Sequence[AffineMap]) -> Iterator[RidgeSpline]:
    """The networks V relu(W x + b) + C x + c_0 that two, three or four affine maps could make up, in any order.

    A third is a skip connection, or a map of the inputs in front of all; of four, one is each.
    """
    for hidden, output, *rest in permutations(maps):
        for skip, front in _roles(rest):
            yield from _wired(hidden, output, skip, front)


def _roles(rest: Sequence[AffineMap]) -> list[tuple[AffineMap | None, AffineMap | None]]:
    """What is skip connection and what is in front, of the maps that are neither hidden layer nor output."""
    if len(rest) == 1:
        return [(rest[0], None), (None, rest[0])]
    return [(rest[0], rest[1])] if rest else [(None, None)]


def _wired(
    hidden: AffineMap, output: AffineMap, skip: AffineMap | None, front: AffineMap | None
) -> Iterator[RidgeSpline]:
    """The network, where shapes fit; with a map in front, the skip connection may start before it or behind it."""
    shortcuts = [skip]
    if front is not None:
        if len(front.bias) != hidden.weight.shape[1]:
            return
        hidden = hidden.after(front)
        if skip is not None and skip.weight.shape[1] == len(front.bias):
            shortcuts.append(skip.after(front))
    for shortcut in shortcuts:
        if shortcut is None:
            C, c = None, output.bias
        elif shortcut.bias.shape == output.bias.shape:
            C, c = shortcut.weight, output.bias + shortcut.bias
        else:
            continue
        if fits(*hidden, output.weight, c, C):
            yield two_layers(*hidden, output.weight, c, C)


def agrees(function: Callable[[Array], Any], net: RidgeSpline, eps: float) -> bool:
    """Whether a function has the network's values at random points, to the rounding of its own precision, `eps`.

    `function` takes points, shape (N, d); None where it does not.
    """
    spread = 1.0 + float(np.abs(net.biases).max(initial=0.0))
    X = spread * np.random.default_rng(0).standard_normal((PROBES, net.n_features))
    values = function(X)
    if values is None or np.shape(values)[:1] != (PROBES,):
        return False
    given, expected = np.reshape(values, (PROBES, -1)), net(X).reshape(PROBES, -1)
    terms = (np.abs(X) @ np.abs(net.weights).T + np.abs(net.biases)) @ np.abs(net.amplitudes)
    size = terms + np.abs(X) @ np.abs(net.slope) + np.abs(net.offset)
    return given.shape == expected.shape and bool(np.abs(given - expected).max() <= ROUNDINGS * eps * size.max())
