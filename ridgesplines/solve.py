"""The verbs that run a solver: solve, solve_path, lambda_max."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.certificate.affine_optimum import bounded_affine_optimum
from ridgesplines.certificate.dual import levelled, projected
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.certificate.norm_threshold import least_lam_of_norm
from ridgesplines.exceptions import ConvergenceWarning, ProblemError, SolverRefusal, warn
from ridgesplines.interrupt import Deferral, asked, check, until
from ridgesplines.null_quantile import null_quantile
from ridgesplines.oracle import Oracle, continuum_oracle, exact_oracle
from ridgesplines.oracle.sphere import SphereOracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.settle import named, settled
from ridgesplines.solution import Path, Solution
from ridgesplines.solvers.base import Answer, Solver, require_seconds
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.by_rows import supremum_by_rows
from ridgesplines.solvers.progress import Bar, step
from ridgesplines.solvers.univariate.kinked import nearby_line
from ridgesplines.validation import lam_given, real_array, whole_number

#: lambda_max is given without a word where it is known to this part of it.
SETTLED = 1e-6


def solve(problem: Problem, solver: Solver | None = None) -> Solution:
    r"""The solution of a problem, with its certificate.

    .. math:: \min_f \; \sum_n s_n L(y_n, f(x_n)) + \lambda \|f\|

    Parameters
    ----------
    problem : data, loss and lam.
    solver : settings such as ``Grid(directions=64)``. By default ``Univariate()`` for d = 1, ``ColumnGeneration()``
        for d >= 2, and ``Grid()`` for other activations than ReLU.

    Returns
    -------
    Solution
        Purified, K <= N - rank[1 X] neurons (times D for D outputs; for other activations N less the dimension of their
        null space at the data), or as it was trained, with objective and gap computed from the network and the data.
        If the tolerance was not reached, or Ctrl-C came first, its status says so and a ConvergenceWarning is issued.

    Raises
    ------
    SolverRefusal
        Where the solver cannot take the problem; said before any long work.
    ProblemError
        Where the problem has no minimiser.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
    >>> solution.certificate.scope
    'exact'
    """
    return solve_path(problem, solver, lams=[problem.lam])[0]


def solve_path(
    problem: Problem, solver: Solver | None = None, lams: Any = None, n_lams: int = 50, verbose: bool = False
) -> Path:
    r"""Solutions for decreasing lam, each warm-started from the one before, or for a grid compiled once.

    Parameters
    ----------
    problem : its own lam does not matter, unless `lams` is given with it.
    solver : settings; picked for the problem by default.
    lams : the values, any order, numbers, fractions such as ``"0.05max"``, or ``"null"``, the null quantile of the
        estimators; by default `n_lams` values from lambda_max down to a thousandth of it, spaced evenly in the
        logarithm. Where constraints leave no affine function, lambda_max is that without them.
    n_lams : how many, if `lams` is not given.
    verbose : whether a bar on standard error says how far the path is; where that is no terminal, nothing is printed.

    Returns
    -------
    Path
        A sequence of Solution, the largest lam first. After Ctrl-C it ends with the solution that was interrupted.

    Raises
    ------
    ProblemError
        For Interpolation without `lams`: lam only scales its objective.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=1.0)
    >>> [s.network.n_neurons for s in rs.solve_path(problem, lams=[0.01, 10.0])][0]
    0
    """
    with Bar(verbose), Deferral(answers=True):
        solver, own = _able(solver or picked(problem), problem), problem.isotropic
        found = _timed(solver.isotropic(problem), own, _decreasing(problem, lams, n_lams))
        if own is problem:  # as they are: a copy would evaluate its objective and rounding once more
            return Path(tuple(found))
        return Path(tuple(replace(solution.restored(problem), solver=repr(solver)) for solution in found))


def answers(problem: Problem, solver: Solver, lams: Any) -> Iterator[Answer]:
    """What the solver answers for each lam, with no certificate: for those who only ask what a network predicts."""
    solver, back = _able(solver, problem).isotropic(problem), Coordinates(problem)
    require_minimiser(problem.reduced)
    for answer in solver.path(problem.isotropic, [float(lam) for lam in lams]):
        network = back.restored(named(answer.network, answer.problem))
        yield replace(answer, network=network, problem=problem.with_lam(answer.problem.lam))


def _able(solver: Solver, problem: Problem) -> Solver:
    """The solver, where it is one and takes the problem."""
    if not isinstance(solver, Solver):
        raise ProblemError("solver", "a solver's settings such as Grid()", repr(solver), "Pass solver=rs.Grid().")
    if problem.in_blocks is not None and not solver.takes_blocks:
        got, remedy = f"{problem.n_samples} rows {problem.in_blocks.blocks.place}", "Use solver=rs.ColumnGeneration()."
        raise SolverRefusal(solver.name, "rows in memory", got, remedy)
    if (reason := solver.refuses(problem)) is not None:
        raise reason
    return solver


def lambda_max(problem: Problem, max_time: float = float("inf")) -> float:
    r"""The smallest lam from which on the solution is affine, K = 0.

    .. math:: \lambda_{\max} = \sup_{w, b} |\eta(w, b)| \quad \text{at the affine fit}

    Parameters
    ----------
    problem : any problem; its own lam does not matter.
    max_time : seconds, after which no more cutting planes are sought: they are what takes long, for a loss with kinks
        in d >= 2. What comes before, the affine fit and one supremum, is finished.

    Returns
    -------
    float
        In units of lam. Exact for d = 1, d = 2 and interactions of at most two features; beyond, the value that a
        search found, from below; of a loss with kinks as the notes say. For other activations exact or a bound within
        1e-9 for d = 1, and searched beyond.
        Infinite for Interpolation of data that are not affine.

    Raises
    ------
    ProblemError
        For Logistic and Softmax on data that an affine function separates, and for Poisson where one sets zeros apart.

    Notes
    -----
    With ``norm=True`` it is the smallest lam from which on f = 0 is optimal: the largest of :math:`|\eta|`,
    :math:`|\sum_n u_n|` and :math:`|\sum_n u_n x_{nj}|` there. With constraints it is the smallest lam from which on an
    affine function is optimal among all that satisfy them, to about 1e-6 relative, and infinite where no affine
    function satisfies them. With MonotoneFeatures it is the supremum of :math:`|\eta|` less what their multipliers take
    off, at the best affine function that rises and falls as it must: exact for smooth losses, from above for losses
    with kinks. Without them the dual vector of the affine fit need not be unique for a loss with kinks: the least
    supremum counts, to 1e-9 for d = 1. For d >= 2 it is found from above by cutting planes, to 1e-9 or until 60 rounds
    or `max_time` are over. That leaves 1e-7 where most residuals are zero; where it leaves more than 1e-6, relative, a
    ConvergenceWarning names the values between which lambda_max lies.
    O(N log N) for d = 1, O(N^2 log N) at most for d = 2, for each round.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=1.0)
    >>> round(rs.lambda_max(problem), 6)
    0.666667
    """
    require_seconds("max_time", max_time)
    problem = problem.isotropic
    with Deferral(), until(time.perf_counter() + max_time):
        if problem.signs is not None:
            from ridgesplines.solvers.monotone.solver import largest_supremum  # few problems need it

            return largest_supremum(problem)
        if problem.in_blocks is not None:
            return supremum_by_rows(problem)
        if problem.norm:
            return least_lam_of_norm(problem)
        if problem.constraints:
            from ridgesplines.solvers.constrained.threshold import least_lam  # few problems need it

            return least_lam(problem)
        if problem.penalise_bias:
            problem = problem.homogeneous
        return _largest_supremum(problem)


def _largest_supremum(problem: Problem) -> float:
    """The supremum of |eta| at the affine fit, over all neurons."""
    scaling = standardise(problem)
    p = scaling.problem
    if p.through_origin:
        oracle: Oracle = SphereOracle(p.X)
    else:
        oracle = continuum_oracle(p.X, activation=p.activation, interactions=p.interactions)
    affine = bounded_affine_optimum(scaling.problem, oracle, nearby_line(scaling.problem))
    if affine is None:
        return float("inf")
    if problem.loss.interpolates:
        return 0.0
    _, u, least = affine
    sup, unit = oracle(levelled(p, projected(p, u)[0])).value, scaling.lam(1.0)
    if least < (1.0 - SETTLED) * sup:
        between = f"lambda_max lies between {least / unit:.6g} and {sup / unit:.6g}"
        warn(f"{between}, where its search ended; the larger value is returned.", ConvergenceWarning)
    return sup / unit


def _decreasing(problem: Problem, lams: Any, n_lams: int) -> list[float]:
    if lams is not None:
        values = np.atleast_1d(real_array("lams", in_numbers([problem], lams, "lams")))
        if not values.size:
            raise ProblemError("lams", "at least one value", "none", "Pass lams=None for an automatic path.")
        return [float(v) for v in np.sort(values.ravel())[::-1]]
    whole_number("n_lams", n_lams, 1)
    top = largest_lam(problem)
    if not np.isfinite(top):
        remedy = "lam only scales its objective: solve one problem."
        raise ProblemError("lams", "values of lam for Interpolation", "None", remedy)
    return [float(v) for v in np.geomspace(top, top * 1e-3, n_lams)]


def largest_lam(problem: Problem) -> float:
    """lambda_max, where it says something.

    Where no affine function satisfies the constraints that of the data alone; where the data are affine, so that every
    lam gives the same fit, one. Infinite for Interpolation.
    """
    top = lambda_max(problem)
    if not np.isfinite(top) and problem.constraints:
        top = lambda_max(problem.unconstrained)
    return top or 1.0


#: What the words of a lam stand for.
UNITS: dict[str, Callable[[Problem], float]] = {
    "max": lambda problem: 1.0 if problem.loss.interpolates else largest_lam(problem),
    "null": null_quantile,
}


def in_numbers(problems: Sequence[Problem], given: Any, name: str = "lam") -> Any:
    """One lam or several, where fractions of lambda_max such as ``"0.05max"``, and ``"null"``, are numbers; of several
    problems the largest. For Interpolation, which is the same for every lam, lambda_max is taken for one.
    """
    several = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.dtype.kind in "OU")
    parsed = [lam_given(name, lam) for lam in (list(given) if several else [given])]
    sizes = {"": 1.0, **{unit: max(map(UNITS[unit], problems)) for _, unit in parsed if unit}}
    numbers = [value * sizes[unit] if unit else value for value, unit in parsed]
    return numbers if several else numbers[0]


def _timed(solver: Solver, problem: Problem, lams: list[float]) -> Iterator[Solution]:
    start = time.perf_counter()
    # One for all lam: it depends on the data alone, and some answer the faster the more they are asked.
    exact = cache(lambda data: exact_oracle(data.X, data.activation, problem.interactions))
    step(0, len(lams), lams[0])
    for count, answer in enumerate(solver.path(problem, lams), 1):
        check()  # the best so far is no answer to one who needs more than this
        solution = settled(solver, answer, start, exact)
        check()
        start = time.perf_counter()
        step(count, len(lams), lams[min(count, len(lams) - 1)])
        yield solution
        if asked():
            return
