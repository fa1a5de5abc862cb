"""Several quantiles at once, as linear splines that do not cross: the problem, its solution, and its proof."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgesplines.certificate.ordered import OrderMultipliers, order_bound
from ridgesplines.exceptions import ConvergenceWarning, ProblemError, warn
from ridgesplines.interrupt import stoppable, until
from ridgesplines.losses.quantile import Quantile
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import SUM, objective, objective_rounding, resolution
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.base import require_seconds
from ridgesplines.solvers.progress import Bar, stage
from ridgesplines.solvers.univariate.solver import Univariate
from ridgesplines.validation import Array, real_array, rounded_up
from ridgesplines.verdict import Status

#: Functions count as in order up to this, relative to the spread of the targets.
FEASIBLE_RTOL = 1e-9
#: Fits one by one are in order up to this; where they cross by more they are solved together.
CROSSING_RTOL = 1e-11


@dataclass(frozen=True, eq=False)
class QuantileCurves:
    r"""Quantiles in order, :math:`f_1 \le \dots \le f_D` on all of R, and how near to the joint optimum they are.

    Attributes
    ----------
    problems : for each quantile its own problem; they share x, y and weights.
    networks : the RidgeSplines :math:`f_1, \dots, f_D`.
    multipliers : u (N, D) of the fits, in scaled units, and those of the order at the sites, (m, D - 1), and of the
        slopes beyond both ends, (D - 1,); zero where the quantiles do not cross if they are fitted one by one.
    value : the lower bound that the multipliers prove: no quantiles in order have a smaller objective.
    crossed : by how much quantiles that are fitted one by one cross between the first and the last datum, in units of
        y; zero where they are the answer, and where they cross beyond the data only.
    tolerance, status, seconds, history : as for a Solution.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> x = np.sort(rng.uniform(0.0, 1.0, 60))
    >>> curves = rs.solve_quantiles(x, x * rng.standard_normal(60), 0.2, [0.1, 0.5, 0.9])
    >>> curves.predict([0.0, 0.5, 1.0]).shape, bool(curves.relative_gap < 1e-6)
    ((3, 3), True)
    """

    problems: tuple[Problem, ...]
    networks: tuple[RidgeSpline, ...]
    multipliers: OrderMultipliers
    value: float
    crossed: float
    tolerance: float
    status: Status = Status.CONVERGED
    seconds: float = 0.0
    history: Mapping[str, Any] = field(default_factory=dict)

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The levels, increasing."""
        return tuple(p.loss.q for p in self.problems if isinstance(p.loss, Quantile))

    @cached_property
    def violation(self) -> float:
        """How far neighbours are out of order at a knot, or by their slopes beyond the ends over the range of x,
        relative to the spread of y."""
        p, spread = self.problems[0], float(np.ptp(self.problems[0].y)) or 1.0
        slopes = np.stack([net.pieces().slopes[[0, -1]] for net in self.networks], axis=1)
        crossed = -np.diff(self._values(_corners(self.networks)), axis=1)
        turned = np.concatenate([np.diff(slopes[0]), -np.diff(slopes[1])]) * (float(np.ptp(p.X)) or 1.0)
        return max(float(crossed.max(initial=0.0)), float(turned.max(initial=0.0))) / spread

    @cached_property
    def objective(self) -> float:
        """The sum of the D objectives; infinite where the order is violated by more than 1e-9, relatively."""
        if self.violation > FEASIBLE_RTOL:
            return float("inf")
        return sum(objective(p.reduced, net) for p, net in zip(self.problems, self.networks, strict=True))

    @cached_property
    def rounding(self) -> float:
        """What rounding may do to objective - value, with what the order is violated by."""
        scaling = standardise(self.problems[0])
        nets = [scaling.scaled_network(net) for net in self.networks]
        own = sum(objective_rounding(p.reduced, net) for p, net in zip(self.problems, self.networks, strict=True))
        return own + scaling.factor * _missed(scaling, self.multipliers, nets)

    @property
    def gap(self) -> float:
        """objective - value, or the rounding error that it may have where that is more; infinite where value is above
        objective by more than that: then nothing is proven."""
        gap = self.objective - self.value
        return float("inf") if gap < -self.rounding else max(gap, self.rounding)

    @property
    def relative_gap(self) -> float:
        """gap / objective, or over what a perfect fit costs where the objective is nearly zero."""
        gap, least = self.gap, sum(map(resolution, self.problems))
        return gap / max(self.objective, least) if np.isfinite(gap) else float("inf")

    def predict(self, X: Any) -> Array:
        """The quantiles at X, shape (N, D), not falling along a row: where they touch, rounding is taken off."""
        return np.maximum.accumulate(self._values(real_array("X", X).reshape(-1)), axis=1)

    def _values(self, x: Array) -> Array:
        return np.stack([net(x[:, None]) for net in self.networks], axis=1)

    def summary(self) -> str:
        """The result in a few lines."""
        p, levels = self.problems[0], ", ".join(f"{q:g}" for q in self.quantiles)
        knots = ", ".join(str(net.n_neurons) for net in self.networks)
        together = self.history.get("rounds")
        how = "together: one by one they cross " if together else "one by one, in order"
        if not together and self.crossed:
            how = "side by side, since there was no time to fit those that cross together"
        if together:
            how += f"by up to {self.crossed:.3g} among the data" if self.crossed else "beyond the data"
        return "\n".join(
            (
                f"quantiles     {levels} of N = {p.n_samples} data, {self.status}",
                f"knots         {knots}",
                f"fitted        {how}",
                f"objective     {self.objective:.8g}",
                f"relative gap  {rounded_up(self.relative_gap)} (certified: no quantiles in order have an objective "
                "lower by more than this)",
            )
        )


