"""The problems in many dimensions that are raced: synthetic targets, and scikit-learn's data, standardised.

Features have mean zero and variance one, and so has a target of regression.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes

import ridgesplines as rs

Array = NDArray[np.float64]
NOISE = 0.1


def standardised(A: Array) -> Array:
    """Columns of mean zero and variance one."""
    return (A - A.mean(axis=0)) / A.std(axis=0)


def ridges(n: int, d: int, lam: float = 1.0) -> rs.Problem:
    """Two ridge functions of the first coordinates, |x0 + x1 / 2| and (x0 - x1)_+, Gaussian features, noise of 0.1."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.abs(X[:, 0] + 0.5 * X[:, 1]) + np.maximum(X[:, 0] - X[:, 1], 0.0) + NOISE * rng.standard_normal(n)
    return rs.Problem(standardised(X), standardised(y), lam)


def smooth(n: int, d: int, lam: float = 1.0) -> rs.Problem:
    """sin(2 x0) + x1 exp(-|x|^2 / d), Gaussian features, noise of 0.1."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1] * np.exp(-(X**2).sum(axis=1) / d) + NOISE * rng.standard_normal(n)
    return rs.Problem(standardised(X), standardised(y), lam)


def diabetes(lam: float = 1.0) -> rs.Problem:
    """scikit-learn's diabetes data: N = 442, d = 10."""
    X, y = load_diabetes(return_X_y=True)
    return rs.Problem(standardised(X), standardised(y), lam)


def cancer(lam: float = 1.0) -> rs.Problem:
    """scikit-learn's breast cancer data, labels -1 and 1, squared error: N = 569, d = 30."""
    X, y = load_breast_cancer(return_X_y=True)
    return rs.Problem(standardised(X), 2.0 * y - 1.0, lam)


def cancer_logistic(lam: float = 1.0) -> rs.Problem:
    """Their first ten features only, for with all an affine function separates the classes; logistic loss."""
    X, y = load_breast_cancer(return_X_y=True)
    return rs.Problem(standardised(X[:, :10]), 2.0 * y - 1.0, lam, rs.Logistic())


INSTANCES = {
    "two ridges": lambda: ridges(200, 2),
    "smooth": lambda: smooth(500, 5),
    "diabetes": diabetes,
    "cancer squared": cancer,
    "cancer logistic": cancer_logistic,
}
