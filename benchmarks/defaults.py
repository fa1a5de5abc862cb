"""Defaults: test errors of estimators as they are made, `Estimator()`, on ten small tables, beside common methods.

Nothing is chosen or tuned: each method has its own defaults. Tables are scikit-learn's own and synthetic ones, of
which `cars` looks like a table of cars: few distinct cylinders, correlated integers, a rounded target. Errors are those
of five folds: the squared error over the variance, or the share of wrong labels.

    python benchmarks/defaults.py                  all tables, without the forms that choose lam by folds
    python benchmarks/defaults.py --cv             with these; hours on one core
    python benchmarks/defaults.py --data cars      one table only
    python benchmarks/defaults.py --splits 2       two of the five folds only
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from instances import Array
from report import about, table
from sklearn import datasets
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import SVC, SVR

import ridgesplines as rs

PACKAGES = ("numpy", "scipy", "numba", "scikit-learn")
OURS: dict[str, Callable[[], Any]] = {
    "RidgeSplineRegressor()": rs.RidgeSplineRegressor,
    'RidgeSplineRegressor("0.2max")': lambda: rs.RidgeSplineRegressor("0.2max"),
    'RidgeSplineRegressor("null")': lambda: rs.RidgeSplineRegressor("null"),
    "RidgeSplineClassifier()": rs.RidgeSplineClassifier,
}
CHOOSING = {
    "RidgeSplineRegressorCV()": rs.RidgeSplineRegressorCV,
    "RidgeSplineClassifierCV()": rs.RidgeSplineClassifierCV,
}
REGRESSORS: dict[str, Callable[[], Any]] = {
    "least squares": LinearRegression,
    "gradient boosting": lambda: GradientBoostingRegressor(random_state=0),
    "random forest": lambda: RandomForestRegressor(random_state=0),
    "kernel ridge": KernelRidge,
    "SVR": SVR,
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "least squares": lambda: RidgeClassifier(alpha=1e-9),
    "gradient boosting": lambda: GradientBoostingClassifier(random_state=0),
    "random forest": lambda: RandomForestClassifier(random_state=0),
    "SVC": SVC,
}


def cars(n: int = 294) -> tuple[Array, Array]:
    """Cylinders, displacement, horsepower, weight, acceleration and year of n cars, and their miles per gallon."""
    rng = np.random.default_rng(0)
    cylinders = rng.choice([4, 6, 8], n, p=[0.52, 0.21, 0.27])
    size = (cylinders - 4) / 4.0 + 0.15 * rng.standard_normal(n)
    displacement = np.round(120 + 200 * size + 15 * rng.standard_normal(n))
    horsepower = np.round(np.maximum(80 + 70 * size + 12 * rng.standard_normal(n), 46))
    weight = np.round(2350 + 1700 * size + 230 * rng.standard_normal(n))
    acceleration = np.round(17.5 - 0.03 * (horsepower - 80) + 2.0 * rng.standard_normal(n), 1)
    year = rng.integers(70, 83, n)
    mpg = (
        33.0 * (2400 / np.maximum(weight, 1500)) ** 0.9 * (80 / horsepower) ** 0.25
        + 0.15 * np.maximum(year - 75, 0) * 6
    )
    mpg = np.round(mpg + 2.5 * rng.standard_normal(n), 1)
    return np.column_stack([cylinders, displacement, horsepower, weight, acceleration, year]).astype(float), mpg


def linnerud() -> tuple[Array, Array]:
    """Weight from three exercises."""
    X, Y = datasets.load_linnerud(return_X_y=True)
    return X, Y[:, 0]


def digits() -> tuple[Array, Array]:
    """Three against eight, their 64 pixels."""
    X, y = datasets.load_digits(return_X_y=True)
    kept = np.isin(y, (3, 8))
    return X[kept], y[kept]


TABLES: dict[str, tuple[bool, Callable[[], tuple[Array, Array]]]] = {
    "diabetes": (False, lambda: datasets.load_diabetes(return_X_y=True)),
    "linnerud": (False, linnerud),
    "friedman1": (False, lambda: datasets.make_friedman1(300, noise=1.0, random_state=0)),
    "friedman2": (False, lambda: datasets.make_friedman2(300, noise=125.0, random_state=0)),
    "friedman3": (False, lambda: datasets.make_friedman3(300, noise=0.1, random_state=0)),
    "cars": (False, cars),
    "iris": (True, lambda: datasets.load_iris(return_X_y=True)),
    "wine": (True, lambda: datasets.load_wine(return_X_y=True)),
    "cancer": (True, lambda: datasets.load_breast_cancer(return_X_y=True)),
    "digits": (True, digits),
}


def errors(make: Callable[[], Any], X: Array, y: Array, classes: bool, splits: int) -> tuple[list[float], float]:
    """The error of each fold, and the CPU seconds of the fits together."""
    folds = (StratifiedKFold if classes else KFold)(5, shuffle=True, random_state=0)
    found, seconds = [], 0.0
    for train, test in list(folds.split(X, y))[:splits]:
        began = time.process_time()
        model = make().fit(X[train], y[train])
        seconds += time.process_time() - began
        predicted = model.predict(X[test])
        wrong = np.mean(predicted != y[test]) if classes else np.mean((predicted - y[test]) ** 2) / np.var(y)
        found.append(float(wrong))
    return found, seconds


def rows(classes: bool, X: Array, y: Array, splits: int, choosing: bool) -> list[list[str]]:
    """A row a method: mean error, the standard error of its difference from least squares, CPU seconds a fit."""
    ours = {name: each for name, each in OURS.items() if ("Classifier" in name) == classes}
    if choosing:
        ours |= {name: each for name, each in CHOOSING.items() if ("Classifier" in name) == classes}
    methods = (CLASSIFIERS if classes else REGRESSORS) | ours
    found, base = [], None
    for name, make in methods.items():
        each, seconds = errors(make, X, y, classes, splits)
        base = np.array(each) if base is None else base
        less = np.array(each) - base
        spread = less.std(ddof=1) / np.sqrt(len(less)) if len(less) > 1 else np.nan
        found.append([name, f"{np.mean(each):.3f}", f"{less.mean():+.3f} ± {spread:.3f}", f"{seconds / len(each):.2f}"])
        print("   ", *found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", nargs="*", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--cv", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore", rs.ConvergenceWarning)  # the default max_time: what it left is seen in the errors
    warnings.simplefilter("ignore", rs.RangeWarning)
    tables = []
    for name in args.data:
        classes, load = TABLES[name]
        X, y = load()
        print(f"{name}: N = {len(X)}, d = {X.shape[1]}")
        found = rows(classes, X, y, args.splits, args.cv)
        error = "wrong labels" if classes else "squared error / variance"
        head = ["method", error, "less that of least squares", "CPU seconds a fit"]
        tables += ["", f"#### {name}: N = {len(X)}, d = {X.shape[1]}", "", *table(head, found)]
    print("\n".join([*about(PACKAGES), *tables]))


if __name__ == "__main__":
    main()
