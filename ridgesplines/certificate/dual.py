r"""The dual vector of a fit: recomputed, projected off the affine functions, scaled, and what it then proves.

For a dual vector u that is orthogonal to all affine functions and has :math:`|\eta| \le \lambda`,

.. math:: D(u) = -\sum_n s_n L^*(y_n, -u_n / s_n)

is a lower bound on the optimum: weak duality holds for *any* such u, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from ridgesplines.amplitudes.affine import affine_fit
from ridgesplines.certificate.long_dual import LongDual, long_eta
from ridgesplines.line import kernels
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.precise import plus_products
from ridgesplines.objective import EPS, SUM, blocks, eta_rounding, moved, objective_rounding, seminorm
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def smooth_dual(problem: Problem, y: Array, z: Array) -> Array:
    """u_n = -s_n L'(y_n, z_n), after the best affine function was added to the fit z.

    The gradient of a smooth loss stays inside the conjugate's domain wherever it is taken, so that this is a
    projection off the affine functions that cannot leave it. For squared error it is the orthogonal projection.

    Parameters
    ----------
    problem : the problem.
    y, z : its targets and the fit, both less the same constant where only their difference counts.
    """
    if problem.loss.quadratic and not problem.slope_penalty:
        s, Q = problem.sample_weight, problem.null_space
        if Q.shape[1] == len(y):  # nothing is orthogonal to all affine functions
            return np.zeros_like(z)
        if problem.skip:
            return kernels.residual_beyond(s, y, z, Q, problem.data.gram)
        return kernels.times(2.0 * s, y - z)
    answer = affine_fit(problem, fixed=z + (problem.y - y) if problem.loss.translates else z)
    assert answer is not None  # a smooth loss is finite everywhere
    return answer[1]


def projected(problem: Problem, u: Array, space: Array | None = None) -> tuple[Array, float]:
    """`u` orthogonal to [1 X] and inside the conjugate's domain, and the relative size of what was taken off.

    In the place of [1 X] may be another `space`, given by an orthonormal basis (N, q).
    The correction is measured by the room that each entry has: entries on the boundary stay where they are.
    """
    Q, s = problem.free_space if space is None else space, problem.sample_weight
    moments, size = float(np.linalg.norm(Q.T @ u)), float(np.linalg.norm(u))
    residual = moments / (size or 1.0)
    if Q.shape[1] == len(u):  # nothing else is orthogonal to all functions on the data
        return np.zeros_like(u), residual
    for _ in range(3):
        if moments <= 1e-15 * size and _within(problem, u):
            break
        v = problem.loss.nearest(problem.y, -(u.T / s).T)
        u = -(v.T * s).T
        u = u - _correction(Q, s, problem.loss.room(problem.y, v), u)
        moments, size = float(np.linalg.norm(Q.T @ u)), float(np.linalg.norm(u))
    return u, residual


def _within(problem: Problem, u: Array) -> bool:
    """Whether u is inside the conjugate's domain."""
    if problem.loss.quadratic:
        return True  # all of R^N is
    v = -(u.T / problem.sample_weight).T
    return bool((problem.loss.nearest(problem.y, v) == v).all())


def _correction(Q: Array, s: Array, room: Array, u: Array) -> Array:
    """The smallest change, in the metric of the room, that makes u orthogonal to the columns of Q."""
    if u.ndim == 1:
        metric = room * s
        gram = Q.T @ (metric[:, None] * Q)
        return metric * (Q @ np.linalg.lstsq(gram, Q.T @ u, rcond=1e-13)[0])
    metric = room * s[:, None, None]
    r, D = Q.shape[1], u.shape[1]
    gram = np.einsum("np,nij,nq->piqj", Q, metric, Q, optimize=True).reshape(r * D, r * D)
    c = np.linalg.lstsq(gram, (Q.T @ u).ravel(), rcond=1e-13)[0].reshape(r, D)
    return np.einsum("nij,nj->ni", metric, Q @ c)


def along(problem: Problem, u: Array) -> Callable[[float], float]:
    """tau -> D(tau u)."""
    if np.linalg.norm(problem.free_space.T @ u) > 1e-11 * np.linalg.norm(u) + 1e-300 or _outside(problem, u):
        return lambda tau: -np.inf
    s, loss, y = problem.sample_weight, problem.loss, problem.y
    if loss.translates:  # u cannot tell y from y less an affine function; the smaller one rounds less
        y = problem.detrended
    v, steep = (u.T / -s).T, steepness(problem, u)
    if loss.quadratic:  # D(tau u) = tau D_1 - tau^2 D_2
        linear, square = float(np.vdot(u, y)), steep - float(np.vdot(u, v)) / 4.0
        return lambda tau: tau * linear - tau**2 * square
    return lambda tau: -float(s @ loss.conjugate(y, tau * v)) - tau**2 * steep


