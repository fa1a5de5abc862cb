r"""A lower bound on the optimum of a problem, in any dimension, with its proof."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import Deferral
from ridgesplines.oracle.base import COMPONENT_RTOL
from ridgesplines.oracle.containment import MAX_POINTS, nothing
from ridgesplines.oracle.containments import Containments, Flows, Group, proof_of
from ridgesplines.oracle.flows import Containment, Flow
from ridgesplines.problem import Problem
from ridgesplines.relaxation.joint import Relaxed, relax, shares
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.validation import Array, frozen, real_number

REMEDY = "solution.certify() proves what it can of any fit."


@dataclass(frozen=True, eq=False)
class LowerBound:
    r"""A lower bound on the optimum of a problem, and its proof.

    Attributes
    ----------
    problem : the problem; of one with scales the `isotropic` form, which has the same optimum and the same u.
    dual : u, orthogonal to [1 X], shape (N,) or (N, D); zero in rows of weight zero.
    flows : between the distinct points: for each group of features, one where all act together, and for each row of
        `basis` a pair of them, that bounds this component of :math:`\eta` and minus that.
    basis : orthonormal directions of the outputs, (r, D).
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
    flows: Sequence[Sequence[Flows]]
    basis: Array
    directions: Array
    seconds: float = 0.0

    @cached_property
    def proof(self) -> Containment | Containments:
        r"""The proof of :math:`\sup |\eta| \le` `sup`, which can be saved and checked without the problem."""
        return proof_of(groups_of(self.problem), self._dual, self.basis, self.flows)

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
    problem : ReLU, no constraints; any loss.
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
        For more than 3000 distinct points, each counted for every output and for every group of `interactions`; for
        other activations, constraints and a penalty of the slope.
    ProblemError
        For a `max_time` that is no positive number; where the problem has no minimiser.

    Notes
    -----
    A convex relaxation: f is a difference of convex functions whose gradients lie in an ellipsoid of trace one times
    their size, see :class:`ridgesplines.oracle.Containment`. An interior-point method whose steps cost
    O(n m^2 d + n^3) for n distinct points that may flow to m others each. With `interactions` f is a sum of such
    differences, one for each group; with several outputs :math:`\sup \|\eta\|_2` is bounded by the root of the sum of
    squares of bounds for some components, whose prices are sought too: looser by a factor up to sqrt(D), less where
    neurons serve one output each.

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
        search.run(search.began + max_time)
    return search.found(problem)


class _Search:
    """The best of the iterates, in scaled units."""

    def __init__(self, scaling: Scaling, verbose: bool) -> None:
        self.scaling, self.verbose, p = scaling, verbose, scaling.problem
        self.began, self.groups = time.perf_counter(), groups_of(p)
        self.dual, self.value = np.zeros((p.n_samples, *p.outputs)), -np.inf
        self.basis, self.axes = np.ones((1, 1)), np.empty((0, p.n_features))
        self.flows = self._none()

    def _none(self) -> list[list[Flows]]:
        return [[(nothing(group.points), nothing(group.points)) for _ in self.basis] for group in self.groups]

    def run(self, end: float) -> None:
        """From the dual vector of the affine fit, without any flows: all there is where every function is affine."""
        p, answer = self.scaling.problem, affine_fit(self.scaling.problem)
        u = np.zeros_like(self.dual) if answer is None else answer[1]
        parts = np.ones((1, 1))
        if p.outputs:
            _, sizes, axes = np.linalg.svd(u, full_matrices=False)
            rank = max(1, int((sizes > COMPONENT_RTOL * sizes[0]).sum()))
            self.basis, parts = axes[:rank], sizes[:rank][None]
            self.flows = self._none()
        if answer is not None:
            self.prove(Relaxed(u, self.flows, self.axes))
        if all(group.points.shape[1] for group in self.groups):  # not of one point alone
            relax(p, self.groups, self.basis, shares(np.repeat(parts, len(self.groups), axis=0)), end, self.prove)

    def prove(self, iterate: Relaxed) -> float:
        """The bound that an iterate proves, the best of which is kept."""
        p = self.scaling.problem
        u, _ = projected(p, iterate.dual)
        value = best_scale(p, u, proof_of(self.groups, u, self.basis, iterate.flows).bound)[1]
        if value > self.value:
            self.dual, self.value, self.flows, self.axes = u, value, iterate.flows, iterate.axes
            if self.verbose:
                passed = time.perf_counter() - self.began
                line = f"lower bound  {passed:7.2f} s  {self.scaling.factor * value:.10g}"
                print(line, file=sys.stderr, flush=True)
        return value

    def found(self, problem: Problem) -> LowerBound:
        """The best bound, in the problem's units."""
        unit = self.scaling.factor / self.scaling.size

        def own(flow: Flow) -> Flow:
            return Flow(flow.to, unit * flow.amounts, flow.shares)

        flows = [[(own(forth), own(back)) for forth, back in of_group] for of_group in self.flows]
        dual, seconds = frozen(self.scaling.dual(self.dual)), time.perf_counter() - self.began
        return LowerBound(problem, dual, flows, self.basis, frozen(self.axes), seconds)


def groups_of(problem: Problem) -> list[Group]:
    """The groups whose neurons bend; of one point alone, that."""
    X, groups = problem.reduced.X, problem.interactions or [range(problem.n_features)]
    every = [Group.of(X, group) for group in groups]
    return [group for group in every if group.points.shape[1]] or every[:1]


def refused(problem: Problem) -> SolverRefusal | None:
    """Why a problem has no such bound, or None."""
    expected, got = None, ""
    if not isinstance(problem.activation, ReLU):
        expected, got = "the activation ReLU()", repr(problem.activation)
    elif problem.constraints:
        expected, got = "no constraints", ", ".join(map(repr, problem.constraints))
    elif problem.slope_penalty:
        expected, got = "slope_penalty=0", f"{problem.slope_penalty:g}"
    elif problem.norm:
        expected, got = "norm=False", "norm=True"
    elif problem.penalise_bias:
        expected, got = "penalise_bias=False", "True"
    else:
        return _many(problem)
    return SolverRefusal("lower_bound", expected, got, REMEDY)


def _many(problem: Problem) -> SolverRefusal | None:
    """The same for more points than there is memory for, each counted for every group and every output."""
    X, D = problem.reduced.X, problem.n_outputs or 1
    groups = problem.interactions or [range(problem.n_features)]
    expected, n = f"at most {MAX_POINTS} distinct points", 0
    if D * len(groups) > 1:
        expected += ", counted once for each output and each group"
    for i, group in enumerate(groups):
        n += D * len(np.unique(X[:, list(group)], axis=0))
        if n > MAX_POINTS:
            got = f"{n}" if len(groups) == 1 else f"{n} in the first {i + 1} of {len(groups)} groups"
            return SolverRefusal("lower_bound", expected, got, REMEDY)
    return None
