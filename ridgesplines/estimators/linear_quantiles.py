"""Several quantiles of one feature, as linear splines that do not cross."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.metrics import d2_pinball_score
from sklearn.utils.validation import check_is_fitted

from ridgesplines.estimators.base import positive_rows
from ridgesplines.estimators.by_rows import warn_of_memory
from ridgesplines.estimators.posed import Distinct
from ridgesplines.estimators.regressors import LinearSplineRegressor
from ridgesplines.estimators.time_limit import Clock
from ridgesplines.losses.quantile import Quantile
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.problem import Problem
from ridgesplines.quantiles import QuantileCurves, solve_quantiles
from ridgesplines.solve import in_numbers
from ridgesplines.validation import Array


class LinearSplineQuantiles(LinearSplineRegressor):
    r"""Several conditional quantiles at once, as linear splines of one feature that do not cross anywhere.

    .. math:: \min_{f_1 \le \dots \le f_D} \; \sum_{d=1}^D \Big[\sum_{n=1}^N s_n L_{q_d}(y_n, f_d(x_n))
              + \lambda_d \,\|D^2 f_d\|_M\Big]

    with the pinball loss :math:`L_q`: a convex problem, solved to its global optimum, see :func:`solve_quantiles`.

    Parameters
    ----------
    quantiles : the levels q, between 0 and 1, increasing.
    lam : :math:`\lambda > 0`, one for all quantiles or one for each, in units of loss times length of x per unit of y;
        or fractions of the lambda_max of each quantile, such as ``"0.05max"``.
    max_time : seconds for the fit, or None for no limit. What has been reached by then is kept, in order, with its gap.
    verbose : whether a bar on standard error shows how far the fit is; where that is no terminal, nothing is printed.

    Attributes
    ----------
    curves_ : the QuantileCurves, with objective, gap and multipliers.
    networks_ : the RidgeSplines, one a quantile; each has knots of its own.
    n_features_in_ : 1.
    feature_names_in_ : the name of the feature, where X had one.

    Notes
    -----
    Equal rows are merged into one of their total weight. Rows of weight zero are left out. The norm of the curves is
    the sum of their own norms, so that without the order they would be fits of LinearSplineRegressor one by one.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(0.0, 1.0, 80)
    >>> model = rs.LinearSplineQuantiles([0.1, 0.5, 0.9], lam=0.2).fit(x, x * rng.standard_normal(80))
    >>> low, middle, high = model.predict([2.0])[0]
    >>> bool(low <= middle <= high), bool(model.curves_.relative_gap < 1e-6)
    (True, True)
    """

    def __init__(
        self,
        quantiles: Sequence[float] = (0.05, 0.5, 0.95),
        lam: Any = "0.05max",
        max_time: float | None = None,
        verbose: bool = False,
    ) -> None:
        self.quantiles = quantiles
        self.lam = lam
        self.max_time = max_time
        self.verbose = verbose

    curves_: QuantileCurves
    networks_: tuple[RidgeSpline, ...]

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Solve the problem for these data.

        Parameters
        ----------
        X : the feature, shape (N,) or (N, 1).
        y : numbers, shape (N,).
        sample_weight : shape (N,), nonnegative; ones by default.

        Returns
        -------
        self

        Raises
        ------
        ProblemError
            A ValueError: where data or parameters do not describe a problem.
        """
        clock = Clock(self.max_time)
        warn_of_memory(self, X)
        X, y = self._checked(X, reset=True, y=y, y_numeric=True)
        kept, weight = positive_rows(X, sample_weight)
        X, y = X[kept], y[kept]
        rows = Distinct.of(np.column_stack([X, y]), weight)
        x, y = X[rows.first], y[rows.first]
        lam, left = self._lams(x, y, rows.weight), max(clock.left, 1e-9)
        self.curves_ = solve_quantiles(x, y, lam, self.quantiles, rows.weight, max_time=left, verbose=self.verbose)
        self.networks_ = self.curves_.networks
        return self

    def _lams(self, x: Array, y: Array, weight: Array) -> Any:
        """lam in numbers: of fractions one for each quantile, of its own lambda_max."""
        levels, lam = np.atleast_1d(self.quantiles), self.lam
        given: list[Any] = list(lam) if isinstance(lam, list | tuple) else [lam]
        if not any(isinstance(lam, str) for lam in given) or len(given) not in (1, len(levels)):
            return lam
        given = given * (len(levels) // len(given))
        problems = [Problem(x, y, 1.0, Quantile(float(q)), sample_weight=weight) for q in levels]
        return [in_numbers([problem], lam) for problem, lam in zip(problems, given, strict=True)]

    def predict(self, X: Any) -> Array:
        """The quantiles at X, shape (N, D), not falling along a row."""
        check_is_fitted(self)
        return self.curves_.predict(self._checked(X, reset=False))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean over the quantiles of :math:`D^2`, one less the share of a constant's pinball loss that is left."""
        found = self.predict(X)
        scores = [
            d2_pinball_score(y, own, sample_weight=sample_weight, alpha=q)
            for own, q in zip(found.T, self.curves_.quantiles, strict=True)
        ]
        return float(np.mean(scores))
