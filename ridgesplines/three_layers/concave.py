r"""The maximum over the ball of a concave function: a step of the convex-concave method, and convex.

.. math:: \max_{\|g\|_\circ \le 1} \; \sum_n c_n g(x_n) - \sum_n p_n\, \rho(g(x_n)), \qquad p \ge 0

On a dictionary of neurons a linear program. Its multipliers :math:`\theta_n \in [0, 1]` of the kinks make a linear
functional, :math:`c - p \theta`, of which the oracle knows the largest neuron: it joins the dictionary, until none is
larger than the program's value, which is then the maximum over all neurons (column generation).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ridgesplines.amplitudes.linear_program import solved
from ridgesplines.interrupt import check, late
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.three_layers.ball import Ball
from ridgesplines.validation import Array

#: Neurons along random directions through random points, with which a dictionary begins.
FIRST = 48
#: Neurons that join in a round at most, and the excess over the program's value, relative, that is none.
JOINING, EXCESS_RTOL = 8, 1e-7
MAX_ROUNDS = 40
#: Neurons for each datum that are many.
CROWDED = 4


class Maximum(NamedTuple):
    """Amounts (d + K,) of the features and of neurons, g at the data (N,), and the value of the program."""

    amounts: Array
    values: Array
    value: float


class Functions:
    """Functions of the ball on data X (N, d), from a dictionary of neurons that grows."""

    def __init__(self, X: Array, seed: int) -> None:
        self.ball, d = Ball(X, seed), X.shape[1]
        rng = np.random.default_rng(seed)
        W, through = np.ones((len(X), 1)), X
        if d > 1:
            W, through = rng.standard_normal((FIRST, d)), X[rng.integers(len(X), size=FIRST)]
        self._W, self._b, self.columns = np.empty((0, d)), np.empty(0), self.ball.linear
        W = W / np.linalg.norm(W, axis=1, keepdims=True)
        self._add(W, np.einsum("kd,kd->k", W, through))

    def _add(self, W: Array, b: Array) -> None:
        self._W, self._b = np.vstack([self._W, W]), np.append(self._b, b)
        self.columns = np.hstack([self.columns, self.ball.columns(W, b)])

    def leave(self, serving: Sequence[Array]) -> None:
        """Where neurons are many, those leave that have no amount in any of these functions."""
        d, K = self._W.shape[1], self.columns.shape[1]
        if CROWDED * len(self.columns) + d >= K:
            return
        used = np.zeros(K, dtype=bool)
        used[:d] = True
        for amounts in serving:
            used[: len(amounts)] |= amounts != 0.0
        self._W, self._b, self.columns = self._W[used[d:]], self._b[used[d:]], self.columns[:, used]

    def function(self, found: Maximum) -> RidgeSpline:
        """The function itself."""
        d, amounts = self._W.shape[1], found.amounts
        used = np.flatnonzero(amounts[d:])
        parts = self._W[used], self._b[used], np.append(amounts[:d], amounts[d:][used])
        return self.ball.function(*parts, float(found.values.mean()))

    def maximum(self, gain: Array, price: Array, end: float = np.inf) -> Maximum:
        """The maximum over the whole ball, for weights of which neither the gain's sum nor the price's is larger.

        Where `end` has come, a reading of ``time.perf_counter``, the best so far, at least that on the dictionary.
        """
        for _ in range(MAX_ROUNDS):
            check()
            best, pull = self.on_dictionary(gain, price)
            if late(end):
                break
            further = self.ball.largest(pull, best.value * (1.0 + EXCESS_RTOL))
            if further.value <= best.value * (1.0 + EXCESS_RTOL):
                break
            self._add(further.weights[:JOINING], further.biases[:JOINING])
        return best

    def on_dictionary(self, gain: Array, price: Array) -> tuple[Maximum, Array]:
        """The maximum over the dictionary, and the functional of its multipliers.

        Unknowns: amounts of either sign, the constant, and :math:`\\rho(g)` where it has a price.
        """
        on, K = price > 0.0, self.columns.shape[1]
        m, C, worth = int(on.sum()), self.columns[on], gain @ self.columns
        kinks = sparse.hstack([C, -C, np.ones((m, 1)), -sparse.eye_array(m)])
        ball = sparse.csr_array((np.ones(2 * K), (np.zeros(2 * K, dtype=int), np.arange(2 * K))), (1, 2 * K + 1 + m))
        low = np.zeros(2 * K + 1 + m)
        low[2 * K] = -np.inf
        out = solved(
            np.concatenate([-worth, worth, [-gain.sum()], price[on]]),
            A_ub=sparse.vstack([kinks, ball], format="csr"),
            b_ub=np.append(np.zeros(m), 1.0),
            bounds=np.column_stack([low, np.full(len(low), np.inf)]),
        )
        if out.status != 0:
            return Maximum(np.zeros(K), np.zeros(len(gain)), 0.0), np.zeros(len(gain))
        pull, amounts = gain.copy(), out.x[:K] - out.x[K : 2 * K]
        pull[on] += out.ineqlin.marginals[:m]
        return Maximum(amounts, self.columns @ amounts + out.x[2 * K], -out.fun), pull
