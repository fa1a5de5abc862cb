"""Classes that an affine function separates: unless the slope is penalised no minimiser, or an arbitrary one."""

from __future__ import annotations

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import has_no_minimiser
from ridgesplines.losses.logistic import Logistic
from ridgesplines.problem import Problem
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.choice import picked

#: The penalty of the slope in units of the features' mean variance: for standardised ones it is that of scikit-learn's
#: LogisticRegression and LinearSVC with C = 1.
SLOPE_PENALTY = 1.0


def separable(problem: Problem) -> bool:
    """Whether an affine function separates the classes of a problem, or leaves none of them on its wrong side."""
    free = problem.with_slope_penalty(0.0)
    if not free.loss.separable():
        return free.loss.labels and has_no_minimiser(free.with_loss(Logistic()))
    return has_no_minimiser(free)


def needed_penalty(problem: Problem, solver: Solver | None) -> float:
    """The penalty of the slope that a problem needs: zero where its classes are not separable, or the solver has none.

    Otherwise the mean variance of the features, so that the fit does not depend on one unit for all of them.
    """
    X, weight = problem.X / (1.0 if problem.scales is None else problem.scales), problem.sample_weight
    variance = np.average((X - np.average(X, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
    penalty = SLOPE_PENALTY * float(variance.mean())
    if penalty == 0.0 or not isinstance(problem.activation, ReLU) or not separable(problem):
        return 0.0
    penalised = problem.with_slope_penalty(penalty)
    return 0.0 if (solver or picked(penalised)).refuses(penalised) else penalty
