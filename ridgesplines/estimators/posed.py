"""The problems of an estimator: their data, and the distinct rows of these."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.certificate.multipliers import SlopeMultipliers
from ridgesplines.losses.base import Loss
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.validation import Array


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
    def of(cls, table: Array, weight: Array) -> Distinct:
        """The distinct rows of a table."""
        _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
        total = np.bincount(inverse, weight).astype(np.float64)
        return cls(first, inverse, total, weight / total[inverse])

    def restore(self, solution: Solution, problem: Problem) -> Solution:
        """The solution of the problem with all rows, from that with the distinct ones.

        The objective is the same function of f, and a row's dual variable is its share of the
        distinct row's.
        """
        certificate = solution.certificate
        dual, multipliers = self._shared(certificate.dual), certificate.multipliers
        if isinstance(multipliers, SlopeMultipliers):
            multipliers = replace(multipliers, X=problem.X, dual=self._shared(multipliers.dual))
        low = None if certificate.dual_low is None else self._left_over(certificate.dual, certificate.dual_low)
        certificate = replace(certificate, dual=dual, dual_low=low, X=problem.X, multipliers=multipliers)
        return replace(solution, problem=problem, certificate=certificate)

    def _shared(self, dual: Array) -> Array:
        return (dual[self.inverse].T * self.share).T

    def _left_over(self, dual: Array, low: Array) -> Array:
        """What the shares of each row, which are rounded, leave of dual + low: the first of its equals takes it."""
        shares, order = self._shared(dual), np.argsort(self.inverse, kind="stable")
        groups = np.split(-shares[order], np.cumsum(np.bincount(self.inverse))[:-1])
        left = np.zeros(len(shares))
        left[self.first] = [math.fsum([*pair, *group]) for *pair, group in zip(dual, low, groups, strict=True)]
        return left


@dataclass(frozen=True)
class Posed:
    """The problems of an estimator: one, or one a class; they share their rows, all of positive weight.

    Attributes
    ----------
    X : the features, shape (N, d).
    y : what is to be predicted: numbers, or labels of any kind.
    targets : y as the loss takes it, one a problem.
    weight : shape (N,).
    kept : which of the rows that the user gave these are, shape (N,).
    """

    X: Array
    y: Any
    targets: tuple[Array, ...]
    loss: Loss
    weight: Array
    kept: NDArray[np.intp]

    def __getitem__(self, rows: NDArray[np.intp]) -> Posed:
        """The same for some of the rows."""
        targets = tuple(target[rows] for target in self.targets)
        return Posed(self.X[rows], self.y[rows], targets, self.loss, self.weight[rows], self.kept[rows])

    @cached_property
    def rows(self) -> Distinct:
        """The distinct rows of [X targets]."""
        return Distinct.of(np.column_stack([self.X, *self.targets]), self.weight)