def slope_moments(problem: Problem, u: Array) -> Array:
    """X^T u for a dual vector u that is orthogonal to the constants, (d,) or (d, D): mu c at an optimum."""
    Q = problem.null_space[:, 1:]
    return np.linalg.lstsq(Q.T @ problem.slopes, Q.T @ u, rcond=1e-13)[0]


def steepness(problem: Problem, u: Array) -> float:
    r"""What the penalty of the slope takes off the dual value: :math:`\|X^T u\|^2 / (2 \mu)`; zero without one."""
    if not problem.slope_penalty:
        return 0.0
    return float((slope_moments(problem, u) ** 2).sum() / (2.0 * problem.slope_penalty))


def levelled(problem: Problem, u: Array) -> Array:
    """The dual vector that neurons see, orthogonal to [1 X]: u less A X^T u where there is a penalty of the slope."""
    return u - problem.slopes @ slope_moments(problem, u) if problem.slope_penalty else u


def _outside(problem: Problem, u: Array) -> bool:
    """Whether u rises with a feature in which f may not fall, or the other way round."""
    if problem.signs is None:
        return False
    moments, sizes = problem.signs * (u @ problem.centred), np.abs(u) @ np.abs(problem.centred)
    return bool((moments > 1e-11 * sizes).any())


def best_scale(
    problem: Problem, u: Array, sup: float, value: Callable[[float], float] | None = None
) -> tuple[float, float]:
    """(tau, D(tau u)) for the best tau with tau sup|eta| <= lam and tau u inside the domain.

    `value` is ``along(problem, u)``, where that is known.
    """
    most = problem.lam / sup if sup > 0.0 else 1.0
    value = value or along(problem, u)
    if problem.loss.quadratic and np.isfinite(value(1.0)):
        linear, square = 2.0 * value(1.0) - value(2.0) / 2.0, value(1.0) - value(2.0) / 2.0
        tau = min(most, linear / (2.0 * square)) if square > 0.0 else most
        return max(tau, 0.0), value(max(tau, 0.0))
    return best_factor(value, most, problem.loss.smooth)


def best_factor(value: Callable[[float], float], most: float, smooth: bool) -> tuple[float, float]:
    """(tau, value(tau)) for the best tau in [0, most]; the value is concave, finite at 0, infinite off its domain."""
    if smooth:
        most = min(most, 2.0)  # the gradient is near tau = 1; without an upper end the search is ill-scaled
    most = _inside(value, most)
    top = value(most)
    if value((1.0 - 1e-6) * most) < top:  # concave, and rising up to there
        return most, top
    candidates = [0.0, most, min(1.0, most)]
    if smooth and most > 0.0:
        optimum = minimize_scalar(
            lambda tau: -value(tau),
            bounds=(0.0, most),
            method="bounded",
            options={"xatol": 1e-10},
        )
        candidates.append(float(optimum.x))
    values = [value(tau) for tau in candidates]
    best = int(np.argmax(values))
    return candidates[best], values[best]


def _inside(value: Callable[[float], float], most: float) -> float:
    """The largest scale up to `most` that keeps the dual vector inside the conjugate's domain, which holds zero.

    By doubling from one, then bisection: `most` may be extremely large.
    """
    low, high = 0.0, min(1.0, most)
    while np.isfinite(value(high)):
        if high >= most or high > 1e6:
            return high
        low, high = high, min(2.0 * high, most)
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if np.isfinite(value(middle)) else (low, middle)
    return low


def gap_rounding(
    problem: Problem,
    network: RidgeSpline,
    fit: tuple[Array, Array],
    dual: tuple[Array, Array | None],
    value: float,
) -> float:
    """The rounding error that objective - D(u) may have, from the terms that are summed for both.

    Besides the sums themselves: u is orthogonal to the affine functions to rounding only, eta at the network's neurons
    is known to rounding only, and an interpolating network meets the data to rounding only.

    Parameters
    ----------
    problem : the reduced problem.
    network, fit : a network, and its `targets_and_fit`.
    dual : the dual vector u, scaled, and what it lacks by rounding, where that is known.
    value : D(u).
    """
    p, (y, z), (u, low) = problem, fit, dual
    sums = objective_rounding(p, network, fit) + value_rounding(p, u, value) + SUM * steepness(p, u)
    if p.loss.interpolates:
        sums += float(np.vdot(np.abs(u), np.abs(y - z)))
    if p.norm:
        return sums + _corner_rounding(p, network, u)
    if low is not None:
        return sums + _long_rounding(p, network, LongDual(u, low))
    u = levelled(p, u)
    sums += (seminorm(p, network) if p.penalise_bias else network.seminorm) * eta_rounding(p, u)
    if not p.skip:  # u sees no affine function
        return sums
    if p.constraints and p.signs is None:  # multipliers make up for the moments
        return sums
    return sums + _moment_rounding(p, network, u)


