"""The rows that each fold trains on, and those that it holds out."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, check_cv

from ridgesplines.estimators.base import SplineEstimator
from ridgesplines.estimators.posed import Posed
from ridgesplines.exceptions import ProblemError
from ridgesplines.validation import Array

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def given_splits(cv: Any, X: Any, y: Any, kept: Array) -> list[Split]:
    """(train, test) of each split that a splitter makes, or that an iterable has, without the rows that were not kept.

    Parameters
    ----------
    cv : a splitter of scikit-learn, or an iterable of (train, test), indices into the rows of X.
    X, y : as the user gave them.
    kept : the rows of X that count. The splits that are returned are indices into these.

    Examples
    --------
    >>> given_splits([([0, 1], [2]), ([1, 2], [0])], np.zeros((3, 1)), np.zeros(3), np.array([0, 2]))
    [(array([0]), array([1])), (array([1]), array([0]))]
    """
    place = np.full(len(X), -1)
    place[kept] = np.arange(len(kept))
    splits = [tuple(place[part] for part in split) for split in check_cv(cv).split(X, y)]
    splits = [(train[train >= 0], test[test >= 0]) for train, test in splits]
    if not splits or any(not len(part) for split in splits for part in split):
        raise ProblemError(
            "cv",
            "splits that each have rows of positive weight to train on and to hold out",
            f"{len(splits)} splits, one of them with none" if splits else "no split",
            "Check the splits, and sample_weight.",
        )
    return splits


class HasFolds(SplineEstimator):
    """Base of the estimators that choose by held-out rows: the argument `cv` says which these are."""

    cv: Any
    random_state: Any
    splitter: type[KFold] = KFold

    def _splits(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        """(train, test) of each fold, indices into the rows of positive weight."""
        if self.cv is None or isinstance(self.cv, Integral):
            return self._shuffled(5 if self.cv is None else int(self.cv), posed)
        return given_splits(self.cv, X, y, posed.kept)

    def _shuffled(self, folds: int, posed: Posed) -> list[Split]:
        most, what = self._most_folds(posed)
        if not 2 <= folds <= most:
            raise ProblemError(
                "cv",
                f"2 or more folds, and no more than {what}, n_samples={most}",
                f"{folds} folds",
                "Use fewer folds, or more data.",
            )
        # Sorted first, so that the folds do not depend on the order in which the rows came.
        order = np.lexsort(np.column_stack([posed.weight, *posed.targets, posed.X]).T)
        shuffled = self.splitter(folds, shuffle=True, random_state=self.random_state)
        return [(order[train], order[test]) for train, test in shuffled.split(order, posed.y[order])]

    def _most_folds(self, posed: Posed) -> tuple[int, str]:
        return len(posed.X), "rows of positive weight"
