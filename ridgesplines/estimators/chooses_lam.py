"""The common parts of the estimators that choose lam: the values to try, the folds, their scores, the rule."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from ridgesplines.estimators import by_rows
from ridgesplines.estimators.candidates import Candidate, Entry, choose, listed
from ridgesplines.estimators.early_stop import needed, passed
from ridgesplines.estimators.folds import HasFolds, Split
from ridgesplines.estimators.posed import Posed
from ridgesplines.estimators.ranges import HasRange, further, unfinished
from ridgesplines.estimators.scores import Score, averaged, finite, mean_loss, scorer
from ridgesplines.estimators.time_limit import Clock, limited, ran_out
from ridgesplines.exceptions import ConvergenceWarning, ProblemError, warn
from ridgesplines.interrupt import Deferral
from ridgesplines.losses.base import Loss
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.numerics.fast import one_thread
from ridgesplines.solution import Path, Solution
from ridgesplines.solve import answers
from ridgesplines.solvers.base import Answer, Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.progress import Bar, counted, stage, step
from ridgesplines.solvers.univariate.solver import Univariate
from ridgesplines.validation import Array, one_of, real_number, whole_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The relative gap of the fit that is kept, where neither it nor a solver is passed.
TOL = 1e-4
#: The part of the time for the paths of all candidates, and of theirs that of the folds; the rest is for what is kept.
TRYING, FOLDING = 0.8, 0.7
#: From this `fold_tol` on the fits of folds end with ColumnGeneration's first phase.
BRIEF_TOL = 1e-2

#: Attributes that not every fit sets; those of an earlier one must not survive the next.
RESULTS = ("timed_out_", "paths_", "scores_", "scores_mean_", "scores_se_", "scores_folds_", "sigma_")


class ChoosesLam(HasRange, HasFolds):
    """A mixin, in front of an estimator: lam is chosen among the solutions of a path, by scores.

    Where the estimator has `interactions`, so is what may act together, among the paths of several candidates.
    """

    rule: str
    n_jobs: int | None
    scoring: Any = None
    n_segments: int = 1
    tol: float | None = None
    fold_tol: float = 1e-2
    max_neurons: int | None = None

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
        clock = Clock(self.max_time)
        by_rows.warn_of_memory(self, X)
        posed = self._pose(X, y, sample_weight)
        self._check_settings(posed.loss)
        entries = self._entries()
        self._groups = entries[0].groups
        self._shape = self._read_constraints()
        splits = self._folds(X, y, posed)
        self._standardise(posed)
        self._compile_ahead(posed, clock)
        with Bar(self.verbose, len(entries) * (len(splits) + 1) + 1, clock.seconds):
            posed = self._with_scale(posed)
            tried = self._tried(posed, splits, entries, clock)
            tried = [each.within(self.max_neurons) for each in tried]
            best, chosen = choose(tried, self.rule)
            self._take(best, tried)
            self.lam_ = float(self.lams_[chosen])
            self._refine(posed, chosen, clock)
            if self.max_time is not None:
                self.timed_out_ |= ran_out(path[chosen].history for path in self.paths_)
        self._keep([path[chosen] for path in self.paths_])
        self._warn(best, chosen)
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

    def _tried(self, posed: Posed, splits: Sequence[Split], entries: Sequence[Entry], clock: Clock) -> list[Candidate]:
        """Each candidate with its scores; the time that is left is shared."""
        tried = []
        for k, entry in enumerate(entries):
            self._groups = entry.groups
            tried.append(self._cross_validate(posed, splits, entry, Clock.of(TRYING * clock.left / (len(entries) - k))))
        return tried

    def _take(self, best: Candidate, tried: Sequence[Candidate]) -> None:
        """Take a candidate's path and scores as the result."""
        self._groups = best.entry.groups
        self.lams_, self.paths_, self.scores_ = best.lams, best.paths, best.scores
        self.timed_out_ = any(each.timed_out for each in tried)
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

    def plot(self, *, label: str | None = None, ax: Any = None, title: str | None = None) -> Figure:
        """The scores against lam, with the chosen lam; see :func:`ridgesplines.plotting.plot_criterion`."""
        from ridgesplines.plotting.criterion import plot_criterion

        check_is_fitted(self)
        neurons = np.sum([[solution.network.n_neurons for solution in path] for path in self.paths_], axis=0)
        errors = getattr(self, "scores_se_", None)
        tried = slice(int((~np.isnan(self.scores_)).sum()))  # those that every fold reached
        lams, scores, errors = self.lams_[tried], self.scores_[tried], None if errors is None else errors[tried]
        label, greater = label or self._score_name(), self._sign < 0.0
        return plot_criterion(lams, neurons, scores, self.lam_, errors, label, greater, ax=ax, title=title)

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
        whole_number("n_segments", self.n_segments, 1)

    def _warn(self, best: Candidate, chosen: int) -> None:
        """Say that time has ended the search for lam, or where the best may lie beyond those that were tried."""
        if not self.timed_out_:
            self._warn_of_range(best, chosen)
            return
        scored = int(np.isfinite(best.scores).sum())
        asked = max(best.asked, len(best.lams))
        words = f"max_time = {self.max_time:g} s were over when {scored} of {asked} lams had a score"
        if not best.timed_out:
            words = f"max_time = {self.max_time:g} s were over before the path of all rows had reached its tolerance"
        warn(f"{words}. The best lam so far is {self.lam_:.3g}. Allow more time, or fewer lams.", ConvergenceWarning)

    def _cross_validate(self, posed: Posed, splits: Sequence[Split], entry: Entry, clock: Clock) -> Candidate:
        """The scores by lam and fold; then the path for all rows, as far as every fold went, or is needed in time."""
        share = np.array([posed.weight[test].sum() for _, test in splits])
        share = share / share.sum()
        with one_thread():  # one thread a job, so that no result depends on how many jobs there are
            lams, scores, timed_out = self._scored(posed, splits, share, clock)
            mean, error = averaged(scores, share)
            last = self._reach(posed, mean, clock)
            pieces = self._pieces(lams[:last])
            jobs = [delayed(_solutions)(self, posed, piece, clock.left / self._waves(pieces)) for piece in pieces]
            found = Parallel(n_jobs=self.n_jobs)(jobs)
        paths = tuple(map(Path, zip(*chain.from_iterable(found), strict=True)))
        if len(paths[0]) < last:
            mean[len(paths[0]) :], timed_out = np.nan, True
        open_ended = self._open_ended(mean, error)
        return Candidate(entry, lams, mean, paths, self._sign, error, scores, None, open_ended, timed_out)

    def _reach(self, posed: Posed, scores: Array, clock: Clock) -> int:
        """How many lams the path for all rows goes through: up to the best where paths end early, or time is short."""
        if clock.seconds < np.inf or (self._ends_early(posed) and self.max_neurons is None):
            return int(np.nanargmin(self._sign * scores)) + 1
        return int(np.isfinite(scores).sum())

    def _ends_early(self, posed: Posed) -> bool:
        """Lams that the user named are tried; segments know nothing of each other; one dimension costs little."""
        return self.lams is None and self.n_segments == 1 and posed.X.shape[1] > 1

    def _waves(self, jobs: Sequence[Any]) -> int:
        """How many times as long the jobs take as one of them."""
        return -(-len(jobs) // effective_n_jobs(self.n_jobs)) or 1

    def _scored(self, posed: Posed, splits: Sequence[Split], share: Array, clock: Clock) -> tuple[Array, Array, bool]:
        """The lams tried, the scores by lam and fold, NaN where a fold did not go, and whether time ended it."""
        lams = more = self._values(posed)
        scores, timed_out = np.empty((0, len(splits))), False
        while len(more):
            folds, timed_out = self._scores_of_folds(posed, splits, share, more, clock)
            folds = [[*fold, *[np.nan] * (len(more) - len(fold))] for fold in folds]
            scores = np.vstack([scores, np.transpose(folds)])
            goes_on = self._may_go_on(posed) and not timed_out and self._open_ended(*averaged(scores, share))
            more = further(lams) if goes_on else lams[:0]
            lams = np.append(lams, more)
        return lams, scores, timed_out

    def _open_ended(self, scores: Array, error: Array) -> bool:
        """Whether smaller lams promise a better score on held-out rows, by a standard error where that is the rule."""
        margin = error if self.rule == "one-se" else None
        return unfinished(self._sign * scores, scores if self.scoring is None else None, margin)

    def _pieces(self, lams: Array) -> list[Array]:
        return np.array_split(lams, min(self.n_segments, len(lams)))

    def _scores_of_folds(
        self, posed: Posed, splits: Sequence[Split], share: Array, lams: Array, clock: Clock
    ) -> tuple[list[list[float]], bool]:
        """The scores of each fold, for the lams that it reached, and whether time ended one of them."""
        weighted = bool((posed.weight != 1.0).any())
        score = mean_loss if self.scoring is None else scorer(self, self.scoring, weighted)
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        run = partial(_scores, self._bare(), posed, score=score)
        ends = self._ends_early(posed)
        pieces = self._pieces(lams)
        parts = [(k, split, piece) for k, split in enumerate(splits) for piece in pieces]
        seconds = FOLDING * clock.left / self._waves(parts)
        jobs = [delayed(run)(k, split, piece, seconds, ends=ends) for k, split, piece in parts]
        found = list(counted(parallel(jobs), len(jobs), "folds" if len(pieces) == 1 else "parts of folds"))
        groups = [found[i : i + len(pieces)] for i in range(0, len(found), len(pieces))]
        scores = [[*chain.from_iterable(each.scores for each in group)] for group in groups]
        last = [group[-1] for group in groups]
        while True:
            need = needed([[self._sign * some for some in fold] for fold in scores], share, len(lams))
            short = [k for k, fold in enumerate(scores) if len(fold) < need]
            if not short or any(each.timed_out for each in last):
                return scores, any(each.timed_out for each in found) or any(each.timed_out for each in last)
            seconds = FOLDING * clock.left / self._waves(short)
            again = {k: (k, splits[k], lams[len(scores[k]) : need], seconds) for k in short}
            jobs = [delayed(run)(*again[k], starts=last[k].networks) for k in short]
            for k, more in zip(short, parallel(jobs), strict=True):
                scores[k], last[k] = scores[k] + more.scores, more

    def _solvers(self, posed: Posed) -> tuple[Solver, Solver]:
        """That of the fits that only serve the choice, and that of the fit that is kept."""
        solver = self._named_solver() or picked(self._distinct(posed, posed.targets[0], 1.0))
        if not isinstance(solver, ColumnGeneration):
            return solver, solver
        own = TOL if self.solver is None else solver.tol
        tol = own if self.tol is None else self.tol
        return replace(solver, tol=max(tol, self.fold_tol)), replace(solver, tol=tol)

    def _answers(
        self, posed: Posed, lams: Array, seconds: float, starts: Sequence[RidgeSpline] | None = None
    ) -> Iterator[tuple[Answer, ...]]:
        """For each lam in turn what the solver answers, one a target, from networks at the lam before where given."""
        solver, paths = self._solvers(posed)[0], []
        if isinstance(solver, ColumnGeneration) and self.fold_tol >= BRIEF_TOL:
            solver = replace(solver, briefly=True)
        if isinstance(solver, Univariate) and self.solver is None and not posed.loss.smooth:
            solver = replace(solver, tol=max(solver.tol, 0.1 * self.fold_tol))  # each digit costs a round
        solver = limited(solver, seconds)
        for k, target in enumerate(posed.targets):
            if starts is not None and isinstance(solver, ColumnGeneration):
                solver = replace(solver, start=starts[k])
            paths.append(answers(self._distinct(posed, target, lams[0]), solver, lams))
        for _ in lams:
            with Deferral():  # as in SplineEstimator._path
                found = tuple(islice(chain.from_iterable(zip(*paths, strict=False)), len(paths)))
            if not found:  # time is over
                return
            if any(answer.interrupted for answer in found):
                raise KeyboardInterrupt
            yield found

    def _refine(self, posed: Posed, chosen: int, clock: Clock) -> None:
        """Solve again at the chosen lam, from the solution there, to the tolerance of the fit that is kept."""
        fine = self._solvers(posed)[1]
        paths = []
        for path, target in zip(self.paths_, posed.targets, strict=True):
            if not isinstance(fine, ColumnGeneration) or path[chosen].tolerance <= fine.tol:
                return
            if clock.left == 0.0:
                return
            stage("the chosen lam")
            (better,) = self._path(posed, target, [self.lam_], replace(fine, start=path[chosen]), clock.left)
            paths.append(Path((*path[:chosen], better, *path[chosen + 1 :])))
        self.paths_ = tuple(paths)

    def _bare(self) -> ChoosesLam:
        """A copy that knows its classes, but no names of features: the rows of the folds are plain arrays."""
        bare = clone(self)
        for name in ("n_features_in_", "classes_", "dates_", "_groups", "_shape"):
            if hasattr(self, name):
                setattr(bare, name, getattr(self, name))
        return bare


def _solutions(model: ChoosesLam, posed: Posed, lams: Array, seconds: float) -> list[tuple[Solution, ...]]:
    """For each lam the solutions, one a target, with their certificates."""
    solver = model._solvers(posed)[model.max_neurons is not None]
    with one_thread():
        return list(zip(*model._paths(posed, lams, solver, Clock.of(seconds)), strict=seconds == np.inf))


class FoldScores(NamedTuple):
    """The scores of the lams that a fold reached, its last networks, and whether time has ended it."""

    scores: list[float]
    networks: list[RidgeSpline]
    timed_out: bool


def _scores(
    model: ChoosesLam,
    posed: Posed,
    fold: int,
    split: Split,
    lams: Array,
    seconds: float,
    score: Score,
    ends: bool = False,
    starts: Sequence[RidgeSpline] | None = None,
) -> FoldScores:
    """The scores of the held-out rows for each lam, until they have passed their best."""
    model = copy.copy(model)  # other folds, maybe of the same process, have their own
    train, test = posed[split[0]], posed[split[1]]
    share = train.weight.sum() / posed.weight.sum()
    scores: list[float] = []
    clock, timed_out = Clock.of(seconds), False
    stage(f"fold {fold + 1}")
    with one_thread():
        model._standardise(train)
        for k, found in enumerate(model._answers(train, lams * share, seconds, starts)):
            step(k + 1, len(lams), lams[min(k + 1, len(lams) - 1)])
            timed_out = clock.left == 0.0 or (seconds < np.inf and ran_out(answer.history for answer in found))
            if timed_out and scores:
                break
            networks = [answer.network for answer in found]
            model._keep(cast(Sequence[Solution], found))  # the networks and problems are all that a scorer needs
            scores.append(finite(score(model, test, found)))
            if timed_out or (ends and passed(lams, [model._sign * some for some in scores])):
                break
    return FoldScores(scores, networks, timed_out and len(scores) < len(lams))
