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
from ridgesplines.certificate.constrained import supremum
from ridgesplines.certificate.dual import subgradients
from ridgesplines.certificate.sites import Sites
from ridgesplines.constraints import require_some_function
from ridgesplines.exceptions import ProblemError
from ridgesplines.objective import dual_of_fit
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.solvers.constrained.program import CLARABEL, Program
from ridgesplines.solvers.constrained.smooth import Smooth
from ridgesplines.validation import Array

#: A slope nearer to its bound than this, in scaled units, is on it.
BOUND_ATOL = 1e-7
#: As near to its kink a loss counts as being at it: first what rounding leaves, then what linear programs leave where
#: data lie closer together than that, and their multipliers are not found otherwise.
KINK_ATOLS = (1e-9, 1e-7, 1e-6, 1e-5)
#: A relative gap that the function without a bend that costs is to have.
GOAL_GAP = 1e-10

Pair = tuple[Array, Array]


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
    z, values, pressed = _without_price(scaled, sites)
    slopes = np.diff(values) / sites.widths
    of_slopes = _signs(slopes, sites.slope_low, sites.slope_high)
    of_values = _signs(values[sites.held], sites.low[sites.held], sites.high[sites.held])
    bent = np.abs(np.diff(slopes, prepend=slopes[0], append=slopes[-1])) > BOUND_ATOL
    level = (sites.price == 0.0) & ((sites.up & sites.down) | bent)
    if scaled.loss.smooth:
        nu = np.where((of_values[0] < 0.0) | (of_values[1] > 0.0), pressed, 0.0)
        low = high = _gradient(scaled, sites, z, nu, of_slopes, np.flatnonzero(level))
        known = None if nu.any() else _least_band(sites, sites.eta(sites.masses(low, nu)), of_slopes)
        if known is not None:
            return known / scaling.lam(1.0)
        found = _least_supremum(sites, (low, high), of_values, of_slopes, level)
    else:
        tried = (_least_supremum(sites, subgradients(scaled, z, a), of_values, of_slopes, level) for a in KINK_ATOLS)
        found = next((known for known in tried if known is not None), None)
    if found is None:
        raise RuntimeError("the multipliers of the affine fit were not found")
    return found / scaling.lam(1.0)


def _without_price(problem: Problem, sites: Sites) -> tuple[Array, Array, Array]:
    """The best function without a bend that costs: at the rows and at the sites, and its multipliers of the values."""
    free = (sites.price == 0.0) & (sites.up | sites.down)
    if problem.loss.smooth and problem.loss.box(problem.y[:1]) is None:
        few = replace(sites, up=sites.up & free, down=sites.down & free)
        fitted = Smooth(problem, few, GOAL_GAP).solve(np.empty(0, dtype=int))
        if fitted is not None and fitted.gap <= GOAL_GAP:
            nu = np.zeros(len(sites.at))
            nu[fitted.spline.active.nodes] = fitted.spline.point.nu
            return fitted.z, fitted.spline.at(sites.at), nu[sites.held]
    name, options = ("HIGHS", ({},)) if problem.loss.cone == "linear" else ("CLARABEL", CLARABEL)
    solved = Program(problem, sites, sites.pieces(free)).solve(1.0, name, options)
    return solved.values[sites.rows], solved.values, solved.points


def _least_band(sites: Sites, c: Array, of_slopes: Pair) -> float | None:
    r"""The least supremum where u is given and slopes alone have multipliers, of one sign and all of them or none.

    From right to left :math:`\eta - c` is a path that rises from zero to :math:`-c_0`, or falls: the lowest one that
    keeps :math:`\eta` above its band's floor must not leave the band at its ceiling. By bisection. None elsewhere.
    """
    falling, rising = of_slopes[0] < 0.0, of_slopes[1] > 0.0
    if not (falling.any() or rising.any()):
        return supremum(sites, c)
    if any(sites.ends) or not (falling ^ rising).all() or (falling.any() and rising.any()):
        return None
    sign = 1.0 if rising.any() else -1.0
    target = max(-sign * c[0], 0.0)

    def wide_enough(t: float) -> bool:
        bounds = [(bound - c)[1:-1] for bound in sites.band(t)]
        floor, ceiling = (bounds[0], bounds[1]) if rising.any() else (-bounds[1], -bounds[0])
        lowest = np.maximum(np.maximum.accumulate(floor[::-1])[::-1], 0.0)
        return bool((lowest <= np.minimum(ceiling, target) + 1e-11 * most).all())

    low, high = 0.0, (most := float(np.abs(c).max()) + target)
    if wide_enough(0.0):
        return 0.0
    while high - low > 1e-9 * most:
        middle = (low + high) / 2.0
        low, high = (low, middle) if wide_enough(middle) else (middle, high)
    return high


def _signs(x: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The bounds of the multipliers of x: zero where it is on neither of its bounds."""
    near = BOUND_ATOL * (1.0 + np.abs(x))
    return np.where(high - x <= near, -np.inf, 0.0), np.where(x - low <= near, np.inf, 0.0)


def _gradient(problem: Problem, sites: Sites, z: Array, nu: Array, signs: tuple[Array, Array], level: Array) -> Array:
    """u at the fit z, freed of the mass that a tolerance left and, where no bound takes it up, of the moment."""
    u, x = dual_of_fit(problem, z), sites.at[sites.rows]
    if nu.any():
        return u
    for _ in range(2):
        total = -sites.eta(sites.masses(u, nu))[0]
        moment = not signs[int(total > 0.0)].any()
        hinges = [np.maximum(x - sites.at[k], 0.0) for k in level]
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


def _least_supremum(sites: Sites, of_fit: Pair, of_values: Pair, of_slopes: Pair, level: Array) -> float | None:
    """The least t with eta <= t and -eta <= t where that counts. Unknowns: u, nu, m, the masses beyond, eta, t.

    At `level` sites, free knots with a bend, eta is zero; at the others of the sign of bends that are barred. None
    where no multipliers are in these intervals.
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
    most, least = (np.where(level | (free & may), 0.0, np.inf) for may in (sites.up, sites.down))
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
    return float(out.fun) if out.status == 0 else None
