"""Prediction: cross-validated error of ridge splines beside common methods, on data where they win and where they lose.

Each method chooses among six candidates by inner cross-validation on the training part of each outer fold, features
standardised there. Ours takes its candidates from one path of `rs.solve_path`. Nothing is tuned on the test parts.

    python benchmarks/prediction.py                    five outer folds; the digits one
    python benchmarks/prediction.py --splits 1         one of the five only
    python benchmarks/prediction.py --data diabetes    one of the data sets only
    python benchmarks/prediction.py --interactions     another race: methods in which one or two features act together
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from few_features import METHODS, OURS, PEERS
from instances import Array
from report import about, table
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_friedman1
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.svm import SVC

import ridgesplines as rs

#: What ours chooses from: six values of lam, down to this part of lambda_max, of which the first is lambda_max itself.
LAMS = {"n_lams": 6, "lam_ratio": 0.02}
PACKAGES = ("numpy", "scipy", "numba", "scikit-learn")


class RidgeSplineIndicators(BaseEstimator):
    """Squared error on one indicator a class, for classes that an affine function separates: other losses have no
    minimiser there. The value of the largest is the label.

    Parameters
    ----------
    cv : the inner folds.
    """

    def __init__(self, cv: Any = None) -> None:
        self.cv = cv

    def fit(self, X: Array, y: Array) -> RidgeSplineIndicators:
        """One spline of so many outputs, lam chosen by their squared error."""
        Y = (y[:, None] == np.unique(y)).astype(float)
        self.model_ = rs.RidgeSplineRegressorCV(**LAMS, cv=list(self.cv.split(X, y))).fit(X, Y)
        self.network_, self.lam_, self.lams_ = self.model_.network_, self.model_.lam_, self.model_.lams_
        return self

    def predict(self, X: Array) -> Array:
        """Labels 0, 1, ..."""
        return self.model_.predict(X).argmax(axis=1)


def chosen(model: Any) -> str:
    """What ours chose: neurons, and lam as a part of lambda_max."""
    if not hasattr(model, "network_"):
        return ""
    return f"K = {model.network_.n_neurons} at {model.lam_ / model.lams_[0]:.2g} lambda_max"


class Hinges(TransformerMixin, BaseEstimator):
    """The features, and (x_j - t)_+ at quantiles t: the additive basis of MARS, for a LASSO to select from."""

    def __init__(self, knots: int = 10) -> None:
        self.knots = knots

    def fit(self, X: Array, y: Any = None) -> Hinges:
        """Knots at the inner quantiles of each feature."""
        self.knots_ = np.quantile(X, np.arange(1, self.knots + 1) / (self.knots + 1), axis=0)
        return self

    def transform(self, X: Array) -> Array:
        """Shape (N, d (knots + 1))."""
        return np.hstack([X, *(np.maximum(X - t, 0.0) for t in self.knots_)])


def _pipe(*steps: Any) -> Pipeline:
    return make_pipeline(StandardScaler(), *steps)


def _searched(cv: Any, last: str, grid: dict[str, list[Any]], *steps: Any) -> GridSearchCV:
    """Six candidates of the last step's parameters, chosen by the inner folds."""
    return GridSearchCV(_pipe(*steps), {f"{last}__{name}": values for name, values in grid.items()}, cv=cv)


TREES = {"learning_rate": [0.03, 0.1], "max_depth": [1, 2, 4]}
LEAVES = {"min_samples_leaf": [1, 3, 10], "max_features": [0.33, 1.0]}
LAYERS = {"alpha": [1e-3, 0.1, 10.0], "hidden_layer_sizes": [(50,), (50, 50)]}
#: Penalties of the same meaning in LogisticRegression (C) and in Ridge or Lasso (alpha).
STRENGTHS = [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0]


def regressors(cv: Any) -> dict[str, Any]:
    """All methods for a number, by name."""
    weights = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3]
    forest, boosting = RandomForestRegressor(300, random_state=0), GradientBoostingRegressor(random_state=0)
    return {
        "**ridge spline (ours)**": _pipe(rs.RidgeSplineRegressorCV(**LAMS, cv=cv)),
        "least squares": _pipe(LinearRegression()),
        "gradient boosting": _searched(cv, "gradientboostingregressor", TREES, boosting),
        "random forest": _searched(cv, "randomforestregressor", LEAVES, forest),
        "kernel ridge, Gaussian": _searched(
            cv,
            "kernelridge",
            {"alpha": [0.01, 0.1, 1.0], "gamma": [0.01, 0.1]},
            KernelRidge(kernel="rbf"),
        ),
        "hinges + LASSO (MARS-like)": _searched(cv, "lasso", {"alpha": weights}, Hinges(), Lasso(max_iter=20000)),
        "cubic splines + ridge": _searched(cv, "ridge", {"alpha": STRENGTHS}, SplineTransformer(6), Ridge()),
        "MLP": _searched(cv, "mlpregressor", LAYERS, MLPRegressor(max_iter=2000, random_state=0)),
    }


