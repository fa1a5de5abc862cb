r"""A banded interior point for linear trend filtering on uneven x: the dual method of Kim, Koh, Boyd and Gorinevsky.

With D the matrix that takes values at the sites to the changes of slope there,

.. math:: \min_z \; \tfrac12 \|y - z\|^2 + \mu \|D z\|_1, \qquad
          \text{dual:}\; \min_\nu \; \tfrac12 \|D^T \nu\|^2 - (D y)^T \nu, \; |\nu| \le \mu, \qquad z = y - D^T \nu.

The matrix :math:`D D^T` has five diagonals, so that a Newton step costs O(N). Its condition number grows like the
fourth power of the longest straight piece over the spacing: a strong rival where knots are dense, and only there.

References
----------
.. [1] S.-J. Kim, K. Koh, S. Boyd, D. Gorinevsky, l1 trend filtering, SIAM Rev. 51 (2009), 339-360,
   doi:10.1137/070690274
.. [2] S. Mehrotra, On the implementation of a primal-dual interior point method, SIAM J. Optim. 2 (1992), 575-601,
   doi:10.1137/0802028
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SlopeChanges:
    """The matrix D as its three diagonals: row i is (left, -left - right, right) at columns i, i + 1, i + 2."""

    left: Array
    right: Array

    @classmethod
    def at(cls, x: Array) -> SlopeChanges:
        """D for sorted, distinct sites x."""
        inverse = 1.0 / np.diff(x)
        return cls(inverse[:-1], inverse[1:])

    def of(self, z: Array) -> Array:
        """D z: slope changes of the linear interpolant of the values z."""
        return self.right * (z[2:] - z[1:-1]) - self.left * (z[1:-1] - z[:-2])

    def transposed(self, nu: Array) -> Array:
        """The product of the transpose of D with nu."""
        out = np.zeros(len(nu) + 2)
        out[:-2] = self.left * nu
        out[1:-1] -= (self.left + self.right) * nu
        out[2:] += self.right * nu
        return out

    def gram(self) -> Array:
        """D times its transpose, its lower half in the banded storage of LAPACK, shape (3, N - 2)."""
        a, c = self.left, self.right
        b = -(a + c)
        bands = np.zeros((3, len(a)))
        bands[0] = a**2 + b**2 + c**2
        bands[1, :-1] = b[:-1] * a[1:] + c[:-1] * b[1:]
        bands[2, :-2] = c[:-2] * a[2:]
        return bands


@dataclass(frozen=True)
class Filtered:
    """What the interior point returns: values z, slope changes (the multipliers of the box), and its own account."""

    values: Array
    changes: Array
    iterations: int
    gap: float


def trend_filter(x: Array, y: Array, mu: float, tol: float = 1e-8, iterations: int = 100) -> Filtered:
    """Minimise half the squared error plus `mu` times the absolute slope changes.

    Parameters
    ----------
    x : sorted, distinct sites, best in units of their mean distance.
    y : values there.
    mu : weight of the slope changes.
    tol : relative gap, by its own account, at which it stops.
    iterations : at most so many factorisations.
    """
    D = SlopeChanges.at(x)
    gram, b = D.gram(), D.of(y)
    nu = np.zeros(len(b))
    floor = np.abs(b).mean() + 1e-300
    upper, lower = np.maximum(b, 0.0) + floor, np.maximum(-b, 0.0) + floor  # stationary at nu = 0
    gap, done = np.inf, 0
    while done < iterations:
        pull = D.transposed(nu)
        residual = b - D.of(pull)  # slope changes of z = y - pull
        primal = 0.5 * pull @ pull + mu * np.abs(residual).sum()
        gap = (primal - (b @ nu - 0.5 * pull @ pull)) / primal
        if gap <= tol:
            break
        step, d_nu, d_upper, d_lower = _direction(gram, residual, mu, nu, upper, lower)
        done += 1
        nu, upper, lower = nu + step * d_nu, upper + step * d_upper, lower + step * d_lower
    return Filtered(y - D.transposed(nu), upper - lower, done, float(gap))


def _direction(
    gram: Array, residual: Array, mu: float, nu: Array, upper: Array, lower: Array
) -> tuple[float, Array, Array, Array]:
    """Mehrotra's predictor and corrector: (step, changes of nu, upper, lower), one factorisation for both."""
    f, g = mu - nu, mu + nu
    system = gram.copy()
    system[0] += upper / f + lower / g
    factor = cholesky_banded(system, lower=True, overwrite_ab=True, check_finite=False)
    target = np.zeros_like(nu)  # what upper * f and lower * g are to become, less the second-order terms
    first, second = target, target
    centre = (upper @ f + lower @ g) / (2 * len(nu))
    for predictor in (True, False):
        d_nu = cho_solve_banded((factor, True), residual - first / f + second / g, check_finite=False)
        d_upper = first / f - upper + upper * d_nu / f
        d_lower = second / g - lower - lower * d_nu / g
        step = min(1.0, 0.995 * min(_reach(f, -d_nu), _reach(g, d_nu), _reach(upper, d_upper), _reach(lower, d_lower)))
        if predictor:
            after = (upper + step * d_upper) @ (f - step * d_nu) + (lower + step * d_lower) @ (g + step * d_nu)
            aim = (after / (2 * len(nu)) / centre) ** 3 * centre
            first, second = aim + d_nu * d_upper, aim - d_nu * d_lower
    return step, d_nu, d_upper, d_lower


def _reach(value: Array, change: Array) -> float:
    """The largest step that keeps every entry of `value` nonnegative."""
    ratio = -change / value
    worst = float(ratio.max())
    return 1.0 / worst if worst > 0.0 else np.inf
