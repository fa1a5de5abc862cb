"""The objective again, from the numbers that a network holds: f in rational arithmetic, the rest in long double."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

import ridgesplines as rs

LONG = np.longdouble


def objective(problem, net):
    """sum of s L(y, f(x)) plus lam times the seminorm."""
    y, s, v = (np.asarray(a, LONG) for a in (problem.y, problem.sample_weight, net.amplitudes))
    z = exactly(net, problem.X)
    if problem.loss.translates:  # only the difference counts
        targets = np.vectorize(Fraction, otypes=[object])(problem.y)
        y, z = (targets - z).astype(float).astype(LONG), np.zeros(z.shape, LONG)
    else:
        z = z.astype(float).astype(LONG)
    norms = np.abs(v) if v.ndim == 1 else np.sqrt((v**2).sum(axis=1))
    lengths = np.sqrt((np.asarray(net.weights, LONG) ** 2).sum(axis=1))
    return float((s * value(problem.loss, y, z)).sum() + LONG(problem.lam) * (norms * lengths).sum())


def exactly(net, X):
    """f at the rows of X, as fractions."""
    W, b, v, c, c0, X = (
        np.vectorize(Fraction, otypes=[object])(np.asarray(a, float)) if np.size(a) else np.asarray(a, object)
        for a in (net.weights, net.biases, net.amplitudes, net.slope, net.offset, X)
    )
    z = X @ c + c0
    if net.n_neurons:
        z = z + np.maximum(X @ W.T - b, Fraction(0)) @ v
    return z


def value(loss, y, z):
    match loss:
        case rs.Squared():
            return (y - z) ** 2 if z.ndim == 1 else ((y - z) ** 2).sum(axis=1)
        case rs.Absolute():
            return np.abs(y - z)
        case rs.Huber(delta):
            r = np.abs(y - z)
            return np.where(r <= LONG(delta), r**2, 2 * LONG(delta) * r - LONG(delta) ** 2)
        case rs.Quantile(q):
            return np.maximum(LONG(q) * (y - z), (LONG(q) - 1) * (y - z))
        case rs.Logistic():
            return np.maximum(-y * z, LONG(0)) + np.log1p(np.exp(-np.abs(y * z)))
        case rs.Hinge():
            return np.maximum(1 - y * z, LONG(0))
        case rs.Softmax():
            top = z.max(axis=1)
            own = z[np.arange(len(z)), y.astype(int)]
            return np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - own
        case rs.Poisson():
            size = np.where(y > 0, y, LONG(1))
            t = z - np.log(size)
            return np.where(y > 0, size * (np.expm1(t) - t), np.exp(t))
        case rs.Interpolation():
            return np.zeros(len(y), LONG)
