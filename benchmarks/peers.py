"""Other people's solvers for the one-dimensional problem, behind one face.

Each gets the sites sorted and free of ties, and returns what a spline can be built from; nobody's own claim of
accuracy is used. Where a solver has the slopes among its unknowns, they are taken: slope changes computed from fitted
values divide their rounding by the spacing of the sites.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np
from banded import trend_filter
from numpy.typing import NDArray

import ridgesplines as rs

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Attempt:
    """What a peer made of a problem.

    Attributes
    ----------
    networks : the function that it found; where there is more than one way to read it, the best one counts.
    preparation : seconds of CPU time until its solver could start, such as CVXPY's compilation.
    solving : seconds of CPU time in the solver.
    note : what the reader should know.
    trace : for methods that have an answer all along, (seconds, network) on the way.
    """

    networks: tuple[rs.RidgeSpline, ...]
    preparation: float
    solving: float
    note: str = ""
    trace: tuple[tuple[float, rs.RidgeSpline], ...] = ()


@dataclass(frozen=True)
class Peer:
    """A solver to compare with.

    Attributes
    ----------
    name : as it appears in the table.
    package : the Python package that it needs.
    run : takes a problem and a limit in seconds.
    largest : the largest N that it is asked for, by the name of the loss; a loss that is not named it cannot take.
    """

    name: str
    package: str
    run: Callable[[rs.Problem, float], Attempt]
    largest: Mapping[str, int] = field(default_factory=lambda: {"Squared": 10**6})

    def excuse(self, problem: rs.Problem) -> str | None:
        """Why it is not run on this problem, or None."""
        if find_spec(self.package) is None:
            return f"not installed (pip install {self.package})"
        largest = self.largest.get(problem.loss.name, 0)
        return f"left out above N = {largest:,}" if problem.n_samples > largest else None


def sorted_sites(problem: rs.Problem) -> tuple[Array, Array]:
    """(x, y) by increasing x. The benchmark's sites are distinct and their weights are one."""
    x = problem.X[:, 0]
    order = np.argsort(x)
    return x[order], problem.y[order]


def from_slopes(x: Array, values: Array, slopes: Array) -> rs.RidgeSpline:
    """The spline with these slopes between the sites; its affine part is the one nearest to the values."""
    return from_changes(x[1:-1], np.diff(slopes), x, values, slopes[0])


def from_changes(knots: Array, changes: Array, x: Array, values: Array, slope: float = 0.0) -> rs.RidgeSpline:
    """The spline with these knots and slope changes; its affine part is the one nearest to the values at x."""
    ones = np.ones((len(knots), 1))
    bare = rs.RidgeSpline(ones, knots, changes, [slope], values[0] - slope * x[0])
    centre = x.mean()
    rise, level = np.polyfit(x - centre, values - bare(x), 1)
    return rs.RidgeSpline(ones, knots, changes, bare.slope + rise, bare.offset + level - rise * centre)


def from_values(x: Array, values: Array) -> rs.RidgeSpline:
    """The linear interpolant of the values: for solvers that return nothing else."""
    return from_slopes(x, values, np.diff(values) / np.diff(x))


def _cvxpy(solver: str, clock: str | None, settings: Mapping[str, Any], problem: rs.Problem, limit: float) -> Attempt:
    """CVXPY with values and slopes as unknowns, at the solver's defaults but for a limit on time.

    The sites span sqrt(N): of the units tried (one, sqrt(N), N) the one at which these solvers were fastest and most
    accurate. `clock` is the solver's own setting for a limit on time, where it has one.
    """
    import cvxpy as cp

    x, y = sorted_sites(problem)
    unit = np.sqrt(len(x)) / (x[-1] - x[0])
    start, began = time.process_time(), time.perf_counter()
    values, slopes = cp.Variable(len(x)), cp.Variable(len(x) - 1)
    data, constraints = problem.loss.expression(y, values, np.ones_like(y))
    links = [cp.diff(values) == cp.multiply(unit * np.diff(x), slopes), *constraints]
    program = cp.Problem(cp.Minimize(data + problem.lam * unit * cp.norm1(cp.diff(slopes))), links)
    built = time.perf_counter() - began
    program.solve(solver=solver, **settings, **({clock: limit} if clock else {}))
    total, elapsed = time.process_time() - start, time.perf_counter() - began
    if values.value is None:
        raise RuntimeError(f"no solution, status {program.status!r}")
    preparation = (
        total * (built + program.compilation_time) / elapsed
    )  # CVXPY tells what it took by the clock on the wall
    note = "" if program.status == "optimal" else f"says {program.status!r}"
    spline = from_slopes(x, values.value, unit * slopes.value)
    return Attempt((spline, from_values(x, values.value)), preparation, total - preparation, note)


