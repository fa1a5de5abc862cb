r"""The local descent of least squares over the places of the knots, and moves of one knot to wherever it is best.

.. math:: \min_{t_1 < \dots < t_K} F(t), \qquad
          F(t) = \min_{v, c, c_0} \sum_n s_n \Big(y_n - \sum_k v_k \rho(x_n - t_k) - c\, x_n - c_0\Big)^2

While no knot passes a datum F is smooth, and the step of Gauss and Newton goes to where the least-squares lines of
neighbouring segments meet. At data F has corners: a knot whose slope of F is against it on either side stays, the
others go on. With the other knots where they are, the best place of one knot on each interval between data has a closed
form, so that the best places on the whole line are found by one pass over the data.

Minima are many: what this ends in is one that no small move of all knots improves, nor a move of a single knot to any
of its best places with a descent of all after it. For one knot that is the global minimum.

References
----------
.. [1] P. M. Lerman, Fitting segmented regression models by grid search, J. R. Stat. Soc. C 29 (1980), 77-84,
   doi:10.2307/2346413
.. [2] V. M. R. Muggeo, Estimating regression models with unknown break-points, Statist. Med. 22 (2003), 3055-3071,
   doi:10.1002/sim.1545
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgesplines.inference.pieces import Pieces, Sums
from ridgesplines.interrupt import check
from ridgesplines.validation import Array

#: Steps of one descent, and passes of moves of one knot.
MOST_STEPS, MOST_PASSES = 100, 50
#: A step this small, in units of half the range of x, is none; a fall of F this small, relatively, is rounding.
SMALL_STEP, SMALL_FALL = 1e-11, 1e-12
#: The damping of the first step, and that beyond which there is no way down.
DAMPING, MOST_DAMPING = 1e-3, 1e12
#: From this damping on no knot passes a datum in one step.
CAREFUL = 1.0
#: Of the way to its neighbour the most that a knot goes in one step, and how near it comes at all.
MOST_OF_THE_WAY, SMALLEST_GAP = 0.9, 1e-9
#: How many places are tried for each knot, and what a move must gain: a part of F, or what rounding hides of it.
PLACES, SMALL_GAIN, ROUNDING = 3, 1e-9, 1e-14
#: How much of a neuron must be left that the others do not have, relatively, for it to count as another.
INDEPENDENT = 1e-9


def descent(sums: Sums, knots: Array) -> Pieces:
    """From knots (B, K) down to a local minimum of each target's F; Levenberg and Marquardt's way."""
    best, damping = Pieces.at(sums, knots), np.full(len(knots), DAMPING)
    if not knots.shape[1]:
        return best
    moving = np.arange(len(knots))
    for _ in range(MOST_STEPS):
        check()
        now = _some(best, moving)
        step = _step(now, damping[moving])
        trial = Pieces.at(now.sums, _landing(now, step, damping[moving] > CAREFUL))
        better = trial.loss < now.loss - SMALL_FALL * np.abs(now.loss)
        damping[moving] = np.where(better, damping[moving] / 5.0, damping[moving] * 4.0)
        best = _with(best, moving[better], _some(trial, better))
        small = np.abs(step).max(axis=1) <= SMALL_STEP
        moving = moving[~small & (damping[moving] < MOST_DAMPING)]
        if not len(moving):
            break
    return best


def _step(now: Pieces, damping: Array) -> Array:
    """A damped step of the knots, no further than their order allows."""
    split, pinned = _sides(now)
    at = Pieces.at(now.sums, now.knots, split)
    gram, slope = at.normal()
    K = now.knots.shape[1]
    diagonal, own = np.einsum("bpp->bp", gram), np.arange(gram.shape[1] - K, gram.shape[1])
    size = diagonal.mean(axis=1, keepdims=True)
    extra = 1e-12 * np.repeat(size, gram.shape[1], axis=1)
    extra[:, own] += damping[:, None] * (diagonal[:, own] + 1e-8 * size)
    extra[:, own] = np.where(pinned, 1e15 * size, extra[:, own])
    step = np.linalg.solve(gram + extra[:, :, None] * np.eye(gram.shape[1]), slope[..., None])[:, own, 0]
    step[pinned] = 0.0
    gaps = np.diff(now.nodes, axis=1)
    closing = -np.diff(step, axis=1, prepend=0.0, append=0.0)
    way = MOST_OF_THE_WAY * np.maximum(gaps - SMALLEST_GAP, 0.0)
    room = np.where(closing > 0.0, way / np.where(closing > 0.0, closing, 1.0), np.inf)
    return step * np.minimum(room.min(axis=1, keepdims=True), 1.0)


def _landing(now: Pieces, step: Array, careful: NDArray[np.bool_]) -> Array:
    """Where the steps end: of targets that have to be careful at the first datum on the way, where F has a corner."""
    ends = now.knots + step
    if not careful.any():
        return ends
    x = now.sums.x
    above = x[np.minimum(np.searchsorted(x, now.knots, side="right"), len(x) - 1)]
    below = x[np.maximum(np.searchsorted(x, now.knots, side="left") - 1, 0)]
    return np.where(careful[:, None], np.clip(ends, below, above), ends)


def _sides(now: Pieces) -> tuple[Array, NDArray[np.bool_]]:
    """Of how many data each knot is to the right as it sets out, and which knots stay where they are, at a datum."""
    x, t = now.sums.x, now.knots
    right, left = np.searchsorted(x, t, side="right"), np.searchsorted(x, t, side="left")
    if (right == left).all():
        return right, np.zeros(t.shape, dtype=bool)
    K = t.shape[1]
    rightward = now.normal()[1][:, -K:]  # half of how fast F falls to the right
    rows = np.arange(len(t))[:, None]
    weight = now.sums.counts[0, right] - now.sums.counts[0, left]
    target = now.sums.loads[0, rows, right] - now.sums.loads[0, rows, left]
    bend = np.diff(now.slopes, axis=1)
    leftward = rightward - bend * (target - weight * now.values[:, 1:-1])
    at = right > left
    stuck = at & (rightward <= 0.0) & (leftward >= 0.0)
    return np.where(at & (rightward <= 0.0), left, right), stuck


def _some(pieces: Pieces, which: Array) -> Pieces:
    parts = (pieces.grams[:, which], pieces.loads[:, which], pieces.values[which], pieces.loss[which])
    return Pieces(pieces.sums[which], pieces.knots[which], *parts)


def _with(pieces: Pieces, which: Array, new: Pieces) -> Pieces:
    """The same with some replaced."""
    changed = {}
    for name in ("grams", "loads"):
        changed[name] = getattr(pieces, name).copy()
        changed[name][:, which] = getattr(new, name)
    for name in ("knots", "values", "loss"):
        changed[name] = getattr(pieces, name).copy()
        changed[name][which] = getattr(new, name)
    return Pieces(pieces.sums, **changed)


@dataclass(frozen=True)
class Settled:
    """Where the knots have come to rest.

    Attributes
    ----------
    knots : increasing, shape (K,).
    loss : F.
    moves : how often a single knot went elsewhere.
    """

    knots: Array
    loss: float
    moves: int


def settled(x: Array, y: Array, weight: Array, knots: Array) -> Settled:
    """A local minimum of F that no move of one knot improves, with a descent after it; from the knots given; x sorted.

    O(N K) to find where each knot may move, O(K^3) for a step of all knots.
    """
    sums = Sums.of(x, y[None], weight)
    best, moves = descent(sums, knots[None]), 0
    for _ in range(MOST_PASSES):
        check()
        starts = _moves(x, y, weight, best.knots[0])
        if not len(starts):
            break
        trials = descent(sums[np.zeros(len(starts), dtype=int)], starts)
        top = np.array([trials.loss.argmin()])
        enough = SMALL_GAIN * abs(best.loss[0]) + ROUNDING * sums.squares[0]
        if not trials.loss[top][0] < best.loss[0] - enough:
            break
        best, moves = _some(trials, top), moves + 1
    return Settled(best.knots[0], float(best.loss[0]), moves)


def _moves(x: Array, y: Array, weight: Array, knots: Array) -> Array:
    """The knots with one of them at one of its best places elsewhere, for each knot in turn, shape (M, K)."""
    moved = []
    for k in range(len(knots)):
        others = np.delete(knots, k)
        for place in _best_places(x, y, weight, others):
            trial = np.sort(np.append(others, place))
            if (np.diff(trial, prepend=x[0], append=x[-1]) > SMALLEST_GAP).all():
                moved.append(trial)
    return np.array(moved).reshape(-1, len(knots))


def _best_places(x: Array, y: Array, weight: Array, others: Array) -> Array:
    r"""The best places of one knot beside others, over the whole line: the largest maxima of the fall of F.

    Off the splines with the other knots, the neuron at t between the data i and i + 1 is a - t b, with a and b the
    parts of x and of 1 to the right of i; F falls by :math:`(y^T a - t\, y^T b)^2 / \|a - t b\|^2`, which has one
    maximum.
    """
    root = np.sqrt(weight)
    nodes = np.concatenate([x[:1], others, x[-1:]])
    hats = np.stack([np.interp(x, nodes, row) for row in np.eye(len(nodes))], axis=1)
    Q = np.linalg.qr(root[:, None] * hats)[0]
    residual = root * y
    residual = residual - Q @ (Q.T @ residual)

    def rest(values: Array) -> Array:
        """Sums over the data to the right of each."""
        return np.cumsum(values[::-1], axis=0)[::-1][1:]

    ya, yb = rest(root * x * residual), rest(root * residual)
    qa, qb = rest((root * x)[:, None] * Q), rest(root[:, None] * Q)
    full = rest(weight * x**2), rest(weight * x), rest(weight)
    aa, ab, bb = (whole - (p * q).sum(axis=1) for whole, p, q in zip(full, (qa, qa, qb), (qa, qb, qb), strict=True))

    def fall(t: Array) -> Array:
        norm, whole = aa - t * (2.0 * ab - t * bb), full[0] - t * (2.0 * full[1] - t * full[2])
        apart = norm > INDEPENDENT * whole
        return np.where(apart, (ya - t * yb) ** 2 / np.where(apart, norm, 1.0), 0.0)

    slope = yb * ab - ya * bb
    inner = (yb * aa - ya * ab) / np.where(slope != 0.0, slope, 1.0)
    inner = np.where(slope != 0.0, np.clip(inner, x[:-1], x[1:]), x[:-1])
    places = np.concatenate([inner, x[1:-1]])
    falls = np.concatenate([fall(inner), fall(x[:-1])[1:]])
    falls[(places <= x[0]) | (places >= x[-1])] = 0.0
    order = np.argsort(places, kind="stable")
    places, falls = places[order], falls[order]
    beside = np.concatenate([[0.0], falls, [0.0]])
    peaks = np.flatnonzero((falls > 0.0) & (falls >= beside[:-2]) & (falls >= beside[2:]))
    return places[peaks[np.argsort(-falls[peaks], kind="stable")][:PLACES]]
