"""lam where the user passes none: by cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ridgesplines as rs
from ridgesplines.cli.reading import TableError

if TYPE_CHECKING:
    from ridgesplines.estimators.chooses_lam import ChoosesLam


def chosen_lam(problem: rs.Problem, solver: rs.solvers.Solver | None) -> float:
    """The lam of the best held-out loss in five folds; printed so that the same fit can be asked for again."""
    if problem.loss.interpolates:
        raise TableError("--lam: for interpolation it only scales the objective; pass --lam 1")
    if not isinstance(problem.activation, rs.ReLU):
        raise TableError(f"--lam: it is chosen for ReLU alone; pass a number or 0.05max for {problem.activation!r}")
    model = _estimator(problem)
    wanted: dict[str, Any] = {
        "solver": solver,
        "interactions": problem.interactions,
        "constraints": list(problem.constraints),
        "slope_penalty": problem.slope_penalty,
        "norm": problem.norm,
    }
    for name, value in wanted.items():
        if not value:
            continue
        if name not in model.get_params():
            raise TableError(f"--lam: it is not chosen for problems with {name}; pass a number or 0.05max")
        model.set_params(**{name: value})
    model.fit(problem.X, problem.y, sample_weight=problem.sample_weight)
    print(f"lam           {model.lam_!r}, the least held-out loss of {len(model.lams_)} values in 5 folds")
    return float(model.lam_)


def _estimator(problem: rs.Problem) -> ChoosesLam:
    """The estimator that chooses lam for problems of this loss and dimension."""
    if problem.loss.labels:
        return rs.RidgeSplineClassifierCV(loss=problem.loss, scale=False)
    if problem.n_features == 1:
        return rs.LinearSplineRegressorCV(loss=problem.loss)
    return rs.RidgeSplineRegressorCV(loss=problem.loss, scale=False)
