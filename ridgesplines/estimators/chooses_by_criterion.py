"""The common parts of the regressors that may choose lam from one path, by GCV, SURE or BIC, without folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ridgesplines.constraints import MonotoneFeatures
from ridgesplines.estimators.candidates import Candidate, Entry
from ridgesplines.estimators.chooses_lam import TRYING, ChoosesLam
from ridgesplines.estimators.criteria import (
    CRITERIA,
    most_freedom,
    noise_level,
    require_made_for,
    residual_noise,
)
from ridgesplines.estimators.folds import Split
from ridgesplines.estimators.posed import Posed
from ridgesplines.estimators.ranges import end, further, unfinished
from ridgesplines.estimators.time_limit import Clock
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.solution import Path, Solution
from ridgesplines.validation import Array, one_of, real_number


def in_time(path: Path) -> Path:
    """The solutions before the first that time has ended, of which a criterion says nothing; or the first alone."""
    late = next((k for k, solution in enumerate(path) if "stopped" in solution.history), len(path))
    return Path(tuple(path[: max(late, 1)]))


class ChoosesByCriterion(ChoosesLam):
    """A mixin, in front of a regressor: `criterion` says how the solutions of a path are scored."""

    criterion: str
    sigma: float | None
    sigma_: float

    def _folds(self, X: Any, y: Any, posed: Posed) -> list[Split]:
        if self.criterion == "cv":
            return super()._folds(X, y, posed)
        require_made_for(self.criterion, posed.loss, posed.y)
        return []

    def _tried(self, posed: Posed, splits: Sequence[Split], entries: Sequence[Entry], clock: Clock) -> list[Candidate]:
        if self.criterion == "cv":
            return super()._tried(posed, splits, entries, clock)
        paths, numbers = [], []
        for k, entry in enumerate(entries):
            self._groups = entry.groups
            whole, asked = self._whole(posed, Clock.of(TRYING * clock.left / (len(entries) - k)))
            paths.append(whole if self.max_time is None else in_time(whole))
            numbers.append(asked)
        if self.criterion == "sure":  # of the noise there is one, whatever the candidate
            self.sigma_ = self._noise(posed, Path(tuple(chain.from_iterable(paths))))
        tried = [self._judged(entry, path) for entry, path in zip(entries, paths, strict=True)]
        return [replace(c, timed_out=len(c.lams) < asked, asked=asked) for c, asked in zip(tried, numbers, strict=True)]

    def _whole(self, posed: Posed, clock: Clock) -> tuple[Path, int]:
        """The path for all rows, as far as the criterion falls, and how many lams were asked for: in time, as many."""
        lams = self._values(posed)
        path, asked = Path(tuple(self._solved(posed, lams, clock))), len(lams)
        if not self._may_go_on(posed):
            return path, asked
        if self.criterion == "sure":
            self.sigma_ = self._noise(posed, path)
        while len(more := self._next(path)):
            path, asked = Path((*path, *self._solved(posed, more, clock))), asked + len(more)
        return path, asked

    def _next(self, path: Path) -> Array:
        """The lams to try next; none where the best is not the last, or where the criterion says nothing any more."""
        judged = self._judged(Entry(), path)
        return further(path.lams) if judged.open_ended and np.isfinite(judged.scores[-1]) else path.lams[:0]

    def _judged(self, entry: Entry, path: Path) -> Candidate:
        """A candidate with its scores."""
        scores = CRITERIA[self.criterion](path, getattr(self, "sigma_", None))
        open_ended = unfinished(scores, np.array([solution.data_fit for solution in path]))
        return Candidate(entry, path.lams, scores, (path,), open_ended=open_ended)

    def _open_end(self, best: Candidate) -> tuple[str, str]:
        """Also where the path goes on, to solutions of which the criterion says nothing."""
        last = end(best.scores)
        if last == len(best.lams) - 1:
            return super()._open_end(best)
        most, df = most_freedom(best.paths[0][0].problem), best.paths[0][last].degrees_of_freedom
        return (
            f"The best {self._score_name()} is that of the last solution of no more than {most:g} degrees of freedom, "
            f"lam = {best.lam:.3g} with {df:.3g}: the data ask for more than this criterion can judge.",
            "Use criterion='cv', or more data.",
        )

    def _solved(self, posed: Posed, lams: Array, clock: Clock) -> Iterable[Solution]:
        """Solutions to the tolerance of what is kept: degrees of freedom are those of a minimiser."""
        (target,), solver = posed.targets, self._solvers(posed)[1]
        pieces = self._pieces(lams)
        seconds = clock.left / self._waves(pieces)
        jobs = (delayed(self._path)(posed, target, piece, solver, seconds) for piece in pieces)
        return chain.from_iterable(Parallel(n_jobs=self.n_jobs)(jobs))

    def _noise(self, posed: Posed, path: Path) -> float:
        """What the user says; in one dimension what neighbours tell, in many what the best fit leaves."""
        if self.sigma is not None:
            return float(self.sigma)
        one = posed.X.shape[1] == 1
        return noise_level(posed.X[:, 0], posed.y, posed.weight) if one else residual_noise(path)

    def _score_name(self) -> str:
        return {"gcv": "GCV", "sure": "SURE", "bic": "BIC"}.get(self.criterion) or super()._score_name()

    def _check_settings(self, loss: Loss) -> None:
        one_of("criterion", self.criterion, ("cv", *CRITERIA))
        super()._check_settings(loss)
        if self.criterion == "sure" and self.sigma is not None:
            real_number("sigma", self.sigma, "a finite number >= 0", 0.0)
        if self.criterion != "cv" and self.rule == "one-se":
            raise ProblemError(
                "rule",
                "'min', as only criterion='cv' has a standard error",
                f"rule='one-se' with criterion={self.criterion!r}",
                "Use criterion='cv' for the rule of one standard error.",
            )
        if self.criterion != "cv" and any(not isinstance(c, MonotoneFeatures) for c in self._read_constraints()):
            raise ProblemError(
                "criterion",
                "'cv' where there are constraints, which change what degrees of freedom a knot is worth",
                f"criterion={self.criterion!r} with constraints={list(self._read_constraints())!r}",
                "Use criterion='cv', which judges any fit by itself.",
            )
        if self.criterion != "cv" and self.scoring is not None:
            raise ProblemError(
                "scoring",
                "None, as only criterion='cv' has held-out rows to measure it on",
                f"scoring={self.scoring!r} with criterion={self.criterion!r}",
                "Use criterion='cv', or leave scoring out.",
            )
