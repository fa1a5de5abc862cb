r"""The covariance of a least-squares spline's values and knots, by the delta method.

.. math:: \mathrm{Cov}(p) \approx \sigma^2 (J^T S J)^{-1}, \qquad
          \text{or} \quad (J^T S J)^{-1} J^T S\, \mathrm{diag}(e_n^2)\, S J (J^T S J)^{-1}

J is the derivative of the fit by the values at the nodes and by the knots, S the weights, e the residuals. The second
form needs no common variance; HC0 to HC3 differ in how they make up for residuals being smaller than errors [1]_.

References
----------
.. [1] J. G. MacKinnon, H. White, Some heteroskedasticity-consistent covariance matrix estimators with improved finite
   sample properties, J. Econometrics 29 (1985), 305-325, doi:10.1016/0304-4076(85)90158-7
"""

from __future__ import annotations

import numpy as np

from ridgesplines.exceptions import ProblemError
from ridgesplines.inference.parameters import Parameters
from ridgesplines.validation import Array

#: The ways in which residuals are scaled.
ROBUST = ("HC0", "HC1", "HC2", "HC3")
#: Columns of the derivative that depend on the others up to this, relatively, are not determined by the data.
RANK_RTOL = 1e-9
#: A datum of this leverage less than one is met whatever it is.
MET = 1e-9


class Linearised:
    """A spline near its least-squares fit: the derivative J, orthogonalised, and the residuals.

    Parameters
    ----------
    at : the parameters.
    x, y, weight : the data, shape (N,).
    """

    def __init__(self, at: Parameters, x: Array, y: Array, weight: Array) -> None:
        self.root = np.sqrt(weight)
        J = at.curve_by_parameters(x)
        self.n, self.count = J.shape
        if self.n <= self.count:
            raise ProblemError(
                "solution",
                f"more data than the {self.count} parameters of {self.count // 2 - 1} knots",
                f"N = {self.n}",
                "Take a solution of fewer neurons: path.with_neurons(k).",
            )
        norms = np.linalg.norm(self.root[:, None] * J, axis=0)
        norms[norms == 0.0] = 1.0
        self.Q, R = np.linalg.qr(self.root[:, None] * J / norms)
        if not np.abs(np.diag(R)).min() > RANK_RTOL:
            raise ProblemError(
                "solution",
                "segments with data enough to determine their lines and knots",
                f"a segment of K = {self.count // 2 - 1} knots without",
                "Take a solution of fewer neurons: path.with_neurons(k).",
            )
        self.inverse = np.linalg.inv(R) / norms[:, None]
        #: The residuals times the roots of the weights: of one variance, if the weights are right.
        self.residuals = self.root * (y - at.curve(x)[0])
        self.leverages = (self.Q**2).sum(axis=1)

    @property
    def freedom(self) -> int:
        """The data less the parameters."""
        return self.n - self.count

    def covariance(self, robust: str | None) -> Array:
        """Of all parameters, shape (P, P); `robust` is one of ROBUST, or None for errors of one variance."""
        if robust is None:
            return float(self.residuals @ self.residuals) / self.freedom * self.inverse @ self.inverse.T
        scaled = self.Q * self.adjusted(robust)[:, None]
        return self.inverse @ (scaled.T @ scaled) @ self.inverse.T

    def adjusted(self, robust: str) -> Array:
        """The residuals, made larger."""
        if robust == "HC0":
            return self.residuals
        if robust == "HC1":
            return self.residuals * np.sqrt(self.n / self.freedom)
        left = 1.0 - self.leverages
        if left.min() < MET:
            raise ProblemError(
                "robust",
                "'HC0' or 'HC1' where a segment has a datum that alone determines it",
                repr(robust),
                "Pass robust='HC1', or take a solution of fewer neurons.",
            )
        return self.residuals / (np.sqrt(left) if robust == "HC2" else left)
