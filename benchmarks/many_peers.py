"""Other people's solvers for the problem in many dimensions, behind the face of `peers`: networks, and seconds.

Seconds are CPU-seconds of this process. A family lists one solver at growing sizes: where one of them took long, the
larger ones are left out.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from instances import Array
from peers import Attempt, Peer
from training import train

import ridgesplines as rs
from ridgesplines.neurons.dictionary import Dictionary, grid_biases, spread_directions
from ridgesplines.numerics.polynomials import affine_least_squares

#: The largest N of each loss.
SQUARED, LOGISTIC = {"Squared": 10**5}, {"Logistic": 10**5}
BOTH = SQUARED | LOGISTIC
DIRECTIONS = (16, 64, 256, 1024)
#: Entries of a dictionary's dense matrix, beyond which it is not formed.
DENSE = 2 * 10**8


def _grid(backend: str, directions: int, problem: rs.Problem, limit: float) -> Attempt:
    """`rs.Grid`, not refined: CVXPY's and the backend's own answer, with what the verb `solve` adds to it."""
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", rs.ConvergenceWarning)
        solution = rs.solve(problem, rs.Grid(directions=directions, backend=backend, refine=False))
    note = "missed its tolerance on the grid" if caught else ""
    return Attempt((solution.network,), 0.0, time.process_time() - start, note)


def _dictionary(problem: rs.Problem, directions: int) -> tuple[Array, Array, Array]:
    """The same grid's neurons W (G, d), b (G,), and their values at the data (N, G)."""
    W = spread_directions(directions, problem.n_features)
    biases = grid_biases("data", problem.X @ W.T, np.zeros(len(W)), 1.0)
    W, b = Dictionary(W, biases).neurons
    if len(b) * problem.n_samples > DENSE:
        raise MemoryError(f"left out: a dense matrix of {problem.n_samples} x {len(b):,}")
    return W, b, np.maximum(problem.X @ W.T - b, 0.0)


def _lasso(fit: Callable[[Array, Array, float], Array], directions: int, problem: rs.Problem, limit: float) -> Attempt:
    """A solver of (1 / 2N) |y - A v|^2 + alpha |v|_1 on the dictionary, affine functions projected off A and y."""
    start = time.process_time()
    W, b, A = _dictionary(problem, directions)
    Q, y = problem.null_space, problem.y
    A -= Q @ (Q.T @ A)
    A = np.asfortranarray(A)
    prepared = time.process_time() - start
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        v = fit(A, y - Q @ (Q.T @ y), problem.lam / (2 * len(y)))
    note = "says it has not converged" if caught else ""
    solving = time.process_time() - start - prepared
    return Attempt((_network(problem, W, b, v),), prepared, solving, note)


def _network(problem: rs.Problem, W: Array, b: Array, v: Array) -> rs.RidgeSpline:
    kept = v != 0.0
    return rs.RidgeSpline(W[kept], b[kept], v[kept])


def _sklearn(A: Array, y: Array, alpha: float) -> Array:
    from sklearn.linear_model import Lasso

    return Lasso(alpha=alpha, fit_intercept=False, tol=1e-6).fit(A, y).coef_


def _celer(A: Array, y: Array, alpha: float) -> Array:
    from celer import Lasso

    return Lasso(alpha=alpha, fit_intercept=False, tol=1e-8).fit(A, y).coef_


def _skglm(directions: int, problem: rs.Problem, limit: float) -> Attempt:
    """skglm's prox-Newton on the dictionary, logistic loss; affine functions are columns without a penalty."""
    from skglm.datafits import Logistic
    from skglm.penalties import WeightedL1
    from skglm.solvers import ProxNewton

    start = time.process_time()
    W, b, A = _dictionary(problem, directions)
    A = np.asfortranarray(np.column_stack([A, problem.X, np.ones(len(A))]))
    free = np.r_[np.ones(len(b)), np.zeros(problem.n_features + 1)]
    prepared = time.process_time() - start
    solver = ProxNewton(tol=1e-6, fit_intercept=False)
    datafit, penalty = Logistic(), WeightedL1(problem.lam / problem.n_samples, free)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        v = solver.solve(A, problem.y, datafit, penalty)[0][: len(b)]
    note = "says it has not converged" if caught else ""
    return Attempt((_network(problem, W, b, v),), prepared, time.process_time() - start - prepared, note)


def _scnn(gates: int, problem: rs.Problem, limit: float) -> Attempt:
    """pyscnn's augmented Lagrangian on sampled activation patterns: it penalises the bias too, and has no affine part.

    Its objective is (1 / 2N) |y - f|^2 + alpha sum |(w, b)|. Double precision, data as they are. Where the problem has
    a free affine part it is given the residuals of the affine fit, for an affine function costs it neurons.
    """
    from scnn.activations import sample_gate_vectors
    from scnn.metrics import Metrics
    from scnn.models import ConvexReLU
    from scnn.optimize import optimize_model
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import AL

    start = time.process_time()
    target = problem.y
    if problem.skip:
        slope, offset = affine_least_squares(problem.X, problem.y)
        target = problem.y - problem.X @ slope - offset
    A = np.column_stack([problem.X, np.ones(len(problem.y))])
    model = ConvexReLU(sample_gate_vectors(0, A.shape[1], gates))
    solver = AL(model, max_primal_iters=2000, max_dual_iters=100)
    weight = NeuronGL1(problem.lam / (2 * len(A)))
    found, _ = optimize_model(
        model, solver, Metrics(), A, target, regularizer=weight, unitize_data=False, dtype="float64"
    )
    W, v = found.parameters[0], found.parameters[-1].ravel()
    return Attempt((rs.RidgeSpline(W[:, :-1], -W[:, -1], v),), 0.0, time.process_time() - start, "another functional")


def _torch(width: int, problem: rs.Problem, limit: float) -> Attempt:
    trace = train(problem, width, limit)
    return Attempt((trace[-1][1],), 0.0, trace[-1][0], "", tuple(trace[:-1]))


def _family(name: str, package: str, run: Any, sizes: tuple[int, ...], letter: str, losses: Any) -> list[Peer]:
    return [Peer(f"{name}, {letter} = {size}", package, partial(run, size), losses) for size in sizes]


#: pyscnn, also for the benchmark of its own functional.
SCNN = _family("pyscnn", "scnn", _scnn, (100, 500), "gates", SQUARED)
#: Families of one solver at growing sizes.
FAMILIES = (
    *(
        _family(f"grid, CVXPY + {name}", package, partial(_grid, package.upper()), DIRECTIONS, "M", BOTH)
        for name, package in (("Clarabel", "clarabel"), ("ECOS", "ecos"), ("SCS", "scs"))
    ),
    _family("grid, scikit-learn Lasso", "sklearn", partial(_lasso, _sklearn), DIRECTIONS, "M", SQUARED),
    _family("grid, celer Lasso", "celer", partial(_lasso, _celer), DIRECTIONS, "M", SQUARED),
    _family("grid, skglm", "skglm", _skglm, DIRECTIONS, "M", LOGISTIC),
    SCNN,
    _family("PyTorch, weight decay", "torch", _torch, (200, 1000), "width", BOTH),
)