def _conic(name: str, package: str, clock: str | None, largest: Mapping[str, int], **settings: Any) -> Peer:
    def run(problem: rs.Problem, limit: float) -> Attempt:
        return _cvxpy(package.upper(), clock, settings, problem, limit)

    return Peer(f"CVXPY + {name}", package, run, largest)


def _banded(problem: rs.Problem, limit: float) -> Attempt:
    """The interior point of `banded.py`, in units of the mean spacing."""
    x, y = sorted_sites(problem)
    start = time.process_time()
    unit = (len(x) - 1) / (x[-1] - x[0])
    found = trend_filter(unit * x, y, unit * problem.lam / 2.0)
    solving = time.process_time() - start
    note = f"{found.iterations} iterations"
    spline = from_changes(x[1:-1], unit * found.changes, x, found.values)
    return Attempt((spline, from_values(x, found.values)), 0.0, solving, note)


def _splineops(problem: rs.Problem, limit: float) -> Attempt:
    """splineops' ADMM at its defaults, in units of the mean spacing, the best of those tried.

    It minimises half the squared error, whence lam / 2; takes uneven x; and returns fitted values only.
    """
    from splineops.adaptive_regression_splines.denoising import denoise_y

    x, y = sorted_sites(problem)
    start = time.process_time()
    unit = (len(x) - 1) / (x[-1] - x[0])
    values, report = denoise_y(unit * x, y, unit * problem.lam / 2.0, return_diagnostics=True)
    solving = time.process_time() - start
    note = "" if report.converged else f"stopped at its {report.iterations:,} iterations"
    return Attempt((from_values(x, values),), 0.0, solving, note)


def _lars(problem: rs.Problem, limit: float) -> Attempt:
    """scikit-learn's LassoLars on truncated powers, a dense N x (N - 2) matrix, affine functions projected off.

    Its objective divides the squared error by 2 N, so that alpha = lam / (2 N).
    """
    from sklearn.linear_model import LassoLars

    x, y = sorted_sites(problem)
    start = time.process_time()
    knots = x[1:-1]
    powers = np.maximum(x[:, None] - knots, 0.0)
    basis = np.linalg.qr(np.column_stack([np.ones_like(x), x]))[0]
    features, target = powers - basis @ (basis.T @ powers), y - basis @ (basis.T @ y)
    preparation = time.process_time() - start
    model = LassoLars(alpha=problem.lam / (2 * len(x)), fit_intercept=False, max_iter=20 * len(x))
    model.fit(features, target)
    solving = time.process_time() - start - preparation
    part = powers @ model.coef_
    spline = from_changes(knots, model.coef_, x, part + basis @ (basis.T @ (y - part)))
    early = ", its path ended before lam was reached" if model.alphas_[-1] > model.alpha * (1.0 + 1e-6) else ""
    return Attempt((spline,), preparation, solving, f"{model.n_iter_:,} steps{early}")


#: Interior points with sparse factorisations reach further than first-order methods; a dense matrix not far at all.
PEERS = (
    _conic(
        "Clarabel",
        "clarabel",
        "time_limit",
        {"Squared": 10**6, "Absolute": 10**5, "Huber": 10**5, "Logistic": 10**4},
    ),
    _conic("ECOS", "ecos", None, {"Squared": 10**5, "Absolute": 10**4, "Huber": 10**4, "Logistic": 10**4}),
    _conic("SCS", "scs", "time_limit_secs", {"Squared": 10**4, "Absolute": 10**4, "Huber": 10**4, "Logistic": 10**4}),
    _conic("OSQP", "osqp", "time_limit", {"Squared": 10**4, "Absolute": 10**4, "Huber": 10**4}),
    Peer("banded interior point", "scipy", _banded, {"Squared": 10**5}),
    Peer("splineops (ADMM)", "splineops", _splineops, {"Squared": 10**4}),
    Peer("scikit-learn LassoLars", "sklearn", _lars, {"Squared": 10**3}),
)
