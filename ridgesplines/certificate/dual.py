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
from ridgesplines.line import kernels
from ridgesplines.network.spline import group_norms
from ridgesplines.oracle.eta import eta_near
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
    steep = steepness(problem, u)
    if loss.quadratic:
        linear, square = kernels.parabola(u, s, y)
        return lambda tau: tau * linear - tau**2 * (square + steep)
    v = (u.T / -s).T
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


def value_at_most(problem: Problem, raw: Array, W: Array, b: Array) -> float:
    """What a dual vector, projected, proves at most, for all that |eta| at neurons W (K, d), b (K,) tells.

    To find its supremum takes a search or a sweep, and to look at a few neurons next to nothing.
    """
    if not len(b):
        return float("inf")
    u, _ = projected(problem, raw)
    eta = eta_near(problem.X, levelled(problem, u), W, b, problem.activation)
    return best_scale(problem, u, float(group_norms(eta).max()))[1]


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