def solve_quantiles(
    x: Any,
    y: Any,
    lam: Any,
    quantiles: Any,
    sample_weight: Any = None,
    tol: float = 1e-7,
    max_time: float = float("inf"),
    verbose: bool = False,
) -> QuantileCurves:
    r"""Several conditional quantiles at once, as linear splines that do not cross anywhere.

    .. math:: \min_{f_1 \le \dots \le f_D} \; \sum_{d=1}^D \Big[\sum_{n=1}^N s_n L_{q_d}(y_n, f_d(x_n))
              + \lambda_d \,\|D^2 f_d\|_M\Big]

    with the pinball loss :math:`L_q`. The order holds on all of R, not only at the data.

    Parameters
    ----------
    x, y : shape (N,) or (N, 1), and (N,).
    lam : :math:`\lambda`, one for all quantiles or one for each, positive, as for a Problem with Quantile.
    quantiles : the levels q, between 0 and 1, increasing.
    sample_weight : shape (N,), nonnegative; ones by default.
    tol : the relative gap to reach.
    max_time : seconds, after which the best so far is returned, in order, with its gap; a linear program is finished.
    verbose : whether a bar on standard error says how far it is; where that is no terminal, nothing is printed.

    Returns
    -------
    QuantileCurves
        Networks with their own knots each, and the proof of how near to the joint optimum they are.

    Raises
    ------
    ProblemError
        For more than one feature, and for what is no problem.

    Notes
    -----
    Without the order these are D problems: they are solved first, and are the answer if they do not cross. If they do,
    linear programs over all of them follow. Knots at the data are enough: the linear interpolant of each
    :math:`f_d` at the data, with its slopes at infinity beyond them, has no larger norm and the same loss, and keeps
    the order, which holds everywhere if it holds at the data and for the slopes beyond. (The outermost knots may be at
    the first and the last datum.) Multipliers of these inequalities prove the optimum, see
    :mod:`ridgesplines.certificate.ordered`. 10 000 data and 7 quantiles take some seconds.

    Everywhere is more than at the data: beyond them straight lines keep their order only if they are parallel or part.

    References
    ----------
    .. [1] R. Koenker, P. Ng, S. Portnoy, Quantile smoothing splines, Biometrika 81 (1994), 673-680,
       doi:10.1093/biomet/81.4.673
    .. [2] H. D. Bondell, B. J. Reich, H. Wang, Noncrossing quantile regression curve estimation, Biometrika 97 (2010),
       825-838, doi:10.1093/biomet/asq048

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> rng = np.random.default_rng(0)
    >>> x = np.sort(rng.uniform(0.0, 1.0, 60))
    >>> curves = rs.solve_quantiles(x, x * rng.standard_normal(60), 0.2, [0.1, 0.5, 0.9])
    >>> bool((np.diff(curves.predict(np.linspace(-9.0, 9.0, 100)), axis=1) >= 0.0).all())
    True
    """
    require_seconds("max_time", max_time)
    end = (began := time.perf_counter()) + max_time
    problems = _problems(x, y, lam, quantiles, sample_weight)
    scaling = standardise(problems[0])
    at, rows = np.unique(scaling.problem.X[:, 0], return_inverse=True)
    posed = [scaling.problem.with_loss(p.loss).with_lam(scaling.lam(p.lam)) for p in problems]
    crossed, history = 0.0, dict[str, Any](rounds=0)
    with Bar(verbose, len(problems) + 1, max_time):
        networks, multipliers = _one_by_one(problems, scaling, len(at), end)
        own = QuantileCurves(problems, networks, multipliers, 0.0, 0.0, tol)
        if own.violation > CROSSING_RTOL:
            crossed = _crossing(own)
            stage("in order")
            starts = [scaling.scaled_network(net) for net in networks]
            found, multipliers, history = _in_order(posed, at, rows.reshape(-1), starts, multipliers, end)
            networks = tuple(map(scaling.network, found))
    bound = order_bound(posed, at, rows.reshape(-1), multipliers)
    parts = problems, networks, bound.multipliers, scaling.factor * bound.value, crossed, tol
    curves = QuantileCurves(*parts, seconds=time.perf_counter() - began, history=history)
    return _judged(curves, f"after max_time = {max_time:.3g} s" if time.perf_counter() > end else "")


