r"""The multipliers of mean slopes that suit given multipliers of the fit best: paths of least price through a band.

From right to left :math:`\eta - c` is a path whose steps are the multipliers m. It begins with zero at the last site,
or with the multiplier of the slope far to the right; it must keep :math:`\eta` within its band, and it moves only when
the band forces it to.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.certificate.sites import Sites
from ridgesplines.constraints import Shape
from ridgesplines.validation import Array

#: Sites that are looked at together, at first.
FEW_SITES = 64


def steps(shape: Shape, sites: Sites, lam: float, c: Array, ends: tuple[float, float]) -> Array:
    """m (K - 1,) for the part c (K,) of eta.

    Parameters
    ----------
    shape, sites : the constraints.
    lam : half the width of the band.
    c : zero at the last site.
    ends : suggestions for the multipliers of the slopes far out; they count where the sites say so.
    """
    floor, ceiling = (bound - c for bound in sites.band(lam))
    first, last = sites.inner.start, sites.inner.stop - 1
    low, high = signs(sites.slope_low, sites.slope_high)
    target = -c[0]
    if sites.ends[0]:
        target = min(max(target - min(max(ends[0], low[0]), high[0]), floor[first]), ceiling[first])
    start = 0.0
    if sites.ends[1]:
        rising, falling = np.isfinite(shape.slope_low), np.isfinite(shape.slope_high)
        start = ends[1] if (rising and target >= ends[1]) or (falling and target <= ends[1]) else target
        start = min(max(start, low[-1]), high[-1])
    path = np.zeros(len(c))
    path[first : last + 1] = _inner(shape, floor[first : last + 1], ceiling[first : last + 1], start, target)
    path[0] = -c[0]
    return np.clip(-np.diff(path), low, high)


def signs(low: Array, high: Array) -> tuple[Array, Array]:
    """The bounds of multipliers of x, low <= x <= high: of the sign of a bound that there is."""
    return np.where(np.isfinite(high), -np.inf, 0.0), np.where(np.isfinite(low), np.inf, 0.0)


def _inner(shape: Shape, floor: Array, ceiling: Array, start: float, target: float) -> Array:
    """The path over the problem's own sites, from `start` at the last to `target` at the first, where it can."""
    low, high = np.isfinite(shape.slope_low), np.isfinite(shape.slope_high)
    path = np.full(len(floor), start)
    if low and high:
        path[1:-1] = lazy(floor[1:-1], ceiling[1:-1], start)
        path[0] = target
    elif low and target > start:  # steps up only, from right to left, and no higher than it ends
        path[1:-1] = np.clip(np.maximum.accumulate(floor[-2:0:-1])[::-1], start, target)
        path[0] = target
    elif high and target < start:
        path[1:-1] = np.clip(np.minimum.accumulate(ceiling[-2:0:-1])[::-1], target, start)
        path[0] = target
    return path


def lazy(floor: Array, ceiling: Array, start: float) -> Array:
    """The path from right to left that moves only where it must: up with the floor, or down with the ceiling.

    On one way it is a running maximum, until the ceiling stops it, or a running minimum, until the floor does.
    """
    floor, ceiling = floor[::-1], ceiling[::-1]
    path, here, up, k, size = np.empty(len(floor)), start, True, 0, FEW_SITES
    while k < len(path):
        block = slice(k, k + size)
        edge = floor[block] if up else -ceiling[block]
        along = np.maximum.accumulate(np.maximum(edge, here if up else -here))
        along = along if up else -along
        stopped = (along > ceiling[block]) if up else (along < floor[block])
        count = int(np.argmax(stopped)) if stopped.any() else len(along)
        path[k : k + count] = along[:count]
        here = float(along[count - 1]) if count else here
        up = up if count == len(along) else not up
        size = 2 * size if count == len(along) else FEW_SITES
        k += count
    return path[::-1]
