"""The Poisson loss of counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import exprel, logsumexp, xlog1py, xlogy

from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss, namespace
from ridgesplines.validation import Array

#: A mean that is larger than the count by this power of e costs infinity, so that no sum of losses overflows.
FAR = 600.0
#: A mean is zero where it is no larger a part of its count: that much rounding takes of it.
ROUNDED = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Poisson(Loss):
    r"""The negative log-likelihood of counts, whose mean is :math:`e^{f(x)}`, less its least value.

    .. math:: L(y, z) = e^z - y z + (y \log y - y), \qquad y \ge 0

    The constant makes a perfect fit, z = log y, cost nothing: the sum of the losses is half the deviance, and for
    y = 0, where it is :math:`e^z`, never zero.

    Notes
    -----
    Targets: any numbers from zero on, shape (N,), not only whole ones. **Counts of unequal exposure** :math:`e_n`
    (years watched, people, areas) have the mean :math:`e_n e^{f(x_n)}`. Pass rates as targets and exposures as weights,
    ``y = count / exposure``, ``sample_weight = exposure``: but for a constant that is the same problem, and f is the
    logarithm of the rate.

    With :math:`p = y + v` the conjugate is :math:`p\log p - p - (y \log y - y)` on :math:`p \ge 0`. The curvature
    :math:`e^z` is unbounded: Newton steps are shortened until they descend. Where an affine function vanishes at all
    positive counts and is nowhere above zero, such as a constant where all counts are zero, the problem has no
    minimiser: solvers detect it and say so.

    References
    ----------
    .. [1] P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman and Hall, 1989, chapter 6,
       doi:10.1007/978-1-4899-3242-6

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rs.Poisson().value(np.array([0.0, 1.0, 2.0]), np.zeros(3)).round(4)
    array([1.    , 0.    , 0.3863])
    >>> year, count = np.arange(8.0), np.array([4, 5, 4, 1, 0, 1, 1, 0])
    >>> flat = rs.solve(rs.Problem(year, count, lam=100.0, loss=rs.Poisson()))
    >>> bool(abs(np.exp(flat.predict(year)).sum() - count.sum()) < 1e-9)  # the means add up to the counts
    True
    """

    cone: ClassVar[str] = "exponential"
    translates: ClassVar[bool] = False
    likelihood: ClassVar[bool] = True
    link: ClassVar[str] = "log"

    def check(self, y: Any) -> Array:
        counts = super().check(y)
        if (counts < 0.0).any():
            raise ProblemError(
                "y",
                "counts or rates, numbers >= 0, for Poisson",
                f"{counts.min():g}",
                "Pass counts themselves, neither centred nor their logarithm, or use Squared.",
            )
        return counts

    def value(self, y: Array, z: Array) -> Array:
        xp, positive = namespace(z), y > 0.0
        size = xp.where(positive, y, xp.ones_like(y))
        with np.errstate(over="ignore"):
            t = z - xp.log(size)
            value = xp.where(positive, size * (xp.expm1(t) - t), xp.exp(t))
        return xp.where(t > FAR, xp.inf, value)

    def gradient(self, y: Array, z: Array) -> Array:
        positive = y > 0.0
        size = np.where(positive, y, 1.0)
        with np.errstate(over="ignore"):
            t = z - np.log(size)
            return np.where(positive, size * np.expm1(t), np.exp(t))

    def curvature(self, y: Array, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(z)

    def majorant(self, y: Array, z: Array) -> Array:
        """Below log y the parabola has its minimum there, and lies above the loss up to there; else up to z."""
        below = np.maximum(np.log(np.where(y > 0.0, y, 1.0)) - z, 0.0)
        return np.where((y > 0.0) & (below > 0.0), y * exprel(-below), self.curvature(y, z))

    def conjugate(self, y: Array, v: Array) -> Array:
        p, size = np.maximum(y + v, 0.0), np.where(y > 0.0, y, 1.0)
        far = v > y
        # Near y, where both terms nearly cancel, their difference.
        near = v * np.log(size) + xlog1py(p, np.where(far, 0.0, np.maximum(v / size, -1.0))) - v
        return np.where(y + v < 0.0, np.inf, np.where(far, xlogy(p, p) - xlogy(y, y) - v, near))

    def conjugate_terms(self, y: Array, v: Array) -> Array:
        """Those of either form, v times the slope among them, for v rounds as well; near y all vanish with v.

        So a fit that is perfect is known to be.
        """
        p, size, far = self.room(y, v), np.where(y > 0.0, y, 1.0), v > y
        slope = np.log1p(np.where(far, 0.0, np.maximum(v / size, ROUNDED - 1.0)))
        near = np.abs(v) * (1.0 + np.abs(np.log(size))) + (p + np.abs(v)) * np.abs(slope)
        return np.where(far, np.abs(xlogy(p, p)) + np.abs(xlogy(y, y)) + np.abs(v), near)

    def nearest(self, y: Array, v: Array) -> Array:
        return np.maximum(v, -y)

    def room(self, y: Array, v: Array) -> Array:
        return np.maximum(y + v, 0.0)

    def expression(self, y: Array, z: Any, weight: Array) -> tuple[Any, list[Any]]:
        import cvxpy as cp

        size = np.where(y > 0.0, y, 1.0)
        t = z - np.log(size)  # of size one near the optimum, whatever the counts
        return cp.sum(cp.multiply(weight * size, cp.exp(t))) - (weight * y) @ t - float(weight @ y), []

    def mean(self, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(z)

    def shift(self, y: Array, z: Array, weight: Array) -> float:
        return float(np.log(weight @ y) - logsumexp(z, b=weight)) if (weight * y).any() else 0.0

    def missed(self, y: Array, off: Array) -> Array:
        return y * off**2 / 2.0

    def steepest(self, y: Array, v: Array, gap: Array) -> Array:
        """No mean p' is larger at which p' - p - p log(p' / p) <= gap, what p' less p costs in the dual problem."""
        p = self.room(y, v)
        return p + gap + np.sqrt(gap**2 + 2.0 * gap * p)

    def separable(self) -> bool:
        return True

    def recession(self, y: Array) -> tuple[Array, Array]:
        return -np.ones_like(y), y > 0.0

    @property
    def unattained(self) -> tuple[str, str, str]:
        return (
            "counts whose zeros no {free} sets apart",
            "zeros that it lowers forever: the positive counts, if any, lie where it vanishes, at the edge of the data",
            "Use Squared, which attains its minimum, or only a range or columns of X with positive counts on all sides",
        )
