"""Problems (17) and (32) on a grid of neurons, solved with CVXPY and read back as a network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.exceptions import SolverRefusal
from ridgesplines.neurons.dictionary import Dictionary, grid_biases, rightward, spread_directions, thinned, with_middles
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling, standardise
from ridgesplines.solvers.backends import backend_named, refusal
from ridgesplines.solvers.base import Answer, Solver, in_time, no_affine_penalty, require_limits
from ridgesplines.solvers.grid.biases import biases_path
from ridgesplines.solvers.grid.splines import splines_path

#: Peak memory that CVXPY and its solvers took for each neuron and output of the sparse program, measured.
BYTES_PER_NEURON = 8_000
#: Neurons of the first program of another activation than ReLU, which is dense, or as many along each direction if that
#: is more: the others join later.
DENSE = 64
ALONG = 8


@dataclass(frozen=True)
class Grid(Solver):
    r"""Problems (17) and (32) among the neurons of a grid: a LASSO-type program, solved with CVXPY.

    .. math:: \min_{v, c, c_0} \; \sum_n s_n L\Big(y_n, \sum_g v_g \rho(w_g^T x_n - b_g) + c^T x_n + c_0\Big)
              + \lambda \sum_g |v_g|

    Parameters
    ----------
    directions : a number M, or an array (M, d) of your own. M directions are evenly spread on the half circle for
        d = 2 and well spread (Sobol', seeded) on the half sphere beyond; d = 1 has one direction. Where the problem has
        interactions they are spread over its groups: one in a group of one feature, a multiple of four in a larger one.
    biases : ``"data"``, the projections of the data, which loses nothing along a direction; a number, for a uniform
        grid between the extreme projections; or an array, in the units of the projections. For other activations than
        ReLU this is where biases begin: they are refined until none is missing, unless `refine` is False.
    backend : ``"CLARABEL"``, ``"ECOS"``, ``"SCS"``, ``"OSQP"`` or ``"HIGHS"``, where the loss allows. The relative gap
        among the grid's neurons is held to 1e-6, for SCS and OSQP to 1e-4.
    refine : whether the backend's answer is refined on a working set until it is the grid's optimum to rounding and
        its zeros are exact. Without it the backend's answer is only purified, and may miss its tolerance, which
        a warning then says.
    seed : of the directions for d >= 3.
    memory : bytes that may be used; what is free on this machine by default.
    max_time : seconds for each lam, after which the best so far is returned, with its certificate. Backends but ECOS
        are told; what prepares and compiles the program, and takes neurons out of its answer, is finished.
    total_time : seconds for all lams of a path together; it ends with the lam at which these are over.

    Notes
    -----
    For d = 1 the grid ``biases="data"`` holds a solution of the continuous problem, and the certificate proves it.
    For d >= 2 the error comes from the directions alone; for d = 2 the certificate measures it exactly. The
    program is written with slopes as unknowns, O(N) nonzeros a direction, compiled once and solved for each lam.
    Other activations than ReLU begin with a dense program of few neurons along each direction; then those that the dual
    certificate misses join, and slide, until the gap over all biases is below 1e-6: for d = 1 that is the continuous
    problem's, exact or bounded, for d >= 2 that of the directions. Truncated powers in d = 1 begin with the polynomial
    alone where the loss is smooth, and take O(N) a round. To interpolate with other activations
    is as ill-conditioned as the matrix of their values: many close points may not be reached.
    For Logistic, Poisson and Softmax take CLARABEL, ECOS or SCS; for vector outputs likewise; Interpolation is beyond
    the accuracy of SCS and OSQP. With constraints, d = 1, the knots offered are the data and the fixed points, and
    `refine` solves the program again on the pieces that complementarity leaves. A `slope_penalty` goes with
    smooth losses.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Deep learning meets sparse regularization, IEEE Signal Process. Mag. 40 (2023),
       eqs. (17), (32), doi:10.1109/MSP.2023.3286988

    Examples
    --------
    >>> import numpy as np, ridgesplines as rs
    >>> X = np.random.default_rng(0).standard_normal((30, 2))
    >>> problem = rs.Problem(X, np.abs(X[:, 0]), lam=0.5)
    >>> solution = rs.solve(problem, rs.Grid(directions=16))
    >>> solution.certificate.scope, solution.dictionary_gap < 1e-6
    ('exact', True)
    """

    directions: Any = 64
    biases: Any = "data"
    backend: str = "CLARABEL"
    refine: bool = True
    seed: int = 0
    memory: float | None = None
    max_time: float = field(default=float("inf"), repr=False)
    total_time: float = field(default=float("inf"), repr=False)

    def __post_init__(self) -> None:
        require_limits(self.max_time, self.total_time)

    def refuses(self, problem: Problem) -> SolverRefusal | None:
        """A refusal of backends that lack a cone or the accuracy, or programs too large for memory; or None."""
        takes = problem.slope_penalty and problem.loss.smooth  # a norm goes with no slope_penalty
        if not takes and (reason := no_affine_penalty(self, problem)) is not None:
            return reason
        backend = backend_named(self.backend)
        if problem.signs is not None:
            got = ", ".join(map(repr, problem.constraints))
            remedy = "Use solver=rs.ColumnGeneration(), which is exact for them."
            return SolverRefusal("Grid", "no constraints on many features", got, remedy)
        if problem.constraints and not isinstance(self.biases, str):
            return SolverRefusal(
                "Grid",
                'biases="data" where there are constraints',
                f"biases={self.biases!r}",
                'The data and the fixed points hold an optimal spline\'s knots: biases="data" loses nothing.',
            )
        if problem.scales is not None and problem.n_features > 1 and np.ndim(self.biases):
            remedy = 'Pass biases="data", or a number of them.'
            return SolverRefusal("Grid", "no biases of your own for a problem with scales", repr(self.biases), remedy)
        if problem.loss.interpolates and backend.tolerance > 1e-6:
            return SolverRefusal(
                f"Grid(backend={backend.name!r})",
                "a loss whose fit may be a little off",
                "Interpolation, whose fit must meet the data to 1e-9",
                "First-order methods do not reach that: use backend='CLARABEL', 'ECOS' or 'HIGHS'.",
            )
        return refusal(backend, problem) or self._too_large(problem)

    def isotropic(self, problem: Problem) -> Grid:
        """These settings with directions, and in one dimension biases, in the coordinates of `problem.isotropic`."""
        if problem.scales is None:
            return self
        directions, biases = self.directions, self.biases
        if np.ndim(directions):
            directions = spread_directions(directions, problem.n_features) * problem.scales
        if np.ndim(biases):
            biases = (np.asarray(biases, float) - problem.origin[0]) / problem.scales[0]
        return replace(self, directions=directions, biases=biases)

    def _too_large(self, problem: Problem) -> SolverRefusal | None:
        count = len(spread_directions(self.directions, problem.n_features, self.seed, problem.interactions))
        each = (
            problem.n_samples
            if isinstance(self.biases, str)
            else int(np.size(self.biases) if np.ndim(self.biases) else self.biases)
        )
        needed = float(BYTES_PER_NEURON) * count * max(each, problem.n_samples) * (problem.n_outputs or 1)
        available = _free_memory() if self.memory is None else self.memory
        if needed <= available:
            return None
        return SolverRefusal(
            "Grid",
            f"a program that fits into {available / 2**30:.1f} GiB of memory",
            f"{count} directions and {problem.n_samples} samples, about {needed / 2**30:.1f} GiB",
            f"Use at most {int(count * available / needed)} directions, or fewer samples.",
        )

    def dictionary(self, scaling: Scaling) -> Dictionary:
        """The grid's neurons, in scaled units."""
        X = scaling.problem.X
        W = spread_directions(self.directions, X.shape[1], self.seed, scaling.problem.interactions)
        within = scaling.activation.homogeneity is not None
        biases = grid_biases(self.biases, X @ W.T, W @ scaling.centre, scaling.radius, within)
        if isinstance(scaling.activation, ReLU):
            return rightward(Dictionary(W, biases)) if X.shape[1] == 1 else Dictionary(W, biases)
        if not isinstance(self.biases, str) or not self.refine:
            return Dictionary(W, biases)
        biases = tuple(map(with_middles, biases))
        if scaling.problem.loss.interpolates:  # to interpolate takes them all
            return Dictionary(W, biases)
        return Dictionary(W, tuple(thinned(b, max(ALONG, DENSE // len(W))) for b in biases))

    def path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        """An answer for each lam; one compilation for all."""
        return in_time(self._path(problem, lams), self.max_time, self.total_time)

    def _path(self, problem: Problem, lams: Sequence[float]) -> Iterator[Answer]:
        backend = backend_named(self.backend)
        if problem.constraints:
            from ridgesplines.solvers.constrained.solver import shaped_path  # few problems need it

            yield from shaped_path(problem, lams, backend, self.refine)
            return
        grid_path = splines_path if isinstance(problem.activation, ReLU) else biases_path
        yield from grid_path(problem, lams, self.dictionary(standardise(problem)), backend, self.refine)


def _free_memory() -> float:
    """Free physical memory in bytes; infinite where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