def _in_order(
    posed: Sequence[Problem],
    at: Array,
    rows: NDArray[np.intp],
    starts: Sequence[RidgeSpline],
    multipliers: OrderMultipliers,
    end: float,
) -> tuple[list[RidgeSpline], OrderMultipliers, dict[str, Any]]:
    """The joint optimum; or where time is over before the first, the middle curve moved up and down, in order."""
    from ridgesplines.solvers.ordered.solver import ordered  # few quantiles cross

    try:
        with until(end), stoppable():
            networks, multipliers, count = ordered(posed, at, rows, starts)
        return networks, multipliers, {"rounds": count}
    except KeyboardInterrupt:
        if time.perf_counter() <= end:
            raise
    middle, p = starts[len(starts) // 2], posed[0]
    levels = [each.loss.q for each in posed if isinstance(each.loss, Quantile)]
    left = p.y - middle(p.X)
    shifts = np.quantile(left, levels, weights=p.sample_weight, method="inverted_cdf")
    return [middle.changed(offset=middle.offset + shift) for shift in shifts], multipliers, {"rounds": 0}


def _one_by_one(
    problems: Sequence[Problem], scaling: Scaling, m: int, end: float
) -> tuple[tuple[RidgeSpline, ...], OrderMultipliers]:
    """The networks of the problems without order, and their dual vectors, in scaled units, with m sites."""
    answers = []
    for q, problem in enumerate(problems, 1):
        stage(f"quantile {q} of {len(problems)}")
        solver = Univariate(max_time=max(end - time.perf_counter(), 1e-9))
        answers.append(next(iter(solver.path(problem, [problem.lam]))))
        if answers[-1].interrupted and time.perf_counter() <= end:
            raise KeyboardInterrupt
    nothing = np.zeros(problems[0].n_samples)
    duals = [(a.dual if isinstance(a.dual, np.ndarray) else nothing)[scaling.rows] for a in answers]
    pairs = len(problems) - 1
    fits = scaling.size / scaling.factor * np.stack(duals, axis=1)
    multipliers = OrderMultipliers(fits, np.zeros((m, pairs)), np.zeros(pairs), np.zeros(pairs))
    return tuple(answer.network for answer in answers), multipliers


def _judged(curves: QuantileCurves, stopped: str) -> QuantileCurves:
    """The curves with their status, and a warning where the gap is not what was asked for, with what `stopped` them."""
    if curves.relative_gap <= curves.tolerance:
        return curves
    over, remedy = (f", {stopped}", "Allow more time, or a larger lam.") if stopped else ("", "Try a larger lam.")
    warn(
        f"The quantiles reached a relative gap of {curves.relative_gap:.1e}, not {curves.tolerance:.0e}{over}. "
        f"The best found are returned. {remedy}",
        ConvergenceWarning,
    )
    history = {**curves.history, "stopped": stopped} if stopped else curves.history
    return replace(curves, status=Status.NOT_CONVERGED, history=history)


def _problems(x: Any, y: Any, lam: Any, quantiles: Any, sample_weight: Any) -> tuple[Problem, ...]:
    """A problem for each quantile."""
    levels = np.atleast_1d(real_array("quantiles", quantiles))
    if levels.ndim != 1 or not levels.size or not (np.diff(levels) > 0.0).all():
        remedy = "Pass quantiles=[0.1, 0.5, 0.9]."
        raise ProblemError("quantiles", "increasing numbers between 0 and 1, shape (D,)", f"{quantiles!r}", remedy)
    lams = np.atleast_1d(real_array("lam", lam))
    if lams.shape not in ((1,), levels.shape):
        expected = f"one number, or one for each of the {len(levels)} quantiles"
        raise ProblemError("lam", expected, f"shape {lams.shape}", "Pass lam=1.0, the same for all.")
    lams = np.broadcast_to(lams, levels.shape)
    first = Problem(x, y, float(lams[0]), Quantile(float(levels[0])), sample_weight=sample_weight)
    if first.n_features != 1:
        remedy = "Fit one quantile at a time, which may cross."
        raise ProblemError("x", "one feature, shape (N,) or (N, 1)", f"{first.n_features} features", remedy)
    return tuple(first.with_loss(Quantile(float(q))).with_lam(float(own)) for q, own in zip(levels, lams, strict=True))


def _crossing(curves: QuantileCurves) -> float:
    """By how much neighbours cross between the first and the last datum, in units of y."""
    x = curves.problems[0].X[:, 0]
    at = np.concatenate([_corners(curves.networks), [x.min(), x.max()]])
    at = at[(x.min() <= at) & (at <= x.max())]
    return float(np.max(-np.diff(curves._values(at), axis=1), initial=0.0))


def _corners(networks: Sequence[RidgeSpline]) -> Array:
    """All knots; zero where there are none. Between them, and beyond, all functions are straight."""
    knots = np.unique(np.concatenate([net.breakpoints for net in networks]))
    return knots if len(knots) else np.zeros(1)


def _missed(scaling: Scaling, multipliers: OrderMultipliers, networks: Sequence[RidgeSpline]) -> float:
    """By how much, in scaled units, rounding and a violated order may raise value above the networks' objective."""
    p = scaling.problem
    at, rows = np.unique(p.X[:, 0], return_inverse=True)
    values = np.stack([net(at[:, None]) for net in networks], axis=1)
    slopes = np.stack([net.pieces().slopes[[0, -1]] for net in networks], axis=1)
    order = float((multipliers.sites * np.maximum(-np.diff(values, axis=1), 0.0)).sum())
    order += float(multipliers.left @ np.maximum(np.diff(slopes[0]), 0.0))
    order += float(multipliers.right @ np.maximum(-np.diff(slopes[1]), 0.0))
    masses = np.abs(multipliers.masses(rows.reshape(-1))).sum(axis=0)
    ends = np.abs(values).max(axis=0) + np.abs(slopes[0])
    size = np.array([net.seminorm for net in networks])
    sums = float(masses @ (ends + 2.0 * size)) + 2.0 * float((np.abs(multipliers.fit).T @ np.abs(p.y)).sum())
    return order + SUM * sums
