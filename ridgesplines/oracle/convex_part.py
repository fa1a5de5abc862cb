r"""A convex function known at points: what the flows of `flows` are the multipliers of.

The values g_n and subgradients y_n at points x_n belong to a convex function if and only if

.. math:: g_m - g_n - y_n^T (x_m - x_n) \ge 0 \quad \text{for all } n, m.

Its size is the least tr S + tau with :math:`y_n^T S^{-1} y_n \le \tau`. A network of positive amplitudes v_k is such a
function, and balanced by half its slope it has size :math:`\sum_k |v_k| \|w_k\|` or less, with S a multiple of
:math:`\sum_k |v_k| w_k w_k^T`: to let f be the difference of two convex functions [1]_ of that size is a relaxation of
the problem. It has n + n d + d (d + 1)/2 + 1 unknowns; multipliers T of the inequalities and delta of the ellipsoids.

Here is one convex function's part of the Newton system of a primal-dual interior-point method. The y_n are eliminated
in closed form, each a d x d system, so that what is left is of size n + d (d + 1)/2 + 1: O(n m^2 d) for m inequalities
of each point, and one factorisation, not the cube of all unknowns.

References
----------
.. [1] A. Siahkamari, X. Xia, V. Saligrama, D. Castañón, B. Kulis, Learning to approximate a Bregman divergence (2020),
   arXiv:1905.11545; difference of convex functions in piecewise-linear regression: arXiv:2007.02422
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgesplines.interrupt import require_time
from ridgesplines.oracle.flows import Flow, best_shares
from ridgesplines.validation import Array

#: Entries of the blocks that are summed at once.
BLOCK_ENTRIES = 2**22
#: Sums of few pairs are gathered; from this part of the square of the points on they are products of full matrices.
DENSE = 16
#: The barrier that keeps S definite has this many times the weight of one that belongs to each point.
DEFINITE = 1.0


class Step(NamedTuple):
    """A direction: of the values, subgradients, S and tau, of the slacks, and of the multipliers."""

    g: Array
    Y: Array
    S: Array
    tau: float
    heights: Array
    room: Array
    T: Array
    delta: Array
    U: Array


class ConvexPart:
    r"""One convex function, the slacks of its constraints and their multipliers; the price of its size is `lam`.

    Attributes
    ----------
    g, Y, S, tau : the unknowns, shapes (n,), (n, d), (d, d).
    heights, room : slacks of the inequalities (n, m) and of the ellipsoids (n,): positive, apart from their values by
        residuals that Newton's method removes.
    T, delta : their multipliers, positive.
    U : the multiplier that keeps S definite, (d, d), definite; S U is to be `barrier` times the identity.
    """

    def __init__(self, points: Array, to: NDArray[np.intp], lam: float, curvature: float, product: float) -> None:
        """The parabola of this curvature, about which nothing is tight; slack times multiplier is `product`."""
        self.points, self.to, self.lam = points, to, lam
        n, d = points.shape
        self._off = points[to] - points[:, None]
        self._a, self._b = np.triu_indices(d)  # a symmetric matrix is the sum of its coordinates times e (E_ab + E_ba)
        self._e = np.where(self._a == self._b, 0.5, 1.0)
        self.g, self.Y = 0.5 * curvature * (points**2).sum(axis=1), curvature * points
        steepest = float(np.linalg.norm(self.Y, axis=1).max())
        self.S, self.tau = np.eye(d) * steepest / np.sqrt(d), 2.0 * steepest * np.sqrt(d)
        self.heights = self._heights(self.g, self.Y)
        self.T = product / self.heights
        self.delta = np.full(n, lam / n)
        self.room = self.tau - (self.Y @ np.linalg.inv(self.S) * self.Y).sum(axis=1)
        self.barrier = DEFINITE * n * product
        self.U = self.barrier * np.linalg.inv(self.S)

    @property
    def size(self) -> int:
        """The number of unknowns that `system` keeps: g, S, tau."""
        return len(self.points) + len(self._a) + 1

    @property
    def cost(self) -> float:
        """What the size of the function costs."""
        return self.lam * (float(np.trace(self.S)) + self.tau)

    @property
    def missing(self) -> float:
        """What it would cost, to first order, to remove the residuals of the slacks."""
        heights, room = self._residuals()
        return float(np.vdot(self.T, np.abs(heights)) + np.vdot(self.delta, np.abs(room)))

    @property
    def products(self) -> float:
        """The sum of slacks times multipliers."""
        return float(np.vdot(self.T, self.heights) + np.vdot(self.delta, self.room))

    @property
    def count(self) -> int:
        """The number of those products."""
        return self.T.size + len(self.delta)

    def flow(self, moments: Array) -> Flow:
        """The multipliers as a flow, with shares for moments (n, d)."""
        return Flow(self.to, self.T, best_shares(moments, self.S))

    def _heights(self, g: Array, Y: Array) -> Array:
        return g[self.to] - g[:, None] - np.matmul(self._off, Y[:, :, None])[:, :, 0]

    def _residuals(self) -> tuple[Array, Array]:
        """By how much the values of the inequalities exceed their slacks, and those of the ellipsoids theirs."""
        self._inverse = np.linalg.inv(self.S)
        self._Z = self.Y @ self._inverse
        room = self.tau - (self._Z * self.Y).sum(axis=1)
        return self._heights(self.g, self.Y) - self.heights, room - self.room

    def system(self, end: float = np.inf) -> Array:
        """The matrix of the Newton system in (g, S, tau); a TimeoutError where it would not be there by `end`."""
        n, q = len(self.points), len(self._a) + 1
        self._missed = self._residuals()
        self._stiff, self._tight = self.T / self.heights, self.delta / self.room
        self._factors = self._own_factors()
        self._gradients = np.column_stack([self.coordinates(self._Z[:, :, None] * self._Z[:, None]), np.ones(n)])
        K = np.zeros((n + q, n + q))
        self._add_values(K[:n, :n])
        self._add_size(K[n:, n:])
        m = self.to.shape[1] + 1
        step = max(1, BLOCK_ENTRIES // (m * max(m, q)))
        for first in range(0, n, step):
            require_time(end)
            self._subtract(K, slice(first, min(first + step, n)))
        K[n:, :n] = K[:n, n:].T
        return K

    def _own_factors(self) -> Array:
        """Inverse Cholesky factors of the matrix of each y_n, (n, d, d)."""
        Z = self._Z
        own = np.matmul((self._stiff[:, :, None] * self._off).transpose(0, 2, 1), self._off)
        own += 2.0 * self.delta[:, None, None] * self._inverse
        own += (4.0 * self._tight)[:, None, None] * Z[:, :, None] * Z[:, None]
        return np.linalg.inv(np.linalg.cholesky(own))

    def _add_values(self, K: Array) -> None:
        """Add the part of the inequalities between g alone: a weighted graph's Laplacian."""
        n, here = len(K), np.arange(len(K))
        weights = np.bincount((here[:, None] * n + self.to).ravel(), self._stiff.ravel(), n * n).reshape(n, n)
        K -= weights + weights.T
        K[here, here] += weights.sum(axis=0) + weights.sum(axis=1)

    def _add_size(self, K: Array) -> None:
        """Add the part of the ellipsoids and of the barrier between S and tau alone."""
        inner = (self._Z.T * self.delta) @ self._Z
        K[:-1, :-1] += self._between(self._inverse, 2.0 * inner + self.U)
        K += (self._gradients.T * self._tight) @ self._gradients

    def _subtract(self, K: Array, rows: slice) -> None:
        """Subtract what the elimination of some y_n takes off."""
        n = len(self.points)
        weighted = self._stiff[rows, :, None] * self._off[rows]
        cross = np.concatenate([-weighted, weighted.sum(axis=1)[:, None]], axis=1)
        V = np.matmul(cross, self._factors[rows].transpose(0, 2, 1))
        U = np.matmul(self._factors[rows], self._between_slopes_and_size(rows))
        at = np.concatenate([self.to[rows], np.arange(n)[rows, None]], axis=1)
        if n**2 * V.shape[2] <= DENSE * at.shape[1] ** 2:
            full = np.zeros((len(at), n, V.shape[2]))
            np.put_along_axis(full, at[:, :, None], V, axis=1)
            full = full.transpose(0, 2, 1).reshape(-1, n)
            K[:n, :n] -= full.T @ full
            K[:n, n:] -= full.T @ U.reshape(-1, U.shape[2])
        else:
            square = np.matmul(V, V.transpose(0, 2, 1))
            K[:n, :n] -= np.bincount((at[:, :, None] * n + at[:, None]).ravel(), square.ravel(), n * n).reshape(n, n)
            np.subtract.at(K[:n, n:], at.ravel(), np.matmul(V, U).reshape(at.size, -1))
        U = U.reshape(-1, U.shape[2])
        K[n:, n:] -= U.T @ U

    def _between_slopes_and_size(self, rows: slice) -> Array:
        """Second derivatives by y_n and by (S, tau), (k, d, q)."""
        Z, a, b = self._Z[rows], self._a, self._b
        B = np.zeros((*Z.shape, len(a) + 1))
        B[:, :, :-1] = self._e * (self._inverse[:, a] * Z[:, None, b] + self._inverse[:, b] * Z[:, None, a])
        B *= (-2.0 * self.delta[rows])[:, None, None]
        B -= (2.0 * self._tight[rows])[:, None, None] * Z[:, :, None] * self._gradients[rows, None]
        return B

    def right(self, heights: Array, room: Array) -> Array:
        """The gradient of the Lagrangian in (g, S, tau), y_n eliminated, for these changes of the products."""
        self._changes = heights, room
        T = self.T + (heights - self.T * self._missed[0]) / self.heights
        delta = self.delta + (room - self.delta * self._missed[1]) / self.room
        self._slope_gradient = np.matmul(T[:, None], self._off)[:, 0] + 2.0 * delta[:, None] * self._Z
        by_size = self.lam * self.coordinates(np.eye(len(self.S))) - self._gradients[:, :-1].T @ delta
        by_size -= self.barrier * self.coordinates(self._inverse)
        gradient = np.concatenate([self._divergence(T), by_size, [self.lam - delta.sum()]])
        return gradient - self._crossed(self._solved(self._slope_gradient))

    def recovered(self, x: Array) -> Step:
        """The whole direction of which (g, S, tau) are x."""
        n, Z = len(self.points), self._Z
        g, tau = x[:n], float(x[-1])
        S = np.zeros_like(self.S)
        S[self._a, self._b] = self._e * x[n:-1]
        S = S + S.T
        curved = (Z @ S * Z).sum(axis=1)
        jumps = self._stiff * (g[self.to] - g[:, None])
        gradient = self._slope_gradient - np.matmul(jumps[:, None], self._off)[:, 0]
        gradient -= 2.0 * self.delta[:, None] * (Z @ S @ self._inverse)
        gradient -= (2.0 * self._tight * (curved + tau))[:, None] * Z
        Y = -self._solved(gradient)
        heights = self._heights(g, Y) + self._missed[0]
        room = tau - 2.0 * (Z * Y).sum(axis=1) + curved + self._missed[1]
        T = (self._changes[0] - self.T * heights) / self.heights
        delta = (self._changes[1] - self.delta * room) / self.room
        U = self._inverse @ S @ self.U
        U = self.barrier * self._inverse - self.U - 0.5 * (U + U.T)
        return Step(g, Y, S, tau, heights, room, T, delta, U)

    def longest(self, step: Step) -> tuple[float, float]:
        """How far slacks and S, and how far multipliers and U, may go along a step."""
        primal = min(longest(self.heights, step.heights), longest(self.room, step.room))
        dual = min(longest(self.T, step.T), longest(self.delta, step.delta))
        return min(primal, _definite(self.S, step.S)), min(dual, _definite(self.U, step.U))

    def move(self, step: Step, primal: float, dual: float) -> None:
        """Go so far along a step."""
        self.g, self.Y = self.g + primal * step.g, self.Y + primal * step.Y
        self.S, self.tau = self.S + primal * step.S, self.tau + primal * step.tau
        self.heights, self.room = self.heights + primal * step.heights, self.room + primal * step.room
        self.T, self.delta = self.T + dual * step.T, self.delta + dual * step.delta
        self.U = self.U + dual * step.U

    def _divergence(self, T: Array) -> Array:
        return T.sum(axis=1) - np.bincount(self.to.ravel(), T.ravel(), len(T))

    def _solved(self, slopes: Array) -> Array:
        """What the matrices of the y_n take to these vectors, (n, d)."""
        half = np.matmul(self._factors, slopes[:, :, None])
        return np.matmul(self._factors.transpose(0, 2, 1), half)[:, :, 0]

    def _crossed(self, slopes: Array) -> Array:
        """The mixed second derivatives, by (g, S, tau) and by the y_n, times `slopes` (n, d)."""
        along = np.matmul(self._off, slopes[:, :, None])[:, :, 0] * self._stiff
        moved = slopes @ self._inverse
        curved = (self.delta[:, None] * moved).T @ self._Z
        by_size = np.append(-self.coordinates(curved + curved.T), 0.0)
        by_size -= 2.0 * (self._tight * (slopes * self._Z).sum(axis=1)) @ self._gradients
        return np.concatenate([self._divergence(along), by_size])

    def coordinates(self, M: Array) -> Array:
        """Scalar products of symmetric matrices with the basis."""
        return 2.0 * self._e * M[..., self._a, self._b]

    def applied(self, z: Array) -> Array:
        """The matrices of the basis times a vector, shape (d, d (d + 1) / 2)."""
        M, here = np.zeros((len(z), len(self._a))), np.arange(len(self._a))
        np.add.at(M, (self._a, here), self._e * z[self._b])
        np.add.at(M, (self._b, here), self._e * z[self._a])
        return M

    def _between(self, A: Array, B: Array) -> Array:
        """tr(E A E' B) for all pairs of the basis."""
        a, b = self._a, self._b
        total = A[np.ix_(b, a)] * B[np.ix_(a, b)] + A[np.ix_(a, b)] * B[np.ix_(b, a)]
        total += A[np.ix_(a, a)] * B[np.ix_(b, b)] + A[np.ix_(b, b)] * B[np.ix_(a, a)]
        return np.outer(self._e, self._e) * total


def longest(x: Array, dx: Array) -> float:
    """The longest step along dx that leaves x nonnegative."""
    falling = dx < 0.0
    return float((-x[falling] / dx[falling]).min()) if falling.any() else np.inf


def _definite(S: Array, dS: Array) -> float:
    """The longest step along dS that leaves S definite."""
    root = np.linalg.inv(np.linalg.cholesky(S))
    least = float(np.linalg.eigvalsh(root @ dS @ root.T)[0])
    return -1.0 / least if least < 0.0 else np.inf
