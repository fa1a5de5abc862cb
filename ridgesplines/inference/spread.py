"""Intervals of what is asked of a spline: from a covariance of its parameters, or from splines of resampled data."""

from __future__ import annotations

import numpy as np

from ridgesplines.inference.parameters import Parameters
from ridgesplines.validation import Array

#: The share of a normal distribution within one standard deviation.
ONE_SIGMA = 0.6826894921370859


class Delta:
    """Intervals by the derivatives and the covariance of the parameters."""

    def __init__(self, at: Parameters, covariance: Array, freedom: int) -> None:
        from scipy.stats import t

        self.at, self.covariance, self.student = at, covariance, t(freedom)

    def _around(self, value: Array, by: Array, level: float) -> tuple[Array, Array, Array]:
        se = np.sqrt(np.maximum(np.einsum("mp,pq,mq->m", by, self.covariance, by), 0.0))
        half = self.student.ppf(0.5 + level / 2.0) * se
        return se, value - half, value + half

    def knots(self, level: float) -> tuple[Array, Array, Array]:
        by = np.eye(len(self.covariance))[self.at.values.shape[1] :]
        return self._around(self.at.knots[0], by, level)

    def slopes(self, level: float) -> tuple[Array, Array, Array]:
        return self._around(self.at.slopes[0], self.at.slopes_by_parameters(), level)

    def curve(self, x: Array, level: float) -> tuple[Array, Array]:
        return self._around(self.at.curve(x)[0], self.at.curve_by_parameters(x), level)[1:]


class Percentiles:
    """Intervals by the percentiles of splines of resampled data."""

    def __init__(self, sets: Parameters) -> None:
        self.sets = sets

    def _of(self, draws: Array, level: float) -> tuple[Array, Array, Array]:
        ends = [0.5 - ONE_SIGMA / 2.0, 0.5 + ONE_SIGMA / 2.0, 0.5 - level / 2.0, 0.5 + level / 2.0]
        below, above, low, high = np.quantile(draws, ends, axis=0)
        return (above - below) / 2.0, low, high

    def knots(self, level: float) -> tuple[Array, Array, Array]:
        return self._of(self.sets.knots, level)

    def slopes(self, level: float) -> tuple[Array, Array, Array]:
        return self._of(self.sets.slopes, level)

    def curve(self, x: Array, level: float) -> tuple[Array, Array]:
        return self._of(self.sets.curve(x), level)[1:]
