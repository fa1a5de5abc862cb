"""How much each feature counts in a fit: the attribute that scikit-learn's selections and plots read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ridgesplines.estimators.base import SplineEstimator
from ridgesplines.network.importances import mean_squared_effects
from ridgesplines.solution import Solution
from ridgesplines.validation import Array


class HasImportances(SplineEstimator):
    """A mixin for estimators of many features."""

    @property
    def feature_importances_(self) -> Array:
        r"""How much each feature counts in f, shape (d,), nonnegative.

        .. math:: \frac{e_j}{\sum_i e_i}, \qquad
                  e_j = \sum_n s_n \big\| f(x_n) - f(x_n \text{ with } x_{nj} \text{ at its mean}) \big\|^2

        over the rows and weights of the fit, for all outputs together; zeros where f is constant. See
        :func:`ridgesplines.network.mean_squared_effects`.
        """
        check_is_fitted(self)
        one = getattr(self, "solution_", None)
        solutions: Sequence[Solution] = self.__dict__.get("solutions_", (one,))
        effects = sum(_effects(solution) for solution in solutions)
        total = np.sum(effects)
        return effects / total if total > 0.0 else np.zeros(self.n_features_in_)


def _effects(solution: Solution) -> Array:
    """In the units in which the problem was solved: those of the features do not matter."""
    return mean_squared_effects(solution.network, solution.problem.X, solution.problem.sample_weight)
