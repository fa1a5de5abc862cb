"""The network of the linear spline that connects given points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.numerics.precise import plus_products, two_product, two_sum
from ridgesplines.validation import Array

#: A piece is flat where another one is steeper by more than this factor.
STEEP = 1e6
#: So many slopes are tried where the offset is that much larger than the piece.
TRIED = 40001


class Connected(NamedTuple):
    """The first arguments of a network."""

    weights: Array
    biases: Array
    amplitudes: Array
    slope: Array
    offset: Array


def connecting(
    t: Array, values: Array, tilt: Array | float = 0.0, shift: Array | float = 0.0, centre: float = 0.0
) -> Connected:
    """The spline through the points (t, values), t increasing, plus the affine function tilt * (t - centre) + shift.

    Every number is rounded; what a slope and a value lack by that is made up for by the next kink, as far as it has the
    digits. A flat piece beside steep ones lacks what their kinks round, unless it is the one at which all others start:
    the widest of them.
    O(m).
    """
    chords, rests = _chords(t, values)
    total = np.abs(chords + tilt)
    sizes = total if total.ndim == 1 else np.linalg.norm(total, axis=1)
    zero, width = np.zeros_like(values[0]), np.diff(t)
    steep_enough = sizes.max() * np.abs(t).max() > STEEP * np.ptp(values)  # and not only some slopes zero
    flat = (STEEP * sizes < sizes.max()) & steep_enough
    base = int(np.where(flat, width, 0.0).argmax())
    slope, cut = two_sum(chords[base], zero + tilt)
    typical = np.median(np.abs(values), axis=0)
    columns = (
        np.atleast_1d(each)
        for each in (*values[base : base + 2], typical, zero + tilt, zero + shift, slope, cut + rests[base])
    )
    lines = [_line(t[base], t[base + 1], centre, *each) for each in zip(*columns, strict=True)]
    slope, offset, steep, high = (np.reshape(each, zero.shape) for each in zip(*lines, strict=True))
    changes, lows = two_sum(chords[1:], -chords[:-1])
    lows = lows + np.diff(rests, axis=0)
    right = _kinks(changes[base:], lows[base:], width[base + 1 :], steep, high + steep * width[base])
    left = _kinks(changes[:base][::-1], lows[:base][::-1], width[:base][::-1], -steep, high)
    weights = np.where(np.arange(len(t) - 2) < base, -1.0, 1.0)
    return Connected(weights[:, None], weights * t[1:-1], np.concatenate([left[::-1], right]), slope[None], offset)


def _line(
    t: float,
    end: float,
    centre: float,
    left: float,
    right: float,
    typical: float,
    tilt: float,
    shift: float,
    slope: float,
    rest: float,
) -> tuple[float, float, float, float]:
    """Slope and offset of the piece from the heights `left` to `right`; by how much it is too steep, and too high at t.

    Where the offset is far larger than what the piece does, or than typical heights, it rounds by more than these can
    bear. Then of the slopes that are a few last digits away, too little to matter over the piece, the one is taken
    whose offset, that for the lower end, happens to round least, relative to the height of each end.
    """
    width = end - t
    level = abs(left) + abs(slope * width)
    level = min(level, typical) if typical > 0.0 else level
    far = abs(slope * t) + abs(left) > STEEP * level
    k = np.arange(TRIED if far else 1)
    slopes = slope + np.where(k % 2, 1.0, -1.0) * ((k + 1) // 2) * np.spacing(slope)
    low = int(abs(right) < abs(left))
    at, height, ones = (t, end)[low], (left, right)[low], np.ones_like(slopes)
    columns, factors = [ones, at * ones, -centre * ones, slopes], [shift, tilt, tilt, -at]
    offsets = plus_products(height * ones, np.column_stack(columns), np.array(factors))
    high = -plus_products(height * ones, np.column_stack([*columns, offsets]), np.array([*factors, -1.0]))
    steep = (slopes - slope) - rest
    ends = (high - steep * width, high) if low else (high, high + steep * width)
    worse = [np.abs(off) / max(abs(size), level, 1e-300) for off, size in zip(ends, (left, right), strict=True)]
    best = int(np.maximum(*worse).argmin())
    return slopes[best], offsets[best], steep[best], ends[0][best]


def _chords(t: Array, values: Array) -> tuple[Array, Array]:
    """The slopes between the points, and what they lack by rounding."""
    width, cut = two_sum(t[1:], -t[:-1])
    rise, small = (part.T for part in two_sum(values[1:], -values[:-1]))
    slope = rise / width
    back, lost = two_product(slope, width)
    return slope.T, (((rise - back) - lost + small - slope * cut) / width).T


def _kinks(changes: Array, lows: Array, widths: Array, steep: Array, high: Array) -> Array:
    """The kinks outward from a piece that is too steep and ends too high by so much, rounding; O(m)."""
    columns = np.atleast_2d(changes.T), np.atleast_2d(lows.T), np.atleast_1d(steep), np.atleast_1d(high)
    kinks = [_column(*each, widths) for each in zip(*columns, strict=True)]
    return np.array(kinks).T.reshape(changes.shape)


def _column(changes: Array, lows: Array, steep: float, high: float, widths: Array) -> list[float]:
    kinks, steep, high = list[float](), float(steep), float(high)
    for change, low, width in zip(changes.tolist(), lows.tolist(), widths.tolist(), strict=True):
        kinks.append(change + (low - steep - high / width))
        steep += (kinks[-1] - change) - low
        high += steep * width
    return kinks
