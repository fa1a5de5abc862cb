"""Problem (17), one dimension, at any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.amplitudes.design import design, fitted_alone
from ridgesplines.amplitudes.extreme_points import merged
from ridgesplines.amplitudes.linear_program import linear_program
from ridgesplines.certificate.certificate import certify
from ridgesplines.exceptions import ProblemError, SolverRefusal
from ridgesplines.interrupt import overdue, stoppable
from ridgesplines.network.connecting import connecting
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.neurons.dictionary import Dictionary
from ridgesplines.numerics.polynomials import affine_least_squares
from ridgesplines.objective import objective, objective_rounding, perfect_fit, targets_and_fit
from ridgesplines.oracle import peaks_oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.base import Answer, Solver, in_time, no_affine_penalty, require_limits
from ridgesplines.solvers.exchange import best_of, exchange
from ridgesplines.solvers.univariate.data import Line
from ridgesplines.solvers.univariate.interpolate import connect
from ridgesplines.solvers.univariate.kinked import ROUGH, capped, kinked, nearby_line, straight_fit
from ridgesplines.solvers.univariate.knots import Knots, with_ends
from ridgesplines.solvers.univariate.moments import kinks
from ridgesplines.solvers.univariate.progress import Progress
from ridgesplines.solvers.univariate.refine import refined_duals
from ridgesplines.solvers.univariate.smooth import smooth
from ridgesplines.validation import Array, real_number

#: Sites where |eta| comes this near to lam, relatively, may hold a knot.
CONTACT = 1e-5
#: The linear program for an extreme point is for at most this many of them.
MAX_CANDIDATES = 1000
#: A straight line is as good as a spline only where its objective is no further above.
NEAR_LINE = 1e-6
#: By how much of the objective of f = 0 a line's may be off, which an interior point finds to about 1e-10.
LINE_ATOL = 1e-9
#: The second method is for at most this many sites.
SECOND = 4000
#: Knots between sites are given up for those at sites where their rounding changes values by more, relatively.
FEW_DIGITS = 1e-11


@dataclass(frozen=True)
class Univariate(Solver):
    r"""Problem (17), d = 1, to its global optimum: linear splines at any size.

    .. math:: \min_{f \in BV^2(\mathbb{R})} \; \sum_n s_n L(y_n, f(x_n)) + \lambda \|D^2 f\|_M

    For D outputs the kinks are vectors, and the seminorm is the sum of their Euclidean norms.

    Parameters
    ----------
    tol : the relative gap to reach, between 1e-14 and 1; 1e-12 is reached for squared error at little cost. From 1e-4
        on, losses with kinks may be given far more knots than needed: to predict with, not to read.
    sparsest : whether, among all minimisers with these values at the data, one with the fewest knots is returned,
        with knots off the data where that takes fewer [2]_; otherwise, and for vector outputs, all are data sites.
    verbose : whether a line is printed to standard error in every round.
    max_time : seconds for each lam, after which the best so far is returned, with its certificate: a round and a pass
        over the data are finished.
    total_time : seconds for all lams of a path together; it ends with the lam at which these are over.

    Notes
    -----
    Any loss. The solution has its knots at data sites, so the problem is finite. Squared error: an exchange method,
    O(N) for each of some five rounds; with D outputs O(N D), and with K knots O(K D^3) for each of some ten Newton
    steps a round. Logistic, Poisson, Softmax: Newton's method over it. Absolute, Quantile, Hinge and Huber: a banded
    interior point over candidate knots, and an active set for exact zeros.
    Interpolation: closed form. With constraints: without them first; where that violates them, the exchange method with
    active sets over bends, slopes and values for Squared, Logistic and Poisson, and over linear programs on few knots
    for losses with kinks, by Clarabel and HiGHS; all sites at once, in CVXPY, where these do not reach the tolerance.
    Points closer than 1e-14 of the half-width of the data share a knot. With numba installed (the extra ``[fast]``) the
    passes over the data are compiled: from 20 000 points on, and for fewer once numba has been loaded, which takes half
    a second.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (17), (18), doi:10.1109/MSP.2023.3286988
    .. [2] T. Debarre, Q. Denoyelle, M. Unser, J. Fageot, Sparsest piecewise-linear regression of one-dimensional
       data, J. Comput. Appl. Math. 406 (2022), doi:10.1016/j.cam.2021.114044

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(0.0, 1.0, 1000)
    >>> problem = rs.Problem(x, np.abs(x - 0.5), lam=0.1)
    >>> solution = rs.solve(problem, rs.Univariate(tol=1e-12))
    >>> solution.network.n_neurons <= 2, solution.relative_gap <= 1e-12
    (True, True)
    """

    tol: float = 1e-8
    sparsest: bool = True
    verbose: bool = False
    max_time: float = field(default=float("inf"), repr=False)
    total_time: float = field(default=float("inf"), repr=False)

    def __post_init__(self) -> None:
        real_number("tol", self.tol, "a number between 1e-14 and 1", 1e-14, 1.0)
        require_limits(self.max_time, self.total_time)

    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """A refusal of more than one dimension, vector outputs of a loss with kinks, other activations; or None."""
        if (reason := no_affine_penalty(self, problem)) is not None:
            return reason
        expected, got = None, None
        if problem.n_features != 1:
            expected, got = "one feature, d = 1", f"d = {problem.n_features}"
        elif problem.n_outputs is not None and not problem.loss.smooth:
            expected, got = "one output, or a smooth loss", f"{problem.loss!r} with D = {problem.n_outputs} outputs"
        elif not isinstance(problem.activation, ReLU):
            expected, got = "the activation ReLU()", repr(problem.activation)
        elif not (problem.loss.smooth or problem.loss.interpolates) and problem.loss.box(problem.y) is None:
            expected, got = "at most one kink a row", repr(problem.loss)
        if expected is None or got is None:
            return None
        return SolverRefusal("Univariate", expected, got, "Use solver=rs.Grid(), which takes it.")

    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam, from the knots of the one before."""
        if problem.constraints:
            from ridgesplines.solvers.constrained.path import constrained_path  # few problems need it

            free = replace(self, sparsest=False).path
            return in_time(
                constrained_path(problem, lams, free, self.tol, self.sparsest), self.max_time, self.total_time
            )
        return in_time(self._path(problem, lams), self.max_time, self.total_time)

    def _path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        scaling = standardise(problem)
        require_minimiser(scaling.problem)
        line = Line.of(scaling.problem)
        knots: Knots | None = None
        hidden, straight = _may_hide_a_line(line), None
        if len(line.sites) < 3:
            straight = self._straight(problem, scaling)
        least = _near_least_of_lines(line) if hidden else np.inf
        for lam in lams:
            posed = problem.with_lam(lam)
            if len(line.sites) < 3 and straight is not None:
                yield replace(straight, problem=posed)
                continue
            progress = Progress(f"lam = {lam:.6g}" if self.verbose else None, scaling.factor, self.tol)
            try:
                with stoppable():
                    self._fit(line, scaling.lam(lam), knots, progress)
                    answer = self._answer(posed, scaling, line, progress)
                    if not line.loss.smooth and self.tol < progress.gap < np.inf:
                        answer = self._second_method(answer, scaling, line)
                    answer = _with_last_digits(answer, scaling, line)
            except KeyboardInterrupt:
                answer = replace(self._answer(posed, scaling, line, progress), interrupted=True)
            if hidden and least <= (1.0 + NEAR_LINE) * progress.objective:
                straight = straight or self._straight(problem, scaling)
                answer = _no_worse(answer, straight)
            hidden = hidden and not answer.network.n_neurons  # once the spline bends it bends for every smaller lam
            knots = progress.knots if progress.knots is not None and len(progress.knots.active) else None
            ended = answer.interrupted and not overdue()
            yield answer
            if ended:
                return

    def _fit(self, line: Line, lam: float, start: Knots | None, progress: Progress) -> None:
        loss = line.loss
        if loss.interpolates:
            knots, dual = connect(line, lam)
            progress.report(knots, dual, 0.0, 0.0)
        elif _has_kinks(line):
            kinked(line, lam, self.tol, start, progress)
            if not loss.smooth and self.tol < ROUGH:
                _vertex(line, lam, progress)
        else:
            smooth(line, lam, self.tol, start, progress)

    def _answer(self, problem: Problem, scaling: Scaling, line: Line, progress: Progress) -> Answer:
        """The best so far, in the problem's units."""
        knots = progress.latest or progress.knots or _line_through(line)
        # Sites are numbers of the data, to the last bit; the scaled ones are not.
        rows = scaling.rows if line.first is None else scaling.rows[line.first]
        x, values = problem.X[rows[knots.nodes(len(line.sites))], 0], scaling.size * knots.theta
        history: dict[str, Any] = {"rounds": progress.rounds, "knots at data sites": len(knots.active)}
        # The pieces on both sides of a gap between sites meet in it in every output only where all kinks are parallel.
        moves = self.sparsest and problem.n_outputs is None
        t = merged(problem.sites, x[1:-1], kinks(x, values))[0] if moves else x[1:-1]
        network = _through_knots(t, x, values, scaling)
        if len(t) < len(x) - 2 and _rounds(network) > FEW_DIGITS * np.ptp(values):
            at_sites, p = _through_knots(x[1:-1], x, values, scaling), problem.reduced
            if _at_most(p, at_sites) < (1.0 - self.tol) * _at_most(p, network):
                network = at_sites
                history["sparsest"] = "left at the data sites: between sites this close a knot has too few digits"
        if problem.loss.interpolates and not np.isfinite(objective(problem.reduced, network)):  # more than 1e-9 off
            raise _too_steep(problem)
        u = None if progress.dual is None else scaling.dual(progress.dual)
        if u is None and not problem.loss.smooth:
            u = np.zeros(problem.n_samples)  # nothing is known of it yet
        late = None
        if line.loss.quadratic and progress.knots is not None:
            late = partial(_dual_of, scaling, line, progress.knots)
        return Answer(problem, network, u, None, self.tol, history, late=late)

    def _second_method(self, answer: Answer, scaling: Scaling, line: Line) -> Answer:
        """The second method, where rounding stopped the first: the working set of `polish`, by linear programs."""
        if len(line.sites) > SECOND:
            return answer
        lam = scaling.lam(answer.problem.lam)
        p = Problem(line.t, line.y, lam, line.loss, sample_weight=capped(line, lam))
        offered = Dictionary(np.ones((1, 1)), (line.sites[1:-1],))
        polished = best_of(exchange(p, fitted_alone(p, np.zeros(p.n_samples)), peaks_oracle(p.X, offered)))
        if polished is None:
            return answer
        found = self._answer(answer.problem, scaling, line, Progress(None, knots=_knots(line, polished.network)))
        p, networks = answer.problem, (answer.network, found.network)
        network = min(networks, key=partial(objective, p.reduced))
        duals = [answer.dual, scaling.dual(line.original(polished.dual))]
        best = max(duals, key=lambda u: certify(p, network, u).value)
        return replace(answer, network=network, dual=best, history={**answer.history, "second method": True})

    def _straight(self, problem: Problem, scaling: Scaling) -> Answer:
        """A best straight line."""
        fit, dual = _affine(scaling.problem)
        slope, offset = affine_least_squares(scaling.problem.X, fit)
        x, t = (np.array([each.min(), each.max()]) for each in (problem.X[scaling.rows, 0], scaling.problem.X[:, 0]))
        if x[0] == x[1]:
            network = scaling.network(RidgeSpline(np.empty((0, 1)), [], np.empty((0, *offset.shape)), slope, offset))
        else:
            network = _connected(x, scaling.size * (np.multiply.outer(t, slope[0]) + offset), scaling)
        return Answer(problem, network, scaling.dual(dual), None, self.tol, {"rounds": 0})


