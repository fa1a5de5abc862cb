"""The common parts of the regressors that may choose lam from one path, by GCV, SURE or BIC, without folds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sklearn.utils.parallel import Parallel, delayed

from ridgesplines.estimators.base import Posed
from ridgesplines.estimators.candidates import Candidate, Entry
from ridgesplines.estimators.chooses_lam import ChoosesLam, Split, one_of
from ridgesplines.estimators.criteria import CRITERIA, noise_level, require_made_for, residual_noise
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.path import Path
from ridgesplines.validation import Array, real_number


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

    def _tried(self, posed: Posed, splits: Sequence[Split], entries: Sequence[Entry]) -> list[Candidate]:
        if self.criterion == "cv":
            return super()._tried(posed, splits, entries)
        posed, paths, lams = self._standardised(posed), [], []
        for entry in entries:
            self._groups = entry.groups
            lams.append(self._values(posed))
            paths.append(self._whole(posed, lams[-1]))
        if self.criterion == "sure":  # of the noise there is one, whatever the candidate
            self.sigma_ = self._noise(posed, Path(tuple(chain.from_iterable(paths))))
        scores = [CRITERIA[self.criterion](path, getattr(self, "sigma_", None)) for path in paths]
        given = zip(entries, lams, scores, paths, strict=True)
        return [Candidate(entry, values, each, (path,)) for entry, values, each, path in given]

    def _whole(self, posed: Posed, lams: Array) -> Path:
        """The path for all rows, to the tolerance of what is kept: degrees of freedom are those of a minimiser."""
        (target,), solver = posed.targets, self._solvers(posed)[1]
        jobs = (delayed(self._path)(posed, target, piece, solver) for piece in self._pieces(lams))
        return Path(tuple(chain.from_iterable(Parallel(n_jobs=self.n_jobs)(jobs))))

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
        if self.criterion != "cv" and self.scoring is not None:
            raise ProblemError(
                "scoring",
                "None, as only criterion='cv' has held-out rows to measure it on",
                f"scoring={self.scoring!r} with criterion={self.criterion!r}",
                "Use criterion='cv', or leave scoring out.",
            )
