r"""The supremum of :math:`|\eta|` over the unit sphere in (w, b): what counts where biases are penalised.

.. math:: \sup_{\|(w, b)\|_2 = 1} \Big\| \sum_n u_n\, \rho(w^T x_n - b) \Big\|

In homogeneous coordinates, :math:`\tilde x = (x, 1)` and :math:`\tilde w = (w, -b)`, neurons go through the origin.
Exact for d = 1, and for d = 2 where points are few enough to enumerate their great circles; searched otherwise, by the
search of any hyperplanes, pinned to the origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ridgesplines.oracle.base import MAX_LISTED, Supremum
from ridgesplines.oracle.great_circles import largest_on_circle, largest_on_sphere, ordered
from ridgesplines.oracle.search import SearchOracle
from ridgesplines.problem.bias_penalty import homogeneous
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Up to so many distinct points of two features all great circles are enumerated.
MOST_CIRCLES = 1000
#: Up to so many a solver enumerates them in each of its rounds.
FEW_CIRCLES = 300


class SphereOracle:
    r"""sup of :math:`|\eta|` over the unit sphere, for points :math:`\tilde x` and neurons through the origin.

    An :class:`ridgesplines.oracle.base.Oracle`, but that u need not be orthogonal to anything.

    Parameters
    ----------
    points : shape (N, p), no row zero.
    seed : of the search, where there is one.
    most : of two features, from how many distinct points on it searches, too.
    device : where the search runs, as for :class:`ridgesplines.oracle.search.SearchOracle`.
    """

    def __init__(
        self,
        points: Array,
        seed: int | Sequence[int] = 0,
        most: int = MOST_CIRCLES,
        device: str | None = None,
    ) -> None:
        distinct, self._which = np.unique(points, axis=0, return_inverse=True)
        self._lengths = np.linalg.norm(distinct, axis=1)
        self._points = distinct / self._lengths[:, None]
        n, p = distinct.shape
        self.exact = p == 2 or (p == 3 and n <= most)
        self._search = None if self.exact else SearchOracle(points, seed, device=device, pinned=True)

    def __call__(
        self, u: Array, level: float | None = None, *, near: tuple[Array, Array] | None = None, **further: Any
    ) -> Supremum:
        if self._search is not None:
            return self._search(u, level, near=near, **further)
        columns = u.reshape(len(u), -1)
        together = np.zeros((len(self._points), columns.shape[1]))
        np.add.at(together, self._which.ravel(), columns)
        together *= self._lengths[:, None]
        enumerated = largest_on_circle if self._points.shape[1] == 2 else largest_on_sphere
        directions = enumerated(self._points, together)
        directions, values = ordered(self._points, together, directions, MAX_LISTED)
        listed = np.ones(len(values), dtype=bool) if level is None else values > level
        listed[:1] = True
        weights = directions[listed]
        return Supremum(float(values[0]), Scope.EXACT, weights, np.zeros(len(weights)))


class BiasedOracle:
    r"""The same for points x (N, d) and neurons (w, b) of unit length."""

    def __init__(self, X: Array, seed: int | Sequence[int] = 0) -> None:
        self._inner = SphereOracle(homogeneous(X), seed)

    @property
    def exact(self) -> bool:
        """Whether the supremum is exact."""
        return self._inner.exact

    def __call__(
        self, u: Array, level: float | None = None, *, near: tuple[Array, Array] | None = None, **further: Any
    ) -> Supremum:
        inner = None if near is None else (np.column_stack([near[0], -near[1]]), np.zeros(len(near[1])))
        found = self._inner(u, level, near=inner, **further)
        W = found.weights
        return Supremum(found.value, found.scope, W[:, :-1], -W[:, -1], found.starts)