def _affine(problem: Problem) -> tuple[Array, Array]:
    """Fit and dual vector of a best straight line, in scaled units; for interpolation, of the only candidate."""
    if problem.loss.interpolates:
        return np.zeros(len(problem.y)), np.zeros(len(problem.y))
    answer = affine_fit(problem, nearby=nearby_line(problem))
    assert answer is not None  # every straight line is feasible
    return answer


def _dual_of(scaling: Scaling, line: Line, knots: Knots) -> Array:
    """The dual vector of a spline under squared error, in the problem's units."""
    return scaling.dual(line.squares(knots, np.inf).u)


def _no_worse(answer: Answer, straight: Answer) -> Answer:
    """The straight line, with the other's dual vector, where its objective is no larger up to the tolerance."""
    p = answer.problem
    primal, other = (objective(p.reduced, net) for net in (answer.network, straight.network))
    if other <= primal + 0.01 * answer.tolerance * abs(primal) + perfect_fit(p.reduced, straight.network):
        return replace(answer, network=straight.network)
    return answer


def _with_last_digits(answer: Answer, scaling: Scaling, line: Line) -> Answer:
    """The answer with the dual vector of `refined_duals`, where another one leaves too large a gap."""
    p, loss = answer.problem, line.loss
    if loss.smooth or loss.interpolates or answer.dual is None or not 2 < len(line.sites) <= SECOND:
        return answer
    primal = objective(p.reduced, answer.network)
    bound = certify(p, answer.network, answer.dual).value
    if primal - bound <= answer.tolerance * abs(primal) + perfect_fit(p.reduced, answer.network):
        return answer
    duals = [answer.dual, *map(scaling.dual, refined_duals(line, scaling.lam(p.lam)))]
    best = max(duals, key=lambda u: certify(p, answer.network, u).value)
    return replace(answer, dual=best, history={**answer.history, "last digits": best is not answer.dual})


