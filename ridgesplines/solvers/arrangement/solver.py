r"""Problem (32) off the grid, exactly, for few points: one finite cone program over all activation patterns."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import affine_fit, require_minimiser
from ridgesplines.amplitudes.extreme_points import extreme_point
from ridgesplines.certificate.certificate import certify
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.interrupt import check, overdue, stoppable
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.patterns import pattern_bound
from ridgesplines.numerics.polynomials import affine_least_squares
from ridgesplines.objective import objective, perfect_fit, relative
from ridgesplines.oracle import exact_oracle
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.arrangement.cells import CellBound, CellProgram, Cells, Neurons, all_cells, settings
from ridgesplines.solvers.backends import BACKENDS, Backend, backend_named
from ridgesplines.solvers.base import Answer, Solver, in_time, no_affine_penalty, require_limits
from ridgesplines.solvers.univariate.kinked import nearby_line
from ridgesplines.validation import Array, real_number, whole_number

#: Most patterns times points: the program's matrix has twice as many entries, at half a kilobyte of memory or so each.
MAX_ENTRIES = 2_000_000
#: The accuracy that the backend is asked for, relative to the tolerance; but none finer than the next.
FINER = 1e-3
FINEST = 1e-11
#: The backend's further settings are tried where the gap exceeds this share of the tolerance.
ENOUGH_SHARE = 0.1
#: Neurons smaller than this, relative to the largest, are left out on trial; the objective decides.
TRIAL = 1e-6
#: Of networks whose objectives differ by less than this share of the tolerance, the one with fewest neurons is taken.
SPARSER_SHARE = 1e-3
#: Programs solved, each with more of the inequalities that were thought to be implied.
MAX_ROUNDS = 5


@dataclass(frozen=True)
class Arrangement(Solver):
    r"""Problem (32) as one second-order cone program over all activation patterns: exact, for few points.

    .. math:: \min \; \sum_n s_n L\Big(y_n, \sum_{i,\pm} \pm\tfrac12 \sigma_{in}(w_{i\pm}^T x_n - b_{i\pm})
              + c^T x_n + c_0\Big) + \lambda \sum_{i,\pm} \|w_{i\pm}\|_2
              \quad \text{with} \quad \sigma_{in}(w_{i\pm}^T x_n - b_{i\pm}) \ge 0

    where :math:`\sigma_i \in \{-1, 1\}^N` are the activation patterns of the data, one of each complementary pair.

    Parameters
    ----------
    backend : ``"CLARABEL"``, ``"ECOS"`` or ``"SCS"``.
    tol : the relative gap to reach, between 1e-12 and 1; the backend is asked for a thousandth of it, and for no less
        than 1e-11.
    max_patterns : the largest number of patterns, up to complement, that is taken on. In general position N points
        have :math:`\sum_{k=1}^{d} \binom{N-1}{k}`, other points fewer; the bound counts. Patterns times points are at
        most 2 million besides.
    verbose : whether a line is printed to standard error for each lam.
    max_time : seconds for each lam, after which the best so far is returned, with its certificate. The backend is told;
        the enumeration of the patterns, which `max_patterns` limits, is finished.
    total_time : seconds for all lams of a path together; it ends with the lam at which these are over.

    Notes
    -----
    Scalar fits with any loss, without interactions. Up to an affine function, which is free, a neuron is half of
    :math:`|w^T x - b|`, the same for (w, b) and (-w, -b), so one of two complementary patterns is enough. Within a
    pattern's cell it is linear in (w, b), the norm is convex and neurons of one sign add up to one: so the program has
    the optimum of the problem, and not of a grid. Of the N inequalities of a cell only those of its bounding points are
    kept, which imply the rest: in general position about 2 d. The patterns are enumerated exactly, whatever the
    position of the points.

    What a backend returns has a neuron in every cell. An extreme point of it is taken, K <= N - rank[1 X], and the
    program is solved once more on its cells alone. For d >= 3 the multipliers of the inequalities prove an upper bound
    on :math:`\sup |\eta|`, cell by cell, so that the certificate's scope is ``"bounded"`` and the gap is proven.

    With D outputs a cell would need the convex hull of the matrices :math:`w v^T` with w in its cone, which has no
    tractable form in general.

    References
    ----------
    .. [1] M. Pilanci, T. Ergen, Neural networks are convex regularizers: exact polynomial-time convex optimization
       formulations for two-layer networks, ICML 2020, https://proceedings.mlr.press/v119/pilanci20a.html
    .. [2] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((10, 2))
    >>> solution = rs.solve(rs.Problem(X, np.abs(X[:, 0]), lam=0.1), rs.Arrangement())
    >>> solution.certificate.scope, solution.relative_gap <= 1e-8
    ('exact', True)
    """

    backend: str = "CLARABEL"
    tol: float = 1e-8
    max_patterns: int = 5000
    verbose: bool = False
    max_time: float = field(default=float("inf"), repr=False)
    total_time: float = field(default=float("inf"), repr=False)

    def __post_init__(self) -> None:
        require_limits(self.max_time, self.total_time)
        real_number("tol", self.tol, "a number between 1e-12 and 1", 1e-12, 1.0)
        whole_number("max_patterns", self.max_patterns, 1)

    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """A refusal of what has no tractable form, too many patterns, backends without second-order cones; or None."""
        if (reason := no_affine_penalty(self, problem)) is not None:
            return reason
        able = [name for name, backend in BACKENDS.items() if "second-order" in backend.cones]
        try:
            backend = backend_named(self.backend)
        except SolverRefusal as missing:
            return SolverRefusal("Arrangement", missing.expected, missing.got, missing.remedy)
        if backend.name not in able:
            remedy = 'Use backend="CLARABEL".'
            return SolverRefusal("Arrangement", f"one of the backends {', '.join(able)}", repr(backend.name), remedy)
        expected, got, remedy = None, "", "Use solver=rs.Grid(), which takes it."
        if problem.n_outputs is not None:
            expected, got = "a scalar fit", f"D = {problem.n_outputs} outputs"
            remedy = f"{remedy} The norm of the neurons of one pattern has no tractable form for D > 1 outputs."
        elif problem.constraints:
            expected, got = "no constraints", ", ".join(map(repr, problem.constraints))
        elif not isinstance(problem.activation, ReLU):
            expected, got = "the activation ReLU()", repr(problem.activation)
        elif problem.interactions is not None:
            expected, got = "no interactions", f"neurons of {problem.interactions.words(problem.feature_names)}"
            remedy = "Use solver=rs.ColumnGeneration() or rs.Grid(), which take them."
        if expected is not None:
            return SolverRefusal("Arrangement", expected, got, remedy)
        return self._too_many(problem.reduced)

    def _too_many(self, problem: Problem) -> SolverRefusal | None:
        n, r = len(np.unique(problem.X + 0.0, axis=0)), problem.rank - 1

        def fits(points: int) -> bool:
            count = pattern_bound(points, r) - 1
            return points <= r + 1 or (count <= self.max_patterns and count * points <= MAX_ENTRIES)

        if fits(n):
            return None
        count, enough = pattern_bound(n, r) - 1, r + 1
        while fits(enough + 1):
            enough += 1
        number = f"{count}" if count < 10**9 else f"10^{len(str(count)) - 1}"
        return SolverRefusal(
            "Arrangement",
            f"at most {self.max_patterns} activation patterns (max_patterns), and {MAX_ENTRIES} patterns times points",
            f"{n} distinct points in {r} dimension{'s' * (r > 1)}, which may have {number} patterns",
            f"Use solver=rs.ColumnGeneration() or rs.Grid(), which take it, or at most {enough} distinct points.",
        )

    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam; one enumeration and one compilation for all."""
        return in_time(self._path(problem, lams), self.max_time, self.total_time)

    def _path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        scaling = standardise(problem)
        require_minimiser(scaling.problem)
        exact = exact_oracle(problem.reduced.X) is not None
        work = _Work(problem, scaling, backend_named(self.backend), self.tol)
        for lam in lams:
            answer = work.solve(problem.with_lam(lam))
            if exact:  # the supremum itself will be computed
                answer = replace(answer, limits=None)
            if self.verbose:
                notes = ", ".join(f"{name}: {value}" for name, value in answer.history.items())
                print(f"lam = {lam:.6g}, K = {answer.network.n_neurons}, {notes}", file=sys.stderr)
            ended = answer.interrupted and not overdue()
            yield answer
            if ended:
                return


