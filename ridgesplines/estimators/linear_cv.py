"""Linear splines whose lam is chosen by the data."""

from __future__ import annotations

from typing import Any

from ridgesplines.estimators.chooses_by_criterion import ChoosesByCriterion
from ridgesplines.estimators.regressors import LinearSplineRegressor
from ridgesplines.losses.base import Loss
from ridgesplines.solvers.base import Solver

#: The smallest lam as a fraction of lambda_max. Low noise asks for 1e-5; but as df nears N, SSE falls to zero faster
#: than "gcv" and "bic" charge for it, and of a path that goes so far they take the end.
RATIO = {"cv": 1e-5, "sure": 1e-5, "gcv": 1e-3, "bic": 1e-3}


class LinearSplineRegressorCV(ChoosesByCriterion, LinearSplineRegressor):
    r"""Regression with a linear spline of few knots, whose :math:`\lambda` is chosen by the data.

    .. math:: \min_{f \in BV^2(\mathbb{R})} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D^2 f\|_M

    is solved for a decreasing sequence of :math:`\lambda`, each solution is scored, and the one of the best score is
    kept.

    Parameters
    ----------
    lams : the values to choose from, positive, in any order; by default `n_lams` of them, evenly spaced in the
        logarithm between lambda_max, from which on the fit is a straight line, and `lam_ratio` times that.
    n_lams : how many, where `lams` is not given.
    lam_ratio : the smallest as a fraction of lambda_max, in (0, 1), where `lams` is not given; by default 1e-5 for
        ``"cv"`` and ``"sure"``, 1e-3 for ``"gcv"`` and ``"bic"``, see the notes. If `lam_` turns out to be the smallest
        of `lams_`, lower it.
    criterion : what is minimised, see the notes: ``"cv"``, the loss of held-out rows, for any loss; ``"gcv"`` or
        ``"sure"``, for squared error; ``"bic"``, for squared error, Absolute and Quantile.
    cv : for ``"cv"``: the number of folds, into which the rows are shuffled (those of a table are often sorted by x,
        and whole intervals would be left out); or a splitter or an iterable of (train, test) indices into the rows
        of X, which are taken as they are. For groups pass ``list(splitter.split(X, y, groups))``.
    rule : ``"min"``: the lam of the best score; ``"one-se"``, for ``"cv"`` only: the largest lam whose score is within
        one standard error of the best, a spline of fewer knots that predicts about as well.
    loss : a loss such as ``Huber(delta=0.5)``, or the name of one, as for LinearSplineRegressor; Interpolation has no
        lam to choose.
    solver : settings such as ``rs.Grid()``; picked for the problem by default.
    sigma : for ``"sure"``: the standard deviation of the noise, in units of y; estimated by default.
    n_jobs : for ``"cv"``: how many folds are solved at the same time, with joblib; one by default, -1 for all cores.
        RidgeSplineRegressorCV says how they run on a cluster.
    random_state : of the shuffle: a number for the same folds in every fit, None for others each time.
    max_neurons : None, or the most neurons that the fit may have: the choice is among the lams whose fit to all rows
        has no more.
    knots : None, or places for the knots, as for LinearSplineRegressor; in every fold.

    Attributes
    ----------
    lam_ : the chosen lam.
    lams_ : those that were tried, decreasing, shape (n_lams,).
    scores_ : the criterion for each, shape (n_lams,); may be infinite, is never NaN.
    scores_mean_, scores_se_ : with ``"cv"`` only: the mean over the folds, which is `scores_`, and its standard error,
        shape (n_lams,). Of a single split the standard error is NaN: one number does not tell how it varies.
    scores_folds_ : with ``"cv"`` only, shape (n_lams, n_folds).
    sigma_ : with ``"sure"`` only: the standard deviation of the noise that was used.
    path_ : the Path of all solutions for all rows.
    solution_ : the Solution of ``lam_``.
    network_ : the RidgeSpline f; ``network_.knots`` and ``network_.to_frame()`` show it.
    n_features_in_ : 1.
    feature_names_in_ : the name of the feature, where X had one.

    Notes
    -----
    With N rows of positive weight, of total weight W, SSE the weighted sum of squared residuals, and df = K + 2
    degrees of freedom, of which [1]_ proves that their expectation is that of the lasso's theory:

    ======== ==========================================================================================
    cv       mean over the folds of (sum of s_n L over the fold) / (sum of s_n over the fold)
    gcv      (SSE / W) / (1 - df/N)^2, infinite from df = N on [2]_
    sure     SSE/N - sigma^2 + 2 sigma^2 df/N, unbiased for the risk, the mean of s_n (f - truth)^2 [3]_
    bic      N log(SSE/N) + df log N; for Absolute and Quantile 2 N log(sum of losses / N) + df log N,
             the likelihood of Laplace noise, with which [4]_ chooses lam for these splines
    ======== ==========================================================================================

    **lam in the folds.** The objective is a sum over the rows, with no 1/N: fewer rows with the same lam would be
    smoothed more. Each fold therefore solves with lam times the weight of its training rows over that of all rows.
    ``lam_`` and ``lams_`` are those for all rows. The mean and the standard error weigh each fold by its held-out
    weight, so that folds of equal weight have the standard error std(ddof=1) / sqrt(n_folds).

    **Where a criterion errs.** ``"gcv"`` and ``"bic"`` are made for df far below N. Near interpolation both may fall
    again, without bound for ``"bic"``, so that their paths end early; look at `plot()` before lowering `lam_ratio`.
    ``"sure"`` is as good as `sigma`. All three take the noise to be independent; ``"cv"`` too.

    The fit depends neither on the order of the rows (with `cv` a number, and the same `random_state`), nor, apart from
    the folds, on whether a row is repeated or weighted, for ``"cv"``. The other criteria take a weight as the
    reciprocal of the variance of a row's noise, and count rows: a row of weight 2 is one datum there. Rows of weight
    zero are left out of everything. Ctrl-C raises KeyboardInterrupt: half of the paths choose nothing.

    Cost: one path for all rows, and with ``"cv"`` one a fold.

    References
    ----------
    .. [1] R. J. Tibshirani, J. Taylor, Degrees of freedom in lasso problems, Ann. Statist. 40 (2012), 1198-1232,
       doi:10.1214/12-AOS1003
    .. [2] P. Craven, G. Wahba, Smoothing noisy data with spline functions, Numer. Math. 31 (1979), 377-403,
       doi:10.1007/BF01404567
    .. [3] C. M. Stein, Estimation of the mean of a multivariate normal distribution, Ann. Statist. 9 (1981),
       1135-1151, doi:10.1214/aos/1176345632
    .. [4] R. Koenker, P. Ng, S. Portnoy, Quantile smoothing splines, Biometrika 81 (1994), 673-680,
       doi:10.1093/biomet/81.4.673

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> x = rng.uniform(-1.0, 1.0, 60)
    >>> y = np.abs(x) + 0.05 * rng.standard_normal(60)
    >>> model = rs.LinearSplineRegressorCV(n_lams=20, rule="one-se").fit(x, y)
    >>> model.network_.n_neurons < 10, model.score(x, y) > 0.95, model.lam_ in model.lams_
    (True, True, True)
    """

    def __init__(
        self,
        lams: Any = None,
        n_lams: int = 50,
        lam_ratio: float | None = None,
        criterion: str = "cv",
        cv: Any = 5,
        rule: str = "min",
        loss: Loss | str = "squared",
        solver: Solver | None = None,
        sigma: float | None = None,
        n_jobs: int | None = None,
        random_state: Any = 0,
        max_neurons: int | None = None,
        knots: Any = None,
    ) -> None:
        self.lams = lams
        self.n_lams = n_lams
        self.lam_ratio = lam_ratio
        self.criterion = criterion
        self.cv = cv
        self.rule = rule
        self.loss = loss
        self.solver = solver
        self.sigma = sigma
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.max_neurons = max_neurons
        self.knots = knots

    def _ratio(self) -> float:
        return RATIO[self.criterion] if self.lam_ratio is None else self.lam_ratio
