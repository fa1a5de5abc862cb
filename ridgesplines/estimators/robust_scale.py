"""The scale of the noise, for losses that say how large a residual is an outlier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.stats import norm

from ridgesplines.losses.absolute import Absolute
from ridgesplines.problem import Problem
from ridgesplines.solve import answers, lambda_max
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.validation import Array

#: The pilot's lams as parts of lambda_max, in one dimension and in many, where small ones cost more.
RUNGS, RUNGS_OF_MANY = 0.1 ** np.arange(6), 0.1 ** np.arange(2)
#: The pilot may spend this part of the rows.
SPENT = 0.25
#: So many rows tell a scale to 4 %.
MOST_ROWS = 1000
#: The least scale, as a part of that about the affine fit: of data without noise it would be zero.
LEAST = 1e-2
#: A residual of this part of the largest \\|y - median\\| is rounding.
ROUNDING = 1e-9
#: The gap of pilots in many dimensions.
TOL = 1e-2


def robust_scale(problem: Problem, solver: Solver | None = None) -> float:
    r"""The standard deviation of the noise, if it were normal, from the median of absolute residuals.

    .. math:: \hat s = \operatorname{median}_{n > p} |r|_{(n)} \,/\, 0.6745

    of the residuals :math:`|r|_{(1)} \le |r|_{(2)} \le \dots` of a pilot, without the p smallest.

    Parameters
    ----------
    problem : its distinct rows, sorted, with their weights; neither its loss nor its lam matters.
    solver : of the pilot; picked by default.

    Returns
    -------
    float
        In units of y, positive. Multiplied by a where y is.

    Notes
    -----
    The pilot has the loss Absolute, the median, which outliers on either side leave alone. Its lams fall from
    lambda_max by factors of ten, to 1e-5 of it, in many dimensions to 0.1; the last one counts that spends no more than
    a quarter of the rows, p = K + rank[1 X]. What it misses of the truth adds to the scale: 10 to 30 % for 300 rows in
    two to six dimensions. A median spline of p parameters meets as many data, which tell nothing of the noise: they are
    left out, as for robust linear regression [1]_. The median weighs rows by their weights. Of more than 1000 rows,
    1000 are taken, evenly from the sorted ones.

    The scale is no less than a hundredth of that about the straight line, so that it is positive where there is no
    noise. It depends neither on the order of the rows nor on whether one is repeated or weighted.

    References
    ----------
    .. [1] J. O. Street, R. J. Carroll, D. Ruppert, A note on computing robust regression estimates via iteratively
       reweighted least squares, Amer. Statist. 42 (1988), 152-154, doi:10.1080/00031305.1988.10475548

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> x = np.linspace(0.0, 1.0, 400)
    >>> y = np.abs(x - 0.5) + 0.01 * rng.standard_normal(400)
    >>> y[::7] += 30.0
    >>> 0.009 < robust_scale(rs.Problem(x, y, 1.0)) < 0.013
    True
    """
    pilot = _pilot(problem)
    median = np.median(pilot.y)
    rounding = ROUNDING * float(np.abs(pilot.y - median).max())
    rungs = RUNGS if pilot.n_features == 1 else RUNGS_OF_MANY
    lams = (lambda_max(pilot) or 1.0) * rungs
    scales: list[float] = []
    for answer in answers(pilot, _brief(solver or picked(pilot)), lams):
        spent = answer.network.n_neurons + pilot.rank
        if scales and spent > SPENT * pilot.n_samples:
            break
        off = np.abs(pilot.y - answer.network(pilot.X))
        scales.append(_median(off, pilot.sample_weight, spent) / norm.ppf(0.75))
        if len(scales) == 1 and scales[0] <= rounding:  # more than half of the rows lie on a straight line
            scales[0] = float(np.average(off, weights=pilot.sample_weight))
    scale = float(max(scales[-1], LEAST * scales[0]))
    return scale if scale > rounding else rounding / ROUNDING or 1.0  # y is affine: nothing is an outlier


def _pilot(problem: Problem) -> Problem:
    """The problem of the pilot, for some of the rows where there are many."""
    p, n = problem.unconstrained, problem.n_samples
    rows = np.arange(n) if n <= MOST_ROWS else np.linspace(0, n - 1, MOST_ROWS).round().astype(int)
    return Problem(
        p.X[rows],
        p.y[rows],
        1.0,
        Absolute(),
        sample_weight=p.sample_weight[rows],
        interactions=p.interactions,
        scales=p.scales,
    )


def _brief(solver: Solver) -> Solver:
    """The solver, to a gap that is enough for a median."""
    if not isinstance(solver, ColumnGeneration):
        return solver
    return replace(solver, tol=max(solver.tol, TOL), briefly=True, start=None)


def _median(off: Array, weight: Array, spent: int) -> float:
    """The weighted median of all but the smallest; zero where none is left."""
    order = np.argsort(off, kind="stable")[spent:]
    if not len(order):
        return 0.0
    share = np.cumsum(weight[order])
    return float(off[order][np.searchsorted(share, 0.5 * share[-1])])
