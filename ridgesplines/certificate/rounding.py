"""The rounding error that a gap may have: what its own terms allow."""

from __future__ import annotations

import numpy as np

from ridgesplines.certificate.dual import levelled, steepness
from ridgesplines.certificate.long_dual import LongDual, long_eta
from ridgesplines.line import kernels
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.numerics.precise import plus_products
from ridgesplines.objective import EPS, SUM, Fit, blocks, eta_rounding, moved, objective_rounding, seminorm
from ridgesplines.problem import Problem
from ridgesplines.validation import Array


def gap_rounding(
    problem: Problem,
    network: RidgeSpline,
    fit: Fit,
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
    return SUM * float(problem.sample_weight @ problem.loss.conjugate_terms(problem.y, v))
