r"""The dual certificate: what proves how close to the global optimum a network is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ridgesplines.duals import (
    best_scale,
    least_supremum_dual,
    linear_dual,
    projected,
    smooth_dual,
)
from ridgesplines.finite import affine_fit, require_minimiser
from ridgesplines.network import RidgeSpline
from ridgesplines.oracle import Oracle, continuum_oracle, eta_at
from ridgesplines.problem import Problem
from ridgesplines.scaling import standardise
from ridgesplines.validation import Array, real_array

#: A relative gap that needs no second dual vector.
SMALL = 1e-9


@dataclass(frozen=True, eq=False)
class DualCertificate:
    r"""A dual vector, and the supremum of what it says at every neuron.

    .. math:: \eta(w, b) = \sum_n u_n\,\rho(w^T x_n - b)

    f is optimal if and only if u is orthogonal to all affine functions, :math:`|\eta| \le \lambda` on
    :math:`S^{d-1} \times R`, and :math:`\eta(w_k, b_k) = \lambda\,\mathrm{sign}(v_k)` at its neurons. For D outputs
    :math:`\eta` is a vector and its Euclidean norm counts.

    Attributes
    ----------
    dual : u, orthogonal to [1 X], shape (N,) or (N, D); zero in rows of weight zero.
    sup : sup of :math:`|\eta|` over what `scope` names, in units of lam.
    scope : ``"exact"``: over all directions and biases, computed exactly (in floating point); ``"dictionary"``: over
        the neurons of a grid; ``"searched"``: the best violator that a search found, so that `value` is **not**
        a lower bound on the optimum.
    residual : the part of the raw dual vector that lay in [1 X], relative to its length; zero at an optimum.
    scale : tau, the factor that makes tau u feasible and the bound largest.
    value : the dual objective at tau u. If the scope is exact, no function has a smaller objective.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, Banach space representer theorems for neural networks and ridge splines,
       J. Mach. Learn. Res. 22 (2021), https://jmlr.org/papers/v22/20-583.html

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1)
    >>> certificate = rs.solve(problem).certificate
    >>> certificate.scope, abs(certificate.sup - 0.1) < 1e-8
    ('exact', True)
    """

    dual: Array
    sup: float
    scope: str
    residual: float
    scale: float
    value: float
    X: Array

    def eta(self, W: object, b: object) -> Array:
        """:math:`\\eta` at neurons W (K, d), b (K,); shape (K,) or (K, D). For d = 1, W may be a number or (K,)."""
        weights, biases = real_array("W", W), np.atleast_1d(real_array("b", b))
        d = self.X.shape[1]
        weights = np.broadcast_to(weights.reshape(-1, d), (len(biases), d))
        return eta_at(self.X, self.dual, weights, biases)


def certify(
    problem: Problem, network: RidgeSpline, dual: Array | None = None, oracle: Oracle | None = None
) -> DualCertificate:
    """The certificate of a network: dual vector recomputed from its fit, projected, scaled.

    Any dual vector proves something, and what it proves is computed here. For a loss with kinks the fit leaves part
    of it open: then `dual`, a solver's suggestion, is taken where one is given, and column generation finds one
    otherwise. For a smooth loss the suggestion is tried where the fit's own dual vector leaves a gap.

    Parameters
    ----------
    problem : the problem.
    network : any network with its inputs and outputs.
    dual : a suggestion, shape (N,) or (N, D).
    oracle : of which neurons the supremum is taken; all of them by default.
    """
    reduced = problem.reduced
    keep = problem.sample_weight > 0.0
    oracle = oracle or continuum_oracle(reduced.X, network.weights)
    if not problem.loss.smooth:
        raw = _column_generation(problem, network) if dual is None else dual
        return _proved(problem, raw[keep], oracle)
    if dual is None:  # a solver that has a dual vector has looked already
        require_minimiser(reduced)
    fit = network(reduced.X)
    own = _proved(problem, smooth_dual(reduced, fit), oracle)
    objective = reduced.sample_weight @ reduced.loss.value(reduced.y, fit) + problem.lam * network.seminorm
    if dual is None or objective - own.value <= SMALL * abs(objective):
        return own
    return max(own, _proved(problem, dual[keep], oracle), key=lambda c: c.value)


def _proved(problem: Problem, raw: Array, oracle: Oracle) -> DualCertificate:
    u, residual = projected(problem.reduced, raw)
    found = oracle(u)
    scale, value = best_scale(problem.reduced, u, found.value)
    full = np.zeros((problem.n_samples, *u.shape[1:]))
    full[problem.sample_weight > 0.0] = u
    return DualCertificate(full, found.value, found.scope, residual, scale, value, problem.X)


def _column_generation(problem: Problem, network: RidgeSpline) -> Array:
    """A dual vector for a loss with kinks, found in units in which linear programs are well scaled."""
    scaling = standardise(problem)
    scaled = scaling.scaled_network(network)
    u = linear_dual(scaling.problem, scaled, continuum_oracle(scaling.problem.X, scaled.weights))
    return scaling.dual(np.zeros_like(scaling.problem.y) if u is None else u)


def lambda_max(problem: Problem) -> float:
    r"""The smallest lam from which on the solution is affine, K = 0.

    .. math:: \lambda_{\max} = \sup_{w, b} |\eta(w, b)| \quad \text{at the affine fit}

    Parameters
    ----------
    problem : any problem; its own lam does not matter.

    Returns
    -------
    float
        In units of lam. Exact for d = 1 and d = 2; beyond, the value that a search found, from below. Infinite for
        Interpolation of data that are not affine.

    Raises
    ------
    ProblemError
        For Logistic and Softmax on data that an affine function separates.

    Notes
    -----
    For a loss with kinks the dual vector of the affine fit need not be unique: the least supremum counts, found
    by cutting planes to 1e-9. O(N log N) for d = 1, O(N^2 log N) for d = 2.

    Examples
    --------
    >>> import ridgesplines as rs
    >>> problem = rs.Problem([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], lam=1.0)
    >>> round(rs.lambda_max(problem), 6)
    0.666667
    """
    scaling = standardise(problem)
    affine = affine_optimum(scaling.problem, continuum_oracle(scaling.problem.X))
    if affine is None:
        return float("inf")
    u = projected(scaling.problem, affine[1])[0]
    sup = continuum_oracle(scaling.problem.X)(u).value
    return sup / scaling.lam(1.0) if not problem.loss.constraint else 0.0


def affine_optimum(problem: Problem, oracle: Oracle) -> tuple[Array, Array] | None:
    """(fit, dual vector of least supremum) of the best affine function, or None where none is feasible."""
    require_minimiser(problem)
    answer = affine_fit(problem)
    if answer is None or problem.loss.smooth:
        return answer
    z, u = answer
    return z, least_supremum_dual(problem, z, u, oracle)
