"""The distance of a network from the optimum, by the dual vector of a solver."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.amplitudes.affine import require_minimiser
from ridgesplines.certificate.by_rows import certify_by_rows
from ridgesplines.certificate.certificate import DualCertificate, certify, certify_dual, looked_at
from ridgesplines.certificate.constrained import Multipliers
from ridgesplines.certificate.isotropic import Coordinates
from ridgesplines.certificate.norm import certify_with_norm
from ridgesplines.certificate.own_dual import proven_by_itself
from ridgesplines.dates import require_same
from ridgesplines.exceptions import ProblemError
from ridgesplines.interrupt import Deferral
from ridgesplines.network.exchange.reading import as_network
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.neurons.dictionary import spread_directions
from ridgesplines.objective import targets_and_fit
from ridgesplines.problem import Problem
from ridgesplines.solution import Solution
from ridgesplines.solvers.base import Solver
from ridgesplines.solvers.choice import picked
from ridgesplines.solvers.column_generation.solver import ColumnGeneration
from ridgesplines.solvers.grid.solver import Grid
from ridgesplines.solvers.univariate.solver import Univariate
from ridgesplines.validation import Array, real_number

#: Seconds that it may take, where nothing else is said.
MAX_TIME = 10.0
#: The part of the time for the certificate of the network's own dual vector; of what is left that of the solver, the
#: rest is for the certificate of its dual vector. A search for one is given so many seconds at least: what it has not
#: looked for it cannot have missed.
OWN_SHARE, SOLVING_SHARE, LEAST_SEARCH = 0.25, 0.7, 0.5
#: A relative gap of the network's own dual vector that needs no solver.
SMALL_GAP = 1e-6
#: Directions of the grid for another activation than ReLU, besides the network's own.
N_DIRECTIONS = 32


def evaluate(problem: Problem, network: Any, max_time: float = MAX_TIME) -> Solution:
    r"""The distance of a network from the global optimum of its own training problem.

    .. math:: \text{gap} = \sum_n s_n L(y_n, f(x_n)) + \lambda \sum_k |v_k| \|w_k\|_2 - D(\tau u)

    Parameters
    ----------
    problem : the problem that it was trained for, (17) or (32).
    network : any network of the form (19) or (33), with or without an affine part: a RidgeSpline, a fitted estimator, a
        module or state_dict of PyTorch, a perceptron of scikit-learn, a model of Keras or ONNX, or the name of a file
        of one; see :func:`ridgesplines.network.as_network`.
    max_time : seconds for all of it, at least 0: the search for a dual vector u by a solver, and those for what its
        certificate has to exceed. What cannot be interrupted comes on top: a pass over the data, half a second of a
        search, a round of the solver in one dimension, and what compiles the program of other activations. The solver
        starts at the network, and only its dual vector is used: the network that is judged is the one given. With 0
        a smooth loss takes the dual vector of the network's own fit, which says little far from the optimum.

    Returns
    -------
    Solution
        With status ``"evaluated"``; its gap is proven where `certificate.scope` is ``"exact"``. A network that violates
        the problem's constraints by more than 1e-9, relative to its steepest slope or to the values, has an infinite
        objective and an infinite gap.

    Raises
    ------
    ProblemError
        Where it is no network of this form, inputs or outputs do not fit, a neuron leaves the groups of the problem's
        interactions, or the problem has no minimiser.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> zero = rs.RidgeSpline([[1.0]], [1.0], [0.0])
    >>> rs.evaluate(problem, zero).objective
    10.0
    """
    real_number("max_time", max_time, "a number of seconds >= 0", 0.0)
    network = network_for(problem, network)
    there = Coordinates(problem)
    with Deferral():
        measured = _measured(problem.isotropic, there.network(network), max_time)
    certificate = there.restored_certificate(measured.certificate)
    return replace(measured, problem=problem, network=network, certificate=certificate)


def network_for(problem: Problem, given: Any) -> RidgeSpline:
    """Any network as one of this problem; one of a single output, (N, 1), as a scalar one, as targets are."""
    network = as_network(given, problem.n_features)
    if network.n_outputs == 1 and problem.n_outputs is None and network.polynomial is None:
        v, c, c0 = network.amplitudes[:, 0], network.slope[:, 0], np.ravel(network.offset)[0]
        network = network.changed(amplitudes=v, slope=c, offset=c0)
    _require_fitting(problem, network)
    return network


def _measured(problem: Problem, network: RidgeSpline, max_time: float) -> Solution:
    if problem.in_blocks is not None:  # the dual vector is that of the network's own fit
        began = time.perf_counter()
        by_rows = certify_by_rows(problem, network)
        return Solution(problem, network, by_rows, seconds=time.perf_counter() - began)
    if problem.norm:
        return _with_norm(problem, network, max_time)
    if not problem.constraints:
        require_minimiser(problem.reduced)
    start = time.perf_counter()
    if (proven := proven_by_itself(problem, network, SMALL_GAP)) is not None:
        seconds = time.perf_counter() - start
        return Solution(problem, network, proven.certificate, seconds=seconds).evaluated(proven)
    fit = targets_and_fit(problem.reduced, network)

    def judged(certificate: DualCertificate) -> Solution:
        return Solution(problem, network, certificate, seconds=time.perf_counter() - start).evaluated(fit)

    own, end = None, start + max_time
    if problem.loss.smooth and not problem.constraints:
        own = certify(problem, network, fit=fit, end=_searching(start + OWN_SHARE * max_time))
    if own is not None and (max_time == 0.0 or judged(own).relative_gap <= SMALL_GAP):
        return judged(own)
    dual = solver_dual(problem, network, SOLVING_SHARE * (end - time.perf_counter()))
    if own is None:
        return judged(certify(problem, network, dual, fit=fit, end=_searching(end)))
    assert isinstance(dual, np.ndarray)  # only constraints have multipliers
    other = certify_dual(problem, network, dual, _searching(end))
    # What one search has found, the other must not have missed.
    both = looked_at(problem, own, *other.peaks), looked_at(problem, other, *own.peaks)
    return judged(max(both, key=lambda certificate: certificate.value))


def _with_norm(problem: Problem, network: RidgeSpline, max_time: float) -> Solution:
    """The same where the norm counts: the better of the fit's own dual vector and that of a solver."""
    began = time.perf_counter()
    end = began + max_time

    def judged(certificate: DualCertificate) -> Solution:
        return Solution(problem, network, certificate, seconds=time.perf_counter() - began)

    own = None
    if problem.loss.smooth:
        own = judged(certify_with_norm(problem, network, None, _searching(began + OWN_SHARE * max_time)))
        if max_time == 0.0 or own.relative_gap <= SMALL_GAP:
            return own
    dual = solver_dual(problem, network, SOLVING_SHARE * (end - time.perf_counter()))
    assert isinstance(dual, np.ndarray)  # only constraints have multipliers
    peaks = None if own is None else own.certificate.peaks
    return judged(certify_with_norm(problem, network, dual, _searching(end), peaks=peaks))


