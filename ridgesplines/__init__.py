"""Ridge splines: global optima of the problems that shallow ReLU networks with weight decay solve.

A ridge function is a function of one projection of x; nothing here is Tikhonov's "ridge".
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ridgesplines.activations import Arctan, Exponential, ReLU, Sigmoid, TruncatedPower
from ridgesplines.certificate import DualCertificate
from ridgesplines.compare import compare
from ridgesplines.constraints import Concave, Convex, FixedValues, Lipschitz, Monotone
from ridgesplines.evaluate import evaluate
from ridgesplines.exceptions import ContradictionWarning, ConvergenceWarning, ProblemError, SolverRefusal
from ridgesplines.losses import (
    Absolute,
    Hinge,
    Huber,
    Interpolation,
    Logistic,
    Quantile,
    Softmax,
    Squared,
)
from ridgesplines.network import RidgeSpline
from ridgesplines.path import Path
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import lambda_max, solve, solve_path
from ridgesplines.solvers import Arrangement, ColumnGeneration, Grid, Univariate

if TYPE_CHECKING:
    from ridgesplines import radon as radon
    from ridgesplines import theorems as theorems
    from ridgesplines.estimators import (
        LinearSplineRegressor,
        LinearSplineRegressorCV,
        RidgeSplineClassifier,
        RidgeSplineClassifierCV,
        RidgeSplineRegressor,
        RidgeSplineRegressorCV,
    )

__version__ = "0.1.0"

__all__ = [
    "Absolute",
    "Arctan",
    "Arrangement",
    "ColumnGeneration",
    "Concave",
    "ContradictionWarning",
    "ConvergenceWarning",
    "Convex",
    "DualCertificate",
    "Exponential",
    "FixedValues",
    "Grid",
    "Hinge",
    "Huber",
    "Interpolation",
    "LinearSplineRegressor",
    "LinearSplineRegressorCV",
    "Lipschitz",
    "Logistic",
    "Monotone",
    "Path",
    "Problem",
    "ProblemError",
    "Quantile",
    "ReLU",
    "RidgeSpline",
    "RidgeSplineClassifier",
    "RidgeSplineClassifierCV",
    "RidgeSplineRegressor",
    "RidgeSplineRegressorCV",
    "Sigmoid",
    "Softmax",
    "Solution",
    "SolverRefusal",
    "Squared",
    "TruncatedPower",
    "Univariate",
    "compare",
    "evaluate",
    "lambda_max",
    "solve",
    "solve_path",
]

_ESTIMATORS = {
    f"{name}{suffix}"
    for name in ("LinearSplineRegressor", "RidgeSplineRegressor", "RidgeSplineClassifier")
    for suffix in ("", "CV")
}


def __getattr__(name: str) -> Any:
    """What is imported on first use: what few need at once, scikit-learn and matplotlib take long to load."""
    if name in _ESTIMATORS:
        return getattr(import_module("ridgesplines.estimators"), name)
    if name in ("radon", "theorems"):
        return import_module(f"ridgesplines.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
