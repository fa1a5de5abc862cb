"""The common parts of the regressors that may choose lam from one path, by GCV, SURE or BIC, without folds."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from ridgesplines.estimators.base import Posed
from ridgesplines.estimators.chooses_lam import ChoosesLam, one_of
from ridgesplines.estimators.criteria import CRITERIA, noise_level, require_made_for, residual_noise
from ridgesplines.exceptions import ProblemError
from ridgesplines.losses.base import Loss
from ridgesplines.path import Path
from ridgesplines.validation import real_number


class ChoosesByCriterion(ChoosesLam):
    """A mixin, in front of a regressor: `criterion` says how the solutions of a path are scored."""

    criterion: str
    sigma: float | None
    sigma_: float

    def _score_path(self, X: Any, y: Any, posed: Posed) -> None:
        if self.criterion == "cv":
            return super()._score_path(X, y, posed)
        require_made_for(self.criterion, posed.loss, posed.y)
        posed = self._standardised(posed)
        self.lams_ = self._values(posed)
        pieces = np.array_split(self.lams_, min(self.n_segments, len(self.lams_)))
        (target,), solver = posed.targets, self._solvers(posed)[1]  # degrees of freedom are those of a minimiser
        paths = Parallel(n_jobs=self.n_jobs)(delayed(self._path)(posed, target, piece, solver) for piece in pieces)
        path = Path(tuple(chain.from_iterable(paths)))
        if self.criterion == "sure":
            self.sigma_ = self._noise(posed, path)
        self.paths_, self.scores_ = (path,), CRITERIA[self.criterion](path, getattr(self, "sigma_", None))

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
