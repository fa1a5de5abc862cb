"""The interface to scikit-learn: estimators that pose a problem, solve it, and keep its solution."""

from ridgesplines.estimators.classifier import RidgeSplineClassifier
from ridgesplines.estimators.linear_cv import LinearSplineRegressorCV
from ridgesplines.estimators.linear_quantiles import LinearSplineQuantiles
from ridgesplines.estimators.regressors import LinearSplineRegressor, RidgeSplineRegressor
from ridgesplines.estimators.ridge_cv import RidgeSplineClassifierCV, RidgeSplineRegressorCV

__all__ = [
    "LinearSplineQuantiles",
    "LinearSplineRegressor",
    "LinearSplineRegressorCV",
    "RidgeSplineClassifier",
    "RidgeSplineClassifierCV",
    "RidgeSplineRegressor",
    "RidgeSplineRegressorCV",
]
