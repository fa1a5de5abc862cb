r"""Losses with one kink a row on given neurons, to a gap that is asked for: a primal-dual interior point.

.. math:: \max_u \; \sum_n c_n u_n \quad \text{with} \quad s_n l_n \le u_n \le s_n h_n, \quad Q^T u = 0, \quad
          |B^T u| \le \lambda

for losses :math:`L(y, z) = \max_{l \le v \le h} v (c - z)`. Its multipliers are the coefficients of Q and the
amplitudes of the columns B. Stopped early, it ends between the vertices, where a dual vector says more of the neurons
that are missing than one at a vertex does [1]_.
A step takes O(N K min(N, K)) and a factorisation, which Mehrotra's prediction and correction share.

References
----------
.. [1] J. Gondzio, P. González-Brevis, P. Munari, New developments in the primal-dual column generation technique,
       European J. Oper. Res. 224 (2013), doi:10.1016/j.ejor.2012.07.024
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import linalg
from scipy.linalg import blas

from ridgesplines.interrupt import check, late
from ridgesplines.problem import Problem
from ridgesplines.validation import Array

#: Steps at most; of the way to the boundary a step takes this part.
MOST_STEPS, BOUNDARY = 60, 0.95
#: The products of slacks and multipliers that a correction aims at are no smaller a part of what they are.
LEAST_AIM = 1e-3
#: Q^T u is zero up to this.
FEASIBLE = 1e-6
#: A start keeps these parts of its slacks: of those of the neurons, and of those of the bounds.
INSIDE, OFF_BOUNDS = 0.9, 1e-3


class Between(NamedTuple):
    """A point between the vertices.

    Attributes
    ----------
    u : the dual vector, (N,).
    beta : coefficients of Q, (r,).
    a : amplitudes of the columns, (K,).
    slack : what |B^T u| lacks of lam, (K,).
    """

    u: Array
    beta: Array
    a: Array
    slack: Array


class CentralPath:
    """The program on columns B (N, K), for a problem with a loss that has a `box`."""

    def __init__(self, problem: Problem, B: Array) -> None:
        form = problem.loss.box(problem.y)
        assert form is not None
        centre, _, low, high = form
        s = problem.sample_weight
        self._c, self._low, self._high = centre + np.zeros(len(s)), s * low, s * high
        self._Q, self._B, self._lam = problem.null_space, B, problem.lam

    def follow(self, u: Array, beta: Array, a: Array, gap: float, tol: float, end: float = np.inf) -> Between | None:
        """From near a dual vector and amplitudes whose relative gap is `gap` to one of `tol`.

        None where that fails, as for gaps below 1e-5, where rounding may have taken over, or where the time is over.
        """
        u, a = self._inside(u), np.asarray(a, dtype=float)
        slacks = self._slacks(u)
        value = float(self._c @ u)
        aim = max(gap * abs(value), np.finfo(float).tiny) / sum(map(len, slacks))
        rest = self._rest(beta, a)
        y = [aim / slack for slack in slacks]
        y[0], y[1] = y[0] + np.maximum(rest, 0.0), y[1] + np.maximum(-rest, 0.0)
        y[2], y[3] = y[2] + np.maximum(a, 0.0), y[3] + np.maximum(-a, 0.0)
        for _ in range(MOST_STEPS):
            check()
            slacks, a = self._slacks(u), y[2] - y[3]
            lacks = self._rest(beta, a) - (y[0] - y[1])  # the bounds' multipliers take what rounding leaves
            y[0], y[1] = y[0] + np.maximum(lacks, 0.0), y[1] + np.maximum(-lacks, 0.0)
            product = sum(float(m @ slack) for m, slack in zip(y, slacks, strict=True))
            if not np.isfinite(product):
                return None
            off = self._Q.T @ u
            small = product <= tol * max(abs(float(self._c @ u)), product) and np.abs(off).max(initial=0.0) <= FEASIBLE
            if small or late(end):
                return Between(u, beta, a, np.minimum(slacks[2], slacks[3])) if small else None
            try:
                du, dbeta, dy, (dual, primal) = self._step(y, slacks, off, product)
            except linalg.LinAlgError:
                return None
            u, beta = u + dual * du, beta + primal * dbeta
            y = [m + primal * dm for m, dm in zip(y, dy, strict=True)]
        return None

    def _inside(self, u: Array) -> Array:
        """A dual vector in the interior: shrunk, off its bounds, and shrunk again."""
        margin = OFF_BOUNDS * (self._high - self._low)
        for _ in range(2):
            largest = np.abs(self._B.T @ u).max(initial=0.0)
            u = np.clip(
                u * min(1.0, INSIDE * self._lam / max(largest, 1e-300)), self._low + margin, self._high - margin
            )
            margin = 0.1 * margin
        largest = np.abs(self._B.T @ u).max(initial=0.0)
        return u * min(1.0, 0.5 * (1.0 + INSIDE) * self._lam / max(largest, 1e-300))

    def _slacks(self, u: Array) -> list[Array]:
        """Those of the bounds, above and below, and of the neurons."""
        eta = self._B.T @ u
        return [self._high - u, u - self._low, self._lam - eta, self._lam + eta]

    def _rest(self, beta: Array, a: Array) -> Array:
        return self._c - self._Q @ beta - self._B @ a

    def _step(
        self, y: list[Array], slacks: list[Array], off: Array, product: float
    ) -> tuple[Array, Array, list[Array], tuple[float, float]]:
        """The step of u, of beta and of the multipliers, and how far the dual and the primal ones may go."""
        B, Q = self._B, self._Q
        ratios = [m / slack for m, slack in zip(y, slacks, strict=True)]
        solved = _inverse(B, ratios[0] + ratios[1], ratios[2] + ratios[3])
        MQ = solved(Q)
        small = linalg.cho_factor(Q.T @ MQ)

        def towards(targets: list[Array]) -> tuple[Array, Array, list[Array]]:
            g = [t / slack - m for t, slack, m in zip(targets, slacks, y, strict=True)]
            h = solved(-B @ (g[2] - g[3]) - (g[0] - g[1]))
            dbeta = linalg.cho_solve(small, Q.T @ h + off)
            du = h - MQ @ dbeta
            closer = _closer(du, B.T @ du)
            return du, dbeta, [gi + r * c for gi, r, c in zip(g, ratios, closer, strict=True)]

        du, _, dy = towards([np.zeros(len(m)) for m in y])
        closer = _closer(du, B.T @ du)
        dual, primal = _lengths(slacks, closer, y, dy, 1.0)
        left = sum(
            float((m + primal * dm) @ (slack - dual * c)) for m, dm, slack, c in zip(y, dy, slacks, closer, strict=True)
        )
        aim = max((left / product) ** 3, LEAST_AIM) * product / sum(map(len, y))
        du, dbeta, dy = towards([aim + dm * c for dm, c in zip(dy, closer, strict=True)])
        return du, dbeta, dy, _lengths(slacks, _closer(du, B.T @ du), y, dy, BOUNDARY)


def _inverse(B: Array, d: Array, e: Array) -> Callable[[Array], Array]:
    """The inverse of diag(d) + B diag(e) B^T, by a factor of whichever size is much smaller."""
    n, K = B.shape
    if n <= 2 * K:
        M = _lower_gram((B * np.sqrt(e)).T)
        M[np.diag_indices(n)] += d
        whole = linalg.cho_factor(M, lower=True, overwrite_a=True)
        return lambda R: linalg.cho_solve(whole, R)
    D = (B.T / d).T
    S = _lower_gram((B.T / np.sqrt(d)).T)
    S[np.diag_indices(K)] += 1.0 / e
    part = linalg.cho_factor(S, lower=True, overwrite_a=True)
    return lambda R: (R.T / d).T - D @ linalg.cho_solve(part, D.T @ R)


def _lower_gram(C: Array) -> Array:
    """C^T C on and below the diagonal, zero above: half the work."""
    if not C.size:  # BLAS complains of it, on the terminal
        return np.zeros((C.shape[1], C.shape[1]))
    contiguous = C.flags.f_contiguous
    return blas.dsyrk(1.0, C if contiguous else C.T, trans=contiguous, lower=True)


def _closer(du: Array, deta: Array) -> list[Array]:
    """By how much each slack falls along a step of u."""
    return [du, -du, deta, -deta]


def _lengths(
    slacks: list[Array], closer: list[Array], y: list[Array], dy: list[Array], part: float
) -> tuple[float, float]:
    """How far slacks, and multipliers, may go: this part of the way to zero, one at most."""
    dual = min(_room(slack, -c) for slack, c in zip(slacks, closer, strict=True))
    primal = min(_room(m, dm) for m, dm in zip(y, dy, strict=True))
    return min(1.0, part * dual), min(1.0, part * primal)


def _room(x: Array, dx: Array) -> float:
    falls = dx < 0.0
    return float((-x[falls] / dx[falls]).min(initial=np.inf))
