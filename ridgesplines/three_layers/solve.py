"""Three layers as one convex problem, by column generation over functions."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import no_minimiser, recedes
from ridgesplines.certificate.dual import projected
from ridgesplines.exceptions import ConvergenceWarning, SolverRefusal, warn
from ridgesplines.interrupt import Deferral, asked, late
from ridgesplines.numerics.polynomials import least_squares
from ridgesplines.objective import dual_of_fit, objective_of_fit, relative
from ridgesplines.problem import Problem
from ridgesplines.three_layers.search import FunctionSearch, Unit
from ridgesplines.three_layers.solution import ThreeLayerSolution, scaled_value
from ridgesplines.three_layers.units import Fit, merged, refitted
from ridgesplines.validation import Array, frozen, real_number, whole_number
from ridgesplines.verdict import Status

#: A rise over lam, relative, that is none.
ABOVE = 1e-7


def solve_three_layers(
    problem: Problem,
    *,
    skip: bool = True,
    tol: float = 1e-3,
    starts: int = 16,
    max_time: float = 60.0,
    start: ThreeLayerSolution | None = None,
    random_state: int = 0,
) -> ThreeLayerSolution:
    r"""Two hidden layers as one convex problem, over measures on the functions that units of the second may see.

    .. math:: \min \; \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_j |v_j|, \qquad
              f(x) = \sum_j v_j\, \rho(g_j(x)) + c^T x + c_0, \quad \|g_j\|_\circ \le 1

    with :math:`\|g\|_\circ = \sum_k |a_k| \|w_k\|_2 + \sum_i |g(e_i) - g(0)|` for ridge splines g, whatever the number
    of units and of neurons in each.

    Parameters
    ----------
    problem : ReLU, one output, a smooth loss (Squared, Huber, Logistic, Poisson), no constraints, interactions, scales
        or penalty of the slope. The norm has the units of x, and sees where x is zero: scale X to size one.
    skip : whether the affine functions are free, as in (32); if not the constants alone, as in `deep_lower_bound`.
    tol : the relative gap to reach; it is an estimate, for the supremum over functions is searched.
    starts : activation patterns from which the search starts at most, for each sign.
    max_time : seconds, positive.
    start : a solution for the same data, from whose units to begin, such as one for another lam.
    random_state : seeds the search, a whole number >= 0.

    Returns
    -------
    ThreeLayerSolution
        Its gap is ``"searched"``.

    Raises
    ------
    ProblemError
        For arguments that are none, and where no minimiser exists: classes that a free function separates.
    SolverRefusal
        For problems of other kinds.

    Notes
    -----
    Convex over measures on the ball [1]_ [2]_, though each g is chosen from infinitely many. Optimal amplitudes of
    given units have a dual vector u, orthogonal to what is free; the optimum is reached where
    :math:`|\sum_n u_n \rho(g(x_n))| \le \lambda` for all g of the ball. The largest is searched by the convex-concave
    method, each step of which is a convex problem over neurons, solved by column generation; units above lam join.

    With ``skip=True`` the optimum is not above that of one hidden layer, problem (32) at the same lam, whose function
    is one unit g of norm at most its seminorm. A linear program of N rows and some hundred columns for each
    step, some hundred steps a round: seconds for N = 40, minutes for N = 200.

    References
    ----------
    .. [1] W. E, S. Wojtowytsch, On the Banach spaces associated with multi-layer ReLU networks,
       CSIAM Trans. Appl. Math. 1 (2020), doi:10.4208/csiam-am.20-211
    .. [2] F. Bartolucci, E. De Vito, L. Rosasco, S. Vigogna, Neural reproducing kernel Banach spaces and representer
       theorems for deep networks (2024), arXiv:2403.08750

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> x = np.linspace(-1.0, 1.0, 16)
    >>> problem = rs.Problem(x, np.abs(np.abs(x) - 0.5), lam=0.02)
    >>> deep, shallow = rs.solve_three_layers(problem), rs.solve(problem)
    >>> bool(deep.objective <= shallow.objective), deep.scope
    (True, 'searched')
    """
    began = time.perf_counter()
    if (reason := refused(problem)) is not None:
        raise reason
    real_number("tol", tol, "a positive number", 0.0, open_=True)
    real_number("max_time", max_time, "a positive number of seconds", 0.0, open_=True)
    for name, number, least in (("starts", starts, 1), ("random_state", random_state, 0)):
        whole_number(name, number, least)
    rounds = Rounds(problem, skip, tol, FunctionSearch(problem.reduced.X, int(starts), int(random_state)))
    if start is not None:
        rounds.begin_at(start)
    with Deferral(answers=True):
        rounds.run(began + max_time)
    solution = rounds.solution(began)
    if solution.status == Status.NOT_CONVERGED:
        reached = f"ended after {max_time:g} s at a relative gap of {solution.relative_gap:.1e} (asked: {tol:.0e})"
        remedy = "The best found is returned. Pass a larger max_time or tol."
        warn(f"solve_three_layers {reached}, by a search that had no time to finish. {remedy}", ConvergenceWarning)
    return solution


def refused(problem: Problem) -> SolverRefusal | None:
    """The reason for which a problem is none of this kind."""
    p = problem
    found = [
        (not isinstance(p.activation, ReLU), "activation=ReLU()", repr(p.activation)),
        (p.in_blocks is not None, "rows in memory", "rows in blocks"),
        (p.in_blocks is None and p.n_outputs is not None, "one output", f"{p.n_outputs} outputs"),
        (not p.loss.smooth or p.loss.interpolates, "a smooth loss", repr(p.loss)),
        (bool(p.constraints), "no constraints", repr(list(p.constraints))),
        (p.interactions is not None, "no interactions", "interactions"),
        (p.scales is not None, "no scales", "scales"),
        (p.norm, "norm=False: its own norm leaves the constant free", "norm=True"),
        (p.penalise_bias, "penalise_bias=False", "True"),
        (bool(p.slope_penalty), "no penalty of the slope", f"slope_penalty={p.slope_penalty:g}"),
    ]
    for unfit, expected, got in found:
        if unfit:
            return SolverRefusal("solve_three_layers", expected, got, "rs.solve takes it, with one hidden layer.")
    return None


class Rounds:
    """Refit, search, join, until the search finds nothing that matters. All of the reduced problem."""

    def __init__(self, problem: Problem, skip: bool, tol: float, search: FunctionSearch) -> None:
        self.whole, self.problem, self.skip, self.tol, self.search = problem, problem.reduced, skip, tol, search
        n = self.problem.n_samples
        self.Q = self.problem.null_space if skip else np.full((n, 1), n**-0.5)
        if problem.loss.separable() and recedes(self.problem, self.Q):
            free, remedy = ("affine function", "pass skip=False") if skip else ("constant", "pass other rows as well")
            raise no_minimiser(problem, free, remedy, smooth=True)
        self.fit = Fit([], np.empty(0), np.zeros(self.Q.shape[1]), np.zeros(n))
        self.dual, self.status = np.zeros(n), Status.NOT_CONVERGED
        self.judged: tuple[Array, float] | None = None  # a dual vector, and the supremum that a search found for it
        self.history = defaultdict[str, list[float]](list)

    def begin_at(self, start: ThreeLayerSolution) -> None:
        """The units of another solution first."""
        units = [
            Unit(float(np.sign(v)), g, g.at(self.problem.X))
            for v, g in zip(start.amplitudes, start.functions, strict=True)
        ]
        self.fit = self.fit._replace(units=units, amounts=np.abs(start.amplitudes))

    def run(self, end: float) -> None:
        """Rounds until the gap is within the tolerance or the time is over; at least one."""
        while self.status == Status.NOT_CONVERGED:
            self._refit()
            gap, joining = self._price(False, end)
            if (not joining or gap <= self.tol) and not late(end):  # nothing else is called the end
                gap, joining = self._price(True, end)
            self.history["gap"].append(gap)
            if asked():
                self.status = Status.INTERRUPTED
            elif late(end):  # the search may have been cut short; what it found is used all the same
                if joining:
                    self._join(joining)
                    self._refit()
                break
            elif gap <= self.tol or not joining:
                self.status = Status.CONVERGED
            else:
                self._join(joining)

    def _join(self, units: list[Unit]) -> None:
        """Further units, of amount zero."""
        amounts = np.append(self.fit.amounts, np.zeros(len(units)))
        self.fit = self.fit._replace(units=self.fit.units + units, amounts=amounts)

    def _refit(self) -> None:
        """The best amounts of the units."""
        self.fit = refitted(self.problem, self.Q, self.fit.units, self.fit.amounts, self.fit.free)
        self.history["objective"].append(self._objective)
        self.dual = projected(self.problem, dual_of_fit(self.problem, self.fit.values), self.Q)[0]

    @property
    def _objective(self) -> float:
        return objective_of_fit(self.problem, self.fit.values, float(self.fit.amounts.sum()))

    def _price(self, thorough: bool, end: float) -> tuple[float, list[Unit]]:
        """The relative gap by what a search finds, and units above lam."""
        lam = self.problem.lam
        found = self.search(self.dual, self.fit.units, lam * (1.0 + ABOVE), thorough, end)
        if self.judged is None or not late(end):
            self.judged = self.dual, found.value
        elif self.judged[0] is self.dual:  # a search without time to finish lowers no estimate
            self.judged = self.dual, max(self.judged[1], found.value)
        gap = self._objective - scaled_value(self.problem, *self.judged)
        return relative(self.problem, gap, self._objective), found.units

    def solution(self, began: float) -> ThreeLayerSolution:
        """The function at hand, several units of one pattern as one."""
        p, fit = self.problem, merged(self.fit)
        signed = np.array([unit.sign for unit in fit.units]) * fit.amounts
        hidden = sum((v * np.maximum(unit.values, 0.0) for v, unit in zip(signed, fit.units, strict=True)), 0.0)
        slope, offset, _ = least_squares(p.X, fit.values - hidden, 1 if self.skip else 0)
        dual = np.zeros(self.whole.n_samples)
        assert self.judged is not None  # there was a round
        dual[self.whole.rows], sup = self.judged
        names = self.whole.feature_names
        functions = tuple(unit.function.changed(feature_names=names) for unit in fit.units)
        history: dict[str, Any] = {name: tuple(values) for name, values in self.history.items()}
        seconds, parts = time.perf_counter() - began, (functions, frozen(signed), frozen(slope), float(offset))
        return ThreeLayerSolution(self.whole, *parts, frozen(dual), sup, self.skip, self.status, history, seconds)
