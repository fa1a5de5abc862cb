"""Squared error on the line: the certificate of a spline's own dual vector, and all its figures, in two passes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgesplines.activations.relu import ReLU
from ridgesplines.certificate.certificate import DualCertificate
from ridgesplines.certificate.last_digits import FELT_RTOL
from ridgesplines.line.squares import Affine, Halves, OwnDual, Residuals
from ridgesplines.network.spline import RidgeSpline
from ridgesplines.objective import EPS, SUM, double_sum_rounding, moved
from ridgesplines.problem import Problem
from ridgesplines.problem.data import Data
from ridgesplines.validation import Array, frozen
from ridgesplines.verdict import Scope

#: What u may see of affine functions, relatively, before it is projected once more.
ORTHOGONAL = 1e-15
#: Two ways to sum eta at a neuron differ by no more than this, relatively.
SAME = 1e-9


class Proven(NamedTuple):
    """A certificate, the network's data fit, and the rounding error that objective - certificate.value may have."""

    certificate: DualCertificate
    data_fit: float
    rounding: float


def proven_by_itself(problem: Problem, network: RidgeSpline, tol: float) -> Proven | None:
    """What the dual vector of the network's own fit proves, as `certify` and `gap_rounding` have it, in two passes.

    None where the gap is not within `tol`, where that may be rounding, where the passes are not compiled, and for all
    but linear splines under squared error without further terms: there `certify` has its say.
    """
    if not _is_plain(problem, network):
        return None
    p = problem.reduced
    assert isinstance(p.data, Data)  # not in blocks
    if (line := p.data.weighted_line) is None:
        return None
    net, pieces = moved(p, network), network.pieces(p.data.level)
    halves = pieces.halves(line.t)
    seen = line.residuals(halves, (EPS, SUM))
    affine = Affine(float(p.origin[0]), float(net.slope[0]), float(net.offset))
    own = line.dual(halves, seen, affine, problem.rows, problem.n_samples)
    of_eta, penalty = double_sum_rounding(line.t, own.mass, own.eta), p.lam * network.seminorm
    if not network.n_neurons and seen.fit <= p.data.resolution:  # up to rounding the fit may be perfect
        return None
    if np.linalg.norm(own.seen) > ORTHOGONAL * own.size:
        return None
    found = _supremum(network, own, halves, line.t, line.centre)
    if found is None:
        return None
    sup, peak = found
    tau = min(p.lam / sup, own.linear / (2.0 * own.square)) if own.square > 0.0 else p.lam / sup
    tau = max(tau, 0.0)
    value = tau * own.linear - tau**2 * own.square
    felt = network.seminorm * of_eta if of_eta > FELT_RTOL * p.lam else 0.0
    if not value - felt >= (1.0 - tol) * (seen.fit + penalty):
        return None
    rounding = _rounding(own, seen, tau, penalty + abs(value)) + network.seminorm * tau * of_eta
    residual = float(np.linalg.norm(own.seen)) / own.size
    certificate = DualCertificate(
        frozen(own.u), sup, Scope.EXACT, residual, tau, value, problem.X, problem.activation, peak
    )
    return Proven(certificate, seen.fit, rounding)


def _is_plain(problem: Problem, network: RidgeSpline) -> bool:
    """Whether it is a linear spline under squared error, of which nothing but the seminorm costs."""
    p = problem
    line = p.in_blocks is None and p.n_features == 1 and p.n_outputs is None and isinstance(p.activation, ReLU)
    more = p.constraints or p.norm or p.penalise_bias or p.slope_penalty or p.scales is not None
    return bool(line and p.loss.quadratic and p.skip and not more)


def _supremum(
    network: RidgeSpline, own: OwnDual, halves: Halves, t: Array, centre: float
) -> tuple[float, tuple[Array, Array]] | None:
    """sup \\|eta\\| and a neuron there, not below \\|eta\\| at the network's own neurons, which are summed once more.

    None where that is another number.
    """
    sup, peak = own.largest, (np.ones((1, 1)), t[own.top][None])
    if not network.n_neurons or not sup > 0.0:
        return (sup, peak) if sup > 0.0 else None
    order = np.argsort(network.breakpoints, kind="stable")
    beyond = slice(1, None, 2)  # of the halves after the first, those that begin at a knot
    mass, moment = (np.cumsum(sums[::-1])[::-1][beyond] for sums in (own.masses, own.moments))
    size = np.abs(moment - mass * (network.breakpoints[order] - centre))
    top = int(size.argmax())
    if size[top] <= sup:
        return sup, peak
    if size[top] > (1.0 + SAME) * sup:
        return None
    k, (weights, biases) = order[top], peak
    peak = np.concatenate([network.weights[k][None], weights]), np.append(network.biases[k], biases)
    return float(size[top]), peak


def _rounding(own: OwnDual, seen: Residuals, tau: float, sizes: float) -> float:
    """What rounds in the terms of objective and bound, and what tau u sees of affine functions; see `gap_rounding`."""
    sums = SUM * (sizes + 2.0 * tau * own.products) + seen.error
    moments = float(np.linalg.norm(own.seen) * np.linalg.norm(own.within))
    return sums + tau * (moments + abs(own.beyond - float(own.seen @ own.within)))
