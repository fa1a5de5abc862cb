r"""sup |eta| for any activation: along given directions over all biases, and searched over all directions.

Along one direction an activation knows the peaks of its own dual certificate, and a bound
(:meth:`ridgesplines.activations.Activation.peaks`). For d = 1 that is all there is.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from ridgesplines.activations.base import Activation
from ridgesplines.network.spline import group_norms
from ridgesplines.neurons.dictionary import spread_directions
from ridgesplines.oracle.base import Supremum, ranked
from ridgesplines.oracle.eta import eta_at
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Directions that a search starts from, besides those that it is given; and peaks that it ascends from.
N_DIRECTIONS = 256
N_ASCENTS = 24


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


class SmoothSearch:
    """The best violator that a search over all directions and biases finds, for any activation: scope ``"searched"``.

    The largest peaks along many directions, spread and given, from which (w, b) ascend together.

    Parameters
    ----------
    X : shape (N, d), d >= 2.
    activation : of the neurons.
    starts : more directions, shape (m, d).
    """

    def __init__(self, X: Array, activation: Activation, starts: Array | None = None) -> None:
        directions = spread_directions(N_DIRECTIONS, X.shape[1])
        directions = directions if starts is None else np.concatenate([starts, directions])
        self._X, self._activation = X, activation
        self._along = DirectionsOracle(X, directions, activation, prove=False)

    def __call__(self, u: Array, level: float | None = None, **_: object) -> Supremum:
        first = self._along(u)
        climbed = [self._ascended(u, w, b) for w, b in zip(first.weights[:N_ASCENTS], first.biases, strict=False)]
        W = np.concatenate([first.weights, [w for w, _ in climbed]])
        b = np.concatenate([first.biases, [b for _, b in climbed]])
        return ranked(Scope.SEARCHED, eta_at(self._X, u, W, b, self._activation), W, b)

    def _ascended(self, u: Array, w: Array, b: float) -> tuple[Array, float]:
        """The neuron to which an ascent of |eta|^2 leads; the direction is theta divided by its length."""
        X, activation = self._X, self._activation
        scale = max(float(group_norms(eta_at(X, u, w[None], np.array([b]), activation))[0]) ** 2, 1e-300)

        def negative(theta: Array) -> tuple[float, Array]:
            length = np.linalg.norm(theta[:-1])
            unit = theta[:-1] / length
            t = X @ unit - theta[-1]
            eta, slope = activation.value(t) @ u, activation.derivative(t)
            pull = slope * (u @ eta if u.ndim > 1 else u * eta)
            along = X.T @ pull
            gradient = np.append((along - unit * (unit @ along)) / length, -pull.sum())
            return -float(np.sum(eta**2)) / scale, -2.0 * gradient / scale

        theta = minimize(negative, np.append(w, b), jac=True, method="BFGS", options={"maxiter": 100}).x
        return theta[:-1] / np.linalg.norm(theta[:-1]), float(theta[-1])
