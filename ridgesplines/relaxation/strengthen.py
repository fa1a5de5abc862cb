"""The strongest certificate of a network that the time allows, whichever way proves it."""

from __future__ import annotations

import time

import numpy as np

from ridgesplines.certificate.certificate import DualCertificate, strengthened
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.oracle import CONE_DIMENSIONS, ENUMERATION_SHARE, FaceOracle, Report, eta_at
from ridgesplines.oracle.base import ranked
from ridgesplines.oracle.line import LineOracle
from ridgesplines.oracle.search import span
from ridgesplines.problem import Problem
from ridgesplines.relaxation.bound import LowerBound, lower_bound, refused
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope

#: Up to so many dimensions of the data branch and bound is all there is; beyond it follows upon containment, which gets
#: this part of the time where cones are still few enough, and as much as it needs otherwise.
BRANCHING_ONLY, CONTAINING_SHARE = 4, 0.25


def strongest(
    problem: Problem,
    network: RidgeSpline,
    certificate: DualCertificate,
    max_time: float,
    report: Report | None,
    method: str,
    enough: float,
) -> DualCertificate:
    """The certificate of the largest dual value; by one method, or by several until the value is `enough`."""
    if problem.signs is not None:
        expected = "a problem without MonotoneFeatures, or neurons of at most two features with them"
        remedy = "With interactions=2 the gap is a bound from the start."
        raise ProblemError("solution", expected, "MonotoneFeatures of three and more together", remedy)
    if method == "containment" and (problem.interactions is None or refused(problem) is None):
        return _contained(problem, network, certificate, max_time, report is not None)
    rank = len(span(problem.reduced.X))
    alone = method != "auto" or rank <= BRANCHING_ONLY or refused(problem) is not None
    if alone or FaceOracle(problem.reduced.X).seconds <= ENUMERATION_SHARE * max_time:
        return strengthened(problem, network, certificate, max_time, report, method)
    end, share = time.perf_counter() + max_time, CONTAINING_SHARE if rank <= CONE_DIMENSIONS else 1.0
    first = _contained(problem, network, certificate, share * max_time, report is not None)
    left = end - time.perf_counter()
    if first.value >= enough or left <= 0.0:
        return first
    return max(first, strengthened(problem, network, certificate, left, report), key=lambda c: c.value)


def _contained(
    problem: Problem, network: RidgeSpline, certificate: DualCertificate, max_time: float, verbose: bool
) -> DualCertificate:
    """A certificate of the dual vector for which flows between the points prove most."""
    bound = lower_bound(problem, max_time, verbose)
    u = bound.dual[problem.rows]
    size = float(np.linalg.norm(u)) or 1.0
    residual = float(np.linalg.norm(problem.reduced.null_space.T @ u)) / size
    peaks = _peaks(problem.reduced, network, certificate, bound)
    X, activation = problem.X, problem.activation
    return DualCertificate(
        bound.dual, bound.sup, Scope.BOUNDED, residual, bound.scale, bound.value, X, activation, peaks
    )


def _peaks(
    problem: Problem, network: RidgeSpline, certificate: DualCertificate, bound: LowerBound
) -> tuple[Array, Array]:
    """Neurons of large |eta|: those that are known, and along the directions that the relaxation prefers."""
    u = bound.dual[bound.problem.rows]
    new = [LineOracle(problem.X @ w, w)(u) for w in bound.directions]
    W = np.concatenate([network.weights, certificate.peaks[0], *(answer.weights for answer in new)])
    b = np.concatenate([network.biases, certificate.peaks[1], *(answer.biases for answer in new)])
    supremum = ranked(Scope.SEARCHED, eta_at(problem.X, u, W, b), W, b)
    return supremum.weights, supremum.biases
