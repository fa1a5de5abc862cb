r"""sup |eta| over neurons of few features, searched in all groups at once: a lower bound, and no more than that.

A start belongs to a group of features and keeps to them. Ascents of all groups are one batch, whose products over the
data they share (:mod:`ridgesplines.oracle.batches`); only the best are followed to their maxima, each
with the points of its own group, in its few coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import group_norms
from ridgesplines.numerics.fast import one_thread
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.batches import Scout
from ridgesplines.oracle.earlier import Earlier
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.passes import Host, Torch
from ridgesplines.oracle.search import (
    AGREE_RTOL,
    AS_THEY_ARE,
    CIRCLES,
    EXCHANGED,
    FEWEST_FOLLOWED,
    FIRST_TOGETHER,
    KEPT,
    MAX_WORK,
    MOST_TOGETHER,
    ONE_OF,
    STARTS_PER_DIMENSION,
    SearchOracle,
)
from ridgesplines.oracle.starts import Sites, apart, around, joined, nowhere, within
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Random starts of a call for each group, at least; and of a rough one.
FEWEST_STARTS, FEWEST_ROUGH = 16, 2
#: A smooth maximum is found to the root of rounding: hyperplanes nearer than this, in units of the data, are one.
NEAR = 1e-6


class FewFeaturesSearch:
    r"""The largest :math:`|\eta|` that a search finds over neurons of which each has its features in one group.

    What a call is given and answers is what it is for :class:`ridgesplines.oracle.search.SearchOracle`. Groups that
    earlier calls leave no room above `level` get no random starts, but for a call `afresh`, which looks at all of them.

    Parameters
    ----------
    X : the data, shape (N, d); they may be degenerate.
    interactions : the groups.
    seed : of the random starts.
    starts : directions to start from besides, shape (m, d); those that keep to no group are left out.
    device : where batches run, as for `SearchOracle`.

    Notes
    -----
    A batch of m starts takes O(m N d), whatever the number of groups; what is followed O(N (k + log N)) a circle for k
    features.
    """

    def __init__(
        self,
        X: Array,
        interactions: Interactions,
        seed: int | Sequence[int] = 0,
        starts: Array | None = None,
        device: str | None = None,
    ) -> None:
        self._centre, self._groups = X.mean(axis=0), interactions
        self._X, self._seed, self._device = X - self._centre, seed, device
        self._radius = float(np.abs(self._X).max(initial=0.0)) or 1.0
        self._scout = Scout(self._X / self._radius, Host() if device is None else Torch(device))
        W = np.empty((0, X.shape[1])) if starts is None else starts[interactions.allow(starts) & (starts != 0).any(1)]
        self._starts = W / np.linalg.norm(W, axis=1, keepdims=True)
        self._earlier, self._climbers = Earlier(X, interactions), dict[int, SearchOracle]()
        self._kept, self._rng, self._afresh = nowhere(X.shape[1]), np.random.default_rng(seed), False
        self._effort = max(STARTS_PER_DIMENSION * interactions.most, FEWEST_STARTS * len(interactions))

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: Sites | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> Supremum:
        if afresh is not None:
            return self._another(afresh)(u, level, near=near, end=end, rough=rough)
        with one_thread():
            return self._found(u, level, near, end, rough)

    def _another(self, afresh: int) -> FewFeaturesSearch:
        """A search of the same groups that knows nothing of what this one found, with random starts of its own."""
        other = copy(self)
        other._kept, other._rng, other._afresh = nowhere(len(self._centre)), self._rng.spawn(1)[0], True
        other._effort = max(afresh * self._X.shape[1], FEWEST_STARTS * len(self._groups))
        return other

    def _found(self, u: Array, level: float | None, near: Sites | None, end: float, rough: bool) -> Supremum:
        inside = nowhere(len(self._centre))
        if near is not None:
            own = self._groups.allow(near[0])
            inside = near[0][own], near[1][own] - near[0][own] @ self._centre
        known = joined(inside, self._kept)
        bounds = np.full(len(self._groups), np.inf) if self._afresh else self._earlier.bounds(u)
        least = min(self._value(u, known), np.inf if level is None else level)
        looked = np.flatnonzero(bounds >= min(least, bounds.max()))
        if rough:
            number = min(max(FIRST_TOGETHER, FEWEST_ROUGH * len(looked)), MOST_TOGETHER)
            number = min(self._effort, MOST_TOGETHER) if self._afresh else number
            W, b = joined(self._batch(u, known, looked, number, MAX_LISTED, end), inside)
        else:
            (W, b), number = self._search(u, level, inside, looked, end)
        size = group_norms(eta_at(self._X, u, W, b))
        if not self._afresh and not rough:
            self._learn(u, bounds, looked, W, size)
        self._kept = self._largest(u, (W, b), KEPT)
        if level is not None:
            above = size >= min(level, size.max(initial=0.0))
            W, b = W[above], b[above]
        W, b = self._told_apart(u, (W, b))
        best = ranked(Scope.SEARCHED, eta_at(self._X, u, W, b), W, b + W @ self._centre)
        kept = None if rough else (self._kept[0], self._kept[1] + self._kept[0] @ self._centre)
        return replace(best, starts=number, kept=kept)

    def _search(
        self, u: Array, level: float | None, near: Sites, looked: NDArray[np.intp], end: float
    ) -> tuple[Sites, int]:
        """Maxima, and what else is large; and how many random starts there were. See `SearchOracle`."""
        affordable = max(1, CIRCLES // (len(u) * self._groups.most))
        peaks = self._climbed(u, self._largest(u, joined(near, self._kept), affordable), end)
        effort = min(self._effort, max(FIRST_TOGETHER, MAX_WORK // len(u)))
        spent, number, settled = 0, FIRST_TOGETHER, False
        while not settled and spent < effort:
            check()
            number = min(number, effort - spent)
            most = min(max(FEWEST_FOLLOWED, number // ONE_OF), affordable)
            known = joined(near, self._largest(u, peaks, KEPT))
            W, b = self._batch(u, known, looked, number, most + AS_THEY_ARE, end, apart=near)
            before, found = self._value(u, peaks), self._climbed(u, (W[:most], b[:most]), end)
            peaks = self._largest(u, joined(joined(peaks, found), (W[most:], b[most:])), 4 * MAX_LISTED)
            value = self._value(u, peaks)
            settled = spent > 0 and value <= before * (1.0 + AGREE_RTOL) if level is None else value > level
            spent, number = spent + number, min(4 * number, MOST_TOGETHER)
            if late(end):  # what did not end by itself says nothing
                break
        if level is None or not settled:
            peaks = joined(peaks, self._climbed(u, self._largest(u, peaks, EXCHANGED), end, True))
        return joined(peaks, near), spent

    def _batch(
        self,
        u: Array,
        known: Sites,
        looked: NDArray[np.intp],
        number: int,
        most: int,
        end: float,
        apart: Sites | None = None,
    ) -> Sites:
        """Where so many random starts in the groups lead, half as many near what is known, and what is known itself."""
        rng = self._rng
        dealt = rng.permutation(looked)[np.arange(number) % len(looked)]
        fresh = within(self._X, self._groups.members[dealt], rng)
        beside = around(known, number // 2, rng, self._groups.members[self._groups.any_containing(known[0], rng)])
        W, b = joined(joined(fresh, beside), known)
        columns = self._groups.columns[self._groups.any_containing(W, rng)]
        U = u.reshape(len(u), -1) / (float(np.abs(u).max()) or 1.0)
        apart = None if apart is None else (apart[0], apart[1] / self._radius)
        W, b = self._scout.best(U, W, b / self._radius, most, apart, end, columns)
        return W, self._radius * b

    def _climbed(self, u: Array, sites: Sites, end: float, exchanged: bool = False) -> Sites:
        """The maxima to which neurons lead, each within a group that has it."""
        W, b = sites
        found, groups = nowhere(W.shape[1]), self._groups.any_containing(W, self._rng)
        for i in np.unique(groups):
            columns, own = list(self._groups.groups[i]), groups == i
            if i not in self._climbers:
                self._climbers[i] = SearchOracle(self._X[:, columns], self._seed)
            w, biases = self._climbers[i].climbed(u, (W[own][:, columns], b[own]), end, exchanged)
            lifted = np.zeros((len(w), W.shape[1]))
            lifted[:, columns] = w
            found = joined(found, (lifted, biases))
        return found

    def _largest(self, u: Array, sites: Sites, most: int) -> Sites:
        """Those of largest |eta|."""
        best = ranked(Scope.SEARCHED, eta_at(self._X, u, *sites), *sites, most)
        return best.weights, best.biases

    def _told_apart(self, u: Array, sites: Sites) -> Sites:
        """The largest of each set of neurons that are equal up to rounding and sign."""
        W, b = self._largest(u, sites, 4 * MAX_LISTED)
        kept = apart(W, b / self._radius, NEAR, len(b))
        return W[kept], b[kept]

    def _value(self, u: Array, sites: Sites) -> float:
        return float(group_norms(eta_at(self._X, u, *sites)).max(initial=0.0))

    def _learn(self, u: Array, bounds: Array, looked: NDArray[np.intp], W: Array, size: Array) -> None:
        """What was found in each group that was looked at: less than all that is listed, where nothing is."""
        values = bounds.copy()
        values[looked] = size.min(initial=np.inf)
        containing = self._groups.containing(W)
        np.maximum(values, (containing * size[:, None]).max(axis=0, initial=0.0), out=values)
        self._earlier.learn(u, values)
