r"""A lower bound on the optimum of a problem, in any dimension, with its proof."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import Deferral
from ridgesplines.oracle.containment import MAX_POINTS, distinct_points, nothing, unit_points
from ridgesplines.oracle.flows import Containment, Flow
from ridgesplines.problem import Problem
from ridgesplines.relaxation.joint import Relaxed, relax
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.validation import Array, frozen, real_number

REMEDY = "solution.certify() proves what it can of any fit."


@dataclass(frozen=True, eq=False)
class LowerBound:
    r"""A lower bound on the optimum of a problem, and its proof.

    Attributes
    ----------
    problem : the problem; of one with scales the `isotropic` form, which has the same optimum and the same u.
    dual : u, orthogonal to [1 X], shape (N,); zero in rows of weight zero.
    forth, back : flows between the distinct points that bound :math:`\eta` and :math:`-\eta`.
    directions : of neurons at which :math:`|\eta|` may be large, shape (m, d): the axes of the ellipsoids.
    seconds : what it took.

    Notes
    -----
    `value` and everything else is computed from these: nothing is taken over from whoever found them.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((20, 4))
    >>> bound = rs.lower_bound(rs.Problem(X, X[:, 0] ** 2, lam=1.0))
    >>> bool(bound.scale * bound.proof.bound <= 1.0 + 1e-9)
    True
    """

    problem: Problem
    dual: Array
    forth: Flow
    back: Flow
    directions: Array
    seconds: float = 0.0

    @cached_property
    def proof(self) -> Containment:
        r"""The proof of :math:`\sup |\eta| \le` `sup`, which can be saved and checked without the problem."""
        points, place = distinct_points(self.problem.reduced.X)
        return Containment(points, np.bincount(place, self._dual, len(points)), self.forth, self.back)

    @cached_property
    def sup(self) -> float:
        r"""The proven bound on :math:`\sup |\eta|`."""
        return self.proof.bound

    @cached_property
    def scale(self) -> float:
        """tau, for which D(tau u) is largest with tau `sup` at most lam."""
        return best_scale(self.problem.reduced, self._dual, self.sup)[0]

    @cached_property
    def value(self) -> float:
        """D(tau u): no function has a smaller objective."""
        return best_scale(self.problem.reduced, self._dual, self.sup)[1]

    @property
    def _dual(self) -> Array:
        return self.dual[self.problem.rows]

    def __repr__(self) -> str:
        return f"LowerBound({self.value:.10g}, sup|eta| <= {self.sup:.6g}, {self.seconds:.2f} s)"


def lower_bound(problem: Problem, max_time: float = 60.0, verbose: bool = False) -> LowerBound:
    r"""A proven lower bound on the optimum, in any dimension, in polynomial time.

    .. math:: \max_u \; -\sum_n s_n L^*(y_n, -u_n/s_n) \quad \text{where flows prove that } |\eta| \le \lambda

    Parameters
    ----------
    problem : ReLU, one output, no constraints and no interactions; any loss.
    max_time : seconds, positive; it ends earlier where the bound is within 3e-4 of the best that flows prove.
    verbose : whether a line is printed to standard error where more is proven.

    Returns
    -------
    LowerBound
        With its dual vector and its proof. For some u near the optimum the bound on the supremum is a fifth too large,
        say: the best u for which that is not so is found with it, so that bounds are some percent below the optimum,
        fewer for larger lam and fewer data.

    Raises
    ------
    SolverRefusal
        For more than 3000 distinct points, other activations, vector outputs, constraints and interactions.
    ProblemError
        For a `max_time` that is no positive number; where the problem has no minimiser.

    Notes
    -----
    A convex relaxation: f is a difference of convex functions whose gradients lie in an ellipsoid of trace one times
    their size, see :class:`ridgesplines.oracle.Containment`. An interior-point method whose steps cost
    O(n m^2 d + n^3) for n distinct points that may flow to m others each.

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((40, 10))
    >>> problem = rs.Problem(X, np.abs(X[:, 0]), lam=2.0)
    >>> bound, solution = rs.lower_bound(problem), rs.solve(problem)
    >>> bool(0.8 * solution.objective < bound.value <= solution.objective)
    True
    """
    real_number("max_time", max_time, "a positive number of seconds", 0.0, open_=True)
    if (reason := refused(problem)) is not None:
        raise reason
    problem = problem.isotropic
    require_minimiser(problem.reduced)
    search = _Search(standardise(problem), verbose)
    with Deferral(answers=True), suppress(KeyboardInterrupt):  # what is proven so far stays proven
        search.begin()
        relax(*search.instance, 0, search.began + max_time, search.prove)
    return search.found(problem)


class _Search:
    """The best of the iterates, in scaled units."""

    def __init__(self, scaling: Scaling, verbose: bool) -> None:
        self.scaling, self.verbose, p = scaling, verbose, scaling.problem
        self.distinct, self.place = distinct_points(p.X)
        points, self.unit, self.span = unit_points(self.distinct)
        # In points of radius one a neuron of unit weight is `unit` times as steep.
        self.instance = p.with_lam(p.lam / self.unit), points, self.place
        self.dual, self.value, self.began = np.zeros(p.n_samples), -np.inf, time.perf_counter()
        self.forth = self.back = nothing(points)
        self.axes = np.empty((0, points.shape[1]))

    def begin(self) -> None:
        """The dual vector of the affine fit, without any flows: all there is where every function is affine."""
        answer = affine_fit(self.scaling.problem)
        if answer is not None:
            self.prove(Relaxed(answer[1], self.forth, self.back, self.axes))

    def prove(self, iterate: Relaxed) -> float:
        """The bound that an iterate proves, the best of which is kept."""
        p = self.scaling.problem
        u, _ = projected(p, iterate.dual)
        proof = Containment(self.distinct, np.bincount(self.place, u, len(self.distinct)), iterate.forth, iterate.back)
        value = best_scale(p, u, proof.bound)[1]
        if value > self.value:
            self.dual, self.value, self.axes = u, value, iterate.axes
            self.forth, self.back = iterate.forth, iterate.back
            if self.verbose:
                passed = time.perf_counter() - self.began
                line = f"lower bound  {passed:7.2f} s  {self.scaling.factor * value:.10g}"
                print(line, file=sys.stderr, flush=True)
        return value

    def found(self, problem: Problem) -> LowerBound:
        """The best bound, in the problem's units."""
        unit = self.scaling.factor / self.scaling.size
        forth, back = (Flow(flow.to, unit * flow.amounts, flow.shares) for flow in (self.forth, self.back))
        dual = frozen(self.scaling.dual(self.dual))
        directions, seconds = frozen(self.axes @ self.span), time.perf_counter() - self.began
        return LowerBound(problem, dual, forth, back, directions, seconds)


def refused(problem: Problem) -> SolverRefusal | None:
    """Why a problem has no such bound, or None."""
    expected, got = None, ""
    if not isinstance(problem.activation, ReLU):
        expected, got = "the activation ReLU()", repr(problem.activation)
    elif problem.n_outputs is not None:
        expected, got = "one output", f"D = {problem.n_outputs}"
    elif problem.constraints:
        expected, got = "no constraints", ", ".join(map(repr, problem.constraints))
    elif problem.slope_penalty:
        expected, got = "slope_penalty=0", f"{problem.slope_penalty:g}"
    elif problem.interactions is not None:
        expected, got = "no interactions", problem.interactions.words(problem.feature_names)
    elif (n := len(np.unique(problem.reduced.X, axis=0))) > MAX_POINTS:
        expected, got = f"at most {MAX_POINTS} distinct points", f"{n}"
    return None if expected is None else SolverRefusal("lower_bound", expected, got, REMEDY)