def _vertex(line: Line, lam: float, progress: Progress) -> None:
    """Report an extreme point of the minimisers, by a linear program on the sites where the certificate touches lam.

    A loss with kinks may have many minimisers. Then an interior point ends in their middle, with knots everywhere, and
    the active set, which asks for one answer, may find none.
    """
    if progress.knots is None or progress.dual is None:
        return
    contact = 1 + np.flatnonzero(np.abs(line.certificate(progress.dual)[1:-1]) >= lam * (1.0 - CONTACT))
    if not 0 < len(contact) <= MAX_CANDIDATES or len(progress.knots.active) <= len(contact):
        return  # the active set has succeeded
    problem = Problem(line.t, line.y, lam, line.loss, sample_weight=line.weight)
    matrices, _ = design(problem, np.ones((len(contact), 1)), line.sites[contact])
    answer = linear_program(problem, matrices, nearby=line.spline(progress.knots))
    if answer is None:
        return
    theta, amplitudes, _ = answer
    bent = np.flatnonzero(amplitudes)
    knots = Knots(contact[bent], np.sign(amplitudes[bent]), theta[np.concatenate([[0], 1 + bent, [-1]])])
    if len(bent) < len(progress.knots.active):
        progress.report(knots, progress.dual, line.objective(knots, line.spline(knots), lam), -np.inf)


