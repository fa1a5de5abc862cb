"""The dictionary of neurons: directions on half the sphere, and biases along each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.interactions import Interactions
from ridgesplines.validation import Array, real_array

#: Projections of scaled data (|x| <= 1) closer than this count as equal.
TIE = 1e-15
#: Directions in a group of two features or more come in multiples of this: for two the axes and the diagonals first.
QUARTER = 4


@dataclass(frozen=True)
class Dictionary:
    """A finite set of neurons: unit directions, and for each of them its biases.

    Attributes
    ----------
    directions : shape (M, d), unit rows.
    biases : M sorted arrays.
    """

    directions: Array
    biases: tuple[Array, ...]

    @cached_property
    def sizes(self) -> Array:
        return np.array([len(b) for b in self.biases], dtype=int)

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @cached_property
    def neurons(self) -> tuple[Array, Array]:
        """All neurons: weights (G, d) and biases (G,), direction by direction."""
        flat = np.concatenate([np.empty(0), *self.biases])
        return np.repeat(self.directions, self.sizes, axis=0), flat

    def moved(self, centre: Array, radius: float) -> Dictionary:
        """The same neurons where x is replaced by centre + radius * x."""
        shift = self.directions @ centre
        return Dictionary(self.directions, tuple(radius * b + s for b, s in zip(self.biases, shift, strict=True)))


def rightward(dictionary: Dictionary) -> Dictionary:
    """In one dimension the same ReLU neurons along the direction 1: (-1, b) is (1, -b) up to an affine function."""
    signed = [w[0] * b for w, b in zip(dictionary.directions, dictionary.biases, strict=True)]
    return Dictionary(np.ones((1, 1)), (distinct(np.concatenate(signed)),))


def spread_directions(directions: Any, d: int, seed: int = 0, interactions: Interactions | None = None) -> Array:
    """Unit vectors on half the sphere in R^d, shape (M, d).

    A number M gives the single direction 1 for d = 1, evenly spaced angles on the half circle for d = 2, and
    beyond a scrambled Sobol' sequence pushed through the normal distribution, seeded. An array, shape (M, d), is
    normalised; rows need not be unit, but not zero. Mirror images add nothing: (w, b) and (-w, -b) give the
    same neuron up to an affine function.

    Where only some features may act together, a number is spread over the groups, in each of them as above: one
    direction in a group of one feature, a multiple of four in a larger one, those that groups share only once: about
    so many. An array must keep to the groups.
    """
    if np.ndim(directions) == 0:
        m = _count("directions", directions)
        return _counted(m, d, seed) if interactions is None else _in_groups(m, interactions, seed)
    W = real_array("directions", directions)
    if W.ndim == 1 and d == 1:
        W = W[:, None]
    norms = np.linalg.norm(W, axis=-1)
    if W.ndim != 2 or W.shape[1] != d or not len(W) or (norms == 0.0).any():
        raise ProblemError(
            "directions",
            f"a number, or an array of nonzero rows of length d = {d}",
            f"an array of shape {W.shape}" + (" with a row of zeros" if (norms == 0.0).any() else ""),
            "Pass one direction a row.",
        )
    if interactions is not None and not (allowed := interactions.allow(W)).all():
        row = int(np.argmin(allowed))
        raise ProblemError(
            "directions",
            f"directions within the interactions of the problem, {interactions.words()}",
            f"row {row}, of the features {', '.join(f'x{j}' for j in np.flatnonzero(W[row]))}",
            "Set the other features' entries to zero, or pass a number.",
        )
    return W / norms[:, None]


def _in_groups(m: int, interactions: Interactions, seed: int) -> Array:
    """About m directions, spread over the groups; distinct, in order."""
    larger = sum(len(group) > 1 for group in interactions)
    each = QUARTER * max(1, int(np.ceil((m - len(interactions) + larger) / max(QUARTER * larger, 1))))
    parts = []
    for group in interactions:
        within = _counted(each, len(group), seed)
        within[np.abs(within) <= TIE] = 0.0  # the axes, that groups share
        part = np.zeros((len(within), interactions.n_features))
        part[:, group] = within
        parts.append(part)
    return np.unique(np.concatenate(parts), axis=0)


def _counted(m: int, d: int, seed: int) -> Array:
    if d == 1:
        return np.ones((1, 1))
    if d == 2:
        angle = np.pi * np.arange(m) / m
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    from scipy.special import ndtri
    from scipy.stats import qmc

    power = int(np.ceil(np.log2(m)))
    cube = qmc.Sobol(d, scramble=True, rng=np.random.default_rng(seed)).random_base2(power)[:m]
    normal = ndtri(np.clip(cube, 1e-12, 1.0 - 1e-12))
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def grid_biases(
    biases: Any, projections: Array, centre: Array, radius: float, within: bool = True
) -> tuple[Array, ...]:
    """Sorted biases along each direction, in scaled units, shape (M,) of arrays.

    Parameters
    ----------
    biases : ``"data"`` for the projections of the data; a number for a uniform grid between the extreme
        projections; an array, in the units of the data, for the same biases along every direction.
    projections : of the scaled data, shape (N, M).
    centre, radius : the original projection is centre + radius * scaled, with one centre a direction.
    within : whether biases at or beyond the extreme projections are left out: for ReLU and truncated powers the neuron
        is zero on the data there, or in the null space.
    """
    if isinstance(biases, str):
        if biases != "data":
            raise ProblemError("biases", '"data", a number or an array', repr(biases), 'Pass biases="data".')
        per_direction = [distinct(p) for p in projections.T]
    elif np.ndim(biases) == 0:
        count = _count("biases", biases)
        per_direction = [np.linspace(p.min(), p.max(), count + 2) for p in projections.T]
    else:
        given = real_array("biases", biases)
        if given.ndim != 1 or not len(given):
            raise ProblemError("biases", "a vector of biases", f"shape {given.shape}", "Pass shape (B,).")
        per_direction = [distinct((given - c) / radius) for c in centre]
    if not within:
        return tuple(per_direction)
    return tuple(
        b[(b > p.min() + TIE) & (b < p.max() - TIE)] for b, p in zip(per_direction, projections.T, strict=True)
    )


def with_middles(values: Array) -> Array:
    """The sorted values, and the middles between neighbours."""
    return np.union1d(values, (values[1:] + values[:-1]) / 2.0)


def thinned(values: Array, most: int) -> Array:
    """At most `most` of the sorted values, evenly by rank, the first and the last among them."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(int)]


def distinct(values: Array) -> Array:
    """The sorted distinct values, taking those as equal that are nearer than rounding."""
    ordered = np.unique(values)
    return ordered[np.append(True, np.diff(ordered) > TIE)] if len(ordered) else ordered


def _count(name: str, value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ProblemError(name, "a whole number >= 1, or an array", repr(value), f"Pass {name}=64, say.")
    return int(value)
