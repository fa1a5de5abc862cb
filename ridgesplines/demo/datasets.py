"""The data that the page offers: made ones, and real ones with their sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ridgesplines.datasets import load_motorcycle
from ridgesplines.validation import Array


@dataclass(frozen=True)
class Dataset:
    """Rows (x, y) or (x1, x2, y), made when they are asked for.

    Attributes
    ----------
    title, d, classes : what the menu says; classes are -1 and 1.
    axes : the names of the columns.
    note : what they are, and of real data where they come from.
    make : the rows, shape (N, d + 1).
    """

    title: str
    d: int
    classes: bool
    axes: tuple[str, ...]
    note: str
    make: Callable[[], Array]

    def load(self) -> dict[str, Any]:
        points = np.round(self.make(), 6).tolist()
        return {"points": points, "axes": self.axes, "note": self.note, "classes": self.classes}


def _random() -> np.random.Generator:
    return np.random.default_rng(7)


@cache
def _hat() -> Array:
    rng = _random()
    x = np.sort(rng.uniform(-1.0, 1.0, 40))
    return np.stack([x, np.abs(x + 0.3) - 2.0 * np.maximum(x - 0.35, 0.0) + 0.05 * rng.standard_normal(40)], axis=1)


@cache
def _waves() -> Array:
    rng = _random()
    x = np.sort(rng.uniform(0.0, 1.0, 100))
    return np.stack([x, np.sin(2.0 * np.pi * x * (0.5 + 2.0 * x)) + 0.15 * rng.standard_normal(100)], axis=1)


@cache
def _few() -> Array:
    return np.array([[0.0, 0.0], [1.0, 0.4], [2.0, 1.4], [3.0, 3.0], [4.0, 3.4], [5.0, 3.2], [6.0, 1.8], [7.0, 1.4]])


@cache
def _bands() -> Array:
    rng = _random()
    x = np.sort(rng.uniform(-1.0, 1.0, 60))
    y = np.where(np.cos(4.5 * x) + 0.5 * rng.standard_normal(60) > 0.2, 1.0, -1.0)
    return np.stack([x, y], axis=1)


@cache
def _motorcycle() -> Array:
    return np.column_stack(load_motorcycle()[:2])


@cache
def _two_ridges() -> Array:
    rng = _random()
    X = rng.uniform(-1.0, 1.0, (80, 2))
    y = np.maximum(X @ [0.8, 0.6] - 0.1, 0.0) * 2.0 - np.maximum(X @ [-0.5, 0.866] - 0.2, 0.0) * 1.5
    return np.column_stack([X, y + 0.05 * rng.standard_normal(80)])


@cache
def _bowl() -> Array:
    rng = _random()
    X = rng.uniform(-1.0, 1.0, (100, 2))
    return np.column_stack([X, (X**2).sum(axis=1) + 0.05 * rng.standard_normal(100)])


@cache
def _ring() -> Array:
    rng = _random()
    X = rng.uniform(-1.0, 1.0, (100, 2))
    return np.column_stack([X, np.where((X**2).sum(axis=1) + 0.12 * rng.standard_normal(100) < 0.5, 1.0, -1.0)])


@cache
def _iris() -> Array:
    from sklearn.datasets import load_iris

    iris = load_iris()
    rows = iris.target > 0
    return np.column_stack([iris.data[rows][:, [2, 3]], np.where(iris.target[rows] == 2, 1.0, -1.0)])


@cache
def _diabetes() -> Array:
    from sklearn.datasets import load_diabetes

    diabetes = load_diabetes(scaled=False)
    X = diabetes.data[:200][:, [2, 8]]
    return np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), diabetes.target[:200]])


DATASETS = {
    "hat": Dataset("a few kinks (made)", 1, False, ("x", "y"), "40 points of a linear spline, with noise.", _hat),
    "motorcycle": Dataset(
        "motorcycle crash (real)",
        1,
        False,
        ("time after impact (ms)", "acceleration of the head (g)"),
        "133 measurements by G. Schmidt, R. Mattern and F. Schüler (1981), published by B. W. Silverman (1985).",
        _motorcycle,
    ),
    "waves": Dataset("waves (made)", 1, False, ("x", "y"), "100 points of a chirp, with noise.", _waves),
    "few": Dataset("eight points (made)", 1, False, ("x", "y"), "Eight points, to be connected.", _few),
    "bands": Dataset(
        "two classes (made)", 1, True, ("x", "class"), "60 labels that change with x, some wrong.", _bands
    ),
    "ridges": Dataset(
        "two ridges (made)",
        2,
        False,
        ("x1", "x2", "y"),
        "80 values of a network of two neurons, with noise.",
        _two_ridges,
    ),
    "bowl": Dataset("a bowl (made)", 2, False, ("x1", "x2", "y"), "100 values of x1² + x2², with noise.", _bowl),
    "ring": Dataset("ring, two classes (made)", 2, True, ("x1", "x2", "class"), "Inside or outside a circle.", _ring),
    "iris": Dataset(
        "iris, two classes (real)",
        2,
        True,
        ("petal length (cm)", "petal width (cm)", "class"),
        "100 flowers, versicolor (−1) and virginica (+1): E. Anderson, published by R. A. Fisher (1936).",
        _iris,
    ),
    "diabetes": Dataset(
        "diabetes (real)",
        2,
        False,
        ("body mass index (standardised)", "log triglycerides (standardised)", "progression after a year"),
        "200 of 442 patients: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least angle regression (2004).",
        _diabetes,
    ),
}
