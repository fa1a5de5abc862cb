"""Seeded instances that the tests share: one problem for each loss, in one and in two dimensions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import ridgesplines as rs
from ridgesplines.numerics.polynomials import polynomial_basis

LOSSES = [
    rs.Squared(),
    rs.Absolute(),
    rs.Huber(0.1),
    rs.Quantile(0.8),
    rs.Logistic(),
    rs.Hinge(),
    rs.Softmax(),
    rs.Poisson(),
    rs.Interpolation(),
]
SCALAR = [loss for loss in LOSSES if not isinstance(loss, rs.Softmax)]


def ids(loss):
    return loss.name


def diagonal(*axes, times=1):
    """All combinations of the axes' values; those off `times` diagonals, the longest axis first, are slow tests.

    On a diagonal the next axes are gone through side by side with the first, the second fastest: every value of every
    axis occurs, with different ones of the others, in as few combinations as the longest axis has values.
    """
    lengths = [len(axis) for axis in axes]
    strides = np.cumprod([1, 1, *lengths[1:-1]])[: len(axes)]
    near = {
        tuple(int((k + turn * (m > 0)) // strides[m] % lengths[m]) for m in range(len(axes)))
        for k in range(lengths[0])
        for turn in range(times)
    }
    assert all({index[m] for index in near} == set(range(lengths[m])) for m in range(len(axes)))
    return [
        pytest.param(
            *(axis[i] for axis, i in zip(axes, index, strict=True)),
            id="-".join(str(getattr(axis[i], "name", axis[i])) for axis, i in zip(axes, index, strict=True)),
            marks=[] if index in near else [pytest.mark.slow],
        )
        for index in itertools.product(*map(range, lengths))
    ]


def noisy(n, d=1, seed=0):
    """X and a noisy real target with a few bends."""
    rng = np.random.default_rng(seed)
    if d == 1:
        x = np.sort(rng.random(n))
        return x[:, None], np.sin(9.0 * x) + np.abs(x - 0.4) + 0.1 * rng.standard_normal(n)
    X = rng.standard_normal((n, d))
    y = np.abs(X[:, 0]) + np.maximum(X.sum(axis=1), 0.0) + 0.1 * rng.standard_normal(n)
    return X, y


def targets(loss, y, seed=1):
    """The real target y, turned into what the loss takes; classes overlap."""
    noise = np.random.default_rng(seed).standard_normal(len(y)) * 0.7 * y.std()
    if isinstance(loss, (rs.Logistic, rs.Hinge)):
        return np.where(y + noise > np.median(y), 1.0, -1.0)
    if isinstance(loss, rs.Softmax):
        return np.digitize(y + noise, np.quantile(y, [0.35, 0.7])).astype(float)
    if isinstance(loss, rs.Poisson):
        return np.random.default_rng(seed).poisson(np.exp(1.0 + (y - y.mean()) / (y.std() or 1.0))).astype(float)
    return y


def problem(loss, n, d=1, lam=None, seed=0, **kwargs):
    """A problem of N samples whose solution is neither affine nor an interpolation."""
    X, y = noisy(n, d, seed)
    lam = (0.02 if d == 1 else 0.5) if lam is None else lam
    return rs.Problem(X, targets(loss, y), lam, loss, **kwargs)


def dual_vectors(X, seed=0, outputs=(), degree=1):
    """Dual vectors without end."""
    rng = np.random.default_rng(seed)
    Q = polynomial_basis(X, degree)
    while True:
        u = rng.standard_normal((len(X), *outputs))
        for _ in range(2):
            u = u - Q @ (Q.T @ u)
        yield u


def dual_vector(X, seed=0, outputs=(), degree=1):
    """One, orthogonal to the polynomials of a degree."""
    return next(dual_vectors(X, seed, outputs, degree))
