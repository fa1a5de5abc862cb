"""Estimators of one feature for scikit-learn's checks, which bring several; and the check that classifiers fail."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import estimator_checks_generator

from ridgesplines import RidgeSplineClassifier


class OneOfMany:
    """An estimator of one feature, on the fifth of many, or the last; a mixin, in front of the estimator.

    scikit-learn's checks bring several features, and skip estimators that take one. This lets them run; all that is
    checked is the estimator's own code. The fifth feature is the informative one in their regression data.
    """

    @staticmethod
    def _column(X: Any) -> Any:
        return X

    @staticmethod
    def _single(X: Any) -> Any:
        return X[:, :5][:, -1:]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


def expected_failures(estimator: Any) -> dict[str, str]:
    """The checks that an estimator fails on purpose, with the reason; for scikit-learn's `expected_failed_checks`."""
    if not isinstance(estimator, RidgeSplineClassifier):
        return {}
    return {"check_fit1d": "it asks for an error where a vector is N samples of one feature"}


def checks(models: list[Any], quick: Collection[str]) -> list[Any]:
    """scikit-learn's checks of these estimators, for pytest: those that are not named `quick` are slow ones."""
    found = []
    for model in models:
        for estimator, check in estimator_checks_generator(model):
            name = check.func.__name__
            if name not in expected_failures(estimator):
                words = ",".join([name, *(f"{key}={value}" for key, value in check.keywords.items())])
                marks = [] if name in quick else [pytest.mark.slow]
                found.append(pytest.param(estimator, check, id=f"{estimator}-{words}", marks=marks))
    return found
