r"""Which features may act together: neurons that depend on the features of one group only.

Let every neuron's weights vanish outside one of a family of groups of features. The seminorm, the free affine part of
all features, the representer theorem and its bound on the number of neurons, the dual problem and the gap stay word for
word, with the supremum of :math:`|\eta|` over the union of the groups: exact where no group has more than two features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import lsmr

from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

#: A residual of least squares so small, relative to y, is none.
INTERPOLATING_RTOL = 1e-8
#: An eigenvalue of the numbers of groups in which rows are equal that is zero, relative to the largest.
UNTOUCHED_RTOL = 1e-10
#: Groups, at most: an oracle asks each of them.
MAX_GROUPS = 20_000
#: Entries of a block of neurons times groups.
BLOCK_ENTRIES = 2**22
EXPECTED = "None, a whole number k of features that may act together, or a list of groups of columns"
REMEDY = "Pass interactions=2 for pairs, or groups such as [[0, 3], [1]]."


@dataclass(frozen=True)
class Interactions:
    """A family of groups of columns, none of which contains another, in order.

    Attributes
    ----------
    groups : the column numbers of each group, increasing.
    n_features : d.
    """

    groups: tuple[tuple[int, ...], ...]
    n_features: int

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def most(self) -> int:
        """How many features the largest group has."""
        return max(map(len, self.groups))

    @cached_property
    def members(self) -> NDArray[np.bool_]:
        """Whether a group has a feature, (groups, d)."""
        members = np.zeros((len(self.groups), self.n_features), dtype=bool)
        for row, group in zip(members, self.groups, strict=True):
            row[list(group)] = True
        return members

    @cached_property
    def columns(self) -> NDArray[np.intp]:
        """The features of each group, (groups, most); d stands for none."""
        columns = np.full((len(self.groups), self.most), self.n_features)
        for row, group in zip(columns, self.groups, strict=True):
            row[: len(group)] = group
        return columns

    def take(self, places: Sequence[int]) -> Interactions:
        """The groups at some places."""
        return Interactions(tuple(self.groups[i] for i in places), self.n_features)

    def containing(self, W: Array) -> NDArray[np.bool_]:
        """Whether all features of a neuron, W (K, d), lie in a group; (K, groups)."""
        return np.equal(_counts(W != 0.0, ~self.members.T), 0.0)

    def any_containing(self, W: Array, rng: np.random.Generator) -> NDArray[np.intp]:
        """For each neuron a group that has all its features: any of them; (K,)."""
        groups, step = np.empty(len(W), dtype=np.intp), max(1, BLOCK_ENTRIES // len(self.groups))
        for i in range(0, len(W), step):
            containing = self.containing(W[i : i + step])
            groups[i : i + step] = np.argmax(containing * rng.random(containing.shape, dtype=np.float32), axis=1)
        return groups

    def allow(self, W: Array) -> NDArray[np.bool_]:
        """Whether the features of a neuron, W (K, d), lie in any group; (K,)."""
        return np.any(self.containing(W), axis=1)

    def free(self, W: Array) -> NDArray[np.bool_]:
        """The coordinates in which a neuron can move without choosing a group: those of all that contain it; (K, d)."""
        containing = self.containing(W)
        return np.equal(_counts(containing, self.members), containing.sum(axis=1, keepdims=True))

    def words(self, names: Sequence[str] | None = None) -> str:
        """What may act together, for a reader."""
        k = self.most
        if len(self.groups) == comb(self.n_features, k) and all(len(group) == k for group in self.groups):
            return f"at most {k} features together" if k > 1 else "one feature at a time"
        named = [f"x{j}" for j in range(self.n_features)] if names is None else names
        shown = [" and ".join(named[j] for j in group) for group in self.groups[:4]]
        rest = len(self.groups) - len(shown)
        return "; ".join(shown) + (f"; and {rest} more groups" if rest else "")


def read(given: Any, d: int, names: Sequence[str] | None = None) -> Interactions | None:
    """The groups that a user means, for d features; None where all features may act together."""
    if isinstance(given, Interactions):
        if given.n_features == d:
            return given
        given = given.groups
    if given is None:
        return None
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        return _of_size(int(given), d)
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray, set, frozenset)):
        raise ProblemError("interactions", EXPECTED, repr(given), REMEDY)
    groups = {_group(group, d, names) for group in given}
    if not groups:
        raise ProblemError("interactions", "at least one group", "none", REMEDY)
    if len(groups) > MAX_GROUPS:
        raise ProblemError("interactions", f"at most {MAX_GROUPS} groups", f"{len(groups)}", "Name fewer.")
    kept: list[frozenset[int]] = []
    for group in sorted(groups, key=lambda group: (-len(group), sorted(group))):
        if not any(group <= other for other in kept if len(other) > len(group)):
            kept.append(group)
    if any(len(group) == d for group in kept):
        return None
    return Interactions(tuple(sorted(tuple(sorted(group)) for group in kept)), d)


def require_interpolant(interactions: Interactions, X: Array, y: Array) -> None:
    """Raise a ProblemError where no sum of functions of the groups meets y at the distinct rows of X.

    A function of a group may take any values at the distinct points that its features have in the data.
    """
    places = [np.unique(X[:, list(group)], axis=0, return_inverse=True)[1].ravel() for group in interactions]
    if any(place.max(initial=-1) + 1 == len(X) for place in places):
        return
    rows = np.arange(len(X))
    parts = [sparse.csr_array((np.ones(len(X)), (rows, place))) for place in places]
    A = sparse.hstack([sparse.csr_array(X - X.mean(axis=0)), *parts]).tocsr()
    b = y - y.mean()
    z = A @ lsmr(A, b, atol=1e-14, btol=1e-14, maxiter=50 * len(X))[0]
    if np.abs(b - z).max() > INTERPOLATING_RTOL * np.abs(b).max():
        raise ProblemError(
            "interactions",
            "for Interpolation, groups of features whose functions can meet y",
            "y that no sum of functions of these groups meets",
            "Let more features act together, or use a loss such as Squared.",
        )


def untouched(X: Array, groups: Interactions | None, affine: Array) -> Array:
    """An orthonormal basis of the vectors, (N, m), that no sum of functions of the groups and of affine ones sees.

    Rows that are equal in a group have the same value there: the vectors orthogonal to all indicators of such rows, and
    to the columns of `affine`, which are orthonormal.
    """
    alike = affine @ affine.T
    for group in groups or [tuple(range(X.shape[1]))]:
        which = np.unique(X[:, list(group)], axis=0, return_inverse=True)[1].ravel()
        if which.max() + 1 == len(X):
            return np.empty((len(X), 0))
        alike += which[:, None] == which
    sizes, vectors = np.linalg.eigh(alike)
    return vectors[:, sizes <= UNTOUCHED_RTOL * sizes[-1]]


def _of_size(k: int, d: int) -> Interactions | None:
    if k < 1:
        raise ProblemError("interactions", EXPECTED, repr(k), REMEDY)
    if k >= d:
        return None
    if comb(d, k) > MAX_GROUPS:
        got = f"{comb(d, k)} groups of {k} of {d} features"
        raise ProblemError("interactions", f"at most {MAX_GROUPS} groups", got, "Choose a smaller k, or name groups.")
    return Interactions(tuple(combinations(range(d), k)), d)


def _group(given: Any, d: int, names: Sequence[str] | None) -> frozenset[int]:
    """The column numbers of a group."""
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray, set, frozenset)):
        raise ProblemError("interactions", "a list of groups, each a list of columns", f"{given!r} as a group", REMEDY)
    if not len(given):
        raise ProblemError("interactions", "groups of at least one column", "an empty group", "Leave it out.")
    return frozenset(column(each, d, names) for each in given)


def column(
    given: Any, d: int, names: Sequence[str] | None, argument: str = "interactions", remedy: str = REMEDY
) -> int:
    """The number of a column, given as one or by its name; `argument` is what the user passed it in."""
    if isinstance(given, str):
        if names is not None and given in names:
            return names.index(given)
        known = "X without column names" if names is None else f"the columns {', '.join(names)}"
        remedy = "Pass column numbers, or feature_names=." if names is None else "Name a column as the table does."
        raise ProblemError(argument, "names of columns", f"{given!r} for {known}", remedy)
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool) and 0 <= given < d:
        return int(given)
    raise ProblemError(argument, f"column numbers from 0 to {d - 1}, or names", f"{given!r}", remedy)


def _counts(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How many of a row of a are in a column of b.

    By BLAS, which once in a while calls what it has read behind a short row invalid, though none of it counts.
    """
    with np.errstate(invalid="ignore"):
        counts: NDArray[np.float32] = a.astype(np.float32) @ b.astype(np.float32)
    return counts
