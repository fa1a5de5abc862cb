r"""sup |eta| for any activation, along given directions over all biases.

Along one direction an activation knows the peaks of its own dual certificate, and a bound
(:meth:`ridgesplines.activations.Activation.peaks`). For d = 1 that is all there is.
"""

from __future__ import annotations

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.oracle.eta import eta_at
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


class DirectionsOracle:
    """The supremum over all biases along given directions.

    For d = 1 its scope is ``"exact"``, or ``"bounded"`` where peaks are found numerically and a bound is proven;
    otherwise ``"dictionary"``, and its value is a bound on what these directions hold.

    Parameters
    ----------
    X : shape (N, d).
    directions : unit rows, shape (M, d).
    activation : of the neurons.
    prove : whether the value is to be a proven bound, or the largest peak found, whatever it is called.
    """

    def __init__(self, X: Array, directions: Array, activation: Activation, prove: bool = True) -> None:
        self._X, self._directions, self._activation, self._prove = X, directions, activation, prove

    def __call__(self, u: Array, level: float | None = None, **_: object) -> Supremum:
        weights, biases, bound, exact = [], [], 0.0, True
        for w in self._directions:
            p = self._X @ w
            order = np.argsort(p, kind="stable")
            peaks = self._activation.peaks(p[order], u[order], self._prove)
            weights.append(np.repeat(w[None], len(peaks.biases), axis=0))
            biases.append(peaks.biases)
            bound, exact = max(bound, peaks.bound), exact and peaks.exact
        W, b = np.concatenate(weights), np.concatenate(biases)
        supremum = ranked(Scope.EXACT if exact else Scope.BOUNDED, eta_at(self._X, u, W, b, self._activation), W, b)
        scope = supremum.scope if self._X.shape[1] == 1 else Scope.DICTIONARY
        value = max(bound, supremum.value) if self._prove else supremum.value
        return Supremum(value, scope, supremum.weights, supremum.biases)
