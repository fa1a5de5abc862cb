"""The steps of many ascents, one after the other, compiled by numba; imported only where it is installed.

What `quasi_newton` does with arrays of all ascents, whose every operation is a pass over all matrices.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ridgesplines.oracle.circles import Rows
from ridgesplines.oracle.passes import Host
from ridgesplines.oracle.quasi_newton import ALIGNED, CURVED, FARTHEST, LONGEST_STEP, SHORT_STEP, SHORTER, TINY

#: Sums may be taken in any order; what is not finite remains so, for it begins a matrix again.
SUMS = {"reassoc", "contract"}


class CompiledAscents:
    """The same as `quasi_newton.Ascents`. All arrays are its own, and change in place."""

    def __init__(self, machine: Host, theta: Rows, size: Rows, slope: Rows, first: float) -> None:
        m, p = theta.shape
        self.theta, self.size, self._slope = theta.copy(), size.copy(), slope.copy()
        self._H, self._reach = np.empty((m, p, p), np.float32), np.ones(m, np.float32)
        begin(self._H, self._slope, first)

    def trial(self) -> Rows:
        """Where each would go, (m, p)."""
        there = np.empty_like(self.theta)
        propose(self.theta, self._slope, self._H, self._reach, there)
        return there

    def take(self, trial: Rows, higher: Rows, after: Rows) -> None:
        """Go there where |eta| has risen, and learn from the way: |eta| and its slope at the trial."""
        take(trial, higher, after, self.theta, self.size, self._slope, self._H, self._reach)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def begin(H: Rows, slope: Rows, step: float) -> None:
    """Matrices whose step has this length."""
    for i in range(len(H)):
        restart(H[i], slope[i], step)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def propose(theta: Rows, slope: Rows, H: Rows, reach: Rows, trial: Rows) -> None:
    """Where each would go."""
    for i in range(len(theta)):
        way = trial[i]
        if not times(H[i], slope[i], way) > 0.0 or not length(way) < FARTHEST:  # at a kink, or by rounding
            restart(H[i], slope[i], SHORT_STEP)
            times(H[i], slope[i], way)
        far = reach[i] * length(way)
        step = reach[i] * min(1.0, LONGEST_STEP / max(far, TINY))
        for j in range(len(way)):
            way[j] = theta[i, j] + step * way[j]
        norm = length(way[:-1])
        for j in range(len(way)):
            way[j] /= norm


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def take(trial: Rows, higher: Rows, after: Rows, theta: Rows, size: Rows, slope: Rows, H: Rows, reach: Rows) -> None:
    """Go to a trial where |eta| is higher; what the slope after it says joins the matrices."""
    p = theta.shape[1]
    s, y, Hy = np.empty(p, np.float32), np.empty(p, np.float32), np.empty(p, np.float32)
    for i in range(len(theta)):
        if not higher[i] > size[i]:
            reach[i] *= SHORTER
            continue
        for j in range(p):
            s[j], y[j] = trial[i, j] - theta[i, j], slope[i, j] - after[i, j]
        along = dot(s, y)
        if along > length(s) * (ALIGNED * length(y) + CURVED * length(slope[i])):
            update(H[i], s, along, times(H[i], y, Hy), Hy)
        else:  # the slope hardly fell: farther
            for j in range(p):
                for k in range(p):
                    H[i, j, k] *= 2.0
        for j in range(p):
            theta[i, j], slope[i, j] = trial[i, j], after[i, j]
        size[i], reach[i] = higher[i], 1.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def update(H: Rows, s: Rows, along: float, curvature: float, Hy: Rows) -> None:
    """BFGS of the inverse: after the step s the slope fell by y, given s^T y, y^T H y and H y, which is used up."""
    rho = 1.0 / along
    half = 0.5 * rho * (1.0 + rho * curvature)
    for j in range(len(s)):
        Hy[j] = half * s[j] - rho * Hy[j]
    for j in range(len(s)):
        for k in range(len(s)):
            H[j, k] += s[j] * Hy[k] + Hy[j] * s[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def ways_up(theta: Rows, G: Rows) -> tuple[Rows, Rows]:
    """Of eta = G^T theta its size, and the gradient of that along the sphere of w and along b."""
    m, p, D = G.shape
    size, way, eta = np.empty(m, np.float32), np.empty((m, p), np.float32), np.empty(D, np.float32)
    for i in range(m):
        eta[:] = 0.0
        for j in range(p):
            for k in range(D):
                eta[k] += G[i, j, k] * theta[i, j]
        size[i] = length(eta)
        for j in range(p):
            way[i, j] = dot(G[i, j], eta) / max(size[i], TINY)
        radial = dot(way[i, :-1], theta[i, :-1])
        for j in range(p - 1):
            way[i, j] -= radial * theta[i, j]
    return size, way


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def restart(H: Rows, slope: Rows, step: float) -> None:
    """A multiple of the identity, whose step has this length."""
    size = step / max(length(slope), TINY)
    for j in range(len(slope)):
        for k in range(len(slope)):
            H[j, k] = size if j == k else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def times(H: Rows, y: Rows, product: Rows) -> np.float32:
    """y^T H y; `product` becomes H y."""
    for j in range(len(y)):
        product[j] = dot(H[j], y)
    return dot(product, y)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def dot(a: Rows, b: Rows) -> np.float32:
    """a^T b."""
    total = np.float32(0.0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath=SUMS)
def length(a: Rows) -> np.float32:
    """Of a vector."""
    return np.sqrt(dot(a, a))
