r"""The lam from which on a function without a bend that costs is optimal among all that satisfy the constraints.

That is an affine function, but for bends at free knots. At the best one that satisfies them multipliers of the fit, of
the fixed values and of the slope's bounds make up :math:`\eta`; where they are not unique, the least supremum counts: a
linear program over all of them finds it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ridgesplines.amplitudes.minimiser import require_shaped_minimiser
from ridgesplines.certificate.dual import subgradients
from ridgesplines.certificate.sites import Sites
from ridgesplines.constraints import require_some_function
from ridgesplines.exceptions import ProblemError
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.constrained.program import CLARABEL, Program
from ridgesplines.validation import Array

#: A slope nearer to its bound than this, in scaled units, is on it.
BOUND_ATOL = 1e-7


def least_lam(problem: Problem) -> float:
    """The threshold, to about 1e-6 relative; infinite where no function without a bend that costs satisfies them."""
    if not _some_affine(problem):
        return float("inf")
    scaling = standardise(problem)
    scaled, shape = scaling.problem, scaling.problem.constraint
    sites = Sites.of(scaled)
    nothing_bends = not (shape.bends_up or shape.bends_down) or shape.slope_low == shape.slope_high
    if problem.loss.interpolates or nothing_bends or len(sites.at) < 3:
        return 0.0
    require_shaped_minimiser(scaled)
    name, options = ("HIGHS", ({},)) if scaled.loss.cone == "linear" else ("CLARABEL", CLARABEL)
    pieces = sites.pieces((sites.price == 0.0) & (sites.up | sites.down))
    solved = Program(scaled, sites, pieces).solve(1.0, name, options)
    z = solved.values[sites.rows]
    of_slopes = _signs(solved.slopes[pieces], sites.slope_low, sites.slope_high)
    of_values = _signs(solved.values[sites.held], sites.low[sites.held], sites.high[sites.held])
    if scaled.loss.smooth:
        nu = np.where((of_values[0] < 0.0) | (of_values[1] > 0.0), solved.points, 0.0)
        low = high = _gradient(scaled, sites, z, nu, of_slopes)
    else:
        low, high = subgradients(scaled, z)
    bent = np.abs(np.diff(solved.slopes[pieces], prepend=solved.slopes[0], append=solved.slopes[-1])) > BOUND_ATOL
    return _least_supremum(sites, (low, high), of_values, of_slopes, bent) / scaling.lam(1.0)


def _signs(x: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The bounds of the multipliers of x: zero where it is on neither of its bounds."""
    near = BOUND_ATOL * (1.0 + np.abs(x))
    return np.where(high - x <= near, -np.inf, 0.0), np.where(x - low <= near, np.inf, 0.0)


def _gradient(problem: Problem, sites: Sites, z: Array, nu: Array, signs: tuple[Array, Array]) -> Array:
    """u at the fit z, freed of the mass that a tolerance left and, where no bound takes it up, of the moment."""
    u, x = dual_of_fit(problem, z), sites.at[sites.rows]
    if nu.any():
        return u
    for _ in range(2):
        total = -sites.eta(sites.masses(u, nu))[0]
        moment = not signs[int(total > 0.0)].any()
        hinges = [np.maximum(x - sites.at[k], 0.0) for k in sites.hinges]
        rows = np.stack([np.ones_like(x), *[x, *hinges] * moment])
        room = problem.sample_weight * problem.loss.room(problem.y, -u / problem.sample_weight)
        u = u - room * (np.linalg.lstsq((rows * room) @ rows.T, rows @ u, rcond=1e-13)[0] @ rows)
    return u


def _some_affine(problem: Problem) -> bool:
    data = problem.reduced
    x, y = (data.X[:, 0], data.y) if problem.loss.interpolates else (np.empty(0), np.empty(0))
    shape = problem.constraint
    nothing = {"only_at": ()} if shape.free_knots else {"bends_up": False, "bends_down": False}
    try:
        require_some_function(replace(shape, **nothing), x, y)
    except ProblemError:
        return False
    return True


Pair = tuple[Array, Array]


def _least_supremum(sites: Sites, of_fit: Pair, of_values: Pair, of_slopes: Pair, bent: Array) -> float:
    """The least t with eta <= t and -eta <= t where that counts. Unknowns: u, nu, m, the masses beyond, eta, t.

    `bent` are the sites with a bend; at free knots eta is zero there, and else of the sign of bends that are barred.
    """
    k, n, f = len(sites.at), len(of_fit[0]), len(sites.held)
    at_data = sparse.csr_array((np.ones(n), (sites.rows, np.arange(n))), (k, n))
    at_points = sparse.csr_array((np.ones(f), (sites.held, np.arange(f))), (k, f))
    step = sparse.diags_array([np.ones(k - 1), -np.ones(k - 1)], offsets=[0, 1], shape=(k - 1, k))
    A_eq = sparse.block_array(
        [  # The masses beyond fall by what each site holds; eta falls by that times the width, and by m.
            [at_data, at_points, None, step.T, None, sparse.csr_array((k, 1))],
            [None, None, -sparse.eye_array(k - 1), -sparse.diags_array(sites.widths), step, None],
        ]
    )
    offset = n + f + 2 * (k - 1)
    rows = [
        sparse.hstack([sparse.csr_array((k, offset)), sign * sparse.eye_array(k), -np.ones((k, 1))], format="csr")[
            np.flatnonzero(may & (sites.price > 0.0))
        ]
        for sign, may in zip((1.0, -1.0), (sites.up, sites.down), strict=True)
    ]
    free = sites.price == 0.0
    most, least = (np.where(free & (may | bent), 0.0, np.inf) for may in (sites.up, sites.down))
    most[[0, -1]] = least[[0, -1]] = 0.0
    unbounded = np.full(k - 1, np.inf)
    lower = np.concatenate([of_fit[0], of_values[0], of_slopes[0], -unbounded, -least, [0.0]])
    upper = np.concatenate([of_fit[1], of_values[1], of_slopes[1], unbounded, most, [np.inf]])
    cost = np.zeros(len(lower))
    cost[-1] = 1.0
    A_ub = sparse.vstack(rows)
    out = linprog(
        cost,
        A_ub=A_ub,
        b_ub=np.zeros(A_ub.shape[0]),
        A_eq=A_eq,
        b_eq=np.zeros(2 * k - 1),
        bounds=np.column_stack([lower, upper]),
        method="highs",
    )
    if out.status != 0:
        raise RuntimeError(f"the multipliers of the affine fit were not found: {out.message}")
    return float(out.fun)
