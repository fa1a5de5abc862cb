"""The scikit-learn face: estimators that pose a problem, solve it, and keep its solution."""

from ridgesplines.estimators.classifier import RidgeSplineClassifier
from ridgesplines.estimators.cross_validation import LinearSplineRegressorCV
from ridgesplines.estimators.regressors import LinearSplineRegressor, RidgeSplineRegressor

__all__ = ["LinearSplineRegressor", "LinearSplineRegressorCV", "RidgeSplineClassifier", "RidgeSplineRegressor"]
