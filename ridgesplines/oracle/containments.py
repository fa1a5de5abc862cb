r"""Containment for several outputs, and for neurons of several groups of features: a proof for each of them.

For an orthonormal basis :math:`a_1, \dots, a_D` of the outputs

.. math:: \sup_{w, b} \|\eta(w, b)\|_2^2 = \sup_{w, b} \sum_c (a_c^T \eta(w, b))^2
          \le \sum_c \sup_{w, b} |a_c^T \eta(w, b)|^2,

and a neuron of the features of one group sees these coordinates of the data alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.exceptions import ProblemError
from ridgesplines.files import damage_in_words
from ridgesplines.oracle.containment import crude, distinct_points, unit_points
from ridgesplines.oracle.flows import Containment, Flow, read, written
from ridgesplines.validation import Array, real_array

#: Flows for u and for -u.
Flows = tuple[Flow, Flow]


@dataclass(frozen=True, eq=False)
class Group:
    """What neurons of some columns see of data X (N, d).

    Attributes
    ----------
    columns : their numbers.
    distinct, place : the distinct points there less their mean, shape (n, k), and which of them each row is, (N,).
    points, unit, axes : the same in coordinates of their span, (n, r), divided by their radius `unit`; axes (r, k).
    """

    columns: list[int]
    distinct: Array
    place: NDArray[np.intp]
    points: Array
    unit: float
    axes: Array

    @classmethod
    def of(cls, X: Array, columns: Sequence[int]) -> Group:
        distinct, place = distinct_points(X[:, list(columns)])
        return cls(list(columns), distinct, place, *unit_points(distinct))

    def sums(self, values: Array) -> Array:
        """Of values at the rows, (N,) or (N, q), those at each distinct point."""
        total = np.zeros((len(self.points), *values.shape[1:]))
        np.add.at(total, self.place, values)
        return total

    def lifted(self, axes: Array, d: int) -> Array:
        """Directions in coordinates of the span, (m, r), as directions for all d features."""
        directions = np.zeros((len(axes), d))
        directions[:, self.columns] = axes @ self.axes
        return directions


@dataclass(frozen=True, eq=False)
class ContainmentOfOutputs:
    r"""A proof of :math:`\sup \|\eta\|_2 \le` `bound` for a dual vector of D outputs.

    Attributes
    ----------
    points : the distinct data points less their mean, shape (n, d).
    dual : u at the points, shape (n, D), orthogonal to [1 X].
    basis : orthonormal rows, shape (r, D); what of u they do not span is bounded by its size alone.
    flows : for each row of the basis, flows that bound its component of eta and minus that.
    """

    points: Array
    dual: Array
    basis: Array
    flows: tuple[Flows, ...]

    @property
    def bound(self) -> float:
        r"""An upper bound on :math:`\sup \|\eta\|_2`."""
        parts = self.dual @ self.basis.T
        bounds = [Containment(self.points, part, *flows).bound for part, flows in zip(parts.T, self.flows, strict=True)]
        radius = float(np.linalg.norm(self.points, axis=1).max(initial=0.0))
        rest = np.linalg.norm(self.dual - parts @ self.basis, axis=1)
        stretch = max(1.0, float(np.linalg.norm(self.basis, 2)))  # the basis is orthonormal to rounding
        return stretch * float(np.linalg.norm(bounds)) + crude(rest, radius)


@dataclass(frozen=True, eq=False)
class Containments:
    r"""A proof of :math:`\sup \|\eta\|_2 \le` `bound` over neurons of groups of features, for one dual vector.

    Attributes
    ----------
    groups : the proof of each group, in its own coordinates; a single one where all features act together.

    Notes
    -----
    As for :class:`ridgesplines.oracle.flows.Containment`, `bound` is computed from the arrays each time.
    """

    groups: tuple[ContainmentOfOutputs, ...]

    @property
    def bound(self) -> float:
        r"""An upper bound on :math:`\sup \|\eta\|_2`."""
        return max(group.bound for group in self.groups)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the proof as an ``.npz`` archive of plain arrays, without pickle."""
        arrays: dict[str, Array] = {"sizes": np.array([len(group.flows) for group in self.groups])}
        for i, group in enumerate(self.groups):
            arrays |= {f"{i}_points": group.points, f"{i}_dual": group.dual, f"{i}_basis": group.basis}
            for c, (forth, back) in enumerate(group.flows):
                arrays |= written(f"{i}_{c}_forth", forth) | written(f"{i}_{c}_back", back)
        with open(path, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Containments:
        """Read a proof that `save` wrote; what it proves is computed, not read."""
        expected, remedy = "an .npz archive written by Containments.save", "Ask for the bound again."
        with damage_in_words(path, expected, "which is not one", remedy), np.load(path, allow_pickle=False) as file:
            groups = tuple(_read(file, i, int(r)) for i, r in enumerate(file["sizes"]))
        for one in groups:
            n, D, r = len(one.points), one.dual.shape[-1], len(one.flows)
            if not (one.points.ndim == 2 and one.dual.shape == (n, D) and one.basis.shape == (r, D)):
                raise ProblemError("path", expected, "arrays that do not fit together", remedy)
        return cls(groups)


def _read(file: np.lib.npyio.NpzFile, i: int, r: int) -> ContainmentOfOutputs:
    """The proof of one group with flows for r components."""
    points, dual, basis = (real_array(part, file[f"{i}_{part}"]) for part in ("points", "dual", "basis"))
    names = [(f"{i}_{c}_forth", f"{i}_{c}_back") for c in range(r)]
    flows = tuple((read(file, forth, len(points)), read(file, back, len(points))) for forth, back in names)
    return ContainmentOfOutputs(points, dual, basis, flows)


def proof_of(
    groups: Sequence[Group], u: Array, basis: Array, flows: Sequence[Sequence[Flows]]
) -> Containment | Containments:
    """The proof for a dual vector (N,) or (N, D): a plain one for one output and all features together."""
    if u.ndim == 1 and len(groups) == 1:
        return Containment(groups[0].distinct, np.bincount(groups[0].place, u, len(groups[0].distinct)), *flows[0][0])
    columns = u.reshape(len(u), -1)
    return Containments(
        tuple(
            ContainmentOfOutputs(group.distinct, group.sums(columns), basis, tuple(own))
            for group, own in zip(groups, flows, strict=True)
        )
    )
