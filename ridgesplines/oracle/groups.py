"""The supremum of |eta| over neurons of few features: the largest over the groups, each asked by an oracle of its own.

Where no group has more than two features all are exact, and so is their largest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ridgesplines.interactions import Interactions
from ridgesplines.interrupt import check, late
from ridgesplines.numerics import fast
from ridgesplines.oracle.base import FEWEST_LISTED, MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.earlier import Earlier
from ridgesplines.oracle.eta import eta_at
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Groups that are asked at once: what they find may save the next ones work. However many threads there are, so that no
#: answer depends on the machine.
TOGETHER = 8

Member = Callable[..., Supremum]


class GroupsOracle:
    """The supremum over all neurons of which each has its features in one group; X (N, d).

    `members` answer for the data X[:, group], in the order of the groups; `exact` says whether all of them are, and
    then so is the largest. What a call is given is handed on to them. Groups that an earlier call shows to be of no
    account are left out. Not for calls from several threads at once.
    """

    def __init__(self, X: Array, interactions: Interactions, members: Sequence[Member], exact: bool) -> None:
        self._X, self._groups, self._members, self._exact = X, interactions, members, exact
        self._most = max(FEWEST_LISTED, 4 * MAX_LISTED // len(members))
        self._earlier = Earlier(X, interactions)

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
        bounds, most, answers = self._earlier.bounds(u), 0.0, dict[int, Supremum]()
        least = np.inf if level is None else level
        order = np.argsort(-bounds, kind="stable")
        within = None if near is None or self._exact else self._groups.containing(near[0])

        def ask(i: int) -> Supremum:
            if self._exact:
                return self._members[i](u, level, floor=most, rough=rough)
            of_group = None if near is None or within is None else self._within(i, near, within[:, i])
            return self._members[i](u, level, near=of_group, end=end, afresh=afresh, rough=rough)

        for first in range(0, len(order), TOGETHER):
            check()
            enough = least if most > least else most  # what is above the level is listed, from every group
            some = [int(i) for i in order[first : first + TOGETHER] if not answers or bounds[i] > enough]
            searched = any(answer.scope is Scope.SEARCHED for answer in answers.values())
            if not some or (searched and late(end)):  # nothing is proven of groups that were not asked
                break
            for i, answer in zip(some, self._together(ask, some), strict=True):
                answers[i] = self._lifted(i, answer)
                bounds[i] = answer.value if answer.ceiling is None else answer.ceiling
                most = max(most, answer.value)
        if self._exact and not rough:
            self._earlier.learn(u, bounds)
        return largest(self._X, u, [*answers.values()])

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


def largest(X: Array, u: Array, answers: Sequence[Supremum]) -> Supremum:
    """Several answers as one, of the weakest scope among them."""
    W = np.concatenate([answer.weights for answer in answers])
    b = np.concatenate([answer.biases for answer in answers])
    scopes = {answer.scope for answer in answers}
    scope = next(scope for scope in (Scope.SEARCHED, Scope.BOUNDED, Scope.EXACT) if scope in scopes)
    supremum = ranked(scope, eta_at(X, u, W, b), W, b)
    if scope is Scope.BOUNDED:
        supremum = replace(supremum, value=max(answer.value for answer in answers))
    kept = [answer.kept for answer in answers if answer.kept is not None]
    return replace(
        supremum,
        starts=sum(answer.starts for answer in answers),
        kept=(np.concatenate([w for w, _ in kept]), np.concatenate([b for _, b in kept])) if kept else None,
    )
