"""The common parts of the estimators that choose lam: the values to try, the folds, their scores, the rule."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from itertools import chain
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, check_cv
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from ridgesplines.estimators.base import Posed, SplineEstimator
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.path import Path
from ridgesplines.solution import Solution
from ridgesplines.solve import lambda_max
from ridgesplines.validation import Array, real_array, real_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Split = tuple[NDArray[np.intp], NDArray[np.intp]]
#: What is measured on held-out rows, by an estimator with the solutions of the others.
Score = Callable[[SplineEstimator, Posed, Sequence[Solution]], float]

#: Attributes that not every fit sets; those of an earlier one must not survive the next.
RESULTS = ("paths_", "scores_", "scores_mean_", "scores_se_", "scores_folds_", "sigma_")


class ChoosesLam(SplineEstimator):
    """A mixin, in front of an estimator: lam is chosen among the solutions of a path, by scores."""

    lams: Any
    n_lams: int
    lam_ratio: float | None
    cv: Any
    rule: str
    n_jobs: int | None
    random_state: Any
    scoring: Any = None
    n_segments: int = 1
    splitter: type[KFold] = KFold

    lams_: Array
    lam_: float
    paths_: tuple[Path, ...]
    scores_: Array

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose lam, and solve the problem for it.

        Parameters
        ----------
        X : the features, one row a sample; a DataFrame's column names are kept.
        y : as the estimator of the same name without CV takes it.
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
        for name in RESULTS:
            self.__dict__.pop(name, None)
        posed = self._pose(X, y, sample_weight)
        self._check_settings(posed.loss)
        self._score_path(X, y, posed)
        self._choose()
        return self

    def _score_path(self, X: Any, y: Any, posed: Posed) -> None:
        """Set `lams_`, `paths_` and `scores_`."""
        self._cross_validate(posed, self._splits(X, y, posed))

    @property
    def path_(self) -> Path:
        """The Path of all solutions for all rows, where one problem was solved for each lam."""
        paths: tuple[Path, ...] = getattr(self, "paths_", ())
        if len(paths) == 1:
            return paths[0]
        why = "see paths_, which has one a class" if paths else "fit first"
        raise AttributeError(f"path_ is there where one problem was solved for each lam: {why}")

    def plot(self, **kwargs: Any) -> Figure:
        """The scores against lam, with the chosen lam; see :func:`ridgesplines.plotting.plot_criterion`."""
        from ridgesplines.plotting.criterion import plot_criterion

        check_is_fitted(self)
        neurons = np.sum([[solution.network.n_neurons for solution in path] for path in self.paths_], axis=0)
        errors = getattr(self, "scores_se_", None)
        settings: dict[str, Any] = {"label": self._score_name(), "greater_is_better": self._sign < 0.0} | kwargs
        return plot_criterion(self.lams_, neurons, self.scores_, self.lam_, errors, **settings)

    def _score_name(self) -> str:
        if self.scoring is None:
            return "mean held-out loss"
        return self.scoring if isinstance(self.scoring, str) else "mean held-out score"

    @property
    def _sign(self) -> float:
        """1 where the least score is the best, -1 where the greatest is."""
        return 1.0 if self.scoring is None else -1.0

    def _check_settings(self, loss: Loss) -> None:
        one_of("rule", self.rule, ("min", "one-se"))
        if loss.interpolates:
            raise ProblemError(
                "loss",
                "a loss whose fit changes with lam",
                repr(loss),
                "Interpolation has the same fit for every lam: use the estimator without CV.",
            )
        if not isinstance(self.n_segments, Integral) or self.n_segments < 1:
            raise ProblemError("n_segments", "a whole number >= 1", repr(self.n_segments), "Pass n_segments=1.")

    def _values(self, posed: Posed) -> Array:
        """The lams to try."""
        if self.lams is not None:
            values = real_array("lams", self.lams)
            if values.ndim != 1 or not values.size or values.min() <= 0.0:
                raise ProblemError("lams", "positive numbers, shape (n_lams,)", repr(self.lams), "Pass lams=None.")
            return np.sort(values)[::-1]
        ratio = real_number("lam_ratio", self._ratio(), "a number between 0 and 1", 0.0, 1.0, open_=True)
        if not isinstance(self.n_lams, Integral) or self.n_lams < 1:
            raise ProblemError("n_lams", "a whole number >= 1", repr(self.n_lams), "Pass n_lams=50.")
        top = max(lambda_max(self._distinct(posed, target, 1.0)) for target in posed.targets)
        top = top or 1.0  # where the data are affine every lam gives the same fit
        return np.geomspace(top, top * ratio, int(self.n_lams))

    def _ratio(self) -> float | None:
        """The smallest lam as a fraction of lambda_max."""
        return self.lam_ratio

    def _splits(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        """(train, test) of each fold, indices into the rows of positive weight."""
        if self.cv is None or isinstance(self.cv, Integral):
            return self._shuffled(5 if self.cv is None else int(self.cv), posed)
        place = np.full(len(X), -1)
        place[posed.kept] = np.arange(len(posed.kept))
        splits = [tuple(place[part] for part in split) for split in check_cv(self.cv).split(X, y)]
        splits = [(train[train >= 0], test[test >= 0]) for train, test in splits]
        if not splits or any(not len(part) for split in splits for part in split):
            raise ProblemError(
                "cv",
                "splits that each have rows of positive weight to train on and to hold out",
                f"{len(splits)} splits, one of them with none" if splits else "no split",
                "Check the splits, and sample_weight.",
            )
        return splits

    def _shuffled(self, folds: int, posed: Posed) -> list[Split]:
        most, what = self._most_folds(posed)
        if not 2 <= folds <= most:
            raise ProblemError(
                "cv",
                f"2 or more folds, and no more than {what}, n_samples={most}",
                f"{folds} folds",
                "Use fewer folds, or more data.",
            )
        # Sorted first, so that the folds do not depend on the order in which the rows came.
        order = np.lexsort(np.column_stack([posed.weight, *posed.targets, posed.X]).T)
        shuffled = self.splitter(folds, shuffle=True, random_state=self.random_state)
        return [(order[train], order[test]) for train, test in shuffled.split(order, posed.y[order])]

    def _most_folds(self, posed: Posed) -> tuple[int, str]:
        return len(posed.X), "rows of positive weight"

    def _cross_validate(self, given: Posed, splits: Sequence[Split]) -> None:
        """Paths for all rows and for each fold's training rows, side by side; the scores by lam and fold."""
        score = _loss if self.scoring is None else self._scorer(bool((given.weight != 1.0).any()))
        posed = self._standardised(given)
        lams = self._values(posed)
        pieces = np.array_split(lams, min(self.n_segments, len(lams)))
        shares = [given.weight[train].sum() / given.weight.sum() for train, _ in splits]
        bare = self._bare()
        jobs = [delayed(_solutions)(self, posed, piece) for piece in pieces]
        for split, share in zip(splits, shares, strict=True):
            jobs += [delayed(_scores)(bare, given, split, piece * share, score) for piece in pieces]
        results = Parallel(n_jobs=self.n_jobs)(jobs)
        columns = [[*chain.from_iterable(results[i : i + len(pieces)])] for i in range(0, len(results), len(pieces))]
        self.lams_ = lams
        self.paths_ = tuple(map(Path, zip(*columns[0], strict=True)))
        self._set_scores(np.array(columns[1:]).T, given, splits)

    def _set_scores(self, scores: Array, posed: Posed, splits: Sequence[Split]) -> None:
        """Scores by lam and fold, their mean and standard error."""
        if not np.isfinite(scores).all():
            raise ProblemError(
                "scoring",
                "a finite score of every fold",
                f"{scores[~np.isfinite(scores)][0]}",
                "Use larger folds, or another score.",
            )
        self.scores_folds_ = scores
        share = np.array([posed.weight[test].sum() for _, test in splits])
        share = share / share.sum()
        self.scores_mean_ = self.scores_ = scores @ share
        variance = (scores - self.scores_mean_[:, None]) ** 2 @ share
        single = len(splits) == 1
        self.scores_se_ = np.full(len(scores), np.nan) if single else np.sqrt(variance / (len(splits) - 1))

    def _choose(self) -> None:
        """The solution of the best score, or of the largest lam within one standard error; of equals the smoothest."""
        losses = self._sign * self.scores_
        best = chosen = int(np.argmin(losses))
        if self.rule == "one-se":
            if np.isnan(self.scores_se_[best]):
                raise ProblemError("rule", "'min' for a single split", "'one-se'", "Pass two or more splits as cv.")
            chosen = int(np.argmax(losses <= losses[best] + self.scores_se_[best]))
        self.lam_ = float(self.lams_[chosen])
        self._keep([path[chosen] for path in self.paths_])

    def _bare(self) -> ChoosesLam:
        """A copy that knows its classes, but no names of features: the rows of the folds are plain arrays."""
        bare = clone(self)
        for name in ("n_features_in_", "classes_"):
            if hasattr(self, name):
                setattr(bare, name, getattr(self, name))
        return bare

    def _scorer(self, weighted: bool) -> Score:
        """scikit-learn's scorer of that name, or the user's own, on the labels that the user gave."""
        if not (isinstance(self.scoring, str) or callable(self.scoring)):
            remedy = "Pass scoring=None for the loss."
            raise ProblemError("scoring", "None, a name, or a callable", repr(self.scoring), remedy)
        return _Scorer(check_scoring(self, self.scoring), weighted)


