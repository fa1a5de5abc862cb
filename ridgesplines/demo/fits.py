"""Fits as the page draws them: every figure is the solution's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import ridgesplines as rs
from ridgesplines.amplitudes.extreme_points import neuron_bound
from ridgesplines.demo.schema import LARGEST, Fit
from ridgesplines.neurons.dictionary import spread_directions
from ridgesplines.solvers.base import Solver
from ridgesplines.validation import Array, rounded_up

#: lam where the request leaves it open, as a fraction of lambda_max, in one and in two dimensions.
START = {1: 0.02, 2: 0.05}
#: Seconds after which column generation starts no further round.
MAX_TIME = 3.0
#: Angles and offsets of the picture of eta, and its half-width over the radius of the data.
ANGLES, OFFSETS, MARGIN = 145, 97, 1.05


def posed(fit: Fit) -> tuple[rs.Problem, float]:
    """The problem with its lam, and lambda_max."""
    data = np.array(fit.points)
    problem = rs.Problem(data[:, :-1], data[:, -1], 1.0, fit.loss)
    top = rs.lambda_max(problem)
    if top < 1.0 / LARGEST:
        top = 0.0  # to rounding: an affine function is best for every lam
    lam = fit.lam or (START[problem.n_features] * top if 0.0 < top < np.inf else 1.0)
    return problem.with_lam(lam), top


def solver(fit: Fit) -> Solver:
    """The settings that the page's snippet names too."""
    if len(fit.points[0]) == 2:
        return rs.Univariate(sparsest=fit.sparsest)
    return rs.ColumnGeneration(max_time=MAX_TIME) if fit.directions is None else rs.Grid(directions=fit.directions)


def line(fit: Fit) -> dict[str, Any]:
    """The spline, its impulses, and its certificate; d = 1."""
    problem, top = posed(fit)
    solution = rs.solve(problem, solver(fit))
    net, x, eta = solution.network, problem.X[:, 0], partial(solution.certificate.eta, 1.0)
    order = np.argsort(net.breakpoints)
    knots, sites = net.breakpoints[order], np.union1d(problem.sites, net.breakpoints)  # eta is straight between sites
    return {
        **figures(solution, top),
        "unique": solution.is_unique,
        "knots": knots.tolist(),
        "amplitudes": net.amplitudes[order].tolist(),
        "at_knots": net(knots).tolist(),
        "eta_at_knots": eta(knots).tolist(),
        "outline": outline(net, x),
        "eta": np.stack([sites, eta(sites)], axis=1).tolist(),
        "fitted": net(x).tolist(),
        "dual": solution.certificate.dual.tolist(),
    }


def plane(fit: Fit) -> dict[str, Any]:
    """The network, and eta on the cylinder of lines; d = 2."""
    problem, top = posed(fit)
    solution = rs.solve(problem, solver(fit))
    net, c = solution.network, solution.certificate
    centre = (problem.X.max(axis=0) + problem.X.min(axis=0)) / 2.0
    radius = MARGIN * (float(np.linalg.norm(problem.X - centre, axis=1).max()) or 1.0)
    angles, offsets = np.linspace(0.0, np.pi, ANGLES), np.linspace(-radius, radius, OFFSETS)
    W = np.repeat(np.stack([np.cos(angles), np.sin(angles)], axis=1), OFFSETS, axis=0)
    eta = c.eta(W, np.tile(offsets, ANGLES) + W @ centre) / problem.lam
    within = solution.dictionary_gap
    offered = np.empty((0, 2)) if fit.directions is None else spread_directions(fit.directions, 2, 0)
    return {
        **figures(solution, top),
        "weights": net.weights.tolist(),
        "biases": net.biases.tolist(),
        "amplitudes": net.amplitudes.tolist(),
        "slope": net.slope.tolist(),
        "offset": net.offset,
        "centre": centre.tolist(),
        "radius": radius,
        "eta": np.rint(1e3 * eta).astype(int).reshape(ANGLES, OFFSETS).tolist(),  # thousandths, a picture's digits
        "angles": np.mod(np.arctan2(offered[:, 1], offered[:, 0]), np.pi).tolist(),
        "grid_gap": None if within is None else rounded_up(within),
        "fitted": net(problem.X).tolist(),
        "dual": c.dual.tolist(),
    }


def figures(solution: rs.Solution, top: float) -> dict[str, Any]:
    """The figures of every solution, and the words that its proof allows."""
    p = solution.problem
    numbers = {
        "lam_max": top,
        "objective": solution.objective,
        "value": solution.certificate.value,
        "data_fit": solution.data_fit,
        "seminorm": solution.seminorm,
        "relative_gap": solution.relative_gap,
        "sup": solution.certificate.sup / p.lam,
    }
    return {
        **{name: value if np.isfinite(value) else None for name, value in numbers.items()},  # JSON has no infinity
        "n": p.n_samples,
        "k": solution.network.n_neurons,
        "bound": neuron_bound(p),
        "lam": p.lam,
        "gap_words": rounded_up(solution.relative_gap),
        "scope": solution.certificate.scope,
        "scope_words": solution.scope_words,
        "status": solution.status,
        "seconds": solution.seconds,
    }


def outline(net: rs.RidgeSpline, x: Array) -> list[list[float]]:
    """The corners of a spline, and its ends a little way beyond what a window of the data shows."""
    low, high = float(x.min()), float(x.max())
    beyond = (high - low) or 1.0
    ends = np.array([low - beyond, high + beyond])
    inside = net.breakpoints[(net.breakpoints > ends[0]) & (net.breakpoints < ends[1])]
    corners = np.union1d(ends, inside)
    return np.stack([corners, net(corners)], axis=1).tolist()