def _may_hide_a_line(line: Line) -> bool:
    """Whether a straight line may be as good as a spline that bends, and the method for the loss would not see it.

    Only smooth losses look there first; and where y is a straight line up to rounding, that is too much bending.
    """
    return _is_straight(line) or _has_kinks(line)


def _is_straight(line: Line) -> bool:
    """Whether y is a straight line up to rounding; the line's y is what y has beside the best one."""
    return line.loss.translates and float(max(line.y.max(), -line.y.min())) <= 1e-13


def _near_least_of_lines(line: Line) -> float:
    """The least objective of a straight line, less what it may be off by; minus infinity where nothing is known of it.

    A best line itself takes a linear program, which most paths do not need.
    """
    if line.loss.interpolates or not _has_kinks(line) or _is_straight(line) or len(line.sites) < 3:
        return -np.inf
    return line.data_fit(straight_fit(line)) - LINE_ATOL * line.data_fit(np.zeros(len(line.t)))


def _has_kinks(line: Line) -> bool:
    return line.loss.interpolates or line.loss.box(line.y[:1]) is not None


def _at_most(problem: Problem, network: RidgeSpline) -> float:
    """The objective, with the rounding error that it may have."""
    fit = targets_and_fit(problem, network)
    return objective(problem, network, fit) + objective_rounding(problem, network, fit)


