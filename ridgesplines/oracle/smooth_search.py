r"""sup |eta| over all directions and biases, searched, for activations other than ReLU.

Hundreds of ascents at once propose, by matrix products in single precision (`batches`); the best of them go on to their
maxima in double precision. As smooth as the activation is :math:`\eta(w, b) = \sum_n u_n \sigma(w^T x_n - b)`: its
maxima are found to rounding, only those of the two-sided exponential are kinks, where steps become short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.network.spline import group_norms
from ridgesplines.numerics.fast import one_thread
from ridgesplines.oracle.base import MAX_LISTED, Supremum, ranked
from ridgesplines.oracle.batches import STEPPING, Batch
from ridgesplines.oracle.circles import Rows
from ridgesplines.oracle.eta import eta_at
from ridgesplines.oracle.passes import Host
from ridgesplines.oracle.quasi_newton import FIRST_STEP, SHORT_STEP, TINY
from ridgesplines.oracle.starts import Sites, apart, around, fresh, joined, nowhere, principal
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Starts of a call, and for each dimension of a call for which no neuron may be missed.
STARTS, STARTS_PER_DIMENSION = 192, 64
#: Steps of a batch; the best that are followed to their maxima, and the steps that this takes at most.
STEPS, FOLLOWED, MOST_STEPS = 30, 24, 60
#: Hyperplanes that differ by less, in units of the data's radius, lead to one maximum.
NEAR = 1e-3
#: Maxima that are kept as starts for the next dual vector.
KEPT = 64


class SmoothBatch(Batch):
    """Ascents of |eta| of an activation, for data X (N, d) and a dual vector U (N, D) orthogonal to its null space.

    The data lie in the unit ball. In double precision the few are followed to their maxima that the many have found.
    """

    def __init__(self, X: Array, U: Array, activation: Activation, precision: type = np.float32) -> None:
        machine = Host()
        self._machine, self._xp, self._outputs, self._precision = machine, np, U.shape[1], precision
        self._compiled = machine.compiled(STEPPING, len(X)) if precision is np.float32 else None
        self._X: Rows = X.astype(precision)
        self._U: Rows = U.astype(precision)
        self._activation = activation

    def _way_up(self, theta: Rows) -> tuple[Rows, Rows]:
        """|eta| of each hyperplane, and its gradient along the sphere of w and along b."""
        W, b = theta[:, :-1], theta[:, -1]
        t = W @ self._X.T - b[:, None]
        eta = self._activation.value(t).astype(self._precision) @ self._U
        if self._activation.homogeneity is not None:  # powers of t grow: where no point is near, eta is rounding
            eta[np.abs(b) > 1.0] = 0.0
        size = np.sqrt((eta**2).sum(axis=1))
        pull: Rows = self._activation.derivative(t).astype(self._precision)
        pull *= (eta / np.maximum(size, TINY)[:, None]) @ self._U.T
        way = np.empty_like(theta)
        way[:, :-1] = pull @ self._X
        way[:, -1] = -pull.sum(axis=1)
        way[:, :-1] -= (way[:, :-1] * W).sum(axis=1)[:, None] * W
        return size, way


class SmoothSearch:
    r"""The largest :math:`|\eta|` that a search over all directions and biases finds, for any activation.

    Scope ``"searched"``: the value is that of a neuron, a lower bound on the supremum.

    Parameters
    ----------
    X : shape (N, d), d >= 2.
    activation : of the neurons.
    starts : directions to start from besides, shape (m, d).
    seed : of the random starts, a number or several.

    Notes
    -----
    O(m N d) for a step of m ascents. A call `afresh` makes that many starts for each dimension, with random numbers of
    its own, and knows nothing of other calls; others start also at the maxima of the call before.
    """

    def __init__(
        self, X: Array, activation: Activation, starts: Array | None = None, seed: int | Sequence[int] = 0
    ) -> None:
        self._X, self._activation = X, activation
        self._centre = (X.max(axis=0) + X.min(axis=0)) / 2.0
        self._radius = float(np.linalg.norm(X - self._centre, axis=1).max()) or 1.0
        self._points = (X - self._centre) / self._radius
        self._scaled = activation.rescaled(self._radius)[0]
        self._directions = np.empty((0, X.shape[1])) if starts is None else starts
        self._kept = nowhere(X.shape[1])
        self._rng = np.random.default_rng(seed)

    def __call__(
        self,
        u: Array,
        level: float | None = None,
        *,
        near: Sites | None = None,
        end: float = np.inf,
        afresh: int | None = None,
        rough: bool = False,
    ) -> Supremum:
        number = STARTS if level is None and afresh is None else STARTS_PER_DIMENSION * self._X.shape[1]
        number = number if afresh is None else afresh * self._X.shape[1]
        kept = self._kept if afresh is None else nowhere(self._X.shape[1])
        near = nowhere(self._X.shape[1]) if near is None else near
        with one_thread():
            W, b = self._found(u, joined(self._inside(near), kept), number, end, 0 if rough else FOLLOWED)
        if afresh is None:
            self._kept = W[:KEPT], b[:KEPT]
        weights, biases = W, self._radius * b + W @ self._centre
        weights, biases = joined((weights, biases), near)
        eta = eta_at(self._X - self._centre, u, weights, biases - weights @ self._centre, self._activation)
        return replace(ranked(Scope.SEARCHED, eta, weights, biases), starts=number)

    def _inside(self, near: Sites) -> Sites:
        """Neurons in the coordinates of the points."""
        return near[0], (near[1] - near[0] @ self._centre) / self._radius

    def _found(self, u: Array, known: Sites, number: int, end: float, followed: int) -> Sites:
        """Distinct maxima, the largest first, in the coordinates of the points."""
        size = float(np.abs(u).max(initial=0.0)) or 1.0
        U = u.reshape(len(u), -1) / size
        W, b = joined(joined(fresh(self._points, number, self._rng), self._directed(U)), known)
        W, b = joined((W, b), around(known, number // 2, self._rng))
        W, b, values = SmoothBatch(self._points, U, self._scaled).climb(W, b, STEPS, FIRST_STEP, end)
        W, b = _distinct(W / np.linalg.norm(W, axis=1, keepdims=True), b, values, max(followed, MAX_LISTED))
        if followed:
            batch = SmoothBatch(self._points, U, self._scaled, np.float64)
            highest, biases, _ = batch.climb(W[:followed], b[:followed], MOST_STEPS, SHORT_STEP, end)
            W, b = np.concatenate([highest, W[followed:]]), np.append(biases, b[followed:])
        values = group_norms(eta_at(self._points, U, W, b, self._scaled))
        return _distinct(W, b, values, MAX_LISTED)

    def _directed(self, U: Array) -> Sites:
        """Along the directions given and the principal ones, at the quartiles of the data."""
        W = np.concatenate([self._directions, principal(self._points, U)])
        W = W[(W != 0.0).any(axis=1)]
        W = W / np.linalg.norm(W, axis=1, keepdims=True)
        biases = np.quantile(self._points @ W.T, [0.25, 0.5, 0.75], axis=0)
        return np.tile(W, (3, 1)), biases.ravel()


def _distinct(W: Array, b: Array, values: Array, most: int) -> Sites:
    """At most so many, the largest first, none near a larger one."""
    order = np.argsort(-values, kind="stable")[: 4 * most]
    kept = order[apart(W[order], b[order], NEAR, most)]
    return W[kept], b[kept]
