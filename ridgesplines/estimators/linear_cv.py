"""Linear splines whose lam is chosen by the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ridgesplines.activations.base import Activation
from ridgesplines.constraints import Constraint
from ridgesplines.estimators.chooses_by_criterion import ChoosesByCriterion
from ridgesplines.estimators.regressors import LinearSplineRegressor
from ridgesplines.losses.base import Loss
from ridgesplines.solvers.base import Solver

#: The smallest lam at first, as a fraction of lambda_max. Low noise asks for 1e-5; but "gcv" and "bic" say nothing of
#: fits that spend more than half of the data, as most do there.
RATIO = {"cv": 1e-5, "sure": 1e-5, "gcv": 1e-3, "bic": 1e-3}


class LinearSplineRegressorCV(ChoosesByCriterion, LinearSplineRegressor):
    r"""Regression with a linear spline of few knots, whose :math:`\lambda` is chosen by the data.

    .. math:: \min_{f \in BV^2(\mathbb{R})} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D^2 f\|_M

    is solved for a decreasing sequence of :math:`\lambda`, each solution is scored, and the one of the best score is
    kept.

    Parameters
    ----------
    lams : the values to choose from, positive numbers or fractions such as ``"0.05max"``, in any order; by default
        `n_lams` of them, evenly spaced in the logarithm between lambda_max, from which on the fit is a straight line,
        and `lam_ratio` times that, and more as long as the best is the last.
    n_lams : how many at first, where `lams` is not given.
    lam_ratio : the smallest as a fraction of lambda_max, in (0, 1), where `lams` is not given. By default 1e-5 for
        ``"cv"`` and ``"sure"``, 1e-3 for ``"gcv"`` and ``"bic"``, and smaller ones where these are the best; a number
        is kept to.
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
    constraints : as for LinearSplineRegressor, in every fold; with criterion ``"cv"`` only, for constraints change how
        many degrees of freedom a knot is worth.
    max_time, verbose : as for RidgeSplineRegressorCV. The path of a fold ends between two lams.
    scale_outputs : whether outputs, where there are several, are measured in their standard deviations: with T their
        diagonal matrix the loss is :math:`\|T^{-1}(y_n - f(x_n))\|^2` and the seminorm
        :math:`\sum_k \|T^{-1} v_k\| \|w_k\|`, so that all count alike, whatever their units. It is the problem of
        standardised outputs, ``solution_.problem.output_scales`` are its scales; f, tables and pictures are in the
        units of y. False by default.
    activation : of the neurons, such as ``rs.TruncatedPower(3)`` for cubic splines; ReLU by default.

    Attributes
    ----------
    lam_ : the chosen lam.
    lams_ : those that were tried, decreasing, shape (n_lams,); more than `n_lams` where the range went on.
    scores_ : the criterion for each, shape (n_lams,); infinite where it says nothing, never NaN.
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
    gcv      (SSE / W) / (1 - df/N)^2, for df <= N/2 [2]_
    sure     SSE/N - sigma^2 + 2 sigma^2 df/N, unbiased for the risk, the mean of s_n (f - truth)^2 [3]_
    bic      N log(SSE/N) + df log N, for df <= N/2; for Absolute and Quantile
             2 N log(sum of losses / N) + df max(log N, 2 kappa), by the likelihood of Laplace noise
             with which [4]_ chooses lam for these splines
    ======== ==========================================================================================

    **lam in the folds.** The objective is a sum over the rows, with no 1/N: fewer rows with the same lam would be
    smoothed more. Each fold therefore solves with lam times the weight of its training rows over that of all rows.
    ``lam_`` and ``lams_`` are those for all rows. The mean and the standard error weigh each fold by its held-out
    weight, so that folds of equal weight have the standard error std(ddof=1) / sqrt(n_folds).

    **How far lam is tried.** As long as the best score is the last, and the last fifth of the lams has lowered it by a
    hundredth or more (for ``"one-se"`` by a standard error), a fifth as many lams are appended, in the same spacing,
    down to 1e-9 of lambda_max. Where `lams` or `lam_ratio` is passed that range is kept, and a RangeWarning says where
    it is too short. One also says where the first of `lams` is chosen and its fit bends. (A straight line is a
    legitimate choice.)

    **Where a criterion errs.** Near df = N the misfit falls to zero faster than ``"gcv"`` and ``"bic"`` charge for it,
    for ``"bic"`` its logarithm without bound. Both judge fits that spend half of the data at most, df <= N/2; where the
    last of these is the best, a RangeWarning says so: so many knots, or so little noise, are for ``"cv"``. ``"bic"``
    charges log N for a parameter, and for Absolute and Quantile(q) no less than twice what one that is not needed gains
    by chance under normal noise [5]_, :math:`\kappa = q (1 - q) / \phi(\Phi^{-1}(q))^2`: 1.6 for the median, 4.5 for
    q = 0.95. Without this, 200 points about a straight line had 46 knots for q = 0.95. For such a quantile 200 points
    are few all the same: 10 of them lie above it, and of a fit of df parameters, which meets as many data, the share
    below is no more exact than df/N. ``"sure"`` is as good as `sigma`. All three take the noise to be independent;
    ``"cv"`` too.

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
    .. [5] P. Burman, D. Nolan, A general Akaike-type criterion for model selection in robust regression, Biometrika 82
       (1995), 877-886, doi:10.1093/biomet/82.4.877

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
        constraints: Sequence[Constraint] | None = None,
        max_time: float | None = None,
        verbose: bool = False,
        scale_outputs: bool = False,
        activation: Activation | None = None,
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
        self.constraints = constraints
        self.max_neurons = max_neurons
        self.knots = knots
        self.max_time = max_time
        self.verbose = verbose
        self.scale_outputs = scale_outputs
        self.activation = activation

    def _ratio(self) -> float:
        return RATIO[self.criterion] if self.lam_ratio is None else self.lam_ratio
