"""Huber's loss."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss, namespace
from ridgesplines.validation import Array, real_number

#: A multiple of the scale of the noise, as a user writes it.
MULTIPLE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*\*?\s*mad\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Huber(Loss):
    r"""Huber's loss: squared error near zero, absolute error in the tails.

    .. math:: L(y, z) = r^2 \text{ for } |r| \le \delta, \quad 2\delta|r| - \delta^2 \text{ beyond}, \quad r = y - z.

    Parameters
    ----------
    delta : the residual, in units of y, beyond which a sample counts as an outlier; positive. Or, for the regressors
        only, a multiple of the scale of the noise, which they estimate: ``"1.345 mad"``, see the notes.

    Notes
    -----
    The mad is the median absolute residual of a pilot fit, divided by 0.6745, so that it is the standard deviation of
    normal noise (:func:`ridgesplines.estimators.robust_scale.robust_scale`). 1.345 of it loses 5 % of efficiency to
    least squares under normal noise [1]_, whatever the units of y. A Problem takes numbers alone.

    The conjugate is that of squared error, :math:`v^2/4 + v y`, on the domain :math:`|v| \le 2\delta`.

    References
    ----------
    .. [1] P. J. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964),
       doi:10.1214/aoms/1177703732

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Huber(delta=1.0).value(np.zeros(2), np.array([0.5, 3.0]))
    array([0.25, 5.  ])
    """

    delta: float | str = 1.0
    cone: ClassVar[str] = "quadratic"
    lipschitz: ClassVar[float | None] = 2.0

    def __post_init__(self) -> None:
        expected = (
            'a positive finite number, or for regressors a multiple of the scale of the noise such as "1.345 mad"'
        )
        if not isinstance(self.delta, str):
            real_number("delta", self.delta, expected, 0.0, open_=True)
        elif not self.multiple:
            raise ProblemError("delta", expected, repr(self.delta), 'Pass delta="1.345 mad".')

    @property
    def multiple(self) -> float | None:
        """How many times the scale of the noise delta is, where that is how it was passed."""
        found = MULTIPLE.fullmatch(self.delta) if isinstance(self.delta, str) else None
        return float(found[1]) if found else None

    @property
    def threshold(self) -> float:
        """delta as a number; a ProblemError where only data tell it."""
        if isinstance(self.delta, str):
            raise ProblemError(
                "loss",
                "Huber with a number for delta, in units of y",
                repr(self),
                'Regressors estimate the scale of the noise: LinearSplineRegressor(loss="huber"). Or pass a number.',
            )
        return self.delta

    def check(self, y: Any) -> Array:
        _ = self.threshold  # or an error
        return super().check(y)

    def value(self, y: Array, z: Array) -> Array:
        r = abs(y - z)
        return namespace(z).where(r <= self.threshold, r**2, self.threshold * (2.0 * r - self.threshold))

    def gradient(self, y: Array, z: Array) -> Array:
        return 2.0 * np.clip(z - y, -self.threshold, self.threshold)

    def curvature(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(y - z) <= self.threshold, 2.0, 0.0)

    def majorant(self, y: Array, z: Array) -> Array:
        return 2.0 * self.threshold / np.maximum(np.abs(y - z), self.threshold)

    def conjugate(self, y: Array, v: Array) -> Array:
        inside = np.abs(v) <= 2.0 * self.threshold
        return np.where(inside, v**2 / 4.0 + v * y, np.inf)

    def nearest(self, y: Array, v: Array) -> Array:
        return np.clip(v, -2.0 * self.threshold, 2.0 * self.threshold)

    def room(self, y: Array, v: Array) -> Array:
        return np.maximum(1.0 - (v / (2.0 * self.threshold)) ** 2, 0.0)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        return cp.sum(cp.multiply(weight, cp.huber(z - y, self.threshold))), []

    def box(self, y: Array) -> tuple[Array, Array, Array, Array]:
        edge = np.full(len(y), 2.0 * self.threshold)
        return y, np.full(len(y), 0.5), -edge, edge

    def rescaled(self, scale: float) -> tuple[Loss, float]:
        return Huber(self.threshold / scale), scale**2
