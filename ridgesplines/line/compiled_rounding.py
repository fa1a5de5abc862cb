"""The pass over all data for the rounding of a gap, compiled by numba; imported only where it is installed.

See `ridgesplines.line.rounding` for what it sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ridgesplines.validation import Array


@njit(cache=True)
def sums(
    t: Array,
    weight: Array,
    fit: tuple[Array, Array],
    pieces: tuple[NDArray[np.intp], Array, Array, Array],
    affine: tuple[float, float, float],
    rest: tuple[Array, Array],
    basis: tuple[Array, Array],
    u: Array,
    parts: tuple[float, float],
) -> Array:
    (y, z), (first, base, steepest, least), (origin, slope, offset) = fit, pieces, affine
    (targets, detrended), (one, two), (eps, of_value) = rest, basis, parts
    squares = products = mass = eta = of_mass = of_eta = p = q = a = b = c = 0.0
    for i in range(len(first)):
        end = first[i + 1] if i + 1 < len(first) else len(t)
        for n in range(first[i], end):
            off = least[i] + steepest[i] * (t[n] - base[i]) + eps * (abs(y[n]) + abs(z[n]))
            r = abs(y[n] - z[n])
            squares += weight[n] * (off * (2.0 * r + off) + of_value * r * r)
            products += abs(u[n]) * abs(detrended[n])
            if n > 0:
                eta += mass * (t[n] - t[n - 1])
                of_eta += eta * eta
            mass += u[n]
            of_mass += mass * mass
            line = slope * (t[n] - origin) + offset - (targets[n] - detrended[n])
            p += one[n] * u[n]
            q += two[n] * u[n]
            a += one[n] * line
            b += two[n] * line
            c += u[n] * line
    return np.array([squares, products, of_mass, of_eta, p, q, a, b, c])