class _Scorer:
    """A scorer of scikit-learn as a Score; weights are passed only where there are any."""

    def __init__(self, scorer: Callable[..., float], weighted: bool) -> None:
        self.scorer, self.weighted = scorer, weighted

    def __call__(self, model: SplineEstimator, test: Posed, solutions: Sequence[Solution]) -> float:
        weights = {"sample_weight": test.weight} if self.weighted else {}
        return float(self.scorer(model, test.X, test.y, **weights))


def _loss(model: SplineEstimator, test: Posed, solutions: Sequence[Solution]) -> float:
    """The weighted mean loss; of several problems it is the sum of theirs."""
    X = model._in_units(test.X)
    pairs = zip(test.targets, solutions, strict=True)
    return float(np.average(sum(test.loss.value(y, s.predict(X)) for y, s in pairs), weights=test.weight))


def _solutions(model: SplineEstimator, posed: Posed, lams: Array) -> list[tuple[Solution, ...]]:
    """For each lam that was reached the solutions, one a target."""
    return list(zip(*model._paths(posed, lams), strict=False))


def _scores(model: ChoosesLam, posed: Posed, split: Split, lams: Array, score: Score) -> list[float]:
    """The score of the held-out rows, for each lam that the paths on the others reached."""
    model = copy.copy(model)  # other folds, maybe of the same process, have their own
    train, test = posed[split[0]], posed[split[1]]
    scores = []
    for solutions in _solutions(model, model._standardised(train), lams):
        model._keep(solutions)
        scores.append(score(model, test, solutions))
    return scores


def one_of(name: str, given: Any, allowed: Sequence[str]) -> None:
    if not isinstance(given, str) or given not in allowed:
        raise ProblemError(name, f"one of {', '.join(map(repr, allowed))}", repr(given), f"Pass {name}={allowed[0]!r}.")
