"""The data of a problem, and what follows from them alone: shared by the problems of all lam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines import dates as calendar
from ridgesplines.activations.base import Activation
from ridgesplines.activations.relu import ReLU
from ridgesplines.dates import Dates
from ridgesplines.exceptions import ProblemError
from ridgesplines.line.kernels import gathered
from ridgesplines.line.sorting import sorting
from ridgesplines.line.squares import WeightedLine
from ridgesplines.losses.base import Loss
from ridgesplines.numerics.polynomials import affine_least_squares, polynomial_basis
from ridgesplines.numerics.precise import origin_near
from ridgesplines.rows.data import PERFECT
from ridgesplines.validation import (
    Array,
    ReadOnly,
    dated_samples,
    frozen,
    lengths,
    real_number,
    same_length,
    sample_weights,
    sized,
)

#: As PERFECT, of a loss with kinks, which rounds in proportion to y itself, not to its square.
PERFECT_WITH_KINKS = 1e-4


@dataclass(frozen=True, eq=False)
class Data(ReadOnly):
    """The data with their loss and activation, and what follows from these alone: shared by the problems of all lam."""

    X: Array
    y: Array
    sample_weight: Array
    loss: Loss
    activation: Activation

    @property
    def n_samples(self) -> int:
        return self.X.shape[0]

    @property
    def n_features(self) -> int:
        return self.X.shape[1]

    @cached_property
    def n_outputs(self) -> int | None:
        return self.loss.n_outputs(self.y)

    @property
    def rank(self) -> int:
        return self.null_space.shape[1]

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        keep = self.sample_weight > 0.0
        rows, x = None if keep.all() else np.flatnonzero(keep), self.X[:, 0]
        x = x if rows is None else x[rows]
        if self.X.shape[1] > 1 or (x[1:] >= x[:-1]).all():
            return np.arange(len(x)) if rows is None else rows
        order = sorting(x)
        return order if rows is None else rows[order]

    @cached_property
    def reduced(self) -> Data:
        rows = self.rows
        if len(rows) == len(self.X) and (rows[1:] > rows[:-1]).all():
            return self
        line, s = self.n_features == 1, self.sample_weight
        X = gathered(self.X[:, 0], 1.0, rows)[:, None] if line else self.X.take(rows, axis=0)
        y = gathered(self.y, 1.0, rows) if self.y.dtype == float else self.y.take(rows, axis=0)
        weight = s[: len(rows)] if (s == s[0]).all() else gathered(s, 1.0, rows)
        made = replace(self, X=frozen(X), y=frozen(y), sample_weight=frozen(weight))
        made.__dict__["reduced"] = made  # nothing is left to take away: to find that out takes two passes
        return made

    @cached_property
    def origin(self) -> Array:
        return frozen(origin_near(self.X))

    @cached_property
    def centred(self) -> Array:
        return frozen(self.X - self.origin) if self.origin.any() else self.X

    @cached_property
    def sites(self) -> Array:
        x = self.reduced.X[:, 0]
        apart = x[1:] > x[:-1]
        return x if apart.all() else x[np.append(True, apart)]

    @cached_property
    def level(self) -> Array:
        level = origin_near(self.y.reshape(len(self.y), -1))
        return level if self.y.ndim > 1 else level[0]

    @cached_property
    def above_level(self) -> Array:
        return frozen(self.y - self.level)

    @cached_property
    def weighted_line(self) -> WeightedLine | None:
        """Sums over sorted rows, for squared error of one output in one dimension, where they are compiled; or None."""
        plain = self.loss.quadratic and isinstance(self.activation, ReLU) and self.n_outputs is None
        if not plain or self.n_features > 1 or self.reduced is not self:
            return None
        return WeightedLine.of(self.X[:, 0], self.y, self.sample_weight, float(self.level))

    @cached_property
    def spread(self) -> Array:
        spread = self.y - self.y[0]
        spread = spread - spread.mean(axis=0)
        return spread if spread.any() else self.y

    @cached_property
    def resolution(self) -> float:
        if (line := self.weighted_line) is not None and line.varied > 0.0:
            return PERFECT**2 * line.varied + 1e-300
        s, loss, perfect = self.sample_weight, self.loss, PERFECT if self.loss.smooth else PERFECT_WITH_KINKS
        if not loss.translates:
            return float(s @ loss.missed(self.y, np.full(len(s), perfect))) + 1e-300
        return float(s @ loss.value(perfect * self.spread, np.zeros_like(self.spread))) + 1e-300

    @cached_property
    def detrended(self) -> Array:
        Q = self.null_space
        y = self.y - (self.y.mean(axis=0) if self.activation.degree >= 0 else 0.0)
        y -= Q @ (Q.T @ y)
        return y

    @cached_property
    def null_space(self) -> Array:
        return frozen(polynomial_basis(self.X, self.activation.degree))

    @cached_property
    def gram(self) -> Array:
        return (self.sample_weight * self.null_space.T) @ self.null_space

    @cached_property
    def slopes(self) -> Array:
        Q, weighted = self.null_space, (self.sample_weight * self.null_space.T).T
        nearest = np.linalg.lstsq(Q.T @ weighted, affine_least_squares(self.X, Q)[0].T, rcond=1e-13)[0]
        return frozen(weighted @ nearest)


def checked_slope_penalty(given: float, data: Any, constraints: Sequence[object]) -> float:
    """The argument `slope_penalty` of a problem of these data and constraints."""
    penalty = real_number("slope_penalty", given, "a finite number >= 0", 0.0)
    expected = None
    if penalty and not isinstance(data.activation, ReLU):
        expected, got = "activation=ReLU()", repr(data.activation)
    elif penalty and data.loss.interpolates:
        expected, got = "a loss whose fit may miss the data", repr(data.loss)
    elif penalty and not isinstance(data, Data):
        expected, got = "rows in memory", "rows in blocks"
    elif penalty and constraints:
        expected, got = "no constraints", repr(list(constraints))
    if expected is not None:
        raise ProblemError("slope_penalty", f"{expected}, where it is positive", got, "Pass slope_penalty=0.")
    return penalty


def checked_scales(given: Any, data: Any) -> Array | None:
    """The argument `scales` of a problem of these data."""
    if given is not None and not isinstance(data.activation, ReLU):
        remedy = "Solve the problem of X / scales."
        raise ProblemError("scales", "None for other activations than ReLU()", repr(data.activation), remedy)
    return None if given is None else lengths("scales", given, data.n_features)


def checked_output_scales(given: Any, data: Any) -> Array | None:
    """The argument `output_scales` of a problem of these data."""
    if given is None:
        return None
    if data.n_outputs is None or not data.loss.quadratic:
        got = repr(data.loss) if data.n_outputs else "one output"
        remedy = "Divide y by its scale, and multiply predictions by it."
        raise ProblemError("output_scales", "None but for several outputs with Squared()", got, remedy)
    return lengths("output_scales", given, data.n_outputs, "outputs", "y")


def data_in_memory(
    X: Any, y: Any, sample_weight: Any, loss: Loss, activation: Activation, dates: Dates | None
) -> tuple[Data, Dates | None]:
    """The data as read-only copies, and what the numbers of X stand for."""
    points, given = dated_samples("X", X)
    points, dates = frozen(sized("X", points)), given or dates
    if dates is not None and points.shape[1] > 1:
        raise calendar.several("dates", f"dates for {points.shape[1]} features")
    values = frozen(sized("y", loss.check(y)))
    same_length("y", len(values), len(points))
    weight = frozen(sized("sample_weight", sample_weights(sample_weight, len(points))))
    return Data(points, values, weight, loss, activation), dates
