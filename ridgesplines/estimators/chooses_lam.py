"""The common parts of the estimators that choose lam: the values to try, the folds, their scores, the rule."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from ridgesplines.estimators.base import Posed, SplineEstimator
from ridgesplines.estimators.candidates import Candidate, Entry, choose, listed
from ridgesplines.estimators.early_stop import needed, passed
from ridgesplines.estimators.folds import Split, given_splits
from ridgesplines.estimators.ranges import LEAST, end, further, named_lams, spaced_lams, unfinished, warn_of_range
from ridgesplines.estimators.scores import Score, averaged, finite, mean_loss, scorer
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import Deferral
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.path import Path
from ridgesplines.solution import Solution
from ridgesplines.solve import answers, lambda_max
from ridgesplines.solvers.base import Answer, Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.univariate.solver import Univariate
from ridgesplines.validation import Array, one_of, real_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The relative gap of the fit that is kept, where neither it nor a solver is passed.
TOL = 1e-4
#: The smallest lam at first, as a fraction of lambda_max.
RATIO = 0.01
#: From this `fold_tol` on the fits of folds end with ColumnGeneration's first phase.
BRIEF_TOL = 1e-2

#: Attributes that not every fit sets; those of an earlier one must not survive the next.
RESULTS = ("paths_", "scores_", "scores_mean_", "scores_se_", "scores_folds_", "sigma_")


class ChoosesLam(SplineEstimator):
    """A mixin, in front of an estimator: lam is chosen among the solutions of a path, by scores.

    Where the estimator has `interactions`, so is what may act together, among the paths of several candidates.
    """

    lams: Any
    n_lams: int
    lam_ratio: float | None
    cv: Any
    rule: str
    n_jobs: int | None
    random_state: Any
    scoring: Any = None
    n_segments: int = 1
    tol: float | None = None
    fold_tol: float = 1e-2
    max_neurons: int | None = None
    splitter: type[KFold] = KFold

    lams_: Array
    lam_: float
    paths_: tuple[Path, ...]
    scores_: Array
    interactions_: Any
    candidates_: tuple[Candidate, ...]

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
        entries = self._entries()
        self._groups = entries[0].groups
        self._shape = self._read_constraints()
        splits = self._folds(X, y, posed)
        self._standardise(posed)
        posed = self._with_scale(posed)
        tried = self._tried(posed, splits, entries)
        tried = [each.within(self.max_neurons) for each in tried]
        best, chosen = choose(tried, self.rule)
        self._take(best, tried)
        self.lam_ = float(self.lams_[chosen])
        self._refine(posed, chosen)
        self._keep([path[chosen] for path in self.paths_])
        self._warn_of_range(best, chosen)
        return self

    def _entries(self) -> list[Entry]:
        """What may act together, one or several to choose from; those that mean the same only once."""
        entries: list[Entry] = []
        for given in listed(getattr(self, "interactions", None)):
            groups = self._read(given)
            if all(entry.groups != groups for entry in entries):
                entries.append(Entry(given, groups))
        return entries

    def _folds(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        """The folds, the same for all candidates; empty where a criterion needs none."""
        return self._splits(X, y, posed)

    def _tried(self, posed: Posed, splits: Sequence[Split], entries: Sequence[Entry]) -> list[Candidate]:
        """Each candidate with its scores."""
        tried = []
        for entry in entries:
            self._groups = entry.groups
            tried.append(self._cross_validate(posed, splits, entry))
        return tried

    def _take(self, best: Candidate, tried: Sequence[Candidate]) -> None:
        """Take a candidate's path and scores as the result."""
        self._groups = best.entry.groups
        self.lams_, self.paths_, self.scores_ = best.lams, best.paths, best.scores
        if best.scores_folds is not None:
            self.scores_mean_, self.scores_se_, self.scores_folds_ = best.scores, best.scores_se, best.scores_folds
        if hasattr(self, "interactions"):
            self.interactions_, self.candidates_ = best.interactions, tuple(tried)

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
        errors = None if errors is None else errors[: len(neurons)]
        lams, scores = self.lams_[: len(neurons)], self.scores_[: len(neurons)]  # those that every fold reached
        settings: dict[str, Any] = {"label": self._score_name(), "greater_is_better": self._sign < 0.0} | kwargs
        return plot_criterion(lams, neurons, scores, self.lam_, errors, **settings)

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
        for name in ("tol", "fold_tol"):
            if name == "fold_tol" or self.tol is not None:
                real_number(name, getattr(self, name), "a number between 1e-14 and 1", 1e-14, 1.0)
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
            return named_lams(self.lams)
        ratio = real_number("lam_ratio", self._ratio(), "a number between 0 and 1", 0.0, 1.0, open_=True)
        top = max(lambda_max(self._distinct(posed, target, 1.0)) for target in posed.targets)
        return spaced_lams(top, ratio, self.n_lams)

    def _ratio(self) -> float:
        """The smallest lam at first, as a fraction of lambda_max."""
        return RATIO if self.lam_ratio is None else self.lam_ratio

    def _may_go_on(self, posed: Posed) -> bool:
        """Whether smaller lams may follow: not where the user says which, nor in many dimensions, where they cost."""
        return self.lams is None and self.lam_ratio is None and posed.X.shape[1] == 1

    def _warn_of_range(self, best: Candidate, chosen: int) -> None:
        """Say where the best lam may lie beyond those that were tried."""
        if chosen == 0 < len(best.lams) - 1 and self.lams is not None and self.network_.n_neurons:
            what = f"The chosen lam, {self.lam_:.3g}, is the largest that was passed, and its fit is not affine."
            warn_of_range(what, "Pass larger lams as well.")
        if best.open_ended and best.best == end(best.scores):  # not so where fewer neurons were asked for
            warn_of_range(*self._open_end(best))

    def _open_end(self, best: Candidate) -> tuple[str, str]:
        """Why the best score is the last one, and the remedy."""
        what = f"The best score is that of the smallest lam that was tried, {best.lam:.3g}; smaller ones may be better."
        if self.lams is not None:
            return what, "Pass smaller lams as well."
        if self.lam_ratio is None and self.n_features_in_ == 1:
            return what, f"This is the least that is tried, {LEAST:g} of the largest. Pass lams of your own."
        return what, f"Pass a smaller lam_ratio, such as {self._ratio() / 10.0:.0e}."

    def _splits(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        """(train, test) of each fold, indices into the rows of positive weight."""
        if self.cv is None or isinstance(self.cv, Integral):
            return self._shuffled(5 if self.cv is None else int(self.cv), posed)
        return given_splits(self.cv, X, y, posed.kept)

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

    def _cross_validate(self, posed: Posed, splits: Sequence[Split], entry: Entry) -> Candidate:
        """The scores by lam and fold; then the path for all rows, as far as every fold went."""
        share = np.array([posed.weight[test].sum() for _, test in splits])
        share = share / share.sum()
        with threadpool_limits(1):  # one thread a job, so that no result depends on how many jobs there are
            lams, scores = self._scored(posed, splits, share)
            pieces = self._pieces(lams[: int(np.isfinite(scores).all(axis=1).sum())])
            found = Parallel(n_jobs=self.n_jobs)(delayed(_solutions)(self, posed, piece) for piece in pieces)
        paths = tuple(map(Path, zip(*chain.from_iterable(found), strict=True)))
        mean, error = averaged(scores, share)
        open_ended = self._open_ended(mean, error)
        return Candidate(entry, lams, mean, paths, self._sign, error, scores, open_ended=open_ended)

    def _scored(self, posed: Posed, splits: Sequence[Split], share: Array) -> tuple[Array, Array]:
        """The lams that were tried, and the scores by lam and fold, NaN where a fold did not go."""
        lams = more = self._values(posed)
        scores = np.empty((0, len(splits)))
        while len(more):
            folds = self._scores_of_folds(posed, splits, share, more)
            folds = [[*fold, *[np.nan] * (len(more) - len(fold))] for fold in folds]
            scores = np.vstack([scores, np.transpose(folds)])
            goes_on = self._may_go_on(posed) and self._open_ended(*averaged(scores, share))
            more = further(lams) if goes_on else lams[:0]
            lams = np.append(lams, more)
        return lams, scores

    def _open_ended(self, scores: Array, error: Array) -> bool:
        """Whether smaller lams promise a better score on held-out rows, by a standard error where that is the rule."""
        margin = error if self.rule == "one-se" else None
        return unfinished(self._sign * scores, scores if self.scoring is None else None, margin)

    def _pieces(self, lams: Array) -> list[Array]:
        return np.array_split(lams, min(self.n_segments, len(lams)))

    def _scores_of_folds(self, posed: Posed, splits: Sequence[Split], share: Array, lams: Array) -> list[list[float]]:
        """The scores of each fold, for the lams that it reached."""
        weighted = bool((posed.weight != 1.0).any())
        score = mean_loss if self.scoring is None else scorer(self, self.scoring, weighted)
        parallel = Parallel(n_jobs=self.n_jobs)
        run = partial(_scores, self._bare(), posed, score=score)
        # Lams that the user named are tried; segments know nothing of each other; in one dimension lams cost little.
        ends = self.lams is None and self.n_segments == 1 and posed.X.shape[1] > 1
        pieces = self._pieces(lams)
        found = parallel(delayed(run)(split, piece, ends=ends) for split in splits for piece in pieces)
        groups = [found[i : i + len(pieces)] for i in range(0, len(found), len(pieces))]
        scores = [[*chain.from_iterable(some for some, _ in group)] for group in groups]
        last = [group[-1][1] for group in groups]
        while True:
            need = needed([[self._sign * some for some in fold] for fold in scores], share, len(lams))
            short = [k for k, fold in enumerate(scores) if len(fold) < need]
            if not short:
                return scores
            jobs = [delayed(run)(splits[k], lams[len(scores[k]) : need], starts=last[k]) for k in short]
            for k, (more, networks) in zip(short, parallel(jobs), strict=True):
                scores[k], last[k] = scores[k] + more, networks

    def _solvers(self, posed: Posed) -> tuple[Solver, Solver]:
        """That of the fits that only serve the choice, and that of the fit that is kept."""
        solver = self._named_solver() or picked(self._distinct(posed, posed.targets[0], 1.0))
        if not isinstance(solver, ColumnGeneration):
            return solver, solver
        own = TOL if self.solver is None else solver.tol
        tol = own if self.tol is None else self.tol
        return replace(solver, tol=max(tol, self.fold_tol)), replace(solver, tol=tol)

    def _answers(
        self, posed: Posed, lams: Array, starts: Sequence[RidgeSpline] | None = None
    ) -> Iterator[tuple[Answer, ...]]:
        """For each lam in turn what the solver answers, one a target, from networks at the lam before where given."""
        solver, paths = self._solvers(posed)[0], []
        if isinstance(solver, ColumnGeneration) and self.fold_tol >= BRIEF_TOL:
            solver = replace(solver, briefly=True)
        if isinstance(solver, Univariate) and self.solver is None and not posed.loss.smooth:
            solver = replace(solver, tol=max(solver.tol, 0.1 * self.fold_tol))  # each digit costs a round
        for k, target in enumerate(posed.targets):
            if starts is not None and isinstance(solver, ColumnGeneration):
                solver = replace(solver, start=starts[k])
            paths.append(answers(self._distinct(posed, target, lams[0]), solver, lams))
        for _ in lams:
            with Deferral():  # as in SplineEstimator._path
                found = tuple([next(path) for path in paths])
            if any(answer.interrupted for answer in found):
                raise KeyboardInterrupt
            yield found

    def _refine(self, posed: Posed, chosen: int) -> None:
        """Solve again at the chosen lam, from the solution there, to the tolerance of the fit that is kept."""
        fine = self._solvers(posed)[1]
        paths = []
        for path, target in zip(self.paths_, posed.targets, strict=True):
            if not isinstance(fine, ColumnGeneration) or path[chosen].tolerance <= fine.tol:
                return
            (better,) = self._path(posed, target, [self.lam_], replace(fine, start=path[chosen]))
            paths.append(Path((*path[:chosen], better, *path[chosen + 1 :])))
        self.paths_ = tuple(paths)

    def _bare(self) -> ChoosesLam:
        """A copy that knows its classes, but no names of features: the rows of the folds are plain arrays."""
        bare = clone(self)
        for name in ("n_features_in_", "classes_", "dates_", "_groups", "_shape"):
            if hasattr(self, name):
                setattr(bare, name, getattr(self, name))
        return bare


def _solutions(model: ChoosesLam, posed: Posed, lams: Array) -> list[tuple[Solution, ...]]:
    """For each lam the solutions, one a target, with their certificates."""
    with threadpool_limits(1):
        return list(zip(*model._paths(posed, lams, model._solvers(posed)[model.max_neurons is not None]), strict=True))


def _scores(
    model: ChoosesLam,
    posed: Posed,
    split: Split,
    lams: Array,
    score: Score,
    ends: bool = False,
    starts: Sequence[RidgeSpline] | None = None,
) -> tuple[list[float], list[RidgeSpline]]:
    """The scores of the held-out rows for each lam, until they have passed their best; the last networks."""
    model = copy.copy(model)  # other folds, maybe of the same process, have their own
    train, test = posed[split[0]], posed[split[1]]
    share = train.weight.sum() / posed.weight.sum()
    scores: list[float] = []
    with threadpool_limits(1):
        model._standardise(train)
        for found in model._answers(train, lams * share, starts):
            model._keep(cast(Sequence[Solution], found))  # the networks and problems are all that a scorer needs
            scores.append(finite(score(model, test, found)))
            if ends and passed(lams, [model._sign * some for some in scores]):
                break
    return scores, [answer.network for answer in found]
