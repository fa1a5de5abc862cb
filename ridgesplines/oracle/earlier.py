r"""What earlier dual vectors say of groups of features: most of them need not be asked again.

With S a group, :math:`x_S` its features, u a dual vector near an earlier u', and any t,

.. math:: \sup_S |\eta(\cdot; u)| \le |t| \sup_S |\eta(\cdot; u')| + \sup_S \tfrac12 \sum_n v_n |w^T x_n - b|, \quad
          v_n = \|u_n - t u'_n\|,

and the last sum is at most half the root of :math:`\sum v_n` times the largest eigenvalue of the features' moments.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from ridgesplines.interactions import Interactions
from ridgesplines.network.spline import group_norms
from ridgesplines.validation import Array

#: Earlier dual vectors whose suprema bound those of the next.
EARLIER = 4
#: How far above an earlier bound rounding may lift a supremum, relatively.
ROUNDING = 1e-12


class Earlier:
    """The last dual vectors, with a bound on the supremum of each group; for data X (N, d)."""

    def __init__(self, X: Array, interactions: Interactions) -> None:
        self._centred, self._count = X - X.mean(axis=0), len(interactions)
        squares = (self._centred**2) @ interactions.members.T
        self._radii = np.sqrt(squares.max(axis=0, initial=0.0))
        lengths, groups = interactions.members.sum(axis=1), interactions.groups
        self._by_size = [
            (places := np.flatnonzero(lengths == size), np.array([groups[i] for i in places]))
            for size in np.unique(lengths)
        ]
        self._known: deque[tuple[Array, Array]] = deque(maxlen=EARLIER)

    def learn(self, u: Array, bounds: Array) -> None:
        """Keep the bounds (groups,) for a dual vector; of a search they are what it took for the suprema."""
        self._known.append((u, bounds))

    def bounds(self, u: Array) -> Array:
        """Upper bounds on the supremum of each group, by each of the earlier dual vectors."""
        bounds = np.full(self._count, np.inf)
        for earlier, values in self._known:
            if earlier.shape == u.shape and (size := np.vdot(earlier, earlier)) > 0.0:
                t = float(np.vdot(earlier, u) / size)
                change = self._largest_of(group_norms(u - t * earlier))
                np.minimum(bounds, (abs(t) * values + change) * (1.0 + ROUNDING), out=bounds)
        return bounds

    def _largest_of(self, size: Array) -> Array:
        """For each group a bound on sum |u_n| |w^T (x_n - x_m)| / 2 over unit w and pivots m; `size` is |u|."""
        total = float(size.sum())
        if total == 0.0:
            return np.zeros(self._count)
        mean = size @ self._centred / total
        off = self._centred - mean
        moments, bounds = (off.T * size) @ off, np.empty(self._count)
        for places, columns in self._by_size:
            spread = np.linalg.eigvalsh(moments[columns[:, :, None], columns[:, None, :]])[:, -1]
            far = self._radii[places] + np.linalg.norm(mean[columns], axis=1)
            bounds[places] = 0.5 * np.sqrt(total * (np.maximum(spread, 0.0) + total * far**2))
        return bounds
