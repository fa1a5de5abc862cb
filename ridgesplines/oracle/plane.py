r"""sup |eta| in two dimensions, exactly, by an angular sweep about every data point.

The bias may be taken at a data point, the pivot: along a direction :math:`\eta` is piecewise linear in the bias, with
breakpoints at the data. The sweep finds the largest :math:`|\eta|` about one pivot.

An oracle is asked again and again for the same data. The order in which the points are crossed does not depend on the
dual vector and is kept; and a dual vector u near an earlier one u' needs few pivots: for any t,

.. math:: |\eta(w, x_m; u)| \le |t|\,|\eta(w, x_m; u')| + \tfrac12 \sum_n |u_n - t u'_n|\,|w^T (x_n - x_m)|

bounds what a pivot can have, and pivots that cannot matter are skipped.

Sweeps about all pivots take O(N^2). Where the data are many, and numba is installed, sectors of directions are halved
instead until what is left of them can be swept (`compiled_sectors`): nearly O(N log N) for a dual vector.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import check
from ridgesplines.network.spline import group_norms
from ridgesplines.numerics import fast
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.sweep import Sweep
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: In units of the radius: a coordinate as small as this is zero. Squares of what is left do not underflow.
ZERO = 1e-100
#: Earlier dual vectors whose values bound those of the next.
EARLIER = 8
#: Entries (pivots times points) swept at most between two looks at what may be skipped.
BETWEEN = 2**27
#: From so many points on compiled code is worth its loading: directions are looked at by sectors.
MANY_POINTS = 500
#: Directions of a rough call.
ROUGH_DIRECTIONS = 16


class PlaneOracle:
    r"""The exact supremum of :math:`|\eta|` over all directions and biases, for data X (N, 2).

    .. math:: \sup_{\|w\| = 1,\, b} \Big\| \sum_n u_n\,\rho(w^T x_n - b) \Big\|_2

    for dual vectors u, shape (N,) or (N, D), orthogonal to all affine functions. The answer lists the largest value
    about each of at most 256 data points, the largest first; a neuron whose line holds two points may be listed for
    both. `value` is the supremum whatever `level` is: it is :math:`|\eta|` evaluated at the first neuron, and no other
    exceeds it by more than the rounding of a sum of N terms.

    With `level`, neurons at or below it are left out, all but the first, and points that are proven to have none above
    it are not swept. Where there are many points it lists the largest of neurons that lie together, and all that exceed
    the level by half of what the supremum does are among them; and a `rough` call looks along a few directions only,
    for large values, not for the supremum: its scope is ``"searched"``. Answers do not depend on what was asked before;
    the time they take does.

    Parameters
    ----------
    X : the data, shape (N, 2); equal rows count as one point.
    many : from how many distinct points on they are many; 500 by default.

    Notes
    -----
    O(N log N) a data point at first; then O(N), where the order of crossings is kept: for as many points as fit in
    512 MiB, all of them up to N = 16 000 or so. By sectors O(N log N) for each of some hundred sectors, more where
    many places are near the supremum. Not for calls from several threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> from ridgesplines.oracle import PlaneOracle
    >>> corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> found = PlaneOracle(corners)(np.array([1.0, -1.0, -1.0, 1.0]))
    >>> round(found.value, 12), found.scope
    (0.707106781187, 'exact')
    """

    def __init__(self, X: Array, many: int = MANY_POINTS) -> None:
        self._centre = X.mean(axis=0)
        centred = X - self._centre
        self._unit = _power_of_two(np.abs(centred).max(initial=0.0))
        points = centred / self._unit
        points[np.abs(points) <= ZERO] = 0.0
        points, self._place = np.unique(points * [1.0, -1.0], axis=0, return_inverse=True)
        self._points = points * [1.0, -1.0]  # sorted by x, equal x by falling y
        self._sectors = fast.compiled("oracle.compiled_sectors") if len(points) >= many else None
        self._earlier: deque[tuple[Array, Array]] = deque(maxlen=EARLIER)

    def __call__(
        self, u: Array, level: float | None = None, *, floor: float = -np.inf, rough: bool = False, **_: object
    ) -> Supremum:
        """A supremum at or below `floor` need not be found: the value is then not above it, and evaluated."""
        unit = _power_of_two(np.abs(u).max(initial=0.0))
        U = np.zeros((len(self._points), *u.shape[1:]))
        np.add.at(U, self._place, u / unit)
        least = -np.inf if level is None else level / unit / self._unit
        scale, V, ceiling = unit * self._unit, U.reshape(len(U), -1), None
        if self._sectors is not None and rough:
            pivots, values, W = self._along(V)
        elif self._sectors is not None:
            (pivots, values, W), ceiling = self._by_sectors(V, least, floor / scale)
        else:
            pivots, values, W = self._largest(V, least)
        top = np.lexsort((pivots, -values))[:MAX_LISTED]
        top = top[: max(1, int((values[top] > least).sum()))]
        W = W[top]
        W /= np.hypot(W[:, 0], W[:, 1])[:, None]
        biases = np.einsum("kd,kd->k", W, self._points[pivots[top]])
        # Again, for running sums drift; and without BLAS, whose waiting threads would slow down the next sweep.
        eta = np.einsum("kn,n...->k...", np.abs(np.einsum("kd,nd->kn", W, self._points) - biases[:, None]), 0.5 * U)
        scope = Scope.SEARCHED if rough and self._sectors is not None else Scope.EXACT
        supremum = ranked(scope, eta * scale, W, biases * self._unit + W @ self._centre)
        return supremum if ceiling is None else replace(supremum, ceiling=max(supremum.value, ceiling * scale))

    @cached_property
    def _sweep(self) -> Sweep:
        return Sweep(self._points)

    def _along(self, U: Array) -> tuple[NDArray[np.intp], Array, Array]:
        """Local maxima along evenly spread directions, as `_largest` gives its own."""
        sectors: Any = self._sectors
        return _parted(sectors.along(*self._coordinates, np.ascontiguousarray(U), ROUGH_DIRECTIONS))

    def _by_sectors(self, U: Array, least: float, floor: float) -> tuple[tuple[NDArray[np.intp], Array, Array], float]:
        """The same as `_largest`, with maxima of sectors instead of pivots; and a bound on all of them."""
        check()
        sectors: Any = self._sectors
        rounding = 4.0 * len(U) * np.finfo(float).eps * float(self._most(U).max(initial=0.0))
        limits = least if np.isfinite(least) else np.inf, floor, rounding
        listed, most = sectors.supremum(*self._coordinates, np.ascontiguousarray(U), limits)
        return _parted(listed), most + rounding

    @cached_property
    def _coordinates(self) -> tuple[Array, Array]:
        x, y = np.ascontiguousarray(self._points.T)
        return x, y

    def _largest(self, U: Array, least: float) -> tuple[NDArray[np.intp], Array, Array]:
        """Pivots, their largest |eta|, its directions: the largest, and of the MAX_LISTED largest all above `least`."""
        rounding = 8.0 * len(U) * np.finfo(float).eps * self._most(U)  # of a sweep's running sums, and more
        bounds = self._bounds(U) + rounding
        order = np.argsort(-bounds, kind="stable")
        largest, step, enough = np.empty((0, 3)), MAX_LISTED, -np.inf
        while len(largest) < len(order):
            check()
            batch = order[len(largest) : len(largest) + step]
            batch = batch[bounds[batch] > enough]
            if not len(batch):
                break
            largest = np.concatenate([largest, self._sweep(U, batch)])
            step = min(2 * step, max(MAX_LISTED, BETWEEN // len(order)))
            enough = _enough(np.sqrt(largest[:, 0]), least)
        pivots, values = order[: len(largest)], np.sqrt(largest[:, 0])
        bounds[pivots] = values + rounding[pivots]
        self._earlier.append((U, bounds))
        return pivots, values, largest[:, 1:]

    def _bounds(self, U: Array) -> Array:
        """Upper bounds on |eta| about each pivot, by each of the earlier dual vectors."""
        bounds = np.full(len(U), np.inf)
        for earlier, values in self._earlier:
            if earlier.shape == U.shape and (size := np.vdot(earlier, earlier)) > 0.0:
                t = np.vdot(earlier, U) / size
                np.minimum(bounds, abs(t) * values + self._most(U - t * earlier), out=bounds)
        return bounds

    def _most(self, U: Array) -> Array:
        """For each pivot a bound on sum |u_n| |w^T r_n| / 2 over unit w.

        By Cauchy and Schwarz: its square is at most sum |u_n| / 4 times the largest eigenvalue of sum |u_n| r_n r_n^T.
        """
        size = group_norms(U)
        total = float(size.sum())
        if total == 0.0:
            return np.zeros(len(U))
        middle = size @ self._points / total
        middle += size @ (self._points - middle) / total  # the first sum rounds, in units of the radius
        off = self._points - middle
        (a, b), (_, c) = (off.T * size) @ off
        a, b, c = a + total * off[:, 0] ** 2, b + total * off[:, 0] * off[:, 1], c + total * off[:, 1] ** 2
        return 0.5 * np.sqrt(total * (0.5 * (a + c) + np.sqrt(0.25 * (a - c) ** 2 + b**2)))


def _parted(listed: Array) -> tuple[NDArray[np.intp], Array, Array]:
    """Pivots, values, directions."""
    return listed[:, 3].astype(np.intp), listed[:, 0], listed[:, 1:3]


def _enough(values: Array, least: float) -> float:
    """A pivot matters above this only: where it is among the MAX_LISTED largest and above `least`, or the largest."""
    crowded = np.partition(values, -MAX_LISTED)[-MAX_LISTED] if len(values) >= MAX_LISTED else 0.0
    return min(float(values.max()), max(least, float(crowded)))


def _power_of_two(size: float) -> float:
    """A power of two near `size`, so that division by it is exact; 1 for zero."""
    return float(2.0 ** np.floor(np.log2(size))) if size > 0.0 else 1.0
