"""Linear splines whose lam is chosen by the data."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, check_cv
from sklearn.utils.parallel import Parallel, delayed

from ridgesplines.certificate import lambda_max
from ridgesplines.estimators.base import Distinct, loss_named, positive_rows
from ridgesplines.estimators.criteria import CRITERIA, noise_level, require_made_for
from ridgesplines.estimators.regressors import LOSSES, LinearSplineRegressor
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses import Loss
from ridgesplines.problem import Problem
from ridgesplines.solve import Path, solve_path
from ridgesplines.solvers import Solver
from ridgesplines.validation import Array, real_array, real_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Split = tuple[NDArray[np.intp], NDArray[np.intp]]

#: The smallest lam as a fraction of lambda_max. Low noise asks for 1e-5; but as df nears N, SSE falls to zero faster
#: than "gcv" and "bic" charge for it, and of a path that goes so far they take the end.
RATIO = {"cv": 1e-5, "sure": 1e-5, "gcv": 1e-3, "bic": 1e-3}

#: Attributes that not every criterion sets; those of an earlier fit must not survive the next.
OPTIONAL = ("scores_mean_", "scores_se_", "scores_folds_", "sigma_")


class LinearSplineRegressorCV(LinearSplineRegressor):
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
    random_state : of the shuffle: a number for the same folds in every fit, None for others each time.

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
    solution_ : the Solution of lam_.
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
    lam_ and lams_ are those for all rows. The mean and the standard error weigh each fold by its held-out weight,
    so that folds of equal weight have the standard error std(ddof=1) / sqrt(n_folds).

    **Where a criterion errs.** ``"gcv"`` and ``"bic"`` are made for df far below N. Near interpolation both may fall
    again, without bound for ``"bic"``, so that their paths end early; look at `plot()` before lowering `lam_ratio`.
    ``"sure"`` is as good as `sigma`. All three take the noise to be independent; ``"cv"`` too.

    The fit depends neither on the order of the rows (with `cv` a number, and the same `random_state`), nor, apart from
    the folds, on whether a row is repeated or weighted, for ``"cv"``. The other criteria take a weight as the
    reciprocal of the variance of a row's noise, and count rows: a row of weight 2 is one datum there. Rows of weight
    zero are left out of everything. After Ctrl-C the choice is among the lams that were reached.

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

    path_: Path
    lams_: Array
    scores_: Array

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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearSplineRegressorCV:
        """Choose lam, and solve the problem for it.

        Parameters
        ----------
        X : the feature, shape (N,) or (N, 1); a name is kept.
        y : shape (N,), or (N, D) for vector outputs, which squared error alone takes, with ``criterion="cv"``.
        sample_weight : shape (N,), nonnegative; ones by default.

        Returns
        -------
        self

        Raises
        ------
        ProblemError
            A ValueError: where data or parameters do not describe a choice that can be made.
        SolverRefusal
            Where the solver cannot take the problem.
        """
        loss = loss_named(self.loss, LOSSES)
        self._check_settings(loss)
        X, y = self._read(X, y, loss)
        given = X, y
        X, kept, weight = positive_rows(X, np.arange(len(X)), sample_weight)
        y = y[kept]
        for name in OPTIONAL:
            self.__dict__.pop(name, None)
        if self.criterion == "cv":
            splits = self._splits(given, X, y, weight, kept)
            self.path_ = self._path(X, y, loss, weight)
            self._score_folds(X, y, loss, weight, splits)
        else:
            require_made_for(self.criterion, loss, y)
            sigma = self._noise(X, y, weight) if self.criterion == "sure" else None
            self.path_ = self._path(X, y, loss, weight)
            self.scores_ = CRITERIA[self.criterion](self.path_, sigma)
        self.lams_ = self.path_.lams
        self._choose()
        return self

    def plot(self, **kwargs: Any) -> Figure:
        """The criterion against lam, with the chosen lam; see :func:`ridgesplines.plotting.plot_criterion`."""
        from sklearn.utils.validation import check_is_fitted

        from ridgesplines.plotting import plot_criterion

        check_is_fitted(self)
        words = {"cv": "mean held-out loss", "gcv": "GCV", "sure": "SURE", "bic": "BIC"}
        return plot_criterion(
            self.path_,
            self.scores_,
            self.lam_,
            getattr(self, "scores_se_", None),
            label=words[self.criterion],
            **kwargs,
        )

    def _check_settings(self, loss: Loss) -> None:
        _one_of("criterion", self.criterion, ("cv", *CRITERIA))
        _one_of("rule", self.rule, ("min", "one-se"))
        if self.rule == "one-se" and self.criterion != "cv":
            raise ProblemError(
                "rule",
                "'min', as only criterion='cv' has a standard error",
                f"rule='one-se' with criterion={self.criterion!r}",
                "Use criterion='cv' for the rule of one standard error.",
            )
        if loss.constraint:
            raise ProblemError(
                "loss",
                "a loss whose fit changes with lam",
                repr(loss),
                "Interpolation has the same fit for every lam: use LinearSplineRegressor(loss='interpolation').",
            )

    def _values(self, problem: Problem) -> Array:
        """The lams to try."""
        if self.lams is not None:
            values = real_array("lams", self.lams)
            if values.ndim != 1 or not values.size or values.min() <= 0.0:
                raise ProblemError("lams", "positive numbers, shape (n_lams,)", repr(self.lams), "Pass lams=None.")
            return np.sort(values)[::-1]
        given = RATIO[self.criterion] if self.lam_ratio is None else self.lam_ratio
        ratio = real_number("lam_ratio", given, "a number between 0 and 1", 0.0, 1.0, open_=True)
        if not isinstance(self.n_lams, Integral) or self.n_lams < 1:
            raise ProblemError("n_lams", "a whole number >= 1", repr(self.n_lams), "Pass n_lams=50.")
        top = lambda_max(problem) or 1.0  # where the data are affine every lam gives the same fit
        return np.geomspace(top, top * ratio, int(self.n_lams))

    def _path(self, X: Array, y: Array, loss: Loss, weight: Array) -> Path:
        """The solutions for all rows, found on the distinct ones."""
        rows = Distinct.of(X, y, weight)
        problem = self._problem(X, y, loss, weight, 1.0)
        distinct = self._problem(X[rows.first], y[rows.first], loss, rows.weight, 1.0)
        path = solve_path(distinct, self.solver, lams=self._values(distinct))
        return Path(tuple(rows.restore(solution, problem.with_lam(solution.problem.lam)) for solution in path))

    def _noise(self, X: Array, y: Array, weight: Array) -> float:
        if self.sigma is None:
            self.sigma_ = noise_level(X[:, 0], y, weight)
        else:
            self.sigma_ = real_number("sigma", self.sigma, "a finite number >= 0", 0.0)
        return self.sigma_

    def _splits(
        self, given: tuple[Array, Array], X: Array, y: Array, weight: Array, kept: NDArray[np.intp]
    ) -> list[Split]:
        """(train, test) of each fold, indices into the rows of positive weight."""
        if self.cv is None or isinstance(self.cv, Integral):
            folds = 5 if self.cv is None else int(self.cv)
            if not 2 <= folds <= len(X):
                raise ProblemError(
                    "cv",
                    f"2 or more folds, and no more than rows of positive weight, n_samples={len(X)}",
                    f"{folds} folds",
                    "Use fewer folds, or criterion='gcv'.",
                )
            # Sorted first, so that the folds do not depend on the order in which the rows came.
            order = np.lexsort(np.column_stack([weight, y, X]).T)
            shuffled = KFold(folds, shuffle=True, random_state=self.random_state)
            return [(order[train], order[test]) for train, test in shuffled.split(order)]
        place = np.full(len(given[0]), -1)
        place[kept] = np.arange(len(kept))
        splits = [tuple(place[part] for part in split) for split in check_cv(self.cv).split(*given)]
        splits = [(train[train >= 0], test[test >= 0]) for train, test in splits]
        if not splits or any(not len(part) for split in splits for part in split):
            raise ProblemError(
                "cv",
                "splits that each have rows of positive weight to train on and to hold out",
                f"{len(splits)} splits, one of them with none" if splits else "no split",
                "Check the splits, and sample_weight.",
            )
        return splits

    def _score_folds(self, X: Array, y: Array, loss: Loss, weight: Array, splits: Sequence[Split]) -> None:
        """Held-out loss by lam and fold, its mean and standard error."""
        lams, total = self.path_.lams, weight.sum()
        columns = Parallel(n_jobs=self.n_jobs)(
            delayed(_held_out_loss)(X, y, weight, split, lams * (weight[split[0]].sum() / total), loss, self.solver)
            for split in splits
        )
        # A path that Ctrl-C cut short has fewer; what all of them reached is compared.
        reached = min(len(lams), *map(len, columns))
        self.path_ = Path(self.path_[:reached])
        self.scores_folds_ = np.stack([column[:reached] for column in columns], axis=1)
        share = np.array([weight[test].sum() for _, test in splits])
        share = share / share.sum()
        self.scores_mean_ = self.scores_ = self.scores_folds_ @ share
        variance = (self.scores_folds_ - self.scores_mean_[:, None]) ** 2 @ share
        single = len(splits) == 1
        self.scores_se_ = np.full(reached, np.nan) if single else np.sqrt(variance / (len(splits) - 1))

    def _choose(self) -> None:
        """The solution of the best score, or of the largest lam within one standard error; of equals the smoothest."""
        best = chosen = int(np.argmin(self.scores_))
        if self.rule == "one-se":
            if np.isnan(self.scores_se_[best]):
                raise ProblemError("rule", "'min' for a single split", "'one-se'", "Pass two or more splits as cv.")
            chosen = int(np.argmax(self.scores_ <= self.scores_[best] + self.scores_se_[best]))
        self.solution_ = self.path_[chosen]
        self.network_ = self.solution_.network
        self.lam_ = float(self.solution_.problem.lam)


def _held_out_loss(
    X: Array, y: Array, weight: Array, split: Split, lams: Array, loss: Loss, solver: Solver | None
) -> Array:
    """The weighted mean loss of the held-out rows, for each lam that the path on the others reached."""
    train, test = split
    rows = Distinct.of(X[train], y[train], weight[train])
    first = train[rows.first]
    problem = Problem(X[first], y[first], 1.0, loss, sample_weight=rows.weight)
    path = solve_path(problem, solver, lams=lams)
    return np.array([np.average(loss.value(y[test], s.predict(X[test])), weights=weight[test]) for s in path])


def _one_of(name: str, given: Any, allowed: Sequence[str]) -> None:
    if not isinstance(given, str) or given not in allowed:
        raise ProblemError(name, f"one of {', '.join(map(repr, allowed))}", repr(given), f"Pass {name}={allowed[0]!r}.")