def _corner_rounding(problem: Problem, network: RidgeSpline, u: Array) -> float:
    """What rounds in eta, and in the moments of u, times what the norm counts of each; rows and corners are those of
    :mod:`ridgesplines.certificate.norm`."""
    corners, X = problem.corners, problem.X
    assert corners is not None
    rows, weights = np.vstack([X, corners.points]), group_norms(np.concatenate([u, corners.weights(X, u)]))
    far = np.linalg.norm(rows - (rows.min(axis=0) + rows.max(axis=0)) / 2.0, axis=1)
    at_corners = group_norms(corners.coefficients(network.at(corners.points)))
    of_affine = float(group_norms(u) @ np.abs(corners.affine(X)) @ at_corners)
    return SUM * (float(np.linalg.norm(weights * (far + far.max()))) * network.seminorm + of_affine)


def _long_rounding(problem: Problem, network: RidgeSpline, dual: LongDual) -> float:
    """What is left of the rounding of eta and of the moments of u in the gap: see `gap_rounding`."""
    p, x = problem, problem.X[:, 0]
    n, found = len(x), long_eta(x, dual)
    of_eta = SUM * p.lam + n**2 * EPS * eta_rounding(p, dual.u)
    ends = network.slope[0] * x[[0, -1]] + network.offset
    if p.loss.translates:
        ends = np.abs(ends) + np.abs(p.y - p.detrended)[[0, -1]]
    affine = float(np.abs(ends).max() + network.seminorm * (x[-1] - x[0]))
    moments = abs(found.total) + abs(float(found.eta[0])) / (x[-1] - x[0])
    return float(network.seminorm * of_eta) + moments * affine


def _moment_rounding(problem: Problem, network: RidgeSpline, u: Array) -> float:
    """What u sees of the network's null-space part, less that of y where only their difference counts."""
    p, net, Q = problem, moved(problem, network), problem.null_space if problem.signs is None else problem.free_space
    slope = net.slope if p.signs is None else np.where(p.signs == 0.0, net.slope, 0.0)
    if p.n_features == 1 and net.polynomial is None:
        less = (p.y, p.detrended) if p.loss.translates else (u, u)
        within, beyond = kernels.affine_moments(p.centred[:, 0], net.slope[0], net.offset, *less, Q, u)
        return _seen(Q.T @ u, within, beyond)
    within, beyond = np.zeros((Q.shape[1], *p.outputs)), 0.0
    for rows in blocks(p.n_samples):
        null = plus_products(np.asarray(net.offset)[None], p.centred[rows], slope)
        if net.polynomial is not None:
            null = null + net.polynomial(p.centred[rows])
        if p.loss.translates:
            null = null - (p.y[rows] - p.detrended[rows])
        within += Q[rows].T @ null
        beyond += float(np.vdot(u[rows], null))
    return _seen(Q.T @ u, within, beyond)


def _seen(moments: Array, within: Array, beyond: float) -> float:
    """What u, of these moments, sees of a function that has the part `within` their space, and is seen as `beyond`."""
    # Of nearly dependent columns a basis is known to fewer digits than the functions are: what it leaves counts too.
    return float(np.linalg.norm(moments) * np.linalg.norm(within)) + abs(beyond - float(np.vdot(moments, within)))


def value_rounding(problem: Problem, u: Array, value: float) -> float:
    """The rounding error that D(u) = `value` may have, from the terms that are summed for it."""
    if problem.loss.translates:  # L*(y, v) = v y + L*(0, v), of which the last is not negative
        return SUM * (abs(value) + 2.0 * float(np.vdot(np.abs(u), np.abs(problem.detrended))))
    v = problem.loss.nearest(problem.y, -(u.T / problem.sample_weight).T)  # one on the boundary may have left it
    conjugate = problem.loss.conjugate(problem.y, v)
    # Where a probability is nearly one, y + v rounds it by as much as its distance from one may be.
    return SUM * float(problem.sample_weight @ (np.abs(conjugate) + 1.0))


def subgradients(problem: Problem, z: Array, atol: float = 1e-9) -> tuple[Array, Array]:
    """The interval of u_n = -s_n dL(y_n, z_n), from the linear pieces that are active at z, or nearly so."""
    pieces = problem.loss.pieces(problem.y)
    if pieces is None:
        return np.zeros(len(z)), np.zeros(len(z))
    slopes = np.array([slope for slope, _ in pieces])
    values = np.array([slope * z + intercept for slope, intercept in pieces])
    active = values >= values.max(axis=0) - atol
    low = np.where(active, slopes, np.inf).min(axis=0)
    high = np.where(active, slopes, -np.inf).max(axis=0)
    return -problem.sample_weight * high, -problem.sample_weight * low