def classifiers(cv: Any, loss: str) -> dict[str, Any]:
    """All methods for a label, by name."""
    forest, boosting = RandomForestClassifier(300, random_state=0), GradientBoostingClassifier(random_state=0)
    logistic = LogisticRegression(max_iter=5000)
    ours: Any = RidgeSplineIndicators(cv)
    if loss != "indicators":  # of more than two classes the logistic loss is Softmax
        ours = rs.RidgeSplineClassifierCV(**LAMS, cv=cv, loss="logistic")
    lasso = LogisticRegression(l1_ratio=1.0, solver="saga", max_iter=300, tol=1e-3)
    return {
        f"**ridge spline (ours), {loss}**": _pipe(ours),
        "logistic regression": _searched(cv, "logisticregression", {"C": STRENGTHS}, logistic),
        "gradient boosting": _searched(cv, "gradientboostingclassifier", TREES, boosting),
        "random forest": _searched(cv, "randomforestclassifier", LEAVES, forest),
        "SVM, Gaussian": _searched(cv, "svc", {"C": [1.0, 10.0, 100.0], "gamma": [0.01, 0.1]}, SVC()),
        "hinges + L1 (MARS-like)": _searched(cv, "logisticregression", {"C": STRENGTHS}, Hinges(5), lasso),
        "cubic splines + logistic": _searched(
            cv, "logisticregression", {"C": STRENGTHS}, SplineTransformer(6), logistic
        ),
        "MLP": _searched(cv, "mlpclassifier", LAYERS, MLPClassifier(max_iter=2000, random_state=0)),
    }


@dataclass(frozen=True)
class Data:
    """What to predict.

    Attributes
    ----------
    X, y : the data; labels are 0, 1, ...
    loss : ours; None for a number, with squared error.
    words : what was done to them.
    rows : training rows of each outer split; None for all that the folds leave.
    """

    X: Array
    y: Array
    loss: str | None
    words: str
    rows: int | None = None


def _diabetes() -> Data:
    return Data(*load_diabetes(return_X_y=True), None, "almost no nonlinear signal")


def _friedman() -> Data:
    X, y = make_friedman1(300, noise=1.0, random_state=0)
    return Data(X, y, None, "Friedman's first synthetic function, five of ten features count; nonlinear signal")


def _cancer() -> Data:
    X, y = load_breast_cancer(return_X_y=True)
    return Data(X[:, :10], y, "logistic", "first ten features: with all an affine function separates the classes")


def _digits(components: int, rows: int, loss: str, words: str) -> Data:
    X, y = load_digits(return_X_y=True)
    words = f"{components} principal components, {rows} training rows; {words}"
    return Data(PCA(components).fit_transform(X), y, loss, words, rows)


DATA: dict[str, Callable[[], Data]] = {
    "diabetes": _diabetes,
    "friedman": _friedman,
    "cancer": _cancer,
    # With 600 rows an affine function separates a class from the rest in an inner fold: Softmax has no minimiser.
    "digits": lambda: _digits(4, 900, "softmax", "with fewer rows a class is separable, and Softmax has no minimiser"),
    "digits indicators": lambda: _digits(12, 400, "indicators", "ours by squared error on ten indicators"),
}


def _colour() -> Data:
    X = load_wine().data
    at = load_wine().feature_names.index("color_intensity")
    return Data(np.delete(X, at, axis=1), X[:, at], None, "the colour of wines from their twelve other measurements")


#: The races of --interactions; the first has one split, of 300 rows to fit and 1000 to test.
FEW: dict[str, Callable[[], Data]] = {
    "friedman": lambda: Data(
        *make_friedman1(1300, noise=1.0, random_state=0), None, "Friedman's first function, noise of 1", 300
    ),
    "diabetes": _diabetes,
    "wine": _colour,
}


def outer_errors(data: Data, model: Any, splits: list[tuple[Any, Any]]) -> tuple[Array, float, str]:
    """Errors on the test parts, CPU-seconds, and what ours chose in the last split."""
    errors, start = [], time.process_time()
    for train, test in splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predicted = model.fit(data.X[train], data.y[train]).predict(data.X[test])
        truth = data.y[test]
        if data.loss is None:
            errors.append(np.mean((predicted - truth) ** 2) / np.mean((data.y[train].mean() - truth) ** 2))
        else:
            errors.append(np.mean(predicted != truth))
    last = model.steps[-1][1] if isinstance(model, Pipeline) else None
    return np.array(errors), time.process_time() - start, chosen(last)


