"""What is measured on held-out rows: the loss, or what a scorer of scikit-learn says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from ridgesplines.estimators.base import SplineEstimator
from ridgesplines.estimators.posed import Posed
from ridgesplines.exceptions import ProblemError
from ridgesplines.solvers.base import Answer
from ridgesplines.validation import Array

#: What is measured on held-out rows, by an estimator that has the networks of the others.
Score = Callable[[SplineEstimator, Posed, Sequence[Answer]], float]


class Scorer:
    """A scorer of scikit-learn as a Score; weights are passed only where there are any."""

    def __init__(self, scorer: Callable[..., float], weighted: bool) -> None:
        self.scorer, self.weighted = scorer, weighted

    def __call__(self, model: SplineEstimator, test: Posed, found: Sequence[Answer]) -> float:
        weights = {"sample_weight": test.weight} if self.weighted else {}
        X = test.X if model.dates_ is None else model.dates_.restored(test.X)
        return float(self.scorer(model, X, test.y, **weights))


def scorer(model: SplineEstimator, scoring: Any, weighted: bool) -> Score:
    """scikit-learn's scorer of that name, or the user's own, on the labels that the user gave."""
    if not (isinstance(scoring, str) or callable(scoring)):
        remedy = "Pass scoring=None for the loss."
        raise ProblemError("scoring", "None, a name, or a callable", repr(scoring), remedy)
    return Scorer(check_scoring(model, scoring), weighted)


def mean_loss(model: SplineEstimator, test: Posed, found: Sequence[Answer]) -> float:
    """The weighted mean loss, of outputs in their scales; of several problems it is the sum of theirs."""
    losses = np.zeros(len(test.X))
    for y, answer in zip(test.targets, found, strict=True):
        scales = 1.0 if answer.problem.output_scales is None else answer.problem.output_scales
        losses += test.loss.value(y / scales, answer.network.at(test.X) / scales)
    return float(np.average(losses, weights=test.weight))


def finite(score: float) -> float:
    if not np.isfinite(score):
        remedy = "Use larger folds, or another score."
        raise ProblemError("scoring", "a finite score of every fold", f"{score}", remedy)
    return score


def averaged(scores: Array, share: Array) -> tuple[Array, Array]:
    """Means over the folds and their standard errors, NaN for a single fold; of scores (n_lams, n_folds)."""
    mean = scores @ share
    variance = (scores - mean[:, None]) ** 2 @ share
    folds = len(share)
    return mean, np.sqrt(variance / (folds - 1)) if folds > 1 else np.full(len(mean), np.nan)
