"""Tables as people have them: columns that are correlated, rounded, clipped, counted, coded, constant, in odd units."""

from __future__ import annotations

import numpy as np

import ridgesplines as rs

#: What is done to the columns of an independent table, by name.
KINDS = (
    "collinear", "near-collinear", "clipped", "rounded", "binary", "one-hot", "integer", "constant", "wildly scaled",
    "far from zero", "repeated", "cars",
)  # fmt: skip


def columns(kind, n, d, rng):
    """X (n, d) of a kind."""
    X = rng.uniform(-1.0, 1.0, (n, d))
    match kind:
        case "collinear":
            X[:, -1] = X[:, :-1] @ rng.integers(-2, 3, d - 1)
        case "near-collinear":
            X[:, 0] = X[:, 1] + 10.0 ** -rng.integers(1, 13) * X[:, 0]
        case "clipped":
            X = np.clip(1.5 * X, -1.0, 0.5)
        case "rounded":
            X = np.round(X + 0.3 * X[:, :1], 1)
        case "binary":
            X = (X > 0.0).astype(float)
        case "one-hot":
            X[:, 1:] = np.eye(d)[rng.integers(d, size=n)][:, 1:]
        case "integer":
            X = rng.integers(0, 5, (n, d)).astype(float)
        case "constant":
            X[:, rng.integers(d)] = 10.0 ** rng.integers(-3, 9)
        case "wildly scaled":
            X = X * 10.0 ** rng.integers(-6, 7, d)
        case "far from zero":
            X = X + 2.0 ** rng.integers(0, 24, d)
        case "repeated":
            X = X[rng.integers(max(2, n // 3), size=n)]
        case "cars":
            X = cars(n, rng)[:, :d] if d <= 5 else np.column_stack([cars(n, rng), X[:, 5:]])
        case _:
            raise ValueError(f"no kind of table is called {kind!r}")
    return X


def cars(n, rng):
    """Cylinders, displacement, weight, year and power: what a table of cars looks like, three of them nearly one."""
    cylinders = rng.choice([4.0, 4.0, 4.0, 6.0, 8.0], n)
    displacement = np.round(45.0 * cylinders - 60.0 + 20.0 * rng.standard_normal(n))
    weight = np.round(1400.0 + 7.0 * displacement + 200.0 * rng.standard_normal(n))
    year = rng.integers(70, 83, n).astype(float)
    power = np.round(40.0 + 0.35 * displacement + 10.0 * rng.standard_normal(n))
    return np.column_stack([cylinders, displacement, weight, year, power])


def table(kind, n, d, seed=0):
    """X of a kind, and a noisy target that bends in what X varies in."""
    rng = np.random.default_rng(seed)
    X = columns(kind, n, d, rng)
    Z = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12 * np.abs(X).max(axis=0) + 1e-300)
    y = np.abs(Z[:, 0]) + np.maximum(Z @ rng.standard_normal(d), 0.0) + 0.3 * rng.standard_normal(n)
    return X, y


def labels(loss, y, seed=0):
    """The target as the loss takes it: classes overlap, and each is there."""
    noise = np.random.default_rng(seed).standard_normal(len(y)) * 0.7 * max(float(y.std()), 1e-300)
    if isinstance(loss, rs.Logistic | rs.Hinge):
        return np.where(y + noise > np.median(y + noise), 1.0, -1.0)
    if isinstance(loss, rs.Softmax):
        return (np.argsort(np.argsort(y + noise)) * 3 // len(y)).astype(float)
    if isinstance(loss, rs.Poisson):
        size = (y - y.mean()) / (float(y.std()) or 1.0)
        return np.random.default_rng(seed).poisson(np.exp(1.0 + size)).astype(float)
    return y