class _Work:
    """The work that does not depend on lam: the cells, the compiled program, the affine fit.

    Parameters
    ----------
    problem : as it was posed: in its own units the patterns are exact.
    scaling : the problem in units for solvers.
    backend, tol : the solver, and the relative gap to reach.
    """

    def __init__(self, problem: Problem, scaling: Scaling, backend: Backend, tol: float) -> None:
        self._original, self._scaling, self._scaled = problem, scaling, scaling.problem
        self._backend, self._tol = backend, tol
        self._options = settings(backend, max(FINER * tol, FINEST))
        self._axes, self._centre = _span(self._scaled)

    @cached_property
    def _affine(self) -> Answer | None:
        """The best affine function, or None where none interpolates."""
        fitted = affine_fit(self._scaled, nearby=nearby_line(self._scaled))
        if fitted is None:
            return None
        fit, dual = fitted
        if self._scaled.rank == self._scaled.n_samples:  # nothing but zero is orthogonal to all affine functions
            dual = np.zeros_like(dual)
        slope, offset = affine_least_squares(self._scaled.X, fit)
        network = self._scaling.network(RidgeSpline(np.empty((0, len(slope))), [], [], slope, offset))
        bound = self._bound(np.zeros((len(self._cells), self._scaled.rank)))
        return Answer(self._original, network, self._scaling.dual(dual), bound, self._tol, {"status": "affine"})

    @cached_property
    def _cells(self) -> Cells:
        return all_cells(self._original.X[self._scaling.rows], self._scaled.rank - 1)

    @cached_property
    def _points(self) -> Array:
        return (self._scaled.X - self._centre) @ self._axes.T

    @cached_property
    def _program(self) -> CellProgram:
        return CellProgram(self._scaled, self._points, self._cells, self._backend)

    def solve(self, problem: Problem) -> Answer:
        """The optimum for one lam: the backend's settings in turn, until the gap, computed here, is small enough."""
        affine = None if self._affine is None else replace(self._affine, problem=problem)
        if affine is not None and self._settles(affine):
            return affine
        answer, lam = affine, self._scaling.lam(problem.lam)
        networks: list[RidgeSpline] = [] if affine is None else [affine.network]
        proofs: list[tuple[Array, CellBound]] = []
        try:
            for options in self._options:
                with stoppable():
                    check()
                if (neurons := self._neurons(lam, options)) is None:
                    continue
                proofs.append((self._scaling.dual(neurons.dual), self._bound(neurons.pull)))
                networks += self._networks(lam, neurons, options)
                network = _fewest(problem, networks, SPARSER_SHARE * self._tol)
                history = {"status": neurons.status, "settings tried": len(proofs), "patterns": len(self._cells) // 2}
                answers = [Answer(problem, network, u, bound, self._tol, history) for u, bound in proofs]
                gaps = [_gap(each) for each in answers]
                answer = answers[int(np.argmin(gaps))]
                if min(gaps) <= ENOUGH_SHARE * self._tol:
                    break
        except KeyboardInterrupt:
            if answer is None:
                raise
            return replace(answer, interrupted=True)
        if answer is None:
            raise self._failure()
        return answer if proofs else replace(answer, history={"status": "the backend failed: the best affine function"})

    def _settles(self, affine: Answer) -> bool:
        """Whether no network can do better than the affine function: none bends, or y is affine to rounding."""
        p, network = affine.problem.reduced, affine.network
        return not len(self._cells) or objective(p, network) <= perfect_fit(p, network)

    def _bound(self, pull: Array) -> CellBound:
        """The bound on sup |eta| that multipliers prove, in the problem's units."""
        scaling, X = self._scaling, self._original.reduced.X
        to_scaled = scaling.size / (scaling.factor or 1.0)  # zero for Interpolation at lam = 0, and u with it
        rows = np.flatnonzero(np.isin(self._original.rows, scaling.rows))
        group = np.unique(X + 0.0, axis=0, return_inverse=True)[1].ravel()
        first = np.zeros(len(X), dtype=int)
        first[group[rows]] = np.arange(len(rows))
        place = np.arange(len(X)) if len(rows) == len(X) else first[group]
        return CellBound(self._points, self._cells, pull, place, to_scaled, scaling.radius / to_scaled)

    def _failure(self) -> SolverRefusal:
        expected, remedy = "a program that it can solve", "Try another backend, or rescale the columns of X."
        return SolverRefusal("Arrangement", expected, f"one on which {self._backend.name} fails", remedy)

    def _neurons(self, lam: float, options: Mapping[str, Any]) -> Neurons | None:
        """The backend's answer, with further inequalities where it violates any that were left out."""
        for _ in range(MAX_ROUNDS):
            neurons = self._program.solve(lam, options)
            if neurons is None or not (rows := self._program.violated(neurons) & ~self._cells.held).any():
                break
            self._cells = self._cells.holding(rows)
            self._program = CellProgram(self._scaled, self._points, self._cells, self._backend)
        return neurons

    def _networks(self, lam: float, neurons: Neurons, options: Mapping[str, Any]) -> list[RidgeSpline]:
        """An extreme point of the answer; and the optimum on the cells of its larger neurons alone."""
        kept, network = self._purified(self._cells, neurons)
        size = np.abs(network.amplitudes)
        cells = self._cells.some(kept[size > TRIAL * size.max(initial=0.0)])
        refit = None
        if len(cells):
            refit = CellProgram(self._scaled, self._points, cells, self._backend).solve(lam, options)
        fewer = [] if refit is None else [self._purified(cells, refit)[1]]
        return [self._scaling.network(net) for net in (network, *fewer)]

    def _purified(self, cells: Cells, neurons: Neurons) -> tuple[Array, RidgeSpline]:
        """(cells that keep their neuron, the network of these), in scaled units."""
        problem, W = self._scaled, neurons.weights @ self._axes
        size = np.linalg.norm(W, axis=1)
        alive = np.flatnonzero(size > 0.0)
        W = W[alive] / size[alive, None]
        b = neurons.biases[alive] / size[alive] + W @ self._centre
        chosen, amplitudes = extreme_point(problem, W, b, cells.signs[alive] * size[alive])
        W, b = W[chosen], b[chosen]
        hidden = np.maximum(problem.X @ W.T - b, 0.0)
        if problem.loss.interpolates:  # the fit is given: meet it to rounding
            columns = np.column_stack([problem.null_space, hidden * amplitudes])
            missing = np.linalg.lstsq(columns, problem.y - hidden @ amplitudes, rcond=1e-13)[0]
            amplitudes = amplitudes * (1.0 + missing[problem.rank :])
        affine = affine_least_squares(problem.X, neurons.fit - hidden @ amplitudes)
        return alive[chosen], RidgeSpline(W, b, amplitudes, *affine)


def _gap(answer: Answer) -> float:
    """The relative gap of an answer, proven by its bound."""
    problem, network = answer.problem, answer.network
    primal = objective(problem.reduced, network)
    return relative(problem, primal - certify(problem, network, answer.dual, answer.limits).value, primal)


def _fewest(problem: Problem, networks: list[RidgeSpline], slack: float) -> RidgeSpline:
    """The network with fewest neurons among those within a relative `slack` of the best one."""
    objectives = [objective(problem.reduced, net) for net in networks]
    best = int(np.argmin(objectives))
    most = objectives[best] + slack * abs(objectives[best]) + perfect_fit(problem.reduced, networks[best])
    good = [net for net, reached in zip(networks, objectives, strict=True) if reached <= most]
    return min(good, key=lambda net: net.n_neurons, default=networks[best])


def _span(problem: Problem) -> tuple[Array, Array]:
    """(orthonormal axes (r, d) of the span of the centred data, a point in it); the coordinate axes where it is all."""
    r, d = problem.rank - 1, problem.n_features
    if r == d:
        return np.eye(d), np.zeros(d)
    centre = problem.X.mean(axis=0)
    return np.linalg.svd(problem.X - centre, full_matrices=False)[2][:r], centre
