"""What one pass over all rows says of them: whether they are numbers that a problem can have, and their extremes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.rows.base import Block, Rows
from ridgesplines.validation import Array, finite, sized


@dataclass(frozen=True)
class Facts:
    """Of the rows of positive weight, but for the error.

    Attributes
    ----------
    low, high : extremes of each feature, (d,).
    largest : of |y|.
    heaviest : the largest weight.
    n : how many rows.
    total : the sums of the weights and of the weighted y, (2,).
    error : of the first block that has one.
    """

    low: Array
    high: Array
    largest: float
    heaviest: float
    n: int
    total: Array
    error: ProblemError | None = None

    @classmethod
    def of(cls, rows: Rows, loss: Loss) -> Facts:
        """The facts, or a ProblemError where the rows do not describe a problem."""
        facts: Facts = rows.reduce(_facts, loss, combine=_both)
        if facts.error is not None:
            raise facts.error
        if not facts.n:
            remedy = "Give at least one row a positive weight."
            raise ProblemError("sample_weight", "a positive weight somewhere", "only zeros", remedy)
        sized("X", np.concatenate([facts.low, facts.high]))
        sized("y", np.array([facts.largest]))
        sized("sample_weight", np.array([facts.heaviest]))
        return facts


def _facts(block: Block, loss: Loss) -> Facts:
    counts = block.weight > 0.0
    X, y, weight = block.X[counts], block.y[counts], block.weight[counts]
    error = _error(block, loss)
    if error is not None or not len(X):
        nowhere = np.full(block.X.shape[1], np.inf)
        return Facts(nowhere, -nowhere, 0.0, 0.0, 0, np.zeros(2), error)
    total = np.array([weight.sum(), weight @ y])
    return Facts(X.min(axis=0), X.max(axis=0), float(np.abs(y).max()), float(weight.max()), len(X), total)


def _error(block: Block, loss: Loss) -> ProblemError | None:
    """What is wrong with a block, in words that name the rows."""
    try:
        for name, values in (("X", block.X), ("y", block.y), ("sample_weight", block.weight)):
            finite(name, values)
        loss.check(block.y)
        if (block.weight < 0.0).any():
            worst = f"{block.weight.min():g}"
            raise ProblemError("sample_weight", "nonnegative weights", worst, "Use 0 to leave a row out.")
    except ProblemError as error:
        where = f"{error.got}, among the rows from {block.first} on"
        return ProblemError(error.argument, error.expected, where, error.remedy)
    return None


def _both(one: Facts, other: Facts) -> Facts:
    return Facts(
        np.minimum(one.low, other.low),
        np.maximum(one.high, other.high),
        max(one.largest, other.largest),
        max(one.heaviest, other.heaviest),
        one.n + other.n,
        one.total + other.total,
        one.error or other.error,
    )
