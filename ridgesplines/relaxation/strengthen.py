"""The strongest certificate of a network that the time allows, whichever way proves it."""

from __future__ import annotations

import time

import numpy as np

from ridgesplines.certificate.certificate import DualCertificate, strengthened
from ridgesplines.certificate.norm import strengthened_with_norm
from ridgesplines.exceptions import ProblemError
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.oracle import ENOUGH, Report, eta_at, exact_oracle, own_shares, predicted, tries
from ridgesplines.oracle.base import ranked
from ridgesplines.oracle.line import LineOracle
from ridgesplines.problem import Problem
from ridgesplines.relaxation.bound import LowerBound, lower_bound, refused
from ridgesplines.validation import Array
from ridgesplines.verdict import Scope


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
    if problem.norm:
        return strengthened_with_norm(problem, network, certificate, max_time, report, method)
    if problem.penalise_bias:
        expected = "biases that are not penalised, or few features and points, for which the gap is a bound at once"
        raise ProblemError("solution", expected, "penalise_bias=True", "The gap is an estimate: nothing bounds it.")
    joint = refused(problem) is None
    if method == "containment" and joint:
        return _contained(problem, network, certificate, max_time, report is not None)
    if method != "auto" or not joint:
        return strengthened(problem, network, certificate, max_time, report, method)
    best = None
    for way, seconds in own_shares(_ways(problem, max_time), time.perf_counter() + max_time):
        if way == "containment":
            proof = _contained(problem, network, certificate, seconds, report is not None)
        else:
            proof = strengthened(problem, network, certificate, seconds, report, way)
        best = proof if best is None else max(best, proof, key=lambda c: c.value)
        if best.value >= enough or _is_tight(best):
            break
    assert best is not None
    return best


def _is_tight(certificate: DualCertificate) -> bool:
    """Whether the supremum of its dual vector is known to rounding."""
    found = float(group_norms(certificate.eta(*certificate.peaks)).max(initial=0.0))
    return certificate.scope is Scope.EXACT or certificate.sup <= ENOUGH * found


def _ways(problem: Problem, max_time: float) -> list[str]:
    """The ways to prove something, in the order in which they are tried; of groups each has its own ways."""
    X = problem.reduced.X
    if exact_oracle(X, interactions=problem.interactions) is not None:
        return ["auto"]
    return ["containment", "auto"] if problem.interactions else tries(predicted(X, problem.n_outputs), max_time)


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
