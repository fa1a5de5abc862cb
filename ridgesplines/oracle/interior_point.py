r"""Steps of a primal-dual interior-point method over convex functions and whatever ties them together.

A prediction for products of slacks and multipliers that vanish, a correction for products of one size [1]_; both with
one factorisation. Some fifteen steps make the relative gap 1e-3, however many points there are.

References
----------
.. [1] S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992), 575,
   doi:10.1137/0802028
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Protocol

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from ridgesplines.interrupt import require_time
from ridgesplines.oracle.convex_part import DEFINITE, ConvexPart, Step
from ridgesplines.validation import Array

#: Of the way to the boundary a step takes this part.
BOUNDARY = 0.95
#: The products that a correction aims at are these parts, at least and at most, of what they are.
LEAST_AIM, MOST_AIM = 0.02, 0.9
#: Parts of the diagonal that are added to it until the matrix can be factorised.
REGULAR = (1e-13, 1e-11, 1e-9, 1e-7)
#: Columns that are factorised between two looks at the clock.
PANEL = 256


class Tie(Protocol):
    """What the convex functions have to do with each other, and with unknowns of its own."""

    @property
    def size(self) -> int:
        """The number of its own unknowns."""

    def add(self, K: Array, places: Sequence[slice]) -> None:
        """Add its second derivatives to K, where the values g of the functions are at `places`."""

    def gradient(self, r: Array, places: Sequence[slice], aim: float) -> None:
        """Add its gradient to r; where it has products of its own, for those that become `aim`."""

    def longest(self, own: Array, steps: Sequence[Step]) -> tuple[float, float]:
        """How far its unknowns and multipliers may go along a step of them and of the functions."""

    def move(self, own: Array, steps: Sequence[Step], primal: float, dual: float) -> None:
        """Go so far along it. Called before the functions themselves move."""


class Diverged(ArithmeticError):
    """Rounding has taken over: what came before is the answer."""


def advance(parts: Sequence[ConvexPart], tie: Tie, end: float = np.inf) -> None:
    """One step of all unknowns; a TimeoutError, before anything moves, where it would not be done by `end`."""
    try:
        _advance(parts, tie, end)
    except np.linalg.LinAlgError as error:
        raise Diverged from error


def _advance(parts: Sequence[ConvexPart], tie: Tie, end: float) -> None:
    product = sum(part.products for part in parts) / sum(part.count for part in parts)
    _barriers(parts, product)
    direction = _newton(parts, tie, end)
    predicted, _ = direction(0.0, [(-part.T * part.heights, -part.delta * part.room) for part in parts])
    lengths = [min(1.0, length) for length in _longest(parts, predicted)]
    aim, share = _aim(parts, predicted, lengths) * product, lengths[0] * lengths[1]
    _barriers(parts, aim)
    changes = [  # of second order as far as the prediction could go: more of it would stall where that is not far
        (aim - p.T * p.heights - share * q.T * q.heights, aim - p.delta * p.room - share * q.delta * q.room)
        for p, q in zip(parts, predicted, strict=True)
    ]
    corrected, own = direction(aim, changes)
    both = zip(_longest(parts, corrected), tie.longest(own, corrected), strict=True)
    primal, dual = (min(1.0, BOUNDARY * min(pair)) for pair in both)
    tie.move(own, corrected, primal, dual)
    for part, step in zip(parts, corrected, strict=True):
        part.move(step, primal, dual)


def _barriers(parts: Sequence[ConvexPart], product: float) -> None:
    for part in parts:
        part.barrier = DEFINITE * len(part.points) * product


Direction = Callable[[float, list[tuple[Array, Array]]], tuple[list[Step], Array]]


def _newton(parts: Sequence[ConvexPart], tie: Tie, end: float) -> Direction:
    """Directions for an aim and changes of the products, all from one factorisation."""
    ends = np.cumsum([0, *(part.size for part in parts)]).tolist()
    blocks = [slice(first, last) for first, last in pairwise(ends)]
    places = [slice(block.start, block.start + len(part.points)) for block, part in zip(blocks, parts, strict=True)]
    size = ends[-1] + tie.size
    K = np.zeros((size, size))
    for part, block in zip(parts, blocks, strict=True):
        K[block, block] = part.system(end)
    tie.add(K, places)
    scale, factor = _factorised(K, end)

    def direction(aim: float, changes: list[tuple[Array, Array]]) -> tuple[list[Step], Array]:
        r = np.zeros(size)
        for part, block, change in zip(parts, blocks, changes, strict=True):
            r[block] = part.right(*change)
        tie.gradient(r, places, aim)
        x = -scale * cho_solve(factor, scale * r, check_finite=False)
        if not np.isfinite(x).all():
            raise Diverged
        steps = [part.recovered(x[block]) for part, block in zip(parts, blocks, strict=True)]
        return steps, x[ends[-1] :]

    return direction


def _factorised(K: Array, end: float) -> tuple[Array, tuple[Array, bool]]:
    """The scale of the unknowns, and the Cholesky factor of the scaled system."""
    diagonal = np.diag(K).copy()
    if not (np.isfinite(K).all() and (diagonal > 0.0).all()):
        raise Diverged
    scale = 1.0 / np.sqrt(diagonal)
    K = K * scale * scale[:, None]
    for part in REGULAR:
        np.fill_diagonal(K, 1.0 + part)
        with suppress(np.linalg.LinAlgError):
            return scale, (_cholesky(K, end), True)
    raise Diverged


def _cholesky(K: Array, end: float) -> Array:
    """The lower factor of K, by panels of columns: one call for a large K takes many seconds."""
    L = np.zeros_like(K)
    for first in range(0, len(K), PANEL):
        require_time(end)
        own = slice(first, first + PANEL)
        panel = K[first:, own] - L[first:, :first] @ L[own, :first].T
        L[own, own] = np.linalg.cholesky(panel[:PANEL])
        below = panel[PANEL:]
        L[first + PANEL :, own] = solve_triangular(L[own, own], below.T, lower=True, check_finite=False).T
    return L


def _longest(parts: Sequence[ConvexPart], steps: Sequence[Step]) -> tuple[float, float]:
    lengths = [part.longest(step) for part, step in zip(parts, steps, strict=True)]
    return min(primal for primal, _ in lengths), min(dual for _, dual in lengths)


def _aim(parts: Sequence[ConvexPart], steps: Sequence[Step], lengths: Sequence[float]) -> float:
    """The part of the products that a correction aims at: small where the prediction goes far."""
    primal, dual = lengths
    after = sum(
        float(np.vdot(part.heights + primal * step.heights, part.T + dual * step.T))
        + float(np.vdot(part.room + primal * step.room, part.delta + dual * step.delta))
        for part, step in zip(parts, steps, strict=True)
    )
    left = max((after / sum(part.products for part in parts)) ** 2, (1.0 - min(primal, dual)) ** 3)
    return float(np.clip(left, LEAST_AIM, MOST_AIM))
