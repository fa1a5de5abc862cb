r"""The pricing problem of three layers, searched: functions g of the ball with large :math:`|\sum_n u_n \rho(g(x_n))|`.

The convex-concave method: where :math:`u_n > 0` the convex :math:`u_n \rho(g)` lies above :math:`u_n 1[g_t > 0]\, g`,
with equality at :math:`g_t`, so that

.. math:: g_{t+1} = \arg\max_{\|g\|_\circ \le 1}
          \sum_{u_n > 0,\, g_t(x_n) \ge 0} u_n g(x_n) - \sum_{u_n < 0} |u_n| \rho(g(x_n))

does not lower the sum. It ends after some steps, for a start is an activation pattern, of which there are finitely
many. What it ends at depends on the start: of many patterns the best are followed. A lower bound on the supremum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.three_layers.concave import Functions, Maximum
from ridgesplines.validation import Array

Pattern = NDArray[np.bool_]
#: Random functions, of whose patterns the best are starts; neurons of each at most.
RANDOM, MOST_NEURONS = 512, 4
#: Starts of a rough search; the best distinct ones that are followed over all neurons.
ROUGH, FOLLOWED = 4, 4
#: A value on the boundary of a pattern, relative to the largest; a rise of the sum that is none.
ON_BOUNDARY, RISE_RTOL = 1e-9, 1e-10


class Unit(NamedTuple):
    """sign * rho(g): g as a function and at the data."""

    sign: float
    function: RidgeSpline
    values: Array


class Found(NamedTuple):
    """The largest sum found, and units of sums above the level."""

    value: float
    units: list[Unit]


class FunctionSearch:
    """The search on data X (N, d), from so many starts at most for each sign."""

    def __init__(self, X: Array, starts: int, seed: int) -> None:
        self._functions, self._starts, self._rng = Functions(X, seed), starts, np.random.default_rng(seed)

    def __call__(self, u: Array, units: Sequence[Unit], level: float, thorough: bool, end: float = np.inf) -> Found:
        """For a dual vector that sums to zero, near these units; `thorough` from all starts, else from few.

        Where `end` has come, a reading of ``time.perf_counter``, or a signal, one start of each sign is still followed,
        for one step.
        """
        scale = float(np.abs(u).max(initial=0.0)) or 1.0
        value, found, amounts = 0.0, list[Unit](), list[Array]()
        for sign in (1.0, -1.0):
            near = [unit.values > 0.0 for unit in units if unit.sign == sign]
            for best, total in self._climbed(sign * u / scale, near, thorough, end):
                value = max(value, total * scale)
                amounts.append(best.amounts)
                if total * scale > level:
                    found.append(Unit(sign, self._functions.function(best), best.values))
        self._functions.leave(amounts)
        return Found(value, found)

    def _climbed(self, u: Array, near: Iterable[Pattern], thorough: bool, end: float) -> list[tuple[Maximum, float]]:
        """The best of the ends, over all neurons, with their sums."""
        starts = [np.ones(len(u), dtype=bool), *near, *self._patterns(u, self._starts if thorough else ROUGH)]
        ends = self._distinct(self._followed(u, starts, True, end))
        if thorough and ends and not late(end):
            ends = self._distinct([*ends, *self._followed(u, self._flipped(ends[0][0].values), True, end)])
        best = [_active(each.values) for each, _ in ends[:FOLLOWED]]
        return ends if late(end) else self._distinct(self._followed(u, best, False, end))

    def _followed(
        self, u: Array, starts: Iterable[Pattern], rough: bool, end: float
    ) -> Iterator[tuple[Maximum, float]]:
        """The ends of the method from these patterns, of the first at least."""
        for k, start in enumerate(starts):
            if k and late(end):
                return
            yield self._climb(u, start, rough, end)

    def _climb(self, u: Array, pattern: Pattern, rough: bool, end: float) -> tuple[Maximum, float]:
        """Where the method ends from a pattern, or at `end`, over the dictionary where `rough`; and the sum there."""
        functions = self._functions
        price, best = np.maximum(-u, 0.0), Maximum(np.zeros(1), np.zeros(len(u)), 0.0)
        total = 0.0
        while True:
            check()
            gain = np.where(pattern, np.maximum(u, 0.0), 0.0)
            if not gain.any():
                return best, total
            found = functions.on_dictionary(gain, price)[0] if rough else functions.maximum(gain, price, end)
            new = float(u @ np.maximum(found.values, 0.0))
            if new <= total * (1.0 + RISE_RTOL):
                return best, total
            best, total, pattern = found, new, _active(found.values)
            if late(end):
                return best, total

    def _distinct(self, ends: Iterable[tuple[Maximum, float]]) -> list[tuple[Maximum, float]]:
        """Those with a positive sum whose patterns differ, the largest first."""
        by_pattern = dict[bytes, tuple[Maximum, float]]()
        for end in sorted((end for end in ends if end[1] > 0.0), key=lambda end: -end[1]):
            by_pattern.setdefault(_active(end[0].values).tobytes(), end)
        return list(by_pattern.values())

    def _patterns(self, u: Array, most: int) -> list[Pattern]:
        """Patterns of random functions through a random point, of the largest sums."""
        columns, rng = self._functions.columns, self._rng
        amounts = np.zeros((columns.shape[1], RANDOM))
        chosen = rng.integers(columns.shape[1], size=(MOST_NEURONS, RANDOM))
        shares = rng.standard_normal(chosen.shape) * (rng.random(chosen.shape) < rng.random(RANDOM))
        np.add.at(amounts, (chosen, np.arange(RANDOM)), shares)
        G = columns @ (amounts / np.maximum(np.abs(amounts).sum(axis=0), 1e-300))
        G -= G[rng.integers(len(u), size=RANDOM), np.arange(RANDOM)]
        order = np.argsort(-(u @ np.maximum(G, 0.0)), kind="stable")
        return list(np.unique(G[:, order[:most]] > 0.0, axis=1).T)

    def _flipped(self, values: Array) -> list[Pattern]:
        """The pattern of g with one point on the other side, of the points nearest to its boundary."""
        pattern = _active(values)
        return [pattern ^ (np.arange(len(values)) == n) for n in np.argsort(np.abs(values))[: self._starts]]


def _active(values: Array) -> Pattern:
    """Where g is positive, or zero to rounding."""
    return values >= -ON_BOUNDARY * np.abs(values).max(initial=0.0)
