r"""The supremum of |eta| over neurons of few features: the largest over the groups, each asked by an oracle of its own.

Where no group has more than two features all are exact, and so is their largest. A dual vector u near an earlier u'
leaves most groups out of account: with S a group, :math:`x_S` its features, and any t,

.. math:: \sup_S |\eta(\cdot; u)| \le |t| \sup_S |\eta(\cdot; u')| + \sup_S \tfrac12 \sum_n v_n |w^T x_n - b|, \quad
          v_n = \|u_n - t u'_n\|,

and the last sum is at most half the root of :math:`\sum v_n` times the largest eigenvalue of the features' moments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ridgesplines import fast
from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.base import FEWEST_LISTED, MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.eta import eta_at
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Earlier dual vectors whose suprema bound those of the next.
EARLIER = 4
#: Groups that are asked at once: what they find may save the next ones work. However many threads there are, so that no
#: answer depends on the machine.
TOGETHER = 8
#: How far above an earlier bound rounding may lift a supremum, relatively.
ROUNDING = 1e-12

Member = Callable[..., Supremum]


class GroupsOracle:
    """The supremum over all neurons of which each has its features in one group; X (N, d).

    `members` answer for the data X[:, group], in the order of the groups; `exact` says whether all of them are, and
    then so is the largest. What a call is given is handed on to them. Groups that an earlier call shows to be of no
    account are left out. Not for calls from several threads at once.
    """

    def __init__(self, X: Array, interactions: Interactions, members: Sequence[Member], exact: bool) -> None:
        self._X, self._groups, self._members, self._exact = X, interactions, members, exact
        self._centred = X - X.mean(axis=0)
        columns = [self._centred[:, list(group)] for group in interactions]
        self._radii = np.array([np.sqrt((x**2).sum(axis=1).max(initial=0.0)) for x in columns])
        self._most = max(FEWEST_LISTED, 4 * MAX_LISTED // len(members))
        self._earlier: deque[tuple[Array, Array]] = deque(maxlen=EARLIER)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: tuple[Array, Array] | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> Supremum:
        bounds, largest, answers = self._bounds(u), 0.0, dict[int, Supremum]()
        least = np.inf if level is None else level
        order = np.argsort(-bounds, kind="stable")
        within = None if near is None or self._exact else self._groups.containing(near[0])

        def ask(i: int) -> Supremum:
            if self._exact:
                return self._members[i](u, level, floor=largest, rough=rough)
            of_group = None if near is None or within is None else self._within(i, near, within[:, i])
            return self._members[i](u, level, near=of_group, end=end, afresh=afresh, rough=rough)

        for first in range(0, len(order), TOGETHER):
            check()
            enough = least if largest > least else largest  # what is above the level is listed, from every group
            some = [int(i) for i in order[first : first + TOGETHER] if not answers or bounds[i] > enough]
            searched = any(answer.scope is Scope.SEARCHED for answer in answers.values())
            if not some or (searched and late(end)):  # nothing is proven of groups that were not asked
                break
            for i, answer in zip(some, self._together(ask, some), strict=True):
                answers[i] = self._lifted(i, answer)
                bounds[i] = answer.value if answer.ceiling is None else answer.ceiling
                largest = max(largest, answer.value)
        if self._exact and not rough:
            self._earlier.append((u, bounds))
        return self._joined(u, answers)

    def _together(self, ask: Callable[[int], Supremum], some: list[int]) -> list[Supremum]:
        """The answers of some groups, on as many threads as numba would take: exact oracles run outside of Python."""
        threads = fast.threads() if self._exact and fast.loaded() else 1
        if min(threads, len(some)) == 1:
            return [ask(i) for i in some]
        with ThreadPoolExecutor(threads) as pool:
            return [*pool.map(ask, some)]

    def _within(self, i: int, near: tuple[Array, Array], within: Array) -> tuple[Array, Array]:
        """Those neurons that lie in a group, for its features alone."""
        columns: list[int] = [*self._groups.groups[i]]
        return near[0][within][:, columns], near[1][within]

    def _lifted(self, i: int, answer: Supremum) -> Supremum:
        """The answer of a group, its neurons of all features; the first of them."""

        def lifted(weights: Array, biases: Array) -> tuple[Array, Array]:
            W = np.zeros((len(weights[: self._most]), self._X.shape[1]))
            W[:, list(self._groups.groups[i])] = weights[: self._most]
            return W, biases[: self._most]

        W, b = lifted(answer.weights, answer.biases)
        return replace(answer, weights=W, biases=b, kept=None if answer.kept is None else lifted(*answer.kept))

    def _joined(self, u: Array, answers: dict[int, Supremum]) -> Supremum:
        """The answers of all groups as one, of the weakest scope among them."""
        W = np.concatenate([answer.weights for answer in answers.values()])
        b = np.concatenate([answer.biases for answer in answers.values()])
        scopes = {answer.scope for answer in answers.values()}
        scope = next(scope for scope in (Scope.SEARCHED, Scope.BOUNDED, Scope.EXACT) if scope in scopes)
        supremum = ranked(scope, eta_at(self._X, u, W, b), W, b)
        if scope is Scope.BOUNDED:
            supremum = replace(supremum, value=max(answer.value for answer in answers.values()))
        kept = [answer.kept for answer in answers.values() if answer.kept is not None]
        return replace(
            supremum,
            starts=sum(answer.starts for answer in answers.values()),
            kept=(np.concatenate([w for w, _ in kept]), np.concatenate([b for _, b in kept])) if kept else None,
        )

    def _bounds(self, u: Array) -> Array:
        """Upper bounds on the supremum of each group, by each of the earlier dual vectors."""
        bounds = np.full(len(self._members), np.inf)
        for earlier, values in self._earlier:
            if earlier.shape == u.shape and (size := np.vdot(earlier, earlier)) > 0.0:
                t = float(np.vdot(earlier, u) / size)
                change = self._largest_of(group_norms(u - t * earlier))
                np.minimum(bounds, (abs(t) * values + change) * (1.0 + ROUNDING), out=bounds)
        return bounds

    def _largest_of(self, size: Array) -> Array:
        """For each group a bound on sum |u_n| |w^T (x_n - x_m)| / 2 over unit w and pivots m; `size` is |u|."""
        total = float(size.sum())
        if total == 0.0:
            return np.zeros(len(self._members))
        mean = size @ self._centred / total
        off = self._centred - mean
        moments, bounds = (off.T * size) @ off, np.empty(len(self._members))
        for places, columns in self._by_size:
            spread = np.linalg.eigvalsh(moments[columns[:, :, None], columns[:, None, :]])[:, -1]
            far = self._radii[places] + np.linalg.norm(mean[columns], axis=1)
            bounds[places] = 0.5 * np.sqrt(total * (np.maximum(spread, 0.0) + total * far**2))
        return bounds

    @cached_property
    def _by_size(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The places of the groups of one size, with their columns."""
        lengths = np.array([len(group) for group in self._groups])
        return [
            (places := np.flatnonzero(lengths == size), np.array([self._groups.groups[i] for i in places]))
            for size in np.unique(lengths)
        ]
