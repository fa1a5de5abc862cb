"""Ridge splines whose lam is chosen by the data."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ridgesplines.activations.base import Activation
from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.constraints import Constraint
from ridgesplines.estimators.chooses_by_criterion import ChoosesByCriterion
from ridgesplines.estimators.chooses_lam import ChoosesLam
from ridgesplines.estimators.classifier import RidgeSplineClassifier
from ridgesplines.estimators.folds import Split
from ridgesplines.estimators.posed import Posed
from ridgesplines.estimators.regressors import RidgeSplineRegressor
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.solvers.base import Solver


class RidgeSplineRegressorCV(ChoosesByCriterion, RidgeSplineRegressor):
    r"""Regression with a ridge spline of few neurons, whose :math:`\lambda` is chosen by the data.

    .. math:: \min_{f \in RBV^2(\mathbb{R}^d)} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D_t^2 K R f\|_M

    is solved for a decreasing sequence of :math:`\lambda`, each solution is scored, on held-out rows or by a criterion
    that needs none, and the one of the best score is kept. A *ridge function* is a function of one projection
    :math:`w^T x`: nothing here is Tikhonov's "ridge".

    Parameters
    ----------
    lams : the values to choose from, positive numbers or fractions such as ``"0.05max"``, in any order; by default
        `n_lams` of them, evenly spaced in the logarithm between lambda_max, from which on the fit is affine, and
        `lam_ratio` times that.
    n_lams : how many, where `lams` is not given.
    lam_ratio : the smallest as a fraction of lambda_max, in (0, 1), where `lams` is not given; by default 0.01, and for
        one feature smaller ones where these are the best, as in LinearSplineRegressorCV. For more features they cost
        much: a RangeWarning says where the best is the last. Little noise asks for 1e-3 and less, and many neurons.
    criterion : what is minimised, see the notes: ``"cv"``, the loss of held-out rows, for any loss; ``"gcv"`` or
        ``"sure"``, for squared error; ``"bic"``, for squared error, Absolute and Quantile.
    cv : for ``"cv"``: the number of folds, into which the rows are shuffled; or a splitter or an iterable of (train,
        test) indices into the rows of X, which are taken as they are. For groups pass
        ``list(splitter.split(X, y, groups))``.
    rule : ``"min"``: the lam of the best score; ``"one-se"``, for ``"cv"`` only: the largest lam whose score is within
        one standard error of the best, a spline of fewer neurons that predicts about as well.
    loss : a loss such as ``Huber(delta=0.5)``, or the name of one, as for RidgeSplineRegressor; Interpolation has no
        lam to choose.
    solver : settings such as ``rs.ColumnGeneration(max_time=60.0)``; picked for the problem by default.
    scale : whether weights are measured in standard deviations of the features, in each fold of its own training rows;
        see RidgeSplineRegressor.
    sigma : for ``"sure"``: the standard deviation of the noise, in units of y; estimated by default.
    scoring : for ``"cv"``: what is measured on held-out rows: by default the loss, of which the least is the best; or a
        scorer of scikit-learn, by name such as ``"r2"`` or as a callable, of which the greatest is.
    n_segments : into how many segments the lams of each path are cut. They are solved at the same time, each
        warm-started within itself, so that more than one is worth it where there are more cores than folds. No path
        then ends early.
    n_jobs : how many folds, or segments, are solved at the same time, with joblib; one by default, -1 for all cores.
    random_state : of the shuffle: a number for the same folds in every fit, None for others each time.
    tol : the relative gap of the fit that is kept, of ``lam_`` and all rows. By default that of the `solver` that is
        passed, or else 1e-4. It is ColumnGeneration's: other solvers keep their own.
    fold_tol : the same for the fits that only serve the choice, those of the folds and the others of `path_`. It is
        never tighter than `tol`. At 1e-2 or more the fits of folds end with ColumnGeneration's first phase (`briefly`),
        whatever gap that has come to. Held-out scores differ by far less than folds do; where they are nearly equal
        for several lams, another of these may be chosen.
    interactions : which features may act together, as for RidgeSplineRegressor; or a list of candidates to choose from,
        each of them a whole number, None, or a list of groups: ``[1, 2, None]``. (A list of lists of columns is one
        grouping.)
    constraints : as for RidgeSplineRegressor, in every fold.
    max_neurons : None, or the most neurons that the fit may have: the choice is among the lams whose fit to all rows
        has no more; the path of all rows is then solved to `tol`.
    max_time : seconds for everything, or None for no limit. Paths end where time does: the choice is among the lams
        that all folds had reached, ``path_`` ends at the chosen lam, ``timed_out_`` is True, and a ConvergenceWarning
        says so. Of the time 56 % is for the folds, 24 % for the path of all rows, the rest for the fit that is kept.
        What the solver says of its own ``max_time`` is finished on top.
    verbose : whether a bar on standard error shows fold, lam, gap and the time that is left; where that is no terminal,
        nothing is printed. With `n_jobs` it knows of no folds.
    scale_outputs : whether outputs, where there are several, are measured in their standard deviations: with T their
        diagonal matrix the loss is :math:`\|T^{-1}(y_n - f(x_n))\|^2` and the seminorm
        :math:`\sum_k \|T^{-1} v_k\| \|w_k\|`, so that all count alike, whatever their units. It is the problem of
        standardised outputs, ``solution_.problem.output_scales`` are its scales; f, tables and pictures are in the
        units of y. False by default.
    activation : of the neurons, such as ``rs.Sigmoid(0.5)``; ReLU by default. For others pass ``scale=False``: put a
        StandardScaler before the estimator where units differ.

    Attributes
    ----------
    lam_ : the chosen lam.
    lams_ : those to choose from, decreasing, shape (n_lams,).
    scores_ : the criterion for each, shape (n_lams,); for ``"cv"`` NaN where not all folds went so far, else it may
        be infinite.
    scores_mean_, scores_se_ : with ``"cv"`` only: the mean over the folds, which is `scores_`, and its standard error,
        shape (n_lams,); NaN there too, and the error of a single split.
    scores_folds_ : with ``"cv"`` only, shape (n_lams, n_folds), NaN where a fold did not go.
    interactions_ : the chosen candidate, as it was given; all attributes above and below are of its path.
    candidates_ : what was tried, one for each candidate in the order given (those that mean the same once), each with
        `interactions`, `lams`, `scores`, `scores_se`, `scores_folds` and `paths`, and `lam` and `score` of its best.
    sigma_ : with ``"sure"`` only: the standard deviation of the noise that was used.
    path_ : the Path for all rows: ``path_[i]`` is of ``lams_[i]``, solved to `fold_tol`, or to `tol` where it is
        ``lam_`` or where another criterion than ``"cv"`` asks for it. It goes to the lam of the best score where the
        paths of the folds may end early, and else as far as all folds went. ``path_.plot()`` shows it, and ``plot()``
        the scores.
    solution_ : the Solution of ``lam_``.
    network_ : the RidgeSpline f of X.
    timed_out_ : whether time has ended the choice or the fit.
    scaler_ : the fitted StandardScaler of all rows, with `scale` only.
    feature_importances_ : how much each feature counts in f, shape (d,), with sum 1: see RidgeSplineRegressor.
    n_features_in_ : d.
    feature_names_in_ : names of the features, where X had them.

    Notes
    -----
    The objective is a sum over the rows, with no 1/N: fewer rows with the same lam would be smoothed more. Each fold
    therefore solves with lam times the weight of its training rows over that of all rows; ``lam_`` and ``lams_`` are
    those for all rows. The mean and the standard error weigh each fold by its held-out weight, so that folds of equal
    weight have the standard error std(ddof=1) / sqrt(n_folds).

    **Without folds.** GCV, SURE and BIC take one path instead of one a fold and one more: the formulas, and where they
    err, are those of LinearSplineRegressorCV, df being `Solution.degrees_of_freedom` [3]_: more than K + rank[1 X], as
    neurons turn. They take noise that is independent, of variance :math:`\sigma^2/s_n`, and gaps below 1e-2. In d >= 2
    ``"sure"`` estimates the noise from the solution of least GCV with df <= N/2,
    :math:`\hat\sigma^2 = \mathrm{SSE} / (N - \mathrm{df})` [4]_: what that fit misses of the truth adds to it, and a
    noise that is known is better; in one dimension from the neighbours. ``"bic"`` takes the fewest neurons, too few
    where the truth is none of these splines.

    **Paths that end early.** Small lams cost most. Where `lams` is not given and d >= 2, the path of a fold ends when
    its score has clearly passed its best: lam has fallen below a quarter of the best one, and the last three scores are
    each worse by more than a fiftieth of the spread of those so far. The best mean must be followed by two lams
    that all folds have, the scores of ended ones taken to stay as they were: otherwise these are taken up again. The
    path for all rows then ends at the best (with `max_neurons` it goes on). What is missed is a second optimum far
    below the first: pass `lams` to have all of them tried, and solved for all rows.

    **Candidates.** Each of several `interactions` has its own path, from its own lambda_max; all have the same folds.
    The best score of all is taken; for ``"one-se"`` what allows the least within one standard error of it: the fewest
    features together, then the largest lam. SURE takes one noise for all, from the fit of least GCV among all of them.

    The networks of the folds have no certificate, and no warning says that one of them missed `fold_tol`; a scorer is
    passed the estimator with its network, not with a Solution.

    **In parallel.** Folds and segments are jobs of joblib, each with one thread for linear algebra; then the path for
    all rows is solved. They also run on a cluster:

    .. code-block:: python

        model = rs.RidgeSplineRegressorCV(cv=10, n_segments=4)
        client = dask.distributed.Client("scheduler:8786")  # Dask; its workers have ridgesplines installed
        with joblib.parallel_config(backend="dask"):
            model.fit(X, y)

        ray.util.joblib.register_ray()  # Ray
        with joblib.parallel_config(backend="ray"):
            model.fit(X, y)

    The result does not depend on where the jobs run. It depends on `n_segments` by `fold_tol`, and where a minimiser is
    not unique. Ctrl-C raises KeyboardInterrupt: half of the paths choose nothing.

    The fit depends neither on the order of the rows (with `cv` a number, and the same `random_state`), nor, apart from
    the folds, on whether a row is repeated or weighted. Rows of weight zero are left out of everything.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (32), (33), doi:10.1109/MSP.2023.3286988
    .. [2] L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, Classification and Regression Trees, Wadsworth (1984),
       Section 3.4.3, doi:10.1201/9781315139470: the rule of one standard error.
    .. [3] R. J. Tibshirani, J. Taylor, Degrees of freedom in lasso problems, Ann. Statist. 40 (2012), 1198-1232,
       doi:10.1214/12-AOS1003
    .. [4] S. Reid, R. Tibshirani, J. Friedman, A study of error variance estimation in lasso regression,
       Statist. Sinica 26 (2016), 35-67, doi:10.48550/arXiv.1311.5274

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1.0, 1.0, (60, 2))
    >>> y = np.abs(X @ [0.6, 0.8]) + 0.1 * rng.standard_normal(60)
    >>> model = rs.RidgeSplineRegressorCV(n_lams=6, cv=3, rule="one-se").fit(X, y)
    >>> model.score(X, y) > 0.9, model.lam_ in model.lams_, model.scores_folds_.shape
    (True, True, (6, 3))
    >>> quick = rs.RidgeSplineRegressorCV(n_lams=6, criterion="gcv").fit(X, y)
    >>> quick.score(X, y) > 0.9, quick.scores_.shape
    (True, (6,))
    >>> grid = rs.Grid(directions=16)
    >>> either = rs.RidgeSplineRegressorCV(n_lams=6, cv=3, solver=grid, interactions=[1, None]).fit(X, y)
    >>> either.interactions_, [candidate.interactions for candidate in either.candidates_]
    (None, [1, None])
    """

    def __init__(
        self,
        lams: Any = None,
        n_lams: int = 10,
        lam_ratio: float | None = None,
        cv: Any = 5,
        rule: str = "min",
        loss: Loss | str = "squared",
        solver: Solver | None = None,
        scale: bool = True,
        scoring: Any = None,
        n_segments: int = 1,
        n_jobs: int | None = None,
        random_state: Any = 0,
        tol: float | None = None,
        fold_tol: float = 1e-2,
        criterion: str = "cv",
        sigma: float | None = None,
        interactions: Any = None,
        constraints: Sequence[Constraint] | None = None,
        max_neurons: int | None = None,
        max_time: float | None = None,
        verbose: bool = False,
        scale_outputs: bool = False,
        activation: Activation | None = None,
    ) -> None:
        self.lams = lams
        self.n_lams = n_lams
        self.lam_ratio = lam_ratio
        self.cv = cv
        self.rule = rule
        self.loss = loss
        self.solver = solver
        self.scale = scale
        self.scoring = scoring
        self.n_segments = n_segments
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.tol = tol
        self.fold_tol = fold_tol
        self.criterion = criterion
        self.sigma = sigma
        self.interactions = interactions
        self.constraints = constraints
        self.max_neurons = max_neurons
        self.max_time = max_time
        self.verbose = verbose
        self.scale_outputs = scale_outputs
        self.activation = activation


class RidgeSplineClassifierCV(ChoosesLam, RidgeSplineClassifier):
    r"""Classification by ridge splines of few neurons, whose :math:`\lambda` is chosen by cross-validation.

    .. math:: \min_{f \in RBV^2(\mathbb{R}^d)} \;
              \sum_{n=1}^N s_n L(y_n, f(x_n)) + \lambda \,\|D_t^2 K R f\|_M

    is solved for a decreasing sequence of :math:`\lambda`, for all rows and for the training rows of each fold; the
    solution for all rows is kept whose :math:`\lambda` has the best score on held-out rows. A *ridge function* is a
    function of one projection :math:`w^T x`: nothing here is Tikhonov's "ridge".

    Parameters
    ----------
    lams, n_lams, lam_ratio, rule, solver, n_segments, n_jobs, random_state, tol, fold_tol, interactions, constraints,
        max_time, verbose : as for RidgeSplineRegressorCV.
    cv : the number of folds, each with the classes in the proportions of the whole; or a splitter or an iterable of
        (train, test) indices into the rows of X. The training rows of each must hold every class.
    loss : ``"hinge"``, ``"logistic"``, or a loss such as ``Logistic()``, as for RidgeSplineClassifier.
    scale : whether weights are measured in standard deviations of the features, in each fold of its own training rows.
    scoring : what is measured on held-out rows: by default the loss, of which the least is the best; or a scorer of
        scikit-learn, of which the greatest is: ``"accuracy"``, ``"neg_log_loss"`` (with the logistic loss), a callable.
    class_weight : a dictionary {label: factor} or ``"balanced"``, as for RidgeSplineClassifier. The factors are those
        of all rows, in every fold, and held-out rows count by them too.
    slope_penalty : as for RidgeSplineClassifier; by default None, where each fold looks at its own training rows.
    activation : of the neurons, such as ``rs.Sigmoid(0.5)``; ReLU by default. For others pass ``scale=False``: put a
        StandardScaler before the estimator where units differ.

    Attributes
    ----------
    lam_, lams_, scores_, scores_mean_, scores_se_, scores_folds_, interactions_, candidates_ : as for
        RidgeSplineRegressorCV.
    paths_ : the Paths for all rows, as far as `path_` goes there: one, or for the hinge loss with several classes one
        a class.
    path_ : the Path, where there is one.
    timed_out_, solutions_, solution_, network_, scaler_, slope_penalty_ : of ``lam_``, as for RidgeSplineClassifier.
    feature_importances_, classes_, n_features_in_, feature_names_in_ : likewise.

    Notes
    -----
    One lam serves all classes; for one problem a class, the loss is the sum of theirs, and lambda_max the largest.
    **Where an affine function separates the classes**, of all rows or of the training rows of a fold, the slope is
    penalised there, as RidgeSplineClassifier says. With ``slope_penalty=0`` the logistic loss has no minimiser then,
    and `fit` raises a ProblemError.

    How lam is scaled to a fold, what the standard error is, when a path ends early, and how the jobs run on a cluster
    of Dask or Ray, is said in the notes of RidgeSplineRegressorCV.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (32), (33) and Section III-A, doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((60, 2))
    >>> labels = np.where(np.abs(X[:, 0]) > 0.7, "far", "near")
    >>> model = rs.RidgeSplineClassifierCV(n_lams=6, cv=3, scoring="accuracy").fit(X, labels)
    >>> model.score(X, labels) > 0.9, bool(model.scores_.max() > 0.85)
    (True, True)
    """

    splitter = StratifiedKFold

    def __init__(
        self,
        lams: Any = None,
        n_lams: int = 10,
        lam_ratio: float | None = None,
        cv: Any = 5,
        rule: str = "min",
        loss: Loss | str = "hinge",
        solver: Solver | None = None,
        scale: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        scoring: Any = None,
        n_segments: int = 1,
        n_jobs: int | None = None,
        random_state: Any = 0,
        tol: float | None = None,
        fold_tol: float = 1e-2,
        interactions: Any = None,
        constraints: Sequence[Constraint] | None = None,
        max_time: float | None = None,
        verbose: bool = False,
        slope_penalty: float | None = None,
        activation: Activation | None = None,
    ) -> None:
        self.lams = lams
        self.n_lams = n_lams
        self.lam_ratio = lam_ratio
        self.cv = cv
        self.rule = rule
        self.loss = loss
        self.solver = solver
        self.scale = scale
        self.class_weight = class_weight
        self.scoring = scoring
        self.n_segments = n_segments
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.tol = tol
        self.fold_tol = fold_tol
        self.interactions = interactions
        self.constraints = constraints
        self.max_time = max_time
        self.verbose = verbose
        self.slope_penalty = slope_penalty
        self.activation = activation

    def _most_folds(self, posed: Posed) -> tuple[int, str]:
        return int(np.unique(posed.y, return_counts=True)[1].min()), "rows of the smallest class"

    def _splits(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        splits = super()._splits(X, y, posed)
        self._require_minimisers(posed)
        for fold, (train, _) in enumerate(splits):
            if len(missing := np.setdiff1d(self.classes_, posed.y[train])):
                raise ProblemError(
                    "cv",
                    "every class among the training rows of each split",
                    f"a split (number {fold}) without {missing.tolist()}",
                    "Pass a number of folds, or StratifiedKFold().",
                )
            try:
                self._require_minimisers(posed[train])
            except ProblemError as error:
                raise ProblemError(
                    "cv",
                    "training rows of each split for which the loss has a minimiser",
                    f"a split (number {fold}) for which it has none ({error})",
                    "Leave slope_penalty and solver out, or use more folds or fewer features.",
                ) from None
        return splits

    def _require_minimisers(self, posed: Posed) -> None:
        """Raise, before any path is solved, where the loss has no minimiser."""
        model = copy.copy(self)
        model._standardise(posed)
        for target in posed.targets:
            require_minimiser(model._distinct(posed, target, 1.0))
