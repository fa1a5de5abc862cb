r"""A working set of neurons: their signs at the data, which of them are one neuron, and which are too alike.

A neuron with a free affine part may be turned, :math:`\rho(t) = t + \rho(-t)`, so (w, b) and (-w, -b) are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ridgesplines.interactions import Interactions
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.validation import Array

#: A point this near to a neuron's hyperplane, in units of the data's radius, is on it.
TOUCH = 1e-11
#: Unit weights and biases that differ by less are those of one neuron.
SAME = 1e-12
#: Entries of a block of pre-activations.
BLOCK_ENTRIES = 2**22


@dataclass(frozen=True)
class Neurons:
    """Unit weights W (K, d), biases b (K,), and amplitudes: sizes (K,) times signs (K,), or unit vectors (K, D)."""

    W: Array
    b: Array
    sizes: Array
    signs: Array

    @property
    def amplitudes(self) -> Array:
        return (self.signs.T * self.sizes).T

    @property
    def theta(self) -> Array:
        """size (w, b), shape (K, d + 1)."""
        return self.sizes[:, None] * np.column_stack([self.W, self.b])

    def __len__(self) -> int:
        return len(self.b)

    def take(self, kept: Array) -> Neurons:
        return Neurons(self.W[kept], self.b[kept], self.sizes[kept], self.signs[kept])

    def joined(self, other: Neurons) -> Neurons:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Neurons(*(np.concatenate(pair) for pair in pairs))

    @classmethod
    def of(cls, W: Array, b: Array, amplitudes: Array) -> Neurons:
        """Neurons with these amplitudes, none of them zero."""
        sizes = group_norms(amplitudes)
        return cls(W, b, sizes, (amplitudes.T / sizes).T)

    @classmethod
    def of_network(cls, net: RidgeSpline) -> Neurons:
        """Its neurons, without those of amplitude zero."""
        kept = group_norms(net.amplitudes) > 0.0
        return cls.of(net.weights[kept], net.biases[kept], net.amplitudes[kept])

    @classmethod
    def from_theta(cls, theta: Array, signs: Array) -> Neurons:
        """The inverse of `theta`, for weights that are not zero."""
        sizes = np.linalg.norm(theta[:, :-1], axis=1)
        unit = theta / sizes[:, None]
        return cls(unit[:, :-1], unit[:, -1], sizes, signs)


def blocks(n: int, width: int, entries: int = BLOCK_ENTRIES) -> Iterator[slice]:
    """Slices of the n rows, each of at most so many entries for `width` columns."""
    step = max(1, entries // max(1, width))
    for i in range(0, n, step):
        yield slice(i, min(n, i + step))


def sides(X: Array, W: Array, b: Array, touch: float = TOUCH) -> Array:
    """-1, 0 or 1 for each neuron and point: on which side of its hyperplane, or on it; (K, N), int8."""
    signs = np.empty((len(b), len(X)), dtype=np.int8)
    for rows in blocks(len(X), len(b)):
        h = W @ X[rows].T - b[:, None]
        signs[:, rows] = np.sign(np.where(np.abs(h) <= touch, 0.0, h))
    return signs


def conflicts(first: Array, second: Array) -> tuple[Array, Array]:
    """At how many points the neurons of two sets are on opposite sides; and on the same side, points on them apart."""
    same, opposite = np.zeros((2, len(first), len(second)))
    for rows in blocks(first.shape[1], len(first) + len(second)):
        p, q = first[:, rows].astype(np.float32), second[:, rows].astype(np.float32)
        product, both = p @ q.T, np.abs(p) @ np.abs(q.T)
        same += (both + product) / 2.0
        opposite += (both - product) / 2.0
    return np.rint(opposite), np.rint(same)


def merged(
    X: Array, neurons: Neurons, groups: Interactions | None = None, touch: float = TOUCH, turn: bool = True
) -> Neurons:
    """Neurons of one sign that no point separates, as one: their sum, of no greater norm. Scalar amplitudes only.

    With groups of features those whose sum has its features in one of them. Where no affine part is free they may not
    `turn`.
    """
    if len(neurons) < 2:
        return neurons
    signs = sides(X, neurons.W, neurons.b, touch)
    apart, together = conflicts(signs, signs)
    alike = neurons.signs[:, None] == neurons.signs
    direct, turned = alike & (apart == 0.0), alike & (together == 0.0) & turn
    theta = neurons.theta
    kept = np.ones(len(neurons), dtype=bool)
    for k in np.argsort(-neurons.sizes, kind="stable"):
        if not kept[k]:
            continue
        for j in np.flatnonzero(kept & (direct[k] | turned[k]) & (np.arange(len(kept)) != k)):
            if not (direct[k, j] or turned[k, j]):  # a point separates it from what has joined
                continue
            if groups is not None and not groups.allow(np.abs(theta[[k], :-1]) + np.abs(theta[[j], :-1])).all():
                continue
            straight = bool(direct[k, j])
            theta[k] += theta[j] if straight else -theta[j]
            same, other = (direct[j], turned[j]) if straight else (turned[j], direct[j])
            direct[k] &= same
            turned[k] &= other
            direct[:, k], turned[:, k] = direct[k], turned[k]
            kept[j] = False
    kept &= np.linalg.norm(theta[:, :-1], axis=1) > 0.0
    return Neurons.from_theta(theta[kept], neurons.signs[kept])


def sums(X: Array, neurons: Neurons, groups: Interactions | None = None, turn: bool = True) -> Neurons:
    """Of the `merged` neurons those that are several."""
    together = merged(X, neurons, groups, turn=turn)
    before, after = (np.column_stack([n.W, n.b]) for n in (neurons, together))
    nearest = cKDTree(before).query(after)[0] if len(after) else np.empty(0)
    return together.take(nearest > SAME)


def distinct(X: Array, W: Array, b: Array, most: int) -> Array:
    """Indices of at most `most` neurons, the first first, that many points separate; then also of nearer ones."""
    signs = sides(X, W, b)
    apart, together = conflicts(signs, signs)
    distance = np.minimum(apart, together)
    kept: list[int] = []
    for least in (len(X) // 10, len(X) // 50, 1):
        for k in range(len(b)):
            if len(kept) < most and (distance[k, kept] >= max(least, 1)).all():
                kept.append(k)
    return np.array(kept, dtype=int)
