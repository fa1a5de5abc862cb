r"""Many ascents of |eta| at once, by matrix products in single precision: they propose, others decide.

A hyperplane is :math:`\theta = (w, b)` with :math:`\|w\| = 1`. For u orthogonal to all affine functions, with
:math:`\bar x_n = (x_n, -1)`,

.. math:: \eta(\theta) = G^T \theta, \qquad G = \tfrac12 \sum_n \mathrm{sign}(\bar x_n^T \theta)\, \bar x_n u_n^T,

and G is the derivative of :math:`\eta` wherever no point is on the hyperplane. So a step of m ascents is two products
with inner dimensions d + 1 and N, and nothing else that grows with N: no sort, no search of a line. Where hyperplanes
are pinned to the origin b stays zero, :math:`\bar x_n = (x_n, 0)`, and L joins G (see `passes`). Each ascent has a
quasi-Newton matrix of its own (see `quasi_newton`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from ridgesplines.interrupt import late
from ridgesplines.oracle.circles import Rows
from ridgesplines.oracle.passes import Host, linear_part
from ridgesplines.oracle.quasi_newton import FIRST_STEP, SHORT_STEP, TINY, Ascents
from ridgesplines.oracle.starts import Sites
from ridgesplines.validation import Array

#: Entries of a block of distances: they stay in the cache between the products.
BLOCK_ENTRIES = 2**17
DEVICE_ENTRIES = 2**26
#: Points of a sample, on which ascents begin, and by which hyperplanes are told apart.
SAMPLE, CODED = 2**13, 2**10
#: Steps; after those on a sample of the points on all of them, which so many begin, of the best.
STEPS, LAST_STEPS, FINALISTS = 20, 12, 64
#: Hyperplanes whose parameters differ less, in units of the data's radius, are near each other.
NEAR = 1e-2
#: The module of the compiled steps.
STEPPING = "oracle.compiled_quasi_newton"


class Scout:
    """Hyperplanes of large |eta| for points X (N, d): batches of ascents, of which the best are told apart.

    Where there are many points, a sample of them proposes. Only all of them decide: near the optimum u is noise, and
    eta of a sample noisier than lam. Where they are `pinned` all go through the origin, and U may be any.
    """

    def __init__(self, X: Array, machine: Host, pinned: bool = False) -> None:
        rng = np.random.default_rng(len(X))
        self._X, self._machine, self._rng, self._pinned = X, machine, rng, pinned
        self._coded = X if len(X) <= CODED else X[rng.choice(len(X), CODED, replace=False)]
        self._code = rng.standard_normal(len(self._coded))

    def best(
        self,
        U: Array,
        W: Array,
        b: Array,
        most: int,
        apart: Sites | None = None,
        end: float = np.inf,
        columns: NDArray[np.intp] | None = None,
    ) -> Sites:
        """At most so many, the largest first, to which starts W (m, d), b (m,) lead, none of them near `apart`.

        With `columns` (m, k) the weights of each keep to these; d stands for none.
        """
        if not len(b):
            return W, b
        pinned, even = self._pinned, not self._pinned or linear_part(self._X, U) is None
        if len(self._X) > SAMPLE:
            rows = self._rng.choice(len(self._X), SAMPLE, replace=False)
            sample = Batch(self._X[rows], U[rows], self._machine, pinned)
            W, b, size = sample.climb(W, b, STEPS, FIRST_STEP, end, columns)
            kept = self.distinct(W, b, size, max(FINALISTS, most), apart, even)
            W, b, columns = W[kept], b[kept], None if columns is None else columns[kept]
            W, b, size = Batch(self._X, U, self._machine, pinned).climb(W, b, LAST_STEPS, SHORT_STEP, end, columns)
        else:
            W, b, size = Batch(self._X, U, self._machine, pinned).climb(W, b, STEPS, FIRST_STEP, end, columns)
        kept = self.distinct(W, b, size, most, apart, even)
        return W[kept], b[kept]

    def distinct(
        self, W: Array, b: Array, size: Array, most: int, apart: Sites | None, even: bool = True
    ) -> NDArray[np.intp]:
        """The indices of the largest whose sides of the points differ; where eta is even, up to which side is which."""
        far = np.arange(len(b))
        if apart is not None and len(apart[1]):
            known, theta = np.column_stack(apart), np.column_stack([W, b])
            distance = cdist(theta, known, "chebyshev")
            if even:
                distance = np.minimum(distance, cdist(theta, -known, "chebyshev"))
            far = np.flatnonzero(distance.min(axis=1) > NEAR)
        order = far[np.argsort(-size[far], kind="stable")]
        sides = np.sign(W[order] @ self._coded.T - b[order, None])
        codes = sides @ self._code
        codes = np.round(np.abs(codes) if even else codes, 6)
        return order[np.sort(np.unique(codes, return_index=True)[1])[:most]]


class Batch:
    """Ascents for data X (N, d) and a dual vector U (N, D), where `machine` is.

    U is orthogonal to the affine functions, or any where hyperplanes are `pinned` to the origin.
    """

    _within: _Columns | None = None
    _compiled: Any = None
    _precision: type = np.float32

    def __init__(self, X: Array, U: Array, machine: Host, pinned: bool = False) -> None:
        n = len(X)
        affine = np.column_stack([X, np.full(n, 0.0 if pinned else -1.0)]).astype(np.float32)
        pulls = 0.5 * affine[:, :, None] * U[:, None, :].astype(np.float32)
        self._machine, self._xp, self._outputs = machine, machine.xp, U.shape[1]
        self._compiled = machine.compiled(STEPPING, n)
        self._points, self._pulls = machine.put(affine), machine.put(pulls.reshape(n, -1))
        linear = 0.5 * affine.T @ U.astype(np.float32) if pinned else np.zeros((affine.shape[1], U.shape[1]))
        self._linear = machine.put(linear.astype(np.float32).reshape(-1))
        self._one = machine.put(np.ones(1, dtype=np.float32))
        self._entries = BLOCK_ENTRIES if machine.compiles else DEVICE_ENTRIES

    @np.errstate(over="ignore", invalid="ignore")  # what overflows single precision is begun again
    def climb(
        self,
        W: Array,
        b: Array,
        steps: int,
        first: float = FIRST_STEP,
        end: float = np.inf,
        columns: NDArray[np.intp] | None = None,
    ) -> tuple[Array, Array, Array]:
        """(W, b, |eta|) after so many steps from unit vectors W (m, d) and biases b (m,), fewer where time is over.

        With `columns` (m, k) the weights of each keep to these; d stands for none.
        """
        theta = self._machine.put(np.column_stack([W, b]).astype(self._precision))
        self._within = None if columns is None else _Columns(columns, W.shape[1], self._machine)
        theta = theta if self._within is None else self._within.own(theta)
        kind = Ascents if self._compiled is None else self._compiled.CompiledAscents
        ascents = kind(self._machine, theta, *self._way_up(theta), first)
        for _ in range(steps):
            if late(end):
                break
            trial = ascents.trial()
            ascents.take(trial, *self._way_up(trial))
        theta, get = ascents.theta, self._machine.get
        theta = get(theta if self._within is None else self._within.full(theta)).astype(float)
        return theta[:, :-1], theta[:, -1], get(ascents.size).astype(float)

    def _way_up(self, theta: Rows) -> tuple[Rows, Rows]:
        """|eta| of each hyperplane, and its gradient along the sphere of w and along b."""
        within = self._within
        G = self._derivatives(theta) if within is None else within.own(self._derivatives(within.full(theta)))
        if self._compiled is not None:
            return self._compiled.ways_up(theta, G)
        eta = (G * theta[:, :, None]).sum(1)
        size = (eta**2).sum(1) ** 0.5
        way = (G * (eta / self._xp.clip(size, TINY, None)[:, None])[:, None, :]).sum(2)
        way[:, :-1] -= (way[:, :-1] * theta[:, :-1]).sum(1)[:, None] * theta[:, :-1]
        return size, way

    def _derivatives(self, theta: Rows) -> Rows:
        """G of each hyperplane, shape (m, d + 1, D)."""
        m = len(theta)
        step = max(256, self._entries // max(m, 1))
        total: Any = self._linear
        for i in range(0, len(self._points), step):
            distances = theta @ self._points[i : i + step].T
            total = total + self._xp.copysign(self._one, distances) @ self._pulls[i : i + step]
        return total.reshape(m, -1, self._outputs)


class _Columns:
    """The coordinates of ascents whose weights keep to some of d columns each, (m, k), and of their biases.

    So steps are taken in k + 1 coordinates, while all hyperplanes share the products, which are those of all columns.
    """

    def __init__(self, columns: NDArray[np.intp], d: int, machine: Host) -> None:
        places = np.where(columns < d, columns, d + 1)  # behind the bias there is room for none
        self._rows = machine.put(np.arange(len(columns))[:, None])
        self._places = machine.put(np.column_stack([places, np.full(len(columns), d)]))
        self._nothing, self._xp = machine.put(np.zeros((len(columns), d + 2), dtype=np.float32)), machine.xp

    def own(self, full: Rows) -> Rows:
        """Of numbers (m, d + 1, ...) those of the own columns and of the bias, (m, k + 1, ...); zero for none."""
        return self._xp.concatenate((full, self._xp.zeros_like(full[:, :1])), 1)[self._rows, self._places]

    def full(self, own: Rows) -> Rows:
        """Numbers (m, k + 1) at their places among zeros, (m, d + 1)."""
        full = 1.0 * self._nothing
        full[self._rows, self._places] = own
        return full[:, :-1]
