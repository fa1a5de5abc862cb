r"""The certificate where lam multiplies the norm, affine part included.

Any dual vector u inside the conjugate's domain proves a bound: nothing need be orthogonal to [1 X], for no function is
free. With the corners' weights, which make rows and corners together orthogonal to it,

.. math:: \eta(w, b) = \sum_n u_n\, \varphi_{w,b}(x_n), \qquad
          |\eta| \le \lambda, \quad \Big|\sum_n u_n\Big| \le \lambda, \quad \Big|\sum_n u_n x_{nj}\Big| \le \lambda

are the conditions of the dual problem: what u says at the atoms of the norm, :mod:`ridgesplines.problem.corners`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ridgesplines.amplitudes.atoms import corners_of
from ridgesplines.certificate.certificate import RESCAN_SEED, SMALL_GAP, DualCertificate
from ridgesplines.certificate.dual import best_scale, projected
from ridgesplines.certificate.multipliers import CornerMultipliers
from ridgesplines.interrupt import late
from ridgesplines.network.spline import RidgeSpline, group_norms
from ridgesplines.objective import dual_of_fit, objective
from ridgesplines.oracle import Report, continuum_oracle, proven
from ridgesplines.oracle.base import Oracle, Supremum
from ridgesplines.oracle.eta import eta_at
from ridgesplines.problem import Problem
from ridgesplines.validation import Array, frozen
from ridgesplines.verdict import Scope

#: An objective this small, relative to that of zero, is that of a perfect fit: u = 0 proves it.
PERFECT = 1e-25


def lifted_rows(problem: Problem) -> Array:
    """The rows of the reduced problem, and the corners: (n + d + 1, d)."""
    return np.vstack([problem.reduced.X, corners_of(problem).points])


def lifted(problem: Problem, u: Array) -> Array:
    """A dual vector of the reduced problem, (n,) or (n, D), with the weights of the corners."""
    return np.concatenate([u, corners_of(problem).weights(problem.reduced.X, u)])


def lifted_oracle(problem: Problem, starts: Array | None = None, search: int = 0) -> Oracle:
    """The strongest oracle for lifted dual vectors."""
    return continuum_oracle(lifted_rows(problem), starts, (search, *RESCAN_SEED), interactions=problem.interactions)


def moments(problem: Problem, u: Array) -> Array:
    """What a dual vector of the reduced problem says at the affine atoms, sizes (d + 1,)."""
    return group_norms(corners_of(problem).moments(problem.reduced.X, u))


def certify_with_norm(
    problem: Problem,
    network: RidgeSpline,
    suggested: Array | None,
    end: float = np.inf,
    search: int = 0,
    peaks: tuple[Array, Array] | None = None,
) -> DualCertificate:
    r"""The certificate of a network: of the `suggested` dual vector (N,) or (N, D), and of that of its fit.

    Both are tried until the gap is small; the latter for smooth losses only. A searched supremum is never below
    :math:`|\eta|` at the network's neurons and at the `peaks` that another search found. See
    :func:`ridgesplines.certificate.certificate.certify` for `end` and `search`.
    """
    p = problem.reduced
    oracle = lifted_oracle(problem, network.weights, search)
    ways: list[Callable[[], Array]] = []
    if objective(p, network) <= PERFECT * float(p.sample_weight @ p.loss.value(p.y, np.zeros_like(network.at(p.X)))):
        ways.append(lambda: np.zeros((p.n_samples, *p.outputs)))
    if suggested is not None:
        ways.append(lambda: suggested[problem.rows])
    if p.loss.smooth:
        ways.append(lambda: dual_of_fit(p, network.at(p.X)))
    assert ways  # the fit leaves the dual vector of a loss with kinks open
    enough = (1.0 - SMALL_GAP) * objective(p, network)
    W, b = peaks or (network.weights[:0], network.biases[:0])
    known = np.concatenate([network.weights, W]), np.concatenate([network.biases, b])
    best: DualCertificate | None = None
    for way in ways:
        other = _proved(problem, known, way(), oracle, end)
        best = other if best is None or other.value > best.value else best
        if best.value >= enough or late(end):
            break
    assert best is not None
    return best


def _proved(problem: Problem, known: tuple[Array, Array], raw: Array, oracle: Oracle, end: float) -> DualCertificate:
    p = problem.reduced
    u, _ = projected(p, raw)  # inside the domain; there is nothing to be orthogonal to
    supremum = _raised(problem, known, u, oracle(lifted(problem, u), np.inf, end=end))
    sup = max(supremum.value, float(moments(problem, u).max()))
    scale, value = best_scale(p, u, sup)
    full = np.zeros((problem.n_samples, *u.shape[1:]))
    full[problem.rows] = u
    peaks = supremum.weights, supremum.biases
    multipliers = CornerMultipliers.of(problem, full)
    X, activation, scope = problem.X, problem.activation, supremum.scope
    return DualCertificate(
        frozen(full), sup, scope, 0.0, scale, value, X, activation, peaks, multipliers, supremum.starts
    )


def _raised(problem: Problem, known: tuple[Array, Array], u: Array, found: Supremum) -> Supremum:
    """A searched supremum that is not below |eta| at known neurons (W, b)."""
    W, b = known
    if found.scope is not Scope.SEARCHED or not len(b):
        return found
    size = group_norms(eta_at(lifted_rows(problem), lifted(problem, u), W, b))
    top = int(size.argmax())
    if size[top] <= found.value:
        return found
    weights, biases = np.concatenate([W[top : top + 1], found.weights]), np.append(b[top], found.biases)
    return replace(found, value=float(size[top]), weights=weights, biases=biases)


def strengthened_with_norm(
    problem: Problem,
    network: RidgeSpline,
    certificate: DualCertificate,
    max_time: float,
    report: Report | None,
    method: str,
) -> DualCertificate:
    """The certificate of the same dual vector with the strongest scope that `max_time` seconds allow."""
    W, b = (np.concatenate(pair) for pair in zip((network.weights, network.biases), certificate.peaks, strict=True))

    def oracle(u: Array, level: float | None = None, **_: object) -> Supremum:
        return proven(lifted_rows(problem), u, max_time, (W, b), report, problem.interactions, method)

    return _proved(problem, (W, b), certificate.dual[problem.rows], oracle, np.inf)
