"""The kinks of the linear spline that connects given points."""

from __future__ import annotations

import numpy as np

from ridgesplines.validation import Array


def connecting(t: Array, values: Array) -> list[float]:
    """The kinks of the spline through points, by the same sums in the same order as in `RidgeSpline.pieces`."""
    first, start = float((values[1] - values[0]) / (t[1] - t[0])), float(values[1])
    amplitudes, change, rise = list[float](), 0.0, 0.0
    for width, height in zip(np.diff(t)[1:].tolist(), values[2:].tolist(), strict=True):
        amplitudes.append((height - (start + rise)) / width - first - change)
        change += amplitudes[-1]
        rise += (first + change) * width
    return amplitudes
