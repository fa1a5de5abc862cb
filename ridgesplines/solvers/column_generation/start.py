"""Where the rounds of column generation begin: at the affine fit, or at a network that is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ridgesplines.amplitudes.affine import affine_fit
from ridgesplines.certificate.dual import smooth_dual
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.neurons.working_set import Neurons
from ridgesplines.objective import objective_of_fit
from ridgesplines.problem import Problem
from ridgesplines.scaling import Scaling
from ridgesplines.solution import Solution
from ridgesplines.solvers.column_generation.refits import Fit
from ridgesplines.solvers.column_generation.rounds import SLIDING_GAP

#: From this gap down envelopes have nothing to add, for losses with a kink.
SMALL_GAP = 0.1
#: Objectives that differ by no more than this, relatively, are of one network on the same data.
SAME_RTOL = 1e-9


def first_fit(problem: Problem) -> Fit:
    """The affine fit; for interpolation, the affine least-squares fit."""
    neurons = Neurons(np.empty((0, problem.n_features)), np.empty(0), np.empty(0), np.empty((0, *problem.outputs)))
    answer = affine_fit(problem)
    if answer is None:  # no affine function interpolates
        z, u = problem.null_space @ (problem.null_space.T @ problem.y), np.zeros(len(problem.y))
    else:
        z, u = answer
    return Fit(neurons, z, u, objective_of_fit(problem, z, 0.0))


def fit_of_start(scaling: Scaling, start: RidgeSpline | Solution) -> Fit:
    """A start from any network; what violates the certificate of a solution joins its network, at amplitude zero.

    For losses with kinks all that its search listed: linear programs need to know what holds the dual vector.
    """
    problem, net = scaling.problem, scaling.scaled_network(network_of(start))
    smooth = problem.loss.smooth
    u = smooth_dual(problem, problem.y, net(problem.X)) if smooth else 0.0 * problem.y
    fit = Fit.of_network(problem, net, u)
    if not isinstance(start, Solution):
        return fit
    W, b = start.certificate.peaks
    eta = start.certificate.eta(W, b)
    beyond = group_norms(eta) > (start.problem.lam if smooth else 0.0)
    joining = Neurons.of_network(scaling.scaled_network(RidgeSpline(W[beyond], b[beyond], eta[beyond])))
    return replace(fit, neurons=fit.neurons.joined(replace(joining, sizes=np.zeros(len(joining)))))


def goes_on(scaling: Scaling, lam: float, fit: Fit, start: RidgeSpline | Solution | None) -> bool:
    """Whether a start is a solution of this very problem whose gap is small: rough calls find nothing more then."""
    if not isinstance(start, Solution) or start.problem.lam != lam:
        return False
    if not start.relative_gap <= (SLIDING_GAP if scaling.problem.loss.smooth else SMALL_GAP):
        return False
    problem = scaling.problem.with_lam(scaling.lam(lam))
    here = scaling.factor * objective_of_fit(problem, fit.z, float(fit.neurons.sizes.sum()))
    return abs(here - start.objective) <= SAME_RTOL * abs(start.objective)


def network_of(start: RidgeSpline | Solution) -> RidgeSpline:
    """The network of a start."""
    return start.network if isinstance(start, Solution) else start