def ranking(found: dict[str, tuple[Array, float, str]], ours: str) -> tuple[list[str], list[list[str]]]:
    """The names, the best first, and their rows: error, difference from ours, CPU-seconds, note."""
    ranked = sorted(found, key=lambda name: found[name][0].mean())
    body = []
    for name in ranked:
        errors, seconds, note = found[name]
        difference = errors - found[ours][0]
        spread = f" ± {difference.std(ddof=1) / np.sqrt(len(errors)):.3f}" if len(errors) > 1 else ""
        beside = "" if name == ours else f"{difference.mean():+.3f}{spread}"
        body.append([name, f"{errors.mean():.3f}", beside, f"{seconds:.3g} s", note])
    return ranked, body


def compared(data: Data, outer: int) -> list[str]:
    """The table of one data set, the best first, and where ours stands."""
    kind = KFold if data.loss is None else StratifiedKFold
    splits = list(kind(5, shuffle=True, random_state=0).split(data.X, data.y))[:outer]
    if data.rows is not None:
        splits = [(train[: data.rows], np.r_[train[data.rows :], test]) for train, test in splits]
    inner = kind(3, shuffle=True, random_state=1)
    models = regressors(inner) if data.loss is None else classifiers(inner, data.loss)
    found = {}
    for name, model in models.items():
        found[name] = outer_errors(data, model, splits)
        print(f"  {name}: {found[name][0].mean():.3f}", file=sys.stderr, flush=True)  # the table comes late
    ours = next(iter(models))
    ranked, body = ranking(found, ours)
    lines = table(("method", "error", "minus ours (± standard error)", "CPU-seconds", "note"), body)
    better = [name for name in ranked if found[name][0].mean() < found[ours][0].mean()]
    words = "ours is the best" if not better else f"ours loses to {', '.join(better)}"
    return [*lines, "", f"Place {len(better) + 1} of {len(ranked)}: {words}."]


def compared_few(data: Data, outer: int) -> list[str]:
    """The table of one data set for the methods in which few features act together, the best first."""
    splits = list(KFold(5, shuffle=True, random_state=0).split(data.X, data.y))[:outer]
    if data.rows is not None:
        splits = [(np.arange(data.rows), np.arange(data.rows, len(data.y)))]
    found, missing = {}, []
    for name, method in METHODS.items():
        try:
            model = _pipe(method.make(KFold(3, shuffle=True, random_state=1)))
        except ImportError as error:
            missing.append(f"{name}: not run, {error} (pip install {' '.join(PEERS)}).")
            continue
        errors, seconds, _ = outer_errors(data, model, splits)
        found[name] = errors, seconds / len(splits), method.terms(model.steps[-1][1])
        print(f"  {name}: {errors.mean():.4f}, {seconds:.3g} s in all, {found[name][2]}", file=sys.stderr, flush=True)
    head = ("method", "error", "minus ours (± standard error)", "CPU-seconds a fit", "terms of the last fit")
    return [*table(head, ranking(found, OURS)[1]), "", *missing]


def main() -> None:
    """Data set by data set, each printed when it is finished."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--splits", type=int, choices=range(1, 6), default=5, help="of the five outer folds")
    parser.add_argument("--data", choices=[*DATA, "wine"], help="one of the data sets only")
    parser.add_argument("--interactions", action="store_true", help="the race of methods of one or two features")
    given = parser.parse_args()
    print("# Prediction\n\n" + "\n".join(about((*PACKAGES, *PEERS))), flush=True)
    races, compare = (FEW, compared_few) if given.interactions else (DATA, compared)
    if given.data and given.data not in races:
        parser.error(f"--data {given.data} is not in this race")
    for name in [given.data] if given.data else races:
        data, outer = races[name](), 1 if name.startswith("digits") else given.splits
        error = "squared error / variance" if data.loss is None else "share of wrong labels"
        print(f"\n## {name}: N = {len(data.y)}, d = {data.X.shape[1]} ({data.words})\n")
        single = given.interactions and data.rows is not None
        where = f"of {data.rows} rows on the others" if single else f"mean over {outer} of five outer folds"
        print(f"Error: {error}, {where}.\n")
        print("\n".join(compare(data, outer)), flush=True)


if __name__ == "__main__":
    main()
