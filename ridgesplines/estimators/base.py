"""What the estimators share: losses by name, distinct rows, the way from arrays to a Solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses import Loss
from ridgesplines.network import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solve import solve
from ridgesplines.solvers import Solver
from ridgesplines.validation import Array


def loss_named(loss: Any, names: Mapping[str, type[Loss]]) -> Loss:
    """A loss, given as one or by its name."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in names:
        return names[loss]()
    name, kind = next(iter(names.items()))
    allowed = ", ".join(map(repr, names))
    got = f"the class {loss.__name__} itself" if isinstance(loss, type) else repr(loss)
    raise ProblemError(
        "loss",
        f"one of {allowed}, or a loss such as {kind.__name__}()",
        got,
        f"Pass loss={name!r}, or an object for a loss with parameters of its own.",
    )


def positive_rows(X: Array, y: Any, sample_weight: Any) -> tuple[Array, Any, Array]:
    """X, y and weights without the rows of weight zero."""
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    keep = weight > 0.0
    return X[keep], y[keep], weight[keep]


@dataclass(frozen=True)
class Distinct:
    """The distinct rows of a data set, sorted.

    Where a problem has many minimisers, the one that a solver returns depends on the order of the
    rows, and on whether a row comes twice or with twice the weight. Solved on the distinct rows, it
    does not.

    Attributes
    ----------
    first : index of one of the equal rows, shape (n,).
    inverse : which distinct row each row is, shape (N,).
    weight : sum of the weights of the equal rows, shape (n,).
    share : the part of that sum that each row contributes, shape (N,).
    """

    first: NDArray[np.intp]
    inverse: NDArray[np.intp]
    weight: Array
    share: Array

    @classmethod
    def of(cls, X: Array, y: Any, weight: Array) -> Distinct:
        """The distinct rows of [X y]."""
        table = np.column_stack([X, y])
        _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
        total = np.bincount(inverse, weight).astype(np.float64)
        return cls(first, inverse, total, weight / total[inverse])

    def restore(self, solution: Solution, problem: Problem) -> Solution:
        """The solution of the problem with all rows, from that with the distinct ones.

        The objective is the same function of f, and a row's dual variable is its share of the
        distinct row's.
        """
        found = solution.certificate
        dual = (found.dual[self.inverse].T * self.share).T
        return replace(solution, problem=problem, certificate=replace(found, dual=dual, X=problem.X))


class SplineEstimator(BaseEstimator):
    """Base of the estimators: they have the parameters `lam` and `solver`, and may have `scale`."""

    lam: float
    solver: Solver | None
    network_: RidgeSpline
    scaler_: StandardScaler

    def _fit_scaler(self, X: Array, rows: Distinct) -> Array:
        """X in the units of the problem: standardised where that was asked for."""
        if not getattr(self, "scale", False):
            if hasattr(self, "scaler_"):  # of an earlier fit
                del self.scaler_
            return X
        self.scaler_ = StandardScaler().fit(X[rows.first], sample_weight=rows.weight)
        return self.scaler_.transform(X)

    def _solve(self, X: Array, y: Array, loss: Loss, weight: Array, rows: Distinct) -> Solution:
        """The solution for all rows, found on the distinct ones."""
        problem = self._problem(X, y, loss, weight, self.lam)
        distinct = self._problem(X[rows.first], y[rows.first], loss, rows.weight, self.lam)
        return rows.restore(solve(distinct, self.solver), problem)

    def _problem(self, X: Array, y: Array, loss: Loss, weight: Array, lam: float) -> Problem:
        names = getattr(self, "feature_names_in_", None)
        return Problem(X, y, lam, loss, sample_weight=weight, feature_names=names)

    def _evaluate(self, X: Any) -> Array:
        """The network at the rows of X."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        return self.network_(self.scaler_.transform(X) if hasattr(self, "scaler_") else X)

    def _checked(self, X: Any, reset: bool, **targets: Any) -> Any:
        """X as an array, or (X, y) where y is given."""
        return validate_data(self, X, dtype=np.float64, reset=reset, **targets)
