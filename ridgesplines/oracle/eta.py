r"""The dual certificate :math:`\eta(w, b) = \sum_n u_n \sigma(w^T x_n - b)` at given neurons."""

from __future__ import annotations

import numpy as np

from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.line import kernels
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.numerics.precise import origin_near, plus_products
from ridgesplines.validation import Array

#: Entries of a block of pre-activations.
BLOCK_ENTRIES = 2**22
#: Up to this many neurons in one dimension are summed one by one: that rounds least.
FEW_NEURONS = 8


def eta_at(X: Array, u: Array, W: Array, b: Array, activation: Activation | None = None) -> Array:
    """eta at K neurons, shape (K,) or (K, D), of ReLU or another activation whose null space u is orthogonal to.

    O(N K d), in blocks; for ReLU and d = 1 O((N + K) log N).
    """
    rectified = X.shape[1] == 1 and (activation is None or isinstance(activation, ReLU))
    if rectified and len(b) > FEW_NEURONS:
        values, right = np.empty((len(b), *u.shape[1:])), W[:, 0] > 0.0
        for side, sign in ((right, 1.0), (~right, -1.0)):
            if side.any():
                length = np.abs(W[side, 0])
                p = X[:, 0] if sign > 0.0 else -X[:, 0]
                values[side] = (eta_along(p, u, b[side] / length).T * length).T
        return values
    if rectified and (found := kernels.rectified(X[:, 0], u, W[:, 0], b)) is not None:
        return found
    sigma = ReLU().value if activation is None else activation.value
    # Where all data are active a power is a polynomial: eta is zero, but for rounding times a distance to that power.
    polynomials = activation is not None and (activation.homogeneity or 0) > 1
    values = np.empty((len(b), *u.shape[1:]))
    step = max(1, BLOCK_ENTRIES // max(1, len(X)))
    for i in range(0, len(b), step):
        hidden = W[i : i + step] @ X.T - b[i : i + step, None]
        values[i : i + step] = sigma(hidden) @ u
        if polynomials:
            values[i : i + step][hidden.min(axis=1) >= 0.0] = 0.0
    return values


def eta_near(X: Array, u: Array, W: Array, b: Array, activation: Activation | None = None) -> Array:
    """The same for data that may be far from zero: what is common to them need not cancel."""
    origin = origin_near(X)
    return eta_at(X - origin, u, W, plus_products(b, -W, origin), activation)


def eta_along(p: Array, u: Array, b: Array) -> Array:
    """eta at the biases `b` along one direction with projections `p`: one sort, and sums between the biases."""
    if not (p[1:] >= p[:-1]).all():
        order = np.argsort(p)
        p, u = p[order], u[order]
    active = np.searchsorted(p, b, side="right")  # the first point beyond each bias
    firsts, place = np.unique(np.append(active, len(p)), return_inverse=True)
    between = kernels.sums_between(p, u, firsts[:-1]) if len(firsts) > 1 else (u[:0], u[:0])
    mass, moment = (_from_each(sums)[place[:-1]] for sums in between)
    return moment - (mass.T * b).T


def _from_each(terms: Array) -> Array:
    """The sums of all terms from each on, and zero."""
    return np.concatenate([np.cumsum(terms[::-1], axis=0)[::-1], np.zeros((1, *terms.shape[1:]))])


def eta_dictionary(X: Array, u: Array, dictionary: Dictionary) -> Array:
    """eta at every ReLU neuron of a dictionary, in its order. O(M N log N)."""
    parts = [eta_along(X @ w, u, b) for w, b in zip(dictionary.directions, dictionary.biases, strict=True)]
    return np.concatenate([np.empty((0, *u.shape[1:])), *parts])