def _rounds(network: RidgeSpline) -> float:
    """By how much the rounding of its knots may change the values of a spline."""
    return float((np.spacing(np.abs(network.biases)) * group_norms(network.amplitudes)).max(initial=0.0))


def _knots(line: Line, network: RidgeSpline) -> Knots:
    """A network in scaled units whose knots are sites, as its values there."""
    active = np.unique(np.searchsorted(line.sites, network.breakpoints))
    nodes = with_ends(active, len(line.sites))
    theta = network.at(line.sites[nodes])
    return Knots(active, np.sign(kinks(line.sites[nodes], theta)), theta)


def _too_steep(problem: Problem) -> ProblemError:
    """Slopes and an offset at x = 0 are numbers of 16 digits: a network of them misses the data by their rounding."""
    x, y = problem.reduced.X[:, 0], problem.reduced.y
    x, first = np.unique(x, return_index=True)
    steepest = int(np.argmax(np.abs(np.diff(y[first]) / np.diff(x))))
    return ProblemError(
        "X",
        "for Interpolation, points so far apart that slopes and offset have the digits to meet y to 1e-9 of its range",
        f"values {abs(y[first][steepest + 1] - y[first][steepest]):.3g} apart at x = {x[steepest]:g} and x + "
        f"{x[steepest + 1] - x[steepest]:.3g}",
        "Average points this near, subtract the middle of X from it, or use a loss such as Squared.",
    )


def _line_through(line: Line) -> Knots:
    """The straight line through both ends: the answer before the first round."""
    none = Knots.none(line.outputs)
    return none if line.y.shape[1:] != line.outputs else replace(none, theta=line.y[[0, -1]])


def _through_knots(t: Array, x: Array, values: Array, scaling: Scaling) -> RidgeSpline:
    """The spline through the points (x, values), rebuilt with the knots t, on some of x and between some others.

    A knot between x lies on the prolonged pieces on either side: the flatter one rounds less. The affine function
    that was taken off y is added.
    """
    i = np.searchsorted(x, t, side="right") - 1
    heights = values[i].copy()
    off = x[i] != t
    if off.any():  # scalar fits only
        j, slopes = i[off], np.diff(values) / np.diff(x)
        left, right = slopes[j - 1], slopes[j + 1]
        from_left, from_right = values[j] + left * (t[off] - x[j]), values[j + 1] - right * (x[j + 1] - t[off])
        heights[off] = np.where(np.abs(left) <= np.abs(right), from_left, from_right)
    at, through = np.concatenate([x[:1], t, x[-1:]]), np.concatenate([values[:1], heights, values[-1:]])
    return _connected(at, through, scaling)


def _connected(t: Array, values: Array, scaling: Scaling) -> RidgeSpline:
    """The spline through points, and the affine function that was taken off y."""
    return RidgeSpline(*connecting(t, values, scaling.slope[0], scaling.middle, float(scaling.centre[0])))
