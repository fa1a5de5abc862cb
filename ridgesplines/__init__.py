"""Ridge splines: global optima of the problems that shallow ReLU networks with weight decay solve.

A ridge function is a function of one projection of x; nothing here is Tikhonov's "ridge".
"""

from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ridgesplines.activations.absolute_value import AbsoluteValue
from ridgesplines.activations.arctan import Arctan
from ridgesplines.activations.exponential import Exponential
from ridgesplines.activations.leaky_relu import LeakyReLU
from ridgesplines.activations.relu import ReLU
from ridgesplines.activations.sigmoid import Sigmoid
from ridgesplines.activations.truncated_power import TruncatedPower
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.compare import compare
from ridgesplines.constraints import (
    Bounds,
    Concave,
    Convex,
    EndSlopes,
    FixedValues,
    FreeKnots,
    KnotsAt,
    Lipschitz,
    Monotone,
    MonotoneFeatures,
    Slope,
)
from ridgesplines.evaluate import evaluate
from ridgesplines.exceptions import (
    ContradictionWarning,
    ConvergenceWarning,
    ProblemError,
    RangeWarning,
    SolverRefusal,
)
from ridgesplines.interrupt import Deferral
from ridgesplines.losses.absolute import Absolute
from ridgesplines.losses.hinge import Hinge
from ridgesplines.losses.huber import Huber
from ridgesplines.losses.interpolation import Interpolation
from ridgesplines.losses.logistic import Logistic
from ridgesplines.losses.poisson import Poisson
from ridgesplines.losses.quantile import Quantile
from ridgesplines.losses.softmax import Softmax
from ridgesplines.losses.squared import Squared
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.quantiles import QuantileCurves, solve_quantiles
from ridgesplines.relaxation.bound import LowerBound, lower_bound
from ridgesplines.solution import Path, Solution
from ridgesplines.solve import lambda_max, solve, solve_path
from ridgesplines.solvers.arrangement.solver import Arrangement
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.solvers.univariate.solver import Univariate
from ridgesplines.three_layers import DeepLowerBound, ThreeLayerSolution, deep_lower_bound, solve_three_layers

if TYPE_CHECKING:
    from ridgesplines import datasets as datasets
    from ridgesplines import inference as inference
    from ridgesplines import radon as radon
    from ridgesplines import theorems as theorems
    from ridgesplines.estimators.classifier import RidgeSplineClassifier
    from ridgesplines.estimators.linear_cv import LinearSplineRegressorCV
    from ridgesplines.estimators.linear_quantiles import LinearSplineQuantiles
    from ridgesplines.estimators.regressors import LinearSplineRegressor, RidgeSplineRegressor
    from ridgesplines.estimators.ridge_cv import RidgeSplineClassifierCV, RidgeSplineRegressorCV

__version__ = "0.1.0"

__all__ = [
    "Absolute",
    "AbsoluteValue",
    "Arctan",
    "Arrangement",
    "Bounds",
    "ColumnGeneration",
    "Concave",
    "ContradictionWarning",
    "ConvergenceWarning",
    "Convex",
    "DeepLowerBound",
    "DualCertificate",
    "EndSlopes",
    "Exponential",
    "FixedValues",
    "FreeKnots",
    "Grid",
    "Hinge",
    "Huber",
    "Interpolation",
    "KnotsAt",
    "LeakyReLU",
    "LinearSplineQuantiles",
    "LinearSplineRegressor",
    "LinearSplineRegressorCV",
    "Lipschitz",
    "Logistic",
    "LowerBound",
    "Monotone",
    "MonotoneFeatures",
    "Path",
    "Poisson",
    "Problem",
    "ProblemError",
    "Quantile",
    "QuantileCurves",
    "RangeWarning",
    "ReLU",
    "RidgeSpline",
    "RidgeSplineClassifier",
    "RidgeSplineClassifierCV",
    "RidgeSplineRegressor",
    "RidgeSplineRegressorCV",
    "Sigmoid",
    "Slope",
    "Softmax",
    "Solution",
    "SolverRefusal",
    "Squared",
    "ThreeLayerSolution",
    "TruncatedPower",
    "Univariate",
    "compare",
    "deep_lower_bound",
    "evaluate",
    "lambda_max",
    "lower_bound",
    "solve",
    "solve_path",
    "solve_quantiles",
    "solve_three_layers",
]

#: Rooms that `rs.<room>` finds; `torch` needs PyTorch.
_ROOMS = ("datasets", "estimators", "inference", "plotting", "radon", "theorems", "torch")
_ESTIMATORS = {
    f"{name}{suffix}"
    for name in ("LinearSplineRegressor", "RidgeSplineRegressor", "RidgeSplineClassifier")
    for suffix in ("", "CV")
} | {"LinearSplineQuantiles"}


def __getattr__(name: str) -> Any:
    """Names imported on first use: few need them at once, and scikit-learn and matplotlib take long to load."""
    with Deferral():  # half a module would stay half a module
        if name in _ESTIMATORS:
            return getattr(import_module("ridgesplines.estimators"), name)
        if name in _ROOMS:
            return import_module(f"ridgesplines.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{_suggestion(name)}")


def __dir__() -> list[str]:
    """The public names, those that are imported on first use too; `torch` where PyTorch is installed."""
    absent = set() if _is_installed("torch") else {"torch"}
    return sorted({*__all__, *_ROOMS, "__version__"} - absent)


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:
        return False


def _suggestion(name: str) -> str:
    """The public names that a misspelt one is near to, in words; empty where there are none."""
    if name.startswith("_"):
        return ""
    lower = {public.lower(): public for public in (*_ROOMS, *__all__)}
    near = [lower[match] for match in get_close_matches(name.lower(), lower, n=2)]
    return f"; did you mean {' or '.join(f'rs.{public}' for public in near)}?" if near else ""