def _searching(end: float) -> float:
    """When a search that begins now is to stop, where it is to be over at `end`."""
    return max(end, time.perf_counter() + LEAST_SEARCH)


def solver_dual(problem: Problem, network: RidgeSpline, max_time: float) -> Array | Multipliers:
    """The dual vector of the best solver for the problem, started at the network; the multipliers of constraints."""
    solver: Solver = picked(problem)
    if isinstance(solver, ColumnGeneration):
        solver = ColumnGeneration(max_time=max(max_time, 1e-9), start=network)
    elif not isinstance(problem.activation, ReLU):
        spread = spread_directions(N_DIRECTIONS, problem.n_features, interactions=problem.interactions)
        directions = np.unique(np.concatenate([network.weights, spread]), axis=0)
        solver = Grid(directions=directions, max_time=max(max_time, 1e-9))
    elif isinstance(solver, Univariate):
        solver = replace(solver, max_time=max(max_time, 1e-9))
    (answer,) = solver.path(problem, [problem.lam])
    dual = answer.any_dual()
    return np.zeros_like(network.at(problem.X)) if dual is None else dual  # zero where there was no time


def _require_fitting(problem: Problem, network: RidgeSpline) -> None:
    """Raise a ProblemError where the network does not fit the problem."""
    if network.n_features != problem.n_features or network.n_outputs != problem.n_outputs:
        raise ProblemError(
            "network",
            f"d = {problem.n_features} inputs and D = {problem.n_outputs or 1} outputs",
            f"d = {network.n_features} and D = {network.n_outputs or 1}",
            "Evaluate a network on the problem that it was made for.",
        )
    own, names = network.feature_names or (), problem.feature_names or ()
    if own != names and sorted(own) == sorted(names):
        remedy = "Another order gives another function: reorder the columns of the problem."
        raise ProblemError("network", f"the features {', '.join(names)}, in this order", ", ".join(own), remedy)
    if network.dates is None and problem.dates is not None:
        expected, got = f"a network of {problem.dates.words}, as the problem's x are", "one of numbers"
        remedy = "Where these are days since 1970-01-01, UTC, evaluate network.changed(dates=problem.dates)."
        raise ProblemError("network", expected, got, remedy)
    require_same("network", network.dates, problem.dates, "the problem")
    if network.activation != problem.activation:
        raise ProblemError(
            "network",
            f"the activation of the problem, {problem.activation!r}",
            repr(network.activation),
            "Each activation has a seminorm of its own: pass the network's to the problem.",
        )
    if not problem.skip and np.any(network.slope):
        remedy = "Pass skip=True to the problem, or write the skip connection as neurons."
        raise ProblemError("network", "no skip connection for skip=False", "a slope that is not zero", remedy)
    groups = problem.interactions
    if groups is not None and not (allowed := groups.allow(network.weights)).all():
        k = int(np.argmin(allowed))
        names = problem.feature_names or network.names
        together = ", ".join(names[j] for j in np.flatnonzero(network.weights[k]))
        raise ProblemError(
            "network",
            f"neurons that keep to the problem's interactions, {groups.words(names)}",
            f"neuron {k}, of the features {together}",
            "Pass interactions=None to the problem, or a group with these features.",
        )
